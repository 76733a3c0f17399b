"""Rules that many grammars have alike, laid out once for all of them.

Every JSON Schema has strings, numbers and blanks, and most have values of any kind. `ir.Common` names such
rules: the same objects each time. What is known of them (`Analysis`), the units that they are (`Units`) and
their records are made once for each shape of heap; a grammar that has them begins with a copy. Nobody changes
what it has from there, save for names of units, which `Units.share` copies first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..engine import layout as L
from ..engine.heap import Heap
from ..ir import Common, GrammarIR
from ..limits import USUAL
from .analysis import Analysis
from .build import Late, RuleBuilder

WAITING = 4  # heaps of one shape that wait for the next grammar


@dataclass(frozen=True, slots=True)
class LaidOut:
    """The common rules of a grammar, in a heap of one shape.

    words : int64[*], what lies in the heap from ``at`` on
    size : how many words there are with those of large patterns, which come behind (`RuleBuilder.late`)
    waiting : heaps that begin with the rules, and what belongs to each, for the next grammar: to lay one out
        is a third of what a small grammar takes
    """

    builder: RuleBuilder
    at: int
    words: npt.NDArray[np.int64]
    size: int
    waiting: list[tuple[Heap, Any]] = field(default_factory=list)

    def copy_into(self, heap: Heap) -> None:
        """Begin ``heap``, which is new and of the shape, with the rules."""
        at = heap.reserve(self.size)
        assert at == self.at
        heap.g[at : at + len(self.words)] = self.words

    def keep(self, heap: Heap, beside: Any) -> bool:
        """Let a heap that began with the rules, and that nobody reads any more, wait; False: it cannot."""
        if len(self.waiting) >= WAITING or not heap.begin_again():
            return False
        self.copy_into(heap)
        self.waiting.append((heap, beside))
        return True


@lru_cache(maxsize=32)
def laid_out(common: Common, max_heads: int, max_depth: int) -> LaidOut:
    """The rules, for heaps of grammars without special tokens that are made with these numbers."""
    limits = USUAL
    start = next(iter(common.promised))
    ir = GrammarIR(common.rules, start, promised=common.promised)
    heap = Heap(0, 4, max_heads, max_depth)
    at = int(heap.g[L.H_TOP])
    builder = RuleBuilder(ir, heap, limits, Analysis(ir, limits, ()))
    builder.build_all(common.rules)
    for info in builder.units:
        if info.owner in common.rules:
            info.owner = ""  # what another rule shares with it is shared by several
    for keys, around in common.others:
        builder.others(keys, around)
    words = heap.g[at : int(heap.g[L.H_TOP])].copy()
    late = {}
    for info in builder.units:
        if not info.built:
            begin = int(heap.g[L.H_TOP])
            builder.build(info.forward)
            laid = heap.g[begin : int(heap.g[L.H_TOP])].copy()
            late[info.forward] = Late(begin, laid, info.forward, info.at)
            info.at = info.forward  # where others find it
    builder.forget_large()
    builder.late = late
    return LaidOut(builder, at, words, int(heap.g[L.H_TOP]) - at)
