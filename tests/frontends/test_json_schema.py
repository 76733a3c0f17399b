"""What each keyword of a schema lets through, held against the IR by a plain recogniser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from structgen.errors import (
    GrammarError,
    LimitExceededError,
    SchemaError,
    UnsatisfiableError,
    UnsupportedKeywordError,
)
from structgen.frontends.json_schema import schema_to_ir
from structgen.frontends.json_schema.languages import any_key
from structgen.ir import Alt, Bounded, Expr, GrammarIR, Members, Pat, Ref, Rep, Rest, Seq
from structgen.limits import Limits

from .ir_recogniser import accepts


def check(schema: Any, yes: list[Any], no: list[Any], **options: Any) -> None:
    """The values' compact texts are accepted and refused; a str beginning with ``=`` is a text as it is."""
    ir, _ = schema_to_ir(schema, **options)
    for values, wanted in ((yes, True), (no, False)):
        for value in values:
            as_text = isinstance(value, str) and value.startswith("=")
            text = value[1:] if as_text else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            assert accepts(ir, text) is wanted, (schema, text)


EVERYTHING = [None, True, False, 0, -1.5, "", 'ä\n"', [], [1, [2]], {}, {"a": {"b": None}}]

CASES = [
    ({}, EVERYTHING, ["=", "=nul", "=01", "=[1,]", "={,}"]),
    (True, EVERYTHING, []),
    ({"type": "null"}, [None], [False, 0, ""]),
    ({"type": "boolean"}, [True, False], [None, 0]),
    ({"type": "string"}, ["", "ä", "=\"\\u00e4\\/\"", "=\"\\ud83d\\ude00\""], [1, "=\"\\ud83d\"", "=\"\n\""]),
    ({"type": "integer"}, [0, -12, 10**30, 1.0, "=1e2", 1e22], [1.5, "=01", "=-", "1", "=1e-2"]),
    ({"anyOf": [{"type": "integer", "multipleOf": 0.25}, {"maximum": 2.5}]}, [10, -3, 1.25], [3.5]),
    ({"type": "integer", "not": {"multipleOf": 3}}, [4.0, 5], [3, 6.0, 0]),
    ({"type": "number"}, [0, -1.5, "=1e9", "=1E-9", "=0.10"], ["=.5", "=1.", "=+1", "1"]),
    ({"type": ["integer", "null"]}, [1, None], [1.5, "a"]),
    ({"type": ["integer", "number"]}, [1, 1.5], ["a"]),
    ({"enum": ["a", 1, None, [1], {"b": 2}]}, ["a", 1, None, [1], {"b": 2}], ["b", 2, [2], {"b": 3}, [1, 1]]),
    ({"enum": [1.0, 1e-7]}, ["=1.0", "=1", "=1e-07", "=0.0000001"], ["=1.1"]),
    ({"enum": ["a", 1, 5], "type": "integer", "minimum": 2}, [5], ["a", 1]),
    ({"enum": ["a", "bb", "ccc"], "minLength": 2, "pattern": "b|c"}, ["bb", "ccc"], ["a"]),
    ({"const": {"x": 1, "y": [True]}}, ['={"x":1,"y":[true]}', '={"y":[true],"x":1}'], [{"x": 1}, {}]),
    ({"const": "é\""}, ['="é\\""'], ['="\\u00e9\\""']),
    ({"minLength": 2, "maxLength": 3}, ["ab", "äöü", '="\\u00e4b"', 7, [], None], ["a", "abcd"]),
    ({"type": "string", "pattern": "^a.c$"}, ["abc", "aäc"], ["abbc", "xabc", '="\\u0061bc"']),
    ({"type": "string", "pattern": "b"}, ["abc", "b"], ["ac", ""]),
    ({"type": "string", "pattern": "^a+$", "minLength": 2, "maxLength": 3}, ["aa", "aaa"], ["a", "aaaa"]),
    ({"type": "integer", "minimum": -5, "maximum": 12}, [-5, 0, 12], [-6, 13, 100]),
    ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 4}, [2, 3], [1, 4]),
    ({"type": "integer", "minimum": 1.5}, [2, 30], [1, -2]),
    ({"type": "number", "minimum": 0.25, "exclusiveMaximum": 3}, [0.25, 0.3, 2.99, "=1e0"], [0.24, 3,
     "=3.0"]),
    ({"type": "number", "multipleOf": 0.05}, [0.1, "=1.150", 3], [0.01, 1.02]),
    ({"type": "integer", "multipleOf": 7, "minimum": 10}, [14, 70], [7, 15]),
    ({"items": {"type": "integer"}}, [[], [1, 2], "x"], [["a"], [1, "a"]]),
    ({"items": False}, [[], {}], [[1]]),
    ({"type": "array", "minItems": 2, "maxItems": 3}, [[1, 2], [1, "a", {}]], [[], [1], [1, 2, 3, 4]]),
    ({"prefixItems": [{"type": "integer"}, {"type": "string"}]}, [[], [1], [1, "a"], [1, "a", {}]], [["a"],
     [1, 1]]),
    (
        {"prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False, "minItems": 1},
        [[1], [1, "a"]],
        [[], [1, "a", 1]],
    ),
    (
        {"items": [{"type": "integer"}], "additionalItems": {"type": "string"}, "minItems": 2, "maxItems": 3},
        [[1, "a"], [1, "a", "b"]],
        [[1], [1, 2], [1, "a", "b", "c"]],
    ),
    (
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["b"]},
        [{"b": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"z": 0, "b": 1}],
        [{}, {"a": 1}, {"b": 1, "a": "x"}, '={"b":1,"b":2}', '={"\\u0061":"x","b":1}'],
    ),
    ({"properties": {"a": {}}, "additionalProperties": False}, [{}, {"a": 1}, 3], [{"b": 1}]),
    ({"properties": {"a": {}}, "additionalProperties": {"type": "null"}}, [{"b": None, "a": 1}], [{"b": 1}]),
    ({"required": ["x"], "additionalProperties": {"type": "integer"}}, [{"x": 1}], [{"x": "a"}, {}]),
    ({"patternProperties": {"^a": {"type": "integer"}}}, [{}, {"a": 1, "b": "x"}, {"aa": 1, "ab": 2}],
     [{"a": "x"}, {"b": 1, "ab": None}]),
    (
        {"patternProperties": {"^a": {"type": "integer"}, "b$": {"minimum": 5}}},
        [{"ab": 5, "a": 1, "b": 6, "xb": "s", "c": None}, {"b": "x"}],
        [{"ab": 4}, {"ab": "x"}, {"b": 1}, {"a": "x"}],
    ),
    (
        {"properties": {"ab": {"maximum": 7}, "c": {"type": "null"}}, "patternProperties": {"^a": {"type":
         "integer"}, "b$": {"minimum": 5}}, "additionalProperties": {"type": "string"}, "required": ["ab"]},
        [{"ab": 6}, {"ab": 7, "c": None, "z": "s", "a": 0, "b": 9}],
        [{"ab": 8}, {"ab": 6.5}, {"ab": 6, "z": 1}, {"ab": 6, "c": "s"}, {"c": None}, {"ab": 6, "a": "s"}],
    ),
    (
        {"patternProperties": {"^a": {"type": "integer"}, "^ab": {"type": "string"}}},
        [{"a": 1, "b": None}],
        [{"ab": 1}, {"ab": "x"}, {"abc": "x", "a": 1}],
    ),
    (
        {"patternProperties": {"^a": {"minimum": 0}}, "propertyNames": {"maxLength": 2}, "maxProperties": 2},
        [{"a": 1}, {"ab": 1, "zz": None}, {}],
        [{"abc": 1}, {"a": -1}, {"a": 1, "b": 2, "c": 3}],
    ),
    ({"minProperties": 1, "maxProperties": 2}, [{"a": 1}, {"a": 1, "b": 2}], [{}, {"a": 1, "b": 2, "c": 3}]),
    ({"type": "object", "properties": {"a": {}, "b": {}}, "minProperties": 2}, [{"a": 1, "z": 1}],
     [{"a": 1}]),
    ({"properties": {"a": False}}, [{}, {"b": 1}], [{"a": 1}, '={"\\u0061":1}']),
    (
        {"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False},
        [{}, {"x1": 1}],
        [{"x": "a"}, {"y": 1}],
    ),
    ({"properties": {"x1": {"minimum": 3}}, "patternProperties": {"^x": {"type": "integer"}},
      "additionalProperties": False}, [{"x1": 3, "x2": 0}], [{"x1": 2}, {"x1": "a"}]),
    ({"propertyNames": {"pattern": "^a"}}, [{"ab": 1}], [{"ba": 1}]),
    ({"propertyNames": {"enum": ["a", "b"]}, "minProperties": 2}, [{"b": 1, "a": 1}], [{"a": 1}, {"a": 1,
     "c": 1}]),
    ({"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]}, [1, "a"], ["ab", None]),
    ({"type": "object", "properties": {"a": {"type": "integer"}}, "anyOf": [{"required": ["a"]},
     {"required": ["b"]}]},
     [{"a": 1}, {"b": 1}, {"b": 1, "a": 1}], [{}, {"c": 1}, {"b": 1, "a": "x"}]),
    ({"allOf": [{"properties": {"a": {"minimum": 1}}}, {"properties": {"a": {"type": "integer"}},
     "required": ["a"]}]},
     [{"a": 1}], [{"a": 0}, {"a": 1.5}, {}]),
    ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, [1, "a"], [None, 1.5]),
    ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, [1, 2.5, "a"], [2, 3, 1.5]),
    ({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, [{"a": 1}, {"b": 1}], [{},
     {"a": 1, "b": 1}]),
    ({"oneOf": [{"properties": {"k": {"const": "x"}, "v": {"type": "integer"}}, "required": ["k"]},
                {"properties": {"k": {"const": "y"}, "v": {"type": "string"}}, "required": ["k"]}],
      "type": "object"},
     [{"k": "x", "v": 1}, {"v": "a", "k": "y"}], [{"k": "x", "v": "a"}, {"k": "z"}, {}]),
    ({"not": {"type": "string"}}, [1, None, []], ["a"]),
    ({"type": "object", "not": {"required": ["a"]}}, [{}, {"b": 1}], [{"a": 1}]),
    ({"type": "string", "not": {"enum": ["a", "b"]}}, ["", "c", "ab"], ["a", "b"]),
    ({"type": "integer", "not": {"const": 3}}, [2, 4, -3], [3]),
    ({"if": {"properties": {"k": {"const": 1}}, "required": ["k"]}, "then": {"required": ["a"]},
      "else": {"required": ["b"]}},
     [{"k": 1, "a": 0}, {"k": 2, "b": 0}, {"b": 0}], [{"k": 1, "b": 0}, {"k": 2}, {}]),
    ({"dependentRequired": {"a": ["b"]}}, [{}, {"b": 1}, {"b": 1, "a": 1}], [{"a": 1}]),
    ({"dependencies": {"a": ["b"], "c": {"maxProperties": 1}}}, [{"a": 1, "b": 1}, {"c": 1}], [{"a": 1},
     {"c": 1, "b": 1}]),
    ({"$ref": "#/$defs/a%25~1b", "$defs": {"a%/b": {"type": "null"}}}, [None], [1]),
    ({"$defs": {"n": {"type": "integer"}}, "$ref": "#/$defs/n", "minimum": 3}, [3], [2, 3.5]),
    ({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"n": {"type": "integer"}},
      "$ref": "#/definitions/n", "minimum": 3}, [2, 3], ["a"]),
    ({"properties": {"next": {"$ref": "#"}, "v": {"type": "integer"}}, "required": ["v"], "type": "object"},
     [{"v": 1}, {"v": 1, "next": {"next": {"v": 3}, "v": 2}}], [{"next": {"v": 1}}, {"v": 1, "next": {}}]),
    ({"anyOf": [{"$ref": "#"}, {"type": "string"}]}, ["a"], [1]),
    ({"$id": "http://x/y.json", "$ref": "y.json#n", "$defs": {"a": {"$anchor": "n", "type": "null"}}},
     [None], [1]),
    ({"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 3, "exclusiveMinimum": True,
     "type": "integer"},
     [4], [3]),
    ({"$schema": "http://json-schema.org/draft-04/schema#", "const": 3}, [3, 4], []),
    ({"$id": "http://x/d/", "$ref": "e/", "$defs": {"a": {"$id": "e/", "items": {"$ref": "f"}},
      "b": {"$id": "http://x/d/e/f", "type": "null"}}}, [[None], 1], [[1]]),
    ({"unevaluatedProperties": False, "properties": {"a": {}}}, [{"a": 1}], [{"b": 1}]),
    (
        {
            "$ref": "#/$defs/base",
            "properties": {"a": {}},
            "anyOf": [
                {"properties": {"b": {"const": 1}}, "required": ["b"]},
                {"patternProperties": {"^c": {}}},
            ],
            "unevaluatedProperties": {"type": "null"},
            "$defs": {"base": {"properties": {"base": {"type": "integer"}}}},
        },
        [{"base": 1, "a": 2, "b": 1, "c": 3}, {"b": None, "c1": 1}, {"z": None}],
        [{"z": 1}, {"b": 2}, {"base": "x"}, {"base": 1, "y": 1}],
    ),
    (
        {
            "if": {"properties": {"kind": {"const": "x"}}, "required": ["kind"]},
            "then": {"properties": {"x": {}}},
            "else": {"properties": {"y": {}}},
            "dependentSchemas": {"y": {"properties": {"z": {}}}},
            "unevaluatedProperties": False,
        },
        [{"kind": "x", "x": 1}, {"y": 1, "z": 2}, {}, 7],
        [{"kind": "y"}, {"kind": "x", "y": 1}, {"x": 1}, {"z": 1}],
    ),
    ({"additionalItems": {"type": "null"}, "unevaluatedItems": {"type": "string"}}, [["a"]], [[1]]),
    ({"type": "string", "format": "date"}, ["2024-02-29"], ["2023-02-29", "2024-13-01", "2024-1-1"]),
    ({"type": "string", "format": "ipv6"}, ["::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4"], ["1::2::3", ":1",
     "1:2:3:4:5:6:7"]),
    ({"type": "string", "format": "color"}, ["red"], [1]),
    ({"contains": {"type": "null"}, "enum": [[], [1], [1, None]]}, [[1, None]], [[], [1]]),
    ({"uniqueItems": True, "enum": [[1, 1], [1, 2]]}, [[1, 2]], [[1, 1]]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "yes", "no"), CASES, ids=lambda x: json.dumps(x)[:60])
