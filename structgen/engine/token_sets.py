"""Masks as lists of tokens, and the tokens of a vocabulary by what is in their bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..vocab.vocabulary import Vocabulary


def tokens_of(mask: npt.NDArray[np.int32]) -> list[int]:
    """The tokens of a mask."""
    bits = np.unpackbits(mask.view(np.uint8), bitorder="little")
    return np.flatnonzero(bits).tolist()


def with_aliases(mask: npt.NDArray[np.int32], aliases: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The mask, in which tokens of the same bytes, pairs of which are ``aliases``, are treated alike."""
    if not len(aliases):
        return mask
    bits = np.unpackbits(mask.view(np.uint8), bitorder="little")
    bits[aliases[:, 1]] = bits[aliases[:, 0]]
    return np.packbits(bits, bitorder="little").view(np.int32)


def with_byte(vocabulary: Vocabulary, byte: int) -> list[int]:
    """The tokens with a byte in them."""
    places = np.flatnonzero(vocabulary.data == byte)
    found: list[int] = np.unique(np.searchsorted(vocabulary.offsets, places, side="right") - 1).tolist()
    return found


def along(vocabulary: Vocabulary, text: bytes) -> list[int]:
    """The tokens that ``text`` begins with, and those that begin with ``text``."""
    nodes = vocabulary.trie.nodes
    found: list[int] = []
    at = 0
    for byte in text:
        child, end = at + 1, int(nodes[at, 2])
        while child < end and int(nodes[child, 0]) != byte:
            child = int(nodes[child, 2])
        if child >= end:
            return found
        at = child
        if int(nodes[at, 3]) >= 0:
            found.append(int(nodes[at, 3]))
    longer = nodes[at + 1 : int(nodes[at, 2]), 3]
    found.extend(longer[longer >= 0].tolist())
    return found
