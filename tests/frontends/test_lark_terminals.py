"""Terminals of Lark text: languages, priorities, the literal flag, and what is refused."""

from __future__ import annotations

import itertools
import re
from importlib.resources import files

import pytest
from lark import Lark

from structgen.errors import GrammarError, LimitExceededError
from structgen.frontends.lark_grammar import lark_to_ir
from structgen.ir import Ref, Seq, Term, Terminal
from structgen.limits import Limits


def terminal(definition: str, rest: str = "", name: str = "T") -> Terminal:
    """The terminal of ``T: definition``."""
    return lark_to_ir(f"start: {name}\n{name}: {definition}\n{rest}\n").terminals[name]


def refused(text: str) -> GrammarError:
    with pytest.raises(GrammarError) as caught:
        lark_to_ir(text)
    return caught.value


def larks_pattern(text: str, name: str) -> str:
    """The pattern that lark makes of a terminal."""
    return next(t.pattern.to_regexp() for t in Lark(text).terminals if t.name == name)


LANGUAGES = [
    ('"ab"', "ab", "a|abb|AB"),
    ('"ab"i', "ab|AB|aB", "a"),
    (r'"\n\t\\\"\x41\u00e9"', '\n\t\\"Aé', "\\n"),
    (r'"\d."', "\\d.", "1x"),
    ('"a".."e"', "a|c|e", "f|A|ab"),
    (r'"\x30".."9"', "0|5|9", "a"),
    ('"é".."ü"', "é|ü|ñ", "e"),
    ('"a" | "bc"', "a|bc", "b|c|abc"),
    ('"a" "b" | "c"', "ab|c", "abc|a"),
    ('("a" | "b") "c"', "ac|bc", "c|ab"),
    ('"a"? "b"', "b|ab", "a|aab"),
    ('["a" | "x"] "b"', "b|ab|xb", "axb"),
    ('"a"* "b"+', "b|ab|aabb", "a|ba"),
    ('"a"~3', "aaa", "aa|aaaa"),
    ('"a"~2..3', "aa|aaa", "a|aaaa"),
    ('("a" "b")~2', "abab", "ab|aabb"),
    ("/a.c/", "abc|a.c", "a\nc"),
    ("/a.c/s", "abc|a\nc", "ac"),
    ("/ab/i", "ab|AB", "a"),
    ("/a b #c\n  c/x", "abc", "a b"),
    ("/(?i:a)b/", "ab|Ab", "aB"),
    ("/a\\/b/", "a/b", "a\\/b"),
    (r"/\x28\"[\]\\]+/", '("]|("\\]', '("'),
    (r"/\w+/", "é1_|x", "-"),
    ("/a/i /b/", "ab|Ab", "aB"),
    ("U V", "uvv|uv", "v|u"),
    ("U~2 | V", "uu|v|vv", "u|uv"),
    ("/é|😀/", "é|😀", "e"),
]

AGREE = [
    '"a" (B | "c")* "d"~1..2',
    "B+ | /[cd]/ B",
    '(("a" | B) /c?/)+',
    '["a"] [B] ("c" | "d"~2..3)',
    "/a|b/i /c/ | B~0..2 /d/",
]

LAZY = [
    '".*?"',
    "a.*?b",
    "a.*?b+",
    "a.*?bc*",
    "a.*?b[cd]?",
    "a+?b*",
    "a.*?",
    "a(.|b)*?b|c+",
    "a(b.*?b|c.*)",
    "ab*?c|a*d",
    "a.{1,3}?b",
    "(a.*?b){2}",
    "a(b.*?b|cd*)",
    "a.*?(?=bd)bd",
    r"a.*?(?<!c)(cc)*?b",
]


