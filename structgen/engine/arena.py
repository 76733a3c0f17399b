"""Everything that one compiled grammar has built so far, and the loop that lets kernels ask for more.

Kernels raise nothing; they answer with a code that says what they lack. `Arena` provides it (room, a rule's
automaton, a vocabulary table) and calls again. All of it happens under the arena's lock; what was found
once is read without it.

An arena only grows. When it passes a bound of `Limits` it is given up whole and a new one takes its place;
a matcher notices, and reads its text again from the start.
"""

from __future__ import annotations

import bisect
import sys
from _thread import RLock  # that of `threading` is a Python function around it
from collections.abc import Callable, Hashable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import GrammarError, LimitExceededError
from ..ir import GrammarIR, Mark, Special, Terminal
from ..jit import settled
from ..limits import Limits, check_time, clock
from ..sketch import Sketch
from ..vocab.vocabulary import Vocabulary
from . import kernels, room
from . import layout as L
from .finishing import can_be_finished
from .heap import Heap
from .indentation import columns_in
from .naming import expected_terminals, rules_at
from .sequences import Sequences
from .specials import find_special_tokens
from .token_groups import group_at_once, group_own
from .vocab_tables import VocabTables

if TYPE_CHECKING:
    from ..rules.build import RuleBuilder
    from ..rules.common import LaidOut
    from ..rules.sketched import SketchBuilder

NARROW = 128  # trie nodes; see `layout.H_NARROW`
LEAST_ROWS = 64
# Of a programming language, what masks will write: so many times what its rules take, at most so many bytes.
POPULATED, MOST_POPULATED = 8, 16 << 20
MOST_ROWS_AT_ONCE = 2048
LEAST_HEAP = 4 << 20
LEAST_WORK = 1 << 15
MOST_SCRATCH = 1 << 12


_NO_WORDS: npt.NDArray[np.int64] = np.zeros(1, np.int64)
_NO_PAIRS: npt.NDArray[np.int64] = np.empty((0, 2), np.int64)
_settled: list[Callable[..., int]] = []  # what `Arena._settle` answers


@cache
def _sketched() -> tuple[Callable[..., LaidOut], type[SketchBuilder]]:
    from ..rules.common import laid_out
    from ..rules.sketched import SketchBuilder

    return laid_out, SketchBuilder


class ArenaFull(Exception):
    """A bound of `Limits` on caches is passed: begin a new arena."""


