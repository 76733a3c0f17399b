"""What each keyword says, one function a keyword, gathered into `Parts`.

`KEYWORDS` is the table of all that the standard names: the function, and the first and the last draft that
know the keyword (a schema that names no ``$schema`` is read with every draft's keywords). None for a
function is an annotation. A keyword that is not in the table is unknown, which is an annotation too, as the
standard has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import GrammarError, SchemaError
from . import evaluated, formats, languages
from .document import LATEST, Location, escape, kind_of
from .nodes import ANY, FALSE, NULL, TRUE, Contains, Formula, Origin
from .report import ANNOTATION
from .scalars import Number
from .values import number_of

if TYPE_CHECKING:
    from .normalise import Normaliser

NUMBER, STRING, ARRAY, OBJECT, INTEGER = 8, 16, 32, 64, 128
EVERY_TYPE = NULL | FALSE | TRUE | NUMBER | STRING | ARRAY | OBJECT
_TYPES = {
    "null": NULL,
    "boolean": FALSE | TRUE,
    "number": NUMBER,
    "integer": INTEGER,
    "string": STRING,
    "array": ARRAY,
    "object": OBJECT,
}


@dataclass(slots=True)
class Parts:
    """The keywords of one schema object, gathered before they are put together.

    ``bounds`` holds (low, high, low is open, high is open); ``groups`` the unions of formulas that apply in
    place; ``values`` the lists of ``enum`` and ``const``; ``unsupported`` the keywords that nothing
    carries, with reasons.
    """

    at: Location
    types: int = EVERY_TYPE
    bounds: list[tuple[Number | None, Number | None, bool, bool]] = field(default_factory=list)
    multiples: tuple[Number, ...] = ()
    min_length: int = 0
    max_length: int | None = None
    langs: list[languages.Language] = field(default_factory=list)
    prefix: tuple[Formula, ...] = ()
    rest_items: Formula = ANY
    min_items: int = 0
    max_items: int | None = None
    contains: tuple[Contains, ...] = ()
    unique: Origin | None = None
    props: dict[str, Formula] = field(default_factory=dict)
    patterns: list[tuple[languages.Language, Formula]] = field(default_factory=list)
    additional: Formula = ANY
    required: list[str] = field(default_factory=list)
    names: Formula | None = None
    min_properties: int = 0
    max_properties: int | None = None
    values: list[list[Any]] = field(default_factory=list)
    groups: list[tuple[Formula, ...]] = field(default_factory=list)
    unsupported: list[tuple[str, str]] = field(default_factory=list)

    def admits(self, type_bit: int) -> bool:
        """``type`` admits values of the type, or says nothing."""
        names = self.at.schema.get("type")
        if names is None:
            return True
        return any(_TYPES.get(name, 0) & type_bit for name in ([names] if isinstance(names, str) else names))

    def wrong(self, keyword: str, wanted: str, value: Any) -> SchemaError:
        """The error for a keyword whose value has the wrong form."""
        return SchemaError(
            f"`{keyword}` is {wanted}, not {kind_of(value)}", pointer=f"{self.at.pointer}/{keyword}"
        )


Handler = Callable[["Normaliser", Parts, Any], None]


def _count(parts: Parts, keyword: str, value: Any) -> int:
    number = number_of(value)
    if not isinstance(number, int):
        raise parts.wrong(keyword, "a whole number", value)
    if number < 0:
        raise SchemaError(f"`{keyword}` is negative: {number}", pointer=f"{parts.at.pointer}/{keyword}")
    return number


def _mapping(parts: Parts, keyword: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise parts.wrong(keyword, "an object", value)
    return value


def _schemas(n: Normaliser, parts: Parts, keyword: str, value: Any) -> tuple[Formula, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise parts.wrong(keyword, "a list of schemas with one at least", value)
    return tuple(n.below(parts.at, one, keyword, str(i)) for i, one in enumerate(value))


def _names(parts: Parts, keyword: str, value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise parts.wrong(keyword, "a list of names", value)
    return list(dict.fromkeys(value))


# Any type


def _type(n: Normaliser, parts: Parts, value: Any) -> None:
    found = 0
    for name in (
        (value,) if isinstance(value, str) else value if isinstance(value, (list, tuple)) else (None,)
    ):
        if not isinstance(name, str) or name not in _TYPES:
            known = ", ".join(_TYPES)
            message = f"`type` is one or a list of {known}; it is {value!r}"
            raise SchemaError(message, pointer=f"{parts.at.pointer}/type")
        found |= _TYPES[name]
    parts.types = found & ~INTEGER if found & NUMBER else found


def _enum(n: Normaliser, parts: Parts, value: Any) -> None:
    if not isinstance(value, (list, tuple)):
        raise parts.wrong("enum", "a list of values", value)
    parts.values.append(list(value))


def _const(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.values.append([value])


def _ref(n: Normaliser, parts: Parts, value: Any) -> None:
    target = n.target(parts.at)
    parts.groups.append((n.formula(target.schema, target.pointer, target.resource),))


def _all_of(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.groups.extend((one,) for one in _schemas(n, parts, "allOf", value))


def _any_of(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.groups.append(_schemas(n, parts, "anyOf", value))


def _one_of(n: Normaliser, parts: Parts, value: Any) -> None:
    branches = _schemas(n, parts, "oneOf", value)
    if len(branches) > 1:
        branches = n.one_of(parts.at, branches)
    parts.groups.append(branches)


def _not(n: Normaliser, parts: Parts, value: Any) -> None:
    inner = n.below(parts.at, value, "not")
    parts.groups.append((n.negation(inner, "not", parts.at.pointer),))


def _if(n: Normaliser, parts: Parts, value: Any) -> None:
    schema = parts.at.schema
    if "then" not in schema and "else" not in schema:
        n.report.add(parts.at.pointer, "if", ANNOTATION, "without `then` and `else`", replace=True)
        return
    condition = n.below(parts.at, value, "if")
    otherwise = n.negation(condition, "if", parts.at.pointer)
    then = n.below(parts.at, schema.get("then", True), "then")
    other = n.below(parts.at, schema.get("else", True), "else")
    parts.groups.append((n.algebra.both(condition, then), n.algebra.both(otherwise, other)))


def _branch(n: Normaliser, parts: Parts, value: Any) -> None:
    """``then`` and ``else`` are read by ``if``."""
    if "if" not in parts.at.schema:
        for keyword in ("then", "else"):
            if keyword in parts.at.schema:
                n.report.add(parts.at.pointer, keyword, ANNOTATION, "without `if`", replace=True)


# Numbers


def _bound(keyword: str, upper: bool, exclusive: bool) -> Handler:
    plain = "maximum" if upper else "minimum"

    def handler(n: Normaliser, parts: Parts, value: Any) -> None:
        is_open = exclusive
        if exclusive and isinstance(value, bool):
            # Draft 4 writes a flag beside the bound.
            if not value or plain not in parts.at.schema:
                return
            value = parts.at.schema[plain]
        number = number_of(value)
        if number is None:
            raise parts.wrong(keyword, "a number", value)
        parts.bounds.append((None, number, False, is_open) if upper else (number, None, is_open, False))

    return handler


def _multiple_of(n: Normaliser, parts: Parts, value: Any) -> None:
    number = number_of(value)
    if number is None or number <= 0:
        raise parts.wrong("multipleOf", "a number above zero", value)
    parts.multiples = (*parts.multiples, number)


# Strings


def _min_length(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.min_length = _count(parts, "minLength", value)


def _max_length(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.max_length = _count(parts, "maxLength", value)


def _pattern(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.langs.append(_language(n, parts, "pattern", value))


def _language(n: Normaliser, parts: Parts, keyword: str, pattern: Any) -> languages.Language:
    if not isinstance(pattern, str):
        raise parts.wrong(keyword, "a regular expression", pattern)
    try:
        return languages.of_pattern(pattern, n.limits)
    except GrammarError as error:
        message = f"`{keyword}` is no regular expression that can be used: {error}"
        raise SchemaError(message, pointer=f"{parts.at.pointer}/{keyword}") from None


def _format(n: Normaliser, parts: Parts, value: Any) -> None:
    if not n.assert_formats:
        n.report.add(parts.at.pointer, "format", ANNOTATION, "formats='annotate'", replace=True)
        return
    lang = formats.language(value, n.limits) if isinstance(value, str) else None
    if lang is None:
        n.report.add(parts.at.pointer, "format", ANNOTATION, f"unknown format {value!r}", replace=True)
        return
    parts.langs.append(lang)
    if value in formats.UNCHECKED:
        n.report.note(f"format {value!r}: not checked is {formats.UNCHECKED[value]}")


def _content_encoding(n: Normaliser, parts: Parts, value: Any) -> None:
    pattern = formats.ENCODINGS.get(value) if isinstance(value, str) else None
    if not n.assert_formats:
        why = "formats='annotate'"
    elif parts.at.resource.draft >= 2019:
        why = "an annotation since draft 2019-09"
    elif pattern is None:
        why = f"unknown encoding {value!r}"
    else:
        parts.langs.append(languages.of_format(pattern, None, n.limits))
        return
    n.report.add(parts.at.pointer, "contentEncoding", ANNOTATION, why, replace=True)


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
    parts.prefix = _schemas(n, parts, "prefixItems", value)


def _min_items(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.min_items = _count(parts, "minItems", value)


def _max_items(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.max_items = _count(parts, "maxItems", value)


def _unique_items(n: Normaliser, parts: Parts, value: Any) -> None:
    if not isinstance(value, bool):
        raise parts.wrong("uniqueItems", "a boolean", value)
    if not value:
        return
    if "enum" in parts.at.schema or "const" in parts.at.schema:
        parts.unsupported.append(("uniqueItems", ""))  # The listed values are asked.
    parts.unique = ("uniqueItems", parts.at.pointer)


def _contains(n: Normaliser, parts: Parts, value: Any) -> None:
    schema, draft = parts.at.schema, parts.at.resource.draft
    low, high = 1, None
    if not draft or draft >= 2019:
        if "minContains" in schema:
            low = _count(parts, "minContains", schema["minContains"])
        if "maxContains" in schema:
            high = _count(parts, "maxContains", schema["maxContains"])
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
        for key, schema in _mapping(parts, "properties", value).items()
    }


def _pattern_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    for pattern, schema in _mapping(parts, "patternProperties", value).items():
        lang = _language(n, parts, "patternProperties", pattern)
        parts.patterns.append((lang, n.below(parts.at, schema, "patternProperties", escape(pattern))))


def _additional_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.additional = n.below(parts.at, value, "additionalProperties")


def _required(n: Normaliser, parts: Parts, value: Any) -> None:
    if isinstance(value, bool):
        why = "a boolean, as in draft 3; since draft 4 it is a list of names"
        n.report.add(parts.at.pointer, "required", ANNOTATION, why, replace=True)
        return
    parts.required = _names(parts, "required", value)


def _property_names(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.names = n.below(parts.at, value, "propertyNames")


def _min_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.min_properties = _count(parts, "minProperties", value)


def _max_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.max_properties = _count(parts, "maxProperties", value)


def _dependencies(keyword: str) -> Handler:
    def handler(n: Normaliser, parts: Parts, value: Any) -> None:
        for key, asked in _mapping(parts, keyword, value).items():
            pointer = f"{parts.at.pointer}/{keyword}/{escape(key)}"
            if keyword == "dependencies" and isinstance(asked, str):
                asked = [asked]
            if isinstance(asked, (list, tuple)) and keyword != "dependentSchemas":
                needed = _names(parts, keyword, asked)
                wanted = n.made({"required": list(dict.fromkeys([key, *needed]))}, pointer, parts.at.resource)
            elif keyword == "dependentRequired":
                raise parts.wrong(keyword, "an object of lists of names", asked)
            else:
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
    schema = parts.at.schema
    if "contains" in schema or not _APPLICATORS.isdisjoint(schema):
        _not_followed(parts, "unevaluatedItems", value, ARRAY)
    elif "additionalItems" not in schema if isinstance(schema.get("items"), list) else "items" not in schema:
        parts.rest_items = n.below(parts.at, value, "unevaluatedItems")


def _unevaluated_properties(n: Normaliser, parts: Parts, value: Any) -> None:
    if "$dynamicRef" in parts.at.schema or "$recursiveRef" in parts.at.schema:
        _not_followed(parts, "unevaluatedProperties", value, OBJECT)
        return
    others = n.below(parts.at, value, "unevaluatedProperties")
    if others is ANY or n.said(parts.at, "additionalProperties") is not None:
        return
    if _APPLICATORS.isdisjoint(parts.at.schema):
        parts.additional = others
        return
    group = []
    for way in evaluated.ways(n, parts.at):
        rest = Parts(parts.at, props=dict.fromkeys(sorted(way.keys.names), ANY))
        rest.patterns = [
            (_language(n, parts, "unevaluatedProperties", p), ANY) for p in sorted(way.keys.patterns)
        ]
        rest.additional = ANY if way.keys.all else others
        group.append(n.algebra.both(*way.conditions, n.gathered(rest, way.keys)))
    parts.groups.append(tuple(group))


def _not_followed(parts: Parts, keyword: str, value: Any, type_bit: int) -> None:
    if value is not True and parts.admits(type_bit):
        parts.unsupported.append((keyword, "what applicators beside it evaluate is not followed"))


def _refused(keyword: str, why: str) -> Handler:
    def handler(n: Normaliser, parts: Parts, value: Any) -> None:
        parts.unsupported.append((keyword, why))

    return handler


_DYNAMIC = "references that depend on how a schema was reached are not followed"
_ANNOTATIONS = (
    "$schema $id id $anchor $dynamicAnchor $recursiveAnchor $comment $vocabulary $defs definitions "
    "title description default examples deprecated readOnly writeOnly contentMediaType contentSchema"
)
KEYWORDS: dict[str, tuple[Handler | None, int, int]] = {
    **dict.fromkeys(_ANNOTATIONS.split(), (None, 4, LATEST)),
    "type": (_type, 4, LATEST),
    "enum": (_enum, 4, LATEST),
    "const": (_const, 6, LATEST),
    "$ref": (_ref, 4, LATEST),
    "$dynamicRef": (_refused("$dynamicRef", _DYNAMIC), 2020, LATEST),
    "$recursiveRef": (_refused("$recursiveRef", _DYNAMIC), 2019, 2019),
    "allOf": (_all_of, 4, LATEST),
    "anyOf": (_any_of, 4, LATEST),
    "oneOf": (_one_of, 4, LATEST),
    "not": (_not, 4, LATEST),
    "if": (_if, 7, LATEST),
    "then": (_branch, 7, LATEST),
    "else": (_branch, 7, LATEST),
    "minimum": (_bound("minimum", False, False), 4, LATEST),
    "maximum": (_bound("maximum", True, False), 4, LATEST),
    "exclusiveMinimum": (_bound("exclusiveMinimum", False, True), 4, LATEST),
    "exclusiveMaximum": (_bound("exclusiveMaximum", True, True), 4, LATEST),
    "multipleOf": (_multiple_of, 4, LATEST),
    "minLength": (_min_length, 4, LATEST),
    "maxLength": (_max_length, 4, LATEST),
    "pattern": (_pattern, 4, LATEST),
    "format": (_format, 4, LATEST),
    "contentEncoding": (_content_encoding, 7, LATEST),
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
    "dependencies": (_dependencies("dependencies"), 4, LATEST),  # Since 2019-09 for old schemas' sake.
    "unevaluatedProperties": (_unevaluated_properties, 2019, LATEST),
}
