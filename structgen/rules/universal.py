"""The lexer with every terminal a candidate: what no parser state can exceed.

Its states are sets of (terminal, state) pairs, none given up for priority, over the classes of bytes that no
terminal tells apart. A few hundred states for a programming language.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..engine.sequences import UniversalLexer
from ..ir import Terminal
from ..limits import check_time

MOST_STATES = 20_000


def universal_lexer(terminals: Sequence[Terminal], words: int) -> UniversalLexer | None:
    """The automaton over all ``terminals`` (their order is the bits' order); None past `MOST_STATES`.

    words : of a set of symbols
    """
    n = len(terminals)
    none = np.zeros(256, np.uint8)  # a grammar may consist of special tokens
    stacked = np.stack([none, *(t.dfa.classes for t in terminals)])
    _, byte_of, classes = np.unique(stacked, axis=1, return_index=True, return_inverse=True)
    tables = [t.dfa.trans[:, t.dfa.classes[byte_of]].tolist() for t in terminals]
    final = [t.dfa.final.tolist() for t in terminals]
    start = tuple((t, 1) for t in range(n) if not terminals[t].dfa.is_empty)
    index = {start: 1}
    states = [start]
    rows: list[list[int]] = []
    for state in states:
        check_time("building the lexer of all terminals")
        row = []
        for c in range(len(byte_of)):
            to = tuple((t, q2) for t, q in state if (q2 := tables[t][q][c]))
            if not to:
                row.append(0)
                continue
            at = index.get(to)
            if at is None:
                at = index[to] = len(states) + 1
                states.append(to)
                if at > MOST_STATES:
                    return None
            row.append(at)
        rows.append(row)
    ends = np.zeros((len(states) + 1, words), np.uint64)
    still_open = np.zeros((len(states) + 1, words), np.uint64)
    for i, state in enumerate(states):
        for t, q in state:
            still_open[i + 1, t >> 6] |= np.uint64(1 << (t & 63))
            if final[t][q]:
                ends[i + 1, t >> 6] |= np.uint64(1 << (t & 63))
    trans = np.array([[0] * len(byte_of), *rows], np.int32)
    return UniversalLexer(
        classes.reshape(-1).astype(np.uint8), trans, ends.view(np.int64), still_open.view(np.int64)
    )
