"""Members between brackets, as JSON writes objects: the rule that schemas have most of, in one kernel call.

`members` makes an automaton of keyed members whatever stands around them and between them. Nearly always that
is the same: an opening byte, blanks, the members with a separator between blanks, a closing byte; and in each
member a key, a mark between blanks, and a call. Such a rule is recognised here by its form and by what its
parts begin with. All of its states but those of the keys are then known beforehand (`_plan`, `_tail`), and
`engine.spelling` writes them together with the trie of the keys. One unit takes the place of two, with one
frame a level of nesting, and blanks are read once.

    entry -{- begin -blanks- root' -keys- tail -value- after -blanks- after' -,- again -blanks- root
                 └─────────┴─ } ─► end                   └──────────┴─ } ─► end

What has another form is for the other builders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from ..automata import ByteDFA
from ..engine import layout as L
from ..engine.spelling import B_REST_TAIL, FRAME_CLOSE, FRAME_MORE, write_members
from ..ir import Alt, Expr, Lit, Members, Ref, Seq
from ..jit import settled
from ..regex import disjoint_union
from .analysis import has_other_keys, needed_with
from .automaton import Graph
from .graphs import Graphs
from .records import Block, Records
from .shapes import Shape, Template, tail_template

_Int64 = npt.NDArray[np.int64]
_GAP, _VALUE = 0, 1  # units of a tail's shape


@dataclass(frozen=True, slots=True)
class _Punctuation:
    """What stands around and between members; ``gap``: the rule of the blanks, "" for none."""

    opening: int
    closing: int
    separator: bytes
    mark: bytes  # between a key and its value
    gap: str


@dataclass(frozen=True, slots=True)
class _Form:
    """A rule of the form that is built here."""

    around: _Punctuation
    inside: Members
    empty: bool  # nothing between the brackets is allowed, too
    values: tuple[str, ...]  # of each member, then of the other keys: the rule of its value, "" for none


def recognise(expr: Expr) -> _Form | None:
    """The parts of an expression of the form, or None."""
    items = expr.items if isinstance(expr, Seq) else ()
    opening = _byte(items[0]) if len(items) > 1 else -1
    if opening < 0:
        return None
    gap = items[1].rule if isinstance(items[1], Ref) else ""
    items = items[2:] if gap else items[1:]
    empty = len(items) == 1 and isinstance(items[0], Alt) and len(items[0].items) == 2
    nothing = -1
    if empty and isinstance(items[0], Alt):
        first, second = items[0].items
        nothing = _byte(first)
        items = second.items if isinstance(second, Seq) else ()
    if len(items) != (3 if gap else 2):
        return None
    inside, closing = items[0], _byte(items[-1])
    if not isinstance(inside, Members) or closing < 0 or (gap and not _calls(items[1], gap)):
        return None
    separator = _between(inside.sep, gap)
    found = _values(inside, gap)
    if not separator or found is None or inside.min_count < 1 or (empty and nothing != closing):
        return None
    kinds = {rest.key.digest for rest in inside.rest}
    if not inside.members or len(kinds) < len(inside.rest):
        return None
    if any([rest.mark is not None for rest in inside.rest]):  # noqa: C419  (a generator costs more)
        return None
    mark, values = found
    return _Form(_Punctuation(opening, closing, separator, mark, gap), inside, empty, values)


def _byte(e: Expr) -> int:
    """The byte that an expression is, or -1."""
    return e.data[0] if isinstance(e, Lit) and len(e.data) == 1 else -1


def _values(inside: Members, gap: str) -> tuple[bytes, tuple[str, ...]] | None:
    """The mark in all tails, and the rule that each one ends with; None where they are others."""
    mark, values = b"", []
    before: tuple[Expr, ...] = ()  # usually the same objects in every tail
    tails = [member.tail for member in inside.members] + [rest.tail for rest in inside.rest]
    for tail in tails:
        if isinstance(tail, Alt) and not tail.items:
            values.append("")
            continue
        if not isinstance(tail, Seq) or not tail.items:
            return None
        if tail.items[:-1] != before:
            before = tail.items[:-1]
            found = _before(before, gap)
            if not found or (mark and found != mark):
                return None
            mark = found
        last = tail.items[-1]
        if not isinstance(last, Ref):
            return None
        values.append(last.rule)
    return (mark, tuple(values)) if mark else None


def _calls(e: Expr, rule: str) -> bool:
    return isinstance(e, Ref) and e.rule == rule


def _between(sep: Expr, gap: str) -> bytes:
    return _before(sep.items if isinstance(sep, Seq) else (sep,), gap)


def _before(items: Sequence[Expr], gap: str) -> bytes:
    """The literal of ``gap literal gap``, or b""."""
    if gap:
        if len(items) != 3 or not _calls(items[0], gap) or not _calls(items[2], gap):
            return b""
        items = items[1:2]
    only = items[0] if len(items) == 1 else None
    return only.data if isinstance(only, Lit) else b""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The states that do not depend on the keys, for `engine.spelling.write_members`."""

    frame: _Int64
    states: int
    size: int  # words of the frame without the keys' first bytes
    roots: int  # states that have these
    tail: Template
    tail_numbers: _Int64  # `Template.number`, with those of a tail: place, unit, after, gap, value


