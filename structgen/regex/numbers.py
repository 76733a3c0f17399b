"""Ranges of JSON numbers as automata over their digits.

Bounds have any size: nothing is enumerated, the automaton follows the digits of the bound.

A bound on numbers with an exponent is not regular in general: whether ``1000...0e-9`` is below 1 asks for
counting the zeros. So where a bound other than 0 is set, a number with an exponent is written as programs
write it, with one digit other than zero before the point (``2.5e+16``); its value is then decided by the
exponent and, at the bound's own exponent, by the digits. Numbers without exponent are always all there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from ..automata import ByteDFA
from .kernels_numbers import (
    BOUND_WORDS,
    COLUMNS,
    DIGITS,
    EXPONENT,
    HAS,
    MINUS,
    PART,
    PLUS,
    POINT,
    POWER,
    SIGN,
    STRICT,
    WHOLE,
    ZERO,
    numbers_between,
)
from .operations import concat, from_strings, literal, star, union
from .tables import empty_language, from_tables

Bound = int | float | Decimal

_KEPT = 1024
_MOST_DIGITS = 4000  # of a bound; Python itself reads 4,300
_USUAL_STATES = 1 << 11
_COLUMN_BYTES = b"0123456789.e+-x"  # one of each column


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Which texts of numbers without a sign count, value aside.

    free : where no bound but 0 is set
    bounded : where another is; of their texts with an exponent, one digit other than zero stands in front
    minus_zero : zero may have a sign
    """

    free: ByteDFA
    bounded: ByteDFA
    minus_zero: bool = True


@lru_cache(maxsize=_KEPT)
def integer_range(lo: int | None, hi: int | None) -> ByteDFA:
    """Integers from ``lo`` to ``hi``, both included (None: no bound), as JSON writes them.

    Plain decimal digits without leading zeros, and no ``-0``: one text for each integer. Empty when ``lo``
    is above ``hi``.
    """
    low, high = (None if bound is None else Decimal(bound) for bound in (lo, hi))
    return _between(low, high, False, False, _naturals())


@lru_cache(maxsize=_KEPT)
def number_range(
    lo: Bound | None,
    hi: Bound | None,
    *,
    exclusive_lo: bool = False,
    exclusive_hi: bool = False,
    texts: Texts | None = None,
) -> ByteDFA:
    """JSON numbers from ``lo`` to ``hi`` (None: no bound), by value, of those that ``texts`` has.

    Without ``texts`` every spelling without an exponent counts (``1``, ``1.0``, ``1.50``, and ``-0`` where 0
    does), and of those with one all when no bound but 0 is set, else those with one digit other than zero
    before the point. A float stands for its shortest decimal text. Raises ValueError for a bound that is no
    finite number.
    """
    return _between(_exact(lo), _exact(hi), exclusive_lo, exclusive_hi, texts or json_texts())


def _exact(bound: Bound | None) -> Decimal | None:
    if bound is None:
        return None
    exact = Decimal(repr(bound)) if isinstance(bound, float) else Decimal(bound)
    if not exact.is_finite():
        raise ValueError(f"the bound {bound!r} is not a finite number")
    if abs(exact.adjusted()) > _MOST_DIGITS or len(exact.as_tuple().digits) > _MOST_DIGITS:
        raise ValueError(f"the bound {bound!r:.40} has more than {_MOST_DIGITS} digits")
    return exact


def _between(
    low: Decimal | None, high: Decimal | None, exclusive_lo: bool, exclusive_hi: bool, texts: Texts
) -> ByteDFA:
    table, ends, second = _table(texts)
    rows: list[list[int]] = []
    starts: list[int] = []
    # Numbers without a sign, then those with one, of which the bounds change sides.
    above, below = (None if bound is None else bound.copy_negate() for bound in (low, high))  # no rounding
    for least, most, strict_least, strict_most, signed in (
        (low, high, exclusive_lo, exclusive_hi, False),
        (below, above, exclusive_hi, exclusive_lo, True),
    ):
        none = most is not None and (most < 0 or (most == 0 and strict_most))
        no_zero = signed and not texts.minus_zero
        if least is not None and (least < 0 or (least == 0 and not strict_least)):
            least = None
        if least is None and no_zero:
            least, strict_least = Decimal(0), True
        free = most is None and (least is None or least == 0)
        starts.append(0 if none else 1 if free else second)
        rows += [_row(least, strict_least), _row(most, strict_most)]
    width = max(map(len, rows))
    bounds = np.array([row + [0] * (width - len(row)) for row in rows], np.int64)
    longest = 1 + max(row[field] for row in rows for field in (WHOLE, PART, DIGITS, POWER))
    most_states = _USUAL_STATES
    while True:
        trans, final = np.zeros((most_states, COLUMNS), np.int32), np.zeros(most_states, np.bool_)
        states, slots = np.empty(most_states, np.int64), np.zeros(2 * most_states, np.int64)
        n = numbers_between(
            table, ends, np.array(starts, np.int64), bounds, longest, states, slots, trans, final
        )
        if n >= 0:
            return from_tables(_classes(), trans[:n], final[:n])
        most_states *= 4