def test_keywords(schema: Any, yes: list[Any], no: list[Any]) -> None:
    check(schema, yes, no)


@pytest.mark.parametrize(
    ("policy", "yes", "no"),
    [
        (2, ["{}", "{ \n}", '{ "a"  : [ ] ,\t"b":1}'], ["{   }", ' {"a":[],"b":1}', "{} "]),
        (0, ["{}", '{"a":[1,2]}'], ["{ }", '{"a": [1]}', '{"a":[1, 2]}']),
        ("compact", ["{}", '{"a":[1,2]}'], ["{ }", '{"a": [1]}']),
        ("flexible", ["{" + " \n" * 200 + "}", '{"a":\r[ 1,2]}'], ["{}\n"]),
        ("dumps", ["{}", '{"a": [1, 2], "b": []}'], ['{"a":[1, 2]}', '{"a": [1,2]}', "{ }", "[ ]"]),
    ],
)
def test_whitespace(policy: Any, yes: list[str], no: list[str]) -> None:
    for schema in ({}, {"properties": {"a": {"type": "array"}}, "type": "object"}):
        check(schema, ["=" + text for text in yes], ["=" + text for text in no], whitespace=policy)


def test_default_whitespace_is_64() -> None:
    check({}, ["=[" + " " * 64 + "1]"], ["=[" + " " * 65 + "1]"])


