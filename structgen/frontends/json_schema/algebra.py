"""Union, intersection and complement of nodes.

Complements of what holds for all items or all keys speak of some item (`Contains`) or some key (`Some`), and
that of items which differ of two that are equal (``repeats``), so these three close the algebra.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from . import languages
from .inclusion import widest
from .languages import Language
from .nodes import (
    ALL_ARRAYS,
    ALL_OBJECTS,
    ANY,
    ANY_NODE,
    NEVER,
    ArraySet,
    Contains,
    Formula,
    Node,
    ObjectSet,
    Origin,
    Some,
    same,
)
from .scalars import (
    ALL_INTEGERS,
    ALL_NUMBERS,
    ALL_STRINGS,
    both_numbers,
    both_strings,
    least,
    outside_numbers,
    outside_strings,
)
from .wording import Wording

MANY = range(8, 257)
"""So many alternatives are worth looking for those that are parts of others, each beside each."""
_NONE: frozenset[str] = frozenset()


class Algebra:
    """Union, intersection and complement of nodes; makes and interns formulas.

    ``spend`` is told how many formulas and alternatives are made, and may raise: products of unions multiply.
    ``closed`` gives the node of a formula that has no subschemas, None for others: what is known at sight to
    exclude each other (two ``const`` of a discriminator) is cut off before it multiplies.
    ``origin`` is the keyword, and its place, on whose behalf complements are made; ``origins`` has it for
    each. ``negates``: some formula is the complement of another.
    """

    def __init__(self, spend: Callable[[int], None], closed: Callable[[Formula], Node | None]) -> None:
        self._spend = spend
        self.negates = False
        self._closed = closed
        self._joined: dict[tuple[int, ...], Formula] = {}
        self.origin: Origin = ("not", "")
        self.origins: dict[int, Origin] = {}
        self._formulas: dict[Any, Formula] = {}
        self.order: list[Formula] = []
        self._kept: list[Any] = []
        self._wording = Wording()
        self._twins: dict[int, Formula] = {}
        self._by_words: dict[Hashable, Formula] = {}

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
        if len(formulas) == 2:
            a, b = formulas
            if a is ANY or a is b:
                return b
            if b is ANY:
                return a
        parts: dict[int, Formula] = {}
        for formula in formulas:
            if formula is NEVER:
                return NEVER
            for part in formula.parts if formula.kind == "and" else (formula,):
                if part is not ANY:
                    parts[part.index] = part
        if len(parts) > 1 and any(part.kind == "not" for part in parts.values()):
            said = {self._twin(part).index for part in parts.values()}
            for part in tuple(parts.values()):
                if part.kind == "not" and not self._is_left(part, parts, said):
                    return NEVER
        if not parts:
            return ANY
        if len(parts) == 1:
            return next(iter(parts.values()))
        key = tuple(sorted(parts))
        found = self._joined.get(key)
        if found is None:
            found = self._joined[key] = self._join(key, tuple(parts[i] for i in key))
        return found

    def _twin(self, formula: Formula) -> Formula:
        """The first of the schemas, or of their complements, that say the same in the same words."""
        if formula.kind not in ("schema", "not"):
            return formula
        found = self._twins.get(formula.index)
        if found is None:
            key: Hashable = formula.index
            if formula.kind == "not":
                key = _opposite(self._twin(formula.parts[0]))
            elif not formula.own:
                at = formula.parts[0]
                key = self._wording.number(at.schema), id(at.resource)
            found = self._twins[formula.index] = self._by_words.setdefault(key, formula)
        return found

    def _is_left(self, part: Formula, parts: dict[int, Formula], said: set[int]) -> bool:
        """Put in the place of a complement what it says beside the other parts; False: these exclude it.

        A and not A are nothing, not A and not (A and B) are not A, A and not (A and B) are A and not B.

        said : the twins of the parts
        """
        inner: Formula = part.parts[0]
        if self._twin(inner).index in said:
            return False
        if inner.kind != "and":
            return True
        left = [one for one in inner.parts if self._twin(one).index not in said]
        opposites = (
            one.parts[0] if one.kind == "not" else self._by_words.get(_opposite(self._twin(one)))
            for one in left
        )
        if any(one is not None and self._twin(one).index in said for one in opposites):
            del parts[part.index]
        elif len(left) < len(inner.parts):
            del parts[part.index]
            outer, self.origin = self.origin, self.origins.get(part.index, self.origin)
            rest = self.negation(self.both(*left))
            self.origin = outer
            parts.update((one.index, one) for one in (rest.parts if rest.kind == "and" else (rest,)))
            parts.pop(ANY.index, None)
            return rest is not NEVER
        return True

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

    def either(self, *formulas: Formula) -> Formula:
        """The union of formulas."""
        parts = {one.index: one for one in formulas if one is not NEVER}
        if ANY.index in parts:
            return ANY
        if len(parts) < 2:
            return next(iter(parts.values()), NEVER)
        key = tuple(sorted(parts))
        return self.formula("or", ("or", key), tuple(parts[i] for i in key), "either")

    def negation(self, formula: Formula) -> Formula:
        """The complement of a formula."""
        if formula is ANY:
            return NEVER
        if formula is NEVER:
            return ANY
        if formula.kind == "not":
            negated: Formula = formula.parts[0]
            return negated
        self.negates = True
        found = self.formula("not", _opposite(formula), (formula,), f"not({formula.name})")
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
            for one in [one for one in numbers if one.integer and one != ALL_INTEGERS]:
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
        found: dict[Any, Any] = {}
        for one in some:
            products = [both(one, other) for other in others]
            # Where one alternative is left as it was, the others are parts of it.
            for made in (one,) if one in products else products:
                if made is not None:
                    found.setdefault(_said_by(made), made)
        kept = tuple(found.values())
        return widest(kept) if len(kept) in MANY else kept

    def both_arrays(self, a: ArraySet, b: ArraySet) -> ArraySet | None:
        """The arrays of both sets, or None when their counts exclude each other."""
        low, high = max(a.min, b.min), least(a.max, b.max)
        if high is not None and low > high:
            return None
        length = max(len(a.prefix), len(b.prefix))
        self._spend(length)
        prefix = tuple(self.both(a.at(i), b.at(i)) for i in range(length))
        rest = self.both(a.rest, b.rest)
        contains = a.contains if not b.contains else _both_counts(a.contains + b.contains)
        if contains is None:
            return None
        unique, repeats = a.unique or b.unique, a.repeats or b.repeats
        if unique and repeats:
            return None
        kept = (a.prefix, a.rest, a.min, a.max, a.contains, a.unique, a.repeats)
        if (prefix, rest, low, high, contains, unique, repeats) == kept:
            return a
        return ArraySet(prefix, rest, low, high, contains, unique, repeats)

    def both_objects(self, a: ObjectSet, b: ObjectSet) -> ObjectSet | None:
        """The objects of both sets, or None when they exclude each other at sight."""
        low, high = max(a.min, b.min), least(a.max, b.max)
        required = a.required | b.required
        if high is not None and max(low, len(required)) > high:
            return None
        self._spend(2 + len(a.props) + len(b.props))
        props = {key: self.both(formula, b.at(key)) for key, formula in a.props.items()}
        for key, formula in b.props.items():
            if key not in props:
                props[key] = self.both(a.at(key), formula)
        if any(props[key] is NEVER for key in required):
            return None
        rest = self.both_rests(a.rest, b.rest)
        some = a.some if not b.some else tuple(dict.fromkeys(a.some + b.some))
        needs = a.needs
        if b.needs:
            needs = {key: a.needs.get(key, _NONE) | b.needs.get(key, _NONE) for key in {**a.needs, **b.needs}}
        kept = (a.props, a.required, a.rest, a.min, a.max, a.some, a.needs)
        if (props, required, rest, low, high, some, needs) == kept:
            return a
        return ObjectSet(props, required, rest, low, high, some, needs)

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
        """The values that are not in the node."""
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
        if a.unique is not None:
            found.append(ArraySet(min=2, repeats=self.origin))
        if a.repeats is not None:
            found.append(ArraySet(unique=self.origin))
        if a.min:
            found.append(ArraySet(max=a.min - 1))
        if a.max is not None:
            found.append(ArraySet(min=a.max + 1))
        length = len(a.prefix)
        for i in range(length):
            if a.at(i) is not ANY:
                found.append(ArraySet((ANY,) * i + (self.negation(a.at(i)),), min=i + 1))
        if a.rest is NEVER:
            if a.max is None or a.max > length:
                found.append(ArraySet(min=length + 1))
        elif a.rest is not ANY:
            found.append(counted(Contains(self.negation(a.rest), 1, None, length, self.origin)))
        for one in a.contains:
            formula, start = one.formula, one.start
            if one.low:
                found.append(counted(Contains(formula, 0, one.low - 1, start, self.origin)))
            if one.high is not None:
                found.append(counted(Contains(formula, one.high + 1, None, start, self.origin)))
        return found

    def outside_objects(self, a: ObjectSet) -> list[ObjectSet]:
        """Alternatives for the objects that are not in ``a``.

        A property with listed values, by which branches are told apart as a rule, is wrong in the first
        ones and right in the others: products of the complements of such branches do not multiply then.
        """
        found: list[ObjectSet] = []
        told: dict[str, Formula] = {}
        for key, formula in a.props.items():
            if formula is not ANY and self._is_listed(formula):
                if key in a.required:
                    found.append(ObjectSet({**told, key: NEVER}))
                found.append(ObjectSet({**told, key: self.negation(formula)}, frozenset((key,))))
                told[key] = formula
        sure = a.required.intersection(told)

        def other(**parts: Any) -> None:
            required = sure | parts.pop("required", frozenset())
            found.append(ObjectSet({**told, **parts.pop("props", {})}, required, **parts))

        if a.min:
            other(max=a.min - 1)
        if a.max is not None:
            other(min=a.max + 1)
        for key in sorted(a.required - told.keys()):
            other(props={key: NEVER})
        for key, needed in a.needs.items():
            for name in sorted(needed):
                other(props={key: told.get(key, ANY), name: NEVER}, required=frozenset((key,)))
        for key, formula in a.props.items():
            if formula is not ANY and key not in told:
                other(props={key: self.negation(formula)}, required=frozenset((key,)))
        names = frozenset(a.props)
        for lang, formula in a.rest:
            if formula is not ANY:
                other(some=(Some(lang, names, self.negation(formula), self.origin),))
        for one in a.some:
            none = self.negation(one.formula)
            rest: tuple[tuple[Language | None, Formula], ...] = ((None, none),)
            if one.lang is not None:
                rest = ((one.lang, none), (languages.outside(one.lang), ANY))
            free = ObjectSet(dict.fromkeys(sorted(one.names), ANY), rest=rest)
            both = self.both_objects(ObjectSet(dict(told), sure), free)
            if both is not None:
                found.append(both)
        return found

    def _is_listed(self, formula: Formula) -> bool:
        """The formula is known at sight to be a list of strings."""
        node = self._closed(formula)
        if node is None or node.simple or node.numbers or node.arrays or node.objects:
            return False
        return all(one.values is not None for one in node.strings)


def _opposite(formula: Formula) -> int:
    """The key of the complement."""
    return -1 - formula.index


def _said_by(one: Any) -> Hashable:
    """What a set says: sets that say the same are one alternative."""
    if isinstance(one, ArraySet):
        return one.prefix, one.rest, one.min, one.max, one.contains, one.unique, one.repeats
    if isinstance(one, ObjectSet):
        needs = tuple((key, frozenset(needed)) for key, needed in one.needs.items())
        return tuple(one.props.items()), one.required, one.rest, one.min, one.max, one.some, needs
    said: Hashable = one
    return said


def counted(one: Contains) -> ArraySet:
    """The arrays with so many such items; those with too few items besides are left out at sight."""
    return ArraySet(min=one.start + one.low if one.low else 0, contains=(one,))


def _both_counts(counts: tuple[Contains, ...]) -> tuple[Contains, ...] | None:
    """Counts of the same items joined, or None when they exclude each other."""
    joined: dict[tuple[Formula, int], Contains] = {}
    for one in counts:
        key = (one.formula, one.start)
        other = joined.get(key)
        if other is not None:
            low, high = max(one.low, other.low), least(one.high, other.high)
            if high is not None and low > high:
                return None
            one = Contains(one.formula, low, high, one.start, other.origin)
        joined[key] = one
    return tuple(joined.values())
