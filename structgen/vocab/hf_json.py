"""A ``tokenizer.json``, read as data: how its decoder turns each id into bytes.

The decoder decides, not the vocabulary's look: it is what makes text of the ids in the end. It is a chain
of steps, and the bytes of one token are known when each step treats a token by itself. These do:

- ``ByteLevel``: every character stands for a byte (GPT-2's alphabet); a token with a character outside
  the alphabet, such as an added one, is its own UTF-8,
- ``ByteFallback``: ``<0xAB>`` is a byte,
- ``Replace`` and ``Metaspace``: ``▁`` is a space,
- ``Fuse``, and after it ``Strip`` at the start, which belongs to the text as a whole.

WordPiece, BPE with word ends and CTC decoders make a token's text depend on its neighbours: they raise.
Some tokenizers rebuilt from other formats have no decoder; then the vocabulary's look must do, and the
proof by probe strings decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import VocabularyError
from .table import TokenTable, looks_like_control, make_table

_BYTE_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_WAY_OUT = "pass the bytes yourself: Vocabulary(token_bytes, stop_token_ids)"


def _alphabet() -> dict[int, int]:
    """Code point -> byte, GPT-2's way: printable Latin-1 is itself, the rest is moved past 255."""
    itself = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = sorted(set(range(256)) - set(itself))
    return {b: b for b in itself} | {256 + n: b for n, b in enumerate(moved)}


ALPHABET = _alphabet()
# A Latin-1 character outside the alphabet goes where Latin-1 does not reach, so that encoding fails.
_TO_LATIN = dict.fromkeys(range(256), 0xFFFF) | ALPHABET


def byte_level(text: str) -> bytes:
    """The bytes of a byte-level token."""
    try:
        return text.translate(_TO_LATIN).encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


@dataclass
class Decoding:
    """What a decoder does to a single token."""

    is_byte_level: bool = False
    has_byte_pieces: bool = False
    replacements: list[tuple[str, str]] = field(default_factory=list)
    strips_first_space: bool = False
    notes: list[str] = field(default_factory=list)

    def reader(self) -> Callable[[str], bytes]:
        """Token text -> bytes."""
        if self.is_byte_level:
            return byte_level
        has_byte_pieces, replacements = self.has_byte_pieces, self.replacements

        def read(text: str) -> bytes:
            for old, new in replacements:
                text = text.replace(old, new)
            if has_byte_pieces and (match := _BYTE_PIECE.fullmatch(text)):
                return bytes((int(match[1], 16),))
            return text.encode()

        return read


def read_spec(spec: Mapping[str, Any], text_tokens: tuple[str, ...]) -> tuple[TokenTable, list[int]]:
    """Make the table of a parsed ``tokenizer.json``, and list the ids that stand for unknown text.

    ``spec`` is what the ``tokenizers`` library writes of a tokenizer it has loaded. A file may be older, or
    name ids for its added tokens that the library does not go by; the host's tokenizer does.
    ``text_tokens`` are added tokens that text writes although they look like control tokens.
    """
    model = spec["model"]
    vocabulary = model["vocab"]
    texts: dict[str, int] = (
        dict(vocabulary)
        if isinstance(vocabulary, Mapping)
        else {piece: i for i, (piece, _) in enumerate(vocabulary)}
    )
    added = spec["added_tokens"]
    added_ids = {token["content"]: int(token["id"]) for token in added}
    missing = sorted(set(text_tokens) - set(added_ids))
    if missing:
        raise VocabularyError(
            f"text_tokens names {missing[0]!r}, which is not an added token of this tokenizer"
        )

    decoding = read_decoder(spec, texts)
    read = decoding.reader()
    specials = {
        token["content"]: int(token["id"])
        for token in added
        if token["content"] not in text_tokens
        and (token.get("special") or (looks_like_control(token["content"]) and not _is_byte(token, decoding)))
    }
    unknown = [i for i in [model.get("unk_id"), texts.get(model.get("unk_token"))] if i is not None]
    specials.update({text: i for text, i in texts.items() if i in unknown})

    guessed = [t["content"] for t in added if t["content"] in specials and not t.get("special")]
    notes = list(decoding.notes)
    if guessed:
        shown = ", ".join(map(repr, sorted(guessed)[:4]))
        notes.append(
            f"{len(guessed)} added tokens look like control tokens and are not written by text: {shown}"
            f"{', …' if len(guessed) > 4 else ''} (text_tokens=[…] allows them)"
        )
    token_bytes: list[bytes | None] = [None] * (1 + max([*texts.values(), *added_ids.values()], default=-1))
    for text, i in texts.items():
        token_bytes[i] = read(text)
    for text, i in added_ids.items():
        token_bytes[i] = read(text)
    for i in specials.values():
        token_bytes[i] = None
    table = make_table(
        token_bytes, specials=specials, strips_first_space=decoding.strips_first_space, notes=notes
    )
    return table, unknown


