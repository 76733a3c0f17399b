"""Sets that count items, compare them, or ask for some key: spelled out as what rules can say.

`Algebra` keeps such constraints as they are, since most of them vanish again: a product with an array that
is too short, a branch of the wrong type. What is left of them when a node is settled is spelled out here,
once for each set.

Arrays become a `Machine` over items: a state is the number of items so far (as far as it matters) and how
many have been counted by each `Contains`. An item that may be counted is read both ways where only a least
number is asked for: that needs no complement, and items that are no more than counted keep every spelling.
Where there is a greatest number, an item is counted exactly when it is one.

Items no two of which are equal: where they have few values they are a choice, keys that come once each, as
far as the text of none begins another's; or a machine whose states are the sets of values that have come. All
others are left to the engine, which compares them as they are written. Where some two items must be equal, it
is the same machine with another end, or the engine again.

Objects that need some key become a union: over each named key that may be the one, and each class of other
keys in which it may be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ...errors import UnsupportedKeywordError
from . import languages
from .counting import least_values
from .nodes import FALSE, NEVER, NULL, TRUE, ArraySet, Contains, Formula, Machine, Node, ObjectSet, Some
from .scalars import NumberSet
from .values import number_of

if TYPE_CHECKING:
    from .normalise import Normaliser

MOST_STATES = 10_000
"""States of one array's automaton; a bound of items beside a count of items multiplies them."""
MOST_COUNTS = 6
"""Counts that one item may be part of, each of them or not: their combinations are written out."""
MOST_VALUES = 10
"""Values of items that must differ, where each set of those that have come is a state."""
MOST_CASES = 256
"""Cases of an object that needs some key."""
MOST_WANTED = 4
"""Kinds of other keys that one object needs; the parameter of the rule has a bit for each."""


def spell_out(n: Normaliser, node: Node) -> None:
    """Spell out the sets of a node that need it."""
    for array in node.arrays:
        spelled = array.distinct or array.machine is not None or array.choice is not None
        if (array.contains or array.unique or array.repeats) and not spelled:
            _spell_array(n, array)
    for one in node.objects:
        if one.some and one.cases is None:
            one.cases = _cases(n, one)


# Arrays


def _spell_array(n: Normaliser, array: ArraySet) -> None:
    contains = list(array.contains)
    for one in array.contains:
        why = ""
        if _states(array, contains) > MOST_STATES:
            why = "the number of items is bounded too high to be counted beside it"
        elif len(contains) > MOST_COUNTS:
            why = f"more than {MOST_COUNTS} counts of items come together"
        if why:
            n.not_enforced(*one.origin, why)
            contains.remove(one)
    counted = replace(array, contains=tuple(contains))
    if array.unique is not None and not _all_apart(n, counted):
        values = _values(n, dict.fromkeys(_placed(counted)))
        plain = values is not None and all(one is None or isinstance(one, (bool, str)) for one in values)
        if values is not None and plain and not contains and not array.prefix:
            array.choice = tuple(values)
        elif values is not None and len(values) <= MOST_VALUES:
            array.machine = _subsets(n, _machine(n, counted), values)
        elif why := _not_compared(n, counted):
            n.not_enforced(*array.unique, why)
        else:
            array.distinct = n.items_differ = True
            n.report.note(_COMPARED)
    if array.repeats is not None and not _repeats(n, array):
        values = _values(n, dict.fromkeys(_placed(counted)))
        if values is not None and len(values) <= MOST_VALUES:
            array.machine = _subsets(n, _machine(n, counted), values, repeats=True)
        elif _all_apart(n, counted):
            array.machine = Machine([[]], [False], {})
        elif why := _not_repeated(n, counted):
            n.not_enforced(*array.repeats, why)
        else:
            array.distinct = n.items_differ = True
            n.report.note(_COMPARED)
    if contains and array.machine is None:
        array.machine = _machine(n, counted)


_COMPARED = "items that must differ, or be equal, are compared as they are written: masks take longer there"


def _places(array: ArraySet, contains: list[Contains]) -> int:
    """From this place on all places are alike, counts aside."""
    return max(len(array.prefix), *(one.start for one in contains), 0)


