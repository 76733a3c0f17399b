"""Which cuts between two terminals are clean: the pairs of the certificate in `places`.

A lexeme may end in any of its terminal's texts, and what can go on behind it is what must not begin the next
one. What the way to the end *writes* itself is one of a few texts, and must be cut from every rival; what was
*read* may be any text, but need not be cut from a rival above it (see `places`).
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..ir import Terminal
from ..limits import check_time

if TYPE_CHECKING:
    from .places import Places

OUTSIDE = -1  # the context of what stands in no bracket
NO_LINES = -2  # in place of the terminals of indentation, where there is none

Bytes = npt.NDArray[np.bool_]
"""bool[256]: a set of bytes."""


class Cuts:
    """Which cuts between two terminals are clean.

    ``together``: for each terminal those (bits) that may be candidates beside it; None: any may.
    """

    def __init__(
        self,
        terminals: list[Terminal],
        places: Places,
        ignored: list[int],
        forbidden: set[int],
        together: list[int] | None,
    ) -> None:
        self.places = places
        self.ignored = ignored
        self.forbidden = forbidden
        self.together = together
        self.dfas = [t.dfa for t in terminals]
        self.literal = [t.literal for t in terminals]
        self.empty = [t.dfa.is_empty for t in terminals]
        # States by byte, as rows that numpy can take apart.
        self.trans = [d.trans[:, d.classes].astype(np.int64) for d in self.dfas]
        self.final = [d.final.copy() for d in self.dfas]
        self.first = np.stack([d.trans[d.start][d.classes] > 0 for d in self.dfas])
        self._beside: dict[int, set[int]] = {}
        self._follow: dict[tuple[int, int], Bytes] = {}
        self._after: dict[tuple[int, int], Bytes] = {}
        self._written: dict[tuple[int, int], Bytes] = {}
        self._above: dict[int, set[int]] = {}
        self._common: dict[tuple[int, int], bool] = {}  # filled by `follow`
        self._texts: dict[int, list[bytes]] = {}
        self._begins: dict[tuple[int, int], Bytes] = {}

    def rivals(self, where: int) -> set[int]:
        """The terminals that may be read in a context, ignored and forbidden ones included."""
        others = self.places.members.get(where, set()) | set(self.ignored) | self.forbidden
        if self.places.newline != NO_LINES:
            others = others | {self.places.newline}
        return {t for t in others if not self.empty[t]}

    def are_ordered(self) -> bool:
        """Of the terminals that are open, one can be finished with none above what wins then.

        That is it, or a literal with a text in common with it.
        """
        try:
            TopologicalSorter({x: self._above_winners(x) for x in range(len(self.dfas))}).prepare()
        except CycleError:
            return False
        return True

    def _above_winners(self, x: int) -> set[int]:
        """The terminals that may be open after a text of ``x``, above what wins it."""
        winners = {x}
        if not self.literal[x]:
            others = self.beside(x) - self.forbidden
            winners |= {u for u in others if self.literal[u] and self._shares(x, u)}
        above = set[int]().union(*map(self.above, winners))
        return {u for u in above & self.beside(x) if self.follow(x, u).any()}

    def above(self, x: int) -> set[int]:
        """The terminals that go on after a text of ``x``, and of which no text is or begins one of ``x``.

        A forbidden one is not among them: where it is finished, the reading is dead.
        """
        if x not in self._above:
            others = self.beside(x) - self.forbidden - {x}
            rivals = [u for u in others if self.follow(x, u).any() and not self._shares(x, u)]
            self._above[x] = {u for u in rivals if not self.follow(u, x).any()}
        return self._above[x]

    def _shares(self, x: int, other: int) -> bool:
        self.follow(x, other)
        return self._common[x, other]

    def lines_are_free(self) -> bool:
        """A newline can go on with another line of any column; from now on it counts as ended after one."""
        t = self.places.newline
        trans, final = self.trans[t], self.final[t]
        begun: set[int] = set()
        more = set(trans[final, ord("\n")].tolist())
        while more:
            begun |= more
            more = {int(trans[q, ord(" ")]) for q in begun} - begun
        if 0 in begun or not all(final[q] for q in begun):
            return False
        self.final[t] = np.isin(np.arange(len(final)), sorted(begun))
        return True

    def joined_lines_end(self, joining: list[int]) -> bool:
        """Behind each of ``joining`` something ignored can be read with which a text may end."""
        blanks = [t for t in self.ignored if t not in joining]
        return all(any(self.clean(t, blank, OUTSIDE) for blank in blanks) for t in joining)

    def never_cut(self, x: int) -> bool:
        """While ``x`` is read another terminal is, and nothing that is ignored can begin after ``x``."""
        ignored = np.zeros(256, np.bool_)
        for t in (*self.ignored, self.places.newline):
            ignored |= self.trans[t][1] > 0
        return all(
            any(self._covers(t, x, ignored) for t in sorted(self.rivals(where) - {x} - self.forbidden))
            for where, members in self.places.members.items()
            if x in members
        )

    def _covers(self, t: int, x: int, ignored: Bytes) -> bool:
        """``t`` is open wherever ``x`` is, and one of them goes on with every byte of ``ignored``."""
        todo = [(1, 1)]
        seen = set(todo)
        for p, q in todo:
            goes_on = self.trans[x][p] > 0
            if (goes_on & (self.trans[t][q] == 0)).any():
                return False
            if self.dfas[x].final[p] and (ignored & ~goes_on & (self.trans[t][q] == 0)).any():
                return False
            for pair in zip(
                self.trans[x][p][goes_on].tolist(), self.trans[t][q][goes_on].tolist(), strict=True
            ):
                if pair not in seen:
                    seen.add(pair)
                    todo.append(pair)
        return True

    def clean(self, x: int, y: int, where: int) -> bool:
        """After any text of ``x``, ``y`` can be read in the context ``where``, perhaps after a blank."""
        p = self.places
        if x in self.ignored and y in (p.indent, p.dedent):
            # The column of this line was chosen already, and the engine has seen that something can begin it.
            return all(self.clean(x, begin, where) for begin in p.members[OUTSIDE] - {p.newline})
        if y == p.indent:
            return x == p.newline
        if y == p.dedent:
            return x in (p.newline, p.dedent)
        if x in (p.indent, p.dedent):
            x = p.newline
        if x == p.newline and y == p.newline:
            return False
        inside = sorted(self._inside(x, where))
        read, written = np.zeros((2, 256), np.bool_)
        for context in inside:
            read |= self.after(x, context)
            if (x, context) in p.ways:
                written |= self.after_written(x, context)
        return self._cut(read, y, where) and self._cut(written, y, where)

    def _inside(self, x: int, where: int) -> set[int]:
        """The contexts in which ``x`` can have been read before a place in the context ``where``."""
        p = self.places
        if x in p.closing:
            return p.opened_by.get(x, set())
        if x in p.opening:
            return {context for context, members in p.members.items() if x in members}
        return {where}

    def _cut(self, run_on: Bytes, y: int, where: int) -> bool:
        """What goes on with ``run_on`` is cut by ``y``, or by a blank and that by ``y``."""
        begins = self.begins(y, where)
        if (begins & ~run_on).any():
            return True
        for blank in self.ignored:
            texts = self.begins(blank, where) & self.final[blank][self.trans[blank][1]] & ~run_on
            if texts.any() and (begins & ~self.after_written(blank, where)).any():
                return True
        return False

    def after(self, x: int, where: int) -> Bytes:
        """Bytes with which a rival that is not above ``x`` may go on after any text of it."""
        if (x, where) not in self._after:
            bits = np.zeros(256, np.bool_)
            for rival in self._met(x, where) - self.above(x):
                bits |= self.follow(x, rival)
            self._after[x, where] = bits
        return self._after[x, where]

    def after_written(self, x: int, where: int) -> Bytes:
        """Bytes with which any rival may go on after one of the `texts` of ``x``, for these are written."""
        if (x, where) not in self._written:
            bits = np.zeros(256, np.bool_)
            begins = self.begins(x, where)
            for rival in self._met(x, where):
                if x == self.places.newline:
                    bits |= self.follow(x, rival)  # With whatever column is wanted.
                    continue
                for text in self.texts(x):
                    q = 1 if begins[text[0]] else 0
                    for byte in text:
                        q = int(self.trans[rival][q, byte])
                    bits |= self.trans[rival][q] > 0
            self._written[x, where] = bits
        return self._written[x, where]

    def _met(self, x: int, where: int) -> set[int]:
        """The terminals, itself included, that may be read beside ``x`` in a context."""
        met = self.beside(x) & (self.rivals(where) | {x})
        always = {x, *self.ignored, *self.forbidden}
        if self.together is None or x in self.ignored:
            return met
        return {u for u in met if u in always or self.together[x] >> u & 1}

    def beside(self, x: int) -> set[int]:
        """The terminals that begin with a byte that ``x`` can begin with."""
        if x not in self._beside:
            self._beside[x] = set(np.flatnonzero((self.first & self.first[x]).any(axis=1)).tolist())
        return self._beside[x]

    def follow(self, t: int, u: int) -> Bytes:
        """Bytes with which ``u`` goes on after a text of ``t``."""
        if (t, u) not in self._follow:
            check_time("proving that texts can be finished")
            bits = np.zeros(256, np.bool_)
            common = False
            first, other = self.trans[t], self.trans[u]
            width = len(other)
            seen = np.zeros(len(first) * width, np.bool_)
            todo = np.array([width + 1])
            seen[todo] = True
            while len(todo):
                p, q = todo // width, todo % width
                ends = q[self.final[t][p]]
                bits |= (other[ends] > 0).any(axis=0)
                common = common or bool(self.final[u][ends].any())
                to_p, to_q = first[p], other[q]
                found = np.unique((to_p * width + to_q)[(to_p > 0) & (to_q > 0)])
                todo = found[~seen[found]]
                seen[todo] = True
            self._follow[t, u] = bits
            self._common[t, u] = common
        return self._follow[t, u]

    def begins(self, y: int, where: int) -> Bytes:
        """First bytes of texts with which ``y`` wins in a context."""
        if (y, where) not in self._begins:
            bits = np.zeros(256, np.bool_)
            rivals = [u for u in self.rivals(where) if self.literal[u] and not self.literal[y] and u != y]
            for text in self.texts(y):
                if not any(self.first[u, text[0]] and self.dfas[u].matches(text) for u in rivals):
                    bits[text[0]] = True
            self._begins[y, where] = bits
        return self._begins[y, where]

    def texts(self, t: int) -> list[bytes]:
        """A shortest text of ``t`` for each byte it can begin with."""
        if t not in self._texts:
            trans, final = self.trans[t], self.dfas[t].final
            near = final.copy()
            step = np.zeros(len(final), np.int64)  # the byte towards the nearest end
            while True:
                closer = near[trans]
                found = closer.any(axis=1) & ~near
                if not found.any():
                    break
                step[found] = closer[found].argmax(axis=1)
                near |= found
            texts = []
            for byte in np.flatnonzero(trans[1]).tolist():
                text, q = [byte], int(trans[1, byte])
                while not final[q]:
                    text.append(int(step[q]))
                    q = int(trans[q, step[q]])
                texts.append(bytes(text))
            self._texts[t] = texts
        return self._texts[t]
