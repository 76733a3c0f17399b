"""The engine's masks beside the definition, over the tree of texts of one grammar."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partialmethod

import numpy as np
import pytest

import structgen as sg
from structgen.engine import arena, heap
from structgen.engine import layout as L
from structgen.grammar import Grammar
from structgen.ir import GrammarIR
from structgen.rules import build

from ..oracles.longest import Longest
from ..oracles.mask import Oracle, oracle
from .strategies import show

EXHAUSTIVE = os.environ.get("STRUCTGEN_EXHAUSTIVE") == "1"


def masked(matcher: sg.GrammarMatcher, size: int) -> np.ndarray:
    """The next mask as bool[size]; a mask that may be skipped must be full."""
    bitmask = np.full((2, (size + 31) // 32), 0x5A5A5A5A, np.int32)
    needed = matcher.fill_next_token_bitmask(bitmask, 1)
    assert (bitmask[0] == 0x5A5A5A5A).all(), "another row was written"
    bits = np.unpackbits(bitmask[1].view(np.uint8), bitorder="little").astype(bool)
    assert needed or bits[:size].all(), "a mask that is not full must not be skipped"
    assert not bits[size:].any(), "bits past the vocabulary are set"
    return bits[:size]


@dataclass
class Totals:
    """What was compared, and what differed."""

    grammars: int = 0
    empty: int = 0
    masks: int = 0
    tokens: int = 0
    further: int = 0
    undecided: int = 0
    unproved: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.grammars} grammars ({self.empty} empty), {self.masks} masks, "
            f"{self.tokens} tokens compared, {self.further} prefixes found past the bound, "
            f"{self.undecided} undecided, {self.unproved} unproved, {len(self.differences)} differences"
        )


@contextmanager
def tables_everywhere() -> Iterator[None]:
    """Every state has a vocabulary table, as else only wide states on large vocabularies have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arena, "NARROW", 0)
        patch.setattr(build, "WIDE_BYTES", 1)
        yield


@contextmanager
def evicting(rows: int = 8) -> Iterator[list[int]]:
    """Caches are given up at every occasion, past ``rows`` masks; the list has an entry for each time."""
    times: list[int] = []
    renew = sg.CompiledGrammar._renew

    def counted(self: sg.CompiledGrammar, old: arena.Arena) -> arena.Arena:
        times.append(1)
        return renew(self, old)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arena, "LEAST_ROWS", rows)
        patch.setattr(sg.CompiledGrammar, "_renew", counted)
        yield times


@contextmanager
def growing_a_little() -> Iterator[None]:
    """A heap grows by a few hundred words, so that it asks for room, and meets its bound, all the time."""

    def grow(self: heap.Heap) -> None:
        self._enlarge(int(self.g[L.H_TOP]) + 300)
        if 2 * int(self.g[L.H_HASH_COUNT]) > self.hash_slots - 65:
            self.rehash()

    def enlarge(self: heap.Heap, least: int) -> None:
        g = np.zeros(max(least + heap.ROOM, int(self.g[L.H_LIMIT]) + heap.ROOM), np.int64)
        top = int(self.g[L.H_TOP])
        g[:top] = self.g[:top]
        g[L.H_LIMIT] = g.shape[0] - heap.ROOM
        self.g = g

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arena, "LEAST_HEAP", 0)
        patch.setattr(heap.Heap, "__init__", partialmethod(heap.Heap.__init__, words=2 * heap.ROOM))
        patch.setattr(heap.Heap, "grow", grow)
        patch.setattr(heap.Heap, "_enlarge", enlarge)
        yield


class Known:
    """An oracle that remembers its answers, and looks further where it found none up to its bound.

    What is found past the bound counts only when the definition says that it is a member.
    """

    def __init__(self, language: Oracle) -> None:
        self.language = language
        self.further = 0
        self.begin_members: set[bytes] = set()  # Prefixes of members found past the bound.
        self.is_prefix = cache(self._is_prefix)
        self.is_member = cache(language.is_member)

    def _is_prefix(self, text: bytes) -> bool:
        if text and not self.is_prefix(text[:-1]):
            return False
        bounded = isinstance(self.language, Longest)
        if not (bounded and len(text) > self.language.bound) and self.language.is_prefix(text):
            return True
        if not bounded:
            return False
        if text in self.begin_members:
            return True
        found = self.language.witness(text, 4 * self.language.bound, at_most=150)
        if found is None or not self.language.is_member(found):
            return False
        self.further += 1
        self.begin_members.update(found[:n] for n in range(len(found) + 1))
        return True


def finished(
    matcher: sg.GrammarMatcher, token: int, alphabet: bytes = b"ab", most: int = 400
) -> bytes | None:
    """How the matcher itself ends its text after ``token``: a claim for the definition to judge."""
    begun = matcher.fork()
    begun.accept_token(token)
    todo, seen = [(b"", begun)], {begun._state}
    for after, at in todo:
        if at.is_accepting():
            return after
        for symbol in (alphabet[i : i + 1] for i in range(len(alphabet))):
            following = at.fork()
            if following.accept_bytes(symbol) and following._state not in seen and len(seen) < most:
                seen.add(following._state)
                todo.append((after + symbol, following))
    return None


