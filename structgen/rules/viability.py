"""Discipline ``longest``: can what is open always be finished?

Longest match makes dead ends that no local rule sees. In `start: A B` with `A: /a+/` and `B: /a/` every `a`
belongs to the A, and the language is empty. Which texts can be finished is therefore asked of the lexer and
the parser together. For nearly every grammar people write the answer is "all", and that can be proved once:

*Certificate.* Every terminal has a text with which it wins against all other terminals, and between any two
terminals that can stand side by side there is a clean cut: a byte that begins the second and that no lexeme
which may end there can swallow. Where an ignored terminal is one byte long (a space) and can be cut cleanly
from everything, it serves between all pairs; then what need not be written may begin as it likes. So every
reading that no longer match threatens can be finished: complete the open lexeme, cut, write the next
terminal's winning text, and so on along a shortest derivation. (Fewer candidates than all only make winning
easier. A special token cuts cleanly from all. What is reserved is a rival like any other; it never is all
that is open: the terminal that it is reserved from goes on with it, and is not whole where it is.)

Without the certificate, and for readings that a longer match still threatens, the arena searches.
"""

from __future__ import annotations

from math import inf

from ..ir import Alt, GrammarIR, Members, Ref, Rep, Seq, Term
from ..limits import check_time
from .analysis import Analysis
from .lexer import numbered_terminals
from .lines import certify_lines

MOST_STATES = 20_000


def certify(ir: GrammarIR, facts: Analysis) -> bool:
    """True when every reading of the grammar that no longer match threatens can be finished."""
    if ir.indentation is not None:
        return certify_lines(ir, facts)
    lexer = _Lexer(ir, facts)
    if not lexer.explore():
        return False
    n = len(lexer.names)
    refused = {facts.terminal_number[other] for _, other in ir.reserved if other in facts.terminal_number}
    if any(not lexer.wins_with[t] for t in range(n) if t not in refused):
        return False
    needed = _needed(ir, facts)
    for name in ir.ignore:
        i = facts.terminal_number[name]
        # Where the blank ends it may have run on, and something else that begins like it may be open: from
        # there, too, whatever is needed must be able to begin.
        blanks = [q for q in lexer.ends if lexer.accepting(q) == [i]]
        for byte in lexer.one_byte_wins(i):
            clean = all(lexer.step(q, byte) is None for q in lexer.ends if lexer.accepting(q) != [i])
            if clean and all(
                any(lexer.step(q, b) is None for b in lexer.wins_with[t]) for q in blanks for t in needed
            ):
                return True
    follow = _pairs(ir, facts)
    for q in lexer.ends:
        for x in lexer.accepting(q):
            bits = follow[x] & ((1 << n) - 1)
            y = 0
            while bits:
                if bits & 1 and all(lexer.step(q, b) is not None for b in lexer.wins_with[y]):
                    return False
                bits >>= 1
                y += 1
    return True


class _Lexer:
    """The lexer with every terminal a candidate and none given up for priority: the strongest opponent."""

    def __init__(self, ir: GrammarIR, facts: Analysis) -> None:
        self.names = sorted(facts.terminal_number, key=facts.terminal_number.__getitem__)
        self.terminals = numbered_terminals(ir, facts.terminal_number)
        self.dfas = [t.dfa for t in self.terminals]
        self.tables = [d.trans.tolist() for d in self.dfas]
        self.classes = [d.classes.tolist() for d in self.dfas]
        # One byte for each class of bytes that no terminal tells apart.
        kinds: dict[tuple[int, ...], int] = {}
        for b in range(256):
            kinds.setdefault(tuple(c[b] for c in self.classes), b)
        self.bytes = sorted(kinds.values())
        self.ends: list[tuple[tuple[int, int], ...]] = []
        self.wins_with: list[set[int]] = [set() for _ in self.names]
        self._steps: dict[tuple[tuple[tuple[int, int], ...], int], tuple[tuple[int, int], ...] | None] = {}

    def step(self, state: tuple[tuple[int, int], ...], byte: int) -> tuple[tuple[int, int], ...] | None:
        """The state after ``byte``: (terminal, its state) pairs; None when no terminal goes on."""
        key = (state, byte)
        if key not in self._steps:
            out = []
            for t, q in state:
                to = self.tables[t][q][self.classes[t][byte]]
                if to:
                    out.append((t, to))
            self._steps[key] = tuple(out) or None
        return self._steps[key]

    def accepting(self, state: tuple[tuple[int, int], ...]) -> list[int]:
        """Terminals that are whole in ``state``."""
        return [t for t, q in state if self.dfas[t].final[q]]

    def start(self) -> tuple[tuple[int, int], ...]:
        """All terminals at their start."""
        return tuple((t, 1) for t in range(len(self.names)) if not self.dfas[t].is_empty)

    def explore(self) -> bool:
        """Visit every state; note where lexemes end and with which first bytes each terminal can win.

        A node is a state with the highest priority that has matched on the way to it: winning is asked with
        the priorities in force, what a higher one has matched is lost to the others. What can still be won
        from a node flows back along the edges, so the first byte of the way need not be part of the node:
        Unicode has a hundred kinds of them, and the same states lie behind most.
        """
        numbers: dict[tuple[tuple[tuple[int, int], ...], int | None], int] = {}
        nodes: list[tuple[tuple[tuple[int, int], ...], int | None]] = []
        wins: list[int] = []  # Of each node, a bit set of terminals.
        before: list[list[int]] = []
        begin: dict[int, int] = {}
        ends: set[tuple[tuple[int, int], ...]] = set()
        todo: list[tuple[tuple[tuple[int, int], ...], int | None, int]] = [(self.start(), None, -1)]
        while todo:
            check_time("looking for texts that cannot be finished")
            state, best, node = todo.pop()
            for b in self.bytes:
                to = self.step(state, b)
                if to is None:
                    continue
                whole = self.accepting(to)
                reached, won = best, 0
                if whole:
                    ends.add(to)
                    ranks = [(self.terminals[t].priority, self.terminals[t].literal) for t in whole]
                    top = max(ranks)
                    if best is None or top[0] >= best:
                        won = sum(1 << t for t, rank in zip(whole, ranks, strict=True) if rank == top)
                        reached = top[0]
                at = numbers.get((to, reached))
                if at is None:
                    if len(nodes) == MOST_STATES:
                        return False
                    at = numbers[to, reached] = len(nodes)
                    nodes.append((to, reached))
                    wins.append(won)
                    before.append([])
                    todo.append((to, reached, at))
                if node < 0:
                    begin[b] = at
                else:
                    before[at].append(node)
        grown = list(range(len(nodes)))
        while grown:
            at = grown.pop()
            for node in before[at]:
                if wins[at] & ~wins[node]:
                    wins[node] |= wins[at]
                    grown.append(node)
        for b, at in begin.items():
            for t, mine in enumerate(self.wins_with):
                if wins[at] >> t & 1:
                    mine.add(b)
        self.ends = sorted(ends)
        return True

    def one_byte_wins(self, terminal: int) -> list[int]:
        """The single bytes that are a whole text of ``terminal``, and of no other, and are won by it."""
        out = []
        for b in self.bytes:
            state = self.step(self.start(), b)
            if state is not None and b in self.wins_with[terminal] and self.accepting(state) == [terminal]:
                out.append(b)
        return out


