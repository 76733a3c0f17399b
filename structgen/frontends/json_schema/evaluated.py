"""Which keys or items a schema evaluates: what ``unevaluatedProperties`` and ``unevaluatedItems`` rest on.

A key is evaluated by ``properties``, ``patternProperties``, ``additionalProperties`` and
``unevaluatedProperties`` of a schema, and by those of the schemas that it applies to the same value, as far
as the value satisfies them. So it depends on the value: a branch of ``anyOf`` counts when it holds. Each such
choice makes *ways*: a way has conditions (formulas that the value satisfies) and the keys evaluated under
them. ``unevaluatedProperties: U`` then says: in one of the ways, the conditions hold and all keys but the
way's are in U. Items likewise: the first few, those that ``contains`` matches (since 2020-12), or all.

Evaluating more can only help, and so ways need no exclusions: that a branch fails is never a condition, a way
without it stands beside the one with it, and a way is left out where another one asks for less and evaluates
as much. The exception is ``else``, which counts where ``if`` fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from .document import Location, escape
from .nodes import Formula

if TYPE_CHECKING:
    from .normalise import Normaliser


class Found(Protocol):
    """What is evaluated: keys or items."""

    def and_those(self, other: Self) -> Self:
        """What either evaluates."""

    def hold(self, other: Self) -> bool:
        """Whatever ``other`` evaluates is evaluated here, as far as one look tells."""


F = TypeVar("F", bound=Found)


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys: these names and whatever matches one of the patterns, or all of them."""

    names: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    all: bool = False

    def and_those(self, other: Keys) -> Keys:
        """The keys of both together."""
        if self.all or other.all:
            return Keys(all=True)
        return Keys(self.names | other.names, self.patterns | other.patterns)

    def hold(self, other: Keys) -> bool:
        """All keys of ``other`` are among these, as far as one look tells."""
        return self.all or (not other.all and other.names <= self.names and other.patterns <= self.patterns)


@dataclass(frozen=True, slots=True)
class Items:
    """Items: the first ones, so many, and those in one of the formulas, or all of them."""

    first: int = 0
    matching: tuple[Formula, ...] = ()
    all: bool = False

    def and_those(self, other: Items) -> Items:
        """The items of both together."""
        if self.all or other.all:
            return Items(all=True)
        return Items(max(self.first, other.first), tuple(dict.fromkeys(self.matching + other.matching)))

    def hold(self, other: Items) -> bool:
        """All items of ``other`` are among these, as far as one look tells."""
        if self.all or other.all:
            return self.all
        return other.first <= self.first and set(other.matching) <= set(self.matching)


@dataclass(frozen=True, slots=True)
class Kind(Generic[F]):
    """What is asked for: ``of`` a schema by itself, ``keyword`` for the rest of it."""

    nothing: F
    all: F
    keyword: str
    of: Callable[[Normaliser, Location], F]


def _keys(n: Normaliser, at: Location) -> Keys:
    if n.said(at, "additionalProperties") is not None:
        return Keys(all=True)
    return Keys(
        frozenset(_said(n, at, "properties", dict)), frozenset(_said(n, at, "patternProperties", dict))
    )


def _items(n: Normaliser, at: Location) -> Items:
    draft = at.resource.draft
    listed = n.said(at, "items")
    if isinstance(listed, list) and draft != 2020:
        every, first = n.said(at, "additionalItems") is not None, len(listed)
    else:
        every, first = listed is not None, len(_said(n, at, "prefixItems", list))
    matching: tuple[Formula, ...] = ()
    if "contains" in at.schema and draft in (0, 2020):
        matching = (n.below(at, at.schema["contains"], "contains"),)
    return Items(all=True) if every else Items(first, matching)


KEYS = Kind(Keys(), Keys(all=True), "unevaluatedProperties", _keys)
ITEMS = Kind(Items(), Items(all=True), "unevaluatedItems", _items)


def _said(n: Normaliser, at: Location, keyword: str, kind: type) -> Any:
    value = n.said(at, keyword)
    return value if isinstance(value, kind) else kind()


@dataclass(frozen=True, slots=True)
class Way(Generic[F]):
    """Where all of ``conditions`` hold, this is evaluated."""

    conditions: tuple[Formula, ...]
    found: F


@dataclass(slots=True)
class _Option:
    """Where ``condition`` holds, what the schemas below evaluate counts."""

    condition: Formula
    below: tuple[Formula, ...]


