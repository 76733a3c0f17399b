"""Lists of signatures, split by candidates.

What a parser state makes of a list of signatures depends, up to the next cut, on its candidates alone: they
say which are taken whatever the stack holds, and which terminals the others go on with. So a list is *split*
once for each set of candidates: into those that are taken, and for each terminal that wins somewhere the list
of what follows it. Each entry remembers its *origin*, the signature that it began as in the table of a lexer
state. No token is looked at: lexer states whose tokens have the same signatures share all of this, and lists
are interned, so few parts differ between candidates.
"""

from __future__ import annotations

from ...jit import jit
from ..layout import *
from .records import intern, intern_at_top, lowest_bit
from .shifts import candidates_of


@jit
def _split(g, at, n, stride, parser, signatures, work):
    """Split the ``n`` entries of ``stride`` words at ``g[at]`` by the candidates of ``parser``.

    Answers where the split lies, or a code.

    split : n children, n taken | origins taken | (terminal, column of the line that begins in it, list) * n
    A child's entries are those whose next lexeme is its terminal, with the signatures of what follows. The
    highest priority that is still open or whole wins; in it, a terminal still open will do: the token ends
    in it; else the longest match, a literal before a pattern.
    """
    words = g[H_SYMBOL_WORDS]
    newline = -1 if g[H_INDENT] == 0 else g[g[H_INDENT] + I_NEWLINE]
    cut_words = 1 + words if newline < 0 else 2 + words
    candidates = parser + R_KEY + (g[parser] >> 8) + 2
    # In ``work``: the last child of each terminal, then children (W_*), their entries and the origins taken,
    # each in the order of the list and with the place of the next one.
    top = g[H_N_TERMINALS]
    if top + W_CHILD > work.shape[0]:
        return GROW_WORK
    for t in range(top):
        work[t] = 0
    first_child, last_child, children = 0, 0, 0
    first_taken, last_taken, taken = 0, 0, 0
    for i in range(at, at + stride * n, stride):
        signature, origin = g[i], g[i + stride - 1]
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
                            work[top], work[top + 1], work[top + 2] = 0, signatures[cut], origin
                            if work[child + W_GROUPS] == 0:
                                work[child + W_FIRST] = top
                            else:
                                work[work[child + W_LAST]] = top
                            work[child + W_LAST] = top
                            work[child + W_GROUPS] += 1
                            top += W_GROUP
                    break
                cut += cut_words
        if takes:
            if top + W_GROUP > work.shape[0]:
                return GROW_WORK
            work[top], work[top + 1] = 0, origin
            if last_taken == 0:
                first_taken = top
            else:
                work[last_taken] = top
            last_taken = top
            taken += 1
            top += W_GROUP
    child = first_child
    while child != 0:
        made = _intern_list(g, child, work)
        if made < 0:
            return made
        work[child + W_LIST] = made
        child = work[child + W_NEXT]
    size = 2 + 3 * children + taken
    made = g[H_TOP] + R_KEY
    if made + size > g[H_LIMIT]:
        return GROW_HEAP
    g[made], g[made + 1] = children, taken
    to = made + 2
    group = first_taken
    while group != 0:
        g[to] = work[group + 1]
        to += 1
        group = work[group]
    child = first_child
    while child != 0:
        g[to], g[to + 1], g[to + 2] = work[child], work[child + W_COLUMN], work[child + W_LIST]
        to += 3
        child = work[child + W_NEXT]
    return intern_at_top(g, size, K_WORDS)


@jit
def _intern_list(g, child, work):
    """The record of the entries of a child in ``work``, or a code."""
    n = 2 * work[child + W_GROUPS]
    at = g[H_TOP] + R_KEY
    if at + n > g[H_LIMIT]:
        return GROW_HEAP
    group = work[child + W_FIRST]
    while group != 0:
        g[at], g[at + 1] = work[group + 1], work[group + 2]
        at += 2
        group = work[group]
    made = intern_at_top(g, n, K_LIST)
    return made if made < 0 else made - R_KEY


@jit
def list_size(g, listed):
    """How many entries a list has."""
    n = g[listed] >> 8
    return n if g[listed] & 0xFF == K_SIGNATURES else n // 2


@jit
def _split_record(g, listed, parser):
    """The record of the split of a list for the candidates of ``parser``, or a code."""
    start = candidates_of(g, parser)
    if start < 0:
        return start
    key = g[X_TMP]
    g[key], g[key + 1] = listed, start
    return intern(g, key, 2, K_SPLIT, 1)


@jit
def known_split(g, listed, parser):
    """As `split_of`, but 0 when it is not made yet."""
    split = _split_record(g, listed, parser)
    return split if split < 0 else g[split + R_KEY + 2]


@jit
def split_of(g, listed, parser, signatures, work):
    """The place of the split of a list for the candidates of ``parser``, or a code."""
    split = _split_record(g, listed, parser)
    if split < 0:
        return split
    at = g[split + R_KEY + 2]
    if at == 0:
        n, stride = list_size(g, listed), 1 if g[listed] & 0xFF == K_SIGNATURES else 2
        at = _split(g, listed + R_KEY, n, stride, parser, signatures, work)
        if at >= 0:
            g[split + R_KEY + 2] = at
    return at
