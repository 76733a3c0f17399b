"""How tokens read from a set of readings, whatever number of tokens their counted rules have left.

Within one token numbers do not matter: a use of a counted rule has one token less after it, or is over, or
is new. So of a reading that came out of the set's ``origin``-th reading only is kept how many of the uses
that were open there are *touched* (the token has a byte in them: the outermost ones, since all that are open
at a byte are touched by it), how many of them are still *open*, and what those that began since have left.
Such sets are the states of an automaton over bytes, made as far as tokens ask for it, and every text in which
a rule has 40 tokens left reads like that in which it has 30.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..limits import check_time
from ..vocab.vocabulary import Vocabulary
from .marked_text import CountedText, Left
from .numbered import Numbered
from .token_walk import DEAD, UNKNOWN, read_tokens

Shape = tuple[tuple[int, int], ...]
"""The readings of a set without their numbers: (state, how many uses are open)."""
MOST_KEPT = 128  # of `ReadingSets.ends`
STEP_BYTES = 500  # what a step and its set take in memory, roughly
NO_BYTE = -1  # `Relative.touched` before the first byte


class Relative(NamedTuple):
    """A reading in the middle of a token."""

    state: int
    origin: int
    touched: int
    open: int
    new: Left


class ReadingSets:
    """The automaton of one grammar. A set is a number; DEAD is the empty one."""

    def __init__(self, text: CountedText, tokens: Sequence[int], vocabulary: Vocabulary) -> None:
        self._text = text
        self._left_after = [n - 1 for n in tokens]  # of a use that began in this token
        self._vocabulary = vocabulary
        self.sets: Numbered[tuple[Relative, ...]] = Numbered()
        self._begun: dict[Shape, int] = {}
        self._after: dict[tuple[int, int], int] = {}
        # Steps of sets that a walk has met; a row has a number of its own.
        self._rows: dict[int, int] = {}
        self._set_of_row: list[int] = []
        self._table: npt.NDArray[np.int32] = np.full((64, 256), UNKNOWN, np.int32)
        self._ends: dict[int, tuple[list[int], npt.NDArray[np.unsignedinteger]]] = {}

    @property
    def nbytes(self) -> int:
        """What the automaton takes in memory, roughly."""
        return self._table.nbytes + STEP_BYTES * len(self._after)

    def begin(self, shape: Shape) -> int:
        """The set of the readings of a shape, before a token."""
        known = self._begun.get(shape)
        if known is None:
            first = tuple(Relative(state, i, NO_BYTE, uses, ()) for i, (state, uses) in enumerate(shape))
            known = self._begun[shape] = self.sets.number(first)
        return known

    def after(self, number: int, symbol: int) -> int:
        """The set after a byte or special token."""
        known = self._after.get((number, symbol))
        if known is None:
            known = self._after[number, symbol] = self._step(number, symbol)
        return known

    def ends(self, number: int) -> tuple[list[int], npt.NDArray[np.unsignedinteger]]:
        """The sets in which tokens of text end; and for each id 1 + the place of its set among these, or 0.

        Of tokens with equal bytes one has a set.
        """
        known = self._ends.pop(number, None)
        if known is None:
            ends = self._read_vocabulary(number)
            rows = np.flatnonzero(np.bincount(ends + 1, minlength=1)[1:])
            places = np.zeros(len(self._set_of_row) + 1, np.min_scalar_type(len(rows)))
            places[rows + 1] = np.arange(1, len(rows) + 1)
            known = [self._set_of_row[row] for row in rows], places[ends + 1]
            if len(self._ends) == MOST_KEPT:
                del self._ends[next(iter(self._ends))]
        self._ends[number] = known
        return known

    def _read_vocabulary(self, number: int) -> npt.NDArray[np.int32]:
        """int32[ids]: the row of the set at the end of each token of text, or DEAD."""
        trie = self._vocabulary.trie
        nodes = trie.nodes
        stack = np.zeros(trie.max_depth + 1, np.int32)
        ends = np.full(self._vocabulary.size, DEAD, np.int32)
        stack[0] = self._row(number)
        at = int(read_tokens(nodes, self._table, stack, 1, ends))
        while at < len(nodes):
            check_time("reading the vocabulary inside a rule with max_tokens")
            row, byte = int(stack[nodes[at, 1] - 1]), int(nodes[at, 0])
            to = self.after(self._set_of_row[row], byte)
            to = DEAD if to == DEAD else self._row(to)
            self._table[row, byte] = to
            at = int(read_tokens(nodes, self._table, stack, at, ends))
        return ends

    def _row(self, number: int) -> int:
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = len(self._set_of_row)
            self._set_of_row.append(number)
            if row == len(self._table):
                self._table = np.concatenate((self._table, np.full_like(self._table, UNKNOWN)))
        return row

    def _step(self, number: int, symbol: int) -> int:
        text = self._text
        found: set[Relative] = set()
        for state, origin, touched, uses, new in self.sets[number]:
            for ends, begins, to in text.moves(state, symbol):
                still = uses - max(ends - len(new), 0)
                after = (*new[: max(len(new) - ends, 0)], *(self._left_after[rule] for rule in begins))
                found.add(Relative(to, origin, still if touched == NO_BYTE else touched, still, after))
        return self.sets.number(tuple(sorted(found))) if found else DEAD
