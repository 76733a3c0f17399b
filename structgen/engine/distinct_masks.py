"""Masks of a grammar with arrays whose items differ; see `distinct`.

Outside of such arrays a mask is the plain copy's, but for tokens that begin one and go on past its first
item. Inside, most tokens have a verdict that does not depend on the values that have come (`bare_readings`),
which is found once for all texts. What is read with the values, for each text, are the tokens that lead along
an item before this one, and the few whose verdict depends on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from .bare_readings import DEPENDS, NO, YES, BareReadings
from .json_values import DIFFERS, compare
from .open_arrays import (
    A_REPEAT,
    ANY,
    DIFFERENT,
    FIRST,
    NEW,
    NO_ITEM,
    Open,
    Reading,
    Threat,
    is_bare,
    threats_of,
)
from .token_sets import TokenSets, tokens_of

if TYPE_CHECKING:
    from ..vocab.vocabulary import Vocabulary
    from .distinct import DistinctArena, Lost, Readings

Threatened = tuple[Open, bytes, list[Threat]]
"""An array, a reading's text, and `threats_of` these."""
NOT_ONE_ROW = -1
_BRACKET = ord("]")
_COMMA = ord(",")


class Verdicts(NamedTuple):
    """What becomes of the tokens that the plain copy takes.

    row : number of a mask's row, with those that are allowed whatever the values, and ``inside``
    asked : those that depend on the values
    inside : those that stay in an item and depend on the values, if they can lead to one that has come
    """

    row: int
    asked: list[int]
    inside: list[int]


