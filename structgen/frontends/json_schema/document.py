"""The documents a schema is made of: drafts, identifiers, and where a ``$ref`` points.

A subschema's place is its JSON pointer in its document; its `Resource` is the nearest enclosing schema with
an identifier of its own, against which references resolve. The index of identifiers and anchors is made on
the first reference that needs one: most schemas refer by JSON pointer alone.

The ``referencing`` library does all this too, over its own registry objects. It costs an import of 60 ms and
about 50 µs a look-up, which is more than a whole schema may take here; it is used for the standard's own
meta-schemas only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urljoin

from ...errors import SchemaError

_DRAFTS = (
    ("draft-03", 3),
    ("draft-04", 4),
    ("draft-06", 6),
    ("draft-07", 7),
    ("2019-09", 2019),
    ("2020-12", 2020),
)
LATEST = 2020
MAX_POINTER = 2000
"""Characters of a JSON pointer kept whole: with 10,000 levels, whole pointers would take a gigabyte."""
_NAMED = "properties patternProperties $defs definitions dependentSchemas dependencies"
_HOLD_NAMED = frozenset(_NAMED.split())
_LISTED = (
    "not if then else items contains additionalItems additionalProperties propertyNames unevaluatedItems "
    "unevaluatedProperties contentSchema allOf anyOf oneOf prefixItems"
)
_HOLD_SCHEMAS = _HOLD_NAMED | frozenset(_LISTED.split())
_VOCABULARY = (
    "type enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength "
    "pattern minItems maxItems uniqueItems minContains maxContains required minProperties maxProperties "
    "dependentRequired"
)
_VALIDATION = frozenset(_VOCABULARY.split())  # the vocabulary that a meta-schema may leave out


def kind_of(value: Any) -> str:
    """The JSON type of a value, for messages."""
    if value is None:
        return "null"
    names = ((bool, "a boolean"), ((int, float), "a number"), (str, "a string"), (Mapping, "an object"))
    return next((name for types, name in names if isinstance(value, types)), "an array")


def draft_of(schema: Any, default: int) -> int:
    """The draft that ``$schema`` names: 4, 6, 7, 2019 or 2020; ``default`` when it names none."""
    if isinstance(schema, dict):
        uri = schema.get("$schema")
        if isinstance(uri, str):
            return next((draft for name, draft in _DRAFTS if name in uri), default)
    return default


def escape(token: str) -> str:
    """One reference token of a JSON pointer, escaped."""
    return token.replace("~", "~0").replace("/", "~1")


@dataclass(slots=True, eq=False)
class Resource:
    """A schema with an identifier: the base against which the references below it resolve.

    ``draft`` is 0 when the document names none; ``entered``: the root's identifier is in ``uri``;
    ``left_out``: keywords that are not in force, because the meta-schema leaves out their vocabulary.

    Where references are dynamic, what a schema means depends on the way to it. Then a resource stands for
    itself as it was reached: ``scope`` has the resources that were entered on the way, outermost first, as
    far as they have dynamic anchors that none before them has; ``base`` is the resource apart from that.
    """

    root: Any
    uri: str
    pointer: str
    draft: int
    anchors: dict[str, tuple[Any, str]] | None = None
    dynamic: frozenset[str] | None = None
    entered: bool = False
    left_out: frozenset[str] = frozenset()
    scope: tuple[Resource, ...] = ()
    base: Resource | None = None


class DynamicReferenceError(Exception):
    """A dynamic reference was met, and scopes have not been kept."""


@dataclass(slots=True, eq=False)
class Location:
    """A subschema at its place."""

    schema: Any
    pointer: str
    resource: Resource


class Documents:
    """The root schema and the registry's documents."""

    def __init__(self, root: Any, registry: Mapping[str, Any] | None) -> None:
        self._entered: dict[tuple[int, str], Resource] = {}
        self._registry = registry or {}
        self._resources: dict[str, Resource] | None = None
        self.keep_scopes = False
        self._scoped: dict[tuple[int, ...], Resource] = {}
        draft, left_out = self._dialect(root, 0)
        resource = Resource(root, "", "", draft, left_out=left_out)
        self.root = self.enter(Location(root, "", resource))

    def _dialect(
        self, schema: Any, draft: int, left_out: frozenset[str] = frozenset()
    ) -> tuple[int, frozenset[str]]:
        """Draft, and keywords not in force, by what ``$schema`` names; as they were when it names nothing."""
        uri = schema.get("$schema") if isinstance(schema, dict) else None
        if not isinstance(uri, str):
            return draft, left_out
        meta = self._registry.get(uri, self._registry.get(uri.rstrip("#")))
        if not isinstance(meta, dict):
            return draft_of(schema, draft), frozenset()
        vocabularies = meta.get("$vocabulary")
        complete = not isinstance(vocabularies, dict) or any("/validation" in name for name in vocabularies)
        return draft_of(meta, draft), frozenset() if complete else _VALIDATION

    def enter(self, at: Location) -> Location:
        """The location with the resource that holds inside it: its own if it has an identifier."""
        schema, resource = at.schema, at.resource
        if not isinstance(schema, dict) or (schema is resource.root and resource.entered):
            return at
        name = schema.get("id") if resource.draft == 4 else schema.get("$id")
        if (
            not isinstance(name, str)
            or name.startswith("#")
            or ("$ref" in schema and 0 < resource.draft < 2019)
        ):
            return at
        uri = urljoin(resource.uri, name).partition("#")[0]
        key = (id(schema), resource.uri)
        if key not in self._entered:
            draft, left_out = self._dialect(schema, resource.draft, resource.left_out)
            self._entered[key] = Resource(schema, uri, at.pointer, draft, entered=True, left_out=left_out)
        return Location(schema, at.pointer, self._entered[key])

    def within(self, at: Location, outer: Resource | None) -> Location:
        """The location as it is reached from ``outer``; the same one where no scopes are kept."""
        if not self.keep_scopes:
            return at
        base = at.resource.base or at.resource
        scope = outer.scope if outer is not None else ()
        # The outermost of several with one anchor is the one that is meant: the others make no difference.
        if not self._dynamic_anchors(base) <= {name for one in scope for name in self._dynamic_anchors(one)}:
            scope = (*scope, base)
        key = (id(base), *map(id, scope))
        if key not in self._scoped:
            self._scoped[key] = replace(base, scope=scope, base=base)
        return Location(at.schema, at.pointer, self._scoped[key])

    def resolve_dynamic(self, reference: str, at: Location, keyword: str) -> Location:
        """The subschema that a ``$dynamicRef`` or ``$recursiveRef`` at ``at`` names, scopes being kept.

        What it names by itself may say that the outermost resource of the scope with such an anchor goes
        before.
        """
        if not self.keep_scopes:
            raise DynamicReferenceError
        found = self.resolve(reference, at, keyword)
        name = unquote(reference.partition("#")[2])
        by_itself = self._dynamic_anchor(found.resource, name, keyword)
        if by_itself is None or by_itself.schema is not found.schema:
            return found
        anchors = (self._dynamic_anchor(resource, name, keyword) for resource in at.resource.scope)
        return next((one for one in anchors if one is not None), found)

    def _dynamic_anchor(self, resource: Resource, name: str, keyword: str) -> Location | None:
        if keyword == "$recursiveRef":
            root = resource.root
            dynamic = isinstance(root, dict) and root.get("$recursiveAnchor") is True
            return Location(root, resource.pointer, resource) if dynamic else None
        schema, pointer = self._anchors(resource).get(name, (None, ""))
        dynamic = isinstance(schema, dict) and schema.get("$dynamicAnchor") == name
        return Location(schema, pointer, resource) if dynamic else None

    def _dynamic_anchors(self, resource: Resource) -> frozenset[str]:
        """The names of a resource's dynamic anchors; "" for that of ``$recursiveRef``, which has none."""
        if resource.dynamic is None:
            named = {
                name
                for name, (schema, _) in self._anchors(resource).items()
                if isinstance(schema, dict) and schema.get("$dynamicAnchor") == name
            }
            if self._dynamic_anchor(resource, "", "$recursiveRef") is not None:
                named.add("")
            resource.dynamic = frozenset(named)
        return resource.dynamic

    def resolve(self, reference: str, at: Location, keyword: str = "$ref") -> Location:
        """The subschema that ``reference``, written at ``at``, names."""
        resource = at.resource
        uri, _, fragment = reference.partition("#")
        if uri:
            target = self._resource(urljoin(resource.uri, uri))
            if target is None:
                raise SchemaError(
                    f"{keyword} {reference!r} names a document that is not here; pass it as "
                    f"registry={{{urljoin(resource.uri, uri)!r}: schema}} (the network is never touched)",
                    pointer=at.pointer,
                )
            resource = target
        if not fragment:
            return Location(resource.root, resource.pointer, resource)
        if fragment.startswith("/"):
            return self._walk(unquote(fragment), resource, reference, at)
        found = self._anchors(resource).get(unquote(fragment))
        if found is None:
            raise SchemaError(f"{keyword} {reference!r}: there is no anchor of that name", pointer=at.pointer)
        return Location(found[0], found[1], resource)

    def _walk(self, fragment: str, resource: Resource, reference: str, at: Location) -> Location:
        here = Location(resource.root, resource.pointer, resource)
        for token in fragment[1:].split("/"):
            step = token.replace("~1", "/").replace("~0", "~")
            value: Any = here.schema
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                known = f"; there are {_some(value)}" if isinstance(value, dict) and value else ""
                raise SchemaError(
                    f"$ref {reference!r} points to nothing: no {step!r} at {here.pointer or '/'}{known}",
                    pointer=at.pointer,
                )
            here = self.enter(Location(value, f"{here.pointer}/{token}", here.resource))
        if not isinstance(here.schema, (bool, dict)):
            what = kind_of(here.schema)
            raise SchemaError(f"$ref {reference!r} points to {what}, not to a schema", pointer=at.pointer)
        return here

    def _resource(self, uri: str) -> Resource | None:
        if self._resources is None:
            self._resources = {}
            self._index(self.root.resource)
            default = self.root.resource.draft
            for name, document in self._registry.items():
                draft, left_out = self._dialect(document, default)
                own = Resource(document, name.rstrip("#"), f"{name.rstrip('#')}#", draft, left_out=left_out)
                inside = self.enter(Location(document, own.pointer, own)).resource
                self._resources.setdefault(own.uri, inside)
                self._index(inside)
        uri = uri.rstrip("#")
        if uri not in self._resources:
            document = _meta_schema(uri)
            if document is not None:
                self._index(Resource(document, uri, f"{uri}#", draft_of(document, LATEST)))
        return self._resources.get(uri)

    def _index(self, resource: Resource) -> None:
        assert self._resources is not None
        self._resources.setdefault(resource.uri, resource)
        for at in self._subschemas(resource, across=True):
            self._resources.setdefault(at.resource.uri, at.resource)

    def _anchors(self, resource: Resource) -> dict[str, tuple[Any, str]]:
        resource = resource.base or resource
        if resource.anchors is None:
            resource.anchors = {}
            for at in self._subschemas(resource, across=False):
                for keyword in ("$anchor", "$dynamicAnchor", "$id", "id"):
                    name = at.schema.get(keyword)
                    if isinstance(name, str) and (
                        keyword in ("$anchor", "$dynamicAnchor") or name.startswith("#")
                    ):
                        resource.anchors.setdefault(name.removeprefix("#"), (at.schema, at.pointer))
        return resource.anchors

    def _subschemas(self, resource: Resource, *, across: bool) -> Iterator[Location]:
        """Every object below a resource's root, the root included; ``across`` enters other resources.

        What lies under keywords that the standard does not know comes last: it may be no schema at all, and a
        schema elsewhere goes before it where both have one name.
        """
        stack = [Location(resource.root, resource.pointer, resource)]
        unknown: list[Location] = []
        while stack or unknown:
            at = stack.pop() if stack else unknown.pop()
            if isinstance(at.schema, dict):
                inside = self.enter(at)
                if inside.resource is not resource and not across:
                    continue
                yield inside
                at = inside
            for keyword, token, value in reversed(list(_below(at.schema))):
                if isinstance(value, (dict, list)):
                    below = Location(value, f"{at.pointer}/{token}", at.resource)
                    (stack if keyword is None or keyword in _HOLD_SCHEMAS else unknown).append(below)


def _below(schema: dict[str, Any] | list[Any]) -> Iterator[tuple[str | None, str, Any]]:
    """What a schema holds: the keyword, the reference tokens and the value; of a list, no keyword."""
    if isinstance(schema, list):
        yield from ((None, str(i), value) for i, value in enumerate(schema))
        return
    for keyword, value in schema.items():
        if keyword in _HOLD_NAMED and isinstance(value, dict):
            for name, one in value.items():
                yield keyword, f"{keyword}/{escape(name)}", one
        elif keyword not in ("enum", "const"):
            yield keyword, escape(keyword), value


def _some(names: Mapping[str, Any]) -> str:
    shown = ", ".join(repr(name) for name in list(names)[:6])
    return shown + (", …" if len(names) > 6 else "")


def _meta_schema(uri: str) -> Any:
    """One of the standard's own meta-schemas, or None."""
    if "json-schema.org" not in uri:
        return None
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

    try:
        return REGISTRY.contents(uri)
    except LookupError:
        try:
            return REGISTRY.contents(f"{uri}#")
        except LookupError:
            return None
