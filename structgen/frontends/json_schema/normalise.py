"""Schemas to nodes: what each keyword means, and how schemas that stand beside each other combine.

`Normaliser.formula` names a subschema without reading it; `Normaliser.node` reads it. Reading a schema
needs the nodes of what applies *in place* to the same value (``$ref``, ``allOf``, ``anyOf``, …) and only
the names of what lies below (properties, items). The driver is a work list with a stack of its own: user
input may nest as deep as it likes.

Every applicator becomes *groups*: a group is a union of formulas, a schema the intersection of its own
constraints and its groups. ``allOf`` is a group for each branch, ``anyOf`` one group; ``not: S`` the group of
S's complement; ``if/then/else`` the group {if ∧ then, ¬if ∧ else}; a dependency {key absent, key present ∧
what it asks}. ``oneOf`` is taken for ``anyOf`` at first, with the promise that its branches exclude each
other. The promises are examined once everything is known (see `emptiness`); where one is broken, the whole
is normalised again with that ``oneOf`` spelled out as {Sᵢ ∧ ¬Sⱼ for all j ≠ i}.

A schema that applies itself in place (``{"$ref": "#"}``, or round about) has as its meaning the least one:
what can be shown to belong without going round. Inside ``not`` that has no meaning and is an error.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from ...errors import LimitExceededError, SchemaError, UnsupportedKeywordError
from ...limits import Limits, check_time
from ...weakly import weakly
from . import languages
from .algebra import Algebra
from .document import MAX_POINTER, Documents, Location, Resource, kind_of
from .keywords import KEYWORDS, handler_of, status_of
from .nodes import (
    ALL_ARRAYS,
    ALL_OBJECTS,
    ANY,
    ANY_NODE,
    NEVER,
    NEVER_NODE,
    ArraySet,
    Formula,
    Node,
    ObjectSet,
)
from .parts import ARRAY, EVERY_TYPE, INTEGER, NUMBER, OBJECT, STRING, Parts
from .plain import Plain
from .report import ANNOTATION, ENFORCED, UNENFORCED, Findings
from .scalars import (
    ALL_INTEGERS,
    ALL_NUMBERS,
    ALL_STRINGS,
    NumberSet,
    StringSet,
    both_numbers,
    number_set,
    string_set,
)
from .values import filtered, node_of_value, node_of_values

OneOf = tuple[int, str]
_HOLD_SCHEMAS = (
    "$ref $dynamicRef $recursiveRef allOf anyOf oneOf not if items prefixItems additionalItems contains "
    "unevaluatedItems properties patternProperties additionalProperties propertyNames dependentSchemas "
    "dependentRequired dependencies unevaluatedProperties required"
)
_OPEN = frozenset(_HOLD_SCHEMAS.split())


def _scalars(schema: dict[str, Any]) -> bool:
    """No listed value of the schema is an array or an object."""
    listed = schema.get("enum", ())
    values = [*listed, schema.get("const")] if isinstance(listed, (list, tuple)) else []
    return not any(isinstance(value, (dict, list, tuple)) for value in values)


@dataclass(slots=True, frozen=True)
class Promise:
    """The branches of a ``oneOf`` exclude each other within ``context``, save the pairs known not to."""

    key: OneOf
    context: Formula
    branches: tuple[Formula, ...]
    overlapping: frozenset[tuple[int, int]]


class Normaliser:
    """All schemas reachable from one root, as formulas and nodes.

    ``items_differ``: some array is left to the engine, which has to compare its items.
    ``overlaps`` has, for each ``oneOf`` known not to be a plain union, the pairs of branches that overlap.
    """

    def __init__(
        self,
        documents: Documents,
        *,
        strict: bool,
        formats: str,
        limits: Limits,
        overlaps: dict[OneOf, set[tuple[int, int]]] | None = None,
        plain: Plain | None = None,
        report: Findings | None = None,
    ) -> None:
        self.documents = documents
        self.report = Findings(status_of) if report is None else report
        self.plain = Plain(documents, limits) if plain is None else plain
        self.strict = strict
        self.assert_formats = formats == "assert"
        self.limits = limits
        self.overlaps = overlaps or {}
        self.promises: list[Promise] = []
        self.algebra = Algebra(weakly(self.spend), weakly(self.closed))
        self.items_differ = False
        self._is_closed: dict[Formula, bool] = {}
        self._spent = 0
        self._deep = 0
        self._by_schema: dict[tuple[int, int], Formula] = {}
        self._parts: dict[int, Parts] = {}
        self._made: list[Any] = []

    def spend(self, n: int) -> None:
        """Count formulas and alternatives that are made; raises LimitExceededError past the limit."""
        self._spent += n
        check_time("normalising the schema")
        if self._spent > self.limits.max_grammar_nodes:
            raise LimitExceededError(
                "max_grammar_nodes", self.limits.max_grammar_nodes, self._spent, "normalising the schema"
            )

    # Names of subschemas

    def formula(self, schema: Any, pointer: str, resource: Resource) -> Formula:
        """The formula of the subschema at this place."""
        if schema is True:
            return ANY
        if schema is False:
            return NEVER
        if not isinstance(schema, dict):
            raise SchemaError(f"a schema is an object or a boolean, not {kind_of(schema)}", pointer=pointer)
        if not schema:
            return ANY
        key = (id(schema), id(resource))
        found = self._by_schema.get(key)
        if found is None:
            if len(pointer) > MAX_POINTER:
                pointer = self._abbreviated(pointer)
            at = Location(schema, pointer, resource)
            if "$id" in schema or "id" in schema:
                at = self.documents.within(self.documents.enter(at), resource)
            found = self._alias(at) if "$ref" in schema else None
            if found is None:
                found = self.algebra.formula("schema", ("schema", *key), (at,), pointer)
                found.productive = self.plain.holds(at)
            self._by_schema[key] = found
        return found

    def _abbreviated(self, pointer: str) -> str:
        """A pointer with its middle left out, still of this place alone."""
        self._deep += 1
        return f"{pointer[: MAX_POINTER // 2]}…{self._deep}…{pointer[-MAX_POINTER // 4 :]}"

    def _alias(self, at: Location) -> Formula | None:
        """The formula of what a schema that is nothing but a ``$ref`` refers to."""
        seen: set[tuple[int, int]] = set()
        while "$ref" in at.schema:
            if len(at.schema) > 1:
                if not 0 < at.resource.draft < 2019:
                    return self.formula(at.schema, at.pointer, at.resource) if seen else None
                for keyword in at.schema:
                    if keyword != "$ref" and keyword not in ("definitions", "$defs"):
                        why = f"beside $ref, which stands alone in draft {at.resource.draft}"
                        self.report.add(at.pointer, keyword, ANNOTATION, why)
            if (id(at.schema), id(at.resource)) in seen:
                return NEVER
            seen.add((id(at.schema), id(at.resource)))
            self.report.add(at.pointer, "$ref", ENFORCED)
            at = self.target(at)
            if not isinstance(at.schema, dict):
                break
        return self.formula(at.schema, at.pointer, at.resource)

    def target(self, at: Location, keyword: str = "$ref") -> Location:
        """The subschema that the reference at a location refers to."""
        reference = at.schema[keyword]
        if not isinstance(reference, str):
            raise SchemaError(f"{keyword} is a string, not {kind_of(reference)}", pointer=at.pointer)
        documents = self.documents
        resolve = documents.resolve if keyword == "$ref" else documents.resolve_dynamic
        return documents.within(resolve(reference, at, keyword), at.resource)

    def below(self, at: Location, schema: Any, *tokens: str) -> Formula:
        """The formula of a subschema under a location."""
        return self.formula(schema, at.pointer + "/" + "/".join(tokens), at.resource)

    def made(self, schema: dict[str, Any], pointer: str, resource: Resource) -> Formula:
        """The formula of a schema made here, that no document holds."""
        self._made.append(schema)
        return self.formula(schema, pointer, resource)

    def gathered(self, parts: Parts, key: Hashable) -> Formula:
        """The formula of keywords that were gathered here, at a place where no schema has just these."""
        at = parts.at
        found = self.algebra.formula(
            "schema", ("gathered", id(at.schema), id(at.resource), key), (at,), at.pointer
        )
        self._parts[found.index] = parts
        found.own = True
        return found

    def said(self, at: Location, keyword: str) -> Any:
        """The value of a keyword of a schema; None where it has none, or its draft does not know it."""
        _, since, until = KEYWORDS[keyword]
        draft = at.resource.draft
        if draft and not since <= draft <= until:
            return None
        return at.schema.get(keyword)

    def negation(self, formula: Formula, keyword: str, pointer: str) -> Formula:
        """The complement of a formula, asked for by a keyword."""
        self.algebra.origin = (keyword, pointer)
        return self.algebra.negation(formula)

    def one_of(self, at: Location, branches: tuple[Formula, ...]) -> tuple[Formula, ...]:
        """The group of formulas that a ``oneOf`` stands for."""
        key = (id(at.schema), at.pointer)
        pairs = self.overlaps.get(key, set())
        # Without this keyword, what is not evaluated would be more.
        left_out = ("oneOf", "unevaluatedProperties", "unevaluatedItems")
        context = {keyword: value for keyword, value in at.schema.items() if keyword not in left_out}
        made = self.made(context, at.pointer, at.resource)
        self.promises.append(Promise(key, made, branches, frozenset(pairs)))
        others: list[list[int]] = [[] for _ in branches]
        for i, j in sorted(pairs):
            others[i].append(j)
            others[j].append(i)
        group = []
        for branch, excluded in zip(branches, others, strict=True):
            complements = (self.negation(branches[j], "oneOf", at.pointer) for j in excluded)
            group.append(self.algebra.both(branch, *complements))
        return tuple(group)

    def closed(self, formula: Formula) -> Node | None:
        """The node of a formula that has no subschemas, read at once; None for others."""
        if formula.kind in ("any", "never"):
            return formula.node
        known = self._is_closed.get(formula)
        if known is None:
            kind, first = formula.kind, formula.parts[0]
            if kind == "schema":
                known = _OPEN.isdisjoint(first.schema) and _scalars(first.schema)
            elif kind == "const":
                known = not isinstance(first, (dict, list, tuple))
            else:
                known = all(self.closed(part) is not None for part in formula.parts)
            self._is_closed[formula] = known
        return self.node(formula) if known else None

    # Nodes

    def node(self, wanted: Formula) -> Node:
        """The node of a formula, and of all that applies in place below it."""
        if wanted.node is not None:
            return wanted.node
        needed = self._in_place(wanted)
        if not needed:
            wanted.node = self._build(wanted)
            return wanted.node
        path: list[Formula] = [wanted]
        place = {wanted: 0}
        low = [0]
        # What each formula on the path needs and has not been looked at since something became stale.
        needs = [needed]
        provisional: list[tuple[int, Formula]] = []
        while path:
            formula = path[-1]
            depth = len(path) - 1
            missing = None
            while needs[depth] and missing is None:
                one = needs[depth].pop()
                if one.node is None:
                    if one in place:
                        low[depth] = min(low[depth], place[one])
                    else:
                        missing = one
            if missing is not None:
                place[missing] = len(path)
                low.append(len(path))
                path.append(missing)
                needs.append(self._in_place(missing))
                continue
            if formula.kind == "not" and low[depth] < depth:
                raise SchemaError("a schema refers to itself through `not`", pointer=formula.name)
            formula.node = self._build(formula)
            path.pop()
            needs.pop()
            reach = low.pop()
            del place[formula]
            if reach < depth:
                # It rests on a schema that is still open: good for that one alone, and read again for others.
                low[depth - 1] = min(low[depth - 1], reach)
                provisional.append((reach, formula))
            elif provisional:
                for _, stale in [one for one in provisional if one[0] >= depth]:
                    stale.node = None
                provisional = [one for one in provisional if one[0] < depth]
                needs = [self._in_place(one) for one in path]
        assert wanted.node is not None
        return wanted.node

    def groups(self, formula: Formula) -> list[tuple[Formula, ...]]:
        """The groups of a schema's formula that has been read."""
        return self._parts[formula.index].groups

    def _in_place(self, formula: Formula) -> list[Formula]:
        """What applies to the same value, the last one first."""
        kind = formula.kind
        if kind == "schema":
            parts = self._parts.get(formula.index)
            if parts is None:
                parts = self._parts[formula.index] = self._read(formula)
            if not parts.groups and parts.names is None:
                return []
            needed: list[Formula] = [one for group in parts.groups for one in group]
            if parts.names is not None:
                needed.append(parts.names)
            return needed[::-1]
        return list(formula.parts[::-1]) if kind in ("and", "or", "not") else []

    def _build(self, formula: Formula) -> Node:
        kind = formula.kind
        if kind == "schema":
            return self._put_together(self._parts[formula.index])
        if kind == "and":
            node = ANY_NODE
            for part in formula.parts:
                node = self.algebra.intersect(node, part.node or NEVER_NODE)
            return node
        if kind == "or":
            return self.algebra.union(part.node or NEVER_NODE for part in formula.parts)
        if kind == "not":
            return self._complement(formula)
        return node_of_value(self.algebra, formula.parts[0], formula.name)

    def _complement(self, formula: Formula) -> Node:
        inner = formula.parts[0].node or NEVER_NODE
        keyword, pointer = self.algebra.origins.get(formula.index, ("not", formula.parts[0].name))
        if not inner.exact:
            self.not_enforced(keyword, pointer, "what it excludes holds a keyword that is not enforced")
            return replace(ANY_NODE, exact=False)
        outer = self.algebra.origin
        self.algebra.origin = (keyword, pointer)
        try:
            return self.algebra.complement(inner)
        finally:
            self.algebra.origin = outer

    def not_enforced(self, keyword: str, pointer: str, why: str) -> None:
        """Refuse a keyword, or list it as not enforced when not strict."""
        if self.strict:
            raise UnsupportedKeywordError(
                f"`{keyword}` cannot be enforced: {why}; strict=False leaves it out and lists it",
                keyword=keyword,
                pointer=pointer,
            )
        self.report.add(pointer, keyword, UNENFORCED, why)

    def _read(self, formula: Formula) -> Parts:
        """Gather the keywords of a schema object."""
        at: Location = formula.parts[0]
        parts = Parts(at)
        self.report.read(at)
        for keyword, value in at.schema.items():
            handler, _ = handler_of(keyword, at.resource)
            if handler is not None:
                handler(self, parts, value)
        if parts.unique is not None and parts.values:
            # Listed values are asked, whatever their items are.
            values = filtered(self.documents.root.schema, at.schema, "uniqueItems", parts.values[0])
            parts.values[0], parts.unique = values, None
        return parts

    def _put_together(self, parts: Parts) -> Node:
        types = parts.types
        node = Node(
            types & 7,
            self._numbers(parts, types),
            self._strings(parts) if types & STRING else (),
            self._arrays(parts) if types & ARRAY else (),
            self._objects(parts) if types & OBJECT else (),
        )
        if types == EVERY_TYPE and node.exact:
            plain = ((ALL_NUMBERS,), (ALL_STRINGS,), (ALL_ARRAYS,), (ALL_OBJECTS,))
            if (node.numbers, node.strings, node.arrays, node.objects) == plain:
                node = ANY_NODE
        algebra = self.algebra
        for values in parts.values:
            node = algebra.intersect(node_of_values(algebra, values, parts.at.pointer), node)
        for group in parts.groups:
            nodes = [one.node for one in group if one.node is not None]
            node = algebra.intersect(node, nodes[0] if len(group) == 1 and nodes else algebra.union(nodes))
        return node

    def _numbers(self, parts: Parts, types: int) -> tuple[NumberSet, ...]:
        if not types & (NUMBER | INTEGER):
            return ()
        everything = ALL_NUMBERS if types & NUMBER else ALL_INTEGERS
        if not parts.bounds and not parts.multiples:
            return (everything,)
        found: NumberSet | None = everything
        for low, high, low_open, high_open in parts.bounds:
            bound = number_set(everything.integer, low, high, low_open, high_open, parts.multiples)
            found = None if bound is None or found is None else both_numbers(found, bound)
        if not parts.bounds:
            found = number_set(everything.integer, None, None, multiples=parts.multiples)
        return () if found is None else (found,)

    def _strings(self, parts: Parts) -> tuple[StringSet, ...]:
        if not parts.langs:
            if not parts.min_length and parts.max_length is None:
                return (ALL_STRINGS,)
            found = string_set(parts.min_length, parts.max_length, None)
        else:
            lang = None
            for one in parts.langs:
                lang = languages.both(lang, one)
            found = string_set(parts.min_length, parts.max_length, lang)
        return () if found is None else (found,)

    def _arrays(self, parts: Parts) -> tuple[ArraySet, ...]:
        low, high, contains, unique = parts.min_items, parts.max_items, parts.contains, parts.unique
        if high is not None and high <= 1:
            unique = None
        bounds = (parts.prefix, low, high, contains, unique)
        if parts.rest_items is ANY and bounds == ((), 0, None, (), None):
            return (ALL_ARRAYS,)
        for one in contains:
            low = max(low, one.low)
            if one.high is not None and one.low > one.high:
                return ()
        if high is not None and low > high:
            return ()
        return (ArraySet(parts.prefix, parts.rest_items, low, high, contains, unique),)

    def _objects(self, parts: Parts) -> tuple[ObjectSet, ...]:
        low, high, props = parts.min_properties, parts.max_properties, parts.props
        if (
            not (props or parts.required or parts.patterns or parts.needs or low)
            and parts.additional is ANY
            and parts.names is None
            and high is None
        ):
            return (ALL_OBJECTS,)
        rest: tuple[tuple[Any, Formula], ...] = ((None, parts.additional),)
        if parts.patterns:
            props = {
                key: self.algebra.both(
                    formula, *(other for lang, other in parts.patterns if languages.matches(lang, key))
                )
                for key, formula in props.items()
            }
            rest = tuple(
                (lang, self.algebra.both(*(parts.patterns[i][1] for i in held)) if held else parts.additional)
                for held, lang in languages.divided(tuple(lang for lang, _ in parts.patterns), self.limits)
            )
        found = ObjectSet(props, frozenset(parts.required), rest, low, high)
        found.needs = {key: frozenset(needed) for key, needed in parts.needs.items() if needed}
        named = [*parts.required, *(one for key, needed in parts.needs.items() for one in (key, *needed))]
        missing = [key for key in dict.fromkeys(named) if key not in props]
        if missing:
            found.props = {**props, **{key: found.at(key) for key in missing}}
        if parts.names is not None:
            allowed = self._named(parts.names.node or NEVER_NODE)
            return tuple(
                one for other in allowed if (one := self.algebra.both_objects(found, other)) is not None
            )
        if high is not None and max(low, len(found.required)) > high:
            return ()
        return (found,)

    def _named(self, names: Node) -> tuple[ObjectSet, ...]:
        """The objects all of whose keys are among the strings of a node."""
        if names.strings == (ALL_STRINGS,):
            return (ALL_OBJECTS,)
        if all(one.values is not None for one in names.strings):
            values = [value for one in names.strings for value in one.values or ()]
            return (ObjectSet(dict.fromkeys(values, ANY), rest=((None, NEVER),)),)
        lang = languages.any_of([languages.of_set(one) for one in names.strings])
        return (ObjectSet({}, rest=((lang, ANY), (languages.outside(lang), NEVER))),)
