"""One rule's automaton: a graph over symbols and calls, made deterministic by subsets.

Edges carry an operation on the parameter of the running rule (0: none). Two edges on the same symbol with
different operations stay two edges: the parser then has two heads, which is rare and right.

The determinisation is the textbook's subset construction over symbol *ranges*: the bounds of the ranges
that leave a subset cut the alphabet into pieces, and each piece has one target subset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ..errors import LimitExceededError
from ..limits import check_time

Unit = int  # number of a callable automaton (a rule, a pattern, a counted or keyed part of a rule)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A state that goes on as a state of another automaton's dense row wherever it has no edge of its own.

    row, cmap : heap offsets of that row and its class map; ret : state (of this graph) to return to after it,
    or its offset, negated, where it lies already; None: the row leads there by itself; op : operation of
    taking it; wide : the state whose vocabulary tables serve; param : the other automaton's parameter after
    that step; follow : see `layout.S_FOLLOW`
    """

    row: int
    cmap: int
    ret: int | None
    op: int
    wide: int
    param: int = 0
    follow: int = 0


@dataclass
class Graph:
    """A nondeterministic automaton under construction; states are numbered from 0.

    An edge to a state that lies in the heap already has its offset, negated, as target.
    """

    eps: list[list[int]] = field(default_factory=list)
    edges: list[list[tuple[int, int, int, int]]] = field(default_factory=list)  # lowest, highest, target, op
    calls: list[list[tuple[Unit, int, int]]] = field(default_factory=list)  # callee, target, op
    final: dict[int, int] = field(default_factory=dict)  # state -> operation of ending there
    overlay: dict[int, Overlay] = field(default_factory=dict)

    def state(self) -> int:
        """A new state."""
        self.eps.append([])
        self.edges.append([])
        self.calls.append([])
        return len(self.eps) - 1

    def spell(self, data: bytes, start: int, end: int) -> None:
        """A chain of single-byte edges from ``start`` to ``end``."""
        at = start
        for b in data[:-1]:
            to = self.state()
            self.edges[at].append((b, b, to, 0))
            at = to
        self.edges[at].append((data[-1], data[-1], end, 0))


@dataclass(slots=True)
class DState:
    """A deterministic state: the same fields, targets being deterministic states."""

    edges: list[tuple[int, int, int, int]]
    calls: list[tuple[Unit, int, int]]
    final: int  # -1: not final, else the operation of ending here (0: none)
    overlay: Overlay | None

    @property
    def is_end(self) -> bool:
        """Final without condition, and nothing leaves it: a call that returns here needs no frame."""
        return self.final == 0 and not self.edges and not self.calls and self.overlay is None


def splice(g: Graph, part: list[DState], start: int, end: int, first_op: int) -> None:
    """Copy a deterministic part into ``g`` between two states; ``first_op`` guards its first steps."""
    at = [start] + [g.state() for _ in part[1:]]
    # The start of the part is the state itself unless something leads back to it.
    if leads_back(part):
        at[0] = g.state()
        g.eps[start].append(at[0])
    for i, s in enumerate(part):
        op = first_op if i == 0 else 0
        g.edges[at[i]].extend((lo, hi, at[to], op) for lo, hi, to, _ in s.edges)
        g.calls[at[i]].extend((callee, at[to], op) for callee, to, _ in s.calls)
        if s.final >= 0:
            g.eps[at[i]].append(end)


def leads_back(states: list[DState]) -> bool:
    """Something leads to state 0."""
    return any(
        any(to == 0 for _, _, to, _ in s.edges) or any(to == 0 for _, to, _ in s.calls) for s in states
    )


def without_empty(states: list[DState]) -> list[DState]:
    """The same automaton without the empty text: state 0 is not final and nothing leads back to it."""
    first = states[0]
    if leads_back(states):
        copy = DState(list(first.edges), list(first.calls), first.final, first.overlay)
        n = len(states)
        states.append(copy)
        for s in states:
            s.edges = [(lo, hi, n if to == 0 else to, op) for lo, hi, to, op in s.edges]
            s.calls = [(callee, n if to == 0 else to, op) for callee, to, op in s.calls]
    first.final = -1
    return states


