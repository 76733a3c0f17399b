"""JSON strings against the json module."""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.regex import (
    CharDFA,
    concat,
    json_char,
    json_string,
    json_string_literal,
    literal,
    parse_ecma,
    star,
)

CHARACTERS = st.sampled_from('ab"\\/\b\f\n\r\t\x00\x1f\x7f é\u2028\ud7ff\ue000\uffff😀\U0010ffff')


def spelled(text: str, choose: random.Random) -> bytes:
    """One of the spellings of a text as a JSON string."""
    short = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
    out = b""
    for c in text:
        units = c.encode("utf-16-be")
        escaped = "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
        if choose.random() < 0.5:
            escaped = "".join(x.upper() if x in "abcdef" and choose.random() < 0.5 else x for x in escaped)
        ways = [escaped.encode()]
        if c in short:
            ways.append(b"\\" + short[c].encode())
        if c not in '"\\' and c >= " ":
            ways.append(c.encode())
        out += choose.choice(ways)
    return b'"' + out + b'"'


PATTERNS = ["^[ab]*$", "a", "^.{2,3}$", r"^\W+$", "^(?!a)", "[^\\x00-\\x7f]", '^["\\\\/]*$', ""]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PATTERNS), st.text(CHARACTERS, max_size=5), st.integers(0, 3), st.integers(0, 2**32))
def test_a_string_counts_when_its_value_does(pattern: str, text: str, low: int, seed: int) -> None:
    chars = CharDFA.from_node(parse_ecma(pattern), search=True)
    free = json_string(chars, min_chars=low, max_chars=4)
    canonical = json_string(chars, min_chars=low, max_chars=4, escapes="canonical")
    # The dialects agree on these patterns and texts but for what a dot leaves out and where `$` stands.
    python = pattern.replace(".", r"[^\n\r\u2028\u2029]").replace("$", r"\Z")
    expected = low <= len(text) <= 4 and re.search(python, text, re.A) is not None
    data = spelled(text, random.Random(seed))
    assert json.loads(data) == text
    assert free.matches(data) == expected
    dumped = json.dumps(text, ensure_ascii=False).encode()
    assert dumped == json_string_literal(text)
    assert canonical.matches(dumped) == expected
    assert free.matches(dumped) == expected
    assert canonical.matches(data) == (expected and data == dumped)


PIECES = [
    b"\\",
    b"u",
    b'"',
    b"00",
    b"1f",
    b"d83d",
    b"\\ude00",
    b"dc00",
    b"D8",
    b"\\n",
    b"a",
    b"\x1f",
    b"\x7f",
]
PIECES += [b"\xc3\xa9", b"\xed\xa0\x80", b"\xff", b"/", b"E9", b"\\u", b"\\ud83d"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=5).map(b"".join))
def test_any_string_is_what_a_parser_reads(body: bytes) -> None:
    data = b'"' + body + b'"'
    try:
        value = json.loads(data.decode())
        expected = isinstance(value, str) and not any(0xD800 <= ord(c) < 0xE000 for c in value)
    except ValueError:
        expected = False
    assert json_string().matches(data) == expected
    canonical = expected and json_string_literal(json.loads(data)) == data
    assert json_string(escapes="canonical").matches(data) == canonical


def test_all_code_points_are_spelled() -> None:
    free, canonical = json_char("free"), json_char("canonical")
    probes = {0, 0x1F, 0x20, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF, 0x1F600}
    for c in sorted(probes | set(range(0x180))):
        whole = json_string_literal(chr(c))[1:-1]
        units = chr(c).encode("utf-16-be").hex()
        escaped = "".join("\\u" + units[i : i + 4] for i in range(0, len(units), 4)).encode()
        assert free.matches(whole)
        assert free.matches(escaped)
        assert canonical.matches(whole)
        assert canonical.matches(escaped) == (whole == escaped)


@pytest.mark.parametrize("escapes", ["free", "canonical"])
def test_a_string_is_quotes_around_characters(escapes: str) -> None:
    quote = literal(b'"')
    built = concat(quote, star(json_char(escapes)), quote)  # type: ignore[arg-type]
    assert built.digest == json_string(escapes=escapes).digest  # type: ignore[arg-type]


def test_lengths_count_code_points() -> None:
    one = json_string(min_chars=1, max_chars=1)
    assert one.matches(rb'"\ud83d\ude00"')
    assert one.matches('"😀"'.encode())
    assert not one.matches(b'"ab"')
    assert not one.matches(b'""')
    assert json_string(min_chars=3, max_chars=2).is_empty
    assert json_string(parse_ecma("a{3}"), max_chars=2).is_empty


def test_char_automata_combine() -> None:
    a = CharDFA.from_node(parse_ecma("^[a-f]+$"), search=True)
    b = CharDFA.from_node(parse_ecma("c"), search=True)
    texts = ["", "a", "c", "abc", "fcf", "x", "xc", "😀c", "ff"]
    assert [t for t in texts if a.intersect(b).matches(t)] == ["c", "abc", "fcf"]
    assert [t for t in texts if a.difference(b).matches(t)] == ["a", "ff"]
    assert [t for t in texts if a.union(b).matches(t)] == ["a", "c", "abc", "fcf", "xc", "😀c", "ff"]
    assert [t for t in texts if a.complement().matches(t)] == ["", "x", "xc", "😀c"]
    assert a.intersect(a.complement()).is_empty
    assert CharDFA.anything().complement().is_empty
    assert CharDFA.anything().complement().complement().matches("any")
    assert not CharDFA.anything().matches("\ud800")
    assert [t for t in texts if a.bounded(2, 2).matches(t)] == ["ff"]


@pytest.mark.parametrize("pattern", ["^[a-f]+$", "c", "^(?:ab|cd)*$", "^$", "", "^(?!a)b?", r"^\d{2,5}é*$"])
def test_complements_are_minimal_without_being_minimised(pattern: str) -> None:
    a = CharDFA.from_node(parse_ecma(pattern), search=True)
    for made, wanted in (
        (a.complement(), CharDFA.anything().difference(a)),
        (a.complement().complement(), a),
    ):
        assert made.trans.tolist() == wanted.trans.tolist()
        assert made.final.tolist() == wanted.final.tolist()
        assert made.partition.starts.tolist() == wanted.partition.starts.tolist()
        assert made.partition.class_of.tolist() == wanted.partition.class_of.tolist()


def test_finite_languages_are_counted_and_listed() -> None:
    few = CharDFA.from_node(parse_ecma("^(a|b)?[x-z]$"), search=True)
    assert few.is_finite
    assert few.count_language(9) == 9
    assert few.count_language(8) is None
    assert list(few.iter_strings()) == ["x", "y", "z", "ax", "ay", "az", "bx", "by", "bz"]
    assert not CharDFA.anything().is_finite
    assert CharDFA.anything().count_language(10**9) is None
    assert CharDFA.lengths(1, 1).count_language(10**9) == 0x110000 - 2048
    assert CharDFA.lengths(2, 1).count_language(0) == 0
    for lang in (few, CharDFA.lengths(0, None), CharDFA.lengths(2, 1), CharDFA.lengths(1, 3)):
        for longest in range(4):
            short = lang.bounded(0, longest)
            for limit in (0, 1, 2, 3, 1000, 1 << 30):
                count = short.count_language(limit)
                assert lang.count_short(longest, limit) == (limit if count is None else count)
