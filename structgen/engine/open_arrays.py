"""What a reading knows of the arrays in it whose items differ; see `distinct`.

A text of n items has n sets of values that have come, each with one value more. They are one list, of which a
place in it stands for what comes before; so an item costs its value and no copy of the others.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import islice
from typing import NamedTuple

from .json_values import DIFFERS, Value, compare, middle, open_scalar, without_spelling

MOST_RIVALS = 32
MANY = 1 << 16  # strings of a certain length; `distinct` holds them for more than come before
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


class Bare(Used):
    """In place of values, what is known of that of the next item (see `bare_readings`).

    after : what is known after that item
    """

    __slots__ = ("after",)

    def __init__(self, size: int, after: Bare | None = None) -> None:
        super().__init__([], {}, size)
        self.after = self if after is None else after


DOUBTFUL = Bare(1)  # an item has come that may be equal to one before it
ANY = Bare(1, DOUBTFUL)  # it may be equal to one before it
NEW = Bare(1, ANY)
FIRST = Bare(0, ANY)

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


Threat = tuple[Value, tuple[bytes, ...] | None]


def threats_of(array: Open, text: bytes) -> list[Threat]:
    """The values that the item being written, or the next, can become equal to, with what `compare` says."""
    part = text[array.begins :] if array.begins != NO_ITEM else b""
    found: list[Threat] = []
    rivals = array.used if array.rivals is None else array.rivals
    if not part:
        return [(value, None if value.spelled is None else (value.spelled,)) for value in rivals]
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


def bare_of(one: Reading, item: Bare | None = None) -> Reading:
    """The reading without values and text, as it is where an array has to have a repeat.

    Of the text is left what it ends in the middle of. ``item``: what is taken to be known of the next item.
    """
    if all(array.asks == NOTHING for array in one.arrays) or _is_one_by_one(one):
        return one
    has_text = any(NO_ITEM != array.begins < len(one.text) for array in one.arrays)
    text = middle(one.text) if has_text else b""
    arrays = []
    for array in one.arrays:
        used, begins = array.used, array.begins
        if array.asks == DIFFERENT and item is not None and used.size:
            used = item
        elif array.asks == DIFFERENT and not isinstance(used, Bare):
            used = _bare_used(array, one.text)
        if begins != NO_ITEM:
            begins = 0 if begins < len(one.text) else len(text)
        arrays.append(Open(used, begins, None, array.asks, array.most))
    return Reading(one.state, text, tuple(arrays))


def is_bare(one: Reading) -> bool:
    """Values are left out of it."""
    return any(isinstance(array.used, Bare) for array in one.arrays)


def _is_one_by_one(one: Reading) -> bool:
    return any(array.asks == A_REPEAT or array.used.size > MANY // 2 for array in one.arrays)


def _bare_used(array: Open, text: bytes) -> Bare:
    """NEW where it is known how an item has to go on to be one that has come: such tokens are asked apart."""
    if not array.used.size:
        return FIRST
    return ANY if any(rests is None for _, rests in threats_of(array, text)) else NEW


def passes_no_mark(one: Reading, data: bytes) -> bool:
    """Between these bytes no array or item begins or ends."""
    if not one.arrays:
        return b"[" not in data
    if b'"' in data or any(array.asks == A_REPEAT for array in one.arrays):
        return False
    return open_scalar(one.text) == "string"


def with_item(array: Open, text: bytes) -> Open | None:
    """The array after an item of this text; None when it cannot have this one."""
    if isinstance(array.used, Bare):
        return array._replace(used=array.used.after, begins=NO_ITEM, rivals=None)
    value = Value(text)
    if value not in array.used:
        used = array.used.with_value(value)
        full = array.asks == A_REPEAT and array.most is not None and used.size >= array.most
        return None if full else array._replace(used=used, begins=NO_ITEM, rivals=None)
    return _HAS_A_REPEAT if array.asks == A_REPEAT else None


def with_rivals(array: Open, text: bytes) -> Open:
    """The array with what is left of its rivals after a text."""
    if array.begins == NO_ITEM or array.rivals == () or isinstance(array.used, Bare):
        return array
    if array.asks == A_REPEAT and not array.is_last:
        return array
    left = tuple(value for value, _ in threats_of(array, text))
    return array._replace(rivals=left if len(left) <= MOST_RIVALS else None)
