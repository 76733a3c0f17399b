"""Captures: of all ways to read a text the preferred one, by listing them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

import pytest

import structgen as sg
from structgen.captures import with_marks
from structgen.grammar import Grammar
from structgen.ir import Alt, Capture, Expr, GrammarIR, Lit, Mark, Ref, Rep, Seq
from structgen.limits import Limits

VOCABULARY = sg.Vocabulary([*(bytes([b]) for b in range(256)), None, None], (257,), specials={"<x>": 256})
Events = tuple[int | str, ...]


def matcher_of(text: str, **options: object) -> sg.GrammarMatcher:
    return sg.compile(sg.Grammar.from_lark(text, **options), VOCABULARY).matcher()  # type: ignore[arg-type]


def captured(text: str, *written: str | int, **options: object) -> dict[str, list[str]]:
    matcher = matcher_of(text, **options)
    for part in written:
        assert matcher.accept_token(part) if isinstance(part, int) else matcher.accept_bytes(part.encode())
    return {name: [part.decode() for part in parts] for name, parts in matcher.captures().items()}


PEOPLE = """
start: (person ";")*
person[capture]: name [":" age]
name[capture="who"]: NAME+
age[capture]: NUMBER
NAME: /[a-z]+/
NUMBER: /[0-9]+/
%ignore / +/
"""


@pytest.mark.parametrize("lexing", ["longest", "any"])
def test_parts_are_captured_without_the_blanks_around_them(lexing: str) -> None:
    found = captured(PEOPLE, " ada  l : 36 ; bob ;", lexing=lexing)
    assert found == {"person": ["ada  l : 36", "bob"], "who": ["ada  l", "bob"], "age": ["36"]}


@pytest.mark.parametrize("lexing", ["longest", "any"])
def test_what_may_still_grow_is_not_complete(lexing: str) -> None:
    assert captured(PEOPLE, "ada", lexing=lexing) == {}
    assert captured(PEOPLE, "ada:", lexing=lexing) == {"who": ["ada"]}
    assert captured(PEOPLE, "ada:3", lexing=lexing) == {"who": ["ada"]}
    assert captured(PEOPLE, "ada;b", lexing=lexing) == {"person": ["ada"], "who": ["ada"]}
    year = 'start: y "-" y\ny[capture]: /[0-9]{4}/'
    assert captured(year, "2024", lexing=lexing) == {"y": ["2024"]}
    assert captured(year, "2024-20", lexing=lexing) == {"y": ["2024"]}


@pytest.mark.parametrize("lexing", ["longest", "any"])
def test_the_text_as_if_it_ended_here(lexing: str) -> None:
    text = "start: n\nn[capture]: /[0-9]+/"
    assert captured(text, "12", lexing=lexing) == {"n": ["12"]}
    matcher = matcher_of(text, lexing=lexing)
    assert matcher.captures() == {}
    assert matcher.accept_bytes(b"12")
    assert matcher.accept_token(257)
    assert matcher.captures() == {"n": [b"12"]}
    matcher.rollback(2)
    assert matcher.captures() == {}


def test_a_suffix_is_no_part_of_it() -> None:
    text = 'start: t "!" \nt[capture, suffix="</t>"]: /(.|\\n)*/'
    assert captured(text, "a < b</t>!") == {"t": ["a < b"]}
    assert captured(text, "</t>") == {"t": [""]}
    assert captured(text, "a </t") == {}


def test_special_tokens_are_no_text() -> None:
    text = "start: a <x> b\na[capture]: /[a-z]+/\nb[capture]: /[a-z]+/ <x>"
    assert captured(text, "ab", 256, "cd", 256, lexing="any") == {"a": ["ab"], "b": ["cd"]}


def test_recursive_rules_are_captured_at_every_depth() -> None:
    text = 'start: list\nlist[capture]: "(" list* ")"'
    assert captured(text, "(()(()))") == {"list": ["(()(()))", "()", "(())", "()"]}


def test_blocks_of_an_indented_text_are_refused() -> None:
    """A newline brings indents and dedents along at once: no mark could come between them."""
    text = """
