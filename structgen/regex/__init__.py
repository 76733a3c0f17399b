r"""Regular languages: pattern text -> tree -> automaton over characters -> automaton over bytes.

::

    text ──python_syntax──┐                               ┌─ UTF-8 ────────► ByteDFA
          ──ecma_syntax───┴─► Node ──nfa──► CharDFA ──────┤  (spelling)
                               (ast)  lookaround  (chars) └─ JSON string ──► ByteDFA

- `parse_python`, `parse_ecma`: the two dialects, to one tree (`ast`).
- `compile_match`, `compile_search`: a tree to the bytes of the texts that match, or that hold a match.
- `CharDFA`: the same over characters, where patterns are intersected, complemented and bounded in length;
  `divide` tells several apart.
- `union`, `disjoint_union`, `intersect`, `difference`, `concat`, `star`, `literal`, `from_strings`,
  `from_tables`: automata over bytes.
- `json_text`: languages of JSON strings as they are written. `numbers`: ranges of JSON numbers.

Two automata of one language are equal arrays with equal digests, whatever they were made from.
"""

from __future__ import annotations

from ..automata import ByteDFA
from ..limits import Limits
from .ast import (
    ANY_CHAR,
    EMPTY,
    NOTHING,
    Alt,
    Cat,
    Chars,
    CharSet,
    End,
    Look,
    Node,
    Repeat,
    Start,
    charset,
)
from .ast import literal as literal_node
from .chars import CharDFA, divide
from .counting import word_counts
from .ecma_syntax import parse_ecma
from .json_text import json_char, json_string, json_string_literal
from .kernels_bytes import BETWEEN, characters_missing
from .kernels_reduce import NEVER, reads_to_end
from .numbers import Texts, exponent_range, integer_range, json_texts, number_range
from .operations import concat, difference, disjoint_union, from_strings, intersect, literal, star, union
from .python_syntax import parse_python
from .spelling import utf8
from .tables import Budget, empty_language, from_tables


def compile_match(node: Node, *, limits: Limits | None = None, invert: bool = False) -> ByteDFA:
    """The UTF-8 bytes of the texts that match ``node`` as a whole; ``invert``: of all other texts.

    Raises LimitExceededError when the automaton passes ``limits``.
    """
    return utf8(CharDFA.from_node(node, limits=limits, invert=invert), Budget(limits))


def compile_search(node: Node, *, limits: Limits | None = None, invert: bool = False) -> ByteDFA:
    """The UTF-8 bytes of the texts in which ``node`` is found; ``invert``: of all other texts.

    Raises LimitExceededError when the automaton passes ``limits``.
    """
    return utf8(CharDFA.from_node(node, search=True, limits=limits, invert=invert), Budget(limits))


__all__ = [
    "ANY_CHAR",
    "BETWEEN",
    "EMPTY",
    "NEVER",
    "NOTHING",
    "Alt",
    "Cat",
    "CharDFA",
    "CharSet",
    "Chars",
    "End",
    "Look",
    "Node",
    "Repeat",
    "Start",
    "Texts",
    "characters_missing",
    "charset",
    "compile_match",
    "compile_search",
    "concat",
    "difference",
    "disjoint_union",
    "divide",
    "empty_language",
    "exponent_range",
    "from_strings",
    "from_tables",
    "integer_range",
    "intersect",
    "json_char",
    "json_string",
    "json_string_literal",
    "json_texts",
    "literal",
    "literal_node",
    "number_range",
    "parse_ecma",
    "parse_python",
    "reads_to_end",
    "star",
    "union",
    "utf8",
    "word_counts",
]
