"""Tokenizers that know their bytes: tiktoken, tekken (Mistral's form of it), sentencepiece.

tiktoken and tekken list bytes, so there is nothing to prove. sentencepiece lists pieces of text in which
``▁`` is a space, and says of each whether it is a byte, a control piece or unused.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import VocabularyError
from .encode import Encoder
from .proof import prove
from .stops import choose_stops
from .stored import stored_table
from .table import TokenTable, looks_like_control, make_table

Loaded = tuple[TokenTable, tuple[int, ...], int | None, Encoder | None]

# The special tokens of tekken files that do not list theirs (versions up to 7), by rank.
_TEKKEN_SPECIALS = [
    *("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
    *("[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]"),
    *("[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]"),
]


class TiktokenEncoder:
    """A ``tiktoken.Encoding`` whose ids are shifted by ``shift``."""

    def __init__(self, encoding: Any, shift: int = 0) -> None:
        """Keep the encoding."""
        self._encoding = encoding
        self._shift = shift

    def __call__(self, text: str) -> Iterator[list[int]]:
        """Encode text; special tokens spelled out are text."""
        yield [i + self._shift for i in self._encoding.encode_ordinary(text)]


class TekkenEncoder:
    """The tokeniser of a tekken file; needs tiktoken, and gives nothing where that is not installed."""

    def __init__(self, pattern: str, ranks: dict[bytes, int], shift: int) -> None:
        """Keep the parts; the encoding is made when first asked."""
        self._pattern = pattern
        self._ranks = ranks
        self._shift = shift
        self._inner: TiktokenEncoder | None = None

    def __call__(self, text: str) -> Iterator[list[int]]:
        """Encode text."""
        if self._inner is None:
            try:
                from tiktoken import Encoding
            except ImportError:
                return
            encoding = Encoding(
                "tekken", pat_str=self._pattern, mergeable_ranks=self._ranks, special_tokens={}
            )
            self._inner = TiktokenEncoder(encoding, self._shift)
        yield from self._inner(text)


class SentencePieceEncoder:
    """A ``SentencePieceProcessor`` as an encoder."""

    def __init__(self, processor: Any) -> None:
        """Keep the processor."""
        self._processor = processor

    def plain(self, text: str) -> list[int]:
        """Encode without adding anything."""
        return list(self._processor.encode(text))

    def decode(self, ids: list[int]) -> str:
        """Decode; control pieces decode to nothing."""
        return str(self._processor.decode(ids))

    def __call__(self, text: str) -> Iterator[list[int]]:
        """Encode as a whole text, then as one that goes on after something else."""
        yield self.plain(text)
        mark, marked = self.plain("\x02"), self.plain("\x02" + text)
        if marked[: len(mark)] == mark:
            yield marked[len(mark) :]


def load_tiktoken(encoding: Any, vocab_size: int | None, stop_token_ids: Iterable[int] | None) -> Loaded:
    """What `Vocabulary.from_tiktoken` is made of."""
    try:
        size = encoding.max_token_value + 1
        names = {name: encoding.encode_single_token(name) for name in encoding.special_tokens_set}
    except AttributeError as error:
        raise VocabularyError(f"this is not a tiktoken.Encoding: {error}") from error
    token_bytes: list[bytes | None] = [None] * size
    for i in range(size):
        try:
            token_bytes[i] = encoding.decode_single_token_bytes(i)
        except KeyError:
            continue  # A hole.
    for i in names.values():
        token_bytes[i] = None
    table = make_table(token_bytes, specials=names)
    stops = {names["<|endoftext|>"]} if "<|endoftext|>" in names else set()
    return table, choose_stops(stop_token_ids, stops, vocab_size), vocab_size, TiktokenEncoder(encoding)


def load_tekken(
    tekken: str | os.PathLike[str] | Mapping[str, Any],
    vocab_size: int | None,
    stop_token_ids: Iterable[int] | None,
) -> Loaded:
    """What `Vocabulary.from_tekken` is made of."""
    try:
        spec = tekken if isinstance(tekken, Mapping) else json.loads(Path(tekken).read_bytes())
        config = spec["config"]
        shift = int(config["default_num_special_tokens"])
        size = int(config["default_vocab_size"])
        ranks = {
            base64.b64decode(token["token_bytes"], validate=True): int(token["rank"])
            for token in spec["vocab"]
            if token["rank"] < size - shift
        }
        listed = spec.get("special_tokens")
        if listed is None:
            listed = [{"rank": rank, "token_str": name} for rank, name in enumerate(_TEKKEN_SPECIALS[:shift])]
        names = {token["token_str"]: int(token["rank"]) for token in listed}
        pattern = str(config["pattern"])
    except OSError as error:
        raise VocabularyError(f"the tekken file cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise VocabularyError(f"this is not a tekken file: {type(error).__name__} {error}") from error
    outside = [name for name, rank in names.items() if not 0 <= rank < shift]
    if outside or sorted(ranks.values()) != list(range(size - shift)):
        raise VocabularyError(
            f"this is not a sound tekken file: it should list {shift} special tokens at most and "
            f"{size - shift} others, with ranks from 0 on"
        )
    taken = set(names.values())
    names.update({f"<SPECIAL_{i}>": i for i in range(shift) if i not in taken})
    token_bytes: list[bytes | None] = [None] * size
    for text, rank in ranks.items():
        token_bytes[rank + shift] = text
    table = make_table(token_bytes, specials=names)
    stops = {names["</s>"]} if "</s>" in names else set()
    encoder = TekkenEncoder(pattern, ranks, shift)
    return table, choose_stops(stop_token_ids, stops, vocab_size), vocab_size, encoder


def load_sentencepiece(
    processor: Any, vocab_size: int | None, stop_token_ids: Iterable[int] | None
) -> Loaded:
    """What `Vocabulary.from_sentencepiece` is made of."""
    if isinstance(processor, str | os.PathLike):
        try:
            from sentencepiece import SentencePieceProcessor
        except ImportError as error:
            raise VocabularyError(
                "reading a sentencepiece model needs the sentencepiece package: pip install sentencepiece"
            ) from error
        try:
            processor = SentencePieceProcessor(model_file=os.fspath(processor))
        except (OSError, RuntimeError) as error:
            raise VocabularyError(f"{processor} is not a sentencepiece model: {error}") from error
    encoder = SentencePieceEncoder(processor)

    def build() -> TokenTable:
        size = processor.get_piece_size()
        token_bytes = [piece_bytes(processor, i) for i in range(size)]
        specials = {processor.id_to_piece(i): i for i in range(size) if token_bytes[i] is None}
        first = processor.encode("a", out_type=str)
        strips = bool(first) and first[0].startswith("\u2581")
        table = make_table(token_bytes, specials=specials, strips_first_space=strips)
        notes = prove(table, encoder.plain, encoder.decode, processor.normalize, [processor.unk_id()])
        return TokenTable(table.data, table.offsets, table.specials, strips, tuple(notes))

    table = stored_table("sentencepiece", processor.serialized_model_proto(), (), build)
    stops = {processor.eos_id()} - {-1}
    return table, choose_stops(stop_token_ids, stops, vocab_size), vocab_size, encoder


def piece_bytes(processor: Any, piece_id: int) -> bytes | None:
    """The bytes of a sentencepiece piece; ``None`` for control, unknown and unused ones.

    So does one that the user defined and that looks like a control token. Trained pieces look like that,
    too (``[i]``), but only what is not trained has a score of zero.
    """
    if processor.is_control(piece_id) or processor.is_unknown(piece_id) or processor.is_unused(piece_id):
        return None
    piece = str(processor.id_to_piece(piece_id))
    if processor.is_byte(piece_id):
        return bytes((int(piece[3:5], 16),))
    if looks_like_control(piece) and processor.get_score(piece_id) == 0.0:
        return None
    return piece.replace("\u2581", " ").encode()
