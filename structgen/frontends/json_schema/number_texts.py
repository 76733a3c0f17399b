"""Texts of numbers: between bounds, whole, multiples.

A number without constraints is any JSON number. Constraints ask for its value, and an exponent moves the
point by an amount that no automaton can weigh against the digits (``1000...0e-9``). So a number that is
constrained is written in one of the *shapes* below. They have every value, and every text of json.dumps save
those of multiples past 10^16 with digits after the point:

- a plain decimal: ``-12``, ``1.50``
- whole digits with an exponent that is not negative: ``1e22``, ``120.0E+3``
- one digit other than zero before the point, and a negative exponent: ``1.5e-07``

Between bounds (`number_range`), with any exponent one digit other than zero stands before the point. Whole
numbers without bounds may have, beside the shapes, up to `MOST_DIGITS` digits after the point and an exponent
that makes them whole (``1.5e+300``), which is how json.dumps writes large ones. Where "plain" integers are
asked for, and in draft 4, which takes integers for a kind of text, they have neither point nor exponent.

After the point, and in front of an exponent's digits, there are at most `MOST_ZEROS` zeros in a row, in
numbers without constraints too. Nothing needs more: a float has 17 digits, and a smaller or longer number has
an exponent. But a small model that has written ``19.000`` goes on with zeros until it is cut off, as it does
with white space. And no exponent is above 308, the largest of a float: to most programs ``1e999`` is
infinite, and no number at all. Whole numbers can be written out, whatever their size.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from math import gcd

import numpy as np

from ...automata import ByteDFA
from ...errors import LimitExceededError
from ...regex import (
    Texts,
    compile_match,
    concat,
    difference,
    exponent_range,
    from_strings,
    from_tables,
    integer_range,
    intersect,
    json_texts,
    number_range,
    parse_ecma,
    union,
)
from .kept import kept
from .scalars import Number, NumberSet

MAX_RESIDUES = 100_000
MOST_DIGITS = 17  # after the point, of a whole number with an exponent: a float has no more
MOST_ZEROS = 16
_FEW = 4096  # states: the zeros of larger automata, those of multiples, are counted where they are made
_NATURAL = r"(?:0|[1-9][0-9]*)"


@lru_cache(maxsize=512)
def pattern(text: str) -> ByteDFA:
    """The bytes that a pattern matches as a whole."""
    return compile_match(parse_ecma(text))


def json_number() -> ByteDFA:
    """Every JSON number."""
    return _readable(pattern(rf"-?{_NATURAL}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"))


def _readable(numbers: ByteDFA) -> ByteDFA:
    """Those of the texts that have few zeros where these say nothing, and no exponent past a float's."""
    if numbers.n_states > _FEW:
        return numbers
    zeros = f"0{{0,{MOST_ZEROS}}}"
    upwards = r"(?:[1-9]?[0-9]|[12][0-9]{2}|30[0-8])"
    exponent = rf"[eE](?:\+?{zeros}{upwards}|-(?:{zeros}[1-9][0-9]*|{zeros}0))"
    found = intersect(numbers, pattern(rf"-?[0-9]+(?:\.(?:{zeros}[1-9])*{zeros})?(?:{exponent})?"))
    return numbers if found.is_empty else found


@cache
def json_integer(plain: bool) -> ByteDFA:
    """Numbers whose value is whole; ``plain``: as digits alone, one text for each."""
    if plain:
        return integer_range(None, None)
    parts = [_multiples_in_shapes(1), pattern(r"-?0(?:\.0+)?[eE]-[0-9]+")]
    for digits in range(1, MOST_DIGITS + 1):
        mantissa = pattern(rf"-?{_NATURAL}\.[0-9]{{{digits}}}0*")
        parts.append(concat(mantissa, exponent_range(digits, None)))
    return _readable(union(*parts))


@lru_cache(maxsize=1024)
def text_of(one: NumberSet, plain: bool, plain_values: bool = False) -> ByteDFA:
    """The texts of a set of numbers; ``plain``: whole numbers of a set of integers as digits alone.

    ``plain_values`` says the same of listed numbers.
    """
    if one.values is not None:
        listed = [_preferred(texts, plain_values) for _, texts in one.values]
        return from_strings([text.encode() for texts in listed for text in texts])
    if one.multiples or one.avoided or one.integer is False:
        return kept(ByteDFA, f"texts of {one}, {plain}", lambda: _text_of(one, plain))
    return _text_of(one, plain)


def _text_of(one: NumberSet, plain: bool) -> ByteDFA:
    if one.integer and plain:
        assert not isinstance(one.low, Fraction)
        assert not isinstance(one.high, Fraction)
        found = integer_range(one.low, one.high)
    elif one.is_bounded:
        found = _between(one, _whole_texts() if one.integer else _readable_texts())
        if found.is_empty and not one.integer:
            found = _between(one, json_texts())
    else:
        found = json_integer(False) if one.integer else json_number()
    if one.integer is False:
        found = intersect(found, difference(_shapes(), _multiples_in_shapes(1)))
    for divisor in one.multiples:
        found = intersect(found, _multiples_in_shapes(divisor))
    for divisor in one.avoided:
        found = intersect(found, difference(_shapes(), _multiples_in_shapes(divisor)))
    return found


