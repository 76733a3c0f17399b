"""Which formulas have a value at all: the least fixpoint over everything reachable.

A formula is *productive* when one of its alternatives is: a scalar one always is (empty ones are dropped
where they are made), an array when its obligatory items are, an object when its required keys are and its
least count can be reached. What is not productive is taken out before it could be offered: an optional key
is left out of its object, an array ends before the item, an alternative disappears.

Nodes that need nothing of others are settled at sight; only the rest wait, each to be looked at again when
something it waits for is settled.
"""

from __future__ import annotations

from . import languages
from .nodes import ALL_OBJECTS, ArraySet, Formula, Machine, Node, ObjectSet
from .normalise import Normaliser, Promise
from .spelled import spell_out, told_apart


def settle(normaliser: Normaliser, root: Formula) -> list[Formula]:
    """Read every formula reachable from ``root`` and mark the productive ones; those that are new, in
    order."""
    reached: list[Formula] = []
    seen = {root}
    stack = [root]
    children: dict[Formula, list[Formula]] = {}
    while stack:
        formula = stack.pop()
        if formula.productive:
            continue  # Settled before, or known at sight.
        reached.append(formula)
        node = normaliser.node(formula)
        spell_out(normaliser, node)
        below = children[formula] = _children(node)
        for child in reversed(below):
            if child not in seen:
                seen.add(child)
                stack.append(child)
    waiting: dict[Formula, list[Formula]] = {}
    for formula in reversed(reached):
        if is_productive(normaliser.node(formula)):
            _mark(normaliser, formula, waiting)
        else:
            for child in children[formula]:
                if not child.productive:
                    waiting.setdefault(child, []).append(formula)
    return reached


def read_all(normaliser: Normaliser, root: Formula) -> None:
    """Read every formula reachable from ``root``, those that are known at sight as well."""
    seen = {root}
    stack = [root]
    while stack:
        for child in _children(normaliser.node(stack.pop())):
            if child not in seen:
                seen.add(child)
                stack.append(child)


def _mark(normaliser: Normaliser, formula: Formula, waiting: dict[Formula, list[Formula]]) -> None:
    todo = [formula]
    while todo:
        settled = todo.pop()
        if settled.productive:
            continue
        settled.productive = True
        for other in waiting.pop(settled, ()):
            if not other.productive and is_productive(normaliser.node(other)):
                todo.append(other)


def _children(node: Node) -> list[Formula]:
    found: dict[Formula, None] = {}
    for array in node.arrays:
        found.update(dict.fromkeys(array.prefix))
        found[array.rest] = None
        if array.machine is not None:
            found.update((formula, None) for edges in array.machine.edges for formula, _ in edges)
    for one in node.objects:
        if one is not ALL_OBJECTS:
            for case in one.cases if one.cases is not None else (one,):
                found.update(dict.fromkeys(case.props.values()))
                found.update((formula, None) for _, formula in case.rest)
                found.update((formula, None) for _, formula in case.wanted)
    return list(found)


def is_productive(node: Node) -> bool:
    """Some alternative of the node is known to have a value."""
    return bool(
        node.simple
        or node.numbers
        or node.strings
        or any(has_array(one) for one in node.arrays)
        or any(has_object(one) for one in node.objects)
    )


def most_items(array: ArraySet) -> int | None:
    """The largest number of items that the array can have; None when there is no bound."""
    for i, formula in enumerate(array.prefix):
        if array.max is not None and i >= array.max:
            return array.max
        if not formula.productive:
            return i
    if array.rest.productive:
        return array.max
    length = len(array.prefix)
    return length if array.max is None else min(array.max, length)


def has_array(array: ArraySet) -> bool:
    """An array of the set is known to exist."""
    if array.choice is not None:
        return array.min <= len(array.choice)
    if array.machine is not None:
        return bool(useful_states(array.machine))
    most = most_items(array)
    return most is None or most >= array.min


