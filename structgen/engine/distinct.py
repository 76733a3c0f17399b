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
    it may be that it then has to (the last of a few values, a string that has its greatest length). Most of
    them are known without the items (`bare_readings`), and outside of arrays only tokens that begin one and
    go on past its first item are looked at (`distinct_masks`). Whether a reading can be finished is looked
    for byte by byte; nearly always the first byte tells, since an item that differs stays different, and a
    string that may go on with any letter can become different.

What is lost
    A reading that has an item twice, or cannot be finished, is no longer looked at, and the plain copy goes
    on with it. So a state has beside its readings the states of the marked copy in which such a one would be
    now: where there are none, the plain copy's mask holds outside of arrays.

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
from weakref import proxy

import numpy as np
import numpy.typing as npt

from ..errors import LimitExceededError
from ..ir import GrammarIR, Mark, Seq
from ..limits import Limits, check_time, clock
from ..vocab.vocabulary import Vocabulary
from . import kernels
from . import layout as L
from .arena import Arena, ArenaFull
from .distinct_masks import DistinctMasks
from .json_values import BLANKS, open_scalar
from .marked_arena import MarkedArena
from .open_arrays import (
    A_REPEAT,
    ANY,
    DIFFERENT,
    MANY,
    NO_ITEM,
    NOTHING,
    Open,
    Reading,
    Used,
    passes_no_mark,
    same_but_for_spelling,
    threats_of,
    with_item,
    with_rivals,
)

BEGIN_ARRAY, END_ARRAY, BEGIN_ITEM, END_ITEM = range(4)
MARKS = 4  # of each array
MOST_READINGS = 4096  # looked at before a search for a finishing text answers yes
STATE_BYTES = 1024  # what a state takes in memory, roughly
MOST_LETTERS = 40  # looked at, one after the other, for `MANY` strings
_BRACKET = ord("]")
_PAIRS = (b"12", b"ab")

Readings = frozenset[Reading]
Lost = frozenset[int]
Key = tuple[int, Readings, Lost]


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


