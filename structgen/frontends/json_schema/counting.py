"""How many values a formula has at least: whether an array of items that differ can always be finished.

A lower bound, and zero where it would take long to tell: what is looked at is a few levels deep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .nodes import ALL_ARRAYS, ALL_OBJECTS, NEVER, ArraySet, Formula, Node, ObjectSet
from .scalars import NumberSet, StringSet

if TYPE_CHECKING:
    from .normalise import Normaliser

DEPTH = 4
MOST_PLACES = 8
MOST_SETS = 64
LONGEST = 1 << 12  # characters of texts that are counted where there is a bound
MOST_WORK = 1 << 22  # times states of their automaton


def least_values(n: Normaliser, formula: Formula, most: int, depth: int = DEPTH) -> int:
    """How many values the formula has, at least, counted up to ``most``."""
    if depth == 0:
        return 0
    node: Node = n.node(formula)
    # Alternatives of one type may overlap: the largest counts, or all that exclude each other at sight.
    found = [
        node.simple.bit_count(),
        max((_numbers(one, most) for one in node.numbers), default=0),
        max((_strings(one, most) for one in node.strings), default=0),
        sum(_arrays(n, one, most, depth - 1) for one in _apart(n, node.arrays)),
        sum(_objects(n, one, most, depth - 1) for one in _apart(n, node.objects)),
    ]
    return min(most, sum(found))


def _apart(n: Normaliser, sets: tuple[Any, ...]) -> list[Any]:
    """Some of the sets, of which no two have a value in common."""
    found: list[Any] = []
    for one in sets[:MOST_SETS]:
        if all(_exclude(n, one, other) for other in found):
            found.append(one)
    return found


def _exclude(n: Normaliser, a: Any, b: Any) -> bool:
    if isinstance(a, ObjectSet):
        return n.algebra.both_objects(a, b) is None
    both = n.algebra.both_arrays(a, b)
    return both is None or any(formula is NEVER for formula in both.prefix[: both.min])


def _numbers(one: NumberSet, most: int) -> int:
    if one.values is not None:
        return len(one.values)
    if one.avoided:
        return 1
    if one.low is None or one.high is None:
        return most
    if one.integer or one.multiples:
        step = one.multiples[0] if one.multiples else 1
        return min(most, max(1, int((one.high - one.low) / step)))
    return most if one.low < one.high else 1


def _strings(one: StringSet, most: int) -> int:
    if one.values is not None:
        return len(one.values)
    if one.lang is not None and one.max is not None:
        longest = min(one.max, LONGEST, MOST_WORK // one.lang.n_states)
        return one.lang.count_short(longest, most)
    if one.lang is not None:
        count = one.lang.count_language(most)
        return most if count is None else count
    return most if one.max is None else 1 if one.max == 0 else min(most, 1000**one.max)


def _arrays(n: Normaliser, one: ArraySet, most: int, depth: int) -> int:
    if one is ALL_ARRAYS:
        return most
    if one.contains or one.unique or one.repeats:
        return 0
    if one.max is None and least_values(n, one.rest, 1, depth):
        return most
    found = 1
    for i in range(min(one.min or one.max or 0, MOST_PLACES)):
        found = min(most, found * least_values(n, one.at(i), most, depth))
    return found if one.min <= MOST_PLACES else 0


def _objects(n: Normaliser, one: ObjectSet, most: int, depth: int) -> int:
    if one is ALL_OBJECTS:
        return most
    if one.some or one.min > len(one.required):
        return 0
    if one.max is None and not one.needs:
        for lang, formula in one.rest:
            if (lang is None or lang.count_language(most) is None) and least_values(n, formula, 1, depth):
                return most
    found = 1
    for key, formula in one.props.items():
        count = least_values(n, formula, most, depth)
        if key in one.required:
            found *= count
        elif one.max is None and not one.needs:
            found *= 1 + count
        found = min(most, found)
    return found