@lru_cache(maxsize=64)
def _plan(around: _Punctuation, empty: bool) -> _Plan:
    """The frame, and the tail of a member."""
    states: list[tuple[list[tuple[int, int, int]], int, int]] = []  # edges (byte, to, op), call to, root

    def state(root: int = 0) -> int:
        states.append(([], -1, root))
        return len(states) - 1

    def with_gap(root: int) -> int:
        """A state, and behind blanks the same; its number."""
        first = state(root)
        if around.gap:
            behind = state(root)
            states[first] = (states[first][0], behind, root)
        return first

    def edge(first: int, byte: int, to: int, op: int = 0) -> None:
        """An edge of a state, and of the same behind blanks."""
        states[first][0].append((byte, to, op))
        if states[first][1] >= 0:
            states[states[first][1]][0].append((byte, to, op))

    entry = state()
    begin = with_gap(1)
    after = with_gap(0)
    again = with_gap(1)
    end = state()
    edge(entry, around.opening, begin)
    if empty:
        edge(begin, around.closing, end)
    edge(after, around.closing, end, FRAME_CLOSE)
    at, op = after, FRAME_MORE
    for byte in around.separator[:-1]:
        to = state()
        edge(at, byte, to, op)
        at, op = to, 0
    edge(at, around.separator[-1], again, op)
    words = [len(states), after]
    for i, (edges, call, root) in enumerate(states):
        words += (len(edges), call, root, int(i == end))
        for found in edges:
            words += found
    size = sum(
        L.STATE_WORDS + L.EDGE_WORDS * len(edges) + L.CALL_WORDS * (call >= 0) for edges, call, _ in states
    )
    tail, numbers = _tail(around.mark, bool(around.gap))
    roots = sum(root != 0 for _, _, root in states)
    return _Plan(np.array(words, np.int64), len(states), size, roots, tail, numbers)


def _tail(mark: bytes, gap: bool) -> tuple[Template, _Int64]:
    """The template of what follows a key, from a graph state 0 to 1."""
    g = Graph()
    start, end, value = g.state(), g.state(), g.state()
    before, behind = (g.state(), g.state()) if gap else (start, value)
    if gap:
        for at, to in ((start, before), (behind, value)):
            g.eps[at].append(to)
            g.calls[at].append((_GAP, to, 0))
    g.spell(mark, before, behind)
    g.calls[value].append((_VALUE, end, 0))
    shape = Shape.of(g)
    assert shape is not None
    template = tail_template(shape.key)
    # Callees are numbered as the shape meets them; here the gap comes first.
    fixed = 3
    order = [0, 1, 2, *(fixed + 2 * unit + k for unit in shape.units for k in (0, 1))]
    numbers = np.array([*order, -1], np.int64)[template.number]
    return template, numbers


