"""What is known of a state of a pattern, by kinds of bytes: which texts stay in the pattern, and how far.

It is asked again and again while a table is made, so answers are kept for the pattern looked at last.
"""

from __future__ import annotations

from ...jit import jit
from ..layout import *

ASCII = (1 << N_ASCII) - 1
EVERY = (1 << N_KINDS) - 1
LARGE_KINDS = 0b11111  # digits and letters
ENDLESS = 64  # bytes; no token is looked at that is longer, or it is taken apart

CACHED = 4096  # states of a pattern of which something is remembered
CACHE_WORDS = 4  # its tag; kinds that lead to itself, or -1; those of `_search`, or -1, and how far they stay
MOST_REACHED = 256  # states that a search looks at
MOST_LEADS = 12  # states that one of them leads to, or it counts for an end
MOST_SEARCHES = 3  # for a table
MANY_KINDS = 36  # where a search has so many, what it finds serves the states on the way as well
MOST_TARGETS, MOST_STEPS = 8, 1 << 10  # of characters beyond ASCII from one state; bytes read to find them

# Places in ``cache``: the kinds of bytes; two words that name the pattern, searches left, its number; states;
# then scratch: the states of a search, how far texts stay from them, where they lead (three lists).
C_PATTERN, C_SEARCHES, C_NUMBER, C_STATES = 256, 258, 259, 260
C_REACHED = C_STATES + CACHED * CACHE_WORDS
C_FAR = C_REACHED + MOST_REACHED
C_NEXT = C_FAR + MOST_REACHED
C_LEADS = C_NEXT + MOST_REACHED * MOST_LEADS
C_BEYOND = C_LEADS + 2 * MOST_LEADS
CACHE_SIZE = C_BEYOND + 2 * MOST_LEADS


@jit
def step_pattern(g, s, b):
    """The state of a pattern after a byte, or 0."""
    if s == 0 or g[s + S_ROW] == 0:
        return 0
    return g[g[s + S_ROW] + ((g[g[s + S_CMAP] + (b >> 3)] >> ((b & 7) << 3)) & 0xFF)]


@jit
def _character_targets(g, s, kind, to, cache):
    """The states to which characters of a kind beyond ASCII lead from state ``s`` of a pattern, at ``g[to]``.

    Their number; 0 where a character is dead, or where that takes long to tell.
    """
    found = 0
    steps = MOST_STEPS
    last, last_left = 0, 0
    for b in range(0xC2, 0xF5):
        if cache[b] != kind:
            continue
        x = step_pattern(g, s, b)
        left = 1 if b < 0xE0 else 2 if b < 0xF0 else 3  # bytes that follow; the first of them:
        low = 0xA0 if b == 0xE0 else 0x90 if b == 0xF0 else 0x80
        high = 0x9F if b == 0xED else 0x8F if b == 0xF4 else 0xBF
        if x == last and low == 0x80 and high == 0xBF and left == last_left:
            continue
        last = x
        last_left = left
        last_y = -1
        for c in range(low, high + 1):
            y = step_pattern(g, x, c)
            if y == last_y:
                continue
            last_y = y
            last_z = -1
            for e in range(0x80, 0xC0 if left > 1 else 0x81):
                z = step_pattern(g, y, e) if left > 1 else y
                if z == last_z:
                    continue
                last_z = z
                last_end = -1
                for f in range(0x80, 0xC0 if left > 2 else 0x81):
                    end = step_pattern(g, z, f) if left > 2 else z
                    if end == last_end:
                        continue
                    last_end = end
                    known = False
                    for k in range(found):
                        if g[to + k] == end:
                            known = True
                    if not known:
                        if end == 0 or g[end + S_ROW] == 0 or found == MOST_TARGETS:
                            return 0
                        g[to + found] = end
                        found += 1
                steps -= 64 if left > 2 else 1
            steps -= 64 if left > 1 else 1
            if steps < 0:
                return 0
    return found


@jit
def _note_lead(cache, leads, n, to, kind):
    """Note that ``kind`` leads to state ``to``; how many states there are then, or -1."""
    for k in range(n):
        if cache[leads + 2 * k] == to:
            cache[leads + 2 * k + 1] |= 1 << kind
            return n
    if n == MOST_LEADS:
        return -1
    cache[leads + 2 * n] = to
    cache[leads + 2 * n + 1] = 1 << kind
    return n + 1


@jit
def _leads(g, s, kinds, leads, cache):
    """The states that bytes of ``kinds`` lead to from state ``s``, each with its kinds, at ``cache[leads]``.

    Their number, -1 for many; and the kinds of which some byte leads to where nothing follows. (Where it is
    one of letters, kinds beyond ASCII are not looked at, and count as well.)
    """
    n = 0
    dead = 0
    last, last_kind = 0, -1
    for b in range(128):
        kind = cache[b]
        if not kinds >> kind & 1:
            continue
        to = step_pattern(g, s, b)
        if to == 0 or g[to + S_ROW] == 0:
            dead |= 1 << kind
        elif to != last or kind != last_kind:
            last, last_kind = to, kind
            n = _note_lead(cache, leads, n, to, kind)
            if n < 0:
                return n, dead
    if dead & LARGE_KINDS:
        return n, dead | kinds & ~ASCII
    to_of = g[X_TMP]
    for kind in range(N_ASCII, N_KINDS):
        if kinds >> kind & 1:
            many = _character_targets(g, s, kind, to_of, cache)
            if many == 0:
                dead |= 1 << kind
            for k in range(many):
                n = _note_lead(cache, leads, n, g[to_of + k], kind)
                if n < 0:
                    return n, dead
    return n, dead


