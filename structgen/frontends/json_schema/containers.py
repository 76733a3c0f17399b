"""What the keywords of arrays and objects say; see `keywords`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import evaluated
from .document import LATEST, escape
from .nodes import ANY, Contains
from .parts import Handler, Parts, count_of, language_of, mapping_of, names_of, schemas_of
from .report import ANNOTATION

if TYPE_CHECKING:
    from .normalise import Normaliser


# Arrays


def _items(n: Normaliser, parts: Parts, value: Any) -> None:
    if isinstance(value, (list, tuple)):
        parts.prefix = tuple(n.below(parts.at, one, "items", str(i)) for i, one in enumerate(value))
        if "additionalItems" in parts.at.schema:
            parts.rest_items = n.below(parts.at, parts.at.schema["additionalItems"], "additionalItems")
    else:
        parts.rest_items = n.below(parts.at, value, "items")


def _additional_items(n: Normaliser, parts: Parts, value: Any) -> None:
    if not isinstance(parts.at.schema.get("items"), (list, tuple)):
        n.report.add(parts.at.pointer, "additionalItems", ANNOTATION, "beside no list of items", replace=True)


def _prefix_items(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.prefix = schemas_of(n, parts, "prefixItems", value)


def _min_items(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.min_items = count_of(parts, "minItems", value)


def _max_items(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.max_items = count_of(parts, "maxItems", value)


def _unique_items(n: Normaliser, parts: Parts, value: Any) -> None:
    if not isinstance(value, bool):
        raise parts.wrong("uniqueItems", "a boolean", value)
    if value:
        parts.unique = ("uniqueItems", parts.at.pointer)


def _contains(n: Normaliser, parts: Parts, value: Any) -> None:
    schema, draft = parts.at.schema, parts.at.resource.draft
    low, high = 1, None
    if not draft or draft >= 2019:
        if "minContains" in schema:
            low = count_of(parts, "minContains", schema["minContains"])
        if "maxContains" in schema:
            high = count_of(parts, "maxContains", schema["maxContains"])
    formula = n.below(parts.at, value, "contains")
    if low or high is not None:
        parts.contains = (Contains(formula, low, high, 0, ("contains", parts.at.pointer)),)


def _contains_count(n: Normaliser, parts: Parts, value: Any) -> None:
    """``minContains`` and ``maxContains`` are read by ``contains``."""
    if "contains" not in parts.at.schema:
        for keyword in ("minContains", "maxContains"):
            if keyword in parts.at.schema:
                n.report.add(parts.at.pointer, keyword, ANNOTATION, "without `contains`", replace=True)


# Objects


def _properties(n: Normaliser, parts: Parts, value: Any) -> None:
    prefix, resource, formula = f"{parts.at.pointer}/properties/", parts.at.resource, n.formula
    parts.props = {
        key: formula(schema, prefix + (escape(key) if "/" in key or "~" in key else key), resource)
        for key, schema in mapping_of(parts, "properties", value).items()
    }


def _pattern_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    for pattern, schema in mapping_of(parts, "patternProperties", value).items():
        lang = language_of(n, parts, "patternProperties", pattern)
        parts.patterns.append((lang, n.below(parts.at, schema, "patternProperties", escape(pattern))))


def _additional_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.additional = n.below(parts.at, value, "additionalProperties")


def _required(n: Normaliser, parts: Parts, value: Any) -> None:
    if isinstance(value, bool):
        why = "a boolean, as in draft 3; since draft 4 it is a list of names"
        n.report.add(parts.at.pointer, "required", ANNOTATION, why, replace=True)
        return
    parts.required = names_of(parts, "required", value)


def _property_names(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.names = n.below(parts.at, value, "propertyNames")


def _min_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.min_properties = count_of(parts, "minProperties", value)


def _max_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.max_properties = count_of(parts, "maxProperties", value)


def _dependencies(keyword: str) -> Handler:
    def handler(n: Normaliser, parts: Parts, value: Any) -> None:
        for key, asked in mapping_of(parts, keyword, value).items():
            pointer = f"{parts.at.pointer}/{keyword}/{escape(key)}"
            if keyword == "dependencies" and isinstance(asked, str):
                asked = [asked]
            if isinstance(asked, (list, tuple)) and keyword != "dependentSchemas":
                parts.needs[key] = [*parts.needs.get(key, ()), *names_of(parts, keyword, asked)]
                continue
            if keyword == "dependentRequired":
                raise parts.wrong(keyword, "an object of lists of names", asked)
            present = n.made({"required": [key]}, pointer, parts.at.resource)
            wanted = n.algebra.both(present, n.formula(asked, pointer, parts.at.resource))
            absent = n.made({"properties": {key: False}}, pointer, parts.at.resource)
            parts.groups.append((absent, wanted))

    return handler


# What refers to what other keywords have evaluated

_APPLICATORS = frozenset(
    (
        "$ref",
        "$dynamicRef",
        "$recursiveRef",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "dependentSchemas",
        "dependencies",
    )
)


def _unevaluated_items(n: Normaliser, parts: Parts, value: Any) -> None:
    others = n.below(parts.at, value, "unevaluatedItems")
    if others is ANY or evaluated.ITEMS.of(n, parts.at).all:
        return
    if "contains" not in parts.at.schema and _APPLICATORS.isdisjoint(parts.at.schema):
        parts.rest_items = others
        return
    group = []
    for way in evaluated.ways(n, parts.at, evaluated.ITEMS):
        rest = Parts(parts.at, prefix=(ANY,) * way.found.first)
        rest.rest_items = ANY if way.found.all else n.algebra.either(others, *way.found.matching)
        group.append(n.algebra.both(*way.conditions, n.gathered(rest, way.found)))
    parts.groups.append(tuple(group))


def _unevaluated_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    others = n.below(parts.at, value, "unevaluatedProperties")
    if others is ANY or n.said(parts.at, "additionalProperties") is not None:
        return
    if _APPLICATORS.isdisjoint(parts.at.schema):
        parts.additional = others
        return
    group = []
    for way in evaluated.ways(n, parts.at, evaluated.KEYS):
        rest = Parts(parts.at, props=dict.fromkeys(sorted(way.found.names), ANY))
        rest.patterns = [
            (language_of(n, parts, "unevaluatedProperties", p), ANY) for p in sorted(way.found.patterns)
        ]
        rest.additional = ANY if way.found.all else others
        group.append(n.algebra.both(*way.conditions, n.gathered(rest, way.found)))
    parts.groups.append(tuple(group))


KEYWORDS: dict[str, tuple[Handler | None, int, int]] = {
    "items": (_items, 4, LATEST),
    "prefixItems": (_prefix_items, 2020, LATEST),
    "additionalItems": (_additional_items, 4, LATEST),
    "minItems": (_min_items, 4, LATEST),
    "maxItems": (_max_items, 4, LATEST),
    "uniqueItems": (_unique_items, 4, LATEST),
    "contains": (_contains, 6, LATEST),
    "minContains": (_contains_count, 2019, LATEST),
    "maxContains": (_contains_count, 2019, LATEST),
    "unevaluatedItems": (_unevaluated_items, 2019, LATEST),
    "properties": (_properties, 4, LATEST),
    "patternProperties": (_pattern_properties, 4, LATEST),
    "additionalProperties": (_additional_properties, 4, LATEST),
    "required": (_required, 4, LATEST),
    "propertyNames": (_property_names, 6, LATEST),
    "minProperties": (_min_properties, 4, LATEST),
    "maxProperties": (_max_properties, 4, LATEST),
    "dependentRequired": (_dependencies("dependentRequired"), 2019, LATEST),
    "dependentSchemas": (_dependencies("dependentSchemas"), 2019, LATEST),
    # Since 2019-09 for the sake of old schemas.
    "dependencies": (_dependencies("dependencies"), 4, LATEST),
    "unevaluatedProperties": (_unevaluated_properties, 2019, LATEST),
}
