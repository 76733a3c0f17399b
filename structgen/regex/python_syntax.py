"""Python's ``re`` syntax.

The interpreter's own parser reads the text, so that what is an error for ``re.compile`` is one here, with
its words and its place, and what an escape means is never a matter of opinion. Its tree is translated
node by node; flags, also scoped ones, are applied on the way.

What is no matter of a language alone is refused by name: back references, conditionals, and possessive or
atomic parts (they cut off readings, which an automaton does not have).
"""

from __future__ import annotations

import re
import warnings
from re import _constants as sre
from re import _parser as sre_parser
from typing import Any, NoReturn

from ..errors import GrammarError
from .ast import (
    ANY_CHAR,
    NEWLINE,
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
    end_or_last_newline,
    line_end,
    line_start,
    set_negate,
    set_union,
    word_boundary,
)
from .unicode import (
    ASCII_DIGIT,
    ASCII_SPACE,
    ASCII_WORD,
    ignore_case,
    python_digit,
    python_space,
    python_word,
)

_REFUSED = {
    sre.GROUPREF: "a back reference is not regular; write out what it may repeat",
    sre.GROUPREF_EXISTS: "a conditional group (?(1)...|...) is not supported; write the two cases as a|b",
    sre.ATOMIC_GROUP: "an atomic group (?>...) is not supported; use (?:...)",
    sre.POSSESSIVE_REPEAT: "a possessive quantifier (a*+, a++, a?+) is not supported; drop the second +",
}


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def parse_python(text: str, flags: int = 0) -> Node:
    """Reads a pattern as ``re.compile(text, flags)`` does.

    ``flags`` are those of `re`: I, M, S, X, U and A. Raises GrammarError with line and column where the
    pattern does not parse, and by name for what no automaton can do.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = sre_parser.parse(text, int(flags))
            return _sequence(tree, tree.state.flags, text)
    except re.error as e:
        line, column = place(text, e.pos or 0)
        raise GrammarError(
            f"the pattern is not a regular expression of Python: {e.msg}", text=text, line=line, column=column
        ) from None
    except (ValueError, OverflowError) as e:
        raise GrammarError(
            f"the pattern is not a regular expression of Python: {e}", text=text, line=1, column=1
        ) from None
    except RecursionError:
        raise GrammarError(
            "the pattern is nested too deeply; take parentheses away that group nothing",
            text=text,
            line=1,
            column=1,
        ) from None


def _refuse(message: str, text: str) -> NoReturn:
    raise GrammarError(message, text=text, line=1, column=1)


def _sequence(tree: Any, flags: int, text: str) -> Node:
    items = tuple(_item(op, arg, flags, text) for op, arg in tree)
    return items[0] if len(items) == 1 else Cat(items)


def _item(op: Any, arg: Any, flags: int, text: str) -> Node:
    if op is sre.LITERAL:
        return Chars(_fold(((arg, arg),), flags))
    if op is sre.NOT_LITERAL:
        return Chars(set_negate(_fold(((arg, arg),), flags)))
    if op is sre.IN:
        return Chars(_class(arg, flags))
    if op is sre.ANY:
        return Chars(ANY_CHAR if flags & re.S else set_negate(NEWLINE))
    if op is sre.BRANCH:
        return Alt(tuple(_sequence(branch, flags, text) for branch in arg[1]))
    if op is sre.SUBPATTERN:
        _, add, remove, body = arg
        return _sequence(body, _scoped(flags, add, remove), text)
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        lo, hi, body = arg
        return Repeat(_sequence(body, flags, text), int(lo), None if hi is sre.MAXREPEAT else int(hi))
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        direction, body = arg
        return Look(_sequence(body, flags, text), behind=direction < 0, negative=op is sre.ASSERT_NOT)
    if op is sre.AT:
        return _anchor(arg, flags)
    if op is sre.FAILURE:
        return NOTHING
    _refuse(_REFUSED.get(op, f"{str(op).lower()} is not supported in a pattern"), text)


def _scoped(flags: int, add: int, remove: int) -> int:
    if add & (re.A | re.U):
        flags &= ~(re.A | re.U)
    return (flags | add) & ~remove


def _anchor(at: Any, flags: int) -> Node:
    if at is sre.AT_BEGINNING:
        return line_start(NEWLINE) if flags & re.M else Start()
    if at is sre.AT_END:
        return line_end(NEWLINE) if flags & re.M else end_or_last_newline()
    if at is sre.AT_BEGINNING_STRING:
        return Start()
    if at is sre.AT_END_STRING:
        return End()
    return word_boundary(_category(sre.CATEGORY_WORD, flags), negative=at is sre.AT_NON_BOUNDARY)


def _fold(ranges: CharSet, flags: int) -> CharSet:
    return ignore_case(ranges, ascii_only=bool(flags & re.A)) if flags & re.I else ranges


def _class(members: Any, flags: int) -> CharSet:
    negated = False
    ranges: list[tuple[int, int]] = []
    categories: list[CharSet] = []
    for op, arg in members:
        if op is sre.NEGATE:
            negated = True
        elif op is sre.LITERAL:
            ranges.append((arg, arg))
        elif op is sre.RANGE:
            ranges.append(arg)
        else:
            categories.append(_category(arg, flags))
    together = set_union(_fold(charset(ranges), flags), *categories)
    return set_negate(together) if negated else together


def _category(name: Any, flags: int) -> CharSet:
    ascii_only = bool(flags & re.A)
    if name in (sre.CATEGORY_DIGIT, sre.CATEGORY_NOT_DIGIT):
        found = ASCII_DIGIT if ascii_only else python_digit()
    elif name in (sre.CATEGORY_SPACE, sre.CATEGORY_NOT_SPACE):
        found = ASCII_SPACE if ascii_only else python_space()
    else:
        found = ASCII_WORD if ascii_only else python_word()
    negated = name in (sre.CATEGORY_NOT_DIGIT, sre.CATEGORY_NOT_SPACE, sre.CATEGORY_NOT_WORD)
    return set_negate(found) if negated else found


__all__ = ["parse_python", "place"]
