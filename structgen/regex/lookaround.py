"""Patterns with assertions: anchors in any place, word boundaries, look-ahead and look-behind.

All of these keep a language regular, and the construction here is exact for all of them, however nested:

- What a **look-ahead** asks is a debt. A reading of the pattern (a thread) is a node of the automaton plus
  a set of debts, each of which is an automaton that walks along and must in the end accept (or, negative,
  must not). A debt that can no longer fail is dropped, and one that can no longer be met takes its thread
  along.
- What a **look-behind** asks is already known: for each one, the automaton of ``.*X`` walks along from the
  start of the text (a tracker), and the question is whether it accepts here. When X holds a look-ahead
  itself, the answer is a condition on what follows, that is, debts.
- ``^`` holds at the first position only; ``$`` is the debt that no character follows.

Threads do not depend on each other, so (node, debts, trackers) are the nodes of an ordinary nondeterministic
automaton, and that is all that is built here; the subset kernel does the rest, as for any pattern.

A look-ahead that asks nothing about what precedes it, and a look-behind that asks nothing about what
follows, are minimal tables of their own before the walk begins. The others (``(?=\\bfoo)``, ``(?<=a$)``)
are walked as sets of threads.

The alternatives considered: a product of separately built automata covers assertions outside loops only;
Boolean derivatives are as exact, but spend their time on normalising terms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import GrammarError
from .ast import ANY_TEXT, Cat, End, Look, Node, Start
from .nfa import NFA, NODES_PER_STATE, Builder, children, postorder
from .tables import Budget, determinise, reduce_table

WORK_PER_STATE = 40  # steps of threads and debts for each state that a limit allows: 10 to 20 µs
WORK_BETWEEN_LOOKS = 4096  # at the clock
MAX_NESTING = 40  # look-arounds inside look-arounds; the construction recurses over these alone

Debts = frozenset[int]
Thread = tuple[int, Debts]
Threads = frozenset[Thread]

_NONE: Debts = frozenset()
_WHAT = "building the automaton of a pattern with look-around"


@dataclass(frozen=True, slots=True)
class _Open:
    """A debt without a table: of these threads one must accept what follows, or (``negative``) none may."""

    negative: bool
    threads: Threads


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """What is known at a position: whether it is the first, and where each look-behind stands.

    trackers : the state of each, a number (a table's) or a set of threads
    behind : for each tracker, the debts under which it accepts here (any one of them)
    """

    number: int
    first: bool
    trackers: tuple[int | Threads, ...]
    behind: list[list[Debts]]


@dataclass(frozen=True, slots=True)
class _Tabled:
    """A look-behind with a table: its state is a number."""

    trans: list[list[int]]
    final: list[bool]


@dataclass(frozen=True, slots=True)
class _Walked:
    """A look-behind that asks about what follows: its state is a set of threads."""

    start: int
    accept: int


class _Walker:
    """All automata of a pattern in one numbering of nodes, and the steps on them."""

    def __init__(self, root: Node, builder: Builder, budget: Budget) -> None:
        self.builder = builder
        self.budget = budget
        self.n_classes = builder.partition.n_classes
        self.moves: list[list[tuple[int, int]]] = []  # node -> (class, node)
        self.empty: list[list[int]] = []
        self.asserts: list[list[tuple[int, object]]] = []
        self.accepting: set[int] = set()  # nodes where a thread of a debt only waits for its own debts
        self.work = 0
        self._until_a_look = WORK_BETWEEN_LOOKS
        # Debts: a row (class -> debt, or whether it is met) where there is a table, else an `_Open`.
        self.rows: list[list[int | bool] | None] = []
        self.met_at_end: list[bool] = []
        self.open: dict[int, _Open] = {}
        self.open_ids: dict[_Open, int] = {}
        self.steps: dict[tuple[int, int, int], int | bool] = {}
        self.heads: dict[tuple[int, bool], int | bool] = {}  # (id of body, negative) -> debt with a table
        self.starts: dict[int, int] = {}  # id of body -> start node, for a look-ahead without one
        self.trackers: list[_Tabled | _Walked] = []  # look-behinds, inner ones first
        self.tracker_of: dict[int, int] = {}
        self.places: dict[tuple[bool, tuple[int | Threads, ...]], _Place] = {}
        self.next_place: dict[tuple[int, int], _Place] = {}
        order = postorder(root)
        _check_nesting(order)
        behind, ahead = _what_is_asked(order)
        looks = _own_looks(root, order, behind, ahead)
        content = self._new_nodes(1)
        self._wait(content)
        self.content = content
        self.end = self._table_debts(*self._table(Cat(())), negative=False)
        for look in looks:
            body = id(look.item)
            if look.behind and body not in self.tracker_of:
                self.tracker_of[body] = len(self.trackers)
                if body in ahead:
                    self.trackers.append(_Walked(*self._add(builder.build(look.item))))
                else:
                    trans, final = self._table(Cat((ANY_TEXT, look.item)))
                    self.trackers.append(_Tabled(trans.tolist(), final.tolist()))
            elif not look.behind and body in behind and body not in self.starts:
                self.starts[body], accept = self._add(builder.build(look.item))
                self._wait(accept)
            elif not look.behind and body not in behind and (body, look.negative) not in self.heads:
                table = self._table(Cat((look.item, ANY_TEXT)))
                self.heads[body, look.negative] = self._table_debts(*table, negative=look.negative)
        self.ends_of_trackers = {t.accept for t in self.trackers if isinstance(t, _Walked)}
        main = builder.build(root)
        self.universal = {len(self.moves) + node for node in main.universal}
        self.start, self.accept = self._add(main)

    def _table(self, node: Node) -> tuple[np.ndarray, np.ndarray]:
        """The minimal automaton of a part; state 0 dead, 1 the start."""
        trans, final = determinise_node(node, self.builder, self.budget)
        return reduce_table(trans, final) if len(trans) > 1 else (trans, final)

    def _table_debts(self, trans: np.ndarray, final: np.ndarray, negative: bool) -> int | bool:
        """Makes a debt of every state of a table; the one of its start."""
        n = len(trans)
        base = len(self.rows)
        certain = final & (trans[:, 1:] == np.arange(n)[:, None]).all(axis=1)
        value: list[int | bool] = [negative, *range(base + 1, base + n)]
        for q in np.flatnonzero(certain).tolist():
            value[q] = not negative
        self.rows.extend([value[t] for t in row] for row in trans.tolist())
        self.met_at_end.extend(bool(f) != negative for f in final)
        return value[1] if n > 1 else negative

    def _new_nodes(self, n: int) -> int:
        first = len(self.moves)
        self.moves.extend([] for _ in range(n))
        self.empty.extend([] for _ in range(n))
        self.asserts.extend([] for _ in range(n))
        return first

    def _wait(self, node: int) -> None:
        self.moves[node] = [(c, node) for c in range(1, self.n_classes)]
        self.accepting.add(node)

    def _add(self, nfa: NFA) -> tuple[int, int]:
        base = self._new_nodes(len(nfa.move))
        for a, c in np.argwhere(nfa.move >= 0).tolist():
            self.moves[base + a].append((c, base + int(nfa.move[a, c])))
        for a, b in nfa.empty.tolist():
            self.empty[base + a].append(base + b)
        for a, b, what in nfa.asserts:
            self.asserts[base + a].append((base + b, what))
        return base + nfa.start, base + nfa.accept

    def close(self, node: int, owed: Debts, place: _Place) -> list[Thread]:
        """The threads that a thread becomes without reading a character; only those that read or end."""
        seen: dict[int, list[Debts]] = {}
        stack = [(node, owed)]
        while stack:
            node, debts = stack.pop()
            known = seen.setdefault(node, [])
            if any(k <= debts for k in known):
                continue
            known[:] = [k for k in known if not debts <= k]
            known.append(debts)
            self._count(len(known))
            stack.extend((t, debts) for t in self.empty[node])
            for target, what in self.asserts[node]:
                stack.extend((target, more) for more in self._asserted(what, debts, place))
        return [
            (node, debts)
            for node, known in seen.items()
            if self.moves[node] or node == self.accept or node in self.ends_of_trackers
            for debts in known
        ]

    def _count(self, work: int = 1) -> None:
        self.work += work
        self._until_a_look -= work
        if self._until_a_look <= 0:
            self._until_a_look = WORK_BETWEEN_LOOKS
            self.budget.check_time(_WHAT)

    def _asserted(self, what: object, debts: Debts, place: _Place) -> list[Debts]:
        """The debts with which a thread passes an assertion: none when it cannot, one or more when it can."""
        if isinstance(what, Start):
            return [debts] if place.first else []
        owed: int | bool
        if not isinstance(what, Look):
            owed = self.end
        elif what.behind:
            ways = place.behind[self.tracker_of[id(what.item)]]
            if not what.negative:
                return [debts | way for way in ways]
            owed = self._owe(True, frozenset((self.content, way) for way in ways))
        elif id(what.item) in self.starts:
            begun = self.close(self.starts[id(what.item)], _NONE, place)
            owed = self._owe(what.negative, frozenset(begun))
        else:
            owed = self.heads[id(what.item), what.negative]
        if isinstance(owed, bool):
            return [debts] if owed else []
        return [debts | {owed}]

    def _owe(self, negative: bool, threads: Threads) -> int | bool:
        """The number of an open debt, or True or False where it is decided already."""
        if not threads:
            return negative
        if any(node in self.accepting and not debts for node, debts in threads):
            return not negative
        made = _Open(negative, threads)
        found = self.open_ids.get(made)
        if found is None:
            found = self.open_ids[made] = len(self.rows)
            self.open[found] = made
            self.rows.append(None)
            met = any(node in self.accepting and self.all_met_at_end(d) for node, d in threads)
            self.met_at_end.append(met != negative)
        return found

    def all_met_at_end(self, debts: Debts) -> bool:
        """All debts are met when no character follows."""
        return all(self.met_at_end[d] for d in debts)

    def after(self, debts: Debts, c: int, place: _Place) -> Debts | None:
        """What is owed after a character of class ``c`` that leads to ``place``; None: cannot be met."""
        left = []
        self._count(1 + len(debts))
        for d in debts:
            row = self.rows[d]
            owed = row[c] if row is not None else self._step_open(d, c, place)
            if owed is False:
                return None
            if owed is not True:
                left.append(owed)
        return frozenset(left)

    def _step_open(self, d: int, c: int, place: _Place) -> int | bool:
        key = (d, c, place.number)
        found = self.steps.get(key)
        if found is None:
            debt = self.open[d]
            found = self.steps[key] = self._owe(debt.negative, self._step(debt.threads, c, place))
        return found

    def _step(self, threads: Threads, c: int, place: _Place) -> Threads:
        out: set[Thread] = set()
        for node, debts in threads:
            for label, target in self.moves[node]:
                if label == c:
                    left = self.after(debts, c, place)
                    if left is not None:
                        out.update(self.close(target, left, place))
        return frozenset(out)

    def follow(self, place: _Place | None, c: int) -> _Place:
        """The place after a character of class ``c``; from None, the first place."""
        key = (-1 if place is None else place.number, c)
        found = self.next_place.get(key)
        if found is None:
            self._count(len(self.trackers))
            found = self.next_place[key] = self._follow(place, c)
        return found

    def _follow(self, place: _Place | None, c: int) -> _Place:
        states: list[int | Threads] = []
        # The trackers' own steps look at those before them, at the new place; nothing else may yet.
        new = _Place(-1 - len(self.next_place), place is None, (), [])
        for i, tracker in enumerate(self.trackers):
            state = None if place is None else place.trackers[i]
            if isinstance(tracker, _Tabled):
                q = tracker.trans[state][c] if isinstance(state, int) else min(1, len(tracker.trans) - 1)
                states.append(q)
                new.behind.append([_NONE] if tracker.final[q] else [])
            else:
                threads = set(self.close(tracker.start, _NONE, new))
                if isinstance(state, frozenset):
                    threads |= self._step(state, c, new)
                states.append(frozenset(threads))
                ways = {debts for node, debts in threads if node == tracker.accept}
                new.behind.append(sorted(ways, key=sorted))
        known = (place is None, tuple(states))
        if known not in self.places:
            self.places[known] = _Place(len(self.places), known[0], known[1], new.behind)
        return self.places[known]


def determinise_node(root: Node, builder: Builder, budget: Budget) -> tuple[np.ndarray, np.ndarray]:
    """The automaton (trans, final) of the texts that ``root`` matches as a whole; not yet minimal."""
    order = postorder(root)
    if any(isinstance(node, Start | End | Look) for node in order):
        return _determinise_asserting(_Walker(root, builder, budget))
    nfa = builder.build(root, order)
    accept = np.zeros(len(nfa.move), dtype=np.bool_)
    accept[[nfa.accept, *nfa.universal]] = True
    what = "building the automaton of a pattern"
    return determinise(nfa.move, nfa.empty, np.array([nfa.start]), accept, budget, what, nfa.universal)


def _determinise_asserting(walker: _Walker) -> tuple[np.ndarray, np.ndarray]:
    """Walks all threads and gives them to the subset kernel.

    Two kinds of nodes: a place where a thread arrives, with empty moves to what it becomes there, and a
    thread that reads.
    """
    budget = walker.budget
    first = walker.follow(None, 0)
    arrivals: dict[tuple[int, Debts, int], int] = {(walker.start, _NONE, first.number): 0}
    threads: dict[tuple[int, Debts, int], int] = {}
    waiting = [(walker.start, _NONE, first, 0)]
    empty: list[tuple[int, int]] = []
    moves: list[tuple[int, int, int]] = []
    accepting: list[int] = []
    universal: list[int] = []
    count = 1
    while waiting:
        budget.check_states(max(count // NODES_PER_STATE, walker.work // WORK_PER_STATE), _WHAT)
        node, owed, place, number = waiting.pop()
        for reader, debts in walker.close(node, owed, place):
            key = (reader, debts, place.number)
            at = threads.get(key)
            if at is None:
                at = threads[key] = count
                count += 1
                if reader in walker.universal and not debts:
                    universal.append(at)
                if reader == walker.accept and walker.all_met_at_end(debts):
                    accepting.append(at)
                for c, target in walker.moves[reader]:
                    following = walker.follow(place, c)
                    left = walker.after(debts, c, following)
                    if left is None:
                        continue
                    arrival = (target, left, following.number)
                    to = arrivals.get(arrival)
                    if to is None:
                        to = arrivals[arrival] = count
                        count += 1
                        waiting.append((target, left, following, to))
                    moves.append((at, c, to))
            empty.append((number, at))
    move = np.full((count, walker.n_classes), -1, dtype=np.int32)
    if moves:
        at_, c_, to_ = np.array(moves).T
        move[at_, c_] = to_
    accept = np.zeros(count, dtype=np.bool_)
    accept[accepting + universal] = True
    pairs = np.array(empty, dtype=np.int64).reshape(-1, 2)
    return determinise(move, pairs, np.array([0]), accept, budget, _WHAT, universal)


def _what_is_asked(order: list[Node]) -> tuple[set[int], set[int]]:
    """Ids of the nodes that ask about what precedes them, and of those that ask about what follows.

    A look-behind inside a look-ahead asks about what precedes the latter, and so on.
    """
    behind: set[int] = set()
    ahead: set[int] = set()
    for node in order:
        parts = [id(p) for p in children(node)]
        if isinstance(node, Start) or any(p in behind for p in parts):
            behind.add(id(node))
        if isinstance(node, End) or any(p in ahead for p in parts):
            ahead.add(id(node))
        if isinstance(node, Look):
            (behind if node.behind else ahead).add(id(node))
    return behind, ahead


def _own_looks(root: Node, order: list[Node], behind: set[int], ahead: set[int]) -> list[Look]:
    """The look-arounds that are walked with ``root``, inner ones first: not those inside a table."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        tabled = isinstance(node, Look) and id(node.item) not in (ahead if node.behind else behind)
        stack.extend(() if tabled else children(node))
    return [node for node in order if isinstance(node, Look) and id(node) in seen]


def _check_nesting(order: list[Node]) -> None:
    depth: dict[int, int] = {}
    for node in order:
        inside = max((depth[id(p)] for p in children(node)), default=0)
        depth[id(node)] = inside + isinstance(node, Look)
    if depth[id(order[-1])] > MAX_NESTING:
        raise GrammarError(
            f"look-arounds are nested more than {MAX_NESTING} deep; take the inner ones out of the others"
        )
