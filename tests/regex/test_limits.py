"""What could run away is refused, quickly and by name."""

from __future__ import annotations

import time

import pytest

from structgen.errors import GrammarError, LimitExceededError
from structgen.limits import Limits
from structgen.regex import (
    CharDFA,
    compile_match,
    compile_search,
    json_string,
    parse_ecma,
    parse_python,
    union,
)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a{1,1000}){1,1000}",
        "(([ab]{1,99}){1,99}){1,99}",
        "((a?){1,1000}){1,1000}",
        "a{4294967294}",
        "[ab]*a[ab]{40}",
        "(?=.*a.{30}b)[abc]*",
        "(?:(?<=a.{30})b|[ab])*",
        "(?:(?=[ab]{30}a)a|[ab])*",
    ],
)
def test_explosions_are_refused(pattern: str) -> None:
    began = time.perf_counter()
    with pytest.raises(LimitExceededError) as caught:
        compile_match(parse_ecma(pattern), limits=Limits(max_dfa_states=20_000))
    assert caught.value.limit == "max_dfa_states"
    assert caught.value.reached > 20_000
    assert time.perf_counter() - began < 20


def test_the_clock_is_looked_at() -> None:
    with pytest.raises(LimitExceededError) as caught:
        compile_search(
            parse_python("[ab]*a[ab]{40}"), limits=Limits(max_dfa_states=10**7, compile_seconds=0.05)
        )
    assert caught.value.limit == "compile_seconds"


def test_combinations_are_bounded_too() -> None:
    tight = Limits(max_dfa_states=500)
    a = CharDFA.from_node(parse_ecma("(a|b){40}*".replace("*", "")), limits=tight)
    b = CharDFA.from_node(parse_ecma("(?:(?:a|b){37})*"), limits=tight)
    c = CharDFA.from_node(parse_ecma("(?:(?:a|b){31})*"), limits=tight)
    assert a.intersect(b, limits=tight).is_empty
    with pytest.raises(LimitExceededError):
        b.intersect(c, limits=tight)
    with pytest.raises(LimitExceededError):
        a.bounded(0, 10**9)
    with pytest.raises(LimitExceededError):
        json_string(parse_ecma("[ab]{400}"), limits=tight)
    many = [compile_match(parse_python(f"(?:[ab]{{{n}}})*")) for n in (2, 3, 5, 7, 11)]
    with pytest.raises(LimitExceededError):
        union(*many, limits=tight)


def test_nested_repetition_of_what_can_be_empty_is_cheap() -> None:
    began = time.perf_counter()
    assert compile_match(parse_ecma("((a*)*)*")).digest == compile_match(parse_ecma("a*")).digest
    assert (
        compile_match(parse_ecma("(" * 60 + "a" + ")+" * 60)).digest == compile_match(parse_ecma("a+")).digest
    )
    assert compile_match(parse_ecma("(a?b?c?){0,60}")).n_states == 182
    assert time.perf_counter() - began < 5


def test_look_arounds_nest_only_so_deep() -> None:
    assert compile_match(parse_ecma("(?=" * 30 + "a" + ")" * 30 + "a")).matches(b"a")
    with pytest.raises(GrammarError, match="nested more than 40 deep"):
        compile_match(parse_ecma("(?=" * 50 + "a" + ")" * 50))


def test_usual_patterns_take_milliseconds() -> None:
    patterns = [
        r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$",
        r"^\d{4}-\d{2}-\d{2}$",
        "^(?!x)[a-z]{1,64}$",
    ]
    for pattern in patterns:
        compile_search(parse_ecma(pattern))
    best = min(_seconds(patterns) for _ in range(5))
    assert best < 0.05  # 1.2 ms where it was written


def _seconds(patterns: list[str]) -> float:
    began = time.perf_counter()
    for pattern in patterns:
        compile_search(parse_ecma(pattern))
    return time.perf_counter() - began
