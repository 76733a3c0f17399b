"""Where references lead: the registry, identifiers in odd places, what other documents are read as."""

from __future__ import annotations

import pytest

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