class Arena:
    """Heap, mask rows and scratch of one compiled grammar with one vocabulary."""

    def __init__(self, grammar: GrammarIR | Sketch, vocabulary: Vocabulary, limits: Limits) -> None:
        self.lock = RLock()
        self.limits = limits
        self.vocabulary = vocabulary
        self.tables = VocabTables.of(vocabulary, limits.max_table_bytes)
        self._generation = self.tables.pool.pools.generation
        self._noted: dict[int, Hashable] = {}  # word of the heap that holds a table's number + 1 -> its key
        self._scratch_factor = 1
        self.signatures = _NO_WORDS
        self._work = _NO_WORDS  # scratch of `kernels.splits`
        self.unproved = 0
        self.ended = 0  # the state after a stop token, when it is made
        self.terminals: list[tuple[Terminal, int, int]] = []
        self.terminals_key: Hashable = None
        self.forbidden: tuple[str, ...] = ()
        self.lines: tuple[int, int] | None = None  # the newline terminal's number and the tab stops
        self.marks: list[int] = []
        self.specials = _NO_PAIRS
        self.symbol_of_token: dict[int, int] = {}
        self.rows: npt.NDArray[np.int32]
        self._rows_room: room.Room | None
        self._shared: LaidOut | None = None  # of a sketch
        self.rules: RuleBuilder | SketchBuilder
        begun = 0
        if isinstance(grammar, Sketch):
            self._lay_out_sketch(grammar)
        else:
            begun = self._lay_out(grammar)
        self.start = start = self.rules.start()
        if not _settled:
            self.initial = self.call(kernels.initial_state, start, 0)
            _settled[:] = [*self._settle(), settled(kernels.initial_state, self.heap.g, start, 0)]
        self.fill, self.find_accept, self._make_mask_in, self._take, initial_state = _settled
        self.initial = initial_state(self.heap.g, start, 0)
        if self.initial < L.REFUSED:
            self.initial = self.call(initial_state, start, 0)
        if begun:
            self._build_ahead(begun)

    def _take_rows(self) -> None:
        row, most = 4 * self.tables.words, self.limits.max_mask_bytes
        least = max(LEAST_ROWS, min(MOST_ROWS_AT_ONCE, most // row))
        self._rows_room = room.take(most + row, least * row)
        data = self._rows_room.data
        self.rows = data[: len(data) // row * row].view(np.int32).reshape(-1, self.tables.words)

    def _lay_out_sketch(self, sketch: Sketch) -> None:
        laid_out, builder = _sketched()
        limits, tables = self.limits, self.tables
        shared = self._shared = laid_out(sketch.form.common, limits.max_heads, tables.max_depth)
        self._size = (limits.max_heap_bytes, limits.max_mask_bytes, tables.words)
        if not tables.is_prepared:
            tables.prepare()
        try:
            self.heap, (size, self._rows_room, self.rows) = shared.waiting.pop()
        except IndexError:
            size = None
        if size != self._size:
            self._take_rows()
            self._begin_heap(False, 256)
            shared.copy_into(self.heap)
        self.rules = builder(sketch, self.heap, limits, shared)

    def _begin_heap(self, longest: bool, symbols: int) -> None:
        most = max(self.limits.max_heap_bytes, LEAST_HEAP) + LEAST_HEAP
        words, heads = -(-symbols // 64), self.limits.max_heads
        self.heap = Heap(int(longest), words, heads, self.tables.max_depth, most_bytes=most)
        self.heap.g[L.H_NARROW] = NARROW

    def _lay_out(self, ir: GrammarIR) -> int:
        """Begin the rules; of discipline ``longest``, bytes in use before there was one, else 0."""
        from ..rules import analysis, build, common, lexer
        from . import kept_verdicts

        limits = self.limits
        longest = ir.lexing == "longest"
        tokens = find_special_tokens(ir, self.vocabulary)
        shared = None
        if ir.common is not None and not (longest or tokens or ir.marks):
            shared = common.laid_out(ir.common, limits.max_heads, self.tables.max_depth)
        facts = analysis.analyse(
            ir,
            limits,
            (*tokens, *map(Mark, range(ir.marks))),
            None if shared is None else shared.builder.facts,
        )
        if not longest:
            self.tables.prepare()
        self._take_rows()
        symbols = len(facts.special_symbol) + (max(len(facts.terminal_number), 1) if longest else 256)
        self._begin_heap(longest, symbols)
        if shared is not None:
            shared.copy_into(self.heap)
        begun = self.heap.nbytes
        self.rules = build.RuleBuilder(
            ir, self.heap, limits, facts, None if shared is None else shared.builder
        )
        numbers = facts.special_symbol
        if numbers:
            pairs = [(tokens[e], symbol) for e, symbol in numbers.items() if isinstance(e, Special)]
            self.marks = [symbol for e, symbol in numbers.items() if isinstance(e, Mark)]
            self.specials = np.array(pairs, np.int64).reshape(-1, 2)
            self.symbol_of_token = dict(pairs)
        if longest:
            self.terminals = lexer.lay_out_terminals(ir, facts.terminal_number, self.heap)
            lines = ir.indentation
            self.forbidden = ir.forbidden
            self.lines = None if lines is None else (facts.terminal_number[lines.newline], lines.tab)
            self.terminals_key = (
                int(self.g[L.H_SYMBOL_WORDS]),
                self.lines,
                *(terminal.dfa.digest for terminal, _, _ in self.terminals),
            )
            # One byte of each class, and what is no byte, as `expand_head` takes it.
            beyond = [-1 - 2 * symbol for symbol in self.symbol_of_token.values()]
            beyond += [-2 - 2 * symbol for symbol in self.marks]
            self.symbols: npt.NDArray[np.int64] = np.array([*self._byte_of_each_class(), *beyond], np.int64)
            self.found: npt.NDArray[np.int64] = np.empty((limits.max_heads + 1, 3), np.int64)
            self.heap.g[L.H_ASK] = 1 if kept_verdicts.can_be_finished(ir, facts) else 2
        return begun if longest else 0

    def _build_ahead(self, begun: int) -> None:
        """Discipline ``longest``: build what masks would wait for; see that something can be written.

        begun : bytes of the heap in use before there was a rule
        """
        self.builder.build_ahead()
        if len(self.tables.nodes) > NARROW:
            with self.tables.lock:
                self._sequences()  # the first table needs them, and no mask should wait so long
            nbytes = min(POPULATED * (self.heap.nbytes - begun), MOST_POPULATED)
            self.heap.populate(nbytes)
            if self._rows_room is not None:
                room.populate(self._rows_room, 0, nbytes // 4)
        if int(self.g[L.H_ASK]) == 2:
            at = self.initial + L.R_KEY
            if not can_be_finished(self, tuple(int(w) for w in self.g[at : at + 3])):
                raise GrammarError(
                    "nothing can be written: with longest match, every text of the grammar is cut into "
                    "other terminals than the rules ask for; lexing='any' takes every way of cutting"
                )

    @property
    def builder(self) -> RuleBuilder:
        """The rules of a grammar that is no sketch."""
        from ..rules.build import RuleBuilder

        assert isinstance(self.rules, RuleBuilder)
        return self.rules

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        """Leave the memory to the next arena. Whoever reads an arena's arrays holds the arena."""
        if not hasattr(self, "_take") or ending():
            return
        rows, used = self._rows_room, 4 * self.tables.words * int(self.g[L.H_ROWS])
        if (
            rows is not None
            and self._shared is not None
            and room.forget(rows, used, clean=False)
            and self._shared.keep(self.heap, (self._size, rows, self.rows))
        ):
            return
        if rows is not None:
            room.give_back(rows, used, clean=False)
        self.heap.give_back()

    def _settle(self) -> list[Callable[..., int]]:
        """The kernels that are called for every token, see `jit.settled`."""
        v = self.vocabulary
        # Asked of a state without a mask or a step, both only look.
        fill = settled(kernels.fill, self.g, self.rows, self.initial, self.rows[:1], 0)
        find_accept = settled(kernels.find_accept, self.g, self.initial, 0)
        make_mask = settled(kernels.make_mask, *self._mask_arguments(-1))
        no_text = np.zeros_like(v.offsets)
        no_text.flags.writeable = v.offsets.flags.writeable
        take = settled(kernels.accept_token, self.g, self.initial, v.data, no_text, 0)
        return [fill, find_accept, make_mask, take]

    @property
    def g(self) -> npt.NDArray[np.int64]:
        """The heap's array; another object after it has grown."""
        return self.heap.g

    @property
    def nbytes(self) -> int:
        """Bytes of heap and mask rows in use."""
        return self.heap.nbytes + 4 * int(self.g[L.H_ROWS]) * self.tables.words

    # -------------------------------------------------------------------------------------------- providing

    def call(self, kernel, *args) -> int:  # type: ignore[no-untyped-def]
        """Call ``kernel(heap, *args)`` until it has what it needs; its answer, >= REFUSED."""
        answer = int(kernel(self.heap.g, *args))
        if answer < L.REFUSED:
            with clock("step_seconds", self.limits.step_seconds):
                while answer < L.REFUSED:
                    self._provide(answer)
                    answer = int(kernel(self.heap.g, *args))
        return answer

    def _provide(self, code: int) -> None:
        check_time("making what a text is the first to need")
        if code == L.GROW_HEAP:
            if self.heap.nbytes > max(self.limits.max_heap_bytes, LEAST_HEAP):
                raise ArenaFull("max_heap_bytes", self.limits.max_heap_bytes, self.heap.nbytes)
            self.heap.grow()
        elif code == L.BUILD_RULES:
            g = self.heap.g
            notes = g[int(g[L.X_NOTES]) : int(g[L.X_NOTES]) + int(g[L.X_NOTES_N])].tolist()
            for forward in dict.fromkeys(notes):
                self.rules.build(forward)
        elif code == L.BUILD_TABLE:
            if int(self.g[L.H_MODE]) == 0:
                self.tables.make(self.g)
            else:
                self._group_table(int(self.g[L.X_WANT]))
        elif code == L.GROW_ROWS:
            used = 4 * int(self.g[L.H_ROWS]) * self.tables.words
            row = 4 * self.tables.words
            if row * len(self.rows) > self.limits.max_mask_bytes and int(self.g[L.H_ROWS]) >= LEAST_ROWS:
                raise ArenaFull("max_mask_bytes", self.limits.max_mask_bytes, used)
            # A reader may still hold the smaller array: rows it could take for its own are not used again.
            size, wanted = self.rows.shape[0], int(self.g[L.X_WANT])
            self.heap.g[L.H_ROWS] = size
            rows = np.empty((size + max(size, wanted), self.tables.words), np.int32)
            rows[:size] = self.rows
            self.rows, self._rows_room = rows, None
        elif code == L.GROW_SCRATCH:
            self._scratch_factor *= 4  # whatever did not fit is done again from its start
            if self._scratch_factor > MOST_SCRATCH:
                raise LimitExceededError("max_heads", self.limits.max_heads, self._scratch_factor * 4096)
            self.heap.lay_out_scratch(self.tables.max_depth, self._scratch_factor)
        elif code == L.GROW_WORK:
            self._work = np.empty(max(LEAST_WORK, 2 * len(self._work)), np.int64)
        elif code == L.FIND_OUT:
            at = int(self.g[L.X_ASKED])
            yes = can_be_finished(self, tuple(int(w) for w in self.g[at + L.R_KEY : at + L.R_KEY + 3]))
            self.g[at + L.R_KEY + 4] = 1 if yes else 2
        elif code == L.TOO_MANY_HEADS:
            raise LimitExceededError(
                "max_heads",
                self.limits.max_heads,
                self.limits.max_heads + 1,
                "keeping readings of the text apart",
            )
        else:
            raise AssertionError(f"a kernel answered {code}")

    def _group_table(self, record: int) -> None:
        """Make the table of a lexer state, or of the bytes that end a lexeme, and note it there."""
        t = self.tables
        where = record + L.R_KEY + (int(self.g[record]) >> 8)
        of_state = int(self.g[record]) & 0xFF == L.K_LEX
        if of_state:
            where += L.L_TABLE
        with t.lock:
            sequences = self._sequences()
            if sequences is None:
                self.heap.g[where] = -1
                return
            if of_state:
                key = (self.terminals_key, *self._lexer_key(record))
            else:
                bits = self.g[record + L.R_KEY : record + L.R_KEY + 4].tobytes()
                key = ("at once", self.terminals_key, bits)
            number = t.number(key)
            if number is None:
                make = group_own if of_state else group_at_once
                number = t.add(key, make(self, record, sequences))
            self._noted[where] = key
            self.heap.g[where] = number + 1
            if t.pool.pools.generation != self._generation:
                self._renumber()

    def _renumber(self) -> None:
        """The pool of tables has begun a new generation: look up where the tables noted here lie now."""
        t = self.tables
        with t.lock:
            self._generation = t.pool.pools.generation
            for where, key in list(self._noted.items()):
                number = t.number_in_memory(key)
                if number is None:
                    del self._noted[where]
                self.heap.g[where] = 0 if number is None else number + 1

    def _sequences(self) -> Sequences | None:
        """The signatures of the grammar's terminals, shared by all grammars that have the same."""
        from ..rules.universal import universal_lexer

        t = self.tables
        words = int(self.g[L.H_SYMBOL_WORDS])
        sequences = t.sequences(
            self.terminals_key,
            lambda: universal_lexer([terminal for terminal, _, _ in self.terminals], words),
            lambda: None if self.lines is None else columns_in(t.nodes, *self.lines),
        )
        if sequences is not None:
            self.signatures = sequences.words
        return sequences

    def _byte_of_each_class(self) -> list[int]:
        g = self.heap.g
        at = int(g[L.H_LEX_CMAP])
        classes = g[at : at + 32].view(np.uint8)
        return sorted({int(c): b for b, c in reversed(list(enumerate(classes)))}.values())

    def note_dead(self, head: tuple[int, ...]) -> None:
        """Note that a reading cannot be finished."""
        at = self.call(kernels.intern_head, *head)
        self.heap.g[at + L.R_KEY + 4] = 2

    def _lexer_key(self, state: int) -> tuple[Hashable, ...]:
        """What a lexer state is made of, in terms that other grammars share."""
        g = self.heap.g
        n = int(g[state]) >> 8
        members = g[state + L.R_KEY + 1 : state + L.R_KEY + n].tolist()
        starts = [base for _, base, _ in self.terminals]
        forbidden = set(self.forbidden)
        by_start = sorted(range(len(starts)), key=starts.__getitem__)
        ordered = [starts[i] for i in by_start]
        parts = []
        for m in members:
            t, base, stride = self.terminals[by_start[bisect.bisect_right(ordered, m) - 1]]
            barred = t.name in forbidden
            parts.append((t.dfa.digest, (m - base) // stride, t.priority, t.literal, barred))
        return ("lexer", tuple(sorted(parts)))

    # -------------------------------------------------------------------------------------------- questions

    def accept_token(self, state: int, token: int) -> int:
        """Matcher state after ``token``, or REFUSED."""
        if token in self.symbol_of_token:
            return self.call(kernels.accept_symbol, state, self.symbol_of_token[token], False)
        v = self.vocabulary
        answer = self._take(self.heap.g, state, v.data, v.offsets, token)
        if answer < L.REFUSED:
            if answer == L.NO_TEXT:
                return L.REFUSED
            answer = self.call(kernels.accept_token, state, v.data, v.offsets, token)
        return answer

    def accept_bytes(self, state: int, data: bytes) -> int:
        """Matcher state after ``data``, or REFUSED."""
        if not data:
            return state
        array = np.frombuffer(data, np.uint8).copy()
        return self.call(kernels.accept_bytes, state, array, 0, len(data))

    def accept_mark(self, state: int, number: int) -> int:
        """Matcher state after mark ``number``, or REFUSED."""
        return self.call(kernels.accept_symbol, state, self.marks[number], True)

    def live_specials(self, state: int) -> list[int]:
        """The special tokens that may come next."""
        return [
            token
            for token, symbol in self.symbol_of_token.items()
            if self.call(kernels.accept_symbol, state, symbol, False) != L.REFUSED
        ]

    def is_accepting(self, state: int) -> bool:
        """The text may end here."""
        return self.call(kernels.is_accepting, state) == 1

    def make_mask(self, state: int) -> None:
        """Make and note the mask of a matcher state."""
        answer = self._make_mask_in(*self._mask_arguments(state))
        if answer < 0:
            # What this mask uses stays in memory.
            pool, me = self.tables.pool, object()
            pool.busy[me] = int(pool.pools.info[L.V_USED])
            try:
                with clock("step_seconds", self.limits.step_seconds):
                    while answer < 0:
                        self._provide(answer)
                        answer = self._make_mask_in(*self._mask_arguments(state))
            finally:
                del pool.busy[me]

    def end(self) -> int:
        """The state after a stop token: of its mask nothing but the stop tokens, and nothing follows."""
        if not self.ended:
            row = self.put_row(self.tables.stops)
            at = self.heap.reserve(L.R_KEY + L.STATE_VALUES)
            self.heap.g[at] = L.K_STATE
            self.heap.g[at + L.R_KEY] = row + 1
            self.ended = at
        return self.ended

    def put_row(self, mask: npt.NDArray[np.int32]) -> int:
        """The number of a new mask row with this mask."""
        self.heap.g[L.X_WANT] = 1
        if int(self.g[L.H_ROWS]) + 1 > self.rows.shape[0]:
            self._provide(L.GROW_ROWS)
        row = int(self.g[L.H_ROWS])
        self.rows[row] = mask
        self.heap.g[L.H_ROWS] = row + 1
        return row

    def _mask_arguments(self, state: int) -> tuple[object, ...]:
        t = self.tables
        while (pools := t.pool.pools).generation != self._generation:
            self._renumber()  # the numbers noted here are to hold in these arrays
        made = (self.signatures, self._work, self.rows)
        return (self.heap.g, *pools.arrays, *made, *t.constants, self.specials, state)

    def live_bytes(self, state: int) -> npt.NDArray[np.uint8]:
        """uint8[256], 1 for each byte that may come next."""
        out = np.zeros(256, np.uint8)
        self.call(kernels.live_bytes, state, out)
        return out

    def rules_at(self, state: int) -> list[str]:
        """Names of the rules that the heads of a matcher state are in, for messages."""
        return rules_at(self, state)

    def expected_terminals(self, state: int) -> list[str]:
        """Discipline ``longest``: terminals being read, or that may begin."""
        return expected_terminals(self, state)
