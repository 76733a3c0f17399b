"""Vocabulary tables: how a whole vocabulary reads inside one automaton.

A table is a pure function of an automaton's state and a vocabulary: the tokens that stay inside the
automaton, by the number of characters that they begin (so that a bound on the length is one row), and the
trie of the tokens that may leave it, which a walk asks of the stack. It is found under the automaton's
BLAKE2b digest and the number of the state, so it serves every grammar of the process.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from ..vocab.vocabulary import Vocabulary
from .sequences import Sequences

Int32 = npt.NDArray[np.int32]

MAX_BYTES = 512 << 20
_of_vocabulary: weakref.WeakKeyDictionary[Vocabulary, VocabTables] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


class VocabTables:
    """The tables made so far for one vocabulary. Only grows; past its bound a new one takes over.

    tries : int32[*], the vocabulary's trie at 0, then those of tokens that leave; 4 words a node
    rows : int32[n, words], mask rows of tables
    info : int64[n, 4], a row a table, groups : int64[*], ids : int32[*]: see ``kernels.head_mask``
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
        self.info: npt.NDArray[np.int64] = np.zeros((4, 4), np.int64)
        self.n_tables = 0
        self.index: dict[Hashable, int] = {}
        self.groups: npt.NDArray[np.int64] = np.zeros(1 << 10, np.int64)
        self.groups_top = 8  # 0 stands for "none"
        self.ids: Int32 = np.zeros(1 << 10, np.int32)
        self.ids_top = 0
        self.sequences: dict[Hashable, Sequences | None] = {}
        self.nodes = self.tries.reshape(-1, 4)
        written = self.nodes[:, 3] >= 0
        self.token_of_rank: Int32 = self.nodes[written, 3].copy()
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

    def add(self, key: Hashable, stay: npt.NDArray[np.int16], leave: npt.NDArray[np.uint8]) -> int:
        """The number of the table made of a local walk's answer (see ``kernels.local_tokens``)."""
        from .kernels import stay_rows, sub_trie

        with self.lock:
            known = self.index.get(key)
            if known is not None:
                return known
            n_rows = int(stay.max(initial=0)) + 1
            while self.rows_top + n_rows > self.rows.shape[0]:
                self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
            stay_rows(stay, self.rows[self.rows_top : self.rows_top + n_rows])
            keep = ((leave > 0) & (stay < 0)).astype(np.uint8)
            nodes = np.empty((self.n_nodes, 4), np.int32)
            n = int(sub_trie(self.tries, keep, nodes))
            while self.tries_top + 4 * n > self.tries.shape[0]:
                self.tries = np.concatenate(
                    [self.tries, np.zeros(max(self.tries.shape[0] // 4, 4 * n), np.int32)]
                )
            self.tries[self.tries_top : self.tries_top + 4 * n] = nodes[:n].reshape(-1)
            if self.n_tables == self.info.shape[0]:
                self.info = np.concatenate([self.info, np.zeros_like(self.info)])
            number = self.n_tables
            self.info[number] = (self.rows_top, n_rows, self.tries_top, 0)
            self.rows_top += n_rows
            self.tries_top += 4 * n
            self.n_tables += 1
            self.index[key] = number
            return number

    def add_stay(self, key: Hashable, stay: npt.NDArray[np.int16], own: int, at_once: int) -> int:
        """The number of a lexer state's table: its tokens that stay, and two offsets in ``groups``."""
        from .kernels import stay_rows

        with self.lock:
            if self.rows_top == self.rows.shape[0]:
                self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
            stay_rows(stay, self.rows[self.rows_top : self.rows_top + 1])
            if self.n_tables == self.info.shape[0]:
                self.info = np.concatenate([self.info, np.zeros_like(self.info)])
            number = self.n_tables
            self.info[number] = (self.rows_top, 1, own, at_once)
            self.rows_top += 1
            self.n_tables += 1
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
            while first > self.ids.shape[0]:
                self.ids = np.concatenate([self.ids, np.zeros_like(self.ids)])
            for piece in pieces:
                self.ids[self.ids_top : self.ids_top + len(piece)] = piece
                self.ids_top += len(piece)
            while self.groups_top + len(words) > self.groups.shape[0]:
                self.groups = np.concatenate([self.groups, np.zeros_like(self.groups)])
            at = self.groups_top
            self.groups[at : at + len(words)] = words
            self.groups_top += len(words)
            return at
