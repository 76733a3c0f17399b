"""`Vocabulary`: the exact bytes of every token id, and nothing about grammars.

A mask is a statement about bytes, so the bytes must be right. Two choices follow.

- *Special tokens are not text.* ``<|im_end|>`` inside a JSON string would end the turn, or start a tool
  call, in whatever reads the model's output. A token flagged special, or an added one that is written
  like a control token, therefore has no bytes here. Its characters can still be written by other tokens.
- *Bytes are proved, not guessed.* A reader encodes and decodes probe strings with the tokenizer itself
  and compares; where the bytes cannot be known it raises instead of being nearly right.

Several ids may have the same bytes (``<0x09>`` and ``\\t`` in Gemma). The trie holds the lowest of them,
:attr:`Vocabulary.aliases` names the others, and a mask is completed by copying bits.

The arrays are shared with kernels and between threads and must not be written to. They are not flagged
read-only all the same: to numba that is another type, and each kernel would be compiled twice.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import operator
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import VocabularyError
from .encode import Encoder, join_bytes, shortest_tokens
from .table import TokenTable, make_table
from .trie import Int32Array, Int64Array, Trie, Uint8Array, build_trie, sub_trie

if TYPE_CHECKING:
    from os import PathLike

FINGERPRINT_VERSION = 1
"""Changes when the same vocabulary would be laid out or interpreted differently."""


class Vocabulary:
    """What each token id writes. Immutable; shared between grammars, requests and threads.

    Parameters
    ----------
    token_bytes : the bytes of ids 0, 1, 2, …; ``None`` (or ``b""``) for an id that text never writes:
        a special token, a hole in the ids, padding
    stop_token_ids : the ids that end a text. They are never written as text, even where ``token_bytes``
        has bytes for them. An empty tuple is allowed, and means that the caller ends texts himself.
    size : how many ids there are, when more than ``token_bytes`` names: the width of the logits
    specials : name -> id of special tokens, by which a grammar can name them. Text never writes them.
    strips_first_space : the tokenizer's decoder drops one space at the start of the whole text
    encoder : text -> tokenisations to try, best first, for :meth:`encode`

    Raises
    ------
    VocabularyError : an id out of range, a token that is not bytes, no token at all

    Attributes
    ----------
    size : number of ids, holes and padding included; the width of a mask
    stop_token_ids : tuple of int, ascending
    specials : mapping name -> id
    strips_first_space : bool; ``▁{`` is `` {`` in the middle of a text and ``{`` at its start
    notes : what a user should know about this tokenizer, one sentence each
    data : uint8[total], the bytes of all ids, one after the other; not to be written to
    offsets : int64[size + 1]; id ``i`` is ``data[offsets[i]:offsets[i + 1]]``, and length 0 means that
        text never writes it; not to be written to
    """

    size: int
    stop_token_ids: tuple[int, ...]
    specials: Mapping[str, int]
    strips_first_space: bool
    notes: tuple[str, ...]
    data: Uint8Array
    offsets: Int64Array

    def __init__(
        self,
        token_bytes: Sequence[bytes | None],
        stop_token_ids: Iterable[int],
        *,
        size: int | None = None,
        specials: Mapping[str, int] | None = None,
        strips_first_space: bool = False,
        encoder: Encoder | None = None,
    ) -> None:
        """Lay out the bytes; the trie is built when first asked for."""
        n = len(token_bytes)
        if size is not None and size < n:
            raise VocabularyError(
                f"size={size} is smaller than the {n} tokens given; size is the width of the "
                f"logits, which may only be wider"
            )
        size = n if size is None else size
        for name, i in (specials or {}).items():
            if not 0 <= i < size:
                raise VocabularyError(f"special token {name!r} has id {i}, which is not in range({size})")
        table = make_table(token_bytes, specials=dict(specials or {}), strips_first_space=strips_first_space)
        self._set(table, stop_token_ids, size, encoder)

    @classmethod
    def _from_table(
        cls, table: TokenTable, stop_token_ids: Iterable[int], size: int | None, encoder: Encoder | None
    ) -> Vocabulary:
        vocabulary = cls.__new__(cls)
        vocabulary._set(table, stop_token_ids, table.n_ids if size is None else size, encoder)
        return vocabulary

    def _set(
        self, table: TokenTable, stop_token_ids: Iterable[int], size: int, encoder: Encoder | None
    ) -> None:
        if size <= 0:
            raise VocabularyError("a vocabulary needs at least one token")
        try:
            stops = sorted({operator.index(i) for i in stop_token_ids})
        except TypeError as error:
            raise VocabularyError(f"stop_token_ids must be ids, not {stop_token_ids!r:.80}") from error
        for i in stops:
            if not 0 <= i < size:
                raise VocabularyError(
                    f"stop token {i} is not in range({size}); size (vocab_size) is the width of the logits "
                    f"and must cover it"
                )
        table = table.resized(size)
        table = table.without([*stops, *table.specials.values()])
        self.size = size
        self.stop_token_ids = tuple(stops)
        self.specials = table.specials
        self.strips_first_space = table.strips_first_space
        self.notes = table.notes
        self.data = table.data
        self.offsets = table.offsets
        self._encoder = encoder
        if table.index:
            self._index = table.index

    @cached_property
    def _index(self) -> tuple[Trie, Int32Array]:
        return build_trie(self.data, self.offsets)

    @property
    def trie(self) -> Trie:
        """The trie of all tokens that text writes, one id for each byte string."""
        return self._index[0]

    @property
    def aliases(self) -> Int32Array:
        """int32[n, 2]: rows ``[id in the trie, other id with the same bytes]``, ascending."""
        return self._index[1]

    @cached_property
    def fingerprint(self) -> str:
        """64 hex digits (BLAKE2b-256): equal fingerprints, equal size, bytes, stop and special tokens."""
        described = {
            "version": FINGERPRINT_VERSION,
            "size": self.size,
            "stop_token_ids": self.stop_token_ids,
            "specials": sorted(self.specials.items()),
            "strips_first_space": self.strips_first_space,
        }
        h = hashlib.blake2b(digest_size=32)
        h.update(json.dumps(described).encode())
        h.update(b"\0")
        h.update(self.offsets.astype("<i8", copy=False).tobytes())
        h.update(self.data.tobytes())
        return h.hexdigest()

    def bytes_of(self, token_id: int) -> bytes | None:
        """The bytes that a token writes, or ``None`` when text never writes it.

        Raises IndexError when the id is not in ``range(size)``.
        """
        if not 0 <= token_id < self.size:
            raise IndexError(f"token id {token_id} is not in range({self.size})")
        return self.data[self.offsets[token_id] : self.offsets[token_id + 1]].tobytes() or None

    @property
    def token_bytes(self) -> list[bytes | None]:
        """The bytes of all ids, made anew at each call: for tests and reports, not for a step."""
        raw = self.data.tobytes()
        bounds = self.offsets.tolist()
        return [raw[a:b] or None for a, b in itertools.pairwise(bounds)]

    def sub_trie(self, token_ids: Iterable[int]) -> Trie:
        """The trie of some tokens. An alias stands for its id in the trie; special tokens are ignored."""
        primary = {other: first for first, other in self.aliases.tolist()}
        return sub_trie(self.trie, [primary.get(i, i) for i in map(int, token_ids)])

    def encode(self, text: bytes) -> list[int]:
        """Write ``text`` as tokens; their bytes are exactly ``text``, and none of them is special.

        As the tokenizer itself would where it is known: the tokenisation the model was trained on. Where
        it is not (a vocabulary made of bytes), or adds or changes something (a leading space, a normal
        form, a special token spelled out), or the text is not UTF-8 from some byte on: the fewest tokens,
        and of equally few the one whose first tokens are longest.

        Raises VocabularyError when no sequence of tokens writes the text.
        """
        head = text
        if self._encoder is None:
            head = b""
        else:
            try:
                text.decode()
            except UnicodeDecodeError as error:
                head = text[: error.start]
        if head and self._encoder is not None:
            for ids in self._encoder(head.decode()):
                if join_bytes(ids, self.data, self.offsets) == head:
                    return ids + shortest_tokens(text[len(head) :], self.trie)
        return shortest_tokens(text, self.trie)

    def __len__(self) -> int:
        """Return :attr:`size`."""
        return self.size

    def __repr__(self) -> str:
        """Say how many ids there are, how many text writes, and which end it."""
        written = int((self.offsets[1:] > self.offsets[:-1]).sum())
        stops = list(self.stop_token_ids)
        return f"<Vocabulary of {self.size} ids, {written} written by text, stop ids {stops}>"

    @classmethod
    def from_huggingface(
        cls,
        tokenizer: Any,
        vocab_size: int | None = None,
        stop_token_ids: Iterable[int] | None = None,
        *,
        text_tokens: Iterable[str] = (),
    ) -> Vocabulary:
        """Read a Hugging Face tokenizer. The result is kept on disk, by content.

        Parameters
        ----------
        tokenizer : a tokenizer of transformers (fast, or a sentencepiece one), a ``tokenizers.Tokenizer``,
            the path of a ``tokenizer.json``, or a folder that holds one (or a ``tokenizer.model``)
        vocab_size : the width of the logits. Ids past the tokenizer's are padding; a tokenizer with ids past
            the logits (a token for images) is cut.
        stop_token_ids : the ids that end a text. ``None``: the tokenizer's end-of-text token, and those of
            ``generation_config.json`` (else ``config.json``) in the folder it was loaded from.
        text_tokens : added tokens that are written like control tokens (``<table>``) and that text may
            write all the same

        Raises
        ------
        VocabularyError : bytes that cannot be known exactly, no stop token found, ids out of range
        """
        from .huggingface import load

        return cls._from_table(*load(tokenizer, vocab_size, stop_token_ids, tuple(sorted(text_tokens))))

    @classmethod
    def from_tiktoken(
        cls, encoding: Any, stop_token_ids: Iterable[int] | None = None, *, vocab_size: int | None = None
    ) -> Vocabulary:
        """Read a ``tiktoken.Encoding``. ``stop_token_ids=None``: its end-of-text token."""
        from .native import load_tiktoken

        return cls._from_table(*load_tiktoken(encoding, vocab_size, stop_token_ids))

    @classmethod
    def from_tekken(
        cls,
        tekken: str | PathLike[str] | Mapping[str, Any],
        stop_token_ids: Iterable[int] | None = None,
        *,
        vocab_size: int | None = None,
    ) -> Vocabulary:
        """Read a ``tekken.json`` (path or parsed). ``stop_token_ids=None``: ``</s>``."""
        from .native import load_tekken

        return cls._from_table(*load_tekken(tekken, vocab_size, stop_token_ids))

    @classmethod
    def from_sentencepiece(
        cls, processor: Any, stop_token_ids: Iterable[int] | None = None, *, vocab_size: int | None = None
    ) -> Vocabulary:
        """Read a ``SentencePieceProcessor`` or a ``.model`` file. ``stop_token_ids=None``: its ``eos_id``."""
        from .native import load_sentencepiece

        return cls._from_table(*load_sentencepiece(processor, vocab_size, stop_token_ids))