def minimised(states: list[DState]) -> list[DState]:
    """The same automaton with equal states made one: the coarsest partition, refined from above (Moore).

    Parser states hold states of rules, so each that is spared here is spared many times over there. A round
    looks again at those states only that lead to one whose class is new.
    """
    into: list[list[int]] = [[] for _ in states]
    for i, s in enumerate(states):
        for _, _, to, _ in s.edges:
            if to >= 0:
                into[to].append(i)
        for _, to, _ in s.calls:
            into[to].append(i)
    first = [0] * len(states)  # the first state of each one's class
    looks = [0] * len(states)
    numbers: dict[object, int] = {}
    todo: Iterable[int] = range(len(states))
    while todo:
        for i in todo:
            s = states[i]
            calls = tuple([(callee, first[to], op) for callee, to, op in s.calls])
            look = (s.final, -1 if s.overlay is None else i, tuple(_joined(s.edges, first)), calls)
            looks[i] = numbers.setdefault(look, len(numbers))
        classes: dict[tuple[int, int], int] = {}
        finer = [classes.setdefault(pair, i) for i, pair in enumerate(zip(first, looks, strict=True))]
        todo = {k for i, kind in enumerate(finer) if kind != first[i] for k in into[i]}
        first = finer
    alone = sorted(set(first))
    if len(alone) == len(states):
        return states
    rank = {i: number for number, i in enumerate(alone)}
    kinds = [rank[i] for i in first]
    return [
        DState(
            _joined(s.edges, kinds),
            [(callee, kinds[to], op) for callee, to, op in s.calls],
            s.final,
            s.overlay
            if s.overlay is None or s.overlay.ret is None or s.overlay.ret < 0
            else replace(s.overlay, ret=kinds[s.overlay.ret]),
        )
        for s in map(states.__getitem__, alone)
    ]


def _joined(edges: list[tuple[int, int, int, int]], number: list[int]) -> list[tuple[int, int, int, int]]:
    """The edges with targets by another number, neighbours of one target joined."""
    joined: list[tuple[int, int, int, int]] = []
    for lo, hi, to, op in edges:
        at = number[to] if to >= 0 else to
        if joined and joined[-1][1] + 1 == lo and joined[-1][2:] == (at, op):
            joined[-1] = (joined[-1][0], hi, at, op)
        else:
            joined.append((lo, hi, at, op))
    return joined


def as_graph(states: list[DState]) -> Graph:
    """The automaton as a graph with the same numbers."""
    g = Graph()
    for s in states:
        i = g.state()
        g.edges[i].extend(s.edges)
        g.calls[i].extend(s.calls)
        if s.final >= 0:
            g.final[i] = s.final
    return g


def determinise(g: Graph, start: int, max_states: int) -> list[DState]:
    """The deterministic automaton of ``g`` from ``start``, which becomes state 0.

    Raises LimitExceededError past ``max_states``.
    """
    return determinise_all(g, [start], max_states)[0]


