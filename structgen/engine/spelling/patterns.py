"""The automaton of a pattern: a dense row over byte classes for each state."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *

CLASS_MAP = 32  # words of a class map: a byte for each byte


@jit
def write_pattern(g, at, trans, final, classes, source, unit, looping, wide):
    """Write a pattern from heap offset ``at`` on, where there are zeros: its class map, then its states.

    trans : int32[states, classes], the first state is dead; final : bool[states]; classes : uint8[256]
    source : place of the words that say which automaton it is; unit : of the states
    looping : the pattern's ends are its start again, and the start is final
    wide : a state that so many bytes leave has a vocabulary table from the start, and so have all the states
        of its pattern: an escape or half a character leads back there. Only a narrow start is left out
    """
    n, m = trans.shape
    cmap = at
    sizes = g[X_TMP]
    for c in range(m):
        g[sizes + c] = 0
    for b in range(256):
        g[cmap + (b >> 3)] |= np.int64(classes[b]) << ((b & 7) << 3)
        g[sizes + classes[b]] += 1
    first = cmap + CLASS_MAP
    stride = STATE_WORDS + m
    widest = 0
    begun = 0
    for q in range(1, n):
        s = first + (q - 1) * stride
        width = 0
        for c in range(m):
            to = np.int64(trans[q, c])
            if to > 0:
                width += g[sizes + c]
                g[s + STATE_WORDS + c] = first + (0 if looping and final[to] else to - 1) * stride
        if q == 1:
            begun = width
        widest = max(widest, width)
        if width:
            g[s + S_ROW] = s + STATE_WORDS
            g[s + S_WIDE] = s
        if q == 1 if looping else final[q]:
            g[s + S_FLAGS] = FINAL
        g[s + S_CMAP], g[s + S_SOURCE], g[s + S_RULE] = cmap, source, unit
    if widest >= wide:
        for q in range(1 if begun >= wide else 2, n):
            s = first + (q - 1) * stride
            if g[s + S_ROW]:
                g[s + S_FLAGS] |= WIDE
    return first
