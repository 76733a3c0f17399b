"""A grammar in rows of numbers: what kernels read a schema to, and write rules from, with no object between.

Most of what a JSON Schema says are two forms: members between brackets, and items between brackets. A sketch
has these in arrays, and names the grammar that has all other rules, which is made when a text gets to one of
them. It says the same as the `GrammarIR` that the schema has, and stands beside it: whoever wants to look at
a grammar looks at that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .automata import ByteDFA
from .ir import Around, Bounded, Common, GrammarIR, Pat

# A rule: what kind it is, where the text says it (from, to), the rule that it is a part of (the start: -1)
# and in which way (the number of the member, WAY_OTHERS, WAY_ITEMS, a branch); or REFERRED, and where the
# text refers to it. Then, of one of kind
#
# ENCLOSED   its first member, how many there are, the rule of other members' values (NO_RULE: none may come),
#            whether nothing at all may stand between the brackets, and how many bytes its keys have
# LISTED     the rule of its items under SK_FIRST; SK_LEAST and SK_MOST of them may come (-1: any number)
# MAPPED     the rule of its members' values under SK_FIRST, and the same; it names no member
# ANY_OF     one of its members' rules; SK_BYTES says how its branches are named
# CHOICE     one of its members' keys, which are texts then, of SK_BYTES in all
# UNION      any of the common rules that have a bit under SK_OTHERS
# ELSEWHERE  a rule of another grammar
#
# One of kind ANY_OF or ELSEWHERE begins as the common rules do that have a bit under SK_OTHERS.
(
    SK_KIND,
    SK_BEGIN,
    SK_END,
    SK_PARENT,
    SK_WAY,
    SK_FIRST,
    SK_MEMBERS,
    SK_OTHERS,
    SK_EMPTY,
    SK_BYTES,
    SK_LEAST,
    SK_MOST,
    SKETCH_WORDS,
) = range(13)
ENCLOSED, LISTED, MAPPED, ANY_OF, CHOICE, UNION, ELSEWHERE = range(7)
WAY_OTHERS, WAY_ITEMS, WAY_BRANCHES = -1, -2, -10  # of the i-th branch, WAY_BRANCHES - i
REFERRED = -2
NO_RULE = -100
# A member: where the text has its key (from, to), the rule of its value, whether it must come; and at its
# place among the members of its rule, the number of the one whose key comes there when they are in order.
SM_BEGIN, SM_END, SM_RULE, SM_MUST, SM_ORDER, MEMBER_WORDS = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class SketchForm:
    """What sketches have alike.

    common : rules that they share; a sketch calls one as -1 - its number in ``names``
    around : what stands around and between members; the separator and the blanks are those of items, too
    brackets : the bytes around items
    quote : the byte that begins a choice's texts
    other_keys : the keys that other members have
    keys : those of members where none is named
    """

    common: Common
    names: tuple[str, ...]
    around: Around
    brackets: tuple[int, int]
    quote: int
    other_keys: ByteDFA
    keys: ByteDFA


class Sketch:
    """The rules of one grammar, of discipline "any"; its start is rule 0, which is not of kind ELSEWHERE.

    text : uint8[*], where the keys are
    rules : int64[n, SKETCH_WORDS]
    members : int64[m, MEMBER_WORDS]
    ordered : members come in their order, those with other keys last

    What of the grammar is in no array, its methods tell.
    """

    form: SketchForm
    text: npt.NDArray[np.uint8]
    rules: npt.NDArray[np.int64]
    members: npt.NDArray[np.int64]
    ordered: bool

    def pattern(self, rule: int) -> Pat | Bounded | None:
        """The whole of a rule of kind ELSEWHERE, where that is a pattern of which no word is empty."""
        raise NotImplementedError

    def grammar(self) -> tuple[GrammarIR, Callable[[int], str]]:
        """A grammar that has the rules of kind ELSEWHERE, and what tells by a rule's number which one it
        is."""
        raise NotImplementedError

    def name_of(self, rule: int) -> str:
        """The name of a rule, by number, for messages."""
        raise NotImplementedError