start: line+
line: NAME _NL | NAME ":" _NL block
block[capture]: _INDENT line+ _DEDENT
NAME: /[a-z]+/
_NL: /(\\n *)+/
%declare _INDENT _DEDENT
%indent _NL _INDENT _DEDENT
"""
    with pytest.raises(sg.GrammarError, match="4:1: rule block cannot be captured"):
        sg.Grammar.from_lark(text)


def test_captures_of_grammars_inside_a_grammar() -> None:
    inner = sg.Grammar.from_lark("start: d+\nd[capture]: /[0-9]/", lexing="any")
    text = 'start: a @n\na[capture="first"]: "x"\n'
    assert captured(text, "x12", lexing="any", grammars={"n": inner}) == {"first": ["x"], "d": ["1", "2"]}


def test_captures_of_a_structural_tag() -> None:
    call = {"type": "json_schema", "json_schema": {"type": "object"}, "capture": "arguments"}
    tag = {"begin": "<f>", "content": call, "end": "</f>"}
    think = {"type": "any_text", "capture": "thought"}
    spec = {
        "type": "sequence",
        "elements": [
            {"type": "tag", "begin": "<think>", "content": think, "end": "</think>"},
            {"type": "triggered_tags", "triggers": ["<f>"], "tags": [tag]},
        ],
    }
    matcher = sg.compile(sg.Grammar.from_structural_tag(spec), VOCABULARY).matcher()
    assert matcher.accept_bytes(b'<think>so <f></think> a <f>{"b": 1}</f> c <f>{}</f>.')
    assert matcher.captures() == {"thought": [b"so <f>"], "arguments": [b'{"b": 1}', b"{}"]}


def test_an_empty_part_is_a_part() -> None:
    text = 'start: "(" x ")" x?\nx[capture]: "a"?'
    assert captured(text, "()", lexing="any") == {"x": ["", ""]}
    assert captured(text, "(a)", lexing="any") == {"x": ["a", ""]}


def test_a_grammar_without_captures_has_none() -> None:
    matcher = matcher_of("start: A\nA: /a/")
    assert matcher.accept_bytes(b"a")
    assert matcher.captures() == {}


def test_a_full_cache_is_begun_again() -> None:
    text = 'start: (x ";")*\nx[capture]: /[a-z]+/ | "(" x ")"'
    grammar = sg.Grammar.from_lark(text, lexing="any")
    matcher = sg.compile(grammar, VOCABULARY, Limits(max_heap_bytes=1)).matcher()
    assert matcher.accept_bytes(b"ab;((c));" * 3)
    assert matcher.captures() == {"x": [b"ab", b"((c))", b"(c)", b"c"] * 3}


# Every way to read a text -----------------------------------------------------------------------------


def ways(ir: GrammarIR, e: Expr, text: str, at: int, depth: int = 0) -> Iterator[tuple[int, Events]]:
    """Where a reading of ``e`` can end, with the marks and letters it passes."""
    if depth > 12:
        return
    if isinstance(e, Lit):
        if text.startswith(e.data.decode(), at):
            yield at + len(e.data), tuple(e.data.decode())
    elif isinstance(e, Mark):
        yield at, (e.number,)
    elif isinstance(e, Ref):
        yield from ways(ir, ir.rules[e.rule], text, at, depth + 1)
    elif isinstance(e, Alt):
        for item in e.items:
            yield from ways(ir, item, text, at, depth)
    elif isinstance(e, Seq):
        if not e.items:
            yield at, ()
            return
        for end, first in ways(ir, e.items[0], text, at, depth):
            for last, rest in ways(ir, Seq(e.items[1:]), text, end, depth):
                yield last, first + rest
    elif isinstance(e, Rep):
        if e.min == 0:
            yield at, ()
        if e.max != 0:
            fewer = Rep(e.item, max(e.min - 1, 0), None if e.max is None else e.max - 1)
            for end, first in ways(ir, e.item, text, at, depth):
                if end > at or e.min > 0:
                    for last, rest in ways(ir, fewer, text, end, depth + (end == at)):
                        yield last, first + rest


def preferred(ir: GrammarIR, text: str) -> dict[str, list[str]] | None:
    """Of all readings the one that, from left to right, begins parts early and ends them late.

    Of two captures that could begin or end at one place, the one that the grammar names first.
    """
    marked = with_marks(ir)
    readings = [w for end, w in ways(marked, Ref(ir.start), text, 0) if end == len(text)]
    if not readings:
        return None

    def order(reading: Events) -> list[tuple[int, int]]:
        return [*((1, 0) if isinstance(e, str) else (2 * (e % 2), e) for e in reading), (1, 0)]

    best = min(readings, key=order)
    found: dict[str, list[str]] = {}
    for start, _, end, number in sorted(spans_of(best)):
        if start == end:
            continue  # How often nothing is repeated has no answer.
        found.setdefault(ir.captures[number].name, []).append(text[start:end])
    return found


def spans_of(reading: Events) -> Iterator[tuple[int, int, int, int]]:
    begun: list[tuple[int, int]] = []
    at = 0
    for order, e in enumerate(reading):
        if isinstance(e, str):
            at += 1
        elif e % 2 == 0:
            begun.append((at, order))
        else:
            start, opened = begun.pop()
            yield start, opened, at, e // 2


def some_expression(random: Random, size: int) -> Expr:
    if size <= 1:
        return random.choice([Lit(b"a"), Lit(b"b"), Lit(b""), Ref("x"), Ref("y")])
    left = some_expression(random, size // 2)
    shape = random.randrange(5)
    if shape < 4:
        right = some_expression(random, size - size // 2)
        return (Seq if shape < 2 else Alt)((left, right))
    return random.choice([Rep(left), Rep(left, 1), Rep(left, 0, 1), Rep(left, 2, 3)])


def test_the_preferred_reading_of_random_grammars() -> None:
    random = Random(99)
    compared = 0
    for _ in range(100):
        rules: dict[str, Expr] = {"s": some_expression(random, random.randint(2, 7))}
        # Rules that do not call each other: all readings are then few enough to be listed.
        for name in ("x", "y"):
            leaf = random.choice([Lit(b"a"), Lit(b"ab"), Rep(Lit(b"b")), Alt((Lit(b"a"), Lit(b"aa")))])
            rules[name] = random.choice([leaf, Rep(leaf, 0, 1), Seq((leaf, Lit(b"b")))])
        ir = GrammarIR(rules, "s", captures=(Capture("x", "x"), Capture("y", "y")))
        try:
            compiled = sg.compile(Grammar(ir), VOCABULARY)
        except sg.GrammarError:
            continue
        for letters in (p for n in range(5) for p in product("ab", repeat=n)):
            text = "".join(letters)
            wanted = preferred(ir, text)
            matcher = compiled.matcher()
            if wanted is None or not (matcher.accept_bytes(text.encode()) and matcher.is_accepting()):
                continue
            found: dict[str, list[str]] = {}
            for name, parts in matcher.captures().items():
                if any(parts):
                    found[name] = [part.decode() for part in parts if part]
            assert found == wanted, (rules, text)
            compared += 1
    assert compared > 300


def test_a_reading_with_too_many_tokens_is_none() -> None:
    text = 'start: a "." b\na[capture, max_tokens=3]: /[a.]+/\nb[capture, max_tokens=4]: /[a.]+/'
    for written, wanted in (("a.a.a", ("a.a", "a")), ("a.aa.a", ("a", "aa.a")), ("aa.aaaa", ("aa", "aaaa"))):
        matcher = matcher_of(text, lexing="any")
        for letter in written:
            assert matcher.accept_token(ord(letter))
        assert matcher.captures() == {"a": [wanted[0].encode()], "b": [wanted[1].encode()]}
    empty = 'start: "(" x ")" x\nx[capture, max_tokens=2]: "a"?'
    assert captured(empty, "()", lexing="any") == {"x": ["", ""]}
    assert captured(empty, "(a)", lexing="any") == {"x": ["a", ""]}
    nested = 'start: list+\nlist[capture, max_tokens=4]: "(" list* ")"'
    assert captured(nested, "(", "()", ")", "()", lexing="any") == {"list": ["(())", "()", "()"]}
