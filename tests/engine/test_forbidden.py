"""Forbidden terminals: masks over the tree of texts of small grammars are what the definition says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

import structgen as sg
from structgen.ir import GrammarIR
from structgen.rules.analysis import analyse
from structgen.rules.forbidden import check_forbidden
from structgen.rules.viability import certify

from . import strategies as s
from . import test_indentation as lines
from .checking import EXHAUSTIVE, Check, tables_everywhere

PATTERNS = ["a", "b", "a+", "ab", "a|b", "b*a", "a+b", "a(ba)*", "(aa)+"]


def forbidding(grammar: GrammarIR, text: str) -> GrammarIR | None:
    """``grammar`` with a pattern that no lexeme may be; None where it is not as it has to be."""
    made = dataclasses.replace(
        grammar, terminals={**grammar.terminals, "F": s.terminal("F", text, 0, False)}, forbidden=("F",)
    )
    try:
        check_forbidden(made, analyse(made, sg.Limits()))
    except sg.GrammarError:
        return None
    return made


def family(n: int, seed: int) -> Iterator[GrammarIR]:
    for i, chosen in enumerate(s.sample(s.lexed(), n, seed)):
        made = forbidding(s.lexed_grammar(*chosen), PATTERNS[i % len(PATTERNS)])
        if made is not None:
            yield made


@pytest.mark.parametrize("tables", [False, True])
def test_grammars(tables: bool, capsys: pytest.CaptureFixture[str]) -> None:
    check = Check(s.TOKENS, s.STOP_TOKEN_IDS)

    def compare() -> None:
        for grammar in family(4000 if EXHAUSTIVE else 200, seed=5 + tables):
            check.grammar(grammar, depth=3, bound=8)

    if tables:
        with tables_everywhere():
            compare()
    else:
        compare()
    with capsys.disabled():
        print(f"\nforbidden: {check.totals}")
    assert not check.totals.differences, "\n\n".join(check.totals.differences[:5])
    assert check.totals.grammars - check.totals.empty > 50


@pytest.mark.parametrize("tables", [False, True])
def test_where_indentation_counts(tables: bool, capsys: pytest.CaptureFixture[str]) -> None:
    check = lines.checker(lines.TEXTS, lines.ALPHABET)
    for rules, pattern in (("blocks", r"a+\)"), ("brackets", r"a+:"), ("brackets", r"[a:]+")):
        grammar = lines.grammar(lines.RULES[rules], "lines", "+")
        terminals = {**grammar.terminals, "F": lines.terminal("F", pattern)}
        made = dataclasses.replace(grammar, terminals=terminals, forbidden=("F",))
        assert certify(made, analyse(made, sg.Limits()))
        if tables:
            with tables_everywhere():
                check.grammar(made, lines.DEPTH, lines.BOUND)
        else:
            check.grammar(made, lines.DEPTH, lines.BOUND)
    lines.report(capsys, "forbidden", check)


WORDS = r"""
start: "from" name name? ("," "then" name)* NUMBER?
name: NAME
NAME: /[a-z]+/ & ~("from" | "then")
NUMBER: /[0-9]+/
%ignore " "
"""


@pytest.mark.parametrize(
    ("text", "cut", "forbidden"),
    [
        ("from a, then b 1", True, True),
        ("from then", True, False),
        ("froma", True, False),
        ("from a1", True, True),
        ("from a, thenb", True, False),
        ("from thenx, then thenthen", True, True),
        ("from then, then a", True, False),
        ("from", False, False),
    ],
)
def test_words_are_not_cut(text: str, cut: bool, forbidden: bool) -> None:
    for statement, wanted in (("", cut), ("%forbid /[a-z]+/\n", forbidden)):
        matcher = sg.compile(sg.Grammar.from_lark(WORDS + statement), lines.BYTES).matcher()
        assert (matcher.accept_bytes(text.encode()) and matcher.is_accepting()) == wanted


def test_what_is_whole_may_begin_a_longer_text() -> None:
    """Behind "char" comes what is a word with it, though "char8_t" is one more text of the same terminal."""
    text = 'start: TYPE NAME\nTYPE: "char" | "char8_t"\n_WORD: /[a-z_\\u00aa][a-z0-9_\\u00aa]*/\n'
    text += 'NAME: _WORD & ~TYPE\n%ignore " "\n%forbid _WORD\n'
    compiled = sg.compile(sg.Grammar.from_lark(text), lines.BYTES)
    verdicts = {"char a": True, "char8_t a": True, "char8 a": False, "chara": False, "char8_ta": False}
    for written, wanted in {**verdicts, "char\u00aa": False, "char char8": True, "char char": False}.items():
        matcher = compiled.matcher()
        assert (matcher.accept_bytes(written.encode()) and matcher.is_accepting()) == wanted


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("%forbid /a[0-9]+x/", r"must match b'a0' as well: there NAME cannot go on"),
        ("%forbid NAME", "terminal NAME is forbidden, and used"),
        ("WORD.1: /[a-z]+/\n%forbid WORD", "of no higher priority"),
        ('WORD: "from"\n%forbid WORD', "is forbidden, and used"),
        ("%forbid", "%forbid is followed by nothing to forbid"),
    ],
)
def test_errors_say_what_is_wrong(statement: str, message: str) -> None:
    with pytest.raises(sg.GrammarError, match=message):
        sg.compile(sg.Grammar.from_lark(WORDS + statement + "\n"), lines.BYTES)


def test_only_the_longest_match_forbids() -> None:
    with pytest.raises(sg.GrammarError, match="%forbid says what no terminal may be"):
        sg.Grammar.from_lark(WORDS + "%forbid /[a-z]+/\n", lexing="any")
