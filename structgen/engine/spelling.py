"""The trie of an object's keys, laid out by a kernel: the part of compiling that grows with a schema's text.

In Python a state of the trie costs about 15 µs, and a median schema has a hundred of them; here it costs
about 0.1 µs. A build kernel with a call graph of its own, apart from the run-time ones.
"""

from __future__ import annotations

import numpy as np

from ..jit import jit
from .layout import *


@jit
def spell_keys(g, at, keys, offsets, spelled, targets, ops, m, any_time, trans, classes, words, rest, todo):
    """Write the states of the trie of ``keys`` from heap offset ``at`` on; answer where they end.

    The root is the first state. The kernel may be run again on the same place, with other targets.

    keys, offsets : uint8[*], int64[n + 1], the keys one after the other, sorted
    spelled : uint8[n], bit 0: the key is a word of the other keys' automaton; bit 1 is set here where that
        automaton has more words than there are keys, whatever was read of the key
    targets, ops : int64[n], state after the last byte of each key, operation of that byte
    m, any_time : the member set; 1 when another key may come at any time
    trans, classes, words : the other keys' automaton (int32[states, classes], uint8[256]) and the number of
        words from each of its states (float64[states]); one dead state when there are no other keys
    rest : int64[8], of its layout: first state, words a state, class map, state to return to (0: its ends
        lead on by themselves), operation, its start, number of the rule, S_FOLLOW
    todo : int64[*], scratch of 5 words a pending node
    """
    first, stride, cmap, ret, rest_op = rest[0], rest[1], rest[2], rest[3], rest[4]
    n = spelled.shape[0]
    top = at
    for i in range(n):
        q = rest[5]
        for j in range(offsets[i], offsets[i + 1] - 1):
            q = np.int64(trans[q, classes[keys[j]]]) if q and words[q] > n else 0
        spelled[i] = spelled[i] & 1 | (2 if q and words[q] > n else 0)
    pending = 1
    todo[0], todo[1], todo[2], todo[3], todo[4] = 0, n, 0, rest[5], 0
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
            b = keys[offsets[i] + depth]
            children += 1
            while i < hi and keys[offsets[i] + depth] == b:
                known &= spelled[i] >> 1 & spelled[i]
                i += 1
        node = top
        for k in range(STATE_WORDS):
            g[node + k] = 0
        g[node + S_EDGES] = children
        g[node + S_RULE] = rest[6]
        if q:
            state = first + (q - 1) * stride
            g[node + S_ROW] = state + STATE_WORDS
            g[node + S_CMAP] = cmap
            g[node + S_PUSH] = ret
            g[node + S_ROW_OP] = rest_op
            g[node + S_FOLLOW] = rest[7]
            # The tables of the other keys serve unless a named key leaves them no other word.
            g[node + S_WIDE] = g[state + S_WIDE] if known else 0
        edge = node + STATE_WORDS
        top = edge + EDGE_WORDS * children
        i = lo
        while i < hi:
            b = np.int64(keys[offsets[i] + depth])
            j = i
            named = 0
            while j < hi and keys[offsets[j] + depth] == b:
                named += spelled[j] & 1
                j += 1
            g[edge] = b | b << 16
            if offsets[i + 1] - offsets[i] == depth + 1:
                g[edge + 1] = targets[i]
                g[edge + 2] = ops[i]
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