def _row(bound: Decimal | None, strict: bool) -> list[int]:
    """A bound that is not below zero, as `numbers_between` has it."""
    row = [0] * BOUND_WORDS
    if bound is None or bound < 0:
        return row
    bound = bound.copy_abs()  # -0 is 0
    row[HAS], row[STRICT], row[ZERO] = 1, strict, bound == 0
    whole, _, part = format(bound, "f").partition(".")
    part = part.rstrip("0")
    digits = "".join(map(str, bound.as_tuple().digits)).strip("0")
    at = bound.adjusted() if digits else 0
    power = str(abs(at)).lstrip("0")
    row[WHOLE], row[PART], row[DIGITS], row[POWER] = map(len, (whole, part, digits, power))
    row[SIGN] = at
    return row + [int(digit) for digit in whole + part + digits + power]


@cache
def _classes() -> npt.NDArray[np.int64]:
    """Byte -> column."""
    classes = np.full(256, COLUMNS - 1, np.int64)
    for column, byte in enumerate(_COLUMN_BYTES):
        classes[byte] = column
    classes[ord("E")] = EXPONENT
    return classes


@lru_cache(maxsize=16)
def _table(texts: Texts) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_], int]:
    """Both automata as one, by columns; its ends; where the second one begins."""
    columns = list(_COLUMN_BYTES)
    tables = []
    offset = 0
    for dfa in (texts.free, texts.bounded):
        assert dfa.classes[ord("e")] == dfa.classes[ord("E")]
        trans = dfa.trans[:, dfa.classes[columns]]
        tables.append(np.where(trans > 0, trans + offset, 0))
        offset += dfa.n_states
    ends = np.concatenate((texts.free.final, texts.bounded.final))
    return np.concatenate(tables).astype(np.int32), ends, texts.free.n_states + 1


def _texts(after: dict[int, dict[int, int]], ends: list[int]) -> ByteDFA:
    """The automaton whose state ``q`` is followed by ``after[q][column]``."""
    trans = np.zeros((len(after) + 1, COLUMNS), np.int32)
    for q, steps in after.items():
        for column, to in steps.items():
            trans[q, column] = to
    final = np.zeros(len(trans), np.bool_)
    final[ends] = True
    return from_tables(_classes(), trans, final)


@cache
def json_texts(exponent: bool = True) -> Texts:
    """The texts of JSON, those with an exponent or without."""
    return Texts(_unsigned(False, exponent), _unsigned(True, exponent))


def _unsigned(one_digit: bool, exponent: bool) -> ByteDFA:
    """Texts without a sign; ``one_digit``: with an exponent there is one digit, not 0, before the point."""
    any_digit = range(10)
    lone, lone_point, lone_part = 9, 10, 11  # one digit before the point
    start, zero, whole, point, part, e, sign, power = range(1, 9)
    first = lone if one_digit else whole
    with_exponent = {EXPONENT: e} if exponent else {}
    others = {} if one_digit else with_exponent
    after = {
        start: {0: zero, **dict.fromkeys(any_digit[1:], first)},
        zero: {POINT: point, **others},
        whole: {**dict.fromkeys(any_digit, whole), POINT: point, **others},
        point: dict.fromkeys(any_digit, part),
        part: {**dict.fromkeys(any_digit, part), **others},
        e: {**dict.fromkeys(any_digit, power), PLUS: sign, MINUS: sign},
        sign: dict.fromkeys(any_digit, power),
        power: dict.fromkeys(any_digit, power),
        lone: {**dict.fromkeys(any_digit, whole), POINT: lone_point, **with_exponent},
        lone_point: dict.fromkeys(any_digit, lone_part),
        lone_part: {**dict.fromkeys(any_digit, lone_part), **with_exponent},
    }
    return _texts(after, [zero, whole, part, power, lone, lone_part])


@cache
def _naturals() -> Texts:
    """Digits alone."""
    after = {1: {0: 2, **dict.fromkeys(range(1, 10), 3)}, 2: {}, 3: dict.fromkeys(range(10), 3)}
    digits = _texts(after, [2, 3])
    return Texts(digits, digits, minus_zero=False)


@lru_cache(maxsize=_KEPT)
def exponent_range(lo: int | None, hi: int | None) -> ByteDFA:
    """``e`` or ``E`` and an exponent from ``lo`` to ``hi``, with a sign or without, zeros in front or not.

    None is no bound; empty when ``lo`` is above ``hi``.
    """
    if lo is not None and hi is not None and lo > hi:
        return empty_language()
    zeros = star(literal(b"0"))
    parts = []
    if hi is None or hi >= 0:
        plus = union(literal(b""), literal(b"+"))
        parts.append(concat(plus, zeros, integer_range(0 if lo is None else max(lo, 0), hi)))
    if lo is None or lo <= 0:
        low = 0 if hi is None else max(0, -hi)
        parts.append(concat(literal(b"-"), zeros, integer_range(low, None if lo is None else -lo)))
    return concat(from_strings([b"e", b"E"]), union(*parts))
