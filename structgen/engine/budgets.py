"""Rules that write a number of tokens at most: what no grammar says, kept beside the grammar's own states.

How many tokens a rule has written is no property of a text, and no state of a parser can hold it. So a
grammar with such rules (`ir.Budget`) is compiled twice, as in `distinct`. The *plain* copy knows nothing of
them. In the *marked* copy marks stand around each counted rule, and a *reading* is a state of it with what
each use that is open has left. A state here is the plain copy's with all readings of the text, a record in
the heap like any other. Readings that have spent too much are followed, too: as long as some of these go on,
the plain copy allows too much, and is not asked.

What is allowed
    A token has a byte in a use of a rule, or not; of one use at most ``tokens`` have. A token is allowed when
    some reading remains in which every use that is open can be ended with the tokens that it has left, each
    byte that it still needs being a token of its own. So no count ever runs out in the middle of something:
    what can be ended in bytes can be ended in tokens, in a vocabulary that has the bytes. Uses that begin
    later can be ended, too: a rule that needs more bytes than it has tokens is refused (`CountedText.check`).
    Bytes that are accepted without tokens count as one token a call; a special token counts.

How a mask is made
    Where no mark can come any more, it is that of the readings' states, or the plain copy's. Where nothing is
    lost and each open use has more left than any place in its rule needs (free text needs three bytes at
    most), it is the plain copy's. Elsewhere the vocabulary is read once in an automaton that leaves the
    numbers out (`reading_sets`), which says for each token in which set of readings it ends; with numbers put
    in, each of these few sets is alive or dead. So a text with 12 tokens left costs no other walk than one
    with 13, and states in which the same sets are alive share a row.

What was considered instead: the number as a parameter of the frame, like other counts. But its steps are
tokens, and the kernels read bytes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import GrammarError, LimitExceededError
from ..ir import Alt, Budget, GrammarIR, Mark, Seq
from ..limits import Limits, clock
from ..vocab.vocabulary import Vocabulary
from . import kernels
from . import layout as L
from .arena import Arena, ArenaFull
from .lexed_text import LexedText
from .marked_arena import MarkedArena
from .marked_text import SPECIAL, CountedText, Left, MarkedText, bounding, one_less
from .reading_sets import NO_BYTE, ReadingSets, Relative
from .token_sets import with_aliases
from .token_walk import DEAD

STATE_BYTES = 1024  # what a state takes in memory, roughly
UNKNOWN = (-1,)  # in place of lost readings: some, it is not known which
MOST_LOST = 64  # lost readings that are followed; with more of them it is taken that some always remain

Reading = tuple[int, Left]
"""A state of the marked copy, and what the uses that are open have left."""
Readings = tuple[Reading, ...]


class State(NamedTuple):
    """What a state is of.

    plain : the plain copy's state
    readings : those that are left
    lost : states of the marked copy in which only readings are that have spent too much; none: what the plain
        copy says is so
    """

    plain: int
    readings: Readings
    lost: tuple[int, ...]


def with_marks(ir: GrammarIR, may_be_empty: Collection[str]) -> GrammarIR:
    """The copy with marks around the counted rules; where these write nothing, no mark is passed."""
    rules = dict(ir.rules)
    for i, budget in enumerate(ir.budgets):
        marked = Seq((Mark(2 * i), rules[budget.rule], Mark(2 * i + 1)))
        rules[budget.rule] = Alt((marked, Seq(()))) if budget.rule in may_be_empty else marked
    return replace(ir, rules=rules, promised={}, common=None, marks=2 * len(ir.budgets), budgets=())


class BudgetArena(MarkedArena):
    """The arena of a grammar with such rules: that of the marked copy, with states of its own.

    may_be_empty : the counted rules that have the empty text
    """

    def __init__(self, ir: GrammarIR, vocabulary: Vocabulary, limits: Limits) -> None:
        if ir.distinct:
            raise GrammarError(
                f"{ir.budgets[0].place or 'the grammar'}: max_tokens and arrays whose items differ "
                "(uniqueItems) cannot be in one grammar; leave one of them out"
            )
        # Which rules can be empty is asked of all of them: none is put off.
        plain = replace(ir, budgets=(), promised={}, common=None)
        self.plain = Arena(plain, vocabulary, limits)
        self._states: dict[State, int] = {}
        self._of: dict[int, State] = {}
        self._rows: dict[object, int] = {}
        ir = replace(ir, budgets=tuple(filter(self._counts, ir.budgets)))
        facts = self.plain.builder.facts
        names = [budget.rule for budget in ir.budgets]
        self.may_be_empty = frozenset([name for name in names if facts.nullable[facts.rule[name]]])
        super().__init__(with_marks(ir, self.may_be_empty), vocabulary, limits)
        tokens = [budget.tokens for budget in ir.budgets]
        starts = {i: _start(self, budget) for i, budget in enumerate(ir.budgets)}
        self._text: CountedText
        self._most: int | None = None
        if ir.lexing == "longest":
            lexed = self._text = LexedText(self, self.plain, ir.budgets)
            alone = {i: _start(self.plain, ir.budgets[i]) for i in starts}
            empty = {i for i in starts if names[i] in self.may_be_empty}
            lexed.check({i: lexed.begin(alone[i], start) for i, start in starts.items()}, empty)
            first = lexed.begin(self.plain.initial, self.initial)
        else:
            self._text = MarkedText(self, ir.budgets)
            self._text.check(starts)
            needed = [self._text.distances.most(_unit(self, ir.budgets[i])) for i in starts]
            if all(n is not None and n < tokens[i] for i, n in zip(starts, needed, strict=True)):
                self._most = max((n for n in needed if n is not None), default=0)
            first = self.initial
        self._sets = ReadingSets(self._text, tokens, vocabulary)
        self.initial = self._state(State(self.plain.initial, ((first, ()),), ()))

    def _counts(self, budget: Budget) -> bool:
        """The rule is called, and may write a byte."""
        facts = self.plain.builder.facts
        rule = facts.rule.get(budget.rule)
        return rule is not None and bool(facts.productive[rule] and facts.first[rule])

    @property
    def nbytes(self) -> int:
        """Bytes of both copies and of the states."""
        sets = self._sets.nbytes if hasattr(self, "_sets") else 0
        return super().nbytes + self.plain.nbytes + STATE_BYTES * len(self._of) + sets

    # ----------------------------------------------------------------------------------------------- states

    def _state(self, key: State) -> int:
        """The number of a state."""
        found = self._states.get(key)
        if found is None:
            most = max(self.limits.max_heap_bytes, 4 << 20)
            if STATE_BYTES * len(self._of) + self._sets.nbytes > most:
                raise ArenaFull("max_heap_bytes", self.limits.max_heap_bytes, self.nbytes)
            record = [L.K_STATE | 3 << 8, 0, 0, 0, 0, *([0] * L.STATE_VALUES)]
            found = self._states[key] = self.heap.put(record)
            self._of[found] = key
        return found

    def _begin(self, readings: Readings) -> int:
        return self._sets.begin(tuple([(state, len(left)) for state, left in readings]))

    def _after(self, readings: Readings, symbols: bytes | tuple[int, ...]) -> int:
        """The set after the symbols of one token."""
        number = self._begin(readings)
        for symbol in symbols:
            if number == DEAD:
                break
            number = self._sets.after(number, symbol)
        return number

    def _is_alive(self, number: int, readings: Readings) -> bool:
        """In some reading of a set all that is open can be ended."""
        for one in self._sets.sets[number]:
            left = _after_token(one, readings)
            if left is not None and self._text.can_be_ended(one.state, left):
                return True
        return False

    def _step(self, state: int, symbols: bytes | tuple[int, ...], plain: int) -> int:
        """The state after a token; ``plain``: that of the plain copy.

        A reading that cannot be ended in bytes may still be ended by a longer token, and is kept beside one
        that can, as long as its first use has a token left.
        """
        _, readings, lost = self._of[state]
        number = self._after(readings, symbols)
        if number == DEAD:
            return L.REFUSED
        found: dict[int, list[Left]] = {}
        alive = False
        for one in self._sets.sets[number]:
            left = _after_token(one, readings)
            ends = left is not None and self._text.can_be_ended(one.state, left)
            if left == () and not ends:
                continue  # no number is to blame
            lefts = found.setdefault(one.state, [])
            alive = alive or ends
            if left is not None and (ends or left[0] > 0):
                lefts.append(left)
        if not alive:
            return L.REFUSED
        after = tuple(sorted((to, left) for to, lefts in found.items() for left in _best(lefts)))
        if len(after) > self.limits.max_heads:
            what = "keeping readings of the text apart"
            raise LimitExceededError("max_heads", self.limits.max_heads, len(after), what)
        gone = self._lost_after(lost, symbols) | {to for to, lefts in found.items() if not lefts}
        return self._state(State(plain, after, tuple(sorted(gone - {to for to, _ in after}))))

    def _lost_after(self, lost: tuple[int, ...], symbols: bytes | tuple[int, ...]) -> set[int]:
        """Where lost readings would be after a token."""
        states = set(lost)
        for symbol in () if lost == UNKNOWN else symbols:
            states = {path.to for one in states for path in self._text.moves(one, symbol)}
            if len(states) > MOST_LOST:
                return set(UNKNOWN)
        return states

    # -------------------------------------------------------------------------------------------- questions

    def _step_token(self, state: int, token: int) -> int:
        if token in self.symbol_of_token:
            symbols: bytes | tuple[int, ...] = (SPECIAL + self._text.specials.index(token),)
        else:
            v = self.vocabulary
            symbols = bytes(v.data[int(v.offsets[token]) : int(v.offsets[token + 1])])
        if not symbols:
            return L.REFUSED
        plain = self.plain.accept_token(self._of[state].plain, token)
        return self._step(state, symbols, plain) if plain >= 0 else L.REFUSED

    def accept_bytes(self, state: int, data: bytes) -> int:
        """State after ``data``, which counts as one token, or REFUSED."""
        if not data:
            return state
        plain = self.plain.accept_bytes(self._of[state].plain, data)
        if plain < 0:
            return L.REFUSED
        with clock("step_seconds", self.limits.step_seconds):
            return self._step(state, data, plain)

    def read_uncounted(self, state: int, data: bytes) -> int:
        """State after ``data`` if no token had to be spent for it: what tokens with these bytes may leave."""
        plain, readings, _ = self._of[state]
        number = self._after(readings, data)
        if number == DEAD:
            return L.REFUSED
        after = set()
        for one in self._sets.sets[number]:
            if _spent(one, readings[one.origin][1]) is not None:
                kept = readings[one.origin][1][: one.open]
                after.add((one.state, bounding((*kept, *(n + 1 for n in one.new)))))
        if not after:
            return L.REFUSED
        return self._state(State(self.plain.accept_bytes(plain, data), tuple(sorted(after)), UNKNOWN))

    def live_specials(self, state: int) -> list[int]:
        """The special tokens that may come next."""
        return [token for token in self.symbol_of_token if self.accept_token(state, token) >= 0]

    def is_accepting(self, state: int) -> bool:
        """The text may end here."""
        return any(self._text.may_end(one, len(left)) for one, left in self._of[state].readings)

    def live_bytes(self, state: int) -> npt.NDArray[np.uint8]:
        """uint8[256], 1 for each byte that may come next, alone or with others in one token."""
        out = np.zeros(256, np.uint8)
        readings = self._of[state].readings
        for byte in range(256):
            number = self._sets.after(self._begin(readings), byte)
            if number != DEAD:
                left = [_spent(one, readings[one.origin][1]) for one in self._sets.sets[number]]
                out[byte] = any(spent is not None for spent in left)
        return out

    def rules_at(self, state: int) -> list[str]:
        """Names of the rules that are being read, for messages."""
        plain, readings, lost = self._of[state]
        if not lost:
            return self.plain.rules_at(plain)
        return list(dict.fromkeys(name for one, _ in readings for name in self._text.rules_at(one)))

    def expected_terminals(self, state: int) -> list[str]:
        """Discipline ``longest``: terminals being read, or that may begin."""
        readings = self._of[state].readings
        return sorted({name for one, _ in readings for name in self._text.terminals_at(one)})

    # ------------------------------------------------------------------------------------------------ masks

    def make_mask(self, state: int) -> None:
        """Make and note the mask of a state."""
        where = state + L.R_KEY + 3
        if self.heap.g[where]:
            return
        with clock("step_seconds", self.limits.step_seconds):
            row = self._row(self._of[state], self.is_accepting(state))
        self.heap.g[where + 2] = bool((self.rows[row] == self.tables.everything).all())
        self.heap.g[where] = row + 1

    def _row(self, state: State, accepting: bool) -> int:
        """The number of the row with a mask. States whose masks are seen to be the same share one."""
        plain, readings, lost = state
        key: object
        free = not any(self._text.may_pass_mark(state) for state, _ in readings)
        if free and isinstance(self._text, MarkedText):
            states = tuple([state for state, _ in readings])
            key = (states, accepting)
            if key not in self._rows:
                self._rows[key] = self._put(_union([_mask(self, one) for one in states]), accepting)
        elif not lost and (free or self._is_far(readings)):
            key = (plain, accepting)
            if key not in self._rows:
                self._rows[key] = self._put(_mask(self.plain, plain), accepting)
        else:
            number = self._begin(readings)
            sets, place = self._sets.ends(number)
            alive = [self._is_alive(one, readings) for one in sets]
            specials = tuple([t for t in self.symbol_of_token if self._special_alive(t, readings)])
            key = (number, bytes(alive), specials, accepting)
            if key not in self._rows:
                bits = np.zeros(32 * self.tables.words, np.bool_)
                bits[: len(place)] = np.array([False, *alive], np.bool_)[place]
                bits[list(specials)] = True
                mask = np.packbits(bits, bitorder="little").view(np.int32)
                self._rows[key] = self._put(with_aliases(mask, self.tables.aliases), accepting)
        return self._rows[key]

    def _is_far(self, readings: Readings) -> bool:
        """Whatever token comes, all uses that are open after it can be ended."""
        if self._most is None:
            return False
        return all(len(left) < 2 and all(n > self._most for n in left) for _, left in readings)

    def _special_alive(self, token: int, readings: Readings) -> bool:
        number = self._after(readings, (SPECIAL + self._text.specials.index(token),))
        return number != DEAD and self._is_alive(number, readings)

    def _put(self, mask: npt.NDArray[np.int32], accepting: bool) -> int:
        """The number of a new row."""
        mask = mask & ~self.tables.stops
        if accepting:
            mask |= self.tables.stops
        return self.put_row(mask)


def _unit(arena: Arena, budget: Budget) -> int:
    """Where the automaton of a counted rule lies, or will lie when it is built."""
    return arena.builder.units[arena.builder.graphs.rule_unit(budget.rule)].forward


def _start(arena: Arena, budget: Budget) -> int:
    """The state at the beginning of a rule's text."""
    return arena.call(kernels.initial_state, _unit(arena, budget), 0)


