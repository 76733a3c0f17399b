"""Schemas from files and from what APIs wrap around them."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from structgen.errors import SchemaError
from structgen.frontends.json_schema import schema_to_ir

from .test_json_schema import check

POINT = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
RESPONSE = {"name": "point", "strict": True, "schema": POINT}
TOOL = {"name": "move", "description": "Moves.", "parameters": POINT, "strict": True}


@pytest.mark.parametrize(
    "schema",
    [
        POINT,
        json.dumps(POINT),
        json.dumps(POINT).encode("utf-8-sig"),
        MappingProxyType(POINT),
        {"type": "json_schema", "json_schema": RESPONSE},
        {"type": "json_schema", **RESPONSE},
        {"type": "function", "function": TOOL},
        {"type": "function", **TOOL},
    ],
    ids=str,
)
def test_sources(schema: Any) -> None:
    check(schema, [{"x": 1}], [{}, {"x": "a"}, 1])


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "point.json"
    path.write_text(json.dumps(POINT), encoding="utf-8")
    check(path, [{"x": 1}], [{}])
    with pytest.raises(SchemaError, match="cannot be read"):
        schema_to_ir(tmp_path / "none.json")


def test_any_object_and_no_parameters() -> None:
    check({"type": "json_object"}, [{}, {"a": [1]}], [1, []])
    check({"type": "function", "function": {"name": "now"}}, [{}], [{"a": 1}, 1])


def test_an_openapi_document_is_a_registry() -> None:
    pet = {"type": "object", "properties": {"owner": {"$ref": "#/components/schemas/Owner"}}}
    api = {"openapi": "3.1.0", "components": {"schemas": {"Pet": pet, "Owner": {"type": "string"}}}}
    schema = {"$ref": "openapi.json#/components/schemas/Pet"}
    check(schema, [{"owner": "Ada"}], [{"owner": 1}], registry={"openapi.json": api})


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "json_schema"}, "at /schema: `schema` of 'json_schema' is missing"),
        ({"type": "json_schema", "json_schema": 3}, "at /json_schema: `json_schema` is an object"),
        ({"type": "function", "function": {"parameters": [1]}}, "at /function/parameters: .* not an array"),
        (dict, "Grammar.from_type takes types"),
        ([1], "not an array"),
    ],
    ids=str,
)
def test_errors(schema: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        schema_to_ir(schema)
