"""Many masks in one call, without the interpreter lock."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import numpy as np

from .bitmask import Bitmask
from .engine.arena import Arena
from .engine.kernels import fill_rows
from .matcher import GrammarMatcher

_arena_of = attrgetter("_arena")
_state_of = attrgetter("_state")


def fill_next_token_bitmasks(matchers: Sequence[GrammarMatcher | None], bitmask: Bitmask) -> None:
    """Row ``i`` of ``bitmask`` gets the mask of ``matchers[i]``; ``None`` leaves its row as it is.

    The rows that are known are copied by one kernel call for each compiled grammar, during which other Python
    threads run; only masks that were never made before take the interpreter.

    bitmask : int32[>= len(matchers), >= ceil(size / 32)], C-contiguous
    Raises ValueError when there are more matchers than rows, or for a bitmask of another type or shape.
    """
    n = len(matchers)
    if n > bitmask.shape[0]:
        raise ValueError(f"{n} matchers for a bitmask of {bitmask.shape[0]} rows")
    # What holds the interpreter is time that other threads do not have: the usual batch, of one grammar, is
    # gone through without a line of Python for each row.
    try:
        arenas = set(map(_arena_of, matchers))
    except AttributeError:  # one of them is None
        arenas = set()
    if len(arenas) == 1:
        states = np.fromiter(map(_state_of, matchers), np.int64, n)
        _fill(arenas.pop(), matchers, states, np.arange(n), bitmask)
        return
    together: dict[Arena, list[int]] = {}
    for i, matcher in enumerate(matchers):
        if matcher is not None:
            together.setdefault(matcher._arena, []).append(i)
    for arena, rows in together.items():
        states = np.fromiter([matchers[i]._state for i in rows], np.int64, len(rows))  # type: ignore[union-attr]
        _fill(arena, matchers, states, np.array(rows), bitmask)


def _fill(
    arena: Arena,
    matchers: Sequence[GrammarMatcher | None],
    states: np.ndarray[tuple[int], np.dtype[np.int64]],
    indices: np.ndarray[tuple[int], np.dtype[np.int64]],
    bitmask: Bitmask,
) -> None:
    """The rows ``indices``, whose matchers are at ``states`` of one arena."""
    first = matchers[int(indices[0])]
    assert first is not None
    first.check_bitmask(bitmask)
    missing = int(fill_rows(arena.heap.g, arena.rows, states, indices, bitmask))
    for i in sorted(indices[:missing].tolist()):
        matcher = matchers[i]
        assert matcher is not None
        matcher.fill_next_token_bitmask(bitmask, i)
