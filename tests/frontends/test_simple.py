"""A regular expression, a list of texts."""

from __future__ import annotations

import re
from itertools import product

import pytest

from structgen.errors import GrammarError, LimitExceededError
from structgen.frontends.simple import choices_to_ir, regex_to_ir
from structgen.ir import Pat
from structgen.limits import Limits


@pytest.mark.parametrize("pattern", ["a*b", "(a|b){2,3}", "a+?b??", "^a[^b]$", "(?i)ab", "(?=a)..", ""])
def test_a_regex_is_its_full_matches(pattern: str) -> None:
    ir = regex_to_ir(pattern)
    assert (ir.lexing, ir.start, list(ir.rules)) == ("any", "start", ["start"])
    body = ir.rules["start"]
    assert isinstance(body, Pat)
    for n in range(4):
        for letters in product("abB", repeat=n):
            word = "".join(letters)
            assert body.dfa.matches(word.encode()) == bool(re.fullmatch(pattern, word))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("a(", "Python"), (r"(a)\1", "back reference"), (r"[^\s\S]", "no text"), ("a^b", "no text")],
)
def test_a_regex_that_cannot_be(pattern: str, words: str) -> None:
    with pytest.raises(GrammarError, match=words):
        regex_to_ir(pattern)


def test_a_regex_that_is_too_large() -> None:
    with pytest.raises(LimitExceededError, match="max_dfa_states"):
        regex_to_ir("[ab]*a[ab]{14}", limits=Limits(max_dfa_states=1000))


def test_choices() -> None:
    ir = choices_to_ir(["yes", "no", "nö", "yes", ""])
    body = ir.rules[ir.start]
    assert isinstance(body, Pat)
    assert all(body.dfa.matches(w.encode()) for w in ("yes", "no", "nö", ""))
    assert not any(body.dfa.matches(w.encode()) for w in ("y", "yesno", "n", "noo"))


@pytest.mark.parametrize(
    ("choices", "words"),
    [([], "no choices"), ("yes", "one text"), (["a", 1], "not 1"), (["\ud800"], "surrogate")],
)
def test_choices_that_cannot_be(choices, words: str) -> None:
    with pytest.raises(GrammarError, match=words):
        choices_to_ir(choices)


def test_choices_that_are_too_many() -> None:
    with pytest.raises(LimitExceededError, match=r"max_dfa_states=10 .*choices"):
        choices_to_ir([f"{n * 7919:x}" for n in range(100)], limits=Limits(max_dfa_states=10))
