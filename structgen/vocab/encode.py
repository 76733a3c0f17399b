"""Bytes -> token ids without a tokenizer: the fewest tokens, found on the trie.

Greedy longest match is quicker and wrong twice: it can get stuck where another cut exists (``ab|c`` when
only ``a|bc`` is in the vocabulary), and it needs more tokens than necessary. Texts are short here (what a
grammar forces), so every cut is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..errors import VocabularyError
from .trie import BYTE, END, TOKEN, Int64Array, Trie, Uint8Array

Encoder = Callable[[str], Iterable[list[int]]]
"""Text -> tokenisations to try, best first; the first whose bytes are the text is taken."""


def join_bytes(ids: Iterable[int], data: Uint8Array, offsets: Int64Array) -> bytes | None:
    """The bytes of a sequence of tokens; ``None`` when text never writes one of them."""
    parts = []
    for i in ids:
        if not 0 <= i < len(offsets) - 1 or offsets[i] == offsets[i + 1]:
            return None
        parts.append(data[offsets[i] : offsets[i + 1]].tobytes())
    return b"".join(parts)


def shortest_tokens(text: bytes, trie: Trie) -> list[int]:
    """The fewest tokens whose bytes are ``text``; of equally few, the first ones as long as can be.

    Raises VocabularyError when there are none.
    """
    nodes = trie.nodes
    roots = _children(trie, 0) if text else {}
    n = len(text)
    unreachable = n + 1
    count = [unreachable] * n + [0]
    choice = [(-1, 0)] * n
    for start in range(n - 1, -1, -1):
        node = roots.get(text[start], -1)
        position = start + 1
        while node >= 0:
            token = int(nodes[node, TOKEN])
            if token >= 0 and count[position] < unreachable and count[position] + 1 <= count[start]:
                count[start] = count[position] + 1
                choice[start] = (token, position)
            node = _child(trie, node, text[position]) if position < n else -1
            position += 1
    if count[0] == unreachable:
        raise VocabularyError(
            f"no sequence of tokens writes {text!r:.80}: the vocabulary lacks some of its bytes"
        )
    ids = []
    position = 0
    while position < n:
        token, position = choice[position]
        ids.append(token)
    return ids


def _children(trie: Trie, node: int) -> dict[int, int]:
    """Byte -> child of a node."""
    found = {}
    child, end = node + 1, int(trie.nodes[node, END])
    while child < end:
        found[int(trie.nodes[child, BYTE])] = child
        child = int(trie.nodes[child, END])
    return found


def _child(trie: Trie, node: int, byte: int) -> int:
    """The child of a node by its byte, or -1."""
    nodes = trie.nodes
    child, end = node + 1, int(nodes[node, END])
    while child < end:
        if nodes[child, BYTE] == byte:
            return child
        child = int(nodes[child, END])
    return -1
