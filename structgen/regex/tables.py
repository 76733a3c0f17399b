"""Between arrays and kernels: limits, growth, and the one canonical form.

Whatever makes an automaton ends in `from_tables`: dead states go, equal states and equal byte classes are
merged, classes are numbered by their first byte and states breadth-first. Two automata of one language are
then the same arrays, whatever they were made from, and everything kept by digest relies on that.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..automata import ByteDFA
from ..errors import LimitExceededError
from ..limits import USUAL, Limits, check_time
from . import kernels_make, kernels_reduce

_WORK_BETWEEN_LOOKS = 20_000_000  # elements; some 50 ms


class Budget:
    """The limits of one construction, and when it began."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or USUAL
        self._began = time.monotonic()

    def check_time(self, what: str) -> None:
        """Raises LimitExceededError past the time of the clock that runs, or of ``compile_seconds``."""
        if check_time(what):
            return
        spent = time.monotonic() - self._began
        if spent > self.limits.compile_seconds:
            raise LimitExceededError("compile_seconds", self.limits.compile_seconds, spent, what)

    def check_states(self, n: int, what: str) -> None:
        """Raises LimitExceededError for more than ``max_dfa_states``."""
        if n > self.limits.max_dfa_states:
            raise LimitExceededError("max_dfa_states", self.limits.max_dfa_states, n, what)


