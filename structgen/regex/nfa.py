"""Pattern tree -> nondeterministic automaton over classes of characters (Thompson's construction).

Chosen over position automata (Glushkov) because its size is linear in the expanded pattern: with follow
sets, ``(a?b?c?){50}`` is quadratic. Empty moves cost a closure per step, which the subset kernel does with a
stamp per node.

Counted repetition is expanded: ``x{2,4}`` is ``xx(x(x)?)?``. The size after expansion is computed before
anything is built, so ``(a{1,1000}){1,1000}`` is refused without being written out.

The tree is walked with an explicit stack: its depth is the user's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import LimitExceededError
from .ast import ANY_CHAR, ANY_TEXT, Alt, Cat, Chars, CharSet, End, Look, Node, Repeat, Start
from .tables import Budget

NODES_PER_STATE = 4  # nodes that may be built for each state that a limit allows


@dataclass(frozen=True, eq=False, slots=True)
class Partition:
    """Code points cut into classes that no set of a pattern tells apart.

    starts : int64[m]     first code point of each interval; starts[0] is 0
    class_of : int64[m]   class of each interval, numbered by first appearance from 1; 0 holds the
        surrogates, which no text has
    """

    starts: np.ndarray
    class_of: np.ndarray

    @property
    def n_classes(self) -> int:
        """Classes, that of the surrogates included."""
        return int(self.class_of.max()) + 1


def partition(sets: list[CharSet]) -> tuple[Partition, np.ndarray]:
    """The coarsest partition for ``sets``, and bool[len(sets), n_classes]: which classes each set holds."""
    cuts = [0, 0xD800, 0xE000]
    for s in sets:
        for lo, hi in s:
            cuts.append(lo)
            cuts.append(hi + 1)
    starts = np.array(sorted(set(cuts)), dtype=np.int64)
    starts = starts[starts <= 0x10FFFF]
    member = np.zeros((len(sets) + 1, len(starts)), dtype=np.bool_)
    for i, s in enumerate(sets):
        if s:
            ranges = np.array(s, dtype=np.int64)
            at = np.searchsorted(ranges[:, 0], starts, side="right") - 1
            member[i] = (at >= 0) & (starts <= ranges[at, 1])
    surrogate = (starts >= 0xD800) & (starts < 0xE000)
    member[:, surrogate] = False
    member[-1] = ~surrogate
    return _classes(starts, member)


def _classes(starts: np.ndarray, member: np.ndarray) -> tuple[Partition, np.ndarray]:
    """Classes of equal columns; the last row of ``member`` is the set of all characters."""
    seen: dict[bytes, int] = {bytes(len(member)): 0}
    columns = np.ascontiguousarray(member.T)
    width = len(member)
    data = columns.tobytes()
    class_of = np.array(
        [seen.setdefault(data[i : i + width], len(seen)) for i in range(0, len(data), width)], dtype=np.int64
    )
    joined = np.concatenate(([True], class_of[1:] != class_of[:-1]))
    holds = np.frombuffer(b"".join(seen), dtype=np.bool_).reshape(len(seen), width).T[:-1]
    return Partition(starts[joined], class_of[joined]), holds


@dataclass(slots=True)
class NFA:
    """A nondeterministic automaton with assertions.

    move : int32[n, n_classes]     node, class -> node or -1
    empty : int64[m, 2]            empty moves (from, to)
    start, accept : nodes
    asserts : (from, to, assertion): empty moves that hold only where the assertion does
    universal : nodes that read every character and stay, with an empty move to ``accept``
    """

    partition: Partition
    move: np.ndarray
    empty: np.ndarray
    start: int
    accept: int
    asserts: list[tuple[int, int, Start | End | Look]]
    universal: list[int]


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node."""
    kind = type(node)
    if kind is Cat or kind is Alt:
        return node.items  # type: ignore[union-attr]
    if kind is Repeat or kind is Look:
        return (node.item,)  # type: ignore[union-attr]
    return ()


def postorder(root: Node) -> list[Node]:
    """Every distinct node object under ``root``, parts before wholes."""
    out: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            out.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            parts = children(node)
            if parts:
                stack.append((node, True))
                stack.extend([(c, False) for c in reversed(parts)])
            else:
                out.append(node)
    return out