def test_property_order() -> None:
    schema = {"properties": {"b": {}, "a": {}}, "required": ["c"]}
    texts = ['={"a":1,"b":1,"c":1}', '={"c":1,"b":1}', '={"z":1,"b":1,"c":1}']
    check(schema, texts, [])
    check(schema, ['={"b":1,"a":1,"c":1,"z":1}', '={"c":1}'], texts, property_order="schema")


def test_counts_are_parameters() -> None:
    ir, _ = schema_to_ir({"type": "string", "maxLength": 10**9})
    (text,) = ir.rules.values()
    assert isinstance(text, Bounded)
    assert (text.least, text.most) == (1, 10**9 + 1)  # The closing quote is counted, too.


def _below(expr: Expr) -> list[Expr]:
    if isinstance(expr, (Seq, Alt)):
        return list(expr.items)
    if isinstance(expr, Rep):
        return [expr.item, *([expr.sep] if expr.sep else [])]
    if isinstance(expr, Members):
        tails = [member.tail for member in (*expr.members, *expr.rest)]
        return [*tails, expr.sep]
    return []


@pytest.mark.parametrize(("schema", "yes", "no"), CASES, ids=lambda x: json.dumps(x)[:60])
def test_every_rule_is_there_and_no_value_is_empty(schema: Any, yes: Any, no: Any) -> None:
    ir, _ = schema_to_ir(schema)
    todo = list(ir.rules.values())
    while todo:
        expr = todo.pop()
        if isinstance(expr, Ref):
            assert expr.rule in ir.rules
        if isinstance(expr, Pat):
            assert not expr.dfa.is_empty
        todo.extend(_below(expr))
    assert {name for name in ir.rules if accepts(GrammarIR(ir.rules, name), b"")} <= {"ws"}


