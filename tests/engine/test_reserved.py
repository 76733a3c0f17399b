"""Reserved texts (``%reserve``): masks by the definition, and that words are not cut into smaller ones."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import product

import pytest

import structgen as sg
from structgen.errors import GrammarError
from structgen.frontends.lark_grammar import lark_to_ir
from structgen.grammar import Grammar
from tests.oracles.longest import Longest

from .checking import Check, tables_everywhere

TOKENS = [b"", b"a", b"b", b"ab", b"ba", b"aab", b"bab", b".", b"a.", b".ab", b"ab.", b"b.a", b"abba"]
NAMES = r"""
    NAME: /[ab]+/ & ~_WORD
    _WORD: "ab" | "bb"
    %reserve NAME: _WORD
"""
RULES = [
    'start: (NAME | ".")+',
    'start: NAME NAME? "."',
    'start: ("ab" NAME | NAME "." "bb"?)+',
    'start: ("ab" | "." NAME)+ "b"?',
    'start: NAME ("." OTHER)* \n OTHER: /a|bb/',
    'start: (NAME | "ab" ".")+ \n %ignore "."',
]


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("rules", RULES)
def test_masks(rules: str, tables: bool) -> None:
    check = Check(TOKENS, (0,), b"ab.")
    with tables_everywhere() if tables else nullcontext():
        check.grammar(lark_to_ir(rules + NAMES), depth=4, bound=8)
    assert not check.totals.differences, "\n\n".join(check.totals.differences[:5])
    assert check.totals.tokens


@pytest.mark.parametrize("rules", RULES)
def test_texts(rules: str) -> None:
    ir = lark_to_ir(rules + NAMES)
    oracle = Longest(ir, b"", 0)
    compiled = sg.compile(Grammar(ir), sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,)))
    taken = 0
    for letters in (bytes(w) for n in range(1, 7) for w in product(b"ab.", repeat=n)):
        matcher = compiled.matcher()
        found = matcher.accept_bytes(letters) and matcher.is_accepting()
        assert found == oracle.reads((), letters), letters
        taken += found
    assert taken


def test_a_word_is_not_cut() -> None:
    """Without the statement "ab" is read as the names "a" and "b"."""
    vocabulary = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))
    for statement, cut in (("", True), ("%reserve NAME: _WORD", False)):
        text = f'start: NAME+ "." \n NAME: /[ab]+/ & ~_WORD \n _WORD: "ab" \n {statement}'
        compiled = sg.compile(Grammar(lark_to_ir(text)), vocabulary)
        assert compiled.matcher().accept_bytes(b"ab.") is cut
        assert compiled.matcher().accept_bytes(b"abb.")
    assert lark_to_ir(text, lexing="any").reserved == ()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ('%reserve NAME: "a"', "matches what is reserved from it"),
        ('%reserve NAME: "c"', "begins like what is reserved from it"),
        ('%reserve NAME: "a.b"', "begins like what is reserved from it"),
        ('%reserve OTHER: "a"', "OTHER is not defined"),
        ("%reserve NAME", "':'"),
    ],
)
def test_errors(statement: str, words: str) -> None:
    with pytest.raises(GrammarError) as caught:
        lark_to_ir(f'start: NAME \n NAME: /[ab]+/ & ~"ab" \n {statement}')
    assert words in str(caught.value)
    assert caught.value.line == 3
