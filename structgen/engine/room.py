"""Room for what grows: address space first, memory when it is written to, and used memory again.

A heap, mask rows and the pool of tables grow for as long as they are used, and nobody knows how far. An array
that is copied to a larger one stops a text for as long as the copy takes (a tenth of a second for 64 MB). So
where the system lends address space for nothing, all that a bound allows is taken at once and nothing is ever
copied; elsewhere a smaller array has to do, and growth is a copy as before.

The first write to a page costs 0.3 to 3 µs (the latter on virtual machines), so a mask row of 16 KB costs as
much in new pages as in work. So what a grammar leaves behind when it goes is given to the next one, and what
a large grammar will surely need is taken when it is compiled, which is cheaper than page by page.
"""

from __future__ import annotations

import mmap
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MOST = 512 << 20  # bytes of address space for one array
KEPT = 8 << 20  # bytes of an array that stay in memory when it waits for its next user
WAITING = 4  # arrays of one size that wait

POPULATE_WRITE = 23  # of `madvise`, since Linux 5.14; Python has no name for it
_LAZY = ("MAP_PRIVATE", "MAP_ANONYMOUS", "MADV_DONTNEED")


@dataclass(frozen=True, eq=False)
class Room:
    """Zero bytes: ``data``, a uint8 array."""

    data: npt.NDArray[np.uint8]
    memory: Any  # the map that they lie in, or None

    @property
    def nbytes(self) -> int:
        """How many bytes there are."""
        return self.data.nbytes


_waiting: dict[int, list[Room]] = {}


def take(wanted: int, least: int) -> Room:
    """Room of ``wanted`` bytes where they cost nothing before they are used, otherwise of ``least`` bytes."""
    wanted = max(min(wanted, MOST), least)
    for size in (wanted, least):
        waiting = _waiting.get(size)
        if waiting:
            try:
                return waiting.pop()
            except IndexError:  # another thread was faster
                pass
    if all(hasattr(mmap, name) for name in _LAZY):
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
        try:
            memory = mmap.mmap(-1, wanted, flags=flags)
        except (OSError, ValueError):  # no such address space: a limit of this process
            pass
        else:
            return Room(np.frombuffer(memory, np.uint8), memory)
    return Room(np.zeros(least, np.uint8), None)


def scratch(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An array for what is written to in parts, if at all: its memory comes page by page.

    numpy has the system take pages of 2 MB for large arrays, and the first write to one takes up to 5 ms.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return take(size, size).data[:size].view(dtype).reshape(shape)


def populate(room: Room, begin: int, end: int) -> None:
    """Have the bytes ``begin .. end`` of ``room`` in memory now, where the system knows how to."""
    begin -= begin % mmap.PAGESIZE
    if sys.platform == "linux" and room.memory is not None and begin < end <= room.nbytes:
        with suppress(OSError, ValueError):
            room.memory.madvise(POPULATE_WRITE, begin, end - begin)


def give_back(room: Room, used: int, clean: bool = True) -> None:
    """Let others have ``room``, of which the first ``used`` bytes were written to. Nobody reads it any more.

    clean : False where the next user needs no zeros
    """
    waiting = _waiting.setdefault(room.nbytes, [])
    if len(waiting) < WAITING and forget(room, used, clean):
        waiting.append(room)


def forget(room: Room, used: int, clean: bool = True) -> bool:
    """Give most of the memory of the first ``used`` bytes back to the system, and write zeros into the rest.

    clean : False to leave what is in the rest. False is answered where the system has no way to do it.
    """
    kept = min(used, KEPT)
    if used > kept:
        if room.memory is None:
            return False
        kept -= kept % mmap.PAGESIZE
        room.memory.madvise(mmap.MADV_DONTNEED, kept)
    if clean:
        room.data[:kept] = 0
    return True
