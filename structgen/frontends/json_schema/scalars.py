"""Sets of numbers and of strings: one alternative of a node, with intersection and complement.

Both are conjunctions of constraints in a normal form: a set that is empty is None, listed values swallow
every other constraint (they are filtered by it), and a language with lengths is one language. Numbers are
exact: an int, or a Fraction that is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Final

from ...errors import LimitExceededError
from . import languages
from .languages import Language

Number = int | Fraction


FEW_COUNTED = 256
"""States of a language times its greatest length: beyond, a count stands beside the automaton."""
MOST_COUNTED = 30_000
"""As above, where counting beside it is impossible: then the automaton counts, if it is no larger."""
LONGEST_RUN = 4096
"""So many multiples of one number in a row are never all multiples of others, unless there are hundreds of
others; there the automaton of the texts has the last word, not the set."""


@dataclass(slots=True, frozen=True)
class NumberSet:
    """Numbers between two bounds. ``integer``: True integers, False the others, None both.

    ``values`` restricts to listed numbers, each with the texts it may be written as. Numbers of the set are
    multiples of all ``multiples``, and of none of ``avoided``.
    """

    integer: bool | None = None
    low: Number | None = None
    high: Number | None = None
    low_open: bool = False
    high_open: bool = False
    multiples: tuple[Number, ...] = ()
    values: tuple[tuple[Number, tuple[str, ...]], ...] | None = None
    avoided: tuple[Number, ...] = ()

    @property
    def is_bounded(self) -> bool:
        """There is a bound on one side or both."""
        return self.low is not None or self.high is not None

    def holds(self, value: Number) -> bool:
        """The number belongs to the set, ``values`` aside."""
        if self.integer is not None and (Fraction(value).denominator == 1) != self.integer:
            return False
        if self.low is not None and (value < self.low or (self.low_open and value == self.low)):
            return False
        if self.high is not None and (value > self.high or (self.high_open and value == self.high)):
            return False
        if any(is_multiple(value, divisor) for divisor in self.avoided):
            return False
        return all(is_multiple(value, divisor) for divisor in self.multiples)


@dataclass(slots=True, frozen=True)
class StringSet:
    """Strings of ``min`` to ``max`` code points in ``lang``; ``values`` restricts to listed ones.

    Beside a language there is a ``max`` only where an automaton that counts would be large.
    """

    min: int = 0
    max: int | None = None
    lang: Language | None = None
    values: tuple[str, ...] | None = None

    def holds(self, value: str) -> bool:
        """The string belongs to the set, ``values`` aside."""
        if len(value) < self.min or (self.max is not None and len(value) > self.max):
            return False
        return self.lang is None or languages.matches(self.lang, value)


ALL_NUMBERS: Final = NumberSet()
ALL_INTEGERS: Final = NumberSet(integer=True)
ALL_STRINGS: Final = StringSet()


def is_multiple(value: Number, divisor: Number) -> bool:
    """The quotient is whole."""
    return (Fraction(value) / divisor).denominator == 1


def least(a: int | None, b: int | None) -> int | None:
    """The smaller of two bounds, of which None is no bound."""
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


def both_numbers(a: NumberSet, b: NumberSet) -> NumberSet | None:
    """The numbers of both sets, or None when there are none."""
    if a.integer is not None and b.integer is not None and a.integer != b.integer:
        return None
    low, low_open = a.low, a.low_open
    if low is None or (b.low is not None and (b.low > low or (b.low == low and b.low_open))):
        low, low_open = b.low, b.low_open
    high, high_open = a.high, a.high_open
    if high is None or (b.high is not None and (b.high < high or (b.high == high and b.high_open))):
        high, high_open = b.high, b.high_open
    values = a.values if b.values is None else b.values
    if a.values is not None and b.values is not None:
        texts = dict(b.values)
        values = tuple(
            (value, tuple(dict.fromkeys(own + texts[value]))) for value, own in a.values if value in texts
        )
    return number_set(
        a.integer if b.integer is None else b.integer,
        low,
        high,
        low_open,
        high_open,
        tuple(dict.fromkeys(a.multiples + b.multiples)),
        values,
        tuple(dict.fromkeys(a.avoided + b.avoided)),
    )


def number_set(
    integer: bool | None,
    low: Number | None,
    high: Number | None,
    low_open: bool = False,
    high_open: bool = False,
    multiples: tuple[Number, ...] = (),
    values: tuple[tuple[Number, tuple[str, ...]], ...] | None = None,
    avoided: tuple[Number, ...] = (),
) -> NumberSet | None:
    """A normalised set of numbers, or None when it is empty."""
    if integer and low is not None:
        low, low_open = low.__ceil__() + (low_open and low == low.__ceil__()), False
    if integer and high is not None:
        high, high_open = high.__floor__() - (high_open and high == high.__floor__()), False
    if len(multiples) > 1 or (multiples and integer):
        multiples = (_common_multiple((*multiples, 1) if integer else multiples),)
    found = NumberSet(
        integer,
        low,
        high,
        low_open,
        high_open,
        () if integer and multiples == (1,) else multiples,
        values,
        avoided,
    )
    if values is not None:
        kept = tuple((value, texts) for value, texts in values if found.holds(value))
        return NumberSet(values=kept) if kept else None
    return found if _has_number(found) else None


def _has_number(one: NumberSet) -> bool:
    """There is a number in a set without listed values."""
    low, high = one.low, one.high
    step: Number = one.multiples[0] if one.multiples else 1
    avoided = (*one.avoided, 1) if one.integer is False else one.avoided
    if not one.integer and not one.multiples:
        if low is None or high is None or low < high:
            return True  # Between two numbers there are always some that are no multiples of anything given.
        return low == high and one.holds(low)
    if any(is_multiple(step, divisor) for divisor in avoided):
        return False
    if low is None or high is None:
        return True
    value = (Fraction(low) / step).__ceil__() * step
    for _ in range(LONGEST_RUN):
        if value > high:
            return False
        if one.holds(value):
            return True
        value += step
    return True


def _common_multiple(divisors: tuple[Number, ...]) -> Number:
    """The least number that is a multiple of all."""
    found = Fraction(divisors[0])
    for other in map(Fraction, divisors[1:]):
        scale = lcm(found.denominator, other.denominator)
        found = Fraction(lcm(int(found * scale), int(other * scale)), scale)
    return found.numerator if found.denominator == 1 else found


def outside_numbers(a: NumberSet) -> list[NumberSet]:
    """Alternatives for the numbers that are not in ``a``."""
    if a.values is not None:
        points = sorted(value for value, _ in a.values)
        lows, highs = [None, *points], [*points, None]
        ranges = [
            number_set(None, lo, hi, lo is not None, hi is not None)
            for lo, hi in zip(lows, highs, strict=True)
        ]
        return [one for one in ranges if one is not None]
    found = [NumberSet(avoided=(divisor,)) for divisor in a.multiples]
    found += [NumberSet(multiples=(divisor,)) for divisor in a.avoided]
    if a.low is not None:
        found.append(NumberSet(high=a.low, high_open=not a.low_open))
    if a.high is not None:
        found.append(NumberSet(low=a.high, low_open=not a.high_open))
    if a.integer is not None:
        found.append(NumberSet(integer=not a.integer))
    return found


def both_strings(a: StringSet, b: StringSet) -> StringSet | None:
    """The strings of both sets, or None when there are none."""
    values = a.values if b.values is None else b.values
    if a.values is not None and b.values is not None:
        allowed = frozenset(b.values)
        values = tuple(value for value in a.values if value in allowed)
    lang = languages.both(a.lang, b.lang) if values is None or a.lang is None or b.lang is None else a.lang
    if values is not None:
        values = tuple(value for value in values if a.holds(value) and b.holds(value))
        return StringSet(values=values) if values else None
    return string_set(max(a.min, b.min), least(a.max, b.max), lang)


def string_set(low: int, high: int | None, lang: Language | None) -> StringSet | None:
    """A set of strings, or None when it is empty; a language and lengths become one, if it is small."""
    if high is not None and low > high:
        return None
    if lang is None:
        return StringSet(low, high)
    if high is not None and lang.is_finite and high >= lang.n_states - 2:
        high = None  # No text is longer.
    if high is not None and lang.n_states * high > FEW_COUNTED:
        long = languages.of_length(lang, low, None) if low else lang
        if lang.n_states * high > MOST_COUNTED or languages.can_be_counted(long):
            return StringSet(max=high, lang=long) if 0 <= languages.shortest(long) <= high else None
    if low or high is not None:
        lang = languages.of_length(lang, low, high)
    return None if lang.is_empty else StringSet(lang=lang)


def outside_strings(a: StringSet) -> list[StringSet]:
    """Alternatives for the strings that are not in ``a``."""
    found = []
    if a.values is not None:
        return [StringSet(lang=languages.outside(languages.of_values(a.values)))]
    if a.min:
        found.append(StringSet(max=a.min - 1))
    if a.max is not None:
        found.append(StringSet(min=a.max + 1))
    if a.lang is not None:
        lang = languages.outside(a.lang)
        if not lang.is_empty:
            found.append(StringSet(lang=lang))
    return found


def merge_strings(sets: tuple[StringSet, ...]) -> tuple[StringSet, ...]:
    """The same strings in fewer alternatives: all that are languages become one."""
    if len(sets) < 2:
        return sets
    lengths = [one for one in sets if one.lang is None and one.values is None]
    values = tuple(dict.fromkeys(value for one in sets if one.values is not None for value in one.values))
    lengths += [one for one in sets if one.lang is not None and one.max is not None]
    values = tuple(value for value in values if not any(one.holds(value) for one in lengths))
    langs = [one.lang for one in sets if one.lang is not None and one.max is None]
    if langs and values:
        langs.append(languages.of_values(values))
        values = ()
    try:
        merged = [StringSet(lang=languages.any_of(langs))] if langs else []
    except LimitExceededError:
        return sets  # Then they are read side by side.
    if values:
        merged.append(StringSet(values=values))
    return tuple(dict.fromkeys([*lengths, *merged]))
