"""The dialect takes the texts that lark takes, and its errors say where and what."""

from __future__ import annotations

from importlib.resources import files

import pytest
from lark.exceptions import LarkError
from lark.load_grammar import find_grammar_errors, load_grammar

from structgen.errors import GrammarError
from structgen.frontends.lark_dialect import fold, parse, tokens
from structgen.frontends.library import list_grammars

LARK_GRAMMARS = [f.read_text() for f in (files("lark") / "grammars").iterdir() if f.name.endswith(".lark")]

TAKEN = [
    "",
    "\n\n",
    "// nothing but a comment",
    "# nor here",
    'a: "x"',
    'a: "x" // comment\n',
    'a: "x"\n  | "y"\n\n  | "z"\n',
    "a: b c?\n | d* e+ [f]\n",
    "a: b~2 c~0..3 (d | e)~2..2\n",
    "!a: b\n?b: c\n!?c: d\n?!d: e\n_e: f\n",
    "a.2: b\nA.3: /x/\nB.-1: /y/\n",
    "a: b -> c\n | d -> e\n",
    't{x, y}: x (y x)*\na: t{B, ","} t{"a".."z", t{C, /d/i}}\n',
    "%import common.WS\n%import common (A, B)\n%import .x.y -> z\n%import .x (a, B)\n",
    '%ignore WS\n%ignore /x/ | "y"\n%declare A _B c\n',
    '%override a: b\n%extend A: "x"\n',
    'A: /a\\/b/imsux "\\"" "\\\\" "x"i\n',
    "a: b \\\n   c\n",
    "a:\nb: |\n",
]

REFUSED = [
    ("a: (", 1, 5, "a line break cannot stand here; expected"),
    ("a: b)", 1, 5, "')' cannot stand here"),
    ("a: b\nc: [d\n", 2, 6, "expected"),
    ('Start: "x"', 1, 2, "a name is all lower case (a rule) or all upper case (a terminal)"),
    ("a: 'x'", 1, 4, "double quotes"),
    ("a ::= b", 1, 4, "GBNF"),
    ("a = b", 1, 3, "a rule is written  name: ..."),
    ('a: "x', 1, 4, "not closed on its line"),
    ("a: /x", 1, 4, "not closed by a second '/'"),
    ("\n%json {}", 2, 1, "%json {...} cannot stand here"),
    ("a: %json {1}", 1, 11, "no JSON"),
    ("a: %lark { b: c", 1, 10, "not closed"),
    ("%llguidance {}", 1, 1, "options of llguidance"),
    ("%foo", 1, 1, "the statements are"),
    ("a: b{1,2,3}", 1, 6, "x{2,5}"),
    ('a: "b"{1.2}', 1, 7, "x{2,5}"),
    ("a: < b", 1, 4, "a special token is written"),
    ('a: "x";', 1, 7, "no ';' is needed"),
    ("a: b ~ 3..", 1, 11, "expected a number"),
    ("a: b -> C", 1, 9, "expected a rule name"),
    ("a: b\n c d", 2, 4, "'d' cannot stand here; expected '.', ':', '[' or '{'"),
    ("a: b?c", 1, 5, "leave a space between ? and the next name"),
    ('__a: "x"', 1, 1, "one underscore at most"),
    ("%import", 1, 8, "expected '.', a rule name or a terminal name"),
    ("a: /y/ ~", 1, 9, "expected"),
]


# What the library uses beyond lark's own dialect.
EXTENSIONS = {"conjunction", "negation", "indent", "forbid"}


@pytest.mark.parametrize("text", TAKEN + LARK_GRAMMARS)
def test_takes_what_lark_takes(text: str) -> None:
    assert find_grammar_errors(text) == []
    assert parse(text).data == "start"


@pytest.mark.parametrize("grammar", list_grammars(), ids=lambda g: g.name)
def test_lark_reads_the_library_where_no_extension_is_used(grammar) -> None:
    text = grammar.path.read_text()
    tree = parse(text, str(grammar.path))
    extended = any(t.data in EXTENSIONS for t in tree.iter_subtrees())
    try:
        refused = find_grammar_errors(text) != []
    except LarkError:  # It has found an error, and not where to go on.
        refused = True
    assert refused == extended


@pytest.mark.parametrize(("text", "line", "column", "words"), REFUSED)
def test_refuses_with_a_place_and_words(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(LarkError):
        load_grammar(text, "some.lark", [], False)
    with pytest.raises(GrammarError) as caught:
        parse(text, "some.lark")
    error = caught.value
    assert words in error.message
    assert (error.line, error.column) == (line, column)
    shown = str(error).splitlines()
    assert shown[0].startswith(f"some.lark:{line}:{column}: ")
    assert shown[2] == " " * (column + 1) + "^"


def test_every_name_has_its_place() -> None:
    tree = parse('a: b\n  | (c "d")~2\n')
    assert [(str(t), t.line, t.column) for t in tokens(tree)][:4] == [
        ("a", 1, 1),
        ("b", 1, 4),
        ("c", 2, 6),
        ('"d"', 2, 8),
    ]


def test_deep_nesting_needs_no_stack() -> None:
    depth = 5_000
    tree = parse("a: " + "(" * depth + "b" + ")" * depth)
    nodes = fold(tree, lambda _, below: 1 + sum(below))
    assert nodes > 2 * depth
