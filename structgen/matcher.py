"""One sequence being written: what may come next, and what has come.

A matcher is a number, the interned state of its text, with the states before it (`history`). A fork copies
nothing, a rollback drops numbers, and two matchers at the same point share everything that was computed
there. The usual step touches Python twice: one kernel call copies a mask, one looks up the state after a
token; only what was never met before takes the lock and works.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .bitmask import Bitmask
from .engine.arena import Arena, ArenaFull
from .errors import LimitExceededError
from .explanation import Expected, Explanation, explain, look_ahead
from .history import Segment, Step, steps_of

if TYPE_CHECKING:
    from .compiled import CompiledGrammar

INT32 = np.dtype(np.int32)
T = TypeVar("T")
MOST_FORCED = 1 << 16
ATTEMPTS = 8
HEALED = 4  # forced tokens at the end that a longer token might swallow are looked for this far back


class GrammarMatcher:
    """The text of one sequence. Not to be used by two threads at once; any number may live side by side."""

    __slots__ = (
        "_arena",
        "_checked",
        "_compiled",
        "_fresh",
        "_shared",
        "_shared_n",
        "_spelled",
        "_state",
        "_states",
        "_taken",
    )
    _states: array[int]
    _taken: array[int]
    _spelled: list[bytes]

    def __init__(self, compiled: CompiledGrammar) -> None:
        self._compiled = compiled
        self._arena: Arena = compiled._arena
        self._state: int = self._arena.initial
        # The steps that forks share: the first ``_shared_n`` of a segment. Then own ones, as in `Segment`.
        self._shared: Segment | None = None
        self._shared_n = 0
        self._begin_here()
        self._checked: Any = None  # the last bitmask that passed `check_bitmask`
        self._fresh = False  # the mask of this place had to be made

    # ------------------------------------------------------------------------------------------------- masks

    def fill_next_token_bitmask(self, bitmask: Bitmask, index: int = 0) -> bool:
        """Write the mask of the next token into row ``index`` of ``bitmask``.

        bitmask : int32[batch, >= ceil(size / 32)], C-contiguous; only that row changes, and all of it
        Returns False when every token is allowed, so that applying the mask can be skipped.
        After a stop token only stop tokens are allowed.

        Raises ValueError for a bitmask of another type or shape, IndexError for a row that is not there.
        """
        if bitmask is not self._checked:
            self.check_bitmask(bitmask)
        arena = self._arena
        done = arena.fill(arena.heap.g, arena.rows, self._state, bitmask, index)
        while done <= 0:
            if done < 0:
                raise IndexError(f"row {index} of a bitmask with {bitmask.shape[0]} rows")
            self._make_mask()
            arena = self._arena
            done = arena.fill(arena.heap.g, arena.rows, self._state, bitmask, index)
        return done == 1

    def check_bitmask(self, bitmask: Any) -> None:
        """Raise ValueError unless the mask of this matcher's vocabulary fits into rows of ``bitmask``."""
        words = self._arena.tables.words
        if not isinstance(bitmask, np.ndarray) or bitmask.dtype != INT32 or bitmask.ndim != 2:
            raise ValueError(
                "a bitmask is a two-dimensional numpy array of int32 (allocate_token_bitmask makes one)"
            )
        if bitmask.shape[1] < words or not bitmask.flags.c_contiguous or not bitmask.flags.writeable:
            raise ValueError(
                f"the bitmask must be writeable and contiguous with at least {words} words a row "
                f"for {self._compiled.vocabulary.size} ids; it has {bitmask.shape[1]}"
            )
        self._checked = bitmask

    def _make_mask(self) -> None:
        self._fresh = True
        try:
            arena = self._arena
            with arena.lock:
                arena.make_mask(self._state)
        except ArenaFull:
            self._ask(lambda arena: arena.make_mask(self._state))

    def _ask(self, question: Callable[[Arena], T]) -> T:
        """Ask the arena under its lock; where it is full, again in the one that takes its place.

        That one may be nearly full, too, when other matchers were there first: hence more than one attempt.
        """
        for attempt in range(ATTEMPTS):
            arena = self._arena
            try:
                with arena.lock:
                    return question(arena)
            except ArenaFull as full:
                if attempt == ATTEMPTS - 1:
                    raise LimitExceededError(*full.args) from None
                self._move()
        raise AssertionError("the last attempt answers or raises")

    def _move(self) -> None:
        """Begin again in a new arena: read the text from the start."""
        old = self._arena
        for attempt in range(ATTEMPTS):
            arena = self._compiled._renew(old)
            try:
                state = arena.initial
                steps = list(self._steps())
                states = []
                with arena.lock:
                    for step in steps:
                        states.append(state)
                        if isinstance(step, bytes):
                            state = arena.accept_bytes(state, step)
                        elif step not in self._compiled.stops:
                            state = arena.accept_token(state, step)
                        else:
                            state = arena.end()
                self.reset()
                self._arena = arena
                for before, step in zip(states, steps, strict=True):
                    self._state = before
                    self._note(step)
                self._state = state
                return
            except ArenaFull as full:
                if attempt == ATTEMPTS - 1:
                    raise LimitExceededError(*full.args) from None
                old = arena

    # ------------------------------------------------------------------------------------------------- steps

    def accept_token(self, token_id: int) -> bool:
        """Take one token. False, and nothing changed, when it is not allowed."""
        arena = self._arena
        if self._fresh:  # nobody has gone on from here
            self._fresh = False
            return self._accept_new(token_id)
        found = arena.find_accept(arena.heap.g, self._state, token_id)
        if found > 0:
            self._states.append(self._state)
            self._taken.append(token_id)
            self._state = found - 1
            return True
        return found == 0 and self._accept_new(token_id)

    def _accept_new(self, token_id: int) -> bool:
        token_id = int(token_id)
        compiled, arena = self._compiled, self._arena
        if self._state == arena.ended or not 0 <= token_id < compiled.vocabulary.size:
            return False
        if token_id in compiled.stops:
            if not self.is_accepting():
                return False
            to = self._ask(lambda arena: arena.end())
            self._note(token_id)
            self._state = to
            return True
        try:
            with arena.lock:
                to = arena.accept_token(self._state, token_id)
        except ArenaFull:
            return self._step(token_id)
        if to < 0:
            return False
        self._states.append(self._state)
        self._taken.append(token_id)
        self._state = to
        return True

    def _step(self, step: Step) -> bool:
        if isinstance(step, bytes):
            to = self._ask(lambda arena: arena.accept_bytes(self._state, step))
        else:
            to = self._ask(lambda arena: arena.accept_token(self._state, step))
        if to < 0:
            return False
        self._note(step)
        self._state = to
        return True

    def _note(self, step: Step) -> None:
        self._states.append(self._state)
        if isinstance(step, bytes):
            self._taken.append(-1 - len(self._spelled))
            self._spelled.append(step)
        else:
            self._taken.append(step)

    def accept_bytes(self, data: bytes) -> bool:
        """Take bytes, as one step. False, and nothing changed, when they are not allowed."""
        return not self.is_terminated() and self._step(bytes(data))

    def validate_tokens(self, ids: Sequence[int]) -> int:
        """How many of a draft, from its start, would be accepted. Nothing changes."""
        n = 0
        for token in ids:
            if not self.accept_token(token):
                break
            n += 1
        self.rollback(n)
        return n

    def rollback(self, n: int = 1) -> None:
        """Take back the last ``n`` steps. Raises ValueError when there are fewer."""
        own = len(self._states)
        if not 0 <= n <= own:
            total = own + (0 if self._shared is None else self._shared.start + self._shared_n)
            if self._shared is None or not 0 <= n <= total:
                raise ValueError(f"cannot take back {n} steps of {total}")
            self._begin_here()
            self._shared, self._shared_n, self._state = self._shared.back(self._shared_n, n - own)
        elif n:
            self._state = self._states[-n]
            del self._states[-n:]
            for step in self._taken[-n:] if self._spelled else ():
                if step < 0:
                    self._spelled.pop()
            del self._taken[-n:]

    def _begin_here(self) -> None:
        """Have no steps but the shared ones."""
        self._states, self._taken, self._spelled = array("q"), array("i"), []

    def fork(self) -> GrammarMatcher:
        """Another matcher with the same text, in constant time: the steps taken so far are shared."""
        if self._states:
            self._shared = Segment(self._shared, self._shared_n, self._states, self._taken, self._spelled)
            self._shared_n = len(self._states)
            self._begin_here()
        other = GrammarMatcher.__new__(GrammarMatcher)
        other._compiled = self._compiled
        other._arena = self._arena
        other._state = self._state
        other._shared = self._shared
        other._shared_n = self._shared_n
        other._begin_here()
        other._checked = None
        other._fresh = False
        return other

    def _steps(self) -> Iterator[Step]:
        return steps_of(self._shared, self._shared_n, self._taken, self._spelled)

    def reset(self) -> None:
        """Back to the start of the text."""
        self._shared, self._shared_n = None, 0
        self._begin_here()
        self._state = self._arena.initial

    # --------------------------------------------------------------------------------------------- questions

    def is_accepting(self) -> bool:
        """What is written is a whole text of the language."""
        return self.is_terminated() or self._ask(lambda arena: arena.is_accepting(self._state))

    def is_terminated(self) -> bool:
        """A stop token was accepted."""
        return self._state == self._arena.ended

    def must_stop(self) -> bool:
        """Nothing but a stop token may follow."""
        if self.is_terminated():
            return True
        return self.is_accepting() and not self._live_bytes().any() and not self._live_specials()

    def _live_specials(self) -> list[int]:
        return (
            self._ask(lambda arena: arena.live_specials(self._state)) if self._arena.symbol_of_token else []
        )

    def _live_bytes(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        return self._ask(lambda arena: arena.live_bytes(self._state))

    def forced_bytes(self) -> bytes:
        """The longest byte string that every continuation begins with (at most 65,536 bytes of it).

        Special tokens write no bytes: where one may come, nothing is forced.
        """
        if self.is_terminated():
            return b""
        if self._compiled.grammar.ir.budgets:
            from .engine.budgets import forced_bytes

            return self._ask(lambda arena: forced_bytes(arena, self._state, MOST_FORCED))
        out = bytearray()
        probe = self.fork()
        while len(out) < MOST_FORCED and not probe.is_accepting():
            live = np.flatnonzero(probe._live_bytes())
            if len(live) != 1 or probe._live_specials():
                break
            byte = bytes([int(live[0])])
            if not probe.accept_bytes(byte):
                break
            out += byte
        return bytes(out)

    def forced_tokens(self) -> list[int]:
        """The canonical tokens of `forced_bytes`, as far as no longer token could take their place.

        The tokens at the end are left to the model where a token of the vocabulary begins with their bytes
        and goes on past the forced part.
        """
        forced = self.forced_bytes()
        if not forced:
            return []
        vocabulary = self._compiled.vocabulary
        ids = list(vocabulary.encode(forced))
        sizes = [int(vocabulary.offsets[i + 1] - vocabulary.offsets[i]) for i in ids]
        end = len(forced)
        keep = len(ids)
        at = end
        for k in range(len(ids) - 1, max(len(ids) - 1 - HEALED, -1), -1):
            at -= sizes[k]
            if self._goes_on(forced[at:end]):
                keep = k
        return ids[:keep]

    def _goes_on(self, tail: bytes) -> bool:
        """A token of the vocabulary is longer than ``tail`` and begins with it."""
        nodes = self._compiled.vocabulary.trie.nodes
        at = 0
        for b in tail:
            child = at + 1
            end = int(nodes[at, 2])
            while child < end and int(nodes[child, 0]) != b:
                child = int(nodes[child, 2])
            if child >= end:
                return False
            at = child
        return int(nodes[at, 2]) > at + 1

    def explain(self, token_id: int) -> Explanation:
        """Why a token is allowed or not: the part of it that fits, the byte that fails, what was expected."""
        return explain(self, token_id)

    def expected(self) -> Expected:
        """What may come next: bytes, the end of the text, the terminals and rules being read."""
        return look_ahead(self)

    def captures(self) -> dict[str, list[bytes]]:
        """What the captured parts of the grammar have written: {name: [bytes, ...]}, in the text's order.

        As if the text ended here, where it may; otherwise the parts that are complete. A part begins as early
        and ends as late as it can, white space that is ignored around it apart. The text is read again by a
        copy of the grammar, some microseconds a byte; nothing else pays for captures.
        """
        from .captures import read_captures

        return read_captures(self._compiled, list(self._steps()), self.is_accepting())

    @property
    def compiled(self) -> CompiledGrammar:
        """What the matcher was made from; its forks and all other matchers of it share it."""
        return self._compiled

    @property
    def text(self) -> bytes:
        """The bytes taken so far, stop tokens apart."""
        vocabulary = self._compiled.vocabulary
        return b"".join(s if isinstance(s, bytes) else (vocabulary.bytes_of(s) or b"") for s in self._steps())

    def __repr__(self) -> str:
        """Show the end of the text."""
        return f"<GrammarMatcher after {self.text[-40:]!r}>"
