"""One engine on one case: what is timed, in nanoseconds, and whether the answers are right.

    compile     schema text -> object that texts can be started from
    first mask  compile + start of a text + its first mask
    mask        every mask of the valid texts, the one after their last token included
    accept      every token of the valid texts
    document    compile + start + all masks and tokens of the first valid text

Cold is the first walk over the valid texts, warm the second one over the same. In between come the invalid
texts, up to the first token that is refused; they count in MaskBench's figure alone:

    step        mask + accept in whole µs, of all texts, at their first walk ("TBM"; its "TTFM" is compile)

The clock's own cost (about 0.04 µs a reading, one a figure) is in every figure. Many figures are kept as a
histogram of values of three digits, so that a recording stays small.

The clock is the wall's. On a machine that others use, a thread waits milliseconds for a processor now and
then; Linux counts that time, and it is taken off figures above `SLOW` (a wait is never shorter).
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterable
from time import perf_counter_ns, thread_time_ns
from typing import Any

from .engines import Refused, Steps

SLOW = 300_000  # ns
PATIENCE = 10_000_000_000  # ns; who takes longer for the first walk is spared the second
KEPT = ("cold_mask", "cold_accept", "warm_mask", "warm_accept")
AT_THE_END = "the end is refused"


class Waits:
    """Time that this thread was ready to run and had no processor, where the system counts it."""

    def __init__(self) -> None:
        self.n = self.total = 0
        try:
            self._file = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        except OSError:
            self._file = -1
        self._seen = self._read()

    def _read(self) -> int:
        return int(os.pread(self._file, 96, 0).split()[1]) if self._file >= 0 else 0

    def begin(self) -> None:
        """What was waited so far belongs to nothing that is timed."""
        self._seen = self._read()

    def without(self, figure: int) -> int:
        """The figure without what was waited since the last call."""
        now = self._read()
        waited = min(now - self._seen, figure)
        self._seen = now
        self.n += waited > 0
        self.total += waited
        return figure - waited

    def close(self) -> None:
        """Give the file back."""
        if self._file >= 0:
            os.close(self._file)


class Pauses:
    """Garbage collections: how many, and the longest in ns of this thread's processor time."""

    def __init__(self) -> None:
        self.n = self.longest = self._since = 0

    def __call__(self, phase: str, _: Any) -> None:
        if phase == "start":
            self._since = thread_time_ns()
        else:
            self.n += 1
            self.longest = max(self.longest, thread_time_ns() - self._since)


def walk(steps: Steps, ids: Any, masks: list[int], accepts: list[int], waits: Waits) -> str:
    """Write a text. What is wrong with it, or nothing."""
    waits.begin()
    fill, offers, accept, accepting, stops = steps
    clock = perf_counter_ns
    for at, token in enumerate(ids):
        begin = clock()
        fill()
        took = clock() - begin
        masks.append(took if took < SLOW else waits.without(took))
        offered = offers(token)
        begin = clock()
        taken = accept(token)
        took = clock() - begin
        accepts.append(took if took < SLOW else waits.without(took))
        if not offered or (taken is not None and not taken):
            both = "" if taken is None or bool(offered) == bool(taken) else ", not by both"
            return f"token {at} of {len(ids)} is refused{both}"
    begin = clock()
    fill()
    took = clock() - begin
    masks.append(took if took < SLOW else waits.without(took))
    if not accepting() or not all(offers(stop) for stop in stops):
        return AT_THE_END
    return ""


def rounded(ns: int) -> int:
    """Three significant digits."""
    return round(ns, -max(len(str(ns)) - 3, 0))


def histogram(values: Iterable[int]) -> dict[str, list[int]]:
    """Values, and how often each comes."""
    counted = sorted(Counter(map(rounded, values)).items())
    return {"v": [v for v, _ in counted], "n": [n for _, n in counted]}


def visit(adapter: Any, case: Any) -> dict[str, Any]:
    """All figures of one engine on one case, as what a recording keeps."""
    found: dict[str, Any] = {"valid": len(case.valid), "invalid": len(case.invalid)}
    pauses = Pauses()
    waits = Waits()
    gc.callbacks.append(pauses)
    try:
        waits.begin()
        begin = perf_counter_ns()
        try:
            compiled = adapter.compile(case)
        except Refused as refused:
            found["refused"] = str(refused)[:300]
            return found
        found["compile"] = waits.without(perf_counter_ns() - begin)
        begin = perf_counter_ns()
        steps = adapter.start(compiled)
        started = waits.without(perf_counter_ns() - begin)
        cold: tuple[list[int], list[int]] = ([], [])
        wrong = {}
        each: list[int] = []
        for number, ids in enumerate(case.valid):
            if number:
                steps = adapter.start(compiled)
            before = len(cold[0])
            said = walk(steps, ids, *cold, waits)
            each += map(sum, zip(cold[0][before:], cold[1][before:], strict=False))
            if said:
                wrong[number] = said
            if number == 0:
                found["document"] = found["compile"] + started + sum(cold[0]) + sum(cold[1])
        if not case.valid:
            begin = perf_counter_ns()
            steps.fill()
            found["first_mask"] = found["compile"] + started + waits.without(perf_counter_ns() - begin)
        else:
            found["first_mask"] = found["compile"] + started + cold[0][0]
        verdicts = []
        for ids in case.invalid:
            apart: tuple[list[int], list[int]] = ([], [])
            verdicts.append(walk(adapter.start(compiled), ids, *apart, waits))
            each += map(sum, zip(*apart, strict=False))
        warm: tuple[list[int], list[int]] = ([], [])
        patient = sum(cold[0]) + sum(cold[1]) < PATIENCE
        for ids in case.valid if patient else ():
            walk(adapter.start(compiled), ids, *warm, waits)
        for key, values in zip(KEPT, (*cold, *warm), strict=True):
            found[key] = histogram(values)
        found["step"] = histogram(ns // 1000 for ns in each)
        found["waits"] = [waits.n, waits.total]
        found["gc"] = [pauses.n, pauses.longest]
        found["valid_refused"] = wrong
        found["invalid_accepted"] = [i for i, said in enumerate(verdicts) if not said]
        found["refused_at_end"] = verdicts.count(AT_THE_END)
        found["disagree"] = sum("not by both" in said for said in [*wrong.values(), *verdicts])
    except Exception as error:  # whatever an engine raises in mid-walk is its result
        found["error"] = f"{type(error).__name__}: {error}"[:300]
    finally:
        gc.callbacks.remove(pauses)
        waits.close()
    return found


def is_right(found: dict[str, Any]) -> bool:
    """The figures count: taken at compile, no error, no wrong answer.

    A mask that leaves out what accept would take, or the other way round, is counted apart: llguidance offers
    the canonical token alone where bytes are forced, and takes the others, too.
    """
    return not any(found.get(k) for k in ("refused", "error", "valid_refused", "invalid_accepted"))
