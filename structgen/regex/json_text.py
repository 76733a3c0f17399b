"""Languages of JSON strings, as they are written: quotes, escapes and all.

A schema speaks of decoded text, a model writes encoded text. The languages here are given over decoded text
(`CharDFA`) and spelled in one of two ways:

- ``free``: everything that a JSON parser reads as the value counts. A character may be written raw, by its
  short escape or as ``\\uXXXX`` in either case (a pair of them above U+FFFF). Lone surrogates never count.
- ``canonical``: the one spelling of ``json.dumps(value, ensure_ascii=False)``.
"""

from __future__ import annotations

from functools import cache
from json.encoder import encode_basestring

import numpy as np

from ..automata import ByteDFA
from ..limits import Limits
from .ast import Node
from .chars import CharDFA
from .spelling import Escapes, to_bytes
from .tables import Budget, empty_language


def json_string(
    language: Node | CharDFA | None = None,
    *,
    min_chars: int = 0,
    max_chars: int | None = None,
    escapes: Escapes = "free",
    limits: Limits | None = None,
) -> ByteDFA:
    """JSON strings, both quotes included, whose decoded value is in a language.

    Parameters
    ----------
    language : the decoded values: a pattern tree that matches them as a whole, an automaton, or None for all
    min_chars, max_chars : bounds on the length in code points (a pair of surrogates is one); None: no bound
    escapes : which spellings count; see the module
    """
    budget = Budget(limits)
    if language is None:
        chars = CharDFA.lengths(min_chars, max_chars, limits=limits)
    else:
        chars = language if isinstance(language, CharDFA) else CharDFA.from_node(language, limits=limits)
        chars = chars.bounded(min_chars, max_chars, limits=limits)
    if chars.is_empty:
        return empty_language()
    # Two states more: before the opening quote, and after the closing one.
    n, k = chars.trans.shape
    trans = np.zeros((n + 2, k + 1), dtype=np.int32)
    trans[:n, :k] = chars.trans
    opening, closed = n, n + 1
    trans[:n, k] = np.where(chars.final, closed, 0)
    trans[opening, k] = 1
    final = np.zeros(n + 2, dtype=np.bool_)
    final[closed] = True
    return to_bytes(trans, final, chars.partition, escapes, opening, budget)


@cache
def json_char(escapes: Escapes = "free") -> ByteDFA:
    """One character of a JSON string, in every spelling: a prefix code, for strings that are counted."""
    chars = CharDFA.lengths(1, 1)
    trans = np.concatenate((chars.trans, np.zeros((chars.n_states, 1), np.int32)), axis=1)
    return to_bytes(trans, chars.final, chars.partition, escapes, 1, Budget())


def json_string_literal(value: str) -> bytes:
    """A value as canonical JSON, with quotes.

    Raises ValueError for lone surrogates, which UTF-8 cannot write.
    """
    return encode_basestring(value).encode("utf-8")
