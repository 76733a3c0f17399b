"""The loops that bring an automaton to its one smallest form: live states, minimal states, numbering.

Each is linear or n log n in the transitions between live states.
"""

from __future__ import annotations

import numpy as np

from ..jit import jit_allocating


@jit_allocating
def equal_columns(trans: np.ndarray, first: np.ndarray, class_of: np.ndarray) -> int:
    """Tells columns apart: ``first[k]`` is the first of kind k, ``class_of[c]`` the kind of column c.

    Returns the number of kinds, which are numbered in the order in which they appear.
    """
    n, columns = trans.shape
    hashes = np.zeros(columns, np.uint64)
    for q in range(n):
        for c in range(columns):
            hashes[c] = (hashes[c] ^ np.uint64(trans[q, c])) * np.uint64(0xFF51AFD7ED558CCD)
            hashes[c] ^= hashes[c] >> np.uint64(32)
    size = 1
    while size < 2 * columns:
        size *= 2
    table = np.zeros(size, np.int64)  # kinds + 1
    kinds = 0
    for c in range(columns):
        slot = np.int64(hashes[c] & np.uint64(size - 1))
        while table[slot] != 0:
            other = first[table[slot] - 1]
            q = 0
            if hashes[other] == hashes[c]:
                while q < n and trans[q, other] == trans[q, c]:
                    q += 1
                if q == n:
                    break
            slot = (slot + 1) & (size - 1)
        if table[slot] == 0:
            first[kinds] = c
            kinds += 1
            table[slot] = kinds
        class_of[c] = table[slot] - 1
    return kinds


@jit_allocating
def _mark(
    e: int,
    elems: np.ndarray,
    loc: np.ndarray,
    of: np.ndarray,
    first: np.ndarray,
    marked: np.ndarray,
    touched: np.ndarray,
    n_touched: int,
) -> int:
    """Marks element ``e`` of a refinable partition; the new number of touched sets."""
    s = of[e]
    i = loc[e]
    j = first[s] + marked[s]
    elems[i] = elems[j]
    loc[elems[i]] = i
    elems[j] = e
    loc[e] = j
    if marked[s] == 0:
        touched[n_touched] = s
        n_touched += 1
    marked[s] += 1
    return n_touched


@jit_allocating
def _split(
    elems: np.ndarray,
    of: np.ndarray,
    first: np.ndarray,
    past: np.ndarray,
    marked: np.ndarray,
    touched: np.ndarray,
    n_touched: int,
    n_sets: int,
) -> int:
    """Splits every touched set in its marked and its other elements; the new number of sets."""
    while n_touched:
        n_touched -= 1
        s = touched[n_touched]
        j = first[s] + marked[s]
        if j == past[s]:
            marked[s] = 0
            continue
        # The smaller half gets the new number: that makes it n log n.
        if marked[s] <= past[s] - j:
            first[n_sets] = first[s]
            past[n_sets] = j
            first[s] = j
        else:
            past[n_sets] = past[s]
            first[n_sets] = j
            past[s] = j
        for i in range(first[n_sets], past[n_sets]):
            of[elems[i]] = n_sets
        marked[s] = 0
        marked[n_sets] = 0
        n_sets += 1
    return n_sets


