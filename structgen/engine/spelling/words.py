"""The trie of a list of words."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *


@jit
def spell_words(g, at, words, offsets, unit, todo):
    """Write the trie of ``words`` from heap offset ``at`` on. Its root; H_TOP is behind what was written.

    words, offsets : uint8[*], int64[n + 1], the words one after the other, sorted, none empty, no two alike
    todo : int64[*], scratch of 4 words a pending node
    """
    end = at
    root = end + STATE_WORDS
    for k in range(STATE_WORDS):
        g[end + k] = 0
    g[end + S_FLAGS] = FINAL
    g[end + S_RULE] = unit
    top = root
    pending = 1
    todo[0], todo[1], todo[2], todo[3] = 0, offsets.shape[0] - 1, 0, 0
    while pending:
        pending -= 1
        e = 4 * pending
        lo, hi, depth, link = todo[e], todo[e + 1], todo[e + 2], todo[e + 3]
        if link:
            g[link] = top
        node = top
        for k in range(STATE_WORDS):
            g[node + k] = 0
        g[node + S_RULE] = unit
        if offsets[lo + 1] - offsets[lo] == depth:
            g[node + S_FLAGS] = FINAL
            lo += 1
        edge = node + STATE_WORDS
        i = lo
        while i < hi:
            b = words[offsets[i] + depth]
            g[node + S_EDGES] += 1
            while i < hi and words[offsets[i] + depth] == b:
                i += 1
        top = edge + EDGE_WORDS * g[node + S_EDGES]
        i = lo
        while i < hi:
            b = np.int64(words[offsets[i] + depth])
            j = i + 1
            while j < hi and words[offsets[j] + depth] == b:
                j += 1
            g[edge], g[edge + 1], g[edge + 2] = b | b << 16, end, 0
            if j > i + 1 or offsets[i + 1] - offsets[i] > depth + 1:
                e = 4 * pending
                todo[e], todo[e + 1], todo[e + 2], todo[e + 3] = i, j, depth + 1, edge + 1
                pending += 1
            edge += EDGE_WORDS
            i = j
    g[H_TOP] = top
    return root