def _states(array: ArraySet, contains: list[Contains]) -> int:
    number = 1 + (max(_places(array, contains), array.min) if array.max is None else array.max)
    for one in contains:
        number *= 1 + (one.low if one.high is None else one.high)
    return number


def _machine(n: Normaliser, array: ArraySet) -> Machine:
    """The automaton of an array whose counts are few."""
    algebra, contains = n.algebra, array.contains
    places = _places(array, list(contains))
    held = max(places, array.min) if array.max is None else array.max
    start = (0, (0,) * len(contains))
    number = {start: 0}
    order = [start]
    machine = Machine([], [], {})
    for state, (at, counts) in enumerate(order):
        least_left = max(array.min - at, 0)
        enough = all(one.low <= count for one, count in zip(contains, counts, strict=True))
        machine.final.append(enough and not least_left)
        machine.edges.append([])
        if at >= places and enough and all(one.high is None for one in contains):
            most_left = None if array.max is None else array.max - at
            machine.loops[state] = (array.rest, least_left, most_left)
            continue
        if array.max is not None and at == array.max:
            continue
        kinds = [(array.at(at), counts)]
        for i, one in enumerate(contains):
            if one.start > at or (one.high is None and counts[i] == one.low):
                continue
            split = []
            for formula, now in kinds:
                counted = algebra.both(formula, one.formula)
                if one.high is not None:
                    algebra.origin = one.origin
                    formula = algebra.both(formula, algebra.negation(one.formula))
                split.append((formula, now))
                if one.high is None or now[i] < one.high:
                    split.append((counted, (*now[:i], now[i] + 1, *now[i + 1 :])))
            kinds = split
        for formula, now in kinds:
            if formula is NEVER:
                continue
            after = (min(at + 1, held), now)
            if after not in number:
                number[after] = len(order)
                order.append(after)
            machine.edges[state].append((formula, number[after]))
    return machine


def _placed(array: ArraySet) -> list[Formula]:
    """The formulas of items: of each place that has one of its own, and twice of the later ones."""
    return [*array.prefix, array.rest, array.rest][: array.max]


def _all_apart(n: Normaliser, array: ArraySet) -> bool:
    """No two items of the array can be equal."""
    return all(_apart(n, a, b) for a, b in combinations(_placed(array), 2))


def _not_compared(n: Normaliser, array: ArraySet) -> str:
    """Why an array cannot be left to the engine: it might not be finished; "" when it can."""
    for one in array.contains:
        # So many items are in the formula, or have not come.
        enough = least_values(n, n.algebra.both(array.rest, one.formula), one.low) >= one.low
        if one.high is not None or array.max is not None or array.prefix or one.start or not enough:
            return "items of many values are not compared beside a count of some of them and another bound"
    obligatory = list(enumerate(array.prefix[: array.min]))
    if array.min > len(array.prefix):
        obligatory.append((array.min - 1, array.rest))
    for before, formula in obligatory:
        if before and least_values(n, formula, before + 1) <= before:
            return f"{array.min} items have to come, and it is not known that there are so many values"
    return ""


def _repeats(n: Normaliser, array: ArraySet) -> bool:
    """Two items that have to come are the same listed value."""
    listed = [formula for formula in array.prefix[: array.min] if formula.kind == "const"]
    return any(not _apart(n, a, b) for a, b in combinations(listed, 2))


def _not_repeated(n: Normaliser, array: ArraySet) -> str:
    """Why an array some two items of which are equal cannot be left to the engine; "" when it can."""
    if array.contains:
        return "that some items of many values are equal is not asked beside a count of some of them"
    places = len(array.prefix)
    most = places if array.rest is NEVER else array.max
    if most is not None and most < places + 2:
        return (
            "that some items of many values are equal is not asked where each place has a schema of its own"
        )
    if not least_values(n, array.rest, 1):
        return "it is not known that there is a value that can come twice"
    return ""


def _apart(n: Normaliser, a: Formula, b: Formula) -> bool:
    """No value is in both, as one look tells."""
    return n.algebra.intersect(n.node(a), n.node(b)).is_empty