@jit_allocating
def _incoming(trans: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(ptr, back): the transitions of the states ``of`` (bool[n]) into q come from back[ptr[q]:ptr[q + 1]].

    Those into the dead state are left out.
    """
    n, k = trans.shape
    ptr = np.zeros(n + 1, np.int64)
    for q in range(n):
        if of[q]:
            for c in range(k):
                if trans[q, c]:
                    ptr[trans[q, c] + 1] += 1
    for q in range(n):
        ptr[q + 1] += ptr[q]
    back = np.empty(ptr[n], np.int32)
    fill = ptr[:n].copy()
    for q in range(n):
        if of[q]:
            for c in range(k):
                t = trans[q, c]
                if t:
                    back[fill[t]] = q
                    fill[t] += 1
    return ptr, back


@jit_allocating
def live_states(trans: np.ndarray, final: np.ndarray, start: int) -> np.ndarray:
    """bool[n]: reachable from ``start`` and able to reach a final state. State 0 is never live."""
    n, k = trans.shape
    reached = np.zeros(n, np.bool_)
    stack = np.empty(n, np.int32)
    top = 0
    if start:
        reached[start] = True
        stack[0] = start
        top = 1
    while top:
        top -= 1
        q = stack[top]
        for c in range(k):
            t = trans[q, c]
            if t and not reached[t]:
                reached[t] = True
                stack[top] = t
                top += 1
    ptr, back = _incoming(trans, reached)
    live = np.zeros(n, np.bool_)
    top = 0
    for q in range(1, n):
        if reached[q] and final[q]:
            live[q] = True
            stack[top] = q
            top += 1
    while top:
        top -= 1
        q = stack[top]
        for i in range(ptr[q], ptr[q + 1]):
            p = back[i]
            if not live[p]:
                live[p] = True
                stack[top] = p
                top += 1
    return live


@jit_allocating
def minimise(trans: np.ndarray, final: np.ndarray, live: np.ndarray) -> np.ndarray:
    """int32[n]: the block of each live state, from 1; 0 for the others.

    The algorithm of Valmari and Lehtinen ("Efficient minimization of DFAs with partial transition
    functions", 2008): two partitions, of states and of transitions, refine each other. It never
    looks at a transition to the dead state, and the tables here are full of those.
    """
    n_all, k = trans.shape
    number = np.zeros(n_all, np.int32)
    n = 0
    for q in range(n_all):
        if live[q]:
            number[q] = n
            n += 1
    out = np.zeros(n_all, np.int32)
    if n == 0:
        return out
    # Transitions in the order of their labels.
    count = np.zeros(k + 1, np.int64)
    m = 0
    for q in range(n_all):
        if live[q]:
            for c in range(k):
                t = trans[q, c]
                if t and live[t]:
                    count[c + 1] += 1
                    m += 1
    for c in range(k):
        count[c + 1] += count[c]
    tail = np.empty(m, np.int32)
    head = np.empty(m, np.int32)
    fill = count[:k].copy()
    for q in range(n_all):
        if live[q]:
            for c in range(k):
                t = trans[q, c]
                if t and live[t]:
                    tail[fill[c]] = number[q]
                    head[fill[c]] = number[t]
                    fill[c] += 1
    # Incoming transitions of each state.
    in_ptr = np.zeros(n + 1, np.int64)
    for e in range(m):
        in_ptr[head[e] + 1] += 1
    for q in range(n):
        in_ptr[q + 1] += in_ptr[q]
    incoming = np.empty(m, np.int32)
    fill2 = in_ptr[:n].copy()
    for e in range(m):
        incoming[fill2[head[e]]] = e
        fill2[head[e]] += 1
    # The partition of states: final ones and others.
    b_elems = np.arange(n).astype(np.int32)
    b_loc = np.arange(n).astype(np.int32)
    b_of = np.zeros(n, np.int32)
    b_first = np.zeros(n + 1, np.int32)
    b_past = np.zeros(n + 1, np.int32)
    b_past[0] = n
    n_blocks = 1
    marked = np.zeros(max(n, m) + 2, np.int32)
    touched = np.empty(max(n, m) + 2, np.int32)
    n_touched = 0
    for q in range(n_all):
        if live[q] and final[q]:
            n_touched = _mark(number[q], b_elems, b_loc, b_of, b_first, marked, touched, n_touched)
    n_blocks = _split(b_elems, b_of, b_first, b_past, marked, touched, n_touched, n_blocks)
    # The partition of transitions: by label.
    c_elems = np.arange(m).astype(np.int32)
    c_loc = np.arange(m).astype(np.int32)
    c_of = np.zeros(m, np.int32)
    c_first = np.zeros(m + 1, np.int32)
    c_past = np.zeros(m + 1, np.int32)
    c_marked = np.zeros(m + 1, np.int32)
    n_cords = 0
    for c in range(k):
        if count[c + 1] > count[c]:
            c_first[n_cords] = count[c]
            c_past[n_cords] = count[c + 1]
            for e in range(count[c], count[c + 1]):
                c_of[e] = n_cords
            n_cords += 1
    block = 1
    cord = 0
    while cord < n_cords:
        n_touched = 0
        for i in range(c_first[cord], c_past[cord]):
            n_touched = _mark(tail[c_elems[i]], b_elems, b_loc, b_of, b_first, marked, touched, n_touched)
        n_blocks = _split(b_elems, b_of, b_first, b_past, marked, touched, n_touched, n_blocks)
        cord += 1
        while block < n_blocks:
            n_touched = 0
            for i in range(b_first[block], b_past[block]):
                q = b_elems[i]
                for j in range(in_ptr[q], in_ptr[q + 1]):
                    n_touched = _mark(
                        incoming[j], c_elems, c_loc, c_of, c_first, c_marked, touched, n_touched
                    )
            n_cords = _split(c_elems, c_of, c_first, c_past, c_marked, touched, n_touched, n_cords)
            block += 1
    for q in range(n_all):
        if live[q]:
            out[q] = b_of[number[q]] + 1
    return out


@jit_allocating
def number_breadth_first(trans: np.ndarray, block: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """(order, number): a representative of each block in breadth-first order, and block -> place.

    order  : int32[blocks + 1]; entry 0 is state 0
    number : int32[blocks + 1]; 0 for block 0
    """
    k = trans.shape[1]
    top = 0
    for q in range(block.shape[0]):
        top = max(top, block[q])
    order = np.zeros(top + 1, np.int32)
    number = np.zeros(top + 1, np.int32)
    if start == 0 or block[start] == 0:
        return order[:1], number
    order[1] = start
    number[block[start]] = 1
    n = 1
    i = 1
    while i <= n:
        q = order[i]
        for c in range(k):
            b = block[trans[q, c]]
            if b and number[b] == 0:
                n += 1
                number[b] = n
                order[n] = trans[q, c]
        i += 1
    return order[: n + 1], number


@jit_allocating
def reduced(trans: np.ndarray, final: np.ndarray, start: int, minimal: bool) -> tuple[np.ndarray, np.ndarray]:
    """The minimal trimmed automaton of (trans, final), numbered breadth-first in the order of the columns.

    minimal : no two live states are equal; saves the refinement
    """
    n, k = trans.shape
    live = live_states(trans, final, start)
    if minimal:
        block = np.zeros(n, np.int32)
        for q in range(n):
            if live[q]:
                block[q] = q
    else:
        block = minimise(trans, final, live)
    order, number = number_breadth_first(trans, block, start)
    small = np.zeros((order.shape[0], k), np.int32)
    small_final = np.zeros(order.shape[0], np.bool_)
    for i in range(1, order.shape[0]):
        q = order[i]
        small_final[i] = final[q]
        for c in range(k):
            small[i, c] = number[block[trans[q, c]]]
    return small, small_final


@jit_allocating
def canonical(
    classes: np.ndarray, trans: np.ndarray, final: np.ndarray, start: int, minimal: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(uint8[256], int32[n, k], bool[n]): `reduced`, with equal columns merged and in the order of their
    first bytes; see `tables.from_tables`."""
    n, columns = trans.shape
    first, class_of = np.empty(columns, np.int64), np.empty(columns, np.int64)
    kinds = equal_columns(trans, first, class_of)
    rank = np.full(kinds, -1, np.int64)
    picked = np.empty(kinds, np.int64)
    of_byte = np.empty(256, np.int64)
    used = 0
    for b in range(256):
        kind = class_of[classes[b]]
        if rank[kind] < 0:
            rank[kind] = used
            picked[used] = first[kind]
            used += 1
        of_byte[b] = rank[kind]
    narrow = np.empty((n, used), np.int32)
    for q in range(n):
        for c in range(used):
            narrow[q, c] = trans[q, picked[c]]
    small, small_final = reduced(narrow, final, start, minimal)
    kinds = equal_columns(small, first, class_of)
    out = np.empty((small.shape[0], kinds), np.int32)
    for q in range(small.shape[0]):
        for c in range(kinds):
            out[q, c] = small[q, first[c]]
    to_class = np.empty(256, np.uint8)
    for b in range(256):
        to_class[b] = class_of[of_byte[b]]
    return to_class, out, small_final


NEVER = 1 << 40


@jit_allocating
def reads_to_end(trans: np.ndarray, final: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """int64[n]: how many ``counted`` states (bool[n]) are on the way from each state to a final one at least,
    the first one included and the last one not; NEVER where there is no way. Linear in the transitions.
    """
    n = trans.shape[0]
    ptr, back = _incoming(trans, np.ones(n, np.bool_))
    found = np.full(n, NEVER, np.int64)
    here, after = np.empty(n, np.int32), np.empty(n, np.int32)
    top = 0
    for q in range(1, n):
        if final[q]:
            found[q] = 0
            here[top] = q
            top += 1
    level = 0
    while top:
        n_after = 0
        while top:
            top -= 1
            q = here[top]
            for i in range(ptr[q], ptr[q + 1]):
                p = back[i]
                if found[p] != NEVER:  # a state is first met on a way that is as short as any
                    continue
                if counted[p]:
                    found[p] = level + 1
                    after[n_after] = p
                    n_after += 1
                else:
                    found[p] = level
                    here[top] = p
                    top += 1
        here, after = after, here
        top = n_after
        level += 1
    return found
