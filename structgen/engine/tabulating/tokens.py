"""The making of a vocabulary table: a pass over a part of the vocabulary's trie with one automaton.

The trie of a vocabulary has 300,000 nodes, and most tables say of most tokens the same: they are text, and
stay. So the kinds of bytes below each node are found once for a vocabulary (`kinds`), and a part of the trie
is taken whole when no text of its kinds leaves the pattern, as far as the part is high (`reach`). What leaves
is copied if it is small, and linked if not.
"""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .states import (
    ASCII,
    C_NUMBER,
    C_PATTERN,
    C_SEARCHES,
    EVERY,
    MOST_SEARCHES,
    kinds_to_itself,
    reach,
    step_pattern,
)

I64 = np.int64

LEAST = 4  # trie nodes; fewer are not worth the question whether they stay as a whole


@jit
def _counts(g, s):
    """What is read in state ``s`` of a pattern begins a character, or whatever else the pattern counts."""
    op = g[s + S_ROW_OP]
    return op != 0 and (g[op] != OP_WITHIN or g[op + 2] != 0)


@jit
def table_tokens(
    g,
    nodes,
    kinds,
    ranks,
    characters,
    heights,
    token_of_rank,
    characters_of_rank,
    cache,
    stay,
    counts,
    leave,
    exits,
    found,
):
    """Discipline ``any``: how the tokens below the trie node X_KEY read in the pattern of state X_WANT.

    nodes : int32[n, 4], the vocabulary's trie; kinds, ranks, characters, heights : see `text_kinds`;
        token_of_rank, characters_of_rank : int32[tokens]
    cache : int64[CACHE_SIZE], the kinds of bytes, then what is known of the pattern that was looked at last
    stay, counts : int32[size], int16[size], the tokens that stay in it, and how many characters each begins
        (in a pattern that is bounded with those that are left then at least)
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
            follow |= 1 << cache[b] if b < 128 else EVERY & ~ASCII
    # Per depth: state, characters begun, whether the pattern may have been left, node, place in `leave`,
    # kinds of bytes, and how many of them stay in the pattern from that state.
    build = g[X_BUILD]
    g[build], g[build + 1], g[build + 2], g[build + 3], g[build + 4] = g[X_WANT], 0, 0, 0, 0
    g[build + 5], g[build + 6] = 0, 0
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
            if not own & ~g[p + 5] and heights[i] < g[p + 6]:
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
            to = step_pattern(g, s, b)
            g[e], g[e + 1], g[e + 2], g[e + 3], g[e + 4] = to, g[p + 1], left, i, 0
            g[e + 5], g[e + 6] = 0, 0
            if _counts(g, s):
                g[e + 1] += 1
            asked = left != 0
            once = left != 0 and g[p + 2] == 0
            ends = False
            # What leaves at once has no other text before the same ending, and other tables may serve below.
            small = LARGE if d == 1 else MEDIUM
            if to != 0:
                if token < 0:
                    asked = False
                elif g[to + S_ROW] != 0:
                    stay[stays] = token
                    begun = g[e + 1] + g[to + S_PARAM]
                    counts[stays] = begun
                    stays += 1
                    most = max(most, begun)
                    asked = asked and begun > 0
                else:
                    # It ends where the pattern ends. That may be a named key, which an overlay knows.
                    asked = True
                    ends = left == 0
            if asked:
                byte = I64(nodes[g[build + BUILD_WORDS + 3], 0])
                if ends:
                    exits[n_exits, 0] = -1 - token
                    exits[n_exits, 1] = byte | g[e + 1] << LIST_COUNT
                    n_exits += 1
                elif to == 0 and once and after - i <= small:
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
                if asked and after - i > small:
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
            counted = _counts(g, s)
            if counts_none:
                known = reach(g, s, cache)
                g[e + 5], g[e + 6] = max(cache[known + 2], 0), cache[known + 3]
                whole = not below & ~g[e + 5] and heights[i] <= g[e + 6]
            else:
                leaves = counted and (g[e + 2] != 0 or (g[s + S_FLAGS] & FINAL and follow & below))
                whole = not (leaves or below & ~kinds_to_itself(g, s, cache))
            if whole:
                first = I64(ranks[i + 1])
                n_below = I64(ranks[after]) - first
                for r in range(n_below):
                    stay[stays + r] = token_of_rank[first + r]
                if not counts_none:
                    for r in range(n_below):
                        begun = g[e + 1] + g[s + S_PARAM]
                        if counted:
                            begun += I64(characters_of_rank[first + r]) - I64(characters[i])
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