def expanded_size(order: list[Node]) -> int:
    """Automaton nodes that the last node of a post-order takes; exact integers, however large."""
    size: dict[int, int] = {}
    nullable = _nullable(order)
    for node in order:
        total = 2
        if not isinstance(node, Look):
            total += sum(size[id(p)] for p in children(node))
        if isinstance(node, Repeat):
            lo = 0 if nullable[id(node.item)] else node.lo
            total *= max(lo if node.hi is None else node.hi, 1)
        size[id(node)] = total
    return size[id(order[-1])]


class Builder:
    """Builds automata of several trees over one partition (a pattern, and each of its look-arounds)."""

    def __init__(self, sets: list[CharSet], budget: Budget) -> None:
        distinct = list(dict.fromkeys([ANY_CHAR, *sets]))
        self.partition, holds = partition(distinct)
        self.classes_of = {s: np.flatnonzero(row) for s, row in zip(distinct, holds, strict=True)}
        self.budget = budget

    def build(self, root: Node, order: list[Node] | None = None) -> NFA:
        """The automaton of ``root``. Look-arounds are left as they are, in ``asserts``."""
        order = postorder(root) if order is None else order
        size = expanded_size(order)
        allowed = NODES_PER_STATE * self.budget.limits.max_dfa_states
        if size > allowed:
            raise LimitExceededError(
                "max_dfa_states", self.budget.limits.max_dfa_states, size / NODES_PER_STATE,
                "writing out the counted repetitions of a pattern",
            )  # fmt: skip
        nullable = _nullable(order)
        empty: list[tuple[int, int]] = []
        chars: list[tuple[int, int, CharSet]] = []
        asserts: list[tuple[int, int, Start | End | Look]] = []
        universal: list[int] = []
        count = 2
        # Work left to do: put an automaton of ``node`` between two given nodes.
        stack: list[tuple[Node, int, int]] = [(root, 0, 1)]
        while stack:
            node, a, b = stack.pop()
            if isinstance(node, Chars):
                # A node has one target for each class: only a node of its own can be sure of that.
                empty.append((a, count))
                chars.append((count, b, node.ranges))
                count += 1
            elif isinstance(node, Cat):
                if not node.items:
                    empty.append((a, b))
                for item in node.items[:-1]:
                    stack.append((item, a, count))
                    a = count
                    count += 1
                if node.items:
                    stack.append((node.items[-1], a, b))
            elif isinstance(node, Alt):
                stack.extend((item, a, b) for item in node.items)
            elif b == 1 and node == ANY_TEXT:
                universal.append(count)
                empty += [(a, count), (count, b)]
                chars.append((count, count, ANY_CHAR))
                count += 1
            elif isinstance(node, Repeat):
                lo = 0 if nullable[id(node.item)] else node.lo
                again = a
                for left in reversed(range(lo)):
                    if left == 0 and node.hi is None:
                        # The copy that loops begins at a node of its own: others may share this one.
                        again = count
                        empty.append((a, again))
                        a = count
                        count += 1
                    stack.append((node.item, a, count))
                    a = count
                    count += 1
                if node.hi is None and lo:
                    empty += [(a, again), (a, b)]
                elif node.hi is None:
                    empty += [(a, count), (count, b)]
                    stack.append((node.item, count, count))
                    count += 1
                else:
                    for _ in range(node.hi - lo):
                        empty.append((a, b))
                        stack.append((node.item, a, count))
                        a = count
                        count += 1
                    empty.append((a, b))
            else:
                asserts.append((a, b, node))
        move = np.full((count, self.partition.n_classes), -1, dtype=np.int32)
        for a, b, ranges in chars:
            move[a, self.classes_of[ranges]] = b
        return NFA(
            self.partition, move, np.array(empty, dtype=np.int64).reshape(-1, 2), 0, 1, asserts, universal
        )


def _nullable(order: list[Node]) -> dict[int, bool]:
    """Node id -> the empty text belongs to it wherever it stands (an assertion has conditions: False)."""
    out: dict[int, bool] = {}
    for node in order:
        parts = [out[id(p)] for p in children(node)]
        if isinstance(node, Cat):
            out[id(node)] = all(parts)
        elif isinstance(node, Alt):
            out[id(node)] = any(parts)
        elif isinstance(node, Repeat):
            out[id(node)] = node.lo == 0 or parts[0]
        else:
            out[id(node)] = False
    return out


def char_sets(order: list[Node]) -> list[CharSet]:
    """The sets of all characters' nodes."""
    return [node.ranges for node in order if isinstance(node, Chars)]