class Check:
    """Compares one vocabulary's masks for grammar after grammar; ``totals`` has the outcome."""

    def __init__(
        self, tokens: Sequence[bytes | None], stop_token_ids: tuple[int, ...], alphabet: bytes = b"ab"
    ) -> None:
        self.alphabet = alphabet
        self.tokens = tokens
        self.stops = stop_token_ids
        self.vocabulary = sg.Vocabulary(list(tokens), stop_token_ids=stop_token_ids)
        self.totals = Totals()
        self.singles = [(t, i) for i, t in enumerate(tokens) if t is not None and len(t) == 1]
        self.longest_first = sorted(
            ((t, i) for i, t in enumerate(tokens) if t), key=lambda entry: (-len(entry[0]), entry[0])
        )

    def grammar(
        self, grammar: GrammarIR, depth: int, bound: int = 11, limits: sg.Limits | None = None
    ) -> None:
        """All texts of the grammar up to ``depth`` bytes, each reached by single bytes and by long tokens."""
        language = Known(oracle(grammar, self.alphabet, bound))
        self.totals.grammars += 1
        expected_empty = not language.is_prefix(b"")
        try:
            compiled = sg.compile(Grammar(grammar), self.vocabulary, limits=limits or sg.Limits())
        except sg.GrammarError as error:
            self.totals.empty += 1
            if not expected_empty:
                self.differ(grammar, b"", f"refused, but has members: {error}")
            return
        if expected_empty:
            self.loose(grammar, b"", "compiled, but the language is empty", compiled)
            return
        try:
            self.walk(grammar, language, compiled, depth)
        except sg.StructgenError as error:
            self.differ(grammar, b"", f"raises on the way: {error}")
        self.totals.further += language.further

    def walk(self, grammar: GrammarIR, language: Known, compiled: sg.CompiledGrammar, depth: int) -> None:
        """The tree of texts."""
        todo = [(b"", compiled.matcher())]
        for text, matcher in todo:
            allowed = self.state(grammar, language, compiled, text, matcher)
            if len(text) == depth:
                self.ending(grammar, text, matcher)
                continue
            for data, token in self.singles:
                if not allowed[token]:
                    continue
                after = matcher.fork()
                if not after.accept_token(token):
                    self.differ(grammar, text, f"token {token} {data!r} is in the mask but is not accepted")
                    continue
                todo.append((text + data, after))
                self.in_long_tokens(grammar, language, compiled, text + data)

    def in_long_tokens(
        self, grammar: GrammarIR, language: Known, compiled: sg.CompiledGrammar, text: bytes
    ) -> None:
        """The state after ``text`` in few tokens has the mask of the definition too."""
        matcher = compiled.matcher()
        at = 0
        while at < len(text):
            data, token = next((d, t) for d, t in self.longest_first if text.startswith(d, at))
            if not matcher.accept_token(token):
                self.differ(
                    grammar, text[:at], f"token {token} {data!r} is not accepted, its bytes one by one are"
                )
                return
            at += len(data)
        self.state(grammar, language, compiled, text, matcher)

    def state(
        self,
        grammar: GrammarIR,
        language: Known,
        compiled: sg.CompiledGrammar,
        text: bytes,
        matcher: sg.GrammarMatcher,
    ) -> np.ndarray:
        """Compare one mask with the definition, and return it."""
        try:
            got = masked(matcher, len(self.tokens))
        except AssertionError as error:
            self.differ(grammar, text, str(error))
            return np.zeros(len(self.tokens), bool)
        if not language.is_prefix(text):  # behind an unproved token; noted there
            return np.zeros(len(self.tokens), bool)
        member = language.is_member(text)
        self.totals.masks += 1
        self.totals.tokens += len(self.tokens)
        if matcher.is_accepting() != member:
            self.differ(
                grammar,
                text,
                f"is_accepting() is {not member}, the definition says {member}",
            )
        for i, data in enumerate(self.tokens):
            stop = i in self.stops
            wanted = member if stop else data is not None and language.is_prefix(text + data)
            if got[i] == wanted:
                continue
            what = "the stop token" if stop else repr(data)
            verdict = f"token {i} {what}: the mask says {bool(got[i])}, the definition {wanted}"
            if got[i] and not stop:
                bounded = isinstance(language.language, Longest)
                claim = finished(matcher, i, self.alphabet) if bounded else None
                if claim is not None and language.is_member(text + (data or b"") + claim):
                    self.totals.further += 1
                else:
                    self.loose(grammar, text, verdict, compiled)
            else:
                self.differ(grammar, text, verdict)
        if not got.any():
            self.differ(grammar, text, "an empty mask")
        return got

    def ending(self, grammar: GrammarIR, text: bytes, matcher: sg.GrammarMatcher) -> None:
        """A stop token ends a text that is a member, and changes nothing elsewhere."""
        accepting = matcher.is_accepting()
        accepted = matcher.accept_token(self.stops[0])
        if not accepted == accepting == matcher.is_terminated():
            self.differ(
                grammar,
                text,
                f"stop accepted: {accepted}, terminated: {matcher.is_terminated()}, accepting: {accepting}",
            )

    def loose(self, grammar: GrammarIR, text: bytes, what: str, compiled: sg.CompiledGrammar) -> None:
        """Note a token that nothing can follow, unless the engine says itself that it did not find out."""
        if compiled._arena.unproved:
            self.totals.unproved += 1
        else:
            self.differ(grammar, text, what)

    def differ(self, grammar: GrammarIR, text: bytes, what: str) -> None:
        """Note a difference."""
        self.totals.differences.append(f"{show(grammar)}\nafter {text!r}: {what}")
