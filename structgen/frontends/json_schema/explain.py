"""Why nothing satisfies a schema: which keywords contradict each other, and where.

Only asked for when the answer is already known to be "nothing", so it may take its time: it gathers the
schemas that apply to the same value and looks for the smallest disagreement it can name, and follows a
required key or an obligatory item down to where that is.
"""

from __future__ import annotations

from typing import Any

from .document import Location
from .nodes import ANY, Formula
from .normalise import Normaliser

_OF_TYPE = {
    "number": ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "array": (
        "minItems", "maxItems", "items", "prefixItems", "additionalItems", "contains", "minContains",
        "maxContains", "uniqueItems", "unevaluatedItems",
    ),
    "object": (
        "required", "minProperties", "maxProperties", "properties", "patternProperties",
        "additionalProperties", "propertyNames", "dependentRequired", "dependentSchemas", "dependencies",
        "unevaluatedProperties",
    ),
}  # fmt: skip
_ANY_TYPE = ("enum", "const", "allOf", "anyOf", "oneOf", "not", "if")


def why_empty(normaliser: Normaliser, formula: Formula) -> tuple[str, str]:
    """(pointer, explanation) for a formula that has no value."""
    trail: list[str] = []
    seen: set[Formula] = set()
    while True:
        if formula in seen:
            trail.append(f"and so on without end: {_shown(formula.name)} asks for itself again")
            break
        seen.add(formula)
        below = _needed_below(normaliser, formula)
        if below is None:
            trail.append(_contradiction(normaliser, formula))
            break
        trail.append(below[0])
        formula = below[1]
    return formula.name if formula.kind == "schema" else "", "; ".join(trail)


def _shown(pointer: str) -> str:
    return pointer or "the root"


def _needed_below(normaliser: Normaliser, formula: Formula) -> tuple[str, Formula] | None:
    """What the one remaining alternative of a formula cannot do without, and cannot have."""
    node = normaliser.node(formula)
    if len(node.objects) + len(node.arrays) != 1:
        return None
    for one in node.objects:
        for key in sorted(one.required):
            if not one.props[key].productive and one.props[key].kind != "never":
                return f"{_shown(formula.name)} requires {key!r}", one.props[key]
        for key in sorted(one.required):
            if not one.props[key].productive:
                return f"{_shown(formula.name)} requires {key!r}, which it also forbids", one.props[key]
    for array in node.arrays:
        for i in range(min(array.min, len(array.prefix) + 1)):
            child = array.at(i)
            if not child.productive and child.kind != "never":
                return f"{_shown(formula.name)} asks for item {i} (minItems {array.min})", child
    return None


def _contradiction(normaliser: Normaliser, formula: Formula) -> str:
    if formula.kind == "never":
        return "the schema `false` allows nothing"
    places = _beside(normaliser, formula)
    allowed: set[str] | None = None
    for at in places:
        names = at.schema.get("type")
        if names is None:
            continue
        kinds = {names} if isinstance(names, str) else set(names)
        kinds = {"number" if kind == "integer" else kind for kind in kinds}
        narrowed = kinds if allowed is None else allowed & kinds
        if not narrowed:
            return "no type is left: " + " and ".join(
                _said(one, ("type",)) for one in places if "type" in one.schema
            )
        allowed = narrowed
    relevant = [
        keyword for kind in _OF_TYPE if allowed is None or kind in allowed for keyword in _OF_TYPE[kind]
    ]
    said = [text for at in places if (text := _said(at, ("type", *relevant, *_ANY_TYPE)))]
    if not said:
        return f"{_shown(formula.name)} refers to itself and to nothing else"
    return "these contradict each other: " + " and ".join(said)


def _said(at: Location, keywords: tuple[str, ...]) -> str:
    found = [f"`{keyword}`{_value(at.schema[keyword])}" for keyword in keywords if keyword in at.schema]
    return f"{', '.join(found)} at {_shown(at.pointer)}" if found else ""


def _value(value: Any) -> str:
    if isinstance(value, (dict, list, tuple)) and len(repr(value)) > 60:
        return ""
    return f" {value!r}"


def _beside(normaliser: Normaliser, formula: Formula) -> list[Location]:
    """The schemas that apply to the same value as this one, its own included."""
    found: list[Location] = []
    seen: set[Formula] = {ANY}
    stack = [formula]
    while stack:
        one = stack.pop()
        if one in seen:
            continue
        seen.add(one)
        if one.kind == "schema":
            found.append(one.parts[0])
            for group in reversed(normaliser.groups(one)):
                if len(group) == 1:
                    stack.append(group[0])
        elif one.kind == "and":
            stack.extend(reversed(one.parts))
    return found
