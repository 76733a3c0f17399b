"""Byte automata: UTF-8, the canonical form, and the operations."""

from __future__ import annotations

import itertools
import random
import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.automata import ByteDFA
from structgen.regex import (
    ANY_CHAR,
    Chars,
    CharSet,
    compile_match,
    concat,
    difference,
    empty_language,
    from_strings,
    from_tables,
    intersect,
    literal,
    parse_ecma,
    parse_python,
    star,
    union,
)
from structgen.regex.ast import charset, set_intersect, set_negate, set_union

STRINGS = [bytes(t) for n in range(6) for t in itertools.product(b"ab", repeat=n)]


def language(dfa: ByteDFA) -> set[bytes]:
    return {s for s in STRINGS if dfa.matches(s)}


def assert_canonical(dfa: ByteDFA) -> None:
    """Trimmed, minimal, numbered breadth-first, classes by their first byte."""
    assert dfa.classes.dtype == np.uint8
    assert dfa.classes.shape == (256,)
    assert dfa.trans.dtype == np.int32
    assert dfa.final.dtype == np.bool_
    assert not dfa.trans[0].any()
    assert not dfa.final[0]
    firsts = [int(np.flatnonzero(dfa.classes == c)[0]) for c in range(dfa.trans.shape[1])]
    assert firsts == sorted(firsts)
    columns = {dfa.trans[:, c].tobytes() for c in range(dfa.trans.shape[1])}
    assert len(columns) == dfa.trans.shape[1]
    seen = [1] if dfa.n_states > 1 else []
    for q in seen:
        seen += [t for t in dict.fromkeys(dfa.trans[q].tolist()) if t and t not in seen]
    assert seen == list(range(1, dfa.n_states))
    # Moore's refinement, by definition: no two states are equal, and none but 0 is dead.
    block = dfa.final.astype(int)
    for _ in range(dfa.n_states):
        keys = [(int(b), tuple(block[row].tolist())) for b, row in zip(block, dfa.trans, strict=True)]
        numbers = {k: i for i, k in enumerate(sorted(set(keys)))}
        block = np.array([numbers[k] for k in keys])
    assert len(set(block.tolist())) == dfa.n_states


CODE_POINTS = st.one_of(
    st.integers(0, 0x10FFFF),
    st.sampled_from([0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]),
)
CHAR_SETS = st.lists(st.tuples(CODE_POINTS, CODE_POINTS).map(sorted).map(tuple), max_size=4).map(charset)


@settings(max_examples=150, deadline=None)
@given(CHAR_SETS, st.lists(CODE_POINTS, max_size=20))
def test_a_set_is_spelled_in_utf8(members: CharSet, probes: list[int]) -> None:
    dfa = compile_match(Chars(members))
    assert_canonical(dfa)
    edges = [c + d for r in members for c in r for d in (-1, 0, 1) if 0 <= c + d <= 0x10FFFF]
    for c in {*probes, *edges}:
        if 0xD800 <= c < 0xE000:
            assert not dfa.matches(chr(c).encode("utf-8", "surrogatepass"))
        else:
            assert dfa.matches(chr(c).encode()) == any(lo <= c <= hi for lo, hi in members)


@settings(max_examples=100, deadline=None)
@given(CHAR_SETS, CHAR_SETS)
def test_set_algebra(a: CharSet, b: CharSet) -> None:
    assert set_negate(set_negate(a)) == a
    assert set_union(a, set_negate(a)) == ANY_CHAR
    assert set_intersect(a, b) == set_negate(set_union(set_negate(a), set_negate(b)))


def test_any_character_is_exactly_well_formed_utf8() -> None:
    dfa = compile_match(parse_python("(?s:.)"))
    interesting = [0, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF]
    interesting += [0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]
    for n in range(5):
        for parts in itertools.product(interesting if n < 4 else interesting[3:], repeat=n):
            data = bytes(parts)
            if n == 4 and data[0] < 0xE0:
                continue
            try:
                expected = len(data.decode()) == 1
            except UnicodeDecodeError:
                expected = False
            if dfa.matches(data) != expected:
                pytest.fail(f"{data!r}: expected {expected}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(a|b)*", "(a*b*)*"),
        ("a(ba)*", "(ab)*a"),
        ("(a|ab)(c|bcd)?", "a|ac|abcd|ab|abc|abbcd"),
        ("[^a]|a", "(?s:.)"),
        ("x{2,4}", "xx(x(x)?)?"),
        ("(x?){3}", "x{0,3}"),
        ("(?!a)[ab]", "b"),
        (r"(?:\w|\W)é?", "(?s:.)é{0,1}"),
        ("(?!)", "a(?!)"),
    ],
)
def test_equal_languages_have_equal_digests(one: str, other: str) -> None:
    a, b = compile_match(parse_python(one)), compile_match(parse_python(other))
    assert_canonical(a)
    assert a.digest == b.digest


