"""Lists of signatures, split by candidates.

What a parser state makes of a list of signatures depends, up to the next cut, on its candidates alone: they
say which are taken whatever the stack holds, and which terminals the others go on with. So a list is *split*
once for each set of candidates: into those that are taken, and for each terminal that wins somewhere the list
of what follows it. Each entry remembers its *origin*, the signature that it began as in the table of a lexer
state. No token is looked at: lexer states whose tokens have the same signatures share all of this.

Candidates are asked once for each *shape* of signatures in a list. The entries of one shape are a *block*,
which is taken whole, and what follows one cut of theirs is a *part*: the list of what follows a terminal is
put together from parts, once for the same parts.
"""

from __future__ import annotations

from ...jit import jit
from ..layout import *
from .records import first_slot, intern, intern_at_top, intern_pair, lowest_bit
from .shifts import candidates_of

BLOCK_WORDS = 5
ENTRY_WORDS = 3


@jit
def _blocks_of(g, listed, signatures, work):
    """The blocks of a list, or a code. What has no reading is in none.

    blocks : n | (shape, n entries, where they lie, where their parts are noted, token groups that were asked
        last) * n | parts, 0 where there is none yet. The entries are (signature, origin, tokens of the group
        with the origin there).
    """
    key = g[X_TMP]
    g[key] = listed
    record = intern(g, key, 1, K_SHAPED, 1)
    if record < 0 or g[record + R_KEY + 1] != 0:
        return record if record < 0 else g[record + R_KEY + 1]
    stride = 1 if g[listed] & 0xFF == K_SIGNATURES else 2
    n = (g[listed] >> 8) // stride
    # In ``work``: slots of a hash table; for each shape its number of entries; for each entry its shape.
    slots = 16
    while slots < 2 * n + 2:
        slots *= 2
    if slots + 3 * n + 4 > work.shape[0]:
        return GROW_WORK
    for i in range(slots):
        work[i] = 0
    shapes, kept, parts = 0, 0, 0
    of_shape, of_entry = slots, slots + 2 * n
    for i in range(n):
        signature = g[listed + R_KEY + stride * i]
        work[of_entry + i] = -1
        if signature == 0:
            continue
        shape = signatures[signature + 1] if signature > 1 else signature
        slot = first_slot(shape, slots - 1)
        while work[slot] != 0 and work[of_shape + 2 * (work[slot] - 1)] != shape:
            slot = (slot + 1) & (slots - 1)
        if work[slot] == 0:
            work[of_shape + 2 * shapes], work[of_shape + 2 * shapes + 1] = shape, 0
            shapes += 1
            work[slot] = shapes
            parts += signatures[shape] if shape > 1 else 0
        work[of_entry + i] = work[slot] - 1
        work[of_shape + 2 * (work[slot] - 1) + 1] += 1
        kept += 1
    made = g[H_TOP]
    size = 1 + BLOCK_WORDS * shapes + parts + ENTRY_WORDS * kept
    if made + size > g[H_LIMIT]:
        return GROW_HEAP
    g[made] = shapes
    noted = made + 1 + BLOCK_WORDS * shapes
    to = noted + parts
    for k in range(shapes):
        at = made + 1 + BLOCK_WORDS * k
        shape, many = work[of_shape + 2 * k], work[of_shape + 2 * k + 1]
        g[at], g[at + 1], g[at + 2], g[at + 3], g[at + 4] = shape, many, to, noted, 0
        work[of_shape + 2 * k] = to
        to += ENTRY_WORDS * many
        for _ in range(signatures[shape] if shape > 1 else 0):
            g[noted] = 0
            noted += 1
    for i in range(n):
        k = work[of_entry + i]
        if k >= 0:
            to = work[of_shape + 2 * k]
            g[to] = g[listed + R_KEY + stride * i]
            g[to + 1] = g[listed + R_KEY + stride * i + stride - 1]
            g[to + 2] = 0
            work[of_shape + 2 * k] = to + ENTRY_WORDS
    g[H_TOP] = made + size
    g[record + R_KEY + 1] = made
    return made


@jit
def _part(g, block, cut, signatures):
    """The record of the list of what follows a cut of a block's entries; or a code.

    cut : its number, its place in a signature
    """
    number, place = cut
    noted = g[block + 3] + number
    if g[noted] == 0:
        n, entries = g[block + 1], g[block + 2]
        to = g[H_TOP] + R_KEY
        if to + 2 * n > g[H_LIMIT]:
            return GROW_HEAP
        for i in range(n):
            g[to + 2 * i] = signatures[g[entries + ENTRY_WORDS * i] + place]
            g[to + 2 * i + 1] = g[entries + ENTRY_WORDS * i + 1]
        part = intern_at_top(g, 2 * n, K_LIST)
        if part < 0:
            return part
        g[noted] = part - R_KEY
    return g[noted]


