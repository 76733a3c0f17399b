"""How tokens read from a set of readings, whatever values the items of their arrays have.

What a token does to an array whose items differ hardly depends on the items that have come: mostly it ends an
item that is known to be new, begins another, or ends the array. So a *bare* reading has, in place of each
array's values, what is known of its next one: that it is new, or that it may have come (`open_arrays.Bare`).
Sets of bare readings are the states of an automaton over bytes, made as far as tokens ask for it, which all
texts share. After a token the verdict is yes, no, or that it depends on the values; only then is the token
read with them.

A reading with an item that may be one before it is left out, with `DOUBT` in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .json_values import BLANKS
from .numbered import Numbered
from .open_arrays import DOUBTFUL, Bare, Reading, bare_of, is_bare

if TYPE_CHECKING:
    from .distinct import DistinctArena, Readings

NO, YES, DEPENDS = range(3)
DOUBT = Reading(-1, b"", ())
MOST_STEPS = 128  # taken in search of a text that can be finished whatever the values


class BareReadings:
    """The automaton of one grammar. A set is a number."""

    def __init__(self, arena: DistinctArena) -> None:
        self._arena = arena
        self._sets: Numbered[Readings] = Numbered()
        self._after: dict[tuple[int, int], int] = {}
        self._known: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._sets)

    def begin(self, readings: Readings, item: Bare | None = None) -> int:
        """The set of these readings without their values; ``item`` as in `bare_of`."""
        return self._sets.number(frozenset(bare_of(one, item) for one in readings))

    def readings(self, number: int) -> Readings:
        """Those of a set."""
        return self._sets[number]

    def verdict(self, number: int, data: bytes) -> int:
        """Whether a text can be finished after some bytes: NO, YES or DEPENDS."""
        steps = self._after
        for byte in data:
            after = steps.get((number, byte))
            number = self._step(number, byte) if after is None else after
        known = self._known.get(number)
        if known is None:
            known = self._judge(number)
            if known == DEPENDS and self._leads_to_yes(number):
                known = YES
            self._known[number] = known
        return known

    def _step(self, number: int, byte: int) -> int:
        readings = self._sets[number]
        after = self._arena.after_byte(readings - _DOUBTS, byte)
        found = {bare_of(one) for one in after}
        doubtful = {one for one in found if any(array.used is DOUBTFUL for array in one.arrays)}
        if doubtful or DOUBT in readings:
            found = (found - doubtful) | _DOUBTS
        known = self._after[number, byte] = self._sets.number(frozenset(found))
        return known

    def _judge(self, number: int) -> int:
        """The verdict at sight."""
        depends = False
        for one in self._sets[number]:
            if one is DOUBT:
                depends = True
            elif not is_bare(one):
                if self._arena.can_be_finished(one):
                    return YES
            elif self._arena.is_at_ease(one):
                return YES
            else:
                depends = True
        return DEPENDS if depends else NO

    def _leads_to_yes(self, number: int) -> bool:
        """Some text is found that leads to where it can be finished whatever the values.

        Where many bytes can come, those are looked at that say most of a JSON text, and no white space.
        """
        seen = {number}
        todo = [number]
        steps = 0
        while todo:
            at = todo.pop()
            states = {one.state for one in self._sets[at] if one is not DOUBT}
            can_come = {byte for state in states for byte in self._arena.bytes_after(state)}
            can_come = can_come.difference(BLANKS) or can_come
            for byte in sorted(can_come if len(can_come) <= len(_LIKELY) else can_come.intersection(_LIKELY)):
                steps += 1
                after = self._after.get((at, byte))
                after = self._step(at, byte) if after is None else after
                if after in seen:
                    continue
                seen.add(after)
                known = self._known.get(after)
                verdict = self._judge(after) if known is None else known
                if verdict != DEPENDS:
                    self._known[after] = verdict
                if verdict == YES:
                    return True
                if known is None and verdict == DEPENDS:
                    todo.append(after)
            if steps > MOST_STEPS:
                return False
        for at in seen:
            self._known.setdefault(at, DEPENDS)
        return False


_LIKELY = b',:]}"[{1a'
_DOUBTS = frozenset((DOUBT,))
