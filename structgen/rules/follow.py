"""Which terminals may stand right after which, in the rules."""

from __future__ import annotations

from collections.abc import Callable

from ..ir import Ref, Rep, Seq, Term
from ..limits import check_time
from .analysis import Analysis


def following(facts: Analysis) -> list[int]:
    """For each terminal the terminals (bits) that may stand right after it, what is ignored left aside."""
    n = len(facts.exprs)
    last = lasts(facts)
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


def lasts(facts: Analysis, is_shut: Callable[[tuple[int, ...]], bool] | None = None) -> list[int]:
    """Of each expression: the terminals (bits) that a text of it may end with.

    ``is_shut`` says of a sequence's parts that no text has them all.
    """
    last = [0] * len(facts.exprs)
    changed = True
    while changed:
        changed = False
        check_time("looking for terminals that follow each other")
        for me, (e, kids) in enumerate(zip(facts.exprs, facts.children, strict=True)):
            bits = 0
            if isinstance(e, Term):
                bits = 1 << facts.terminal_number[e.name]
            elif isinstance(e, Ref):
                bits = last[facts.rule[e.rule]]
            elif not isinstance(e, Seq):
                for k in kids:
                    bits |= last[k]
            elif is_shut is None or not is_shut(kids):
                for k in reversed(kids):
                    bits |= last[k]
                    if not facts.nullable[k]:
                        break
            if bits != last[me]:
                last[me], changed = bits, True
    return last
