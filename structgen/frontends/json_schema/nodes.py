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

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from . import languages
from .languages import Language
from .scalars import (
    ALL_INTEGERS,
    ALL_NUMBERS,
    ALL_STRINGS,
    CannotComplementError,
    NumberSet,
    StringSet,
    both_numbers,
    both_strings,
    least,
    outside_numbers,
    outside_strings,
)

NULL, FALSE, TRUE = 1, 2, 4


class Formula:
    """A set of JSON values by name; interned, so that equal formulas are one object.

    ``kind`` is "schema" (``parts[0]`` is a `Location`), "and" (formulas), "not" (one formula), "const" (a
    value), "any" or "never". ``name`` shows it in messages and names its rule.
    """

    __slots__ = ("index", "kind", "name", "node", "parts", "productive")

    def __init__(self, kind: str, parts: tuple[Any, ...], name: str, index: int) -> None:
        self.kind = kind
        self.parts = parts
        self.name = name
        self.index = index
        self.node: Node | None = None
        self.productive = False

    def __repr__(self) -> str:
        return f"Formula({self.kind} {self.name})"


ANY: Final = Formula("any", (), "anything", -1)
NEVER: Final = Formula("never", (), "nothing", -2)
ANY.productive = True


@dataclass(slots=True, eq=False)
class ArraySet:
    """Arrays: item ``i`` is in ``prefix[i]``, the later ones in ``rest``; ``min`` to ``max`` of them."""

    prefix: tuple[Formula, ...] = ()
    rest: Formula = ANY
    min: int = 0
    max: int | None = None

    def at(self, i: int) -> Formula:
        """The formula of item ``i``."""
        return self.prefix[i] if i < len(self.prefix) else self.rest


@dataclass(slots=True, eq=False)
class ObjectSet:
    """Objects: a named key has its formula; any other key belongs to exactly one class of ``rest``.

    ``rest`` is a partition of all keys into languages (None: all of them), each with the formula of its
    values; the named keys are taken out of every class. A required key is always named. ``min`` and ``max``
    count keys.
    """

    props: dict[str, Formula]
    required: frozenset[str] = frozenset()
    rest: tuple[tuple[Language | None, Formula], ...] = ((None, ANY),)
    min: int = 0
    max: int | None = None

    def at(self, key: str) -> Formula:
        """The formula of the value under ``key``."""
        found = self.props.get(key)
        if found is not None:
            return found
        if len(self.rest) == 1 and self.rest[0][0] is None:
            return self.rest[0][1]
        return next((f for lang, f in self.rest if lang is None or lang.matches(key)), NEVER)


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


