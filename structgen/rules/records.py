"""Deterministic states into the heap.

Two forms: a rule's state has a list of edges and calls, a pattern's state a dense row over byte classes.
Where a rule does nothing but enter wide text, its state is an *overlay* of the text's first state and uses
the text's vocabulary table; else every opening quote would be a state of its own to tabulate.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from ..automata import ByteDFA
from ..engine import layout as L
from ..engine.heap import Heap
from ..engine.spelling import spell_words
from ..errors import LimitExceededError
from ..ir import Bounded
from .automaton import DState, Graph, Overlay, determinise, minimised, without_empty
from .patterns import Block, bounded_ops, lay_out, lay_out_bounded, source_of
from .repetition import Repetitions, looped
from .shapes import Shape, Template, rule_template, state_words
from .units import Units

_Int64 = npt.NDArray[np.int64]


class Records:
    """Writes the states of one grammar.

    build : builds the unit of a forward, for a rule state that overlays it; None: no overlays
    """

    def __init__(
        self,
        heap: Heap,
        units: Units,
        repetitions: Repetitions,
        max_states: int,
        build: Callable[[int], None] | None,
        common: Records | None = None,
    ) -> None:
        self.heap = heap
        self.units = units
        self.max_states = max_states
        self._repetitions = repetitions
        self._build = build
        self._blocks: dict[tuple[bytes, tuple[int, int] | None], tuple[Block, int]] = {}
        self.states = 0
        if common is not None:
            self._blocks, self.states = common._blocks.copy(), common.states

    def count_states(self, n: int) -> None:
        """Raise LimitExceededError when ``n`` more states are too many."""
        self.states += n
        if self.states > self.max_states:
            raise LimitExceededError(
                "max_rule_states", self.max_states, self.states, "building rule automata"
            )

    def pattern(self, dfa: ByteDFA, unit: int, counted: tuple[int, int] | None = None) -> Block:
        """Write ``dfa``: (offset of its first state, words a state, class map); the others follow in order.

        counted : (OP_INC operation, OP_AT_LEAST operation): the ends of the pattern are its start again
        """
        key = (dfa.digest, counted)
        known = self._blocks.get(key)
        if known is not None:
            block, holder = known
            if holder != unit:
                mine = self.units.all[unit]
                for kind in mine.kinds:
                    self.units.share(holder, kind, mine.owner)
            return block
        self.count_states(dfa.n_states - 1)
        looping = counted is not None
        block, states = lay_out(self.heap, dfa, unit, source_of(dfa.digest, looping), looping)
        if counted is not None:
            states[0, L.S_FINAL_OP] = counted[1]
            states[0, L.S_ROW_OP] = counted[0]
            states[:, L.S_COUNT_OP] = counted[0]
        self._blocks[key] = block, unit
        return block

    def bounded(self, e: Bounded, unit: int) -> int:
        """Write a pattern that is bounded in length; its first state."""
        self.count_states(e.dfa.n_states - 1)
        counting, other = (self.units.op(*op) for op in bounded_ops(e))
        return lay_out_bounded(self.heap, e, unit, counting, other)

    def forget(self, states: int) -> None:
        """Let patterns of more than so many states be written anew for whoever else has one."""
        large = {info.dfa.digest for info in self.units.all if info.dfa and info.dfa.n_states > states}
        self._blocks = {key: block for key, block in self._blocks.items() if key[0] not in large}

    def copy(self, block: Block, n: int, follow: int) -> Block:
        """Write the ``n`` states of a pattern again; they use the vocabulary tables of the first ones.

        So the ends may be made to lead elsewhere (`redirect`), with no frame to return from.

        follow : offset of the FIRST set of what comes after the ends
        """
        at, stride, cmap = block
        self.count_states(n)
        base = self.heap.reserve(n * stride)
        self.heap.g[base : base + n * stride] = self.heap.g[at : at + n * stride]
        states = self._states_of(base, stride, n)
        states[:, L.S_FOLLOW] = follow
        for part in (states[:, L.S_ROW], states[:, L.STATE_WORDS :]):
            part[part > 0] += base - at
        return base, stride, cmap

    def redirect(self, block: Block, n: int, targets: dict[int, int]) -> None:
        """Of a copied block: what leads to state ``q`` of its automaton leads to offset ``targets[q]``."""
        base, stride, _ = block
        rows = self._states_of(base, stride, n)[:, L.STATE_WORDS :]
        for q, target in targets.items():
            rows[rows == base + (q - 1) * stride] = target

    def _states_of(self, base: int, stride: int, n: int) -> _Int64:
        return self.heap.g[base : base + n * stride].reshape(n, stride)

    def graph(self, g: Graph, unit: int) -> tuple[int, Shape | None]:
        """Write the automaton of a rule's graph from state 0 on, without the empty text.

        Its first state, and the graph's shape where that decided all of it.
        """
        shape = Shape.of(g)
        if shape is None or not self.is_narrow(shape.units):
            states = minimised(without_empty(determinise(g, 0, self.max_states)))
            return self.rule(states, unit)[0], None
        return self.template(rule_template(shape.key), shape.units, unit), shape

    def template(self, template: Template, callees: list[int], unit: int) -> int:
        """Write the states of a rule that calls the units ``callees``; its first state."""
        self.count_states(template.states)
        base = self.heap.reserve(len(template.words))
        numbers = [base, unit, 0]
        for callee in callees:
            numbers += self.callee(callee)
        self.heap.g[base : base + len(template.words)] = template.at(numbers)
        return base

    def is_narrow(self, units: Iterable[int]) -> bool:
        """No state that calls some of the units may be an overlay of one."""
        return self._build is None or not any(map(self.may_overlay, units))

    def rule(self, states: list[DState], unit: int) -> tuple[int, list[int]]:
        """Write the states of a rule's automaton; the offset of state 0, and those of all."""
        self.count_states(len(states))
        offsets: list[int] = []
        size = 0
        tables: list[int] = []
        for s in states:
            if s.overlay is None and s.calls and self._build is not None:
                s.overlay = self._enter(s)
                tables.append(0 if s.overlay is None else s.overlay.wide)
            else:
                # The other automaton's table covers edges that spell its own words, and nothing else.
                covered = s.overlay and not s.calls and s.final < 0 and self._are_its_own(s.edges, s.overlay)
                tables.append(s.overlay.wide if s.overlay and covered else 0)
            offsets.append(size)
            size += L.STATE_WORDS + L.EDGE_WORDS * len(s.edges) + L.CALL_WORDS * len(s.calls)
        base = self.heap.reserve(size)
        places = [base + offset for offset in offsets]
        words: list[int] = []
        for s, wide in zip(states, tables, strict=True):
            words += state_words(s, states, places, unit, wide, self.callee)
        self.heap.g[base : base + size] = np.frombuffer(array("q", words), np.int64)
        return base, places

    def words(self, words: list[bytes], unit: int) -> int:
        """Write the trie of ``words``, of which none is empty; its root."""
        words = sorted(set(words))
        blob = np.frombuffer(bytearray().join(words), np.uint8)
        self.count_states(len(blob) + 2)
        at = self.heap.reserve((len(blob) + 2) * (L.STATE_WORDS + L.EDGE_WORDS))
        offsets = np.array([*accumulate(map(len, words), initial=0)], np.int64)
        scratch = np.empty(4 * (len(blob) + 1), np.int64)
        return int(spell_words(self.heap.g, at, blob, offsets, unit, scratch))

    def _are_its_own(self, edges: Iterable[tuple[int, int, int, int]], overlay: Overlay) -> bool:
        """The first state of the automaton that is overlaid reads all that the edges read."""
        g = self.heap.g
        row, classes = overlay.row, g[overlay.cmap : overlay.cmap + 32].view(np.uint8)
        return all(g[row + int(classes[byte])] for lo, hi, _, _ in edges for byte in range(lo, hi + 1))

    def callee(self, unit: int) -> tuple[int, int]:
        """Where a unit lies, and its FIRST set."""
        info = self.units.all[unit]
        return info.at, info.first

    def may_overlay(self, unit: int) -> bool:
        """A state that calls ``unit`` may be an overlay of it."""
        info = self.units.all[unit]
        dfa = looped(info.expr) if info.counted else info.dfa
        return dfa is not None and not dfa.accepts_empty and self._repetitions.is_wide(dfa)

    def _enter(self, s: DState) -> Overlay | None:
        """The one call of ``s`` that enters wide text, as an overlay: the state is then as wide as the text.

        Only where nothing else in ``s`` reads a byte of the callee's, and where the callee's vocabulary table
        covers whatever else ``s`` can do (its start is final, so that every other token is asked of the
        stack).
        """
        for call in s.calls:
            callee, to, op = call
            info = self.units.all[callee]
            if info.counted:
                dfa, param = looped(info.expr), 1
            else:
                alone = len(s.calls) == 1 and not s.edges and s.final < 0
                dfa, param = info.dfa if alone else None, 0
            if dfa is None or dfa.accepts_empty or not self._repetitions.is_wide(dfa):
                continue
            taken = 0
            for lo, hi, _, _ in s.edges:
                taken |= (2 << hi) - (1 << lo)
            if taken & dfa.first_bits:
                continue
            assert self._build is not None
            self._build(info.forward)
            at, g = info.at, self.heap.g
            s.calls = [c for c in s.calls if c != call]
            row, cmap, wide = (int(g[at + word]) for word in (L.S_ROW, L.S_CMAP, L.S_WIDE))
            return Overlay(row, cmap, to, op, wide, param)
        return None
