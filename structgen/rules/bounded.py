"""Patterns whose words are bounded in length: the automaton as it is, with a count in the frame.

A step is open while what has been counted, and the least that is still to be counted after it, are within the
bound: so no step leads to where the word cannot be finished any more.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..engine import layout as L
from ..ir import Bounded
from .automaton import DState
from .units import Units

Step = tuple[int, int, int, int]
"""Lowest byte, highest, state after, and the most that may have been counted before it."""
NEVER = 1 << 40


def reads_left(e: Bounded) -> list[int]:
    """Of each state: the least number of counted reads to the end of a word; NEVER of the dead one."""
    n = e.dfa.n_states
    targets = [np.unique(row).tolist() for row in e.dfa.trans]
    before: list[list[int]] = [[] for _ in range(n)]
    for q, row in enumerate(targets):
        for to in row:
            if q and to:
                before[to].append(q)
    counted = set(e.counted)
    found = [NEVER] * n
    level = [q for q in range(1, n) if e.dfa.final[q]]
    distance = 0
    while level:
        following: list[int] = []
        todo = [q for q in level if found[q] == NEVER]
        while todo:
            q = todo.pop()
            if found[q] <= distance:
                continue
            found[q] = distance
            for other in before[q]:
                if found[other] == NEVER:
                    (following if other in counted else todo).append(other)
        level = following
        distance += 1
    return found


def steps_of(e: Bounded, left: list[int]) -> list[list[Step]]:
    """The steps of each state that may be open."""
    counted = set(e.counted)
    found: list[list[Step]] = []
    for q in range(e.dfa.n_states):
        steps: list[Step] = []
        row = e.dfa.trans[q][e.dfa.classes]
        cuts = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), 256] if q else []
        for low, end in pairwise(cuts):
            to = int(row[low])
            most = e.most - left[to] - (q in counted)
            if to and most >= 0:
                steps.append((low, end - 1, to, most))
        found.append(steps)
    return found


def span_bits(low: int, high: int) -> int:
    """One bit for each byte of a range."""
    return (1 << (high + 1)) - (1 << low)


def bounded_states(e: Bounded, units: Units) -> list[DState]:
    """The states of the automaton, the first one first."""
    left = reads_left(e)
    steps = steps_of(e, left)
    start = e.dfa.start
    order = [start, *(q for q in range(1, e.dfa.n_states) if q != start)]
    place = {q: i for i, q in enumerate(order)}
    counted = set(e.counted)
    made = []
    for q in order:
        edges = []
        for low, high, to, most in steps[q]:
            # A count that is held at 0 stays as it is: then the operation is nothing but its guard.
            op = units.op(L.OP_INC, most + 1, e.most if q in counted else 0)
            edges.append((low, high, place[to], op))
        made.append(DState(edges, [], 0 if e.dfa.final[q] else -1, None))
    return made
