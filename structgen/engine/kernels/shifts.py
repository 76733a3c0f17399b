"""Shifts of terminals: which can follow a parser state, the state after one, and whether a text may end.

Where a terminal leads is remembered with the parser state, in a small hash table that begins in its record:
most have few shifts, and those that lie with the state itself are found without a look elsewhere.
"""

from __future__ import annotations

from ...jit import jit
from ..layout import *
from .lexer import is_forbidden, is_ignored, lex_state
from .margins import changed_margin, intern_columns, with_margin, without_column
from .parameters import apply
from .parser import advance, complete, enqueue, may_end, persist, pop
from .records import in_set, intern_pair, intern_parser
from .tops import top_of


@jit
def _candidates_of_lines(g, parser, bits):
    """Correct the candidates ``bits`` after ``parser`` by what its margin says of newlines."""
    newline = g[g[H_INDENT] + I_NEWLINE]
    depth = g[g[parser + R_KEY] + R_KEY]
    if depth == BEFORE_TEXT:
        for i in range(g[H_SYMBOL_WORDS]):
            g[bits + i] = 0
    if depth != 0:
        g[bits + (newline >> 6)] |= 1 << (newline & 63)


@jit
def enqueue_heads(g, parser):
    """Enter the heads of a parser state into the empty work queue; its length, or a code."""
    queued = 0
    for i in range(1, g[parser] >> 8, 3):
        e = parser + R_KEY + i
        queued = enqueue(g, queued, g[e], g[e + 1], g[e + 2])
        if queued < 0:
            break
    return queued


@jit
def _candidates_of_top(g, parser):
    """`candidates_of` a top, which has the candidates themselves, too (P_CANDIDATES)."""
    values = parser + R_KEY + (g[parser] >> 8)
    start = g[values + P_START]
    if start > 0:
        return start
    words = g[H_SYMBOL_WORDS]
    q = g[X_QUEUE]
    queued = enqueue_heads(g, parser)
    if queued < 0:
        return queued
    bits = g[X_TMP] + g[X_TMP_CAP] - words
    for i in range(words):
        g[bits + i] = g[g[H_LEX_IGNORE] + i] | g[g[H_LEX_FORBIDDEN] + i]
    done = 0
    while done < queued:
        s = g[q + 3 * done]
        r = g[q + 3 * done + 1]
        stack = g[q + 3 * done + 2]
        done += 1
        e = s + STATE_WORDS
        for _ in range(g[s + S_EDGES]):
            if g[e + 2] == 0 or apply(g, g[e + 2], r) >= 0:
                for symbol in range(g[e] & 0xFFFF, (g[e] >> 16) + 1):
                    g[bits + (symbol >> 6)] |= 1 << (symbol & 63)
            e += EDGE_WORDS
        for _ in range(g[s + S_CALLS]):
            if g[e + C_OP] == 0 or apply(g, g[e + C_OP], r) >= 0:
                for i in range(words):
                    g[bits + i] |= g[g[e + C_FIRST] + i]
            e += CALL_WORDS
        if may_end(g, s, r):
            queued = pop(g, queued, stack)
            if queued < 0:
                return queued
    if g[H_INDENT] != 0:
        _candidates_of_lines(g, parser, bits)
    tmp = g[X_TMP]
    k = 0
    for t in range(g[H_N_TERMINALS]):
        if (g[bits + (t >> 6)] >> (t & 63)) & 1 and g[g[H_LEX_STARTS] + t] != 0:
            k += 1
            if 2 * k + words + 8 > g[X_TMP_CAP]:
                return GROW_SCRATCH
            g[tmp + k] = g[g[H_LEX_STARTS] + t]
    for i in range(words):
        g[values + P_CANDIDATES + i] = g[bits + i]
    start = lex_state(g, -1, k)
    if start > 0:
        g[start + R_KEY + (g[start] >> 8) + L_BEGUN] = values + P_CANDIDATES
        g[values + P_START] = start
    return start


@jit
def candidates_of(g, parser):
    """The lexer state at a lexeme's start after ``parser``: what can follow, the ignored, the forbidden."""
    value = parser + R_KEY + (g[parser] >> 8) + P_START
    if g[value] > 0:
        return g[value]
    top = top_of(g, parser)
    if top < 0:
        return top
    start = _candidates_of_top(g, top)
    if start > 0:
        g[value] = start
    return start


@jit
def parse(g, parser, symbol, margin):
    """The parser state after ``symbol``, with ``margin``; 0 when it cannot come; or a code."""
    n = (g[parser] >> 8) // 3
    heads = g[X_HEADS]
    src = g[X_HEADS_CAP] // 2  # the upper half of the list of heads is free for this
    if src + n + 1 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    for i in range(3 * n):
        g[heads + 3 * src + i] = g[parser + R_KEY + 1 + i]
    dst = src + n
    saved = g[X_FRAMES_TOP]
    count = advance(g, src, n, symbol, dst)
    if count < 0:
        return count
    if g[X_NOTES_N] > 0:
        return BUILD_RULES
    to = 0
    if count > 0:
        code = persist(g, dst, count)
        if code < 0:
            return code
        key = heads + 3 * dst - 1  # the heads before are not needed any more: their last word is free
        g[key] = margin
        to = intern_parser(g, key, 1 + 3 * count)
        if to < 0:
            return to
    g[X_FRAMES_TOP] = saved
    return to


