"""A regular language of `derivative` written down: as an automaton, and as pattern text.

Tests take their terminals from here, so that they do not depend on the regex compiler under test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from structgen.automata import ByteDFA

from .derivative import Cat, Chars, Not, Or, Regex, Star, derivatives, live, nullable


def to_dfa(r: Regex, alphabet: Iterable[int] = range(256)) -> ByteDFA:
    """The automaton whose states are the live derivatives, over bytes of ``alphabet``."""
    alphabet = sorted(alphabet)
    table = derivatives(r, alphabet)
    alive = live(table)
    states = [r for r in table if r in alive]
    number = {r: i + 1 for i, r in enumerate(states)}
    full = np.zeros((len(states) + 1, 256), np.int32)
    for q in states:
        for s in alphabet:
            full[number[q], s] = number.get(table[q][s], 0)
    columns: dict[bytes, int] = {}
    classes = np.array([columns.setdefault(full[:, b].tobytes(), len(columns)) for b in range(256)], np.uint8)
    first = [int(np.argmax(classes == c)) for c in range(len(columns))]
    return ByteDFA(classes, full[:, first].copy(), np.array([False] + [nullable(q) for q in states]))


def to_pattern(r: Regex) -> str:
    """``r``, without complements, in the syntax of `re`."""
    match r:
        case Chars(symbols):
            return f"[{''.join(re.escape(chr(s)) for s in sorted(symbols))}]" if symbols else "(?!)"
        case Cat(items):
            return "".join(map(to_pattern, items)) or "(?:)"
        case Or(items):
            return f"(?:{'|'.join(sorted(map(to_pattern, items)))})"
        case Star(item):
            return f"(?:{to_pattern(item)})*"
        case Not():
            raise ValueError("re has no complement")
