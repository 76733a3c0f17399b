"""Lark text to IR: rules, templates, statements, disciplines, and what is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from structgen.errors import GrammarError, LimitExceededError
from structgen.frontends.lark_grammar import lark_to_ir
from structgen.ir import Alt, Ref, Rep, Seq, Term
from structgen.limits import Limits

EMPTY = Seq(())


def rules(text: str, **options) -> dict:
    return lark_to_ir(text, **options).rules


def right(body: str, rest: str = "") -> object:
    """The start rule of ``start: body``, with terminals A, B, C and rules r, s at hand."""
    text = f'start: {body}\nr: A\ns: B | r\nA: "a"\nB: "b"\nC: /c+/\n{rest}'
    return rules(text)["start"]


def refused(text: str, **options) -> GrammarError:
    with pytest.raises(GrammarError) as caught:
        lark_to_ir(text, **options)
    return caught.value


A, B, C, R, S = Term("A"), Term("B"), Term("C"), Ref("r"), Ref("s")


class TestRules:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ("A", A),
            ("A B", Seq((A, B))),
            ("A | B", Alt((A, B))),
            ("A | B s | C", Alt((A, Seq((B, S)), C))),
            ("A |", Alt((A, EMPTY))),
            ("", EMPTY),
            ("(A)", A),
            ("((A B) C)", Seq((A, B, C))),
            ("(A | B) C", Seq((Alt((A, B)), C))),
            ("A?", Alt((A, EMPTY))),
            ("[A]", Alt((A, EMPTY))),
            ("[A B | C]", Alt((Alt((Seq((A, B)), C)), EMPTY))),
            ("r*", Rep(R)),
            ("r+", Rep(R, 1)),
            ("(A B)*", Rep(Seq((A, B)))),
            ("A~3", Rep(A, 3, 3)),
            ("A~1", A),
            ("A~0", Rep(A, 0, 0)),
            ("A~2..5 B", Seq((Rep(A, 2, 5), B))),
            ("s~0..1000000", Rep(S, 0, 1_000_000)),
            ("A -> name", A),
            ("A B -> name | C -> other", Alt((Seq((A, B)), C))),
        ],
    )
    def test_expressions(self, body: str, expected: object) -> None:
        assert right(body) == expected

    def test_what_only_shapes_trees_changes_nothing(self) -> None:
        plain = rules('start: _x y z\n_x: "x"\ny: "y" | "yy"\nz: y\n')
        marked = rules('!start: _x y z\n_x: "x"\n?y.2: "y" -> one | "yy" -> two\n?!z.-1: y\n')
        assert marked == plain

    def test_only_what_is_reached_is_there(self) -> None:
        ir = lark_to_ir('start: a\na: "x"\nb: c "y"\nc: D\nD: /d/\nE: /(bad/\n')
        assert set(ir.rules) == {"start", "a"}
        assert set(ir.terminals) == {'"x"'}
        assert ir.start == "start"
        assert ir.lexing == "longest"

    def test_another_start(self) -> None:
        ir = lark_to_ir('start: a\na: "x" b\nb: "y"\n', start="b")
        assert ir.start == "b"
        assert set(ir.rules) == {"b"}

    def test_recursion_stays(self) -> None:
        assert rules("start: start A | A\nA: /a/")["start"] == Alt((Seq((Ref("start"), A)), A))

    def test_a_million_repetitions_are_cheap(self) -> None:
        began = time.perf_counter()
        ir = lark_to_ir("start: (A~1..1000000 B)~1000000\nA: /a/\nB: /b/")
        assert time.perf_counter() - began < 2
        assert ir.rules["start"] == Rep(Seq((Rep(A, 1, 1_000_000), B)), 1_000_000, 1_000_000)

    def test_deep_nesting_needs_no_stack(self) -> None:
        depth = 5_000
        assert right("(" * depth + "A" + ")" * depth) == A

    def test_long_alternatives(self) -> None:
        words = [f"w{i}" for i in range(2_000)]
        ir = lark_to_ir("start: " + " | ".join(f'"{w}"' for w in words))
        assert len(ir.terminals) == len(words)


class TestTemplates:
    def test_instances_are_rules(self) -> None:
        found = rules('start: list{A, ","} list{r, ","}\nlist{x, sep}: x (sep x)*\nr: B\nA: /a/\nB: /b/')
        first, second = 'list{A,","}', 'list{r,","}'
        assert found["start"] == Seq((Ref(first), Ref(second)))
        assert found[first] == Seq((A, Rep(Seq((Term('","'), A)))))
        assert found[second] == Seq((R, Rep(Seq((Term('","'), R)))))

    def test_one_instance_for_equal_arguments(self) -> None:
        found = rules('start: t{"x"} t{"\\x78"} t{"x"}\nt{p}: p')
        assert found["start"] == Seq((Ref('t{"x"}'),) * 3)

    def test_templates_within_templates(self) -> None:
        found = rules("start: twice{opt{A}}\ntwice{x}: x x\nopt{x}: [x]\nA: /a/")
        assert found["start"] == Ref("twice{opt{A}}")
        assert found["twice{opt{A}}"] == Seq((Ref("opt{A}"), Ref("opt{A}")))

    def test_recursive(self) -> None:
        found = rules('start: t{A}\nt{x}: x | t{x} "," x\nA: /a/')
        assert found["t{A}"] == Alt((A, Seq((Ref("t{A}"), Term('","'), A))))

    def test_a_template_as_an_argument(self) -> None:
        found = rules("start: apply{twice, A}\napply{f, x}: f{x}\ntwice{x}: x x\nA: /a/")
        assert found["apply{twice,A}"] == Ref("twice{A}")
        assert found["twice{A}"] == Seq((A, A))

    @pytest.mark.parametrize(
        ("text", "place", "words"),
        [
            ("start: t\nt{x}: x", (1, 8), "t is a template and needs arguments: t{x}"),
            ("start: t{A, A}\nt{x}: x\nA: /a/", (1, 8), "t takes 1 arguments, not 2"),
            ("start: r{A}\nr: A\nA: /a/", (1, 8), "r is not a template"),
            ("start: t{A}\nA: /a/", (1, 8), "rule t is not defined"),
            ("start: u{A}\nu{x}: x{A}\nA: /a/", (2, 7), "x is not a template"),
        ],
    )
    def test_refused(self, text: str, place: tuple[int, int], words: str) -> None:
        error = refused(text)
        assert words in error.message
        assert (error.line, error.column) == place

    def test_a_template_as_start(self) -> None:
        assert "cannot be the start rule" in refused("start{x}: x").message

    def test_growth_without_end_meets_the_limit(self) -> None:
        with pytest.raises(LimitExceededError, match="max_grammar_nodes"):
            lark_to_ir("start: t{A}\nt{x}: t{u{x}}\nu{x}: x\nA: /a/", limits=Limits(max_grammar_nodes=1000))


class TestUndefined:
    @pytest.mark.parametrize(
        ("text", "place", "words"),
        [
            ("start: value\nvlaue: A\nA: /a/", (1, 8), "rule value is not defined; did you mean vlaue?"),
            (
                "start: A\nb: NUMBRE\nA: /a/\nNUMBER: /1/",
                (2, 4),
                "NUMBRE is not defined; did you mean NUMBER",
            ),
            ("start: A\nA: /a/ B", (2, 8), "terminal B is not defined"),
            ("start: A\nA: /a/\n%ignore WS", (3, 9), "terminal WS is not defined"),
            ("start: A\nA: /a/\nA: /b/", (3, 1), "A is defined already (line 2); use %extend"),
            ("start: A\nA: /a/\n%override B: /b/", (3, 11), "no terminal B to override"),
            ("start: A\nA: /a/\n%extend strat: A", (3, 9), "no rule strat to extend here"),
            ("start: A~3..2\nA: /a/", (1, 9), "~3..2"),
            ("start: A~-1\nA: /a/", (1, 10), "-1 times"),
            ("start: A~99999999999\nA: /a/", (1, 10), "larger than"),
            ("start: a\n%declare a", (1, 8), "rule a is only declared"),
            ("start: _INDENT\n%declare _INDENT", (1, 8), "terminal _INDENT is only declared"),
            ("start: A\nA: B /a/\n%declare B", (2, 4), "terminal B is only declared"),
        ],
    )
    def test_place_and_way_out(self, text: str, place: tuple[int, int], words: str) -> None:
        error = refused(text, source="x.lark")
        assert words in error.message
        assert (error.line, error.column) == place
        assert str(error).startswith(f"x.lark:{place[0]}:{place[1]}: ")
        assert str(error).endswith("^")

    def test_declared_and_unused_is_fine(self) -> None:
        assert set(lark_to_ir('start: "a"\nx: _INDENT\n%declare _INDENT').terminals) == {'"a"'}

    def test_start(self) -> None:
        assert "no rule 'start' to start with; did you mean strat?" in refused("strat: A\nA: /a/").message
        assert "the rules are one, two" in refused("one: two\ntwo: A\nA: /a/").message
        assert "is a terminal" in refused("a: A\nA: /a/", start="A").message
        assert "there is no rule 'start'" in refused("").message

    def test_text(self) -> None:
        assert "is text, not bytes" in refused(b"start: A").message

    def test_lexing(self) -> None:
        assert '"longest" or "any"' in refused("start: A\nA: /a/", lexing="shortest").message


class TestStatements:
    def test_ignore_by_name_by_literal_and_by_expression(self) -> None:
        ir = lark_to_ir(
            'start: "a"\nWS: /\\s+/\n%ignore WS\n%ignore WS\n%ignore /#.*/\n%ignore "x" | "y" WS\n%ignore " "'
        )
        assert ir.ignore == ("WS", "/#.*/", "%ignore 2", '" "')
        assert set(ir.ignore) < set(ir.terminals)
        assert ir.terminals["%ignore 2"].dfa.matches(b"y\t ")
        assert ir.terminals["%ignore 2"].text == '"x" | "y" WS'

    def test_ignoring_nothing(self) -> None:
        assert "nothing to ignore" in refused('start: "a"\n%ignore\n').message

    def test_override_reaches_every_reference(self) -> None:
        ir = lark_to_ir('start: r T\nr: "a"\nT: U\nU: "u"\n%override r: "b"\n%override U: "v"\n')
        assert ir.rules["r"] == Term('"b"')
        assert ir.terminals["T"].dfa.matches(b"v")
        assert not ir.terminals["T"].dfa.matches(b"u")

    def test_extend(self) -> None:
        ir = lark_to_ir('start: r T\nr: "a"\nT: "u"\n%extend r: "b" "c"\n%extend T: "v"\n')
        assert ir.rules["r"] == Alt((Term('"a"'), Seq((Term('"b"'), Term('"c"')))))
        assert [ir.terminals["T"].dfa.matches(w) for w in (b"u", b"v", b"uv")] == [True, True, False]
        assert not ir.terminals["T"].literal


class TestImports:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "base.lark").write_text(
            "start: pair ignored\npair: item _sep item\nitem: NUM\n_sep: COLON\nignored: item\n"
            'NUM: DIGIT+\nDIGIT: /[0-9]/\nCOLON: ":"\n%ignore " "\n%import .deep.more (thing)\nuses: thing\n'
        )
        (tmp_path / "deep").mkdir()
        more = 'thing: other\nother: "o"\n%import .most.last\nq: last\n'
        (tmp_path / "deep" / "more.lark").write_text(more)
        (tmp_path / "deep" / "most.lark").write_text('last: "l"\n')
        (tmp_path / "loop.lark").write_text("%import .loop2.a\nb: a\n")
        (tmp_path / "loop2.lark").write_text("%import .loop.b\na: b\n")
        (tmp_path / "bad.lark").write_text("a: b c\nb: (\n")
        (tmp_path / "undefined.lark").write_text("a: nowhere\n")
        return tmp_path

    def test_names(self, folder: Path) -> None:
        ir = lark_to_ir("%import .base.pair\nstart: pair", base_path=folder)
        assert ir.rules == {
            "start": Ref("pair"),
            "pair": Seq((Ref("base__item"), Ref("_base__sep"), Ref("base__item"))),
            "base__item": Term("base__NUM"),
            "_base__sep": Term("base__COLON"),
        }
        assert ir.ignore == ()
        assert ir.terminals["base__NUM"].dfa.matches(b"12")

    def test_renaming_and_lists(self, folder: Path) -> None:
        ir = lark_to_ir(
            "%import .base.NUM -> NUMBER\n%import .base (pair, item)\nstart: pair NUMBER", base_path=folder
        )
        assert ir.rules["pair"] == Seq((Ref("item"), Ref("_base__sep"), Ref("item")))
        assert ir.rules["item"] == Term("NUMBER")

    def test_a_file_as_base_path(self, folder: Path) -> None:
        assert lark_to_ir("%import .base.item\nstart: item", base_path=folder / "base.lark").rules["item"]

    def test_imports_of_imports(self, folder: Path) -> None:
        ir = lark_to_ir("%import .base.uses\n%import .deep.more.q\nstart: uses q", base_path=folder)
        assert ir.rules["uses"] == Ref("base__thing")
        assert ir.rules["base__thing"] == Ref("base__deep__more__other")
        assert ir.rules["q"] == Ref("deep__more__last")

    def test_override_and_extend_reach_into_the_import(self, folder: Path) -> None:
        ir = lark_to_ir(
            "%import .base (pair, item, DIGIT, NUM)\n"
            'start: pair\n%override item: NUM "!"\n%extend DIGIT: /[a-f]/\n',
            base_path=folder,
        )
        assert ir.rules["item"] == Seq((Term("NUM"), Term('"!"')))
        assert ir.terminals["NUM"].dfa.matches(b"1f")

    def test_common(self) -> None:
        ir = lark_to_ir("%import common (INT, WS)\n%import common.CNAME -> NAME\nstart: INT NAME\n%ignore WS")
        assert ir.ignore == ("WS",)
        assert ir.terminals["NAME"].dfa.matches(b"_x1")
        assert set(ir.terminals) == {"INT", "NAME", "WS"}

    def test_shipped_grammars(self) -> None:
        ir = lark_to_ir("%import json.value\n%import arithmetic (expr)\nstart: value | expr")
        assert ir.rules["json__object"]
        assert ir.rules["arithmetic__term"]

    @pytest.mark.parametrize(
        ("text", "place", "words"),
        [
            ("%import common.NUMBR\nstart: NUMBR", (1, 16), "has no terminal NUMBR; did you mean NUMBER"),
            ("%import comon.WS\nstart: WS", (1, 9), "no grammar comon among the shipped grammars"),
            ("%import comon.WS\nstart: WS", (1, 9), "did you mean common?"),
            ("%import common\nstart: WS", (1, 9), "say what to import from common"),
            ("%import .bas.item\nstart: item", (1, 10), "did you mean base or bad?"),
            ("%import .base.item -> ITEM\nstart: ITEM", (1, 23), "item is a rule"),
            ("%import .base.item -> a\n%import .base.item -> b\nstart: a b", (2, 23), "imported twice"),
            ("%import .base.item\n%import .deep.most.last -> item\nstart: item", (2, 28), "two grammars"),
            ("%import .base.item\nitem: A\nstart: item\nA: /a/", (2, 1), "item is defined already"),
            ("%import .loop.b\nstart: b", (1, 10), "imported by itself"),
        ],
    )
    def test_refused(self, folder: Path, text: str, place: tuple[int, int], words: str) -> None:
        error = refused(text, base_path=folder)
        assert words in error.message
        if "itself" not in words:
            assert (error.line, error.column) == place

    def test_relative_without_a_folder(self) -> None:
        assert "pass base_path=" in refused("%import .base.item\nstart: item").message

    def test_an_error_in_the_imported_file_is_shown_there(self, folder: Path) -> None:
        error = refused("%import .bad.a\nstart: a", base_path=folder)
        assert str(folder / "bad.lark") in str(error)
        assert (error.line, error.column) == (2, 5)
        error = refused("%import .undefined.a\nstart: a", base_path=folder)
        assert str(folder / "undefined.lark") in str(error)
        assert "rule nowhere is not defined" in error.message


class TestAny:
    TEXT = 'start: a*\na: "x" N\nN: /n+/\n%ignore " "\n%ignore /#/\n'

    def test_ignored_terminals_are_woven_in(self) -> None:
        ir = lark_to_ir(self.TEXT, lexing="any")
        ignored = Ref("__ignored")
        assert ir.ignore == ()
        assert ir.start == "__start"
        assert ir.lexing == "any"
        assert ir.rules == {
            "start": Rep(Ref("a")),
            "a": Seq((Term('"x"'), ignored, Term("N"), ignored)),
            "__ignored": Rep(Alt((Term('" "'), Term("/#/")))),
            "__start": Seq((ignored, Ref("start"))),
        }

    def test_nothing_ignored(self) -> None:
        ir = lark_to_ir('start: "x" "y"', lexing="any")
        assert ir.start == "start"
        assert ir.rules == {"start": Seq((Term('"x"'), Term('"y"')))}

    def test_templates(self) -> None:
        found = rules('start: t{"x"}\nt{p}: p*\n%ignore " "', lexing="any")
        assert found['t{"x"}'] == Rep(Seq((Term('"x"'), Ref("__ignored"))))
