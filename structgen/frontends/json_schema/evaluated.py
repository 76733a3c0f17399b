"""Which keys of an object the keywords of a schema evaluate: what ``unevaluatedProperties`` rests on.

A key is evaluated by ``properties``, ``patternProperties``, ``additionalProperties`` and
``unevaluatedProperties`` of a schema, and by those of the schemas that it applies to the same value, as far
as the value satisfies them. So it depends on the value: a branch of ``anyOf`` counts when it holds. Each such
choice makes *ways*: a way has conditions (formulas that the value satisfies) and the keys evaluated under
them. ``unevaluatedProperties: U`` then says: in one of the ways, the conditions hold and all keys but the
way's are in U.

Evaluating more can only help, and so ways need no exclusions: that a branch fails is never a condition, a way
without it stands beside the one with it, and a way is left out where another one asks for less and evaluates
as much. The exception is ``else``, which counts where ``if`` fails.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from .document import Location, escape
from .nodes import Formula

if TYPE_CHECKING:
    from .normalise import Normaliser


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys: these names and whatever matches one of the patterns, or all of them."""

    names: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    all: bool = False

    def and_those(self, other: Keys) -> Keys:
        """The keys of both together."""
        if self.all or other.all:
            return EVERY_KEY
        return Keys(self.names | other.names, self.patterns | other.patterns)

    def hold(self, other: Keys) -> bool:
        """All keys of ``other`` are among these, as far as one look tells."""
        return self.all or (not other.all and other.names <= self.names and other.patterns <= self.patterns)


NO_KEY = Keys()
EVERY_KEY = Keys(all=True)


@dataclass(frozen=True, slots=True)
class Way:
    """Where all of ``conditions`` hold, these keys are evaluated."""

    conditions: tuple[Formula, ...]
    keys: Keys


@dataclass(slots=True)
class _Option:
    """Where ``condition`` holds, what the schemas below evaluate counts."""

    condition: Formula
    below: tuple[Formula, ...]


@dataclass(slots=True)
class _Schema:
    """What a schema evaluates by itself, through schemas that always hold, and by choices among options."""

    keys: Keys
    always: list[Formula]
    choices: list[list[_Option]]

    def below(self) -> list[Formula]:
        """The schemas that apply to the same value."""
        return [*self.always, *(one for choice in self.choices for option in choice for one in option.below)]


def ways(n: Normaliser, at: Location) -> list[Way]:
    """The ways in which keys are evaluated by a schema, its own ``unevaluatedProperties`` apart.

    A schema that applies itself in place evaluates what can be shown without going round.
    """
    done: dict[Formula, list[Way]] = {}
    read: dict[Formula, _Schema] = {}
    root = _read(n, at, is_root=True)
    todo = root.below()
    while todo:
        formula = todo[-1]
        if formula in done:
            todo.pop()
        elif formula in read:
            done[formula] = _combined(n, read[formula], done)
            todo.pop()
        elif formula.kind != "schema":
            done[formula] = [Way((), NO_KEY)]
        else:
            schema = read[formula] = _read(n, formula.parts[0])
            todo.extend(one for one in schema.below() if one not in read)
    return _combined(n, root, done)


def _read(n: Normaliser, at: Location, is_root: bool = False) -> _Schema:
    def said(keyword: str, kind: type) -> Any:
        value = n.said(at, keyword)
        return value if isinstance(value, kind) else kind()

    keys = Keys(frozenset(said("properties", dict)), frozenset(said("patternProperties", dict)))
    if n.said(at, "additionalProperties") is not None:
        keys = EVERY_KEY
    if not is_root and n.said(at, "unevaluatedProperties") is not None:
        keys = EVERY_KEY
    found = _Schema(keys, [], [])
    if n.said(at, "$ref") is not None:
        target = n.target(at)
        found.always.append(n.formula(target.schema, target.pointer, target.resource))
    found.always += [n.below(at, one, "allOf", str(i)) for i, one in enumerate(said("allOf", list))]
    for i, one in enumerate(said("anyOf", list)):
        branch = n.below(at, one, "anyOf", str(i))
        found.choices.append([_Option(branch, (branch,))])
    branches = [n.below(at, one, "oneOf", str(i)) for i, one in enumerate(said("oneOf", list))]
    found.choices.append([_Option(branch, (branch,)) for branch in branches])
    condition = n.said(at, "if")
    if condition is not None:
        holds = n.below(at, condition, "if")
        then, other = (n.below(at, at.schema.get(word, True), word) for word in ("then", "else"))
        found.choices.append(
            [_Option(holds, (holds, then)), _Option(n.negation(holds, "if", at.pointer), (other,))]
        )
    for keyword in ("dependentSchemas", "dependencies"):
        for key, one in said(keyword, dict).items():
            if isinstance(one, (dict, bool)):
                pointer = f"{at.pointer}/{keyword}/{escape(key)}"
                present = n.made({"required": [key]}, pointer, at.resource)
                found.choices.append([_Option(present, (n.formula(one, pointer, at.resource),))])
    return found


def _combined(n: Normaliser, schema: _Schema, done: dict[Formula, list[Way]]) -> list[Way]:
    found = [Way((), schema.keys)]
    for formula in schema.always:
        found = _joined(n, [found, done.get(formula, [])])
    for choice in schema.choices:
        options = [Way((), NO_KEY)]
        for option in choice:
            below = [
                way for way in _joined(n, [done.get(one, []) for one in option.below]) if way.keys != NO_KEY
            ]
            if below:
                options += [Way((option.condition, *way.conditions), way.keys) for way in below]
        found = _joined(n, [found, options])
    return found


def _joined(n: Normaliser, several: Iterable[list[Way]]) -> list[Way]:
    """One way of each, together: those that no other way makes superfluous."""
    found: list[Way] = []
    for combination in product(*[some for some in several if some]):
        conditions: dict[Formula, None] = {}
        keys = NO_KEY
        for way in combination:
            conditions.update(dict.fromkeys(way.conditions))
            keys = keys.and_those(way.keys)
        n.spend(1 + len(found))
        asked = conditions.keys()
        if not any(one.keys.hold(keys) and asked >= set(one.conditions) for one in found):
            found = [one for one in found if not (keys.hold(one.keys) and asked <= set(one.conditions))]
            found.append(Way(tuple(conditions), keys))
    return found or [Way((), NO_KEY)]
