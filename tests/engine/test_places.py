"""The certificate of `rules.places` without indentation: what it proves, what it leaves; and masks agree."""

from __future__ import annotations

import pytest

import structgen as sg
from structgen.ir import GrammarIR
from structgen.rules.analysis import analyse
from structgen.rules.places import certify_places

from .checking import Check

# Each with the bytes of its texts. Terminals go on where others end: as a pattern between slashes does where
# a slash ends, and the rest of a template where a brace does.
PROVED = {
    "a pattern or a division": ('start: v ("/" v)*\nv: "a" | R\nR: /\\/a+\\//\n%ignore " "', b"a/ "),
    "a template's rest or a brace": (
        'start: v\nv: "a" | "{" v "}" | H v T\nH: /`a?\\{/\nT: /\\}a?`/',
        b"a{}`",
    ),
    "a comment or a division": ('start: "a" ("/" "a")*\n%ignore / |\\/\\*a*\\*\\//', b"a/* "),
    "a word and its blank": ('start: N (I N)*\nI: "b "\nN: /[ab]+/\n%ignore " "', b"ab "),
    "a line's end that is read or ignored": ('start: "a" (L "a")*\nL: /b/\nM: /b/\n%ignore M', b"ab"),
    "brackets that do not match": ('start: A? v\nA: /\\{/\nv: "}" | "b"\nR: /\\}a/', b"{}b"),
}
LEFT = {
    "a slash on the way that may begin a pattern": ('start: ("/" | R) "b"\nR: /\\/[ab]*\\//', b"ab/"),
    "nothing between two names": ("start: N N\nN: /a+/", b"a"),
    "priorities": ("start: A B\nA.2: /a/\nB: /b/", b"ab"),
}


def grammar(text: str) -> GrammarIR:
    return sg.Grammar.from_lark(text).ir


def compare(chosen: GrammarIR, alphabet: bytes) -> None:
    """Every mask up to five bytes."""
    letters = [alphabet[i : i + 1] for i in range(len(alphabet))]
    tokens = [*letters, *(a + b for a in letters for b in letters), None]
    check = Check(tokens, (len(tokens) - 1,), alphabet)
    check.grammar(chosen, 5, 9)
    assert check.totals.differences == []
    assert check.totals.masks > 1


@pytest.mark.parametrize("name", PROVED)
def test_what_is_proved(name: str) -> None:
    text, alphabet = PROVED[name]
    chosen = grammar(text)
    assert certify_places(chosen, analyse(chosen, sg.Limits()))
    compare(chosen, alphabet)


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left(name: str) -> None:
    text, alphabet = LEFT[name]
    chosen = grammar(text)
    assert not certify_places(chosen, analyse(chosen, sg.Limits()))
    if name != "nothing between two names":  # That has no text at all.
        compare(chosen, alphabet)
