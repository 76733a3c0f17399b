"""Token groups of a lexer: what every token does from every place in it where a lexeme may begin.

Discipline ``longest`` asks, of a token that leaves the lexeme being read, which terminals the rest of it is
cut into. That depends on the candidates, hence on the parser; but the *possibilities* do not. From a lexeme's
start at byte i of a token, each terminal has one last place where it matches, or is still open at the token's
end. A *signature* holds just that: the terminals still open, and from the longest match to the shortest the
terminals that end there with the signature of what follows. Whatever the candidates, the winner can be read
off it. Signatures are hash-consed, so tokens that no parser can tell apart share one: they are a group, and
a mask asks the parser once a group instead of once a token (some 1,500 instead of 128,000 for the identifiers
of a programming language).

The signatures of all (place in the trie, token below it) pairs are made together, from the deepest place up,
since what follows a cut lies deeper. They depend on the terminals and the vocabulary only.

    signature : n cuts | shape | open terminals (bits) | (signature after, terminals that end here (bits)) * n
    0: no reading; 1: the token ends here

The *shape* is the first signature that differs in what follows its cuts at most: candidates decide both
alike. Of thousands of signatures with which a token can begin, there are a few hundred shapes.

Where indentation counts, a cut at which a newline ends has one word more: the column of the line that begins
in it (0 where no newline ends).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..jit import jit
from .layout import NO_COLUMN

DEAD = 0
END = 1
FIRST_SIGNATURE = 8
FULL = -1

U64 = np.uint64


@dataclass(frozen=True, eq=False)
class UniversalLexer:
    """All terminals as candidates, none given up: a plain automaton over byte classes.

    classes : uint8[256]; trans : int32[states, classes], 0 dead, 1 start;
    ends, open : int64[states, words], bits of the terminals that are whole, that are still read
    """

    classes: npt.NDArray[np.uint8]
    trans: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]
    open: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Places:
    """Where a (node, token below it) pair of a trie lies: ``base[node] + rank of the token - rank[node]``.

    base : int64[nodes]; rank : int32[nodes + 1], tokens before a node; n : pairs
    """

    base: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int32]
    n: int


@dataclass(frozen=True, eq=False)
class Sequences:
    """The signatures of one set of terminals on one vocabulary.

    words : int64[*], the signatures, from FIRST_SIGNATURE on
    of : int32[*], signature of each pair of ``places``
    """

    words: npt.NDArray[np.int64]
    of: npt.NDArray[np.int32]
    places: Places

    @property
    def nbytes(self) -> int:
        """Bytes that they take, the places apart, which all sequences of a vocabulary share."""
        return self.words.nbytes + self.of.nbytes


@dataclass(frozen=True, eq=False)
class LineColumns:
    """Where lines begin inside the tokens, for indentation.

    newline : number of the newline terminal
    column : int64[nodes], column after the last line break on the way to a node (see `layout.COLUMN_SHIFT`)
    line : int32[nodes], depth of that line break; 0: there is none
    """

    newline: int
    column: npt.NDArray[np.int64]
    line: npt.NDArray[np.int32]


@jit
def _make(
    nodes,
    rank,
    base,
    classes,
    trans,
    ends,
    still_open,
    newline,
    column,
    line,
    words,
    table,
    of,
    path,
    state,
    key,
):
    """Fill ``of``; the words in use, or FULL when ``words`` or ``table`` is too small. newline: or -1."""
    n_nodes = nodes.shape[0]
    width = ends.shape[1]
    stride = 1 + width if newline < 0 else 2 + width
    mask = table.shape[0] - 1
    top = FIRST_SIGNATURE
    entered = 0
    for m in range(n_nodes - 1, -1, -1):
        end = np.int64(nodes[m, 2])
        if rank[end] == rank[m]:
            continue
        low = np.int64(nodes[m, 1])
        path[low] = m
        state[low] = 1
        alive = low  # depth to which the lexeme can be read
        i = m
        dead_until = m
        while i < end:
            depth = np.int64(nodes[i, 1])
            path[depth] = i
            if i > m and i >= dead_until:
                if state[depth - 1] == 0:
                    state[depth] = 0
                else:
                    state[depth] = trans[state[depth - 1], classes[nodes[i, 0]]]
                if state[depth] == 0:
                    alive = depth - 1
                    dead_until = np.int64(nodes[i, 2])
                else:
                    alive = depth
            if nodes[i, 3] >= 0:
                at = base[m] + rank[i] - rank[m]
                if i == m:
                    of[at] = END
                    i += 1
                    continue
                n = 0
                size = 2 + width
                some = False
                for w in range(width):
                    key[2 + w] = still_open[state[depth], w] if alive == depth else 0
                    if key[2 + w] != 0:
                        some = True
                # key[size ...] holds the cuts; the terminals seen so far are kept behind the largest key.
                seen = key.shape[0] - width
                for w in range(width):
                    key[seen + w] = key[2 + w]
                d = alive if alive < depth else depth - 1
                while d > low:
                    new = False
                    for w in range(width):
                        bits = ends[state[d], w] & ~key[seen + w]
                        key[size + 1 + w] = bits
                        if bits != 0:
                            new = True
                            key[seen + w] |= bits
                    if new:
                        p = path[d]
                        if newline >= 0:
                            key[size + 1 + width] = 0
                            if (key[size + 1 + (newline >> 6)] >> (newline & 63)) & 1:
                                key[size + 1 + width] = column[p] if line[p] > low else NO_COLUMN
                        after = of[base[p] + rank[i] - rank[p]]
                        key[size] = after
                        if after != DEAD:
                            some = True
                        size += stride
                        n += 1
                    d -= 1
                if not some:
                    of[at] = DEAD
                    i += 1
                    continue
                key[0] = n
                h = U64(0x9E3779B97F4A7C15)
                for k in range(size):
                    h = (h ^ U64(key[k])) * U64(0xFF51AFD7ED558CCD)
                    h = h ^ (h >> U64(32))
                slot = np.int64(h & U64(mask))
                while True:
                    known = table[slot]
                    if known == 0:
                        if top + size > words.shape[0] or 2 * entered > mask:
                            return FULL
                        for k in range(size):
                            words[top + k] = key[k]
                        table[slot] = top
                        of[at] = top
                        top += size
                        entered += 1
                        break
                    same = True
                    for k in range(size):
                        if words[known + k] != key[k]:
                            same = False
                            break
                    if same and words[known] == n:
                        of[at] = known
                        break
                    slot = (slot + 1) & mask
            i += 1
    return top


@jit
def _note_shapes(words, top, stride, width, table):
    """Set the shape of each of the signatures before ``top``.

    table : int64[2**k], zeros, for twice as many
    """
    mask = table.shape[0] - 1
    at = FIRST_SIGNATURE
    while at < top:
        n = words[at]
        size = 2 + width + n * stride
        h = U64(n)
        for k in range(2, size):
            word = words[at + k]
            if k >= 2 + width and (k - 2 - width) % stride == 0:
                word = min(word, 1)
            h = (h ^ U64(word)) * U64(0xFF51AFD7ED558CCD)
            h = h ^ (h >> U64(32))
        slot = np.int64(h & U64(mask))
        while True:
            known = table[slot]
            if known == 0:
                table[slot] = known = at
            same = words[known] == n
            k = 2
            while same and k < size:
                if k >= 2 + width and (k - 2 - width) % stride == 0:
                    same = (words[at + k] == DEAD) == (words[known + k] == DEAD)
                else:
                    same = words[at + k] == words[known + k]
                k += 1
            if same:
                words[at + 1] = known
                break
            slot = (slot + 1) & mask
        at += size
    return 0


@jit
def group_by_signature(tokens, signatures, table, slots, ids):
    """Group tokens by signature, in the order in which a signature comes first; the number of groups.

    tokens, signatures : int64[n]; slots : int32[*], zeros, one for each word of the signatures
    table : int64[>= groups, 3], filled: signature, first place in ``ids``, number; ids : int32[n], filled
    """
    groups = 0
    for i in range(tokens.shape[0]):
        slot = slots[signatures[i]]
        if slot == 0:
            table[groups, 0], table[groups, 2] = signatures[i], 0
            groups += 1
            slots[signatures[i]] = slot = groups
        table[slot - 1, 2] += 1
    first = 0
    for k in range(groups):
        table[k, 1] = first
        first += table[k, 2]
    for i in range(tokens.shape[0]):
        k = slots[signatures[i]] - 1
        ids[table[k, 1]] = tokens[i]
        table[k, 1] += 1
    for k in range(groups):
        table[k, 1] -= table[k, 2]
    return groups


def places_below(nodes: npt.NDArray[np.int32]) -> Places:
    """The places of the trie ``nodes`` (int32[n, 4])."""
    n = nodes.shape[0]
    rank = np.zeros(n + 1, np.int32)
    np.cumsum(nodes[:, 3] >= 0, out=rank[1:])
    below = rank[nodes[:, 2]] - rank[:n]
    base = np.zeros(n, np.int64)
    np.cumsum(below[:-1], out=base[1:])
    return Places(base, rank, int(below.sum()))


def make_sequences(
    nodes: npt.NDArray[np.int32],
    max_depth: int,
    lexer: UniversalLexer,
    places: Places,
    lines: LineColumns | None = None,
) -> Sequences:
    """The signatures of ``lexer`` on the trie ``nodes`` (int32[n, 4]). About 0.05 s for 128,000 tokens."""
    if lines is None:
        lines = LineColumns(-1, np.zeros(0, np.int64), np.zeros(0, np.int32))
    of = np.zeros(places.n, np.int32)
    path = np.zeros(max_depth + 2, np.int64)
    state = np.zeros(max_depth + 2, np.int64)
    width = lexer.ends.shape[1]
    key = np.zeros((max_depth + 4) * (2 + width) + 2 * width + 8, np.int64)
    size = 1 << 17
    while True:
        words = np.zeros(size * 4, np.int64)
        table = np.zeros(size, np.int64)
        top = int(
            _make(
                nodes,
                places.rank,
                places.base,
                lexer.classes,
                lexer.trans,
                lexer.ends,
                lexer.open,
                lines.newline,
                lines.column,
                lines.line,
                words,
                table,
                of,
                path,
                state,
                key,
            )
        )
        if top != FULL:
            table[:] = 0
            _note_shapes(words, top, 1 + width + (lines.newline >= 0), width, table)
            return Sequences(words[:top].copy(), of, places)
        size *= 4
