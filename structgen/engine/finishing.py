"""Whether a reading can be finished at all, where no proof says it of every one."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ..limits import check_time
from . import kernels
from . import layout as L

if TYPE_CHECKING:
    from .arena import Arena

MOST_EXPLORED = 400  # readings looked at before a search for a finishing text answers yes
MOST_UNPROVED = 16  # such answers, after which nothing is asked any more


def can_be_finished(arena: Arena, head: tuple[int, ...]) -> bool:
    """Discipline ``longest``: search for a text that finishes a reading (see `rules.viability`).

    What is explored without success is closed under every byte, so all of it is known to be dead. The
    question is undecidable in general (the candidates depend on all stacks at once), so a search that
    finds nothing in `MOST_EXPLORED` readings answers yes, and is counted in ``unproved``: then, and only
    then, a mask may allow what cannot be finished.
    """
    ask = int(arena.g[L.H_ASK])
    arena.heap.g[L.H_ASK] = 0  # the search itself asks nothing
    try:
        seen = {head}
        todo = deque([head])
        while todo:
            check_time("looking for the end of a text")
            a, b, c = todo.popleft()
            if arena.call(kernels.head_complete, a, b, c) == 1:
                return True
            read = 0
            while read < len(arena.symbols):
                n = arena.call(kernels.expand_head_all, a, b, c, arena.symbols, read, ask == 1, arena.found)
                read += int(arena.g[L.X_WANT])
                for to in map(tuple, arena.found[:n].tolist()):
                    if to[2] == 0 and ask == 1:
                        return True
                    if to not in seen:
                        seen.add(to)
                        todo.append(to)
            if len(seen) > MOST_EXPLORED:
                arena.unproved += 1
                if arena.unproved >= MOST_UNPROVED:
                    ask = 0
                return True
    finally:
        arena.heap.g[L.H_ASK] = ask
    for dead in seen:
        arena.note_dead(dead)
    return False
