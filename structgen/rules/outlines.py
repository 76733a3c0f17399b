"""Rules whose expressions are alike have records alike: the graph between is made once in a process.

The *outline* of an expression is its form without the units that it calls: literals, sequences, choices,
loops, and places for units. It decides the graph, and with it the shape (`shapes`), so a rule with an outline
that was met before is a sum of two arrays. What an outline cannot say (a count, a rule written into its
callers, a pattern) has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..ir import Alt, Expr, Lit, Ref, Rep, Seq
from .graphs import Graphs
from .records import Records
from .shapes import Shape, Template, rule_template

MOST_KNOWN = 1024
MOST_DEEP = 8  # expressions in one another; arrays have five

_known: dict[
    Any, tuple[Template, list[int]]
] = {}  # outline -> records, and which of its units come in which order


class Outlines:
    """Builds the rules of one grammar that have an outline.

    read : has a rule that is not promised read, if it is not known yet
    """

    def __init__(self, graphs: Graphs, records: Records, read: Callable[[str], object]) -> None:
        self._graphs = graphs
        self._records = records
        self._read = read

    def build(self, expr: Expr, unit: int) -> int:
        """Write the automaton of ``expr``, the unit ``unit``; its first state, or 0: it is a new one."""
        place: dict[int, int] = {}
        key = self._outline(expr, place, MOST_DEEP)
        known = _known.get(key) if key is not None else None
        if known is None or not self._records.is_narrow(place):
            return 0
        template, order = known
        units = list(place)
        return self._records.template(template, [units[i] for i in order], unit)

    def note(self, expr: Expr, shape: Shape) -> None:
        """Remember what the shape of an expression's graph was."""
        place: dict[int, int] = {}
        key = self._outline(expr, place, MOST_DEEP)
        if key is not None and set(shape.units) <= set(place):
            if len(_known) >= MOST_KNOWN:
                _known.clear()
            _known[key] = rule_template(shape.key), [place[unit] for unit in shape.units]

    def _outline(self, e: Expr, place: dict[int, int], depth: int) -> Any:
        """A key of the form of ``e``; ``place``: the units that it calls, as they are met."""
        if isinstance(e, Lit):
            return e.data
        if isinstance(e, Ref):
            return self._call(e.rule, place)
        if not depth:
            return None
        below: tuple[Expr, ...]
        if isinstance(e, Seq | Alt):
            form: Any = isinstance(e, Seq)
            below = e.items
        elif isinstance(e, Rep) and not self._graphs.repetitions.is_counted(e):
            form = (e.min, e.max)
            below = (e.item,) if e.sep is None else (e.item, e.sep)
        else:
            return None
        found = [form]
        for one in below:
            key = self._outline(one, place, depth - 1)
            if key is None:
                return None
            found.append(key)
        return tuple(found)

    def _call(self, name: str, place: dict[int, int]) -> Any:
        graphs, facts = self._graphs, self._graphs.facts
        if name not in facts.promised:
            self._read(name)
            if name in graphs.inlined or not facts.productive[facts.rule[name]]:
                return None
        nullable, first = facts.starts_with(name)
        if not first:
            return None
        unit = graphs.rule_unit(name)
        return place.setdefault(unit, len(place)), nullable
