"""Schemas that one look tells all about: they have a value, and reading them will find nothing wrong.

Most schemas say no more than ``type``, ``properties``, ``required``, ``items``, lists of plain values and
bounds that agree. Such a schema needs none of the algebra to be known for productive, and so it need not be
read before a text gets to it. A look asks of each keyword whether its value has the right form and leaves
something to write; whatever it does not know is for `Normaliser` to read at once, with all that lies below
in as far as that is not plain itself.

What lies below, through references as well, is part of the look: a schema is plain when all of that is. One
that cannot end (its required properties, or items, lead back to it) is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import SchemaError
from ...limits import Limits, check_time
from . import formats, languages
from .document import Documents, Location
from .keywords import KEYWORDS
from .parts import TYPES

_Below = list[tuple[Any, bool]]  # subschemas, and whether a value needs one of theirs
_Look = Callable[[dict[str, Any], Any, _Below], bool]


def _type(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    if isinstance(value, str):
        return value in TYPES
    return isinstance(value, list) and bool(value) and all(isinstance(x, str) and x in TYPES for x in value)


def _properties(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    if not isinstance(value, dict):
        return False
    required = schema.get("required") or ()
    if required and not isinstance(required, list):
        return required is True  # As in draft 3: nothing is required.
    below.extend([(one, key in required) for key, one in value.items()])
    return True


def _required(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    if isinstance(value, bool):
        return True
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return False
    named = schema.get("properties", ())
    if all(name in named for name in value):
        return True
    others = schema.get("additionalProperties", True)
    below.append((others, True))
    return True


def _subschema_or_none(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    if value is not False:
        below.append((value, False))
    return True


def _items(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    below.append((value, bool(schema.get("minItems"))))
    return True


def _enum(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    return isinstance(value, list) and _listed(schema, value)


def _const(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    return "enum" not in schema and _listed(schema, (value,))


_KINDS: dict[Any, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_SCALARS = (str, int, float, bool, type(None))


def _listed(schema: dict[str, Any], values: Any) -> bool:
    """Strings, numbers and words, some of which have the schema's type; it says nothing else of them."""
    kinds = _KINDS.get(schema["type"]) if isinstance(schema.get("type", ""), str) and "type" in schema else ()
    if "type" in schema and not kinds:
        return False
    if not _SAY_OF_SCALARS.isdisjoint(schema):
        return False
    found = not kinds
    for one in values:
        kind = type(one)
        if kind not in _SCALARS or (kind is str and not one.isascii()):
            return False
        if kind is not str and kind is not bool and one is not None and not -_MOST < one < _MOST:
            return False
        found = found or kind in (kinds or ())
    return found and bool(values)


_SAY_OF_SCALARS = frozenset(("minLength", "maxLength", "format", "pattern", "minimum", "maximum"))


