"""What a pattern means before it is an automaton: a tree over Unicode code points.

Both dialects (`python_syntax`, `ecma_syntax`) end here, and nothing after this file knows which one a
pattern was written in: classes are already sets of code points, flags are already applied, groups are
gone, and a lazy quantifier is a greedy one (a language has no preference).

A `CharSet` is a sorted tuple of disjoint, non-adjacent inclusive ranges. That is small (``\\w`` over all
of Unicode has some 760 ranges), hashable, and set algebra on it is a merge. It may hold surrogates, as
``[^a]`` does; they fall away where sets become classes, in one place (`partition`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

MAX_CODE_POINT = 0x10FFFF

CharSet = tuple[tuple[int, int], ...]

ANY_CHAR: CharSet = ((0, MAX_CODE_POINT),)


@dataclass(frozen=True, slots=True)
class Chars:
    """One code point out of a set; the empty set is the empty language."""

    ranges: CharSet


@dataclass(frozen=True, slots=True)
class Cat:
    """One after the other; ``Cat(())`` is the empty string."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """Any one of them; ``Alt(())`` is the empty language."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """At least ``lo`` and at most ``hi`` of ``item`` (None: no bound)."""

    item: Node
    lo: int
    hi: int | None


@dataclass(frozen=True, slots=True)
class Start:
    """The start of the text."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of the text."""


@dataclass(frozen=True, slots=True)
class Look:
    """Text that must (or, ``negative``, must not) follow, or (``behind``) precede, this place."""

    item: Node
    behind: bool = False
    negative: bool = False


Node = Chars | Cat | Alt | Repeat | Start | End | Look

EMPTY = Cat(())
NOTHING = Alt(())
ANY_TEXT = Repeat(Chars(ANY_CHAR), 0, None)


def literal(text: str) -> Node:
    """Exactly this text."""
    return Cat(tuple(Chars(((ord(c), ord(c)),)) for c in text))


# What the anchors of the dialects mean in terms of `Start`, `End` and `Look`. The trees are kept, so that a
# pattern with many of them holds the same objects and pays for one.

NEWLINE: CharSet = ((10, 10),)


@cache
def end_or_last_newline() -> Node:
    """Python's ``$``: at the end, or before a newline that ends the text."""
    return Alt((End(), Look(Cat((Chars(NEWLINE), End())))))


@cache
def line_start(terminators: CharSet) -> Node:
    """``^`` with the flag m."""
    return Alt((Start(), Look(Chars(terminators), behind=True)))


@cache
def line_end(terminators: CharSet) -> Node:
    """``$`` with the flag m."""
    return Alt((End(), Look(Chars(terminators))))


@cache
def word_boundary(word: CharSet, negative: bool = False) -> Node:
    """``\\b``, or (``negative``) ``\\B``: a word character on exactly one side (or on both or neither)."""
    w = Chars(word)
    before, not_before = Look(w, behind=True), Look(w, behind=True, negative=True)
    after, not_after = Look(w), Look(w, negative=True)
    if negative:
        return Alt((Cat((before, after)), Cat((not_before, not_after))))
    return Alt((Cat((before, not_after)), Cat((not_before, after))))


# Set algebra.


def charset(ranges: Iterable[tuple[int, int]]) -> CharSet:
    """The canonical form of any collection of inclusive ranges."""
    out: list[tuple[int, int]] = []
    for lo, hi in sorted(ranges):
        if lo > hi:
            continue
        if out and lo <= out[-1][1] + 1:
            if hi > out[-1][1]:
                out[-1] = (out[-1][0], hi)
        else:
            out.append((lo, hi))
    return tuple(out)


def set_union(*sets: CharSet) -> CharSet:
    """Code points of any of them."""
    return charset(r for s in sets for r in s)


def set_negate(s: CharSet) -> CharSet:
    """Code points that are not in ``s``."""
    out = []
    at = 0
    for lo, hi in s:
        if lo > at:
            out.append((at, lo - 1))
        at = hi + 1
    if at <= MAX_CODE_POINT:
        out.append((at, MAX_CODE_POINT))
    return tuple(out)


def set_intersect(a: CharSet, b: CharSet) -> CharSet:
    """Code points of both."""
    out = []
    i = j = 0
    while i < len(a) and j < len(b):
        lo, hi = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if lo <= hi:
            out.append((lo, hi))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(out)