def merge_columns(trans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(first, class_of): one column of each kind in order of appearance, and column -> its kind."""
    columns = trans.shape[1]
    first, class_of = np.empty(columns, np.int64), np.empty(columns, np.int64)
    found = kernels_reduce.equal_columns(np.ascontiguousarray(trans, np.int32), first, class_of)
    return first[:found], class_of


def reduce_table(
    trans: np.ndarray, final: np.ndarray, start: int = 1, *, minimal: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The minimal trimmed automaton of (trans, final), numbered breadth-first in the order of the columns.

    ``minimal``: no two live states are equal; saves the refinement.
    """
    return kernels_reduce.reduced(trans, final, start, minimal)


def from_tables(
    classes: np.ndarray, trans: np.ndarray, final: np.ndarray, *, start: int = 1, minimal: bool = False
) -> ByteDFA:
    """The canonical automaton of any table.

    Parameters
    ----------
    classes : integers[256], byte -> column of ``trans``
    trans : integers[n_states, n_columns]; 0 is dead and has no transitions
    final : bool[n_states]
    minimal : no two live states are equal; saves the refinement
    """
    classes = np.asarray(classes, dtype=np.int64)
    trans = np.asarray(trans, dtype=np.int32)
    final = np.asarray(final, dtype=np.bool_)
    if len(trans) <= start:
        return empty_language()
    return ByteDFA(*kernels_reduce.canonical(classes, np.ascontiguousarray(trans), final, start, minimal))


def empty_language() -> ByteDFA:
    """No byte string at all."""
    return ByteDFA(np.zeros(256, np.uint8), np.zeros((1, 1), np.int32), np.zeros(1, np.bool_))


def determinise(
    move: np.ndarray,
    empty_moves: np.ndarray,
    seeds: np.ndarray,
    accept: np.ndarray,
    budget: Budget,
    what: str,
    universal: Sequence[int] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """The subset automaton (trans, final) of a nondeterministic one; neither trimmed nor minimal.

    move : int32[n, k], node, class -> node or -1
    empty_moves : int[m, 2], (from, to)
    seeds : int[...], the nodes to start in
    accept : bool[n]
    universal : final nodes that read everything and stay: a subset with one of them is that one alone
    """
    keep = ((move >= 0).any(axis=1) | accept).astype(np.uint8)
    keep[list(universal)] = kernels_make.UNIVERSAL
    trans, pool, ptr = _subsets(move, empty_moves, seeds, keep, budget, what)
    final = np.zeros(len(trans), np.bool_)
    if len(trans) > 1:
        final[1:] = np.maximum.reduceat(accept[pool], ptr[1:-1])
    return trans, final


def run_side_by_side(
    move: np.ndarray, seeds: np.ndarray, budget: Budget, what: str
) -> tuple[np.ndarray, np.ndarray]:
    """(trans, states) of deterministic automata that run at once, one below the other in a table.

    move : int32[n, k], state, class -> state of the same automaton; -1 for a class that no text has
    seeds : int32[m], the state in which each begins
    states : int32[states of ``trans``, m], the state of each in every state but the dead one, 0
    """
    nothing, keep = np.zeros((0, 2), np.int64), np.ones(len(move), np.uint8)
    trans, pool, _ = _subsets(move, nothing, seeds, keep, budget, what)
    states = np.zeros((len(trans), len(seeds)), np.int32)
    states[1:] = pool.reshape(-1, len(seeds))
    return trans, states


def _subsets(
    move: np.ndarray,
    empty_moves: np.ndarray,
    seeds: np.ndarray,
    keep: np.ndarray,
    budget: Budget,
    what: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(trans, pool, ptr): see ``kernels_make.determinise``; ``pool`` and ``ptr`` without what is not used."""
    n, k = move.shape
    order = np.argsort(empty_moves[:, 0], kind="stable") if len(empty_moves) else np.zeros(0, np.int64)
    eps_to = empty_moves[order, 1].astype(np.int32) if len(empty_moves) else np.zeros(0, np.int32)
    eps_ptr = np.zeros(n + 1, dtype=np.int64)
    if len(empty_moves):
        eps_ptr[1:] = np.cumsum(np.bincount(empty_moves[:, 0], minlength=n))
    counters = np.zeros(kernels_make.N_COUNTERS, np.int64)
    capacity = 64
    pool = np.empty(max(1024, 4 * n), np.int32)
    ptr = np.zeros(capacity + 2, np.int64)
    trans = np.zeros((capacity, k), np.int32)
    table = np.zeros(4 * capacity, np.int32)
    scratch = (np.zeros(n, np.int64), np.empty(n, np.int32), np.empty(n, np.int32))
    seeds = np.asarray(seeds, dtype=np.int32)
    while True:
        budget.check_time(what)
        status = kernels_make.determinise(
            move, eps_ptr, eps_to, keep, seeds, pool, ptr, trans, table, counters, *scratch,
            _WORK_BETWEEN_LOOKS,
        )  # fmt: skip
        found = int(counters[kernels_make.N_STATES])
        if status == kernels_make.DONE:
            break
        budget.check_states(found, what)
        if status == kernels_make.FULL:
            if counters[kernels_make.POOL] + n > len(pool):
                pool = grown(pool, 2 * len(pool) + n)
            if found + 2 >= capacity:
                capacity *= 4
                ptr = grown(ptr, capacity + 2)
                trans = grown(trans, capacity)
                table = np.zeros(4 * capacity, np.int32)
                kernels_make.rehash(table, pool, ptr, found)
    budget.check_states(found, what)
    return trans[: found + 1], pool[: counters[kernels_make.POOL]], ptr[: found + 2]


def pair_up(
    a: np.ndarray,
    b: np.ndarray,
    class_a: np.ndarray,
    class_b: np.ndarray,
    both: bool,
    budget: Budget,
    what: str,
) -> tuple[np.ndarray, np.ndarray]:
    """(trans, pairs) of the product of two tables; ``both`` as in `kernels_make.product`."""
    capacity = 256 + len(class_a)
    counters = np.zeros(kernels_make.N_COUNTERS, np.int64)
    pairs = np.zeros((capacity, 2), np.int32)
    trans = np.zeros((capacity, len(class_a)), np.int32)
    table = np.zeros(_power_of_two(4 * capacity), np.int32)
    class_a, class_b = np.asarray(class_a, np.int64), np.asarray(class_b, np.int64)
    while True:
        budget.check_time(what)
        status = kernels_make.product(
            a, b, class_a, class_b, pairs, trans, table, counters, _WORK_BETWEEN_LOOKS, both
        )
        found = int(counters[kernels_make.N_STATES])
        if status == kernels_make.DONE:
            break
        budget.check_states(found, what)
        if status == kernels_make.FULL:
            capacity *= 4
            pairs, trans = grown(pairs, capacity), grown(trans, capacity)
            table = np.zeros(_power_of_two(4 * capacity), np.int32)
            kernels_make.rehash_pairs(table, pairs, found)
    budget.check_states(found, what)
    return trans[: found + 1], pairs[: found + 1]


def grown(a: np.ndarray, rows: int) -> np.ndarray:
    """``a`` with so many rows, the new ones zero."""
    out: np.ndarray[Any, Any] = np.zeros((rows, *a.shape[1:]), dtype=a.dtype)
    out[: len(a)] = a
    return out


def _power_of_two(n: int) -> int:
    return 1 << (n - 1).bit_length()
