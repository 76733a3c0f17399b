"""Captures: which parts of a text were written by which rules.

A mask asks where a text can go, never how it was read, and the engine keeps no trace of it: that is why
readings that can be continued alike are one. So what was captured is found out afterwards, by the same
engine on another grammar. In the copy each captured rule stands between two *marks*, symbols that no text
holds, and the text is read again with marks put between its bytes wherever the copy allows: it is read as a
word of the larger language, and each way of doing so is a *thread*. Threads in the same state can be
continued alike, so only the first of them is kept, as in a Pike machine; which is first is what decides
between several readings.
Of a repetition of something empty no more is known than that: it is listed once, or not at all.

Rules whose tokens are counted (`ir.Budget`) have marks, too, and a thread knows what each open use of one has
left: threads in one state are alike when they also agree in that, and a reading that takes more tokens than a
rule may have is none.

Where indentation counts, one newline brings several symbols along, between which no mark can come; front ends
refuse captures there.

In discipline ``any`` a part begins as early and ends as late as it can. In ``longest`` the terminals are
settled, and what is left to choose is whether ignored text at its edges belongs to it: it does not. Where
ignored text is woven into the rules, it is marked too, and cut off at the end.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary

from .engine.arena import Arena, ArenaFull
from .engine.budgets import BudgetArena
from .errors import LimitExceededError
from .ir import Alt, Capture, GrammarIR, Mark, Seq

if TYPE_CHECKING:
    from .compiled import CompiledGrammar
    from .history import Step

_Trace: TypeAlias = "tuple[_Trace, int, int] | None"
"""The marks passed, the last one first: (those before, mark, how many bytes were read)."""
_Place: TypeAlias = tuple[int, tuple[int, ...], int]
"""A state; what each open use of a counted rule has left, the outermost first; how many the token touches."""
_Thread: TypeAlias = tuple[_Place, _Trace]


class _Reader:
    """The copy of one compiled grammar, and what is known of its states."""

    def __init__(self, compiled: CompiledGrammar) -> None:
        self.compiled = compiled
        self.lock = threading.Lock()
        ir = compiled.grammar.ir
        self.captures = ir.captures
        self.tokens = [budget.tokens for budget in ir.budgets]
        self.woven = ir.lexing == "any"
        arena = compiled._arena
        self.ir = with_marks(ir, arena.may_be_empty if isinstance(arena, BudgetArena) else ())
        self.counting = self.ir.marks - 2 * len(ir.budgets)  # the first mark of a counted rule
        self._begin()

    def _begin(self) -> None:
        self.arena = Arena(self.ir, self.compiled.vocabulary, self.compiled.limits)
        self._marked: dict[int, list[tuple[int, int]]] = {}
        self._stepped: dict[tuple[int, Step], int] = {}

    def read(self, steps: Sequence[Step], whole: bool) -> dict[str, list[bytes]]:
        """The captures after ``steps``; ``whole``: the text may end there."""
        with self.lock:
            try:
                return self._read(steps, whole)
            except ArenaFull:
                self._begin()
            try:
                return self._read(steps, whole)
            except ArenaFull as full:
                raise LimitExceededError(*full.args) from None

    def _read(self, steps: Sequence[Step], whole: bool) -> dict[str, list[bytes]]:
        vocabulary, stops = self.compiled.vocabulary, self.compiled.stops
        text = bytearray()
        threads: list[_Thread] = [((self.arena.initial, (), 0), None)]
        for step in steps:
            if not isinstance(step, bytes) and step in stops:
                continue
            if self.tokens:
                threads = [((state, left, 0), trace) for (state, left, _), trace in threads]
            data = step if isinstance(step, bytes) else vocabulary.bytes_of(step)
            if data is None:
                threads = self._step(self._closure(threads, len(text)), step)
                continue
            for i in range(len(data)):
                threads = self._step(self._closure(threads, len(text)), data[i : i + 1])
                text += data[i : i + 1]
        return self._spans(self._best(threads, len(text), whole), bytes(text))

    def _step(self, threads: list[_Thread], step: Step) -> list[_Thread]:
        """The threads after a byte or a special token, the first of those in one place."""
        after: dict[_Place, _Trace] = {}
        for (state, left, touched), trace in threads:
            if 0 in left[touched:]:
                continue
            key = (state, step)
            to = self._stepped.get(key)
            if to is None:
                arena = self.arena
                to = (
                    arena.accept_bytes(state, step)
                    if isinstance(step, bytes)
                    else arena.accept_token(state, step)
                )
                self._stepped[key] = to
            if to >= 0:
                left = (*left[:touched], *[n - 1 for n in left[touched:]]) if left else left
                after.setdefault((to, left, len(left)), trace)
        return list(after.items())

    def _closure(self, threads: list[_Thread], place: int) -> list[_Thread]:
        """The threads with whatever marks can be passed here, in the order of preference."""
        found: dict[_Place, _Trace] = {}
        seen: set[_Place] = set()
        # (place, trace, whether it is the thread itself that is meant, its marks being dealt with)
        todo = [(at, trace, False) for at, trace in reversed(threads)]
        while todo:
            at, trace, itself = todo.pop()
            if itself:
                found.setdefault(at, trace)
                continue
            if at in seen:
                continue
            seen.add(at)
            marked = self._after_marks(at[0])
            # A mark with an even number begins a part, one with an odd number ends it.
            first, last = (0, 1) if self.woven else (1, 0)
            before = [self._pass(at, trace, mark, to, place) for mark, to in marked if mark % 2 == first]
            after = [self._pass(at, trace, mark, to, place) for mark, to in marked if mark % 2 == last]
            todo += [one for one in reversed([*before, (at, trace, True), *after]) if one is not None]
        return list(found.items())

    def _pass(
        self, at: _Place, trace: _Trace, mark: int, to: int, place: int
    ) -> tuple[_Place, _Trace, bool] | None:
        """The thread after a mark; None where a use of a counted rule would end that has written nothing."""
        _, left, touched = at
        if mark < self.counting:
            return (to, left, touched), (trace, mark, place), False
        rule, ends = divmod(mark - self.counting, 2)
        if ends and left[-1] == self.tokens[rule]:
            return None
        left = left[:-1] if ends else (*left, self.tokens[rule])
        return (to, left, min(touched, len(left))), trace, False

    def _after_marks(self, state: int) -> list[tuple[int, int]]:
        """(mark, state after it), for those that can come."""
        known = self._marked.get(state)
        if known is None:
            known = []
            for mark in range(self.ir.marks):
                to = self.arena.accept_mark(state, mark)
                if to >= 0:
                    known.append((mark, to))
            self._marked[state] = known
        return known

    def _best(self, threads: list[_Thread], place: int, whole: bool) -> _Trace:
        """The trace that is preferred at the end of what is written."""
        if whole:
            for at, trace in self._closure(threads, place):
                if self.arena.is_accepting(at[0]):
                    return trace
        for thread in threads:
            # What no byte can lengthen is complete: marks are passed until something else can come.
            for at, longer in thread, *self._closure([thread], place):
                if self.arena.live_bytes(at[0]).any() or self.arena.live_specials(at[0]):
                    return longer
        return None

    def _spans(self, trace: _Trace, text: bytes) -> dict[str, list[bytes]]:
        """The parts that a trace has completed, in the order in which they begin."""
        passed: list[tuple[int, int]] = []
        while trace is not None:
            trace, mark, place = trace
            passed.append((mark, place))
        blanks: dict[int, int] = {}  # where ignored text ends -> where it begins
        begun: list[tuple[int, int]] = []
        parts: list[tuple[int, str, bytes]] = []
        empty: set[tuple[str, int]] = set()
        for order, (mark, place) in enumerate(reversed(passed)):
            if mark % 2 == 0:
                begun.append((order, place))
                continue
            opened, start = begun.pop()
            if mark // 2 == len(self.captures):
                if start < place:
                    blanks[place] = start
                continue
            end = place
            while blanks.get(end, -1) >= start:
                end = blanks[end]
            capture = self.captures[mark // 2]
            if start == place:
                # A repetition of something empty is as good with one as with many.
                if (capture.rule, place) in empty:
                    continue
                empty.add((capture.rule, place))
            parts.append((opened, capture.name, _without_suffix(text[start:end], capture)))
        found: dict[str, list[bytes]] = {}
        for _, name, part in sorted(parts):
            found.setdefault(name, []).append(part)
        return found


def _without_suffix(part: bytes, capture: Capture) -> bytes:
    """What is before the longest suffix."""
    if capture.suffix is None:
        return part
    return next((part[:i] for i in range(len(part)) if capture.suffix.matches(part[i:])), part)


def with_marks(ir: GrammarIR, may_be_empty: Collection[str] = ()) -> GrammarIR:
    """A copy with marks ``2 i`` and ``2 i + 1`` around captured rules, the blank, and counted rules.

    may_be_empty : the counted rules that have a way around their marks
    """
    rules = dict(ir.rules)
    names = [capture.rule for capture in ir.captures]
    if ir.blank:
        names.append(ir.blank)
    names += [budget.rule for budget in ir.budgets]
    for i, name in enumerate(names):
        marked = Seq((Mark(2 * i), rules[name], Mark(2 * i + 1)))
        if i >= len(names) - len(ir.budgets) and name in may_be_empty:
            own = [Mark(2 * j + end) for end in (0, 1) for j in range(len(ir.captures)) if names[j] == name]
            rules[name] = Alt((marked, Seq(tuple(own))))
        else:
            rules[name] = marked
    return replace(ir, rules=rules, promised={}, marks=2 * len(names))


_readers: WeakKeyDictionary[CompiledGrammar, _Reader] = WeakKeyDictionary()
_readers_lock = threading.Lock()


def read_captures(compiled: CompiledGrammar, steps: Sequence[Step], whole: bool) -> dict[str, list[bytes]]:
    """What the captured rules of a grammar wrote in a text; see `GrammarMatcher.captures`.

    Raises LimitExceededError when the text alone passes ``limits.max_heap_bytes``.
    """
    if not compiled.grammar.ir.captures:
        return {}
    with _readers_lock:
        reader = _readers.get(compiled)
        if reader is None:
            reader = _readers[compiled] = _Reader(compiled)
    return reader.read(steps, whole)
