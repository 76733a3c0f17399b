"""The loops that make automata out of automata: subset construction and product.

Both may run away, so both stop with a status and can be entered again where they stopped: the caller grows
the arrays that are full, looks at the clock and at the limits, and calls again. That keeps clocks and errors
out of compiled code, and bounds on memory exact. Arrays go in and out flat; no objects are held.
"""

from __future__ import annotations

import numpy as np

from ..jit import jit_allocating

DONE, FULL, PAUSED = 0, 1, 2

# Slots of the counter array of the kernels that can be entered again.
N_STATES, CURSOR, CLASS, POOL, STAMP = 0, 1, 2, 3, 4
N_COUNTERS = 5

UNIVERSAL = 2  # in ``keep``: final, and every class leads back here


@jit_allocating
def mix(x: int | np.integer) -> np.uint64:
    """A 64-bit hash of a 64-bit number (the finaliser of splitmix64)."""
    h = np.uint64(x) + np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@jit_allocating
def _close(
    seed: int,
    out: np.ndarray,
    n: int,
    stamp: int,
    mark: np.ndarray,
    eps_ptr: np.ndarray,
    eps_to: np.ndarray,
    keep: np.ndarray,
    stack: np.ndarray,
) -> int:
    """Adds to ``out[:n]`` the nodes with ``keep`` that ``seed`` reaches by empty moves; the new n."""
    if mark[seed] == stamp:
        return n
    mark[seed] = stamp
    stack[0] = seed
    top = 1
    while top:
        top -= 1
        p = stack[top]
        if keep[p]:
            out[n] = p
            n += 1
        for e in range(eps_ptr[p], eps_ptr[p + 1]):
            t = eps_to[e]
            if mark[t] != stamp:
                mark[t] = stamp
                stack[top] = t
                top += 1
    return n


@jit_allocating
def determinise(
    move: np.ndarray,
    eps_ptr: np.ndarray,
    eps_to: np.ndarray,
    keep: np.ndarray,
    seeds: np.ndarray,
    pool: np.ndarray,
    ptr: np.ndarray,
    trans: np.ndarray,
    table: np.ndarray,
    counters: np.ndarray,
    mark: np.ndarray,
    found: np.ndarray,
    stack: np.ndarray,
    max_work: int,
) -> int:
    """Subset construction over a nondeterministic automaton with empty moves.

    move    : int32[n, k]     node, class -> node, or -1
    eps_ptr : int64[n + 1], eps_to : int32[...]     empty moves of each node
    keep    : uint8[n]        nodes that move or are final: what a subset is made of; UNIVERSAL for those
        that are final and stay, whatever comes: a subset with one of them becomes the first of them alone
    seeds   : int32[...]      nodes to start in
    pool    : int32[...], ptr : int64[states + 2]     subset s is pool[ptr[s]:ptr[s + 1]], from s = 1
    trans   : int32[states + 1, k]     out: the table; 0 is the empty subset
    table   : int32[2**m]     hash table of subsets, 0 where free
    counters: int64[N_COUNTERS]     where to go on
    mark    : int64[n], found, stack : int32[n]     scratch

    Returns DONE, FULL (an array must grow) or PAUSED (``max_work`` elements were looked at).
    """
    k = move.shape[1]
    n_states = counters[N_STATES]
    cursor = counters[CURSOR]
    first_class = counters[CLASS]
    used = counters[POOL]
    stamp = counters[STAMP]
    size = np.uint64(table.shape[0] - 1)
    universal = -1
    for p in range(keep.shape[0]):
        if keep[p] == UNIVERSAL:
            universal = p
            break
    work = 0
    status = DONE
    while cursor <= n_states:
        for c in range(first_class, k):
            if (
                used + found.shape[0] > pool.shape[0]
                or n_states + 2 >= trans.shape[0]
                or 2 * (n_states + 1) > table.shape[0]
            ):
                status = FULL
            elif work > max_work:
                status = PAUSED
            if status != DONE:
                first_class = c
                break
            stamp += 1
            n = 0
            if cursor == 0:
                for i in range(seeds.shape[0]):
                    n = _close(seeds[i], found, n, stamp, mark, eps_ptr, eps_to, keep, stack)
            else:
                for i in range(ptr[cursor], ptr[cursor + 1]):
                    t = move[pool[i], c]
                    if t >= 0:
                        n = _close(t, found, n, stamp, mark, eps_ptr, eps_to, keep, stack)
                work += ptr[cursor + 1] - ptr[cursor]
            work += n + 1
            target = 0
            for i in range(n):
                if keep[found[i]] == UNIVERSAL:
                    # A new stamp: the other nodes of this round are not of the subset any more.
                    stamp += 1
                    found[0] = universal
                    mark[universal] = stamp
                    n = 1
                    break
            if n:
                h = np.uint64(0)
                for i in range(n):
                    h += mix(found[i])
                slot = h & size
                while True:
                    s = table[slot]
                    if s == 0:
                        n_states += 1
                        for i in range(n):
                            pool[used + i] = found[i]
                        used += n
                        ptr[n_states + 1] = used
                        table[slot] = n_states
                        target = n_states
                        break
                    if ptr[s + 1] - ptr[s] == n:
                        # Equal size and every element stamped in this round: the same subset.
                        same = True
                        for i in range(ptr[s], ptr[s + 1]):
                            if mark[pool[i]] != stamp:
                                same = False
                                break
                        if same:
                            target = s
                            break
                    slot = (slot + np.uint64(1)) & size
            if cursor == 0:
                break
            trans[cursor, c] = target
        if status != DONE:
            break
        first_class = 0
        cursor += 1
    counters[N_STATES] = n_states
    counters[CURSOR] = cursor
    counters[CLASS] = first_class
    counters[POOL] = used
    counters[STAMP] = stamp
    return status


