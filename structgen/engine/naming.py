"""What a matcher's state is called: the rules and terminals that a text is in, for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import layout as L

if TYPE_CHECKING:
    from .arena import Arena


def rules_at(arena: Arena, state: int) -> list[str]:
    """Names of the rules that the heads of a matcher state are in, for messages."""
    g = arena.heap.g
    n = int(g[state]) >> 8
    heads = g[state + L.R_KEY : state + L.R_KEY + n].reshape(-1, 3)
    if int(g[L.H_MODE]) == 1:
        parsers = [int(h[1]) for h in heads]
        heads = np.concatenate(
            [g[p + L.R_KEY + 1 : p + L.R_KEY + (int(g[p]) >> 8)].reshape(-1, 3) for p in parsers]
        )
    names = []
    for s in heads[:, 0].tolist():
        unit = int(g[s + L.S_RULE])
        names.append("start" if s == arena.start or unit < 0 else arena.rules.name_of(unit))
    return list(dict.fromkeys(names))


def expected_terminals(arena: Arena, state: int) -> list[str]:
    """Discipline ``longest``: terminals being read, or that may begin."""
    g = arena.heap.g
    if int(g[L.H_MODE]) == 0:
        return []
    n = int(g[state]) >> 8
    names: set[str] = set()
    for q in g[state + L.R_KEY : state + L.R_KEY + n].reshape(-1, 3)[:, 0].tolist():
        k = int(g[q]) >> 8
        for m in g[q + L.R_KEY + 1 : q + L.R_KEY + k].tolist():
            names.add(arena.terminals[int(g[m + L.T_TERMINAL])][0].name)
    return sorted(names)
