"""Steps shared between forks: every way of forking, going on and taking back leads to the text it should."""

from __future__ import annotations

import random
import sys
from array import array

import numpy as np
import pytest

import structgen as sg
from structgen.grammar import Grammar
from structgen.history import Segment, steps_of
from structgen.ir import Alt, GrammarIR, Lit, Rep

TOKENS = [None, b"a", b"b", b"ab", b"ba"]
LETTERS = GrammarIR({"s": Rep(Alt((Lit(b"a"), Lit(b"b"))))}, "s")


def compiled() -> sg.CompiledGrammar:
    return sg.compile(Grammar(LETTERS), sg.Vocabulary(TOKENS, (0,)))


@pytest.mark.parametrize("seed", range(20))
def test_a_tree_of_forks(seed: int) -> None:
    """Beside each matcher a plain list of its steps."""
    draw = random.Random(seed)
    c = compiled()
    alive: list[tuple[sg.GrammarMatcher, list[int | bytes]]] = [(c.matcher(), [])]
    for _ in range(300):
        i = draw.randrange(len(alive))
        matcher, steps = alive[i]
        what = draw.random()
        if what < 0.4:
            step = draw.choice([1, 2, 3, np.int64(4), b"a", b"bab"])
            assert matcher.accept_bytes(step) if isinstance(step, bytes) else matcher.accept_token(step)
            steps.append(step)
        elif what < 0.6:
            alive.append((matcher.fork(), steps.copy()))
        elif what < 0.9:
            n = draw.randrange(min(len(steps), 8) + 1)
            matcher.rollback(n)
            del steps[len(steps) - n :]
        elif what < 0.93:
            matcher.reset()
            steps.clear()
        elif len(alive) > 8:
            alive.pop(i)
        for m, taken in alive:
            assert m.text == b"".join(s if isinstance(s, bytes) else TOKENS[s] or b"" for s in taken)
            with pytest.raises(ValueError, match=f"cannot take back {len(taken) + 1} steps of {len(taken)}"):
                m.rollback(len(taken) + 1)
            fresh = c.matcher()
            assert all(
                fresh.accept_bytes(s) if isinstance(s, bytes) else fresh.accept_token(s) for s in taken
            )
            assert m._state == fresh._state


def test_an_ended_text_is_ended_in_its_forks_alone() -> None:
    c = compiled()
    matcher = c.matcher()
    assert matcher.accept_token(1)
    assert matcher.accept_token(0)
    fork = matcher.fork()
    assert fork.is_terminated()
    assert matcher.is_terminated()
    fork.rollback(0)
    assert fork.is_terminated()
    fork.rollback(1)
    assert not fork.is_terminated()
    assert matcher.is_terminated()
    assert fork.text == matcher.text == b"a"
    assert not matcher.accept_token(1)
    assert fork.accept_token(1)


def test_a_fork_holds_no_copy_of_what_was_before() -> None:
    matcher = compiled().matcher()
    for _ in range(10_000):
        assert matcher.accept_token(1)
    alone = sys.getsizeof(matcher._states) + sys.getsizeof(matcher._taken)
    assert alone < 20 * 10_000
    forks = [matcher.fork() for _ in range(100)]
    assert len({id(f._shared) for f in forks}) == 1
    assert all(sys.getsizeof(f._states) + sys.getsizeof(f._taken) < 500 for f in forks)


def test_no_fork_is_too_deep() -> None:
    """Forking before each step makes a chain of segments: nothing that walks it recurses."""
    matcher = compiled().matcher()
    for _ in range(100_000):
        assert matcher.accept_token(1)
        matcher = matcher.fork()
    assert len(matcher.text) == 100_000
    other = matcher.fork()
    other.rollback(99_999)
    assert other.text == b"a"
    del matcher


def test_more_steps_than_there_are() -> None:
    segment = Segment(None, 0, array("q", [7, 8]), array("i", [1, -1]), [b"x"])
    assert list(steps_of(segment, 2, array("i", [-1, 5]), [b"y"])) == [1, b"x", b"y", 5]
    assert segment.back(2, 2) == (segment, 0, 7)
    with pytest.raises(ValueError, match="not so many"):
        segment.back(2, 3)
