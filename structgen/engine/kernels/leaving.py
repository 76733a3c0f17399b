"""How the tokens of a vocabulary leave a lexeme: what serves a lexer state, and what its table is made from.

Tokens after a lexer state are of two kinds. Some end the lexeme with their first byte: how they read depends
on nothing but those bytes, and one table serves all states that end on the same. The *own* tokens of a state
go on in the lexeme for a byte or more. They are few and all stay in it, and are listed; or they do the same
as after a state that has a table (in a name, it seldom matters how much of a keyword it might still be); or
the state gets a table of its own. So a grammar has many lexer states and few tables.
"""

from __future__ import annotations

import numpy as np

from ...jit import jit
from ..layout import *
from .lexer import class_of, is_barred, lex_step, lex_won
from .records import intern

MOST_COMPARED = 20_000  # trie nodes, in all comparisons of one lexer state with others


@jit
def find_own(g, tries, q):
    """A lexer state whose table has the own tokens of ``q``, or minus the place of a list of them; or a code.

    Notes that (L_OWN), and the bytes that end the lexeme (L_DEAD, a record).

    list : number of tokens | tokens
    """
    value = q + R_KEY + (g[q] >> 8)
    if g[value + L_OWN] != 0:
        return g[value + L_OWN]
    few = _list_few(g, tries, q)
    if few < REFUSED:
        return few
    dead = intern(g, X_FOLLOW, 4, K_DEAD, 1)
    if dead < 0:
        return dead
    if few >= 0:
        own = -g[H_TOP]
        if g[H_TOP] + 1 + few > g[H_LIMIT]:
            return GROW_HEAP
        g[H_TOP] += 1 + few
        g[-own] = few
        for i in range(few):
            g[1 - own + i] = g[g[X_HEADS] + 3 + i]
    else:
        g[X_KEY] = MOST_COMPARED
        own = g[H_FORMED]
        while own != 0:
            alike = _leave_alike(g, tries, q, own)
            if alike < 0:
                return alike
            if alike > 0:
                break
            own = g[own + R_KEY + (g[own] >> 8) + L_BEFORE]
        if own == 0:
            g[value + L_BEFORE] = g[H_FORMED]
            g[H_FORMED] = q
            own = q
    g[value + L_DEAD] = dead
    g[value + L_OWN] = own
    return own


@jit
def _first_child(tries):
    """Where the children of the trie's root begin, to be read by `_child`, and where they end.

    Those of a large vocabulary are listed (`table_pool.with_children`), since they lie far apart.
    """
    kids = np.int64(tries[4 * np.int64(tries[2])])
    if kids == 0:
        return np.int64(-1), -np.int64(tries[2])
    return kids + 1, kids + 1 + 2 * np.int64(tries[kids])


@jit
def _child(tries, at):
    """A child of the root: its byte, its node, and where the next one is."""
    if at < 0:
        return np.int64(tries[-4 * at]), -at, -np.int64(tries[2 - 4 * at])
    return np.int64(tries[at]), np.int64(tries[at + 1]), at + 2


@jit
def _list_few(g, tries, q):
    """Find the own tokens of ``q``, if they all stay in the lexeme and lie at no more than H_NARROW nodes.

    Their number, and they are in scratch from place 1 of heads on; REFUSED; or a code. Sets X_FOLLOW to the
    bytes that end the lexeme.
    """
    for w in range(4):
        g[X_FOLLOW + w] = 0
    build = g[X_BUILD]
    g[build], g[build + 1] = q, lex_won(g, q)  # the state, and whether the lexeme could have ended by then
    tokens = g[X_HEADS] + 3
    visited, found = 0, 0
    few = True
    child, last = _first_child(tries)
    while child != last:
        b, i, child = _child(tries, child)
        to = lex_step(g, q, class_of(g, b))
        if to < 0:
            return to
        if to == 0:
            g[X_FOLLOW + (b >> 6)] |= 1 << (b & 63)
        if to == 0 or is_barred(g, to):
            continue
        end = np.int64(tries[4 * i + 2])
        while few and i < end:
            d = build + BUILD_WORDS * np.int64(tries[4 * i + 1])
            to = lex_step(g, g[d - BUILD_WORDS], class_of(g, np.int64(tries[4 * i])))
            if to < 0:
                return to
            if to == 0 or is_barred(g, to):
                few = to != 0 or g[d - BUILD_WORDS + 1] == 0
                i = np.int64(tries[4 * i + 2])
                continue
            g[d], g[d + 1] = to, g[d - BUILD_WORDS + 1] | lex_won(g, to)
            if tries[4 * i + 3] >= 0:
                if found + 6 >= 3 * g[X_HEADS_CAP]:
                    return GROW_SCRATCH
                g[tokens + found] = np.int64(tries[4 * i + 3])
                found += 1
            visited += 1
            few = visited <= g[H_NARROW]
            i += 1
    return found if few else REFUSED


