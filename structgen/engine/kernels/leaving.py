"""How the tokens of a vocabulary leave a lexeme: what a lexer state's table is made from."""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .lexer import is_barred, lex_step, lex_won


@jit
def leaving_tokens(g, nodes, q, stay, won, at_node, dead):
    """Discipline ``longest``: how each token reads from lexer state ``q``.

    nodes : int32[n, 4]; per token id: stay : int16, 0 when the lexeme is still read at its end, else -1;
    won : int64, the terminals (record) that its lexeme is if it leaves it, else 0; at_node : int32, the node
    where it leaves. dead : uint8[256], bytes that end the lexeme at once; tokens that begin with one are left
    out.
    Answers 0 or a code.
    """
    depth = g[X_DEPTH]
    end = np.int64(nodes[0, 2])
    g[depth], g[depth + 1], g[depth + 2] = q, lex_won(g, q), 0
    i = 1
    while i < end:
        d = depth + 3 * np.int64(nodes[i, 1])
        b = np.int64(nodes[i, 0])
        to = lex_step(g, g[d - 3], (g[g[H_LEX_CMAP] + (b >> 3)] >> ((b & 7) << 3)) & 0xFF)
        if to < 0:
            return to
        if to == 0:
            after = np.int64(nodes[i, 2])
            if nodes[i, 1] == 1:
                dead[b] = 1
            elif g[d - 2] != 0:
                for j in range(i, after):
                    t = np.int64(nodes[j, 3])
                    if t >= 0:
                        won[t] = g[d - 2]
                        at_node[t] = g[d - 1]
            i = after
            continue
        if is_barred(g, to):
            i = np.int64(nodes[i, 2])
            continue
        g[d] = to
        if lex_won(g, to) != 0:
            g[d + 1], g[d + 2] = lex_won(g, to), i
        else:
            g[d + 1], g[d + 2] = g[d - 2], g[d - 1]
        t = np.int64(nodes[i, 3])
        if t >= 0:
            stay[t] = 0
        i += 1
    return 0
