"""Margins: what indentation does to a text, kept with the parser state.

A parser state carries its *margin*: how many brackets are open, the columns of the open blocks, and the
column of the line that begins in the newline lexeme being read. So what indentation does to a text is
remembered under (parser state, terminal) like any other shift, and heads need no fourth word.
"""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .records import intern, intern_pair, intern_parser


@jit
def intern_margin(g, depth, column, columns):
    """The interned margin, or a code."""
    key = g[X_TMP]
    g[key], g[key + 1], g[key + 2] = depth, column, columns
    return intern(g, key, 3, K_MARGIN, 0)


@jit
def changed_margin(g, margin, depth, column, columns):
    """The interned margin with these, which is ``margin`` more often than not; or a code."""
    if (g[margin + R_KEY], g[margin + R_KEY + 1], g[margin + R_KEY + 2]) == (depth, column, columns):
        return margin
    return intern_margin(g, depth, column, columns)


@jit
def intern_columns(g, column, around):
    """The open columns ``around`` with ``column`` inside, or a code."""
    return intern_pair(g, column, around, K_COLUMNS, 0)


@jit
def margin_before_text(g):
    columns = intern_columns(g, 0, 0)
    if columns < 0:
        return columns
    return intern_margin(g, BEFORE_TEXT, NO_COLUMN, columns)


@jit
def at_column(g, parser, column):
    """The parser state with another column of the line that begins, or a code."""
    margin = g[parser + R_KEY]
    if g[margin + R_KEY + 1] == column:
        return parser
    return with_margin(g, parser, intern_margin(g, g[margin + R_KEY], column, g[margin + R_KEY + 2]))


@jit
def with_margin(g, parser, margin):
    if margin < 0 or g[parser + R_KEY] == margin:
        return margin if margin < 0 else parser
    n = g[parser] >> 8
    key = g[X_TMP]
    if n >= g[X_TMP_CAP]:
        return GROW_SCRATCH
    g[key] = margin
    for i in range(1, n):
        g[key + i] = g[parser + R_KEY + i]
    return intern_parser(g, key, n)


@jit
def without_column(g, parser):
    """The parser state at the end of a lexeme that is ignored, or a code."""
    return parser if g[H_INDENT] == 0 else at_column(g, parser, NO_COLUMN)


@jit
def in_line(g, parser, q, cls):
    """The parser state after a byte of class ``cls`` that leads to lexer state ``q``, or a code."""
    if g[H_INDENT] == 0:
        return parser
    if g[q + R_KEY + (g[q] >> 8) + 3] == 0:  # no newline is being read
        return at_column(g, parser, NO_COLUMN)
    margin = g[parser + R_KEY]
    if g[margin + R_KEY] > 0:  # in brackets no column counts
        return parser
    effect = g[g[g[H_INDENT] + I_EFFECTS] + cls]
    return at_column(g, parser, column_after(g[margin + R_KEY + 1], effect, g[g[H_INDENT] + I_TAB]))


@jit
def column_after(column, effect, tab):
    """The column after a byte with this effect."""
    if effect == E_BREAK:
        return 0
    if effect == E_TEXT or column == NO_COLUMN:
        return NO_COLUMN
    if effect == E_FEED:
        return 0
    if effect == E_TAB:
        wide = ((column >> COLUMN_SHIFT) // tab + 1) * tab
        return (wide << COLUMN_SHIFT) | ((column & ((1 << COLUMN_SHIFT) - 1)) + 1)
    return column + (1 << COLUMN_SHIFT) + 1


@jit
def columns_in_tokens(nodes, effects, tab, column, line):
    """Of each trie node: the column after its last line break, and the depth of that (0: it has none).

    nodes : int32[n, 4]; effects : int64[256]; column : int64[n]; line : int32[n]
    """
    column[0], line[0] = NO_COLUMN, 0
    at = np.int64(0)
    i = 1
    for i in range(1, nodes.shape[0]):
        # The parent: the last node before this one that is one less deep.
        at = i - 1
        while nodes[at, 1] >= nodes[i, 1]:
            at -= 1
        effect = effects[nodes[i, 0]]
        column[i] = column_after(column[at], effect, tab)
        line[i] = nodes[i, 1] if effect == E_BREAK else line[at]
    return 0