UNSATISFIABLE = [
    (False, "false"),
    ({"$ref": "#"}, "nothing satisfies"),
    ({"allOf": [{"type": "string"}, {"type": "integer"}]},
     "`type` 'string' at /allOf/0 and `type` 'integer' at /allOf/1"),
    ({"type": "string", "minLength": 5, "maxLength": 3}, "`minLength` 5"),
    ({"type": "string", "pattern": "^a$", "allOf": [{"minLength": 2}]}, "/allOf/0"),
    ({"type": "integer", "minimum": 4, "maximum": 3}, "`maximum` 3"),
    ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, "`exclusiveMaximum` 2"),
    ({"type": "integer", "minimum": 1, "maximum": 4, "multipleOf": 5}, "`multipleOf` 5"),
    ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "asks for itself again"),
    ({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "enum": [1]}}},
     "requires 'a'"),
    ({"type": "object", "required": ["a"], "additionalProperties": False}, "which it also forbids"),
    ({"type": "object", "minProperties": 2, "properties": {"a": {}}, "additionalProperties": False},
     "`minProperties` 2"),
    ({"type": "array", "minItems": 1, "items": False}, "`minItems` 1"),
    ({"type": "array", "minItems": 3, "maxItems": 2}, "`maxItems` 2"),
    ({"enum": []}, "`enum` []"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "message"), UNSATISFIABLE, ids=lambda x: json.dumps(x)[:60])
