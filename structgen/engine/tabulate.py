"""The making of a vocabulary table: a pass over a part of the vocabulary's trie with one automaton.

The trie of a vocabulary has 300,000 nodes, and most tables say of most tokens the same: they are text, and
stay. So the kinds of bytes below each node are found once for a vocabulary (`text_kinds`), and a part of the
trie is taken whole when its kinds all lead from a state to itself, or all to one other state and from there
to one other, as far as the part is high (a pattern that counts: `_uniform`). What leaves is copied if it is
small, and linked if not.
"""

from __future__ import annotations

import numpy as np

from ..jit import jit
from .layout import *

I64 = np.int64

# Kinds of bytes, one bit each: ASCII marks and blanks are a kind each, letters and digits go by ranges.
DIGIT, HEX_LOWER, LOWER, HEX_UPPER, UPPER, CONTROL, MARK = range(7)
TAB = MARK + 33  # 33 marks, the space included; then tab, newline, carriage return
N_ASCII = TAB + 3
CHARACTER = 1 << N_ASCII  # well-formed characters beyond ASCII, the last perhaps in part
OTHER = 1 << (N_ASCII + 1)  # anything else
MIDDLE = 1 << (N_ASCII + 2)  # of a node itself: it lies in the middle of a character
ASCII = (1 << N_ASCII) - 1
SMALL = 400  # trie nodes; more below a byte that leaves are not copied
LEAST = 4  # trie nodes; fewer are not worth the question whether they stay as a whole
N_KINDS = N_ASCII + 1  # those that are well-formed text
CACHED = 1024  # states of a pattern of which it is remembered where they lead
CACHE_WORDS = 4
MOST_CLOSED, MOST_SEARCHES = 256, 2  # states looked at by `_close`, and how often for a table


@jit
def _kind(b):
    """The kind of an ASCII byte."""
    if 48 <= b <= 57:
        return DIGIT
    if 97 <= b <= 122:
        return HEX_LOWER if b <= 102 else LOWER
    if 65 <= b <= 90:
        return HEX_UPPER if b <= 70 else UPPER
    if b == 9 or b == 10:
        return TAB + b - 9
    if b == 13:
        return TAB + 2
    if b < 32 or b == 127:
        return CONTROL
    if b < 48:
        return MARK + b - 32
    if b < 65:
        return MARK + 16 + b - 58
    if b < 97:
        return MARK + 23 + b - 91
    return MARK + 29 + b - 123


@jit
def _next_in_character(pending, b):
    """UTF-8, one byte on: what is pending (0: nothing, else low | high << 8 | bytes left << 16), or -1."""
    if pending == 0:
        if b < 0x80:
            return 0
        if 0xC2 <= b <= 0xDF:
            return 0x80 | 0xBF << 8 | 1 << 16
        if 0xE0 <= b <= 0xEF:
            low = 0xA0 if b == 0xE0 else 0x80
            high = 0x9F if b == 0xED else 0xBF
            return low | high << 8 | 2 << 16
        if 0xF0 <= b <= 0xF4:
            low = 0x90 if b == 0xF0 else 0x80
            high = 0x8F if b == 0xF4 else 0xBF
            return low | high << 8 | 3 << 16
        return -1
    if b < (pending & 0xFF) or b > ((pending >> 8) & 0xFF):
        return -1
    left = (pending >> 16) - 1
    return 0 if left == 0 else 0x80 | 0xBF << 8 | left << 16


@jit
def text_kinds(nodes, kinds, ranks, characters, heights, parent, pending):
    """For each node of a trie (int32[n, 4]) the kinds of bytes below it, and tokens before it.

    kinds : int64[n], bits; ranks : int32[n + 1], tokens at nodes before this one
    characters : int32[n], how many begin on the way to the node
    heights : int32[n], bytes of the longest way down from the node
    parent, pending : int32[n], scratch
    """
    n = nodes.shape[0]
    kinds[0] = 0
    ranks[0] = 0
    pending[0] = 0
    parent[0] = 0
    characters[0] = 0
    heights[0] = 0
    for i in range(1, n):
        ranks[i] = ranks[i - 1] + (1 if nodes[i - 1, 3] >= 0 else 0)
        p = i - 1
        while nodes[p, 1] >= nodes[i, 1]:
            p = I64(parent[p])
        parent[i] = p
        b = I64(nodes[i, 0])
        characters[i] = characters[p] + (0 if 0x80 <= b < 0xC0 else 1)
        state = _next_in_character(I64(pending[p]), b)
        pending[i] = max(state, 0)
        kinds[i] = MIDDLE if state > 0 else 0
        heights[i] = 0
    ranks[n] = ranks[n - 1] + (1 if nodes[n - 1, 3] >= 0 else 0)
    for i in range(n - 1, 0, -1):
        p = I64(parent[i])
        b = I64(nodes[i, 0])
        if _next_in_character(I64(pending[p]), b) < 0:
            kinds[p] |= OTHER
        else:
            kinds[p] |= 1 << _kind(b) if b < 0x80 else CHARACTER
        kinds[p] |= kinds[i] & ~MIDDLE
        heights[p] = max(heights[p], heights[i] + 1)
    return 0


