"""Members between brackets, as JSON writes objects: the rule that schemas have most of, in one kernel call.

`members` makes an automaton of keyed members whatever stands around them and between them. Nearly always that
is the same: an opening byte, blanks, the members with a separator between blanks, a closing byte; and in each
member a key, a mark between blanks, and a call. Such a rule is recognised here by its form and by what its
parts begin with. All of its states but those of the keys are then known beforehand (`plan_of`, `_tail`), and
`engine.spelling` writes them together with the trie of the keys. One unit takes the place of two, with one
frame a level of nesting, and blanks are read once.

    entry -{- begin -blanks- root' -keys- tail -value- after -blanks- after' -,- again -blanks- root
                 └─────────┴─ } ─► end                   └──────────┴─ } ─► end

What has another form is for the other builders.
"""

from __future__ import annotations

from array import array
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
from ..ir import Alt, Around, Enclosed, Expr, Lit, Members, Ref, Seq
from ..jit import settled
from ..regex import disjoint_union, word_counts
from .analysis import has_other_keys, needed_with
from .automaton import Graph
from .graphs import Graphs
from .patterns import Block
from .records import Records
from .shapes import Shape, Template, tail_template

_Int64 = npt.NDArray[np.int64]
_GAP, _VALUE = 0, 1  # units of a tail's shape


