"""Rules that are written into their callers: what stays a call, and that texts need few frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg
from structgen.engine.arena import Arena
from structgen.limits import USUAL
from structgen.rules import unfolding
from structgen.rules.calls import cycles, without_cycles

BYTES = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))
CHAIN = """
start: sum
sum: product (("+" | "-") product)*
product: power (("*" | "/") power)*
power: unary ("^" unary)*
unary: "-"* atom call*
call: "(" (sum ("," sum)*)? ")" | "[" sum "]" | "." NAME
atom: NAME | NUMBER | "(" sum ")" | "[" (sum ("," sum)*)? "]"
NAME: /[a-z]+/
NUMBER: /[0-9]+/
%ignore " "
"""

LEFT = """
start: a "!"
a: b "x" | "y"
b: a "z" | "w" c
c: "(" a ")"
"""


def arena_of(text: str) -> Arena:
    return Arena(sg.Grammar.from_lark(text).ir, BYTES, USUAL)


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4), max_size=10))
def test_without_the_kept_rules_no_cycle_is_left(calls: dict[int, list[int]]) -> None:
    below = {f"r{name}": [f"r{c}" for c in callees if c in calls] for name, callees in calls.items()}
    kept = without_cycles(below)
    assert not cycles({n: [c for c in cs if c not in kept] for n, cs in below.items() if n not in kept})
    if not cycles(below):
        assert not kept


def test_a_chain_of_precedence_is_one_rule() -> None:
    arena = arena_of(CHAIN)
    made = arena.builder.graphs.unfolded
    assert made is not None
    called = {name for name, states in made._made.items() if states is None}
    assert len(called) <= 2
    # What is called in the text below: the start, the sum in brackets, what else is kept.
    assert len(arena.builder.units) <= 3


def test_rules_that_are_too_large_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks do not depend on which rules are unfolded."""
    text = b"f(a, [1 + x.y]) * -(2)"
    rows = []
    for most in (0, 4, 1000):
        monkeypatch.setattr(unfolding, "MOST_UNFOLDED", most)
        matcher = sg.compile(sg.Grammar.from_lark(CHAIN), BYTES).matcher()
        row = sg.allocate_token_bitmask(1, BYTES.size)
        masks = []
        for byte in text:
            matcher.fill_next_token_bitmask(row)
            masks.append(row.tobytes())
            assert matcher.accept_token(byte)
        rows.append(masks)
    assert rows[0] == rows[1] == rows[2]


def test_no_more_is_made_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfolding, "MOST_MADE", -1)
    made = arena_of(CHAIN).builder.graphs.unfolded
    assert made is not None
    assert not any(made._made.values())


def test_rules_that_begin_with_themselves_stay_rules() -> None:
    made = arena_of(LEFT).builder.graphs.unfolded
    assert made is not None
    assert made.get("a") is None
    assert made.get("b") is None
    compiled = sg.compile(sg.Grammar.from_lark(LEFT), BYTES)
    for text, good in ((b"yzxzx!", True), (b"w(yzx)xzx!", True), (b"yz!", False), (b"w(y)zx!", False)):
        matcher = compiled.matcher()
        assert all(matcher.accept_token(byte) for byte in text) == good
        assert not good or matcher.is_accepting()
