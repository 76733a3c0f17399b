"""Sets of code points with a name, read from the interpreter's own Unicode database.

``unicodedata`` knows general categories and, through the names of code points, nothing that amounts to
scripts or binary properties such as ``Alphabetic``. What can be said exactly is said; every other
``\\p{...}`` is refused by name, since a near miss would be a wrong mask.

Walking all 1,114,112 code points takes some 0.1 s, so it is done once, on the first pattern that asks for
it, and never for one that does not.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

import numpy as np

from .ast import ANY_CHAR, CharSet, charset, set_negate, set_union

ASCII_DIGIT: CharSet = ((48, 57),)
ASCII_WORD: CharSet = ((48, 57), (65, 90), (95, 95), (97, 122))
ASCII_SPACE: CharSet = ((9, 13), (32, 32))
ASCII: CharSet = ((0, 127),)

# ECMA-262: WhiteSpace (with every Zs) and LineTerminator.
ECMA_SPACE: CharSet = charset(
    [
        *((9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029)),
        *((0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
    ]
)
ECMA_LINE_END: CharSet = ((10, 10), (13, 13), (0x2028, 0x2029))

GENERAL_CATEGORIES = {
    "Lu": "Uppercase_Letter", "Ll": "Lowercase_Letter", "Lt": "Titlecase_Letter",
    "LC": "Cased_Letter", "Lm": "Modifier_Letter", "Lo": "Other_Letter", "L": "Letter",
    "Mn": "Nonspacing_Mark", "Mc": "Spacing_Mark", "Me": "Enclosing_Mark", "M": "Mark",
    "Nd": "Decimal_Number", "Nl": "Letter_Number", "No": "Other_Number", "N": "Number",
    "Pc": "Connector_Punctuation", "Pd": "Dash_Punctuation", "Ps": "Open_Punctuation",
    "Pe": "Close_Punctuation", "Pi": "Initial_Punctuation", "Pf": "Final_Punctuation",
    "Po": "Other_Punctuation", "P": "Punctuation",
    "Sm": "Math_Symbol", "Sc": "Currency_Symbol", "Sk": "Modifier_Symbol", "So": "Other_Symbol",
    "S": "Symbol",
    "Zs": "Space_Separator", "Zl": "Line_Separator", "Zp": "Paragraph_Separator", "Z": "Separator",
    "Cc": "Control", "Cf": "Format", "Cs": "Surrogate", "Co": "Private_Use", "Cn": "Unassigned", "C": "Other",
}  # fmt: skip
_CATEGORY_ALIASES = {
    **{long: short for short, long in GENERAL_CATEGORIES.items()},
    "digit": "Nd", "punct": "P", "cntrl": "Cc", "Combining_Mark": "M",
}  # fmt: skip


@cache
def _categories() -> tuple[np.ndarray, dict[str, int]]:
    """The general category of every code point, as a number: uint8[0x110000] and name -> number."""
    said = list(map(unicodedata.category, map(chr, range(sys.maxunicode + 1))))
    names = {name: number for number, name in enumerate(dict.fromkeys(said))}
    of = np.fromiter(map(names.__getitem__, said), dtype=np.uint8, count=sys.maxunicode + 1)
    return of, names


def _ranges(member: np.ndarray) -> CharSet:
    """The set of the indices where ``member`` (bool) is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], member, [False])).astype(np.int8)))
    return tuple((int(lo), int(hi) - 1) for lo, hi in zip(edges[::2], edges[1::2], strict=True))


@cache
def category(name: str) -> CharSet:
    """A general category or a group of them (``Lu``, ``L``, ``LC``)."""
    of, names = _categories()
    wanted = ("Lu", "Ll", "Lt") if name == "LC" else tuple(n for n in names if n.startswith(name))
    return _ranges(np.isin(of, [names[n] for n in wanted if n in names]))


@cache
def _python_class(pattern: str) -> CharSet:
    """What a class of `re` holds, by asking it: quicker than the database, and right by definition."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    return tuple((m.start(), m.end() - 1) for m in re.finditer(pattern + "+", everything))


def python_word() -> CharSet:
    r"""Python's ``\w`` for str."""
    return _python_class(r"\w")


def python_digit() -> CharSet:
    r"""Python's ``\d`` for str."""
    return _python_class(r"\d")


def python_space() -> CharSet:
    r"""Python's ``\s`` for str."""
    return _python_class(r"\s")


@cache
def _folds(ascii_only: bool, python: bool) -> tuple[dict[int, int], dict[int, tuple[int, ...]]]:
    """Code point -> its folded form where it differs, and folded form -> all that fold to it."""
    to: dict[int, int] = {}
    for c in range(128 if ascii_only else 0x20000):
        ch = chr(c)
        folded = ch.lower()
        if not python and len(ch.casefold()) == 1:
            folded = ch.casefold()
        if folded != ch and (len(folded) == 1 or python):
            to[c] = ord(folded[0])
    if python and not ascii_only:
        # Letters that share an upper-case form without sharing a lower-case one, as in `re`.
        upper: dict[str, int] = {}
        for c in range(0x20000):
            ch = chr(c)
            if ch.islower() and c not in to and len(ch.upper()) == 1 and ch.upper() != ch:
                first = upper.setdefault(ch.upper(), c)
                if first != c:
                    to[c] = first
        to = {c: to.get(f, f) for c, f in to.items()}
    back: dict[int, list[int]] = {}
    for c, f in to.items():
        back.setdefault(f, [f]).append(c)
    return to, {f: tuple(cs) for f, cs in back.items()}


def ignore_case(s: CharSet, *, ascii_only: bool = False, python: bool = True) -> CharSet:
    """All code points that a case-insensitive match takes for a member of ``s``."""
    to, back = _folds(ascii_only, python)
    extra: list[tuple[int, int]] = []
    for lo, hi in s:
        if hi - lo > len(to):
            hits = [c for c in to if lo <= c <= hi] + [f for f in back if lo <= f <= hi]
        else:
            hits = [c for c in range(lo, hi + 1) if c in to or c in back]
        for c in hits:
            extra.extend((k, k) for k in back[to.get(c, c)])
    return set_union(s, charset(extra)) if extra else s


def unicode_property(body: str) -> CharSet | None:
    r"""The set that ``\p{body}`` names, or None where this database cannot tell."""
    name, equals, value = body.partition("=")
    if equals:
        if name not in ("General_Category", "gc"):
            return None
        name = value
    name = _CATEGORY_ALIASES.get(name, name)
    if name in GENERAL_CATEGORIES:
        return category(name)
    if equals:
        return None
    if name == "Any":
        return ANY_CHAR
    if name == "ASCII":
        return ASCII
    if name == "Assigned":
        return set_negate(category("Cn"))
    if name in ("ASCII_Hex_Digit", "AHex"):
        return ((48, 57), (65, 70), (97, 102))
    return None
