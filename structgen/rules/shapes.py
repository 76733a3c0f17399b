"""Automata of rules up to the units that they call, kept for all grammars of a process.

Rules of different grammars are often alike: an object is a brace, blanks, its members, blanks, a brace; after
a key stand a colon, blanks and one call. A graph without the numbers of the units that it calls is its
*shape*. A shape is made deterministic once, and its records are made once, as constants each with at most
one of a few numbers added: where it lies, whose states it has, where a callee lies, with what that begins.
Laying a rule out is then one sum of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..engine import layout as L
from .automaton import DState, Graph, determinise_all, minimised, without_empty

_Int64 = npt.NDArray[np.int64]

SMALL = 80  # states of a graph whose shape is kept
_SHIFT = 40  # no constant of a record is so large
BASE, RULE, AFTER, CALLEES = range(
    4
)  # numbers: the place, the unit, where it leads, then two for each callee


@dataclass(frozen=True, slots=True)
class Shape:
    """The key of a graph, without overlays and operations; ``units``: the numbers that are left out."""

    key: Any
    units: list[int]

    @classmethod
    def of(cls, g: Graph) -> Shape | None:
        """The shape of a graph; None where it is too large, or has more than a shape can say."""
        if len(g.eps) > SMALL or g.overlay:
            return None
        place: dict[int, int] = {}
        calls = []
        for found in g.calls:
            calls.append(tuple([(place.setdefault(callee, len(place)), to, op) for callee, to, op in found]))
        key = (tuple(map(tuple, g.eps)), tuple(map(tuple, g.edges)), tuple(calls), tuple(g.final.items()))
        return cls(key, list(place))


@dataclass(frozen=True, slots=True)
class Template:
    """Records up to some numbers.

    number : which of the numbers is added to each word; the last of them is 0
    """

    states: int
    words: _Int64
    number: _Int64

    def at(self, numbers: Sequence[int]) -> _Int64:
        """The words, with these numbers."""
        found: _Int64 = np.array((*numbers, 0), np.int64)[self.number]
        found += self.words
        return found


@lru_cache(maxsize=1024)
def automaton(key: Any, starts: tuple[int, ...]) -> tuple[list[DState], list[int]]:
    """The deterministic automaton of a shape; to be read, not changed."""
    eps, edges, calls, final = key
    g = Graph(list(map(list, eps)), list(map(list, edges)), list(map(list, calls)), dict(final))
    return determinise_all(g, starts, 1 << 20)


@lru_cache(maxsize=1024)
def rule_template(key: Any) -> Template:
    """The records of a rule whose graph begins at 0, without the empty text."""
    states = [DState(list(s.edges), list(s.calls), s.final, s.overlay) for s in automaton(key, (0,))[0]]
    return _template(minimised(without_empty(states)), -1)


@lru_cache(maxsize=1024)
def tail_template(key: Any) -> Template:
    """The records of a tail from graph state 0 to graph state 1, which lies elsewhere."""
    states, (_, last) = automaton(key, (0, 1))
    return _template(states, last)


def _template(states: list[DState], last: int) -> Template:
    """The records of ``states`` but ``last``, which is where they lead."""
    here = BASE + 1 << _SHIFT
    places = []
    for i, s in enumerate(states):
        places.append(AFTER + 1 << _SHIFT if i == last else here)
        if i != last:
            here += L.STATE_WORDS + L.EDGE_WORDS * len(s.edges) + L.CALL_WORDS * len(s.calls)

    def callee(number: int) -> tuple[int, int]:
        return CALLEES + 1 + 2 * number << _SHIFT, CALLEES + 2 + 2 * number << _SHIFT

    words: list[int] = []
    for i, s in enumerate(states):
        if i != last:
            words += state_words(s, states, places, RULE + 1 << _SHIFT, 0, callee)
    found = np.array(words, np.int64)
    number = (found >> _SHIFT) - 1
    return Template(len(states) - (last >= 0), found & ((1 << _SHIFT) - 1), number)


def state_words(
    s: DState,
    states: list[DState],
    places: list[int],
    unit: int,
    wide: int,
    callee: Callable[[int], tuple[int, int]],
) -> list[int]:
    """The record of a state of a rule, where its ``states`` lie at ``places``.

    callee : where the unit of a number lies, and its FIRST set
    """
    o = s.overlay
    flags, final_op = (0, 0) if s.final < 0 else (L.FINAL, s.final)
    row, cmap, ret, row_op, param, follow = 0, 0, 0, 0, 0, 0
    if o is not None:
        row, cmap, row_op, param, follow = o.row, o.cmap, o.op, o.param, o.follow
        if o.ret is not None:
            ret = places[o.ret] if o.ret >= 0 else -o.ret
    edges, calls = len(s.edges), len(s.calls)
    words = [flags, edges, calls, row, cmap, ret, final_op, wide, row_op, 0, 0, unit, param, follow]
    for lo, hi, to, op in s.edges:
        words += (lo | hi << 16, places[to] if to >= 0 else -to, op)
    for number, to, op in s.calls:
        at, first = callee(number)
        words += (at, 0 if states[to].is_end else places[to], 0, op, first, 0)
    return words