class DistinctArena(MarkedArena):
    """The arena of a grammar with such arrays: that of the marked copy, with states of its own."""

    def __init__(self, ir: GrammarIR, vocabulary: Vocabulary, limits: Limits) -> None:
        self.plain = Arena(replace(ir, distinct=()), vocabulary, limits)
        self._none_used = Used([], {}, 0)
        self._begun = [
            Open(self._none_used, NO_ITEM, None, A_REPEAT if one.repeats else DIFFERENT, one.most)
            for one in ir.distinct
        ]
        self._states: dict[Key, int] = {}
        self._of: dict[int, Key] = {}
        self._stepped: dict[tuple[int, int], int] = {}
        self._marked: dict[int, list[tuple[int, int]]] = {}
        self._live: dict[int, bytes] = {}
        self._values: dict[int, int] = {}
        self._begins_any: dict[int, bool] = {}
        self._searched: dict[Hashable, bool] = {}
        self._masks = DistinctMasks(proxy(self), vocabulary, any(one.repeats for one in ir.distinct))
        super().__init__(with_marks(ir), vocabulary, limits)
        self._marks = np.array(self.marks, np.int64)
        self._after_marks = np.zeros(len(self.marks), np.int64)
        first = self._passed({Reading(self.initial, b"", ())})
        self.initial = self._state(self.plain.initial, first, frozenset())

    @property
    def nbytes(self) -> int:
        """Bytes of both copies and of the states."""
        return super().nbytes + self.plain.nbytes + STATE_BYTES * self._kept

    # ----------------------------------------------------------------------------------------------- states

    @property
    def _kept(self) -> int:
        return len(self._of) + len(self._masks)

    def _state(self, plain: int, readings: Readings, lost: Lost) -> int:
        """The state of these readings."""
        key = (plain, readings, lost)
        found = self._states.get(key)
        if found is None:
            most = max(self.limits.max_heap_bytes, 4 << 20)
            if STATE_BYTES * self._kept > most:
                raise ArenaFull("max_heap_bytes", self.limits.max_heap_bytes, self.nbytes)
            record = [L.K_STATE | 3 << 8, 0, 0, 0, 0, *([0] * L.STATE_VALUES)]
            found = self._states[key] = self.heap.put(record)
            self._of[found] = key
        return found

    def _passed(self, readings: set[Reading], lost: set[int] | None = None) -> Readings:
        """The readings, and those that have passed marks besides; of these, what a byte can follow.

        The states of those that could pass a mark but for the values come into ``lost``.
        """
        if not any(self._marks_at(one.state) for one in readings):
            return frozenset(readings)
        seen = set(readings)
        todo = list(readings)
        while todo:
            one = todo.pop()
            for mark, to in self._marks_at(one.state):
                after = self._pass(one, mark, to)
                if after is None:
                    if lost is not None:
                        lost.add(to)
                elif after not in seen:
                    seen.add(after)
                    todo.append(after)
                    if len(seen) > self.limits.max_heads:
                        what = "keeping readings of the text apart"
                        raise LimitExceededError("max_heads", self.limits.max_heads, len(seen), what)
        return frozenset(one for one in seen if self._goes_on(one.state))

    def _goes_on(self, state: int) -> bool:
        """Something other than a mark can follow."""
        if not self._marks_at(state) or self.symbol_of_token:
            return True
        return bool(self.bytes_after(state)) or Arena.is_accepting(self, state)

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
            after = with_item(last, text[last.begins :])
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
            if self.call(kernels.accept_each, state, self._marks, self._after_marks):
                known = [(i, to) for i, to in enumerate(self._after_marks.tolist()) if to >= 0]
            self._marked[state] = known
        return known

    def bytes_after(self, state: int) -> bytes:
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

    def after_byte(self, readings: Readings, byte: int, lost: set[int] | None = None) -> Readings:
        """The readings after a byte, marks passed; ``lost`` as in `_passed`."""
        found = set()
        for state, text, arrays in readings:
            to = self._step(state, byte)
            if to >= 0:
                if any(one.begins != NO_ITEM for one in arrays):
                    text += bytes((byte,))
                    arrays = tuple(with_rivals(one, text) for one in arrays)
                    if any(one.is_last and one.rivals == () for one in arrays):
                        if lost is not None:
                            lost.add(to)
                        continue
                found.add(Reading(to, text, arrays))
        return self._passed(found, lost) if found else frozenset()

    def _after(self, readings: Readings, lost: Lost, data: bytes) -> tuple[Readings, Lost]:
        """The readings after some bytes that can be finished, and the states of those that are lost."""
        if not lost and all(passes_no_mark(one, data) for one in readings):
            after = self._after_text(readings, data)
            return self._finishable(after)
        for byte in data:
            passed_by = {to for state in lost if (to := self._step(state, byte)) >= 0}
            readings = self.after_byte(readings, byte, passed_by)
            if not readings:
                return readings, lost
            lost = self._without_values(passed_by) if passed_by else frozenset()
        return self._finishable(readings, lost)

    def _after_text(self, readings: Readings, data: bytes) -> Readings:
        """As `after_byte`, for bytes between which no mark stands."""
        found = set()
        for state, text, arrays in readings:
            to = Arena.accept_bytes(self, state, data)
            if to >= 0:
                if arrays:
                    text += data
                    arrays = tuple(with_rivals(one, text) for one in arrays)
                found.add(Reading(to, text, arrays))
        return self._passed(found) if found else frozenset()

    def _without_values(self, states: set[int]) -> Lost:
        """The states, and those after marks besides."""
        todo = list(states)
        while todo:
            for _, to in self._marks_at(todo.pop()):
                if to not in states:
                    states.add(to)
                    todo.append(to)
        return frozenset(filter(self._goes_on, states))

    # ------------------------------------------------------------------------------------- can it be finished

    def _finishable(self, readings: Readings, lost: Lost = frozenset()) -> tuple[Readings, Lost]:
        """The readings that can be finished; the states of the others are lost as well."""
        if all(self._is_free(one) for one in readings):
            return readings, lost
        alive = frozenset(one for one in readings if self.can_be_finished(one))
        return alive, lost.union(one.state for one in readings - alive)

    def can_any_be_finished(self, readings: Readings) -> bool:
        """Some reading can."""
        return any(map(self.can_be_finished, readings))

    def _is_free(self, one: Reading) -> bool:
        """Nothing that is written since an array began can become equal any more, or has to."""
        return all(self._asks_nothing(array, one) for array in one.arrays)

    def _asks_nothing(self, array: Open, one: Reading) -> bool:
        if array.asks == A_REPEAT:
            return not array.is_last if array.begins != NO_ITEM else bool(self.bytes_after(one.state))
        if array.asks == NOTHING or not array.used.size:
            return True
        if NO_ITEM != array.begins < len(one.text):
            return array.used is not ANY and not threats_of(array, one.text)
        ends = array.begins == NO_ITEM and _BRACKET in self.bytes_after(one.state)
        return ends or self._can_begin_any(one.state, array)

    def _can_begin_any(self, state: int, array: Open) -> bool:
        """An item of more values than have come can begin with the next byte."""
        known = self._begins_any.get(state)
        if known is None:
            array = array._replace(used=ANY, begins=min(array.begins, 0))
            here = self._passed({Reading(state, b"", (array,))})
            after = (
                self.after_byte(frozenset((one,)), b) for one in here for b in self.bytes_after(one.state)
            )
            known = self._begins_any[state] = any(self._is_unbounded(one) for some in after for one in some)
        return known

    def is_at_ease(self, one: Reading) -> bool:
        """The reading can be finished, as is seen at sight."""
        return self._is_free(one) or self._is_unbounded(one)

    def _is_unbounded(self, one: Reading) -> bool:
        """The item can become any of more values than have come, as is seen at sight.

        A letter or digit leads back to the same state, and makes another string or whole number each time; or
        two do not matter for what follows them, so often that there are `MANY` strings.
        """
        if not one.text or any(array.is_last for array in one.arrays) or not open_scalar(one.text):
            return False
        known = self._values.get(one.state)
        if known is None:
            known = self._values[one.state] = max(self._values_along(one.state, pair) for pair in _PAIRS)
        return known > MANY or known > sum(
            MANY - 1 if array.used is ANY else array.used.size for array in one.arrays
        )

    def _values_along(self, state: int, pair: bytes) -> int:
        """How many texts can follow that are told apart by the two letters of ``pair``."""
        values = 1
        for _ in range(MOST_LETTERS):
            first, second = (self._step(state, byte) for byte in pair)
            if first == state:
                return MANY + 1
            if first < 0 or values == MANY:
                break
            values *= 1 + (first == second)
            state = first
        return values

    def can_be_finished(self, one: Reading) -> bool:
        """A text makes the items differ, which is searched for."""
        if self.is_at_ease(one):
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
                for byte in self._telling_bytes(reading):
                    for after in self.after_byte(frozenset((reading,)), byte):
                        if self.is_at_ease(after):
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

    def _telling_bytes(self, one: Reading) -> bytes:
        """Bytes that can come next, without white space that may as well be left out."""
        can_come = self.bytes_after(one.state)
        telling = can_come.translate(None, BLANKS)
        return telling if telling and open_scalar(one.text) != "string" else can_come

    # -------------------------------------------------------------------------------------------- questions

    def _step_token(self, state: int, token: int) -> int:
        if token not in self.symbol_of_token:
            return self.accept_bytes(state, self._masks.data(token))
        plain, readings, lost = self._of[state]
        to = self.plain.accept_token(plain, token)
        if to < 0:
            return L.REFUSED
        passed_by = {after for one in lost if (after := Arena.accept_token(self, one, token)) >= 0}
        steps = {(Arena.accept_token(self, one.state, token), one) for one in readings}
        passed = self._passed({one._replace(state=state) for state, one in steps if state >= 0}, passed_by)
        alive, lost = self._finishable(passed, self._without_values(passed_by))
        return self._state(to, alive, lost) if alive else L.REFUSED

    def accept_bytes(self, state: int, data: bytes) -> int:
        """State after ``data``, or REFUSED."""
        plain, readings, lost = self._of[state]
        to = self.plain.accept_bytes(plain, data)
        if to < 0:
            return L.REFUSED
        with clock("step_seconds", self.limits.step_seconds):
            alive, lost = self._after(readings, lost, data)
        return self._state(to, alive, lost) if alive else L.REFUSED

    def live_specials(self, state: int) -> list[int]:
        """The special tokens that may come next."""
        return [token for token in self.symbol_of_token if self._step_token(state, token) != L.REFUSED]

    def is_accepting(self, state: int) -> bool:
        """The text may end here."""
        return self.is_whole(self._of[state][1])

    def is_whole(self, readings: Readings) -> bool:
        """The text may end after some reading."""
        return any(not one.arrays and Arena.is_accepting(self, one.state) for one in readings)

    def live_bytes(self, state: int) -> npt.NDArray[np.uint8]:
        """uint8[256], 1 for each byte that may come next."""
        plain, readings, _ = self._of[state]
        out = self.plain.live_bytes(plain)
        for byte in np.flatnonzero(out).tolist():
            out[byte] = self.can_any_be_finished(self.after_byte(readings, byte))
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
            row = self._masks.row(*self._of[state])
        mask, everything = self.rows[row], self.tables.everything
        self.heap.g[where + 2] = mask[0] == everything[0] and bool((mask == everything).all())
        self.heap.g[where] = row + 1

    def plain_row_number(self, plain: int) -> int:
        """The number of that row, which states of the plain copy share."""
        return _row_number(self.plain, plain)

    def plain_row(self, plain: int) -> npt.NDArray[np.int32]:
        """The tokens that the plain copy takes. Not to be written to."""
        return _row(self.plain, plain)

    def marked_row(self, state: int) -> npt.NDArray[np.int32]:
        """The tokens that the marked copy takes without passing a mark. Not to be written to."""
        return _row(self, state)

    def special_alive(self, readings: Readings, token: int) -> bool:
        """A special token can come."""
        return any(Arena.accept_token(self, one.state, token) >= 0 for one in readings)


def _row(arena: Arena, state: int) -> npt.NDArray[np.int32]:
    """The mask of a state."""
    row: npt.NDArray[np.int32] = arena.rows[_row_number(arena, state)]
    return row


def _row_number(arena: Arena, state: int) -> int:
    """The number of its row, made if it is not there."""
    Arena.make_mask(arena, state)
    g = arena.heap.g
    return int(g[state + L.R_KEY + (int(g[state]) >> 8)]) - 1
