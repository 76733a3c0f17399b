"""Where schemas come from: Python values, JSON text, files, and what APIs wrap around them.

A wrapper is known by a ``type`` that no schema has, so that nothing is guessed: ``response_format`` of chat
completions (and its flat form), and the definition of a tool, of which the parameters are the schema. In an
OpenAPI document the schemas are ``components``; give the document as the ``registry`` and refer to one:
``{"$ref": "openapi.json#/components/schemas/Pet"}``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import SchemaError
from .document import kind_of


def read(schema: Any) -> Any:
    """The schema as Python values: a mapping or bool as it is, JSON text parsed, a path's file read."""
    if isinstance(schema, os.PathLike):
        schema = _contents(Path(schema))
    if isinstance(schema, (bytes, bytearray)):
        try:
            schema = schema.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SchemaError(f"the schema's text is not UTF-8: {error}") from None
    if isinstance(schema, str):
        schema = _parsed(schema)
    if isinstance(schema, Mapping) and not isinstance(schema, dict):
        schema = dict(schema)
    if isinstance(schema, type):
        raise SchemaError(f"{schema.__name__} is a type; Grammar.from_type takes types")
    if not isinstance(schema, (bool, dict)):
        raise SchemaError(f"a schema is an object or a boolean, not {kind_of(schema)}")
    return _unwrapped(schema) if isinstance(schema, dict) else schema


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SchemaError(f"the schema's file cannot be read: {error}") from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        lines = text.splitlines() or [""]
        shown = lines[error.lineno - 1][:110] if error.lineno <= len(lines) else ""
        place = f"line {error.lineno}, column {error.colno}"
        caret = f"\n  {shown}\n  {' ' * (error.colno - 1)}^" if error.colno <= 110 else ""
        raise SchemaError(f"the schema is not JSON: {error.msg} ({place}){caret}") from None
    except ValueError as error:
        raise SchemaError(f"the schema is not JSON that Python reads: {error}") from None
    except RecursionError:
        raise SchemaError(
            "the schema's text is nested too deeply for Python's JSON reader; "
            "flatten it with $ref and $defs, or pass it as a dict"
        ) from None


def _unwrapped(schema: dict[str, Any]) -> Any:
    """The schema inside a wrapper; what is none is a schema itself."""
    kind = schema.get("type")
    if kind == "json_object":
        return {"type": "object"}
    if kind == "json_schema":
        return _inside(schema, "json_schema", "schema")
    if kind == "function":
        # A tool without parameters takes none.
        return _inside(schema, "function", "parameters", {"type": "object", "additionalProperties": False})
    return schema


def _inside(wrapper: dict[str, Any], holder: str, keyword: str, default: Any = None) -> Any:
    """What a wrapper, or the object under ``holder`` in it, has under ``keyword``."""
    pointer, inner = "", wrapper.get(holder, wrapper)
    if inner is not wrapper:
        pointer = f"/{holder}"
    if not isinstance(inner, dict):
        raise SchemaError(f"`{holder}` is an object, not {kind_of(inner)}", pointer=pointer)
    found = inner.get(keyword, default)
    if not isinstance(found, (bool, dict)):
        what = "missing" if found is None else f"a schema, not {kind_of(found)}"
        raise SchemaError(f"`{keyword}` of {wrapper['type']!r} is {what}", pointer=f"{pointer}/{keyword}")
    return found
