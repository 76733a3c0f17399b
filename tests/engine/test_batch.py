"""Many matchers in one call."""

from __future__ import annotations

import numpy as np
import pytest

import structgen as sg
from structgen.grammar import Grammar
from structgen.ir import Alt, GrammarIR, Lit, Rep


def compiled(*words: bytes) -> sg.CompiledGrammar:
    vocabulary = sg.Vocabulary([b"a", b"b", b"ab", None], (3,))
    return sg.compile(
        Grammar(GrammarIR({"s": Rep(Alt(tuple(Lit(w) for w in words)), 0, 5)}, "s")), vocabulary
    )


def test_rows_are_those_of_single_calls() -> None:
    first, second = compiled(b"ab", b"b"), compiled(b"aa")
    matchers = [first.matcher(), None, second.matcher(), first.matcher(), second.matcher(), first.matcher()]
    assert matchers[3] is not None
    assert matchers[3].accept_bytes(b"a")
    assert matchers[4] is not None
    assert matchers[4].accept_token(3)
    alone = sg.allocate_token_bitmask(6, 4)
    for i, matcher in enumerate(matchers):
        if matcher is not None:
            matcher.fill_next_token_bitmask(alone, i)
    for _ in range(2):  # masks that are made, then masks that are known
        together = sg.allocate_token_bitmask(6, 4)
        sg.fill_next_token_bitmasks(matchers, together)
        assert np.array_equal(together, alone)
    assert alone[1, 0] == -1, "the row of None is left alone"


def test_a_bitmask_that_does_not_fit_is_refused() -> None:
    matchers = [compiled(b"a").matcher()] * 3
    with pytest.raises(ValueError, match="3 matchers for a bitmask of 2 rows"):
        sg.fill_next_token_bitmasks(matchers, sg.allocate_token_bitmask(2, 4))
    with pytest.raises(ValueError, match="two-dimensional numpy array of int32"):
        sg.fill_next_token_bitmasks(matchers, np.zeros((3, 1), np.int64))


def test_one_grammar_with_and_without_gaps() -> None:
    """The same rows, whether all matchers are of one grammar and going on (the usual batch) or not."""
    c = compiled(b"ab", b"b")
    matchers = [c.matcher() for _ in range(40)]
    for i, matcher in enumerate(matchers):
        assert matcher.accept_bytes(b"ab" * (i % 6))
    usual = sg.allocate_token_bitmask(41, 4)
    sg.fill_next_token_bitmasks(matchers, usual)
    gaps = sg.allocate_token_bitmask(41, 4)
    sg.fill_next_token_bitmasks([*matchers, None], gaps)
    assert np.array_equal(usual, gaps)
    alone = sg.allocate_token_bitmask(1, 4)
    for i, matcher in enumerate(matchers):
        matcher.fill_next_token_bitmask(alone)
        assert np.array_equal(alone[0], usual[i])
    sg.fill_next_token_bitmasks([], gaps)
