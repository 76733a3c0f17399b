"""Where references lead: the registry, identifiers in odd places, what other documents are read as."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema_specifications import REGISTRY

from structgen import Limits
from structgen.errors import SchemaError
from structgen.frontends.json_schema import schema_to_ir

from .test_json_schema import check

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def test_a_schema_goes_before_what_only_looks_like_one() -> None:
    named = {"$id": "http://x/a", "type": "string"}
    false_friend = {"not": {"examples_of_mine": [{"$id": "http://x/a", "type": "null"}]}}
    schema = {"$defs": {"0": false_friend, "1": named}, "$ref": "http://x/a"}
    check(schema, ["a"], [None])
    # Where the standard's places have none, an identifier anywhere will do.
    check({"components": {"a": named}, "$ref": "http://x/a"}, ["a"], [None])


def test_a_document_without_a_draft_is_read_as_the_one_that_refers_to_it() -> None:
    beside_a_reference = {"$ref": "#/definitions/s", "maxLength": 1, "definitions": {"s": {"type": "string"}}}
    registry = {"http://x/one": beside_a_reference}
    check({"$schema": DRAFT_7, "$ref": "http://x/one"}, ["abc"], [1], registry=registry)
    check({"$schema": DRAFT_2020, "$ref": "http://x/one"}, ["a"], ["abc", 1], registry=registry)
    own = {"http://x/one": {"$schema": DRAFT_2020, **beside_a_reference}}
    check({"$schema": DRAFT_7, "$ref": "http://x/one"}, ["a"], ["abc"], registry=own)


def test_a_meta_schema_may_leave_out_validation() -> None:
    meta = {
        "$schema": DRAFT_2020,
        "$vocabulary": {"https://json-schema.org/draft/2020-12/vocab/applicator": True},
    }
    schema = {"$schema": "http://x/meta", "properties": {"a": False}, "required": ["b"]}
    check(schema, [{}, {"c": 1}], [{"a": 1}], registry={"http://x/meta": meta})
    with_validation = {
        **meta,
        "$vocabulary": {"https://json-schema.org/draft/2020-12/vocab/validation": True},
    }
    check(schema, [{"b": 1}], [{}], registry={"http://x/meta": with_validation})
    _, report = schema_to_ir(schema, registry={"http://x/meta": meta})
    assert "leaves out the vocabulary" in str(report)


def test_references_between_documents() -> None:
    registry = {
        "http://x/list": {"type": "array", "items": {"$ref": "item#/$defs/a"}},
        "http://x/item": {"$defs": {"a": {"anyOf": [{"type": "null"}, {"$ref": "list"}]}}},
    }
    check({"$id": "http://x/", "$ref": "list"}, [[], [None, [[None]]]], [[1], [[1]]], registry=registry)
    with pytest.raises(SchemaError, match="names a document that is not here"):
        schema_to_ir({"$ref": "http://x/list"}, registry={"http://x/list": registry["http://x/list"]})


def test_registry() -> None:
    registry = {"http://x/defs.json": {"$defs": {"n": {"type": "integer"}, "m": {"$ref": "#/$defs/n"}}}}
    check({"$ref": "http://x/defs.json#/$defs/m"}, [1], ["a"], registry=registry)


@pytest.mark.parametrize("draft", ["2019-09", "2020-12"])
def test_scopes_that_mean_the_same_are_one(draft: str) -> None:
    # Each of the seven vocabularies may be entered after any others; only the first anchor is ever asked for.
    meta = REGISTRY.contents(f"https://json-schema.org/draft/{draft}/schema")
    limits = Limits(max_grammar_nodes=1000)
    good = {"properties": {"a": {"allOf": [{"minLength": 1}, True]}}, "required": ["a"]}
    bad = {"properties": {"a": {"allOf": [{"minLength": -1}, True]}}}
    check(meta, [good, {"$defs": {"a": good}}, False], [bad, {"$defs": {"a": bad}}, 1], limits=limits)


def test_the_outermost_anchor_of_a_name_is_meant() -> None:
    def document(name: str, kind: str, **more: Any) -> dict[str, Any]:
        there = {"$dynamicAnchor": "x", "type": kind}
        return {"$id": f"http://x/{name}", "$schema": DRAFT_2020, "$defs": {"x": there}, **more}

    registry = {
        "http://x/a": document("a", "string", properties={"c": {"$ref": "c"}, "b": {"$ref": "b"}}),
        "http://x/b": document("b", "null", properties={"c": {"$ref": "c"}, "a": {"$ref": "a"}}),
        "http://x/c": document("c", "boolean", properties={"v": {"$dynamicRef": "#x"}}),
    }
    check(
        {"$schema": DRAFT_2020, "properties": {name: {"$ref": f"http://x/{name}"} for name in "abc"}},
        [
            {"c": {"v": True}},
            {"a": {"c": {"v": ""}, "b": {"c": {"v": ""}, "a": {"c": {"v": ""}}}}},
            {"b": {"c": {"v": None}, "a": {"c": {"v": None}, "b": {"c": {"v": None}}}}},
        ],
        [{"c": {"v": ""}}, {"a": {"b": {"c": {"v": None}}}}, {"b": {"a": {"c": {"v": ""}}}}],
        registry=registry,
    )