class DistinctMasks:
    """What masks of one grammar have in common.

    repeats : some arrays have to have two equal items
    """

    def __init__(self, arena: DistinctArena, vocabulary: Vocabulary, repeats: bool) -> None:
        self._arena = arena
        self._bare = BareReadings(arena)
        self._outside: dict[int, int] = {}  # by the number of the plain copy's row
        self._verdicts: dict[tuple[int, int, bool], Verdicts] = {}
        self._tokens = TokenSets.of(vocabulary)
        self._tokens.prepare()
        self.data = self._tokens.data
        self._second = b",]" if repeats else b","  # goes on past an item

    def __len__(self) -> int:
        return len(self._bare)

    def row(self, plain: int, readings: Readings, lost: Lost) -> int:
        """The number of the row with the mask after these readings."""
        arena = self._arena
        if not lost and not any(one.arrays for one in readings):
            return self._row_outside(plain, readings)
        row, asked, inside = self._of_bare(plain, self._bare.begin(readings), not lost)
        threatened = [
            (array, one.text, threats_of(array, one.text))
            for one in readings
            if not any(array.asks == A_REPEAT for array in one.arrays)
            for array in one.arrays
            if array.asks == DIFFERENT and array.used.size
        ]
        asked = asked + [token for token in inside if self._is_threatened(threatened, token)]
        along = _among(arena.plain_row(plain), self._along_some(threatened))
        if along:
            asked += self._not_at_ease(readings, along)
        stops = arena.is_whole(readings)
        if not asked and not stops:
            return row
        mask = self._asked(readings, asked, arena.rows[row])
        return arena.put_row(mask | arena.tables.stops if stops else mask)

    def _row_outside(self, plain: int, readings: Readings) -> int:
        """The row where no such array is open: few tokens begin one and go on past its first item."""
        arena = self._arena
        number = arena.plain_row_number(plain)
        known = self._outside.get(number)
        if known is not None and known != NOT_ONE_ROW:
            return known
        mask = arena.plain_row(plain)
        doubtful = mask & self._tokens.with_some(self._second, after=b"[")
        if known is None:
            known = self._outside[number] = NOT_ONE_ROW if doubtful.any() else arena.put_row(mask)
            if known != NOT_ONE_ROW:
                return known
        for one in readings:
            doubtful &= ~arena.marked_row(one.state)
        if doubtful.any():
            yes, no, depends = self._sorted(self._bare.begin(readings), tokens_of(doubtful))
            mask = self._changed(mask, yes, no)
            if depends:
                mask = self._asked(readings, depends, mask)
        return arena.put_row(mask)

    def _asked(
        self, readings: Readings, tokens: Iterable[int], mask: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """The mask after tokens have been read one by one."""
        arena = self._arena
        walked = {b"": readings}
        known: dict[Readings, bool] = {}
        found: tuple[list[int], list[int]] = ([], [])
        for token in dict.fromkeys(tokens):
            if token in arena.symbol_of_token:
                alive = arena.special_alive(readings, token)
            else:
                after = self._walk(walked, self.data(token))
                if after not in known:
                    known[after] = arena.can_any_be_finished(after)
                alive = known[after]
            found[alive].append(token)
        return self._changed(mask, found[True], found[False])

    def _changed(
        self, mask: npt.NDArray[np.int32], allowed: list[int], refused: list[int]
    ) -> npt.NDArray[np.int32]:
        """The mask with tokens set and cleared, and those that are spelled like them."""
        bits = np.unpackbits(mask.view(np.uint8), bitorder="little")
        bits[refused] = 0
        bits[allowed] = 1
        aliases = self._arena.tables.aliases
        bits[aliases[:, 1]] = bits[aliases[:, 0]]
        return np.packbits(bits, bitorder="little").view(np.int32)

    def _walk(self, walked: dict[bytes, Readings], data: bytes) -> Readings:
        """The readings after some bytes; ``walked`` has those after the beginnings that were met before."""
        known = len(data)
        while data[:known] not in walked:
            known -= 1
        readings = walked[data[:known]]
        for i in range(known, len(data)):
            readings = self._arena.after_byte(readings, data[i]) if readings else readings
            walked[data[: i + 1]] = readings
        return readings

    # ------------------------------------------------------------------------------------- without the values

    def _of_bare(self, plain: int, number: int, all_read: bool) -> Verdicts:
        """The verdicts on all tokens after a set of bare readings and a state of the plain copy.

        all_read : the plain copy has no other readings
        """
        key = (plain, number, all_read)
        known = self._verdicts.get(key)
        if known is None:
            known = self._verdicts[key] = self._judge(*key)
        return known

    def _judge(self, plain: int, bare: int, all_read: bool) -> Verdicts:
        arena = self._arena
        most = arena.plain_row(plain) & ~arena.tables.stops
        mask, bound = np.zeros_like(most), np.zeros_like(most)
        asked: list[int] = []
        inside: set[int] = set()
        readings = self._bare.readings(bare)
        for one in readings:
            row = arena.marked_row(one.state) & most
            if last := [array for array in one.arrays if array.is_last]:
                bound |= row
                asked += self._last(last[-1], one, row)
            else:
                mask |= row
        ending = most & ~mask & ~bound
        if all_read and all(array.used in (NEW, FIRST) for one in readings for array in one.arrays):
            # An item that is new may end, and whatever is around it, too. Another one takes a comma.
            mask |= ending & ~self._tokens.with_some(self._second)
            ending &= self._tokens.with_some(self._second)
        asked += tokens_of(ending)
        for one in readings:
            row = arena.marked_row(one.state) & mask
            for array in one.arrays:
                ends = set()
                if array.begins == NO_ITEM and array.asks == A_REPEAT:
                    ends.add(_BRACKET)  # It may not end yet.
                if array.begins == NO_ITEM and array.asks == DIFFERENT and array.used.size:
                    ends.add(_COMMA)  # It asks for one more item; white space changes nothing.
                if ends:
                    asked += [token for token in tokens_of(row) if not ends.isdisjoint(self.data(token))]
                if array.asks == DIFFERENT and array.begins != NO_ITEM and _can_be_equal(array, one):
                    inside.update(tokens_of(row))
        yes, no, depends = self._sorted(bare, asked)
        inside.difference_update(asked)
        yes_within, no_within, within = self._sorted(bare, sorted(inside - self._as_one(bare, inside)))
        mask = self._changed(mask, yes + yes_within + within, no + depends + no_within)
        if any(array.used is NEW and array.begins == NO_ITEM for one in readings for array in one.arrays):
            depends += self._not_at_ease(readings, tokens_of(mask & self._tokens.commas()))
        return Verdicts(arena.put_row(mask), depends, within)

    def _as_one(self, number: int, inside: set[int]) -> set[int]:
        """The tokens of white space, if one can be finished whatever the values, as then all of them can."""
        readings = self._bare.readings(number)
        blank = inside & self._tokens.blank
        if not blank or len(readings) > 1:
            return set()
        (one,) = readings
        if not is_bare(one) or one.text[:1] == b'"':
            return set()
        return blank if self._bare.verdict(number, self.data(min(blank))) == YES else set()

    def _sorted(self, number: int, tokens: Iterable[int]) -> tuple[list[int], list[int], list[int]]:
        """The tokens on which the verdict is yes, no, and that it depends on the values."""
        found: dict[int, list[int]] = {YES: [], NO: [], DEPENDS: []}
        for token in dict.fromkeys(tokens):
            special = token in self._arena.symbol_of_token
            found[DEPENDS if special else self._bare.verdict(number, self.data(token))].append(token)
        return found[YES], found[NO], found[DEPENDS]

    # ----------------------------------------------------------------------------------------------- threats

    def _not_at_ease(self, readings: Readings, tokens: Iterable[int]) -> list[int]:
        """Those of some tokens that depend on the values where the next item may be one before it."""
        number = self._bare.begin(readings, ANY)
        return [t for t in dict.fromkeys(tokens) if self._bare.verdict(number, self.data(t)) != YES]

    def _is_threatened(self, arrays: list[Threatened], token: int) -> bool:
        """After the token, which stays in an item, that can still become equal to one before it."""
        data = self.data(token)
        return any(
            compare(text[array.begins :] + data, value.tree)[0] != DIFFERS
            for array, text, threats in arrays
            if array.begins != NO_ITEM
            for value, _ in threats
        )

    def _last(self, array: Open, one: Reading, row: npt.NDArray[np.int32]) -> list[int]:
        """The tokens of ``row`` after which the item can still become equal to one before it."""
        threats = threats_of(array, one.text)
        if any(rests is None for _, rests in threats):
            return [
                token for token in tokens_of(row) if self._is_threatened([(array, one.text, threats)], token)
            ]
        return _among(row, self._along_some([(array, one.text, threats)]))

    def _along_some(self, threatened: list[Threatened]) -> list[int]:
        """The tokens after which an item can still become, or is, one before it, where it is known how."""
        found: list[int] = []
        rests = {
            (rest, array.begins == NO_ITEM)
            for array, _, threats in threatened
            for _, rests in threats
            for rest in rests or ()
        }
        for rest, is_next in rests:
            if is_next:
                found += self._tokens.spaced_along(rest)
            else:
                found += self._tokens.along(rest)
                found += self._tokens.escaped_along(rest)
        return found


def _among(row: npt.NDArray[np.int32], tokens: list[int]) -> list[int]:
    return [token for token in tokens if row[token >> 5] >> (token & 31) & 1]


def _can_be_equal(array: Open, one: Reading) -> bool:
    return array.used is ANY if is_bare(one) else bool(threats_of(array, one.text))
