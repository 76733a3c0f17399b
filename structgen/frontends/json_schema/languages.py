"""String languages of schemas: patterns, listed values and lengths over decoded text, and their JSON texts.

A language is a `CharDFA` over code points, None where a union or an intersection needs no automaton for "all
texts". What is derived from a language that many schemas share is kept: by text for patterns and formats,
by object for JSON texts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...automata import ByteDFA
from ...errors import GrammarError, LimitExceededError
from ...ir import Bounded
from ...limits import Limits
from ...regex import (
    BETWEEN,
    Alt,
    Cat,
    CharDFA,
    Chars,
    End,
    Node,
    Repeat,
    Start,
    characters_missing,
    divide,
    from_strings,
    json_string,
    literal_node,
    parse_ecma,
    reads_to_end,
)
from .kept import kept

if TYPE_CHECKING:
    from .scalars import StringSet

Language = CharDFA
described: dict[Language, str] = {}
"""What languages are, where that is short, for `kept`: the formats, which are few, and unions of them."""
COUNTED = Limits(max_dfa_states=3 * Limits.max_dfa_states)
"""Where characters are counted, an automaton takes a state for each length, and more of them are worth it."""
NAMED_AT_ONCE = 4096  # states; to name an automaton that has more takes longer than a mask should wait


@lru_cache(maxsize=1024)
def of_pattern(pattern: str, limits: Limits) -> Language:
    """The texts in which a pattern of ECMA-262 finds a match."""
    if len(pattern) > limits.max_dfa_states:
        what = "reading a pattern, of which each character may take a state"
        raise LimitExceededError("max_dfa_states", limits.max_dfa_states, len(pattern), what)
    return CharDFA.from_node(_parsed(pattern), search=True, limits=limits)


@lru_cache(maxsize=256)
def _parsed(pattern: str) -> Node:
    """The tree of a pattern, which is looked at (`is_sure`) and then made an automaton of."""
    return parse_ecma(pattern)


@lru_cache(maxsize=4096)
def is_sure(pattern: str) -> bool:
    """A look at a pattern shows that it can be read, that some text matches it, and that it takes few states.

    Few characters have few sets of places among them; and where nothing but the last part may be of several
    lengths, a text is at one place of the pattern at a time.
    """
    try:
        root = _parsed(pattern) if len(pattern) <= _SURE_LENGTH else None
    except GrammarError:
        return False
    if root is None:
        return False
    items = list(root.items) if isinstance(root, Cat) else [root]
    anchored = isinstance(items[0], Start) if items else False
    items = items[anchored:]
    if items and isinstance(items[-1], End):
        items.pop()
    places = 0
    one_way = anchored
    todo = [(item, 1, i == len(items) - 1) for i, item in enumerate(items)]
    while todo:
        node, times, last = todo.pop()
        if isinstance(node, Cat):
            todo.extend((item, times, last and i == len(node.items) - 1) for i, item in enumerate(node.items))
        elif isinstance(node, Alt) and node.items:
            one_way = False
            todo.extend((item, times, False) for item in node.items)
        elif isinstance(node, Repeat):
            one_way = one_way and (node.lo == node.hi or (last and isinstance(node.item, Chars)))
            todo.append((node.item, times * max(node.lo if node.hi is None else node.hi, 1), False))
        elif isinstance(node, Chars) and node.ranges:
            places += times
        else:
            return False
    return places <= _SURE_PLACES or (one_way and places <= _SURE_LENGTH)


_SURE_LENGTH = 400
_SURE_PLACES = 14


@lru_cache(maxsize=64)
def of_format(pattern: str, longest: int | None, limits: Limits) -> Language:
    """The texts of at most ``longest`` characters that a pattern matches as a whole."""
    return CharDFA.from_node(parse_ecma(pattern), limits=limits).bounded(0, longest, limits=limits)


def of_values(values: Iterable[str]) -> Language:
    """Exactly these texts."""
    return CharDFA.from_node(Alt(tuple(literal_node(value) for value in values)))


@lru_cache(maxsize=16384)
def matches(lang: Language, text: str) -> bool:
    """The text belongs to the language."""
    return lang.matches(text)


def of_set(one: StringSet) -> Language:
    """The texts of an alternative."""
    if one.values is not None:
        return of_values(one.values)
    if one.lang is None:
        return CharDFA.lengths(one.min, one.max)
    return one.lang if one.max is None else of_length(one.lang, one.min, one.max)


def both(a: Language | None, b: Language | None) -> Language | None:
    """The texts of both."""
    if a is None or a is b:
        return b
    return a if b is None else _both(a, b)


@lru_cache(maxsize=1024)
def _both(a: Language, b: Language) -> Language:
    found = a.intersect(b)
    # One object for one language, as far as one look tells.
    return next((one for one in (a, b) if one.is_like(found)), found)


@lru_cache(maxsize=256)
def outside(a: Language) -> Language:
    """All other texts."""
    return a.complement()


def any_of(languages: list[Language]) -> Language:
    """The texts of any of them, of which there is one at least."""
    return languages[0] if len(languages) == 1 else _any_of(tuple(languages))


@lru_cache(maxsize=256)
def _any_of(languages: tuple[Language, ...]) -> Language:
    def make() -> Language:
        found = languages[0]
        for other in languages[1:]:
            found = found.union(other)
        return found

    names = [described.get(one) for one in languages]
    if None in names:
        return make()
    what = f"any of {names}"
    found = kept(CharDFA, what, make)
    described[found] = what
    return found


@lru_cache(maxsize=256)
def divided(languages: tuple[Language, ...], limits: Limits) -> list[tuple[list[int], Language]]:
    """All texts, divided by which of the languages they belong to: (numbers of these, the texts)."""
    return divide(languages, limits)


@lru_cache(maxsize=256)
def of_length(lang: Language, low: int, high: int | None) -> Language:
    """The texts of ``low`` to ``high`` code points."""
    return lang.bounded(low, high, limits=COUNTED)


def shortest(lang: Language) -> int:
    """The length of the shortest text of a language that has one; -1 for others."""
    if lang.is_empty:
        return -1
    return int(reads_to_end(lang.trans, lang.final, np.ones(lang.n_states, np.bool_))[1])


@lru_cache(maxsize=1024)
def few_texts(lang: Language, most: int) -> tuple[str, ...] | None:
    """The texts of a language that has at most ``most`` of them, shortest first; None for others."""
    return tuple(lang.iter_strings()) if lang.count_language(most) is not None else None


@lru_cache(maxsize=1024)
def _count(lang: Language, most: int) -> int | None:
    return lang.count_language(most)


def count_besides(lang: Language | None, names: Collection[str], most: int) -> int:
    """How many texts the language has besides these, counted up to ``most``."""
    count = None if lang is None else _count(lang, most + len(names))
    if lang is None or count is None:
        return most
    return min(most, count - sum(map(lang.matches, names)))


def has_all_but(lang: Language | None, names: Collection[str]) -> bool:
    """Every text is in the language, or is one of these."""
    return lang is None or not count_besides(outside(lang), names, 1)


@lru_cache(maxsize=256)
def among(texts: tuple[bytes, ...]) -> ByteDFA:
    """The texts of values that are listed."""
    return from_strings(texts)


@lru_cache(maxsize=1024)
def text_of(lang: Language) -> ByteDFA:
    """The JSON strings whose value is in the language, in their canonical spelling."""

    def make() -> ByteDFA:
        return json_string(lang, escapes="canonical", limits=COUNTED)

    what = described.get(lang)
    found = make() if what is None else kept(ByteDFA, f"text of {what}", make)
    if found.n_states > NAMED_AT_ONCE:
        _ = found.digest
    return found


@lru_cache(maxsize=256)
def counted_text(lang: Language) -> tuple[ByteDFA, tuple[int, ...]]:
    """`text_of`, and the states in which a read begins a character, or is that of the closing quote.

    Raises LimitExceededError when some state is one in one text and none in another.
    """
    dfa = text_of(lang)
    missing = characters_missing(dfa.classes, dfa.trans, dfa.start)
    if not len(missing):
        what = "counting the characters of a pattern, in which they begin and end alike"
        raise LimitExceededError("max_dfa_states", COUNTED.max_dfa_states, dfa.n_states, what)
    return dfa, tuple(np.flatnonzero(missing == BETWEEN).tolist())


def can_be_counted(lang: Language) -> bool:
    """`counted_text` has an answer."""
    try:
        counted_text(lang)
    except LimitExceededError:
        return False
    return True


@lru_cache(maxsize=1)
def any_key() -> ByteDFA:
    """All JSON strings in their canonical spelling."""
    return json_string(escapes="canonical")


@lru_cache(maxsize=1)
def any_text() -> ByteDFA:
    """All JSON strings in every spelling."""
    return json_string()


@lru_cache(maxsize=1024)
def bounded_text(low: int, high: int | None) -> Bounded:
    """JSON strings of ``low`` to ``high`` code points, in every spelling."""
    dfa = any_text()
    # Behind the opening quote, a read begins a character or is the closing quote.
    inside = int(dfa.trans[dfa.start, dfa.classes[ord('"')]])
    return Bounded(dfa, (inside,), None if high is None else high + 1, "string", low + 1)


def meet(a: Language | None, b: Language | None) -> bool:
    """Some text is in both languages."""
    common = both(a, b)
    return common is None or not common.is_empty


def key_texts(langs: list[Language | None], canonical: bool) -> ByteDFA:
    """The texts of keys in any of the languages; where nothing is asked of keys, in every spelling."""
    known = [lang for lang in langs if lang is not None]
    if len(known) < len(langs):
        return any_key() if canonical else any_text()
    return text_of(any_of(known))
