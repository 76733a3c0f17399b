"""What a vocabulary's tokens do to the column of a line, for grammars with indentation (`ir.Indentation`).

A newline lexeme that begins inside a token has its column there: blanks after the last line break, the same
for every text. One that was begun before the token has a column that the token's first bytes move on; tokens
are told apart by those bytes only as far as they do different things.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernels
from . import layout as L
from .sequences import LineColumns

_EFFECTS = np.array([L.EFFECT_OF.get(b, L.E_TEXT) for b in range(256)], np.int64)


def columns_in(nodes: npt.NDArray[np.int32], newline: int, tab: int) -> LineColumns:
    """The columns in the tokens of a trie (int32[n, 4])."""
    lines = LineColumns(newline, np.zeros(len(nodes), np.int64), np.zeros(len(nodes), np.int32))
    kernels.columns_in_tokens(nodes, _EFFECTS, tab, lines.column, lines.line)
    return lines


def effects_of(data: bytes) -> tuple[int, ...]:
    """What the bytes of a newline lexeme do to its column, in the fewest steps."""
    effects: list[int] = []
    for effect in _EFFECTS[list(data)].tolist():
        if effect in (L.E_BREAK, L.E_TEXT):
            effects = [effect]
        elif effects != [L.E_TEXT]:
            effects.append(effect)
    return tuple(effects)
