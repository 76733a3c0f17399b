"""What counts or compares items, asks for some key, or rests on other keywords and the way to a schema."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from structgen import Limits, UnsatisfiableError
from structgen.frontends.json_schema import schema_to_ir
from structgen.frontends.json_schema.inclusion import widest
from structgen.frontends.json_schema.nodes import ANY, ObjectSet

from .test_json_schema import check

CASES = [
    ({"contains": {"const": 1}}, [[1], [2, 1], [1, 1, "a"], {}], [[], [2], ["a", "b"]]),
    ({"contains": {"type": "integer"}, "minContains": 2, "maxContains": 3, "items": {"type": "number"}},
     [[1, 2], [1, 0.5, 2], [1, 2, 3, 0.5]], [[], [1], [1, 0.5], [1, 2, 3, 4], [1, 2, "a"]]),
    ({"contains": {"const": 1}, "minContains": 0, "maxContains": 1}, [[], [2, 2], [2, 1]], [[1, 1]]),
    ({"contains": {"const": 1}, "minContains": 2, "maxContains": 1}, [{}], [[], [1], [1, 1]]),
    ({"contains": {"const": 1}, "maxItems": 2, "minItems": 2}, [[1, 2], [2, 1]], [[1], [2, 2], [2, 2, 1]]),
    ({"allOf": [{"contains": {"minimum": 3}}, {"contains": {"maximum": 2}}], "items": {"type": "integer"}},
     [[3, 2], [0, 9, 1]], [[], [3], [1, 2]]),
    ({"contains": {"const": "x"}, "prefixItems": [{"const": 0}, {"type": "string"}]},
     [[0, "x"], [0, "y", "x"]], [["x"], [0, "y"], [0, 1, "x"]]),
    ({"not": {"contains": {"type": "null"}, "maxContains": 2}, "type": "array"},
     [[], [1], [None, None, None]], [[None], [1, None, None]]),
    ({"not": {"items": {"type": "integer"}}}, [[1, "a"], ["a"]], [[], [1], [1, 2], "a"]),
    ({"not": {"prefixItems": [True], "items": {"type": "integer"}}},
     [["a", "b"], [1, 1, "b"]], [["a"], ["a", 1]]),
    ({"items": {"enum": ["a", "b", None, True]}, "uniqueItems": True}, [[], ["a", None, True, "b"]],
     [["a", "a"], ["a", "c"], [None, "a", None]]),
    ({"items": {"enum": ["a", "b"]}, "uniqueItems": True, "minItems": 3}, [{}], [[], ["a", "b"]]),
    ({"items": {"enum": [1, 10, 2.5]}, "uniqueItems": True}, [[1, 10], [2.5, 10, 1]], [[1, 1], "=[1,1.0]"]),
    ({"items": {"enum": [1, True, 0]}, "uniqueItems": True}, [[1, True, 0]], [[1, 1], [True, 0, True]]),
    ({"items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "contains": {"enum": ["c"]}},
     [["a", "c"], ["c"]], [["a"], ["c", "c"], []]),
    ({"prefixItems": [{"type": "string"}, {"type": "null"}], "items": False, "uniqueItems": True},
     [["a", None], []], [[None, None]]),
    ({"enum": [[[1], [2]], [[1], [1]], "a"], "uniqueItems": True}, [[[1], [2]], "a"], [[[1], [1]]]),
    ({"uniqueItems": True}, [[], [1, True, "1", [1], {"a": 1}], [[1, 2], [2, 1]], 5],
     [[1, 1.0], [[1], [1]], "=[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", [None, 0, None]]),
    ({"items": {"type": "string", "minLength": 1}, "uniqueItems": True, "minItems": 2, "maxItems": 3},
     [["a", "b"], ["a", "b", "ab"]], [["a"], ["a", "a"], ["a", "b", "a"], ["a", "b", "c", "d"]]),
    ({"prefixItems": [{"type": "string"}], "items": {"type": ["string", "integer"]}, "uniqueItems": True},
     [["a", "b", 1], ["a"]], [["a", "a"], ["a", 1, 1], [1]]),
    ({"allOf": [{"uniqueItems": True}, {"items": {"type": "object"}}]}, [[{}, {"a": 1}]], [[{}, {}], [1]]),
    ({"oneOf": [{"type": "array", "uniqueItems": True}, {"type": "integer"}]}, [[1, 2], 3], [[1, 1], "a"]),
    ({"uniqueItems": True, "contains": {"const": "x"}, "items": {"type": "string"}},
     [["x"], ["a", "x", "b"]], [[], ["a"], ["x", "x"], ["a", "a", "x"]]),
    ({"uniqueItems": True, "contains": {"type": "integer"}, "minContains": 2},
     [[1, "a", 2]], [[1, 1], [1, "a"]]),
    ({"not": {"uniqueItems": True}}, [[1, 1], [{"a": 1, "b": 2}, 0, {"b": 2, "a": 1}], ["a", "a", 1]],
     [5, [], [1], [1, True, "1"]]),
    ({"not": {"uniqueItems": True}, "items": {"enum": [1, 2, None]}, "maxItems": 3},
     [[1, 1], [2, None, 2], [None, None, 1]], [[], [1, 2], [1, 2, None], [1, 1, 1, 1]]),
    ({"not": {"uniqueItems": True}, "items": {"type": "boolean"}}, [[True, True], [True, False, True] * 9],
     [[], [True, False], [1, 1]]),
    ({"not": {"uniqueItems": True}, "enum": [[1, 1], [1, 2], [[1], [1]], 5]}, [[1, 1], [[1], [1]]],
     [[1, 2], 5]),
    ({"oneOf": [{"uniqueItems": True}, {"items": {"type": "integer"}}]}, [["a", "b"], [1, 1], [1, None]],
     [[], [1, 2], ["a", "a"], 5]),
    ({"if": {"uniqueItems": True}, "then": {"maxItems": 2}, "else": {"minItems": 4}},
     [5, [1, 2], [1, 1, 2, 3]], [[1, 2, 3], [1, 1]]),
    ({"not": {"not": {"uniqueItems": True}}}, [5, [], [1, 2]], [[1, 1]]),
    ({"uniqueItems": True, "maxItems": 1}, [[], [1], [[1]]], [[1, 2]]),
    ({"not": {"additionalProperties": {"type": "integer"}}},
     [{"a": "x"}, {"a": 1, "b": None}], [{}, {"a": 1}, 3]),
    ({"not": {"properties": {"a": True}, "additionalProperties": False}},
     [{"b": 1}, {"a": 1, "b": 2}], [{}, {"a": 1}]),
    ({"not": {"patternProperties": {"^x": {"type": "integer"}}}, "required": ["a"]},
     [{"a": 1, "x": "s"}, {"xa": None, "a": 0, "xb": 1}], [{"a": 1}, {"x": "s"}, {"a": 1, "x": 2}]),
    ({"not": {"propertyNames": {"maxLength": 1}}}, [{"ab": 1}, {"a": 1, "bc": 2}], [{}, {"a": 1}]),
    ({"not": {"additionalProperties": {"type": "integer"}}, "maxProperties": 2},
     [{"a": "x"}, {"a": 1, "b": "x"}], [{}, {"a": 1}, {"a": "x", "b": 1, "c": 1}]),
    ({"oneOf": [{"properties": {"a": {"type": "integer"}}, "additionalProperties": False},
                {"properties": {"b": {"type": "integer"}}, "additionalProperties": False}]},
     [{"a": 1}, {"b": 1}], [{}, {"a": 1, "b": 1}, {"c": 1}, 3]),
    ({"oneOf": [{"items": {"type": "integer"}}, {"items": {"type": "number"}, "minItems": 2}]},
     [[], [1], [1, 0.5]], [[1, 2], ["a"], [0.5]]),
    ({"prefixItems": [True], "anyOf": [{"prefixItems": [True, {"type": "string"}]}, {"minItems": 3}],
      "unevaluatedItems": {"type": "null"}},
     [[1, "a"], [1, "a", None], [1, None, None], 5], [[1, 2], [1, "a", 2], [1, "a", "b"]]),
    ({"contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}},
     [["a"], [1, "a", "b"]], [[1], ["a", None]]),
    ({"$schema": "https://json-schema.org/draft/2019-09/schema", "contains": {"type": "string"},
      "unevaluatedItems": {"type": "integer"}}, [{}], [["a"], [1], [1, "a"], []]),
    ({"if": {"prefixItems": [{"const": "a"}]}, "then": {"prefixItems": [True, True]},
      "unevaluatedItems": False}, [["a"], ["a", 1], []], [["b"], ["a", 1, 2]]),
    ({"$id": "http://x/strict", "$dynamicAnchor": "tree", "$ref": "tree", "unevaluatedProperties": False,
      "$defs": {"tree": {"$id": "tree", "$dynamicAnchor": "tree", "type": "object", "properties": {
          "data": True, "children": {"type": "array", "items": {"$dynamicRef": "#tree"}}}}}},
     [{}, {"children": [{"data": 1}]}], [{"x": 1}, {"children": [{"daat": 1}]}]),
    ({"$schema": "https://json-schema.org/draft/2019-09/schema", "$id": "http://x/outer",
      "$recursiveAnchor": True, "$ref": "inner", "required": ["n"],
      "$defs": {"inner": {"$id": "inner", "$recursiveAnchor": True,
                          "properties": {"sub": {"$recursiveRef": "#"}}}}},
     [{"n": 1}, {"n": 1, "sub": {"n": 2}}], [{}, {"n": 1, "sub": {}}]),
    ({"not": {"properties": {"kind": {"enum": ["a", "b"]}, "n": {"type": "integer"}}, "required": ["kind"]}},
     [{}, {"kind": "c"}, {"kind": "a", "n": "x"}], [{"kind": "a"}, {"kind": "b", "n": 1}, 3]),
    ({"not": {"properties": {"kind": {"enum": ["a"]}, "n": {"type": "integer"}}}},
     [{"kind": "c"}, {"n": "x"}, {"kind": "a", "n": "x"}], [{}, {"kind": "a"}, {"n": 1}]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "yes", "no"), CASES)
def test_keywords(schema: Any, yes: list[Any], no: list[Any]) -> None:
    check(schema, yes, no)


def test_complements_beside_what_they_exclude() -> None:
    def objects(names: str) -> dict[str, Any]:
        return {"type": "object", "properties": {name: {"enum": [{"a": name}]} for name in names}}

    a, b = {"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}
    schema = {
        "oneOf": [{"allOf": [a, {"not": {"allOf": [a, {"not": a}]}}]}, {"allOf": [b, {"not": a}]}],
        "not": {"allOf": [a, {"properties": {"x": {"const": 0}}}]},
        "$defs": {"a": objects("abcdef"), "b": objects("ghijkl")},
    }
    values = [{"x": 1}, {"x": 1, "a": {"a": "a"}}, {"a": 1}, {"a": 1, "x": 0, "g": {"a": "g"}}, {}, {"x": 0}]
    values += [{"a": {"a": "a"}}, {"a": 1, "g": 1}, {"x": 1, "g": 1}, 1]
    is_valid = Draft202012Validator(schema).is_valid
    valid = [value for value in values if is_valid(value)]
    assert 2 < len(valid) < 8
    limits = Limits(max_grammar_nodes=1000)
    check(schema, valid, [value for value in values if value not in valid], limits=limits)


def test_what_depends_on_a_key_evaluates_no_items() -> None:
    schema = {"dependentSchemas": {"a": {"items": True, "properties": {"b": True}}}}
    check({**schema, "unevaluatedItems": {"type": "null"}}, [[None], {"a": 1}, {}], [[1]])
    check({**schema, "unevaluatedProperties": False}, [{}, [1], {}], [{"a": 1}, {"b": 1}])


def test_some_key_that_leaves_no_room_for_others() -> None:
    def some(pattern: str) -> dict[str, Any]:
        return {"not": {"propertyNames": {"not": {"pattern": pattern}}}}

    one = {"type": "object", "allOf": [some("a"), some("b")], "maxProperties": 1}
    check(one, [{"ab": 1}, {"xbxa": 1}], [{}, {"a": 1}, {"a": 1, "b": 1}, {"ab": 1, "c": 1}])
    besides = {"type": "object", "allOf": [some("a.")], "required": ["b"], "properties": {"c": True}}
    check(
        {**besides, "maxProperties": 2, "patternProperties": {"^a": {"type": "integer"}}},
        [{"b": 1, "ax": 1}, {"xax": "s", "b": 1}],
        [{"b": 1}, {"b": 1, "ax": "s"}, {"b": 1, "ax": 1, "c": 1}, {"b": 1, "c": 1}, {"ax": 1, "c": 1}],
    )
    with pytest.raises(UnsatisfiableError):
        schema_to_ir({**besides, "maxProperties": 1})


def test_schemas_in_the_same_words_exclude_each_others_complements() -> None:
    def branch(i: int) -> dict[str, Any]:
        size = {"type": "array", "minItems": 4, "items": {"type": "number"}}
        properties = {"kind": {"minLength": i}, **{f"a{k}": dict(size) for k in range(8)}}
        return {"type": "object", "required": [f"b{i}"], "properties": properties}

    schema = {"oneOf": [branch(i) for i in range(5)]}
    limits = Limits(max_grammar_nodes=20_000)
    yes = [{"b1": 1}, {"b3": 1, "b2": 1, "kind": "xx"}, {"b0": 0, "a1": [1, 2, 3, 4]}]
    no = [{}, {"b1": 1, "b2": 1}, {"b1": 1, "a3": [1]}, {"b3": 1, "kind": "xx"}]
    check(schema, yes, no, limits=limits)
    # What they say apart from that is not taken for the same.
    plain = {"properties": {"a": True}}
    check(
        {"allOf": [{"not": {**plain, "unevaluatedProperties": False}}, {**plain}]},
        [{"b": 1}],
        [{"a": 1}, {}],
    )


def test_complements_of_branches_told_apart_do_not_multiply() -> None:
    branches = [
        {
            "type": "object",
            "required": ["kind", "at"],
            "properties": {"kind": {"enum": [f"k{i}"]}, "at": {"type": "array", "minItems": i}},
        }
        for i in range(20)
    ]
    anything = {"type": "object", "required": ["kind", "at"], "properties": {"at": {"type": "array"}}}
    right = {"kind": "k", "at": []}
    check(
        {"oneOf": [*branches, anything]}, [right, {"kind": "k3", "at": [1]}], [{"kind": "k3", "at": [1] * 4}]
    )


def test_an_object_that_needs_a_key_is_no_whole_of_one_that_does_not() -> None:
    free = ObjectSet({"a": ANY, "b": ANY})
    needing = ObjectSet({"a": ANY, "b": ANY}, needs={"a": frozenset("b")})
    both = ObjectSet({"a": ANY, "b": ANY}, frozenset("b"))
    assert widest((free, needing)) == (free,)
    assert widest((needing, free)) == (free,)
    assert widest((both, needing)) == (needing,)


def test_dependencies_between_keys_do_not_multiply() -> None:
    names = [f"k{i}" for i in range(40)]
    schema = {"type": "object", "dependentRequired": {a: [b] for a, b in pairwise(names)}, "maxProperties": 3}
    check(schema, [{"k39": 1}, {"k38": 1, "k39": 1}], [{"k38": 1}, dict.fromkeys(names), {"k0": 1, "k1": 1}])
    few = {"dependencies": {"a": ["b"], "b": ["a"]}, "minProperties": 2, "maxProperties": 2}
    check(few, [{"a": 1, "b": 1}, {"x": 1, "y": 1}, []], [{"a": 1, "x": 1}, {"x": 1}])
    check({"not": few}, [{"a": 1, "x": 1}, {"x": 1}], [{"a": 1, "b": 1}, {"x": 1, "y": 1}, []])
    check(few, [{"a": 1, "b": 1}, {"x": 1, "y": 1}], [{"a": 1, "x": 1}], property_order="schema")
