"""The loop that makes the automaton of the texts of numbers between two bounds.

Which texts count at all, value aside, an automaton of unsigned texts says; here their value is compared with
the bounds while they are read. A state is that automaton's, and how the digits so far compare with each
bound's: as a plain decimal, and as a mantissa of which an exponent is still to come.
"""

from __future__ import annotations

import numpy as np

from ..jit import jit_allocating
from .kernels_make import mix

# Columns: digits first.
POINT, EXPONENT, PLUS, MINUS, COLUMNS = 10, 11, 12, 13, 15

# Of a bound: whether there is one, whether its own value is outside, whether it is zero; its whole part, the
# digits after the point, all its digits, each with its length; the exponent of the first digit, and that
# exponent's own digits.
HAS, STRICT, ZERO, WHOLE, PART, DIGITS, SIGN, POWER = range(8)
BOUND_WORDS = 8  # words that lead a bound's row, then the digits of the four

# The fields of a state: shift and bits.
_PHASE, _MINUS, _AWAY, _N = 0, 2, 3, 4  # n: 16 bits
_PLAIN, _MANTISSA, _SIZE = 20, 24, 28  # two bits for each side
_TEXT = 32
LESS, SAME, MORE = 0, 1, 2
_ALL_SAME = SAME << _PLAIN | SAME << (_PLAIN + 2) | SAME << _MANTISSA | SAME << (_MANTISSA + 2)
_NO_SIZE = SAME << _SIZE | SAME << (_SIZE + 2)
IN_WHOLE, IN_PART, IN_EXPONENT = 0, 1, 2


@jit_allocating
def _compared(before: int, digit: int, bounds: np.ndarray, b: int, at: int, n: int, length: int) -> int:
    """How a text compares with a bound's digits after one more digit, at place ``n``; zeros follow."""
    if before != SAME:
        return before
    other = bounds[b, at + n] if n < length else 0
    return LESS if digit < other else MORE if digit > other else SAME


@jit_allocating
def _plain(bounds: np.ndarray, b: int, phase: int, n: int, before: int) -> int:
    """How the whole parts compare when the text's has ended, or (in the part behind it) the whole numbers."""
    if phase == IN_WHOLE:
        return LESS if n < bounds[b, WHOLE] else MORE if n > bounds[b, WHOLE] else before
    return before


@jit_allocating
def _value(bounds: np.ndarray, b: int, state: int, side: int) -> int:
    """How the number that ends in this state compares with a bound."""
    phase = state >> _PHASE & 3
    n = state >> _N & 0xFFFF
    if phase != IN_EXPONENT:
        plain = _plain(bounds, b, phase, n, state >> (_PLAIN + 2 * side) & 3)
        if plain == SAME and (0 if phase == IN_WHOLE else n) < bounds[b, PART]:
            return LESS
        return plain
    mantissa = state >> (_MANTISSA + 2 * side) & 3
    if bounds[b, ZERO]:
        return mantissa
    away = (state >> _AWAY & 1) != 0 and n > 0  # below zero
    if away != (bounds[b, SIGN] < 0):
        return LESS if away else MORE
    size = LESS if n < bounds[b, POWER] else MORE if n > bounds[b, POWER] else state >> (_SIZE + 2 * side) & 3
    if size == SAME:
        return mantissa
    return MORE if (size == MORE) != away else LESS


