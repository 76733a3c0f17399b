"""The oracles are held against each other, against `re`, against lark, and against tables made by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

import lark
import pytest

from structgen.ir import (
    Alt,
    Expr,
    GrammarIR,
    Lit,
    Member,
    Members,
    Pat,
    Ref,
    Rep,
    Rest,
    Seq,
    Term,
    Terminal,
)

from . import derivative as d
from .earley import any_cut
from .longest import Longest
from .mask import mask
from .spelled import to_dfa, to_pattern
from .words import prefixes, words

A, B = d.word(b"a"), d.word(b"b")
AB = d.alt(A, B)
a, b, empty = Lit(b"a"), Lit(b"b"), Lit(b"")
S, R = Ref("s"), Ref("r")
TEXTS = [bytes(w) for n in range(7) for w in product(b"ab", repeat=n)]


def regexes(size: int) -> list[d.Regex]:
    """All of the size, made of a, b, the empty word and the operators."""
    if size == 1:
        return [A, B, d.EPSILON, d.NOTHING]
    made: list[d.Regex] = [d.Star(r) for r in regexes(size - 1)]
    for left in range(1, size - 1):
        for x, y in product(regexes(left), regexes(size - 1 - left)):
            made += [d.cat(x, y), d.alt(x, y)]
    return list(dict.fromkeys(made))


def grammar(s: Expr, r: Expr | None = None) -> GrammarIR:
    """One or two rules."""
    return GrammarIR({"s": s} | ({"r": r} if r is not None else {}), "s")


def terminal(name: str, r: d.Regex, priority: int = 0, literal: bool = False) -> Terminal:
    """A terminal of a regex."""
    return Terminal(name, to_dfa(r), priority, literal)


def lexed(body: Expr, *terminals: Terminal, ignore: tuple[str, ...] = ()) -> GrammarIR:
    """A grammar of the longest discipline, with one rule."""
    return GrammarIR({"s": body}, "s", {t.name: t for t in terminals}, ignore, "longest")


class TestDerivative:
    def test_agrees_with_re(self) -> None:
        for r in {r for size in range(1, 5) for r in regexes(size)}:
            pattern = re.compile(to_pattern(r).encode())
            for text in TEXTS:
                assert d.matches(r, text) == bool(pattern.fullmatch(text)), (r, text)

    def test_a_prefix_is_what_a_member_begins_with(self) -> None:
        for r in regexes(4):
            begun = prefixes(t for t in TEXTS if d.matches(r, t))
            for text in TEXTS[:31]:
                assert d.is_prefix(r, text, b"ab") == (text in begun), (r, text)

    def test_boolean_operators(self) -> None:
        for x, y in product(regexes(3), repeat=2):
            for text in TEXTS[:31]:
                in_x, in_y = d.matches(x, text), d.matches(y, text)
                assert d.matches(d.both(x, y), text) == (in_x and in_y)
                assert d.matches(d.both(x, d.inverse(y)), text) == (in_x and not in_y)

    def test_repeat(self) -> None:
        for low, high in [(0, 0), (0, 2), (1, None), (2, 4), (3, 3)]:
            for n in range(7):
                assert d.matches(d.repeat(A, low, high), b"a" * n) == (
                    low <= n <= (99 if high is None else high)
                )

    def test_automaton(self) -> None:
        for r in [*regexes(4), d.both(d.Star(AB), d.inverse(d.cat(d.Star(AB), A)))]:
            dfa = to_dfa(r)
            alive = d.live(d.derivatives(r, b"ab"))
            assert dfa.is_empty == (r not in alive)
            assert not dfa.trans[0].any()
            assert not dfa.final[0]
            for text in TEXTS[:63]:
                assert dfa.matches(text) == d.matches(r, text)
                assert bool(dfa.run(text)) == d.is_prefix(r, text, b"ab")

    def test_code_points(self) -> None:
        r = d.Star(d.Chars(frozenset(map(ord, "aß∀😀"))))
        assert d.matches(r, map(ord, "∀a😀"))
        assert not d.matches(r, map(ord, "∃"))


KEYS = [b"b", b"ab", b"aab"]
REST = Rest(to_dfa(d.cat(d.Star(A), B)), a)
RESTS = (Rest(to_dfa(d.cat(A, d.Star(A), B)), a), Rest(to_dfa(B), b))
MARKED = (Rest(REST.key, a, 0), Rest(REST.key, b))


def all_members() -> list[Members]:
    """Every combination of few members, their order, counts and the rest."""
    return [
        Members(
            tuple(Member(k, t, r) for k, t, r in zip(KEYS, (empty, a, b), wanted, strict=False)),
            sep,
            rest,
            low,
            high,
            o,
        )
        for n in range(4)
        for wanted in product((False, True), repeat=n)
        for sep in ((a, empty) if n < 3 else (a,))
        for rest in ((), (REST,), RESTS, MARKED)
        for low, high in ((0, None), (2, None), (0, 1), (1, 2), (2, 1), (0, 0))
        for o in (False, True)
    ]


CONTEXT_FREE: dict[str, tuple[GrammarIR, Callable[[bytes], object]]] = {
    "a^n b^n": (
        grammar(Alt((Seq((a, S, b)), empty))),
        lambda t: t == b"a" * (len(t) // 2) + b"b" * (len(t) // 2),
    ),
    "palindromes": (grammar(Alt((Seq((a, S, a)), Seq((b, S, b)), a, b, empty))), lambda t: t == t[::-1]),
    "ambiguous": (grammar(Alt((Seq((S, S)), a))), lambda t: re.fullmatch(b"a+", t)),
    "as many": (
        grammar(Alt((Seq((a, S, b, S)), Seq((b, S, a, S)), empty))),
        lambda t: t.count(b"a") == t.count(b"b"),
    ),
    "hidden left recursion": (
        grammar(Alt((Seq((R, S, a)), b)), Alt((empty, b))),
        lambda t: re.fullmatch(b"b+a*", t) and t.count(b"b") <= t.count(b"a") + 1,
    ),
    "cycle": (grammar(Alt((S, R, a)), Alt((S, Seq((S, R)), empty, b))), lambda t: True),
    "right recursion": (grammar(Alt((Seq((a, S)), b))), lambda t: re.fullmatch(b"a*b", t)),
    "unproductive": (
        grammar(Alt((Seq((a, R)), Seq((b, S)), a)), Seq((a, R))),
        lambda t: re.fullmatch(b"b*a", t),
    ),
    "empty language": (grammar(Seq((a, S))), lambda t: False),
    "empty parts": (grammar(Seq((R, R, S, R)), empty), lambda t: False),
    "empty alternatives": (grammar(Alt(())), lambda t: False),
    "only the empty text": (grammar(Seq(())), lambda t: not t),
    "at least two": (grammar(Rep(Alt((a, empty)), 2)), lambda t: re.fullmatch(b"a*", t)),
    "separated": (grammar(Rep(a, 1, 3, b)), lambda t: re.fullmatch(b"a(ba){0,2}", t)),
    "bounds that cross": (grammar(Rep(a, 3, 2)), lambda t: False),
}


X, Y = Term("X"), Term("Y")
LARK: dict[str, tuple[Expr, Expr | None, dict[str, d.Regex]]] = {
    's: s s | "a" | "b" s': (Alt((Seq((S, S)), a, Seq((b, S)))), None, {}),
    's: r s r |\nr: "a" | "ab" |': (Alt((Seq((R, S, R)), empty)), Alt((a, Lit(b"ab"), empty)), {}),
    's: X s Y | X?\nX: "a" | "ab"\nY: /b+/': (
        Alt((Seq((X, S, Y)), Rep(X, 0, 1))),
        None,
        {"X": d.alt(A, d.cat(A, B)), "Y": d.repeat(B, 1, None)},
    ),
    "s: (X Y?)+ s | Y\nX: /ab?/\nY: /ba?/": (
        Alt((Seq((Rep(Seq((X, Rep(Y, 0, 1))), 1), S)), Y)),
        None,
        {"X": d.alt(A, d.cat(A, B)), "Y": d.alt(B, d.cat(B, A))},
    ),
    "s: X ~ 1..3 Y\nX: /a|b/\nY: /ab|b/": (
        Seq((Rep(X, 1, 3), Y)),
        None,
        {"X": AB, "Y": d.alt(B, d.cat(A, B))},
    ),
}


class TestEarley:
    @pytest.mark.parametrize("name", CONTEXT_FREE)
    def test_by_hand(self, name: str) -> None:
        g, wanted = CONTEXT_FREE[name]
        oracle = any_cut(g)
        for text in TEXTS:
            assert oracle.is_member(text) == bool(wanted(text)), text
        assert words(g, b"ab", 6) == set(filter(wanted, TEXTS))
        begun = prefixes(words(g, b"ab", 9))
        for text in TEXTS[:31]:
            assert oracle.is_prefix(text) == (text in begun), text

    def test_agrees_with_derivatives(self) -> None:
        def expr(r: d.Regex) -> Expr:
            match r:
                case d.Chars(symbols):
                    return Alt(tuple(Lit(bytes([s])) for s in symbols))
                case d.Cat(items):
                    return Seq(tuple(map(expr, items)))
                case d.Or(items):
                    return Alt(tuple(map(expr, items)))
                case d.Star(item):
                    return Rep(expr(item))
            raise AssertionError(r)

        for r in regexes(5)[::7]:
            for body in (expr(r), Pat(to_dfa(r)), Seq((Pat(to_dfa(r)), empty))):
                oracle = any_cut(grammar(body))
                for text in TEXTS[:31]:
                    assert oracle.is_member(text) == d.matches(r, text), (r, text)
                    assert oracle.is_prefix(text) == d.is_prefix(r, text, b"ab"), (r, text)

    def test_members(self) -> None:
        for e in all_members():
            g = grammar(Seq((e, Alt((empty, b)))))
            oracle = any_cut(g)
            known = words(g, b"ab", 7)
            begun = prefixes(words(g, b"ab", 11)) if len(e.members) < 2 else None
            for text in TEXTS:
                assert oracle.is_member(text) == (text in known), (e, text)
                if text in known:
                    assert all(oracle.is_prefix(text[:n]) for n in range(len(text)))
                if begun is not None and len(text) < 4:
                    assert oracle.is_prefix(text) == (text in begun), (e, text)

    def test_ignored_terminals_stand_around_every_terminal(self) -> None:
        x, y = terminal("X", A), terminal("Y", d.cat(B, B))
        g = GrammarIR({"s": Alt((Seq((Term("X"), S)), empty))}, "s", {"X": x, "Y": y}, ("Y",))
        oracle = any_cut(g)
        for text in TEXTS:
            assert oracle.is_member(text) == bool(re.fullmatch(b"(a|bb)*", text)), text
        assert words(g, b"ab", 6) == {t for t in TEXTS if re.fullmatch(b"(a|bb)*", t)}

    @pytest.mark.parametrize("text", LARK)
    def test_agrees_with_lark(self, text: str) -> None:
        s, r, terminals = LARK[text]
        g = GrammarIR(grammar(s, r).rules, "s", {n: terminal(n, x) for n, x in terminals.items()})
        parser = lark.Lark(text, start="s", parser="earley", lexer="dynamic_complete")
        oracle = any_cut(g)
        for t in TEXTS[1:63]:
            try:
                parser.parse(t.decode())
                wanted = True
            except lark.exceptions.LarkError:
                wanted = False
            assert oracle.is_member(t) == wanted, t


NUMBER = d.repeat(d.Chars(frozenset(b"0123456789")), 1, None)
LETTERS = d.repeat(d.Chars(frozenset(b"abcdefghijklmnopqrstuvwxyz")), 1, None)


class TestLongest:
    def check(self, g: GrammarIR, members: str, others: str) -> None:
        """Words, with a blank between them; ``_`` stands for the empty one."""
        oracle = Longest(g, b"", 0)
        for wanted, row in ((True, members), (False, others)):
            for text in (t.replace("_", "").encode() for t in row.split(" ") if t):
                assert oracle.is_member(text) == wanted, text
                assert (oracle.witness(text, 0) == text) == wanted, text

    def test_a_longer_match_is_waited_for(self) -> None:
        fraction = terminal("FRACTION", d.cat(NUMBER, d.word(b"."), NUMBER))
        g = lexed(
            Rep(Alt((Term("NUMBER"), Term("FRACTION"), Term("DOTS"))), 1),
            terminal("NUMBER", NUMBER),
            fraction,
            terminal("DOTS", d.word(b".."), literal=True),
        )
        self.check(g, "1..2 1.5..2 1.5 12 1.. ..1.2", "1. 1...2 . _ 1.5.")

    def test_both_readings_live_until_the_longer_completes_or_dies(self) -> None:
        x = d.word(b"x")
        g = lexed(
            Seq((Term("AAA"), Rep(Alt((Term("ABZ"), Term("BX")))))),
            terminal("AAA", d.word(b"aaa")),
            terminal("ABZ", d.cat(d.repeat(A, 1, None), d.repeat(B, 1, None), d.word(b"z"))),
            terminal("BX", d.cat(d.repeat(B, 1, None), x)),
        )
        self.check(g, "aaabbx aaa aaaabz aaabbxaabzbx", "aaabb aaabbz aabbx aaaaabz_x")
        every = lexed(Rep(Alt((Term("AAA"), Term("ABZ"), Term("BX")))), *g.terminals.values())
        self.check(every, "aaabbx aaabbz aabz bx aaaaaabx _", "aaabb aabbx abb")

    def test_priority_wins_whatever_the_length(self) -> None:
        if_, name = terminal("IF", d.word(b"if"), 2, True), terminal("NAME", LETTERS)
        both = lexed(Rep(Alt((Term("IF"), Term("NAME"))), 1), if_, name)
        self.check(both, "iffy if fifi", "_")
        one = lexed(Term("NAME"), if_, name)
        self.check(one, "iffy if", "_")
        ends_in_if = lexed(Seq((Rep(Term("IF"), 0, 1), Term("NAME"))), if_, name)
        self.check(ends_in_if, "iffy ififi xif", "if")
        self.check(lexed(Alt((Term("IF"), Term("NAME"))), if_, name), "if fif", "iffy ifi")

    def test_a_literal_wins_over_a_pattern_of_its_length(self) -> None:
        if_, name = terminal("IF", d.word(b"if"), 0, True), terminal("NAME", LETTERS)
        self.check(lexed(Alt((Seq((Term("IF"), Term("NAME"))), Term("NAME"))), if_, name), "iffy i fi", "if")
        pattern = terminal("IF", d.word(b"if"))
        self.check(lexed(Alt((Seq((Term("IF"), Term("NAME"))), Term("NAME"))), pattern, name), "iffy if", "_")

    def test_equal_winners_are_all_kept(self) -> None:
        x, y = terminal("X", A), terminal("Y", d.alt(A, B))
        g = lexed(Alt((Seq((Term("X"), Term("X"))), Seq((Term("Y"), Term("Y"), Term("Y"))))), x, y)
        self.check(g, "aa aaa aba bbb", "ab a aaaa bb")

    def test_each_reading_has_its_own_candidates(self) -> None:
        x, y = terminal("X", A), terminal("Y", A)
        long, short = terminal("LONG", d.cat(B, B)), terminal("SHORT", B)
        g = lexed(
            Alt(
                (
                    Seq((Term("X"), Term("SHORT"), Term("SHORT"))),
                    Seq((Term("Y"), Term("LONG"), Term("SHORT"))),
                )
            ),
            x,
            y,
            long,
            short,
        )
        self.check(g, "abb abbb", "ab abbbb")
        one_reading = Alt((Seq((Term("SHORT"), Term("SHORT"))), Seq((Term("LONG"), Term("X")))))
        self.check(lexed(Seq((Term("X"), one_reading)), x, long, short), "abba", "abb")

    def test_an_empty_language_that_no_local_rule_sees(self) -> None:
        g = lexed(Seq((Term("A"), Term("B"))), terminal("A", d.repeat(A, 1, None)), terminal("B", A))
        oracle = Longest(g, b"ab", 8)
        assert list(oracle.members()) == []
        assert not oracle.is_prefix(b"")
        assert oracle.witness(b"", 30) is None

    def test_only_what_can_follow_competes(self) -> None:
        g = lexed(Seq((Term("A"), Term("B"))), terminal("A", A), terminal("B", d.repeat(A, 1, None)))
        self.check(g, "aa aaaa", "a _")

    def test_ignored_terminals_compete(self) -> None:
        blank = terminal("BLANK", d.repeat(d.word(b"_"), 1, None))
        g = lexed(
            Seq((Term("A"), Term("A"))),
            terminal("A", d.alt(A, d.cat(A, d.word(b"_")))),
            blank,
            ignore=("BLANK",),
        )
        for text, wanted in [
            (b"aa", 1),
            (b"__a_a__", 1),
            (b"a__a_", 1),
            (b"a", 0),
            (b"", 0),
            (b"___", 0),
            (b"aaa", 0),
        ]:
            assert Longest(g, b"", 0).is_member(text) == bool(wanted), text

    def test_the_search_agrees_with_the_definition(self) -> None:
        pool = [d.repeat(A, 1, None), d.cat(A, B), AB, d.cat(d.Star(B), A), B, d.cat(A, A, B)]
        bodies: list[Expr] = [
            Rep(Alt((Term("X"), Term("Y"), Term("Z")))),
            Seq((Rep(Term("X"), 1), Term("Y"), Rep(Term("Z"), 0, 1))),
            Alt((Seq((Term("X"), S, Term("Y"))), Term("Z"))),
        ]
        for n, (x, y, z) in list(enumerate(product(pool, repeat=3)))[::2]:
            terminals = terminal("X", x, n % 2), terminal("Y", y, 0, n % 3 == 0), terminal("Z", z)
            oracle = Longest(lexed(bodies[n % 3], *terminals, ignore=("Z",) if n % 5 == 0 else ()), b"ab", 8)
            for text in TEXTS[:63]:
                assert oracle.is_member(text) == (oracle.witness(text, 0) is not None), (n, text)
                assert oracle.is_prefix(text) == (oracle.witness(text, 8 - len(text)) is not None), (n, text)

    def test_a_text_past_the_bound_is_refused(self) -> None:
        with pytest.raises(ValueError, match="3 bytes"):
            Longest(lexed(Term("A"), terminal("A", A)), b"a", 2).is_prefix(b"aaa")


def test_mask() -> None:
    oracle = any_cut(grammar(Alt((Seq((a, S, b)), empty))))
    vocabulary = [b"a", b"b", b"ab", b"abb", None, b"", b"aab", b"a"]
    assert mask(oracle, b"", vocabulary, (6,)) == [True, False, True, False, False, True, True, True]
    assert mask(oracle, b"aa", vocabulary, (6,)) == [True, True, True, True, False, True, False, True]
    assert mask(oracle, b"ab", vocabulary, {0, 6}) == [True, False, False, False, False, True, True, False]