def forced_bytes(arena: Arena, state: int, most: int) -> bytes:
    """The bytes that every continuation begins with, at most so many, however they are cut into tokens."""
    assert isinstance(arena, BudgetArena)
    out = bytearray()
    while state >= 0 and len(out) < most and not arena.is_accepting(state):
        live = np.flatnonzero(arena.live_bytes(state))
        if len(live) != 1 or arena.live_specials(state):
            break
        out.append(int(live[0]))
        state = arena.read_uncounted(state, bytes(out[-1:]))
    return bytes(out)


def _spent(one: Relative, left: Left) -> Left | None:
    """What the uses that were open before a token have left after it; None when one had nothing left."""
    if one.touched == NO_BYTE:
        return left[: one.open]
    spent = one_less(left[: one.touched])
    return None if spent is None else spent[: one.open]


def _after_token(one: Relative, readings: Readings) -> Left | None:
    """What all open uses have left after a token; None when one had nothing left."""
    spent = _spent(one, readings[one.origin][1])
    return None if spent is None else bounding((*spent, *one.new))


def _best(lefts: list[Left]) -> list[Left]:
    """Those of which no other one has as much left in every use."""

    def is_worse(one: Left, other: Left) -> bool:
        return one != other and all(a <= b for a, b in zip(one, other, strict=True))

    different = list(dict.fromkeys(lefts))
    return [one for one in different if not any(is_worse(one, other) for other in different)]


def _mask(arena: Arena, state: int) -> npt.NDArray[np.int32]:
    """The mask of a state of a copy, made if it is not there."""
    Arena.make_mask(arena, state)
    g = arena.heap.g
    row: npt.NDArray[np.int32] = arena.rows[int(g[state + L.R_KEY + (int(g[state]) >> 8)]) - 1]
    return row


def _union(masks: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    union: npt.NDArray[np.int32] = np.bitwise_or.reduce(np.stack(masks), axis=0)
    return union
