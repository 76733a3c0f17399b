"""Deterministic states into the heap.

Two forms: a rule's state has a list of edges and calls, a pattern's state a dense row over byte classes.
Where a rule does nothing but enter wide text, its state is an *overlay* of the text's first state and uses
the text's vocabulary table; else every opening quote would be a state of its own to tabulate.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
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
from .bounded import reads_left
from .repetition import Repetitions, looped
from .shapes import Shape, Template, rule_template, state_words
from .units import Units

Block = tuple[int, int, int]  # offset of the first state, words a state, class map
_Int64 = npt.NDArray[np.int64]

MOST_LEFT = 1 << 14  # reads; vocabulary tables count in 16 bits
SMALL = 256  # states; of a pattern up to this size the words of its states are kept for other grammars


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
        block, states = self._automaton(
            dfa, unit, _source(dfa.digest, counted is not None), counted is not None
        )
        if counted is not None:
            states[0, L.S_FINAL_OP] = counted[1]
            states[0, L.S_ROW_OP] = counted[0]
            states[:, L.S_COUNT_OP] = counted[0]
        self._blocks[key] = block, unit
        return block

    def bounded(self, e: Bounded, unit: int) -> int:
        """Write a pattern that is bounded in length; its first state."""
        counted = np.zeros(e.dfa.n_states, bool)
        counted[list(e.counted)] = True
        digest = blake2b(e.dfa.digest + counted.tobytes(), digest_size=16).digest()
        op, uncounted = (self.units.op(L.OP_WITHIN, e.most, step) for step in (1, 0))
        block, states = self._automaton(e.dfa, unit, _source(digest, True), False)
        left = reads_left(e)[1:]
        states[:, L.S_ROW_OP] = np.where(counted[1:], op, uncounted)
        states[:, L.S_COUNT_OP] = op
        states[:, L.S_PARAM] = left
        if left.max() > MOST_LEFT:
            states[:, L.S_WIDE] = 0
        return block[0]

    def _automaton(
        self, dfa: ByteDFA, unit: int, source: tuple[int, int], looping: bool
    ) -> tuple[Block, _Int64]:
        """Write the states of a pattern; where they lie, and themselves.

        source : two words that name it; looping : its ends are its start again, and the start is final
        """
        heap = self.heap
        n = dfa.n_states - 1
        self.count_states(n)
        make = _pattern_words if n <= SMALL else _pattern_words.__wrapped__
        words, places = make(dfa, looping, self._repetitions.wide_bytes)
        stride = words.shape[1]
        cmap = heap.put(np.ascontiguousarray(dfa.classes, np.uint8).view("<i8"))
        place = heap.reserve(4)
        base = heap.reserve(n * stride)
        heap.g[place : place + 4] = *source, base, stride
        states = self._states_of(base, stride, n)
        np.multiply(places, base, out=states)
        states += words
        states[:, L.S_CMAP] = cmap
        states[:, L.S_SOURCE] = place
        states[:, L.S_RULE] = unit
        return (base, stride, cmap), states

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


@lru_cache(maxsize=64)
def _pattern_words(dfa: ByteDFA, looping: bool, wide_bytes: int) -> tuple[_Int64, _Int64]:
    """The states of ``dfa`` as if they lay at offset 0; 1 for each word that is an offset.

    looping : its ends are its start again, and the start is final
    """
    n = dfa.n_states - 1
    classes = dfa.trans.shape[1]
    stride = L.STATE_WORDS + classes
    words = np.zeros((n, stride), np.int64)
    places = np.zeros((n, stride), np.int64)
    trans = dfa.trans[1:].astype(np.int64)
    alive = trans > 0
    leaves = alive.any(axis=1)
    if looping:
        trans[dfa.final[trans]] = 1
        words[0, L.S_FLAGS] = L.FINAL
    else:
        words[:, L.S_FLAGS] = np.where(dfa.final[1:], L.FINAL, 0)
    words[:, L.STATE_WORDS :] = np.where(alive, (trans - 1) * stride, 0)
    places[:, L.STATE_WORDS :] = alive
    own = np.arange(n, dtype=np.int64) * stride
    words[:, L.S_ROW] = np.where(leaves, own + L.STATE_WORDS, 0)
    places[:, L.S_ROW] = leaves
    widths = alive @ np.bincount(dfa.classes, minlength=classes)
    words[:, L.S_WIDE] = np.where(leaves, own, 0)
    places[:, L.S_WIDE] = leaves
    if widths.max(initial=0) >= wide_bytes:
        # An escape or half a character leads back into wide text; only a narrow start is left out.
        has_table = np.array(leaves)
        has_table[0] = widths[0] >= wide_bytes
        words[:, L.S_FLAGS] |= np.where(has_table, L.WIDE, 0)
    return words, places


def _source(digest: bytes, looping: bool) -> tuple[int, int]:
    """Two words that name an automaton: 126 bits of its digest, and whether its ends are its start."""
    first, second = (int.from_bytes(digest[at : at + 8], "little") >> 1 for at in (0, 8))
    return first, second & ~1 | int(looping)
