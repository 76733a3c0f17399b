"""Arrays whose items differ: what no grammar says, kept beside the grammar's own states.

That no two items are equal is not context-free, and no state of a parser can hold it: it takes the items
themselves. So a grammar with such arrays (`ir.Distinct`) is compiled twice. The *plain* copy knows nothing
of it and says what may come at most, by the usual masks. In the *marked* copy marks stand around each such
array and each of its items, symbols that no text holds and that every reading has to take. A *reading* is a
state of the marked copy, and for each such array that is open the values of its items and where the item that
is being written begins. A mark at an item's end is passed by items of a new value alone.

A state here is a state of the plain copy with all readings of the text: a record in the heap like any other,
with a row for its mask, so that a step back, a fork, and a mask that is known cost what they always cost.
Steps are remembered in a dictionary.

Which tokens have to be looked at one by one
    Those that the plain copy allows and no reading takes without passing a mark: they end an item. And where
    what is written of an item can still become equal to an item before it, those after which it still can:
    it may be that it then has to (the last of a few values, a string that has its greatest length). Whether a
    reading can be finished is looked for byte by byte; nearly always the first byte tells, since an item that
    differs stays different, and a string that may go on with any letter can become different. Inside a
    string only escapes and what goes on in another item's words are asked.

Arrays in which two items have to be equal (the opposite of the same keyword) are kept in the same way: the
mark at the end of such an array is passed when some item has come twice. As long as another item can follow,
one that has come can come again; only the last one that can come has to become equal to one before it.

A search that finds neither in `MOST_READINGS` readings takes it that the text can be finished, and is counted
in ``unproved``. It would take an item that can be spelled in so many ways and has one value.

What was considered instead: a parameter with the texts so far, in the kernel. It would make masks inside such
arrays some times faster, and needs every scalar to have one spelling, and says nothing of objects.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..errors import LimitExceededError
from ..ir import GrammarIR, Mark, Seq
from ..limits import Limits, check_time, clock
from ..vocab.vocabulary import Vocabulary
from . import layout as L
from .arena import Arena, ArenaFull
from .json_values import DIFFERS, Value, compare, open_scalar
from .open_arrays import (
    A_REPEAT,
    DIFFERENT,
    NO_ITEM,
    NOTHING,
    Open,
    Reading,
    Used,
    ending_of,
    in_a_scalar,
    same_but_for_spelling,
    threats_of,
    with_item,
    with_rivals,
)
from .token_sets import along, tokens_of, with_aliases, with_byte

BEGIN_ARRAY, END_ARRAY, BEGIN_ITEM, END_ITEM = range(4)
MARKS = 4  # of each array
MOST_READINGS = 4096  # looked at before a search for a finishing text answers yes
STATE_BYTES = 1024  # what a state takes in memory, roughly
_BRACKET = ord("]")


Readings = frozenset[Reading]


def with_marks(ir: GrammarIR) -> GrammarIR:
    """The copy with marks around arrays and items."""
    rules = dict(ir.rules)
    for i, one in enumerate(ir.distinct):
        first = MARKS * i
        for begin, end, names in (
            (first + BEGIN_ARRAY, first + END_ARRAY, (one.array,)),
            (first + BEGIN_ITEM, first + END_ITEM, one.items),
        ):
            for name in names:
                rules[name] = Seq((Mark(begin), rules[name], Mark(end)))
    return replace(ir, rules=rules, promised={}, common=None, marks=MARKS * len(ir.distinct), distinct=())


class DistinctArena(Arena):
    """The arena of a grammar with such arrays: that of the marked copy, with states of its own."""

    def __init__(self, ir: GrammarIR, vocabulary: Vocabulary, limits: Limits) -> None:
        self.plain = Arena(replace(ir, distinct=()), vocabulary, limits)
        self._escapes: list[int] | None = None
        self._none_used = Used([], {}, 0)
        self._begun = [
            Open(self._none_used, NO_ITEM, None, A_REPEAT if one.repeats else DIFFERENT, one.most)
            for one in ir.distinct
        ]
        self._states: dict[tuple[int, Readings], int] = {}
        self._of: dict[int, tuple[int, Readings]] = {}
        self._accepted: dict[tuple[int, int], int] = {}
        self._stepped: dict[tuple[int, int], int] = {}
        self._marked: dict[int, list[tuple[int, int]]] = {}
        self._live: dict[int, bytes] = {}
        self._loops: dict[int, bool] = {}
        self._begins_any: dict[int, bool] = {}
        self._searched: dict[Hashable, bool] = {}
        super().__init__(with_marks(ir), vocabulary, limits)
        first = self._passed({Reading(self.initial, b"", ())})
        self.initial = self._state(self.plain.initial, first)

    @property
    def nbytes(self) -> int:
        """Bytes of both copies and of the states."""
        return super().nbytes + self.plain.nbytes + STATE_BYTES * len(self._of)

    # ----------------------------------------------------------------------------------------------- states

    def _state(self, plain: int, readings: Readings) -> int:
        """The state of these readings."""
        key = (plain, readings)
        found = self._states.get(key)
        if found is None:
            most = max(self.limits.max_heap_bytes, 4 << 20)
            if STATE_BYTES * len(self._of) > most:
                raise ArenaFull("max_heap_bytes", self.limits.max_heap_bytes, self.nbytes)
            record = [L.K_STATE | 3 << 8, 0, 0, 0, 0, *([0] * L.STATE_VALUES)]
            found = self._states[key] = self.heap.put(record)
            self._of[found] = key
        return found

    def _passed(self, readings: set[Reading]) -> Readings:
        """The readings, and those that have passed marks besides; of these, what a byte can follow."""
        seen = set(readings)
        todo = list(readings)
        while todo:
            one = todo.pop()
            for mark, to in self._marks_at(one.state):
                after = self._pass(one, mark, to)
                if after is not None and after not in seen:
                    seen.add(after)
                    todo.append(after)
                    if len(seen) > self.limits.max_heads:
                        what = "keeping readings of the text apart"
                        raise LimitExceededError("max_heads", self.limits.max_heads, len(seen), what)
        return frozenset(
            one
            for one in seen
            if self._bytes_after(one.state) or Arena.is_accepting(self, one.state) or self.symbol_of_token
        )

    def _pass(self, one: Reading, mark: int, state: int) -> Reading | None:
        """The reading after a mark; None when its array asks for something else."""
        _, text, arrays = one
        which, mark = divmod(mark, MARKS)
        if mark == BEGIN_ARRAY:
            return Reading(state, text, (*arrays, self._begun[which]))
        *around, last = arrays
        if mark == END_ARRAY:
            return None if last.asks == A_REPEAT else Reading(state, text, tuple(around))
        if mark == END_ITEM and last.asks != NOTHING:
            after = with_item(last, Value(text[last.begins :]))
            if after is None:
                return None
            last = after
        if not around:
            text = b""
        if mark == BEGIN_ITEM and last.asks != NOTHING:
            last = last._replace(begins=len(text), rivals=None)
        return Reading(state, text, (*around, last))

    def _marks_at(self, state: int) -> list[tuple[int, int]]:
        """(mark, state of the marked copy after it), for those that can come."""
        known = self._marked.get(state)
        if known is None:
            known = []
            for number in range(len(self.marks)):
                to = Arena.accept_mark(self, state, number)
                if to >= 0:
                    known.append((number, to))
            self._marked[state] = known
        return known

    def _bytes_after(self, state: int) -> bytes:
        """The bytes that can come next in the marked copy."""
        known = self._live.get(state)
        if known is None:
            known = self._live[state] = (
                np.flatnonzero(Arena.live_bytes(self, state)).astype(np.uint8).tobytes()
            )
        return known

    def _step(self, state: int, byte: int) -> int:
        """The state of the marked copy after a byte, or REFUSED."""
        to = self._stepped.get((state, byte))
        if to is None:
            to = self._stepped[state, byte] = Arena.accept_bytes(self, state, bytes((byte,)))
        return to

    def _after_byte(self, readings: Readings, byte: int) -> Readings:
        """The readings after a byte, marks passed."""
        found = set()
        for state, text, arrays in readings:
            to = self._step(state, byte)
            if to >= 0:
                if any(one.begins != NO_ITEM for one in arrays):
                    text += bytes((byte,))
                    arrays = tuple(with_rivals(one, text) for one in arrays)
                    if any(one.is_last and one.rivals == () for one in arrays):
                        continue
                found.add(Reading(to, text, arrays))
        return self._passed(found) if found else frozenset()

    def _after(self, readings: Readings, data: bytes) -> Readings:
        """The readings after some bytes that can be finished."""
        for byte in data:
            readings = self._after_byte(readings, byte)
            if not readings:
                return readings
        return self._finishable(readings)

    # ------------------------------------------------------------------------------------- can it be finished

    def _finishable(self, readings: Readings) -> Readings:
        if all(self._is_free(one) for one in readings):
            return readings
        return frozenset(one for one in readings if self._can_be_finished_apart(one))

    def _is_free(self, one: Reading) -> bool:
        """Nothing that is written since an array began can become equal any more, or has to."""
        return all(self._asks_nothing(array, one) for array in one.arrays)

    def _asks_nothing(self, array: Open, one: Reading) -> bool:
        if array.asks == A_REPEAT:
            return not array.is_last if array.begins != NO_ITEM else bool(self._bytes_after(one.state))
        if array.asks == NOTHING or not array.used.size:
            return True
        if NO_ITEM != array.begins < len(one.text):
            return not threats_of(array, one.text)
        ends = array.begins == NO_ITEM and _BRACKET in self._bytes_after(one.state)
        return ends or self._can_begin_any(one.state, array)

    def _can_begin_any(self, state: int, array: Open) -> bool:
        """An item of infinitely many values can begin with the next byte."""
        known = self._begins_any.get(state)
        if known is None:
            here = self._passed({Reading(state, b"", (array._replace(begins=min(array.begins, 0)),))})
            after = (
                self._after_byte(frozenset((one,)), b) for one in here for b in self._bytes_after(one.state)
            )
            known = self._begins_any[state] = any(self._is_unbounded(one) for some in after for one in some)
        return known

    def _is_unbounded(self, one: Reading) -> bool:
        """The item can become any of infinitely many values, as is seen at sight.

        A letter or digit leads back to the same state, and makes another string or whole number each time.
        """
        if not one.text or any(array.is_last for array in one.arrays):
            return False
        known = self._loops.get(one.state)
        if known is None:
            loops = (self._step(one.state, byte) == one.state for byte in (ord("1"), ord("a")))
            known = self._loops[one.state] = any(loops)
        return known and open_scalar(one.text) != ""

    def _can_be_finished_apart(self, one: Reading) -> bool:
        """Search for a text that makes the items differ."""
        if self._is_free(one) or self._is_unbounded(one):
            return True
        key = same_but_for_spelling(one)
        known = self._searched.get(key)
        if known is None:
            known = self._searched[key] = self._search(one, key)
        return known

    def _search(self, one: Reading, key: Hashable) -> bool:
        seen = {key}
        level = [one]
        while level:
            check_time("looking for an item that differs")
            below = []
            for reading in level:
                for byte in self._bytes_after(reading.state):
                    for after in self._after_byte(frozenset((reading,)), byte):
                        if self._is_free(after) or self._is_unbounded(after):
                            return True
                        key = same_but_for_spelling(after)
                        known = self._searched.get(key)
                        if known:
                            return True
                        if known is None and key not in seen:
                            seen.add(key)
                            below.append(after)
            if len(seen) > MOST_READINGS:
                self.unproved += 1
                return True
            level = below
        self._searched.update(dict.fromkeys(seen, False))
        return False

    # -------------------------------------------------------------------------------------------- questions

    def accept_token(self, state: int, token: int) -> int:
        """State after ``token``, or REFUSED."""
        key = (state, token)
        found = self._accepted.get(key)
        if found is None:
            with clock("step_seconds", self.limits.step_seconds):
                found = self._accepted[key] = self._step_token(state, token)
        return found

    def _step_token(self, state: int, token: int) -> int:
        if token not in self.symbol_of_token:
            return self.accept_bytes(state, self._data(token))
        plain, readings = self._of[state]
        to = self.plain.accept_token(plain, token)
        if to < 0:
            return L.REFUSED
        after = {(Arena.accept_token(self, one.state, token), one) for one in readings}
        passed = self._passed({one._replace(state=state) for state, one in after if state >= 0})
        alive = self._finishable(passed)
        return self._state(to, alive) if alive else L.REFUSED

    def accept_bytes(self, state: int, data: bytes) -> int:
        """State after ``data``, or REFUSED."""
        plain, readings = self._of[state]
        to = self.plain.accept_bytes(plain, data)
        if to < 0:
            return L.REFUSED
        with clock("step_seconds", self.limits.step_seconds):
            alive = self._after(readings, data)
        return self._state(to, alive) if alive else L.REFUSED

    def live_specials(self, state: int) -> list[int]:
        """The special tokens that may come next."""
        return [token for token in self.symbol_of_token if self._step_token(state, token) != L.REFUSED]

    def is_accepting(self, state: int) -> bool:
        """The text may end here."""
        return any(not one.arrays and Arena.is_accepting(self, one.state) for one in self._of[state][1])

    def live_bytes(self, state: int) -> npt.NDArray[np.uint8]:
        """uint8[256], 1 for each byte that may come next."""
        plain, readings = self._of[state]
        out = self.plain.live_bytes(plain)
        for byte in np.flatnonzero(out).tolist():
            out[byte] = bool(self._after(readings, bytes((byte,))))
        return out

    def rules_at(self, state: int) -> list[str]:
        """Names of the rules that are being read, for messages."""
        return self.plain.rules_at(self._of[state][0])

    # ------------------------------------------------------------------------------------------------ masks

    def make_mask(self, state: int) -> None:
        """Make and note the mask of a state."""
        where = state + L.R_KEY + 3
        if self.heap.g[where]:
            return
        with clock("step_seconds", self.limits.step_seconds):
            mask = self._mask(*self._of[state])
        tables = self.tables
        if self.is_accepting(state):
            mask |= tables.stops
        row = self.put_row(mask)
        self.heap.g[where + 2] = bool((mask == tables.everything).all())
        self.heap.g[where] = row + 1

    def _mask(self, plain: int, readings: Readings) -> npt.NDArray[np.int32]:
        """The tokens after these readings, stop tokens apart."""
        most = _row(self.plain, plain) & ~self.tables.stops
        inside, bound = np.zeros_like(most), np.zeros_like(most)
        asked = []
        for one in readings:
            row = _row(self, one.state) & most
            if last := [array for array in one.arrays if array.is_last]:
                bound |= row
                asked += self._along(last[-1], one, row)
            else:
                inside |= row
        asked += tokens_of(most & ~inside & ~bound)
        for one in readings:
            asked += self._threatened(one, inside)
        mask = inside
        walked = {b"": readings}
        finishable: dict[Readings, bool] = {}
        told: dict[tuple[int, bytes], bool] = {}
        scalar = in_a_scalar(readings)
        for token in dict.fromkeys(asked):
            ending = None if scalar is None else self._ending(scalar, self._data(token))
            if token in self.symbol_of_token:
                alive = self._special_alive(readings, token)
            elif ending is not None and ending in told:
                alive = told[ending]
            else:
                after = self._walk(walked, self._data(token))
                alive = finishable.get(after, False)
                if after not in finishable:
                    alive = finishable[after] = bool(self._finishable(after))
                if ending is not None and all(self._is_free(one) or self._is_unbounded(one) for one in after):
                    told[ending] = alive
            bit = np.uint32(1 << (token & 31)).view(np.int32)
            if alive:
                mask[token >> 5] |= bit
            else:
                mask[token >> 5] &= ~bit
        return with_aliases(mask, self.tables.aliases)

    def _ending(self, one: Reading, data: bytes) -> tuple[int, bytes] | None:
        """The state in which a token ends the item that is being written, and how it goes on."""
        head, tail = ending_of(one.arrays[0], one.text, data)
        state = one.state
        for byte in head:
            state = self._step(state, byte) if state >= 0 else state
        return (state, tail) if tail and state >= 0 else None

    def _walk(self, walked: dict[bytes, Readings], data: bytes) -> Readings:
        """The readings after some bytes; ``walked`` has those after the beginnings that were met before."""
        known = len(data)
        while data[:known] not in walked:
            known -= 1
        readings = walked[data[:known]]
        for i in range(known, len(data)):
            readings = self._after_byte(readings, data[i]) if readings else readings
            walked[data[: i + 1]] = readings
        return readings

    def _special_alive(self, readings: Readings, token: int) -> bool:
        return any(Arena.accept_token(self, one.state, token) >= 0 for one in readings)

    def _threatened(self, one: Reading, inside: npt.NDArray[np.int32]) -> list[int]:
        """The tokens of ``inside`` after which an item may have to become equal to another."""
        found: list[int] = []
        for array in one.arrays:
            if array.asks == A_REPEAT and array.begins == NO_ITEM:
                # It may not end yet.
                closing = tokens_of(inside & _row(self, one.state))
                found += [token for token in closing if _BRACKET in self._data(token)]
            if array.asks != DIFFERENT:
                continue
            if array.begins == NO_ITEM and array.used.size:
                # A comma asks for one more item; white space changes nothing.
                for token in tokens_of(inside & _row(self, one.state)):
                    if b"," in self._data(token):
                        found.append(token)
            if array.begins != NO_ITEM:
                found += self._along(array, one, inside)
        return found

    def _along(self, array: Open, one: Reading, row: npt.NDArray[np.int32]) -> list[int]:
        """The tokens of ``row`` after which the item can still become equal to one before it."""
        threats = threats_of(array, one.text)
        if any(rests is None for _, rests in threats):
            text = one.text[array.begins :]
            found = []
            for token in tokens_of(row):
                if array.asks == DIFFERENT and self._goes_on(one, self._data(token)):
                    continue
                data = text + self._data(token)
                if any(compare(data, value.tree)[0] != DIFFERS for value, _ in threats):
                    found.append(token)
            return found
        if not threats:
            return []
        if self._escapes is None:
            self._escapes = with_byte(self.vocabulary, ord("\\"))
        candidates = list(self._escapes)
        for rest in {rest for _, rests in threats for rest in rests or ()}:
            candidates += along(self.vocabulary, rest)
        return [token for token in candidates if row[token >> 5] >> (token & 31) & 1]

    def _goes_on(self, one: Reading, data: bytes) -> bool:
        """After these bytes the item can become any of infinitely many values."""
        state = one.state
        for byte in data:
            state = self._step(state, byte)
            if state < 0:
                return False
        return self._is_unbounded(one._replace(state=state, text=one.text + data))

    def _data(self, token: int) -> bytes:
        v = self.vocabulary
        return bytes(v.data[int(v.offsets[token]) : int(v.offsets[token + 1])])


def _row(arena: Arena, state: int) -> npt.NDArray[np.int32]:
    """The mask of a state, made if it is not there."""
    Arena.make_mask(arena, state)
    g = arena.heap.g
    row: npt.NDArray[np.int32] = arena.rows[int(g[state + L.R_KEY + (int(g[state]) >> 8)]) - 1]
    return row.copy()
