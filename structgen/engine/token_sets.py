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


def mask_of(tokens: npt.NDArray[np.int64], words: int) -> npt.NDArray[np.int32]:
    """The mask of some tokens."""
    bits = np.zeros(32 * words, np.uint8)
    bits[tokens] = 1
    return np.packbits(bits, bitorder="little").view(np.int32)


def with_some(vocabulary: Vocabulary, wanted: bytes) -> npt.NDArray[np.int64]:
    """The tokens with one of these bytes in them."""
    places = np.flatnonzero(np.isin(vocabulary.data, np.frombuffer(wanted, np.uint8)))
    found: npt.NDArray[np.int64] = np.unique(np.searchsorted(vocabulary.offsets, places, side="right") - 1)
    return found


def later_items(vocabulary: Vocabulary, second: bytes) -> npt.NDArray[np.int64]:
    """The tokens with an opening bracket and, somewhere after it, a byte of ``second``."""
    data, offsets = vocabulary.data, vocabulary.offsets
    last = np.flatnonzero(np.isin(data, np.frombuffer(second, np.uint8)))
    brackets = np.flatnonzero(data == ord("["))
    after = np.searchsorted(last, brackets)
    brackets, after = brackets[after < len(last)], after[after < len(last)]
    tokens = np.searchsorted(offsets, brackets, side="right") - 1
    found: npt.NDArray[np.int64] = np.unique(tokens[last[after] < offsets[tokens + 1]])
    return found


class Escapes:
    """The tokens with an escape, by what is before the first one in them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._by_beginning: dict[bytes, list[tuple[bytes, int]]] = {}
        data, offsets = vocabulary.data, vocabulary.offsets
        for token in with_some(vocabulary, b"\\").tolist():
            before, _, escape = bytes(data[int(offsets[token]) : int(offsets[token + 1])]).partition(b"\\")
            self._by_beginning.setdefault(before, []).append((escape[:1], token))
        self._longest = max(map(len, self._by_beginning), default=0)

    def along(self, rest: bytes) -> list[int]:
        """Those that can spell the beginning of ``rest``, in which no escape is that is not needed."""
        found = []
        for i in range(min(len(rest), self._longest) + 1):
            for escape, token in self._by_beginning.get(rest[:i], ()):
                if escape in (b"", b"u") or rest[i : i + 1] in (b"\\", escape):
                    found.append(token)
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
