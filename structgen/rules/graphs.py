"""From expressions to graphs over symbols and calls.

A graph has a way around whatever may be empty, because no unit matches the empty text. Small rules are
written into their callers; what cannot be finished is left out; a repetition is a unit with a count or is
written out (`repetition`). Nothing is built here but the graph that was asked for: what it calls is a unit
with a number.
"""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache

import numpy as np

from ..automata import ByteDFA
from ..ir import Alt, Bounded, Expr, GrammarIR, Lit, Mark, Pat, Ref, Rep, Seq, Special, Term
from .analysis import Analysis
from .automaton import Graph, splice
from .repetition import Repetitions
from .unfolding import MOST_WRITTEN, Unfolded
from .units import Units

_Work = list[tuple[Expr, int, int, str]]  # expression, from and to which state, the rule it is written in
_Spans = tuple[tuple[int, int], ...]

MOST_SPELLED = 64  # a pattern that is a chain of at most so many bytes is spelled where it is used


class Graphs:
    """Makes the graphs of one grammar.

    inlined : names of the small rules that are written into their callers
    unfolded : the automata of other rules that are; None: there are none
    """

    def __init__(
        self,
        ir: GrammarIR,
        facts: Analysis,
        units: Units,
        repetitions: Repetitions,
        inlined: Container[str],
        common: Graphs | None = None,
    ) -> None:
        self.ir = ir
        self.facts = facts
        self.units = units
        self.repetitions = repetitions
        self.inlined = inlined
        self.unfolded: Unfolded | None = None
        self._longest = ir.lexing == "longest"
        self._rule_units: dict[str, int] = {}
        self._again: dict[int, Seq] = {}
        if common is not None:
            self._rule_units, self._again = common._rule_units.copy(), common._again.copy()

    def rule_unit(self, name: str) -> int:
        """The unit of a rule; of one that is promised, the expression is a call of it."""
        unit = self._rule_units.get(name)
        if unit is None:
            first = self.facts.promised.get(name)
            expr: Expr = Ref(name)
            if first is None:
                number = self.facts.rule[name]
                expr, first = self.facts.exprs[number], self.facts.first[number]
            if isinstance(expr, Pat):
                unit = self.units.pattern(expr.dfa, expr.name or name, name)
            elif (
                isinstance(expr, Rep)
                and expr.sep is None
                and expr.max != 0
                and self.repetitions.is_counted(expr)
            ):
                unit = self._counted_unit(expr, name, "")
            else:
                unit = self.units.get(("rule", name), name, "", expr, first)
            self._rule_units[name] = unit
        return unit

    def of(self, expr: Expr, owner: str) -> Graph:
        """A graph with start 0 and one final state 1; the empty text may be among its texts.

        owner : the rule that ``expr`` is written in, for messages
        """
        g = Graph()
        s, e = g.state(), g.state()
        g.final[e] = 0
        self.expand(g, expr, s, e, owner)
        return g

    def expand(self, g: Graph, expr: Expr, start: int, end: int, owner: str) -> None:
        """Add ways from ``start`` to ``end`` that read ``expr``. Iterative: nesting is the user's."""
        facts = self.facts
        todo: _Work = [(expr, start, end, owner)]
        while todo:
            e, s, t, owner = todo.pop()
            number = facts.number.get(id(e))
            if number is not None and not facts.productive[number]:
                continue
            if isinstance(e, Lit):
                if e.data:
                    g.spell(e.data, s, t)
                else:
                    g.eps[s].append(t)
            elif isinstance(e, Seq):
                at = s
                for item in e.items[:-1]:
                    to = g.state()
                    todo.append((item, at, to, owner))
                    at = to
                if e.items:
                    todo.append((e.items[-1], at, t, owner))
                else:
                    g.eps[s].append(t)
            elif isinstance(e, Alt):
                todo.extend([(item, s, t, owner) for item in e.items])
            elif isinstance(e, Ref):
                if e.rule in self.inlined:
                    # Fresh ends: a loop inside the rule's text must not leak into the caller's.
                    a, b = g.state(), g.state()
                    g.eps[s].append(a)
                    g.eps[b].append(t)
                    todo.append((facts.exprs[facts.rule[e.rule]], a, b, e.rule))
                else:
                    nullable, first = facts.starts_with(e.rule)
                    if nullable:
                        g.eps[s].append(t)
                    if first:
                        self._call(g, e.rule, s, t)
            elif isinstance(e, Term):
                if self._longest:
                    symbol = facts.terminal_number[e.name]
                    g.edges[s].append((symbol, symbol, t, 0))
                else:
                    self._pattern(g, self.ir.terminals[e.name].dfa, s, t, e.name, owner)
            elif isinstance(e, Special | Mark):
                symbol = facts.special_symbol[e]
                g.edges[s].append((symbol, symbol, t, 0))
            elif isinstance(e, Pat):
                self._pattern(g, e.dfa, s, t, e.name or "pattern", owner)
            elif isinstance(e, Bounded):
                unit = self.units.get(id(e), e.name or "pattern", owner, e, self._first(e))
                g.calls[s].append((unit, t, 0))
            elif isinstance(e, Rep):
                self._repeat(g, e, s, t, owner, todo)
            else:
                if self._null(e):
                    g.eps[s].append(t)
                unit = self.units.get(id(e), "members", owner, e, facts.first[facts.of(e)])
                g.calls[s].append((unit, t, 0))

    def _call(self, g: Graph, rule: str, s: int, t: int) -> None:
        """A way from ``s`` to ``t`` that reads a rule: a call, or its automaton."""
        part = None if self.unfolded is None or len(g.eps) > MOST_WRITTEN else self.unfolded.get(rule)
        if part is None:
            g.calls[s].append((self.rule_unit(rule), t, 0))
        else:
            splice(g, part, s, t, 0)

    def _null(self, e: Expr) -> bool:
        return self.facts.nullable[self.facts.of(e)]

    def _first(self, e: Expr) -> int:
        return self.facts.first[self.facts.of(e)]

    def _pattern(self, g: Graph, dfa: ByteDFA, s: int, t: int, kind: str, owner: str) -> None:
        """A pattern in a rule: a single byte or a chain of them is spelled, anything else is called."""
        if dfa.accepts_empty:
            g.eps[s].append(t)
        chain = _chain(dfa)
        if chain is None:
            if dfa.first_bits:
                g.calls[s].append((self.units.pattern(dfa, kind, owner), t, 0))
            return
        at = s
        for spans in chain:
            to = g.state()
            g.edges[at].extend([(lo, hi, to, 0) for lo, hi in spans])
            at = to
        g.eps[at].append(t)

    def _repeat(self, g: Graph, e: Rep, s: int, t: int, owner: str, todo: _Work) -> None:
        if e.max == 0 or (e.min == 0 and not self.facts.productive[self.facts.of(e.item)]):
            g.eps[s].append(t)
        elif not self.repetitions.is_counted(e):
            _write_out(g, e, s, t, owner, todo)
        elif e.sep is None:
            if self._null(e):
                g.eps[s].append(t)
            g.calls[s].append((self._counted_unit(e, "repetition", owner), t, 0))
        else:
            # item (sep item)*: the first item apart, so that what is counted has no separator.
            if e.min == 0:
                g.eps[s].append(t)
            to = g.state()
            todo.append((e.item, s, to, owner))
            if e.min <= 1:
                g.eps[to].append(t)
            if e.max != 1:
                self._separated(g, e, e.sep, to, t, owner)

    def _separated(self, g: Graph, e: Rep, sep: Expr, s: int, t: int, owner: str) -> None:
        """What follows the first item of a counted repetition: (sep item) again and again."""
        first = self._first(sep)
        nullable = self._null(sep) and self._null(e.item)
        if self._null(sep):
            first |= self._first(e.item)
        if nullable:
            g.eps[s].append(t)
        if first:
            # The pair is an expression made here, one for each repetition, and kept while its id is a key.
            pair = self._again.setdefault(id(e), Seq((sep, e.item)))
            least = 1 if nullable else max(e.min - 1, 1)
            more = Rep(pair, least, None if e.max is None else e.max - 1)
            g.calls[s].append((self.units.counted(("again", id(e)), "repetition", owner, more, first), t, 0))

    def _counted_unit(self, e: Rep, kind: str, owner: str) -> int:
        """The unit of item{min,max} without separator, its empty text left to the caller."""
        least = 1 if self._null(e.item) else max(e.min, 1)
        item = Rep(e.item, least, e.max)
        return self.units.counted(("counted", id(e)), kind, owner, item, self._first(e.item))


