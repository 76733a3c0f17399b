"""What can be called: the units of a grammar, and the small records that several of them share.

A unit is a rule, a pattern (a whole terminal's automaton), a counted repetition, a set of keyed members.
It has a place in the heap before it has an automaton: a *forward*, which a kernel reports when a text gets
there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..automata import ByteDFA
from ..engine import layout as L
from ..engine.heap import Heap
from ..ir import Expr, Seq
from .automaton import Graph


@dataclass
class UnitInfo:
    """A callable automaton: its expression, where it lies, with what it begins."""

    kinds: dict[str, None]  # what it is, in words; several where automata are shared
    owner: str  # the rule it belongs to; "" when it is one itself, or belongs to several
    expr: Expr
    forward: int  # the record in the heap that stands for it
    at: int  # the same, then its initial state
    first: int  # heap offset of its FIRST set
    graph: Graph | None = None  # left-recursive rules: made beforehand
    dfa: ByteDFA | None = None
    counted: bool = False  # a repetition with a count in its frame
    built: bool = False

    @property
    def name(self) -> str:
        """What it is called in messages."""
        kind = " or ".join(self.kinds)
        return f"{kind} of {self.owner}" if self.owner and self.owner not in self.kinds else kind

    def share(self, kind: str, owner: str) -> None:
        """Another part of the grammar has the same automaton."""
        self.kinds[kind] = None
        if owner != self.owner:
            self.owner = ""


class Units:
    """The units of one grammar, in the order in which they were first asked for."""

    def __init__(self, heap: Heap, common: Units | None = None) -> None:
        self.heap = heap
        self.all: list[UnitInfo] = []
        self._number: dict[object, int] = {}
        self._ops: dict[tuple[int, int, int, int], int] = {}
        self._first_sets: dict[int, int] = {}
        self._common = 0
        if common is not None:
            self.all, self._number = common.all.copy(), common._number.copy()
            self._ops, self._first_sets = common._ops.copy(), common._first_sets.copy()
            self._common = len(self.all)  # so many records belong to others as well
        self._symbol_words = int(heap.g[L.H_SYMBOL_WORDS])

    def get(self, key: object, kind: str, owner: str, expr: Expr, first: int) -> int:
        """The number of the unit of ``key``, a new one if need be; ``first``: bits of its FIRST set."""
        unit = self._number.get(key)
        if unit is None:
            unit = self._number[key] = len(self.all)
            at = self.heap.reserve(L.STATE_WORDS)
            self.heap.g[at + L.S_FLAGS] = L.FORWARD
            self.heap.g[at + L.S_RULE] = unit
            self.all.append(UnitInfo({kind: None}, owner, expr, at, at, self.first_set(first)))
        return unit

    def counted(self, key: object, kind: str, owner: str, expr: Expr, first: int) -> int:
        """The same for a repetition with a count in its frame."""
        unit = self.get(key, kind, owner, expr, first)
        self.all[unit].counted = True
        return unit

    def pattern(self, dfa: ByteDFA, kind: str, owner: str) -> int:
        """The unit of an automaton; equal automata have one."""
        unit = self._number.get(dfa.digest)
        if unit is None:
            unit = self.get(dfa.digest, kind, owner, Seq(()), dfa.first_bits)
            self.all[unit].dfa = dfa
        else:
            self.share(unit, kind, owner)
        return unit

    def share(self, unit: int, kind: str, owner: str) -> None:
        """Another part of the grammar has the same automaton."""
        info = self.all[unit]
        if kind in info.kinds and info.owner in ("", owner):
            return
        if unit < self._common:
            info = self.all[unit] = replace(info, kinds=dict(info.kinds))
        info.share(kind, owner)

    def op(self, code: int, a: int = 0, b: int = 0, c: int = 0) -> int:
        """Heap offset of an operation."""
        key = (code, a, b, c)
        at = self._ops.get(key)
        if at is None:
            at = self._ops[key] = self.heap.put(key)
        return at

    def first_set(self, bits: int) -> int:
        """Heap offset of a FIRST set."""
        at = self._first_sets.get(bits)
        if at is None:
            at = self._first_sets[bits] = self.heap.put(_words(bits, self._symbol_words))
        return at


@lru_cache(maxsize=256)
def _words(bits: int, n: int) -> npt.NDArray[np.int64]:
    return np.frombuffer(bits.to_bytes(8 * n, "little"), "<i8")
