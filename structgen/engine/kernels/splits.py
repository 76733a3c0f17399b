"""Lists of token groups, split by candidates.

What a parser state makes of a list of groups depends, up to the next cut, on its candidates alone: they say
which tokens are taken whatever the stack holds, and which terminals the others go on with. So a list is
*split* once for each set of candidates: into the tokens taken, and for each terminal that wins somewhere the
list of what follows it. Lists are interned, and few parts differ between candidates.
"""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .records import intern, intern_at_top, lowest_bit
from .shifts import candidates_of


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
                            t = 64 * w + lowest_bit(bits)
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
    return intern_at_top(g, size, K_WORDS)


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
    made = intern_at_top(g, n, K_GROUPS)
    return made if made < 0 else made - R_KEY


@jit
def split_of(g, listed, parser, groups, ids, generation, signatures, work, half):
    """The place of the split of a list of groups for the candidates of ``parser``, or a code."""
    start = candidates_of(g, parser)
    if start < 0:
        return start
    key = g[X_TMP]
    g[key], g[key + 1] = listed, start
    split = intern(g, key, 2, K_SPLIT, 1)
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
