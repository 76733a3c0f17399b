"""Kinds of bytes, and which of them lie below each node of a vocabulary's trie.

Text of some kinds does the same in most states of most patterns, so `tokens` takes a part of the trie whole
where it knows of all kinds in it that they stay.
"""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *

I64 = np.int64

# ASCII marks and blanks are a kind each, letters and digits go by ranges.
DIGIT, HEX_LOWER, LOWER, HEX_UPPER, UPPER, CONTROL, MARK = range(7)
TAB = MARK + 33  # 33 marks, the space included; then tab, newline, carriage return


@jit
def byte_kinds(kinds):
    """Set ``kinds[b]`` (int64[256]) to the kind of each byte, and of the characters that begin with it."""
    for b in range(256):
        kinds[b] = _kind(b)
    return 0


@jit
def _kind(b):
    """The kind of an ASCII byte, or of the characters that begin with a byte beyond."""
    if b >= 128:
        for k in range(len(LEADS)):
            if LEADS[k] == b:
                return N_ASCII + k
        return N_KINDS - 1
    if 48 <= b <= 57:
        return DIGIT
    if 97 <= b <= 122:
        return HEX_LOWER if b <= 102 else LOWER
    if 65 <= b <= 90:
        return HEX_UPPER if b <= 70 else UPPER
    if b == 9 or b == 10:
        return TAB + b - 9
    if b == 13:
        return TAB + 2
    if b < 32 or b == 127:
        return CONTROL
    if b < 48:
        return MARK + b - 32
    if b < 65:
        return MARK + 16 + b - 58
    if b < 97:
        return MARK + 23 + b - 91
    return MARK + 29 + b - 123


@jit
def _next_in_character(pending, b):
    """UTF-8, one byte on: what is pending (0: nothing, else low | high << 8 | bytes left << 16), or -1."""
    if pending == 0:
        if b < 0x80:
            return 0
        if 0xC2 <= b <= 0xDF:
            return 0x80 | 0xBF << 8 | 1 << 16
        if 0xE0 <= b <= 0xEF:
            low = 0xA0 if b == 0xE0 else 0x80
            high = 0x9F if b == 0xED else 0xBF
            return low | high << 8 | 2 << 16
        if 0xF0 <= b <= 0xF4:
            low = 0x90 if b == 0xF0 else 0x80
            high = 0x8F if b == 0xF4 else 0xBF
            return low | high << 8 | 3 << 16
        return -1
    if b < (pending & 0xFF) or b > ((pending >> 8) & 0xFF):
        return -1
    left = (pending >> 16) - 1
    return 0 if left == 0 else 0x80 | 0xBF << 8 | left << 16


@jit
def text_kinds(nodes, kinds, ranks, characters, heights, parent, pending):
    """For each node of a trie (int32[n, 4]) the kinds of bytes below it, and tokens before it.

    kinds : int64[n, 2], bits, and the same with the kind of the node's own byte
    ranks : int32[n + 1], tokens at nodes before this one
    characters : int32[n], how many begin on the way to the node
    heights : int32[n], bytes of the longest way down from the node
    parent, pending : int32[n], scratch
    """
    n = nodes.shape[0]
    kinds[0, 0] = 0
    kinds[0, 1] = OTHER
    ranks[0] = 0
    pending[0] = 0
    parent[0] = 0
    characters[0] = 0
    heights[0] = 0
    for i in range(1, n):
        ranks[i] = ranks[i - 1] + (1 if nodes[i - 1, 3] >= 0 else 0)
        p = i - 1
        while nodes[p, 1] >= nodes[i, 1]:
            p = I64(parent[p])
        parent[i] = p
        b = I64(nodes[i, 0])
        characters[i] = characters[p] + (0 if 0x80 <= b < 0xC0 else 1)
        state = _next_in_character(I64(pending[p]), b)
        pending[i] = max(state, 0)
        kinds[i, 0] = MIDDLE if state > 0 else 0
        if state < 0:
            kinds[i, 1] = OTHER
        else:
            kinds[i, 1] = kinds[p, 1] if pending[p] > 0 else 1 << _kind(b)
        heights[i] = 0
    ranks[n] = ranks[n - 1] + (1 if nodes[n - 1, 3] >= 0 else 0)
    for i in range(n - 1, 0, -1):
        p = I64(parent[i])
        kinds[i, 1] |= kinds[i, 0] & ~MIDDLE
        kinds[p, 0] |= kinds[i, 1]
        heights[p] = max(heights[p], heights[i] + 1)
    return 0
