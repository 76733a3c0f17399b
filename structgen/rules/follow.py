"""Which terminals may stand right after which, in the rules."""

from __future__ import annotations

from ..ir import Alt, Members, Ref, Rep, Seq, Term
from ..limits import check_time
from .analysis import Analysis


def following(facts: Analysis) -> list[int]:
    """For each terminal the terminals (bits) that may stand right after it, what is ignored left aside."""
    n = len(facts.exprs)
    last = [0] * n
    changed = True
    while changed:
        changed = False
        check_time("looking for terminals that follow each other")
        for me in range(n):
            bits = _last_of(me, facts, last)
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
    return follow


def _last_of(me: int, facts: Analysis, last: list[int]) -> int:
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