@jit_allocating
def _after(bounds: np.ndarray, longest: int, state: int, column: int) -> int:
    """The state after one more byte, the text's own automaton aside."""
    phase = state >> _PHASE & 3
    sign = state >> _MINUS & 1
    n = state >> _N & 0xFFFF
    if column in (POINT, EXPONENT):
        for side in range(2):
            b = 2 * sign + side
            plain = state >> (_PLAIN + 2 * side) & 3
            mantissa = state >> (_MANTISSA + 2 * side) & 3
            if column == POINT:
                plain = _plain(bounds, b, phase, n, plain) if bounds[b, HAS] else SAME
            else:
                plain = SAME
                if mantissa == SAME and n + (phase == IN_PART) < bounds[b, DIGITS]:
                    mantissa = LESS
            state &= ~(3 << (_PLAIN + 2 * side) | 3 << (_MANTISSA + 2 * side))
            state |= plain << (_PLAIN + 2 * side) | mantissa << (_MANTISSA + 2 * side)
        state &= ~(3 << _PHASE | 0xFFFF << _N)
        return state | (IN_PART if column == POINT else IN_EXPONENT)
    if column == PLUS:
        return state
    if column == MINUS:
        return state | 1 << _AWAY
    if phase == IN_EXPONENT and n == 0 and column == 0:
        return state
    decided = True
    for side in range(2):
        b = 2 * sign + side
        if not bounds[b, HAS]:
            continue
        plain = state >> (_PLAIN + 2 * side) & 3
        mantissa = state >> (_MANTISSA + 2 * side) & 3
        size = state >> (_SIZE + 2 * side) & 3
        at = BOUND_WORDS
        if phase == IN_WHOLE and n < bounds[b, WHOLE]:
            plain = _compared(plain, column, bounds, b, at, n, bounds[b, WHOLE])
        at += bounds[b, WHOLE]
        if phase == IN_PART:
            plain = _compared(plain, column, bounds, b, at, n, bounds[b, PART])
        at += bounds[b, PART]
        if phase != IN_EXPONENT:
            mantissa = _compared(mantissa, column, bounds, b, at, n + (phase == IN_PART), bounds[b, DIGITS])
            if phase == IN_WHOLE and n > 0 and not bounds[b, ZERO]:
                mantissa = MORE  # there will be no exponent
        at += bounds[b, DIGITS]
        if phase == IN_EXPONENT and n < bounds[b, POWER]:
            size = _compared(size, column, bounds, b, at, n, bounds[b, POWER])
        state &= ~(3 << (_PLAIN + 2 * side) | 3 << (_MANTISSA + 2 * side) | 3 << (_SIZE + 2 * side))
        state |= (
            plain << (_PLAIN + 2 * side) | mantissa << (_MANTISSA + 2 * side) | size << (_SIZE + 2 * side)
        )
        decided = decided and plain != SAME and mantissa != SAME
    n = longest if phase == IN_PART and decided else min(n + 1, longest)
    return state & ~(0xFFFF << _N) | n << _N


@jit_allocating
def numbers_between(
    texts: np.ndarray,
    ends: np.ndarray,
    starts: np.ndarray,
    bounds: np.ndarray,
    longest: int,
    states: np.ndarray,
    slots: np.ndarray,
    trans: np.ndarray,
    final: np.ndarray,
) -> int:
    """The automaton of the numbers between bounds, in ``trans`` and ``final``; state 1 is the first.

    texts : int32[n, COLUMNS], ends : bool[n], unsigned texts that count
    starts : int64[2], where those of numbers without and with a sign begin in them; 0: there are none
    bounds : int64[4, *], below and above numbers without sign, then those of numbers with one
    longest : digits, more than any bound has
    states : int64[most], slots : int64[a power of 2, twice as many], zeros
    trans : int32[most, COLUMNS], zeros; final : bool[most]
    Returns the number of states, the dead one included; -1 when there are more than fit.
    """
    first = starts[0] << _TEXT | _ALL_SAME | _NO_SIZE
    minus = starts[1] << _TEXT | _ALL_SAME | _NO_SIZE | 1 << _MINUS
    states[1] = first
    n = 2
    done = 1
    mask = np.uint64(slots.shape[0] - 1)
    while done < n:
        state = states[done]
        text = state >> _TEXT
        sign = state >> _MINUS & 1
        if ends[text]:
            inside = True
            for side in range(2):
                b = 2 * sign + side
                if bounds[b, HAS]:
                    value = _value(bounds, b, state, side)
                    beyond = LESS if side == 0 else MORE
                    if value == beyond or (value == SAME and bounds[b, STRICT]):
                        inside = False
            final[done] = inside
        for column in range(COLUMNS):
            if done == 1 and column == MINUS:
                if starts[1] == 0:
                    continue
                to = minus
            else:
                following = np.int64(texts[text, column])
                if following == 0:
                    continue
                to = _after(bounds, longest, state & ((1 << _TEXT) - 1), column) | following << _TEXT
            slot = np.int64(mix(to) & mask)
            while slots[slot] != 0 and states[slots[slot]] != to:
                slot = (slot + 1) % slots.shape[0]
            if slots[slot] == 0:
                if n == states.shape[0]:
                    return -1
                states[n] = to
                slots[slot] = n
                n += 1
            trans[done, column] = slots[slot]
        done += 1
    return n