class Bracketed:
    """Builds the rules of one grammar that have the form.

    read : has a rule that is not promised read, if it is not known yet
    """

    def __init__(self, graphs: Graphs, records: Records, read: Callable[[str], object]) -> None:
        self._graphs = graphs
        self._records = records
        self._read = read
        self._unit_of: dict[tuple[str, bool], int] = {}  # what `_callee` has found of rules

    def build(self, expr: Expr, unit: int) -> int:
        """Write the automaton of ``expr``, the unit ``unit``; its first state, or 0: it has another form."""
        form = recognise(expr)
        callees = self._callees(form) if form is not None else None
        if form is None or callees is None:
            return 0
        gap, values, tail_of = callees
        inside, n = form.inside, len(form.inside.members)
        named = _named(inside, tail_of)
        kinds = [
            (rest.key, tail)
            for rest, tail in zip(inside.rest, tail_of[n:], strict=True)
            if tail >= 0 and has_other_keys(rest, inside)
        ]
        if named is None or (named.most >= 0 and named.least > named.most):
            return 0
        if (not kinds and named.least > named.alive) or any(
            key.first_bits >> form.around.closing & 1 for key, _ in kinds
        ):
            return 0
        plan = _plan(form.around, form.empty)
        others = self._others(kinds, form.around, unit)
        order, blob, ends, firsts = _in_order(tuple([member.key for member in inside.members]))
        tails = len(values) // 2
        room = (
            (L.M_REQUIRED + named.alive // 62 + 1 + n + 2 * (named.alive + 1) + L.OP_WORDS * (n + 3))
            + (plan.size + plan.roots * L.EDGE_WORDS * firsts + tails * len(plan.tail.words))
            + (len(blob) + 1) * (L.STATE_WORDS + L.EDGE_WORDS + L.OP_WORDS)
        )
        heap = self._records.heap
        self._records.count_states(len(blob) + plan.states + tails * plan.tail.states)
        needs = heap.put(named.needs) if named.needs else 0
        at = heap.reserve(room)
        least = inside.min_count if inside.min_count > 1 else 0  # one has come where it is asked
        counts = bool(kinds) and (named.most >= 0 or least > 0 or inside.ordered)
        info = [unit, *gap, n, named.alive, int(inside.ordered), least]
        info += [named.most, int(bool(kinds)), int(counts), tails, firsts]
        info += [kinds[0][1] if len(kinds) == 1 else -1, needs]
        info += values
        info += named.required
        info += [*others.block, 0, 0, others.start, unit, others.follow]
        info += ends
        info += [tail_of[i] for i in order]
        info += [named.number[i] for i in order]
        told = np.array(info + [0] * n, np.int64)
        arguments = (
            plan.frame,
            plan.tail.words,
            plan.tail_numbers,
            blob,
            *others.automaton,
            np.empty(5 * (len(blob) + 2) + plan.states, np.int64),
        )
        if not _write:
            _write.append(settled(write_members, heap.g, at, told.copy(), *arguments))
        entry = int(_write[0](heap.g, at, told, *arguments))
        if entry == 0:
            heap.g[L.H_TOP] = at
        elif others.ends:
            first, size = int(told[B_REST_TAIL]), len(plan.tail.words)
            where = {end: first + size * tail for end, (_, tail) in zip(others.ends, kinds, strict=True)}
            self._records.redirect(others.block, others.states, where)
        return entry

    def _callees(self, form: _Form) -> tuple[tuple[int, int], list[int], list[int]] | None:
        """Of the blanks: where their unit lies, and its FIRST set; the same of each value; the value of each.

        A member that cannot be finished has value -1. None where a unit is called in other ways.
        """
        gap: tuple[int, int] | None = (0, 0)
        if form.around.gap:
            gap = self._callee(form.around.gap, nullable=True)
        values: list[int] = []
        tail_of: list[int] = []
        known: dict[str, int] = {"": -1}
        for name in form.values:
            place = known.get(name)
            if place is None:
                found = self._callee(name, nullable=False)
                if found is None:
                    return None
                place = known[name] = len(values) // 2
                values += found
            tail_of.append(place)
        return None if gap is None else (gap, values, tail_of)

    def _callee(self, name: str, *, nullable: bool) -> tuple[int, int] | None:
        """Where the unit of a rule lies, and its FIRST set; None for one that is called in other ways."""
        unit = self._unit_of.get((name, nullable))
        if unit is None:
            unit = self._unit_of[name, nullable] = self._called_unit(name, nullable)
        if unit < 0:
            return None
        info = self._graphs.units.all[unit]
        if (info.counted or info.dfa is not None) and self._records.may_overlay(unit):
            return None
        return info.at, info.first

    def _called_unit(self, name: str, nullable: bool) -> int:
        """The unit of a rule, -1 for one that is called in other ways."""
        facts = self._graphs.facts
        if name not in facts.promised:
            self._read(name)
            number = facts.rule[name]
            if facts.nullable[number] != nullable or not facts.productive[number] or not facts.first[number]:
                return -1
        elif nullable:
            return -1
        return self._graphs.rule_unit(name)

    def _others(self, kinds: list[tuple[ByteDFA, int]], around: _Punctuation, unit: int) -> _Others:
        """The automaton of the other keys, laid out. Of several kinds, its ends tell them apart."""
        if not kinds:
            return _NO_OTHERS
        units, records = self._graphs.units, self._records
        first = 1 << around.mark[0]
        if around.gap:
            first |= self._graphs.facts.starts_with(around.gap)[1]
        follow = units.first_set(first)
        ends: list[int] = []
        keys = kinds[0][0]
        if len(kinds) > 1:
            keys, ends = disjoint_union(tuple([key for key, _ in kinds]))
        block = records.pattern(keys, units.pattern(keys, "other key", units.all[unit].name))
        if ends:
            block = records.copy(block, keys.n_states - 1, follow)
        automaton = (keys.trans, keys.classes, keys.word_counts, keys.final)
        return _Others(block, keys.n_states - 1, keys.start, follow, automaton, ends)


@lru_cache(maxsize=256)
def _in_order(keys: tuple[bytes, ...]) -> tuple[list[int], npt.NDArray[np.uint8], list[int], int]:
    """Keys in order: which one comes when, their bytes, where each begins and ends, how many first bytes."""
    order = sorted(range(len(keys)), key=keys.__getitem__)
    blob = np.frombuffer(bytearray().join([keys[i] for i in order]), np.uint8)
    return order, blob, [*accumulate([len(keys[i]) for i in order], initial=0)], len({key[0] for key in keys})


@dataclass(frozen=True, slots=True)
class _Named:
    """The named members.

    number : of each, -1 where it cannot be finished
    required : of each number, whether it must come
    alive : how many have numbers
    least, most : of members in all, the other ones included; ``most`` is -1 for no bound
    needs : the table that M_NEEDS names, or nothing
    """

    number: list[int]
    required: list[int]
    alive: int
    least: int
    most: int
    needs: list[int]


def _named(inside: Members, tail_of: list[int]) -> _Named | None:
    """None where what must come cannot, and where that is not told so easily."""
    members = inside.members
    most = -1 if inside.max_count is None else inside.max_count
    can_come = [tail >= 0 for tail in tail_of[: len(members)]]
    wanted = [i for i, member in enumerate(members) if member.required]
    below = needed_with(inside)
    if below is not None:
        if most >= 0:
            return None
        wanted = sorted({j for i in wanted for j in below[i]})
        can_come = [all([can_come[j] for j in needed]) for needed in below]  # noqa: C419
    if not all([can_come[i] for i in wanted]):  # noqa: C419
        return None
    alive = sum(can_come)
    number = list(range(alive))
    if alive < len(members):
        places = iter(number)
        number = [next(places) if possible else -1 for possible in can_come]
    required = [0] * alive
    for i in wanted:
        required[number[i]] = 1
    needs: list[int] = []
    if below is not None:
        words = max(1, -(-alive // 62))
        needs = [0] * (alive * words)
        for i, together in enumerate(below):
            for j in together if can_come[i] else ():
                needs[number[i] * words + number[j] // 62] |= 1 << (number[j] % 62)
    return _Named(number, required, alive, max(inside.min_count, len(wanted)), most, needs)


@dataclass(frozen=True, slots=True)
class _Others:
    """The automaton of other keys: where it lies, how many states, its start, FIRST set of what follows it.

    ends : of each kind the state where its keys end, where there are several
    """

    block: Block
    states: int
    start: int
    follow: int
    automaton: tuple[npt.NDArray[Any], ...]
    ends: list[int]


_NOTHING = (np.zeros((1, 1), np.int32), np.zeros(256, np.uint8), np.zeros(1), np.zeros(1, np.bool_))
_NO_OTHERS = _Others((0, 0, 0), 0, 0, 0, _NOTHING, [])
_write: list[Callable[..., int]] = []  # the machine code of `write_members`
