"""Masks as lists of tokens, and the tokens of a vocabulary by what is in their bytes."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ..vocab.vocabulary import Vocabulary
from .json_values import BLANKS

Mask = npt.NDArray[np.int32]

_IS_BLANK = np.isin(np.arange(256), list(BLANKS))


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


class TokenSets:
    """The tokens of a vocabulary by their bytes, found when asked for and kept for all grammars."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._bytes, self._offsets = vocabulary.data, vocabulary.offsets
        self._data, self._places = self._bytes.data, self._offsets.data
        self._nodes = vocabulary.trie.nodes
        self._words = -(-vocabulary.size // 32)
        self._longest = vocabulary.trie.max_depth
        self._children: dict[int, dict[int, int]] = {}
        self._masks: dict[tuple[bytes, bytes], Mask] = {}
        self._spaced: dict[bytes, list[int]] = {}

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> TokenSets:
        """Those of a vocabulary."""
        sets = _of_vocabulary.get(vocabulary)
        if sets is None:
            sets = _of_vocabulary[vocabulary] = cls(vocabulary)
        return sets

    def prepare(self) -> None:
        """Find now what takes longer than a mask should (some 5 ms)."""
        self.commas()
        _ = self.blank, self._escapes

    def data(self, token: int) -> bytes:
        """The bytes of a token."""
        return bytes(self._data[self._places[token] : self._places[token + 1]])

    def with_some(self, wanted: bytes, after: bytes = b"") -> Mask:
        """The tokens with one of the bytes ``wanted``, or one somewhere behind one of ``after``."""
        known = self._masks.get((wanted, after))
        if known is None:
            known = self._masks[wanted, after] = self._mask(self._with_some(wanted, after))
        return known

    def _mask(self, tokens: npt.NDArray[np.int64]) -> Mask:
        bits = np.zeros(32 * self._words, np.uint8)
        bits[tokens] = 1
        return np.packbits(bits, bitorder="little").view(np.int32)

    @cached_property
    def blank(self) -> frozenset[int]:
        """The tokens of white space alone."""
        written = np.flatnonzero(np.diff(self._offsets))
        # Few begin and end with it, and these are looked at.
        written = written[_IS_BLANK[self._bytes[self._offsets[written]]]]
        written = written[_IS_BLANK[self._bytes[self._offsets[written + 1] - 1]]]
        return frozenset([token for token in written.tolist() if not self.data(token).strip(BLANKS)])

    def _with_some(self, wanted: bytes, after: bytes) -> npt.NDArray[np.int64]:
        last = self._places_of(wanted)
        tokens = np.searchsorted(self._offsets, last, side="right") - 1
        if after:
            first = self._places_of(after)
            before = np.searchsorted(first, last) - 1  # the nearest one in front
            last, tokens, before = last[before >= 0], tokens[before >= 0], before[before >= 0]
            tokens = tokens[first[before] >= self._offsets[tokens]]
        return tokens

    def _places_of(self, wanted: bytes) -> npt.NDArray[np.int64]:
        is_wanted = self._bytes == wanted[0]
        for byte in wanted[1:]:
            is_wanted |= self._bytes == byte
        return np.flatnonzero(is_wanted)

    def along(self, text: bytes) -> list[int]:
        """The tokens that ``text`` begins with, and those that begin with ``text``."""
        nodes = self._nodes
        found: list[int] = []
        at = 0
        for byte in text:
            children = self._children.get(at)
            if children is None:
                children = self._children[at] = self._children_of(at)
            at = children.get(byte, -1)
            if at < 0:
                return found
            if int(nodes[at, 3]) >= 0:
                found.append(int(nodes[at, 3]))
        longer = nodes[at + 1 : int(nodes[at, 2]), 3]
        found.extend(longer[longer >= 0].tolist())
        return found

    def _children_of(self, at: int) -> dict[int, int]:
        found = {}
        child, end = at + 1, int(self._nodes[at, 2])
        while child < end:
            found[int(self._nodes[child, 0])] = child
            child = int(self._nodes[child, 2])
        return found

    def escaped_along(self, text: bytes) -> list[int]:
        """The tokens with an escape that can spell the beginning of ``text`` as JSON.

        ``text`` itself has no escapes that are not needed.
        """
        found = []
        for i in range(min(len(text), self._longest) + 1):
            for escape, token in self._escapes.get(text[:i], ()):
                if escape in (b"", b"u") or text[i : i + 1] in (b"\\", escape):
                    found.append(token)
        return found

    @cached_property
    def _escapes(self) -> dict[bytes, list[tuple[bytes, int]]]:
        """By what they have before an escape, the tokens with one: what is escaped, and the token."""
        found: dict[bytes, list[tuple[bytes, int]]] = {}
        for token in np.unique(self._with_some(b"\\", b"")).tolist():
            before, _, escape = self.data(token).partition(b"\\")
            found.setdefault(before, []).append((escape[:1], token))
        return found

    def spaced_along(self, text: bytes) -> list[int]:
        """The tokens with white space or commas, and then the beginning of a string's ``text``, or all of it.

        Those with an escape in the string are not among them; see `commas`.
        """
        self.commas()
        most = min(len(text), self._longest)
        return [token for i in range(1, most + 1) for token in self._spaced.get(text[:i], ())]

    def commas(self) -> Mask:
        """The tokens of commas and white space alone, and those that go on to a string with an escape."""
        known = self._masks.get((_SPACE, _SPACE))
        if known is None:
            self._spaced = self._by_string_after_space()
            known = self._masks[_SPACE, _SPACE] = self._mask(np.array(self._spaced[b""], np.int64))
        return known

    def _by_string_after_space(self) -> dict[bytes, list[int]]:
        """By what they have of a string after white space or commas, b"" where they are in `commas`."""
        found: dict[bytes, list[int]] = {b"": []}
        for token in np.unique(self._with_some(b",", b"")).tolist():
            if not self.data(token).strip(_SPACE):
                found[b""].append(token)
        for token in np.unique(self._with_some(b'"', _SPACE)).tolist():
            data = self.data(token)
            text = data.lstrip(_SPACE)
            if text[:1] == b'"' and text != data:
                string, quote, _ = text[1:].partition(b'"')
                key = b"" if b"\\" in string else b'"' + string + quote
                found.setdefault(key, []).append(token)
        return found


_SPACE = BLANKS + b","
_of_vocabulary: WeakKeyDictionary[Vocabulary, TokenSets] = WeakKeyDictionary()