DFAS = st.sampled_from(
    ["", "a", "b", "ab", "a*", "(ab)*", "[ab]{2}", "a?b", "(?!)", "b+a", "(a|bb)*", "a{0,3}", "[ab]*ab"]
).map(lambda p: compile_match(parse_python(p)))


@settings(max_examples=150, deadline=None)
@given(DFAS, DFAS, DFAS)
def test_operations_are_those_on_sets(a: ByteDFA, b: ByteDFA, c: ByteDFA) -> None:
    la, lb, lc = language(a), language(b), language(c)
    joined = {x + y + z for x in la for y in lb for z in lc if len(x + y + z) <= 5}
    repeated = {b""}
    for _ in range(5):
        repeated |= {x + y for x in repeated for y in la if len(x + y) <= 5}
    for dfa, expected in (
        (union(a, b, c), la | lb | lc),
        (intersect(a, b), la & lb),
        (difference(a, b), la - lb),
        (concat(a, b, c), joined),
        (star(a), repeated),
    ):
        assert_canonical(dfa)
        assert language(dfa) == expected
    assert difference(a, difference(a, b)).digest == intersect(a, b).digest


def test_operations_at_their_edges() -> None:
    assert union().digest == empty_language().digest
    assert concat().digest == literal(b"").digest
    assert concat(literal(b"a"), empty_language()).is_empty
    assert star(empty_language()).digest == literal(b"").digest
    assert intersect(literal(b"a"), empty_language()).is_empty
    assert difference(literal(b"a"), empty_language()).digest == literal(b"a").digest
    assert literal(b"\xff\x00").matches(b"\xff\x00")
    assert literal(b"ab").digest == compile_match(parse_ecma("ab")).digest


@settings(max_examples=150, deadline=None)
@given(st.sets(st.binary(max_size=5) | st.text("ab", max_size=4).map(str.encode), max_size=12))
def test_from_strings(strings: set[bytes]) -> None:
    dfa = from_strings(sorted(strings, reverse=True))
    assert_canonical(dfa)
    assert dfa.digest == union(*map(literal, sorted(strings))).digest
    probes = strings | {s[:-1] for s in strings} | {s + b"a" for s in strings}
    assert {s for s in probes if dfa.matches(s)} == strings


def test_a_hundred_thousand_strings() -> None:
    random.seed(5)
    strings = [f"{random.getrandbits(40):010x}".encode() for _ in range(100_000)]
    from_strings(strings[:10])
    began = time.perf_counter()
    dfa = from_strings(strings)
    spent = time.perf_counter() - began
    assert all(dfa.matches(s) for s in strings[:200])
    assert not dfa.matches(strings[0] + b"0")
    assert spent < 6  # 0.4 s where it was written; a machine that is busy may take longer


def test_from_tables_trims_merges_and_numbers() -> None:
    classes = np.zeros(256, np.int64)
    classes[ord("a")], classes[ord("b")] = 3, 1
    trans = np.zeros((7, 4), np.int64)
    trans[1, 3], trans[1, 1] = 5, 4
    trans[4, 3] = trans[5, 3] = 2  # 4 and 5 are equal
    trans[5, 1] = 6  # 6 is dead
    trans[6, 2] = 6
    final = np.zeros(7, bool)
    final[2] = True
    dfa = from_tables(classes, trans, final)
    assert_canonical(dfa)
    assert dfa.digest == compile_match(parse_python("[ab]a")).digest
    assert from_tables(classes, trans, np.zeros(7, bool)).is_empty


def test_a_literal_of_the_grammar_is_its_pattern() -> None:
    for text in ("", "é", "a\nb", "😀" * 3):
        assert literal(text.encode()).digest == compile_match(parse_python(re.escape(text))).digest
