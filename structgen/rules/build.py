"""From grammar expressions to rule automata in the heap, a unit when it is first visited.

In discipline ``any`` a literal is spelled byte by byte in the rule that holds it and a pattern is a unit;
in ``longest`` a terminal is one symbol. Three things are settled here so that the kernels need not know
them:

*No unit matches the empty text.* Where an expression may be empty, the graph has a way around it (`graphs`).
*No unit begins by calling itself*, not even through others: a left-recursive `A: A x | y` becomes the loop
`A: y x*` (nobody asks for a tree), after the rules of a cycle have been substituted into one another in order
(Paull's algorithm, on automata instead of right parts; `recursion`).
*A call in last place leaves no frame*, so right recursion costs no stack (`records`).

Counts and key sets are numbers in the frame. A counted unit loops on its item, each round guarded by
`OP_INC`; a keyed unit walks a trie of its keys, whose last byte does `OP_KEY` (`members`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..automata import ByteDFA
from ..engine import layout as L
from ..engine.heap import Heap
from ..errors import GrammarError, LimitExceededError
from ..ir import Alt, Around, Bounded, Expr, GrammarIR, Lit, Members, Pat, Ref, Rep, Seq
from ..limits import Limits
from ..weakly import weakly
from .analysis import Analysis
from .automaton import DState, Graph, determinise, without_empty
from .bracketed import Bracketed, Others, recognise
from .calls import rules_on_cycles
from .graphs import Graphs
from .members import build_members
from .outlines import Outlines
from .patterns import WIDE_BYTES
from .records import Records
from .recursion import SmallRules, break_left_recursion
from .repetition import Repetitions, looped
from .unfolding import Unfolded
from .units import UnitInfo, Units

BUILT_AHEAD = 2000  # states
LARGE = (
    256  # states of a pattern; of those that many grammars have, larger ones are laid out when one is reached
)


@dataclass(frozen=True, slots=True)
class Late:
    """A large pattern that many grammars have, as it lies in each heap once a text gets there.

    begin, words : where it lies, int64[*]
    forward, at : its forward, and its first state
    """

    begin: int
    words: npt.NDArray[np.int64]
    forward: int
    at: int

    def copy_into(self, heap: Heap) -> None:
        """Lay it out where there is room left for it."""
        heap.g[self.begin : self.begin + len(self.words)] = self.words
        heap.g[self.forward + L.S_ROW] = self.at


class RuleBuilder:
    """Owns the units of one grammar and lays them out in its heap.

    Attributes
    ----------
    common : the builder of the grammar's common rules, which lie in the heap already
    units : the units, by the number that their states carry
    late : the common ones for which there is room in the heap, by forward
    facts, graphs : what is known of the grammar's expressions; what makes graphs of them
    """

    def __init__(
        self,
        ir: GrammarIR,
        heap: Heap,
        limits: Limits,
        facts: Analysis,
        common: RuleBuilder | None = None,
    ) -> None:
        if ir.start not in facts.promised and not facts.productive[facts.rule[ir.start]]:
            raise GrammarError(f"nothing can be written: the start rule {ir.start!r} has no finite text")
        self.heap = heap
        self._start = ir.start
        self.facts = facts
        self._max_states = limits.max_rule_states
        self._units: Units = Units(heap, None if common is None else common._units)
        self.units = self._units.all
        self.late: Mapping[int, Late] = {} if common is None else common.late
        repetitions = Repetitions(WIDE_BYTES)
        cyclic = rules_on_cycles(facts)
        self._small: SmallRules = SmallRules(
            facts, cyclic, repetitions, None if common is None else common._small
        )
        self.graphs: Graphs = Graphs(
            ir, facts, self._units, repetitions, self._small, None if common is None else common.graphs
        )
        overlays = None if ir.lexing == "longest" else weakly(self.build)
        self._records: Records = Records(
            heap,
            self._units,
            repetitions,
            self._max_states,
            overlays,
            None if common is None else common._records,
        )
        read = weakly(self._read)
        self._bracketed: Bracketed = Bracketed(
            self.graphs, self._records, read, None if common is None else common._bracketed
        )
        self._outlines = Outlines(self.graphs, self._records, read)
        left_recursive = break_left_recursion(self.graphs, cyclic, self._max_states)
        if ir.lexing == "longest":
            self.graphs.unfolded = Unfolded(
                facts, weakly(self._graph_of), self._small, cyclic, left_recursive, self._max_states
            )

    def build_all(self, names: Iterable[str]) -> None:
        """Build the units of these rules, and all that they call."""
        for name in names:
            if name not in self.facts.promised:
                self._read(name)
            self.graphs.rule_unit(name)
        for info in self.units:  # grows on the way
            if info.dfa is None or info.dfa.n_states <= LARGE:
                self.build(info.forward)

    def forget_large(self) -> None:
        """Let nobody else use the states of large patterns."""
        self._records.forget(LARGE)

    def others(self, keys: ByteDFA, around: Around) -> Others:
        """Lay out what members between brackets may have for other keys."""
        return self._bracketed.others(keys, around)

    def first_set(self, bits: int) -> int:
        """Heap offset of a FIRST set."""
        return self._units.first_set(bits)

    def built(self, name: str) -> int:
        """Heap offset of the initial state of such a rule's automaton, which is built now."""
        if name not in self.facts.promised:
            self._read(name)
        info = self.units[self.graphs.rule_unit(name)]
        self.build(info.forward)
        return info.at

    def name_of(self, unit: int) -> str:
        """What a unit is called in messages."""
        return self.units[unit].name

    def build_ahead(self) -> None:
        """Build what a text can reach, up to a number of states, so that no mask has to wait for it."""
        for info in self.units:  # grows on the way
            before = self._records.states
            if before > min(BUILT_AHEAD, self._max_states // 2):
                break
            promised = isinstance(info.expr, Ref) and info.expr.rule in self.facts.promised
            try:
                if not promised:
                    self.build(info.forward)
            except LimitExceededError as error:
                if error.limit != "max_rule_states":
                    raise
                self._records.states = before
                break  # a text that gets there is told so

    def start(self) -> int:
        """Heap offset of the initial state of the whole grammar (which may accept the empty text)."""
        nullable, first = self.facts.starts_with(self._start)
        unit = self.graphs.rule_unit(self._start) if first else -1
        if nullable or unit < 0 or self._records.may_overlay(unit):
            states = [DState([], [(unit, 1, 0)] if first else [], 0 if nullable else -1, None)]
            states.append(DState([], [], 0, None))
            return self._records.rule(states, -1)[0]
        callee, first_set = self._records.callee(unit)
        at = self.heap.reserve(L.STATE_WORDS + L.CALL_WORDS)
        g = self.heap.g
        g[at + L.S_CALLS], g[at + L.S_RULE] = 1, -1
        g[at + L.STATE_WORDS + L.C_INIT], g[at + L.STATE_WORDS + L.C_FIRST] = callee, first_set
        return at

    def build(self, forward: int) -> None:
        """Build the unit whose forward lies at heap offset ``forward``."""
        unit = int(self.heap.g[forward + L.S_RULE])
        info = self.units[unit]
        if forward in self.late:
            self.late[forward].copy_into(self.heap)
            return
        if info.built:
            return
        info.built = True
        try:
            at = self._lay_out(info, unit)
        except LimitExceededError:
            info.built = False
            raise
        self.heap.g[info.forward + L.S_ROW] = at
        info.at = at

    def _lay_out(self, info: UnitInfo, unit: int) -> int:
        """The initial state of a unit, written into the heap."""
        if info.dfa is not None:
            return self._pattern(info.dfa, unit)
        if isinstance(info.expr, Members):
            return build_members(info.expr, unit, self.graphs, self._records, self._max_states)
        if info.counted:
            assert isinstance(info.expr, Rep)
            return self._counted(info.expr, unit)
        expr: Expr = info.expr
        promised = expr.rule if isinstance(expr, Ref) and expr.rule in self.facts.promised else ""
        if promised:
            enclosed = self.facts.ir.enclosed
            form = enclosed(promised) if enclosed is not None else None
            at = self._bracketed.build(form, unit) if form is not None else 0
            if at:
                return at
            expr = self.facts.ir.rules[promised]
        plain = info.graph is None and self.facts.ir.lexing == "any" and isinstance(expr, (Seq, Alt, Rep))
        if plain:
            form = recognise(expr)
            at = self._bracketed.build(form, unit) if form is not None else 0
            at = at or self._outlines.build(expr, unit)
            if at:
                return at
            words = (
                [e.data if isinstance(e, Lit) else b"" for e in expr.items] if isinstance(expr, Alt) else []
            )
            if words and all(words):
                return self._records.words(words, unit)
        if promised:
            expr = info.expr = self._read(promised)
        if isinstance(expr, Pat):
            info.dfa, info.kinds, info.owner = expr.dfa, {expr.name or "pattern": None}, info.name
            return self._pattern(expr.dfa, unit)
        if isinstance(expr, Bounded):
            return self._records.bounded(expr, unit)
        at, shape = self._records.graph(info.graph or self.graphs.of(expr, info.name), unit)
        if plain and shape is not None:
            self._outlines.note(expr, shape)
        return at

    def _graph_of(self, name: str) -> Graph:
        return self.graphs.of(self.facts.exprs[self.facts.rule[name]], name)

    def _read(self, name: str) -> Expr:
        """The expression of a rule, which is read now if it was not before."""
        facts = self.facts
        number = facts.rule.get(name)
        if number is None:
            number = facts.read(name)
            if facts.called_early:
                self._small.leave_out(rules_on_cycles(facts))
        return facts.exprs[number]

    def _pattern(self, dfa: ByteDFA, unit: int) -> int:
        base = self._records.pattern(dfa, unit)[0]
        if not dfa.accepts_empty:
            return base
        # The unit never matches the empty text: a start of its own, which is not final.
        at = self.heap.put(self.heap.g[base : base + L.STATE_WORDS].copy())
        self.heap.g[at + L.S_FLAGS] = 0
        return at

    def _counted(self, e: Rep, unit: int) -> int:
        """item{min,max} with min >= 1, no separator: a loop with a count."""
        most = -1 if e.max is None else e.max
        inc = self._units.op(L.OP_INC, most, e.min if e.max is None else e.max)
        enough = self._units.op(L.OP_AT_LEAST, e.min)
        dfa = looped(e)
        if dfa is not None:
            return self._records.pattern(dfa, unit, (inc, enough))[0]
        info = self.units[unit]
        graph = self.graphs.of(e.item, info.owner or info.name)
        item = without_empty(determinise(graph, 0, self._max_states))
        # Its first steps count; its ends are its start again, beside going on where they can.
        first = item[0]
        first.edges = [(lo, hi, to, inc) for lo, hi, to, _ in first.edges]
        first.calls = [(callee, to, inc) for callee, to, _ in first.calls]
        for s in item[1:]:
            if s.final >= 0:
                s.final = enough
                s.edges = s.edges + first.edges
                s.calls = s.calls + first.calls
        first.final = enough
        return self._records.rule(item, unit)[0]
