"""Indentation as structure, by its definition (`ir.Indentation`), on top of the longest cut.

An ignored terminal either always ends with a line break or never does, in the grammars that are tested.

A newline lexeme is whole when its column is asked for, so nothing is kept but what was read: the terminals,
how many brackets are open, the columns of the open blocks, and whether the last lexeme was a newline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from structgen import ir

from .longest import Longest, Reading


@dataclass(frozen=True)
class Place:
    """What was read, up to the end of a lexeme."""

    terminals: tuple[str, ...] = ()
    depth: int = 0
    columns: tuple[tuple[int, int], ...] = ((0, 0),)
    after_newline: bool = True
    begun: bool = False
    joined: bool = False

    def __len__(self) -> int:
        """How many terminals were read."""
        return len(self.terminals)


class Indented(Longest):
    """The oracle for grammars with indentation; a `Place` takes the place of the terminals read."""

    keeps_text = True

    def __init__(self, grammar: ir.GrammarIR, alphabet: bytes, bound: int) -> None:
        assert grammar.indentation is not None
        self.lines = grammar.indentation
        super().__init__(grammar, alphabet, bound)

    def candidates(self, place: Place) -> frozenset[tuple[str, bool]]:
        newline = (self.lines.newline, True)
        if not place.begun:
            return frozenset({newline})
        made = {self.lines.indent, self.lines.dedent}
        taken = {str(name) for name in self.sentences.following(place.terminals)} - made
        ignored = {(name, True) for name in self.ignore} | {(name, False) for name in self.forbidden}
        if place.depth:
            return frozenset({(name, False) for name in taken - {self.lines.newline}} | ignored | {newline})
        return frozenset({(name, False) for name in taken} | ignored)

    def after(self, place: Place, name: str, ignored: bool, lexeme: bytes) -> Place | None:
        if name in self.forbidden:
            return None
        if name == self.lines.newline:
            if place.depth:
                return Place(place.terminals, place.depth, place.columns, True, True)
            terminals = (*place.terminals, *(() if not place.begun else (name,)))
            return self.line(terminals, place.columns, lexeme)
        if ignored:
            joined = lexeme[-1:] in (b"\r", b"\n")
            return Place(place.terminals, place.depth, place.columns, False, True, joined)
        depth = place.depth + (name in self.lines.opening)
        if name not in self.lines.opening and name in self.lines.closing:
            depth = max(depth - 1, 0)
        return Place((*place.terminals, name), depth, place.columns, False, True)

    def line(
        self, terminals: tuple[str, ...], columns: tuple[tuple[int, int], ...], lexeme: bytes
    ) -> Place | None:
        """What is read when a line begins that ``lexeme`` leads to."""
        _, *lines = re.split(rb"[\r\n]", lexeme)
        if lines and not lines[-1].strip(b" \t\f"):
            blanks = lines[-1].split(b"\f")[-1]
            wide, narrow = len(blanks.expandtabs(self.lines.tab)), len(blanks)
            if wide > columns[-1][0]:
                if narrow <= columns[-1][1]:
                    return None
                terminals, columns = (*terminals, self.lines.indent), (*columns, (wide, narrow))
            while wide < columns[-1][0]:
                terminals, columns = (*terminals, self.lines.dedent), columns[:-1]
            if columns[-1] != (wide, narrow):
                return None
        return Place(terminals, 0, columns, True, True) if self.sentences.is_prefix(terminals) else None

    def complete(self, place: Place) -> bool:
        if place.joined:
            return False
        dedents = (self.lines.dedent,) * (len(place.columns) - 1)
        if self.sentences.is_member((*place.terminals, *dedents)):
            return True
        if place.depth or place.after_newline:
            return False
        return self.sentences.is_member((*place.terminals, self.lines.newline, *dedents))

    def reads(self, place: Place, text: bytes) -> bool:
        if not place.begun:
            text = b"\n" + text
        elif not text:
            return self.complete(place)
        for name, ignored, n in self.winners(self.candidates(place), text):
            if n == len(text) and name == self.lines.newline:
                # It begins no line, so its column does not count.
                taken = (name,) if place.begun and not place.depth else ()
                if self.complete(Place((*place.terminals, *taken), place.depth, place.columns)):
                    return True
                continue
            after = self.after(place, name, ignored, text[:n])
            if after is not None and self.reads(after, text[n:]):
                return True
        return False

    def is_member(self, text: bytes) -> bool:
        return not self.sentences.empty and self.reads(Place(), text)

    def first(self) -> Reading:
        start = (self.lines.newline, True, self.next(self.lines.newline, 1, ord("\n")))
        return Reading(
            Place(), (frozenset({start}), self.terminals[self.lines.newline].priority), frozenset(), b"\n"
        )

    def whole(self, reading: Reading) -> bool:
        place, text = reading.sequence, reading.text
        if text:
            return self.reads(place, text if place.begun else text[1:])
        return not place.after_newline and self.complete(place)

    def step(self, reading: Reading, symbol: int) -> Iterator[Reading]:
        yield from super().step(reading, symbol)
        if not reading.sequence.begun and reading.text == b"\n":
            # The newline before the text may end there and then, which no byte shows.
            after = self.after(reading.sequence, self.lines.newline, True, b"\n")
            assert reading.lexeme is not None
            promised = frozenset((name, q) for name, _, q in reading.lexeme[0])
            if after is not None:
                yield from super().step(Reading(after, None, promised), symbol)
