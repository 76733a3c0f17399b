"""The tails of keyed members, many of one shape, as copies of one template.

After its key nearly every member goes on alike: a colon, blanks, and a call of the value's rule. An object of
fifty keys would have two hundred states made one by one; here the states of a shape are made once for a
grammar. Each word of a template is a constant plus at most one of five numbers (where it lies, where it
leads, the callee with its FIRST set, the rule's number): so the tails of an object are one sum of arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..engine import layout as L
from ..ir import Expr, Members, Pat, Ref, Seq
from .automaton import DState, Graph, determinise, determinise_all
from .graphs import Graphs
from .records import Records, state_words

_Int64 = npt.NDArray[np.int64]

_VALUE = -1  # stands for the callee in a template's graph
_SHIFT = 40  # no constant of a record is so large


@dataclass(frozen=True)
class _Template:
    states: int
    words: _Int64  # int64[n], with all numbers 0
    number: _Int64  # int64[n], which of the five is added to a word; 5: none


Shaped = dict[int, tuple[_Template, int]]  # by any key: its template, and the unit that it ends with


class Tails:
    """What the members of all objects of a grammar share: separators, and templates of tails."""

    def __init__(self, graphs: Graphs, records: Records, max_states: int) -> None:
        self._graphs = graphs
        self._records = records
        self._max_states = max_states
        self._templates: dict[tuple[int, ...], _Template | None] = {}
        self._separators: dict[int, list[DState]] = {}

    def separator(self, sep: Expr, owner: str) -> list[DState]:
        """The automaton of a separator; most objects of a grammar have the same."""
        states = self._separators.get(id(sep))
        if states is None:
            states = determinise(self._graphs.of(sep, owner), 0, self._max_states)
            self._separators[id(sep)] = states
        return states

    def shaped(self, tails: dict[int, Expr], owner: str) -> Shaped:
        """Those of ``tails`` that have a shape, under the same keys; ``owner``: the rule they are in."""
        found: Shaped = {}
        for key, tail in tails.items():
            if isinstance(tail, Seq) and len(tail.items) > 1:
                template = self._template(tail.items[:-1], owner)
                callee = None if template is None else self._callee(tail.items[-1], owner)
                if template is not None and callee is not None:
                    found[key] = (template, callee)
        return found

    def write(self, tails: Shaped, after: int, unit: int) -> dict[int, int]:
        """Lay out tails; where they lie.

        after : heap offset of the state that they lead to; unit : whose states they are
        """
        groups: dict[int, tuple[_Template, list[int], list[int]]] = {}
        for key, (template, callee) in tails.items():
            _, keys, callees = groups.setdefault(id(template), (template, [], []))
            keys.append(key)
            callees.append(callee)
        where: dict[int, int] = {}
        heap = self._records.heap
        for template, keys, callees in groups.values():
            n, size = len(keys), len(template.words)
            self._records.count_states(n * template.states)
            base = heap.reserve(n * size)
            numbers = np.zeros((n, 6), np.int64)
            numbers[:, 0] = places = base + size * np.arange(n)
            numbers[:, 1] = after
            numbers[:, 2:4] = [self._records.callee(callee) for callee in callees]
            numbers[:, 4] = unit
            heap.g[base : base + n * size] = (numbers[:, template.number] + template.words).reshape(-1)
            where.update(zip(keys, places.tolist(), strict=True))
        return where

    def _callee(self, value: Expr, owner: str) -> int | None:
        """The unit that is all of ``value``, or None where it is more than a call."""
        facts = self._graphs.facts
        number = facts.of(value)
        if facts.nullable[number] or not facts.productive[number]:
            return None
        if isinstance(value, Ref):
            unit = self._graphs.rule_unit(value.rule)
        elif isinstance(value, Pat):
            unit = self._graphs.units.pattern(value.dfa, value.name or "pattern", owner)
        elif isinstance(value, Members):
            unit = self._graphs.units.get(id(value), "members", owner, value, facts.first[number])
        else:
            return None
        return None if self._records.may_overlay(unit) else unit

    def _template(self, before: tuple[Expr, ...], owner: str) -> _Template | None:
        key = tuple(map(id, before))
        if key not in self._templates:
            self._templates[key] = self._make(before, owner)
        return self._templates[key]

    def _make(self, before: tuple[Expr, ...], owner: str) -> _Template | None:
        """The template of a tail that reads ``before`` and then calls; None where it may be an overlay."""
        g = Graph()
        start, value, end = g.state(), g.state(), g.state()
        self._graphs.expand(g, Seq(before), start, value, owner)
        g.calls[value].append((_VALUE, end, 0))
        states, (_, last) = determinise_all(g, [start, end], self._max_states)
        called = {callee for s in states for callee, _, _ in s.calls} - {_VALUE}
        if any(map(self._records.may_overlay, called)):
            return None
        words = _words(states, last, self._records)
        number = (words >> _SHIFT) - 1
        return _Template(len(states) - 1, words & ((1 << _SHIFT) - 1), np.where(number < 0, 5, number))


def _words(states: list[DState], last: int, records: Records) -> _Int64:
    """The words of all ``states`` but ``last``, which is where they lead; number i is ``i + 1 << _SHIFT``."""
    base, after, at, first, unit = (i + 1 << _SHIFT for i in range(5))
    places = []
    for i, s in enumerate(states):
        places.append(after if i == last else base)
        if i != last:
            base += L.STATE_WORDS + L.EDGE_WORDS * len(s.edges) + L.CALL_WORDS * len(s.calls)

    def callee(number: int) -> tuple[int, int]:
        return (at, first) if number == _VALUE else records.callee(number)

    words: list[int] = []
    for i, s in enumerate(states):
        if i != last:
            words += state_words(s, states, places, unit, 0, callee)
    return np.array(words, np.int64)
