"""The loops over bytes: characters spelled out, and lists of strings folded into an automaton.

Both build bottom-up and look every new state up by what it does, so that equal states are made once.
"""

from __future__ import annotations

import numpy as np

from ..jit import jit_allocating
from .kernels_make import mix


@jit_allocating
def spell(trans: np.ndarray, rows: np.ndarray, out: np.ndarray, table: np.ndarray) -> int:
    """Replaces every transition over a character by the bytes that spell it.

    trans : int32[n, k]      the automaton over classes of characters; 0 is dead
    rows  : int32[m, bytes]  the spelling: a decision tree with equal subtrees shared, children before
        parents, the root last. An entry is 0 (no character), c > 0 (class c) or -1 - i (row i).
    out   : int32[...]       room for the table, n rows of it for the states themselves
    table : int32[2**h]      zeroed, at least twice as many as ``out`` has rows

    Returns the number of states, or -1 when ``out`` is full. Equal inner states are made once, so no
    state is equal to another as long as no two states of ``trans`` are.
    """
    n = trans.shape[0]
    m, width = rows.shape
    size = np.uint64(table.shape[0] - 1)
    n_states: int = n
    at = np.zeros(m, np.int32)
    row = np.zeros(width, np.int32)
    for q in range(1, n):
        for i in range(m):
            h = np.uint64(0)
            alive = False
            for b in range(width):
                v = rows[i, b]
                t = 0
                if v > 0:
                    t = trans[q, v]
                elif v < 0:
                    t = at[-1 - v]
                row[b] = t
                if t:
                    alive = True
                    h = mix(h ^ np.uint64((b << 32) | t))
            if i == m - 1:
                out[q, :] = row
                break
            if not alive:
                at[i] = 0
                continue
            slot = h & size
            while True:
                s = table[slot]
                if s == 0:
                    if n_states == out.shape[0]:
                        return -1
                    out[n_states, :] = row
                    table[slot] = n_states
                    at[i] = n_states
                    n_states += 1
                    break
                same = True
                for b in range(width):
                    if out[s, b] != row[b]:
                        same = False
                        break
                if same:
                    at[i] = s
                    break
                slot = (slot + np.uint64(1)) & size
    return n_states


@jit_allocating
def trie(data: np.ndarray, ends: np.ndarray, parent: np.ndarray, label: np.ndarray, final: np.ndarray) -> int:
    """The trie of sorted, distinct strings.

    data : uint8[...] all strings in a row;  ends : int64[n] where each one ends
    parent, label, final : out, one entry a node, at least ``len(data) + 1``; node 0 is the root, and a
        child has a greater number than its parent. Returns the number of nodes.
    """
    longest = 0
    begin = 0
    for s in range(ends.shape[0]):
        longest = max(longest, ends[s] - begin)
        begin = ends[s]
    path = np.zeros(longest + 1, np.int64)
    n = 1
    before = 0
    begin = 0
    for s in range(ends.shape[0]):
        length = ends[s] - begin
        common = 0
        if s:
            limit = min(length, begin - before)
            while common < limit and data[before + common] == data[begin + common]:
                common += 1
        for i in range(common, length):
            parent[n] = path[i]
            label[n] = data[begin + i]
            path[i + 1] = n
            n += 1
        final[path[length]] = True
        before = begin
        begin = ends[s]
    return n


@jit_allocating
def fold_acyclic(
    parent: np.ndarray, label: np.ndarray, final: np.ndarray, n: int, same: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Merges equal subtrees of a trie, bottom-up (Revuz 1992). Returns (edges, edge_ptr).

    same : int64[n], out: the node that stands for each node
    edge_ptr : int64[n + 1]; edges : int64[n - 1, 2] as (label, child), sorted by label within a node
    """
    ptr = np.zeros(n + 1, np.int64)
    for v in range(1, n):
        ptr[parent[v] + 1] += 1
    for v in range(n):
        ptr[v + 1] += ptr[v]
    fill = ptr[:n].copy()
    edges = np.empty((n - 1, 2), np.int64)
    for v in range(1, n):
        e = fill[parent[v]]
        edges[e, 0] = label[v]
        edges[e, 1] = v
        fill[parent[v]] += 1
    capacity = 4
    while capacity < 2 * n:
        capacity *= 2
    table = np.full(capacity, -1, np.int64)
    size = np.uint64(capacity - 1)
    for v in range(n - 1, -1, -1):
        h = np.uint64(1 if final[v] else 0)
        for e in range(ptr[v], ptr[v + 1]):
            edges[e, 1] = same[edges[e, 1]]
            h = mix(h ^ np.uint64((edges[e, 1] << 8) | edges[e, 0]))
        slot = h & size
        while True:
            s = table[slot]
            if s < 0:
                table[slot] = v
                same[v] = v
                break
            if final[s] == final[v] and ptr[s + 1] - ptr[s] == ptr[v + 1] - ptr[v]:
                equal = True
                for i in range(ptr[v + 1] - ptr[v]):
                    a, b = edges[ptr[s] + i], edges[ptr[v] + i]
                    if a[0] != b[0] or a[1] != b[1]:
                        equal = False
                        break
                if equal:
                    same[v] = s
                    break
            slot = (slot + np.uint64(1)) & size
    return edges, ptr


BETWEEN, OUTSIDE = 0, 9  # of the text of a JSON string: between two characters, outside of the quotes


@jit_allocating
def _missing_after(missing: int, byte: int) -> int:
    """How much of a character is missing: 1 after a backslash, 2 to 5 in ``\\uXXXX``, 6 to 8 in UTF-8."""
    if missing == BETWEEN:
        if byte < 0x80:
            return 1 if byte == ord("\\") else OUTSIDE if byte == ord('"') else BETWEEN
        return 6 if byte < 0xE0 else 7 if byte < 0xF0 else 8
    if missing == 1:
        return 2 if byte == ord("u") else BETWEEN
    if missing == OUTSIDE:
        return BETWEEN
    return BETWEEN if missing in (5, 6) else missing + 1 if missing < 5 else missing - 1


@jit_allocating
def characters_missing(classes: np.ndarray, trans: np.ndarray, start: int) -> np.ndarray:
    """int64[n]: in each state of an automaton of JSON strings in their canonical spelling, how much of a
    character is missing (`_missing_after`); -1 of the dead one. Of no length where that is one thing in one
    text and another in another.
    """
    n = trans.shape[0]
    missing = np.full(n, -1, np.int64)
    todo = np.empty(n, np.int64)
    missing[start] = OUTSIDE
    todo[0] = start
    top = 1
    while top:
        top -= 1
        q = todo[top]
        for byte in range(256):
            to = np.int64(trans[q, classes[byte]])
            if to == 0:
                continue
            after = _missing_after(missing[q], byte)
            if missing[to] < 0:
                missing[to] = after
                todo[top] = to
                top += 1
            elif missing[to] != after:
                return missing[:0]
    return missing
