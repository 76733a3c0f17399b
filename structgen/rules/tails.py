"""The tails of keyed members, many of one shape, as copies of one template.

After its key nearly every member goes on alike: a colon, blanks, and a call of the value's rule. An object of
fifty keys would have two hundred states made one by one; here the states of a shape are made once
(`shapes`), and the tails of an object are one sum of arrays.
"""

from __future__ import annotations

import numpy as np

from ..ir import Expr, Members, Pat, Ref, Seq
from .automaton import Graph
from .graphs import Graphs
from .records import Records
from .shapes import Shape, Template, tail_template

_VALUE = -1  # stands for the callee in a template's graph

Shaped = dict[int, tuple[Template, list[int], int]]
"""By any key: its template, the units that it calls (`_VALUE` among them), the unit that it ends with."""


def _groups(tails: Shaped) -> list[tuple[Template, list[int]]]:
    """The templates, each with the keys of its tails; these lie one after the other."""
    groups: dict[int, tuple[Template, list[int]]] = {}
    for key, (template, _, _) in tails.items():
        groups.setdefault(id(template), (template, []))[1].append(key)
    return list(groups.values())


class Tails:
    """What the members of all objects of a grammar share: separators, and templates of tails."""

    def __init__(self, graphs: Graphs, records: Records) -> None:
        self._graphs = graphs
        self._records = records
        self._templates: dict[tuple[int, ...], tuple[Template, list[int]] | None] = {}
        self._separators: dict[int, tuple[Graph, Shape | None]] = {}

    def separator(self, sep: Expr, owner: str) -> tuple[Graph, Shape | None]:
        """The graph of a separator and its shape; most objects of a grammar have the same."""
        found = self._separators.get(id(sep))
        if found is None:
            g = self._graphs.of(sep, owner)
            found = self._separators[id(sep)] = (g, Shape.of(g))
        return found

    def shaped(self, tails: dict[int, Expr], owner: str) -> Shaped:
        """Those of ``tails`` that have a shape, under the same keys; ``owner``: the rule they are in."""
        found: Shaped = {}
        for key, tail in tails.items():
            if isinstance(tail, Seq) and len(tail.items) > 1:
                template = self._template(tail.items[:-1], owner)
                callee = None if template is None else self._callee(tail.items[-1], owner)
                if template is not None and callee is not None:
                    found[key] = (*template, callee)
        return found

    def reserve(self, tails: Shaped) -> dict[int, int]:
        """Where tails are to lie."""
        where: dict[int, int] = {}
        for template, keys in _groups(tails):
            size = len(template.words)
            self._records.count_states(template.states * len(keys))
            base = self._records.heap.reserve(size * len(keys))
            where.update(zip(keys, range(base, base + size * len(keys), size), strict=True))
        return where

    def write(self, tails: Shaped, where: dict[int, int], after: int, unit: int) -> None:
        """Lay tails out.

        after : heap offset of the state that they lead to; unit : whose states they are
        """
        g, callee = self._records.heap.g, self._records.callee
        for template, keys in _groups(tails):
            base, size = where[keys[0]], len(template.words)
            units = tails[keys[0]][1]
            value = units.index(_VALUE)
            before = [word for called in units[:value] for word in callee(called)]
            rows = [(where[key], unit, after, *before, *callee(tails[key][2]), 0) for key in keys]
            words = np.array(rows, np.int64)[:, template.number]
            words += template.words
            g[base : base + size * len(keys)] = words.reshape(-1)

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

    def _template(self, before: tuple[Expr, ...], owner: str) -> tuple[Template, list[int]] | None:
        key = tuple(map(id, before))
        if key not in self._templates:
            self._templates[key] = self._make(before, owner)
        return self._templates[key]

    def _make(self, before: tuple[Expr, ...], owner: str) -> tuple[Template, list[int]] | None:
        """The template of a tail that reads ``before`` and then calls; None where it may be an overlay."""
        g = Graph()
        start, end, value = g.state(), g.state(), g.state()
        self._graphs.expand(g, Seq(before), start, value, owner)
        g.calls[value].append((_VALUE, end, 0))
        shape = Shape.of(g)
        if shape is None or not self._records.is_narrow(u for u in shape.units if u != _VALUE):
            return None
        return tail_template(shape.key), shape.units