@jit
def _to(g, s, b):
    """The state of a pattern after a byte, or 0."""
    if s == 0 or g[s + S_ROW] == 0:
        return 0
    return g[g[s + S_ROW] + ((g[g[s + S_CMAP] + (b >> 3)] >> ((b & 7) << 3)) & 0xFF)]


@jit
def _all_return(g, s, pending, home):
    """Every ending of the character begun before ``s`` leads to ``home``."""
    left = pending >> 16
    last = -1
    for b in range(pending & 0xFF, ((pending >> 8) & 0xFF) + 1):
        x = _to(g, s, b)
        if left == 1:
            if x != home:
                return False
        elif x != last:
            last = x
            inner = -1
            for c in range(0x80, 0xC0):
                y = _to(g, x, c)
                if left == 2:
                    if y != home:
                        return False
                elif y != inner:
                    inner = y
                    for e in range(0x80, 0xC0):
                        if _to(g, y, e) != home:
                            return False
    return True


@jit
def _one_character_target(g, s):
    """The state to which every character beyond ASCII leads from state ``s`` of a pattern, or 0."""
    home = _to(g, _to(g, s, 0xC2), 0x80)
    if home == 0:
        return 0
    last, last_pending = 0, 0
    for b in range(0xC2, 0xF5):
        x = _to(g, s, b)
        pending = _next_in_character(0, b)
        if x == last and pending == last_pending:
            continue
        last = x
        last_pending = pending
        if x == 0 or not _all_return(g, x, pending, home):
            return 0
    return home


@jit
def _targets(g, s, to_of, beyond):
    """Per kind, at ``to_of``: where its bytes lead from state ``s``; 0 when one is dead, -1: to several."""
    for kind in range(N_KINDS):
        g[to_of + kind] = -2
    for b in range(128):
        kind = to_of + _kind(b)
        to = _to(g, s, b)
        if g[kind] == -2:
            g[kind] = to
        elif to == 0 or g[kind] == 0:
            g[kind] = 0
        elif g[kind] != to:
            g[kind] = -1
    g[to_of + N_ASCII] = _one_character_target(g, s) if beyond else 0


@jit
def _known(g, s, cache):
    """Where ``cache`` holds what is known of state ``s`` of the pattern.

    Its number + 1; kinds of ASCII bytes that all lead to one state; that; closed kinds (`_close`), or -1.
    """
    at = CACHE_WORDS * (1 + _number(g, s) % CACHED)
    if cache[at] != _number(g, s) + 1:
        _targets(g, s, g[X_TMP], False)
        _note(g, s, g[X_TMP], cache)
    return at


@jit
def _note(g, s, to_of, cache):
    """Let ``cache`` hold state ``s``, whose `_targets` are at ``to_of``, unless it does."""
    number = _number(g, s)
    at = CACHE_WORDS * (1 + number % CACHED)
    if cache[at] == number + 1:
        return
    to = 0
    for kind in range(N_ASCII - 1, -1, -1):  # the large kinds come first
        if g[to_of + kind] > 0:
            to = g[to_of + kind]
    bits = 0
    for kind in range(N_ASCII):
        if to > 0 and g[to_of + kind] == to:
            bits |= 1 << kind
    cache[at] = number + 1
    cache[at + 1] = bits
    cache[at + 2] = to - s  # places in another heap differ
    cache[at + 3] = -1


@jit
def _number(g, s):
    source = g[s + S_SOURCE]
    return (s - g[source + A_FIRST]) // g[source + A_STRIDE]


@jit
def _close(g, s, cache):
    """Find the closed kinds of state ``s``: no text of theirs leaves the pattern. They serve all on the way.

    A kind that leads to where most others are dead (a backslash) is left out, rather than the others.
    """
    to_of = g[X_TMP]
    todo = to_of + 2 * N_KINDS  # the states on the way
    room = min(MOST_CLOSED, g[X_TMP] + g[X_TMP_CAP] - todo)
    cache[2] -= 1
    _targets(g, s, to_of, True)
    closed = _alive(g, to_of)
    g[todo] = s
    seen, done = 1, 0
    while done < seen:
        x = g[todo + done]
        done += 1
        _targets(g, x, to_of, True)
        _note(g, x, to_of, cache)
        for kind in range(N_KINDS):
            if not closed >> kind & 1:
                continue
            to = g[to_of + kind]
            last = 0
            for b in range(128):
                if to == -1:  # several states, all of them alive
                    if _kind(b) != kind:
                        continue
                    to = _to(g, x, b)
                if to != last:
                    last = to
                    admitted = False
                    for k in range(seen):
                        if g[todo + k] == to:
                            admitted = True
                    if not admitted and seen < room:
                        _targets(g, to, to_of + N_KINDS, True)
                        alive = closed & _alive(g, to_of + N_KINDS)
                        if 4 * _size(alive) >= 3 * _size(closed):
                            closed = alive
                            g[todo + seen] = to
                            seen += 1
                            admitted = True
                    if not admitted:
                        closed &= ~(1 << kind)
                if g[to_of + kind] != -1 or not closed >> kind & 1:
                    break
                to = -1
    for k in range(seen):
        number = _number(g, g[todo + k])
        at = CACHE_WORDS * (1 + number % CACHED)
        if cache[at] == number + 1 and cache[at + 3] < 0:
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
        _targets(g, s, to_of, True)
        bits = 0
        for kind in range(N_KINDS):
            if g[to_of + kind] == s:
                bits |= 1 << kind
        cache[at + 3] = bits
    return cache[at + 3]