def determinise_all(g: Graph, starts: Sequence[int], max_states: int) -> tuple[list[DState], list[int]]:
    """The deterministic automaton of ``g`` from several states, and the number of each; the first becomes 0.

    Raises LimitExceededError past ``max_states``.
    """
    index: dict[tuple[int, ...], int] = {}
    subsets: list[tuple[int, ...]] = []
    alone: dict[
        int, int
    ] = {}  # a state of the graph -> number of its subset: most subsets begin as one state

    def number(states: tuple[int, ...]) -> int:
        if len(states) == 1:
            known = alone.get(states[0])
            if known is None:
                known = alone[states[0]] = new(_closure(g, states) if g.eps[states[0]] else states)
            return known
        return new(_closure(g, states))

    def new(subset: tuple[int, ...]) -> int:
        at = index.get(subset)
        if at is None:
            at = index[subset] = len(subsets)
            subsets.append(subset)
            if at >= max_states:
                raise LimitExceededError("max_rule_states", max_states, at + 1, "building a rule's automaton")
        return at

    begin = [number((start,)) for start in starts]
    out: list[DState] = []
    for subset in subsets:  # grows on the way
        if not len(out) & 63:
            check_time("building a rule's automaton")
        if len(subset) == 1:
            (s,) = subset
            edges, calls, overlay = g.edges[s], g.calls[s], g.overlay.get(s)
            final = g.final.get(s, -1)
        else:
            edges = [edge for s in subset for edge in g.edges[s]]
            calls = [call for s in subset for call in g.calls[s]]
            ends = [g.final[s] for s in subset if s in g.final]
            final = -1 if not ends else 0 if 0 in ends else ends[-1]
            overlay = next((g.overlay[s] for s in reversed(subset) if s in g.overlay), None)
        if len(edges) == 1 and edges[0][2] >= 0:
            lo, hi, to, op = edges[0]
            d_edges = [(lo, hi, number((to,)), op)]
        elif edges:
            d_edges = [e for e in edges if e[2] < 0]  # these lead to states that lie already
            d_edges += _disjoint([e for e in edges if e[2] >= 0], number)
        else:
            d_edges = []
        d_calls = _merged(calls, number) if calls else []
        if overlay is not None and overlay.ret is not None and overlay.ret >= 0:
            overlay = replace(overlay, ret=number((overlay.ret,)))
        out.append(DState(d_edges, d_calls, final, overlay))
    return out, begin


def _closure(g: Graph, states: tuple[int, ...]) -> tuple[int, ...]:
    """The states that are reached from ``states`` without reading anything, in order."""
    seen = set(states)
    todo = list(states)
    while todo:
        for t in g.eps[todo.pop()]:
            if t not in seen:
                seen.add(t)
                todo.append(t)
    return tuple(sorted(seen))


def _merged(
    calls: list[tuple[Unit, int, int]], give: Callable[[tuple[int, ...]], int]
) -> list[tuple[Unit, int, int]]:
    """One call for each callee and operation."""
    if len(calls) == 1:
        callee, to, op = calls[0]
        return [(callee, give((to,)), op)]
    targets: dict[tuple[Unit, int], set[int]] = {}
    for callee, to, op in calls:
        targets.setdefault((callee, op), set()).add(to)
    return [(callee, give(tuple(sorted(to))), op) for (callee, op), to in sorted(targets.items())]


def _disjoint(
    edges: list[tuple[int, int, int, int]], give: Callable[[tuple[int, ...]], int]
) -> list[tuple[int, int, int, int]]:
    """Edges with ranges cut so that, an operation apart, no two overlap; neighbours of one target joined."""
    result: list[tuple[int, int, int, int]] = []
    for op in sorted({edge[3] for edge in edges}):
        spans = sorted([(lo, hi, to) for lo, hi, to, its_op in edges if its_op == op])
        if any(a[1] >= b[0] for a, b in pairwise(spans)):
            pieces = _cut(spans)
        else:
            pieces = [(lo, hi, (to,)) for lo, hi, to in spans]
        first = len(result)
        for lo, hi, targets in pieces:
            to = give(targets)
            if len(result) > first and result[-1][1] + 1 == lo and result[-1][2] == to:
                result[-1] = (result[-1][0], hi, to, op)
            else:
                result.append((lo, hi, to, op))
    return result


def _cut(spans: list[tuple[int, int, int]]) -> list[tuple[int, int, tuple[int, ...]]]:
    """Ranges that do not overlap, in order, each with all the targets of the spans that cover it."""
    cuts = sorted({lo for lo, _, _ in spans} | {hi + 1 for _, hi, _ in spans})
    starts: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for lo, hi, to in spans:
        starts.setdefault(lo, []).append(to)
        ends.setdefault(hi + 1, []).append(to)
    alive: dict[int, int] = {}
    pieces: list[tuple[int, int, tuple[int, ...]]] = []
    for low, after in pairwise(cuts):
        for to in ends.get(low, ()):
            alive[to] -= 1
            if not alive[to]:
                del alive[to]
        for to in starts.get(low, ()):
            alive[to] = alive.get(to, 0) + 1
        if alive:
            pieces.append((low, after - 1, tuple(sorted(alive))))
    return pieces
