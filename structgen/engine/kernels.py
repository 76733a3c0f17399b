"""The whole run-time call graph, in one file.

numba's cache key is a function's own file: a cached kernel that calls one in another file can run stale
code. So every kernel that lies on a path of `accept` or `fill` is here, and takes a few arrays:

g, the heap : int64[*]    see `layout`; scratch lies in it too, since a second array argument would double
                          the cost of a step
tries : int32[*]          concatenated tries, 4 words a node in depth-first order: byte, depth, end, token;
                          after the first one, the vocabulary's, its nodes' lists of children
slots, tables, info, groups, ids   pure functions of automata and vocabulary: see `table_pool`
rows : int32[n, words]    memoised masks of this grammar

Kernels raise nothing: they answer a number >= 0, or one of the codes below zero at the end of `layout`.
GROW_*, BUILD_* mean "do that and call me again": every kernel can be run twice, since interning is
idempotent and answers are published last.

How a mask is made
    A matcher's state is an interned set of *heads*. In discipline ``any`` a head is (rule state, parameter,
    stack): the heads are independent, and the mask is the union of theirs. In ``longest`` a head is
    (lexer state, parser state, watch): the lexeme being read, the parser state before it, and the lexer
    states of earlier lexemes that must not complete (a longer match would win).
    A head's mask is one walk of the vocabulary's trie with `_advance` in the loop. Where the head's automaton
    stays inside itself for most of the vocabulary (text in a string), a *vocabulary table* holds the tokens
    that stay, and only the trie of those that leave is walked.
"""

from __future__ import annotations

import numpy as np

from ..jit import jit
from .layout import *

U64 = np.uint64

# ----------------------------------------------------------------------------------------------- hash table


@jit
def _hash(g, start, n, kind):
    h = U64(0x9E3779B97F4A7C15) ^ U64(kind)
    for i in range(n):
        h = (h ^ U64(g[start + i])) * U64(0xFF51AFD7ED558CCD)
        h = h ^ (h >> U64(32))
    h = h * U64(0xC4CEB9FE1A85EC53)
    return np.int64((h ^ (h >> U64(29))) >> U64(1))


@jit
def _find(g, start, n, kind, h):
    """Offset of the record with this key, or -1 - slot of the table where it belongs."""
    table = g[H_HASH] >> HASH_SHIFT
    mask = (1 << (g[H_HASH] & HASH_SIZE)) - 1
    tag = kind | (n << 8)
    slot = h & mask
    while True:
        at = g[table + slot]
        if at == 0:
            return -1 - slot
        if g[at + 1] == h and g[at] == tag:
            same = True
            for i in range(n):
                if g[at + R_KEY + i] != g[start + i]:
                    same = False
                    break
            if same:
                return at
        slot = (slot + 1) & mask


@jit
def _intern(g, start, n, kind, values):
    """Offset of the record of ``kind`` with key ``g[start : start + n]``, with ``values`` zeros if new."""
    h = _hash(g, start, n, kind)
    at = _find(g, start, n, kind, h)
    if at >= 0:
        return at
    size = R_KEY + n + values
    top = g[H_TOP]
    if top + size > g[H_LIMIT] or 2 * (g[H_HASH_COUNT] + 1) >= 1 << (g[H_HASH] & HASH_SIZE):
        return GROW_HEAP
    g[top] = kind | (n << 8)
    g[top + 1] = h
    for i in range(n):
        g[top + R_KEY + i] = g[start + i]
    for i in range(values):
        g[top + R_KEY + n + i] = 0
    g[(g[H_HASH] >> HASH_SHIFT) - 1 - at] = top
    g[H_HASH_COUNT] += 1
    g[H_TOP] = top + size
    return top


@jit
def rehash(g, table, bits):
    """Enter every interned record into a new hash table at ``table`` (already zero), of 2**bits slots."""
    old = g[H_HASH] >> HASH_SHIFT
    size = 1 << bits
    for i in range(1 << (g[H_HASH] & HASH_SIZE)):
        at = g[old + i]
        if at != 0:
            slot = g[at + 1] & (size - 1)
            while g[table + slot] != 0:
                slot = (slot + 1) & (size - 1)
            g[table + slot] = at
    g[H_HASH] = table << HASH_SHIFT | bits
    return 0


# ------------------------------------------------------------------------------------- parameters of frames


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
def _apply(g, op, r):
    """The parameter after operation ``op``, or -1 when its guard fails, or GROW_HEAP."""
    code = g[op]
    a = g[op + 1]
    if code == OP_INC:
        if a >= 0 and r >= a:
            return REFUSED
        return r + 1 if r < g[op + 2] else r
    if code == OP_AT_LEAST:
        return r if r >= a else REFUSED
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
            at = _intern(g, tmp, words, K_SET, 0)
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


# --------------------------------------------------------------------------------------------------- parser


@jit
def _push_frame(g, ret, r, below):
    """A stack with one frame more, in scratch: a number below zero; or 0 when scratch is full."""
    top = g[X_FRAMES_TOP]
    if top + 1 >= g[X_FRAMES_CAP]:
        return 0
    at = g[X_FRAMES] + 4 * top
    e = at
    for i in range(top - g[X_STEP]):  # two ways of one step may push the same frame: it must stay one
        e -= 4
        if g[e] == ret and g[e + 1] == r and g[e + 2] == below and g[e + 3] == 0:
            return -(top - 1 - i)
    g[at] = ret
    g[at + 1] = r
    g[at + 2] = below
    g[at + 3] = 0
    g[X_FRAMES_TOP] = top + 1
    return -top


@jit
def _add_entry(g, ret, r, below, chain):
    """Entry (ret, r, below) in front of the scratch stack ``chain`` (0: none) unless it is there."""
    at = chain
    while at != 0:
        e = g[X_FRAMES] + 4 * at
        if g[e] == ret and g[e + 1] == r and g[e + 2] == below:
            return chain
        at = g[e + 3]
    top = g[X_FRAMES_TOP]
    if top + 1 >= g[X_FRAMES_CAP]:
        return GROW_SCRATCH
    e = g[X_FRAMES] + 4 * top
    g[e] = ret
    g[e + 1] = r
    g[e + 2] = below
    g[e + 3] = chain
    g[X_FRAMES_TOP] = top + 1
    return top


@jit
def _add_stack(g, stack, chain):
    """All entries of ``stack`` in front of the scratch stack ``chain``."""
    if stack == 0:
        return _add_entry(g, 0, 0, 0, chain)
    if stack > 0:
        n = g[stack] >> 8
        for i in range(0, n, 3):
            e = stack + R_KEY + i
            chain = _add_entry(g, g[e], g[e + 1], g[e + 2], chain)
            if chain < 0:
                return chain
        return chain
    at = -stack
    while at != 0:
        e = g[X_FRAMES] + 4 * at
        chain = _add_entry(g, g[e], g[e + 1], g[e + 2], chain)
        if chain < 0:
            return chain
        at = g[e + 3]
    return chain


@jit
def _emit(g, base, count, s, r, stack):
    """Head (s, r, stack) into the list at ``base``; stacks of equal (s, r) are merged. The new count."""
    if count > 0:
        return _emit_more(g, base, count, s, r, stack)
    if base + 1 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    h = g[X_HEADS] + 3 * base
    g[h] = s
    g[h + 1] = r
    g[h + 2] = stack
    return 1


@jit
def _emit_more(g, base, count, s, r, stack):
    for i in range(count):
        h = g[X_HEADS] + 3 * (base + i)
        if g[h] == s and g[h + 1] == r:
            if g[h + 2] == stack:
                return count
            chain = _add_stack(g, stack, 0)
            if chain < 0:
                return GROW_SCRATCH
            chain = _add_stack(g, g[h + 2], chain)
            if chain < 0:
                return GROW_SCRATCH
            g[h + 2] = -chain
            return count
    if base + count + 1 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    if count >= g[H_MAX_HEADS]:
        return TOO_MANY_HEADS
    h = g[X_HEADS] + 3 * (base + count)
    g[h] = s
    g[h + 1] = r
    g[h + 2] = stack
    return count + 1


@jit
def _enqueue(g, n, s, r, stack):
    """Item into the work queue unless it is there; the new length."""
    q = g[X_QUEUE]
    for i in range(n):
        if g[q + 3 * i] == s and g[q + 3 * i + 1] == r and g[q + 3 * i + 2] == stack:
            return n
    if n + 1 >= g[X_QUEUE_CAP]:
        return GROW_SCRATCH
    g[q + 3 * n] = s
    g[q + 3 * n + 1] = r
    g[q + 3 * n + 2] = stack
    return n + 1


@jit
def _pop(g, n, stack):
    """Enqueue every (return state, parameter, stack below) of ``stack``; the new length of the queue."""
    if stack > 0:
        size = g[stack] >> 8
        for i in range(0, size, 3):
            e = stack + R_KEY + i
            if g[e] != 0:
                n = _enqueue(g, n, g[e], g[e + 1], g[e + 2])
                if n < 0:
                    return n
    elif stack < 0:
        at = -stack
        while at != 0:
            e = g[X_FRAMES] + 4 * at
            if g[e] != 0:
                n = _enqueue(g, n, g[e], g[e + 1], g[e + 2])
                if n < 0:
                    return n
            at = g[e + 3]
    return n


@jit
def _has_bottom(g, stack):
    """The empty stack is one of the stacks that ``stack`` stands for."""
    if stack == 0:
        return True
    if stack > 0:
        size = g[stack] >> 8
        for i in range(0, size, 3):
            if g[stack + R_KEY + i] == 0:
                return True
        return False
    at = -stack
    while at != 0:
        e = g[X_FRAMES] + 4 * at
        if g[e] == 0:
            return True
        at = g[e + 3]
    return False


@jit
def _resolve(g, s):
    """The state behind a forward, or 0 (and a note) when its rule is not built yet."""
    while g[s + S_FLAGS] & FORWARD:
        to = g[s + S_ROW]
        if to == 0:
            n = g[X_NOTES_N]
            if n < g[X_NOTES_CAP]:
                g[g[X_NOTES] + n] = s
                g[X_NOTES_N] = n + 1
            return 0
        s = to
    return s


@jit
def _advance(g, src, n, symbol, dst):
    """Heads after ``symbol`` from heads ``src .. src+n-1``, written at ``dst``. Their number, or a code.

    A head reads the symbol by an edge, by a call whose FIRST set has it, or by ending its rule and reading it
    where the rule returns to. As long as there is one way to go on it is followed in place; when there are
    more, all go through a queue, in which none is entered twice.
    """
    queued = 0
    done = 0
    count = 0
    g[X_STEP] = g[X_FRAMES_TOP]
    h = g[X_HEADS] + 3 * src
    if n > 1:
        if n + 2 >= g[X_QUEUE_CAP]:
            return GROW_SCRATCH
        q = g[X_QUEUE]
        for i in range(3 * n):
            g[q + i] = g[h + i]
        queued = n
        done = 1
    s = g[h]
    r = g[h + 1]
    stack = g[h + 2]
    while True:
        flags = g[s + S_FLAGS]
        if flags & FORWARD:
            s = _resolve(g, s)
            if s == 0:
                flags = 0
            else:
                flags = g[s + S_FLAGS]
        more = 0
        next_s = 0
        next_r = 0
        next_stack = 0
        if s != 0:
            e = s + STATE_WORDS
            hit = False
            for _ in range(g[s + S_EDGES]):
                span = g[e]
                if (span & 0xFFFF) <= symbol <= (span >> 16):
                    hit = True
                    r2 = r
                    if g[e + 2] != 0:
                        r2 = _apply(g, g[e + 2], r)
                        if r2 < REFUSED:
                            return r2
                    if r2 >= 0:
                        count = _emit(g, dst, count, g[e + 1], r2, stack)
                        if count < 0:
                            return count
                e += EDGE_WORDS
            row = g[s + S_ROW]
            if row != 0 and not hit and symbol < 256:
                to = g[row + ((g[g[s + S_CMAP] + (symbol >> 3)] >> ((symbol & 7) << 3)) & 0xFF)]
                if to != 0:
                    r2 = r
                    if g[s + S_ROW_OP] != 0:
                        r2 = _apply(g, g[s + S_ROW_OP], r)
                        if r2 < REFUSED:
                            return r2
                    if r2 >= 0:
                        below = stack
                        if g[s + S_PUSH] != 0:
                            below = _push_frame(g, g[s + S_PUSH], r2, stack)
                            if below == 0:
                                return GROW_SCRATCH
                            r2 = g[s + S_PARAM]
                        count = _emit(g, dst, count, to, r2, below)
                        if count < 0:
                            return count
            for _ in range(g[s + S_CALLS]):
                if (g[g[e + C_FIRST] + (symbol >> 6)] >> (symbol & 63)) & 1:
                    r2 = r
                    if g[e + C_OP] != 0:
                        r2 = _apply(g, g[e + C_OP], r)
                        if r2 < REFUSED:
                            return r2
                    if r2 >= 0:
                        below = stack
                        if g[e + C_RET] != 0:
                            below = _push_frame(g, g[e + C_RET], r2, stack)
                            if below == 0:
                                return GROW_SCRATCH
                        more += 1
                        if more == 1:
                            next_s = g[e + C_INIT]
                            next_r = g[e + C_PARAM]
                            next_stack = below
                        else:
                            queued = _enqueue(g, queued, g[e + C_INIT], g[e + C_PARAM], below)
                            if queued < 0:
                                return queued
                e += CALL_WORDS
            if (
                flags & FINAL
                and stack != 0
                and (g[s + S_FINAL_OP] == 0 or _apply(g, g[s + S_FINAL_OP], r) >= 0)
            ):
                e = stack + R_KEY if stack > 0 else g[X_FRAMES] - 4 * stack
                if more == 0 and (g[stack] >> 8 == 3 if stack > 0 else g[e + 3] == 0):
                    if g[e] != 0:
                        more = 1
                        next_s = g[e]
                        next_r = g[e + 1]
                        next_stack = g[e + 2]
                else:
                    queued = _pop(g, queued, stack)
                    if queued < 0:
                        return queued
        if more > 0:
            if queued == 0:
                s = next_s
                r = next_r
                stack = next_stack
                continue
            queued = _enqueue(g, queued, next_s, next_r, next_stack)
            if queued < 0:
                return queued
        if done == queued:
            return count
        q = g[X_QUEUE] + 3 * done
        s = g[q]
        r = g[q + 1]
        stack = g[q + 2]
        done += 1


