"""Members between brackets, which are built in one piece: each mask is what the definition says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from itertools import product

import pytest

from structgen.ir import Alt, Expr, GrammarIR, Lit, Member, Members, Pat, Ref, Rep, Rest, Seq
from structgen.rules.bracketed import recognise

from ..oracles import derivative as d
from ..oracles.spelled import to_dfa
from . import strategies as s
from .checking import EXHAUSTIVE, Check, tables_everywhere

BLANK = Pat(to_dfa(d.word(b" "), b" "), " ")
TOKENS = (
    *(None if byte is None else bytes([byte]) for byte in (None, *b"{}:,; xy1")),
    *(
        b"{y",
        b"{ ",
        b"{}",
        b"{xy",
        b"y:",
        b":1",
        b"1,",
        b"1}",
        b",y",
        b",xx",
        b",;",
        b", ",
        b"y:1,xy:",
        b"}}",
    ),
    *(b"1 }", b"  ", b" :", b"x,y", b"1,;y", b"{y:{", b"1}}", b"xxxy", b"}, "),
)


Needs = tuple[tuple[bytes, ...], ...]
NONE: Needs = ((), (), ())
NEEDS: list[Needs] = [
    ((b"xy",), (), ()),
    ((b"xy",), (b"y",), ()),
    ((), (b"xxy",), (b"y",)),
    ((b"xy", b"xxy"), (), ()),
]


def bracketed(needs: Needs = NONE) -> list[GrammarIR]:
    """Members between brackets, as in JSON: with and without blanks, with separators of several bytes.

    needs : of each member; those that need others have no order, and no bound
    """
    colon, one, nothing = Lit(b":"), Ref("one"), Alt(())
    some = to_dfa(d.cat(d.Star(d.word(b"x")), d.word(b"y")), b"xy")
    short = to_dfa(d.word(b"y"), b"xy")
    long = to_dfa(d.cat(d.word(b"xx"), d.Star(d.word(b"x")), d.word(b"y")), b"xy")
    rests = [(), (some,), (short,), (long,), (short, long), (long, to_dfa(d.word(b"xy"), b"xy"))]
    keys = (b"y", b"xy", b"xxy")
    gaps: list[Expr | None] = [None, Rep(BLANK, 0, 2), Rep(BLANK, 0, 70)]
    counts = [(1, None), (1, 1), (2, None), (1, 2), (2, 3), (3, None)]
    values = [(one, one, one), (one, Ref("s"), one), (Ref("s"), one, nothing)]
    grammars = []
    for n in range(4):
        for wanted, gap, rest, (low, high), value, separator, ordered, empty in product(
            product((False, True), repeat=n),
            gaps,
            rests,
            counts,
            values,
            (b",", b",;"),
            (False, True),
            (False, True),
        ):
            if needs != NONE and (n < 3 or ordered or high is not None):
                continue
            around: tuple[Expr, ...] = () if gap is None else (Ref("gap"),)
            tails = [v if v is nothing else Seq((*around, colon, *around, v)) for v in value]
            named = tuple(map(Member, keys, tails, wanted, needs))
            rested = tuple(map(Rest, rest, tails[:2]))
            inside = Members(named, Seq((*around, Lit(separator), *around)), rested, low, high, ordered)
            closing = Lit(b"}")
            filled = (inside, *around, closing)
            body = Seq((Lit(b"{"), *around, *((Alt((closing, Seq(filled))),) if empty else filled)))
            rules = {"s": body, "one": Alt((Lit(b"1"), Lit(b"x")))}
            grammars.append(GrammarIR(rules if gap is None else {**rules, "gap": gap}, "s"))
    return grammars


FAMILIES: dict[str, Callable[[], list[GrammarIR]]] = {
    "bracketed": bracketed,
    "bracketed, with needs": lambda: [grammar for needs in NEEDS for grammar in bracketed(needs)],
}


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("name", FAMILIES)
def test_masks(name: str, tables: bool, capsys: pytest.CaptureFixture[str]) -> None:
    check = Check(TOKENS, (0,), alphabet=b"{}:,; xy1")
    chosen = s.sample(FAMILIES[name](), 3000 if EXHAUSTIVE else 150, seed=int(tables))
    with tables_everywhere() if tables else nullcontext():
        for grammar in chosen:
            check.grammar(grammar, depth=6 if "gap" in grammar.rules else 9)
    with capsys.disabled():
        print(f"\n{name}, {tables=}: {check.totals}")
    assert not check.totals.differences, "\n\n".join(check.totals.differences[:5])
    assert check.totals.tokens


def test_the_form_is_recognised() -> None:
    """Else the masks above would say nothing of it."""
    named = [g for family in FAMILIES.values() for g in family() if b"y" in _keys(g)]
    assert len(named) > 1000
    assert all(recognise(grammar.rules["s"]) is not None for grammar in named)


def _keys(grammar: GrammarIR) -> set[bytes]:
    """Keys of members that can come."""
    todo, found = [grammar.rules["s"]], set()
    while todo:
        e = todo.pop()
        if isinstance(e, Seq | Alt):
            todo.extend(e.items)
        elif isinstance(e, Members):
            found |= {member.key for member in e.members if isinstance(member.tail, Seq)}
    return found