def _any_of(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= _BRANCHES or not _is_alone("anyOf", schema):
        return False
    below.extend([(one, True) for one in value])
    return True


def _one_of(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    """Branches of different types exclude each other."""
    if not isinstance(value, list) or not value or not _is_alone("oneOf", schema):
        return False
    kinds = [one.get("type") if isinstance(one, dict) and "$ref" not in one else None for one in value]
    if not all(isinstance(kind, str) for kind in kinds) or len(set(kinds)) < len(kinds):
        return False
    below.extend([(one, True) for one in value])
    return not {"integer", "number"} <= set(kinds)


_BRANCHES = 64


def _is_alone(keyword: str, schema: dict[str, Any]) -> bool:
    """The schema says nothing beside this keyword."""
    return all(other == keyword or other not in KEYWORDS or KEYWORDS[other][0] is None for other in schema)


def _counts(least: str, most: str) -> _Look:
    def look(schema: dict[str, Any], value: Any, below: _Below) -> bool:
        low, high = schema.get(least, 0), schema.get(most, _MOST)
        return type(low) is int and type(high) is int and 0 <= low <= high

    return look


def _bounds(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    low, high = schema.get("minimum", -_MOST), schema.get("maximum", _MOST)
    if type(low) not in _NUMBERS or type(high) not in _NUMBERS:
        return False
    # Between bounds that are not whole there need not be an integer.
    return -_MOST <= low <= high - 1 < _MOST or (type(low) is type(high) is int and low <= high <= _MOST)


_NUMBERS = (int, float)
_MOST = 10**15


def _format(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    return isinstance(value, str) and (not formats.is_known(value) or _LENGTHS.isdisjoint(schema))


def _pattern(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    alone = _LENGTHS.isdisjoint(schema) and "format" not in schema
    return alone and isinstance(value, str) and languages.is_sure(value)


_LENGTHS = frozenset(("minLength", "maxLength"))


def _additional_items(schema: dict[str, Any], value: Any, below: _Below) -> bool:
    return not isinstance(schema.get("items"), list)  # Beside no list it means nothing.


_LOOKS: dict[str, _Look] = {
    "type": _type,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _subschema_or_none,
    "items": _items,
    "additionalItems": _additional_items,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "enum": _enum,
    "const": _const,
    "format": _format,
    "pattern": _pattern,
    "minLength": _counts("minLength", "maxLength"),
    "maxLength": _counts("minLength", "maxLength"),
    "minItems": _counts("minItems", "maxItems"),
    "maxItems": _counts("minItems", "maxItems"),
    "minimum": _bounds,
    "maximum": _bounds,
}


SAY_NOTHING_MORE = frozenset(name for name, entry in KEYWORDS.items() if entry[0] is None) - {"$id", "id"}
SAY_NOTHING_MORE |= {"type"}
"""Keywords of schemas that have nothing but a type, and annotations."""


class Plain:
    """Which schemas of the root's own resource are plain; each is looked at once, when it is asked for."""

    def __init__(self, documents: Documents, limits: Limits) -> None:
        self._documents = documents
        self._resource = documents.root.resource
        # Below the usual bound, an automaton that is small may be too large. In draft 3 `required` and others
        # are other keywords.
        small = limits.max_dfa_states < Limits.max_dfa_states
        self._none = small or self._resource.left_out or self._resource.draft == 3
        self._identifier = "id" if self._resource.draft == 4 else "$id"
        self.known: dict[int, bool] = {}  # by `id`; documents outlive this

    def holds(self, at: Location) -> bool:
        """The schema at a location is plain."""
        if at.resource is not self._resource or self._none:
            return False
        found = self.known.get(id(at.schema))
        return self._explore(at.schema) if found is None else found

    def _explore(self, root: dict[str, Any]) -> bool:
        known = self.known
        reached: dict[int, list[tuple[int, bool]]] = {}  # plain by their own keywords: what is below them
        others: list[int] = []
        again = False
        todo = [root]
        while todo:
            if not len(reached) & 255:
                check_time("looking at the schema")
            schema = todo.pop()
            me = id(schema)
            if me in reached or me in known:
                again = True
                continue
            below: _Below = []
            found = reached[me] = []
            if not self._look(schema, below):
                others.append(me)
                continue
            for one, needed in below:
                if isinstance(one, dict):
                    kind = one.get("type")
                    if kind.__class__ is str and kind in TYPES and one.keys() <= SAY_NOTHING_MORE:
                        known[id(one)] = True
                    elif one:
                        found.append((id(one), needed))
                        todo.append(one)
                elif one is not True:
                    others.append(me)
                    break
        if again:
            others += [me for me, below in reached.items() if any(known.get(k) is False for k, _ in below)]
            others += _endless(reached)
        known.update(dict.fromkeys(reached, True))
        if others:
            above: dict[int, list[int]] = {}
            for me, below in reached.items():
                for k, _ in below:
                    above.setdefault(k, []).append(me)
            while others:
                me = others.pop()
                if known[me]:
                    known[me] = False
                    others += above.get(me, ())
        return known[id(root)]

    def _look(self, schema: dict[str, Any], below: _Below) -> bool:
        """The schema's own keywords are plain; ``below`` gets the schemas that must be so, too."""
        draft = self._resource.draft
        identifier = None if schema is self._resource.root else self._identifier
        if "$ref" in schema:
            return self._follow(schema, below)
        for keyword, value in schema.items():
            look = _LOOKS.get(keyword)
            if look is None:
                entry = KEYWORDS.get(keyword)
                if entry is None or (entry[0] is None and keyword != identifier):
                    continue
                if not draft or entry[1] <= draft <= entry[2]:
                    return False
            elif keyword == "const" and draft == 4:
                continue
            elif not look(schema, value, below):
                return False
        return True

    def _follow(self, schema: dict[str, Any], below: _Below) -> bool:
        """The schema is a reference to one of the same resource, and says nothing else."""
        beside = len(schema) > 1 and not 0 < self._resource.draft < 2019
        if beside and (not _is_alone("$ref", schema) or self._identifier in schema):
            return False
        reference = schema["$ref"]
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return False
        try:
            target = self._documents.resolve(reference, Location(schema, "", self._resource))
        except SchemaError:
            return False  # Said when the reference is read.
        below.append((target.schema, True))
        return target.resource is self._resource


def _endless(reached: dict[int, list[tuple[int, bool]]]) -> list[int]:
    """Those of which each value needs one of their own again, or cannot be told not to."""
    waiting = dict.fromkeys(reached, 0)
    above: dict[int, list[int]] = {}
    for me, below in reached.items():
        for k, needed in below:
            if needed and k in reached:
                waiting[me] += 1
                above.setdefault(k, []).append(me)
    todo = [me for me, n in waiting.items() if not n]
    while todo:
        for other in above.get(todo.pop(), ()):
            waiting[other] -= 1
            if not waiting[other]:
                todo.append(other)
    return [me for me, n in waiting.items() if n]