@jit_allocating
def rehash(table: np.ndarray, pool: np.ndarray, ptr: np.ndarray, n_states: int) -> None:
    """Fills an empty hash table of subsets anew."""
    size = np.uint64(table.shape[0] - 1)
    for s in range(1, n_states + 1):
        h = np.uint64(0)
        for i in range(ptr[s], ptr[s + 1]):
            h += mix(pool[i])
        slot = h & size
        while table[slot]:
            slot = (slot + np.uint64(1)) & size
        table[slot] = s


@jit_allocating
def product(
    a: np.ndarray,
    b: np.ndarray,
    class_a: np.ndarray,
    class_b: np.ndarray,
    pairs: np.ndarray,
    trans: np.ndarray,
    table: np.ndarray,
    counters: np.ndarray,
    max_work: int,
    both: bool,
) -> int:
    """The automaton of pairs of states, from pair (1, 1).

    ``both``: a pair with a dead side is dead (intersection); otherwise only one with a dead first side
    is (difference).

    a, b : int32[n, ...]     the two tables;  class_a, class_b : int64[k]     their classes per common class
    pairs : int32[states, 2], trans : int32[states, k], table : int32[2**m], counters : as in `determinise`
    """
    k = class_a.shape[0]
    size = np.uint64(table.shape[0] - 1)
    n_states = counters[N_STATES]
    cursor = counters[CURSOR]
    work = 0
    status = DONE
    while cursor <= n_states:
        if n_states + k + 1 >= trans.shape[0] or 2 * (n_states + k + 1) > table.shape[0]:
            status = FULL
            break
        if work > max_work:
            status = PAUSED
            break
        work += k
        for c in range(k):
            if cursor == 0:
                p, q = 1, 1
            else:
                p = a[pairs[cursor, 0], class_a[c]]
                q = b[pairs[cursor, 1], class_b[c]]
            target = 0
            if p and (q or not both):
                slot = mix((np.int64(p) << 32) | np.int64(q)) & size
                while True:
                    s = table[slot]
                    if s == 0:
                        n_states += 1
                        pairs[n_states, 0] = p
                        pairs[n_states, 1] = q
                        table[slot] = n_states
                        target = n_states
                        break
                    if pairs[s, 0] == p and pairs[s, 1] == q:
                        target = s
                        break
                    slot = (slot + np.uint64(1)) & size
            if cursor == 0:
                break
            trans[cursor, c] = target
        cursor += 1
    counters[N_STATES] = n_states
    counters[CURSOR] = cursor
    return status


@jit_allocating
def rehash_pairs(table: np.ndarray, pairs: np.ndarray, n_states: int) -> None:
    """Fills an empty hash table of pairs anew."""
    size = np.uint64(table.shape[0] - 1)
    for s in range(1, n_states + 1):
        slot = mix((np.int64(pairs[s, 0]) << 32) | np.int64(pairs[s, 1])) & size
        while table[slot]:
            slot = (slot + np.uint64(1)) & size
        table[slot] = s
