"""Special tokens as symbols: they read as a byte does that nothing else writes.

That is also how they are checked: the same grammar, with such a byte in place of each special token, has the
same masks by the oracles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest

import structgen as sg
from structgen.grammar import Grammar
from structgen.ir import Alt, Expr, GrammarIR, Lit, Pat, Ref, Rep, Seq, Special, Term, Terminal
from structgen.regex import compile_match, literal, parse_python
from tests.oracles.longest import Longest
from tests.oracles.mask import Oracle, mask, oracle

from .checking import masked, tables_everywhere

X, Y = Special("<x>"), Special(7)
BYTES = {X: b"\x01", Y: b"\x02"}
TOKENS: list[bytes | None] = [b"a", b"b", b"ab", b"aab", b"ba", None, None, None, None]
STOP = 8
VOCABULARY = sg.Vocabulary(TOKENS, (STOP,), specials={"<x>": 5, "<other>": 6})
SPELLED = [*TOKENS[:5], b"\x01", None, b"\x02", None]


def spelled(e: Expr, lexing: str) -> Expr:
    """``e`` with a byte in place of each special token."""
    if isinstance(e, Special):
        return Lit(BYTES[e]) if lexing == "any" else Term(str(e.token))
    if isinstance(e, Seq | Alt):
        return type(e)(tuple(spelled(item, lexing) for item in e.items))
    if isinstance(e, Rep):
        return replace(e, item=spelled(e.item, lexing))
    return e


def with_bytes(ir: GrammarIR) -> GrammarIR:
    terminals = {str(s.token): Terminal(str(s.token), literal(data)) for s, data in BYTES.items()}
    rules = {name: spelled(body, ir.lexing) for name, body in ir.rules.items()}
    return replace(ir, rules=rules, terminals={**ir.terminals, **terminals}, specials=())


def some_expression(random: Random, size: int, leaves: list[Expr]) -> Expr:
    if size <= 1:
        return random.choice(leaves)
    shape = random.randrange(5)
    left = some_expression(random, size // 2, leaves)
    if shape < 4:
        right = some_expression(random, size - size // 2, leaves)
        return (Seq if shape < 2 else Alt)((left, right))
    return random.choice([Rep(left), Rep(left, 1), Rep(left, 0, 1), Rep(left, 2, 3)])


def terminal(name: str, pattern: str, priority: int = 0) -> Terminal:
    return Terminal(name, compile_match(parse_python(pattern)), priority)


LEXED = [
    terminal("A", "a+"),
    terminal("B", "b"),
    terminal("AB", "aab|ab"),
    terminal("N", "[ab]+"),
    terminal("P", "a", 1),
]


def grammars(lexing: str, n: int) -> Iterator[GrammarIR]:
    random = Random(20261121)
    for _ in range(n):
        if lexing == "any":
            pattern = Pat(compile_match(parse_python(random.choice(["a*", "[ab]+", "(ab)*a", "b?"]))))
            leaves: list[Expr] = [X, Y, X, Lit(b"a"), Lit(b"ab"), pattern, Ref("r")]
            terminals, ignore = {}, ()
        else:
            some = random.sample(LEXED, random.randint(1, 3))
            terminals = {t.name: t for t in some}
            ignore = (random.choice(some).name,) if random.random() < 0.3 else ()
            leaves = [X, *(Term(t.name) for t in some), *(Term(t.name) for t in some), Ref("r")]
        rules = {name: some_expression(random, random.randint(1, 6), leaves) for name in ("s", "r")}
        yield GrammarIR(rules, "s", terminals, ignore, lexing, (X, Y))


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("lexing", ["any", "longest"])
def test_masks_are_those_of_a_byte_that_nothing_else_writes(lexing: str, tables: bool) -> None:
    compared = 0
    for ir in grammars(lexing, 60 if lexing == "any" else 30):
        by_definition = oracle(with_bytes(ir), b"ab\x01", 7)
        try:
            if tables:
                with tables_everywhere():
                    compiled = sg.compile(Grammar(ir), VOCABULARY)
                    compared += compare(compiled, by_definition)
            else:
                compared += compare(sg.compile(Grammar(ir), VOCABULARY), by_definition)
        except sg.GrammarError:
            assert not by_definition.is_prefix(b""), ir
    assert compared > 200


def compare(compiled: sg.CompiledGrammar, by_definition: Oracle) -> int:
    """Walk the tree of all texts of up to four bytes."""
    compared = 0
    todo: list[tuple[sg.GrammarMatcher, bytes]] = [(compiled.matcher(), b"")]
    while todo:
        matcher, text = todo.pop()
        expected = mask(by_definition, text, SPELLED, (STOP,))
        found = masked(matcher, len(TOKENS)).tolist()
        for token, data in enumerate(SPELLED):
            if found[token] and not expected[token] and isinstance(by_definition, Longest):
                # No member up to the bound; perhaps a longer one.
                assert data is not None
                expected[token] = by_definition.witness(text + data, 20, 150) is not None
        assert found == expected, (compiled.grammar.ir, text)
        assert matcher.must_stop() == (sum(found) == found[STOP] == 1)
        compared += 1
        for token, data in enumerate(SPELLED):
            if found[token] and data is not None and len(text + data) <= 4:
                after = matcher.fork()
                assert after.accept_token(token)
                todo.append((after, text + data))
    return compared


def small(body: Expr, **options: object) -> sg.CompiledGrammar:
    return sg.compile(Grammar(GrammarIR({"s": body}, "s", specials=(X, Y), **options)), VOCABULARY)


def test_a_matcher_with_special_tokens() -> None:
    matcher = small(Seq((Lit(b"ab"), X, Rep(Y, 0, 2)))).matcher()
    assert not matcher.accept_token(5)
    assert matcher.forced_bytes() == b"ab"
    assert matcher.accept_token(2)
    assert matcher.forced_bytes() == b""
    assert matcher.expected().specials == ("<x>",)
    assert "token <x>" in str(matcher.expected())
    assert not matcher.must_stop()
    assert matcher.explain(5).allowed
    assert "cannot come here" in matcher.explain(7).reason
    assert "never writes it" in matcher.explain(6).reason
    assert not matcher.accept_bytes(b"<x>")
    assert matcher.validate_tokens([5, 7, 7, 7]) == 3
    for token in (5, 7, 7):
        assert matcher.accept_token(token)
    assert matcher.must_stop()
    assert matcher.text == b"ab"
    matcher.rollback(2)
    assert matcher.expected().specials == ("[7]",)
    assert matcher.is_accepting()


def test_what_is_optional_and_not_there_is_left_out() -> None:
    missing = Special("<missing>", optional=True)
    body = Alt((Seq((Lit(b"a"), missing)), Seq((Lit(b"b"), Alt((missing, X))))))
    ir = GrammarIR({"s": body}, "s", specials=(missing, X))
    matcher = sg.compile(Grammar(ir), VOCABULARY).matcher()
    assert matcher.expected().next_bytes == (ord("b"),)


@pytest.mark.parametrize(
    ("special", "words"),
    [
        (Special("<X>"), "no special token '<X>'; did you mean <x>"),
        (Special("anything"), "it has <other>, <x>"),
        (Special(9), "there is no token 9"),
        (Special(-1), "there is no token -1"),
        (Special(0), "written by text"),
        (Special(8), "8 is a stop token"),
    ],
)
def test_a_name_that_means_nothing_is_refused(special: Special, words: str) -> None:
    ir = GrammarIR({"s": special}, "s", specials=(special,))
    with pytest.raises(sg.GrammarError, match=words):
        sg.compile(Grammar(ir), VOCABULARY)


def test_a_special_token_where_a_line_may_end() -> None:
    grammar = sg.Grammar.from_lark(
        'start: (NAME _NL | NAME <|x|> "!" _NL | NAME ":" _NL _INDENT start _DEDENT)+\n'
        "NAME: /[a-z]+/\n_NL: /\\n */\n%declare _INDENT _DEDENT\n%indent _NL _INDENT _DEDENT\n",
        lexing="longest",
    )
    tokens: list[bytes | None] = [b"a", b"\n", b"!", b":", b" ", None, None]
    vocabulary = sg.Vocabulary(tokens, (6,), specials={"<|x|>": 5})
    matcher = sg.compile(grammar, vocabulary).matcher()

    def allowed(matcher: sg.GrammarMatcher) -> set[int]:
        return set(np.flatnonzero(masked(matcher, len(tokens))).tolist())

    for _ in range(3):
        assert matcher.accept_token(0)
        assert allowed(matcher) == {0, 1, 3, 5, 6}
        other = matcher.fork()
        assert matcher.accept_token(1)
        assert other.accept_token(5)
        assert allowed(other) == {2}
