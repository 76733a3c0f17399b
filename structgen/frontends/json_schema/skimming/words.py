"""Which word of the standard some bytes are."""

from __future__ import annotations

import numpy as np

from ....jit import jit

# What a keyword is for, in the table of words; of the name of a type, A_TYPE and the number of its common
# rule; of that of a format, A_FORMAT.
IGNORED, TYPE, PROPERTIES, REQUIRED, ADDITIONAL, ITEMS, MIN_ITEMS, MAX_ITEMS = range(8)
ENUM, MIN_LENGTH, MAX_LENGTH, MINIMUM, MAXIMUM, FORMAT, SOME, ONE = range(8, 16)  # SOME: anyOf, ONE: oneOf
CONST, UNKNOWN, STOP, ID, DIALECT, REFERENCE = range(16, 22)
A_TYPE = 100
A_FORMAT = 200
SLOTS = 512  # of the table of words


@jit
def hash_of(text, begin, end):
    """A hash of some bytes (FNV-1a)."""
    h = np.uint64(14695981039346656037)
    for i in range(begin, end):
        h = (h ^ np.uint64(text[i])) * np.uint64(1099511628211)
    return np.int64(h >> np.uint64(20)) & (SLOTS - 1)


@jit
def code_of(text, begin, end, table, words):
    """What the table says of some bytes: IGNORED where they are no word of it.

    table, words : int64[SLOTS, 3], for each slot the code, and where its word lies in ``words`` (uint8[*])
    """
    slot = hash_of(text, begin, end)
    while table[slot, 2]:
        at, size = table[slot, 1], table[slot, 2] - table[slot, 1]
        if size == end - begin:
            same = True
            for i in range(size):
                if words[at + i] != text[begin + i]:
                    same = False
                    break
            if same:
                return table[slot, 0]
        slot = (slot + 1) & (SLOTS - 1)
    return IGNORED
