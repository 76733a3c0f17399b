"""Keyed members: one automaton over the keys, whatever their order and however many are required.

Which keys have come is a set in the frame. The keys are spelled as a trie, whose last byte asks for the
key (`OP_KEY`); where other keys may come, the trie's states are overlays of those keys' automaton, so that
a key that leaves every named one goes on there. After each tail a separator leads back to the trie, guarded
so that it is offered only when something can follow.

Other keys of several kinds, each with a tail of its own, have one automaton, too, whose ends say of which
kind a key was. A call cannot tell its caller where it ended, so a copy of that automaton belongs to the
members alone, and its ends lead straight to the tails. The way not taken is a call for each kind: as many
readings side by side as there are kinds, and the named keys taken out of each automaton beforehand.

A member that must come, of a kind that names none, leaves a mark: a bit beside the set. It is left where
what follows the key begins, so that one key may go on as the member that is wanted and as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from ..automata import ByteDFA
from ..engine import layout as L
from ..engine.heap import Heap
from ..engine.spelling import spell_keys
from ..errors import GrammarError
from ..ir import Expr, Member, Members, Rest
from ..regex import disjoint_union, word_counts
from .analysis import Analysis, has_other_keys, most_members, needed_with
from .automaton import Graph, Overlay, determinise, determinise_all, splice
from .graphs import Graphs
from .patterns import Block
from .records import Records


@dataclass(frozen=True)
class _Plan:
    """What of the members can be finished."""

    alive: list[Member]
    together: (
        list[list[int]] | None
    )  # of each: the numbers of those that come with it, where any needs others
    required: set[int]  # the numbers of those that must come
    keys: list[bytes]  # of all members, sorted: a key that cannot be finished is still not another key
    places: list[int]  # of each key: its number in ``alive``, or -1
    spelled: list[bool]  # of each key: it is in the language of the other keys
    rests: list[list[Rest]]  # kinds of other keys; several of one kind differ in what comes after the key
    marks: int  # how many different marks must be left
    others: ByteDFA | None  # the keys of all kinds
    ends: list[int]  # of each kind: the state of ``others`` where its keys end, where there are several
    most: int  # members at most; -1: any number


def build_members(e: Members, unit: int, graphs: Graphs, records: Records, max_states: int) -> int:
    """Write the automaton of ``e``, which is the unit ``unit``; heap offset of its first state.

    Raises GrammarError when a key occurs twice or begins another one, and for marks that cannot be kept.
    """
    units, heap = graphs.units, records.heap
    owner = units.all[unit].owner
    plan = _plan(e, graphs)
    alive, keys, places, others = plan.alive, plan.keys, plan.places, plan.others
    n = len(keys)
    m = heap.put(_member_set(plan, heap, e))
    any_time = others is not None and plan.most < 0 and not (e.ordered and any(x.required for x in alive))

    g = Graph()
    root = g.state()
    after = g.state()
    g.final[after] = units.op(L.OP_CLOSE, m)
    tails: dict[int, int] = {}

    def tail_of(tail: Expr) -> int:
        at = tails.get(id(tail))
        if at is None:
            at = tails[id(tail)] = g.state()
            graphs.expand(g, tail, at, after, owner)
        return at

    # After a separator something must be able to come.
    more = 0 if any_time else units.op(L.OP_ANY_KEY if others is None else L.OP_ANY_OR_REST, m, 0, n)
    tail_states = [after if k < 0 else tail_of(alive[k].tail) for k in places]
    never = units.op(L.OP_NEVER)
    ops = [never if k < 0 else units.op(L.OP_KEY, m, k) for k in places]
    trie = _Trie(plan, unit, m, any_time, ops, records)

    def rest_tail_of(kind: list[Rest]) -> int:
        if not plan.marks or (plan.most < 0 and kind[0].mark is None and len(kind) == 1):
            return tail_of(kind[0].tail)
        at = g.state()
        for rest in kind:
            op = units.op(L.OP_MARK, m, -1 if rest.mark is None else rest.mark)
            splice(g, determinise(graphs.of(rest.tail, owner), 0, max_states), at, after, op)
        return at

    rest_tails = [rest_tail_of(kind) for kind in plan.rests]
    alone = rest_tails[0] if len(rest_tails) == 1 else None  # where a call of the other keys returns to
    block = (0, 0, 0)
    if others is not None:
        counts = plan.most >= 0 or e.min_count > 0 or e.ordered
        follow = units.first_set(_after_a_key(plan, graphs))
        block = records.pattern(others, units.pattern(others, "other key", owner))
        if alone is None:
            block = records.copy(block, others.n_states - 1, follow)
        trie.overlay(others, block, units.op(L.OP_REST, m) if counts else 0, follow)
    trie.write()
    first = trie.first_edges(keys, tail_states)
    overlay = None if others is None else trie.root_overlay(alone)
    # The trie's states lead to the tails and the tails' to the trie: it is written again when those lie.
    starts = list(dict.fromkeys([root, after, *tail_states, *rest_tails]))
    splice(g, determinise(graphs.of(e.sep, owner), 0, max_states), after, root, more)
    g.edges[root].extend(first)
    if overlay is not None:
        g.overlay[root] = overlay
    states, begin = determinise_all(g, starts, max_states)
    at, where = records.rule(states, unit)
    place = {s: where[k] for s, k in zip(starts, begin, strict=True)}
    rest_places = [place[s] for s in rest_tails]
    trie.write([place[s] for s in tail_states], rest_places[0] if alone is not None else 0)
    if others is not None and alone is None:
        ends = dict(zip(plan.ends, rest_places, strict=True))
        records.redirect(block, others.n_states - 1, ends)
    return at


def _plan(e: Members, graphs: Graphs) -> _Plan:
    facts = graphs.facts
    can_come = [facts.productive[facts.of(m.tail)] for m in e.members]
    below = needed_with(e)
    if below is None:
        alive = [m for m, yes in zip(e.members, can_come, strict=True) if yes]
        required = {k for k, m in enumerate(alive) if m.required}
        together = None
    else:
        chosen = [i for i, needed in enumerate(below) if all(can_come[j] for j in needed)]
        alive = [e.members[i] for i in chosen]
        place = {i: k for k, i in enumerate(chosen)}
        together = [[place[j] for j in below[i]] for i in chosen]
        required = {k for m, needed in zip(alive, together, strict=True) if m.required for k in needed}
    number = {m.key: k for k, m in enumerate(alive)}
    keys = sorted(m.key for m in e.members)
    for a, b in pairwise(keys):
        if b.startswith(a):
            raise GrammarError(f"key {a!r} occurs twice or begins key {b!r}")
    bound = most_members(e, facts.productive[facts.of(e.sep)])
    most = -1 if bound is None else bound
    places = [number.get(key, -1) for key in keys]
    kinds: dict[bytes, list[Rest]] = {}
    for rest in e.rest:
        if facts.productive[facts.of(rest.tail)] and has_other_keys(rest.key, keys):
            kinds.setdefault(rest.key.digest, []).append(rest)
    rests = list(kinds.values())
    marks = {rest.mark for rest in e.rest if rest.mark is not None}
    if not rests:
        return _Plan(alive, together, required, keys, places, [False] * len(keys), [], 0, None, [], most)
    if marks:
        _check_marks(marks, rests, most, facts)
    others = rests[0][0].key
    ends: list[int] = []
    if len(rests) > 1:
        others, ends = disjoint_union(tuple(kind[0].key for kind in rests))
    spelled = [others.matches(key) for key in keys]
    return _Plan(alive, together, required, keys, places, spelled, rests, len(marks), others, ends, most)


def _check_marks(marks: set[int], rests: list[list[Rest]], most: int, facts: Analysis) -> None:
    if marks != set(range(len(marks))) or len(marks) > L.MAX_MARKS:
        raise GrammarError(f"marks of members are 0, 1, … and at most {L.MAX_MARKS}, not {sorted(marks)}")
    if any(facts.nullable[facts.of(rest.tail)] for kind in rests for rest in kind):
        raise GrammarError("what comes after a key is never empty where members leave marks")
    if most >= 0 and len(rests) > 1:
        # Where there is room for a marked member alone, a key's first bytes do not tell whether it is one.
        raise GrammarError("marks beside a bound of members need other keys of one kind")


def _after_a_key(plan: _Plan, graphs: Graphs) -> int:
    """One bit for each byte that may come after a key."""
    facts = graphs.facts
    bits = 0
    tails = [m.tail for m in plan.alive] + [rest.tail for kind in plan.rests for rest in kind]
    for number in {facts.of(tail) for tail in tails}:
        bits |= -1 % (1 << 256) if facts.nullable[number] else facts.first[number]
    return bits


def _member_set(plan: _Plan, heap: Heap, e: Members) -> list[int]:
    """The descriptor that the operations on a member set name (`layout`)."""
    n = len(plan.alive)
    words = max(1, -(-n // 62))
    required = [i in plan.required for i in range(n)]
    needs = 0
    if plan.together is not None:
        table = [0] * (n * words)
        for i, together in enumerate(plan.together):
            for j in together:
                table[i * words + j // 62] |= 1 << (j % 62)
        needs = heap.put(table)
    bits = [0] * words
    following = [n] * (n + 1)
    later = [0] * (n + 1)
    for k in range(n - 1, -1, -1):
        following[k] = k if required[k] else following[k + 1]
        if k + 1 < n:
            later[k] = later[k + 1] + required[k + 1]
        bits[k // 62] |= required[k] << (k % 62)
    head = [n, int(e.ordered), e.min_count, plan.most, int(plan.others is not None), int(n > L.MARK_SHIFT)]
    head += [words, sum(required), len(plan.places), plan.marks, needs]
    return [*head, *bits, *plan.places, *following, *later]


_NO_OTHERS = (np.zeros((1, 1), np.int32), np.zeros(256, np.uint8), np.zeros(1))


class _Trie:
    """The trie of the keys, which a kernel writes."""

    def __init__(
        self, plan: _Plan, unit: int, m: int, any_time: bool, ops: list[int], records: Records
    ) -> None:
        self.heap = records.heap
        self._keys = np.frombuffer(bytearray().join(plan.keys), np.uint8)
        size = len(self._keys)
        records.count_states(size)
        self._ops = ops
        self._offsets = [0, *accumulate(map(len, plan.keys))]
        self._spelled = list(map(int, plan.spelled))
        self._set = (m, int(any_time))
        self._words = _NO_OTHERS
        self._layout = [0] * 8
        self._layout[6] = unit
        self._scratch = np.empty(5 * (size + 2), np.int64)
        self._room = (size + 1) * (L.STATE_WORDS + L.EDGE_WORDS + L.OP_WORDS)
        self._at = -1

    def overlay(self, others: ByteDFA, block: Block, op: int, follow: int) -> None:
        """Other keys may come: their automaton lies in ``block``, and ``op`` is done when one begins.

        follow : offset of the FIRST set of all tails
        """
        self._layout[:6] = (*block, 0, op, others.start)
        self._layout[7] = follow
        self._words = (others.trans, others.classes, word_counts(others))

    def write(self, targets: list[int] | None = None, rest_tail: int = 0) -> None:
        """Write the trie; again with the states that its keys, and a call of the other keys, lead to."""
        n = len(self._ops)
        self._layout[3] = rest_tail
        after = targets if targets is not None else [0] * n
        first = self._at < 0
        if first:
            self._at = self.heap.reserve(self._room)
        info = np.array([*self._layout, *self._offsets, *after, *self._ops, *self._spelled], np.int64)
        end = int(
            spell_keys(self.heap.g, self._at, self._keys, info, 0, n, *self._set, *self._words, self._scratch)
        )
        if first:
            self.heap.g[L.H_TOP] = end

    def first_edges(self, keys: list[bytes], tails: list[int]) -> list[tuple[int, int, int, int]]:
        """The edges of the trie's root, for a graph: states that lie have negative numbers."""
        found = []
        edge = self._at + L.STATE_WORDS
        for _ in range(int(self.heap.g[self._at + L.S_EDGES])):
            span, to, op = self.heap.g[edge : edge + L.EDGE_WORDS].tolist()
            if not to:  # A key of one byte.
                i = keys.index(bytes([span & 0xFFFF]))
                to, op = -tails[i], self._ops[i]
            found.append((span & 0xFFFF, span >> 16, -to, op))
            edge += L.EDGE_WORDS
        return found

    def root_overlay(self, tail: int | None) -> Overlay:
        """The root as an overlay of the other keys' first state; ``tail``: what is after their call."""
        g = self.heap.g
        row, wide = int(g[self._at + L.S_ROW]), int(g[self._at + L.S_WIDE])
        _, _, cmap, _, op, _, _, follow = self._layout
        return Overlay(row, cmap, tail, op, wide, follow=follow)
