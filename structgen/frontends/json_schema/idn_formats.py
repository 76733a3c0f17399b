"""The formats of internationalised names: idn-hostname as RFC 5890 to 5893 have it, idn-email as RFC 6531.

A host name is made of labels. One with other characters than ASCII (a U-label) has only those that RFC 5892
permits, some of them only beside certain others, and a name with a right-to-left label keeps the rule of
RFC 5893. All of it is regular: the language is the names of permitted characters without any of the patterns
that break a rule. The properties of characters are those of the ``idna`` package, and of Python's own
``unicodedata``.

What is not checked: that a U-label is normalised (NFC), and the length of the A-label that it stands for,
which no automaton computes; nor that the whole name has at most 253 characters, which would be 253 automata
of this size. A-labels themselves (``xn--…``) are not written: each has a U-label that says the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache

from ...limits import Limits
from ...regex import CharDFA, parse_ecma

DOTS = ".\u3002\uff0e\uff61"
_LDH = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_BEYOND_ASCII = r"\u{80}-\u{10FFFF}"


def idn_email(ipv4: str, ipv6: str) -> str:
    """The pattern of an e-mail address whose parts may have any character beyond ASCII."""
    atom = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_BEYOND_ASCII}-]+"
    quoted = rf'"(?:[ !#-\[\]-~{_BEYOND_ASCII}]|\\[ -~])*"'
    letter = rf"[A-Za-z0-9{_BEYOND_ASCII}]"
    label = rf"{letter}(?:[A-Za-z0-9{_BEYOND_ASCII}-]{{0,61}}{letter})?"
    return rf"(?:{atom}(?:\.{atom})*|{quoted})@(?:{label}(?:\.{label})*|\[(?:{ipv4}|IPv6:(?:{ipv6}))\])"


@cache
def idn_hostname(limits: Limits) -> CharDFA:
    """The host names with or without characters beyond ASCII."""
    permitted = [code for code in _codes("PVALID") if code != ord("-")]
    marks = {code for code in permitted if unicodedata.category(chr(code))[0] == "M"}
    first = _class(code for code in permitted if code not in marks)
    inside = _class([*permitted, *_codes("CONTEXTJ"), *_codes("CONTEXTO"), ord("-")])
    last = _class([*permitted, *_codes("CONTEXTJ"), *_codes("CONTEXTO")])
    # A character that only stands beside others (CONTEXTO) may be the first one, if its rule says so.
    first = first[:-1] + _class(_codes("CONTEXTO"))[1:]
    label = rf"(?:{_LDH}|(?=[A-Za-z0-9-]*[{_BEYOND_ASCII}]){first}(?:{inside}*{last})?)"
    name = f"{label}(?:[{DOTS}]{label})*"
    found = CharDFA.from_node(parse_ecma(name), limits=limits)
    for broken in _broken_rules():
        found = found.difference(CharDFA.from_node(parse_ecma(broken), search=True, limits=limits))
    return found.intersect(CharDFA.from_node(parse_ecma(_one_direction()), limits=limits))


def _broken_rules() -> list[str]:
    """Patterns one of which is found in every name of permitted characters that breaks a rule on a label."""
    virama = _class(code for code in range(0x110000) if unicodedata.combining(chr(code)) == 9)
    left, right, through = _class(_joining("L", "D")), _class(_joining("R", "D")), _class(_joining("T"))
    kana_or_han = _class([*_script("Hiragana"), *_script("Katakana"), *_script("Han")])[1:-1]
    hebrew, greek = _class(_script("Hebrew")), _class(_script("Greek"))
    return [
        rf"(?:^|[{DOTS}])[^{DOTS}]{{2}}--",
        r"(?:^|[^l])\u00B7|\u00B7(?:[^l]|$)",
        rf"\u0375(?!{greek})",
        rf"(?<!{hebrew})[\u05F3\u05F4]",
        rf"(?:^|[{DOTS}])[^{DOTS}{kana_or_han}]*\u30FB[^{DOTS}{kana_or_han}]*(?:[{DOTS}]|$)",
        rf"[\u0660-\u0669][^{DOTS}]*[\u06F0-\u06F9]|[\u06F0-\u06F9][^{DOTS}]*[\u0660-\u0669]",
        rf"(?<!{virama})\u200D",
        rf"(?<!{virama})(?<!{left}{through}*)\u200C|(?<!{virama})\u200C(?!{through}*{right})",
    ]


def _one_direction() -> str:
    """Names without right-to-left characters, and names all labels of which keep RFC 5893's rule."""
    kinds: dict[str, list[int]] = {}
    for code in [*_codes("PVALID"), *_codes("CONTEXTJ"), *_codes("CONTEXTO"), *range(ord("A"), ord("Z") + 1)]:
        kinds.setdefault(unicodedata.bidirectional(chr(code)), []).append(code)

    def of(names: str) -> str:
        return _class(code for name in names.split() for code in kinds.get(name, ()))

    neutral = "ES CS ET ON BN NSM"
    to_right = f"{of('L')}(?:{of('L EN ' + neutral)}*{of('L EN')})?{of('NSM')}*"
    to_left = "|".join(
        f"{of('R AL')}(?:{of(f'R AL {digits} {neutral}')}*{of(f'R AL {digits}')})?{of('NSM')}*"
        for digits in ("EN", "AN")
    )
    label = f"(?:{to_right}|{to_left})"
    return f"[^{of('R AL AN')[1:-1]}]*|{label}(?:[{DOTS}]{label})*"


def _class(codes: Iterable[int]) -> str:
    """A character class of a pattern."""
    spans: list[list[int]] = []
    for code in sorted(set(codes)):
        if spans and spans[-1][1] + 1 == code:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return "[" + "".join(rf"\u{{{low:X}}}-\u{{{high:X}}}" for low, high in spans) + "]"


def _expanded(ranges: Iterable[int]) -> list[int]:
    """Code points of ranges, each written as one number: its begin above its end."""
    return [code for both in ranges for code in range(both >> 32, both & 0xFFFFFFFF)]


def _codes(kind: str) -> list[int]:
    from idna.idnadata import codepoint_classes

    return _expanded(codepoint_classes[kind])


def _script(name: str) -> list[int]:
    from idna.idnadata import scripts

    return _expanded(scripts[name])


def _joining(*kinds: str) -> list[int]:
    """Characters of some joining types (they join to the right, R, to the left, L, to both, D, or not, T)."""
    from idna.idnadata import joining_types

    return [code for kind in kinds for code in _expanded(joining_types.get(kind, ()))]
