"""Interned records: a hash table inside the heap, and small helpers on bit sets and sorted words."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *

U64 = np.uint64


@jit
def _hash(g, start, n, kind):
    h = U64(0x9E3779B97F4A7C15) ^ U64(kind)
    for i in range(n):
        h = (h ^ U64(g[start + i])) * U64(0xFF51AFD7ED558CCD)
        h = h ^ (h >> U64(32))
    h = h * U64(0xC4CEB9FE1A85EC53)
    return np.int64((h ^ (h >> U64(29))) >> U64(1))


@jit
def _find(g, start, n, kind, h):
    """Offset of the record with this key, or -1 - slot of the table where it belongs."""
    table = g[H_HASH] >> HASH_SHIFT
    mask = (1 << (g[H_HASH] & HASH_SIZE)) - 1
    upper = h >> HASH_UPPER
    slot = h & mask
    while True:
        entry = g[table + slot]
        if entry == 0:
            return -1 - slot
        if entry & ((1 << HASH_TAG) - 1) == upper:
            at = entry >> HASH_TAG
            same = g[at] == kind | (n << 8)
            for i in range(n if same else 0):
                if g[at + R_KEY + i] != g[start + i]:
                    same = False
                    break
            if same:
                return at
        slot = (slot + 1) & mask


@jit
def intern(g, start, n, kind, values):
    """Offset of the record of ``kind`` with key ``g[start : start + n]``, with ``values`` zeros if new."""
    h = _hash(g, start, n, kind)
    at = _find(g, start, n, kind, h)
    if at >= 0:
        return at
    size = R_KEY + n + values
    top = g[H_TOP]
    if top + size > g[H_LIMIT] or 2 * (g[H_HASH_COUNT] + 1) >= 1 << (g[H_HASH] & HASH_SIZE):
        return GROW_HEAP
    g[top] = kind | (n << 8)
    g[top + 1] = h
    for i in range(n):
        g[top + R_KEY + i] = g[start + i]
    for i in range(values):
        g[top + R_KEY + n + i] = 0
    g[(g[H_HASH] >> HASH_SHIFT) - 1 - at] = top << HASH_TAG | h >> HASH_UPPER
    g[H_HASH_COUNT] += 1
    g[H_TOP] = top + size
    return top


@jit
def intern_pair(g, a, b, kind, values):
    """`intern` of a key of two words."""
    key = g[X_TMP]
    g[key], g[key + 1] = a, b
    return intern(g, key, 2, kind, values)


@jit
def intern_at_top(g, n, kind):
    """Intern ``n`` words that are written where a new record has its key; where they lie, or a code."""
    top = g[H_TOP]
    made = intern(g, top + R_KEY, n, kind, 0)
    if made != top:  # they lie elsewhere already, and what is not in use is zero
        for i in range(top + R_KEY, top + R_KEY + n):
            g[i] = 0
    return made if made < 0 else made + R_KEY


@jit
def intern_parser(g, start, n):
    """Intern a parser state with key ``g[start : start + n]``: the record, or a code."""
    return intern(g, start, n, K_PARSER, P_CANDIDATES + g[H_SYMBOL_WORDS])


@jit
def rehash(g, table, bits):
    """Enter every interned record into a new hash table at ``table`` (already zero), of 2**bits slots."""
    old = g[H_HASH] >> HASH_SHIFT
    size = 1 << bits
    for i in range(1 << (g[H_HASH] & HASH_SIZE)):
        entry = g[old + i]
        if entry != 0:
            slot = g[(entry >> HASH_TAG) + 1] & (size - 1)
            while g[table + slot] != 0:
                slot = (slot + 1) & (size - 1)
            g[table + slot] = entry
    g[H_HASH] = table << HASH_SHIFT | bits
    return 0


@jit
def first_slot(word, mask):
    """Where in a small hash table of ``mask`` + 1 slots to look for a word first."""
    return (word * 0x9E3779B1 >> 7) & mask


@jit
def in_set(g, bits, t):
    return (g[bits + (t >> 6)] >> (t & 63)) & 1


@jit
def lowest_bit(bits):
    """Number of the lowest bit set in a word that is not zero."""
    n = 0
    if bits & 0xFFFFFFFF == 0:
        n += 32
        bits >>= 32
    if bits & 0xFFFF == 0:
        n += 16
        bits >>= 16
    if bits & 0xFF == 0:
        n += 8
        bits >>= 8
    while bits & 1 == 0:
        n += 1
        bits >>= 1
    return n


@jit
def add_row(out, row):
    """Set the tokens of another mask row, of words as wide. Slices let the compiler take many at a time."""
    for i in range(out.shape[0]):
        out[i] |= row[i]
    return 0


@jit
def sorted_insert(g, base, k, v):
    j = k
    for i in range(k):
        if g[base + i] == v:
            return k
    while j > 0 and g[base + j - 1] > v:
        g[base + j] = g[base + j - 1]
        j -= 1
    g[base + j] = v
    return k + 1


@jit
def each_once(g, at, n):
    """Sort the ``n`` words at ``g[at]`` and have each once, the rest zero; how many there are."""
    gap = n
    while gap > 1:
        gap = (gap + 1) // 2 if gap > 2 else 1
        for i in range(at + gap, at + n):
            word, j = g[i], i
            while j >= at + gap and g[j - gap] > word:
                g[j] = g[j - gap]
                j -= gap
            g[j] = word
    to = at
    for i in range(at, at + n):
        word = g[i]
        if i == at or word != g[to - 1]:
            g[to] = word
            to += 1
    for i in range(to, at + n):
        g[i] = 0
    return to - at