@jit
def _complete(g, src, n):
    """1 when one of the heads ``src .. src+n-1`` may end the text, 0 when none may, or a code."""
    q = g[X_QUEUE]
    for i in range(n):
        h = g[X_HEADS] + 3 * (src + i)
        g[q + 3 * i] = g[h]
        g[q + 3 * i + 1] = g[h + 1]
        g[q + 3 * i + 2] = g[h + 2]
        if i + 2 >= g[X_QUEUE_CAP]:
            return GROW_SCRATCH
    queued = n
    done = 0
    while done < queued:
        s = g[q + 3 * done]
        r = g[q + 3 * done + 1]
        stack = g[q + 3 * done + 2]
        done += 1
        # A rule that is called and not yet entered has read nothing and is never complete.
        if g[s + S_FLAGS] & FINAL:
            op = g[s + S_FINAL_OP]
            if op == 0 or _apply(g, op, r) >= 0:
                if _has_bottom(g, stack):
                    return 1
                queued = _pop(g, queued, stack)
                if queued < 0:
                    return queued
    return 0


@jit
def _persist_stack(g, stack):
    """The interned form of a scratch stack whose parts below are interned already."""
    if stack >= 0:
        return stack
    tmp = g[X_TMP]
    n = 0
    at = -stack
    while at != 0:
        e = g[X_FRAMES] + 4 * at
        if 3 * (n + 1) >= g[X_TMP_CAP]:
            return GROW_SCRATCH
        a, b, c = g[e], g[e + 1], g[e + 2]
        # Insertion keeps entries sorted, so that equal sets have equal keys.
        j = n
        while j > 0:
            p = tmp + 3 * (j - 1)
            if (g[p], g[p + 1], g[p + 2]) <= (a, b, c):
                break
            j -= 1
        p = tmp + 3 * j
        if j == 0 or (g[p - 3], g[p - 2], g[p - 1]) != (a, b, c):
            for k in range(3 * n - 1, 3 * j - 1, -1):
                g[tmp + k + 3] = g[tmp + k]
            g[p], g[p + 1], g[p + 2] = a, b, c
            n += 1
        at = g[e + 3]
    return _intern(g, tmp, 3 * n, K_FRAME, FRAME_VALUES)


@jit
def _persist(g, src, n):
    """Intern the stacks of heads ``src .. src+n-1``, sort the heads. 0, or a code.

    A scratch frame lies only on frames made before it, so one pass upward over the frames in use is enough.
    """
    frames = g[X_FRAMES]
    top = g[X_FRAMES_TOP]
    marks = g[X_QUEUE]  # the queue is idle here: one mark a frame, then its interned form
    if top + 1 >= 3 * g[X_QUEUE_CAP]:
        return GROW_SCRATCH
    need = False
    for i in range(n):
        if g[g[X_HEADS] + 3 * (src + i) + 2] < 0:
            need = True
    if need:
        for i in range(top):
            g[marks + i] = 0
        for i in range(n):
            stack = g[g[X_HEADS] + 3 * (src + i) + 2]
            if stack < 0:
                g[marks - stack] = 1
        for i in range(top - 1, 0, -1):
            if g[marks + i] != 0:
                below = g[frames + 4 * i + 2]
                if below < 0:
                    g[marks - below] = 1
                if g[frames + 4 * i + 3] != 0 and g[marks + g[frames + 4 * i + 3]] == 0:
                    g[marks + g[frames + 4 * i + 3]] = (
                        2  # an entry of a longer chain: only its stack below counts
                    )
        for i in range(1, top):
            if g[marks + i] != 0:
                below = g[frames + 4 * i + 2]
                if below < 0:
                    g[frames + 4 * i + 2] = g[marks - below]
                if g[marks + i] == 1:
                    at = _persist_stack(g, -i)
                    if at < 0:
                        return at
                    g[marks + i] = at
        for i in range(n):
            h = g[X_HEADS] + 3 * (src + i)
            if g[h + 2] < 0:
                g[h + 2] = g[marks - g[h + 2]]
    return _sort_heads(g, src, n)


@jit
def _sort_heads(g, src, n):
    base = g[X_HEADS] + 3 * src
    for i in range(1, n):
        a, b, c = g[base + 3 * i], g[base + 3 * i + 1], g[base + 3 * i + 2]
        j = i
        while j > 0:
            p = base + 3 * (j - 1)
            if (g[p], g[p + 1], g[p + 2]) <= (a, b, c):
                break
            g[p + 3], g[p + 4], g[p + 5] = g[p], g[p + 1], g[p + 2]
            j -= 1
        p = base + 3 * j
        g[p], g[p + 1], g[p + 2] = a, b, c
    return 0


# ---------------------------------------------------------------------------------------------------- lexer


@jit
def _lex_state(g, best, n):
    """Intern the lexer state with terminal states ``g[X_TMP + 1 ..]``; decide which terminals are won."""
    tmp = g[X_TMP]
    for i in range(2, n + 1):  # insertion sort of the members
        a = g[tmp + i]
        j = i
        while j > 1 and g[tmp + j - 1] > a:
            g[tmp + j] = g[tmp + j - 1]
            j -= 1
        g[tmp + j] = a
    g[tmp] = best
    at = _intern(g, tmp, n + 1, K_LEX, LEX_VALUES)
    if at < 0 or g[at + R_KEY + n + 2] != 0:
        return at
    # A new state: its row of unknown transitions, and the terminals that end here.
    classes = g[H_LEX_CLASSES]
    row = g[H_TOP]
    if row + classes > g[H_LIMIT]:
        return GROW_HEAP
    for i in range(classes):
        g[row + i] = -1
    g[H_TOP] = row + classes
    won = 0
    if best >= 0:
        top_priority = -1
        literal = 0
        for i in range(1, n + 1):
            t = g[tmp + i]
            if g[t + T_FINAL]:
                if g[t + T_PRIORITY] > top_priority:
                    top_priority = g[t + T_PRIORITY]
                    literal = g[t + T_LITERAL]
                elif g[t + T_PRIORITY] == top_priority and g[t + T_LITERAL] > literal:
                    literal = g[t + T_LITERAL]
        if top_priority >= 0:
            k = 0
            out = tmp + n + 2
            for i in range(1, n + 1):
                t = g[tmp + i]
                if g[t + T_FINAL] and g[t + T_PRIORITY] == top_priority and g[t + T_LITERAL] == literal:
                    v = g[t + T_TERMINAL]
                    j = k
                    while j > 0 and g[out + j - 1] > v:
                        g[out + j] = g[out + j - 1]
                        j -= 1
                    g[out + j] = v
                    k += 1
            won = _intern(g, out, k, K_TERMINALS, 0)
            if won < 0:
                return won
    if g[H_INDENT] != 0:
        for i in range(1, n + 1):
            if g[g[tmp + i] + T_TERMINAL] == g[g[H_INDENT] + I_NEWLINE]:
                g[at + R_KEY + n + 4] = 1
    barred = 1 if best >= 0 else 0
    for i in range(1, n + 1):
        if not _is_forbidden(g, g[g[tmp + i] + T_TERMINAL]):
            barred = 0
    g[at + R_KEY + n + 5] = barred
    g[at + R_KEY + n + 1] = won
    g[at + R_KEY + n + 2] = row
    return at


@jit
def _lex_won(g, q):
    """Interned terminals that end at lexer state ``q``, or 0."""
    return g[q + R_KEY + (g[q] >> 8)]


@jit
def _is_barred(g, q):
    """Nothing but forbidden terminals is read in lexer state ``q``: no reading of it can be finished."""
    return g[q + R_KEY + (g[q] >> 8) + 4]


@jit
def _lex_step(g, q, cls):
    """Lexer state after a byte of class ``cls``; 0 dead; or a code."""
    n = g[q] >> 8
    row = g[q + R_KEY + n + 1]
    to = g[row + cls]
    if to >= 0:
        return to
    tmp = g[X_TMP]
    if 2 * n + 4 > g[X_TMP_CAP]:
        return GROW_SCRATCH
    best = g[q + R_KEY]
    if best < 0:
        best = 0
    k = 0
    for i in range(1, n):
        t = g[g[q + R_KEY + i] + T_ROW + cls]
        if t != 0:
            k += 1
            g[tmp + k] = t
            # Priorities are kept one above the grammar's, so that 0 means "nothing matched yet".
            if g[t + T_FINAL] and g[t + T_PRIORITY] > best:
                best = g[t + T_PRIORITY]
    kept = 0
    for i in range(1, k + 1):
        t = g[tmp + i]
        if g[t + T_PRIORITY] >= best:
            kept += 1
            g[tmp + kept] = t
    to = 0
    if kept > 0:
        to = _lex_state(g, best, kept)
        if to < 0:
            return to
    g[row + cls] = to
    return to


@jit
def _candidates(g, parser):
    """The lexer state at a lexeme's start after ``parser``: what can follow, the ignored, the forbidden."""
    n = g[parser] >> 8
    start = g[parser + R_KEY + n]
    if start > 0:
        return start
    words = g[H_SYMBOL_WORDS]
    q = g[X_QUEUE]
    queued = 0
    for i in range(1, n, 3):
        e = parser + R_KEY + i
        queued = _enqueue(g, queued, g[e], g[e + 1], g[e + 2])
        if queued < 0:
            return queued
    bits = g[X_TMP] + g[X_TMP_CAP] - words
    for i in range(words):
        g[bits + i] = g[g[H_LEX_IGNORE] + i] | g[g[H_LEX_FORBIDDEN] + i]
    done = 0
    while done < queued:
        s = g[q + 3 * done]
        r = g[q + 3 * done + 1]
        stack = g[q + 3 * done + 2]
        done += 1
        e = s + STATE_WORDS
        for _ in range(g[s + S_EDGES]):
            if g[e + 2] == 0 or _apply(g, g[e + 2], r) >= 0:
                for symbol in range(g[e] & 0xFFFF, (g[e] >> 16) + 1):
                    g[bits + (symbol >> 6)] |= 1 << (symbol & 63)
            e += EDGE_WORDS
        for _ in range(g[s + S_CALLS]):
            if g[e + C_OP] == 0 or _apply(g, g[e + C_OP], r) >= 0:
                for i in range(words):
                    g[bits + i] |= g[g[e + C_FIRST] + i]
            e += CALL_WORDS
        if g[s + S_FLAGS] & FINAL:
            op = g[s + S_FINAL_OP]
            if op == 0 or _apply(g, op, r) >= 0:
                queued = _pop(g, queued, stack)
                if queued < 0:
                    return queued
    if g[H_INDENT] != 0:
        _candidates_of_lines(g, parser, bits)
    tmp = g[X_TMP]
    k = 0
    for t in range(g[H_N_TERMINALS]):
        if (g[bits + (t >> 6)] >> (t & 63)) & 1 and g[g[H_LEX_STARTS] + t] != 0:
            k += 1
            if 2 * k + words + 8 > g[X_TMP_CAP]:
                return GROW_SCRATCH
            g[tmp + k] = g[g[H_LEX_STARTS] + t]
    for i in range(words):
        g[parser + R_KEY + n + 2 + i] = g[bits + i]
    start = _lex_state(g, -1, k)
    if start > 0:
        g[parser + R_KEY + n] = start
    return start


@jit
def _is_ignored(g, t):
    return (g[g[H_LEX_IGNORE] + (t >> 6)] >> (t & 63)) & 1


@jit
def _is_forbidden(g, t):
    return (g[g[H_LEX_FORBIDDEN] + (t >> 6)] >> (t & 63)) & 1


@jit
def _shift(g, parser, terminal):
    """The parser state after ``terminal``; 0 when it cannot be shifted; or a code."""
    key = g[X_TMP]
    g[key] = parser
    g[key + 1] = terminal
    at = _intern(g, key, 2, K_SHIFT, 1)
    if at < 0:
        return at
    if g[at + R_KEY + 2] != 0:
        return g[at + R_KEY + 2] - 1
    if g[H_INDENT] != 0:
        to = _shift_in_lines(g, parser, terminal)
    else:
        to = _parse(g, parser, terminal, 0)
    if to >= 0:
        g[at + R_KEY + 2] = to + 1
    return to


@jit
def _parse(g, parser, symbol, margin):
    """The parser state after ``symbol``, with ``margin``; 0 when it cannot come; or a code."""
    n = (g[parser] >> 8) // 3
    heads = g[X_HEADS]
    src = g[X_HEADS_CAP] // 2  # the upper half of the list of heads is free for this
    if src + n + 1 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    for i in range(3 * n):
        g[heads + 3 * src + i] = g[parser + R_KEY + 1 + i]
    dst = src + n
    saved = g[X_FRAMES_TOP]
    count = _advance(g, src, n, symbol, dst)
    if count < 0:
        return count
    if g[X_NOTES_N] > 0:
        return BUILD_RULES
    to = 0
    if count > 0:
        code = _persist(g, dst, count)
        if code < 0:
            return code
        key = heads + 3 * dst - 1  # the heads before are not needed any more: their last word is free
        g[key] = margin
        to = _intern(g, key, 1 + 3 * count, K_PARSER, PARSER_VALUES + g[H_SYMBOL_WORDS])
        if to < 0:
            return to
    g[X_FRAMES_TOP] = saved
    return to


