"""Random schemas and values: the IR's verdict is a validator's.

The generator speaks all keywords that the front end takes, over few names and values, so that they meet and
contradict each other. A schema that is refused by name is passed over; one that is said to be unsatisfiable
must hold for no value at all.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from structgen.errors import SchemaError, UnsupportedKeywordError
from structgen.frontends.json_schema import schema_to_ir

from .ir_recogniser import accepts

NAMES = ["a", "b", "ab"]
PATTERNS = ["^a", "b$", "^[ab]*$", "a.b", "^(?!a)", "^[ab]$", "^a?b$"]


def any_value(rng: random.Random, depth: int = 2) -> Any:
    kind = rng.randrange(9 if depth else 7)
    if kind < 3:
        return rng.choice([None, True, False])
    if kind < 5:
        return rng.choice([-2, 0, 1, 2, 3, 1.5, -0.25, 10, 2.0, -6.0, 1e22])
    if kind < 7:
        return rng.choice(["", "a", "b", "ab", "aab", "xb", "é"])
    if kind == 7:
        return [any_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {name: any_value(rng, depth - 1) for name in rng.sample([*NAMES, "z"], rng.randrange(4))}


def any_schema(rng: random.Random, depth: int = 3) -> Any:
    if rng.random() < 0.06:
        return rng.random() < 0.7

    def below() -> Any:
        return (
            any_schema(rng, depth - 1)
            if depth
            else rng.choice([True, {"type": "integer"}, {"type": "string"}])
        )

    def some(low: int = 1) -> list[Any]:
        return [below() for _ in range(rng.randrange(low, 4))]

    def count() -> int:
        return rng.randrange(3)

    makers: dict[str, Any] = {
        "type": lambda: rng.choice(
            [
                "object",
                "array",
                "string",
                "integer",
                "number",
                "null",
                "boolean",
                ["string", "object"],
                ["integer", "array"],
            ]
        ),
        "enum": lambda: [any_value(rng) for _ in range(rng.randrange(1, 5))],
        "const": lambda: any_value(rng),
        "minimum": lambda: rng.choice([-1, 0, 1.5]),
        "maximum": lambda: rng.choice([-6, 2, 2.5]),
        "exclusiveMinimum": lambda: rng.choice([-6, 0, 1.25]),
        "exclusiveMaximum": lambda: rng.choice([2, 3, 10]),
        "multipleOf": lambda: rng.choice([1, 2, 0.25, 3]),
        "minLength": count,
        "maxLength": lambda: 1 + count(),
        "pattern": lambda: rng.choice(PATTERNS),
        "items": below,
        "prefixItems": some,
        "contains": below,
        "minContains": count,
        "maxContains": lambda: 1 + count(),
        "uniqueItems": lambda: True,
        "unevaluatedItems": below,
        "minItems": count,
        "maxItems": lambda: 1 + count(),
        "properties": lambda: {name: below() for name in rng.sample(NAMES, rng.randrange(1, 3))},
        "required": lambda: rng.sample(NAMES, rng.randrange(1, 3)),
        "additionalProperties": below,
        "patternProperties": lambda: {p: below() for p in rng.sample(PATTERNS, rng.randrange(1, 4))},
        "propertyNames": lambda: rng.choice([{"maxLength": 1}, {"pattern": "^a"}, {"enum": ["a", "z"]}]),
        "minProperties": count,
        "maxProperties": lambda: 1 + count(),
        "unevaluatedProperties": below,
        "dependentRequired": lambda: {rng.choice(NAMES): [rng.choice(NAMES)]},
        "dependentSchemas": lambda: {rng.choice(NAMES): below()},
        "anyOf": some,
        "allOf": some,
        "oneOf": some,
        "not": below,
        "if": below,
        "then": below,
        "else": below,
        "$ref": lambda: rng.choice(["#/$defs/one", "#/$defs/two"]),
    }
    weights = [4 if name in ("type", "properties", "items") else 1 for name in makers]
    chosen = dict.fromkeys(rng.choices(list(makers), weights, k=rng.randrange(1, 5)))
    return {name: makers[name]() for name in chosen}


def evaluating_schema(rng: random.Random, depth: int) -> dict[str, Any]:
    """A schema of an object whose applicators evaluate now these keys, now those."""

    def value() -> Any:
        return rng.choice([True, True, {"type": "integer"}, {"type": "null"}])

    def below() -> Any:
        return evaluating_schema(rng, depth - 1) if depth and rng.random() < 0.8 else {"required": ["a"]}

    def some() -> list[Any]:
        return [below() for _ in range(rng.randrange(1, 4))]

    makers: dict[str, Any] = {
        "properties": lambda: {name: value() for name in rng.sample([*NAMES, "z"], rng.randrange(1, 3))},
        "patternProperties": lambda: {rng.choice(PATTERNS): value()},
        "additionalProperties": value,
        "required": lambda: [rng.choice(NAMES)],
        "allOf": some,
        "anyOf": some,
        "oneOf": some,
        "not": lambda: {"required": [rng.choice(NAMES)]},
        "if": lambda: {"required": [rng.choice(NAMES)], "properties": {rng.choice(NAMES): value()}},
        "then": below,
        "else": below,
        "dependentSchemas": lambda: {rng.choice(NAMES): below()},
        "unevaluatedProperties": value,
        "$ref": lambda: "#/$defs/one",
    }

    weights = [3 if name == "properties" else 1 for name in makers]
    chosen = dict.fromkeys(rng.choices(list(makers), weights, k=rng.randrange(1, 5)))
    return {name: makers[name]() for name in chosen}


@pytest.mark.parametrize("seed", range(4))
def test_what_is_not_evaluated_is_as_a_validator_has_it(seed: int) -> None:
    rng = random.Random(seed)
    taken = 0
    for _ in range(80):
        schema = evaluating_schema(rng, 2)
        schema["unevaluatedProperties"] = rng.choice([False, False, {"type": "integer"}])
        schema["$defs"] = {"one": {"properties": {"b": True}}}
        values = [any_value(rng, 1) for _ in range(40)]
        taken += agrees(schema, [value for value in values if isinstance(value, dict)])
    assert taken >= 20


def agrees(schema: dict[str, Any], values: list[Any]) -> bool:
    """The schema is taken, and the verdict on each value is a validator's."""
    validator = Draft202012Validator(schema)
    try:
        valid = [validator.is_valid(value) for value in values]
    except BaseException as error:
        # A schema that applies itself in place; the validator's maps, which are Rust, panic instead.
        if type(error).__name__ not in ("RecursionError", "PanicException"):
            raise
        return False
    try:
        ir, _ = schema_to_ir(schema, whitespace="compact")
    except UnsupportedKeywordError:
        return False
    except SchemaError:
        assert not any(valid), (schema, values[valid.index(True)])
        return False
    for value, wanted in zip(values, valid, strict=True):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        assert accepts(ir, text) is wanted, (json.dumps(schema), text)
    return True


@pytest.mark.parametrize("seed", range(12))
def test_verdicts_are_a_validators(seed: int) -> None:
    rng = random.Random(seed)
    taken = 0
    for _ in range(60):
        schema = any_schema(rng)
        if not isinstance(schema, dict):
            continue
        schema["$defs"] = {"one": any_schema(rng, 1), "two": {"items": any_schema(rng, 1), "minItems": 1}}
        taken += agrees(schema, [any_value(rng, 3) for _ in range(25)])
    assert taken >= 15
