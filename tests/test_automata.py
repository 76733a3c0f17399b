"""Facts about a `ByteDFA`, against what its words say."""

from __future__ import annotations

import math
from itertools import product

import pytest

from structgen.automata import ByteDFA
from structgen.regex import compile_search, parse_ecma, word_counts


def dfa(pattern: str) -> ByteDFA:
    return compile_search(parse_ecma(f"^(?:{pattern})$"))


FINITE = ["a", "ab|ac|b", "(a|b)(c|)", "a{0,3}", "|a|ab", "[abc]{2}c?"]


@pytest.mark.parametrize("pattern", FINITE)
def test_finite_languages(pattern: str) -> None:
    automaton = dfa(pattern)
    texts = [bytes(t) for n in range(5) for t in product(b"abc", repeat=n)]
    words = [t for t in texts if automaton.matches(t)]
    assert word_counts(automaton)[automaton.start] == len(words)
    assert word_counts(automaton)[0] == 0
    assert automaton.first_bytes == {word[0] for word in words if word}
    assert automaton.first_bits == sum(1 << b for b in automaton.first_bytes)
    begins = any(a != b and b.startswith(a) for a in words for b in words)
    assert automaton.is_prefix_free == (not begins and b"" not in words)


@pytest.mark.parametrize("pattern", ["a+", "ab*c", "(ab|c)*", "x(a(b(c)*)*d|y)"])
def test_where_a_cycle_can_be_reached_words_are_infinite(pattern: str) -> None:
    automaton = dfa(pattern)
    assert word_counts(automaton)[automaton.start] == math.inf


def test_behind_a_cycle_words_are_counted_again() -> None:
    automaton = dfa("a*b(c|d)")
    assert word_counts(automaton)[automaton.run(b"aab")] == 2
    assert word_counts(automaton)[automaton.run(b"abc")] == 1
    assert automaton.run(b"ba") == 0


def test_a_language_without_words() -> None:
    automaton = dfa("[]")
    assert automaton.is_empty
    assert not automaton.is_prefix_free
    assert word_counts(automaton).tolist() == [0]
    assert automaton.first_bits == 0
    assert not automaton.matches(b"")
