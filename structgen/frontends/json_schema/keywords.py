"""What each keyword says, one function a keyword, gathered into `Parts`; `containers` has arrays and objects.

`KEYWORDS` is the table of all that the standard names: the function, and the first and the last draft that
know the keyword (a schema that names no ``$schema`` is read with every draft's keywords). None for a
function is an annotation. A keyword that is not in the table is unknown, which is an annotation too, as the
standard has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import SchemaError
from . import containers, formats, languages
from .document import LATEST
from .parts import INTEGER, NUMBER, TYPES, Handler, Parts, count_of, language_of, schemas_of
from .report import ANNOTATION, ENFORCED
from .size import check_listed
from .values import number_of

if TYPE_CHECKING:
    from .document import Resource
    from .normalise import Normaliser


# Any type


def _type(n: Normaliser, parts: Parts, value: Any) -> None:
    found = 0
    for name in (
        (value,) if isinstance(value, str) else value if isinstance(value, (list, tuple)) else (None,)
    ):
        if not isinstance(name, str) or name not in TYPES:
            known = ", ".join(TYPES)
            message = f"`type` is one or a list of {known}; it is {value!r}"
            raise SchemaError(message, pointer=f"{parts.at.pointer}/type")
        found |= TYPES[name]
    parts.types = found & ~INTEGER if found & NUMBER else found


def _enum(n: Normaliser, parts: Parts, value: Any) -> None:
    if not isinstance(value, (list, tuple)):
        raise parts.wrong("enum", "a list of values", value)
    check_listed(value, n.limits)
    parts.values.append(list(value))


def _const(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.values.append([value])


def _reference(keyword: str) -> Handler:
    def handler(n: Normaliser, parts: Parts, value: Any) -> None:
        target = n.target(parts.at, keyword)
        parts.groups.append((n.formula(target.schema, target.pointer, target.resource),))

    return handler


def _all_of(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.groups.extend((one,) for one in schemas_of(n, parts, "allOf", value))


def _any_of(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.groups.append(schemas_of(n, parts, "anyOf", value))


def _one_of(n: Normaliser, parts: Parts, value: Any) -> None:
    branches = schemas_of(n, parts, "oneOf", value)
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
    parts.min_length = count_of(parts, "minLength", value)


def _max_length(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.max_length = count_of(parts, "maxLength", value)


def _pattern(n: Normaliser, parts: Parts, value: Any) -> None:
    parts.langs.append(language_of(n, parts, "pattern", value))


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


_ANNOTATIONS = (
    "$schema $id id $anchor $dynamicAnchor $recursiveAnchor $comment $vocabulary $defs definitions "
    "title description default examples deprecated readOnly writeOnly contentMediaType contentSchema"
)
KEYWORDS: dict[str, tuple[Handler | None, int, int]] = {
    **dict.fromkeys(_ANNOTATIONS.split(), (None, 4, LATEST)),
    "type": (_type, 4, LATEST),
    "enum": (_enum, 4, LATEST),
    "const": (_const, 6, LATEST),
    "$ref": (_reference("$ref"), 4, LATEST),
    "$dynamicRef": (_reference("$dynamicRef"), 2020, LATEST),
    "$recursiveRef": (_reference("$recursiveRef"), 2019, 2019),
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
    **containers.KEYWORDS,
}


def handler_of(keyword: str, resource: Resource) -> tuple[Handler | None, str]:
    """What reads a keyword in a resource; None for an annotation, with the reason where there is one."""
    entry = KEYWORDS.get(keyword)
    if entry is None:
        return None, "unknown keyword"
    handler, since, until = entry
    if handler is None:
        return None, ""
    if resource.draft and not since <= resource.draft <= until:
        return None, f"no keyword of draft {resource.draft}"
    if keyword in resource.left_out:
        return None, "the meta-schema leaves out the vocabulary of validation"
    return handler, ""


def status_of(keyword: str, resource: Resource) -> tuple[str, str]:
    """What becomes of a keyword, its value aside: for the report."""
    handler, why = handler_of(keyword, resource)
    return (ANNOTATION if handler is None else ENFORCED), why
