"""Patterns into the heap: a dense row over byte classes for each state.

These are what vocabulary tables are made for, so each state says of which automaton it is (S_SOURCE).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from ..automata import ByteDFA
from ..engine import layout as L
from ..engine.heap import Heap
from ..engine.spelling import CLASS_MAP, write_pattern
from ..ir import Bounded
from ..regex import NEVER
from .bounded import reads_left

Block = tuple[int, int, int]  # offset of the first state, words a state, class map
_Int64 = npt.NDArray[np.int64]

MOST_LEFT = 1 << 14  # reads; vocabulary tables count in 16 bits
WIDE_BYTES = 48  # a state that so many bytes leave has a vocabulary table from the start


def lay_out(
    heap: Heap, dfa: ByteDFA, unit: int, source: tuple[int, int], looping: bool
) -> tuple[Block, _Int64]:
    """Write the states of a pattern; where they lie, and themselves.

    source : two words that name it; looping : its ends are its start again, and the start is final
    """
    n, classes = dfa.n_states - 1, dfa.trans.shape[1]
    stride = L.STATE_WORDS + classes
    place = heap.reserve(4 + CLASS_MAP + n * stride)
    cmap = place + 4
    base = int(
        write_pattern(heap.g, cmap, dfa.trans, dfa.final, dfa.classes, place, unit, looping, WIDE_BYTES)
    )
    heap.g[place : place + 4] = *source, base, stride
    return (base, stride, cmap), heap.g[base : base + n * stride].reshape(n, stride)


def bounded_ops(e: Bounded) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """The operations of a pattern that is bounded in length: where a read counts, and elsewhere."""
    most, held = (NEVER, e.least) if e.most is None else (e.most, e.most)
    return (L.OP_WITHIN, most, held, e.least), (L.OP_WITHIN, most, 0, e.least)


def lay_out_bounded(heap: Heap, e: Bounded, unit: int, counting: int, other: int) -> int:
    """Write a pattern that is bounded in length; its first state. Where its operations lie: `bounded_ops`."""
    counted, source, left, has_tables = _counted(e)
    block, states = lay_out(heap, e.dfa, unit, source, False)
    states[:, L.S_ROW_OP] = other
    states[counted, L.S_ROW_OP] = counting
    states[:, L.S_COUNT_OP] = counting
    states[:, L.S_PARAM] = left
    if not has_tables:
        states[:, L.S_WIDE] = 0
    return block[0]


@lru_cache(maxsize=256)
def _counted(e: Bounded) -> tuple[npt.NDArray[np.int64], tuple[int, int], npt.NDArray[np.int64], bool]:
    """Of a bounded pattern: the states that count, the dead one apart; two words that name the automaton that
    counts in them; how many reads are left at least in each; whether vocabulary tables can count so far."""
    counted = np.zeros(e.dfa.n_states, bool)
    counted[list(e.counted)] = True
    digest = blake2b(e.dfa.digest + counted.tobytes(), digest_size=16).digest()
    left = reads_left(e)[1:]
    return np.flatnonzero(counted[1:]), source_of(digest, True), left, bool(left.max() <= MOST_LEFT)


def source_of(digest: bytes, looping: bool) -> tuple[int, int]:
    """Two words that name an automaton: 126 bits of its digest, and whether its ends are its start."""
    first, second = (int.from_bytes(digest[at : at + 8], "little") >> 1 for at in (0, 8))
    return first, second & ~1 | int(looping)
