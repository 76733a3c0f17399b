"""Indentation as structure: masks over the tree of texts of small grammars are what the definition says.

Families as in `test_exhaustive`, over an alphabet with line breaks, blanks, a bracket pair and a comment
sign: newlines of several patterns, brackets that suspend them, tabs, blocks that rules balance and blocks
that they do not, and tokens that hold line breaks in every place.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import product

import pytest

import structgen as sg
from structgen.grammar import Grammar
from structgen.ir import Alt, Expr, GrammarIR, Indentation, Ref, Rep, Seq, Term, Terminal
from structgen.regex import compile_match, parse_python
from structgen.rules.analysis import analyse
from structgen.rules.viability import certify

from . import strategies as s
from .checking import EXHAUSTIVE, Check, tables_everywhere

ALPHABET = b"a:() \n"
WITH_TABS = b"a:() \t\n"
COMMENTED = b"a#:() \n"
JOINED = b"a\\:() \n"
TEXTS = ["a", ":", "(", ")", " ", "\n", "a\n", ":\n", "\n ", "\n  ", "\n a", "  ", " a", ")\n", "\n)", "(\n"]
TEXTS += [
    "\n\n",
    "a\n a",
    "a:\n ",
    "\n  a\n",
    "\n a:\n  a",
    "\na",
    " \n",
    " \n a",
    "a\n\n a\n  a",
    "()",
    "a(\n",
]
TABBED = ["\t", "\n\t", "\n\ta", "\n \t", " \ta", "\t a", "\n        a", "a:\n\t", "        "]
CONTINUED = ["\\", "\\\n", "a\\\n", "\\\na", "\n\\", "\n \\\n", "\\\n  a", "\n\\\n\n", "\\\n\\\n", " \\\n "]
HASHED = ["#", "#a", "#\n", "\n#", "\n #\n ", "a#", " # a", "#\n a", "\n  #\n a"]

NEWLINES = {
    "lines": r"(\n *)+",
    "tabs": r"(\n[ \t]*)+",
    "comments": r"(\n *|#[^\n]*)+",
    "blanks": r"( *\n)+ *",
    "one line": r"\n *",
    "bare": r"\n",
    "joined": r"(\n((\\\n)+ +| *)((\\\n *)+\n((\\\n)+ +| *))*)+",
}

A, COLON, OPEN, CLOSE = Term("A"), Term(":"), Term("("), Term(")")
N, IN, OUT = Term("N"), Term("IN"), Term("OUT")
BLOCK = Seq((N, IN, Rep(Ref("stmt"), 1), OUT))
E = Ref("e")

RULES: dict[str, dict[str, Expr]] = {
    "blocks": {"s": Rep(Ref("stmt")), "stmt": Alt((Seq((A, N)), Seq((A, COLON, BLOCK))))},
    "brackets": {
        "s": Rep(Ref("stmt"), 1),
        "stmt": Alt((Seq((E, N)), Seq((E, COLON, Alt((BLOCK, Seq((E, N)))))))),
        "e": Alt((A, Seq((OPEN, Rep(E), CLOSE)), Seq((E, OPEN, CLOSE)))),
    },
    "separated": {
        "s": Rep(Ref("stmt"), 1, None, N),
        "stmt": Alt((A, Seq((COLON, N, IN, Ref("s"), OUT)), Seq((COLON, A)))),
    },
    "one block": {"s": Seq((A, COLON, N, IN, A, Rep(Seq((N, A))), Rep(N, 0, 1), OUT, Rep(A, 0, 1)))},
    "leading newlines": {"s": Rep(Alt((N, Ref("stmt")))), "stmt": Seq((A, Alt((N, Seq((COLON, BLOCK))))))},
    "no way out": {"s": Seq((A, N, IN, A, N, A))},
    "no way in": {"s": Seq((A, N, Rep(Seq((OUT, A)), 0, 1), A, Rep(N, 0, 1)))},
    "indent alone": {"s": Seq((Alt((A, Seq((A, N)))), IN, A))},
    "line in brackets": {"s": Seq((OPEN, Alt((A, Seq((A, N, A)))), CLOSE, Rep(N, 0, 2)))},
    "closing alone": {"s": Seq((A, CLOSE, Alt((N, A)), Rep(Seq((IN, A, N, OUT)), 0, 1), A))},
}


@cache
def terminal(name: str, pattern: str, priority: int = 0, literal: bool = False) -> Terminal:
    """A terminal of a regular expression."""
    return Terminal(name, compile_match(parse_python(pattern)), priority, literal, pattern)


def grammar(rules: dict[str, Expr], newline: str, ignore: str = "", tab: int = 8) -> GrammarIR:
    """The rules with a newline of `NEWLINES`; blanks are ignored if ``ignore`` says how many of them.

    Where lines are "joined", a line break behind a backslash is ignored.
    """
    terminals = {
        "A": terminal("A", "a+"),
        ":": terminal(":", ":", 0, True),
        "(": terminal("(", r"\(", 0, True),
        ")": terminal(")", r"\)", 0, True),
        "N": terminal("N", NEWLINES[newline]),
    }
    if ignore:
        terminals["_"] = terminal("_", f" {ignore}")
    ignored = ("_",) if ignore else ()
    if newline == "joined":
        terminals["J"] = terminal("J", r"\\\n")
        ignored += ("J",)
    lines = Indentation("N", "IN", "OUT", ("(",), (")",), tab)
    return GrammarIR(rules, "s", terminals, ignored, "longest", indentation=lines)


def checker(texts: list[str], alphabet: bytes) -> Check:
    """Compares on a vocabulary of these texts, a stop token and one id without text."""
    return Check([None, *map(str.encode, texts), None], (len(texts) + 1,), alphabet)


def report(capsys: pytest.CaptureFixture[str], name: str, check: Check) -> None:
    """Print the totals past pytest's capture, and fail on a difference."""
    with capsys.disabled():
        print(f"\nindentation, {name}: {check.totals}")
    assert not check.totals.differences, "\n\n".join(check.totals.differences[:5])
    assert check.totals.tokens


