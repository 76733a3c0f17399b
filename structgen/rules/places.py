"""The certificate of `viability` that looks at where terminals stand: can what is open always be finished?

The terminals of a programming language lie in each other's way unless one looks at where they stand: the
format of an f-string's field begins like any colon and goes on with anything, the text of an XML document
swallows what stands between its tags. Two things are looked at here. The innermost open bracket is the
*context* of a place, and terminals are rivals only where both may stand; and only what can be read after
the same terminal is ever a candidate together.

*Certificate.* Priorities are equal. From each place in the rules a shortest way leads to the end (its first
terminal is the place's *way on*); whatever lexeme was read before the place, there is a clean cut between
it and the way on, or between it and a blank, and that and the way on. Brackets are balanced within each
sequence.

Cuts are looked at in pairs: after which bytes of a terminal can a rival go on? Every text of the terminal
counts, so the open lexeme may be finished in any way; and a rival that wins instead was a candidate as
well.

Where indentation counts, a newline is no clean end by itself: the column of the line that begins decides
what the parser takes, so columns must be free to choose, and the parser's blocks must be those of the text.
So blocks are balanced, too, lines end outside brackets alone, and a newline can go on with another line of
any column.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..ir import Alt, GrammarIR, Indentation, Ref, Rep, Seq, Term, Terminal
from .analysis import Analysis
from .follow import following
from .lexer import numbered_terminals

Bytes = npt.NDArray[np.bool_]
"""bool[256]: a set of bytes."""

OUTSIDE = -1  # the context of what stands in no bracket
NONE = -2  # in the place of a terminal that the grammar has not


def certify_places(ir: GrammarIR, facts: Analysis) -> bool:
    """True when every reading that no longer match threatens can be finished."""
    terminals = numbered_terminals(ir, facts.terminal_number)
    if len({t.priority for t in terminals if not t.dfa.is_empty}) != 1:
        return False
    lines = ir.indentation
    brackets = _brackets(terminals) if lines is None else (lines.opening, lines.closing)
    places = _Places(lines, brackets, facts, facts.rule[ir.start])
    if not places.balanced and lines is None:
        places = _Places(lines, ((), ()), facts, facts.rule[ir.start])
    if not places.balanced:
        return False
    ignored = [facts.terminal_number[name] for name in ir.ignore]
    forbidden = {facts.terminal_number[name] for name in ir.forbidden}
    together = None if lines is not None else _together(facts, facts.first[facts.rule[ir.start]])
    cuts = _Cuts(terminals, places, ignored, forbidden, together)
    return (
        (lines is None or cuts.lines_are_free())
        and all(cuts.never_cut(x) for x in sorted(places.shut))
        and all(cuts.clean(x, y, where) for x, y, where in places.needed(ignored))
    )


def _together(facts: Analysis, first: int) -> list[int]:
    """For each terminal those (bits) that may be candidates beside it: after the same one, or at first."""
    together = [0] * len(facts.terminal_number)
    for candidates in {first, *following(facts)}:
        for t in range(len(together)):
            if candidates >> t & 1:
                together[t] |= candidates
    return together


def _brackets(terminals: list[Terminal]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The terminals that are brackets: those that open, those that close."""
    signs = [(sign, t.name) for t in terminals for sign in "()[]{}" if t.literal and _is(t, sign)]
    return tuple(n for sign, n in signs if sign in "([{"), tuple(n for sign, n in signs if sign in ")]}")


def _is(terminal: Terminal, sign: str) -> bool:
    return terminal.dfa.n_states == 3 and terminal.dfa.matches(sign.encode())


