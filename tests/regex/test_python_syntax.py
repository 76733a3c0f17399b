"""Patterns in Python's syntax against `re` itself."""

from __future__ import annotations

import itertools
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.errors import GrammarError
from structgen.regex import CharDFA, compile_match, compile_search, parse_python
from structgen.regex.ast import Chars
from structgen.regex.unicode import ignore_case

TEXTS = ["".join(t) for n in range(6) for t in itertools.product("ab", repeat=n)]
EVERYTHING = "".join(chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000)


def assert_as_re(pattern: str, texts: list[str], flags: int = 0) -> None:
    expected = re.compile(pattern, flags)
    tree = parse_python(pattern, flags)
    match, search = compile_match(tree), compile_search(tree)
    for text in texts:
        data = text.encode()
        assert match.matches(data) == (expected.fullmatch(text) is not None), (pattern, text)
        assert search.matches(data) == (expected.search(text) is not None), (pattern, text)


def small_patterns(size: int) -> list[str]:
    """All patterns of ``size`` symbols over a, b and the operators."""
    levels: list[list[str]] = [[], ["a", "b", ".", "[^a]", "^", "$"]]
    for n in range(2, size + 1):
        found = [f"(?:{p}){q}" for p in levels[n - 1] for q in ("*", "+", "?", "{2}", "{1,2}", "{2,}", "*?")]
        found += [f"({look}{p})" for p in levels[n - 1] for look in ("?=", "?!")]
        for k in range(1, n - 1):
            for p, q in itertools.product(levels[k], levels[n - 1 - k]):
                found += [f"(?:{p}|{q})", p + q]
        levels.append(found)
    return [p for level in levels for p in level]


def test_all_small_patterns() -> None:
    patterns = small_patterns(3)
    assert len(patterns) > 400
    for pattern in patterns:
        assert_as_re(pattern, TEXTS)


# Python before 3.14 says that \B does not match the empty text; \B is left to a test of its own.
ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "", "^", "$", r"\b", r"\A", r"\Z", "a"])
BEHINDS = st.sampled_from(["a", "b", "ab", "[ab]b", "(?=a).", "a$", "^a", r"\b", "(?<!b)a", "(?!b).", "a|b"])


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    # Without {2,}: nested in each other and around empty matches, `re` backtracks for minutes.
    quantifiers = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,2}", "*?", "{0}"])
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda p: f"(?:{p[0]}|{p[1]})"),
        st.tuples(inner, quantifiers).map(lambda p: f"(?:{p[0]}){p[1]}"),
        st.tuples(st.sampled_from(["?=", "?!"]), inner).map(lambda p: f"({p[0]}{p[1]})"),
        st.tuples(st.sampled_from(["?<=", "?<!"]), BEHINDS).map(lambda p: f"({p[0]}{p[1]})"),
    )


@settings(max_examples=400, deadline=None)
@given(st.recursive(ATOMS, _wider, max_leaves=8))
def test_random_patterns_with_assertions(pattern: str) -> None:
    assert_as_re(pattern, TEXTS)


PARTS = ["k", "é", "ß", "[a-z]", "[^\\W\\d]", r"\w", r"\d", r"\s", r"\S", "(?i:k)", "(?-i:K)", "(?a:\\w)"]
PARTS += ["[À-ÿ]", "(?s:.)", ".", "[\\d_-]", "𝒳", "[\\x00-\\U0001F600]", "(?m:^)", "(?m:$)"]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(PARTS), max_size=4).map("".join),
    st.lists(st.text(st.sampled_from("kK\u212aßẞéÉ1٣_ \n\x1c\u2028𝒳Àÿſs"), max_size=5), max_size=8),
    st.sampled_from([0, re.I, re.S, re.M, re.A, re.I | re.A]),
)
def test_classes_and_flags(pattern: str, texts: list[str], flags: int) -> None:
    assert_as_re(pattern, texts, flags)