# -------------------------------------------------------------------------------------------- indentation
#
# A parser state carries its *margin*: how many brackets are open, the columns of the open blocks, and the
# column of the line that begins in the newline lexeme being read. So what indentation does to a text is
# remembered under (parser state, terminal) like any other shift, and heads need no fourth word.


@jit
def _in_set(g, bits, t):
    return (g[bits + (t >> 6)] >> (t & 63)) & 1


@jit
def _margin(g, depth, column, columns):
    """The interned margin, or a code."""
    key = g[X_TMP]
    g[key], g[key + 1], g[key + 2] = depth, column, columns
    return _intern(g, key, 3, K_MARGIN, 0)


@jit
def _columns(g, column, around):
    """The open columns ``around`` with ``column`` inside, or a code."""
    key = g[X_TMP]
    g[key], g[key + 1] = column, around
    return _intern(g, key, 2, K_COLUMNS, 0)


@jit
def _margin_before_text(g):
    columns = _columns(g, 0, 0)
    if columns < 0:
        return columns
    return _margin(g, BEFORE_TEXT, NO_COLUMN, columns)


@jit
def _at_column(g, parser, column):
    """The parser state with another column of the line that begins, or a code."""
    margin = g[parser + R_KEY]
    if g[margin + R_KEY + 1] == column:
        return parser
    return _with_margin(g, parser, _margin(g, g[margin + R_KEY], column, g[margin + R_KEY + 2]))


@jit
def _with_margin(g, parser, margin):
    if margin < 0 or g[parser + R_KEY] == margin:
        return margin if margin < 0 else parser
    n = g[parser] >> 8
    key = g[X_TMP]
    if n >= g[X_TMP_CAP]:
        return GROW_SCRATCH
    g[key] = margin
    for i in range(1, n):
        g[key + i] = g[parser + R_KEY + i]
    return _intern(g, key, n, K_PARSER, PARSER_VALUES + g[H_SYMBOL_WORDS])


@jit
def _without_column(g, parser):
    """The parser state at the end of a lexeme that is ignored, or a code."""
    return parser if g[H_INDENT] == 0 else _at_column(g, parser, NO_COLUMN)


@jit
def _in_line(g, parser, q, cls):
    """The parser state after a byte of class ``cls`` that leads to lexer state ``q``, or a code."""
    if g[H_INDENT] == 0:
        return parser
    if g[q + R_KEY + (g[q] >> 8) + 3] == 0:  # no newline is being read
        return _at_column(g, parser, NO_COLUMN)
    margin = g[parser + R_KEY]
    if g[margin + R_KEY] > 0:  # in brackets no column counts
        return parser
    effect = g[g[g[H_INDENT] + I_EFFECTS] + cls]
    return _at_column(g, parser, column_after(g[margin + R_KEY + 1], effect, g[g[H_INDENT] + I_TAB]))


