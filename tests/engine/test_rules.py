"""What is known of a grammar before its automata are built, and grammars as deep as a user may write them."""

from __future__ import annotations

import pytest

import structgen as sg
from structgen.grammar import Grammar
from structgen.ir import Alt, Expr, GrammarIR, Lit, Ref, Rep, Seq, Term, Terminal
from structgen.regex import compile_match, literal, parse_python
from structgen.rules.analysis import analyse
from structgen.rules.calls import cycles, rules_on_cycles
from structgen.rules.recursion import INLINE, SmallRules
from structgen.rules.repetition import Repetitions

VOCABULARY = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))
A, B = Lit(b"a"), Lit(b"b")


def known(rules: dict[str, Expr], start: str = "s") -> dict[str, tuple[bool, bool, str]]:
    """Of each rule: it can be finished, it may be empty, the letters with which it begins."""
    facts = analyse(GrammarIR(rules, start), sg.Limits())
    return {
        name: (
            facts.productive[k],
            facts.nullable[k],
            "".join(chr(b) for b in range(256) if facts.first[k] >> b & 1),
        )
        for name, k in facts.rule.items()
    }


def test_facts_travel_around_a_cycle() -> None:
    rules: dict[str, Expr] = {
        "s": Seq((Ref("t"), Ref("u"))),
        "t": Alt((Seq((Ref("u"), Ref("s"))), Lit(b""))),
        "u": Alt((Seq((A, Ref("t"))), Seq((Ref("t"), B)))),
        "unused": Ref("undefined"),
    }
    assert known(rules) == {"s": (True, False, "ab"), "t": (True, True, "ab"), "u": (True, False, "ab")}


def test_what_never_ends_is_not_productive() -> None:
    rules: dict[str, Expr] = {"s": Alt((Ref("t"), A)), "t": Seq((B, Ref("t")))}
    assert known(rules) == {"s": (True, False, "a"), "t": (False, False, "")}


def test_one_expression_in_several_rules() -> None:
    shared = Seq((Ref("t"), B))
    rules: dict[str, Expr] = {"s": Seq((Ref("u"), shared)), "t": Alt((A, Seq((shared, A)))), "u": shared}
    assert known(rules) == dict.fromkeys("stu", (True, False, "a"))
    facts = analyse(GrammarIR(rules, "s"), sg.Limits())
    assert rules_on_cycles(facts) == {"t"}


def test_rules_on_cycles_and_small_rules() -> None:
    rules: dict[str, Expr] = {
        "s": Seq((Ref("t"), Ref("x"), Ref("large"))),
        "t": Alt((A, Seq((A, Ref("u"))))),
        "u": Seq((Ref("t"), Ref("x"))),
        "x": Rep(Ref("y"), 0, 1),
        "y": B,
        "large": Seq((A,) * INLINE),
    }
    facts = analyse(GrammarIR(rules, "s"), sg.Limits())
    cyclic = rules_on_cycles(facts)
    assert cyclic == {"t", "u"}
    small = SmallRules(facts, cyclic, Repetitions(48))
    assert {name for name in rules if name in small} == {"s", "x", "y"}


def test_components_come_callees_first() -> None:
    below = {"a": ["b"], "b": ["c", "a"], "c": ["d"], "d": ["d", "e"], "e": []}
    assert [sorted(names) for names in cycles(below)] == [["d"], ["a", "b"]]


@pytest.mark.parametrize("shape", ["chain", "cycle", "left cycle", "nested"])
def test_depth_is_no_matter(shape: str) -> None:
    n = 3000
    rules: dict[str, Expr] = {f"r{i}": Seq((A, Ref(f"r{i + 1}"))) for i in range(n)}
    if shape == "chain":
        rules[f"r{n}"] = B
    elif shape == "cycle":
        rules[f"r{n}"] = Alt((B, Ref("r0")))
    elif shape == "left cycle":
        rules = {f"r{i}": Alt((B, Seq((Ref(f"r{i + 1}"), A)))) for i in range(12)}
        rules["r12"] = Alt((B, Seq((Ref("r0"), B))))
    else:
        inner: Expr = B
        for _ in range(n):
            inner = Seq((A, inner))
        rules = {"r0": inner}
    matcher = sg.compile(sg.Grammar(GrammarIR(rules, "r0")), VOCABULARY).matcher()
    if shape == "left cycle":
        assert matcher.accept_bytes(b"b" + b"a" * 12)
        assert matcher.is_accepting()
    else:
        assert matcher.accept_bytes(b"a" * n)
        assert matcher.expected().next_bytes == ((97, 98) if shape == "cycle" else (98,))
        assert matcher.accept_bytes(b"b")
        assert matcher.is_accepting()


def test_what_is_ignored_and_read_as_well_is_not_cut_from_itself() -> None:
    """After a C no two As can follow: what looks like two of them is one."""
    a = Terminal("A", compile_match(parse_python("a+")))
    terminals = {"A": a, "B": Terminal("B", literal(b"b")), "C": Terminal("C", literal(b"c"))}
    body = Alt((Term("B"), Seq((Term("C"), Term("A"), Term("A")))))
    ir = GrammarIR({"s": body}, "s", terminals, ("A",), "longest")
    matcher = sg.compile(Grammar(ir), VOCABULARY).matcher()
    assert matcher.expected().next_bytes == (ord("a"), ord("b"))


def test_a_word_is_counted_once_though_its_way_passes_the_start_again() -> None:
    """Of a counted repetition, whose automaton is entered where the words of its item begin."""
    for text in ("start: LINE{2,3}", "start: line{2,40}\nline: LINE"):
        grammar = sg.Grammar.from_lark(f"{text}\nLINE: /[^\\n]*\\n/", lexing="any")
        matcher = sg.compile(grammar, VOCABULARY).matcher()
        assert matcher.accept_bytes(b"first\n\n")
        assert matcher.is_accepting()
        assert matcher.accept_bytes(b"third")
        assert not matcher.is_accepting()
    matcher = sg.compile(sg.Grammar.from_lark("start: X{2,3}\nX: /b*a/", lexing="any"), VOCABULARY).matcher()
    assert matcher.accept_bytes(b"bbabba")
    assert matcher.is_accepting()
    assert matcher.accept_bytes(b"bba")
    assert matcher.must_stop()
