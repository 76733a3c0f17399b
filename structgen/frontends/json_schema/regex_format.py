r"""The format "regex": regular expressions of ECMA-262, as a pattern over their text.

Groups may nest, which no pattern can say; here they nest up to `DEPTH` deep. What is taken is the syntax of
browsers (Annex B): a bracket or brace that opens nothing is a character, and any sign that is no letter or
digit may follow a backslash. Letters may only where they mean something, so ``\a`` is refused, as with the
flag ``u``. The bounds of a repetition and the ends of a range stand in order, where they are written plainly.

What is not checked, because it compares places that lie apart: that names of groups are distinct and those
that are referred to exist, that a look-behind is not repeated, the order of bounds of three digits and more,
and that of ranges with an escape or a character beyond ASCII at an end.
"""

from __future__ import annotations

from functools import cache

from ...limits import Limits
from ...regex import CharDFA, parse_ecma

DEPTH = 12
_NAME = r"<[A-Za-z_$\u{80}-\u{10FFFF}][A-Za-z0-9_$\u{80}-\u{10FFFF}]*>"
_HEX = "[0-9A-Fa-f]"
_ESCAPE = (
    r"\\(?:[dDwWsSfnrtv0-9]|c[A-Za-z]|"
    rf"x{_HEX}{{2}}|u(?:{_HEX}{{4}}|\{{0*(?:{_HEX}{{1,5}}|10{_HEX}{{4}})\}})|"
    r"[pP]\{[A-Za-z_]+(?:=[A-Za-z0-9_]+)?\}|[^A-Za-z0-9])"
)


@cache
def language(limits: Limits) -> CharDFA:
    """The texts of regular expressions: in order from place to place, and with balanced parentheses."""
    in_order = CharDFA.from_node(parse_ecma(_pieces()), limits=limits)
    return in_order.intersect(CharDFA.from_node(parse_ecma(_balanced()), limits=limits), limits=limits)


def _pieces() -> str:
    """Expressions as they look from place to place, where any parenthesis may open or close a group."""
    character = r"[^\\^$*+?()[{|]|\{(?![0-9]+(?:,[0-9]*)?\})"
    one = rf"{character}|{_ESCAPE}|\\k{_NAME}|{_class()}|\)"
    times = rf"(?:[*+?]|\{{(?:{_bounds()})\}})\??"
    opening = rf"\((?:\?(?:[:=!]|<[=!]|{_NAME}))?"
    return rf"(?:(?:{one})(?:{times})?|{opening}|\\[bB]|[$^|])*"


def _balanced() -> str:
    """Texts in which each parenthesis outside of classes has its other half."""
    other = r"[^\\()[]|\\[^]|\[(?:[^\\\]]|\\[^])*\]"
    found = f"(?:{other})*"
    for _ in range(DEPTH):
        found = rf"(?:{other}|\({found}\))*"
    return found


def _bounds() -> str:
    """What stands between the braces of a repetition: ``n``, ``n,`` or ``n,m`` with n <= m."""
    choices = ["[0-9]+,?", "0*[1-9][0-9]{2,},0*[1-9][0-9]{2,}"]
    for n in range(100):
        tens, ones = divmod(n, 10)
        if tens == 0:
            more = f"[{n}-9]|[1-9][0-9]+"
        else:
            above = f"[{tens + 1}-9][0-9]|" if tens < 9 else ""
            more = f"{above}{tens}[{ones}-9]|[1-9][0-9]{{2,}}"
        choices.append(f"0*{n},0*(?:{more})")
    return "|".join(choices)


def _class() -> str:
    """A class in brackets; a hyphen between two members makes a range."""
    member = [code for code in range(0x80) if code not in b"]\\"]
    far = rf"(?:[\u{{80}}-\u{{10FFFF}}]|\\b|{_ESCAPE})"
    ranges = [rf"\u{{{low:X}}}-{_codes(member[i:])}" for i, low in enumerate(member)]
    ranges += [rf"{_codes(member)}-{far}", rf"{far}-(?:{_codes(member)}|{far})"]
    single = rf"(?:{_codes(member)}|{far})(?!-[^\]])"
    return rf"\[\^?(?:{'|'.join(ranges)}|{single})*\]"


def _codes(codes: list[int]) -> str:
    """A class of ASCII characters, those of ``]`` and the backslash aside."""
    return rf"(?![\]\\])[\u{{{codes[0]:X}}}-\u{{7F}}]"