class _Places:
    """The places of the rules: their contexts, what was read before them, and the way on from them.

    balanced : brackets and blocks close in the sequence that opens them, and lines end outside brackets
    members : context (an opening terminal, or `OUTSIDE`) -> the terminals that may stand in it
    opened_by : closing terminal -> the opening ones that it closes somewhere
    shut : terminals with an indent right behind them, which no text has. A rule that ends so says that a
        lexeme must not be that terminal (a string that is not closed)
    """

    def __init__(
        self,
        lines: Indentation | None,
        brackets: tuple[tuple[str, ...], tuple[str, ...]],
        facts: Analysis,
        start: int,
    ) -> None:
        self.facts = facts
        number = facts.terminal_number
        names = ("", "", "") if lines is None else (lines.newline, lines.indent, lines.dedent)
        self.newline, self.indent, self.dedent = (number.get(name, NONE) for name in names)
        self.opening, self.closing = ({number[name] for name in side if name in number} for side in brackets)
        self.members: dict[int, set[int]] = {OUTSIDE: set()}
        self.opened_by: dict[int, set[int]] = {}
        self.shut: set[int] = set()
        self._pairs: set[tuple[int, int, int]] = set()
        self._ways: set[tuple[int, int]] = set()
        self._length, self._way = self._shortest()
        self._last = self._lasts()
        self.balanced = self._visit(start)

    def needed(self, ignored: list[int]) -> Iterator[tuple[int, int, int]]:
        """(terminal read, way on, context of the place between): the cuts that have to be clean."""
        yield from sorted(self._pairs)
        for y, where in sorted(self._ways):
            yield from ((x, y, where) for x in ignored)
            if where != OUTSIDE and self.newline >= 0:
                yield self.newline, y, where

    def _shortest(self) -> tuple[list[float], list[int]]:
        """Of each expression: terminals of a shortest text, and the first of them (-1: the text is empty)."""
        facts = self.facts
        length, way = [float("inf")] * len(facts.exprs), [-1] * len(facts.exprs)
        changed = True
        while changed:
            changed = False
            for me, (e, kids) in enumerate(zip(facts.exprs, facts.children, strict=True)):
                if isinstance(e, Term):
                    found, first = 1.0, facts.terminal_number[e.name]
                elif isinstance(e, Ref):
                    found, first = length[facts.rule[e.rule]], way[facts.rule[e.rule]]
                elif isinstance(e, Seq):
                    found = sum(length[k] for k in kids)
                    first = next((way[k] for k in kids if length[k] > 0), -1)
                elif isinstance(e, Alt):
                    best = min(kids, key=lambda k: length[k], default=None)
                    found, first = (float("inf"), -1) if best is None else (length[best], way[best])
                elif isinstance(e, Rep):
                    between = length[kids[-1]] if len(kids) > 1 and e.min > 1 else 0
                    found = length[kids[0]] * e.min + between * (e.min - 1) if e.min else 0.0
                    first = way[kids[0]] if e.min else -1
                else:
                    continue
                if found < length[me]:
                    length[me], way[me], changed = found, first, True
        return length, way

    def _lasts(self) -> list[int]:
        """Of each expression: the terminals (bits) that a text of it may end with."""
        facts = self.facts
        last = [0] * len(facts.exprs)
        changed = True
        while changed:
            changed = False
            for me, (e, kids) in enumerate(zip(facts.exprs, facts.children, strict=True)):
                bits = 0
                if isinstance(e, Term):
                    bits = 1 << facts.terminal_number[e.name]
                elif isinstance(e, Ref):
                    bits = last[facts.rule[e.rule]]
                elif isinstance(e, Seq) and self._shut_in(kids) >= 0:
                    bits = 0
                elif isinstance(e, Seq):
                    for k in reversed(kids):
                        bits |= last[k]
                        if not facts.nullable[k]:
                            break
                else:
                    for k in kids:
                        bits |= last[k]
                if bits != last[me]:
                    last[me], changed = bits, True
        return last

    def _visit(self, start: int) -> bool:
        """Go through the rules, in every context they are used in; False when something is not balanced."""
        facts = self.facts
        todo = [(start, OUTSIDE)]
        seen = set(todo)
        self._way_on(start, OUTSIDE)
        while todo:
            me, where = todo.pop()
            e, kids = facts.exprs[me], facts.children[me]
            below: list[tuple[int, int]] | None = []
            if isinstance(e, Term):
                if not self._stands_alone(facts.terminal_number[e.name], where):
                    return False
            elif isinstance(e, Ref):
                below = [(facts.rule[e.rule], where)]
            elif isinstance(e, Seq):
                below = self._sequence(kids, where)
            elif isinstance(e, Alt | Rep):
                below = [(k, where) for k in kids]
                if isinstance(e, Rep):
                    self._repetition(e, kids, where)
            else:
                below = None
            if below is None:
                return False
            todo += [entry for entry in below if entry not in seen]
            seen.update(below)
        return True

    def _stands_alone(self, terminal: int, where: int) -> bool:
        """A terminal that is no bracket and opens or closes no block."""
        self.members.setdefault(where, set()).add(terminal)
        if terminal in self.opening or terminal in self.closing or terminal in (self.indent, self.dedent):
            return False
        return terminal != self.newline or where == OUTSIDE

    def _sequence(self, kids: tuple[int, ...], where: int) -> list[tuple[int, int]] | None:
        """The items with their contexts, brackets left out; None when they are not balanced."""
        facts = self.facts
        if (terminal := self._shut_in(kids)) >= 0:
            self.members.setdefault(where, set()).add(terminal)
            self.shut.add(terminal)
            return []
        below: list[tuple[int, int]] = []
        around = [where]
        blocks = 0
        before = 0  # terminals that may have been read last
        for i, k in enumerate(kids):
            e = facts.exprs[k]
            terminal = facts.terminal_number[e.name] if isinstance(e, Term) else -1
            self._place(before, next((j for j in kids[i:] if self._length[j] > 0), -1), around[-1])
            before = self._last[k] | (before if facts.nullable[k] else 0)
            if terminal in self.closing:
                if len(around) == 1:
                    return None
                self.members.setdefault(around[-1], set()).add(terminal)
                self.opened_by.setdefault(terminal, set()).add(around.pop())
            elif terminal in self.opening:
                self.members.setdefault(around[-1], set()).add(terminal)
                around.append(terminal)
            elif terminal in (self.indent, self.dedent):
                blocks += 1 if terminal == self.indent else -1
                if blocks < 0 or around[-1] != OUTSIDE:
                    return None
            else:
                below.append((k, around[-1]))
        return below if len(around) == 1 and blocks == 0 else None

    def _shut_in(self, kids: tuple[int, ...]) -> int:
        """The terminal of a sequence that is nothing but a terminal and an indent; else -1."""
        names = [e.name for e in map(self.facts.exprs.__getitem__, kids) if isinstance(e, Term)]
        if len(kids) != 2 or len(names) != 2:
            return -1
        first, second = map(self.facts.terminal_number.__getitem__, names)
        return first if second == self.indent and first != self.newline else -1

    def _repetition(self, e: Rep, kids: tuple[int, ...], where: int) -> None:
        item, sep = kids[0], kids[-1]
        if len(kids) > 1:
            self._place(self._last[sep] | (self._last[item] if self.facts.nullable[sep] else 0), item, where)
        if e.min > 1:
            self._place(self._last[item], sep, where)
            self._place(self._last[item] | self._last[sep], item, where)

    def _place(self, before: int, rest: int, where: int) -> None:
        """Between the terminals (bits) read ``before`` and the expression ``rest`` (-1: nothing follows)."""
        if before == 0 or rest < 0 or self._way[rest] < 0:
            return  # Before anything of it is read, the way on is that of the place around.
        self._way_on(rest, where)
        x = 0
        while before:
            if before & 1:
                self._pairs.add((x, self._way[rest], where))
            before >>= 1
            x += 1

    def _way_on(self, rest: int, where: int) -> None:
        if self._way[rest] >= 0:
            self._ways.add((self._way[rest], where))


