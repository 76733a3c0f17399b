"""Python types as schemas: each is taken by the front end and lets its own values through."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import sys
from typing import Annotated, Any, Literal, Optional, Required, TypedDict

import pytest

from structgen.errors import GrammarError
from structgen.frontends.json_schema import schema_to_ir
from structgen.frontends.types import type_to_schema

from .ir_recogniser import accepts


class Colour(enum.Enum):
    RED = "red"
    TWO = 2


@dataclasses.dataclass
class Tree:
    value: int
    left: Optional[Tree] = None  # noqa: UP045
    tags: list[Literal["a", 1]] = dataclasses.field(default_factory=list)


class Movie(TypedDict, total=False):
    title: Required[str]
    ratings: dict[str, float]


CASES = [
    (int, [1], ["1", 1.5]),
    (str, ["a"], [1]),
    (bool, [True], [0]),
    (float, [1.5, 2], ["a"]),
    (None, [None], [0]),
    (Any, [None, [1]], []),
    (int | None, [1, None], ["a"]),
    (list[int], [[], [1]], [["a"]]),
    (tuple[int, ...], [[], [1, 2]], [["a"]]),
    (tuple[int, str], [[1, "a"]], [[1], [1, "a", 2]]),
    (dict[str, int], [{}, {"a": 1}], [{"a": "b"}]),
    (Literal["x", 2], ["x", 2], ["y"]),
    (Colour, ["red", 2], ["RED"]),
    (Tree, [{"value": 1}, {"value": 1, "left": {"value": 2, "tags": ["a", 1]}}], [{}, {"value": 1, "x": 1}]),
    (Movie, [{"title": "t"}, {"title": "t", "ratings": {"me": 1.5}}], [{"ratings": {}}]),
]


@pytest.mark.parametrize(("tp", "yes", "no"), CASES, ids=str)
def test_plain_types(tp: Any, yes: list[Any], no: list[Any]) -> None:
    ir, report = schema_to_ir(type_to_schema(tp))
    assert not report.unenforced
    for value in yes + no:
        assert accepts(ir, json.dumps(value)) is (value in yes), value


def test_pydantic_models() -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model(
        "Point", x=(Annotated[int, pydantic.Field(ge=3)], ...), when=(datetime.date, ...)
    )
    for tp, wrap in ((model, lambda v: v), (list[model], lambda v: [v])):
        ir, _ = schema_to_ir(type_to_schema(tp))
        assert accepts(ir, json.dumps(wrap({"x": 3, "when": "2024-02-29"})))
        assert not accepts(ir, json.dumps(wrap({"x": 2, "when": "2024-02-29"})))
        assert not accepts(ir, json.dumps(wrap({"x": 3, "when": "2023-02-29"})))


def test_constraints_of_annotated_are_never_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    pydantic = pytest.importorskip("pydantic")
    tp = list[Annotated[int, pydantic.Field(ge=3)]]
    assert type_to_schema(tp)["items"]["minimum"] == 3
    monkeypatch.setitem(sys.modules, "pydantic", None)
    with pytest.raises(GrammarError, match="items of the type: what Annotated adds"):
        type_to_schema(tp)


@pytest.mark.parametrize(
    ("tp", "message"),
    [
        (dict[int, str], "keys of JSON objects are str, not int"),
        (list[object.__class__], "items of the type: type has no JSON form"),
        (Literal[b"x"], "is no JSON value"),
    ],
)
def test_errors(tp: Any, message: str) -> None:
    with pytest.raises(GrammarError, match=message):
        type_to_schema(tp)
