"""The making of a lexer state's table: the tokens that stay in its lexeme, and groups of those that leave it.

How a token leaves the lexeme is found in one pass over the vocabulary's trie; how the rest of it reads from
there is a signature (`sequences`). Tokens with one signature, after lexemes of the same terminals, are a
group.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from . import kernels
from . import layout as L
from .indentation import effects_of
from .sequences import Sequences
from .table_pool import Piece
from .vocab_tables import groups_of

if TYPE_CHECKING:
    from .arena import Arena


def group_tokens(arena: Arena, key: Hashable, state: int, sequences: Sequences) -> int:
    """Make the table of a lexer state, to be found under ``key``; its number."""
    t = arena.tables
    stay = np.full(t.size, -1, np.int16)
    won = np.zeros(t.size, np.int64)
    node = np.zeros(t.size, np.int32)
    dead = np.zeros(256, np.uint8)
    arena.call(kernels.leaving_tokens, t.nodes, state, stay, won, node, dead)
    tokens = np.flatnonzero((won > 0) & (stay < 0))
    places = sequences.places
    at = places.base[node[tokens]] + t.rank_of_token[tokens] - places.rank[node[tokens]]
    signatures = sequences.of[at].astype(np.int64)
    alive = signatures > 0
    tokens, signatures = tokens[alive], signatures[alive]
    runs = []
    for record in np.unique(won[tokens]).tolist():
        terminals = terminals_of(arena, record)
        if arena.lines is not None and arena.lines[0] in terminals:
            effects = _effects(arena, tokens, node, won, record)
        else:
            effects = {(): won[tokens] == record}
        runs += [(terminals, e, tokens[mine], signatures[mine]) for e, mine in effects.items()]
    own = groups_of(sorted(runs, key=lambda run: run[:2]), t.words)
    at_once: tuple[Hashable, Callable[[], Piece]] | None = None
    ended = int(arena.g[state + L.R_KEY + (int(arena.g[state]) >> 8)])
    if ended:
        # What ends the lexeme with its first byte reads alike after every state that ends on those bytes,
        # whatever terminal the lexeme is.
        def groups_at_once() -> Piece:
            first = t.data_first[t.token_of_rank]
            tokens = t.token_of_rank[dead[first] > 0].astype(np.int64)
            signatures = sequences.of[places.base[0] + t.rank_of_token[tokens]].astype(np.int64)
            alive = signatures > 0
            return groups_of([((), (), tokens[alive], signatures[alive])], t.words)

        at_once = ("at once", arena.terminals_key, dead.tobytes()), groups_at_once
    return t.add(key, np.flatnonzero(stay >= 0).astype(np.int32), own, at_once)


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