@jit
def joined_list(g, n):
    """The record of the list with all entries of the ``n`` lists (records) at ``g[X_TMP]``; or a code."""
    key = g[X_TMP]
    if n == 1:
        return g[key]
    joined = intern(g, key, n, K_JOINED, 1)
    if joined < 0 or g[joined + R_KEY + n] != 0:
        return joined if joined < 0 else g[joined + R_KEY + n]
    size = 0
    for k in range(joined + R_KEY, joined + R_KEY + n):
        size += g[g[k]] >> 8
    to = g[H_TOP] + R_KEY
    if to + size > g[H_LIMIT]:
        return GROW_HEAP
    for k in range(joined + R_KEY, joined + R_KEY + n):
        for i in range(g[k] + R_KEY, g[k] + R_KEY + (g[g[k]] >> 8)):
            g[to] = g[i]
            to += 1
    made = intern_at_top(g, size, K_LIST)
    if made < 0:
        return made
    g[joined + R_KEY + n] = made - R_KEY
    return made - R_KEY


@jit
def _list_of(g, child, work):
    """The record of the list of a child in ``work``, put together from its parts; or a code."""
    if work[child + W_PARTS] + 2 > g[X_TMP_CAP]:
        return GROW_SCRATCH
    n = 0
    group = work[child + W_FIRST]
    while group != 0:
        g[g[X_TMP] + n] = work[group + 1]
        n += 1
        group = work[group]
    return joined_list(g, n)


@jit
def _new_child(work, top, t, column, last):
    """Begin a child in ``work`` at ``top``; ``last``: the one before it, or 0."""
    work[top], work[top + W_COLUMN], work[top + W_SAME] = t, column, work[t]
    work[top + W_FIRST], work[top + W_LAST], work[top + W_PARTS] = 0, 0, 0
    work[top + W_LIST], work[top + W_NEXT] = 0, 0
    work[t] = top
    if last != 0:
        work[last + W_NEXT] = top
    return top


@jit
def _split(g, listed, parser, signatures, work):
    """Split a list by the candidates of ``parser``. Where the split lies, or a code.

    split : n children, n taken | blocks taken | (terminal, column of the line that begins in it, list) * n
    A child's entries are those whose next lexeme is its terminal, with the signatures of what follows. The
    highest priority that is still open or whole wins; in it, a terminal still open will do: the token ends
    in it; else the longest match, a literal before a pattern.
    """
    blocks = _blocks_of(g, listed, signatures, work)
    if blocks < 0:
        return blocks
    words = g[H_SYMBOL_WORDS]
    newline = -1 if g[H_INDENT] == 0 else g[g[H_INDENT] + I_NEWLINE]
    cut_words = 1 + words if newline < 0 else 2 + words
    candidates = parser + R_KEY + (g[parser] >> 8) + P_CANDIDATES
    # In ``work``: the last child of each terminal, then children (W_*), their parts and the blocks taken,
    # each in the order of the list and with the place of the next one.
    top = g[H_N_TERMINALS]
    if top + W_CHILD > work.shape[0]:
        return GROW_WORK
    for t in range(top):
        work[t] = 0
    first_child, last_child, children = 0, 0, 0
    first_taken, last_taken, taken = 0, 0, 0
    for block in range(blocks + 1, blocks + 1 + BLOCK_WORDS * g[blocks], BLOCK_WORDS):
        signature = g[block]
        takes = signature == 1
        cuts = 0 if takes else signatures[signature]
        decided = takes
        level = 0
        while not decided and level < g[H_LEX_LEVELS]:
            mask = g[H_LEX_LEVEL_SETS] + level * words
            level += 1
            for w in range(words):
                still_open = signatures[signature + 2 + w] & g[candidates + w] & g[mask + w]
                if still_open & ~g[g[H_LEX_FORBIDDEN] + w]:
                    takes = True
                if still_open:  # if forbidden, it outruns what matched before, and it is whole
                    decided = True
            cut = signature + 2 + words
            for k in range(0 if decided else cuts):
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
                            part = _part(g, block, (k, cut - signature), signatures)
                            if part < 0:
                                return part
                            child = work[t]
                            while child != 0 and work[child + W_COLUMN] != column:
                                child = work[child + W_SAME]
                            if top + W_CHILD + 2 > work.shape[0]:
                                return GROW_WORK
                            if child == 0:
                                child = last_child = _new_child(work, top, t, column, last_child)
                                top += W_CHILD
                                if first_child == 0:
                                    first_child = child
                                children += 1
                            work[top], work[top + 1] = 0, part
                            if work[child + W_PARTS] == 0:
                                work[child + W_FIRST] = top
                            else:
                                work[work[child + W_LAST]] = top
                            work[child + W_LAST] = top
                            work[child + W_PARTS] += 1
                            top += 2
                    break
                cut += cut_words
        if takes:
            if top + 2 > work.shape[0]:
                return GROW_WORK
            work[top], work[top + 1] = 0, block
            if last_taken == 0:
                first_taken = top
            else:
                work[last_taken] = top
            last_taken = top
            taken += 1
            top += 2
    child = first_child
    while child != 0:
        made = _list_of(g, child, work)
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
def _split_record(g, listed, parser):
    """The record of the split of a list for the candidates of ``parser``, or a code."""
    start = candidates_of(g, parser)
    if start < 0:
        return start
    return intern_pair(g, listed, start, K_SPLIT, 1)


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
        at = _split(g, listed, parser, signatures, work)
        if at >= 0:
            g[split + R_KEY + 2] = at
    return at
