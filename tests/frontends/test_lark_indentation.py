"""Indentation in Lark text: said by the grammar, or by a lark Indenter, and held against lark itself."""

from __future__ import annotations

import random

import lark
import pytest
from lark.indenter import Indenter, PythonIndenter

import structgen as sg

TREE = r"""
start: _NL* tree+
tree: NAME args? _NL [_INDENT tree+ _DEDENT]
args: "(" NAME* ")"
NAME: /[a-z]+/
_NL: /(\n[ ]*)+/
%ignore " "
%declare _INDENT _DEDENT
"""
SAID = '%indent _NL _INDENT _DEDENT "(" ")"\n'
BYTES = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))


class TreeIndenter(Indenter):
    NL_type = "_NL"
    OPEN_PAREN_types = ["LPAR"]  # noqa: RUF012
    CLOSE_PAREN_types = ["RPAR"]  # noqa: RUF012
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 8


def accepts(compiled: sg.CompiledGrammar, text: str) -> bool:
    matcher = compiled.matcher()
    return matcher.accept_bytes(text.encode()) and matcher.is_accepting()


def test_as_lark_reads_it() -> None:
    theirs = lark.Lark(TREE, parser="lalr", postlex=TreeIndenter())
    said = sg.compile(sg.Grammar.from_lark(TREE + SAID), BYTES)
    given = sg.compile(sg.Grammar.from_lark(TREE, postlex=TreeIndenter()), BYTES)
    draw = random.Random(1)
    verdicts = []
    for _ in range(1500):
        # Lines that are likely to fit. lark lets a first line begin anywhere, and blanks end a text nowhere.
        lines = ["a"]
        for _ in range(draw.randrange(7)):
            begun = len(lines[-1]) - len(lines[-1].lstrip(" "))
            column = max(0, begun + draw.choice([0, 0, 0, 1, 2, -1, -2]))
            lines.append(" " * column + draw.choice(["a", "b", "a(b", ")", "b )", "a(", "", "b(a)"]))
        text = "\n".join(lines).rstrip(" \n") + "\n"
        try:
            theirs.parse(text)
            wanted = True
        except (lark.exceptions.LarkError, AssertionError):
            wanted = False
        assert accepts(said, text) == wanted, text
        assert accepts(given, text) == wanted, text
        verdicts.append(wanted)
    assert 100 < sum(verdicts) < 1400


def test_what_the_grammar_says_is_taken() -> None:
    lines = sg.Grammar.from_lark(TREE + SAID).ir.indentation
    assert lines is not None
    assert (lines.newline, lines.indent, lines.dedent, lines.tab) == ("_NL", "_INDENT", "_DEDENT", 8)
    assert (lines.opening, lines.closing) == (('"("',), ('")"',))
    without = sg.Grammar.from_lark(TREE + "%indent _NL _INDENT _DEDENT").ir.indentation
    assert without is not None
    assert without.opening == ()


@pytest.mark.parametrize(
    ("added", "message", "line"),
    [
        ("%indent _NL _IN _DEDENT", "_IN is not defined; did you mean", 9),
        ("%indent _NL NAME _DEDENT", "NAME has a text of its own", 9),
        ("%indent _INDENT _INDENT _DEDENT", "newline of %indent and must be defined", 9),
        ('%indent _NL _INDENT _DEDENT "("', "come in pairs", 9),
        (SAID + SAID, "a second %indent", 10),
        ("%indent _NL _INDENT", "a terminal name", 9),
    ],
)
def test_mistakes(added: str, message: str, line: int) -> None:
    with pytest.raises(sg.GrammarError, match=message) as caught:
        sg.Grammar.from_lark(TREE + added)
    assert caught.value.line == line


def test_mistakes_of_an_indenter() -> None:
    with pytest.raises(sg.GrammarError, match="_NEWLINE, which the grammar does not have"):
        sg.Grammar.from_lark(TREE, postlex=PythonIndenter())
    with pytest.raises(sg.GrammarError, match="str lacks NL_type"):
        sg.Grammar.from_lark(TREE, postlex="PythonIndenter")  # type: ignore[arg-type]
    with pytest.raises(sg.GrammarError, match="must only be declared"):
        sg.Grammar.from_lark(
            TREE.replace("%declare _INDENT _DEDENT", '_INDENT: "i"\n_DEDENT: "d"'), postlex=TreeIndenter()
        )
    with pytest.raises(sg.GrammarError, match="lexing='longest'"):
        sg.Grammar.from_lark(TREE + SAID, lexing="any")


def test_a_terminal_without_text_needs_indentation() -> None:
    with pytest.raises(sg.GrammarError, match="only declared"):
        sg.Grammar.from_lark(TREE)
