"""What is plain at sight is what reading finds, and rules that are written later are the same rules."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import structgen as sg
from structgen.errors import SchemaError
from structgen.frontends.json_schema import languages, schema_to_ir
from structgen.frontends.json_schema.document import Documents
from structgen.frontends.json_schema.later import Rules
from structgen.frontends.json_schema.plain import Plain
from structgen.limits import Limits
from structgen.rules.analysis import analyse

from .ir_recogniser import accepts

BYTES = sg.Vocabulary([bytes([b]) for b in range(256)] + [b"{", None], (257,))
NAMES = ["a", "b", "c"]


def plain_schema(rng: random.Random, depth: int = 3) -> Any:
    """A schema of the keywords that may be plain; they may also be at odds with each other."""
    if rng.random() < 0.1:
        return {"$ref": rng.choice(["#/$defs/one", "#/$defs/two", "#"])}

    def below() -> Any:
        return plain_schema(rng, depth - 1) if depth else {"type": rng.choice(["string", "integer"])}

    def count() -> int:
        return rng.randrange(4)

    makers: dict[str, Any] = {
        "type": lambda: rng.choice(
            ["object", "object", "array", "string", "integer", "number", "boolean", ["string", "null"]]
        ),
        "properties": lambda: {name: below() for name in rng.sample(NAMES, rng.randrange(1, 4))},
        "required": lambda: rng.sample(NAMES, rng.randrange(1, 3)),
        "additionalProperties": lambda: rng.choice([True, False, below()]),
        "items": below,
        "minItems": count,
        "maxItems": count,
        "minLength": count,
        "maxLength": count,
        "minimum": lambda: rng.choice([-1, 0, 0.5, 2]),
        "maximum": lambda: rng.choice([0, 0.25, 1, 3]),
        "enum": lambda: rng.sample(["a", "é", 1, 1.0, 2.5, None, True], rng.randrange(1, 4)),
        "const": lambda: rng.choice(["a", 1, None]),
        "format": lambda: rng.choice(["ipv4", "unheard of"]),
        "pattern": lambda: rng.choice(["^a", "^[a-z]{1,3}$", "b|d", "^(?!a)", "é"]),
        "anyOf": lambda: [below() for _ in range(rng.randrange(1, 3))],
        "oneOf": lambda: [below() for _ in range(rng.randrange(1, 3))],
        "description": lambda: "words",
        "additionalItems": lambda: False,
    }
    return {keyword: makers[keyword]() for keyword in rng.sample(list(makers), rng.randrange(1, 4))}


def value_for(rng: random.Random, depth: int = 2) -> Any:
    kind = rng.randrange(5 if depth else 3)
    if kind < 3:
        return rng.choice([None, True, 0, 1, 2, 0.5, 2.5, "", "a", "é", "abcd", "1.2.3.4"])
    if kind == 3:
        return [value_for(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {name: value_for(rng, depth - 1) for name in rng.sample([*NAMES, "z"], rng.randrange(4))}


def whole(schema: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """What `schema_to_ir` says of a schema when nothing is plain."""
    with monkeypatch.context() as patch:
        patch.setattr(Plain, "holds", lambda self, at: False)
        return schema_to_ir(schema, whitespace="compact")


@pytest.mark.parametrize("seed", range(6))
def test_plain_schemas_are_read_later_to_the_same_end(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    plain = taken = 0
    for _ in range(60):
        schema = plain_schema(rng)
        schema["$defs"] = {"one": plain_schema(rng, 1), "two": {"type": "array", "items": {"$ref": "#"}}}
        documents = Documents(schema, None)
        plain += Plain(documents, Limits()).holds(documents.root)
        refused = None
        try:
            ir, report = schema_to_ir(schema, whitespace="compact")
        except SchemaError as error:
            refused = error
        if refused is not None:
            with pytest.raises(type(refused)) as caught:
                whole(schema, monkeypatch)
            assert str(caught.value) == str(refused)
            continue
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for _ in range(15):
            value = value_for(rng)
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            valid = verdict(validator, value)
            assert accepts(ir, text) is valid or valid is None, (json.dumps(schema), text)
        others, all_of_it = whole(schema, monkeypatch)
        assert {str(entry) for entry in report} == {str(entry) for entry in all_of_it}
        assert sorted(report.notes) == sorted(all_of_it.notes)
        assert masks(ir, seed) == masks(others, seed)
        taken += 1
    assert plain >= 8
    assert taken >= 30


def verdict(validator: Any, value: Any) -> bool | None:
    """None for a schema that applies itself in place; the validator's maps, which are Rust, panic then."""
    try:
        return bool(validator.is_valid(value))
    except BaseException as error:
        if type(error).__name__ not in ("RecursionError", "PanicException"):
            raise
        return None


