"""The trie of the keys that members have."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *

KEYS_OFFSETS = 8  # of what `spell_keys` is told, the words before the offsets of the keys


@jit
def spell_keys(g, at, keys, info, base, n, m, any_time, trans, classes, words, todo):
    """Write the states of the trie of ``n`` keys from heap offset ``at`` on; answer where they end.

    The root is the first state. The kernel may be run again on the same place, with other targets.

    keys : uint8[*], the keys one after the other, sorted
    info : int64[*], from ``base`` on: of the other keys' layout its first state, words a state, class map,
        state to return to (0: its ends lead on by themselves), operation, its start, number of the rule,
        S_FOLLOW; then n + 1 offsets of the keys; for each key the state after its last byte; for each the
        operation of that byte; for each bit 0: the key is a word of the other keys' automaton, beside which
        bit 1 is set here where that automaton has more words than there are keys, whatever was read of it
    m, any_time : the member set; 1 when another key may come at any time
    trans, classes, words : the other keys' automaton (int32[states, classes], uint8[256]) and the number of
        words from each of its states (float64[states]); one dead state when there are no other keys
    todo : int64[*], scratch of 5 words a pending node
    """
    offsets = base + KEYS_OFFSETS
    targets = offsets + n + 1
    ops = targets + n
    spelled = ops + n
    first, stride, cmap, ret = info[base], info[base + 1], info[base + 2], info[base + 3]
    rest_op, start, unit, follow = info[base + 4], info[base + 5], info[base + 6], info[base + 7]
    top = at
    for i in range(n):
        q = start
        for j in range(info[offsets + i], info[offsets + i + 1] - 1):
            q = np.int64(trans[q, classes[keys[j]]]) if q and words[q] > n else 0
        info[spelled + i] = info[spelled + i] & 1 | (2 if q and words[q] > n else 0)
    pending = 1
    todo[0], todo[1], todo[2], todo[3], todo[4] = 0, n, 0, start, 0
    while pending:
        pending -= 1
        e = 5 * pending
        lo, hi, depth, q, link = todo[e], todo[e + 1], todo[e + 2], todo[e + 3], todo[e + 4]
        if link:
            g[link] = top
        children = 0
        i = lo
        known = 1
        while i < hi:
            b = keys[info[offsets + i] + depth]
            children += 1
            while i < hi and keys[info[offsets + i] + depth] == b:
                known &= info[spelled + i] >> 1 & info[spelled + i]
                i += 1
        node = top
        for k in range(STATE_WORDS):
            g[node + k] = 0
        g[node + S_EDGES] = children
        g[node + S_RULE] = unit
        if q:
            state = first + (q - 1) * stride
            g[node + S_ROW] = state + STATE_WORDS
            g[node + S_CMAP] = cmap
            g[node + S_PUSH] = ret
            g[node + S_ROW_OP] = rest_op
            g[node + S_FOLLOW] = follow
            # The tables of the other keys serve unless a named key leaves them no other word.
            g[node + S_WIDE] = g[state + S_WIDE] if known else 0
        edge = node + STATE_WORDS
        top = edge + EDGE_WORDS * children
        i = lo
        while i < hi:
            b = np.int64(keys[info[offsets + i] + depth])
            j = i
            named = 0
            while j < hi and keys[info[offsets + j] + depth] == b:
                named += info[spelled + j] & 1
                j += 1
            g[edge] = b | b << 16
            if info[offsets + i + 1] - info[offsets + i] == depth + 1:
                g[edge + 1] = info[targets + i]
                g[edge + 2] = info[ops + i]
            else:
                q2 = np.int64(trans[q, classes[b]]) if q else 0
                if q2 and words[q2] <= named:
                    q2 = 0  # whatever begins like this is a named key
                guarded = not (q2 and any_time)
                if depth > 0 and i == lo and j == hi and (q2 != 0) == (q != 0):
                    guarded = False  # the same keys as before this byte
                if guarded:
                    g[top] = OP_ANY_OR_REST if q2 else OP_ANY_KEY
                    g[top + 1], g[top + 2], g[top + 3] = m, i, j
                    g[edge + 2] = top
                    top += OP_WORDS
                else:
                    g[edge + 2] = 0
                e = 5 * pending
                todo[e], todo[e + 1], todo[e + 2], todo[e + 3], todo[e + 4] = i, j, depth + 1, q2, edge + 1
                pending += 1
            edge += EDGE_WORDS
            i = j
    return top
