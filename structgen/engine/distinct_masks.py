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

from .bare_readings import DEPENDS, YES, BareReadings
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
from .token_sets import TokenSets, tokens_of, with_aliases

if TYPE_CHECKING:
    from ..vocab.vocabulary import Vocabulary
    from .distinct import DistinctArena, Lost, Readings

Threatened = tuple[Open, bytes, list[Threat]]
"""An array, a reading's text, and `threats_of` these."""
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
        self._verdicts: dict[tuple[int, int, bool], Verdicts] = {}
        self._tokens = TokenSets.of(vocabulary)
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
        open_arrays = [
            (array, one.text, threats_of(array, one.text))
            for one in readings
            if not any(array.asks == A_REPEAT for array in one.arrays)
            for array in one.arrays
            if array.asks == DIFFERENT and array.begins != NO_ITEM
        ]
        if inside:
            asked = asked + [token for token in inside if self._is_threatened(open_arrays, token)]
        rests = {rest for _, _, threats in open_arrays for _, rests in threats for rest in rests or ()}
        if rests:
            most = arena.plain_row(plain)
            asked = asked + [token for token in self._along(rests) if most[token >> 5] >> (token & 31) & 1]
        stops = arena.is_whole(readings)
        if not asked and not stops:
            return row
        mask = arena.rows[row].copy()
        self._ask(readings, asked, mask)
        mask = with_aliases(mask, arena.tables.aliases)
        return arena.put_row(mask | arena.tables.stops if stops else mask)

    def _row_outside(self, plain: int, readings: Readings) -> int:
        """The row where no such array is open: few tokens begin one and go on past its first item."""
        arena = self._arena
        mask = arena.plain_row(plain)
        doubtful = mask & self._tokens.with_some(self._second, after=b"[")
        if doubtful.any():
            for one in readings:
                doubtful &= ~arena.marked_row(one.state)
            if doubtful.any():
                mask = mask.copy()
                self._ask(
                    readings, self._depending(self._bare.begin(readings), tokens_of(doubtful), mask), mask
                )
                mask = with_aliases(mask, arena.tables.aliases)
        return arena.put_row(mask)

    def _ask(self, readings: Readings, tokens: Iterable[int], mask: npt.NDArray[np.int32]) -> None:
        """Read tokens one by one, and set or clear each in ``mask``."""
        arena = self._arena
        walked = {b"": readings}
        known: dict[Readings, bool] = {}
        for token in dict.fromkeys(tokens):
            if token in arena.symbol_of_token:
                alive = arena.special_alive(readings, token)
            else:
                after = self._walk(walked, self.data(token))
                if after not in known:
                    known[after] = arena.can_any_be_finished(after)
                alive = known[after]
            _set(mask, token, alive)

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

    def _judge(self, plain: int, number: int, all_read: bool) -> Verdicts:
        arena = self._arena
        most = arena.plain_row(plain) & ~arena.tables.stops
        mask, bound = np.zeros_like(most), np.zeros_like(most)
        asked: list[int] = []
        inside: set[int] = set()
        readings = self._bare.readings(number)
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
        depends = self._depending(number, asked, mask)
        within = self._depending(number, sorted(inside.difference(asked)), mask)
        for token in within:
            _set(mask, token, True)
        return Verdicts(arena.put_row(with_aliases(mask, arena.tables.aliases)), depends, within)

    def _depending(self, number: int, tokens: Iterable[int], mask: npt.NDArray[np.int32]) -> list[int]:
        """Those of ``tokens`` that depend on the values; of the others ``mask`` gets what is allowed."""
        found = []
        for token in dict.fromkeys(tokens):
            special = token in self._arena.symbol_of_token
            verdict = DEPENDS if special else self._bare.verdict(number, self.data(token))
            _set(mask, token, verdict == YES)
            if verdict == DEPENDS:
                found.append(token)
        return found

    # ----------------------------------------------------------------------------------------------- threats

    def _is_threatened(self, arrays: list[Threatened], token: int) -> bool:
        """After the token an item can still become equal to one before it."""
        data = self.data(token)
        for array, text, threats in arrays:
            part = text[array.begins :] + data
            if any(compare(part, value.tree)[0] != DIFFERS for value, _ in threats):
                return True
        return False

    def _last(self, array: Open, one: Reading, row: npt.NDArray[np.int32]) -> list[int]:
        """The tokens of ``row`` after which the item can still become equal to one before it."""
        threats = threats_of(array, one.text)
        if any(rests is None for _, rests in threats):
            return [
                token for token in tokens_of(row) if self._is_threatened([(array, one.text, threats)], token)
            ]
        rests = {rest for _, rests in threats for rest in rests or ()}
        return [token for token in self._along(rests) if row[token >> 5] >> (token & 31) & 1]

    def _along(self, rests: Iterable[bytes]) -> list[int]:
        """The tokens that spell the beginning of one of ``rests``, or all of it."""
        found: list[int] = []
        for rest in rests:
            found += self._tokens.along(rest)
            found += self._tokens.escaped_along(rest)
        return found


def _can_be_equal(array: Open, one: Reading) -> bool:
    return array.used is ANY if is_bare(one) else bool(threats_of(array, one.text))


def _set(mask: npt.NDArray[np.int32], token: int, allowed: bool) -> None:
    bit = np.uint32(1 << (token & 31)).view(np.int32)
    if allowed:
        mask[token >> 5] |= bit
    else:
        mask[token >> 5] &= ~bit