@jit
def _known(g, s, cache):
    """Where ``cache`` holds what is known of state ``s``. States are 16 words or more apart."""
    far = s - g[g[s + S_SOURCE] + A_FIRST]
    at = C_STATES + CACHE_WORDS * ((far >> 4) & (CACHED - 1))
    tag = cache[C_NUMBER] << 40 | (far + 1)
    if cache[at] != tag:
        cache[at], cache[at + 1], cache[at + 2], cache[at + 3] = tag, -1, -1, 0
    return at


@jit
def kinds_to_itself(g, s, cache):
    """Kinds of bytes, all of which lead from state ``s`` of a pattern to ``s`` again."""
    at = _known(g, s, cache)
    if cache[at + 1] < 0:
        n, dead = _leads(g, s, EVERY, C_LEADS, cache)
        kinds = 0
        others = dead
        for k in range(n):
            if cache[C_LEADS + 2 * k] == s:
                kinds = cache[C_LEADS + 2 * k + 1]
            else:
                others |= cache[C_LEADS + 2 * k + 1]
        cache[at + 1] = kinds & ~others
    return cache[at + 1]


@jit
def reach(g, s, cache):
    """Where ``cache`` holds some kinds of bytes (at 2), and how many of them a text may have (at 3) that
    stays in the pattern from state ``s``, whatever it is; of states that nobody has searched from, -1 kinds.
    """
    at = _known(g, s, cache)
    if cache[at + 2] < 0 and cache[C_SEARCHES] > 0:
        cache[C_SEARCHES] -= 1
        _search(g, s, cache)
    return at


@jit
def _search(g, s, cache):
    """Find out how far texts stay in the pattern from state ``s``, and from those on the way.

    A kind of which few texts go on (a backslash, behind which an escape has to come) is left out, and so is
    one that comes to an end somewhere. But where letters end (a name that is not allowed, the last of a
    number of characters), that is an end of the way for all.
    """
    n, dead = _leads(g, s, EVERY, C_LEADS, cache)
    kinds = EVERY & ~dead if n >= 0 else 0
    cache[C_REACHED] = s
    seen, done = 1, 0
    while done < seen:
        x = cache[C_REACHED + done]
        n, dead = _leads(g, x, kinds, C_LEADS, cache)
        if n < 0 or dead & LARGE_KINDS:
            cache[C_FAR + done] = 0
            done += 1
            continue
        cache[C_FAR + done] = ENDLESS
        kinds &= ~dead
        ending = 0
        for k in range(n):
            to = cache[C_LEADS + 2 * k]
            if _place_in(to, seen, cache) == seen:
                many, dead = _leads(g, to, kinds, C_BEYOND, cache)
                if many < 0 or dead & LARGE_KINDS:
                    ending |= cache[C_LEADS + 2 * k + 1]
        if 4 * _size(ending & kinds) <= _size(kinds):
            kinds &= ~(ending & ~LARGE_KINDS)
        for k in range(n):
            to = cache[C_LEADS + 2 * k]
            if cache[C_LEADS + 2 * k + 1] & kinds and _place_in(to, seen, cache) == seen < MOST_REACHED:
                cache[C_REACHED + seen] = to
                seen += 1
        done += 1
    _measure(g, kinds, seen, cache)
    for k in range(seen if _size(kinds) >= MANY_KINDS else 1):
        at = _known(g, cache[C_REACHED + k], cache)
        if k == 0 or cache[at + 2] < 0:
            cache[at + 2], cache[at + 3] = kinds, cache[C_FAR + k]


@jit
def _measure(g, kinds, seen, cache):
    """Find how far texts of ``kinds`` stay from each state of a search: not beyond the nearest end."""
    for k in range(seen):
        begin = C_NEXT + MOST_LEADS * k
        n = 0
        if cache[C_FAR + k] != 0:
            n, dead = _leads(g, cache[C_REACHED + k], kinds, C_LEADS, cache)
            if n < 0 or dead:
                cache[C_FAR + k] = n = 0
        for j in range(n):
            cache[begin + j] = _place_in(cache[C_LEADS + 2 * j], seen, cache)
        for j in range(n, MOST_LEADS):
            cache[begin + j] = -1
    for _ in range(ENDLESS):
        changed = False
        for k in range(seen - 1, -1, -1):
            for j in range(C_NEXT + MOST_LEADS * k, C_NEXT + MOST_LEADS * (k + 1)):
                to = cache[j]
                if to < 0:
                    break
                far = 1 + (cache[C_FAR + to] if to < seen else 0)
                if far < cache[C_FAR + k]:
                    cache[C_FAR + k] = far
                    changed = True
        if not changed:
            break


@jit
def _place_in(s, seen, cache):
    """The number of state ``s`` among those of a search; ``seen`` if it is none of them."""
    for k in range(seen):
        if cache[C_REACHED + k] == s:
            return k
    return seen


@jit
def _size(bits):
    n = 0
    while bits:
        bits &= bits - 1
        n += 1
    return n