class TestLanguages:
    @pytest.mark.parametrize(("definition", "members", "others"), LANGUAGES)
    def test_by_hand(self, definition: str, members: str, others: str) -> None:
        dfa = terminal(definition, 'U: "u"\nV: /v+/').dfa
        assert [w for w in members.split("|") if not dfa.matches(w.encode())] == []
        assert [w for w in others.split("|") if dfa.matches(w.encode())] == []

    @pytest.mark.parametrize("definition", AGREE)
    def test_agrees_with_lark(self, definition: str) -> None:
        rest = 'B: /b/ | "A"'
        pattern = larks_pattern(f"start: T\nT: {definition}\n{rest}", "T")
        dfa = terminal(definition, rest).dfa
        for n in range(6):
            for word in map("".join, itertools.product("abcdA", repeat=n)):
                assert dfa.matches(word.encode()) == bool(re.fullmatch(pattern, word)), word

    def test_common(self) -> None:
        """Every terminal of lark's common.lark, against the pattern that lark makes of it."""
        common = (files("lark") / "grammars" / "common.lark").read_text()
        names = re.findall(r"^([A-Z]\w*) *:", common, re.MULTILINE)
        alphabet = ['"', "\\", "a", "F", "7", ".", "e", "-", "\n", " ", "/", "*", "#"]
        assert len(names) > 20
        for name in names:
            text = f"start: {name}\n%import common.{name}\n"
            pattern = re.compile(larks_pattern(text, name))
            dfa = lark_to_ir(text).terminals[name].dfa
            for n in range(1, 5):
                for letters in itertools.product(alphabet, repeat=n):
                    word = "".join(letters)
                    whole = pattern.match(word)
                    expected = whole is not None and whole.end() == n
                    assert dfa.matches(word.encode()) == expected, (name, word)

    def test_a_look_behind_sees_the_part_before(self) -> None:
        dfa = terminal(r'"a" /.*/ /(?<!\\)/ "b"').dfa
        assert [dfa.matches(w) for w in (b"ab", b"axb", b"ax\\b", b"ax\\bb")] == [True, True, False, True]

    def test_shared_parts_cost_once(self) -> None:
        parts = "\n".join(f"T{i}: T{i + 1} | T{i + 1} T{i + 1}" for i in range(6)) + '\nT6: "a"'
        dfa = lark_to_ir(f"start: T0\n{parts}").terminals["T0"].dfa
        assert [n for n in range(70) if dfa.matches(b"a" * n)] == list(range(1, 65))

    def test_automata_have_a_limit(self) -> None:
        with pytest.raises(LimitExceededError, match="max_dfa_states"):
            lark_to_ir("start: T\nT: /[ab]*a[ab]{12}/", limits=Limits(max_dfa_states=1000))


class TestLazy:
    """A lazy quantifier stops where it first can, as the pattern does under `re.match`."""

    @pytest.mark.parametrize("pattern", LAZY)
    def test_agrees_with_re(self, pattern: str) -> None:
        dfa = terminal(f"/{pattern}/").dfa
        for n in range(1, 7):
            for letters in itertools.product('abcd"' if n < 6 else "abc", repeat=n):
                word = "".join(letters)
                whole = re.match(pattern, word)
                assert dfa.matches(word.encode()) == (whole is not None and whole.end() == n), word

    def test_across_parts(self) -> None:
        dfa = terminal('"/*" /.*?/ END /x*/', 'END: "*/"').dfa
        assert all(map(dfa.matches, (b"/**/", b"/* a */xx")))
        assert not any(map(dfa.matches, (b"/**/ */", b"/*/")))


