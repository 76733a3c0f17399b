"""Vocabulary tables: how a part of a vocabulary's trie reads inside one automaton.

In discipline ``any`` a table is found under a trie node, the BLAKE2b digest of a pattern's automaton, a state
of it, and the bytes that may come when the pattern is left. It holds the tokens below the node that stay in
the pattern (by the number of characters that they begin, so that a bound on a length is a choice among them),
and the trie of those that may leave it, which a walk asks of the stack. In ``longest`` it belongs to a lexer
state, with the tokens that stay in its lexeme and the others in groups (`sequences`), or to the bytes that
end lexemes. All are pure functions of automata and vocabulary, so they serve every grammar.

They lie in memory as long as the pool has room (`table_pool`); those of ``longest``, which take longest to
make, on disk as well, for every process (`kept_tables`).
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..vocab.vocabulary import Vocabulary
from . import kept_tables, room
from . import layout as L
from .sequences import (
    LineColumns,
    Places,
    Sequences,
    UniversalLexer,
    group_by_signature,
    make_sequences,
    places_below,
)
from .table_pool import FoundByKernels, Int32, Int64, Piece, TablePool, with_children

MOST_ROWS = 16  # rows of a table: tokens that begin more characters are listed
MOST_COUNT = 1 << 15  # a table counts to less
LEAST_DENSE = 2048  # tokens that stay; fewer are listed, and take no row
SEQUENCES_PART = 0.25  # of the bound on bytes is for sequences, the rest for tables

_NO_GROUPS: Int64 = np.empty(0, np.int64)
_of_vocabulary: weakref.WeakKeyDictionary[Vocabulary, VocabTables] = weakref.WeakKeyDictionary()
_used_last: tuple[Callable[[], Any], Callable[[], Any]] = (lambda: None, lambda: None)  # vocabulary, tables
_lock = threading.Lock()


@cache
def _kernels() -> tuple[Callable[..., Any], ...]:
    """What makes tables; numba is not loaded before one is made."""
    from .kernels import find_table
    from .tabulating.endings import gather_endings
    from .tabulating.rows import lay_out_stays
    from .tabulating.tokens import table_tokens

    return find_table, table_tokens, gather_endings, lay_out_stays


class VocabTables:
    """What is kept for one vocabulary, for all its grammars. Everything is found and added under ``lock``.

    nodes : int32[n, 4], the vocabulary's trie
    token_of_rank, rank_of_token : int32[*], the order of the tokens in it
    data_first : uint8[size], the first byte of each token
    pool : what has been made; kernels read its `pools`, in one generation of which numbers of tables hold
    stops, everything : int32[words]; aliases : int32[n, 2]: see ``kernels.make_mask``; constants : these
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.lock = threading.RLock()
        self.size = vocabulary.size
        self.words = -(-vocabulary.size // 32)
        self.n_nodes = vocabulary.trie.n_nodes
        self.max_depth = vocabulary.trie.max_depth
        self.nodes: Int32 = np.ascontiguousarray(vocabulary.trie.nodes, np.int32)
        written = self.nodes[:, 3] >= 0
        self.token_of_rank: Int32 = self.nodes[written, 3].copy()
        self.rank_of_token = np.full(vocabulary.size, -1, np.int32)
        self.rank_of_token[self.token_of_rank] = np.arange(len(self.token_of_rank), dtype=np.int32)
        lengths = np.diff(vocabulary.offsets)
        first = vocabulary.data[np.minimum(vocabulary.offsets[:-1], max(len(vocabulary.data) - 1, 0))]
        self.data_first = np.where(lengths > 0, first, 0)
        self.stops = np.zeros(self.words, np.int32)
        for t in vocabulary.stop_token_ids:
            self.stops.view(np.uint32)[t >> 5] |= np.uint32(1 << (t & 31))
        everything = np.full(self.words, 0xFFFFFFFF, np.uint32)
        if vocabulary.size % 32:
            everything[-1] = (1 << (vocabulary.size % 32)) - 1
        self.everything: Int32 = everything.view(np.int32)
        self.aliases: Int32 = np.ascontiguousarray(vocabulary.aliases, np.int32).reshape(-1, 2)
        self.is_prepared = False  # for the first table of discipline ``any``
        self.constants = self.stops, self.everything, self.aliases
        self._fingerprint = vocabulary.fingerprint
        self.pool = TablePool(with_children(self.nodes), self.words, 0)
        self._sequences: dict[Hashable, Sequences | None] = {}  # the one used last comes last
        self._most_bytes = 0

    @classmethod
    def of(cls, vocabulary: Vocabulary, most_bytes: int) -> VocabTables:
        """The tables of a vocabulary, shared by all its grammars; the largest bound asked for counts."""
        global _used_last
        found, used = _used_last
        tables: VocabTables | None = used() if found() is vocabulary else None
        if tables is not None and tables._most_bytes >= most_bytes:
            return tables
        with _lock:
            tables = _of_vocabulary.get(vocabulary)
            if tables is None:
                tables = _of_vocabulary[vocabulary] = cls(vocabulary)
            tables._most_bytes = max(tables._most_bytes, most_bytes)
            tables.pool.most_bytes = int(tables._most_bytes * (1 - SEQUENCES_PART))
            _used_last = weakref.ref(vocabulary), weakref.ref(tables)
        return tables

    def prepare(self) -> None:
        """Find out now what the first table of discipline ``any`` needs (some 7 ms), and not in a mask."""
        _ = self._characters_of_rank, self._scratch
        self.is_prepared = True

    @property
    def nbytes(self) -> int:
        """Bytes that tables and sequences take, the vocabulary's own trie apart."""
        return self.pool.nbytes + sum(s.nbytes for s in self._sequences.values() if s is not None)

    # ----------------------------------------------------------------------------------------- discipline any

    def make(self, g: Int64) -> None:
        """Make the table that a kernel wanted (X_KEY and what else it left in the heap ``g``)."""
        find_table, table_tokens, gather_endings, lay_out_stays = _kernels()
        with self.lock:
            pools = self.pool.pools
            if find_table(g, pools.slots, pools.info) >= 0:
                return
            known, stay, counts, leave, exits, found, rows, ids, *gathered = self._scratch
            table_tokens(
                g,
                self.nodes,
                *self._kinds,
                self.token_of_rank,
                self._characters_of_rank,
                known,
                stay,
                counts,
                leave,
                exits,
                found,
            )
            n, most, n_leave, n_exits, *alone = found.tolist()
            rows = rows[: min(most + 1, MOST_ROWS) if n >= LEAST_DENSE else 0]
            ids = ids[: lay_out_stays(stay[:n], counts[:n], most, rows, ids)]
            nodes = leave[: n_leave if n_leave > 1 else 0]
            endings = (0, 0)
            if n_exits > 1:
                ends, words = gather_endings(self.nodes, exits, n_exits, *gathered)
                endings = (len(nodes), len(ids))
                nodes = np.concatenate((nodes, gathered[2][:ends]))
                ids = np.concatenate((ids, gathered[3][:words]))
            else:
                alone = [0, 0, 0, 0]
            key = g[L.X_KEY : L.X_KEY + L.KEY_WORDS].copy()
            piece = Piece(rows, nodes, ids, _NO_GROUPS, most + 1, key, endings, tuple(alone))
            self.pool.place(FoundByKernels(key.tobytes()), piece)

    @cached_property
    def _kinds(self) -> tuple[Int64, Int32, Int32, Int32]:
        """What `kinds.text_kinds` finds of the vocabulary's trie."""
        from .tabulating.kinds import text_kinds

        n = self.n_nodes
        kinds, ranks = np.empty((n, 2), np.int64), np.empty(n + 1, np.int32)
        characters, heights, *scratch = (np.empty(n, np.int32) for _ in range(4))
        text_kinds(self.nodes, kinds, ranks, characters, heights, *scratch)
        return kinds, ranks, characters, heights

    @cached_property
    def _characters_of_rank(self) -> Int32:
        """int32[tokens]: how many characters each token begins."""
        return self._kinds[2][self.nodes[:, 3] >= 0]

    @cached_property
    def _scratch(self) -> tuple[Any, ...]:
        """Room for ``tabulating.tokens.table_tokens`` and ``gather_endings``, used under the lock."""
        from .tabulating.kinds import byte_kinds
        from .tabulating.states import CACHE_SIZE

        known = np.zeros(CACHE_SIZE, np.int64)
        byte_kinds(known)
        n = self.n_nodes
        return (
            known,
            room.scratch((self.size,), np.int32),
            room.scratch((self.size,), np.int16),
            room.scratch((n, 4), np.int32),
            room.scratch((n, 2), np.int32),
            np.zeros(8, np.int64),
            room.scratch((MOST_ROWS, self.words), np.int32),
            room.scratch((self.size + MOST_COUNT,), np.int32),
            *(room.scratch(shape, np.int32) for shape in ((n, 4), (3 * n + 8, 3), (n, 4), (3 * n,))),
        )

    # ------------------------------------------------------------------------------------- discipline longest

    def number_in_memory(self, key: Hashable) -> int | None:
        """The number of a table, if it is in the pool."""
        return self.pool.number(key)

    def number(self, key: Hashable) -> int | None:
        """The number of a table, from memory or from disk."""
        number = self.pool.number(key)
        if number is not None:
            return number
        kept = kept_tables.read_piece(self._name(key), self.words, self.size)
        return None if kept is None else self.pool.place(key, kept)

    def add(self, key: Hashable, piece: Piece) -> int:
        """The number of a table that has been made."""
        kept_tables.keep_piece(self._name(key), piece)
        return self.pool.place(key, piece)

    def _name(self, key: Hashable) -> str:
        return kept_tables.name_of(self._fingerprint, key)

    @cached_property
    def _places(self) -> Places:
        return places_below(self.nodes)

    def sequences(
        self,
        key: Hashable,
        lexer: Callable[[], UniversalLexer | None],
        lines: Callable[[], LineColumns | None],
    ) -> Sequences | None:
        """The signatures of a set of terminals; None where their automaton, of ``lexer``, is too large."""
        if key in self._sequences:
            made = self._sequences[key] = self._sequences.pop(key)
            return made
        name = self._name(("sequences", key))
        kept = kept_tables.read_sequences(name, self._places)
        if kept is not None:
            made = kept[0]
        else:
            automaton = lexer()
            made = None
            if automaton is not None:
                made = make_sequences(self.nodes, self.max_depth, automaton, self._places, lines())
            kept_tables.keep_sequences(name, made)
        self._sequences[key] = made
        left = self._most_bytes * SEQUENCES_PART
        for used in reversed(list(self._sequences)):
            sequences = self._sequences[used]
            left -= 0 if sequences is None else sequences.nbytes
            if left < 0 and used != key:
                del self._sequences[used]
        return made


Run = tuple[tuple[int, ...], tuple[int, ...], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def groups_of(runs: list[Run], words: int) -> Piece:
    """Groups of tokens.

    Each run: the terminals that the first lexeme is (none: those that the lexer state says), what its bytes
    do to the column, token ids, their signatures, by which the groups are sorted.
    """
    none = np.empty((0, words), np.int32)
    if not runs:
        return Piece(none)
    groups = [np.array([len(runs)], np.int64)]
    ids = np.empty(sum(len(tokens) for _, _, tokens, _ in runs), np.int32)
    first = 0
    for terminals, effects, tokens, signatures in runs:
        slots = np.zeros(int(signatures.max(initial=0)) + 1, np.int32)
        table = np.empty((len(tokens), 3), np.int64)
        n = group_by_signature(tokens, signatures, table, slots, ids[first : first + len(tokens)])
        table = table[np.argsort(table[:n, 0])]
        table[:, 1] += first
        head = (len(terminals), *terminals, len(effects), *effects, n)
        groups += [np.array(head, np.int64), table.reshape(-1)]
        first += len(tokens)
    return Piece(none, ids=ids, groups=np.concatenate(groups))