@dataclass(slots=True)
class _Schema(Generic[F]):
    """What a schema evaluates by itself, through schemas that always hold, and by choices among options."""

    own: F
    always: list[Formula]
    choices: list[list[_Option]]

    def below(self) -> list[Formula]:
        """The schemas that apply to the same value."""
        return [*self.always, *(one for choice in self.choices for option in choice for one in option.below)]


def ways(n: Normaliser, at: Location, kind: Kind[F]) -> list[Way[F]]:
    """The ways in which keys or items are evaluated by a schema, its own ``unevaluated…`` apart.

    A schema that applies itself in place evaluates what can be shown without going round.
    """
    done: dict[Formula, list[Way[F]]] = {}
    read: dict[Formula, _Schema[F]] = {}
    root = _read(n, at, kind, kind.of(n, at))
    todo = root.below()
    while todo:
        formula = todo[-1]
        if formula in done:
            todo.pop()
        elif formula in read:
            done[formula] = _combined(n, read[formula], done, kind)
            todo.pop()
        elif formula.kind != "schema":
            done[formula] = [Way((), kind.nothing)]
        else:
            inside = formula.parts[0]
            rest_said = n.said(inside, kind.keyword) is not None
            schema = read[formula] = _read(n, inside, kind, kind.all if rest_said else kind.of(n, inside))
            todo.extend(one for one in schema.below() if one not in read)
    return _combined(n, root, done, kind)


def _read(n: Normaliser, at: Location, kind: Kind[F], own: F) -> _Schema[F]:
    found = _Schema(own, [], [])
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        if n.said(at, keyword) is not None:
            target = n.target(at, keyword)
            found.always.append(n.formula(target.schema, target.pointer, target.resource))
    found.always += [n.below(at, one, "allOf", str(i)) for i, one in enumerate(_said(n, at, "allOf", list))]
    for i, one in enumerate(_said(n, at, "anyOf", list)):
        branch = n.below(at, one, "anyOf", str(i))
        found.choices.append([_Option(branch, (branch,))])
    branches = [n.below(at, one, "oneOf", str(i)) for i, one in enumerate(_said(n, at, "oneOf", list))]
    found.choices.append([_Option(branch, (branch,)) for branch in branches])
    condition = n.said(at, "if")
    if condition is not None:
        holds = n.below(at, condition, "if")
        then, other = (n.below(at, at.schema.get(word, True), word) for word in ("then", "else"))
        found.choices.append(
            [_Option(holds, (holds, then)), _Option(n.negation(holds, "if", at.pointer), (other,))]
        )
    for keyword in ("dependentSchemas", "dependencies"):
        for key, one in _said(n, at, keyword, dict).items():
            if isinstance(one, (dict, bool)):
                pointer = f"{at.pointer}/{keyword}/{escape(key)}"
                # Of an array it says nothing, and so evaluates none of its items.
                present = n.made({"type": "object", "required": [key]}, pointer, at.resource)
                found.choices.append([_Option(present, (n.formula(one, pointer, at.resource),))])
    return found


def _combined(
    n: Normaliser, schema: _Schema[F], done: dict[Formula, list[Way[F]]], kind: Kind[F]
) -> list[Way[F]]:
    found = [Way((), schema.own)]
    for formula in schema.always:
        found = _joined(n, [found, done.get(formula, [])], kind)
    for choice in schema.choices:
        options = [Way((), kind.nothing)]
        for option in choice:
            below = _joined(n, [done.get(one, []) for one in option.below], kind)
            for way in below:
                if way.found != kind.nothing:
                    options.append(Way((option.condition, *way.conditions), way.found))
        found = _joined(n, [found, options], kind)
    return found


def _joined(n: Normaliser, several: Iterable[list[Way[F]]], kind: Kind[F]) -> list[Way[F]]:
    """One way of each, together: those that no other way makes superfluous."""
    found: list[Way[F]] = []
    for combination in product(*[some for some in several if some]):
        conditions: dict[Formula, None] = {}
        evaluated = kind.nothing
        for way in combination:
            conditions.update(dict.fromkeys(way.conditions))
            evaluated = evaluated.and_those(way.found)
        n.spend(1 + len(found))
        asked = conditions.keys()
        if not any(one.found.hold(evaluated) and asked >= set(one.conditions) for one in found):
            found = [one for one in found if not (evaluated.hold(one.found) and asked <= set(one.conditions))]
            found.append(Way(tuple(conditions), evaluated))
    return found or [Way((), kind.nothing)]
