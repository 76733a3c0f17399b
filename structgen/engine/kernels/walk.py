"""The walk of the vocabulary's trie with the parser in the loop."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .lexed import step_heads
from .tables import add_list, leave_pattern, nest_children, nest_part, use_tables


@jit
def walk_trie(g, tries, slots, visits, tables, info, ids, out):
    """Set in ``out`` (int32[words]) every token that the head in scratch place 0 takes. 0, or a code.

    Where a head in a pattern meets a large part of the trie, a vocabulary table stands in for that part: the
    tokens that stay in the pattern are set, and the walk goes on in the table's trie of the tokens that leave
    (which is made by `tabulating`).
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
                    n = leave_pattern(g, g[f + 5])
                    if n < 0:
                        return n
                    if tries[at + 3] >= 0:  # they end with the pattern
                        add_list(g, ids, lists + np.int64(tries[at + 3]), low, high, at_once, out)
                    if n == 0:
                        i = end
                    g[g[f + 4]], g[g[f + 4] + 1] = g[f + 5] + 1, n
            continue
        node = at + 4 * i
        d = depth + 3 * (base + np.int64(tries[node + 1]))
        after = np.int64(tries[node + 2])
        if i > 0:
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
            k = step_heads(g, src, n, byte, src + n)
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
                nest_part(g, nested, at, after, end, base, 0, 0, 0)
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
                    add_list(g, ids, lists + token, low, high, at_once, out)
        if bytewise and at == 0 and after - i > LARGE:
            n = use_tables(g, tries, slots, visits, tables, info, ids, i, d, end, base, nested, out)
            if n < REFUSED:
                return n
            if n >= 0:
                nested = n
                i = end
                continue
            if tries[4 * np.int64(tries[2]) + i] != 0:
                if nested + 1 >= g[X_NEST_CAP]:
                    return GROW_SCRATCH
                code = nest_children(g, tries, nested, i, end, base, g[d], g[d + 1])
                if code < 0:
                    return code
                nested += 1
                i = end
                continue
        i += 1
