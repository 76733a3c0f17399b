"""Patterns in the syntax of ECMA-262."""

from __future__ import annotations

import re
import sys

import pytest

from structgen.errors import GrammarError
from structgen.regex import compile_match, compile_search, parse_ecma
from structgen.regex.ast import Chars
from structgen.regex.unicode import category, unicode_property


@pytest.mark.parametrize(
    ("pattern", "found", "not_found"),
    [
        ("^a+$", ["a", "aaa"], ["", "ab", "a\n", "\na"]),
        ("a", ["a", "xax", "\n a"], ["", "b"]),
        ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
        ("(^a|,b)c", ["acx", "x,bc"], ["xac", "bc"]),
        (".", ["a", "😀", "\x85"], ["", "\n", "\r", "\u2028", "\u2029"]),
        ("^.$", ["😀"], ["ab"]),
        (r"^\d$", ["5"], ["٣"]),
        (r"^\w$", ["a", "_", "Z"], ["é", "-"]),
        (r"^\s$", [" ", "\ufeff", "\u00a0", "\v", "\u2029"], ["\x1c", "\x85"]),
        (r"^\S$", ["\x85", "é"], ["\ufeff"]),
        (r"^[\w-]+\-\_\/\@$", ["a-b-_/@"], ["a b"]),
        (r"^[\w-.]$", ["-", ".", "a"], ["/"]),
        (r"^]{}x{,}?$".replace("{,}?", ""), ["]{}x"], ["]x"]),
        ("^a{x$", ["a{x"], ["a"]),
        ("^a{1$", ["a{1"], ["a"]),
        ("^a{2}b{1,}c{0,1}$", ["aab", "aabbc"], ["ab", "aabcc"]),
        ("^[]a$", [], ["a", ""]),
        ("^[^]$", ["a", "\n"], [""]),
        (r"^[\b]$", ["\b"], ["b"]),
        (r"^\cJ\x41\u0042\u{43}\0$", ["\nABC\0"], ["\nABC0"]),
        (r"^\ud83d\ude00$", ["😀"], []),
        (r"^\u{1F600}$", ["😀"], []),
        (r"^\p{Lu}\p{L}\P{L}$", ["Éa1"], ["éa1", "Éaa"]),
        (r"^\p{General_Category=Nd}\p{gc=Decimal_Number}$", ["٣3"], ["aa"]),
        (r"^[\p{ASCII}--[a]$", ["-", "["], []),
        (r"\bfoo\b", ["foo", "a foo.", "éfoo"], ["foob", "_foo"]),
        (r"^(?!foo|bar$).*$", ["", "fo", "barn"], ["foo", "food", "bar"]),
        (r"^(?=.*[A-Z])(?=.*\d).{4,}$", ["aB3d", "1XXX"], ["B3d", "abcd", "ABCD"]),
        (r"(?<=\$)\d+(?!\.)", ["$1"], ["1", "$1.", "€1"]),
        (r"(?<!a)b", ["b", "cb", "abb"], ["ab", "a"]),
        (r"^(?<year>\d{4})-(?<month>\d\d)$", ["2024-05"], ["2024-5"]),
        ("^(?:a|b|)c??$", ["", "a", "bc"], ["ab"]),
        ("^(?i:stra)x$", ["STRAx", "straX".replace("X", "x")], ["STRAX"]),
        ("$^", [""], ["a"]),
        ("^$", [""], ["a", "\n"]),
        ("", ["", "a"], []),
    ],
)
def test_what_is_found(pattern: str, found: list[str], not_found: list[str]) -> None:
    dfa = compile_search(parse_ecma(pattern))
    assert [t for t in found if not dfa.matches(t.encode())] == []
    assert [t for t in not_found if dfa.matches(t.encode())] == []


