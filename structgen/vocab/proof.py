"""The proof that a table's bytes are the tokenizer's: probe strings, encoded and decoded by itself.

Two things are asked for each probe. *Decoding*: the text that the tokenizer makes of the tokens is what
their bytes say; if not, the bytes are wrong. *Encoding*: the bytes of the tokens are the text that was
encoded; if not, the vocabulary is not written the way it seems to be.

Encoding may change a text by design, which is noted and does not fail: a normal form (NFC), a literal
``▁`` where that character stands for a space, a leading space, white space that a pre-tokenizer drops,
characters that the vocabulary lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import VocabularyError
from .table import TokenTable

PROBES = (
    "The quick brown fox",
    ' {"key": [1, 2.5, -3e10, true, null]}\n',
    "  two spaces,\ttab\r\nand  a break \n\n\n",
    "caf\u00e9 \u00df\u00fc\u00f1 na\u00efve",
    "cafe\u0301",
    "\u4f60\u597d\uff0c\u4e16\u754c \u65e5\u672c\u8a9e \ud55c\uad6d\uc5b4",
    "\u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439 \u0645\u0631\u062d\u0628\u0627",
    "\u05e9\u05dc\u05d5\u05dd \u0928\u092e\u0938\u094d\u0924\u0947",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea",
    "\x00\x01\x7f\x1b[0m",
    "</div><0x0A> \u2581x\u2581",
    "\ufb01 \u2460 \u00bd \u2026 \u00a0 \u3000 \u2028",
    "def f(x):\n    return x**2  # \u00b2\n",
    "\U00010348 \U0010ffff \ufffd \u0120\u010a",
)
"""Emoji with joiners, control characters, many scripts, ligatures, byte pieces spelled out, the alphabets
in which tokenizers write bytes."""


def prove(
    table: TokenTable,
    encode: Callable[[str], list[int]],
    decode: Callable[[list[int]], str] | None,
    normalise: Callable[[str], str] | None = None,
    unknown_ids: Sequence[int] = (),
) -> list[str]:
    """Check ``table`` against the tokenizer; return notes on what encoding changes.

    Parameters
    ----------
    encode, decode : the tokenizer's own, with nothing added and no special token skipped
    normalise : what the tokenizer does to a text before it cuts it
    unknown_ids : ids that stand for what the vocabulary lacks

    Raises
    ------
    VocabularyError : names the first token whose bytes are not what the tokenizer makes of it
    """
    names = {i: name.encode() for name, i in table.specials.items()}
    notes: dict[str, None] = {}
    for probe in PROBES:
        ids = encode(probe)
        parts = [names.get(i) or (table.bytes_of(i) if i < table.n_ids else b"") for i in ids]
        joined = b"".join(parts)
        if any(i in unknown_ids for i in ids):
            notes["the vocabulary lacks some characters: a text that needs them cannot be written"] = None
            continue
        if decode is not None:
            shown = decode(ids)
            if shown.lstrip(" ") != joined.decode(errors="replace").lstrip(" "):
                raise _mismatch(ids, parts, [shown.encode()], "the tokenizer decodes the text around it to")
        texts = {probe: ""}
        texts.setdefault(probe.replace("\u2581", " "), "a literal \u2581 is read as a space")
        if normalise is not None:
            normal = normalise(probe)
            told = "the tokenizer normalises text: encoding may write it with other characters"
            texts.setdefault(normal, told)
            texts.setdefault(normal.replace("\u2581", " "), told)
        for text, told in texts.items():
            if joined in (text.encode(), b" " + text.encode()):
                if told:
                    notes[told] = None
                break
        else:
            if not any(b"".join(joined.split()) == b"".join(text.encode().split()) for text in texts):
                raise _mismatch(
                    ids, parts, [text.encode() for text in texts], "the tokenizer makes it out of the text"
                )
            notes["the tokenizer does not keep white space as it is"] = None
    return list(notes)


def _mismatch(ids: list[int], parts: list[bytes], texts: list[bytes], told: str) -> VocabularyError:
    """Name the first token after which the bytes are no longer those of any of the texts."""
    written = b""
    suspect, bytes_of_it = (ids[-1], parts[-1]) if ids else (-1, b"")
    for i, part in zip(ids, parts, strict=True):
        written += part
        if not any(t.strip().startswith(written.strip()) for t in texts):
            suspect, bytes_of_it = i, part
            break
    return VocabularyError(
        f"the bytes of token {suspect} cannot be known: they seem to be {bytes_of_it!r:.80}, but {told} "
        f"{texts[0].decode(errors='replace')!r:.120}; pass the bytes yourself: "
        f"Vocabulary(token_bytes, stop_token_ids)"
    )