@jit
def column_after(column, effect, tab):
    """The column after a byte with this effect."""
    if effect == E_BREAK:
        return 0
    if effect == E_TEXT or column == NO_COLUMN:
        return NO_COLUMN
    if effect == E_FEED:
        return 0
    if effect == E_TAB:
        wide = ((column >> COLUMN_SHIFT) // tab + 1) * tab
        return (wide << COLUMN_SHIFT) | ((column & ((1 << COLUMN_SHIFT) - 1)) + 1)
    return column + (1 << COLUMN_SHIFT) + 1


@jit
def columns_in_tokens(nodes, effects, tab, column, line):
    """Of each trie node: the column after its last line break, and the depth of that (0: it has none).

    nodes : int32[n, 4]; effects : int64[256]; column : int64[n]; line : int32[n]
    """
    column[0], line[0] = NO_COLUMN, 0
    at = np.int64(0)
    i = 1
    for i in range(1, nodes.shape[0]):
        # The parent: the last node before this one that is one less deep.
        at = i - 1
        while nodes[at, 1] >= nodes[i, 1]:
            at -= 1
        effect = effects[nodes[i, 0]]
        column[i] = column_after(column[at], effect, tab)
        line[i] = nodes[i, 1] if effect == E_BREAK else line[at]
    return 0


@jit
def _candidates_of_lines(g, parser, bits):
    """Correct the candidates ``bits`` after ``parser`` by what its margin says of newlines."""
    newline = g[g[H_INDENT] + I_NEWLINE]
    depth = g[g[parser + R_KEY] + R_KEY]
    if depth == BEFORE_TEXT:
        for i in range(g[H_SYMBOL_WORDS]):
            g[bits + i] = 0
    if depth != 0:
        g[bits + (newline >> 6)] |= 1 << (newline & 63)


@jit
def _shift_in_lines(g, parser, terminal):
    """`_shift` with indentation: a newline brings indents and dedents along, brackets suspend them."""
    margin = g[parser + R_KEY]
    depth = g[margin + R_KEY]
    column = g[margin + R_KEY + 1]
    columns = g[margin + R_KEY + 2]
    indentation = g[H_INDENT]
    if terminal != g[indentation + I_NEWLINE]:
        if _in_set(g, g[indentation + I_OPENING], terminal):
            depth += 1
        elif _in_set(g, g[indentation + I_CLOSING], terminal) and depth > 0:
            depth -= 1
        margin = _margin(g, depth, NO_COLUMN, columns)
        if margin < 0:
            return margin
        return _parse(g, parser, terminal, margin)
    if depth > 0:
        return parser
    margin = _margin(g, 0, NO_COLUMN, columns)
    if margin < 0:
        return margin
    to = _with_margin(g, parser, margin) if depth == BEFORE_TEXT else _parse(g, parser, terminal, margin)
    if to > 0 and column != NO_COLUMN:
        wide = column >> COLUMN_SHIFT
        low = (1 << COLUMN_SHIFT) - 1
        if wide > g[columns + R_KEY] >> COLUMN_SHIFT:
            if column & low <= g[columns + R_KEY] & low:
                return 0
            to = _parse(g, to, g[indentation + I_INDENT], margin)
            columns = _columns(g, column, columns)
            if columns < 0:
                return columns
        else:
            while to > 0 and wide < g[columns + R_KEY] >> COLUMN_SHIFT:
                to = _parse(g, to, g[indentation + I_DEDENT], margin)
                columns = g[columns + R_KEY + 1]
            if column != g[columns + R_KEY]:
                return 0
    if to <= 0:
        return to
    to = _with_margin(g, to, _margin(g, 0, NO_COLUMN, columns))
    return to if to < 0 else _line_can_begin(g, to)


@jit
def _line_can_begin(g, parser):
    """``parser``, or 0 when it waits in vain for an indent or dedent; or a code."""
    start = _candidates(g, parser)
    if start < 0:
        return start
    bits = parser + R_KEY + (g[parser] >> 8) + 2
    for t in range(g[H_N_TERMINALS]):
        if t == g[g[H_INDENT] + I_INDENT] or t == g[g[H_INDENT] + I_DEDENT] or _is_forbidden(g, t):
            continue
        if _in_set(g, bits, t):
            to = 1 if not _is_ignored(g, t) else _parse(g, parser, t, g[parser + R_KEY])
            if to != 0:
                return parser if to > 0 else to
    yes = _last_line_complete(g, parser)
    return parser if yes == 1 else yes


@jit
def _lines_complete(g, parser, terminal):
    """1 when the text may end with a lexeme of ``terminal`` after ``parser``, 0 when not, or a code."""
    margin = g[parser + R_KEY]
    newline = g[g[H_INDENT] + I_NEWLINE]
    if terminal == newline:
        # The line that it begins stays empty: its column does not count.
        to = _parse(g, parser, newline, margin) if g[margin + R_KEY] == 0 else parser
        return to if to <= 0 else _blocks_complete(g, to)
    if _is_ignored(g, terminal) and not _in_set(g, g[g[H_INDENT] + I_JOINING], terminal):
        yes = _last_line_complete(g, parser)
        if yes != 0:
            return yes
    to = _shift(g, parser, terminal)
    return to if to <= 0 else _last_line_complete(g, to)


@jit
def _last_line_complete(g, parser):
    """1 when the text may end after ``parser``, perhaps with a newline that is not written."""
    yes = _blocks_complete(g, parser)
    margin = g[parser + R_KEY]
    if yes != 0 or g[margin + R_KEY] != 0:
        return yes
    to = _parse(g, parser, g[g[H_INDENT] + I_NEWLINE], margin)
    return to if to <= 0 else _blocks_complete(g, to)


@jit
def _blocks_complete(g, parser):
    """1 when the text may end once all blocks are left, 0 when not, or a code."""
    margin = g[parser + R_KEY]
    columns = g[margin + R_KEY + 2]
    while g[columns + R_KEY + 1] != 0:
        parser = _parse(g, parser, g[g[H_INDENT] + I_DEDENT], margin)
        if parser <= 0:
            return parser
        columns = g[columns + R_KEY + 1]
    return _parser_complete(g, parser)


@jit
def _watch_step(g, watch, cls):
    """The watch after a byte: its lexer states that live on; REFUSED when one completes (a longer match)."""
    n = g[watch] >> 8
    tmp = g[X_TMP] + g[X_TMP_CAP] // 2
    k = 0
    for i in range(n):
        q = _lex_step(g, g[watch + R_KEY + i], cls)
        if q < 0:
            return q
        if q != 0:
            if _lex_won(g, q) != 0:
                return REFUSED
            k = _sorted_insert(g, tmp, k, q)
    if k == 0:
        return 0
    return _intern(g, tmp, k, K_WATCH, 0)


@jit
def _sorted_insert(g, base, k, v):
    j = k
    for i in range(k):
        if g[base + i] == v:
            return k
    while j > 0 and g[base + j - 1] > v:
        g[base + j] = g[base + j - 1]
        j -= 1
    g[base + j] = v
    return k + 1


@jit
def _advance_lexed(g, src, n, byte, dst):
    """As `_advance` for discipline ``longest``: heads are (lexer state, parser state, watch)."""
    cls = (g[g[H_LEX_CMAP] + (byte >> 3)] >> ((byte & 7) << 3)) & 0xFF
    count = 0
    for i in range(n):
        h = g[X_HEADS] + 3 * (src + i)
        q = g[h]
        parser = g[h + 1]
        watch = g[h + 2]
        if watch != 0:
            watch = _watch_step(g, watch, cls)
            if watch == REFUSED:
                continue
            if watch < 0:
                return watch
        q2 = _lex_step(g, q, cls)
        if q2 < 0:
            return q2
        won = _lex_won(g, q)
        if won != 0 and (q2 == 0 or _lex_won(g, q2) == 0):
            # The lexeme may end before this byte; if its scan goes on, it must not complete. Terminals that
            # win equally are different readings, each with candidates of its own.
            watch2 = watch
            if q2 != 0:
                tmp = g[X_TMP] + g[X_TMP_CAP] // 2
                k = 0
                if watch != 0:
                    for j in range(g[watch] >> 8):
                        g[tmp + k] = g[watch + R_KEY + j]
                        k += 1
                k = _sorted_insert(g, tmp, k, q2)
                watch2 = _intern(g, tmp, k, K_WATCH, 0)
                if watch2 < 0:
                    return watch2
            for j in range(g[won] >> 8):
                t = g[won + R_KEY + j]
                if _is_ignored(g, t):
                    after = _without_column(g, parser)
                    if after < 0:
                        return after
                    count = _begin_lexeme(g, dst, count, after, watch2, cls)
                    if count < 0:
                        return count
                after = _shift(g, parser, t)
                if after < 0:
                    return after
                if after > 0:
                    count = _begin_lexeme(g, dst, count, after, watch2, cls)
                    if count < 0:
                        return count
        if q2 != 0 and not _is_barred(g, q2):
            parser = _in_line(g, parser, q2, cls)
            if parser < 0:
                return parser
            count = _emit_exact(g, dst, count, q2, parser, watch)
            if count < 0:
                return count
    return count


@jit
def _begin_lexeme(g, dst, count, parser, watch, cls):
    """Emit the head that begins a lexeme after ``parser`` with a byte of class ``cls``, if one can."""
    start = _candidates(g, parser)
    if start < 0:
        return start
    q = _lex_step(g, start, cls)
    if q < 0:
        return q
    if q == 0 or _is_barred(g, q):
        return count
    parser = _in_line(g, parser, q, cls)
    if parser < 0:
        return parser
    return _emit_exact(g, dst, count, q, parser, watch)


@jit
def _advance_symbol(g, src, n, symbol, silent, dst):
    """As `_step` for a symbol that is no byte: a special token, or (``silent``) a mark between two bytes.

    A special token cuts whatever lexeme is read, so no scan threatens what was read before it. A mark leaves
    the text as it is: the scans go on, that of the lexeme that ends here included.
    """
    if g[H_MODE] == 0:
        return _advance(g, src, n, symbol, dst)
    count = 0
    for i in range(n):
        h = g[X_HEADS] + 3 * (src + i)
        q = g[h]
        parser = g[h + 1]
        watch = g[h + 2] if silent else 0
        if g[q + R_KEY] < 0:  # at a lexeme's start
            count = _emit_symbol(g, dst, count, parser, symbol, silent, watch)
            if count < 0:
                return count
            continue
        won = _lex_won(g, q)
        if won == 0:
            continue
        if silent:
            tmp = g[X_TMP] + g[X_TMP_CAP] // 2
            k = 0
            if watch != 0:
                for j in range(g[watch] >> 8):
                    g[tmp + k] = g[watch + R_KEY + j]
                    k += 1
            k = _sorted_insert(g, tmp, k, q)
            watch = _intern(g, tmp, k, K_WATCH, 0)
            if watch < 0:
                return watch
        for j in range(g[won] >> 8):
            t = g[won + R_KEY + j]
            if _is_ignored(g, t):
                after = _without_column(g, parser)
                if after < 0:
                    return after
                count = _emit_symbol(g, dst, count, after, symbol, silent, watch)
                if count < 0:
                    return count
            after = _shift(g, parser, t)
            if after < 0:
                return after
            if after > 0:
                count = _emit_symbol(g, dst, count, after, symbol, silent, watch)
                if count < 0:
                    return count
    return count


@jit
def _emit_symbol(g, dst, count, parser, symbol, silent, watch):
    """Emit the head at a lexeme's start after ``parser`` and ``symbol``, if that can be shifted."""
    after = _parse(g, parser, symbol, g[parser + R_KEY]) if silent else _shift(g, parser, symbol)
    if after < 0:
        return after
    if after == 0:
        return count
    start = _candidates(g, after)
    if start < 0:
        return start
    return _emit_exact(g, dst, count, start, after, watch)


@jit
def _emit_exact(g, base, count, a, b, c):
    """Head (a, b, c) into the list at ``base`` unless it is there, or can be known never to be finished."""
    for i in range(count):
        h = g[X_HEADS] + 3 * (base + i)
        if g[h] == a and g[h + 1] == b and g[h + 2] == c:
            return count
    if base + count + 1 >= g[X_HEADS_CAP] // 2:
        return GROW_SCRATCH
    if count >= g[H_MAX_HEADS]:
        return TOO_MANY_HEADS
    if g[H_ASK] > 1 or (g[H_ASK] == 1 and c != 0):
        tmp = g[X_TMP]
        g[tmp], g[tmp + 1], g[tmp + 2] = a, b, c
        at = _intern(g, tmp, 3, K_HEAD, 2)
        if at < 0:
            return at
        if g[at + R_KEY + 4] == 0:
            g[X_ASKED] = at
            return FIND_OUT
        if g[at + R_KEY + 4] == 2:
            return count
    h = g[X_HEADS] + 3 * (base + count)
    g[h], g[h + 1], g[h + 2] = a, b, c
    return count + 1


@jit
def intern_head(g, a, b, c):
    """The record of a head, or a code."""
    tmp = g[X_TMP]
    g[tmp], g[tmp + 1], g[tmp + 2] = a, b, c
    return _intern(g, tmp, 3, K_HEAD, 2)


@jit
def expand_head(g, a, b, c, byte):
    """Discipline ``longest``: the heads after ``byte`` from one head, left in scratch from place 1 on.

    A byte below zero is another symbol: -1 - byte is twice its number, and one more for a mark.
    """
    g[X_FRAMES_TOP] = 1
    g[X_NOTES_N] = 0
    h = g[X_HEADS]
    g[h], g[h + 1], g[h + 2] = a, b, c
    if byte >= 0:
        n = _advance_lexed(g, 0, 1, byte, 1)
    else:
        n = _advance_symbol(g, 0, 1, (-1 - byte) >> 1, (-1 - byte) & 1 != 0, 1)
    return BUILD_RULES if g[X_NOTES_N] > 0 else n


@jit
def expand_head_all(g, a, b, c, symbols, start, unthreatened, out):
    """As `expand_head` for ``symbols[start:]``, as long as ``out`` (int64[n, 3]) has room.

    Answers the number of heads in ``out``, each of them once, and leaves in X_WANT how many symbols were
    read. ``unthreatened``: a head without a watch is the last one, and no more is looked for.
    """
    n = 0
    for i in range(start, symbols.shape[0]):
        g[X_WANT] = i - start
        found = expand_head(g, a, b, c, symbols[i])
        if found < 0:
            return found
        if n + found > out.shape[0]:
            return n
        for j in range(found):
            h = g[X_HEADS] + 3 * (1 + j)
            known = False
            for k in range(n):
                if out[k, 0] == g[h] and out[k, 1] == g[h + 1] and out[k, 2] == g[h + 2]:
                    known = True
                    break
            if known:
                continue
            for k in range(3):
                out[n, k] = g[h + k]
            n += 1
            if unthreatened and g[h + 2] == 0:
                return n
    g[X_WANT] = symbols.shape[0] - start
    return n


@jit
def head_complete(g, a, b, c):
    """Discipline ``longest``: 1 when the text may end at this head, 0 when not, or a code."""
    g[X_FRAMES_TOP] = 1
    g[X_NOTES_N] = 0
    h = g[X_HEADS]
    g[h], g[h + 1], g[h + 2] = a, b, c
    yes = _complete_lexed(g, 0, 1)
    return BUILD_RULES if g[X_NOTES_N] > 0 else yes


@jit
def _parser_complete(g, parser):
    """1 when the text may end after ``parser``, 0 when not, or a code."""
    n = g[parser] >> 8
    known = g[parser + R_KEY + n + 1]
    if known != 0:
        return known - 1
    src = g[X_HEADS_CAP] // 2
    if src + n // 3 + 1 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    for i in range(n - 1):
        g[g[X_HEADS] + 3 * src + i] = g[parser + R_KEY + 1 + i]
    yes = _complete(g, src, n // 3)
    if yes >= 0:
        g[parser + R_KEY + n + 1] = yes + 1
    return yes


@jit
def _complete_lexed(g, src, n):
    for i in range(n):
        h = g[X_HEADS] + 3 * (src + i)
        q = g[h]
        parser = g[h + 1]
        if g[q + R_KEY] < 0:  # at a lexeme's start
            yes = _parser_complete(g, parser) if g[H_INDENT] == 0 else _last_line_complete(g, parser)
            if yes != 0:
                return yes
            continue
        won = _lex_won(g, q)
        if won == 0:
            continue
        for j in range(g[won] >> 8):
            t = g[won + R_KEY + j]
            if g[H_INDENT] != 0:
                yes = _lines_complete(g, parser, t)
                if yes != 0:
                    return yes
                continue
            if _is_ignored(g, t):
                yes = _parser_complete(g, parser)
                if yes != 0:
                    return yes
            after = _shift(g, parser, t)
            if after < 0:
                return after
            if after > 0:
                yes = _parser_complete(g, after)
                if yes != 0:
                    return yes
    return 0


@jit
def _step(g, src, n, byte, dst):
    if g[H_MODE] == 0:
        return _advance(g, src, n, byte, dst)
    return _advance_lexed(g, src, n, byte, dst)


# ------------------------------------------------------------------------------------------ matcher's states


@jit
def _load(g, state):
    """The heads of an interned matcher state into scratch at 0; their number."""
    g[X_FRAMES_TOP] = 1
    g[X_NOTES_N] = 0
    n = g[state] >> 8
    base = g[X_HEADS]
    if n + 3 >= 3 * g[X_HEADS_CAP]:
        return GROW_SCRATCH
    for i in range(n):
        g[base + i] = g[state + R_KEY + i]
    return n // 3


@jit
def _store(g, src, n):
    """The interned matcher state of heads ``src .. src+n-1``, or a code."""
    if g[X_NOTES_N] > 0:
        return BUILD_RULES
    code = _persist(g, src, n) if g[H_MODE] == 0 else _sort_heads(g, src, n)
    if code < 0:
        return code
    return _intern(g, g[X_HEADS] + 3 * src, 3 * n, K_STATE, STATE_VALUES)


@jit
def initial_state(g, init, param):
    """The matcher state before any byte. ``init``: initial rule state."""
    g[X_FRAMES_TOP] = 1
    g[X_NOTES_N] = 0
    h = g[X_HEADS]
    s = _resolve(g, init)
    if s == 0:
        return BUILD_RULES
    g[h], g[h + 1], g[h + 2] = s, param, 0
    if g[H_MODE] == 0:
        return _store(g, 0, 1)
    margin = _margin_before_text(g) if g[H_INDENT] != 0 else 0
    if margin < 0:
        return margin
    key = g[X_TMP]
    g[key], g[key + 1], g[key + 2], g[key + 3] = margin, s, param, 0
    parser = _intern(g, key, 4, K_PARSER, PARSER_VALUES + g[H_SYMBOL_WORDS])
    if parser < 0:
        return parser
    q = _candidates(g, parser)
    if q < 0:
        return q
    if g[H_INDENT] != 0:  # the text begins as if a line break had been read
        q = _lex_step(g, q, g[g[H_INDENT] + I_BREAK])
        if q < 0:
            return q
        parser = _in_line(g, parser, q, g[g[H_INDENT] + I_BREAK])
        if parser < 0:
            return parser
    g[h], g[h + 1], g[h + 2] = q, parser, 0
    return _store(g, 0, 1)


@jit
def _read(g, state, data, start, end):
    """Feed ``data[start:end]`` to a matcher state: (first head, number of heads or code)."""
    n = _load(g, state)
    src = 0
    if n < 0:
        return 0, n
    heads = g[X_HEADS]
    for i in range(start, end):
        dst = src + n
        k = _step(g, src, n, np.int64(data[i]), dst)
        if k <= 0:
            return 0, k
        src = dst
        n = k
        if src > g[X_HEADS_CAP] // 4:
            for j in range(3 * n):
                g[heads + j] = g[heads + 3 * src + j]
            src = 0
    return src, n


@jit
def accept_bytes(g, state, data, start, end):
    """The matcher state after ``data[start:end]``, REFUSED, or a code."""
    src, n = _read(g, state, data, start, end)
    if g[X_NOTES_N] > 0:
        return BUILD_RULES
    if n == 0:
        return REFUSED
    if n < 0:
        return n
    return _store(g, src, n)


@jit
def accept_symbol(g, state, symbol, silent):
    """The matcher state after a symbol that is no byte (see `_advance_symbol`), REFUSED, or a code."""
    n = _load(g, state)
    if n < 0:
        return n
    k = _advance_symbol(g, 0, n, symbol, silent, n)
    if g[X_NOTES_N] > 0:
        return BUILD_RULES
    if k <= 0:
        return REFUSED if k == 0 else k
    return _store(g, n, k)


@jit
def find_accept(g, state, token):
    """State after + 1 when the step was taken before, REFUSED when it was refused before, 0 when unknown.

    Only reads, so that it needs no lock.
    """
    h = U64(0x9E3779B97F4A7C15) ^ U64(K_ACCEPT)
    h = (h ^ U64(state)) * U64(0xFF51AFD7ED558CCD)
    h = h ^ (h >> U64(32))
    h = (h ^ U64(token)) * U64(0xFF51AFD7ED558CCD)
    h = h ^ (h >> U64(32))
    h = h * U64(0xC4CEB9FE1A85EC53)
    key = np.int64((h ^ (h >> U64(29))) >> U64(1))
    hash_table = g[H_HASH]
    table = hash_table >> HASH_SHIFT
    mask = (1 << (hash_table & HASH_SIZE)) - 1
    slot = key & mask
    tag = K_ACCEPT | (2 << 8)
    while True:
        at = g[table + slot]
        if at == 0:
            return 0
        if g[at + 1] == key and g[at] == tag and g[at + 2] == state and g[at + 3] == token:
            return g[at + 4]
        slot = (slot + 1) & mask


@jit
def accept_token(g, state, data, offsets, token):
    """`accept_bytes` of ``data[offsets[token] : offsets[token + 1]]``, remembered under (state, token)."""
    if offsets[token] == offsets[token + 1]:
        return NO_TEXT
    tmp = g[X_TMP]
    to = accept_bytes(g, state, data, offsets[token], offsets[token + 1])
    if to < REFUSED:
        return to
    g[tmp], g[tmp + 1] = state, token
    at = _intern(g, tmp, 2, K_ACCEPT, 1)
    if at < 0:
        return at
    g[at + 4] = to + 1 if to >= 0 else REFUSED
    return to


@jit
def is_accepting(g, state):
    """1 when the text may end at this matcher state, 0 when not, or a code."""
    at = state + R_KEY + (g[state] >> 8) + 1
    if g[at] != 0:
        return g[at] - 1
    n = _load(g, state)
    if n < 0:
        return n
    yes = _complete(g, 0, n) if g[H_MODE] == 0 else _complete_lexed(g, 0, n)
    if yes >= 0:
        g[at] = yes + 1
    return yes


@jit
def live_bytes(g, state, out):
    """Set ``out[b]`` (uint8[256]) for every byte that may come next; their number, or a code."""
    total = 0
    for b in range(256):
        n = _load(g, state)
        if n < 0:
            return n
        k = _step(g, 0, n, b, n)
        if g[X_NOTES_N] > 0:
            return BUILD_RULES
        if k < 0:
            return k
        out[b] = 1 if k > 0 else 0
        total += out[b]
    return total


# ---------------------------------------------------------------------------------------------------- masks


@jit
def _first_bytes(g, s, with_row, to):
    """Add to the set at ``to`` the bytes that a rule state reads by edges and calls, or also by its row."""
    e = s + STATE_WORDS
    for _ in range(g[s + S_EDGES]):
        for b in range(g[e] & 0xFFFF, min(g[e] >> 16, 255) + 1):
            g[to + (b >> 6)] |= 1 << (b & 63)
        e += EDGE_WORDS
    for _ in range(g[s + S_CALLS]):
        for w in range(4):
            g[to + w] |= g[g[e + C_FIRST] + w]
        e += CALL_WORDS
    if with_row and g[s + S_ROW] != 0:
        for b in range(256):
            if g[g[s + S_ROW] + ((g[g[s + S_CMAP] + (b >> 3)] >> ((b & 7) << 3)) & 0xFF)] != 0:
                g[to + (b >> 6)] |= 1 << (b & 63)


@jit
def _add_first(g, s, to):
    """Add to the set at ``to`` the bytes that rule state ``s`` reads; it remembers them. 0 or GROW_HEAP."""
    at = g[s + S_FLAGS] >> FIRST_SHIFT
    if at == 0:
        at = g[H_TOP]
        if at + 4 > g[H_LIMIT]:
            return GROW_HEAP
        for w in range(4):
            g[at + w] = 0
        _first_bytes(g, s, True, at)
        g[H_TOP] = at + 4
        g[s + S_FLAGS] |= at << FIRST_SHIFT
    for w in range(4):
        g[to + w] |= g[at + w]
    return 0


@jit
def _follow(g, s, stack):
    """Set X_FOLLOW to the bytes that may come when the pattern that state ``s`` is in, or enters, is left.

    Guards are not asked: there may be a byte too many. 0, or a code.
    """
    for w in range(4):
        g[X_FOLLOW + w] = 0
    wide = g[s + S_WIDE]
    queued = 0
    if wide != s and g[wide + S_FLAGS] & FINAL:
        # The pattern may be over before it has begun: then `s` goes on by its own ways.
        _first_bytes(g, s, False, X_FOLLOW)
    if wide != s and g[s + S_FOLLOW] != 0:
        for w in range(4):
            g[X_FOLLOW + w] |= g[g[s + S_FOLLOW] + w]
    elif wide != s and g[s + S_PUSH] != 0:
        queued = _enqueue(g, 0, g[s + S_PUSH], 0, stack)
    else:
        queued = _pop(g, 0, stack)
    if queued >= 0 and wide != s and g[s + S_FLAGS] & FINAL:
        queued = _pop(g, queued, stack)
    return queued if queued < 0 else _bytes_of(g, queued, X_FOLLOW)


@jit
def _bytes_of(g, queued, to):
    """Add to the set at ``to`` the bytes with which the heads in the work queue can go on. 0, or a code."""
    q = g[X_QUEUE]
    done = 0
    while done < queued:
        s = g[q + 3 * done]
        stack = g[q + 3 * done + 2]
        done += 1
        if g[s + S_FLAGS] & FORWARD:
            s = _resolve(g, s)
            if s == 0:
                return BUILD_RULES
        code = _add_first(g, s, to)
        if code < 0:
            return code
        if g[s + S_FLAGS] & FINAL:
            queued = _pop(g, queued, stack)
            if queued < 0:
                return queued
    return 0


@jit
def _key_hash(words, at):
    h = U64(0x9E3779B97F4A7C15)
    for i in range(KEY_WORDS):
        h = (h ^ U64(words[at + i])) * U64(0xFF51AFD7ED558CCD)
        h = h ^ (h >> U64(32))
    return np.int64((h * U64(0xC4CEB9FE1A85EC53)) >> U64(1))


@jit
def find_table(g, slots, info):
    """The vocabulary table with the key at X_KEY, or REFUSED."""
    mask = slots.shape[0] - 1
    slot = _key_hash(g, X_KEY) & mask
    while slots[slot] != 0:
        at = (slots[slot] - 1) * V_WORDS + V_KEY
        same = True
        for i in range(KEY_WORDS):
            if info[at + i] != g[X_KEY + i]:
                same = False
                break
        if same:
            return slots[slot] - 1
        slot = (slot + 1) & mask
    return REFUSED


@jit
def enter_table(slots, info, table):
    """Make a vocabulary table one that `find_table` finds."""
    mask = slots.shape[0] - 1
    slot = _key_hash(info, table * V_WORDS + V_KEY) & mask
    while slots[slot] != 0:
        slot = (slot + 1) & mask
    slots[slot] = table + 1


@jit
def _table_of(g, slots, info, node, s, stack):
    """The vocabulary table for a head at a node of the trie; REFUSED where a walk will do; or a code.

    A state of wide text gets its tables at once, others when they are met
    again: a walk of theirs costs no more than the making of a table.
    """
    code = _follow(g, s, stack)
    if code < 0:
        return code
    wide = g[s + S_WIDE]
    source = g[wide + S_SOURCE]
    g[X_KEY] = node
    g[X_KEY + 1] = g[source + A_DIGEST]
    g[X_KEY + 2] = g[source + A_DIGEST + 1]
    g[X_KEY + 3] = (wide - g[source + A_FIRST]) // g[source + A_STRIDE]
    t = find_table(g, slots, info)
    if t >= 0:
        return t
    if not g[wide + S_FLAGS] & WIDE:
        tmp = g[X_TMP]
        g[tmp] = node
        g[tmp + 1] = wide
        for w in range(4):
            g[tmp + 2 + w] = g[X_FOLLOW + w]
        visit = _intern(g, tmp, 6, K_VISIT, 1)
        if visit < 0:
            return visit
        if g[visit + R_KEY + 6] == 0:
            g[visit + R_KEY + 6] = 1
            return REFUSED
    g[X_WANT] = wide
    return BUILD_TABLE


@jit
def _take_stays(g, tables, info, ids, t, s, r, out):
    """Set the tokens that stay in the pattern of table ``t``, as far as a count has room for them."""
    at = t * V_WORDS
    info[V_USED] += 1
    info[at + V_USED] = info[V_USED]
    counts = info[at + V_COUNTS]
    left = counts - 1
    if counts > 1:
        wide = g[s + S_WIDE]
        op = g[wide + S_COUNT_OP]
        if op != 0 and g[op + 1] >= 0:
            begun = r if wide == s else 0
            left = min(left, g[op + 1] - begun)
            if left < 0:
                return
    rows = info[at + V_ROWS]
    first = info[at + V_IDS]
    if rows > 0:
        # The last row has them all; those before it have the tokens of at most so many characters.
        row = info[at + V_ROW] + rows - 1
        if left < counts - 1:
            row = info[at + V_ROW] + min(left, rows - 2)
        for w in range(out.shape[0]):
            out[w] |= tables[row, w]
        if rows - 2 < 0 or left >= counts - 1 or left <= rows - 2:
            return
    for k in range(first + counts, first + counts + ids[first + left]):
        token = np.int64(ids[k])
        out[token >> 5] |= np.int32(1) << np.int32(token & 31)


@jit
def _nest(g, nested, at, i, end, base, depth, src, n):
    """What a walk has still to do: go on at node ``i`` of the trie at ``at``, up to node ``end``.

    base : depth of the trie's root; depth : where the heads of a depth are noted, to note heads
    ``src .. src+n-1`` there first, or 0. Of a table's trie, the first bytes in X_ONLY.
    """
    f = g[X_NEST] + NEST_WORDS * nested
    g[f], g[f + 1], g[f + 2], g[f + 3], g[f + 4], g[f + 5], g[f + 6] = at, i, end, base, depth, src, n
    for w in range(4):
        g[f + 7 + w] = g[X_ONLY + w]
    g[f + 11] = 0


@jit
def _nest_children(g, tries, nested, i, end, base, src, n):
    """As `_nest`: visit those children of node ``i``, of many, that heads ``src .. src+n-1`` can go on with.

    The children lie far apart; their list (see `table_pool.with_children`) does not. 0 or a code.
    """
    f = g[X_NEST] + NEST_WORDS * nested
    kids = np.int64(tries[4 * np.int64(tries[2]) + i])
    g[f], g[f + 1], g[f + 2], g[f + 3] = -1, np.int64(tries[4 * i + 2]), end, base
    g[f + 4], g[f + 5] = kids + 1, kids + 1 + 2 * np.int64(tries[kids])
    g[f + 6], g[f + 7], g[f + 8], g[f + 9] = 0, 0, 0, 0
    queued = 0
    for k in range(n):
        h = g[X_HEADS] + 3 * (src + k)
        queued = _enqueue(g, queued, g[h], g[h + 1], g[h + 2])
        if queued < 0:
            return queued
    return _bytes_of(g, queued, f + 6)


@jit
def _walked_alone(g, info, t, s, stack):
    """Set X_ONLY to the first bytes of those tokens that are walked from state ``s`` one by one.

    They are those that the table cannot treat by their endings, and those that an overlay reads by itself.
    1, or 0 when there are none; or a code.
    """
    for w in range(4):
        g[X_OWN + w] = info[t * V_WORDS + V_ALONE + w]
    if g[s + S_WIDE] != s:
        _first_bytes(g, s, False, X_OWN)
        if g[s + S_FLAGS] & FINAL:
            queued = _pop(g, 0, stack)
            code = queued if queued < 0 else _bytes_of(g, queued, X_OWN)
            if code < 0:
                return code
    some = 0
    for w in range(4):
        g[X_ONLY + w] = g[X_OWN + w]
        if g[X_OWN + w] != 0:
            some = 1
    return some


@jit
def _nest_lists(g, info, nested, t, s, r):
    """Of the part of a walk at ``nested``: its tokens are lists, in which a pattern's count decides, too."""
    f = g[X_NEST] + NEST_WORDS * nested
    wide = g[s + S_WIDE]
    begun = r if wide == s else 0
    g[f + 11], g[f + 12], g[f + 13] = info[t * V_WORDS + V_LISTS], 0, 1 << 40
    op = g[wide + S_COUNT_OP]
    if op != 0:
        if g[op + 1] >= 0:
            g[f + 13] = g[op + 1] - begun
        enough = g[g[g[wide + S_SOURCE] + A_FIRST] + S_FINAL_OP]
        if enough != 0:
            g[f + 12] = g[enough + 1] - begun


@jit
def _leave_pattern(g, src):
    """Behind head ``src``, in a pattern or entering one, the heads after it. Their number, or a code."""
    h = g[X_HEADS] + 3 * src
    s = g[h]
    if g[s + S_WIDE] == s:
        n = _pop(g, 0, g[h + 2])
    else:
        r = g[h + 1]
        if g[s + S_ROW_OP] != 0:
            r = _apply(g, g[s + S_ROW_OP], r)
            if r < 0:
                return 0 if r == REFUSED else r
        n = _enqueue(g, 0, g[s + S_PUSH], r, g[h + 2])
    if n < 0:
        return n
    if src + n + 2 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    for k in range(3 * n):
        g[h + 3 + k] = g[g[X_QUEUE] + k]
    return n


@jit
def _add_list(g, ids, at, low, high, at_once, out):
    """Set the tokens of the list at ``ids[at]`` that begin ``low .. high`` characters, but those of X_ONLY.

    at_once : 0 to leave out those that leave the pattern with their first byte
    """
    for k in range(at + 1, at + 1 + 2 * np.int64(ids[at]), 2):
        said = np.int64(ids[k + 1])
        byte = said & 0xFF
        if (
            low <= said >> LIST_COUNT <= high
            and not (g[X_ONLY + (byte >> 6)] >> (byte & 63)) & 1
            and (at_once or not said & LIST_AT_ONCE)
        ):
            token = np.int64(ids[k])
            out[token >> 5] |= np.int32(1) << np.int32(token & 31)


@jit
def _use_tables(g, tries, slots, tables, info, ids, i, d, end, base, nested, out):
    """Let vocabulary tables stand in for node ``i`` of the vocabulary's trie and the heads noted at ``d``.

    The number of pending parts of the walk, which has to go on with the last of them; REFUSED when no head
    has a table; or a code.
    """
    src = g[d]
    n = g[d + 1]
    rest = n
    found = 0
    j = 0
    while j < rest:
        h = g[X_HEADS] + 3 * (src + j)
        s = g[h]
        t = REFUSED
        if g[s + S_WIDE] != 0 and (
            g[s + S_WIDE] == s or g[s + S_ROW_OP] == 0 or _apply(g, g[s + S_ROW_OP], g[h + 1]) >= 0
        ):
            t = _table_of(g, slots, info, i, s, g[h + 2])
            if t < REFUSED:
                return t
        if t < 0:
            j += 1
            continue
        _take_stays(g, tables, info, ids, t, s, g[h + 1], out)
        rest -= 1
        last = g[X_HEADS] + 3 * (src + rest)
        g[h], g[last] = g[last], g[h]
        g[h + 1], g[last + 1] = g[last + 1], g[h + 1]
        g[h + 2], g[last + 2] = g[last + 2], g[h + 2]
        leave = info[t * V_WORDS + V_LEAVE]
        if leave != 0:
            if nested + found + 2 >= g[X_NEST_CAP]:
                return GROW_SCRATCH
            inside = base + np.int64(tries[4 * i + 1])
            endings = info[t * V_WORDS + V_ENDINGS]
            if endings != 0 and g[s + S_WIDE] != s and g[s + S_PUSH] == 0:
                endings = 0  # the ends of the pattern lead on by themselves
            some = endings == 0
            for w in range(4):
                g[X_ONLY + w] = -1
            if endings != 0:
                code = _walked_alone(g, info, t, s, g[last + 2])
                if code < 0:
                    return code
                some = code == 1
                found += 1
                _nest(g, nested + found, endings, 1, np.int64(tries[endings + 2]), inside, d, src + rest, 1)
                _nest_lists(g, info, nested + found, t, s, g[last + 1])
            if some:
                found += 1
                _nest(g, nested + found, leave, 1, np.int64(tries[leave + 2]), inside, d, src + rest, 1)
    if rest == n:
        return REFUSED
    # A walk writes over the heads behind its own, so the last go first; they were found first.
    for k in range(found // 2):
        a = g[X_NEST] + NEST_WORDS * (nested + 1 + k)
        b = g[X_NEST] + NEST_WORDS * (nested + found - k)
        for w in range(NEST_WORDS):
            g[a + w], g[b + w] = g[b + w], g[a + w]
    after = np.int64(tries[4 * i + 2])
    _nest(g, nested, 0, after if rest == 0 else i + 1, end, base, d, src, rest)
    return nested + 1 + found


@jit
def _walk(g, tries, slots, tables, info, ids, out, most):
    """Set in ``out`` (int32[words]) every token that the head in scratch place 0 takes. 0, or a code.

    Where a head in a pattern meets a large part of the trie, a vocabulary table stands in for that part: the
    tokens that stay in the pattern are set, and the walk goes on in the table's trie of the tokens that leave
    (which is made by `tabulate.table_tokens`). BUILD_TABLE also when more than ``most`` nodes are visited.
    """
    depth = g[X_DEPTH]
    g[depth], g[depth + 1], g[depth + 2] = 0, 1, g[X_FRAMES_TOP]
    bytewise = g[H_MODE] == 0
    nest = g[X_NEST]
    nested = 0
    at = 0
    base = 0
    i = 0
    lists = 0
    low = 0
    high = 0
    at_once = 0
    end = np.int64(tries[2])
    while True:
        if i >= end:
            if nested == 0:
                return 0
            nested -= 1
            f = nest + NEST_WORDS * nested
            if g[f] < 0:
                kid = g[f + 4]
                last = g[f + 5]
                while kid < last and not (g[f + 6 + (tries[kid] >> 6)] >> (tries[kid] & 63)) & 1:
                    kid += 2
                if kid < last:
                    i = np.int64(tries[kid + 1])
                    end = np.int64(tries[4 * i + 2])
                    g[f + 4] = kid + 2
                    nested += 1
                else:
                    i, end = g[f + 1], g[f + 2]
                continue
            at, i, end, base = g[f], g[f + 1], g[f + 2], g[f + 3]
            for w in range(4):
                g[X_ONLY + w] = g[f + 7 + w]
            lists = g[f + 11]
            if g[f + 4] != 0:
                g[g[f + 4]], g[g[f + 4] + 1] = g[f + 5], g[f + 6]
                if lists != 0:
                    low, high = g[f + 12], g[f + 13]
                    s = g[g[X_HEADS] + 3 * g[f + 5]]
                    at_once = 1 if g[s + S_WIDE] == s else 0
                    n = _leave_pattern(g, g[f + 5])
                    if n < 0:
                        return n
                    if tries[at + 3] >= 0:  # they end with the pattern
                        _add_list(g, ids, lists + np.int64(tries[at + 3]), low, high, at_once, out)
                    if n == 0:
                        i = end
                    g[g[f + 4]], g[g[f + 4] + 1] = g[f + 5] + 1, n
            continue
        node = at + 4 * i
        d = depth + 3 * (base + np.int64(tries[node + 1]))
        after = np.int64(tries[node + 2])
        if i > 0:
            most -= 1
            if most < 0:
                return BUILD_TABLE
            g[X_FRAMES_TOP] = g[d - 1]
            src = g[d - 3]
            n = g[d - 2]
            byte = np.int64(tries[node])
            if (
                at != 0
                and tries[node + 1] == 1
                and lists == 0
                and not (g[X_ONLY + (byte >> 6)] >> (byte & 63)) & 1
            ):
                i = after
                continue
            k = _step(g, src, n, byte, src + n)
            if k <= 0:
                if k < 0:
                    return k
                i = after
                continue
            g[d], g[d + 1], g[d + 2] = src + n, k, g[X_FRAMES_TOP]
            token = np.int64(tries[node + 3])
            if token < -1:
                # A node of a table's trie that stands for one of the vocabulary's, with all below it.
                if nested >= g[X_NEST_CAP]:
                    return GROW_SCRATCH
                _nest(g, nested, at, after, end, base, 0, 0, 0)
                nested += 1
                base += np.int64(tries[node + 1])
                at = 0
                i = -2 - token
                node = 4 * i
                base -= np.int64(tries[node + 1])
                after = np.int64(tries[node + 2])
                end = after
                token = np.int64(tries[node + 3])
            if token >= 0:
                if lists == 0:
                    out[token >> 5] |= np.int32(1) << np.int32(token & 31)
                else:
                    _add_list(g, ids, lists + token, low, high, at_once, out)
        if bytewise and at == 0 and after - i > LARGE:
            n = _use_tables(g, tries, slots, tables, info, ids, i, d, end, base, nested, out)
            if n < REFUSED:
                return n
            if n >= 0:
                nested = n
                i = end
                continue
            if tries[4 * np.int64(tries[2]) + i] != 0:
                if nested + 1 >= g[X_NEST_CAP]:
                    return GROW_SCRATCH
                code = _nest_children(g, tries, nested, i, end, base, g[d], g[d + 1])
                if code < 0:
                    return code
                nested += 1
                i = end
                continue
        i += 1


@jit
def head_mask(g, tries, slots, tables, info, groups, ids, signatures, work, a, b, c, out):
    """Fill ``out`` with the mask of one head, stop tokens apart. 0 or a code.

    slots, tables, info, groups, ids : see `table_pool`; signatures : int64[*], see `sequences`
    work : int64[*], scratch of `_split`
    """
    g[X_NOTES_N] = 0
    g[X_FRAMES_TOP] = 1
    h = g[X_HEADS]
    g[h], g[h + 1], g[h + 2] = a, b, c
    most = 1 << 60
    for i in range(out.shape[0]):
        out[i] = 0
    if g[H_MODE] == 1 and c == 0 and g[H_ASK] != 2:
        t = g[a + R_KEY + (g[a] >> 8) + 2]
        if t == 0:
            # Few nodes: walk them. Many: the lexer state gets its groups.
            most = g[H_NARROW]
            g[X_WANT] = a
        if t > 0:
            at = (t - 1) * V_WORDS
            info[V_USED] += 1
            info[at + V_USED] = info[V_USED]
            if info[at + V_STAYS] != 0:
                for i in range(out.shape[0]):
                    out[i] = tables[info[at + V_ROW], i]
            ended = _lex_won(g, a)
            for part in range(V_OWN, V_AT_ONCE + 1):
                if info[at + part] != 0:
                    code = _add_groups(
                        g, b, ended, groups, ids, info[at + part], info[V_GENERATION], signatures, work, out
                    )
                    if code < 0:
                        return code
            return BUILD_RULES if g[X_NOTES_N] > 0 else 0
    code = _walk(g, tries, slots, tables, info, ids, out, most)
    if code < 0:
        return code
    if g[X_NOTES_N] > 0:
        return BUILD_RULES
    return 0


# -------------------------------------------------------------------------------------------- token groups
#
# What a parser state makes of a list of groups depends, up to the next cut, on its candidates alone: they
# say which tokens are taken whatever the stack holds, and which terminals the others go on with. So a list
# is *split* once for each set of candidates: into the tokens taken, and for each terminal that wins somewhere
# the list of what follows it. Lists are interned, and few parts differ between candidates.
#
# Nor does it matter what lies deep in the stack, until a reading gets there. A parser state's *top* has of
# its stack what can be left without reading anything, and the frames below which that is not so; what lies
# under those is cut off. What a top takes of a list is found once, with what is *left over*: lists that
# follow terminals after which a reading may leave the top. They are asked of the parser state itself. So a
# mask costs some shifts of it, however many terminals the tokens hold.


@jit
def _add_groups(g, parser, ended, groups, ids, at, generation, signatures, work, out):
    """Set the tokens of the groups at ``groups[at]`` that ``parser`` takes. 0 or a code.

    groups : n runs | (n terminals, terminals, n effects, effects, n groups | (signature, first id, number of
        ids) * n) * n. The terminals are those that the first lexeme may be, or where there are none those at
        ``ended`` (a record); the effects those of the bytes that end the lexeme on the column of its line.
    """
    runs = groups[at]
    at += 1
    stack = g[X_HEADS]
    for _ in range(runs):
        n = groups[at]
        effects = at + 1 + n
        many = effects + 1 + groups[effects]
        before = parser
        if groups[effects] > 0 and g[g[parser + R_KEY] + R_KEY] <= 0:
            column = g[g[parser + R_KEY] + R_KEY + 1]
            for j in range(effects + 1, many):
                column = column_after(column, groups[j], g[g[H_INDENT] + I_TAB])
            before = _at_column(g, parser, column)
            if before < 0:
                return before
        key = g[X_TMP]
        g[key], g[key + 1] = generation, many
        listed = _intern(g, key, 2, K_GROUPS, 0)
        if listed < 0:
            return listed
        top = 0
        for j in range(n if n > 0 else g[ended] >> 8):
            t = groups[at + 1 + j] if n > 0 else g[ended + R_KEY + j]
            if _is_ignored(g, t):
                after = _without_column(g, parser)
                if after < 0:
                    return after
                g[stack + 2 * top], g[stack + 2 * top + 1] = listed, after
                top += 1
            after = _shift(g, before, t)
            if after < 0:
                return after
            if after > 0:
                g[stack + 2 * top], g[stack + 2 * top + 1] = listed, after
                top += 1
        code = _add_lists(g, top, groups, ids, generation, signatures, work, out)
        if code < 0:
            return code
        at = many + 1 + 3 * groups[many]
    return 0


@jit
def _add_lists(g, top, groups, ids, generation, signatures, work, out):
    """Set the tokens that are taken, of the ``top`` (list of groups, parser state) pairs in scratch."""
    stack = g[X_HEADS]
    room = stack + 3 * (g[X_HEADS_CAP] // 2) - 8
    half = (out.shape[0] + 1) // 2
    while top > 0:
        top -= 1
        parser = g[stack + 2 * top + 1]
        taking = _taking(g, g[stack + 2 * top], parser)
        if taking < 0:
            return taking
        if g[taking + R_KEY + 2] == 0:
            code = _take(g, taking, top, groups, ids, generation, signatures, work, half)
            if code < 0:
                return code
        at = g[taking + R_KEY + 2]
        _add_tokens(g, at, out)
        left = g[at]
        at += 2 + (half if g[at + 1] < 0 else g[at + 1])
        for _ in range(left):
            steps, listed = g[at], g[at + 1]
            at += 2
            after = parser
            for i in range(at, at + 2 * steps, 2):
                after = _before_line(g, after, g[i], g[i + 1])
                if after > 0:
                    after = _shift(g, after, g[i])
                if after <= 0:
                    break
            at += 2 * steps
            if after < 0:
                return after
            if after > 0:
                if stack + 2 * top >= room:
                    return GROW_SCRATCH
                g[stack + 2 * top], g[stack + 2 * top + 1] = listed, after
                top += 1
    return 0


@jit
def _before_line(g, parser, t, column):
    """The parser state where terminal ``t`` ends, which begins a line at ``column`` if it is the newline.

    0 where no such line can come, as far as that is seen quickly; or a code.
    """
    if g[H_INDENT] == 0 or t != g[g[H_INDENT] + I_NEWLINE] or g[g[parser + R_KEY] + R_KEY] > 0:
        return parser
    if column != NO_COLUMN:
        columns = g[g[parser + R_KEY] + R_KEY + 2]
        if column >> COLUMN_SHIFT > g[columns + R_KEY] >> COLUMN_SHIFT:
            yes = _block_may_open(g, parser)
            if yes <= 0:
                return yes
        else:
            while columns != 0 and g[columns + R_KEY] != column:
                columns = g[columns + R_KEY + 1]
            if columns == 0:
                return 0
    return _at_column(g, parser, column)


@jit
def _block_may_open(g, parser):
    """1 when an indent may follow a newline after ``parser``, 0 when not, or a code."""
    key = g[X_TMP]
    g[key] = parser
    g[key + 1] = g[g[H_INDENT] + I_INDENT]  # no text is one, so nothing else is remembered here
    at = _intern(g, key, 2, K_SHIFT, 1)
    if at < 0:
        return at
    if g[at + R_KEY + 2] == 0:
        margin = g[parser + R_KEY]
        to = parser
        if g[margin + R_KEY] != BEFORE_TEXT:
            to = _parse(g, parser, g[g[H_INDENT] + I_NEWLINE], margin)
        if to > 0:
            to = _parse(g, to, g[g[H_INDENT] + I_INDENT], margin)
        if to < 0:
            return to
        g[at + R_KEY + 2] = 1 + min(to, 1)
    return g[at + R_KEY + 2] - 1


@jit
def _add_tokens(g, at, out):
    """Set the tokens that a top takes, at ``g[at]``."""
    n = g[at + 1]
    at += 2
    if n < 0:
        for i in range(out.shape[0] // 2):
            both = g[at + i]
            out[2 * i] |= np.int32(both & 0xFFFFFFFF)
            out[2 * i + 1] |= np.int32(both >> 32)
        if out.shape[0] & 1:
            out[out.shape[0] - 1] |= np.int32(g[at + out.shape[0] // 2] & 0xFFFFFFFF)
    else:
        for i in range(at, at + n):
            t = g[i]
            out[t >> 5] |= np.int32(1) << np.int32(t & 31)


@jit
def _cut_off(g):
    """The stack that stands for whatever lies under a top, or a code."""
    key = g[X_TMP]
    g[key], g[key + 1], g[key + 2] = 0, CUT, 0
    return _intern(g, key, 3, K_FRAME, FRAME_VALUES)


@jit
def _top_of_stack(g, stack):
    """The part of an interned stack that belongs to a top, or a code."""
    if stack == 0:
        return 0
    cut = _cut_off(g)
    if cut < 0:
        return cut
    q = g[X_QUEUE]
    g[q] = stack
    n = 1
    while n > 0:
        at = g[q + n - 1]
        size = g[at] >> 8
        if g[at + R_KEY + size] != 0:
            n -= 1
            continue
        missing = False
        for i in range(at + R_KEY, at + R_KEY + size, 3):
            below = g[i + 2]
            if below != 0 and g[below + R_KEY + (g[below] >> 8)] == 0 and _may_end(g, g[i], g[i + 1]):
                if n + 1 >= 3 * g[X_QUEUE_CAP]:
                    return GROW_SCRATCH
                g[q + n] = below
                n += 1
                missing = True
        if missing:
            continue
        tmp = g[X_TMP]
        if size + 3 > g[X_TMP_CAP]:
            return GROW_SCRATCH
        k = 0
        for i in range(at + R_KEY, at + R_KEY + size, 3):
            a, b, c = g[i], g[i + 1], g[i + 2]
            if a != 0 and not _may_end(g, a, b):
                c = cut
            elif c != 0:
                c = g[c + R_KEY + (g[c] >> 8)]
            # As in `_persist_stack`; entries that differed below may be one now.
            j = k
            while j > 0:
                p = tmp + 3 * (j - 1)
                if (g[p], g[p + 1], g[p + 2]) <= (a, b, c):
                    break
                j -= 1
            p = tmp + 3 * j
            if j == 0 or (g[p - 3], g[p - 2], g[p - 1]) != (a, b, c):
                for w in range(3 * k - 1, 3 * j - 1, -1):
                    g[tmp + w + 3] = g[tmp + w]
                g[p], g[p + 1], g[p + 2] = a, b, c
                k += 1
        to = _intern(g, tmp, 3 * k, K_FRAME, FRAME_VALUES)
        if to < 0:
            return to
        g[at + R_KEY + size] = to
        n -= 1
    return g[stack + R_KEY + (g[stack] >> 8)]


@jit
def _may_end(g, s, r):
    """A rule may end in state ``s`` with parameter ``r``."""
    if s == 0 or not g[s + S_FLAGS] & FINAL:
        return False
    return g[s + S_FINAL_OP] == 0 or _apply(g, g[s + S_FINAL_OP], r) >= 0


@jit
def _top(g, parser):
    """The top of a parser state, another one, or a code. Of its margin it has whether brackets are open."""
    n = g[parser] >> 8
    value = parser + R_KEY + n + 2 + g[H_SYMBOL_WORDS]
    if g[value] != 0:
        return g[value]
    for i in range(3, n, 3):
        code = _top_of_stack(g, g[parser + R_KEY + i])
        if code < 0:
            return code
    margin = g[parser + R_KEY]
    if g[H_INDENT] != 0:
        columns = _columns(g, 0, 0)
        if columns < 0:
            return columns
        margin = _margin(g, min(g[margin + R_KEY], 1), g[margin + R_KEY + 1], columns)
        if margin < 0:
            return margin
    key = g[X_TMP]
    if n >= g[X_TMP_CAP]:
        return GROW_SCRATCH
    g[key] = margin
    for i in range(1, n):
        g[key + i] = g[parser + R_KEY + i]
    for i in range(3, n, 3):
        below = g[key + i]
        if below != 0:
            g[key + i] = g[below + R_KEY + (g[below] >> 8)]
    to = _intern(g, key, n, K_PARSER, PARSER_VALUES + g[H_SYMBOL_WORDS])
    if to > 0:
        g[value] = to
    return to


@jit
def _leaves_top(g, parser):
    """1 when a reading of ``parser`` may go on in what was cut off, 0 when none may, or a code."""
    n = g[parser] >> 8
    value = parser + R_KEY + n + 3 + g[H_SYMBOL_WORDS]
    if g[value] != 0:
        return g[value] - 1
    q = g[X_QUEUE]
    queued = 0
    for i in range(1, n, 3):
        e = parser + R_KEY + i
        queued = _enqueue(g, queued, g[e], g[e + 1], g[e + 2])
        if queued < 0:
            return queued
    yes = 0
    done = 0
    while done < queued and yes == 0:
        s, r, stack = g[q + 3 * done], g[q + 3 * done + 1], g[q + 3 * done + 2]
        done += 1
        if stack != 0 and _may_end(g, s, r):
            for i in range(stack + R_KEY, stack + R_KEY + (g[stack] >> 8), 3):
                if g[i] == 0 and g[i + 1] == CUT:
                    yes = 1
            queued = _pop(g, queued, stack)
            if queued < 0:
                return queued
    g[value] = 1 + yes
    return yes


@jit
def _taking(g, listed, parser):
    """The record of what the top of ``parser`` takes of a list of groups, or a code."""
    top = _top(g, parser)
    if top < 0:
        return top
    key = g[X_TMP]
    g[key], g[key + 1] = listed, top
    return _intern(g, key, 2, K_TAKEN, 1)


@jit
def _step_in_top(g, parser, t, way):
    """The parser state after terminal ``t``, as far as a top knows; 0 none; LEFT_OVER; or a code.

    way : 0 when the terminal is ignored, 1 when it is shifted
    """
    if way == 0:
        return parser if _is_ignored(g, t) else 0
    if g[H_INDENT] != 0:
        depth = g[g[parser + R_KEY] + R_KEY]
        if t == g[g[H_INDENT] + I_NEWLINE]:
            if depth <= 0:
                return LEFT_OVER  # what it brings along may leave any number of blocks
        elif depth == 1 and _in_set(g, g[g[H_INDENT] + I_CLOSING], t):
            return LEFT_OVER  # whether that was the last bracket, the top does not know
    after = _shift(g, parser, t)
    if after <= 0:
        return after
    leaves = _leaves_top(g, after)
    return after if leaves == 0 else LEFT_OVER if leaves > 0 else leaves


@jit
def _take(g, taking, pairs, groups, ids, generation, signatures, work, half):
    """Find out what a top takes of a list of groups; ``pairs`` of scratch are in use. 0 or a code.

    taken : n left over, n tokens, the tokens as in `_split`, then for each that is left over: n steps, list
        of groups, (terminal, column of the line that begins in it) * n
    """
    todo = g[X_HEADS] + 2 * pairs
    room = g[X_HEADS] + 3 * (g[X_HEADS_CAP] // 2) - 8
    g[todo] = taking
    n = 1
    while n > 0:
        if todo + n >= room:
            return GROW_SCRATCH
        made = g[todo + n - 1]
        if g[made + R_KEY + 2] != 0:
            n -= 1
            continue
        split = _split_for(
            g, g[made + R_KEY], g[made + R_KEY + 1], groups, ids, generation, signatures, work, half
        )
        if split < 0:
            return split
        if g[split] == 0:  # most lists go on with nothing
            g[made + R_KEY + 2] = split
            n -= 1
            continue
        missing = _follow_split(g, split, g[made + R_KEY + 1], work, half)
        if missing < 0:
            return missing
        if missing == 0:
            at = _write_taken(g, split, work, half)
            if at < 0:
                return at
            g[made + R_KEY + 2] = at
            n -= 1
        elif missing != made:
            g[todo + n] = missing
            n += 1
    return 0


@jit
def _follow_split(g, split, top, work, half):
    """Follow what a split of ``top`` goes on with, as far as the top knows.

    Answers 0, a record not yet made, or a code. In ``work`` are then, in quarters, each after its number of
    words: steps (step before, terminal, column); what is to be followed; what is left over (last step, list
    of groups); the places of tokens that are taken.
    """
    quarter = work.shape[0] // 4
    steps, items, left, taken = 0, quarter, 2 * quarter, 3 * quarter
    if quarter < 64:
        return GROW_WORK
    work[steps], work[items], work[left], work[taken] = 1, 0, 0, 0
    at = split + 2 + (half if g[split + 1] < 0 else g[split + 1])
    for child in range(at, at + 3 * g[split], 3):
        for way in range(2):
            code = _follow_step(g, top, g[child], g[child + 1], way, 0, g[child + 2], work)
            if code != 0:
                return code
    while work[items] > 0:
        work[items] -= 3
        item = items + 1 + work[items]
        parser, made, before = work[item], work[item + 1], work[item + 2]
        at = g[made + R_KEY + 2]
        if work[taken] + 2 >= quarter:
            return GROW_WORK
        work[taken] += 1
        work[taken + work[taken]] = at
        more = g[at]
        at += 2 + (half if g[at + 1] < 0 else g[at + 1])
        for _ in range(more):
            n, listed = g[at], g[at + 1]
            at += 2
            after, last = parser, before
            for i in range(at, at + 2 * n, 2):
                if i == at + 2 * n - 2:
                    code = _follow_step(g, after, g[i], g[i + 1], 1, last, listed, work)
                    if code != 0:
                        return code
                    break
                to = _step_in_top(g, after, g[i], 1) if after != LEFT_OVER else LEFT_OVER
                if to == 0:
                    break
                if to < 0 and to != LEFT_OVER:
                    return to
                after = to
                last = _new_step(g, last, g[i], g[i + 1], work)
                if last < 0:
                    return last
            at += 2 * n
    return 0


@jit
def _new_step(g, before, t, column, work):
    """The place of a step in ``work``, or a code."""
    at = work[0]
    if at + 4 >= work.shape[0] // 4:
        return GROW_WORK
    work[at], work[at + 1], work[at + 2] = before, t, column
    work[0] = at + 3
    return at


@jit
def _follow_step(g, parser, t, column, way, before, listed, work):
    """Note what comes of ``listed`` after one step more: 0, a record that is not yet made, or a code."""
    quarter = work.shape[0] // 4
    to = LEFT_OVER if parser == LEFT_OVER else _step_in_top(g, parser, t, way)
    if to == 0 or (to < 0 and to != LEFT_OVER):
        return to
    last = before if way == 0 else _new_step(g, before, t, column, work)
    if last < 0:
        return last
    if to == LEFT_OVER:
        at = 2 * quarter
        if work[at] + 4 >= quarter:
            return GROW_WORK
        work[at + 1 + work[at]], work[at + 2 + work[at]] = last, listed
        work[at] += 2
        return 0
    made = _taking(g, listed, to)
    if made < 0 or g[made + R_KEY + 2] == 0:
        return made
    at = quarter
    if work[at] + 5 >= quarter:
        return GROW_WORK
    item = at + 1 + work[at]
    work[item], work[item + 1], work[item + 2] = to, made, last
    work[at] += 3
    return 0


@jit
def _write_taken(g, split, work, half):
    """Write what `_follow_split` has found; where it lies, or a code."""
    left, places = 2 * (work.shape[0] // 4), 3 * (work.shape[0] // 4)
    taken = g[split + 1]
    for i in range(places + 1, places + 1 + work[places]):
        n = g[work[i] + 1]
        taken = -1 if n < 0 or taken < 0 else taken + n
    if taken > half:
        taken = -1
    size = 2 + (half if taken < 0 else taken)
    for i in range(left + 1, left + 1 + work[left], 2):
        size += 2
        step = work[i]
        while step != 0:
            size += 2
            step = work[step]
    made = g[H_TOP] + R_KEY
    if made + size > g[H_LIMIT]:
        return GROW_HEAP
    g[made], g[made + 1] = work[left] // 2, taken
    to = made + 2
    if taken < 0:
        for i in range(to, to + half):
            g[i] = 0
    to = _copy_tokens(g, split, to, taken < 0, half)
    for i in range(places + 1, places + 1 + work[places]):
        to = _copy_tokens(g, work[i], to, taken < 0, half)
    if taken < 0:
        to += half
    for i in range(left + 1, left + 1 + work[left], 2):
        n = 0
        step = work[i]
        while step != 0:
            n += 1
            step = work[step]
        g[to], g[to + 1] = n, work[i + 1]
        to += 2 + 2 * n
        step = work[i]
        at = to
        while step != 0:
            at -= 2
            g[at], g[at + 1] = work[step + 1], work[step + 2]
            step = work[step]
    return _intern_at_top(g, size, K_WORDS)


@jit
def _copy_tokens(g, at, to, row, half):
    """Copy the tokens at ``g[at]`` to ``g[to]``, a ``row`` of ``half`` words or a list; where more may go."""
    if g[at + 1] < 0:
        for i in range(half):
            g[to + i] |= g[at + 2 + i]
        return to
    for i in range(at + 2, at + 2 + g[at + 1]):
        t = g[i]
        if row:
            g[to + (t >> 6)] |= np.int64(1) << (t & 63)
        else:
            g[to] = t
            to += 1
    return to


@jit
def _split_for(g, listed, parser, groups, ids, generation, signatures, work, half):
    """The place of the split of a list of groups for the candidates of ``parser``, or a code."""
    start = _candidates(g, parser)
    if start < 0:
        return start
    key = g[X_TMP]
    g[key], g[key + 1] = listed, start
    split = _intern(g, key, 2, K_SPLIT, 1)
    if split < 0:
        return split
    at = g[split + R_KEY + 2]
    if at == 0:
        n = g[listed] >> 8
        if n == 2:  # not made by another split, but a table's
            place = g[listed + R_KEY + 1]
            at = _split(g, groups, place + 1, groups[place], parser, ids, generation, signatures, work, half)
        else:
            place = listed + R_KEY + 1
            at = _split(g, g, place, n // 3, parser, ids, generation, signatures, work, half)
        if at >= 0:
            g[split + R_KEY + 2] = at
    return at


@jit
def _lowest_bit(bits):
    """Number of the lowest bit set in a word that is not zero."""
    n = 0
    if bits & 0xFFFFFFFF == 0:
        n += 32
        bits >>= 32
    if bits & 0xFFFF == 0:
        n += 16
        bits >>= 16
    if bits & 0xFF == 0:
        n += 8
        bits >>= 8
    while bits & 1 == 0:
        n += 1
        bits >>= 1
    return n


@jit
def _split(g, source, at, n, parser, ids, generation, signatures, work, half):
    """Split the ``n`` groups at ``source[at]`` by the candidates of ``parser``; its place, or a code.

    split : n children, n tokens | tokens, or for -1 a mask row in ``half`` words, two of its own in each |
        (terminal, column of the line that begins in it, list of groups) * n
    A child's groups are those whose next lexeme is its terminal, with the signatures of what follows. The
    highest priority that is still open or whole wins; in it, a terminal still open will do: the token ends
    in it; else the longest match, a literal before a pattern.
    """
    words = g[H_SYMBOL_WORDS]
    newline = -1 if g[H_INDENT] == 0 else g[g[H_INDENT] + I_NEWLINE]
    stride = 1 + words if newline < 0 else 2 + words
    candidates = parser + R_KEY + (g[parser] >> 8) + 2
    # In ``work``: the last child of each terminal, then children (W_*), their groups and the groups taken,
    # each in the order of ``source`` and with the place of the next one.
    top = g[H_N_TERMINALS]
    if top + W_CHILD > work.shape[0]:
        return GROW_WORK
    for t in range(top):
        work[t] = 0
    first_child, last_child, children = 0, 0, 0
    first_taken, last_taken, taken = 0, 0, 0
    for i in range(at, at + 3 * n, 3):
        signature = source[i]
        if signature == 0:
            continue
        takes = signature == 1
        cuts = 0 if takes else signatures[signature]
        decided = takes
        level = 0
        while not decided and level < g[H_LEX_LEVELS]:
            mask = g[H_LEX_LEVEL_SETS] + level * words
            level += 1
            for w in range(words):
                still_open = signatures[signature + 1 + w] & g[candidates + w] & g[mask + w]
                if still_open & ~g[g[H_LEX_FORBIDDEN] + w]:
                    takes = True
                if still_open:  # if forbidden, it outruns what matched before, and it is whole
                    decided = True
            cut = signature + 1 + words
            for _ in range(0 if decided else cuts):
                literal = False
                for w in range(words):
                    bits = signatures[cut + 1 + w] & g[candidates + w] & g[mask + w]
                    if bits:
                        decided = True
                        if bits & g[g[H_LEX_LITERALS] + w]:
                            literal = True
                if decided:
                    for w in range(0 if signatures[cut] == 0 else words):
                        bits = signatures[cut + 1 + w] & g[candidates + w] & g[mask + w]
                        if literal:
                            bits &= g[g[H_LEX_LITERALS] + w]
                        while bits:
                            t = 64 * w + _lowest_bit(bits)
                            bits &= bits - 1
                            column = signatures[cut + 1 + words] if t == newline else 0
                            child = work[t]
                            while child != 0 and work[child + W_COLUMN] != column:
                                child = work[child + W_SAME]
                            if top + W_CHILD + W_GROUP > work.shape[0]:
                                return GROW_WORK
                            if child == 0:
                                child = top
                                top += W_CHILD
                                work[child], work[child + W_COLUMN] = t, column
                                work[child + W_SAME] = work[t]
                                work[child + W_FIRST], work[child + W_GROUPS] = 0, 0
                                work[child + W_NEXT] = 0
                                work[t] = child
                                if last_child == 0:
                                    first_child = child
                                else:
                                    work[last_child + W_NEXT] = child
                                last_child = child
                                children += 1
                            work[top], work[top + 1] = 0, signatures[cut]
                            work[top + 2], work[top + 3] = source[i + 1], source[i + 2]
                            if work[child + W_GROUPS] == 0:
                                work[child + W_FIRST] = top
                            else:
                                work[work[child + W_LAST]] = top
                            work[child + W_LAST] = top
                            work[child + W_GROUPS] += 1
                            top += W_GROUP
                    break
                cut += stride
        if takes:
            if top + W_GROUP > work.shape[0]:
                return GROW_WORK
            work[top], work[top + 1], work[top + 2] = 0, source[i + 1], source[i + 2]
            if last_taken == 0:
                first_taken = top
            else:
                work[last_taken] = top
            last_taken = top
            taken += source[i + 2]
            top += W_GROUP
    child = first_child
    while child != 0:
        made = _intern_list(g, child, generation, work)
        if made < 0:
            return made
        work[child + W_LIST] = made
        child = work[child + W_NEXT]
    row = taken > half
    size = 2 + 3 * children + (half if row else taken)
    made = g[H_TOP] + R_KEY
    if made + size > g[H_LIMIT]:
        return GROW_HEAP
    g[made], g[made + 1] = children, -1 if row else taken
    to = made + 2
    if row:
        for i in range(to, to + half):
            g[i] = 0
    group = first_taken
    while group != 0:
        for k in range(work[group + 1], work[group + 1] + work[group + 2]):
            t = np.int64(ids[k])
            if row:
                g[to + (t >> 6)] |= np.int64(1) << (t & 63)
            else:
                g[to] = t
                to += 1
        group = work[group]
    if row:
        to += half
    child = first_child
    while child != 0:
        g[to], g[to + 1], g[to + 2] = work[child], work[child + W_COLUMN], work[child + W_LIST]
        to += 3
        child = work[child + W_NEXT]
    return _intern_at_top(g, size, K_WORDS)


@jit
def _intern_list(g, child, generation, work):
    """The record of the groups of a child in ``work``, or a code."""
    n = 1 + 3 * work[child + W_GROUPS]
    at = g[H_TOP] + R_KEY
    if at + n > g[H_LIMIT]:
        return GROW_HEAP
    g[at] = generation
    at += 1
    group = work[child + W_FIRST]
    while group != 0:
        g[at], g[at + 1], g[at + 2] = work[group + 1], work[group + 2], work[group + 3]
        at += 3
        group = work[group]
    made = _intern_at_top(g, n, K_GROUPS)
    return made if made < 0 else made - R_KEY


@jit
def _intern_at_top(g, n, kind):
    """Intern ``n`` words that are written where a new record has its key; where they lie, or a code."""
    top = g[H_TOP]
    made = _intern(g, top + R_KEY, n, kind, 0)
    if made != top:  # they lie elsewhere already, and what is not in use is zero
        for i in range(top + R_KEY, top + R_KEY + n):
            g[i] = 0
    return made if made < 0 else made + R_KEY


@jit
def fill(g, rows, state, out, index):
    """Copy the memoised mask of ``state`` into ``out[index]``.

    0 when there is none yet, 1 when it is done, 2 when it is done and every token is allowed. Only reads.
    """
    at = state + R_KEY + (g[state] >> 8)
    row = g[at]
    if row == 0 or row > rows.shape[0]:  # a row made by another thread since the caller took ``rows``
        return 0
    words = rows.shape[1]
    for i in range(words):
        out[index, i] = rows[row - 1, i]
    for i in range(words, out.shape[1]):
        out[index, i] = 0
    return 1 + g[at + 2]


@jit
def fill_rows(g, rows, states, indices, out):
    """`fill` for many states at once: ``states[i]`` into ``out[indices[i]]``. Masks not yet made are counted.

    states, indices : int64[n]; those without a mask are moved to the front of both.
    """
    missing = 0
    for i in range(states.shape[0]):
        if fill(g, rows, states[i], out, indices[i]) == 0:
            states[missing] = states[i]
            indices[missing] = indices[i]
            missing += 1
    return missing


@jit
def _intern_row(g, rows, row):
    """The number of a mask row that is as ``rows[row]``, the first one not in use; or a code.

    Most masks are like one that was made before, and a row that is used again costs no new memory.
    """
    h = U64(0)
    for i in range(rows.shape[1]):
        h += U64(rows[row, i] & 0xFFFFFFFF) * U64((i * 0x9E3779B1 & 0xFFFFFFFF) | 1)
    key = g[X_TMP]
    g[key] = np.int64(h >> U64(1))
    at = _intern(g, key, 1, K_ROW, 1)
    if at < 0:
        return at
    known = g[at + R_KEY + 1] - 1
    if known >= 0:
        other = 0
        for i in range(rows.shape[1]):
            other |= rows[known, i] ^ rows[row, i]
        if other == 0:
            return known
    else:
        g[at + R_KEY + 1] = row + 1
    g[H_ROWS] = row + 1
    return row


@jit
def make_mask(
    g,
    tries,
    slots,
    tables,
    info,
    groups,
    ids,
    signatures,
    work,
    rows,
    state,
    stops,
    everything,
    aliases,
    specials,
):
    """Make the mask of ``state`` in ``rows`` and note it; 0, or a code. Of a state below zero, nothing.

    stops, everything : int32[words], the stop tokens, all ids
    aliases : int32[n, 2], (token walked, token with the same bytes)
    specials : int64[n, 2], (special token, symbol)
    """
    if state < 0:
        return 0
    n = g[state] >> 8
    if g[state + R_KEY + n] != 0:  # made by another thread, and perhaps being read: its place stays
        return 0
    yes = is_accepting(g, state)
    if yes < 0:
        return yes
    words = rows.shape[1]
    tmp = g[X_TMP]
    if g[H_ROWS] + n // 3 + 1 > rows.shape[0]:
        g[X_WANT] = n // 3 + 1
        return GROW_ROWS
    if n > 3:
        # Several heads: each has a mask of its own, which other states share.
        for i in range(0, n, 3):
            for j in range(3):
                g[tmp + j] = g[state + R_KEY + i + j]
            at = _intern(g, tmp, 3, K_HEAD, 2)
            if at < 0:
                return at
            if g[at + 5] == 0:
                row = g[H_ROWS]
                code = head_mask(
                    g,
                    tries,
                    slots,
                    tables,
                    info,
                    groups,
                    ids,
                    signatures,
                    work,
                    g[at + 2],
                    g[at + 3],
                    g[at + 4],
                    rows[row],
                )
                if code < 0:
                    return code
                row = _intern_row(g, rows, row)
                if row < 0:
                    return row
                g[at + 5] = row + 1
    row = g[H_ROWS]
    if n == 3:
        at = state + R_KEY
        code = head_mask(
            g,
            tries,
            slots,
            tables,
            info,
            groups,
            ids,
            signatures,
            work,
            g[at],
            g[at + 1],
            g[at + 2],
            rows[row],
        )
        if code < 0:
            return code
    else:
        for w in range(words):
            rows[row, w] = 0
        for i in range(0, n, 3):
            for j in range(3):
                g[tmp + j] = g[state + R_KEY + i + j]
            at = _intern(g, tmp, 3, K_HEAD, 2)
            for w in range(words):
                rows[row, w] |= rows[g[at + 5] - 1, w]
    for i in range(aliases.shape[0]):
        t = np.int64(aliases[i, 0])
        if (rows[row, t >> 5] >> (t & 31)) & 1:
            u = np.int64(aliases[i, 1])
            rows[row, u >> 5] |= np.int32(1) << np.int32(u & 31)
    for i in range(specials.shape[0]):
        to = accept_symbol(g, state, specials[i, 1], False)
        if to < REFUSED:
            return to
        if to != REFUSED:
            t = specials[i, 0]
            rows[row, t >> 5] |= np.int32(1) << np.int32(t & 31)
    if yes:
        for w in range(words):
            rows[row, w] |= stops[w]
    full = 1
    for w in range(words):
        if rows[row, w] != everything[w]:
            full = 0
            break
    row = _intern_row(g, rows, row)
    if row < 0:
        return row
    g[state + R_KEY + n + 2] = full
    g[state + R_KEY + n] = row + 1
    return 0


# ------------------------------------------------------------------------------------------ vocabulary tables


@jit
def leaving_tokens(g, nodes, q, stay, won, at_node, dead):
    """Discipline ``longest``: how each token reads from lexer state ``q``.

    nodes : int32[n, 4]; per token id: stay : int16, 0 when the lexeme is still read at its end, else -1;
    won : int64, the terminals (record) that its lexeme is if it leaves it, else 0; at_node : int32, the node
    where it leaves. dead : uint8[256], bytes that end the lexeme at once; tokens that begin with one are left
    out.
    Answers 0 or a code.
    """
    depth = g[X_DEPTH]
    end = np.int64(nodes[0, 2])
    g[depth], g[depth + 1], g[depth + 2] = q, _lex_won(g, q), 0
    i = 1
    while i < end:
        d = depth + 3 * np.int64(nodes[i, 1])
        b = np.int64(nodes[i, 0])
        to = _lex_step(g, g[d - 3], (g[g[H_LEX_CMAP] + (b >> 3)] >> ((b & 7) << 3)) & 0xFF)
        if to < 0:
            return to
        if to == 0:
            after = np.int64(nodes[i, 2])
            if nodes[i, 1] == 1:
                dead[b] = 1
            elif g[d - 2] != 0:
                for j in range(i, after):
                    t = np.int64(nodes[j, 3])
                    if t >= 0:
                        won[t] = g[d - 2]
                        at_node[t] = g[d - 1]
            i = after
            continue
        if _is_barred(g, to):
            i = np.int64(nodes[i, 2])
            continue
        g[d] = to
        if _lex_won(g, to) != 0:
            g[d + 1], g[d + 2] = _lex_won(g, to), i
        else:
            g[d + 1], g[d + 2] = g[d - 2], g[d - 1]
        t = np.int64(nodes[i, 3])
        if t >= 0:
            stay[t] = 0
        i += 1
    return 0
