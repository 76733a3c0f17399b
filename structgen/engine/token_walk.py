"""The kernel that reads every token of a vocabulary in an automaton that is made on the way.

It walks the vocabulary's trie with a table of the automaton's steps, and stops where a step is not in the
table: whoever called it finds the step out, writes it down, and calls it again from there.
"""

from __future__ import annotations

from ..jit import jit

DEAD, UNKNOWN = -1, -2


@jit
def read_tokens(nodes, table, stack, at, ends):
    """Read on from node ``at``; the node whose step is not known, or the number of nodes when all are read.

    nodes : int32[n, 4], the trie; table : int32[states, 256], the state after a byte, DEAD or UNKNOWN;
    stack : int32[depth + 1], the states after the bytes above; ends : int32[ids], the state at a token's end
    """
    n = nodes[0, 2]
    while at < n:
        depth = nodes[at, 1]
        to = table[stack[depth - 1], nodes[at, 0]]
        if to == UNKNOWN:
            return at
        if to == DEAD:
            at = nodes[at, 2]
            continue
        stack[depth] = to
        token = nodes[at, 3]
        if token >= 0:
            ends[token] = to
        at += 1
    return at