def _between(one: NumberSet, texts: Texts) -> ByteDFA:
    """Those of the texts whose values are within a set's bounds."""
    low, high = _decimal(one.low), _decimal(one.high)
    return number_range(low, high, exclusive_lo=one.low_open, exclusive_hi=one.high_open, texts=texts)


@cache
def _readable_texts() -> Texts:
    """Those of JSON's texts without a sign that are `_readable`."""
    texts = json_texts()
    return Texts(_readable(texts.free), _readable(texts.bounded))


@cache
def _whole_texts() -> Texts:
    """Texts of whole numbers without a sign: a fraction of zeros, or an exponent, or neither."""
    texts = _readable(pattern(rf"{_NATURAL}(?:\.0+)?|[1-9](?:\.0+)?[eE](?:\+?[0-9]+|-0+)"))
    return Texts(texts, texts)


def _preferred(texts: tuple[str, ...], plain: bool) -> tuple[str, ...]:
    """Of the texts of one listed number, digits alone where these are preferred and there."""
    if not plain:
        return texts
    return tuple(text for text in texts if text.removeprefix("-").isdecimal()) or texts


def _decimal(bound: Number | None) -> Decimal | None:
    """A bound, which has finitely many digits, as a decimal."""
    if bound is None:
        return None
    exact, places = Fraction(bound), 0
    while exact.denominator != 1:
        exact, places = exact * 10, places + 1
    return Decimal((int(exact < 0), Decimal(abs(exact.numerator)).as_tuple().digits, -places))


@cache
def _shapes() -> ByteDFA:
    """Numbers in the shapes that constrained ones have."""
    shapes = union(
        pattern(rf"-?{_NATURAL}(?:\.[0-9]+)?"),
        concat(pattern(rf"-?{_NATURAL}(?:\.0+)?"), exponent_range(0, None)),
        concat(pattern(r"-?[1-9](?:\.[0-9]+)?"), exponent_range(None, -1)),
    )
    return _readable(shapes)


@lru_cache(maxsize=256)
def _multiples_in_shapes(divisor: Number) -> ByteDFA:
    """Multiples of p / 10^k in the shapes above.

    A whole m with exponent e is a multiple if and only if p divides m 10^(e + k): that is, m is a multiple of
    p / gcd(p, 10^(e + k)), which stays the same once e is large. With a negative exponent -e, the number
    before it has to be a multiple of p 10^e / 10^k, which a single digit before the point forbids past k.
    """
    places, scaled = 0, Fraction(divisor)
    while scaled.denominator != 1:
        places, scaled = places + 1, scaled * 10
    p = int(scaled)
    parts = [_plain_multiples(p, places)]
    exponent, left = 0, p // gcd(p, 10**places)
    while True:
        following = left // gcd(left, 10)
        mantissa = intersect(pattern(rf"-?{_NATURAL}(?:\.0+)?"), _plain_multiples(left, 0))
        parts.append(concat(mantissa, exponent_range(exponent, None if following == left else exponent)))
        if following == left:
            break
        exponent, left = exponent + 1, following
    single = pattern(r"-?[1-9](?:\.[0-9]+)?")
    for exponent in range(1, places + 1):
        mantissa = intersect(single, _plain_multiples(p, places - exponent))
        parts.append(concat(mantissa, exponent_range(-exponent, -exponent)))
    return union(*parts)


@lru_cache(maxsize=1024)
def _plain_multiples(p: int, places: int) -> ByteDFA:
    """Plain decimals that are multiples of p / 10^places.

    With k places the automaton reads the number's digits up to the k-th after the point modulo p, and
    zeros from there. States: dead, start, sign, a lone leading zero, then the residues for the whole part,
    the point, and for each of the k places; at the end zeros only, of which there are `MOST_ZEROS` at most.
    """
    states = max(p * (places + 3), places**3)  # There is an automaton for each exponent down to -places.
    if states > MAX_RESIDUES:
        divisor = f"{p}e-{places}" if places else str(p)
        raise LimitExceededError("max_dfa_states", MAX_RESIDUES, states, f"writing multiples of {divisor}")
    residues = np.arange(p)
    layer = [4 + i * p for i in range(places + 3)]
    # Layers: 0 whole part, 1 after the point, 2.. after each place; then the zeros that may follow.
    tail, closing = layer[1 + places], layer[2 + places]
    trans = np.zeros((closing + MOST_ZEROS, 13), dtype=np.int32)
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
    trans[tail, 0] = closing
    for i in range(closing, closing + MOST_ZEROS - 1):
        trans[i, 0] = i + 1
    final = np.zeros(len(trans), dtype=np.bool_)
    final[zero] = True
    for read in range(places + 1):
        # Digits that were not written are zeros.
        at = layer[0] if read == 0 else layer[1 + read]
        final[at + residues[(residues * pow(10, places - read, p)) % p == 0]] = True
    final[closing:] = True
    return from_tables(classes, trans, final)
