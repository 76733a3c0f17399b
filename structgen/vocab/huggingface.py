"""Hugging Face tokenizers: where the description comes from, and which ids end a text.

Neither transformers nor torch is imported. A tokenizer object is asked for what it has, a path is read;
the ``tokenizers`` library is loaded only where a text must be encoded (the proof, and
:meth:`Vocabulary.encode`), so that a vocabulary that is on disk already costs a hash and a read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import VocabularyError
from .encode import Encoder
from .hf_json import read_spec
from .native import load_sentencepiece, load_tekken, piece_bytes
from .proof import prove
from .stops import as_ids, choose_stops, configured_stops, named_stop
from .stored import stored_table
from .table import TokenTable, looks_like_control, make_table

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Loaded = tuple[TokenTable, tuple[int, ...], int | None, Encoder | None]

_MARK = "\x02"
"""A character that no tokenizer merges with what follows."""


class FastEncoder:
    """A ``tokenizers.Tokenizer`` of its own, made when first asked. Can be pickled.

    source : a path, the JSON itself, or a tokenizer to copy. A copy, because a host may switch on padding
        or truncation, or encode with it in another thread.
    """

    def __init__(self, source: Path | str | Tokenizer) -> None:
        """Remember where the tokenizer comes from."""
        self._source = source
        self._own: Tokenizer | None = None

    @property
    def tokenizer(self) -> Tokenizer:
        """The private tokenizer."""
        if self._own is None:
            from tokenizers import Tokenizer

            source = self._source
            try:
                if isinstance(source, Path):
                    own = Tokenizer.from_file(str(source))
                else:
                    own = Tokenizer.from_str(source if isinstance(source, str) else source.to_str())
            except Exception as error:  # The library raises plain Exception.
                where = str(source) if isinstance(source, Path) else "the tokenizer"
                raise VocabularyError(f"{where} cannot be loaded: {error}") from error
            own.no_padding()
            own.no_truncation()
            own.encode_special_tokens = True  # Spelled out in a text, they are text.
            self._own = own
            self._source = own
        return self._own

    def plain(self, text: str) -> list[int]:
        """Encode without adding anything."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """Decode without leaving anything out."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=False))

    def normalise(self, text: str) -> str:
        """What happens to a text before it is cut into tokens."""
        normalizer = self.tokenizer.normalizer
        return text if normalizer is None else str(normalizer.normalize_str(text))

    def __call__(self, text: str) -> Iterator[list[int]]:
        """Encode as a whole text, then as one that goes on after something else."""
        yield self.plain(text)
        mark, marked = self.plain(_MARK), self.plain(_MARK + text)
        if marked[: len(mark)] == mark:
            yield marked[len(mark) :]

    def __getstate__(self) -> dict[str, Any]:
        """Pickle what the tokenizer is made of; a path may not exist where it is read."""
        source = self._source
        if isinstance(source, Path):
            source = source.read_text(encoding="utf-8")
        return {"_source": source, "_own": None}


def load(
    tokenizer: Any,
    vocab_size: int | None,
    stop_token_ids: Iterable[int] | None,
    text_tokens: tuple[str, ...],
) -> Loaded:
    """What `Vocabulary.from_huggingface` is made of."""
    if isinstance(tokenizer, str | os.PathLike):
        path = Path(tokenizer)
        file = _file_in(path)
        if text_tokens and (file.suffix == ".model" or file.name == "tekken.json"):
            raise VocabularyError(f"{file} has no added tokens, so text_tokens cannot name any")
        if file.name == "tekken.json":
            return load_tekken(file, vocab_size, stop_token_ids)
        if file.suffix == ".model":
            return load_sentencepiece(str(file), vocab_size, stop_token_ids)
        content = file.read_bytes()
        encoder = FastEncoder(file)
        table = _read_json(content, lambda: encoder.tokenizer.to_str(), encoder, text_tokens)
        stops: set[int] = set()
        if stop_token_ids is None:

            def token_id(name: str) -> int | None:
                if name in table.specials:  # Nearly always; the tokenizer need not be loaded then.
                    return table.specials[name]
                return encoder.tokenizer.token_to_id(name)

            stops = configured_stops(file.parent) | named_stop(file.parent, token_id)
        return table, choose_stops(stop_token_ids, stops, vocab_size), vocab_size, encoder

    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    any_encoder: Encoder
    if hasattr(backend, "to_str"):
        written = backend.to_str()
        fast = FastEncoder(backend)
        table, any_encoder = _read_json(written.encode(), lambda: written, fast, text_tokens), fast
    elif hasattr(tokenizer, "sp_model"):
        table, any_encoder = _read_slow(tokenizer, text_tokens)
    else:
        raise VocabularyError(
            f"a {type(tokenizer).__name__} does not tell the bytes of its tokens: pass a fast tokenizer of "
            f"transformers, a tokenizers.Tokenizer or the path of a tokenizer.json; or use "
            f"Vocabulary.from_tiktoken, from_tekken, from_sentencepiece, or "
            f"Vocabulary(token_bytes, stop_token_ids)"
        )
    stops = set()
    if stop_token_ids is None:
        stops = as_ids(getattr(tokenizer, "eos_token_id", None))
        if isinstance(origin := getattr(tokenizer, "name_or_path", None), str) and origin:
            stops |= configured_stops(origin)
    return table, choose_stops(stop_token_ids, stops, vocab_size), vocab_size, any_encoder


