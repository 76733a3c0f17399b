"""The array that kernels work on, and how it grows.

Usually it has address space for all that it may become (`room`), and growth is to allow kernels more of it.
Where it has not, it is copied: offsets stay true, and a reader that still holds the smaller array sees a
state of the past, which was valid and stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from . import layout as L
from . import room

Int64 = npt.NDArray[np.int64]

HASH_SLOTS = 1 << 10
ROOM = 1 << 12  # words that a kernel may write past its check


class Heap:
    """One growing int64 array with a bump allocator, and a hash table inside it (see `layout`).

    A new one has a scratch region for tokens of up to ``max_depth`` bytes.
    """

    def __init__(
        self,
        mode: int,
        symbol_words: int,
        max_heads: int,
        max_depth: int,
        words: int = 1 << 16,
        most_bytes: int = 0,
    ) -> None:
        self._header, words = _begin(mode, symbol_words, max_heads, max_depth, words)
        self._room = room.take(most_bytes, 8 * words)
        self.g: Int64 = self._room.data.view(np.int64)
        self.g[: L.HEADER_WORDS] = self._header

    @property
    def nbytes(self) -> int:
        """Bytes in use."""
        return 8 * int(self.g[L.H_TOP])

    @property
    def hash_slots(self) -> int:
        """Slots of the hash table."""
        return 1 << (int(self.g[L.H_HASH]) & L.HASH_SIZE)

    def reserve(self, n: int) -> int:
        """Offset of ``n`` zero words."""
        at = int(self.g[L.H_TOP])
        if at + n > int(self.g[L.H_LIMIT]):
            self._enlarge(at + n)
        self.g[L.H_TOP] = at + n
        return at

    def put(self, words: Sequence[int] | Int64) -> int:
        """Offset of these words, appended."""
        n = len(words)
        at = self.reserve(n)
        self.g[at : at + n] = words
        return at

    def make_room(self, n: int) -> None:
        """Let kernels append ``n`` words."""
        self._enlarge(int(self.g[L.H_TOP]) + n)

    def _enlarge(self, least: int) -> None:
        size = int(self.g[L.H_LIMIT]) + ROOM
        while size - ROOM < least:
            size *= 2
        if size > self.g.shape[0] >= least + ROOM:
            size = self.g.shape[0]
        if size > self.g.shape[0]:
            larger = room.take(8 * size, 8 * size)
            g = larger.data.view(np.int64)
            top = int(self.g[L.H_TOP])
            g[:top] = self.g[:top]
            self._room, self.g = larger, g
        self.g[L.H_LIMIT] = size - ROOM

    def grow(self) -> None:
        """More room after a kernel asked for it: a hash table at most a quarter full, or twice the words."""
        if 2 * (int(self.g[L.H_HASH_COUNT]) + 1) >= self.hash_slots:
            self.rehash()
        else:
            self._enlarge(int(self.g[L.H_LIMIT]) + 1)

    def rehash(self) -> None:
        """Give the hash table four times the slots."""
        from .kernels import rehash

        slots = 4 * self.hash_slots
        table = self.reserve(slots)
        rehash(self.g, table, slots.bit_length() - 1)

    def populate(self, nbytes: int) -> None:
        """Have the next ``nbytes`` in memory before they are written to."""
        room.populate(self._room, self.nbytes, self.nbytes + nbytes)

    @property
    def _written(self) -> int:
        """Bytes behind which nobody has written."""
        return self.nbytes + 8 * ROOM

    def give_back(self) -> None:
        """Let the next heap have the memory. Nobody may read this one any more."""
        room.give_back(self._room, self._written)

    def begin_again(self) -> bool:
        """Be as a new one, for who knows that nobody reads this one any more; False where that cannot be."""
        if not room.forget(self._room, self._written):
            return False
        self.g[: L.HEADER_WORDS] = self._header
        return True

    def lay_out_scratch(self, max_depth: int, factor: int = 1) -> None:
        """A scratch region (a new one, when there is one already) for tokens of up to ``max_depth`` bytes."""
        frames = 512 * factor
        heads = 8 * (max_depth + 8) + 512 * factor
        queue = 512 * factor
        sizes = [
            (L.X_FRAMES, L.X_FRAMES_CAP, frames, 4),
            (L.X_HEADS, L.X_HEADS_CAP, heads, 3),
            (L.X_QUEUE, L.X_QUEUE_CAP, queue, 3),
            (L.X_DEPTH, L.X_DEPTH_CAP, max_depth + 8, 3),
            (L.X_BUILD, L.X_BUILD_CAP, max_depth + 8, L.BUILD_WORDS),
            (L.X_NEST, L.X_NEST_CAP, 2 * (max_depth + 8) + 64 * factor, L.NEST_WORDS),
            (L.X_NOTES, L.X_NOTES_CAP, 256, 1),
            (L.X_TMP, L.X_TMP_CAP, 1024 * factor, 1),
        ]
        for slot, cap, count, words in sizes:
            at = self.reserve(count * words)
            self.g[slot] = at
            self.g[cap] = count


@lru_cache(maxsize=64)
def _begin(mode: int, symbol_words: int, max_heads: int, max_depth: int, words: int) -> tuple[Int64, int]:
    """The header of a new heap, all else of which is zero, and how many words kernels may use at first.

    These are ``words``, or as many more as the scratch region needs.
    """
    heap = Heap.__new__(Heap)
    g = heap.g = np.zeros(L.HEADER_WORDS, np.int64)
    g[L.H_TOP] = L.HEADER_WORDS
    g[L.H_LIMIT] = 1 << 60  # nothing but the header is written
    g[L.H_MODE] = mode
    g[L.H_SYMBOL_WORDS] = symbol_words
    g[L.H_MAX_HEADS] = max_heads
    g[L.H_HASH] = heap.reserve(HASH_SLOTS) << L.HASH_SHIFT | HASH_SLOTS.bit_length() - 1
    heap.lay_out_scratch(max_depth)
    words = max(words, int(g[L.H_TOP]) + ROOM)
    g[L.H_LIMIT] = words - ROOM
    return g, words
