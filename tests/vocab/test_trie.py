"""The trie against its definition: a dictionary of all prefixes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.vocab import Trie, build_trie, sub_trie
from structgen.vocab.table import make_table

token_lists = st.lists(
    st.one_of(
        st.none(),
        st.binary(max_size=5),
        st.lists(st.sampled_from([0, 1, 97, 255]), max_size=6).map(bytes),
    ),
    max_size=40,
)


def build(tokens: list[bytes | None]) -> tuple[Trie, list[list[int]]]:
    table = make_table(tokens)
    trie, aliases = build_trie(table.data, table.offsets)
    return trie, aliases.tolist()


def read(trie: Trie) -> list[tuple[bytes, int, int]]:
    """The nodes as (prefix, end, token), with the prefix put together on the way down."""
    path = bytearray()
    rows = []
    for byte, depth, end, token in trie.nodes.tolist():
        assert depth <= len(path) + 1
        del path[max(depth - 1, 0) :]
        if depth:
            path.append(byte)
        rows.append((bytes(path), end, token))
    return rows


def naive(tokens: dict[int, bytes]) -> list[tuple[bytes, int, int]]:
    """The same by definition: sorted prefixes, and for each how many of the next ones extend it."""
    first: dict[bytes, int] = {}
    for i in sorted(tokens):
        first.setdefault(tokens[i], i)
    prefixes = sorted({b""} | {s[:k] for s in first for k in range(len(s) + 1)})
    rows = []
    for i, prefix in enumerate(prefixes):
        end = i + sum(1 for other in prefixes if other.startswith(prefix))
        rows.append((prefix, end, first.get(prefix, -1)))
    return rows


@settings(max_examples=300, deadline=None)
@given(token_lists)
def test_equals_definition(tokens: list[bytes | None]) -> None:
    trie, aliases = build(tokens)
    written = {i: s for i, s in enumerate(tokens) if s}
    assert read(trie) == naive(written)
    assert trie.max_depth == max(map(len, written.values()), default=0)
    assert trie.n_tokens == len(set(written.values()))
    first: dict[bytes, int] = {}
    expected = []
    for i, s in written.items():
        if s in first:
            expected.append([first[s], i])
        first.setdefault(s, i)
    assert aliases == sorted(expected)


@settings(max_examples=300, deadline=None)
@given(token_lists, st.sets(st.integers(-1, 45)))
def test_sub_trie_equals_trie_of_subset(tokens: list[bytes | None], chosen: set[int]) -> None:
    trie, aliases = build(tokens)
    others = {other for _, other in aliases}
    subset = {i: s for i, s in enumerate(tokens) if s and i in chosen and i not in others}
    part = sub_trie(trie, chosen)
    assert read(part) == naive(subset)
    assert part.max_depth == max(map(len, subset.values()), default=0)
    assert read(sub_trie(trie, np.array(sorted(chosen), np.int32))) == naive(subset)


def test_layout() -> None:
    trie, aliases = build([b"ab", b"a", None, b"b", b"a", b"\xff"])
    assert trie.nodes.tolist() == [
        [-1, 0, 5, -1],
        [97, 1, 3, 1],
        [98, 2, 3, 0],
        [98, 1, 4, 3],
        [255, 1, 5, 5],
    ]
    assert trie.nodes.dtype == np.int32
    assert trie.nodes.flags.c_contiguous
    assert aliases == [[1, 4]]


@pytest.mark.parametrize("tokens", [[], [None], [b""]])
def test_no_token_is_a_root(tokens: list[bytes | None]) -> None:
    trie, aliases = build(tokens)
    assert trie.nodes.tolist() == [[-1, 0, 1, -1]]
    assert (trie.max_depth, trie.n_tokens, aliases) == (0, 0, [])


def test_long_token() -> None:
    trie, _ = build([b" " * 1024, b" " * 1023 + b"x", b" "])
    assert trie.n_nodes == 1026
    assert trie.max_depth == 1024
    assert trie.nodes[1:1025, 1].tolist() == list(range(1, 1025))
    assert trie.nodes[1024:, 2].tolist() == [1025, 1026]