@jit
def parser_complete(g, parser):
    """1 when the text may end after ``parser``, 0 when not, or a code."""
    n = g[parser] >> 8
    known = g[parser + R_KEY + n + P_COMPLETE]
    if known != 0:
        return known - 1
    src = g[X_HEADS_CAP] // 2
    if src + n // 3 + 1 >= g[X_HEADS_CAP]:
        return GROW_SCRATCH
    for i in range(n - 1):
        g[g[X_HEADS] + 3 * src + i] = g[parser + R_KEY + 1 + i]
    yes = complete(g, src, n // 3)
    if yes >= 0:
        g[parser + R_KEY + n + P_COMPLETE] = yes + 1
    return yes


@jit
def _blocks_complete(g, parser):
    """1 when the text may end once all blocks are left, 0 when not, or a code."""
    margin = g[parser + R_KEY]
    columns = g[margin + R_KEY + 2]
    while g[columns + R_KEY + 1] != 0:
        parser = parse(g, parser, g[g[H_INDENT] + I_DEDENT], margin)
        if parser <= 0:
            return parser
        columns = g[columns + R_KEY + 1]
    return parser_complete(g, parser)


@jit
def last_line_complete(g, parser):
    """1 when the text may end after ``parser``, perhaps with a newline that is not written."""
    yes = _blocks_complete(g, parser)
    margin = g[parser + R_KEY]
    if yes != 0 or g[margin + R_KEY] != 0:
        return yes
    to = parse(g, parser, g[g[H_INDENT] + I_NEWLINE], margin)
    return to if to <= 0 else _blocks_complete(g, to)


@jit
def _line_can_begin(g, parser):
    """``parser``, or 0 when it waits in vain for an indent or dedent; or a code."""
    start = candidates_of(g, parser)
    if start < 0:
        return start
    top = top_of(g, parser)
    bits = top + R_KEY + (g[top] >> 8) + P_CANDIDATES
    for t in range(g[H_N_TERMINALS]):
        if t == g[g[H_INDENT] + I_INDENT] or t == g[g[H_INDENT] + I_DEDENT] or is_forbidden(g, t):
            continue
        if in_set(g, bits, t):
            to = 1 if not is_ignored(g, t) else parse(g, parser, t, g[parser + R_KEY])
            if to != 0:
                return parser if to > 0 else to
    yes = last_line_complete(g, parser)
    return parser if yes == 1 else yes


@jit
def _place_of_shift(g, first, slots, t):
    """Where in the table at ``first`` the shift of terminal ``t`` is, or may be noted; 0 where it is full."""
    for i in range(FEW_SHIFTS):
        at = first + ((t + i) & (slots - 1))
        if g[at] == 0 or g[at] & SHIFT_TERMINAL == t:
            return at
    return 0


@jit
def _shifts_of(g, parser):
    """Where the table of shifts of a parser state begins, and its slots, 2**k.

    In a slot is (state after + 1) << SHIFT_BITS | terminal, or 0.
    """
    value = parser + R_KEY + (g[parser] >> 8) + P_SHIFTS
    if g[value] == 0:
        return value + 1, FEW_SHIFTS
    return g[value] + 1, g[g[value]]


@jit
def known_shift(g, parser, t):
    """The parser state after terminal ``t`` + 1 if it is noted, or 0."""
    first, slots = _shifts_of(g, parser)
    at = _place_of_shift(g, first, slots, t)
    return 0 if at == 0 else g[at] >> SHIFT_BITS


@jit
def note_shift(g, parser, t, to):
    """Note the parser state after terminal ``t`` (0: it cannot come). Answers it, or a code."""
    if to < 0:
        return to
    first, slots = _shifts_of(g, parser)
    at = _place_of_shift(g, first, slots, t)
    old, n = first, slots
    while at == 0:  # a larger table, in which all have a place
        slots *= FEW_SHIFTS
        first = g[H_TOP] + 1
        if first + slots > g[H_LIMIT]:
            return GROW_HEAP
        at = first
        for i in range(old, old + n):
            if g[i] != 0 and at != 0:
                at = _place_of_shift(g, first, slots, g[i] & SHIFT_TERMINAL)
                if at != 0:
                    g[at] = g[i]
        if at != 0:
            at = _place_of_shift(g, first, slots, t)
        if at != 0:
            g[first - 1] = slots
            g[H_TOP] = first + slots
            g[parser + R_KEY + (g[parser] >> 8) + P_SHIFTS] = first - 1
        else:
            for i in range(slots):  # what is not in use is zero
                g[first + i] = 0
    g[at] = (to + 1) << SHIFT_BITS | t
    return to


@jit
def shift_in_block(g, parser, symbol):
    """The parser state after an indent or a dedent, with the same margin; 0 none; or a code."""
    known = known_shift(g, parser, symbol)
    if known != 0:
        return known - 1
    return note_shift(g, parser, symbol, parse(g, parser, symbol, g[parser + R_KEY]))


@jit
def shift_newline(g, parser):
    """The parser state after a newline outside of brackets, before what its line's column brings along.

    0 when none can come; or a code. ``parser`` has no column.
    """
    known = known_shift(g, parser, SHIFT_NEWLINE)
    if known != 0:
        return known - 1
    margin = g[parser + R_KEY]
    if g[margin + R_KEY] != BEFORE_TEXT:
        return note_shift(g, parser, SHIFT_NEWLINE, parse(g, parser, g[g[H_INDENT] + I_NEWLINE], margin))
    margin = changed_margin(g, margin, 0, NO_COLUMN, g[margin + R_KEY + 2])
    return note_shift(g, parser, SHIFT_NEWLINE, with_margin(g, parser, margin))


@jit
def _begin_line(g, parser, column):
    """`shift_line`, not looked up."""
    margin = g[parser + R_KEY]
    columns = g[margin + R_KEY + 2]
    to = shift_newline(g, parser)
    if to > 0 and column != NO_COLUMN:
        wide = column >> COLUMN_SHIFT
        low = (1 << COLUMN_SHIFT) - 1
        if wide > g[columns + R_KEY] >> COLUMN_SHIFT:
            if column & low <= g[columns + R_KEY] & low:
                return 0
            to = shift_in_block(g, to, g[g[H_INDENT] + I_INDENT])
            columns = intern_columns(g, column, columns)
            if columns < 0:
                return columns
        else:
            while to > 0 and wide < g[columns + R_KEY] >> COLUMN_SHIFT:
                to = shift_in_block(g, to, g[g[H_INDENT] + I_DEDENT])
                columns = g[columns + R_KEY + 1]
            if column != g[columns + R_KEY]:
                return 0
    if to <= 0:
        return to
    to = with_margin(g, to, changed_margin(g, margin, 0, NO_COLUMN, columns))
    return to if to < 0 else _line_can_begin(g, to)


@jit
def shift_line(g, parser, column):
    """The parser state after a newline outside of brackets that begins a line at ``column``.

    0 when it cannot be shifted, or a code. It brings indents and dedents along. ``parser`` has no column.
    """
    at = intern_pair(g, parser, column, K_LINE, 1)
    if at < 0:
        return at
    if g[at + R_KEY + 2] != 0:
        return g[at + R_KEY + 2] - 1
    to = _begin_line(g, parser, column)
    if to >= 0:
        g[at + R_KEY + 2] = to + 1
    return to


@jit
def _shift_in_lines(g, parser, terminal):
    """`shift` with indentation: a newline brings indents and dedents along, brackets suspend them."""
    margin = g[parser + R_KEY]
    depth = g[margin + R_KEY]
    columns = g[margin + R_KEY + 2]
    indentation = g[H_INDENT]
    if terminal != g[indentation + I_NEWLINE]:
        if in_set(g, g[indentation + I_OPENING], terminal):
            depth += 1
        elif in_set(g, g[indentation + I_CLOSING], terminal) and depth > 0:
            depth -= 1
        margin = changed_margin(g, margin, depth, NO_COLUMN, columns)
        if margin < 0:
            return margin
        return parse(g, parser, terminal, margin)
    if depth > 0:
        return parser
    column = g[margin + R_KEY + 1]
    parser = without_column(g, parser)
    return parser if parser < 0 else shift_line(g, parser, column)


@jit
def shift(g, parser, terminal):
    """The parser state after ``terminal``; 0 when it cannot be shifted; or a code."""
    known = known_shift(g, parser, terminal)
    if known != 0:
        return known - 1
    if g[H_INDENT] != 0:
        to = _shift_in_lines(g, parser, terminal)
    else:
        to = parse(g, parser, terminal, 0)
    return note_shift(g, parser, terminal, to)


@jit
def lines_complete(g, parser, terminal):
    """1 when the text may end with a lexeme of ``terminal`` after ``parser``, 0 when not, or a code."""
    margin = g[parser + R_KEY]
    newline = g[g[H_INDENT] + I_NEWLINE]
    if terminal == newline:
        # The line that it begins stays empty: its column does not count.
        to = parse(g, parser, newline, margin) if g[margin + R_KEY] == 0 else parser
        return to if to <= 0 else _blocks_complete(g, to)
    if is_ignored(g, terminal) and not in_set(g, g[g[H_INDENT] + I_JOINING], terminal):
        yes = last_line_complete(g, parser)
        if yes != 0:
            return yes
    to = shift(g, parser, terminal)
    return to if to <= 0 else last_line_complete(g, to)
