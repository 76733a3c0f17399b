"""What a schema means: for each JSON type, the alternatives that its values may be.

A `Node` is a set of JSON values, cut by type, since nearly every keyword speaks of one type and leaves the
others alone: ``{"minLength": 3}`` is any number, any object, …, and the strings of three characters or more.
Numbers, strings, arrays and objects are each a union of *alternatives* (no alternative: no value of the
type); an alternative is a conjunction of constraints that closes under intersection. So ``allOf``, sibling
keywords and ``$ref`` with siblings are `intersect`, ``anyOf`` is `union`, and ``not``, ``oneOf``, ``if``
and the dependencies follow from `complement`.

What stands below a node (the schema of a property, of an item) is not a node but a `Formula`: a conjunction
of schemas by name, or the complement of one, interned, and expanded to its node when somebody asks. That is
what lets recursive schemas be intersected: the formulas over a finite set of schemas are finitely many.

The other shape considered was a disjunctive normal form over whole schemas. It repeats the strings of every
branch beside the objects of every other, and its complement is exponential at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from .languages import Language
from .scalars import ALL_NUMBERS, ALL_STRINGS, NumberSet, StringSet

NULL, FALSE, TRUE = 1, 2, 4


class Formula:
    """A set of JSON values by name; interned, so that equal formulas are one object.

    ``kind`` is "schema" (``parts[0]`` is a `Location`), "and" and "or" (formulas), "not" (one formula),
    "const" (a value), "any" or "never". ``name`` shows it in messages and names its rule. ``own``: it says
    something of its own, not what the schema at its location says.
    """

    __slots__ = ("index", "kind", "name", "node", "own", "parts", "productive")

    def __init__(self, kind: str, parts: tuple[Any, ...], name: str, index: int) -> None:
        self.kind = kind
        self.parts = parts
        self.name = name
        self.index = index
        self.node: Node | None = None
        self.productive = False
        self.own = False

    def __repr__(self) -> str:
        return f"Formula({self.kind} {self.name})"


ANY: Final = Formula("any", (), "anything", -1)
NEVER: Final = Formula("never", (), "nothing", -2)
ANY.productive = True


Origin = tuple[str, str]
"""A keyword and the JSON pointer of the schema that holds it, for messages."""


@dataclass(slots=True, frozen=True)
class Contains:
    """From place ``start`` on, ``low`` to ``high`` items are in ``formula``."""

    formula: Formula
    low: int
    high: int | None
    start: int
    origin: Origin


@dataclass(slots=True)
class Machine:
    """Arrays as an automaton over items; state 0 is where an array begins.

    edges : state -> (what the item is in, state after it)
    final : state -> the array may end here
    loops : state -> (formula, low, high): nothing but so many more items of this formula; no edges then
    """

    edges: list[list[tuple[Formula, int]]]
    final: list[bool]
    loops: dict[int, tuple[Formula, int, int | None]]


@dataclass(slots=True, eq=False)
class ArraySet:
    """Arrays: item ``i`` is in ``prefix[i]``, the later ones in ``rest``; ``min`` to ``max`` of them.

    ``contains`` counts items; ``unique`` says who asks that no two items are equal, ``repeats`` that some two
    are. Sets with any of these are spelled out (`spelled`) before they are looked at: as a ``machine``, as
    ``choice``, the values of which each item is another one, or as ``distinct``, which is left to the engine
    (`ir.Distinct`).
    """

    prefix: tuple[Formula, ...] = ()
    rest: Formula = ANY
    min: int = 0
    max: int | None = None
    contains: tuple[Contains, ...] = ()
    unique: Origin | None = None
    repeats: Origin | None = None
    machine: Machine | None = None
    choice: tuple[Any, ...] | None = None
    distinct: bool = False

    def at(self, i: int) -> Formula:
        """The formula of item ``i``."""
        return self.prefix[i] if i < len(self.prefix) else self.rest


@dataclass(slots=True, frozen=True)
class Some:
    """A member whose key is in ``lang`` (None: any key), not in ``names``, with a value in ``formula``."""

    lang: Language | None
    names: frozenset[str]
    formula: Formula
    origin: Origin


@dataclass(slots=True, eq=False)
class ObjectSet:
    """Objects: a named key has its formula; any other key belongs to exactly one class of ``rest``.

    ``rest`` is a partition of all keys into languages (None: all of them), each with the formula of its
    values; the named keys are taken out of every class. A required key is always named. ``min`` and ``max``
    count keys.

    Where a key of ``needs`` comes, so do the keys that stand there; all of them are named.

    ``some`` asks for members beyond that. A set with any is spelled out (`spelling`) as the union of its
    ``cases``, each of which has ``wanted`` instead: classes of ``rest`` that need one member at least
    whose value is in the formula.
    """

    props: dict[str, Formula]
    required: frozenset[str] = frozenset()
    rest: tuple[tuple[Language | None, Formula], ...] = ((None, ANY),)
    min: int = 0
    max: int | None = None
    some: tuple[Some, ...] = ()
    needs: dict[str, frozenset[str]] = field(default_factory=dict)
    cases: tuple[ObjectSet, ...] | None = None
    wanted: tuple[tuple[Language | None, Formula], ...] = ()

    def at(self, key: str) -> Formula:
        """The formula of the value under ``key``."""
        found = self.props.get(key)
        if found is not None:
            return found
        if len(self.rest) == 1 and self.rest[0][0] is None:
            return self.rest[0][1]
        return next((f for lang, f in self.rest if lang is None or lang.matches(key)), NEVER)

    def with_needed(self, keys: Iterable[str]) -> set[str]:
        """The keys, and those that come with them."""
        found = set(keys)
        todo = [key for key in found if key in self.needs]
        while todo:
            new = self.needs[todo.pop()] - found
            found |= new
            todo.extend(key for key in new if key in self.needs)
        return found


@dataclass(slots=True, eq=False)
class Node:
    """A set of JSON values by type. ``simple`` has the bits NULL, FALSE, TRUE.

    ``exact`` is False when a keyword was left out (``strict=False``): the set is then too large, and its
    complement would be too small.
    """

    simple: int = 0
    numbers: tuple[NumberSet, ...] = ()
    strings: tuple[StringSet, ...] = ()
    arrays: tuple[ArraySet, ...] = ()
    objects: tuple[ObjectSet, ...] = ()
    exact: bool = True

    @property
    def is_empty(self) -> bool:
        """No alternative is left, whatever its parts may be."""
        return not (self.simple or self.numbers or self.strings or self.arrays or self.objects)


ALL_ARRAYS: Final = ArraySet()
ALL_OBJECTS: Final = ObjectSet({})
ANY_NODE: Final = Node(NULL | FALSE | TRUE, (ALL_NUMBERS,), (ALL_STRINGS,), (ALL_ARRAYS,), (ALL_OBJECTS,))
NEVER_NODE: Final = Node()
ANY.node, NEVER.node = ANY_NODE, NEVER_NODE


def same(a: Node, b: Node | None) -> bool:
    """The nodes have the same alternatives."""
    return b is not None and (
        (a.simple, a.numbers, a.strings, a.arrays, a.objects)
        == (b.simple, b.numbers, b.strings, b.arrays, b.objects)
    )
