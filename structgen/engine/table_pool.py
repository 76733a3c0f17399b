"""The pool in which the vocabulary tables of all grammars lie, bounded in bytes.

Kernels take few arrays, so tables share them: one array of mask rows, one of tries, one of groups, one of
token ids. A table is a number, and its words of ``info`` say where its parts lie. In discipline ``any``
kernels find the number by a hash table, `slots`; in ``longest`` an arena notes it in its heap. So a single
table cannot be taken out. When the pool passes its bound, the tables used last are copied into arrays of
their own, with new numbers, and the rest is dropped: a new *generation*. An arena sees that the generation
is another one, looks up the numbers it has noted, and asks again for the tables that are gone. What still
reads the old arrays holds them until it is done.

Kernels read while other threads add, without a lock. So what a slot names is in the arrays before the slot is
set, and when an array has to grow, `slots` is copied after it: whoever has one `Pools` finds everything that
its slots name.

The time of last use is a clock that kernels advance whenever they read a table (V_USED of table 0, which is
none). Threads may lose a tick to each other, and all that costs is a little order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from . import layout as L
from . import room

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
T = TypeVar("T", bound=np.generic)

VISITS = 1 << 12
KEPT_PART = 0.75  # of the bound, in a new generation
TRIES_AT_ONCE = 16 << 20  # words that are reserved, where that costs nothing
ROWS_AT_ONCE = 256 << 20  # bytes
IDS_AT_ONCE, GROUPS_AT_ONCE = 16 << 20, 8 << 20  # entries


@dataclass(frozen=True, eq=False)
class Piece:
    """One table, wherever it lies: a pure function of automaton and vocabulary.

    rows : int32[n, words], mask rows; nodes : int32[m, 4], a trie; ids : int32[k], tokens
    groups : int64[l], see ``kernels.groups.add_groups``, with places in ``ids`` counted from 0
    counts : discipline ``any``, see V_COUNTS; found_by : int64[KEY_WORDS], the key that kernels look for
    endings : (node, place in ids) where the trie of endings and their lists begin, or zeros
    alone : int64[4] as numbers, see V_ALONE
    """

    rows: Int32
    nodes: Int32 = field(default_factory=lambda: np.empty((0, 4), np.int32))
    ids: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    groups: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    counts: int = 0
    found_by: Int64 | None = None
    endings: tuple[int, int] = (0, 0)
    alone: tuple[int, ...] = (0, 0, 0, 0)

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in the pool."""
        arrays = self.rows.nbytes + self.nodes.nbytes + self.ids.nbytes + self.groups.nbytes
        return arrays + 8 * L.V_WORDS


@dataclass(frozen=True, slots=True)
class Entry:
    """A table of the pool: its key, first place and length of each part."""

    key: Hashable
    rows: tuple[int, int]
    tries: tuple[int, int]
    ids: tuple[int, int]
    groups: tuple[int, int]
    nbytes: int


@dataclass(frozen=True, eq=False)
class Pools:
    """The arrays that kernels read, of one generation. Filled further as long as there is room.

    slots : int64[2**k], hash table of table numbers + 1, see ``kernels.find_table``
    visits : int64[VISITS], hashes of keys that no table has and that were looked for, the last ones
    info : int64[*], ``V_WORDS`` words a table: V_ROW first of its mask rows, V_USED time of last use; in
        discipline ``any`` V_ROWS their number (0: its tokens are listed), V_COUNTS most characters begun + 1,
        V_IDS offset in ``ids``, V_LEAVE offset in ``tries`` of the tokens that may leave (0: none), V_ENDINGS
        offset in ``tries`` of what comes after the pattern in most of them (0: not known), V_LISTS offset in
        ``ids`` of the lists that it names, V_ALONE first bytes of all others, V_KEY what it is found by;
        in ``longest`` V_STAYS whether there is a row, V_OWN offset in ``groups`` of the tokens that leave
        (0: none do); V_GENERATION of table 0, which is none
    tries : int32[*], the vocabulary's trie `with_children`, then those of tokens that leave; 4 words a node
    rows : int32[n, words], mask rows: for at most 0, 1, 2, ... characters begun, the last with all tokens
    ids : int32[*]; at V_IDS: for each number of characters, how many of the tokens behind begin at most so
        many and are in no row; then those tokens. For groups see ``kernels.groups.add_groups``
    groups : int64[*], see ``kernels.groups.add_groups``; the first word stands for "none"
    """

    generation: int
    slots: Int64
    visits: Int64
    info: Int64
    tries: Int32
    rows: Int32
    ids: Int32
    groups: Int64

    @cached_property
    def arrays(self) -> tuple[Int64 | Int32, ...]:
        """All of them, as kernels take them."""
        return self.tries, self.slots, self.visits, self.rows, self.info, self.groups, self.ids