def _values(n: Normaliser, formulas: Iterable[Formula]) -> list[Any] | None:
    """The values of the formulas, where these are listed, few, and no arrays or objects; else None."""
    found: dict[tuple[bool, Any], Any] = {}
    for formula in formulas:
        node = n.node(formula)
        if node.arrays or node.objects:
            return None
        values: list[Any] = [value for bit, value in _SIMPLE if node.simple & bit]
        for text in node.strings:
            if text.values is None:
                return None
            values.extend(text.values)
        for numbers in node.numbers:
            listed = _numbers(numbers)
            if listed is None:
                return None
            values.extend(listed)
        found.update(((isinstance(value, bool), value), value) for value in values)
    return list(found.values())


_SIMPLE = ((NULL, None), (TRUE, True), (FALSE, False))


def _numbers(one: NumberSet) -> list[int | float] | None:
    """The numbers of a set that lists them, or of integers between two bounds that are few."""
    if one.values is not None:
        listed = [value for value, _ in one.values]
    elif one.integer and one.low is not None and one.high is not None and one.high - one.low < MOST_STATES:
        listed = [value for value in range(int(one.low), int(one.high) + 1) if one.holds(value)]
    else:
        return None
    found = [value if isinstance(value, int) else float(value) for value in listed]
    return found if list(map(number_of, found)) == listed else None


def _subsets(n: Normaliser, machine: Machine, values: list[Any], repeats: bool = False) -> Machine:
    """The product of a machine with the set of values that have come.

    repeats : some value has to come again; anything goes when one has
    """
    algebra = n.algebra
    consts = [algebra.const(value, repr(value)) for value in values]
    start = (0, 0, 0)
    number = {start: 0}
    order = [start]
    made = Machine([], [], {})
    for state, (at, more, used) in enumerate(order):
        loop = machine.loops.get(at)
        ends = more >= loop[1] if loop else machine.final[at]
        made.final.append(ends and repeats == (used == _REPEATED))
        made.edges.append([])
        if used == _REPEATED and loop is not None:
            made.loops[state] = (loop[0], max(loop[1] - more, 0), None if loop[2] is None else loop[2] - more)
            continue
        steps = [(formula, target, 0) for formula, target in machine.edges[at]]
        if loop is not None and (loop[2] is None or more < loop[2]):
            steps.append((loop[0], at, more + 1))
        for formula, target, count in steps:
            for i, const in enumerate(consts):
                has_come = used == _REPEATED or used >> i & 1
                item = NEVER if has_come and not repeats else algebra.both(formula, const)
                if item is NEVER:
                    continue
                after = (target, count, _REPEATED if has_come else used | 1 << i)
                if after not in number:
                    number[after] = len(order)
                    order.append(after)
                made.edges[state].append((item, number[after]))
    return made


_REPEATED = -1  # instead of a set of values: some value has come twice


# Objects


def told_apart(one: ObjectSet, ordered: bool) -> tuple[ObjectSet, ...]:
    """The set, or sets without needs where no rule can carry these (`ir.Members`): a key is absent or not.

    Raises UnsupportedKeywordError for more than `MOST_CASES` of them.
    """
    if not one.needs:
        return (one,)
    if not ordered:
        two_bounds = one.min > 1 and one.max is not None
        if not two_bounds or not any(key in one.with_needed(needed) for key, needed in one.needs.items()):
            return (one,)
    parts = [replace(one, needs={})]
    for key in one.needs:
        together = one.with_needed((key,))
        if len(parts) > MOST_CASES:
            raise UnsupportedKeywordError(
                f"`dependentRequired` cannot be enforced: {len(one.needs)} keys that need others make more "
                f"than {MOST_CASES} cases where the keys have an order or two bounds",
                keyword="dependentRequired",
            )
        parts = [
            made
            for part in parts
            for made in (
                replace(part, props={**part.props, key: NEVER}),
                replace(part, required=part.required | together),
            )
            if not any(made.props[name] is NEVER for name in made.required)
        ]
    return tuple(parts)