def useful_states(machine: Machine) -> set[int]:
    """The states from which an array can be finished; none when the first is not among them."""
    before: dict[int, list[int]] = {}
    todo = []
    for state, edges in enumerate(machine.edges):
        loop = machine.loops.get(state)
        if machine.final[state] or (loop is not None and loop[0].productive):
            todo.append(state)
        for formula, target in edges:
            if formula.productive:
                before.setdefault(target, []).append(state)
    found = set(todo)
    while todo:
        for state in before.get(todo.pop(), ()):
            if state not in found:
                found.add(state)
                todo.append(state)
    return found if 0 in found else set()


def open_keys(one: ObjectSet) -> list[tuple[languages.Language | None, Formula]]:
    """The classes of unnamed keys that can occur: their values are productive, their keys not all named."""
    return [
        (lang, formula)
        for lang, formula in one.rest
        if formula.productive and languages.count_besides(lang, one.props, 1)
    ]


def possible_keys(one: ObjectSet) -> list[str]:
    """The named keys that can occur: their values are productive, and so are those of the keys they need."""
    alive = [key for key, formula in one.props.items() if formula.productive]
    if not one.needs or (one.max is None and len(alive) == len(one.props)):
        return alive
    found = []
    for key in one.props:
        together = one.with_needed((*one.required, key))
        fits = one.max is None or len(together) + len(one.wanted) <= one.max
        if fits and all(one.props[other].productive for other in together):
            found.append(key)
    return found


def has_object(one: ObjectSet) -> bool:
    """An object of the set is known to exist."""
    if one.cases is not None:
        return any(map(has_object, one.cases))
    if not all(formula.productive for _, formula in one.wanted):
        return False
    parts = told_apart(one, ordered=False)
    if one not in parts:
        return any(map(has_object, parts))
    obligatory = one.with_needed(one.required)
    if not all(one.props[key].productive for key in obligatory):
        return False
    least = len(obligatory) + len(one.wanted)
    if one.max is not None and max(one.min, least) > one.max:
        return False
    if one.min <= least:
        return True
    missing = one.min - len(possible_keys(one))
    for lang, formula in one.rest:
        if missing > 0 and formula.productive:
            missing -= languages.count_besides(lang, one.props, missing)
    return missing <= 0


def overlapping(normaliser: Normaliser, promise: Promise) -> set[tuple[int, int]]:
    """Pairs of branches of the ``oneOf`` that have a value in common and were not known to."""
    nodes = [normaliser.node(branch) for branch in promise.branches]
    found = set()
    for i, a in enumerate(nodes):
        for j in range(i):
            if (j, i) in promise.overlapping or _apart(normaliser, a, nodes[j]):
                continue
            normaliser.spend(4)  # Each pair is a small normalisation of its own.
            overlap = normaliser.algebra.both(promise.context, promise.branches[j], promise.branches[i])
            settle(normaliser, overlap)
            if overlap.productive:
                found.add((j, i))
    return found


def _apart(n: Normaliser, a: Node, b: Node) -> bool:
    """The nodes have no value in common, as far as one look tells: by type, or by a key with listed
    values."""
    if (
        a.simple & b.simple
        or (a.numbers and b.numbers)
        or (a.strings and b.strings)
        or (a.arrays and b.arrays)
    ):
        return False
    return all(_keyed_apart(n, x, y) for x in a.objects for y in b.objects)


def _keyed_apart(n: Normaliser, x: ObjectSet, y: ObjectSet) -> bool:
    return any(_listed_apart(n.node(x.at(key)), n.node(y.at(key))) for key in x.required | y.required)


def _listed_apart(a: Node, b: Node) -> bool:
    if (
        a.simple & b.simple
        or (a.numbers and b.numbers)
        or (a.arrays and b.arrays)
        or (a.objects and b.objects)
    ):
        return False
    if not a.strings or not b.strings:
        return True
    some, others = a.strings[0].values, b.strings[0].values
    if len(a.strings) > 1 or len(b.strings) > 1 or some is None or others is None:
        return False
    return frozenset(some).isdisjoint(others)
