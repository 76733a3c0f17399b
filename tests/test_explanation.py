"""What may come next, in words."""

from __future__ import annotations

import pytest

import structgen as sg
from structgen.explanation import describe_bytes

VOCABULARY = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (b"", "nothing but the end"),
        (b"()*+", "'(', ')', '*', '+'"),
        (b"-0123", "'-', '0'..'3'"),
        (b"\t\n ab", r"'\t', '\n', ' ', 'a', 'b'"),
        (b"XYZabc", "'X'..'Z', 'a'..'c'"),
        (bytes([0, 1, 2, 0xC2, 0xC3, 0xC4]), "0x00..0x02, 0xc2..0xc4"),
        (b"!#%&()*+,-./;0123456789", "'!', '#', '%', '&', '(', ')', '*', '+', ',', '-', '.', '0'..'9', …"),
    ],
)
def test_bytes_in_words(values: bytes, words: str) -> None:
    assert describe_bytes(tuple(values)) == words


def after(grammar: sg.Grammar, text: bytes) -> sg.GrammarMatcher:
    matcher = sg.compile(grammar, VOCABULARY).matcher()
    assert matcher.accept_bytes(text)
    return matcher


def test_what_may_come() -> None:
    expected = after(sg.Grammar.from_regex("ab?"), b"a").expected()
    assert expected.next_bytes == (ord("b"),)
    assert expected.end
    assert str(expected).startswith("'b' or the end of the text")


def test_terminals_that_may_come() -> None:
    expected = after(sg.Grammar.from_lark('start: A B\nA: "a"\nB: "b"'), b"").expected()
    assert expected.terminals == ("A",)
    assert not expected.end
    assert str(expected) == "'a' (in A)"


def test_nothing_comes_after_a_stop_token() -> None:
    matcher = after(sg.Grammar.from_choices(["a"]), b"a")
    assert matcher.accept_token(256)
    assert matcher.expected() == sg.Expected((), True, (), ())
    assert str(matcher.expected()) == "the end of the text"


def test_parts_name_their_rule() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"left": {}, "right": {}}, "additionalProperties": False},
            "b": {"type": "string", "pattern": "^x+$"},
        },
        "additionalProperties": False,
    }
    grammar = sg.Grammar.from_json_schema(schema, whitespace="compact")
    assert after(grammar, b'{"a":{"le').expected().rules == ("#/properties/a",)
    assert after(grammar, b'{"b":"x').expected().rules == ("string of #/properties/b",)


def test_a_part_that_rules_share_names_none() -> None:
    x = {"type": "string", "pattern": "^x+$"}
    schema = {"properties": {"a": x, "b": {"anyOf": [x, {"type": "null"}]}}, "type": "object"}
    grammar = sg.Grammar.from_json_schema(schema, whitespace="compact")
    compiled = sg.compile(grammar, VOCABULARY)
    first, second = compiled.matcher(), compiled.matcher()
    assert first.accept_bytes(b'{"a":"x')
    assert second.accept_bytes(b'{"b":"x')
    assert first.expected().rules == second.expected().rules == ("string",)


def test_a_matcher_knows_what_it_was_made_from() -> None:
    compiled = sg.compile(sg.Grammar.from_choices(["a"]), VOCABULARY)
    assert compiled.matcher().compiled is compiled