def _needed(ir: GrammarIR, facts: Analysis) -> list[int]:
    """The terminals on shortest ways to the end, from anywhere: not those that may be left out."""
    n = len(facts.exprs)
    length = [inf] * n
    way = [0] * n
    changed = True
    while changed:
        changed = False
        check_time("looking for the terminals that have to come")
        for me in range(n):
            found = _shortest(me, facts, length, way)
            if found != (length[me], way[me]):
                length[me], way[me] = found
                changed = True
    bits = way[facts.rule[ir.start]]
    for e, kids in zip(facts.exprs, facts.children, strict=True):
        if isinstance(e, Seq):
            kids = kids[1:]
        elif not isinstance(e, Members) and not (isinstance(e, Rep) and e.min > 1):
            continue
        for k in kids:
            bits |= way[k]
    return [t for t in range(len(facts.terminal_number)) if bits >> t & 1]


def _shortest(me: int, facts: Analysis, length: list[float], way: list[int]) -> tuple[float, int]:
    """The least number of terminals in a text of an expression, and which they are."""
    e, kids = facts.exprs[me], facts.children[me]
    if facts.nullable[me]:
        return 0, 0
    if isinstance(e, Term):
        return 1, 1 << facts.terminal_number[e.name]
    if isinstance(e, Ref):
        kids = (facts.rule[e.rule],)
    if isinstance(e, Alt):
        kids = (min(kids, key=length.__getitem__),) if kids else ()
        return (length[kids[0]], way[kids[0]]) if kids else (inf, 0)
    if not kids:
        return 1, 0
    bits = 0
    for k in kids:
        bits |= way[k]
    return sum(length[k] for k in kids), bits


def _pairs(ir: GrammarIR, facts: Analysis) -> list[int]:
    """For each terminal, a bit set of the terminals that may stand right after it (ignored ones included)."""
    n = len(facts.exprs)
    last = [0] * n
    ignored = sum(1 << facts.terminal_number[name] for name in ir.ignore)
    changed = True
    while changed:
        changed = False
        check_time("looking for terminals that follow each other")
        for me in range(n):
            bits = _last_of(me, ir, facts, last)
            if bits != last[me]:
                last[me] = bits
                changed = True
    follow = [0] * len(facts.terminal_number)

    def join(left: int, right: int) -> None:
        t = 0
        while left:
            if left & 1:
                follow[t] |= right
            left >>= 1
            t += 1

    for me in range(n):
        e, kids = facts.exprs[me], facts.children[me]
        if isinstance(e, Seq):
            open_ends = 0
            for k in kids:
                join(open_ends, facts.first[k])
                open_ends = last[k] | (open_ends if facts.nullable[k] else 0)
        elif isinstance(e, Rep) and (e.max is None or e.max > 1):
            if len(kids) == 1:
                join(last[kids[0]], facts.first[kids[0]])
            else:
                join(last[kids[0]] | last[kids[1]], facts.first[kids[0]] | facts.first[kids[1]])
    if ignored:
        everything = (1 << len(follow)) - 1
        join(everything, ignored)
        join(ignored, everything)
    return follow


def _last_of(me: int, ir: GrammarIR, facts: Analysis, last: list[int]) -> int:
    e, kids = facts.exprs[me], facts.children[me]
    if isinstance(e, Term):
        return 1 << facts.terminal_number[e.name]
    if isinstance(e, Ref):
        return last[facts.rule[e.rule]]
    bits = 0
    if isinstance(e, Seq):
        for k in reversed(kids):
            bits |= last[k]
            if not facts.nullable[k]:
                break
    elif isinstance(e, Alt | Rep | Members):
        for k in kids:
            bits |= last[k]
    return bits
