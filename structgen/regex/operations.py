"""Operations on byte automata. Every result is canonical (`tables.from_tables`).

An operation takes the limits that bound it; without any, the default ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np

from ..automata import ByteDFA
from ..limits import Limits
from . import kernels_bytes
from .tables import Budget, determinise, empty_language, from_tables, merge_columns, pair_up


@lru_cache(maxsize=256)
def literal(data: bytes) -> ByteDFA:
    """Exactly these bytes."""
    n = len(data)
    values = {byte: column for column, byte in enumerate(sorted(set(data)))}
    classes = np.full(256, len(values), dtype=np.int64)
    classes[list(values)] = np.arange(len(values))
    trans = np.zeros((n + 2, len(values) + 1), dtype=np.int32)
    trans[np.arange(1, n + 1), [values[byte] for byte in data]] = np.arange(2, n + 2)
    final = np.zeros(n + 2, dtype=np.bool_)
    final[n + 1] = True
    return from_tables(classes, trans, final, minimal=True)


def from_strings(strings: Iterable[bytes]) -> ByteDFA:
    """Any one of these strings: a sorted trie whose equal subtrees are merged."""
    ordered = sorted(set(strings))
    if not ordered:
        return empty_language()
    data = np.frombuffer(b"".join(ordered), dtype=np.uint8)
    ends = np.cumsum(np.fromiter(map(len, ordered), dtype=np.int64, count=len(ordered)))
    room = len(data) + 1
    parent = np.zeros(room, np.int64)
    label = np.zeros(room, np.uint8)
    final = np.zeros(room, np.bool_)
    n = kernels_bytes.trie(data, ends, parent, label, final)
    same = np.zeros(n, np.int64)
    edges, ptr = kernels_bytes.fold_acyclic(parent, label, final, n, same)
    kept = np.flatnonzero(same == np.arange(n))  # the root, node 0, comes first
    number = np.zeros(n, np.int64)
    number[kept] = np.arange(1, len(kept) + 1)
    values = np.unique(label[1:n])
    classes = np.full(256, len(values), dtype=np.int64)
    classes[values] = np.arange(len(values))
    trans = np.zeros((len(kept) + 1, len(values) + 1), dtype=np.int32)
    owner = np.repeat(np.arange(n), np.diff(ptr))
    used = same[owner] == owner
    trans[number[owner[used]], classes[edges[used, 0]]] = number[edges[used, 1]]
    final = np.concatenate(([False], final[kept]))
    return from_tables(classes, trans, final, minimal=True)


def union(*dfas: ByteDFA, limits: Limits | None = None) -> ByteDFA:
    """The strings of any of them."""
    some = list({d.digest: d for d in dfas if not d.is_empty}.values())
    if len(some) < 2:
        return some[0] if some else empty_language()
    return _join(some, [], range(len(some)), range(len(some)), limits)


@lru_cache(maxsize=256)
def disjoint_union(dfas: tuple[ByteDFA, ...]) -> tuple[ByteDFA, list[int]]:
    """The strings of any of them, and for each the state in which its strings end, and no others.

    None of the strings begins another, and none belongs to two of the automata.
    """
    # A byte after the string says whose it is; what reads it is an end, and it is taken away again.
    marked = union(*(concat(dfa, literal(bytes([i]))) for i, dfa in enumerate(dfas)))
    last = int(np.flatnonzero(marked.final)[0])
    to_last = marked.trans == last
    ends = [int(np.flatnonzero(to_last[:, marked.classes[i]])[0]) for i in range(len(dfas))]
    trans = np.where(to_last, 0, marked.trans)
    trans -= trans > last
    return (
        ByteDFA(marked.classes, np.delete(trans, last, axis=0), np.delete(to_last.any(axis=1), last)),
        [q - (q > last) for q in ends],
    )


def concat(*dfas: ByteDFA, limits: Limits | None = None) -> ByteDFA:
    """A string of the first, then one of the second, and so on; the empty string for none."""
    if any(d.is_empty for d in dfas):
        return empty_language()
    if len(dfas) < 2:
        return dfas[0] if dfas else literal(b"")
    links = [(i, i + 1) for i in range(len(dfas) - 1)]
    return _join(dfas, links, [0], [len(dfas) - 1], limits)


def star(a: ByteDFA, *, limits: Limits | None = None) -> ByteDFA:
    """Any number of strings of ``a`` in a row, none included."""
    empty = literal(b"")
    return empty if a.is_empty else _join([empty, a], [(0, 1), (1, 1)], [0], [0, 1], limits)


def intersect(a: ByteDFA, b: ByteDFA, *, limits: Limits | None = None) -> ByteDFA:
    """The strings of both."""
    if a.is_empty or b.is_empty:
        return empty_language()
    return _paired(a, b, True, limits)


def difference(a: ByteDFA, b: ByteDFA, *, limits: Limits | None = None) -> ByteDFA:
    """The strings of ``a`` that are not of ``b``."""
    return a if a.is_empty or b.is_empty else _paired(a, b, False, limits)


def _paired(a: ByteDFA, b: ByteDFA, both: bool, limits: Limits | None) -> ByteDFA:
    keys = np.array((a.classes, b.classes), np.int32)
    first, classes = merge_columns(keys)
    trans, pairs = pair_up(
        a.trans, b.trans, keys[0, first], keys[1, first], both, Budget(limits), "combining two automata"
    )
    final_a, final_b = a.final[pairs[:, 0]], b.final[pairs[:, 1]]
    return from_tables(classes, trans, final_a & final_b if both else final_a & ~final_b)


def _join(
    parts: Sequence[ByteDFA],
    links: Sequence[tuple[int, int]],
    first: Iterable[int],
    last: Iterable[int],
    limits: Limits | None,
) -> ByteDFA:
    """Runs through ``parts``: begins in one of ``first``, ends in one of ``last``, and from a final
    state of ``i`` may go on at the start of ``j`` for each (i, j) of ``links``."""
    keys = np.array([p.classes for p in parts], np.int32)
    first_of, classes = merge_columns(keys)
    kinds = keys[:, first_of]
    offsets = [0, *accumulate([p.n_states for p in parts])]
    move = np.full((offsets[-1], len(first_of)), -1, dtype=np.int32)
    accept = np.zeros(len(move), dtype=np.bool_)
    for i, p in enumerate(parts):
        table = p.trans[:, kinds[i]]
        move[offsets[i] : offsets[i + 1]] = np.where(table > 0, table + offsets[i], -1)
    for i in last:
        accept[offsets[i] : offsets[i + 1]] = parts[i].final
    empty = [
        np.stack((ends, np.full(len(ends), offsets[j] + 1)), axis=1)
        for i, j in links
        for ends in [offsets[i] + np.flatnonzero(parts[i].final)]
    ]
    moves = np.concatenate(empty) if empty else np.zeros((0, 2), np.int64)
    seeds = np.array([offsets[i] + 1 for i in first], dtype=np.int32)
    trans, final = determinise(move, moves, seeds, accept, Budget(limits), "joining automata")
    return from_tables(classes, trans, final)
