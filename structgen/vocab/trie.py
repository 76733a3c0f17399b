"""The byte trie of a vocabulary, as one flat array that a kernel walks without a stack.

A mask asks of 128,000 tokens which may follow. Tokens share prefixes, so the question is asked of the
nodes of a trie instead (274,000 for Llama 3.1, where the tokens hold 900,000 bytes), and a prefix that
dies takes its whole subtree with it. The nodes lie in preorder, children in byte order, so a walk is a
loop over ascending indices: on a live node go to ``i + 1``, on a dead one jump to ``end[i]``, and a
stack of automaton states indexed by ``depth`` replaces recursion.

Child lists (first child, next sibling) would say the same with a stack for the walk and with jumps
through memory. A double array would give one child in one step, which no mask walk asks for.

Building touches every byte once, in numpy: the token strings are sorted, and what a token adds to the
trie is what its common prefix with its predecessor does not hold. No object is made per node.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BYTE, DEPTH, END, TOKEN = range(4)
"""Columns of :attr:`Trie.nodes`."""

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
Uint8Array = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False, repr=False)
class Trie:
    """Token byte strings as a preorder array of nodes. Shared between threads: not to be written to.

    nodes : int32[n_nodes, 4], C-contiguous; row ``i`` is ``[byte, depth, end, token]``

        * ``byte``: the last byte of the prefix; -1 for the root, which is row 0,
        * ``depth``: the length of the prefix in bytes; 0 for the root,
        * ``end``: index of the first node after the subtree of ``i``; the subtree is ``[i, end)``,
        * ``token``: the lowest id of the tokens that are exactly this prefix, or -1.

    max_depth : length of the longest token in bytes; a stack for a walk needs ``max_depth + 1`` cells
    """

    nodes: Int32Array
    max_depth: int

    @property
    def n_nodes(self) -> int:
        """Nodes, the root included."""
        return int(self.nodes.shape[0])

    @property
    def n_tokens(self) -> int:
        """Tokens, each byte string counted once."""
        return int(np.count_nonzero(self.nodes[:, TOKEN] >= 0))

    def __repr__(self) -> str:
        """Say how large it is; the nodes themselves would fill a screen."""
        return f"<Trie of {self.n_tokens} tokens, {self.n_nodes} nodes, depth {self.max_depth}>"


def build_trie(data: Uint8Array, offsets: Int64Array) -> tuple[Trie, Int32Array]:
    """Build the trie of all tokens with at least one byte.

    Parameters
    ----------
    data : uint8[total], the bytes of all tokens, in id order
    offsets : int64[n_ids + 1], token ``i`` is ``data[offsets[i]:offsets[i + 1]]``; length 0 is left out

    Returns
    -------
    trie : the trie, in which each byte string has its lowest id
    aliases : int32[n, 2], rows ``[primary id, other id with the same bytes]``, ascending
    """
    ids, strings, aliases = _sorted_unique(data, offsets)
    if not len(ids):
        return Trie(np.array([[-1, 0, 1, -1]], np.int32), 0), aliases
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    flat = np.frombuffer(b"".join(strings), np.uint8)
    starts = np.zeros(len(strings), np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])

    shared = _common_prefixes(flat, starts, lengths)
    added = lengths - shared
    n_nodes = 1 + int(added.sum())
    last = np.cumsum(added)  # The row of each token, as the root is row 0.
    nodes = np.empty((n_nodes, 4), np.int32)
    # Row r of token k, which adds rows first..last[k], stands for its prefix of length
    # lengths[k] - (last[k] - r).
    owner = np.repeat(np.arange(len(strings)), added)
    row = np.arange(1, n_nodes)
    depth = lengths[owner] - (last[owner] - row)
    nodes[0] = (-1, 0, n_nodes, -1)
    nodes[1:, BYTE] = flat[starts[owner] + depth - 1]
    nodes[1:, DEPTH] = depth
    nodes[1:, TOKEN] = -1
    nodes[last, TOKEN] = ids
    nodes[:, END] = _subtree_ends(nodes[:, DEPTH])
    return Trie(nodes, int(lengths.max())), aliases


def sub_trie(trie: Trie, token_ids: Iterable[int] | npt.NDArray[np.integer]) -> Trie:
    """Return the trie of some of the tokens of ``trie``; costs a few passes over its nodes.

    Parameters
    ----------
    trie : the trie of the whole vocabulary
    token_ids : ids to keep; an id that ``trie`` does not hold (an alias, a special token) is ignored
    """
    given = token_ids if isinstance(token_ids, np.ndarray) else np.fromiter(token_ids, np.int64)
    tokens = trie.nodes[:, TOKEN]
    wanted = np.zeros(int(tokens.max(initial=-1)) + 2, np.bool_)
    wanted[given[(given >= 0) & (given < len(wanted) - 1)]] = True
    wanted[-1] = False  # Where the token is -1 the lookup below lands here.
    marked = wanted[tokens]
    before = np.zeros(trie.n_nodes + 1, np.int64)
    np.cumsum(marked, out=before[1:])
    end = trie.nodes[:, END]
    kept = before[end] > before[:-1]
    kept[0] = True
    number = np.zeros(trie.n_nodes + 1, np.int32)
    np.cumsum(kept, out=number[1:])
    nodes = trie.nodes[kept]
    nodes[:, END] = number[end[kept]]
    nodes[~marked[kept], TOKEN] = -1
    return Trie(nodes, int(nodes[:, DEPTH].max()))


def _sorted_unique(data: Uint8Array, offsets: Int64Array) -> tuple[Int32Array, list[bytes], Int32Array]:
    """Return the distinct byte strings in order, the lowest id of each, and the other ids."""
    raw = data.tobytes()
    bounds = offsets.tolist()
    strings = [raw[a:b] for a, b in itertools.pairwise(bounds)]
    # The sort is stable, so of equal strings the lowest id comes first.
    order = sorted([i for i, s in enumerate(strings) if s], key=strings.__getitem__)
    ids: list[int] = []
    unique: list[bytes] = []
    pairs: list[tuple[int, int]] = []
    previous = b""
    for i in order:
        s = strings[i]
        if s == previous:
            pairs.append((ids[-1], i))
        else:
            ids.append(i)
            unique.append(s)
            previous = s
    pairs.sort()
    return np.array(ids, np.int32), unique, np.array(pairs, np.int32).reshape(-1, 2)


def _common_prefixes(flat: Uint8Array, starts: Int64Array, lengths: Int64Array) -> Int64Array:
    """Length of the common prefix of each string with the one before it; 0 for the first."""
    shared = np.zeros(len(lengths), np.int64)
    active = np.arange(1, len(lengths))
    limit = np.minimum(lengths[1:], lengths[:-1])
    position = 0
    while len(active):
        in_both = limit[active - 1] > position
        active = active[in_both]
        active = active[flat[starts[active] + position] == flat[starts[active - 1] + position]]
        shared[active] += 1
        position += 1
    return shared


def _subtree_ends(depth: Int32Array) -> Int32Array:
    """For each node of a preorder, the index of the first node after its subtree."""
    n = len(depth)
    # Level by level, each level in preorder. A node follows its parent directly, or has a sibling
    # before it on its level: so the parents of a level are those of the last first child.
    by_level = np.argsort(depth, kind="stable")
    first_child = np.empty(n, np.bool_)
    first_child[0] = True
    first_child[1:] = depth[1:] > depth[:-1]
    is_first = first_child[by_level]
    parent = by_level[np.maximum.accumulate(np.where(is_first, np.arange(n), 0))] - 1
    ends = np.empty(n, np.int32)
    ends[0] = n
    bounds = np.searchsorted(depth[by_level], np.arange(1, int(depth.max()) + 2))
    for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        level = by_level[a:b]
        following = np.append(level[1:], 0)
        has_sibling = np.append(~is_first[a + 1 : b], False)
        ends[level] = np.where(has_sibling, following, ends[parent[a:b]])
    return ends
