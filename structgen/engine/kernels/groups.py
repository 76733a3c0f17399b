"""Token groups in a mask (discipline ``longest``).

What the top of the stack takes of a list is known (`tops`); what it leaves over is asked of the parser state
itself. So a mask costs some shifts, however many terminals the tokens hold.
"""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .lexer import is_ignored
from .margins import at_column, column_after, without_column
from .records import intern
from .shifts import parse, shift
from .tops import find_taken, taking_of


@jit
def _add_tokens(g, at, out):
    """Set the tokens that a top takes, at ``g[at]``."""
    n = g[at + 1]
    at += 2
    if n < 0:
        for i in range(out.shape[0] // 2):
            both = g[at + i]
            out[2 * i] |= np.int32(both & 0xFFFFFFFF)
            out[2 * i + 1] |= np.int32(both >> 32)
        if out.shape[0] & 1:
            out[out.shape[0] - 1] |= np.int32(g[at + out.shape[0] // 2] & 0xFFFFFFFF)
    else:
        for i in range(at, at + n):
            t = g[i]
            out[t >> 5] |= np.int32(1) << np.int32(t & 31)


@jit
def _block_may_open(g, parser):
    """1 when an indent may follow a newline after ``parser``, 0 when not, or a code."""
    key = g[X_TMP]
    g[key] = parser
    g[key + 1] = g[g[H_INDENT] + I_INDENT]  # no text is one, so nothing else is remembered here
    at = intern(g, key, 2, K_SHIFT, 1)
    if at < 0:
        return at
    if g[at + R_KEY + 2] == 0:
        margin = g[parser + R_KEY]
        to = parser
        if g[margin + R_KEY] != BEFORE_TEXT:
            to = parse(g, parser, g[g[H_INDENT] + I_NEWLINE], margin)
        if to > 0:
            to = parse(g, to, g[g[H_INDENT] + I_INDENT], margin)
        if to < 0:
            return to
        g[at + R_KEY + 2] = 1 + min(to, 1)
    return g[at + R_KEY + 2] - 1


@jit
def _before_line(g, parser, t, column):
    """The parser state where terminal ``t`` ends, which begins a line at ``column`` if it is the newline.

    0 where no such line can come, as far as that is seen quickly; or a code.
    """
    if g[H_INDENT] == 0 or t != g[g[H_INDENT] + I_NEWLINE] or g[g[parser + R_KEY] + R_KEY] > 0:
        return parser
    if column != NO_COLUMN:
        columns = g[g[parser + R_KEY] + R_KEY + 2]
        if column >> COLUMN_SHIFT > g[columns + R_KEY] >> COLUMN_SHIFT:
            yes = _block_may_open(g, parser)
            if yes <= 0:
                return yes
        else:
            while columns != 0 and g[columns + R_KEY] != column:
                columns = g[columns + R_KEY + 1]
            if columns == 0:
                return 0
    return at_column(g, parser, column)


@jit
def _add_lists(g, top, groups, ids, generation, signatures, work, out):
    """Set the tokens that are taken, of the ``top`` (list of groups, parser state) pairs in scratch."""
    stack = g[X_HEADS]
    room = stack + 3 * (g[X_HEADS_CAP] // 2) - 8
    half = (out.shape[0] + 1) // 2
    while top > 0:
        top -= 1
        parser = g[stack + 2 * top + 1]
        taking = taking_of(g, g[stack + 2 * top], parser)
        if taking < 0:
            return taking
        if g[taking + R_KEY + 2] == 0:
            code = find_taken(g, taking, top, groups, ids, generation, signatures, work, half)
            if code < 0:
                return code
        at = g[taking + R_KEY + 2]
        _add_tokens(g, at, out)
        left = g[at]
        at += 2 + (half if g[at + 1] < 0 else g[at + 1])
        for _ in range(left):
            steps, listed = g[at], g[at + 1]
            at += 2
            after = parser
            for i in range(at, at + 2 * steps, 2):
                after = _before_line(g, after, g[i], g[i + 1])
                if after > 0:
                    after = shift(g, after, g[i])
                if after <= 0:
                    break
            at += 2 * steps
            if after < 0:
                return after
            if after > 0:
                if stack + 2 * top >= room:
                    return GROW_SCRATCH
                g[stack + 2 * top], g[stack + 2 * top + 1] = listed, after
                top += 1
    return 0


@jit
def add_groups(g, parser, ended, groups, ids, at, generation, signatures, work, out):
    """Set the tokens of the groups at ``groups[at]`` that ``parser`` takes. 0 or a code.

    groups : n runs | (n terminals, terminals, n effects, effects, n groups | (signature, first id, number of
        ids) * n) * n. The terminals are those that the first lexeme may be, or where there are none those at
        ``ended`` (a record); the effects those of the bytes that end the lexeme on the column of its line.
    """
    runs = groups[at]
    at += 1
    stack = g[X_HEADS]
    for _ in range(runs):
        n = groups[at]
        effects = at + 1 + n
        many = effects + 1 + groups[effects]
        before = parser
        if groups[effects] > 0 and g[g[parser + R_KEY] + R_KEY] <= 0:
            column = g[g[parser + R_KEY] + R_KEY + 1]
            for j in range(effects + 1, many):
                column = column_after(column, groups[j], g[g[H_INDENT] + I_TAB])
            before = at_column(g, parser, column)
            if before < 0:
                return before
        key = g[X_TMP]
        g[key], g[key + 1] = generation, many
        listed = intern(g, key, 2, K_GROUPS, 0)
        if listed < 0:
            return listed
        top = 0
        for j in range(n if n > 0 else g[ended] >> 8):
            t = groups[at + 1 + j] if n > 0 else g[ended + R_KEY + j]
            if is_ignored(g, t):
                after = without_column(g, parser)
                if after < 0:
                    return after
                g[stack + 2 * top], g[stack + 2 * top + 1] = listed, after
                top += 1
            after = shift(g, before, t)
            if after < 0:
                return after
            if after > 0:
                g[stack + 2 * top], g[stack + 2 * top + 1] = listed, after
                top += 1
        code = _add_lists(g, top, groups, ids, generation, signatures, work, out)
        if code < 0:
            return code
        at = many + 1 + 3 * groups[many]
    return 0