class _Cuts:
    """Which cuts between two terminals are clean."""

    def __init__(
        self,
        terminals: list[Terminal],
        places: _Places,
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
        self._texts: dict[int, list[bytes]] = {}
        self._begins: dict[tuple[int, int], Bytes] = {}

    def rivals(self, where: int) -> set[int]:
        """The terminals that may be read in a context, ignored and forbidden ones included."""
        others = self.places.members.get(where, set()) | set(self.ignored) | self.forbidden
        return {t for t in others | {self.places.newline} if t >= 0 and not self.empty[t]}

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
        run_on = self.run_on(x, where)
        begins = self.begins(y, where)
        if (begins & ~run_on).any():
            return True
        for blank in self.ignored:
            texts = self.begins(blank, where) & self.final[blank][self.trans[blank][1]] & ~run_on
            if texts.any() and (begins & ~self.after(blank, where)).any():
                return True
        return False

    def run_on(self, x: int, where: int) -> Bytes:
        """Bytes with which a rival may go on after a text of ``x`` that was read before the place."""
        p = self.places
        if x in p.closing:
            inside = p.opened_by.get(x, set())
        elif x in p.opening:
            inside = {context for context, members in p.members.items() if x in members}
        else:
            inside = {where}
        bits = np.zeros(256, np.bool_)
        for context in sorted(inside):
            bits |= self.after(x, context)
        return bits

    def after(self, x: int, where: int) -> Bytes:
        """`run_on`, when ``x`` was read in the context ``where``."""
        if (x, where) not in self._after:
            bits = np.zeros(256, np.bool_)
            for rival in self.beside(x) & (self.rivals(where) | {x}):
                if self.never_meet(x, rival):
                    continue
                bits |= self.follow(x, rival)
            self._after[x, where] = bits
        return self._after[x, where]

    def never_meet(self, x: int, rival: int) -> bool:
        """The two are never candidates at once."""
        everywhere = {*self.ignored, *self.forbidden}
        if self.together is None or x == rival or x in everywhere or rival in everywhere:
            return False
        return not self.together[x] >> rival & 1

    def beside(self, x: int) -> set[int]:
        """The terminals that begin with a byte that ``x`` can begin with."""
        if x not in self._beside:
            self._beside[x] = set(np.flatnonzero((self.first & self.first[x]).any(axis=1)).tolist())
        return self._beside[x]

    def follow(self, t: int, u: int) -> Bytes:
        """Bytes with which ``u`` goes on after a text of ``t``."""
        if (t, u) not in self._follow:
            bits = np.zeros(256, np.bool_)
            first, other = self.trans[t], self.trans[u]
            width = len(other)
            seen = np.zeros(len(first) * width, np.bool_)
            todo = np.array([width + 1])
            seen[todo] = True
            while len(todo):
                p, q = todo // width, todo % width
                bits |= (other[q[self.final[t][p]]] > 0).any(axis=0)
                to_p, to_q = first[p], other[q]
                found = np.unique((to_p * width + to_q)[(to_p > 0) & (to_q > 0)])
                todo = found[~seen[found]]
                seen[todo] = True
            self._follow[t, u] = bits
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