def _write_out(g: Graph, e: Rep, s: int, t: int, owner: str, todo: _Work) -> None:
    """``min`` copies, then a loop or the optional rest."""

    def one_more(at: int, to: int, sep: Expr | None) -> None:
        if sep is not None:
            middle = g.state()
            todo.append((sep, at, middle, owner))
            at = middle
        todo.append((e.item, at, to, owner))

    at = s
    for i in range(e.min):
        to = g.state()
        one_more(at, to, e.sep if i else None)
        at = to
    if e.max is None:
        if e.min == 0:
            g.eps[at].append(t)
            first = g.state()
            one_more(at, first, None)
            at = first
        loop = g.state()
        g.eps[at].append(loop)
        g.eps[loop].append(t)
        one_more(loop, loop, e.sep)
        return
    g.eps[at].append(t)
    for i in range(e.min, e.max):
        to = g.state()
        one_more(at, to, e.sep if i else None)
        g.eps[to].append(t)
        at = to


@lru_cache(maxsize=1024)
def _chain(dfa: ByteDFA) -> tuple[_Spans, ...] | None:
    """The ranges of bytes at each place, where any word is one of each in turn; None for other languages."""
    chain: list[_Spans] = []
    q = dfa.start
    while len(chain) < MOST_SPELLED:
        targets = np.unique(dfa.trans[q])
        targets = targets[targets > 0]
        if not len(targets):
            return tuple(chain)
        if len(targets) > 1 or dfa.final[q]:
            return None
        chain.append(_ranges(np.flatnonzero(dfa.trans[q][dfa.classes]).tolist()))
        q = int(targets[0])
    return None


def _ranges(values: list[int]) -> _Spans:
    out: list[tuple[int, int]] = []
    for v in values:
        if out and out[-1][1] + 1 == v:
            out[-1] = (out[-1][0], v)
        else:
            out.append((v, v))
    return tuple(out)
