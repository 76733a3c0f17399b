"""Vocabulary tables: how a part of a vocabulary's trie reads inside one automaton.

In discipline ``any`` a table is found under a trie node, the BLAKE2b digest of a pattern's automaton, a state
of it, and the bytes that may come when the pattern is left. It holds the tokens below the node that stay in
the pattern (by the number of characters that they begin, so that a bound on a length is a choice among them),
and the trie of those that may leave it, which a walk asks of the stack. In ``longest`` it belongs to a lexer
state: the tokens that stay in its lexeme, and the others in groups (`sequences`). Both are pure functions of
automata and vocabulary, so they serve every grammar of the process.

Kernels look tables up while other threads add to them, without a lock. So what a slot names is in the arrays
before the slot is set, and when an array has to grow, `slots` is copied after it: a reader that takes `slots`
first and the other arrays then finds everything that its slots name.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Hashable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..vocab.vocabulary import Vocabulary
from . import layout as L
from .sequences import Sequences

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

MOST_ROWS = 16  # rows of a table: tokens that begin more characters are listed
LEAST_DENSE = 2048  # tokens that stay; fewer are listed, and take no row

MAX_BYTES = 512 << 20
_of_vocabulary: weakref.WeakKeyDictionary[Vocabulary, VocabTables] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


class VocabTables:
    """The tables made so far for one vocabulary. Only grows; past its bound a new one takes over.

    slots : int64[2**k], hash table of table numbers + 1, see ``kernels.find_table``
    info : int64[*], ``V_WORDS`` words a table: V_ROW first of its mask rows; in discipline ``any`` V_ROWS
        their number (0: its tokens are listed), V_COUNTS most characters begun + 1, V_IDS offset in ``ids``,
        V_LEAVE offset in ``tries`` of the tokens that may leave (0: none), V_KEY what it is found by; in
        ``longest`` V_OWN and V_AT_ONCE, offsets in ``groups`` of the tokens that leave after a byte or more,
        and at once
    tries : int32[*], the vocabulary's trie at 0, then those of tokens that leave; 4 words a node
    rows : int32[n, words], mask rows: for at most 0, 1, 2, ... characters begun, the last with all tokens
    ids : int32[*]; at V_IDS: for each number of characters, how many of the tokens behind begin at most so
        many and are in no row; then those tokens. For groups see ``kernels._add_groups``
    groups : int64[*], see ``kernels._add_groups``
    sequences : by the digests of a grammar's terminals, see `sequences`
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.words = -(-vocabulary.size // 32)
        self.n_nodes = vocabulary.trie.n_nodes
        self.max_depth = vocabulary.trie.max_depth
        self.tries: Int32 = np.ascontiguousarray(vocabulary.trie.nodes, np.int32).reshape(-1).copy()
        self.tries_top = self.tries.shape[0]
        self.rows: Int32 = np.zeros((4, self.words), np.int32)
        self.rows_top = 0
        self.info: Int64 = np.zeros(64 * L.V_WORDS, np.int64)
        self.n_tables = 0
        self.slots: Int64 = np.zeros(256, np.int64)
        self.n_found = 0  # tables that slots name
        self.index: dict[Hashable, int] = {}
        self.groups: npt.NDArray[np.int64] = np.zeros(1 << 10, np.int64)
        self.groups_top = 8  # 0 stands for "none"
        self.ids: Int32 = np.zeros(1 << 10, np.int32)
        self.ids_top = 0
        self.sequences: dict[Hashable, Sequences | None] = {}
        self.nodes = self.tries.reshape(-1, 4)
        written = self.nodes[:, 3] >= 0
        self.token_of_rank: Int32 = self.nodes[written, 3].copy()
        self._node_of_rank: Int32 = np.flatnonzero(written).astype(np.int32)
        self.rank_of_token = np.full(vocabulary.size, -1, np.int32)
        self.rank_of_token[self.token_of_rank] = np.arange(len(self.token_of_rank), dtype=np.int32)
        self.lock = threading.RLock()
        lengths = np.diff(vocabulary.offsets)
        self.data_first = vocabulary.data[
            np.minimum(vocabulary.offsets[:-1], max(len(vocabulary.data) - 1, 0))
        ]
        self.data_first = np.where(lengths > 0, self.data_first, 0)
        self.stops = np.zeros(self.words, np.int32)
        for t in vocabulary.stop_token_ids:
            self.stops.view(np.uint32)[t >> 5] |= np.uint32(1 << (t & 31))
        everything = np.full(self.words, 0xFFFFFFFF, np.uint32)
        if vocabulary.size % 32:
            everything[-1] = (1 << (vocabulary.size % 32)) - 1
        self.everything: Int32 = everything.view(np.int32)
        self.aliases: Int32 = np.ascontiguousarray(vocabulary.aliases, np.int32).reshape(-1, 2)
        self.size = vocabulary.size

    @property
    def nbytes(self) -> int:
        """Bytes that the tables take, the vocabulary's own trie apart."""
        pools = 4 * (self.rows_top * self.words + self.tries_top - 4 * self.n_nodes + self.ids_top)
        kept = sum(s.of.nbytes + s.words.nbytes for s in self.sequences.values() if s is not None)
        return pools + 8 * self.groups_top + kept

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> VocabTables:
        """The tables of a vocabulary, shared by all its grammars."""
        with _lock:
            tables = _of_vocabulary.get(vocabulary)
            if tables is None or tables.nbytes > MAX_BYTES:
                tables = _of_vocabulary[vocabulary] = cls(vocabulary)
            return tables

    def _room(self, pool: str, top: int, n: int) -> None:
        """See that ``n`` items have room in a pool from ``top`` on."""
        array = getattr(self, pool)
        if top + n <= array.shape[0]:
            return
        more = max(array.shape[0] // 2, n)
        grown = np.zeros((array.shape[0] + more, *array.shape[1:]), array.dtype)
        grown[:top] = array[:top]
        setattr(self, pool, grown)
        self.slots = self.slots.copy()

    def _append(self, pool: str, items: npt.NDArray[np.int32]) -> int:
        """Put ``items`` at the end of ``tries`` or ``ids``; where they begin."""
        top = int(getattr(self, f"{pool}_top"))
        self._room(pool, top, len(items))
        getattr(self, pool)[top : top + len(items)] = items
        setattr(self, f"{pool}_top", top + len(items))
        return top

    def _new_table(self) -> tuple[int, Int64]:
        """The number of a new table, and its words of ``info``."""
        number = self.n_tables
        self._room("info", L.V_WORDS * number, L.V_WORDS)
        self.n_tables += 1
        return number, self.info[L.V_WORDS * number : L.V_WORDS * (number + 1)]

    def make(self, g: Int64) -> None:
        """Make the table that a kernel wanted (X_KEY and what else it left in the heap ``g``)."""
        from .kernels import enter_table, find_table
        from .tabulate import table_tokens

        with self.lock:
            if find_table(g, self.slots, self.info) >= 0:
                return
            stay, counts, leave = self._scratch
            found = np.zeros(3, np.int64)
            table_tokens(
                g,
                self.nodes,
                *self._kinds,
                self.token_of_rank,
                self._node_of_rank,
                stay,
                counts,
                leave,
                found,
            )
            n, most, nodes = found.tolist()
            number, info = self._new_table()
            info[L.V_COUNTS] = most + 1
            info[L.V_KEY : L.V_KEY + L.KEY_WORDS] = g[L.X_KEY : L.X_KEY + L.KEY_WORDS]
            row, rows, ids = self._stays(stay[:n], counts[:n], most)
            info[L.V_ROW], info[L.V_ROWS], info[L.V_IDS] = row, rows, ids
            if nodes > 1:
                info[L.V_LEAVE] = self._append("tries", leave[:nodes].reshape(-1))
            self.n_found += 1
            if 2 * self.n_found > len(self.slots):
                slots = np.zeros(4 * len(self.slots), np.int64)
                for known in self.slots[self.slots > 0].tolist():
                    enter_table(slots, self.info, known - 1)
                self.slots = slots
            enter_table(self.slots, self.info, number)

    def _stays(self, stay: Int32, counts: npt.NDArray[np.int16], most: int) -> tuple[int, int, int]:
        """Keep the tokens that stay: first row, number of rows, offset in ``ids``."""
        from .tabulate import set_row

        if most:
            order = np.argsort(counts, kind="stable")
            stay, counts = stay[order], counts[order]
        ends = np.searchsorted(counts, np.arange(most + 1), side="right")
        row, rows, listed = 0, 0, 0
        if len(stay) >= LEAST_DENSE:
            rows = min(most + 1, MOST_ROWS)
            row = self.rows_top
            self._room("rows", row, rows)
            self.rows_top += rows
            for k in range(rows - 1):
                self.rows[row + k] = self.rows[row + k - 1] if k else 0
                set_row(stay[ends[k - 1] if k else 0 : ends[k]], self.rows[row + k])
            self.rows[row + rows - 1] = 0
            set_row(stay, self.rows[row + rows - 1])
            listed = int(ends[rows - 2]) if rows > 1 else len(stay)
        head = np.maximum(ends - listed, 0).astype(np.int32)
        return row, rows, self._append("ids", np.concatenate([head, stay[listed:]]))

    @cached_property
    def _kinds(self) -> tuple[Int64, Int32, Int32]:
        """What `tabulate.text_kinds` finds of the vocabulary's trie."""
        from .tabulate import text_kinds

        n = self.n_nodes
        kinds, ranks, characters = np.empty(n, np.int64), np.empty(n + 1, np.int32), np.empty(n, np.int32)
        text_kinds(self.nodes, kinds, ranks, characters, np.empty(n, np.int32), np.empty(n, np.int32))
        return kinds, ranks, characters

    @cached_property
    def _scratch(self) -> tuple[Int32, npt.NDArray[np.int16], Int32]:
        """Room for the answer of ``tabulate.table_tokens``, used under the lock."""
        return (
            np.empty(self.size, np.int32),
            np.empty(self.size, np.int16),
            np.empty((self.n_nodes, 4), np.int32),
        )

    def add_stay(self, key: Hashable, stay: Int32, own: int, at_once: int) -> int:
        """The number of a lexer state's table: its tokens that stay, and two offsets in ``groups``."""
        from .tabulate import set_row

        with self.lock:
            self._room("rows", self.rows_top, 1)
            self.rows[self.rows_top] = 0
            set_row(stay, self.rows[self.rows_top])
            number, info = self._new_table()
            info[L.V_ROW], info[L.V_OWN], info[L.V_AT_ONCE] = self.rows_top, own, at_once
            self.rows_top += 1
            self.index[key] = number
            return number

    def add_groups(
        self,
        runs: list[tuple[tuple[int, ...], tuple[int, ...], npt.NDArray[np.int64], npt.NDArray[np.int64]]],
    ) -> int:
        """Offset of groups.

        Each run: the terminals that the first lexeme is, what its bytes do to the column, token ids, their
        signatures.
        """
        words: list[int] = [len(runs)]
        pieces: list[npt.NDArray[np.int64]] = []
        with self.lock:
            first = self.ids_top
            for terminals, effects, tokens, signatures in runs:
                order = np.lexsort((tokens, signatures))
                tokens, signatures = tokens[order], signatures[order]
                starts = np.flatnonzero(np.diff(signatures, prepend=-1))
                sizes = np.diff(np.append(starts, len(tokens)))
                words += [len(terminals), *terminals, len(effects), *effects, len(starts)]
                table = np.stack([signatures[starts], first + starts, sizes], axis=1)
                words += table.reshape(-1).tolist()
                pieces.append(tokens)
                first += len(tokens)
            for piece in pieces:
                self._append("ids", piece.astype(np.int32))
            at = self.groups_top
            self._room("groups", at, len(words))
            self.groups[at : at + len(words)] = words
            self.groups_top += len(words)
            return at