def recognise(expr: Expr) -> Enclosed | None:
    """The parts of an expression of the form, or None.

    Raises GrammarError for needs that `Members` does not allow.
    """
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
    n = len(inside.members)
    return Enclosed(
        Around(opening, closing, separator, mark, gap),
        tuple([member.key for member in inside.members]),
        values[:n],
        tuple([i for i, member in enumerate(inside.members) if member.required]),
        tuple([(rest.key, value) for rest, value in zip(inside.rest, values[n:], strict=True)]),
        empty,
        inside.ordered,
        inside.min_count,
        inside.max_count,
        needed_with(inside),
    )


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
def plan_of(around: Around, empty: bool) -> _Plan:
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
    common : what builds the common rules
    """

    def __init__(
        self,
        graphs: Graphs,
        records: Records,
        read: Callable[[str], object],
        common: Bracketed | None = None,
    ) -> None:
        self._graphs = graphs
        self._records = records
        self._read = read
        self._unit_of: dict[tuple[str, bool], int] = {}  # what `_callee` has found of rules
        self._others_of: dict[object, Others] = {}  # of one kind, that are others' as well
        if common is not None:
            self._unit_of, self._others_of = common._unit_of.copy(), common._others_of.copy()

    def build(self, form: Enclosed, unit: int) -> int:
        """Write the automaton of ``form``, the unit ``unit``; its first state, or 0: it is not built here."""
        around, keys, needs = form.around, form.keys, form.needs
        most = -1 if form.max_count is None else form.max_count
        gap = self._callee(around.gap, nullable=True) if around.gap else (0, 0)
        if gap is None:
            return 0
        # Where the units of the values lie, and their FIRST sets; of each key the place of its value there.
        values: list[int] = []
        place: dict[str, int] = {"": -1}
        for name in (*form.values, *[value for _, value in form.rest]):
            if name not in place:
                callee = self._callee(name, nullable=False)
                if callee is None:
                    return 0
                place[name] = len(values) >> 1
                values += callee
        n = alive = len(keys)
        number: Sequence[int] = range(n)
        must = [0] * n
        if needs is not None or "" in form.values:
            named = _named(form)
            if named is None:
                return 0
            number, must, alive = named
        else:
            for i in form.required:
                must[i] = 1
        least = max(form.min_count, sum(must))
        kinds = form.rest
        if kinds:
            kinds = tuple([kind for kind in kinds if kind[1] and has_other_keys(kind[0], keys)])
        if (0 <= most < least) or (not kinds and least > alive):
            return 0
        others = _NO_OTHERS
        if kinds:
            if any([key.first_bits >> around.closing & 1 for key, _ in kinds]):  # noqa: C419
                return 0
            languages: ByteDFA = kinds[0][0]
            ends: list[int] = []
            if len(kinds) > 1:
                languages, ends = disjoint_union(tuple([key for key, _ in kinds]))
            others = self.others(languages, around, self._graphs.units.all[unit].name, ends)
        plan = plan_of(around, form.empty)
        order = sorted(range(n), key=keys.__getitem__)
        blob = np.frombuffer(b"".join([keys[i] for i in order]), np.uint8)
        firsts = len({key[0] for key in keys})
        tails = len(values) >> 1
        room = (
            (L.M_REQUIRED + alive // 62 + 1 + n + 2 * (alive + 1) + L.OP_WORDS * (n + 3))
            + (plan.size + plan.roots * L.EDGE_WORDS * firsts + tails * len(plan.tail.words))
            + (len(blob) + 1) * (L.STATE_WORDS + L.EDGE_WORDS + L.OP_WORDS)
        )
        heap = self._records.heap
        self._records.count_states(len(blob) + plan.states + tails * plan.tail.states)
        table = heap.put(_needs_table(needs, number, alive)) if needs is not None else 0
        at = heap.reserve(room)
        low = form.min_count if form.min_count > 1 else 0  # one has come where it is asked
        info_words = [unit, *gap, n, alive, int(form.ordered), low, most, int(bool(kinds))]
        info_words.append(int(bool(kinds) and (most >= 0 or low > 0 or form.ordered)))
        info_words += [tails, firsts, place[kinds[0][1]] if len(kinds) == 1 else -1, table]
        info_words += values
        info_words += must
        info_words += [*others.block, 0, 0, others.start, unit, others.follow]
        info_words += accumulate([len(keys[i]) for i in order], initial=0)
        info_words += [place[form.values[i]] for i in order]
        info_words += [number[i] for i in order]
        told = np.frombuffer(array("q", info_words + [0] * n), np.int64)
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
            where = {
                end: first + size * place[value] for end, (_, value) in zip(others.ends, kinds, strict=True)
            }
            self._records.redirect(others.block, others.states, where)
        return entry

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

    def others(self, keys: ByteDFA, around: Around, owner: str = "", ends: Sequence[int] = ()) -> Others:
        """The automaton of the other keys of the rule ``owner``, laid out.

        Those of one kind are laid out once. Of several kinds, the ``ends`` tell them apart.
        """
        name = (keys.digest, around.mark[0], around.gap)
        found = self._others_of.get(name) if not ends else None
        if found is not None:
            return found
        units, records = self._graphs.units, self._records
        first = 1 << around.mark[0]
        if around.gap:
            first |= self._graphs.facts.starts_with(around.gap)[1]
        follow = units.first_set(first)
        callee = units.pattern(keys, "other key", owner)
        block = records.pattern(keys, callee)
        if ends:
            block = records.copy(block, keys.n_states - 1, follow)
        automaton = (keys.trans, keys.classes, word_counts(keys), keys.final)
        found = Others(block, keys.n_states - 1, keys.start, follow, automaton, ends)
        if not ends and not units.all[callee].owner:
            self._others_of[name] = found
        return found


def _named(form: Enclosed) -> tuple[list[int], list[int], int] | None:
    """Of each key its number, -1 where it cannot come; of each number whether it must; how many there are.

    None where what must come cannot, and where that is not told so easily.
    """
    needs = form.needs
    can_come = [value != "" for value in form.values]
    wanted = form.required
    if needs is not None:
        if form.max_count is not None:
            return None
        wanted = tuple(sorted({j for i in wanted for j in needs[i]}))
        can_come = [all([can_come[j] for j in needed]) for needed in needs]  # noqa: C419
    if not all([can_come[i] for i in wanted]):  # noqa: C419
        return None
    alive = sum(can_come)
    places = iter(range(alive))
    number = [next(places) if possible else -1 for possible in can_come]
    must = [0] * alive
    for i in wanted:
        must[number[i]] = 1
    return number, must, alive


def _needs_table(needs: list[list[int]], number: Sequence[int], alive: int) -> list[int]:
    """The table that M_NEEDS names."""
    words = max(1, -(-alive // 62))
    table = [0] * (alive * words)
    for i, together in enumerate(needs):
        for j in together if number[i] >= 0 else ():
            table[number[i] * words + number[j] // 62] |= 1 << (number[j] % 62)
    return table


@dataclass(frozen=True, slots=True)
class Others:
    """The automaton of other keys: where it lies, how many states, its start, FIRST set of what follows it.

    ends : of each kind the state where its keys end, where there are several
    """

    block: Block
    states: int
    start: int
    follow: int
    automaton: tuple[npt.NDArray[Any], ...]
    ends: Sequence[int]


_NOTHING = (np.zeros((1, 1), np.int32), np.zeros(256, np.uint8), np.zeros(1), np.zeros(1, np.bool_))
_NO_OTHERS = Others((0, 0, 0), 0, 0, 0, _NOTHING, [])
_write: list[Callable[..., int]] = []  # the machine code of `write_members`
