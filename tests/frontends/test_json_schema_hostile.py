"""Schemas made to be a burden: each is answered, or refused by name, before it costs much.

Times are bounded loosely, against quadratic work and not against a slow machine. What is answered here is
compiled for a vocabulary of bytes and asked for its first mask.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import structgen as sg

BYTES = sg.Vocabulary([bytes([byte]) for byte in range(256)] + [None], stop_token_ids=[256])
SECONDS = 10.0
DEEP = 1_000


def nest(n: int, wrap: Callable[[Any], Any], inner: Any) -> Any:
    for _ in range(n):
        inner = wrap(inner)
    return inner


def loop() -> Any:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    schema["properties"]["a"] = schema
    return schema


LETTERS = "abcdefghijklmnopqrstuvwxyz"
ANSWERED: dict[str, Callable[[], Any]] = {
    "oneOf": lambda: nest(DEEP, lambda s: {"oneOf": [s, {"type": "null"}]}, {"type": "integer"}),
    "if": lambda: nest(DEEP, lambda s: {"if": s, "then": {"minimum": 1}}, {"type": "integer"}),
    "items": lambda: nest(5_000, lambda s: {"items": s, "minItems": 1}, {}),
    "const": lambda: {"const": nest(10_000, lambda v: [v], 1)},
    "an object that holds itself": loop,
    "one object in many places": lambda: nest(60, lambda s: {"allOf": [s, s]}, {"type": "integer"}),
    "maxLength": lambda: {"type": "string", "maxLength": 10**9},
    "minItems": lambda: {"type": "array", "minItems": 10**9},
    "maxProperties": lambda: {"type": "object", "minProperties": 10**9},
    "chain of references": lambda: {
        "$ref": "#/$defs/0",
        "$defs": {str(i): {"$ref": f"#/$defs/{i + 1}"} for i in range(20_000)} | {"20000": {}},
    },
    "enum of numbers": lambda: {"enum": list(range(100_000))},
    "anyOf of objects": lambda: {"anyOf": [{"properties": {f"a{i}": {"const": i}}} for i in range(1000)]},
    "chain of needs": lambda: {"dependentRequired": {f"a{i}": [f"a{i + 1}"] for i in range(2000)}},
    "long links": lambda: {"format": "uri", "type": "string", "maxLength": 10**9},
    "nested arrays of items that differ": lambda: nest(
        DEEP, lambda s: {"type": "array", "uniqueItems": True, "items": s}, {}
    ),
    "a password": lambda: {"pattern": r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[@$!%*?&])(?!.*\s).{8,64}$"},
    "look-aheads that agree": lambda: {
        "pattern": "^" + "".join(f"(?!.*{c}{c})" for c in LETTERS) + "[a-z]*$"
    },
    "small multiples": lambda: {"multipleOf": 1e-12},
    "large bounds": lambda: {"type": "integer", "maximum": 1e308, "minimum": -(10**3000)},
}
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "allOf": (lambda: nest(10**6, lambda s: {"allOf": [s]}, {}), "max_depth"),
    "values": (lambda: {"const": nest(30_000, lambda v: [v], 1)}, "max_depth"),
    "references": (lambda: {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "nothing satisfies"),
    "not": (lambda: {"not": {"$ref": "#"}}, "refers to itself"),
    "text too deep": (lambda: '{"items":' * 50_000 + "{}" + "}" * 50_000, "nested too deeply"),
    "text with a long number": (lambda: '{"minimum":' + "9" * 5000 + "}", "not JSON that Python reads"),
    "long number": (lambda: {"enum": [10**5000]}, "digits"),
    "subsets": (lambda: {"pattern": "(a|b)*a(a|b){40}"}, "max_dfa_states"),
    "copies": (lambda: {"pattern": "(((x{100}){100}){100}){100}"}, "max_dfa_states"),
    "long pattern": (lambda: {"pattern": "a" * 10**6}, "max_dfa_states"),
    "enum of 20 MB": (lambda: {"enum": [f"value number {i:08d}" for i in range(10**6)]}, "max_grammar_nodes"),
    "one text of 20 MB": (lambda: {"const": "x" * 20_000_000}, "max_grammar_nodes"),
    "one long text": (lambda: {"const": "x" * 10**6}, "max_dfa_states"),
    "enum of objects": (lambda: {"enum": [{"a": i} for i in range(10_000)]}, "max_heads"),
    "anyOf of too many": (
        lambda: {"anyOf": [{"properties": {f"a{i}": {"const": i}}} for i in range(10_000)]},
        "max_heads",
    ),
    "product": (
        lambda: {"allOf": [{"anyOf": [{"required": [f"a{i}"]}, {"required": [f"b{i}"]}]} for i in range(40)]},
        "max_grammar_nodes",
    ),
    "look-aheads": (lambda: {"pattern": "^" + "".join(f"(?=.*{c})" for c in LETTERS)}, "max_dfa_states"),
    "look-behinds": (lambda: {"pattern": "".join(f"(?<={c}.*)" for c in LETTERS)}, "max_dfa_states"),
    "oneOf of objects that overlap": (
        lambda: {"oneOf": [{"type": "object", "properties": {f"a{i}": {"const": i}}} for i in range(300)]},
        "max_grammar_nodes",
    ),
    "tiny multiples": (lambda: {"multipleOf": 1e-300}, "max_dfa_states"),
    "large multiples": (lambda: {"multipleOf": 123456789}, "max_dfa_states"),
}


def measured(schema: Any) -> sg.GrammarMatcher:
    began = time.process_time()
    try:
        matcher = sg.compile(sg.Grammar.from_json_schema(schema), BYTES).matcher()
        matcher.fill_next_token_bitmask(sg.allocate_token_bitmask(1, BYTES.size))
        return matcher
    finally:
        assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("name", ANSWERED)
def test_answered(name: str) -> None:
    schema = ANSWERED[name]()
    assert not measured(schema).is_accepting()


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    make, why = REFUSED[name]
    schema = make()
    with pytest.raises(sg.StructgenError, match=why):
        measured(schema)
