"""``%regex {...}``: the runs of a text, whole chunks of it in a row.

``{"substring_chunks": ["ab", "c", "d"]}`` matches "", "ab", "abc", "cd" and so on; ``substring_words`` and
``substring_chars`` cut a text into words (and what is between them) and into characters. So a model can be
made to quote. The automaton is the suffix automaton of the text, with beginnings and ends at the chunks'
borders: subsets of places, of which there are at most twice as many as bytes.
"""

from __future__ import annotations

import re

import numpy as np
from lark import Token

from ..automata import ByteDFA
from ..errors import LimitExceededError
from ..limits import Limits
from ..regex import from_tables
from .lark_blocks import block_text, json_value
from .lark_scope import Scope


def substrings(token: Token, scope: Scope, limits: Limits) -> ByteDFA:
    """The language of a %regex block, the empty text included; `GrammarError` for any other block."""
    assert token.start_pos is not None
    assert token.end_pos is not None
    _, opening = block_text(scope.text, token.start_pos, token.end_pos)
    value = json_value(scope.text, opening)
    kinds = ("substring_chunks", "substring_words", "substring_chars")
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in kinds:
        raise scope.error(f"%regex has one of {', '.join(kinds)}; a pattern is written /.../", token)
    kind, given = next(iter(value.items()))
    if kind == "substring_chunks":
        if not isinstance(given, list) or not all(isinstance(chunk, str) for chunk in given):
            raise scope.error(f"{kind} is a list of strings", token)
        chunks = given
    elif not isinstance(given, str):
        raise scope.error(f"{kind} is a string", token)
    else:
        chunks = re.findall(r"\s+|\w+|[^\w\s]+", given) if kind == "substring_words" else list(given)
    try:
        data = [chunk.encode() for chunk in chunks if chunk]
    except UnicodeEncodeError:
        raise scope.error("half a surrogate pair is no text", token) from None
    return _runs(data, limits)


def _runs(chunks: list[bytes], limits: Limits) -> ByteDFA:
    text = b"".join(chunks)
    borders = {0}
    for chunk in chunks:
        borders.add(max(borders) + len(chunk))
    values = sorted(set(text))
    start = frozenset(borders)
    index = {start: 1}
    states = [start]
    rows: list[list[int]] = [[0] * (len(values) + 1)]
    for places in states:
        row = [0]
        for value in values:
            to = frozenset(p + 1 for p in places if p < len(text) and text[p] == value)
            if to and to not in index:
                states.append(to)
                index[to] = len(states)
                if len(states) > limits.max_dfa_states:
                    raise LimitExceededError(
                        "max_dfa_states", limits.max_dfa_states, len(states), "reading %regex"
                    )
            row.append(index[to] if to else 0)
        rows.append(row)
    classes = np.zeros(256, np.int64)
    classes[values] = np.arange(1, len(values) + 1)
    final = np.array([False, *(not borders.isdisjoint(places) for places in states)])
    return from_tables(classes, np.array(rows, np.int32), final)
