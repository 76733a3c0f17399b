"""The making of a vocabulary table: a pass over a part of the vocabulary's trie with one automaton.

The trie of a vocabulary has 300,000 nodes, and most tables say of most tokens the same: they are text, and
stay. So the kinds of bytes below each node are found once for a vocabulary (`kinds`), and a part of the trie
is taken whole when no text of its kinds leaves the pattern (`_close`), or when they all lead to one other
state and from there to one other, as far as the part is high (a pattern that counts). What leaves is copied
if it is small, and linked if not.
"""

from __future__ import annotations

import numpy as np

from ..jit import jit
from .layout import *

I64 = np.int64

ASCII = (1 << N_ASCII) - 1
BEYOND = (1 << N_KINDS) - 1 - ASCII
SMALL = 400  # trie nodes; more below a byte that leaves are not copied
LEAST = 4  # trie nodes; fewer are not worth the question whether they stay as a whole
CACHED = 4096  # states of a pattern of which it is remembered where they lead
CACHE_WORDS = 5
C_PATTERN, C_SEARCHES, C_NUMBER, C_STATES = 256, 258, 259, 260  # behind the kinds of bytes
CACHE_SIZE = C_STATES + CACHED * CACHE_WORDS
MOST_RUN, ENDLESS = 32, 1 << 30  # bytes; how far it is looked where texts of some kinds lead
MOST_CLOSED, MOST_SEARCHES = 256, 2  # states looked at by `_close`, and how often for a table
MOST_TARGETS, MOST_STEPS = 8, 1 << 10  # of characters beyond ASCII from one state; bytes read to find them
TARGETS = N_KINDS + (N_KINDS - N_ASCII) * MOST_TARGETS  # words of `_targets`


@jit
def _to(g, s, b):
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
        x = _to(g, s, b)
        left = 1 if b < 0xE0 else 2 if b < 0xF0 else 3  # bytes that follow; the first of them:
        low = 0xA0 if b == 0xE0 else 0x90 if b == 0xF0 else 0x80
        high = 0x9F if b == 0xED else 0x8F if b == 0xF4 else 0xBF
        if x == last and low == 0x80 and high == 0xBF and left == last_left:
            continue
        last = x
        last_left = left
        last_y = -1
        for c in range(low, high + 1):
            y = _to(g, x, c)
            if y == last_y:
                continue
            last_y = y
            last_z = -1
            for e in range(0x80, 0xC0 if left > 1 else 0x81):
                z = _to(g, y, e) if left > 1 else y
                if z == last_z:
                    continue
                last_z = z
                last_end = -1
                for f in range(0x80, 0xC0 if left > 2 else 0x81):
                    end = _to(g, z, f) if left > 2 else z
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
        to = _to(g, s, b)
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
    that a text of the former kinds may have (`_run`), or -1.
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
                        to = _to(g, x, b)
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
def _kinds_to_itself(g, s, cache):
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
def _closed(g, s, cache):
    """As `_known`, with closed kinds as long as there are searches left."""
    at = _known(g, s, cache)
    if cache[at + 3] < 0 and cache[C_SEARCHES] > 0:
        _close(g, s, cache)
    return at


@jit
def _run(g, s, at, cache):
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
def _all_stay(g, s, at, kinds, height, cache):
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


