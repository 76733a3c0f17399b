"""What is known of a state of a pattern, by kinds of bytes: which of them stay in it, and how far.

It is asked again and again while a table is made, so answers are kept for the pattern looked at last.
"""

from __future__ import annotations

from ...jit import jit
from ..layout import *

ASCII = (1 << N_ASCII) - 1
BEYOND = (1 << N_KINDS) - 1 - ASCII
CACHED = 4096  # states of a pattern of which it is remembered where they lead
CACHE_WORDS = 5
C_PATTERN, C_SEARCHES, C_NUMBER, C_STATES = 256, 258, 259, 260  # behind the kinds of bytes
CACHE_SIZE = C_STATES + CACHED * CACHE_WORDS
MOST_RUN, ENDLESS = 32, 1 << 30  # bytes; how far it is looked where texts of some kinds lead
MOST_CLOSED, MOST_SEARCHES = 256, 2  # states looked at by `_close`, and how often for a table
MOST_TARGETS, MOST_STEPS = 8, 1 << 10  # of characters beyond ASCII from one state; bytes read to find them
TARGETS = N_KINDS + (N_KINDS - N_ASCII) * MOST_TARGETS  # words of `_targets`


@jit
def step_pattern(g, s, b):
    """The state of a pattern after a byte, or 0."""
    if s == 0 or g[s + S_ROW] == 0:
        return 0
    return g[g[s + S_ROW] + ((g[g[s + S_CMAP] + (b >> 3)] >> ((b & 7) << 3)) & 0xFF)]


@jit
def _character_targets(g, s, kind, to, cache):
    """The states to which characters of a kind beyond ASCII lead from state ``s`` of a pattern, at ``to``.

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
def _targets(g, s, to_of, asked, cache):
    """Per kind, at ``to_of``: where its bytes lead from state ``s``; 0 when one is dead, -1: to several.

    asked : which kinds beyond ASCII to look at, 0 for the others; their targets are behind those of kinds
    """
    for kind in range(N_ASCII):
        g[to_of + kind] = -2
    for b in range(128):
        kind = to_of + cache[b]
        to = step_pattern(g, s, b)
        if g[kind] == -2:
            g[kind] = to
        elif to == 0 or g[kind] == 0:
            g[kind] = 0
        elif g[kind] != to:
            g[kind] = -1
    for kind in range(N_ASCII, N_KINDS):
        g[to_of + kind] = 0
        if asked >> kind & 1:
            to = to_of + N_KINDS + (kind - N_ASCII) * MOST_TARGETS
            n = _character_targets(g, s, kind, to, cache)
            for k in range(n, MOST_TARGETS):
                g[to + k] = 0
            g[to_of + kind] = g[to] if n == 1 else -min(n, 1)


@jit
def _place(g, s, cache):
    """Where ``cache`` has room for state ``s`` of the pattern: states are 16 words or more apart."""
    far = s - g[g[s + S_SOURCE] + A_FIRST]
    return C_STATES + CACHE_WORDS * ((far >> 4) & (CACHED - 1))


@jit
def _tag(g, s, cache):
    """What stands in ``cache`` for state ``s``: how far it lies from the pattern's first, and the pattern."""
    return cache[C_NUMBER] << 40 | (s - g[g[s + S_SOURCE] + A_FIRST] + 1)


@jit
def _known(g, s, cache):
    """Where ``cache`` holds what is known of state ``s`` of the pattern.

    Its tag; kinds of ASCII bytes that all lead to one state; that; closed kinds (`_close`), or -1; the bytes
    that a text of the former kinds may have (`run_of_kinds`), or -1.
    """
    at = _place(g, s, cache)
    if cache[at] != _tag(g, s, cache):
        _targets(g, s, g[X_TMP], 0, cache)
        _note(g, s, g[X_TMP], cache)
    return at


@jit
def _note(g, s, to_of, cache):
    """Let ``cache`` hold state ``s``, whose `_targets` are at ``to_of``, unless it does."""
    at = _place(g, s, cache)
    tag = _tag(g, s, cache)
    if cache[at] == tag:
        return
    to = 0
    for kind in range(N_ASCII - 1, -1, -1):  # the large kinds come first
        if g[to_of + kind] > 0:
            to = g[to_of + kind]
    bits = 0
    for kind in range(N_ASCII):
        if to > 0 and g[to_of + kind] == to:
            bits |= 1 << kind
    cache[at] = tag
    cache[at + 1] = bits
    cache[at + 2] = to - s  # places in another heap differ
    cache[at + 3] = -1
    cache[at + 4] = -1


