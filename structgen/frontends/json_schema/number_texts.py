"""Decimal texts of numbers between bounds, and of multiples.

A number without bounds is any JSON number. With bounds, or as a multiple, it is written as a plain decimal,
or with an exponent as json.dumps writes it: one digit other than zero before the point, and the exponent's
sign. General exponents would need an automaton that weighs digits against the exponent, which none can.

An integer is written plainly, without point or exponent.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np

from ...automata import ByteDFA
from ...errors import LimitExceededError
from ...regex import (
    compile_match,
    concat,
    difference,
    from_strings,
    from_tables,
    integer_range,
    intersect,
    literal,
    parse_ecma,
    union,
)
from .scalars import Number, NumberSet

MAX_RESIDUES = 100_000


@lru_cache(maxsize=512)
def pattern(text: str) -> ByteDFA:
    """The bytes that a pattern matches as a whole."""
    return compile_match(parse_ecma(text))


def json_number() -> ByteDFA:
    """Every JSON number."""
    return pattern(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def json_integer() -> ByteDFA:
    """Integers as plain digits."""
    return pattern(r"-?(?:0|[1-9][0-9]*)")


@lru_cache(maxsize=1024)
def text_of(one: NumberSet) -> ByteDFA:
    """The texts of a set of numbers."""
    if one.values is not None:
        return from_strings([text.encode() for _, texts in one.values for text in texts])
    bounded = one.low is not None or one.high is not None
    if one.integer:
        assert not isinstance(one.low, Fraction)
        assert not isinstance(one.high, Fraction)
        found = integer_range(one.low, one.high) if bounded else json_integer()
    elif one.integer is False:
        found = difference(pattern("-?" + _NATURAL + _FRACTION), pattern(rf"-?{_NATURAL}(?:\.0+)?"))
        if bounded:
            found = intersect(found, _between(one))
    else:
        found = _between(one) if bounded else json_number()
    for divisor in one.multiples:
        found = intersect(found, _multiples(divisor))
    return found


_NATURAL = r"(?:0|[1-9][0-9]*)"
_FRACTION = r"(?:\.[0-9]+)?"


def _between(one: NumberSet) -> ByteDFA:
    """Texts of the numbers between two bounds, with either sign."""
    low, high = one.low, one.high
    parts = []
    if high is None or high >= 0:
        from_zero = low is None or low < 0
        parts.append(_positive(0 if from_zero else low, high, one.low_open and not from_zero, one.high_open))
    if low is None or low <= 0:
        to_zero = high is None or high > 0
        least = 0 if high is None or to_zero else -high
        most = None if low is None else -low
        mirrored = _positive(least, most, one.high_open and not to_zero, one.low_open)
        parts.append(concat(literal(b"-"), mirrored))
    return union(*parts)


def _positive(low: Number | None, high: Number | None, low_open: bool, high_open: bool) -> ByteDFA:
    """Texts without a sign of the numbers between two bounds that are not negative."""
    found = union(pattern(_NATURAL + _FRACTION), pattern(r"[1-9](?:\.[0-9]+)?[eE][+-]?[0-9]+"))
    if low:
        found = intersect(found, _beyond(low, low_open, above=True))
    elif low_open:
        found = difference(found, pattern(r"0(?:\.0+)?"))
    if high is not None:
        found = intersect(found, _beyond(high, high_open, above=False))
    return found


def _beyond(bound: Number, is_open: bool, *, above: bool) -> ByteDFA:
    """Texts without a sign of the numbers on one side of a bound that is not negative."""
    whole, digits = _digits(bound)
    other = integer_range(whole + 1, None) if above else integer_range(0, whole - 1)
    found = union(concat(other, pattern(_FRACTION)), _close_to(whole, digits, is_open, above))
    if not bound:
        return found
    power, scaled = 0, Fraction(bound)
    while scaled >= 10:
        power, scaled = power + 1, scaled / 10
    while scaled < 1:
        power, scaled = power - 1, scaled * 10
    digit, digits = _digits(scaled)
    other = integer_range(digit + 1, 9) if above else integer_range(1, digit - 1)
    mantissa = union(concat(other, pattern(_FRACTION)), _close_to(digit, digits, is_open, above))
    farther = _exponents(power + 1, None) if above else _exponents(None, power - 1)
    return union(
        found,
        concat(mantissa, _exponents(power, power)),
        concat(pattern(r"[1-9](?:\.[0-9]+)?"), farther),
    )


def _exponents(low: int | None, high: int | None) -> ByteDFA:
    """Exponents between two bounds, with the letter and any sign and leading zeros."""
    parts = []
    if high is None or high >= 0:
        least = 0 if low is None else max(low, 0)
        parts.append(concat(pattern(r"[eE]\+?0*"), integer_range(least, high)))
    if low is None or low <= 0:
        least = 0 if high is None or high > 0 else -high
        parts.append(concat(pattern(r"[eE]-0*"), integer_range(least, None if low is None else -low)))
    return union(*parts)


def _digits(bound: Number) -> tuple[int, str]:
    """The whole part of a decimal, and the digits after its point without zeros at the end."""
    whole = bound.__floor__()
    rest = bound - whole
    digits = ""
    while rest:
        rest *= 10
        digits += str(rest.__floor__())
        rest -= rest.__floor__()
    return whole, digits


def _close_to(whole: int, digits: str, is_open: bool, above: bool) -> ByteDFA:
    """Decimals with this whole part on one side of ``whole.digits``, the bound itself unless open."""
    if not digits:
        closed = r"(?:\.[0-9]+)?" if above else r"(?:\.0+)?"
        if is_open and not above:
            return integer_range(1, 0)
        return pattern(rf"{whole}\.[0-9]*[1-9][0-9]*" if is_open else rf"{whole}{closed}")
    branches = [] if above else [""]
    for i, digit in enumerate(digits):
        if above and digit != "9":
            branches.append(rf"\.{digits[:i]}[{int(digit) + 1}-9][0-9]*")
        if not above and digit != "0":
            branches.append(rf"\.{digits[:i]}[0-{int(digit) - 1}][0-9]*")
        if not above and i:
            branches.append(rf"\.{digits[:i]}")
    if above:
        branches.append(rf"\.{digits}[0-9]*[1-9][0-9]*" if is_open else rf"\.{digits}[0-9]*")
    elif not is_open:
        branches.append(rf"\.{digits}0*")
    return pattern(rf"{whole}(?:{'|'.join(branches)})")


@lru_cache(maxsize=256)
def _multiples(divisor: Number) -> ByteDFA:
    """Plain decimals that are multiples of a decimal number.

    With d = p / 10^k the automaton reads the number's digits up to the k-th after the point modulo p, and
    zeros from there. States: dead, start, sign, a lone leading zero, then the residues for the whole part,
    the point, and for each of the k places; at the end zeros only.
    """
    places, scaled = 0, Fraction(divisor)
    while scaled.denominator != 1:
        places, scaled = places + 1, scaled * 10
    p = int(scaled)
    if p * (places + 3) > MAX_RESIDUES:
        raise LimitExceededError(
            "max_dfa_states", MAX_RESIDUES, p * (places + 3), f"writing multipleOf {divisor}"
        )
    residues = np.arange(p)
    layer = [4 + i * p for i in range(places + 3)]
    # Layers: 0 whole part, 1 after the point, 2.. after each place; the one after the last place reads zeros.
    trans = np.zeros((4 + (places + 3) * p, 13), dtype=np.int32)
    classes = np.full(256, 12, dtype=np.int64)
    classes[ord("0") : ord("9") + 1] = np.arange(10)
    classes[ord("-")], classes[ord(".")] = 10, 11
    zero = 3
    trans[1, 10] = 2
    for state in (1, 2):
        trans[state, 0] = zero
        for digit in range(1, 10):
            trans[state, digit] = layer[0] + digit % p
    trans[zero, 11] = layer[1]
    for digit in range(10):
        trans[layer[0] + residues, digit] = layer[0] + (residues * 10 + digit) % p
        for place in range(places):
            trans[layer[1 + place] + residues, digit] = layer[2 + place] + (residues * 10 + digit) % p
    trans[layer[0] + residues, 11] = layer[1] + residues
    tail = layer[1 + places]
    closing = layer[2 + places]
    if places:
        trans[tail + residues, 0] = tail + residues
    else:
        trans[tail + residues, 0] = closing + residues
        trans[closing + residues, 0] = closing + residues
    final = np.zeros(len(trans), dtype=np.bool_)
    final[zero] = True
    for read in range(places + 1):
        # Digits that were not written are zeros.
        at = layer[0] if read == 0 else layer[1 + read]
        final[at + residues[(residues * pow(10, places - read)) % p == 0]] = True
    if not places:
        final[closing + residues[residues == 0]] = True
    return from_tables(classes, trans, final)
