"""The making of tables: of a lexer state's own tokens, and of those that end a lexeme with their first byte.

How a token leaves the lexeme is found in one pass over the vocabulary's trie; how the rest of it reads from
there is a signature (`sequences`). Tokens with one signature, after lexemes of the same terminals, are a
group.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from . import kernels
from . import layout as L
from .indentation import effects_of
from .sequences import Sequences
from .table_pool import Piece
from .tabulating.rows import set_row
from .vocab_tables import groups_of

if TYPE_CHECKING:
    from .arena import Arena


def group_own(arena: Arena, state: int, sequences: Sequences) -> Piece:
    """The table of a lexer state's own tokens."""
    t = arena.tables
    stay = np.full(t.size, -1, np.int16)
    won = np.zeros(t.size, np.int64)
    node = np.zeros(t.size, np.int32)
    arena.call(kernels.leaving_tokens, t.nodes, state, stay, won, node)
    tokens = np.flatnonzero((won != 0) & (stay < 0))
    places = sequences.places
    at = places.base[node[tokens]] + t.rank_of_token[tokens] - places.rank[node[tokens]]
    signatures = sequences.of[at].astype(np.int64)
    alive = signatures > 0
    tokens, signatures = tokens[alive], signatures[alive]
    runs = []
    for record in np.unique(won[tokens]).tolist():
        terminals = terminals_of(arena, record) if record > 0 else ()
        if arena.lines is not None and arena.lines[0] in terminals:
            effects = _effects(arena, tokens, node, won, record)
        else:
            effects = {(): won[tokens] == record}
        runs += [(terminals, e, tokens[mine], signatures[mine]) for e, mine in effects.items()]
    own = groups_of(sorted(runs, key=lambda run: run[:2]), t.words)
    staying = np.flatnonzero(stay >= 0).astype(np.int32)
    rows = np.zeros((1 if len(staying) else 0, t.words), np.int32)
    if len(staying):
        set_row(staying, rows[0])
    return replace(own, rows=rows)


def group_at_once(arena: Arena, record: int, sequences: Sequences) -> Piece:
    """The table of the tokens that begin with one of the bytes of a record, which end a lexeme.

    What ends the lexeme with its first byte reads alike after every state that ends on those bytes, whatever
    terminal the lexeme is.
    """
    t = arena.tables
    bits = arena.g[record + L.R_KEY : record + L.R_KEY + 4].view(np.uint8)
    dead = np.unpackbits(bits, bitorder="little").astype(np.bool_)
    tokens = t.token_of_rank[dead[t.data_first[t.token_of_rank]]].astype(np.int64)
    signatures = sequences.of[sequences.places.base[0] + t.rank_of_token[tokens]].astype(np.int64)
    alive = signatures > 0
    return groups_of([((), (), tokens[alive], signatures[alive])], t.words)


def _effects(
    arena: Arena,
    tokens: npt.NDArray[np.int64],
    node: npt.NDArray[np.int32],
    won: npt.NDArray[np.int64],
    record: int,
) -> dict[tuple[int, ...], npt.NDArray[np.bool_]]:
    """Which of ``tokens`` end a newline lexeme (``won``: ``record``) with equal effects on its column."""
    t, v = arena.tables, arena.vocabulary
    ended = won[tokens] == record
    same: dict[tuple[int, ...], npt.NDArray[np.bool_]] = {}
    for at in np.unique(node[tokens[ended]]).tolist():
        mine = ended & (node[tokens] == at)
        first = int(v.offsets[tokens[int(np.argmax(mine))]])
        effects = effects_of(v.data[first : first + int(t.nodes[at, 1])].tobytes())
        same[effects] = same[effects] | mine if effects in same else mine
    return same


def terminals_of(arena: Arena, record: int) -> tuple[int, ...]:
    """The numbers of the terminals of an interned set."""
    n = int(arena.g[record]) >> 8
    return tuple(arena.g[record + L.R_KEY : record + L.R_KEY + n].tolist())
