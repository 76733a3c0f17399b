"""The certificate of `viability` for grammars of programming languages: can what is open always be finished?

Their terminals lie in each other's way unless one looks at where they stand (the rest of a template literal
begins like any brace and goes on with anything). What is looked at is the innermost open bracket, the
*context* of a place: terminals are rivals only where both may stand, and, where no indentation counts, only
if both can be read after one terminal (the text of an XML document swallows what stands between its tags).
Where indentation counts, its statement names the brackets; else a terminal is taken for one by its texts, and
where the rules do not bear that out, no terminal is.

With indentation a newline is no clean end by itself: the column of the line that begins decides what the
parser takes, so columns must be free to choose, and the blocks and brackets that the parser sees must be
those of the text. Nor is what joins two lines, with which no text ends: a blank must be able to follow.

*Certificate.* Priorities are equal. Blocks and brackets are balanced within each sequence, and lines end
outside brackets alone. A newline can go on with another line of any column. From each place in the rules a
shortest way leads to the end (its first terminal is the place's *way on*); whatever lexeme was read before
the place, there is a clean cut between it and the way on, or between it and a blank, and that and the way on.

Cuts are looked at in pairs: after which bytes of a terminal can a rival go on? Every text of the terminal
counts, so the open lexeme may be finished in any way; and a rival that wins instead was a candidate as well.
So a lexeme that was read need not be cut from a rival that is *above* it, as a regular expression is above
the sign of division: goes on where it ends, and is ended by it nowhere. Where the rival is a candidate, the
rival is what is finished. What a way itself writes must be cut from all.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..ir import Alt, GrammarIR, Ref, Rep, Seq, Term, Terminal
from .analysis import Analysis
from .cuts import NO_LINES, OUTSIDE, Cuts
from .follow import following, lasts
from .lexer import numbered_terminals


def certify_places(ir: GrammarIR, facts: Analysis) -> bool:
    """True when every reading that no longer match threatens can be finished."""
    terminals = numbered_terminals(ir, facts.terminal_number)
    if len({t.priority for t in terminals if not t.dfa.is_empty}) != 1:
        return False
    lines = ir.indentation
    number = facts.terminal_number
    if lines is None:
        opening, closing = _brackets(terminals)
        made = (NO_LINES, NO_LINES, NO_LINES)
    else:
        opening, closing = (
            {number[name] for name in names if name in number} for names in (lines.opening, lines.closing)
        )
        made = (number[lines.newline], number[lines.indent], number[lines.dedent])
    places = Places(made, opening, closing, facts, facts.rule[ir.start])
    if not places.balanced and lines is None:
        places = Places(made, set(), set(), facts, facts.rule[ir.start])
    if not places.balanced:
        return False
    ignored = [number[name] for name in ir.ignore]
    forbidden = {number[name] for name in ir.forbidden}
    together = None if lines is not None else _together(facts, facts.first[facts.rule[ir.start]])
    cuts = Cuts(terminals, places, ignored, forbidden, together)
    return (
        (
            lines is None
            or (cuts.lines_are_free() and cuts.joined_lines_end([number[t] for t in lines.joining(ir)]))
        )
        and cuts.are_ordered()
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


def _brackets(terminals: list[Terminal]) -> tuple[set[int], set[int]]:
    """Terminals that always end with an opening bracket, those that begin with a closing one; not both."""
    opening, closing = set(), set()
    for number, dfa in enumerate(t.dfa for t in terminals):
        if dfa.is_empty:
            continue
        ends, begins = dfa.last_bytes <= set(b"([{"), dfa.first_bytes <= set(b")]}")
        if ends and not begins:
            opening.add(number)
        elif begins and not ends:
            closing.add(number)
    return opening, closing


class Places:
    """The places of the rules: their contexts, what was read before them, and the way on from them.

    balanced : brackets and blocks close in the sequence that opens them, and lines end outside brackets
    members : context (an opening terminal, or `OUTSIDE`) -> the terminals that may stand in it
    opened_by : closing terminal -> the opening ones that it closes somewhere
    ways : (way on, context of a place)
    shut : terminals with an indent right behind them, which no text has. A rule that ends so says that a
        lexeme must not be that terminal (a string that is not closed)
    """

    def __init__(
        self, made: tuple[int, int, int], opening: set[int], closing: set[int], facts: Analysis, start: int
    ) -> None:
        self.facts = facts
        self.newline, self.indent, self.dedent = made
        self.opening, self.closing = opening, closing
        self.members: dict[int, set[int]] = {OUTSIDE: set()}
        self.opened_by: dict[int, set[int]] = {}
        self.shut: set[int] = set()
        self.ways: set[tuple[int, int]] = set()
        self._pairs: set[tuple[int, int, int]] = set()
        self._length, self._way = self._shortest()
        self._last = lasts(facts, lambda kids: self._shut_in(kids) >= 0)
        self.balanced = self._visit(start)

    def needed(self, ignored: list[int]) -> Iterator[tuple[int, int, int]]:
        """(terminal read, way on, context of the place between): the cuts that have to be clean."""
        yield from sorted(self._pairs)
        for y, where in sorted(self.ways):
            yield from ((x, y, where) for x in ignored)
            if where != OUTSIDE and self.newline != NO_LINES:
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
            self.ways.add((self._way[rest], where))
