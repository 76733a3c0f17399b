"""The lexer: sets of terminals' states, determinised when a text first visits them."""

from __future__ import annotations

from ...jit import jit
from ..layout import *
from .records import intern, lowest_bit


@jit
def lex_state(g, best, n):
    """Intern the lexer state with terminal states ``g[X_TMP + 1 ..]``; decide which terminals are won."""
    tmp = g[X_TMP]
    for i in range(2, n + 1):  # insertion sort of the members
        a = g[tmp + i]
        j = i
        while j > 1 and g[tmp + j - 1] > a:
            g[tmp + j] = g[tmp + j - 1]
            j -= 1
        g[tmp + j] = a
    g[tmp] = best
    at = intern(g, tmp, n + 1, K_LEX, LEX_VALUES)
    value = at + R_KEY + n + 1
    if at < 0 or g[value + L_ROW] != 0:
        return at
    # A new state: its row of unknown transitions, and the terminals that end here.
    classes = g[H_LEX_CLASSES]
    row = g[H_TOP]
    if row + classes > g[H_LIMIT]:
        return GROW_HEAP
    for i in range(classes):
        g[row + i] = -1
    g[H_TOP] = row + classes
    won = 0
    if best >= 0:
        top_priority = -1
        literal = 0
        for i in range(1, n + 1):
            t = g[tmp + i]
            if g[t + T_FINAL]:
                if g[t + T_PRIORITY] > top_priority:
                    top_priority = g[t + T_PRIORITY]
                    literal = g[t + T_LITERAL]
                elif g[t + T_PRIORITY] == top_priority and g[t + T_LITERAL] > literal:
                    literal = g[t + T_LITERAL]
        if top_priority >= 0:
            k = 0
            out = tmp + n + 2
            for i in range(1, n + 1):
                t = g[tmp + i]
                if g[t + T_FINAL] and g[t + T_PRIORITY] == top_priority and g[t + T_LITERAL] == literal:
                    v = g[t + T_TERMINAL]
                    j = k
                    while j > 0 and g[out + j - 1] > v:
                        g[out + j] = g[out + j - 1]
                        j -= 1
                    g[out + j] = v
                    k += 1
            won = intern(g, out, k, K_TERMINALS, 0)
            if won < 0:
                return won
    if g[H_INDENT] != 0:
        for i in range(1, n + 1):
            if g[g[tmp + i] + T_TERMINAL] == g[g[H_INDENT] + I_NEWLINE]:
                g[value + L_NEWLINE] = 1
    barred = 1 if best >= 0 else 0
    for i in range(1, n + 1):
        if not is_forbidden(g, g[g[tmp + i] + T_TERMINAL]):
            barred = 0
    g[value + L_BARRED] = barred
    g[value + L_WON] = won
    g[value + L_ROW] = row
    return at


@jit
def class_of(g, byte):
    """The lexer's class of a byte."""
    return (g[g[H_LEX_CMAP] + (byte >> 3)] >> ((byte & 7) << 3)) & 0xFF


@jit
def lex_won(g, q):
    """Interned terminals that end at lexer state ``q``, or 0."""
    return g[q + R_KEY + (g[q] >> 8) + L_WON]


@jit
def is_barred(g, q):
    """Nothing but forbidden terminals is read in lexer state ``q``: no reading of it can be finished."""
    return g[q + R_KEY + (g[q] >> 8) + L_BARRED]


@jit
def lex_step(g, q, cls):
    """Lexer state after a byte of class ``cls``; 0 dead; or a code."""
    n = g[q] >> 8
    row = g[q + R_KEY + n + L_ROW]
    to = g[row + cls]
    if to >= 0:
        return to
    tmp = g[X_TMP]
    if 2 * n + 4 > g[X_TMP_CAP]:
        return GROW_SCRATCH
    best = g[q + R_KEY]
    if best < 0:
        best = 0
    k = 0
    begun = g[q + R_KEY + n + L_BEGUN]
    if begun != 0:  # few of the candidates begin with this byte
        words = g[H_SYMBOL_WORDS]
        for w in range(words):
            bits = g[begun + w] & g[g[H_LEX_BEGINS] + cls * words + w]
            while bits:
                k += 1
                g[tmp + k] = g[g[g[H_LEX_STARTS] + 64 * w + lowest_bit(bits)] + T_ROW + cls]
                bits &= bits - 1
    else:
        for i in range(1, n):
            t = g[g[q + R_KEY + i] + T_ROW + cls]
            if t != 0:
                k += 1
                g[tmp + k] = t
    for i in range(1, k + 1):
        t = g[tmp + i]
        # Priorities are kept one above the grammar's, so that 0 means "nothing matched yet".
        if g[t + T_FINAL] and g[t + T_PRIORITY] > best:
            best = g[t + T_PRIORITY]
    kept = 0
    for i in range(1, k + 1):
        t = g[tmp + i]
        if g[t + T_PRIORITY] >= best:
            kept += 1
            g[tmp + kept] = t
    to = 0
    if kept > 0:
        to = lex_state(g, best, kept)
        if to < 0:
            return to
    g[row + cls] = to
    return to


@jit
def is_ignored(g, t):
    return (g[g[H_LEX_IGNORE] + (t >> 6)] >> (t & 63)) & 1


@jit
def is_forbidden(g, t):
    return (g[g[H_LEX_FORBIDDEN] + (t >> 6)] >> (t & 63)) & 1
