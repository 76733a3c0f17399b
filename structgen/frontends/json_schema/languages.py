"""String languages of schemas: patterns, listed values and lengths over decoded text, and their JSON texts.

A language is a `CharDFA` over code points, None where a union or an intersection needs no automaton for "all
texts". What is derived from a language that many schemas share is kept: by text for patterns and formats,
by object for JSON texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from ...automata import ByteDFA
from ...limits import Limits
from ...regex import (
    Alt,
    CharDFA,
    difference,
    from_strings,
    json_string,
    json_string_literal,
    literal_node,
    parse_ecma,
)

if TYPE_CHECKING:
    from .scalars import StringSet

Language = CharDFA


@lru_cache(maxsize=1024)
def of_pattern(pattern: str, limits: Limits) -> Language:
    """The texts in which a pattern of ECMA-262 finds a match."""
    return CharDFA.from_node(parse_ecma(pattern), search=True, limits=limits)


@lru_cache(maxsize=64)
def of_format(pattern: str, longest: int | None, limits: Limits) -> Language:
    """The texts of at most ``longest`` characters that a pattern matches as a whole."""
    return CharDFA.from_node(parse_ecma(pattern), limits=limits).bounded(0, longest, limits=limits)


def of_values(values: Iterable[str]) -> Language:
    """Exactly these texts."""
    return CharDFA.from_node(Alt(tuple(literal_node(value) for value in values)))


def of_set(one: StringSet) -> Language:
    """The texts of an alternative."""
    if one.values is not None:
        return of_values(one.values)
    return one.lang or CharDFA.lengths(one.min, one.max)


def both(a: Language | None, b: Language | None) -> Language | None:
    """The texts of both."""
    if a is None or a is b:
        return b
    return a if b is None else a.intersect(b)


def outside(a: Language) -> Language:
    """All other texts."""
    return a.complement()


def any_of(languages: list[Language]) -> Language:
    """The texts of any of them, of which there is one at least."""
    found = languages[0]
    for other in languages[1:]:
        found = found.union(other)
    return found


def of_length(lang: Language, low: int, high: int | None) -> Language:
    """The texts of ``low`` to ``high`` code points."""
    return lang.bounded(low, high)


@lru_cache(maxsize=1024)
def without(lang: Language, names: tuple[str, ...]) -> Language:
    """The texts but these."""
    return lang.difference(of_values(names)) if names else lang


@lru_cache(maxsize=1024)
def text_of(lang: Language) -> ByteDFA:
    """The JSON strings whose value is in the language, in their canonical spelling."""
    return json_string(lang, escapes="canonical")


@lru_cache(maxsize=1024)
def any_key_but(names: tuple[str, ...]) -> ByteDFA:
    """All JSON strings in their canonical spelling but these."""
    every = json_string(escapes="canonical")
    return difference(every, from_strings([json_string_literal(name) for name in names])) if names else every
