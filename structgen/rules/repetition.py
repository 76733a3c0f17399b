"""Which repetitions have a count in their frame, and which are written out.

A count costs a call, so a few small copies are written out; but text of characters is always one automaton
that counts, because a vocabulary table then serves every length of it.
"""

from __future__ import annotations

from functools import lru_cache

from ..automata import ByteDFA
from ..ir import Bounded, Expr, Lit, Members, Pat, Rep
from .analysis import children_of

UNROLL = 8  # a repetition is written out when bound × size of its item is at most this


class Repetitions:
    """Decides, for one grammar.

    wide_bytes : a state that so many bytes leave has a vocabulary table from the start
    written_out : ids of repetitions that have no count, whatever their bounds
    """

    def __init__(self, wide_bytes: int) -> None:
        self.wide_bytes = wide_bytes
        self.written_out: set[int] = set()

    def is_counted(self, e: Rep) -> bool:
        """The repetition is a unit with a count, rather than written out."""
        if self._is_text(e):
            return True
        bound = e.max if e.max is not None else e.min
        if bound <= 1 or (e.max is None and e.min <= 1) or id(e) in self.written_out:
            return False
        return bound * (1 + _size(e.item, UNROLL)) > UNROLL

    def is_wide(self, dfa: ByteDFA) -> bool:
        """So many bytes begin a member that a vocabulary table is worth its making."""
        return dfa.first_bits.bit_count() >= self.wide_bytes

    def _is_text(self, e: Rep) -> bool:
        """Characters one after the other: a loop inside one automaton, which a vocabulary table serves."""
        dfa = looped(e)
        return dfa is not None and e.max != 1 and e.sep is None and self.is_wide(dfa)


def looped(e: Expr) -> ByteDFA | None:
    """The automaton whose ends are its start again, where a counted repetition can be one such loop.

    What leaves the start is counted, so nothing in the middle of a word may lead back to it.
    """
    return e.item.dfa if isinstance(e, Rep) and isinstance(e.item, Pat) and _may_loop(e.item.dfa) else None


@lru_cache(maxsize=256)
def _may_loop(dfa: ByteDFA) -> bool:
    """No word begins another, and nothing leads back to the start."""
    return dfa.is_prefix_free and not bool((dfa.trans == dfa.start).any())


def _size(expr: Expr, most: int) -> int:
    """Expressions in ``expr``, counted up to ``most``."""
    total = 0
    todo = [expr]
    while todo and total <= most:
        e = todo.pop()
        total += 1
        if isinstance(e, Lit):
            total += max(len(e.data) - 1, 0)
        elif isinstance(e, (Pat, Bounded, Members)):
            total += 4
        todo.extend(children_of(e))
    return total