def masks(ir: Any, seed: int) -> list[bytes]:
    """The masks along some texts of a grammar."""
    compiled = sg.compile(sg.Grammar(ir), BYTES)
    bitmask = sg.allocate_token_bitmask(1, BYTES.size)
    found = []
    for text in range(3):
        rng = random.Random(f"{seed} {text}")
        matcher = compiled.matcher()
        for _ in range(25):
            matcher.fill_next_token_bitmask(bitmask)
            found.append(bitmask.tobytes())
            allowed = [t for t in range(257) if bitmask[0, t >> 5] >> (t & 31) & 1]
            if not allowed:
                break
            assert matcher.accept_token(rng.choice(allowed))
    return found


SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "object", "properties": {"b": {"type": "string", "format": "ipv4"}}},
        "c": {"type": "array", "items": {"$ref": "#"}},
        "d": {"enum": ["x", "y"], "type": "string"},
    },
    "required": ["a"],
    "additionalProperties": False,
}


def test_nothing_is_written_before_a_text_gets_there() -> None:
    ir, report = schema_to_ir(SCHEMA)
    assert isinstance(ir.rules, Rules)
    assert ir.promised
    assert analyse(ir, Limits()).exprs == []
    matcher = sg.compile(sg.Grammar(ir), BYTES).matcher()
    matcher.fill_next_token_bitmask(sg.allocate_token_bitmask(1, BYTES.size))
    assert not any("/properties" in name for name in ir.rules._written)
    assert matcher.accept_bytes(b'{"a":{"b')
    assert not any(name.endswith("/b") for name in ir.rules._written)
    # Whoever looks at the rules, or at the report, sees all of them.
    assert {"#/properties/a/properties/b", "#/properties/c", "#/properties/d"} <= set(ir.rules)
    assert ("/properties/a/properties/b", "format") in {(entry.pointer, entry.keyword) for entry in report}
    assert matcher.accept_bytes(b'":"1.2.3.4"}, "c": [], "d": "y"}')
    assert matcher.is_accepting()


def test_a_promise_says_with_what_a_value_begins() -> None:
    ir, _ = schema_to_ir(
        {**SCHEMA, "properties": {**SCHEMA["properties"], "n": {"type": "number", "minimum": 0}}}
    )
    facts = analyse(replace(ir, rules=dict(ir.rules), promised={}), Limits())
    known = [name for name in ir.promised if name in facts.rule]
    assert len(known) > 3
    for name in known:
        number = facts.rule[name]
        assert facts.productive[number]
        assert not facts.nullable[number]
        assert facts.first[number] & ~ir.promised[name] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "strung"},
        {"pattern": "("},
        {"required": [1]},
        {"$ref": "#/nowhere"},
        {"not": {"uniqueItems": True}, "contains": {"type": "null"}},
    ],
)
def test_what_is_wrong_is_said_when_the_grammar_is_made(wrong: Any) -> None:
    schema = {
        "properties": {"a": {"properties": {"b": {"items": {**wrong, "type": wrong.get("type", "array")}}}}}
    }
    with pytest.raises(sg.StructgenError) as caught:
        schema_to_ir(schema)
    assert "/properties/a/properties/b/items" in str(caught.value)


PIECES = ["a", "[0-9]", "[^x]", ".", r"\d", "(?:a|b)", "(a?b)", "^", "$", "(?=a)", r"\b", "[]", "[^]", "("]
TIMES = ["", "", "", "*", "+", "?", "{3}", "{2,5}", "{4,}", "{0}"]


def test_a_pattern_that_is_sure_has_a_text_and_few_states() -> None:
    rng = random.Random(0)
    sure = 0
    for _ in range(600):
        parts = [rng.choice(PIECES) + rng.choice(TIMES) for _ in range(rng.randrange(1, 5))]
        pattern = rng.choice(["", "^"]) + "".join(parts) + rng.choice(["", "$"])
        if languages.is_sure(pattern):
            sure += 1
            lang = languages.of_pattern(pattern, Limits())
            assert not lang.is_empty, pattern
            assert lang.n_states < 20_000, pattern
    assert sure > 150
    for pattern in ("^[0-9a-f]{8}(-[0-9a-f]{4}){3}$", "^[a-z]{1,63}$", r"^v\d+\.\d+$", ""):
        assert languages.is_sure(pattern), pattern
    for pattern in ("(", "a(?=b)", "a$b", "[]", "^(a|b)*a(a|b){16}$", "[ab]{300}", "^a{9}{99}$"):
        assert not languages.is_sure(pattern), pattern


def test_what_cannot_end_is_not_plain() -> None:
    loop = {"type": "object", "required": ["again"], "properties": {"again": {"$ref": "#/$defs/loop"}}}
    again = {"type": "object", "properties": {"again": {"$ref": "#/$defs/again"}}}
    documents = Documents({"$defs": {"loop": loop, "again": again}}, None)
    plain = Plain(documents, Limits())
    assert not plain.holds(replace(documents.root, schema=loop))
    assert plain.holds(replace(documents.root, schema=again))
    assert not plain.holds(replace(documents.root, schema={"type": "array", "items": loop}))
