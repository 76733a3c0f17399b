"""Ranges of JSON numbers as automata over their digits.

Bounds have any size: nothing is enumerated, the automaton follows the digits of the bound.

A bound on numbers with an exponent is not regular in general: whether ``1000...0e-9`` is below 1 asks for
counting the zeros. So where a bound other than 0 is set, a number with an exponent is written as programs
write it, with one digit other than zero before the point (``2.5e+16``); its value is then decided by the
exponent and, at the bound's own exponent, by the digits. Numbers without exponent are always all there.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache, lru_cache

import numpy as np

from ..automata import ByteDFA
from .operations import concat, difference, from_strings, literal, star, union
from .tables import empty_language, from_tables

Bound = int | float | Decimal

_KEPT = 1024
_MOST_DIGITS = 4000  # of a bound; Python itself reads 4,300


@lru_cache(maxsize=_KEPT)
def integer_range(lo: int | None, hi: int | None) -> ByteDFA:
    """Integers from ``lo`` to ``hi``, both included (None: no bound), as JSON writes them.

    Plain decimal digits without leading zeros, and no ``-0``: one text for each integer. Empty when ``lo``
    is above ``hi``.
    """
    parts = []
    if hi is None or hi >= 0:
        low = 0 if lo is None else max(lo, 0)
        if hi is None or low <= hi:
            parts.append(_naturals(low, hi))
    if lo is None or lo < 0:
        low = 1 if hi is None or hi >= 0 else -hi
        high = None if lo is None else -lo
        if high is None or low <= high:
            parts.append(concat(literal(b"-"), _naturals(low, high)))
    return union(*parts)


@lru_cache(maxsize=_KEPT)
def number_range(
    lo: Bound | None,
    hi: Bound | None,
    *,
    exclusive_lo: bool = False,
    exclusive_hi: bool = False,
    exponent: bool = True,
) -> ByteDFA:
    """JSON numbers from ``lo`` to ``hi`` (None: no bound), by value.

    Every spelling without an exponent counts (``1``, ``1.0``, ``1.50``, and ``-0`` where 0 does). With
    ``exponent``, so do those with one: all of them when no bound but 0 is set, else those with one digit
    other than zero before the point. A float stands for its shortest decimal text. Raises ValueError for
    a bound that is no finite number.
    """
    low, high = _exact(lo), _exact(hi)
    parts = []
    if high is None or high > 0 or (high == 0 and not exclusive_hi):
        from_zero = low is None or low < 0
        begin = Decimal(0) if low is None or low < 0 else low
        parts.append(_magnitudes(begin, high, exclusive_lo and not from_zero, exclusive_hi, exponent))
    if low is None or low < 0 or (low == 0 and not exclusive_lo):
        from_zero = high is None or high > 0
        begin = Decimal(0) if high is None or high > 0 else -high
        end = None if low is None else -low
        negative = _magnitudes(begin, end, exclusive_hi and not from_zero, exclusive_lo, exponent)
        parts.append(concat(literal(b"-"), negative))
    return union(*parts)


def _exact(bound: Bound | None) -> Decimal | None:
    if bound is None:
        return None
    exact = Decimal(repr(bound)) if isinstance(bound, float) else Decimal(bound)
    if not exact.is_finite():
        raise ValueError(f"the bound {bound!r} is not a finite number")
    if abs(exact.adjusted()) > _MOST_DIGITS or len(exact.as_tuple().digits) > _MOST_DIGITS:
        raise ValueError(f"the bound {bound!r:.40} has more than {_MOST_DIGITS} digits")
    return exact


def _magnitudes(
    lo: Decimal, hi: Decimal | None, exclusive_lo: bool, exclusive_hi: bool, exponent: bool
) -> ByteDFA:
    """Numbers without a sign from ``lo`` to ``hi``."""
    if hi is None and lo == 0 and exponent:
        return _unsigned(exclusive_lo)
    found = _at_least(lo, exclusive_lo, exponent)
    return found if hi is None else difference(found, _at_least(hi, not exclusive_hi, exponent))


@cache
def _byte_set(data: bytes) -> ByteDFA:
    return from_strings(bytes((b,)) for b in data)


@cache
def _digits(at_least_one_above_zero: bool = False) -> ByteDFA:
    """Any number of digits; or, only those with one other than 0."""
    some = star(_byte_set(b"0123456789"))
    return concat(some, _byte_set(b"123456789"), some) if at_least_one_above_zero else some


@cache
def _fraction() -> ByteDFA:
    """``(\\.[0-9]+)?``."""
    return union(literal(b""), concat(literal(b"."), _byte_set(b"0123456789"), _digits()))


@cache
def _unsigned(above_zero: bool) -> ByteDFA:
    """Every JSON number without a sign; or, only those above 0."""
    tail = concat(
        _byte_set(b"eE"), union(literal(b""), _byte_set(b"+-")), _byte_set(b"0123456789"), _digits()
    )
    mantissa = concat(_naturals(0, None), _fraction())
    if above_zero:
        zero = concat(literal(b"0"), union(literal(b""), concat(literal(b"."), star(literal(b"0")))))
        mantissa = difference(mantissa, zero)
    return concat(mantissa, union(literal(b""), tail))


def _at_least(bound: Decimal, strict: bool, exponent: bool) -> ByteDFA:
    """Numbers without a sign from ``bound`` (>= 0), or (``strict``) above it."""
    whole, _, part = format(bound, "f").partition(".")
    parts = [
        _from_whole(int(whole) + 1),
        concat(literal(whole.encode()), _fraction_at_least(part, strict)),
    ]
    if exponent and bound == 0:
        parts.append(_scaled(None))
    elif exponent:
        digits = "".join(map(str, bound.as_tuple().digits)).lstrip("0")
        at = bound.adjusted()
        above = bytes(range(ord(digits[0]) + 1, ord("9") + 1))
        same = concat(literal(digits[0].encode()), _fraction_at_least(digits[1:], strict))
        if above:
            same = union(same, concat(_byte_set(above), _fraction()))
        parts.append(concat(same, exponent_range(at, at)))
        parts.append(_scaled(at + 1))
    return union(*parts)


@lru_cache(maxsize=_KEPT)
def _from_whole(least: int) -> ByteDFA:
    """Numbers without an exponent whose whole part is ``least`` or more."""
    return concat(_naturals(least, None), _fraction())


@lru_cache(maxsize=_KEPT)
def _scaled(least: int | None) -> ByteDFA:
    """Numbers with one digit other than zero before the point, and an exponent from ``least`` on."""
    return concat(_byte_set(b"123456789"), _fraction(), exponent_range(least, None))


def _fraction_at_least(digits: str, strict: bool) -> ByteDFA:
    """Fractions, the empty one included, from ``.digits`` on, or (``strict``) above it."""
    digits = digits.rstrip("0")
    if not digits:
        if not strict:
            return _fraction()
        return concat(literal(b"."), _digits(at_least_one_above_zero=True))
    # State 1 + i has read i digits of the bound; the last but one is past it, the last one is above it.
    n = len(digits)
    trans = np.zeros((n + 3, 11), dtype=np.int32)
    above = n + 2
    for i, digit in enumerate(digits):
        trans[1 + i, int(digit)] = 2 + i
        trans[1 + i, int(digit) + 1 : 10] = above
    trans[n + 1, 0] = n + 1
    trans[n + 1, 1:10] = above
    trans[above, :10] = above
    final = np.zeros(n + 3, dtype=np.bool_)
    final[above] = True
    final[n + 1] = not strict
    return concat(literal(b"."), from_tables(_digit_classes(), trans, final))


@lru_cache(maxsize=_KEPT)
def exponent_range(lo: int | None, hi: int | None) -> ByteDFA:
    """``e`` or ``E`` and an exponent from ``lo`` to ``hi``, with a sign or without, zeros in front or not.

    None is no bound; empty when ``lo`` is above ``hi``.
    """
    zeros = star(literal(b"0"))
    parts = []
    if hi is None or hi >= 0:
        plus = union(literal(b""), literal(b"+"))
        parts.append(concat(plus, zeros, _naturals(0 if lo is None else max(lo, 0), hi)))
    if lo is None or lo <= 0:
        low = 0 if hi is None else max(0, -hi)
        parts.append(concat(literal(b"-"), zeros, _naturals(low, None if lo is None else -lo)))
    return concat(_byte_set(b"eE"), union(*parts))


@lru_cache(maxsize=_KEPT)
def _naturals(lo: int, hi: int | None) -> ByteDFA:
    """Texts of the natural numbers from ``lo`` to ``hi`` without leading zeros; 0 <= lo <= hi.

    Numbers with different numbers of digits compare by that alone, so there is one part for each.
    """
    if hi is not None and lo > hi:
        return empty_language()
    low = str(lo)
    if hi is None:
        return union(_same_length(low, "9" * len(low)), _same_length("1" + "0" * len(low), None))
    high = str(hi)
    if len(low) == len(high):
        return _same_length(low, high)
    parts = [_same_length(low, "9" * len(low)), _same_length("1" + "0" * (len(high) - 1), high)]
    parts += [_same_length("1" + "0" * (n - 1), "9" * n) for n in range(len(low) + 1, len(high))]
    return union(*parts)


def _same_length(begin: str, end: str | None) -> ByteDFA:
    """Texts of len(begin) digits from ``begin`` to ``end``; for ``end`` None, from ``begin`` on and longer.

    The state at position i is 1 + 4 i + 2 (above ``begin``) + (below ``end``).
    """
    n = len(begin)
    trans = np.zeros((4 * n + 5, 11), dtype=np.int32)
    for i in range(n):
        low = int(begin[i])
        high = 9 if end is None else int(end[i])
        for above in range(2):
            for below in range(2):
                for d in range(0 if above else low, (9 if below else high) + 1):
                    over = bool(above or d > low)
                    under = bool(below or d < high)
                    trans[1 + 4 * i + 2 * above + below, d] = 5 + 4 * i + 2 * over + under
    final = np.zeros(len(trans), dtype=np.bool_)
    final[-4:] = True
    if end is None:
        trans[-4:, :10] = len(trans) - 1
    return from_tables(_digit_classes(), trans, final)


def _digit_classes() -> np.ndarray:
    """Byte -> the digit, or 10."""
    classes = np.full(256, 10, dtype=np.int64)
    classes[ord("0") : ord("9") + 1] = np.arange(10)
    return classes
