"""What a reading knows of the arrays in it whose items differ; see `distinct`.

A text of n items has n sets of values that have come, each with one value more. They are one list, of which a
place in it stands for what comes before; so an item costs its value and no copy of the others.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from itertools import islice
from typing import NamedTuple

from .json_values import DIFFERS, Value, compare, without_spelling

MOST_RIVALS = 32
NO_ITEM = -1


class Used:
    """The values of an array's items so far. One object for each sequence of values; they share one list.

    values, places : of this and longer sequences; place of each value, by its text
    """

    __slots__ = ("_longer", "places", "size", "values")

    def __init__(self, values: list[Value], places: dict[bytes, int], size: int) -> None:
        self.values = values
        self.places = places
        self.size = size
        self._longer: dict[bytes, Used] = {}

    def __contains__(self, value: Value) -> bool:
        return self.places.get(value.text, self.size) < self.size

    def __iter__(self) -> Iterator[Value]:
        return islice(self.values, self.size)

    def with_value(self, value: Value) -> Used:
        """The sequence with one value more."""
        found = self._longer.get(value.text)
        if found is None:
            values, places = self.values, self.places
            if len(values) > self.size:  # another value has come in this place
                values = values[: self.size]
                places = {one.text: i for i, one in enumerate(values)}
            places[value.text] = self.size
            values.append(value)
            found = self._longer[value.text] = Used(values, places, self.size + 1)
        return found


DIFFERENT, A_REPEAT, NOTHING = range(3)
"""What an array asks of its items: that they differ, that two are equal, or nothing, since two are."""


class Open(NamedTuple):
    """An array that is open.

    used : the values of its items so far
    begins : where the item being written begins in the text
    rivals : of ``used``, what that item can still become equal to; None: not looked for, or too many to keep
    asks : what it asks of its items
    most : where two have to be equal, the largest number of items
    """

    used: Used
    begins: int
    rivals: tuple[Value, ...] | None = None
    asks: int = DIFFERENT
    most: int | None = None

    @property
    def is_last(self) -> bool:
        """The item being written is the last that can come, and none has come twice: it has to."""
        if self.asks != A_REPEAT or self.begins == NO_ITEM or self.most is None:
            return False
        return self.used.size >= self.most - 1


_HAS_A_REPEAT = Open(Used([], {}, 0), NO_ITEM, None, NOTHING)


class Reading(NamedTuple):
    """One reading of a text.

    state : of the marked copy
    text : what is written since the outermost item began that is still open
    arrays : those that are open, the outermost first
    """

    state: int
    text: bytes
    arrays: tuple[Open, ...]


def same_but_for_spelling(one: Reading) -> Hashable:
    """What readings have in common that differ in their spelling alone."""
    items = tuple(
        (
            array.used,
            array.asks,
            array.most,
            without_spelling(one.text[array.begins :]) if array.begins != NO_ITEM else None,
        )
        for array in one.arrays
    )
    return one.state, items


def threats_of(array: Open, text: bytes) -> list[tuple[Value, tuple[bytes, ...] | None]]:
    """The values that the item being written can still become equal to, each with what `compare` says."""
    part = text[array.begins :]
    found: list[tuple[Value, tuple[bytes, ...] | None]] = []
    rivals = array.used if array.rivals is None else array.rivals
    if part[:1] == b'"' and b"\\" not in part:
        for value in rivals:
            if value.spelled is not None and value.spelled.startswith(part):
                found.append((value, (value.spelled[len(part) :],)))
        return found
    for value in rivals:
        result, rests = compare(part, value.tree)
        if result != DIFFERS:
            found.append((value, rests))
    return found


def in_a_scalar(readings: frozenset[Reading]) -> Reading | None:
    """The only reading, if it is inside a string or number of one array, the items of which differ."""
    if len(readings) == 1:
        (one,) = readings
        if len(one.arrays) == 1 and one.arrays[0].asks == DIFFERENT and one.arrays[0].begins != NO_ITEM:
            part = one.text[one.arrays[0].begins :]
            if _PLAIN_STRING.fullmatch(part) or _NUMBER.fullmatch(part):
                return one
    return None


def ending_of(array: Open, text: bytes, data: bytes) -> tuple[bytes, bytes]:
    """A token cut where the string or number that is being written ends; nothing behind where more matters.

    Values that have not come yet are all alike, as far as no next item is compared with them.
    """
    part = text[array.begins :]
    if part[:1] == b'"':
        head, quote, tail = data.partition(b'"')
        if not quote or b"\\" in head or tail.count(b'"') > tail.endswith(b'"'):
            return b"", b""
        whole = part + head + quote
        rivals = array.used if array.rivals is None else array.rivals
        return head, b"" if any(value.spelled == whole for value in rivals) else quote + tail
    number = _NUMBER.match(part + data)
    assert number is not None, part
    head, tail = data[: number.end() - len(part)], data[number.end() - len(part) :]
    if not tail or tail.strip(b" \t\n\r,]}") or not number[0][-1:].isdigit():
        return b"", b""
    return head, b"" if Value(number[0]) in array.used else tail


_PLAIN_STRING = re.compile(rb'"[^"\\]*')
_NUMBER = re.compile(rb"-?[0-9][-+.eE0-9]*")


def with_item(array: Open, value: Value) -> Open | None:
    """The array after an item; None when it cannot have this one."""
    if value not in array.used:
        used = array.used.with_value(value)
        full = array.asks == A_REPEAT and array.most is not None and used.size >= array.most
        return None if full else array._replace(used=used, begins=NO_ITEM, rivals=None)
    return _HAS_A_REPEAT if array.asks == A_REPEAT else None


def with_rivals(array: Open, text: bytes) -> Open:
    """The array with what is left of its rivals after a text."""
    if array.begins == NO_ITEM or array.rivals == () or (array.asks == A_REPEAT and not array.is_last):
        return array
    left = tuple(value for value, _ in threats_of(array, text))
    return array._replace(rivals=left if len(left) <= MOST_RIVALS else None)