@jit
def _all_stay(g, s, kinds, height, cache):
    """Every text of up to ``height`` bytes of ``kinds`` stays in the pattern of ``s``: they are closed, or
    they are ASCII and lead through one state after another.
    """
    at = _known(g, s, cache)
    if cache[at + 3] < 0 and cache[2] > 0:
        _close(g, s, cache)
    if cache[at + 3] >= 0 and not kinds & ~cache[at + 3]:
        return True
    if kinds & ~ASCII:
        return False
    while height > 0:
        if kinds & ~cache[at + 1]:
            return False
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
    cache : int64[(1 + CACHED) * CACHE_WORDS], what is known of the pattern that was looked at last
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
            follow |= 1 << _kind(b) if b < 128 else CHARACTER
    # Per depth: state, characters begun, whether the pattern may have been left, node, place in `leave`.
    build = g[X_BUILD]
    g[build], g[build + 1], g[build + 2], g[build + 3], g[build + 4] = g[X_WANT], 0, 0, 0, 0
    if cache[0] != g[X_KEY + 1] or cache[1] != g[X_KEY + 2]:  # another pattern than last time
        for k in range(CACHED):
            cache[CACHE_WORDS * (1 + k)] = 0
        cache[0], cache[1] = g[X_KEY + 1], g[X_KEY + 2]
    cache[2] = MOST_SEARCHES
    counts_none = g[g[g[g[X_WANT] + S_SOURCE] + A_FIRST] + S_ROW_OP] == 0
    deepest = 0
    i = first_node
    while i < end:
        d = I64(nodes[i, 1]) - root
        after = I64(nodes[i, 2])
        e = build + 5 * d
        if i > first_node:
            token = I64(nodes[i, 3])
            for k in range(d, deepest + 1):
                if g[build + 5 * k + 4] > 0:
                    leave[g[build + 5 * k + 4], 2] = n
            deepest = d
            b = I64(nodes[i, 0])
            s = g[e - 5]
            left = g[e - 3]
            if g[s + S_FLAGS] & FINAL and (g[X_FOLLOW + (b >> 6)] >> (b & 63)) & 1:
                left = 1
            to = _to(g, s, b)
            g[e], g[e + 1], g[e + 2], g[e + 3], g[e + 4] = to, g[e - 4], left, i, 0
            if g[s + S_ROW_OP] != 0:
                g[e + 1] += 1
            asked = left != 0
            once = left != 0 and g[e - 3] == 0
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
                byte = I64(nodes[g[build + 8], 0])
                if ends:
                    exits[n_exits, 0] = -1 - token
                    exits[n_exits, 1] = byte
                    n_exits += 1
                elif to == 0 and once and after - i <= SMALL:
                    exits[n_exits, 0] = i
                    exits[n_exits, 1] = byte | (LIST_AT_ONCE if d == 1 else 0) | g[e - 4] << LIST_COUNT
                    n_exits += 1
                else:
                    found[4 + (byte >> 6)] |= 1 << (byte & 63)
                for k in range(1, d + 1):
                    f = build + 5 * k
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
        if after - i > LEAST and not kinds[i] & (MIDDLE | OTHER):
            counted = g[s + S_ROW_OP] != 0
            if counts_none:
                whole = _all_stay(g, s, kinds[i], I64(heights[i]), cache)
            else:
                leaves = counted and (g[e + 2] != 0 or (g[s + S_FLAGS] & FINAL and follow & kinds[i]))
                whole = not leaves and not kinds[i] & ~_kinds_to_itself(g, s, cache)
            if whole:
                first = I64(ranks[i + 1])
                for r in range(first, I64(ranks[after])):
                    t = I64(token_of_rank[r])
                    stay[stays] = t
                    begun = g[e + 1]
                    if counted:
                        begun += I64(characters[node_of_rank[r]]) - I64(characters[i])
                    counts[stays] = begun
                    stays += 1
                    most = max(most, begun)
                i = after
                continue
        i += 1
    for k in range(1, deepest + 1):
        if g[build + 5 * k + 4] > 0:
            leave[g[build + 5 * k + 4], 2] = n
    leave[0, 0], leave[0, 1], leave[0, 2], leave[0, 3] = 0, 0, n, -1
    found[0], found[1], found[2], found[3] = stays, most, n, n_exits
    return 0
