"""Blocks in Lark text that are written in another way: ``%json {...}``, ``%regex {...}``, ``%lark {...}``.

Where such a block ends only a reader of its own language can tell, and lark's lexer takes regular
expressions. So the blocks are found beforehand, and in the text that lark reads each character of theirs is
covered by one that nothing else holds. Line breaks stay, so every place in the text stays what it is.
"""

from __future__ import annotations

import json
import re
from typing import Any

COVER = "\x01"

# What may hold a brace or a percent sign that means nothing, then the blocks and their braces.
_PIECES = re.compile(
    r"""
    "(?:\\.|[^"\\\n])*"i?
  | /(?!/)(?:\\/|\\\\|[^/])*?/[imslux]*
  | //[^\n]* | \#[^\n]*
  | %(?P<kind>json|regex|lark)\s*(?=\{)
  | (?P<open>\{) | (?P<close>\})
    """,
    re.VERBOSE,
)


class BlockError(Exception):
    """A block that cannot be read; ``place`` is where."""

    def __init__(self, message: str, place: int) -> None:
        self.message = message
        self.place = place
        super().__init__(message)


def cover_blocks(text: str) -> str:
    """``text`` with every character of its blocks, line breaks apart, covered."""
    if not re.search(r"%(json|regex|lark)\b", text):
        return text
    out = []
    done = at = 0
    while (piece := _PIECES.search(text, at)) is not None:
        at = piece.end()
        kind = piece["kind"]
        if kind is None:
            continue
        begin = at
        at = _end_of_lark(text, begin) if kind == "lark" else _end_of_json(text, begin, kind)
        out += [text[done:begin], re.sub(r"[^\n]", COVER, text[begin:at])]
        done = at
    return "".join([*out, text[done:]])


def block_text(text: str, begin: int, end: int) -> tuple[str, int]:
    """The text between the braces' ends of a block token, and where it begins; the braces are part of it."""
    opening = text.index("{", begin)
    return text[opening:end].rstrip(), opening


def json_value(text: str, begin: int) -> Any:
    """The JSON object that begins at ``begin``."""
    value, _ = json.JSONDecoder(strict=False).raw_decode(text, begin)
    return value


def _end_of_json(text: str, begin: int, kind: str) -> int:
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(text, begin)
    except json.JSONDecodeError as error:
        raise BlockError(
            f"%{kind} is followed by something that is no JSON: {error.msg}", error.pos
        ) from None
    except RecursionError:
        raise BlockError(f"the JSON of %{kind} is nested too deep", begin) from None
    return end


def _end_of_lark(text: str, begin: int) -> int:
    depth = 0
    at = begin
    while (piece := _PIECES.search(text, at)) is not None:
        at = piece.end()
        if piece["kind"] in ("json", "regex"):
            at = _end_of_json(text, at, piece["kind"])
        elif piece["open"]:
            depth += 1
        elif piece["close"]:
            depth -= 1
            if depth == 0:
                return at
    raise BlockError("the grammar of %lark is not closed by a '}'", begin)
