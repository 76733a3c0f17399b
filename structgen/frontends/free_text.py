r"""Text that is free up to certain strings, as automata.

*Free* of some strings is a text in which none of them occurs. *Up to* a string is a text that ends with it
and holds none of the strings before: where several may end it, the first one that is complete does (of
``<f`` and ``<fun`` only ever the first). So after any text it is known whether it is still free, and free
text costs what the inside of a JSON string costs: one automaton, in which nearly every token stays.

Text is UTF-8. What looks like a control token (``<tool_call>``, ``[TOOL_CALLS]``) may be the characters,
and is the special token of that name with a vocabulary that has one (`spelled`): to whoever reads the text
they look the same, and a model writes the one that it was trained on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..automata import ByteDFA
from ..ir import Alt, Expr, Lit, Seq, Special
from ..limits import Limits
from ..regex import ANY_CHAR, Cat, CharDFA, Chars, Node, Repeat, literal_node, utf8
from ..regex import Alt as AnyOf
from ..regex.tables import Budget

_ANYTHING = Repeat(Chars(ANY_CHAR), 0, None)
_SOMETHING = Repeat(Chars(ANY_CHAR), 1, None)
_CONTROL = re.compile(r"<[^<>\s]+>|\[/?[A-Z][A-Z_]*\]")


def free_of(strings: Sequence[str], limits: Limits) -> ByteDFA:
    """The texts in which none of the strings occurs."""
    return _bytes(_without(strings, limits), limits)


def up_to(string: str, others: Sequence[str], excluded: Sequence[str], limits: Limits) -> ByteDFA:
    """The texts that end with ``string`` where it, or one of ``others``, is complete for the first time.

    None of ``excluded`` occurs in them. Empty when one of ``others`` is always complete earlier.
    """
    ending = CharDFA.from_node(Cat((_ANYTHING, literal_node(string))), limits=limits)
    earlier = Cat((_ANYTHING, _any_of([string, *others]), _SOMETHING))
    first = ending.difference(CharDFA.from_node(earlier, limits=limits), limits=limits)
    return _bytes(first.intersect(_without(excluded, limits), limits=limits), limits)


def control_token(text: str) -> str:
    """What looks like a control token at the beginning of ``text``, or nothing."""
    found = _CONTROL.match(text)
    return found.group() if found else ""


def spelled(text: str, specials: dict[Special, None]) -> Expr:
    """``text``; each control token in it as characters, or as the special token (into ``specials``)."""
    parts: list[Expr] = []
    at = 0
    for found in _CONTROL.finditer(text):
        if found.start() > at:
            parts.append(Lit(text[at : found.start()].encode()))
        parts.append(Alt((Lit(found.group().encode()), special(found.group(), specials))))
        at = found.end()
    if at < len(text) or not parts:
        parts.append(Lit(text[at:].encode()))
    return parts[0] if len(parts) == 1 else Seq(tuple(parts))


def special(name: str, specials: dict[Special, None]) -> Special:
    """The special token of that name where there is one."""
    token = Special(name, optional=True)
    specials[token] = None
    return token


def _any_of(strings: Sequence[str]) -> Node:
    return AnyOf(tuple(literal_node(string) for string in strings))


def _without(strings: Sequence[str], limits: Limits) -> CharDFA:
    if not strings:
        return CharDFA.anything()
    return CharDFA.from_node(_any_of(strings), search=True, limits=limits, invert=True)


def _bytes(dfa: CharDFA, limits: Limits) -> ByteDFA:
    return utf8(dfa, Budget(limits))
