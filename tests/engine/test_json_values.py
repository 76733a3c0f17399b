"""Texts of JSON values against Python's own json: what is equal, and what can still become equal."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from structgen.engine.json_values import DIFFERS, EQUAL, Value, compare, middle, open_scalar, without_spelling

CHARACTERS = ["a", "b", "/", "\\", '"', "\n", "é", "😀", "\u2028", "u", "0"]
NUMBERS = [0, 1, -1, 12, 120, 100, 1.5, -0.25, 1e22, 1e-7, 10.0]


def any_value(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(6 if depth else 4)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice(NUMBERS)
    if kind < 4:
        return any_text(rng)
    if kind == 4:
        return [any_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {any_text(rng): any_value(rng, depth - 1) for _ in range(rng.randrange(4))}


def any_text(rng: random.Random) -> str:
    return "".join(rng.choices(CHARACTERS, k=rng.randrange(4)))


def spelled(value: Any, rng: random.Random) -> str:
    """One of the texts of a value."""
    gap = lambda: rng.choice(["", "", " ", "\n\t"])  # noqa: E731
    if isinstance(value, str):
        return '"' + "".join(spelled_character(one, rng) for one in value) + '"'
    if isinstance(value, dict):
        members = [f"{spelled(k, rng)}{gap()}:{gap()}{spelled(v, rng)}{gap()}" for k, v in value.items()]
        rng.shuffle(members)
        return f"{{{gap()}{(gap() + ',' + gap()).join(members)}}}"
    if isinstance(value, list):
        return f"[{gap()}{(gap() + ',' + gap()).join(spelled(item, rng) for item in value)}{gap()}]"
    text = json.dumps(value)
    if isinstance(value, bool) or value is None or "e" in text:
        return text
    more = "" if "." in text else rng.choice(["", ".0", ".000"])
    return text + more + rng.choice(["", "e0", "E+00", "e-0"])


def spelled_character(one: str, rng: random.Random) -> str:
    plain = json.dumps(one, ensure_ascii=False)[1:-1]
    code = one.encode("utf-16-be").hex()
    escaped = "".join("\\u" + code[i : i + 4] for i in range(0, len(code), 4))
    return rng.choice([plain, plain, escaped, escaped.upper().replace("\\U", "\\u")])


def comparable(value: Any) -> str:
    """Equal texts for equal values."""
    if isinstance(value, dict):
        return "{" + ",".join(sorted(json.dumps(k) + comparable(v) for k, v in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(comparable, value)) + "]"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(float(value)) if number else json.dumps(value)


@pytest.mark.parametrize("seed", range(4))
def test_every_text_of_a_value_can_become_it(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(150):
        value = any_value(rng, 2)
        known = Value(spelled(value, rng).encode())
        text = spelled(value, rng).encode()
        assert Value(text) == known
        assert hash(Value(text)) == hash(known)
        assert Value(without_spelling(text)) == known
        for end in range(len(text)):
            result, rests = compare(text[:end], known.tree)
            assert result != DIFFERS, (text[:end], value)
            for rest in rests or ():
                going_on = compare(text[:end] + rest, known.tree)
                assert going_on[0] != DIFFERS, (text[:end], rest, value)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        assert compare(text, known.tree)[0] == EQUAL or is_number
        assert compare(text + b" ", known.tree)[0] == EQUAL
        if isinstance(value, str):
            assert known.spelled == json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize("seed", range(4))
def test_another_value_differs(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(400):
        one, other = any_value(rng, 2), any_value(rng, 2)
        equal = comparable(one) == comparable(other)
        known, text = Value(spelled(one, rng).encode()), spelled(other, rng).encode()
        assert (Value(text) == known) == equal
        assert (compare(text + b" ", known.tree)[0] == EQUAL) == equal


def test_numbers_are_equal_by_value() -> None:
    for texts in (["1", "1.0", "1e0", "10E-1", "0.1e+1"], ["0", "-0.0", "0e99"], ["1e400", "10e399"]):
        assert len({Value(text.encode()) for text in texts}) == 1
    assert Value(b"1e400") != Value(b"1e401")
    assert Value(b"1") != Value(b"true")


def test_depth_is_no_matter() -> None:
    deep = b"[" * 50_000 + b"1" + b"]" * 50_000
    assert Value(deep) == Value(deep.replace(b"1", b" 1.0 "))
    assert compare(deep[:-1], Value(deep).tree)[0] != DIFFERS


def test_the_middle_of_a_text_goes_on_as_the_text_does() -> None:
    whole = ['{"a\\"b":[1.05,-20e+07,0.0,0,true,"x\\\\"], "é" : 0e5}', '"ab"', "-120", '["",1E3,[null ]]']
    for text in whole:
        data = text.encode()
        for cut in range(len(data) + 1):
            short = middle(data[:cut]) if cut else b""
            for end in range(cut, len(data) + 1):
                assert open_scalar(short + data[cut:end]) == open_scalar(data[:end]), (
                    data[:cut],
                    data[:end],
                )