def _file_in(path: Path) -> Path:
    if path.is_dir():
        for name in ("tokenizer.json", "tekken.json", "tokenizer.model"):
            if (path / name).is_file():
                return path / name
        raise VocabularyError(f"{path} holds no tokenizer.json, tekken.json or tokenizer.model")
    if not path.is_file():
        raise VocabularyError(
            f"{path} is neither a file nor a folder; a tokenizer of a hub is loaded first, by "
            f"transformers.AutoTokenizer.from_pretrained({str(path)!r}), and passed as an object"
        )
    return path


def _read_json(
    content: bytes, written: Callable[[], str], encoder: FastEncoder, text_tokens: tuple[str, ...]
) -> TokenTable:
    """Read a tokenizer known by ``content``; ``written`` gives the JSON that the library writes of it."""

    def build() -> TokenTable:
        spec = json.loads(written())
        table, unknown = read_spec(spec, text_tokens)
        decode = encoder.decode if spec.get("decoder") else None
        notes = prove(table, encoder.plain, decode, encoder.normalise, unknown)
        return TokenTable(
            table.data, table.offsets, table.specials, table.strips_first_space, (*table.notes, *notes)
        )

    return stored_table("tokenizer.json", content, text_tokens, build)


class SlowEncoder:
    """A tokenizer without a fast backend, as an encoder."""

    def __init__(self, tokenizer: Any) -> None:
        """Keep the tokenizer."""
        self._tokenizer = tokenizer

    def plain(self, text: str) -> list[int]:
        """Encode without adding anything."""
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def __call__(self, text: str) -> Iterator[list[int]]:
        """Encode as a whole text."""
        yield self.plain(text)


def _read_slow(tokenizer: Any, text_tokens: tuple[str, ...]) -> tuple[TokenTable, SlowEncoder]:
    """Read a tokenizer of transformers that runs on sentencepiece itself.

    Its ids need not be those of the model (some shift them), so each is asked for by its piece.
    """
    model = tokenizer.sp_model
    ids = set(tokenizer.get_vocab().values())
    added = tokenizer.added_tokens_decoder
    token_bytes: list[bytes | None] = [None] * (1 + max([*ids, *added]))
    specials: dict[str, int] = {}
    unknown: list[int] = []
    for i in sorted(ids):
        piece = tokenizer.convert_ids_to_tokens(i)
        native = model.piece_to_id(piece)
        if model.is_unknown(native) and piece != model.id_to_piece(native):
            continue  # An added token, handled below, or one that the model does not have.
        if model.is_unknown(native):
            unknown.append(i)
        token_bytes[i] = piece_bytes(model, native)
        if token_bytes[i] is None:
            specials[piece] = i
    for i, token in added.items():
        name = str(token.content)
        if name not in text_tokens and (token.special or looks_like_control(name)):
            specials[name] = i
            token_bytes[i] = None
        elif token_bytes[i] is None:
            token_bytes[i] = name.encode()
    encoder = SlowEncoder(tokenizer)
    first = model.encode("a", out_type=str)
    strips = bool(first) and first[0].startswith("\u2581")
    table = make_table(token_bytes, specials=specials, strips_first_space=strips)
    notes = prove(table, encoder.plain, None, None, unknown)
    return TokenTable(table.data, table.offsets, table.specials, strips, tuple(notes)), encoder
