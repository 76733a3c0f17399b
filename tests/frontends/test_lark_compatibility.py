"""The languages of Lark text are lark's, where lark's way of cutting text is the longest match."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product
from random import Random

import pytest
from lark import Lark
from lark.exceptions import LarkError

from structgen.errors import GrammarError
from structgen.frontends.lark_grammar import lark_to_ir
from structgen.frontends.library import find_grammar
from tests.oracles.earley import any_cut
from tests.oracles.longest import Longest

GRAMMARS = {
    "sums": ('start: sum\nsum: N | sum "+" N | "(" sum ")"\nN: /[01]+/\n%ignore " "', "01+( )"),
    "keyword": ('start: ("if" NAME | NAME "=" NAME)*\nNAME: /[if]+/\n%ignore /s+/', "if=s"),
    "repeats": ('start: (A~2..3 | B~2 [C])~1..2\nA: "a"\nB: "b"\nC: "c"', "abc"),
    "template": ('start: list{A, ","}\nlist{x, sep}: [x (sep x)*]\nA: /a+/ | "b"', "ab,"),
    "prefixes": ('start: (X | "<" | "<=" | "==")+\nX: /x/i', "<=xX"),
    "priority": ('start: (IF | NAME)+\nIF.2: "ab"\nNAME: /[abc]+/', "abc"),
    "imported": ("start: (INT | SIGNED_INT)+\n%import common (INT, SIGNED_INT)\n%ignore /,/", "1+-,"),
    "extended": ('start: a b\na: "x"\n%extend a: "y"\nb: "x"\n%override b: a "z"?', "xyz"),
    "string": ('start: ESCAPED_STRING ("," ESCAPED_STRING)*\n%import common.ESCAPED_STRING', '"\\a,'),
}


def words(alphabet: str, length: int) -> list[str]:
    return ["".join(letters) for n in range(length + 1) for letters in product(alphabet, repeat=n)]


def takes(parser: Lark, text: str) -> bool:
    try:
        parser.parse(text)
    except LarkError:
        return False
    return True


@pytest.mark.parametrize("name", GRAMMARS)
def test_longest(name: str) -> None:
    text, alphabet = GRAMMARS[name]
    parser = Lark(text, parser="lalr", lexer="contextual")
    reads = Longest(lark_to_ir(text), b"", 0).reads
    for word in words(alphabet, 5 if len(alphabet) < 4 else 4):
        assert reads((), word.encode()) == takes(parser, word), word


@pytest.mark.parametrize("name", [n for n in GRAMMARS if n not in ("priority", "string")])
def test_any(name: str) -> None:
    """Every way of cutting counts, as with lark's dynamic_complete lexer.

    Left out: there, priorities still choose, and a lazy quantifier is a greedy one.
    """
    text, alphabet = GRAMMARS[name]
    parser = Lark(text, parser="earley", lexer="dynamic_complete")
    earley = any_cut(lark_to_ir(text, lexing="any"))
    for word in words(alphabet, 4 if len(alphabet) < 5 else 3):
        assert earley.is_member(word.encode()) == takes(parser, word), word


@pytest.mark.parametrize("name", ["json", "arithmetic"])
def test_shipped_grammars_mean_the_same_to_lark(name: str) -> None:
    text = find_grammar(name).read_text()
    parser = Lark(text, parser="lalr", lexer="contextual")
    reads = Longest(lark_to_ir(text), b"", 0).reads
    for word in words({"json": '"{}:,1[ ', "arithmetic": "1x+*( )"}[name], 4):
        assert reads((), word.encode()) == takes(parser, word), word


def some_expression(random: Random, size: int) -> str:
    """Lark text of an expression over "a", B, r and a template."""
    if size <= 1:
        return random.choice(['"a"', "B", "r", 't{"a", B}', "t{r, B}"])
    shape = random.randrange(6)
    left = some_expression(random, size // 2)
    if shape < 2:
        return f"{left} {some_expression(random, size - size // 2)}"
    if shape < 4:
        return f"({left} | {some_expression(random, size - size // 2)})"
    if shape == 4:
        return f"[{left}]"
    return f"({left}){random.choice(['?', '*', '+', '~2', '~0..2', '~1..3'])}"


def test_random_rules() -> None:
    """Expressions of every shape mean what they mean to lark, which unrolls and reads them on its own."""
    random = Random(20240229)
    tried = 0
    while tried < 60:
        body = some_expression(random, random.randint(2, 7))
        text = f'start: {body}\nr: "c" | "c" r\nt{{x, y}}: x [y]\nB: "b" | "ab"\n'
        try:
            parser = Lark(text, parser="earley", lexer="dynamic_complete")
        except LarkError:
            continue  # lark refuses a rule that it expands to the same alternative twice.
        tried += 1
        earley = any_cut(lark_to_ir(text, lexing="any"))
        for word in words("abc", 4):
            assert earley.is_member(word.encode()) == takes(parser, word), (body, word)


LARKS_OWN = {
    f.name: f.read_text() for f in (files("lark") / "grammars").iterdir() if f.name.endswith(".lark")
}


@pytest.mark.parametrize(
    ("name", "start", "line", "words"),
    [
        ("python", "file_input", "match_stmt:", "terminal _INDENT is only declared"),
        ("python", "string", "STRING:", "looks beyond its end"),
        ("python", "number", "DEC_NUMBER:", "looks beyond its end"),
        ("lark", "start", "OP:", "looks beyond its end"),
        ("common", "start", None, "no rule 'start'"),
    ],
)
def test_what_is_not_taken_of_larks_own_grammars_is_refused_by_name(
    name: str, start: str, line: str | None, words: str
) -> None:
    text = LARKS_OWN[f"{name}.lark"]
    with pytest.raises(GrammarError) as caught:
        lark_to_ir(text, start=start)
    assert words in caught.value.message
    if line is not None:
        assert caught.value.line is not None
        assert text.splitlines()[caught.value.line - 1].startswith(line)


def test_the_rest_of_larks_own_grammars_is_taken() -> None:
    """Rules of python.lark that need no indentation, every terminal of common.lark and unicode.lark."""
    terminals = {"python": ["LONG_STRING", "FLOAT_NUMBER", "IMAG_NUMBER", "NAME", "_NEWLINE", "COMMENT"]}
    for name in ("common", "unicode"):
        found = re.findall(r"^([A-Z]\w*) *:", LARKS_OWN[f"{name}.lark"], re.MULTILINE)
        terminals[name] = found
    for name, names in terminals.items():
        assert names
        for terminal in names:
            ir = lark_to_ir(f"start: {terminal}\n%import {name}.{terminal}")
            assert not ir.terminals[terminal].dfa.is_empty
    ir = lark_to_ir("start: global_stmt\n%import python.global_stmt")
    reads = Longest(ir, b"", 0).reads
    assert reads((), b"globala,match")
    assert not reads((), b"global a")


def test_python_but_for_what_looks_beyond() -> None:
    text = (
        "%import python (expr, STRING, DEC_NUMBER)\nstart: expr\n%ignore / +/\n"
        "%override STRING: /'[^']*'/\n%override DEC_NUMBER: /[0-9]+/\n"
    )
    reads = Longest(lark_to_ir(text), b"", 0).reads
    for accepted in ("x", "f(a, *b, k=1)[2:3] + -y ** 2", "[i for i in x if i]", "{'a': 0x1F, **d}", "not_a"):
        assert reads((), accepted.encode()), accepted
    for rejected in ("", "x y", "f(", "1 +", "[1, 2", "not a"):
        assert not reads((), rejected.encode()), rejected