@jit
def _admit(g, to, kind, todo, seen, room, closed, cache):
    """Let the texts of ``closed`` kinds lead to state ``to``, or leave ``kind`` out: (closed, seen) then."""
    for k in range(seen):
        if g[todo + k] == to:
            return closed, seen
    if seen < room:
        to_of = g[X_TMP] + TARGETS
        _targets(g, to, to_of, closed, cache)
        alive = closed & _alive(g, to_of)
        if 4 * _size(alive) >= 3 * _size(closed):
            g[todo + seen] = to
            return alive, seen + 1
    return closed & ~(1 << kind), seen


@jit
def _close(g, s, cache):
    """Find the closed kinds of state ``s``: no text of theirs leaves the pattern. They serve all on the way.

    A kind that leads to where most others are dead (a backslash) is left out, rather than the others.
    """
    to_of = g[X_TMP]
    todo = to_of + 2 * TARGETS  # the states on the way
    room = min(MOST_CLOSED, g[X_TMP] + g[X_TMP_CAP] - todo)
    cache[C_SEARCHES] -= 1
    _targets(g, s, to_of, BEYOND, cache)
    closed = _alive(g, to_of)
    g[todo] = s
    seen, done = 1, 0
    while done < seen:
        x = g[todo + done]
        done += 1
        _targets(g, x, to_of, closed, cache)
        _note(g, x, to_of, cache)
        for kind in range(N_KINDS):
            if not closed >> kind & 1:
                continue
            to = g[to_of + kind]
            if to != -1:
                closed, seen = _admit(g, to, kind, todo, seen, room, closed, cache)
            elif kind >= N_ASCII:
                for k in range(MOST_TARGETS):
                    to = g[to_of + N_KINDS + (kind - N_ASCII) * MOST_TARGETS + k]
                    if to != 0 and closed >> kind & 1:
                        closed, seen = _admit(g, to, kind, todo, seen, room, closed, cache)
            else:
                last = 0
                for b in range(128):
                    if cache[b] == kind and closed >> kind & 1:
                        to = step_pattern(g, x, b)
                        if to != last:
                            closed, seen = _admit(g, to, kind, todo, seen, room, closed, cache)
                        last = to
    for k in range(seen):
        at = _place(g, g[todo + k], cache)
        if cache[at] == _tag(g, g[todo + k], cache) and cache[at + 3] < 0:
            cache[at + 3] = closed
    cache[_known(g, s, cache) + 3] = closed


@jit
def _alive(g, to_of):
    """Kinds all of whose bytes lead on, of the targets at ``to_of``."""
    bits = 0
    for kind in range(N_KINDS):
        to = g[to_of + kind]
        if to == -1 or (to != 0 and g[to + S_ROW] != 0):
            bits |= 1 << kind
    return bits


@jit
def _size(bits):
    n = 0
    while bits:
        bits &= bits - 1
        n += 1
    return n


@jit
def kinds_to_itself(g, s, cache):
    """Kinds of bytes, all of which lead from state ``s`` of a pattern to ``s`` again."""
    at = _known(g, s, cache)
    if cache[at + 3] < 0:
        to_of = g[X_TMP]
        _targets(g, s, to_of, BEYOND, cache)
        bits = 0
        for kind in range(N_KINDS):
            if g[to_of + kind] == s:
                bits |= 1 << kind
        cache[at + 3] = bits
    return cache[at + 3]


@jit
def closed_kinds(g, s, cache):
    """As `_known`, with closed kinds as long as there are searches left."""
    at = _known(g, s, cache)
    if cache[at + 3] < 0 and cache[C_SEARCHES] > 0:
        _close(g, s, cache)
    return at


@jit
def run_of_kinds(g, s, at, cache):
    """How many bytes a text of the kinds that all lead from ``s`` to one state may have, and stays.

    at : what is known of ``s``
    """
    if cache[at + 4] < 0:
        kinds = cache[at + 1]
        n = 0
        here = at
        x = s
        while n < MOST_RUN and kinds and not kinds & ~cache[here + 1]:
            to = x + cache[here + 2]
            if g[to + S_ROW] == 0:
                break
            n = ENDLESS if to == x else n + 1
            x = to
            here = _known(g, x, cache)
        at = _known(g, s, cache)  # others may have taken its place
        cache[at + 4] = n
    return cache[at + 4]


@jit
def all_stay(g, s, at, kinds, height, cache):
    """Every text of up to ``height`` bytes of ``kinds`` stays in the pattern of ``s``: they are closed, or
    they are ASCII and lead through one state after another.

    at : what is known of ``s``
    """
    if cache[at + 3] >= 0 and not kinds & ~cache[at + 3]:
        return True
    if kinds & ~ASCII:
        return False
    while height > 0:
        if kinds & ~cache[at + 1]:
            return False
        if height <= cache[at + 4]:
            return True
        to = s + cache[at + 2]
        if g[to + S_ROW] == 0:
            return False
        if to == s:
            return True
        s = to
        at = _known(g, s, cache)
        height -= 1
    return True