def _cases(n: Normaliser, one: ObjectSet) -> tuple[ObjectSet, ...]:
    """The objects of a set that needs some keys, as a union of sets with ``wanted``."""
    cases = [replace(one, some=())]
    for some in one.some:
        cases = [made for case in cases for made in map(_with_room, _with(n, case, some)) if made is not None]
        why = ""
        if len(cases) > MOST_CASES:
            why = f"there are more than {MOST_CASES} ways in which some key may be the one"
        elif any(len(case.wanted) > MOST_WANTED for case in cases):
            why = f"more than {MOST_WANTED} kinds of keys must come"
        elif any(case.wanted and case.max is not None and _kinds(case) > 1 for case in cases):
            why = "that some key comes, of several kinds, is not counted beside the number of keys"
        if why:
            n.not_enforced(*some.origin, why)
            return (replace(one, some=()),)
    return tuple(cases)


def _kinds(case: ObjectSet) -> int:
    return sum(formula is not NEVER for _, formula in case.rest)


def _with_room(case: ObjectSet) -> ObjectSet | None:
    """The case without members for which those that must come leave no room; None where these have none."""
    come = case.with_needed(case.required)
    room = len(case.wanted) if case.max is None else case.max - len(come)
    if room < len(case.wanted):
        return None
    if case.max is None or room > len(case.wanted):
        return case
    langs = [lang for lang, _ in case.wanted]

    def left(lang: languages.Language | None, formula: Formula) -> Formula:
        shared = (languages.both(lang, one) for one in langs)
        return formula if any(one is None or not one.is_empty for one in shared) else NEVER

    props = {key: formula if key in come else NEVER for key, formula in case.props.items()}
    return replace(case, props=props, rest=tuple((lang, left(lang, formula)) for lang, formula in case.rest))


def _with(n: Normaliser, case: ObjectSet, some: Some) -> list[ObjectSet]:
    """The ways in which an object of the case has the member that is asked for."""
    both = n.algebra.both
    apart = sorted(
        key for key in some.names - case.props.keys() if some.lang is None or some.lang.matches(key)
    )
    case = replace(case, props={**case.props, **{key: case.at(key) for key in apart}})
    found = []

    def named(key: str, formula: Formula, others: ObjectSet) -> None:
        if formula is not NEVER:
            found.append(replace(others, props={**case.props, key: formula}, required=case.required | {key}))

    for key, formula in case.props.items():
        if key not in some.names and (some.lang is None or some.lang.matches(key)):
            named(key, both(formula, some.formula), case)
    names = case.props.keys()
    for i, (lang, formula) in enumerate(case.wanted):
        shared = languages.both(lang, some.lang)
        if languages.count_besides(shared, names, 1):
            joined = (shared, both(formula, some.formula))
            if joined[1] is not NEVER:
                parts = _divided(case.rest, shared)
                found.append(
                    replace(case, rest=parts, wanted=(*case.wanted[:i], joined, *case.wanted[i + 1 :]))
                )
    for lang, formula in case.rest:
        shared = languages.both(lang, some.lang)
        inside = both(formula, some.formula)
        if inside is NEVER or not languages.count_besides(shared, names, 1):
            continue
        texts = languages.few_texts(shared, MOST_CASES) if shared is not None else None
        if texts is not None:
            for text in texts:
                if text not in names and text not in some.names:
                    named(text, inside, case)
        else:
            wanted = (*case.wanted, (shared, inside))
            found.append(replace(case, rest=_divided(case.rest, shared), wanted=wanted))
    return found


def _divided(
    rest: tuple[tuple[languages.Language | None, Formula], ...], lang: languages.Language | None
) -> tuple[tuple[languages.Language | None, Formula], ...]:
    """The classes, each cut into what of it is in the language and what is not."""
    if lang is None:
        return rest
    found = []
    outside = languages.outside(lang)
    for own, formula in rest:
        for part in (languages.both(own, lang), languages.both(own, outside)):
            if part is not None and not part.is_empty:
                found.append((part, formula))
    return tuple(found)