class TestChoice:
    def test_priorities(self) -> None:
        ir = lark_to_ir('start: A B "c"\nA.2: /a/\nB.-1: "b"')
        assert {t.name: t.priority for t in ir.terminals.values()} == {"A": 2, "B": -1, '"c"': 0}

    @pytest.mark.parametrize(
        ("definition", "literal"),
        [
            ('"a"', True),
            ('"a"i', True),
            ('("a")', True),
            ("U", True),
            ("W", True),
            ('"a" "b"', False),
            ('"a" | "b"', False),
            ('"a"~2', False),
            ('"a".."b"', False),
            ("/a/", False),
            ("V", False),
        ],
    )
    def test_literals(self, definition: str, literal: bool) -> None:
        assert terminal(definition, 'U: "u"\nV: /v/\nW: (U)').literal is literal

    def test_anonymous_terminals(self) -> None:
        ir = lark_to_ir('start: "a" "a"i /a/ "b".."c" "\\x61"')
        expected = ['"a"', '"a"i', "/a/", '"b".."c"', '"a"']
        assert ir.rules["start"] == Seq(tuple(map(Term, expected)))
        assert {t.name: t.literal for t in ir.terminals.values()} == {
            '"a"': True,
            '"a"i': True,
            "/a/": False,
            '"b".."c"': False,
        }

    def test_a_literal_is_the_terminal_that_is_named_for_it(self) -> None:
        ir = lark_to_ir('start: "+" /x+/ "-" "+"i\nPLUS.3: "+"\nXS: /x+/\nMINUS: "-" | "~"\nADD: PLUS')
        assert ir.rules["start"] == Seq((Term("ADD"), Term("XS"), Term('"-"'), Term('"+"i')))
        ir = lark_to_ir('start: "+"\nPLUS.3: "+"')
        assert ir.terminals["PLUS"].priority == 3
        assert ir.terminals["PLUS"].literal

    def test_a_terminal_that_an_import_keeps_for_itself_takes_no_literal(self, tmp_path) -> None:
        (tmp_path / "x.lark").write_text('PLUS.3: "+"\nitem: /i/\nother: PLUS\n')
        ir = lark_to_ir('%import .x.item\nstart: item "+"', base_path=tmp_path)
        assert ir.rules["start"] == Seq((Ref("item"), Term('"+"')))
        ir = lark_to_ir('%import .x.other\nstart: other "+"', base_path=tmp_path)
        assert ir.rules["start"].items[1] == Term("x__PLUS")

    def test_text_is_as_written(self) -> None:
        ir = lark_to_ir('start: A "b"i\nA: ("x"\n   | /y/)+ // comment')
        assert ir.terminals["A"].text == '("x" | /y/)+'
        assert ir.terminals['"b"i'].text == '"b"i'


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "place", "words"),
        [
            ("start: A\nA: /a*/", (2, 1), "can match the empty string"),
            ('start: A\nA: "a"?', (2, 1), "A?"),
            ("start: /a*/", (1, 8), "can match the empty string"),
            ('start: ""', (1, 8), "an empty string cannot be a terminal"),
            ("start: A\nA:", (2, 1), "can match the empty string"),
            ("start: A\nA: /[^\\s\\S]/", (2, 1), "can match nothing at all"),
            ("start: A\nA: B\nB: A", (3, 4), "defined by itself (A -> B -> A)"),
            ("start: A\nA: /a/ A | /b/", (2, 8), "defined by itself (A -> A)"),
            ("start: A\nA: /a/ b\nb: /b/", (2, 8), "b is a rule, and a terminal cannot be made of rules"),
            ("start: A\nA: /a/ -> x", (2, 4), "alias"),
            ("start: A\nA: t{/a/}\nt{x}: x", (2, 4), "cannot be made of rules"),
            ("start: /(/", (1, 9), "not a regular expression of Python"),
            ("start: A\nA: /x/ /ab(/", (2, 11), "not a regular expression of Python"),
            ("start: /(a)\\1/", (1, 9), "back reference"),
            ("start: /a/l", (1, 8), "flag l (locale)"),
            ("start: /a\nb/", (1, 8), "needs the flag x"),
            ('start: "z".."a"', (1, 8), "ends are swapped"),
            ('start: "aa".."b"', (1, 8), "from one character to another"),
            ('start: "a"i.."b"', (1, 8), "from one character to another"),
            ('start: "\\ud800"', (1, 8), "stands for no character"),
            ('start: "\\x4"', (1, 8), "stands for no character"),
            ("start: A\nA: /if(?!\\w)/", (2, 1), "looks beyond its end"),
            ("start: /if\\b/", (1, 8), "looks beyond its end"),
            ("start: /a$/", (1, 8), "looks beyond its end"),
            ("start: /^a/", (1, 8), "looks back before its start"),
            ("start: /(?<!x)a/", (1, 8), "looks back before its start"),
        ],
    )
    def test_place_and_way_out(self, text: str, place: tuple[int, int], words: str) -> None:
        error = refused(text)
        assert words in error.message
        assert (error.line, error.column) == place

    @pytest.mark.parametrize("pattern", [r"(?!ab)\w\w", r"a(?=b)b", r"a\b-", r"(?<=a)?b|a(?<=a)c"])
    def test_look_around_that_stays_inside_is_taken(self, pattern: str) -> None:
        dfa = terminal(f"/{pattern}/").dfa
        for letters in itertools.product("abc-", repeat=3):
            word = "".join(letters).rstrip("-")
            assert dfa.matches(word.encode()) == bool(re.fullmatch(pattern, word)), word

    def test_deep_nesting(self) -> None:
        deep = "start: A\nA: " + "(" * 300 + '"a"' + ' "b")' * 300
        assert "nested more than" in refused(deep).message
