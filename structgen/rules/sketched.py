"""Rules of a sketch into the heap, one when a text gets to it, by one kernel each.

What `Bracketed` does for a grammar's expressions, this does for rows of numbers (`sketch`), with nothing in
Python for each member. The rules that a sketch does not say itself belong to a grammar with a `RuleBuilder`
of its own in the same heap, made when the first of them is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from ..engine import layout as L
from ..engine.heap import Heap
from ..engine.spelling import write_sketched
from ..engine.spelling.sketched import (
    D_BLOCK,
    D_CHOICE,
    D_ENCLOSED,
    D_FOLLOW,
    D_GAP,
    D_GAP_FIRST,
    D_LIST_STATES,
    D_LISTED,
    D_ORDERED,
    D_SIZE,
    D_START,
    D_STATES,
    D_TAIL_STATES,
    D_UNIT,
    LIST_END_OP,
    LIST_GAP,
    LIST_ITEM,
    LIST_PLACE,
    LIST_SEPARATOR_OP,
    LIST_UNIT,
)
from ..errors import LimitExceededError
from ..ir import Alt, Bounded, Expr, Lit, Pat, Ref, Rep, Seq
from ..jit import settled
from ..limits import Limits
from ..sketch import (
    ELSEWHERE,
    SK_BYTES,
    SK_KIND,
    SK_MEMBERS,
    Sketch,
    SketchForm,
)
from .analysis import analyse
from .bracketed import plan_of
from .build import RuleBuilder
from .common import LaidOut
from .patterns import bounded_ops, lay_out, lay_out_bounded, source_of
from .shapes import AFTER, BASE, CALLEES, RULE, Shape, rule_template

_Int64 = npt.NDArray[np.int64]
FEW_RULES = 8
UNITS = 1 << 40  # the unit of a sketch's rule 0; a grammar's units have smaller numbers


@dataclass(frozen=True, slots=True)
class _Form:
    """What `write_sketched` is told for all sketches of one form, in heaps of one shape.

    told : int64[D_SIZE], without D_ORDERED
    constants : common, frames, tail, tail_numbers, lists, list_numbers, trans, classes, words, final
    frame : states of a frame
    """

    told: _Int64
    constants: tuple[npt.NDArray[Any], ...]
    frame: int


def _form(form: SketchForm, shared: LaidOut) -> _Form:
    """What is known of a form once its common rules are laid out."""
    around, builder = form.around, shared.builder
    units = builder.units
    common = [(units[unit].at, units[unit].first) for unit in map(builder.graphs.rule_unit, form.names)]
    told = np.zeros(D_SIZE, np.int64)
    if around.gap:
        gap = units[builder.graphs.rule_unit(around.gap)]
        told[D_GAP], told[D_GAP_FIRST] = gap.at, gap.first
    plans = [plan_of(around, empty) for empty in (False, True)]
    frames = _together([plan.frame for plan in plans])
    lists = [_list(form, builder, mapped, empty) for mapped in (False, True) for empty in (False, True)]
    others = builder.others(form.other_keys, around)
    told[D_ENCLOSED] = builder.first_set(1 << around.opening)
    told[D_LISTED] = builder.first_set(1 << form.brackets[0])
    told[D_CHOICE] = builder.first_set(1 << form.quote)
    told[D_UNIT] = UNITS
    told[D_BLOCK : D_BLOCK + 3] = others.block
    told[D_START], told[D_FOLLOW] = others.start, others.follow
    told[D_TAIL_STATES] = plans[0].tail.states
    told[D_LIST_STATES] = max(states for states, _, _ in lists)
    assert int(builder.heap.g[L.H_TOP]) == shared.at + shared.size  # nothing new was laid out
    constants = (
        np.array(common, np.int64),
        frames,
        plans[0].tail.words,
        plans[0].tail_numbers,
        _together([words for _, words, _ in lists]),
        _together([numbers for _, _, numbers in lists]),
        *others.automaton,
    )
    return _Form(told, constants, max(plan.states for plan in plans))


def _together(arrays: list[_Int64]) -> _Int64:
    """Arrays as the rows of one; behind the end of a shorter one lies nothing."""
    found = np.zeros((len(arrays), max(map(len, arrays))), np.int64)
    for row, array in zip(found, arrays, strict=True):
        row[: len(array)] = array
    return found


def _list(form: SketchForm, builder: RuleBuilder, mapped: bool, empty: bool) -> tuple[int, _Int64, _Int64]:
    """Items between brackets, or (``mapped``) members with any keys: how many states, their words, and which
    number is added to each: place, unit, blanks, item or value, or the operation of a separator or end."""
    around = form.around
    gap: tuple[Expr, ...] = (Ref(around.gap),) if around.gap else ()
    value = Ref(form.names[0])
    item = Seq((Pat(form.keys, "key"), *gap, Lit(around.mark), *gap, value)) if mapped else value
    brackets = (around.opening, around.closing) if mapped else form.brackets
    opening, closing = (Lit(bytes([byte])) for byte in brackets)
    separator = Lit(around.separator)
    items = Rep(item, 1, None, Seq((*gap, separator, *gap)) if gap else separator)
    filled = (items, *gap, closing)
    inside: tuple[Expr, ...] = (Alt((closing, Seq(filled))),) if empty else filled
    shape = Shape.of(builder.graphs.of(Seq((opening, *gap, *inside)), ""))
    assert shape is not None
    template = rule_template(shape.key)
    of_unit = {builder.graphs.rule_unit(value.rule): LIST_ITEM}
    if around.gap:
        of_unit[builder.graphs.rule_unit(around.gap)] = LIST_GAP
    number = np.full(CALLEES + 2 * len(shape.units) + 1, -1, np.int64)
    number[BASE], number[RULE], number[AFTER] = LIST_PLACE, LIST_UNIT, -1
    words = template.words.copy()
    for i, unit in enumerate(shape.units):
        of_place = CALLEES + 2 * i
        if unit in of_unit:
            number[of_place], number[of_place + 1] = of_unit[unit], of_unit[unit] + 1
        else:  # the keys', which lie in the same place in every heap
            words[template.number == of_place] += builder.units[unit].at
            words[template.number == of_place + 1] += builder.units[unit].first
    numbers = number[template.number]
    op_of = {around.separator[0]: LIST_SEPARATOR_OP, brackets[1]: LIST_END_OP}
    at = 0
    while at < len(words):
        edges, calls = words[at + L.S_EDGES : at + L.S_CALLS + 1].tolist()
        for edge in range(at + L.STATE_WORDS, at + L.STATE_WORDS + L.EDGE_WORDS * edges, L.EDGE_WORDS):
            numbers[edge + 2] = op_of.get(int(words[edge]) & 0xFFFF, -1)
        at += L.STATE_WORDS + L.EDGE_WORDS * edges + L.CALL_WORDS * calls
    return template.states, words, numbers


_forms: dict[tuple[int, int], tuple[SketchForm, LaidOut, _Form]] = {}
_write: list[Callable[..., int]] = []  # the machine code of `write_sketched`
MOST_FORMS = 64


def _note_form(form: SketchForm, shared: LaidOut) -> _Form:
    """Find what is known of a form, and keep it."""
    if len(_forms) >= MOST_FORMS:
        _forms.clear()
    made = _form(form, shared)
    _forms[id(form), id(shared)] = form, shared, made
    return made


class SketchBuilder:
    """Owns the rules of one sketch and lays them out in its heap, which begins with the common ones."""

    def __init__(self, sketch: Sketch, heap: Heap, limits: Limits, shared: LaidOut) -> None:
        self._sketch = sketch
        self._heap = heap
        self._limits = limits
        self._shared = shared
        known = _forms.get((id(sketch.form), id(shared)))
        self._form = _note_form(sketch.form, shared) if known is None else known[2]
        self._told = self._form.told.copy()
        self._told[D_ORDERED] = sketch.ordered
        self._places: _Int64 = np.zeros((len(sketch.rules), 2), np.int64)
        self._inner: tuple[RuleBuilder, Callable[[int], str]] | None = None

    def start(self) -> int:
        """Heap offset of the initial state of the grammar; its first rule is written, of few rules all."""
        start = self._write(0)
        if len(self._places) <= FEW_RULES:
            # A text will get to most of them, and to ask for one costs more than to write it.
            for rule in range(1, len(self._places)):
                forward = int(self._places[rule, 0])
                if forward and self._sketch.rules[rule, SK_KIND] != ELSEWHERE:
                    at = self._write(rule)
                    self._heap.g[forward + L.S_ROW] = at
        return start

    def build(self, forward: int) -> None:
        """Build the unit whose forward lies at heap offset ``forward``."""
        g = self._heap.g
        unit = int(g[forward + L.S_RULE])
        late = self._shared.builder.late
        if forward in late:
            late[forward].copy_into(self._heap)
        elif unit < UNITS:
            self._grammar()[0].build(forward)
        elif not g[forward + L.S_ROW]:
            rule = unit - UNITS
            if self._sketch.rules[rule, SK_KIND] == ELSEWHERE:
                pattern = self._sketch.pattern(rule)
                if pattern is not None:
                    at = self._pattern(pattern, unit)
                else:
                    builder, name_of = self._grammar()
                    at = builder.built(name_of(rule))
            else:
                at = self._write(rule)
            self._heap.g[forward + L.S_ROW] = at

    def name_of(self, unit: int) -> str:
        """What a unit is called in messages."""
        if unit < UNITS:
            return self._grammar()[0].units[unit].name
        return self._sketch.name_of(unit - UNITS)

    def _write(self, rule: int) -> int:
        """Write a rule; its first state."""
        sketch, form, told = self._sketch, self._form, self._told
        row = sketch.rules[rule].tolist()
        n, size = row[SK_MEMBERS], row[SK_BYTES]
        keys = np.empty(size, np.uint8)
        todo = np.empty(5 * size + 8 * n + 50 + form.frame, np.int64)
        rules = (told, sketch.text, sketch.rules, sketch.members, self._places)
        if not _write:
            _write.append(settled(write_sketched, self._heap.g, rule, *rules, *form.constants, keys, todo))
        while True:
            at = int(_write[0](self._heap.g, rule, *rules, *form.constants, keys, todo))
            if at > 0:
                break
            self._heap.make_room(-at)
        if told[D_STATES] > self._limits.max_rule_states:
            self._refuse()
        return at

    def _pattern(self, e: Pat | Bounded, unit: int) -> int:
        """Write a rule that is a pattern; its first state."""
        self._told[D_STATES] += len(e.dfa.trans) - 1
        if self._told[D_STATES] > self._limits.max_rule_states:
            self._refuse()
        heap, dfa = self._heap, e.dfa
        if isinstance(e, Bounded):
            counting, other = bounded_ops(e)
            at = heap.put((*counting, *other))
            return lay_out_bounded(heap, e, unit, at, at + len(counting))
        return lay_out(heap, dfa, unit, source_of(dfa.digest, False), False)[0][0]

    def _refuse(self) -> NoReturn:
        most, states = self._limits.max_rule_states, int(self._told[D_STATES])
        raise LimitExceededError("max_rule_states", most, states, "building rule automata")

    def _grammar(self) -> tuple[RuleBuilder, Callable[[int], str]]:
        """The builder of all rules that the sketch does not say itself, and their names."""
        if self._inner is None:
            ir, name_of = self._sketch.grammar()
            shared = self._shared.builder
            facts = analyse(ir, self._limits, (), shared.facts)
            self._inner = RuleBuilder(ir, self._heap, self._limits, facts, shared), name_of
        return self._inner
