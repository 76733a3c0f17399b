"""Sets of numbers and their texts, held against exact arithmetic on every text of a few characters.

A text that is accepted has a value in the set; a value in the set is accepted in every shape that
`number_texts` promises.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import re
import struct
from fractions import Fraction

import pytest

from structgen.frontends.json_schema.number_texts import MOST_ZEROS, json_integer, json_number, text_of
from structgen.frontends.json_schema.scalars import (
    NumberSet,
    both_numbers,
    number_set,
    outside_numbers,
)

from .test_json_schema import check

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
SHAPE = re.compile(
    r"-?(0|[1-9][0-9]*)(\.[0-9]+)?|-?(0|[1-9][0-9]*)(\.0+)?[eE](\+?[0-9]+|-0+)|-?[1-9](\.[0-9]+)?[eE]-0*[1-9][0-9]*"
)
PROGRAMS = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?|-?[1-9](\.[0-9]+)?[eE][+-]?[0-9]+")
TEXTS = [
    text
    for n in range(1, 6)
    for text in map("".join, itertools.product("0125-.e", repeat=n))
    if NUMBER.fullmatch(text)
]
TEXTS += ["1.5e+300", "1.25e2", "125e1", "1000000", "0.0625", "1E-07", "5e-324", "1.7976931348623157e+308"]
SETS = [
    NumberSet(),
    NumberSet(integer=True),
    NumberSet(integer=False),
    NumberSet(low=0, high=7),
    NumberSet(low=-1, low_open=True, high=Fraction(5, 2), high_open=True),
    NumberSet(integer=True, low=-2, high=120),
    NumberSet(integer=True, low=1),
    NumberSet(integer=True, low=-25),
    NumberSet(integer=True, high=5),
    NumberSet(integer=True, low=12, high=1200),
    NumberSet(integer=True, low=-700, high=-2),
    NumberSet(integer=True, low=-(10**40), high=101),
    NumberSet(integer=False, low=Fraction(1, 2), high=10),
    NumberSet(multiples=(5,)),
    NumberSet(multiples=(Fraction(1, 4),)),
    NumberSet(multiples=(Fraction(7, 1000),)),
    NumberSet(multiples=(12,), low=-100),
    NumberSet(integer=True, multiples=(250,)),
    NumberSet(avoided=(5,)),
    NumberSet(integer=True, avoided=(2, 5)),
    NumberSet(avoided=(Fraction(1, 100),), high=2),
    NumberSet(integer=False, multiples=(Fraction(1, 8),), avoided=(Fraction(1, 2),)),
]


@pytest.mark.parametrize("one", SETS, ids=str)
def test_texts_are_those_of_the_values(one: NumberSet) -> None:
    loose, plain = text_of(one, False), text_of(one, True)
    constrained = one != NumberSet() and one != NumberSet(integer=True)
    for text in TEXTS:
        held = one.holds(Fraction(text))
        accepted = loose.matches(text.encode())
        assert held or not accepted, text
        promised = not constrained or (SHAPE.fullmatch(text) and PROGRAMS.fullmatch(text))
        if one == NumberSet(integer=True):
            # Of whole numbers, those that trailing zeros before a negative exponent make.
            promised = not re.search(r"[1-9.]0+e-", text)
        readable = int(text.lower().partition("e")[2] or 0) <= 308
        assert accepted or not (held and promised and readable), text
        if one.integer:
            digits = text.lstrip("-").isdecimal() and text != "-0"
            assert plain.matches(text.encode()) == (held and digits), text


def test_what_programs_write_is_always_a_text() -> None:
    values = [0, -3, 10**30, 1e16, 1e22, -1.5e300, 5e-324, 1e-5, 0.1, -2.0, 123456789.25, 3e15]
    for value in values:
        text = json.dumps(value).encode()
        exact = Fraction(repr(value))
        assert json_number().matches(text)
        assert json_integer(False).matches(text) == (exact.denominator == 1)
        around = number_set(None, exact, exact)
        assert around is not None
        assert text_of(around, False).matches(text)
        for divisor in (Fraction(1, 10**6), 1, 3):
            of = (exact / divisor).denominator == 1
            if divisor == 1 and value != -1.5e300:
                assert text_of(NumberSet(multiples=(divisor,)), False).matches(text) == of, (text, divisor)
                assert text_of(NumberSet(avoided=(divisor,)), False).matches(text) != of, (text, divisor)


@pytest.mark.parametrize("a", SETS, ids=str)
def test_complements(a: NumberSet) -> None:
    values = {Fraction(text) for text in TEXTS}
    for value in values:
        assert any(one.holds(value) for one in outside_numbers(a)) != a.holds(value), value
    for b in SETS:
        both = both_numbers(a, b)
        for value in values:
            held = both is not None and both.holds(value)
            assert held == (a.holds(value) and b.holds(value)), (b, value)


@pytest.mark.parametrize(
    ("arguments", "empty"),
    [
        ({"integer": True, "low": Fraction(1, 2), "high": Fraction(9, 10)}, True),
        ({"integer": True, "low": 4, "high": 4, "avoided": (2,)}, True),
        ({"integer": True, "low": 4, "high": 5, "avoided": (2,)}, False),
        ({"integer": True, "low": 2, "high": 4, "avoided": (2, 3)}, True),
        ({"integer": True, "avoided": (Fraction(1, 2),)}, True),
        ({"integer": None, "multiples": (6,), "avoided": (4,), "low": 12, "high": 17}, True),
        ({"integer": None, "multiples": (6,), "avoided": (4,), "low": 12, "high": 18}, False),
        ({"integer": False, "multiples": (2,)}, True),
        ({"integer": False, "multiples": (Fraction(1, 2),), "low": 1, "high": 1}, True),
        ({"integer": False, "multiples": (Fraction(1, 2),), "low": 1, "high": Fraction(3, 2)}, False),
        ({"integer": None, "low": 3, "high": 3, "avoided": (3,)}, True),
        ({"integer": None, "low": 3, "high": 4, "avoided": (Fraction(1, 10),)}, False),
    ],
)
def test_emptiness(arguments: dict, empty: bool) -> None:
    low, high = arguments.pop("low", None), arguments.pop("high", None)
    integer = arguments.pop("integer")
    found = number_set(integer, low, high, **arguments)
    assert (found is None) == empty
    if found is not None:
        assert not text_of(found, False).is_empty


def test_integers_can_be_plain() -> None:
    check({"items": {"type": "integer"}}, ["=[1]", "=[-20]"], ["=[1.0]", "=[1e2]"], integers="plain")
    check({"enum": [1, 2.0, 2.5]}, ["=1", "=2", "=2.5"], ["=1.0", "=2.0"], integers="plain")
    check({"minimum": 1, "type": "integer"}, ["=1", "=20"], ["=1.0", "=0"], integers="plain")
    check({"type": "number"}, ["=1", "=1.0", "=1e2"], [], integers="plain")


@pytest.mark.parametrize("one", SETS, ids=repr)
def test_zeros_that_say_nothing_come_to_an_end(one: NumberSet) -> None:
    dfa = text_of(one, False)
    for text in ("1", "2", "3", "1.5", "0.5", "-1", "100", "125", "1.13"):
        whole = "." not in text
        with_zeros = [
            f"{text}{'.' * whole}{'0' * n}" for n in (1, MOST_ZEROS - 1, MOST_ZEROS, MOST_ZEROS + 1, 99)
        ]
        taken = [dfa.matches(longer.encode()) for longer in with_zeros]
        assert taken == [taken[0]] * 3 + [False, False], text
        exponents = [dfa.matches(f"{text}e{'0' * n}1".encode()) for n in (0, MOST_ZEROS, MOST_ZEROS + 1)]
        assert exponents == [exponents[0]] * 2 + [False], text


@pytest.mark.parametrize("one", [NumberSet(), NumberSet(integer=True), NumberSet(low=1)], ids=str)
def test_exponents_are_those_of_floats(one: NumberSet) -> None:
    dfa = text_of(one, False)
    for text in ("1e308", "1E+308", "1.5e00307", "1.7976931348623157e+308"):
        assert dfa.matches(text.encode()), text
    for text in ("1e309", "1e999", "1.5e2722", "1e+1000", "1e0309"):
        assert not dfa.matches(text.encode()), text


def test_every_number_that_json_writes_is_there() -> None:
    rng = random.Random(0)
    floats = [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(3000)]
    floats += [round(rng.uniform(-1000, 1000), rng.randrange(12)) for _ in range(1000)]
    floats += [10.0**n for n in range(-30, 30)] + [1 + 2**-52, 0.1 + 0.2, 5e-324]
    wide = text_of(NumberSet(low=-(10**320), high=10**320), False)
    for value in floats:
        if math.isfinite(value):
            text = json.dumps(value).encode()
            assert json_number().matches(text)
            assert wide.matches(text), text
            assert not value.is_integer() or json_integer(False).matches(text), text


def test_a_set_keeps_what_it_has() -> None:
    found = text_of(
        NumberSet(low=Fraction(1) + Fraction(1, 10**30), high=Fraction(1) + Fraction(2, 10**30)), False
    )
    assert found.matches(b"1." + b"0" * 29 + b"1")
    assert text_of(
        NumberSet(multiples=(Fraction(1, 10**20),), low=0, high=Fraction(1, 10**20)), False
    ).matches(b"1e-20")
