"""What a tokenizer says about its ids, in the form in which it is read, cached and indexed.

Every reader of a tokenizer format ends here; `Vocabulary` adds what the tokenizer does not know (the
width of the logits, the tokens that end a text).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import VocabularyError
from .trie import Int32Array, Int64Array, Trie, Uint8Array, build_trie

_CONTROL_LOOKING = re.compile(r"<\|.+\|>|<[^<>\s]+>|\[[^\[\]\s]+\]", re.DOTALL)


@dataclass(frozen=True, eq=False)
class TokenTable:
    """The bytes of every id of a tokenizer, and what else its text depends on.

    data : uint8[total], the bytes of all ids, one after the other
    offsets : int64[n_ids + 1]; id ``i`` is ``data[offsets[i]:offsets[i + 1]]``, length 0 is never written
    specials : name -> id of the tokens that text never writes
    strips_first_space : decoding drops one space at the start of the whole text
    notes : what a user should know, one sentence each
    index : the trie and the aliases, when they are built
    """

    data: Uint8Array
    offsets: Int64Array
    specials: dict[str, int] = field(default_factory=dict)
    strips_first_space: bool = False
    notes: tuple[str, ...] = ()
    index: tuple[Trie, Int32Array] | None = None

    @property
    def n_ids(self) -> int:
        """Ids, holes included."""
        return len(self.offsets) - 1

    def bytes_of(self, token_id: int) -> bytes:
        """The bytes of an id; ``b""`` when text never writes it."""
        return self.data[self.offsets[token_id] : self.offsets[token_id + 1]].tobytes()

    def indexed(self) -> TokenTable:
        """Return the same table with its trie."""
        return self if self.index else replace(self, index=build_trie(self.data, self.offsets))

    def without(self, token_ids: Sequence[int]) -> TokenTable:
        """Return the table in which text never writes these ids; the same one when it never did."""
        if all(self.offsets[i] == self.offsets[i + 1] for i in token_ids):
            return self
        lengths = np.diff(self.offsets)
        kept = np.ones(self.n_ids, np.bool_)
        kept[list(token_ids)] = False
        data = self.data[np.repeat(kept, lengths)]
        return replace(self, data=data, offsets=_offsets(np.where(kept, lengths, 0)), index=None)

    def resized(self, size: int) -> TokenTable:
        """Return the table with ``size`` ids: padded with ids that text never writes, or cut."""
        if size == self.n_ids:
            return self
        if size > self.n_ids:
            padding = np.full(size - self.n_ids, self.offsets[-1])
            return replace(self, offsets=np.concatenate([self.offsets, padding]))
        total = int(self.offsets[size])
        return replace(
            self,
            data=self.data[:total],
            offsets=self.offsets[: size + 1],
            specials={name: i for name, i in self.specials.items() if i < size},
            index=self.index if total == len(self.data) else None,
        )


def make_table(
    token_bytes: Sequence[bytes | None],
    *,
    specials: dict[str, int] | None = None,
    strips_first_space: bool = False,
    notes: Sequence[str] = (),
) -> TokenTable:
    """Lay out the bytes of ids 0, 1, 2, …; ``None`` and ``b""`` are never written by text."""
    strings = [s or b"" for s in token_bytes]
    for i, s in enumerate(strings):
        if not isinstance(s, bytes):
            raise VocabularyError(
                f"token {i} is a {type(s).__name__}, not bytes or None: {s!r:.60}; text is not enough, as "
                f"a token may hold part of a character (Vocabulary.from_huggingface reads a tokenizer)"
            )
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    data = np.frombuffer(b"".join(strings), np.uint8).copy()
    names = dict(sorted((specials or {}).items(), key=lambda item: (item[1], item[0])))
    return TokenTable(data, _offsets(lengths), names, strips_first_space, tuple(notes))


def looks_like_control(name: str) -> bool:
    """Whether an added token is written like a mark of the chat format: ``<…>``, ``[…]``, ``<|…|>``."""
    return _CONTROL_LOOKING.fullmatch(name) is not None


def _offsets(lengths: Int64Array) -> Int64Array:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