def test_flags() -> None:
    assert compile_match(parse_ecma("straße", "iu")).matches("STRAẞE".encode())
    assert compile_match(parse_ecma("K", "i")).matches("\u212a".encode())
    assert compile_match(parse_ecma(".", "s")).matches(b"\n")
    lines = compile_search(parse_ecma("^b$", "m"))
    assert lines.matches(b"a\nb\rc")
    assert not lines.matches(b"a\nbc")
    with pytest.raises(GrammarError, match="flag 'q' is not supported"):
        parse_ecma("a", "q")


@pytest.mark.parametrize(
    ("pattern", "column", "words"),
    [
        ("a(b", 2, "never closed"),
        ("ab)", 3, "closes no group"),
        ("a[b", 2, "class is never closed"),
        ("a**", 3, "nothing before this *"),
        ("*", 1, "nothing before this *"),
        ("^*", 2, "nothing here can be repeated"),
        ("(?<=a)+", 7, "nothing here can be repeated"),
        ("a++", 3, "possessive"),
        ("{2}", 1, "nothing before this quantifier"),
        ("a{3,2}", 2, "write {2,3}"),
        ("a{,3}", 2, "write {0,3}"),
        ("[b-a]", 2, "out of order"),
        ("ab\\", 3, "a backslash ends the pattern"),
        (r"\Afoo", 1, "write ^ for the start"),
        (r"foo\Z", 4, "write $ for the end"),
        (r"\h", 1, "is not an escape of ECMA-262"),
        (r"(a)\1", 4, "a back reference is not regular"),
        (r"\k<n>", 1, "a back reference is not regular"),
        (r"\1", 1, "is not an escape"),
        (r"\07", 1, "is not an escape"),
        (r"\x4", 1, "needs 2 hexadecimal digits"),
        (r"\u12", 1, "needs 4 hexadecimal digits"),
        (r"\u{110000}", 1, "beyond the last code point"),
        (r"\u{zz}", 1, "needs hexadecimal digits"),
        (r"\c1", 1, "needs a letter"),
        (r"a\p{Script=Greek}", 2, r"\p{Script=Greek} is not supported; general categories are"),
        (r"\p{Emoji}", 1, "is not supported"),
        (r"\pL", 1, "a property is written"),
        ("(?i)a", 1, "write (?i:...) around it"),
        ("(?P<n>a)", 1, "writes (?<name>...)"),
        ("(?<1>a)", 1, "not an identifier"),
        ("(?>a)", 1, "atomic group"),
        ("(?#x)", 1, "this kind of group is not of ECMA-262"),
        ("a{99999999999}{2}", 15, "nothing before this quantifier"),
        ("a{" + "9" * 5000 + "}", 2, "too many digits"),
    ],
)
def test_errors_say_what_and_where(pattern: str, column: int, words: str) -> None:
    with pytest.raises(GrammarError, match=re.escape(words)) as caught:
        parse_ecma(pattern)
    assert (caught.value.line, caught.value.column, caught.value.text) == (1, column, pattern)


def test_nesting_has_no_depth_at_which_it_fails() -> None:
    deep = compile_match(parse_ecma("(" * 10_000 + "ab" + ")" * 10_000))
    assert deep.digest == compile_match(parse_ecma("ab")).digest
    either = compile_match(parse_ecma("(a|" * 5_000 + "b" + ")?" * 5_000))
    assert either.digest == compile_match(parse_ecma("[ab]?")).digest


def test_general_categories_are_those_of_the_interpreter() -> None:
    import unicodedata

    for name in ("Lu", "L", "Cn", "Sc", "LC"):
        wanted = ("Lu", "Ll", "Lt") if name == "LC" else (name,)
        members = {c for lo, hi in category(name) for c in range(lo, hi + 1)}
        expected = {
            c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)).startswith(wanted)
        }  # fmt: skip
        assert members == expected
    assert unicode_property("Script=Latin") is None


def test_a_class_may_hold_surrogates_but_no_text_does() -> None:
    node = parse_ecma(r"[\ud800-\udfff]")
    assert isinstance(node, Chars)
    assert compile_match(node).is_empty
    everything = compile_match(parse_ecma(r"[^]"))
    assert not everything.matches(b"\xed\xa0\x80")