# Not (?a:\S): the search of `re` filters by the class outside the group first, and misses U+00A0.
@pytest.mark.parametrize("pattern", [r"\w", r"\d", r"\s", r"\W", r"[^\s\d]", r".", r"(?a:\w)", r"(?a)\S"])
def test_a_class_holds_what_re_says_over_all_code_points(pattern: str) -> None:
    node = parse_python(pattern)
    assert isinstance(node, Chars)
    members = [
        c for lo, hi in node.ranges for c in range(lo, hi + 1) if not 0xD800 <= c < 0xE000
    ]  # fmt: skip
    assert "".join(map(chr, members)) == "".join(re.findall(pattern, EVERYTHING))


def test_ignoring_case_is_as_in_re_for_every_letter() -> None:
    related: dict[str, set[str]] = {}
    for c in map(chr, range(0x20000)):
        near = {x for x in (c.lower(), c.upper(), c.casefold(), c.title(), c.upper().lower()) if len(x) == 1}
        for x in near - {c}:
            related.setdefault(c, {c}).update(near)
            related.setdefault(x, {x}).update(near | {c})
    assert len(related) > 2500
    for c, near in related.items():
        expected = re.compile(re.escape(c), re.I)
        members = {chr(x) for lo, hi in ignore_case(((ord(c), ord(c)),)) for x in range(lo, hi + 1)}
        for x in near | members:
            assert (x in members) == (expected.fullmatch(x) is not None), (c, x)


def test_a_look_behind_before_a_search_goes_on() -> None:
    # The subset of "found, whatever follows" was once taken for another one with a neighbouring hash.
    assert_as_re("(?<=ab).", TEXTS)


def test_lazy_quantifiers_and_names_change_nothing() -> None:
    plain = compile_match(parse_python("(a+)(b*)(c?)d{2,3}"))
    lazy = compile_match(parse_python("(?P<x>a+?)(?:b*?)(c??)d{2,3}?"))
    assert plain.digest == lazy.digest


def test_not_a_boundary_is_met_by_the_empty_text() -> None:
    # As in Python 3.14 and in ECMA-262; earlier versions of Python make an exception of this one text.
    assert compile_match(parse_python(r"\B")).matches(b"")
    assert not compile_search(parse_python(r"\B")).matches(b"a")


def test_dollar_allows_one_last_newline_in_a_search_only() -> None:
    tree = parse_python("^a$")
    assert compile_search(tree).matches(b"a\n")
    assert not compile_search(tree).matches(b"a\n\n")
    assert not compile_match(tree).matches(b"a\n")
    assert not compile_search(parse_python(r"\Aa\Z")).matches(b"a\n")


@pytest.mark.parametrize(
    ("pattern", "column", "words"),
    [
        ("a(b", 2, "unterminated subpattern"),
        ("a**", 3, "multiple repeat"),
        ("ab[c", 3, "unterminated character set"),
        (r"\p{L}", 1, r"bad escape \p"),
        (r"(a)\1", 1, "a back reference is not regular"),
        ("a++", 1, "a possessive quantifier"),
        ("(?>a)", 1, "an atomic group"),
        ("(a)?(?(1)b|c)", 1, "a conditional group"),
        ("(" * 10_000 + ")" * 10_000, 1, "nested too deeply"),
        ("a{99999999999999999999}", 1, "repetition number is too large"),
    ],
)
def test_errors_say_what_and_where(pattern: str, column: int, words: str) -> None:
    with pytest.raises(GrammarError, match=re.escape(words)) as caught:
        parse_python(pattern)
    assert (caught.value.line, caught.value.column, caught.value.text) == (1, column, pattern)


def test_an_error_on_a_later_line_says_which() -> None:
    with pytest.raises(GrammarError) as caught:
        parse_python("(?x)\na\n  (b")
    assert (caught.value.line, caught.value.column) == (3, 3)


def test_inverted_is_every_other_text() -> None:
    tree = parse_python("a*")
    other = compile_match(tree, invert=True)
    assert [t for t in TEXTS if other.matches(t.encode())] == [t for t in TEXTS if "b" in t]
    assert other.matches("é".encode())
    assert not other.matches(b"\xff")
    assert CharDFA.from_node(tree, invert=True).complement().matches("aaa")