@jit
def _leave_alike(g, tries, p, q):
    """1 when the own tokens of lexer states ``p`` and ``q`` do the same; 0 when not, or a code.

    Looks at no more than X_KEY nodes, which it counts down.
    """
    # Per depth: state, the terminals that the lexeme is if it ends, and where; the same of the other.
    # What leaves before its first byte is whatever the lexer state says, which need not be the same.
    build = g[X_BUILD]
    g[build], g[build + 1], g[build + 2] = p, -1, 0
    g[build + 3], g[build + 4], g[build + 5] = q, -1, 0
    child, last = _first_child(tries)
    while child != last:
        b, i, child = _child(tries, child)
        end = i + 1  # of what is looked at below the child
        first = True
        while i < end:
            g[X_KEY] -= 1
            if g[X_KEY] < 0:
                return 0
            up = build
            if not first:
                b = np.int64(tries[4 * i])
                up = build + BUILD_WORDS * (np.int64(tries[4 * i + 1]) - 1)
            d = up + BUILD_WORDS
            cls = class_of(g, b)
            to, other = lex_step(g, g[up], cls), lex_step(g, g[up + 3], cls)
            if to < 0 or other < 0:
                return min(to, other)
            stays, other_stays = to != 0 and not is_barred(g, to), other != 0 and not is_barred(g, other)
            if stays != other_stays:
                return 0
            if not stays:
                # One that is barred is read no further; one that is dead leaves, but for the first byte.
                if not first and ((to == 0) != (other == 0) or (to == 0 and not _left_alike(g, up))):
                    return 0
                if first:
                    break
                i = np.int64(tries[4 * i + 2])
                continue
            g[d], g[d + 1], g[d + 2] = to, g[up + 1], g[up + 2]
            g[d + 3], g[d + 4], g[d + 5] = other, g[up + 4], g[up + 5]
            if lex_won(g, to) != 0:
                g[d + 1], g[d + 2] = lex_won(g, to), i
            if lex_won(g, other) != 0:
                g[d + 4], g[d + 5] = lex_won(g, other), i
            alike = to == other and _left_alike(g, d)
            if first and alike:
                break
            if first:
                end = np.int64(tries[4 * i + 2])
                first = False
            i = np.int64(tries[4 * i + 2]) if alike else i + 1
    return 1


@jit
def _left_alike(g, at):
    """Whether two lexemes, of which ``at`` says how they would end, would be the same and end at one node."""
    return g[at + 1] == g[at + 4] and g[at + 2] == g[at + 5]


@jit
def leaving_tokens(g, nodes, q, stay, won, at_node):
    """Discipline ``longest``: how each own token of lexer state ``q`` reads.

    nodes : int32[n, 4]; per token id: stay : int16, 0 when the lexeme is still read at its end, else -1;
    won : int64, the terminals (record) that its lexeme is if it leaves it, -1 if it leaves before its first
    byte, else 0; at_node : int32, the node where it leaves.
    Answers 0 or a code.
    """
    depth = g[X_DEPTH]
    end = np.int64(nodes[0, 2])
    g[depth], g[depth + 1], g[depth + 2] = q, -1, 0
    i = 1
    while i < end:
        d = depth + 3 * np.int64(nodes[i, 1])
        to = lex_step(g, g[d - 3], class_of(g, np.int64(nodes[i, 0])))
        if to < 0:
            return to
        if to == 0:
            after = np.int64(nodes[i, 2])
            for j in range(i, after if nodes[i, 1] > 1 else i):
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
