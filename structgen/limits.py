"""Bounds on what a grammar may cost, and the clock that some of them are read from.

A bound is checked in the loop that would pass it, where it is known what is being done. The clock is begun
by whoever calls from outside (`Grammar.from_…`, `compile`, a mask or a step of a matcher) and looked at by
loops that may lie many calls below: so it is a context variable, and no function has to hand it down. A clock
that is begun while one runs leaves that one running: what a caller waits for is the whole.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from .errors import LimitExceededError

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """Past one of these, :class:`structgen.LimitExceededError` names it, or a cache drops work.

    An error says which limit, its value, and what was reached; nothing is half made, and a matcher is where
    it was before the call. A cache that drops work gives the same masks as before, later.

    States (an error)

    max_dfa_states : of one regular language while it is built: a terminal, a pattern, a format, the choices,
        and what they are joined, intersected and complemented to. Patterns are refused before they are
        written out when their counted repetitions alone would pass it fourfold.
    max_rule_states : of all rule automata of a compiled grammar, and of one of them while it is built

    Work (an error)

    max_grammar_nodes : expressions of a grammar after its templates and repetitions are expanded; values in a
        schema, formulas and alternatives that it is resolved to
    max_depth : levels of objects and arrays, one inside the other, of a schema
    max_heads : readings of a text that are kept apart at once, in one sequence

    Memory (a cache drops work; an error only when what one mask needs does not fit)

    max_heap_bytes : parser states, stacks and remembered steps of one compiled grammar, 4 MB at least
    max_mask_bytes : masks of one compiled grammar, 64 masks at least
    max_table_bytes : what is kept for a vocabulary and shared by all its grammars: vocabulary tables and
        token groups. What was used longest ago goes first; what one mask needs stays while it is made. The
        largest bound that a grammar of the vocabulary has counts

    Wall clock, in seconds (an error)

    compile_seconds : one call of ``Grammar.from_…`` or ``compile``
    step_seconds : one mask, or one step of a matcher: rules, lexer states and token groups that a text is the
        first to need, and the search whether a reading can be finished
    """

    max_dfa_states: int = 100_000
    max_rule_states: int = 5_000_000
    max_grammar_nodes: int = 1_000_000
    max_depth: int = 25_000
    max_heap_bytes: int = 256 << 20
    max_mask_bytes: int = 256 << 20
    max_table_bytes: int = 512 << 20
    max_heads: int = 4096
    compile_seconds: float = 60.0
    step_seconds: float = 60.0


USUAL = Limits()
"""The bounds of whoever names none."""


class _Collector:
    """Python's collector of cyclic garbage, which waits while clocks run.

    What is made under a clock is made to stay, so looking through it again and again finds nothing, and each
    time all that the process holds is looked through as well: pauses of tens of milliseconds in the middle of
    a mask, and a fifth of the time to a first one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits_for = 0
        self._was_enabled = False

    def hold(self) -> None:
        """Let it wait for one clock more."""
        with self._lock:
            if not self._waits_for:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._waits_for += 1

    def release(self) -> None:
        """One clock has ended; after the last one the collector is as it was."""
        with self._lock:
            self._waits_for -= 1
            if not self._waits_for and self._was_enabled:
                gc.enable()


HELD_SECONDS = 1.0
"""The collector waits no longer for one clock: work that takes longer may make garbage as well."""
_collector = _Collector()


_running: ContextVar[clock | None] = ContextVar("structgen_clock", default=None)
_stopped = 0.0  # seconds in which all clocks stood still


def stop_clocks(seconds: float) -> None:
    """Count the ``seconds`` just past as no time: what took them is no work on anybody's grammar."""
    global _stopped
    _stopped += seconds


class clock:
    """Within it `check_time` raises after so many seconds, naming ``limit``; unless another clock runs.

    began : on a watch that stands still where `stop_clocks` says so
    holds : the garbage collector waits for it

    It stands on the way to every mask that needs a rule or a table, so it calls little: each function costs
    5 µs where other programs have had the processor's caches.
    """

    __slots__ = ("_token", "began", "holds", "limit", "seconds")

    def __init__(self, limit: str, seconds: float) -> None:
        self.limit, self.seconds, self.holds = limit, seconds, False
        self._token: Token[clock | None] | None = None

    def __enter__(self) -> None:
        if _running.get() is None:
            self.began, self.holds = time.monotonic() - _stopped, True
            self._token = _running.set(self)
            _collector.hold()

    def __exit__(self, *error: object) -> None:
        if self._token is not None:
            _running.reset(self._token)
            if self.holds:
                _collector.release()


def check_time(what: str) -> bool:
    """Raise LimitExceededError, saying ``what`` was being done, past the time of the clock that runs.

    Answers whether one runs. About 0.1 µs.
    """
    running = _running.get()
    if running is None:
        return False
    spent = time.monotonic() - _stopped - running.began
    if spent > HELD_SECONDS and running.holds:
        running.holds = False
        _collector.release()
    if spent > running.seconds:
        raise LimitExceededError(running.limit, running.seconds, spent, what)
    return True


def compiling(function: Callable[P, T]) -> Callable[P, T]:
    """Run a function, which has a keyword argument ``limits``, under the clock of ``compile_seconds``."""

    @wraps(function)
    def timed(*args: P.args, **kwargs: P.kwargs) -> T:
        limits = kwargs.get("limits")
        seconds = limits.compile_seconds if isinstance(limits, Limits) else Limits.compile_seconds
        with clock("compile_seconds", seconds):
            return function(*args, **kwargs)

    return timed
