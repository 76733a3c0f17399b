"""Random schemas and values: the verdict of the grammar, and of a matcher, is a validator's.

The generator speaks all keywords that the front end takes, over few names and values, so that they meet and
contradict each other. A schema that is refused by name is passed over; one that is said to be unsatisfiable
must hold for no value at all.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

import jsonschema
import pytest
from jsonschema import Draft202012Validator

import structgen as sg
from structgen.errors import SchemaError, UnsatisfiableError, UnsupportedKeywordError
from structgen.frontends.json_schema.document import draft_of
from structgen.frontends.json_schema.keywords import KEYWORDS

from .ir_recogniser import accepts

NAMES = ["a", "b", "ab"]
VOCABULARY = sg.Vocabulary([*(bytes((byte,)) for byte in range(256)), None], stop_token_ids=[256])
OLDER = {
    "http://json-schema.org/draft-04/schema#": jsonschema.Draft4Validator,
    "http://json-schema.org/draft-06/schema#": jsonschema.Draft6Validator,
    "http://json-schema.org/draft-07/schema#": jsonschema.Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": jsonschema.Draft201909Validator,
}
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


def any_schema(rng: random.Random, depth: int = 3, draft: int = 2020) -> Any:
    if rng.random() < 0.06 and draft > 4:
        return rng.random() < 0.7

    def below() -> Any:
        return (
            any_schema(rng, depth - 1, draft)
            if depth
            else rng.choice([True if draft > 4 else {}, {"type": "integer"}, {"type": "string"}])
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
    if draft < 2020:
        older: dict[str, Any] = {
            "items": lambda: below() if rng.random() < 0.5 else some(),
            "additionalItems": below,
            "$recursiveRef": lambda: "#",
            "dependencies": lambda: {
                rng.choice(NAMES): below() if rng.random() < 0.5 else [rng.choice(NAMES)]
            },
        }
        if draft == 4:
            older |= {"exclusiveMinimum": lambda: True, "exclusiveMaximum": lambda: rng.random() < 0.8}
        if draft == 2019:
            # What the one still means is open; the validator takes what `contains` matches
            # for evaluated, which this draft does not say.
            del older["dependencies"], makers["unevaluatedItems"]
        makers |= older
        makers = {
            name: make for name, make in makers.items() if KEYWORDS[name][1] <= draft <= KEYWORDS[name][2]
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


def agrees(schema: dict[str, Any], values: list[Any], validator_of: Any = Draft202012Validator) -> bool:
    """The schema is taken, and the verdicts on each value are a validator's."""
    validator = validator_of(schema)
    try:
        valid = [validator.is_valid(value) for value in values]
    except BaseException as error:
        # A schema that applies itself in place; the validator's maps, which are Rust, panic instead.
        if type(error).__name__ not in ("RecursionError", "PanicException"):
            raise
        return False
    try:
        grammar = sg.Grammar.from_json_schema(schema, whitespace="compact")
    except UnsatisfiableError:
        assert not any(valid), (schema, values[valid.index(True)])
        return False
    except UnsupportedKeywordError:
        return False
    except SchemaError as error:
        if "refers to itself through" not in str(error):
            raise
        return False
    compiled = sg.compile(grammar, VOCABULARY)
    for value, wanted in zip(values, valid, strict=True):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        assert accepts(grammar.ir, text) is wanted, (json.dumps(schema), text)
        matcher = compiled.matcher()
        taken = matcher.accept_bytes(text.encode()) and matcher.is_accepting()
        assert taken is wanted, (json.dumps(schema), text)
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


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("uri", OLDER)
def test_verdicts_of_older_drafts_are_a_validators(uri: str, seed: int) -> None:
    rng = random.Random(seed)
    draft = draft_of({"$schema": uri}, 0)
    taken = 0
    for _ in range(40):
        schema = any_schema(rng, 3, draft)
        if not isinstance(schema, dict) or "$ref" in schema:
            continue  # Beside a reference, older drafts see nothing, not even what it refers to.
        two = {"items": any_schema(rng, 1, draft), "minItems": 1}
        schema |= {"$schema": uri, "$defs": {"one": any_schema(rng, 1, draft), "two": two}}
        values = [any_value(rng, 3) for _ in range(25)]
        if draft == 4:
            # There 2.0 is no integer. What is no integer does not hold it here all the same.
            values = [value for value in values if not re.search(r"\.0|e\+", json.dumps(value))]
        taken += agrees(schema, values, OLDER[uri])
    assert taken >= 10