@jit
def table_tokens(
    g,
    nodes,
    kinds,
    ranks,
    characters,
    heights,
    token_of_rank,
    node_of_rank,
    cache,
    stay,
    counts,
    leave,
    exits,
    found,
):
    """Discipline ``any``: how the tokens below the trie node X_KEY read in the pattern of state X_WANT.

    nodes : int32[n, 4], the vocabulary's trie; kinds, ranks, characters, heights : see `text_kinds`;
        token_of_rank, node_of_rank : int32[tokens]
    cache : int64[CACHE_SIZE], the kinds of bytes, then what is known of the pattern that was looked at last
    stay, counts : int32[size], int16[size], the tokens that stay in it, and how many characters each begins
    leave : int32[n, 4], the trie of the tokens that may leave it: where it may end, a byte of X_FOLLOW comes;
        a node with token -2 - i stands for node i of the vocabulary's trie, with all below it
    exits : int32[*, 2], for each node, with few below, whose byte is the one place on the way where the
        pattern may be left, and must: itself, and what lists say of it (LIST_COUNT, LIST_AT_ONCE, first
        byte); for a token that ends where the pattern ends, -1 - itself instead of the node
    found : int64[8], how many stay, the most characters begun, nodes of ``leave``, how many exits; then first
        bytes of the tokens that may leave otherwise (4 words)
    """
    first_node = g[X_KEY]
    end = I64(nodes[first_node, 2])
    root = I64(nodes[first_node, 1])
    stays = 0
    most = 0
    n = 1
    n_exits = 0
    for k in range(8):
        found[k] = 0
    follow = 0
    for b in range(256):
        if (g[X_FOLLOW + (b >> 6)] >> (b & 63)) & 1:
            follow |= 1 << cache[b] if b < 128 else BEYOND
    # Per depth: state, characters begun, whether the pattern may have been left, node, place in `leave`,
    # kinds that are closed, kinds that lead through one state after another, and through how many.
    build = g[X_BUILD]
    g[build], g[build + 1], g[build + 2], g[build + 3], g[build + 4] = g[X_WANT], 0, 0, 0, 0
    g[build + 5], g[build + 6], g[build + 7] = 0, 0, 0
    if (
        cache[C_PATTERN] != g[X_KEY + 1] or cache[C_PATTERN + 1] != g[X_KEY + 2]
    ):  # another pattern than last time
        cache[C_PATTERN], cache[C_PATTERN + 1] = g[X_KEY + 1], g[X_KEY + 2]
        cache[C_NUMBER] += 1
    cache[C_SEARCHES] = MOST_SEARCHES
    counts_none = g[g[g[g[X_WANT] + S_SOURCE] + A_FIRST] + S_ROW_OP] == 0
    deepest = 0
    i = first_node
    while i < end:
        d = I64(nodes[i, 1]) - root
        after = I64(nodes[i, 2])
        e = build + BUILD_WORDS * d
        if i > first_node:
            token = I64(nodes[i, 3])
            for k in range(d, deepest + 1):
                if g[build + BUILD_WORDS * k + 4] > 0:
                    leave[g[build + BUILD_WORDS * k + 4], 2] = n
                    g[build + BUILD_WORDS * k + 4] = 0
            deepest = d
            p = e - BUILD_WORDS
            own = kinds[i, 1]
            if not own & ~g[p + 5] or (not own & ~g[p + 6] and heights[i] < g[p + 7]):
                # No text of these kinds leaves the pattern where the parent is.
                for r in range(I64(ranks[i]), I64(ranks[after])):
                    stay[stays] = token_of_rank[r]
                    stays += 1
                i = after
                continue
            b = I64(nodes[i, 0])
            s = g[p]
            left = g[p + 2]
            if g[s + S_FLAGS] & FINAL and (g[X_FOLLOW + (b >> 6)] >> (b & 63)) & 1:
                left = 1
            to = _to(g, s, b)
            g[e], g[e + 1], g[e + 2], g[e + 3], g[e + 4] = to, g[p + 1], left, i, 0
            g[e + 5], g[e + 6], g[e + 7] = 0, 0, 0
            if g[s + S_ROW_OP] != 0:
                g[e + 1] += 1
            asked = left != 0
            once = left != 0 and g[p + 2] == 0
            ends = False
            if to != 0:
                if token < 0:
                    asked = False
                elif g[to + S_ROW] != 0:
                    stay[stays] = token
                    counts[stays] = g[e + 1]
                    stays += 1
                    most = max(most, g[e + 1])
                    asked = asked and g[e + 1] > 0
                else:
                    # It ends where the pattern ends. That may be a named key, which an overlay knows.
                    asked = True
                    ends = counts_none and left == 0
            if asked:
                byte = I64(nodes[g[build + BUILD_WORDS + 3], 0])
                if ends:
                    exits[n_exits, 0] = -1 - token
                    exits[n_exits, 1] = byte
                    n_exits += 1
                elif to == 0 and once and after - i <= SMALL:
                    exits[n_exits, 0] = i
                    exits[n_exits, 1] = byte | (LIST_AT_ONCE if d == 1 else 0) | g[p + 1] << LIST_COUNT
                    n_exits += 1
                else:
                    found[4 + (byte >> 6)] |= 1 << (byte & 63)
                for k in range(1, d + 1):
                    f = build + BUILD_WORDS * k
                    if g[f + 4] == 0:
                        g[f + 4] = n
                        leave[n, 0] = nodes[g[f + 3], 0]
                        leave[n, 1] = k
                        leave[n, 3] = token if k == d else -1
                        n += 1
            if to == 0:
                if asked and after - i > SMALL:
                    leave[n - 1, 3] = -2 - i
                elif asked:
                    for j in range(i + 1, after):
                        leave[n, 0] = nodes[j, 0]
                        leave[n, 1] = I64(nodes[j, 1]) - root
                        leave[n, 2] = I64(nodes[j, 2]) - j + n
                        leave[n, 3] = nodes[j, 3]
                        n += 1
                i = after
                continue
        # A part of the trie that stays as a whole.
        s = g[e]
        below = kinds[i, 0]
        if after - i > LEAST and not below & MIDDLE:
            counted = g[s + S_ROW_OP] != 0
            if counts_none:
                known = _closed(g, s, cache)
                g[e + 5] = max(cache[known + 3], 0)
                g[e + 7] = _run(g, s, known, cache)
                g[e + 6] = cache[known + 1]
                whole = not below & OTHER and _all_stay(g, s, known, below, I64(heights[i]), cache)
            else:
                leaves = counted and (g[e + 2] != 0 or (g[s + S_FLAGS] & FINAL and follow & below))
                whole = not (leaves or below & ~_kinds_to_itself(g, s, cache))
            if whole:
                first = I64(ranks[i + 1])
                n_below = I64(ranks[after]) - first
                for r in range(n_below):
                    stay[stays + r] = token_of_rank[first + r]
                if not counts_none:
                    for r in range(n_below):
                        begun = g[e + 1]
                        if counted:
                            begun += I64(characters[node_of_rank[first + r]]) - I64(characters[i])
                        counts[stays + r] = begun
                        most = max(most, begun)
                stays += n_below
                i = after
                continue
        i += 1
    for k in range(1, deepest + 1):
        if g[build + BUILD_WORDS * k + 4] > 0:
            leave[g[build + BUILD_WORDS * k + 4], 2] = n
    leave[0, 0], leave[0, 1], leave[0, 2], leave[0, 3] = 0, 0, n, -1
    found[0], found[1], found[2], found[3] = stays, most, n, n_exits
    return 0