@cache
def _enter_table() -> Callable[..., None]:
    from .kernels import enter_table

    return enter_table


class TablePool:
    """Tables by key. All calls under one lock; `pools` is read without it.

    trie : the vocabulary's trie `with_children`
    most_bytes : bound on `nbytes`; what is placed last stays in any case
    busy : for each mask that is being made, the time when that began: what it has used since must stay, or a
        mask whose tables do not fit together would ask for them in turn for ever
    pools : what kernels read; another object after growth or eviction
    """

    def __init__(self, trie: Int32, words: int, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.nbytes = 0
        self.busy: dict[object, int] = {}
        self.pools = Pools(
            0,
            np.zeros(256, np.int64),
            np.zeros(VISITS, np.int64),
            np.zeros(64 * L.V_WORDS, np.int64),
            _spacious(trie.reshape(-1), TRIES_AT_ONCE),
            _spacious(np.zeros((0, words), np.int32), max(min(most_bytes, ROWS_AT_ONCE) // (4 * words), 4)),
            _spacious(np.zeros(1 << 10, np.int32), IDS_AT_ONCE),
            _spacious(np.zeros(1 << 10, np.int64), GROUPS_AT_ONCE),
        )
        self._trie_words = trie.size
        self._entries: list[Entry] = [Entry(None, (0, 0), (0, self._trie_words), (0, 0), (0, 1), 0)]
        self._index: dict[Hashable, int] = {}
        self._found = 0  # tables that slots name

    def number(self, key: Hashable) -> int | None:
        """The number of the table with this key, if it lies here. Looking it up is a use."""
        number = self._index.get(key)
        if number is not None:
            self._touch(number)
        return number

    def place(self, key: Hashable, piece: Piece) -> int:
        """The number of ``piece``, placed in the pool."""
        self._append(key, piece)
        number = len(self._entries) - 1
        self._touch(number)
        if self.nbytes > self.most_bytes:
            self._evict(number)
        return self._index[key]

    def _touch(self, number: int) -> None:
        info = self.pools.info
        info[L.V_USED] += 1
        info[L.V_WORDS * number + L.V_USED] = info[L.V_USED]

    def _append(self, key: Hashable, piece: Piece) -> None:
        last = self._entries[-1]
        rows, tries, ids, groups = sum(last.rows), sum(last.tries), sum(last.ids), sum(last.groups)
        number = len(self._entries)
        n_rows, n_words = len(piece.rows), piece.nodes.size
        n_ids, n_groups = len(piece.ids), len(piece.groups)
        word = L.V_WORDS * number
        pools = self.pools
        if (
            rows + n_rows > len(pools.rows)
            or tries + n_words > len(pools.tries)
            or ids + n_ids > len(pools.ids)
            or groups + n_groups > len(pools.groups)
            or word + L.V_WORDS > len(pools.info)
        ):
            pools = self._larger(rows + n_rows, tries + n_words, ids + n_ids, groups + n_groups, number + 1)
        if n_rows:
            pools.rows[rows : rows + n_rows] = piece.rows
        if n_words:
            pools.tries[tries : tries + n_words] = piece.nodes.reshape(-1)
        pools.ids[ids : ids + n_ids] = piece.ids
        if n_groups:
            pools.groups[groups : groups + n_groups] = piece.groups
            shift_ids(pools.groups[groups : groups + n_groups], ids)
        info = [0] * L.V_WORDS
        info[L.V_ROW] = rows
        if piece.found_by is None:
            info[L.V_STAYS] = n_rows
            info[L.V_OWN] = groups if n_groups else 0
        else:
            info[L.V_ROWS] = n_rows
            info[L.V_COUNTS] = piece.counts
            info[L.V_IDS] = ids
            info[L.V_LEAVE] = tries if n_words else 0
            info[L.V_KEY : L.V_KEY + L.KEY_WORDS] = piece.found_by.tolist()
            node, place = piece.endings
            info[L.V_ENDINGS] = tries + 4 * node if node else 0
            info[L.V_LISTS] = ids + place
            info[L.V_ALONE : L.V_ALONE + 4] = piece.alone
        pools.info[word : word + L.V_WORDS] = info
        nbytes = piece.nbytes
        self._entries.append(
            Entry(key, (rows, n_rows), (tries, n_words), (ids, n_ids), (groups, n_groups), nbytes)
        )
        self._index[key] = number
        self.nbytes += nbytes
        if piece.found_by is not None:
            self._enter(number)

    def _larger(self, rows: int, tries: int, ids: int, groups: int, tables: int) -> Pools:
        """Give each array room for so many entries, and `slots` a copy."""
        grown: dict[str, Any] = {}
        needed = (("rows", rows), ("tries", tries), ("ids", ids), ("groups", groups))
        for name, least in (*needed, ("info", L.V_WORDS * tables)):
            array = getattr(self.pools, name)
            if least > len(array):
                grown[name] = _larger(array, least)
        self.pools = replace(self.pools, slots=self.pools.slots.copy(), **grown)
        return self.pools

    def _enter(self, number: int) -> None:
        """Let kernels find a table by its key."""
        enter_table = _enter_table()
        self._found += 1
        slots, info = self.pools.slots, self.pools.info
        if 2 * self._found > len(slots):
            larger = np.zeros(4 * len(slots), np.int64)
            for known in slots[slots > 0].tolist():
                enter_table(larger, info, known - 1)
            self.pools = replace(self.pools, slots=larger)
        enter_table(self.pools.slots, info, number)

    def _piece(self, number: int) -> Piece:
        """A table as it was placed; its groups are a copy."""
        entry, pools = self._entries[number], self.pools
        places = (entry.rows, entry.tries, entry.ids, entry.groups)
        rows, tries, ids, groups = (slice(at, at + n) for at, n in places)
        info = pools.info[L.V_WORDS * number : L.V_WORDS * (number + 1)]
        key = info[L.V_KEY : L.V_KEY + L.KEY_WORDS]
        piece = Piece(
            pools.rows[rows],
            pools.tries[tries].reshape(-1, 4),
            pools.ids[ids],
            pools.groups[groups].copy(),
            int(info[L.V_COUNTS]),
            key if isinstance(entry.key, FoundByKernels) else None,
        )
        if isinstance(entry.key, FoundByKernels) and info[L.V_ENDINGS]:
            node = (int(info[L.V_ENDINGS]) - entry.tries[0]) // 4
            alone = tuple(info[L.V_ALONE : L.V_ALONE + 4].tolist())
            piece = replace(piece, endings=(node, int(info[L.V_LISTS]) - entry.ids[0]), alone=alone)
        shift_ids(piece.groups, -entry.ids[0])
        return piece

    def _evict(self, newest: int) -> None:
        """Begin a new generation with the tables used last, ``newest`` among them."""
        last_use = self.pools.info[L.V_USED :: L.V_WORDS][: len(self._entries)].tolist()
        kept: set[int] = {0}
        left = KEPT_PART * self.most_bytes
        since = min(list(self.busy.values()), default=last_use[0])
        for number in sorted(range(1, len(self._entries)), key=lambda i: (i != newest, -last_use[i])):
            left -= self._entries[number].nbytes
            if left < 0 and number != newest and last_use[number] <= since:
                break
            kept.add(number)
        if len(kept) == len(self._entries):
            return
        fresh = TablePool(self.pools.tries[: self._trie_words], self.pools.rows.shape[1], self.most_bytes)
        for number in sorted(kept - {0}):
            fresh._append(self._entries[number].key, self._piece(number))
            fresh.pools.info[L.V_WORDS * (len(fresh._entries) - 1) + L.V_USED] = last_use[number]
        fresh.pools.info[L.V_USED] = last_use[0]
        self._entries, self._index = fresh._entries, fresh._index
        self._found, self.nbytes = fresh._found, fresh.nbytes
        generation = self.pools.generation + 1
        fresh.pools.info[L.V_GENERATION] = generation
        self.pools = replace(fresh.pools, generation=generation)


def with_children(nodes: Int32) -> Int32:
    """The trie ``nodes`` (int32[n, 4]) flat, then a word a node, then lists of children.

    The word of a node with at least `layout.FAN` children is where their list lies: their number, then for
    each its byte and its node. A walk that goes on with a few of them does not look at the others, which lie
    far apart: each would be a line of memory that no cache has.
    """
    n = len(nodes)
    order = np.argsort(nodes[1:, 1], kind="stable") + 1  # by depth, and in it in the trie's order
    # The parent is the last node of one less depth before a node, and the order keeps them together.
    at_depth = np.concatenate([[0], np.cumsum(np.bincount(nodes[:, 1]))])
    by_depth = np.concatenate([[0], order])
    parent = np.zeros(n, np.int64)
    for depth in range(1, len(at_depth) - 1):
        above = by_depth[at_depth[depth - 1] : at_depth[depth]]
        here = by_depth[at_depth[depth] : at_depth[depth + 1]]
        parent[here] = above[np.searchsorted(above, here) - 1]
    many = np.bincount(parent[1:], minlength=n)
    many[(many < L.FAN) | (nodes[:, 2] - np.arange(n) <= L.LARGE)] = 0
    starts = np.zeros(n, np.int64)
    places = 5 * n + np.cumsum(1 + 2 * many[many > 0])
    starts[many > 0] = places - 1 - 2 * many[many > 0]
    flat = np.zeros(int(places[-1]) if len(places) else 5 * n, np.int32)
    flat[: 4 * n] = nodes.reshape(-1)
    flat[4 * n : 5 * n] = starts
    flat[starts[many > 0]] = many[many > 0]
    children = np.flatnonzero(many[parent] > 0)
    children = children[children > 0]
    children = children[np.argsort(parent[children], kind="stable")]
    of = parent[children]
    first = np.searchsorted(of, of)
    to = starts[of] + 1 + 2 * (np.arange(len(of)) - first)
    flat[to] = nodes[children, 0]
    flat[to + 1] = children
    return flat


def _spacious(array: npt.NDArray[T], n: int) -> npt.NDArray[T]:
    """``array`` with room for at least ``n`` entries, where address space costs nothing."""
    least = max(array.nbytes, 1)
    entry = array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.int64))
    data = room.take(max(least, n * entry), least).data
    data = data[: len(data) // entry * entry]
    larger: npt.NDArray[T] = data.view(array.dtype).reshape(-1, *array.shape[1:])
    larger[: array.shape[0]] = array
    return larger


class FoundByKernels(bytes):
    """A key that kernels look for themselves: its words as bytes."""


def _larger(array: npt.NDArray[T], least: int) -> npt.NDArray[T]:
    """A larger array that begins with the entries of ``array``. Pages not yet used cost nothing."""
    n = array.shape[0]
    larger = np.zeros((max(n * 3 // 2, least), *array.shape[1:]), array.dtype)
    larger[:n] = array
    return larger


def shift_ids(groups: Int64, by: int) -> None:
    """Move the places in ``ids`` that groups name (see ``kernels.groups.add_groups``)."""
    if not len(groups):
        return
    at = 1
    for _ in range(int(groups[0])):
        at += 1 + int(groups[at])
        at += 1 + int(groups[at])
        many = int(groups[at])
        groups[at + 1 : at + 1 + 3 * many].reshape(many, 3)[:, 1] += by
        at += 1 + 3 * many
