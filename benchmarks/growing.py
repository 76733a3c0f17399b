"""Grammars and texts in which one thing grows, so that what an engine's time depends on can be seen.

A suite with ``source = "growth"`` names shapes of `SHAPES` and sizes. Every shape comes with a text that
belongs to the language and, where it is not too long to be walked, one that does not, by one character, item
or level.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

WORDS = ("alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "ivy", "juniper")
WRITTEN = 400  # characters or items of a text under a large bound
WALKED = 20_000  # a text that breaks a larger bound is not walked: no answer depends on it


class Grown(NamedTuple):
    """A grammar (see `benchmarks.cases.Case`) and its texts."""

    kind: str
    text: str
    valid: list[str]
    invalid: list[str]


def prose(length: int) -> str:
    """So many characters of words."""
    line = " ".join(WORDS) + ". "
    return (line * (length // len(line) + 1))[:length]


def max_length(n: int) -> Grown:
    """A string of at most ``n`` characters."""
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": n}},
        "required": ["text"],
    }
    invalid = [json.dumps({"text": prose(n + 1)})] if n <= WALKED else []
    return Grown("json_schema", json.dumps(schema), [json.dumps({"text": prose(min(n, WRITTEN))})], invalid)


def max_items(n: int) -> Grown:
    """An array of at most ``n`` integers."""
    schema = {"type": "array", "items": {"type": "integer"}, "maxItems": n}
    invalid = [json.dumps(list(range(n + 1)))] if n <= WALKED else []
    return Grown("json_schema", json.dumps(schema), [json.dumps(list(range(min(n, WRITTEN))))], invalid)


def enum(n: int) -> Grown:
    """One of ``n`` strings; beginnings and ends are shared, as in lists of codes and names."""
    values = [f"{WORDS[i % 10]}-{i:06d}-{WORDS[i // 10 % 10]}" for i in range(n)]
    chosen = [values[i * (n - 1) // 4] for i in range(5)]
    valid = [json.dumps({"code": value}) for value in dict.fromkeys(chosen)]
    schema = {"type": "object", "properties": {"code": {"enum": values}}, "required": ["code"]}
    return Grown(
        "json_schema", json.dumps(schema), valid, [json.dumps({"code": f"{WORDS[0]}-{n:06d}-{WORDS[1]}"})]
    )


def optional_keys(n: int) -> Grown:
    """An object with ``n`` keys, of which none is required."""
    keys = [f"{WORDS[i % 10]}_{i}" for i in range(n)]
    schema = {
        "type": "object",
        "properties": {k: {"type": "integer"} for k in keys},
        "additionalProperties": False,
    }
    every = max(n // 20, 1)
    return Grown(
        "json_schema",
        json.dumps(schema),
        [json.dumps(dict.fromkeys(keys[::every], 1))],
        [json.dumps({"alder_0": 1, f"{WORDS[0]}_{n}": 1})],
    )


def nesting(n: int) -> Grown:
    """Any JSON value; the text is an array in an array, ``n`` deep."""
    return Grown("json", "{}", ["[" * n + "1" + "]" * n], ["[" * n + "1" + "]" * (n + 1)])


def recursion(n: int) -> Grown:
    """A tree by a schema that refers to itself; the text is one branch of ``n`` nodes."""
    schema = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]},
                },
                "required": ["name", "next"],
                "additionalProperties": False,
            }
        },
    }
    text = '{"name": "elm", "next": ' * n + "null" + "}" * n
    return Grown("json_schema", json.dumps(schema), [text], [text + "}"])


def text(n: int) -> Grown:
    """A list of records; the text has about ``n`` tokens."""
    record = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
    record |= {"required": ["id", "name"], "additionalProperties": False}  # type: ignore[dict-item]
    rows = [{"id": i, "name": WORDS[i % 10]} for i in range(max(n // 14, 1))]
    written = json.dumps(rows)
    return Grown(
        "json_schema", json.dumps({"type": "array", "items": record}), [written], [written[:-1] + ",]"]
    )


SHAPES: dict[str, Callable[[int], Grown]] = {
    shape.__name__: shape for shape in (max_length, max_items, enum, optional_keys, nesting, recursion, text)
}
