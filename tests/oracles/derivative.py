"""Regular languages by Brzozowski derivatives.

``w`` belongs to ``r`` when the derivative of ``r`` by ``w``, symbol by symbol, contains the empty
word. Symbols are integers: bytes or code points, as the caller has it. Intersection and complement
cost nothing here, which makes this an oracle for the automata operations too. The constructors
simplify just enough (Brzozowski's similarity) for the set of derivatives to be finite; `spelled`
writes that set down as an automaton.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce


@dataclass(frozen=True)
class Chars:
    """One symbol out of a set; the empty set is the empty language."""

    symbols: frozenset[int]


@dataclass(frozen=True)
class Cat:
    """One after the other; ``Cat(())`` is the empty word."""

    items: tuple[Regex, ...]


@dataclass(frozen=True)
class Or:
    """Any of them."""

    items: frozenset[Regex]


@dataclass(frozen=True)
class Not:
    """Every word over all symbols that does not belong to ``item``."""

    item: Regex


@dataclass(frozen=True)
class Star:
    """Any number of times."""

    item: Regex


Regex = Chars | Cat | Or | Not | Star
NOTHING = Chars(frozenset())
EPSILON = Cat(())


def word(symbols: Iterable[int]) -> Regex:
    """Exactly this word."""
    return cat(*(Chars(frozenset({s})) for s in symbols))


def cat(*items: Regex) -> Regex:
    """Concatenation; nested ones are flattened and the empty language absorbs."""
    flat = [i for item in items for i in (item.items if isinstance(item, Cat) else (item,))]
    if NOTHING in flat:
        return NOTHING
    return flat[0] if len(flat) == 1 else Cat(tuple(flat))


def alt(*items: Regex) -> Regex:
    """Union, as a set."""
    flat = {i for item in items for i in (item.items if isinstance(item, Or) else (item,))} - {NOTHING}
    return Or(frozenset(flat)) if len(flat) > 1 else flat.pop() if flat else NOTHING


def both(*items: Regex) -> Regex:
    """Intersection, by De Morgan."""
    return inverse(alt(*map(inverse, items)))


def inverse(item: Regex) -> Regex:
    """Complement."""
    return item.item if isinstance(item, Not) else Not(item)


def repeat(item: Regex, low: int, high: int | None) -> Regex:
    """At least ``low`` and at most ``high`` times."""
    if high is None:
        return cat(*[item] * low, Star(item))
    return alt(*(cat(*[item] * n) for n in range(low, high + 1)))


def nullable(r: Regex) -> bool:
    """The empty word belongs to ``r``."""
    match r:
        case Chars() | Star():
            return isinstance(r, Star)
        case Cat(items):
            return all(map(nullable, items))
        case Or(items):
            return any(map(nullable, items))
        case Not(item):
            return not nullable(item)


def derive(r: Regex, symbol: int) -> Regex:
    """The words that complete ``symbol`` to a word of ``r``."""
    match r:
        case Chars(symbols):
            return EPSILON if symbol in symbols else NOTHING
        case Cat(()):
            return NOTHING
        case Cat(items):
            first, rest = items[0], cat(*items[1:])
            after = cat(derive(first, symbol), rest)
            return alt(after, derive(rest, symbol)) if nullable(first) else after
        case Or(items):
            return alt(*(derive(i, symbol) for i in items))
        case Not(item):
            return inverse(derive(item, symbol))
        case Star(item):
            return cat(derive(item, symbol), r)


def matches(r: Regex, symbols: Iterable[int]) -> bool:
    """The word belongs to ``r``."""
    return nullable(reduce(derive, symbols, r))


def derivatives(r: Regex, alphabet: Iterable[int]) -> dict[Regex, dict[int, Regex]]:
    """Every derivative of ``r`` by words over ``alphabet``, with its successors, in order of discovery."""
    alphabet, table, todo = sorted(alphabet), {}, [r]
    for state in todo:
        if state not in table:
            table[state] = {s: derive(state, s) for s in alphabet}
            todo.extend(table[state].values())
    return table


def live(table: dict[Regex, dict[int, Regex]]) -> set[Regex]:
    """The derivatives in ``table`` from which some word is left."""
    found = {r for r in table if nullable(r)}
    while more := {r for r in table if r not in found and found & set(table[r].values())}:
        found |= more
    return found


def is_prefix(r: Regex, symbols: Iterable[int], alphabet: Iterable[int]) -> bool:
    """Some word over ``alphabet`` completes ``symbols`` to a word of ``r``."""
    r = reduce(derive, symbols, r)
    return r in live(derivatives(r, alphabet))
