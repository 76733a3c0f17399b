"""The top of a stack.

It does not matter what lies deep in a stack, until a reading gets there. A parser state's *top* has of its
stack what can be left without reading anything, and the frames below which that is not so; what lies under
those is cut off, and all of the stack where a head has to read first. Thousands of parser states have a few
hundred tops, and what can follow a state is what can follow its top.
"""

from __future__ import annotations

from ...jit import jit
from ..layout import *
from .margins import changed_margin
from .parser import insert_entry, may_end
from .records import intern, intern_parser


@jit
def _cut_off(g):
    """The stack that stands for whatever lies under a top, or a code."""
    if g[H_CUT] == 0:
        key = g[X_TMP]
        g[key], g[key + 1], g[key + 2] = 0, CUT, 0
        cut = intern(g, key, 3, K_FRAME, FRAME_VALUES)
        if cut < 0:
            return cut
        g[H_CUT] = cut
    return g[H_CUT]


@jit
def _top_of_stack(g, stack):
    """The part of an interned stack that belongs to a top, or a code."""
    if stack == 0:
        return 0
    cut = _cut_off(g)
    if cut < 0:
        return cut
    q = g[X_QUEUE]
    g[q] = stack
    n = 1
    while n > 0:
        at = g[q + n - 1]
        size = g[at] >> 8
        if g[at + R_KEY + size] != 0:
            n -= 1
            continue
        missing = False
        for i in range(at + R_KEY, at + R_KEY + size, 3):
            below = g[i + 2]
            if below != 0 and g[below + R_KEY + (g[below] >> 8)] == 0 and may_end(g, g[i], g[i + 1]):
                if n + 1 >= 3 * g[X_QUEUE_CAP]:
                    return GROW_SCRATCH
                g[q + n] = below
                n += 1
                missing = True
        if missing:
            continue
        if size + 3 > g[X_TMP_CAP]:
            return GROW_SCRATCH
        k = 0
        for i in range(at + R_KEY, at + R_KEY + size, 3):
            a, b, c = g[i], g[i + 1], g[i + 2]
            if a != 0 and not may_end(g, a, b):
                c = cut
            elif c != 0:
                c = g[c + R_KEY + (g[c] >> 8)]
            k = insert_entry(g, k, a, b, c)  # entries that differed below may be one now
        to = intern(g, g[X_TMP], 3 * k, K_FRAME, FRAME_VALUES)
        if to < 0:
            return to
        g[at + R_KEY + size] = to
        n -= 1
    return g[stack + R_KEY + (g[stack] >> 8)]


@jit
def top_of(g, parser):
    """The top of a parser state, another one, or a code. Of its margin it has whether brackets are open."""
    n = g[parser] >> 8
    value = parser + R_KEY + n + P_TOP
    if g[value] != 0:
        return g[value]
    cut = _cut_off(g)
    if cut < 0:
        return cut
    for i in range(1, n, 3):
        if may_end(g, g[parser + R_KEY + i], g[parser + R_KEY + i + 1]):
            code = _top_of_stack(g, g[parser + R_KEY + i + 2])
            if code < 0:
                return code
    margin = g[parser + R_KEY]
    if g[H_INDENT] != 0:
        columns = g[margin + R_KEY + 2]
        while g[columns + R_KEY + 1] != 0:  # the outermost block's column is 0
            columns = g[columns + R_KEY + 1]
        margin = changed_margin(g, margin, min(g[margin + R_KEY], 1), g[margin + R_KEY + 1], columns)
        if margin < 0:
            return margin
    key = g[X_TMP]
    if n >= g[X_TMP_CAP]:
        return GROW_SCRATCH
    g[key] = margin
    for i in range(1, n):
        g[key + i] = g[parser + R_KEY + i]
    for i in range(1, n, 3):
        below = g[key + i + 2]
        if not may_end(g, g[key + i], g[key + i + 1]):
            g[key + i + 2] = cut
        elif below != 0:
            g[key + i + 2] = g[below + R_KEY + (g[below] >> 8)]
    to = intern_parser(g, key, n)
    if to > 0:
        g[value] = to
    return to
