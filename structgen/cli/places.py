"""Where a text leaves a grammar, and how that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..explanation import MOST_NAMES

if TYPE_CHECKING:
    from ..matcher import GrammarMatcher

_CHUNK = 4096


@dataclass(frozen=True)
class Place:
    """A byte of a text: ``offset`` from 0, ``line`` and ``column`` (in characters) from 1."""

    offset: int
    line: int
    column: int
    shown: str  # The line and a caret under the place, each indented by two.


def feed(matcher: GrammarMatcher, data: bytes) -> int:
    """Read ``data`` as far as the grammar goes; returns how many bytes that are."""
    done = 0
    while done < len(data):
        chunk = data[done : done + _CHUNK]
        if matcher.accept_bytes(chunk):
            done += len(chunk)
            continue
        for i in range(len(chunk)):
            if not matcher.accept_bytes(chunk[i : i + 1]):
                return done + i
        done += len(chunk)
    return done


def locate(data: bytes, offset: int) -> Place:
    """The place of byte ``offset``, which may be the end of the text."""
    start = data.rfind(b"\n", 0, offset) + 1
    end = data.find(b"\n", offset)
    before = data[start:offset].decode("utf-8", "replace")
    after = data[offset : len(data) if end < 0 else end].decode("utf-8", "replace")
    cut = before[-60:].replace("\t", " ")
    shown = f"  {cut}{after[:60]}\n  {' ' * len(cut)}^"
    return Place(offset, data.count(b"\n", 0, offset) + 1, len(before) + 1, shown)


def describe_failure(matcher: GrammarMatcher, name: str, data: bytes, offset: int) -> str:
    """Why ``data`` does not belong to the grammar; ``matcher`` has read the first ``offset`` bytes of it."""
    place = locate(data, offset)
    if offset == len(data):
        problem = "the text ends too early"
    else:
        byte = data[offset]
        shown = repr(chr(byte)) if 0x20 <= byte < 0x7F else f"byte 0x{byte:02x}"
        problem = f"{shown} cannot come here"
    expected = matcher.expected()
    # Where terminals are named, the rules that they stand in are told apart from them.
    rules = expected.rules[:MOST_NAMES] if expected.terminals else ()
    reading = f"\n  while reading {', '.join(rules)}" if rules else ""
    return (
        f"{name}:{place.line}:{place.column}: byte {offset}: {problem}\n{place.shown}\n"
        f"  expected {expected}{reading}"
    )
