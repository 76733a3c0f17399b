"""The steps of a text, shared between a matcher and its forks.

A search over texts forks all the time and throws most forks away. So a fork copies nothing: what was taken
before it becomes a `Segment`, which both sides refer to and neither changes, and each goes on with arrays of
its own. Taking steps back inside a segment only moves the place up to which it counts. A step costs 12 bytes.

Linked steps would say the same with an object of 80 bytes each, which the garbage collector visits.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

Step = int | bytes


class Segment:
    """Steps that are shared, after the first ``before_n`` of the segment ``before``.

    states : array of int64, the matcher's state before each step
    taken : array of int32, token ids, or ``-1 - i`` for the bytes ``spelled[i]``
    start : how many steps lie before these
    """

    __slots__ = ("before", "before_n", "spelled", "start", "states", "taken")

    def __init__(
        self,
        before: Segment | None,
        before_n: int,
        states: array[int],
        taken: array[int],
        spelled: list[bytes],
    ) -> None:
        self.before: Segment | None = before
        self.before_n = before_n
        self.states = states
        self.taken = taken
        self.spelled = spelled
        self.start: int = 0 if before is None else before.start + before_n

    def back(self, n: int, steps: int) -> tuple[Segment, int, int]:
        """Where the text is after ``steps`` of the first ``n`` were taken back: segment, n, state there."""
        at = self
        while steps > n:
            if at.before is None:
                raise ValueError("there are not so many steps")
            steps -= n
            n = at.before_n
            at = at.before
        return at, n - steps, at.states[n - steps]


def steps_of(segment: Segment | None, n: int, taken: array[int], spelled: list[bytes]) -> Iterator[Step]:
    """All steps in order: those of the first ``n`` of ``segment``, and what lies before, then ``taken``."""
    parts = [(taken, len(taken), spelled)]
    while segment is not None:
        parts.append((segment.taken, n, segment.spelled))
        n = segment.before_n
        segment = segment.before
    for part, size, words in reversed(parts):
        for i in range(size):
            step = part[i]
            yield step if step >= 0 else words[-1 - step]
