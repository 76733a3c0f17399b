"""Many masks in one call, without the interpreter lock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bitmask import Bitmask
from .engine.arena import Arena
from .engine.kernels import fill_rows
from .matcher import GrammarMatcher


def fill_next_token_bitmasks(matchers: Sequence[GrammarMatcher | None], bitmask: Bitmask) -> None:
    """Row ``i`` of ``bitmask`` gets the mask of ``matchers[i]``; ``None`` leaves its row as it is.

    The rows that are known are copied by one kernel call for each compiled grammar, during which other Python
    threads run; only masks that were never made before take the interpreter.

    bitmask : int32[>= len(matchers), >= ceil(size / 32)], C-contiguous
    Raises ValueError when there are more matchers than rows, or for a bitmask of another type or shape.
    """
    if len(matchers) > bitmask.shape[0]:
        raise ValueError(f"{len(matchers)} matchers for a bitmask of {bitmask.shape[0]} rows")
    together: dict[Arena, list[tuple[int, GrammarMatcher]]] = {}
    for i, matcher in enumerate(matchers):
        if matcher is None:
            continue
        if matcher.is_terminated():
            matcher.fill_next_token_bitmask(bitmask, i)
            continue
        if matcher._arena not in together:
            matcher.check_bitmask(bitmask)
            together[matcher._arena] = []
        together[matcher._arena].append((i, matcher))
    for arena, rows in together.items():
        indices = np.array([i for i, _ in rows], np.int64)
        states = np.array([matcher._state for _, matcher in rows], np.int64)
        missing = int(fill_rows(arena.heap.g, arena.rows, states, indices, bitmask))
        wanted = set(indices[:missing].tolist())
        for i, matcher in rows if wanted else ():
            if i in wanted:
                matcher.fill_next_token_bitmask(bitmask, i)
