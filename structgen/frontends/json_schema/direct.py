"""Rules of plain objects and arrays, written straight from the schema.

Most rules of a schema are objects that name properties, and arrays of one kind of items. Where such a schema
is plain (`plain`), the algebra has nothing to find out: its rule has the expression that `lower` would
write, with a rule for each schema below. All else goes through formulas and nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...automata import ByteDFA
from ...ir import Enclosed, Expr, Member, Members, Pat, Ref, Rep, Rest, Seq
from ...regex import json_string_literal
from . import languages
from .document import MAX_POINTER, Location, escape
from .later import WHOLE_TYPES, at_sight
from .plain import SAY_NOTHING_MORE

if TYPE_CHECKING:
    from .lower import Lowering

OTHERS_TWICE = "keys that no property names are not kept from occurring twice"


class Direct:
    """Writes the rules of one grammar's plain schemas."""

    def __init__(self, lowering: Lowering) -> None:
        self._lowering = lowering
        self._refs: dict[int, Ref] = {}  # by `id` of a schema; documents outlive this

    def ref(self, at: Location) -> Ref | None:
        """The rule of a plain schema that need not be read to know what it begins with; else None."""
        found = self._refs.get(id(at.schema))
        if found is None:
            found = self._new_ref(at.schema, at.pointer, at)
        return found

    def _below(self, schema: Any, at: Location, *tokens: str) -> Ref:
        """The rule of a schema below a plain one."""
        lowering = self._lowering
        if schema is True or not schema:
            return lowering.shared("json")
        kind = schema.get("type")
        if kind.__class__ is str and schema.keys() <= SAY_NOTHING_MORE:
            return lowering.shared(WHOLE_TYPES[kind])
        found = self._refs.get(id(schema))
        if found is None:
            pointer = at.pointer
            for token in tokens:
                pointer += "/" + (escape(token) if "/" in token or "~" in token else token)
            if len(pointer) <= MAX_POINTER:
                found = self._new_ref(schema, pointer, at)
            if found is None:
                found = lowering.ref(lowering.normaliser.formula(schema, pointer, at.resource))
                self._refs[id(schema)] = found
        return found

    def _new_ref(self, schema: dict[str, Any], pointer: str, at: Location) -> Ref | None:
        seen = at_sight(schema) if "$ref" not in schema else None
        if seen is None:
            return None
        if seen.shared:
            found = self._lowering.shared(seen.shared)
        else:
            found = self._lowering.promised(Location(schema, pointer, at.resource), seen)
        self._refs[id(schema)] = found
        return found

    def write(self, at: Location) -> Expr | None:
        """The expression of a plain schema of objects or arrays; None for others."""
        kind = at.schema.get("type")
        if kind == "object":
            return self._object(at)
        if kind == "array":
            return self._array(at)
        return None

    def enclosed(self, at: Location) -> Enclosed | None:
        """The parts of a plain object's rule; None for one that names no keys, and for other schemas."""
        lowering, schema = self._lowering, at.schema
        if schema.get("type") != "object":
            return None
        properties, required = schema.get("properties") or {}, schema.get("required") or ()
        if not isinstance(required, list):
            required = ()
        others = schema.get("additionalProperties", True)
        rest: tuple[tuple[ByteDFA, str], ...] = ()
        keys, values = [], []
        for key, one in properties.items():
            keys.append(json_string_literal(key))
            values.append(self._below(one, at, "properties", key).rule)
        must = [i for i, key in enumerate(properties) if key in required] if required else []
        if others is not False:
            value = self._below(others, at, "additionalProperties").rule
            rest = ((languages.any_key(), value),)
            lowering.report.note(OTHERS_TWICE)
            if len(must) < len(required):
                for key in dict.fromkeys(required):
                    if key not in properties:
                        must.append(len(keys))
                        keys.append(json_string_literal(key))
                        values.append(value)
        lowering.gap()
        if not keys:
            return None
        around = lowering.text.around
        return Enclosed(around, tuple(keys), tuple(values), tuple(must), rest, not required, lowering.ordered)

    def _object(self, at: Location) -> Expr:
        parts, lowering = self.enclosed(at), self._lowering
        text, tail = lowering.text, lowering.tail
        if parts is not None:
            members = [
                Member(key, tail(Ref(value)), i in parts.required)
                for i, (key, value) in enumerate(zip(parts.keys, parts.values, strict=True))
            ]
            rest = [Rest(key, tail(Ref(value))) for key, value in parts.rest]
            inside: Expr = Members(tuple(members), text.comma, tuple(rest), 1, None, lowering.ordered)
            return text.bracketed(b"{", b"}", inside, parts.empty)
        others = at.schema.get("additionalProperties", True)
        if others is False:
            return text.bracketed(b"{", b"}", None, True)
        value = tail(self._below(others, at, "additionalProperties"))
        inside = Rep(Seq((Pat(languages.any_text(), "key"), value)), 1, None, text.comma)
        return text.bracketed(b"{", b"}", inside, True)

    def _array(self, at: Location) -> Expr:
        lowering, schema = self._lowering, at.schema
        text = lowering.text
        lowering.gap()
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if most == 0:
            return text.bracketed(b"[", b"]", None, True)
        items = Rep(self._below(schema.get("items", True), at, "items"), max(least, 1), most, text.comma)
        return text.bracketed(b"[", b"]", items, least == 0)
