"""Parameters of frames: what an operation guards and changes (counts, members that have come)."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .records import intern


@jit
def _unmarked(g, m, r):
    """Marks that no member has left yet: each needs one more member."""
    count = g[m + M_MARKS]
    if count:
        left = (r >> MARK_SHIFT) & ((1 << MAX_MARKS) - 1)
        while left:
            left &= left - 1
            count -= 1
    return count


@jit
def _missing_with(g, m, r, k):
    """Members that have not come and must, required or needed by those that have; member ``k`` comes now."""
    words = g[m + M_WORDS]
    bits = 0
    if g[m + M_WIDE] != 0:
        bits = r & KEY_MASK
    count = 0
    for i in range(words):
        wanted = g[m + M_REQUIRED + i]
        come = np.int64(0)
        for j in range(g[m + M_N]):
            if g[m + M_WIDE] == 0:
                here = (r >> j) & 1
            else:
                here = (g[bits + R_KEY + j // 62] >> (j % 62)) & 1 if bits != 0 else 0
            if here or j == k:
                wanted |= g[g[m + M_NEEDS] + j * words + i]
                if j // 62 == i:
                    come |= 1 << (j % 62)
        left = wanted & ~come
        while left:
            left &= left - 1
            count += 1
    return count


@jit
def _missing(g, m, r):
    """Required named members that have not come yet."""
    if g[m + M_NEEDS] != 0:
        return _missing_with(g, m, r, -1)
    if g[m + M_WIDE] == 0:
        left = g[m + M_REQUIRED] & ~r
        count = 0
        while left:
            left &= left - 1
            count += 1
        return count
    bits = r & KEY_MASK
    if bits == 0:
        return g[m + M_N_REQUIRED]
    count = 0
    for i in range(g[m + M_WORDS]):
        left = g[m + M_REQUIRED + i] & ~g[bits + R_KEY + i]
        while left:
            left &= left - 1
            count += 1
    return count


@jit
def _key_may_come(g, m, k, r):
    n = g[m + M_N]
    words = g[m + M_WORDS]
    most = g[m + M_MAX]
    count = r >> COUNT_SHIFT
    if g[m + M_ORDERED]:
        at = r & KEY_MASK
        base = m + M_REQUIRED + words + g[m + M_PLACES]
        if k < at or g[base + at] < k:
            return False
        if most >= 0 and count + 1 + g[base + n + 1 + k] + _unmarked(g, m, r) > most:
            return False
        return not (g[m + M_REST] == 0 and count + n - k < g[m + M_MIN])
    if g[m + M_WIDE] == 0:
        if (r >> k) & 1:
            return False
    else:
        bits = r & KEY_MASK
        if bits != 0 and (g[bits + R_KEY + k // 62] >> (k % 62)) & 1:
            return False
    if g[m + M_NEEDS] != 0:
        return most < 0 or count + 1 + _missing_with(g, m, r, k) + _unmarked(g, m, r) <= most
    if most >= 0:
        required = (g[m + M_REQUIRED + k // 62] >> (k % 62)) & 1
        if count + 1 + _missing(g, m, r) - required + _unmarked(g, m, r) > most:
            return False
    return True


@jit
def _rest_may_come(g, m, r):
    if g[m + M_REST] == 0:
        return False
    most = g[m + M_MAX]
    more = max(1, _unmarked(g, m, r))
    if g[m + M_ORDERED]:
        n = g[m + M_N]
        at = r & KEY_MASK
        if g[m + M_REQUIRED + g[m + M_WORDS] + g[m + M_PLACES] + at] < n:
            return False
        return not (most >= 0 and (r >> COUNT_SHIFT) + more > most)
    return not (most >= 0 and (r >> COUNT_SHIFT) + more + _missing(g, m, r) > most)


@jit
def _count_up(g, m, r):
    cap = g[m + M_MAX]
    if cap < 0:
        cap = g[m + M_MIN]
    if (r >> COUNT_SHIFT) < cap:
        r += 1 << COUNT_SHIFT
    return r


@jit
def apply_to(g, op, r, to):
    """As `apply`, for an edge of a dense row that leads to state ``to``."""
    r = apply(g, op, r)
    if g[op] == OP_WITHIN:
        if r + g[to + S_PARAM] > g[op + 1] or (r < g[op + 3] and g[to + S_FLAGS] & FINAL):
            return REFUSED
    return r


@jit
def apply(g, op, r):
    """The parameter after operation ``op``, or -1 when its guard fails, or GROW_HEAP."""
    code = g[op]
    a = g[op + 1]
    if code == OP_INC:
        if a >= 0 and r >= a:
            return REFUSED
        return r + 1 if r < g[op + 2] else r
    if code == OP_AT_LEAST:
        return r if r >= a else REFUSED
    if code == OP_WITHIN:
        if r < g[op + 2]:
            r += 1
        return r if r <= a else REFUSED
    if code == OP_KEY:
        k = g[op + 2]
        if not _key_may_come(g, a, k, r):
            return REFUSED
        if g[a + M_ORDERED]:
            r = (r & ~KEY_MASK) | (k + 1)
        elif g[a + M_WIDE] == 0:
            r |= 1 << k
        else:
            words = g[a + M_WORDS]
            tmp = g[X_TMP]
            bits = r & KEY_MASK
            for i in range(words):
                g[tmp + i] = g[bits + R_KEY + i] if bits != 0 else 0
            g[tmp + k // 62] |= 1 << (k % 62)
            at = intern(g, tmp, words, K_SET, 0)
            if at < 0:
                return at
            r = (r & ~KEY_MASK) | at
        return _count_up(g, a, r)
    if code == OP_REST:
        if not _rest_may_come(g, a, r):
            return REFUSED
        if g[a + M_ORDERED]:
            r = (r & ~KEY_MASK) | g[a + M_N]
        return _count_up(g, a, r)
    if code == OP_ANY_KEY or code == OP_ANY_OR_REST:
        if code == OP_ANY_OR_REST and _rest_may_come(g, a, r):
            return r
        places = a + M_REQUIRED + g[a + M_WORDS]
        for i in range(g[op + 2], g[op + 3]):
            if g[places + i] >= 0 and _key_may_come(g, a, g[places + i], r):
                return r
        return REFUSED
    if code == OP_NEVER:
        return REFUSED
    if code == OP_MARK:
        if g[op + 2] >= 0:
            r |= 1 << (MARK_SHIFT + g[op + 2])
        most = g[a + M_MAX]
        if most < 0:
            return r
        left = _unmarked(g, a, r)
        if g[a + M_ORDERED] == 0:
            left += _missing(g, a, r)
        return r if (r >> COUNT_SHIFT) + left <= most else REFUSED
    # OP_CLOSE
    if (r >> COUNT_SHIFT) < g[a + M_MIN] or _unmarked(g, a, r):
        return REFUSED
    if g[a + M_ORDERED]:
        n = g[a + M_N]
        if g[a + M_REQUIRED + g[a + M_WORDS] + g[a + M_PLACES] + (r & KEY_MASK)] < n:
            return REFUSED
        return r
    return r if _missing(g, a, r) == 0 else REFUSED
