"""What ``structgen compile --dump`` prints."""

from __future__ import annotations

import pytest

import structgen as sg
from structgen.cli import main
from structgen.dump import dump, shortest_text
from structgen.regex import compile_match, parse_python

BYTES = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))


def dumped(grammar: sg.Grammar) -> str:
    return "\n".join(dump(sg.compile(grammar, BYTES)))


def test_a_grammar_of_terminals() -> None:
    text = 'start: a+ | unused?\na: "if" NAME | NAME\nunused: NAME X\nNAME: /[a-z]+/\nX: /x+/\n%ignore / /'
    found = dumped(sg.Grammar.from_lark(text))
    assert "terminals (4)" in found
    assert "\"if\": literal, 3 states, e.g. b'if'" in found
    assert "/ /: pattern, ignored" in found
    assert 'b\'if\': "if", NAME  ends "if"' in found
    assert "b'x' is NAME and X" in found
    assert '"if" -> ' in found
    assert "where several readings are alive" in found


def test_a_grammar_of_bytes() -> None:
    found = dumped(sg.Grammar.from_gbnf('root ::= x "." | "a" root "b"\nx ::= [a-c]{20,30} | y\ny ::= y "!"'))
    assert "terminals" not in found
    assert "'a'" in found
    assert "y: no text" in found
    assert "readings, in" in found


def test_one_reading() -> None:
    found = dumped(sg.Grammar.from_json_schema({"type": "array", "items": {"type": "boolean"}}))
    assert "no text has several readings" in found


def test_shortest_texts() -> None:
    for pattern, text in (
        ("a*b", b"b"),
        (r"\d{3}|x{4}", b"000"),
        ("", b""),
        ("[!-~]", b"0"),
        ("é", "é".encode()),
    ):
        assert shortest_text(compile_match(parse_python(pattern))) == text


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "--choices", "yes,no", "--dump"]) == 0
    assert "lexing any" in capsys.readouterr().out