def read_decoder(spec: Mapping[str, Any], texts: Mapping[str, int]) -> Decoding:
    """Read the decoder of a ``tokenizer.json``, or infer it from the vocabulary when there is none."""
    steps = list(_flatten(spec.get("decoder"), "decoders"))
    if not steps:
        return _infer(spec, texts)
    decoding = Decoding()
    fused = False
    for step in steps:
        kind = step.get("type")
        if kind == "ByteLevel":
            decoding.is_byte_level = True
        elif kind == "ByteFallback":
            decoding.has_byte_pieces = True
        elif kind == "Fuse":
            fused = True
        elif kind == "Replace" and "String" in step["pattern"]:
            decoding.replacements.append((step["pattern"]["String"], step["content"]))
        elif kind == "Metaspace":
            decoding.replacements.append((step["replacement"], " "))
            decoding.strips_first_space = _prepends(step)
        elif kind == "Strip" and fused and step["content"] == " " and not step["stop"]:
            decoding.strips_first_space = step["start"] > 0
        else:
            raise VocabularyError(
                f"the bytes of a token cannot be known: decoder step {kind!r} makes them depend on the "
                f"tokens around it; {_WAY_OUT}"
            )
    if decoding.is_byte_level and (decoding.has_byte_pieces or decoding.replacements):
        raise VocabularyError(
            f"a decoder that mixes ByteLevel with other steps is not understood; {_WAY_OUT}"
        )
    return decoding


def _infer(spec: Mapping[str, Any], texts: Mapping[str, int]) -> Decoding:
    """Tell from the vocabulary how bytes are written, for a tokenizer without a decoder."""
    note = "the tokenizer has no decoder; its bytes were inferred from the vocabulary"
    if sum(1 for text in texts if _BYTE_PIECE.fullmatch(text)) >= 256:
        before = [
            *_flatten(spec.get("normalizer"), "normalizers"),
            *_flatten(spec.get("pre_tokenizer"), "pretokenizers"),
        ]
        prepends = any(
            step["type"] == "Prepend" or (step["type"] == "Metaspace" and _prepends(step)) for step in before
        )
        return Decoding(
            has_byte_pieces=True,
            replacements=[("\u2581", " ")],
            strips_first_space=prepends,
            notes=[note],
        )
    if sum(1 for code in ALPHABET if chr(code) in texts) >= 250:
        return Decoding(is_byte_level=True, notes=[note])
    raise VocabularyError(
        f"the bytes of a token cannot be known: the tokenizer has no decoder, and its vocabulary has neither "
        f"byte pieces (<0x00> to <0xFF>) nor the byte-level alphabet; {_WAY_OUT}"
    )


def _flatten(step: Mapping[str, Any] | None, inner: str) -> Iterator[Mapping[str, Any]]:
    pending = [step] if step else []
    while pending:
        current = pending.pop()
        if current.get("type") == "Sequence":
            pending.extend(reversed(current[inner]))
        else:
            yield current


def _prepends(step: Mapping[str, Any]) -> bool:
    """Whether a Metaspace step puts a space before the text; ``add_prefix_space`` is its older name."""
    scheme = step.get("prepend_scheme")
    return bool(step.get("add_prefix_space", True)) if scheme is None else scheme != "never"


def _is_byte(token: Mapping[str, Any], decoding: Decoding) -> bool:
    return decoding.has_byte_pieces and _BYTE_PIECE.fullmatch(token["content"]) is not None
