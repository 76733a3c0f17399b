"""Packed masks: shape and bit order, written once.

A bitmask is ``int32[batch, ceil(size / 32)]``; bit ``i % 32`` of word ``i // 32`` is token ``i``; 1 means
allowed. Bits past ``size`` are 0. This is what serving engines exchange today.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bitmask = npt.NDArray[np.int32]

LINE = 64  # bytes


def allocate_token_bitmask(batch: int, size: int) -> Bitmask:
    """A bitmask of ``batch`` rows for a vocabulary of ``size`` ids, every bit set (everything allowed)."""
    if batch < 0 or size <= 0:
        raise ValueError(f"a bitmask needs batch >= 0 and size > 0, not {batch} and {size}")
    words = -(-size // 32)
    room = np.full(batch * words + LINE // 4, -1, np.int32)
    begin = -room.ctypes.data % LINE // 4  # a row is written faster from the start of a line of the cache
    return room[begin : begin + batch * words].reshape(batch, words)


def unpack_token_bitmask(bitmask: Bitmask, size: int) -> npt.NDArray[np.bool_]:
    """``bool[..., size]``: True where a token is allowed."""
    raw = np.ascontiguousarray(bitmask).view(np.uint8)
    return np.unpackbits(raw, axis=-1, bitorder="little", count=size).astype(bool)


def pack_token_ids(ids: Sequence[int], size: int) -> Bitmask:
    """``int32[words]`` with the bits of ``ids`` set."""
    bits = np.zeros(-(-size // 32) * 32, np.uint8)
    bits[list(ids)] = 1
    return np.packbits(bits, bitorder="little").view(np.int32)
