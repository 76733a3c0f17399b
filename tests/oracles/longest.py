"""Languages cut into the longest terminals (``lexing="longest"``), by their definition.

At a lexeme's start the candidates are the terminals that can follow those read so far, the ignored
ones, and the forbidden ones, with which a text ends in vain. Each is matched, as long as it can be,
against the whole remaining text. Of those that match, the highest priority wins; of these the longest;
of these a literal over a pattern; what is still equal is all kept, as readings of their own. A text
belongs to the language when one reading comes to its end with a whole sentence.

Whether a text can be *completed* cannot be read off the readings: one that looks alive may be cut
differently by every possible continuation (``A B`` with /a+/ and /a/ is an empty language). So
`Longest.is_prefix` looks for the continuation, over a small alphabet and up to a bound: a yes comes
with a witness, a no holds up to the bound. `Longest.witness` looks further.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

from structgen import ir

from .earley import Earley, Translation

Sequence = tuple[str, ...]


class Longest:
    """The oracle for ``lexing="longest"``: texts over ``alphabet``, completed up to length ``bound``."""

    keeps_text = False

    def __init__(self, grammar: ir.GrammarIR, alphabet: bytes, bound: int) -> None:
        self.terminals = grammar.terminals
        self.ignore = grammar.ignore
        self.forbidden = grammar.forbidden
        self.alphabet = alphabet
        self.bound = bound
        self.sentences = Earley(Translation(grammar, terminals=True).productions)
        for name in ("candidates", "complete", "next", "match", "winners", "reads"):
            setattr(self, name, cache(getattr(self, name)))
        self.prefixes: set[bytes] | None = None

    def candidates(self, sequence: Sequence) -> frozenset[tuple[str, bool]]:
        """What may be read after ``sequence``: names of terminals, and whether as ignored ones."""
        following = {(str(name), False) for name in self.sentences.following(sequence)}
        always = {(name, True) for name in self.ignore} | {(name, False) for name in self.forbidden}
        return frozenset(following | always)

    def complete(self, sequence: Sequence) -> bool:
        """``sequence`` is a whole sentence."""
        return self.sentences.is_member(sequence)

    def match(self, name: str, text: bytes) -> int:
        """The length of the longest match at the start of ``text``; 0 when there is none."""
        longest, q = 0, self.terminals[name].dfa.start
        for n, symbol in enumerate(text, 1):
            q = self.next(name, q, symbol)
            if self.final(name, q):
                longest = n
        return longest

    def winners(
        self, candidates: frozenset[tuple[str, bool]], text: bytes
    ) -> frozenset[tuple[str, bool, int]]:
        """The candidates that are read at the start of ``text``, with their length."""
        matching = [(name, ignored, n) for name, ignored in candidates if (n := self.match(name, text))]

        def strength(match: tuple[str, bool, int]) -> tuple[int, int, bool]:
            terminal = self.terminals[match[0]]
            return terminal.priority, match[2], terminal.literal

        best = max(map(strength, matching), default=None)
        return frozenset(m for m in matching if strength(m) == best)

    def reads(self, sequence: Sequence, text: bytes) -> bool:
        """``text`` completes ``sequence`` to a whole sentence."""
        if not text:
            return self.complete(sequence)
        return any(
            self.reads(after, text[n:])
            for name, ignored, n in self.winners(self.candidates(sequence), text)
            if (after := self.after(sequence, name, ignored, text[:n])) is not None
        )

    def after(self, sequence: Sequence, name: str, ignored: bool, lexeme: bytes) -> Sequence | None:
        """What is read after one more lexeme; None when it cannot come here."""
        if name in self.forbidden:
            return None
        return sequence if ignored else (*sequence, name)

    def is_member(self, text: bytes) -> bool:
        """``text`` belongs to the language."""
        return not self.sentences.empty and self.reads((), text)

    def members(self) -> Iterator[bytes]:
        """The members up to the bound, by length."""
        for n in range(self.bound + 1):
            yield from filter(self.is_member, map(bytes, product(self.alphabet, repeat=n)))

    def is_prefix(self, text: bytes) -> bool:
        """A member no longer than the bound begins with ``text``."""
        if len(text) > self.bound:
            raise ValueError(f"a text of {len(text)} bytes, but members are known up to {self.bound}")
        if self.prefixes is None:
            self.prefixes = {m[:n] for m in self.members() for n in range(len(m) + 1)}
        return text in self.prefixes

    def readings(self, text: bytes) -> dict[Reading, bytes]:
        """The readings alive after ``text``, with what they have read. None: no member begins so."""
        readings = {self.first(): b""} if not self.sentences.empty else {}
        for symbol in text:
            readings = self.advance(readings, bytes([symbol]))
        return readings

    def first(self) -> Reading:
        """Before anything is read."""
        return Reading((), None, frozenset())

    def advance(self, readings: dict[Reading, bytes], symbols: bytes) -> dict[Reading, bytes]:
        """The readings after one more byte out of ``symbols``."""
        return {
            after: read + bytes([symbol])
            for reading, read in readings.items()
            for symbol in symbols
            for after in self.step(reading, symbol)
        }

    def witness(self, text: bytes, more: int, at_most: int = 2000) -> bytes | None:
        """A member that begins with ``text`` and is at most ``more`` longer, looked for by `step`.

        No more than ``at_most`` readings are followed from one length to the next.
        """
        readings = self.readings(text)
        for n in range(more + 1):
            for reading, read in readings.items():
                if self.whole(reading):
                    return read
            if n < more:
                following = self.advance(readings, self.alphabet)
                shortest = sorted(following, key=lambda r: (len(r.sequence), len(r.forbidden)))
                readings = {r: following[r] for r in shortest[:at_most]}
        return None

    def whole(self, reading: Reading) -> bool:
        """The text may end at this reading."""
        return reading.lexeme is None and self.complete(reading.sequence)

    def step(self, reading: Reading, symbol: int) -> Iterator[Reading]:
        """Where one byte can lead, with what the choice of a winner promises about the rest of the text."""
        start, best = reading.lexeme or (
            frozenset(
                (name, ignored, self.terminals[name].dfa.start)
                for name, ignored in self.candidates(reading.sequence)
            ),
            None,
        )
        forbidden = frozenset((name, q) for name, p in reading.forbidden if (q := self.next(name, p, symbol)))
        if any(self.final(name, q) for name, q in forbidden):
            return
        lexeme = frozenset(
            (name, ignored, q) for name, ignored, p in start if (q := self.next(name, p, symbol))
        )
        ending = [(name, ignored) for name, ignored, q in lexeme if self.final(name, q)]
        for name, ignored in ending:
            winner = self.terminals[name]
            rivals = [self.terminals[other] for other, _ in ending]
            if best is not None and best > winner.priority:
                continue
            if any((r.priority, r.literal) > (winner.priority, winner.literal) for r in rivals):
                continue
            promised = {
                (other, q) for other, _, q in lexeme if self.terminals[other].priority >= winner.priority
            }
            sequence = self.after(reading.sequence, name, ignored, reading.text + bytes([symbol]))
            if sequence is not None:
                yield Reading(sequence, None, forbidden | promised)
        # Of a lexeme in which only forbidden terminals are open nothing is ever read.
        if any(name not in self.forbidden for name, _, _ in lexeme):
            priorities = [self.terminals[name].priority for name, _ in ending]
            best = max([*priorities, *([] if best is None else [best])], default=None)
            read = reading.text + bytes([symbol]) if self.keeps_text else b""
            yield Reading(reading.sequence, (lexeme, best), forbidden, read)

    def next(self, name: str, q: int, symbol: int) -> int:
        """One step of a terminal's automaton."""
        return self.terminals[name].dfa.run(bytes([symbol]), q)

    def final(self, name: str, q: int) -> bool:
        """The terminal can end here."""
        return bool(self.terminals[name].dfa.final[q])


@dataclass(frozen=True)
class Reading:
    """One way of having cut a text, for `Longest.step`.

    sequence : the terminals read
    lexeme : between lexemes None, else the candidates alive with their states, and the highest
        priority that has matched so far within the lexeme
    forbidden : terminals, from an earlier lexeme's start on, that must not match any further
    text : the lexeme so far, where something depends on it
    """

    sequence: Sequence
    lexeme: tuple[frozenset[tuple[str, bool, int]], int | None] | None
    forbidden: frozenset[tuple[str, int]]
    text: bytes = b""
