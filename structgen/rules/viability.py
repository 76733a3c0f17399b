"""Discipline ``longest``: can what is open always be finished?

Longest match makes dead ends that no local rule sees. In `start: A B` with `A: /a+/` and `B: /a/` every `a`
belongs to the A, and the language is empty. Which texts can be finished is therefore asked of the lexer and
the parser together. For nearly every grammar people write the answer is "all", and that can be proved once:

*Certificate.* Every terminal has a text with which it wins against all other terminals, and between any two
terminals that can stand side by side there is a clean cut: a byte that begins the second and that no lexeme
which may end there can swallow. Where an ignored terminal is one byte long (a space) and can be cut cleanly
from everything, it serves between all pairs. Then every reading that no longer match threatens can be
finished: complete the open lexeme, cut, write the next terminal's winning text, and so on along a shortest
derivation. (Fewer candidates than all only make winning easier. A special token cuts cleanly from all. A
forbidden terminal is never needed, and never beats another of the same length.)

That is asked here with every terminal a candidate everywhere. `places` has another certificate, which looks
at where terminals stand and is asked first; this one knows priorities and special tokens. Without either, and
for readings that a longer match still threatens, the arena searches.
"""

from __future__ import annotations

from ..ir import GrammarIR, Term
from ..limits import check_time
from .analysis import Analysis
from .follow import following
from .lexer import numbered_terminals
from .places import certify_places

MOST_STATES = 20_000


def certify(ir: GrammarIR, facts: Analysis) -> bool:
    """True when every reading of the grammar that no longer match threatens can be finished."""
    return certify_places(ir, facts) or (ir.indentation is None and _certify_lexer(ir, facts))


def _certify_lexer(ir: GrammarIR, facts: Analysis) -> bool:
    """The certificate with every terminal a candidate everywhere."""
    lexer = _Lexer(ir, facts)
    if not lexer.explore():
        return False
    forbidden = {facts.terminal_number[name] for name in ir.forbidden}
    needed = [t for t in range(len(lexer.names)) if t not in forbidden]
    if any(not lexer.wins_with[t] for t in needed):
        return False
    # Where nothing but forbidden terminals end, no reading goes on.
    ends = [q for q in lexer.ends if not forbidden.issuperset(lexer.accepting(q))]
    used = {e.name for e in facts.exprs if isinstance(e, Term)}
    for name in ir.ignore:
        i = facts.terminal_number[name]
        # What the blank may have become by running on: from there, too, every terminal must be able to begin;
        # the blank's own need not, unless a rule asks for it.
        blanks = [q for q in ends if lexer.only(q, i)]
        for byte in lexer.one_byte_wins(i):
            clean = all(lexer.step(q, byte) is None for q in ends if not lexer.only(q, i))
            if clean and all(
                (t == i and name not in used) or any(lexer.step(q, b) is None for b in lexer.wins_with[t])
                for q in blanks
                for t in needed
            ):
                return True
    follow = following(facts)
    mask = sum(1 << t for t in needed)  # Special tokens cut cleanly from all.
    wanted = sum(1 << t for t in needed if lexer.names[t] in used or lexer.names[t] not in ir.ignore)
    for name in ir.ignore:
        follow[facts.terminal_number[name]] = wanted
    for q in ends:
        for x in lexer.accepting(q):
            bits = follow[x] & mask
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

    def only(self, state: tuple[tuple[int, int], ...], terminal: int) -> bool:
        """Nothing but ``terminal`` is open in ``state``."""
        return all(t == terminal for t, _ in state)

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