def test_unsatisfiable(schema: Any, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        schema_to_ir(schema)
    assert message in str(caught.value)


def test_what_is_empty_is_never_offered() -> None:
    loop = {"type": "object", "required": ["again"], "properties": {"again": {"$ref": "#/$defs/loop"}}}
    schema = {
        "$defs": {"loop": loop},
        "properties": {
            "x": {"$ref": "#/$defs/loop"},
            "y": {"items": {"$ref": "#/$defs/loop"}, "type": "array"},
        },
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/loop"}, {"type": "null"}]},
        "type": "object",
    }
    ir, _ = schema_to_ir(schema)
    assert not any("loop" in name for name in ir.rules)
    check(schema, [{}, {"y": []}, {"z": None}], [{"x": {}}, {"x": None}, {"y": [None]}])


ERRORS = [
    ('{"type": ', SchemaError, "line 1, column 10"),
    (5, SchemaError, "not a number"),
    ({"type": "strnig"}, SchemaError, "at /type:"),
    ({"properties": {"a/b": {"pattern": "(a"}}}, SchemaError, "at /properties/a~1b/pattern:"),
    ({"items": {"$ref": "#/$defs/x"}, "$defs": {"y": {}}}, SchemaError,
     "at /items: $ref '#/$defs/x' points to nothing"),
    ({"$ref": "http://elsewhere/x.json"}, SchemaError, "registry="),
    ({"$ref": "#nowhere"}, SchemaError, "no anchor"),
    ({"properties": {"a": 3}}, SchemaError, "at /properties/a:"),
    ({"minItems": -1}, SchemaError, "at /minItems:"),
    ({"maxLength": "3"}, SchemaError, "`maxLength` is a whole number"),
    ({"anyOf": []}, SchemaError, "at /anyOf:"),
    ({"not": {"$ref": "#"}}, SchemaError, "through `not`"),
    ({"items": {"uniqueItems": True, "contains": {"type": "null"}, "maxItems": 5}}, UnsupportedKeywordError,
     "at /items: `uniqueItems` cannot be enforced"),
    ({"uniqueItems": True, "items": {"type": "array", "maxItems": 0}, "minItems": 3},
     UnsupportedKeywordError, "3 items have to come"),
    ({"contains": {"type": "null"}, "maxItems": 10**9}, UnsupportedKeywordError, "`contains`"),
    ({"$dynamicRef": "#x"}, SchemaError, "$dynamicRef '#x': there is no anchor"),
    ({"not": {"uniqueItems": True}, "contains": {"type": "null"}}, UnsupportedKeywordError, "`not`"),
    ({"not": {"uniqueItems": True}, "prefixItems": [{}, {}], "items": False}, UnsupportedKeywordError,
     "each place has a schema of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "error", "message"), ERRORS, ids=lambda x: str(x)[:60])
def test_errors(schema: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        schema_to_ir(schema)
    assert message in str(caught.value)


def test_unsupported_keyword_is_named() -> None:
    with pytest.raises(UnsupportedKeywordError) as caught:
        schema_to_ir({"properties": {"a": {"not": {"uniqueItems": True}, "contains": {"type": "null"}}}})
    assert (caught.value.keyword, caught.value.pointer) == ("not", "/properties/a")


@pytest.mark.parametrize(
    "options",
    [{"whitespace": -1}, {"whitespace": "no"}, {"property_order": "x"}, {"formats": "x"}, {"integers": "x"}],
)
def test_options(options: dict[str, Any]) -> None:
    with pytest.raises(GrammarError):
        schema_to_ir({}, **options)


def test_report() -> None:
    schema = {
        "title": "t",
        "type": "array",
        "contains": {"type": "null"},
        "maxItems": 10**9,
        "x-mine": 1,
        "items": {"format": "nonsense"},
    }
    _, report = schema_to_ir(schema, strict=False)
    assert [(e.pointer, e.keyword) for e in report.unenforced] == [("", "contains")]
    assert [e.keyword for e in report.enforced] == ["type", "maxItems", "items"]
    assert [(e.pointer, e.keyword, e.why) for e in report.annotations] == [
        ("", "title", ""),
        ("", "x-mine", "unknown keyword"),
        ("/items", "format", "unknown format 'nonsense'"),
    ]
    assert len(list(report)) == len(report) == 7
    assert "not enforced /contains" in str(report)


def test_not_strict_allows_more_and_never_less() -> None:
    schema = {"type": "array", "contains": {"type": "null"}, "maxItems": 10**9}
    check(schema, [[1], [1, None]], [{}], strict=False)


def test_formats_can_be_annotations() -> None:
    check({"type": "string", "format": "date"}, ["x"], [1], formats="annotate")


def test_few_keys_of_a_pattern_come_once_each() -> None:
    schema = {"patternProperties": {"^[ab]$": {}}, "additionalProperties": False, "minProperties": 2}
    check(schema, [{"a": 1, "b": 2}, {"b": 1, "a": 2}], [{}, {"a": 1}, '={"a":1,"a":2}', {"c": 1, "a": 1}])
    with pytest.raises(UnsatisfiableError):
        schema_to_ir({**schema, "type": "object", "minProperties": 3})


@pytest.mark.parametrize("others", [True, {"type": "null"}])
def test_where_all_other_keys_are_alike_their_automaton_is_that_of_any_key(others: Any) -> None:
    """A pattern whose keys are few names them, and what it leaves over is then whatever has no name."""
    schema = {
        "type": "object",
        "patternProperties": {'^(ab|a"c)$': {"type": "string"}, "^never$": {"minimum": 3}},
        "additionalProperties": others,
        "required": ["ab"],
        "properties": {"ab": {"maxLength": 2}},
    }
    valid = [{"ab": "x", 'a"c': "long", "z": None, "never": 4}, {"": None, "abc": None, "ab": ""}]
    invalid: list[Any] = [{"ab": 1}, {"ab": "xyz"}, {"ab": "x", 'a"c': None}, {"ab": "x", "never": 2}]
    check(schema, valid, [*invalid, {"z": None}, '={"ab":"x","ab":"x"}', '={"ab":"x","a\\u0062":"x"}'])
    ir, _ = schema_to_ir(schema)
    rests = [rest for e in ir.rules.values() for rest in _rests(e)]
    assert any_key().digest in {rest.key.digest for rest in rests}
    # Where nothing at all is asked of keys, they come in every spelling.
    check({"type": "object", "patternProperties": {".*": {"const": 1}}}, ['={"a\\u0062":1}'], [{"a": 2}])


def _rests(e: Expr) -> list[Rest]:
    if isinstance(e, Members):
        return list(e.rest)
    parts: tuple[Expr, ...] = e.items if isinstance(e, Seq | Alt) else ()
    return [rest for part in parts for rest in _rests(part)]


def test_kinds_of_keys_have_a_bound() -> None:
    def schema(n: int) -> dict[str, Any]:
        return {"patternProperties": {f"^{i}-": {"const": i} for i in range(n)}, "type": "object"}

    check(schema(200), [{"7-a": 7, "199-": 199, "x": None}], [{"7-a": 8}])
    with pytest.raises(UnsupportedKeywordError, match="kinds"):
        schema_to_ir(schema(256))
    _, report = schema_to_ir(schema(256), strict=False)
    assert [entry.keyword for entry in report.unenforced] == ["patternProperties"]


def _nested(depth: int, wrap: Any) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(depth):
        schema = wrap(schema)
    return schema


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: {"items": s},
        lambda s: {"properties": {"a": s}, "required": ["a"]},
        lambda s: {"allOf": [s], "minLength": 1},
        lambda s: {"anyOf": [s, {"type": "null"}]},
        lambda s: {"not": s},
    ],
)
def test_deep_nesting_meets_no_recursion_limit(wrap: Any) -> None:
    ir, _ = schema_to_ir(_nested(10_000, wrap))
    assert ir.start in ir.rules


def test_deep_values_meet_no_recursion_limit() -> None:
    value: Any = 1
    for _ in range(10_000):
        value = [value]
    ir, _ = schema_to_ir({"const": value})
    assert len(ir.rules) > 10_000


def test_products_of_unions_meet_a_limit() -> None:
    def union(j: int) -> Any:
        return {"anyOf": [{"properties": {f"p{i}.{j}": {"minLength": 1}}} for i in range(12)]}

    with pytest.raises(LimitExceededError) as caught:
        schema_to_ir({"allOf": [union(j) for j in range(12)]}, limits=Limits(max_grammar_nodes=20_000))
    assert caught.value.limit == "max_grammar_nodes"


def test_equal_subschemas_share_a_rule() -> None:
    schema = {"properties": {name: {"type": "string", "maxLength": 5} for name in "abcdef"}}
    ir, _ = schema_to_ir(schema)
    assert sum(isinstance(rule, Bounded) for rule in ir.rules.values()) == 1
