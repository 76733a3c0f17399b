"""Verdicts about a grammar of the discipline ``longest``, on disk, where every process finds them.

Whether everything that is open can be finished (`rules.viability`) and what is forbidden is as it has to be
(`rules.forbidden`) takes 0.5 to 1.5 s for a programming language, and the answer is one bit. It is a function
of the rules, with terminals by their number, of what the terminals are, and of the program that answers. A
file is named by a BLAKE2b digest of all that, and so nothing ever has to be told that something changed; what
has the right checksum (`cache`) and says yes or no is believed. What is found quickly is not kept, nor is
what a grammar gets wrong.
"""

from __future__ import annotations

import hashlib
import time
from functools import cache
from pathlib import Path

from ..cache import program_digest, read_kept, write_kept_later
from ..ir import GrammarIR, Ref, Rep, Term
from ..rules import forbidden, lexer, viability
from ..rules.analysis import Analysis

KIND = "verdicts"
LONG = 0.02  # seconds
MADE_BY = (
    "../automata.py",
    "../ir.py",
    "../rules/analysis.py",
    "../rules/cuts.py",
    "../rules/follow.py",
    "../rules/forbidden.py",
    "../rules/lexer.py",
    "../rules/places.py",
    "../rules/viability.py",
)


def can_be_finished(ir: GrammarIR, facts: Analysis) -> bool:
    """True when every reading that no longer match threatens can be finished.

    Raises GrammarError for a forbidden terminal that is not as it has to be.
    """
    name = name_of(ir, facts)
    kept = read_kept(KIND, name)
    if kept is not None and isinstance(kept.meta.get("proved"), bool):
        return bool(kept.meta["proved"])
    began = time.thread_time()
    forbidden.check_forbidden(ir, facts)
    proved = viability.certify(ir, facts)
    if time.thread_time() - began > LONG:
        write_kept_later(KIND, name, {"proved": proved}, {})
    return proved


def name_of(ir: GrammarIR, facts: Analysis) -> str:
    """The name of a file: 64 hex digits. It does not depend on what rules and terminals are called."""
    number = facts.terminal_number
    expressions: list[object] = []
    for i, (e, children) in enumerate(zip(facts.exprs, facts.children, strict=True)):
        says: object = None
        if isinstance(e, Term):
            says = number[e.name]
        elif isinstance(e, Ref):
            says = facts.rule[e.rule]
        elif isinstance(e, Rep):
            says = (e.min, e.max)
        expressions.append((type(e).__name__, says, children, facts.nullable[i], facts.first[i]))
    terminals = [
        (t.dfa.digest.hex(), t.priority, t.literal)
        for t in lexer.numbered_terminals(ir, facts.terminal_number)
    ]
    lines = ir.indentation and (
        number[ir.indentation.newline],
        number[ir.indentation.indent],
        number[ir.indentation.dedent],
        sorted(number[t] for t in ir.indentation.opening if t in number),
        sorted(number[t] for t in ir.indentation.closing if t in number),
        ir.indentation.tab,
    )
    ignored = [number[name] for name in ir.ignore]
    barred = [number[name] for name in ir.forbidden]
    h = hashlib.blake2b(_program(), digest_size=32)
    h.update(repr((expressions, facts.rule[ir.start], terminals, ignored, barred, lines)).encode())
    return h.hexdigest()


@cache
def _program() -> bytes:
    """A digest of the files that say what is kept, this one included."""
    here = Path(__file__)
    return program_digest((here, *(here.parent / name for name in MADE_BY)))