DEPTH, BOUND = (4, 5) if EXHAUSTIVE else (2, 4)
FAMILIES = {
    "lines": (["lines", "blanks", "one line", "bare"], TEXTS, ALPHABET),
    "tabs": (["tabs"], TEXTS + TABBED, WITH_TABS),
    "comments": (["comments"], TEXTS + HASHED, COMMENTED),
    "joined": (["joined", "lines"], TEXTS + CONTINUED, JOINED),
}


def family(name: str) -> list[GrammarIR]:
    """Every rule set with every newline of a family; in the default run some of them."""
    newlines = FAMILIES[name][0]
    made = [
        grammar(rules, newline, ignore, tab)
        for rules in RULES.values()
        for newline, (ignore, tab) in product(newlines, [("", 8), ("+", 4), ("{1}", 4)])
    ]
    return s.sample(made, 10**9 if EXHAUSTIVE else 4)


@pytest.mark.parametrize("name", FAMILIES)
def test_grammars(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    check = checker(*FAMILIES[name][1:])
    for chosen in family(name):
        check.grammar(chosen, DEPTH, BOUND)
    report(capsys, name, check)


PROVED = (
    "blocks",
    "brackets",
    "leading newlines",
)  # What can be open can always be finished: token groups serve.


@pytest.mark.parametrize("name", FAMILIES)
def test_grammars_with_tables(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    newlines, texts, alphabet = FAMILIES[name]
    check = checker(texts, alphabet)
    with tables_everywhere():
        for rules, newline in product(PROVED if EXHAUSTIVE else PROVED[:2], newlines[:2]):
            chosen = grammar(RULES[rules], newline, "" if newline == "blanks" else "+")
            assert certify(chosen, analyse(chosen, sg.Limits()))
            check.grammar(chosen, DEPTH, BOUND)
    report(capsys, f"{name}, with tables", check)


@pytest.mark.parametrize("name", sorted(set(RULES) - set(PROVED)))
def test_what_is_not_proved(name: str) -> None:
    """Blocks or brackets that no text closes as the rules want it, and lines between lines."""
    chosen = grammar(RULES[name], "lines", "+")
    assert not certify(chosen, analyse(chosen, sg.Limits()))


def accepts(chosen: GrammarIR, text: str) -> bool:
    """The engine's verdict on a whole text, byte by byte."""
    matcher = sg.compile(Grammar(chosen), BYTES).matcher()
    return all(matcher.accept_bytes(bytes([b])) for b in text.encode()) and matcher.is_accepting()


BYTES = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", True),
        ("a", True),
        ("a\n", True),
        (" a", False),
        ("\n\n a", False),
        ("  \na", True),
        ("a:\n a", True),
        ("a:\na", False),
        ("a:\n", False),
        ("a:\n  a\n a", False),
        ("a:\n  a:\n    a\n  a\na", True),
        ("a:\n  a:\n    a\na", True),
        ("a:\n  a:\n    a\n   a", False),
        ("a:\n a\n  ", True),
        ("a:\n\ta\n        a", False),  # One column apart with tabs of one column.
        ("a:\n\ta\n\ta", True),
        ("a:\n \ta\n\ta", False),
        ("a:\n        a:\n\t a", False),
    ],
)
def test_by_hand(text: str, wanted: bool) -> None:
    assert accepts(grammar(RULES["blocks"], "tabs", ""), text) == wanted


def test_what_is_asked_of_the_newline() -> None:
    chosen = grammar(RULES["blocks"], "lines")
    with_semicolon = {**chosen.terminals, "N": terminal("N", ";+")}
    with pytest.raises(sg.GrammarError, match="line feed"):
        accepts(dataclasses.replace(chosen, terminals=with_semicolon), "a")
    with pytest.raises(sg.GrammarError, match="cannot be ignored"):
        accepts(dataclasses.replace(chosen, ignore=("N",)), "a")