class Algebra:
    """Union, intersection and complement of nodes; makes and interns formulas.

    ``spend`` is told how many formulas and alternatives are made, and may raise: products of unions multiply.
    ``closed`` gives the node of a formula that has no subschemas, None for others: what is known at sight to
    exclude each other (two ``const`` of a discriminator) is cut off before it multiplies.
    ``origin`` is the keyword, and its place, on whose behalf complements are made; ``origins`` has it for
    each.
    """

    def __init__(self, spend: Callable[[int], None], closed: Callable[[Formula], Node | None]) -> None:
        self._spend = spend
        self._closed = closed
        self._joined: dict[tuple[int, ...], Formula] = {}
        self.origin = ("not", "")
        self.origins: dict[int, tuple[str, str]] = {}
        self._formulas: dict[Any, Formula] = {}
        self.order: list[Formula] = []
        self._kept: list[Any] = []

    # Formulas

    def formula(self, kind: str, key: Any, parts: tuple[Any, ...], name: str) -> Formula:
        """The one formula of this key."""
        found = self._formulas.get(key)
        if found is None:
            self._spend(1)
            found = Formula(kind, parts, name, len(self.order))
            self._formulas[key] = found
            self.order.append(found)
        return found

    def both(self, *formulas: Formula) -> Formula:
        """The conjunction of formulas."""
        parts: dict[int, Formula] = {}
        for formula in formulas:
            if formula is NEVER:
                return NEVER
            for part in formula.parts if formula.kind == "and" else (formula,):
                if part is not ANY:
                    parts[part.index] = part
        if not parts:
            return ANY
        if len(parts) == 1:
            return next(iter(parts.values()))
        key = tuple(sorted(parts))
        found = self._joined.get(key)
        if found is None:
            found = self._joined[key] = self._join(key, tuple(parts[i] for i in key))
        return found

    def _join(self, key: tuple[int, ...], parts: tuple[Formula, ...]) -> Formula:
        node = ANY_NODE
        for part in parts:
            known = self._closed(part)
            if known is None:
                return self.formula("and", key, parts, " & ".join(part.name for part in parts[:4]))
            node = self.intersect(node, known)
        if node.is_empty:
            return NEVER
        for part in parts:
            if same(node, self._closed(part)):
                return part
        return self.formula("and", key, parts, " & ".join(part.name for part in parts[:4]))

    def negation(self, formula: Formula) -> Formula:
        """The complement of a formula."""
        if formula is ANY:
            return NEVER
        if formula is NEVER:
            return ANY
        if formula.kind == "not":
            negated: Formula = formula.parts[0]
            return negated
        found = self.formula("not", -1 - formula.index, (formula,), f"not({formula.name})")
        self.origins.setdefault(found.index, self.origin)
        return found

    def const(self, value: Any, name: str) -> Formula:
        """The set of this one value."""
        if isinstance(value, (dict, list)):
            key: Any = ("value", id(value))
            self._kept.append(value)
        else:
            key = ("const", type(value), value)
        return self.formula("const", key, (value,), name)

    # Nodes

    def union(self, nodes: Iterable[Node]) -> Node:
        """The values of any of the nodes."""
        simple, exact = 0, True
        parts: tuple[dict[Any, Any], ...] = ({}, {}, {}, {})
        for node in nodes:
            simple |= node.simple
            exact = exact and node.exact
            sets: Any = (node.numbers, node.strings, node.arrays, node.objects)
            for kept, found in zip(parts, sets, strict=True):
                for one in found:
                    kept[one] = None
        numbers, strings, arrays, objects = parts
        for kept, everything in zip(parts, (ALL_NUMBERS, ALL_STRINGS, ALL_ARRAYS, ALL_OBJECTS), strict=True):
            if everything in kept and len(kept) > 1:
                kept.clear()
                kept[everything] = None
        if ALL_INTEGERS in numbers and len(numbers) > 1:
            for one in [one for one in numbers if one.integer and one is not ALL_INTEGERS]:
                del numbers[one]
        self._spend(sum(map(len, parts)))
        return Node(simple, tuple(numbers), tuple(strings), tuple(arrays), tuple(objects), exact)

    def intersect(self, a: Node, b: Node) -> Node:
        """The values of both nodes."""
        if a is ANY_NODE:
            return b
        if b is ANY_NODE:
            return a
        return Node(
            a.simple & b.simple,
            self._products(a.numbers, b.numbers, ALL_NUMBERS, both_numbers),
            self._products(a.strings, b.strings, ALL_STRINGS, both_strings),
            self._products(a.arrays, b.arrays, ALL_ARRAYS, self.both_arrays),
            self._products(a.objects, b.objects, ALL_OBJECTS, self.both_objects),
            a.exact and b.exact,
        )

    def _products(self, some: Any, others: Any, everything: Any, both: Any) -> Any:
        if some == (everything,):
            return others
        if others == (everything,):
            return some
        self._spend(len(some) * len(others))
        found: dict[Any, None] = {}
        for one in some:
            products = [both(one, other) for other in others]
            # Where one alternative is left as it was, the others are parts of it.
            found.update(dict.fromkeys((one,) if one in products else products))
        found.pop(None, None)
        return tuple(found)

    def both_arrays(self, a: ArraySet, b: ArraySet) -> ArraySet | None:
        """The arrays of both sets, or None when their counts exclude each other."""
        low, high = max(a.min, b.min), least(a.max, b.max)
        if high is not None and low > high:
            return None
        length = max(len(a.prefix), len(b.prefix))
        self._spend(length)
        prefix = tuple(self.both(a.at(i), b.at(i)) for i in range(length))
        rest = self.both(a.rest, b.rest)
        if (prefix, rest, low, high) == (a.prefix, a.rest, a.min, a.max):
            return a
        return ArraySet(prefix, rest, low, high)

    def both_objects(self, a: ObjectSet, b: ObjectSet) -> ObjectSet | None:
        """The objects of both sets, or None when they exclude each other at sight."""
        low, high = max(a.min, b.min), least(a.max, b.max)
        required = a.required | b.required
        if high is not None and max(low, len(required)) > high:
            return None
        self._spend(len(a.props) + len(b.props))
        props = {key: self.both(formula, b.at(key)) for key, formula in a.props.items()}
        for key, formula in b.props.items():
            if key not in props:
                props[key] = self.both(a.at(key), formula)
        if any(props[key] is NEVER for key in required):
            return None
        rest = self.both_rests(a.rest, b.rest)
        if (props, required, rest, low, high) == (a.props, a.required, a.rest, a.min, a.max):
            return a
        return ObjectSet(props, required, rest, low, high)

    def both_rests(
        self, a: tuple[tuple[Language | None, Formula], ...], b: tuple[tuple[Language | None, Formula], ...]
    ) -> tuple[tuple[Language | None, Formula], ...]:
        """The common refinement of two partitions of the keys."""
        if [lang for lang, _ in a] == [lang for lang, _ in b]:
            return tuple(
                (lang, self.both(formula, also)) for (lang, formula), (_, also) in zip(a, b, strict=True)
            )
        classes: list[tuple[Language | None, Formula]] = []
        self._spend(len(a) * len(b))
        for one, formula in a:
            for other, also in b:
                lang = languages.both(one, other)
                if lang is None or not lang.is_empty:
                    classes.append((lang, self.both(formula, also)))
        return tuple(classes)

    def complement(self, node: Node) -> Node:
        """The values that are not in the node.

        Raises
        ------
        CannotComplementError : when the complement is not in the algebra.
        """
        numbers = self._outside(node.numbers, ALL_NUMBERS, outside_numbers, both_numbers)
        strings = self._outside(node.strings, ALL_STRINGS, outside_strings, both_strings)
        arrays = self._outside(node.arrays, ALL_ARRAYS, self.outside_arrays, self.both_arrays)
        objects = self._outside(node.objects, ALL_OBJECTS, self.outside_objects, self.both_objects)
        return Node(7 & ~node.simple, numbers, strings, arrays, objects)

    def _outside(self, sets: Any, everything: Any, outside: Any, both: Any) -> Any:
        left: Any = (everything,)
        for one in sets:
            if one is everything:
                return ()
            left = self._products(left, tuple(outside(one)), everything, both)
        return left

    def outside_arrays(self, a: ArraySet) -> list[ArraySet]:
        """Alternatives for the arrays that are not in ``a``."""
        found: list[ArraySet] = []
        if a.min:
            found.append(ArraySet(max=a.min - 1))
        if a.max is not None:
            found.append(ArraySet(min=a.max + 1))
        length = len(a.prefix)
        if a.rest is not ANY:
            if a.rest is NEVER and (a.max is None or a.max > length):
                found.append(ArraySet(min=length + 1))
            elif a.max is not None and a.max <= length + 64:
                length = max(length, a.max)
            elif a.rest is not NEVER:
                raise CannotComplementError("`items`: that some item breaks it")
        for i in range(length):
            if a.at(i) is not ANY:
                found.append(ArraySet((ANY,) * i + (self.negation(a.at(i)),), min=i + 1))
        return found

    def outside_objects(self, a: ObjectSet) -> list[ObjectSet]:
        """Alternatives for the objects that are not in ``a``."""
        found: list[ObjectSet] = []
        if a.min:
            found.append(ObjectSet({}, max=a.min - 1))
        if a.max is not None:
            found.append(ObjectSet({}, min=a.max + 1))
        for key in sorted(a.required):
            found.append(ObjectSet({key: NEVER}))
        for key, formula in a.props.items():
            if formula is not ANY:
                found.append(ObjectSet({key: self.negation(formula)}, frozenset((key,))))
        if any(formula is not ANY for _, formula in a.rest):
            raise CannotComplementError(
                "`additionalProperties` or a pattern of keys: that some key breaks it"
            )
        return found


def same(a: Node, b: Node | None) -> bool:
    """The nodes have the same alternatives."""
    return b is not None and (
        (a.simple, a.numbers, a.strings, a.arrays, a.objects)
        == (b.simple, b.numbers, b.strings, b.arrays, b.objects)
    )
