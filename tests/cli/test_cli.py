"""The command line as a person meets it: what comes out, on which stream, with which exit code."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import structgen
from structgen.cli import build_parser, main
from structgen.cli.generating import pretty
from structgen.cli.places import locate

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 9},
        "age": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


@dataclass
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """``main`` in an empty folder that holds what ``files`` names."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str, stdin: str = "", files: dict[str, str] | None = None) -> Result:
        for name, text in (files or {}).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        try:
            code = main(args)
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


def commands() -> list[str]:
    [action] = [
        a for a in build_parser()._actions if a.dest == "COMMAND" or (hasattr(a, "choices") and a.choices)
    ]
    return sorted(action.choices)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------ help


@pytest.mark.parametrize("command", commands())
def test_each_help_shows_an_example(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.code == 0
    assert f"example:\n  structgen {command}" in result.out
    assert "exit codes:" in result.out


def test_commands_of_the_public_face() -> None:
    assert {"generate", "check", "mask", "explain", "compile", "grammars", "warmup"} <= set(commands())


def test_version(run: Run) -> None:
    assert re.fullmatch(r"structgen \d+\.\d+\.\d+\n", run("--version").out)


# ----------------------------------------------------------------------------------------------------- check


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ('{"name": "Al", "age": 4}\n', ("--schema", "s.json")),
        ("yes", ("--choices", "yes,no")),
        ("a,b", ("--choices", '"a,b",c')),
        ("42 km", ("--regex", "[0-9]+ (km|miles)")),
        ("2 * (3 + 4)", ("--lark", "arithmetic")),
        ("xyx", ("--lark", "g.lark")),
        ("yy", ("--lark", "g.lark", "--start", "ys")),
        ("xyx", ("--gbnf", "g.gbnf")),
        ("yy", ("--gbnf", "g.gbnf", "--start", "ys")),
    ],
)
def test_text_that_belongs(run: Run, text: str, args: tuple[str, ...]) -> None:
    files = {"s.json": json.dumps(SCHEMA), "t": text, "g.lark": 'start: "x" ys "x"\nys: "y"+'}
    files["g.gbnf"] = 'root ::= "x" ys "x"\nys ::= "y"+'
    for name, stdin in (("t", ""), ("-", text)):
        result = run("check", *args, name, stdin=stdin, files=files)
        assert (result.code, result.err) == (0, "")
        assert result.out == f"{'<stdin>' if name == '-' else name}: ok\n"


def test_text_that_leaves_the_schema(run: Run) -> None:
    text = '{"name": "Zoë",\n "age": 44}'
    result = run(
        "check", "--schema", "s.json", "t.json", files={"s.json": json.dumps(SCHEMA), "t.json": text}
    )
    assert result.code == 1
    first, line, caret, expected = result.out.splitlines()
    assert first == "t.json:2:10: byte 26: '4' cannot come here"
    assert line == '   "age": 44}'
    assert caret.index("^") == line.index("4}")
    assert "'}'" in expected


def test_the_rule_that_is_being_read_is_told(run: Run) -> None:
    """(Of a small rule without recursion the rule that it is written into is told.)"""
    files = {"g.lark": 'start: item*\nitem: "(" (NAME | item+) ")"\nNAME: /[a-z]+/', "t": "(a)((b]"}
    result = run("check", "--lark", "g.lark", "t", files=files)
    assert result.code == 1
    assert result.out.splitlines()[-2:] == ["  expected ')', 'a'..'z' (in NAME)", "  while reading item"]


def test_text_that_ends_too_early(run: Run) -> None:
    result = run("check", "--choices", "yes,no", "-", stdin="ye\n")
    assert result.code == 1
    assert result.out.splitlines()[0] == "<stdin>:1:3: byte 2: the text ends too early"
    assert "expected 's'" in result.out


def test_text_that_goes_on_too_long(run: Run) -> None:
    result = run("check", "--choices", "yes,no", "-", stdin="yes!")
    assert result.code == 1
    assert "byte 3: '!' cannot come here" in result.out
    assert "expected the end of the text" in result.out


def test_newline_at_the_end_belongs_only_when_exact(run: Run) -> None:
    assert run("check", "--regex", "a", "-", stdin="a\n").code == 0
    assert run("check", "--regex", "a", "-", stdin="a\r\n").code == 0
    assert run("check", "--regex", "a", "--exact", "-", stdin="a\n").code == 1
    assert run("check", "--regex", r"a\n", "--exact", "-", stdin="a\n").code == 0
    assert run("check", "--regex", "a", "-", stdin="a\n\n").code == 1


def test_text_longer_than_one_piece(run: Run) -> None:
    result = run("check", "--regex", "(a|b)*", "-", stdin="ab" * 5000 + "c")
    assert "byte 10000: 'c' cannot come here" in result.out


def test_places_count_characters() -> None:
    place = locate("ä\nöü!\n".encode(), 7)
    assert (place.line, place.column) == (2, 3)
    assert place.shown == "  öü!\n    ^"
    assert locate(b"a\n", 2).line == 2


# ------------------------------------------------------------------------------------ mask, explain, compile


def test_mask(run: Run) -> None:
    result = run("mask", "--choices", "yes,no", "--tokenizer", "bytes")
    assert result.code == 0
    head, *rows = result.out.splitlines()
    assert head.startswith("2 of 257 tokens allowed; expected 'n', 'y'")
    assert [row.split() for row in rows] == [["110", "'n'"], ["121", "'y'"]]


def test_mask_after_a_prefix_with_a_limit(run: Run) -> None:
    result = run("mask", "--regex", "x[0-9]*", "--tokenizer", "bytes", "--prefix", "x1", "--limit", "3")
    assert result.out.splitlines()[0].startswith("11 of 257 tokens allowed")
    assert "the end of the text" in result.out
    assert result.out.splitlines()[-1] == "... and 8 more (--limit N, or --ids for all)"
    ids = run("mask", "--regex", "x[0-9]*", "--tokenizer", "bytes", "--prefix", "x1", "--ids")
    assert ids.out.split() == [str(i) for i in (*range(48, 58), 256)]


def test_prefix_outside_the_grammar(run: Run) -> None:
    for command in (("mask",), ("explain", "--id", "1")):
        result = run(*command, "--choices", "yes,no", "--tokenizer", "bytes", "--prefix", "yo")
        assert result.code == 1
        assert result.out.startswith("prefix:1:2: byte 1: 'o' cannot come here")


def test_explain(run: Run) -> None:
    where = ("--choices", "yes,no", "--tokenizer", "bytes")
    assert "is allowed" in run("explain", *where, "--text", "y").out
    refused = run("explain", *where, "--prefix", "y", "--text", "o")
    assert refused.code == 0
    assert "is not allowed" in refused.out
    assert "'e'" in refused.out
    assert "not whole yet" in run("explain", *where, "--id", "256").out


def test_explain_a_token_that_is_none(run: Run) -> None:
    where = ("--choices", "yes,no", "--tokenizer", "bytes")
    result = run("explain", *where, "--text", "yes")
    assert result.code == 2
    assert (
        result.err == "structgen: error: no token writes 'yes'; it is written by 121 'y', 101 'e', 115 's'\n"
    )
    assert "there is no token 257" in run("explain", *where, "--id", "257").err


def test_compile(run: Run) -> None:
    files = {"s.json": json.dumps({**SCHEMA, "description": "a person"})}
    result = run("compile", "--schema", "s.json", "--tokenizer", "bytes", files=files)
    assert result.code == 0
    for part in ("257 ids", "KiB", "first mask", "ms", "enforced     /required", "annotation   /description"):
        assert part in result.out


def test_grammars(run: Run) -> None:
    names = [line.split()[0] for line in run("grammars").out.splitlines()]
    assert {"json", "arithmetic"} <= set(names)


def test_warmup(run: Run) -> None:
    assert run("warmup").out == "the kernels are ready\n"


def test_after_a_warmup_no_kernel_is_compiled() -> None:
    """Those that Python calls are ready, all but one, whatever was on disk already."""
    sources = "".join(path.read_text("utf-8") for path in Path(structgen.__file__).parent.rglob("*.py"))
    called = sorted(set(re.findall(r"\bkernels\.([a-z_]+)\b", sources)))
    program = (
        "import structgen, structgen.engine.kernels as kernels; structgen.warmup(); structgen.warmup();"
        f"print([n for n in {called} if not getattr(getattr(kernels, n, None), 'signatures', [1])])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "['watch_step']\n"  # under max_tokens, where a longer match is threatening


# --------------------------------------------------------------------------------------------- what is wrong

GOOD = {"s.json": json.dumps(SCHEMA), "t": "x"}
BAD: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "schema that is not JSON": (
        ("check", "--schema", "s.json", "t"),
        {"s.json": '{"type": "object",,}'},
        "s.json: .*not JSON.*line 1, column 19",
    ),
    "schema that is no schema": (
        ("check", "--schema", "s.json", "t"),
        {"s.json": "[1]"},
        "s.json: .*object or a boolean",
    ),
    "schema that is not text": (
        ("check", "--schema", "s.json", "t"),
        {"s.json": "\udcff"},
        "s.json is not UTF-8",
    ),
    "keyword that is not carried": (
        ("check", "--schema", "s.json", "t"),
        {"s.json": '{"items": {"contains": {"type": "null"}, "maxItems": 100000}}'},
        "s.json: at /items: `contains`",
    ),
    "pattern of a schema": (
        ("check", "--schema", "s.json", "t"),
        {"s.json": '{"properties": {"a": {"pattern": "a(b"}}}'},
        "s.json: at /properties/a/pattern: ",
    ),
    "schema that nothing satisfies": (
        ("check", "--schema", "s.json", "t"),
        {"s.json": '{"type": "integer", "minimum": 5, "maximum": 3}'},
        "s.json: at /: nothing satisfies",
    ),
    "reference to nowhere": (
        ("check", "--schema", "s.json", "t"),
        {"s.json": '{"$ref": "#/$defs/a"}'},
        "s.json: .*#/\\$defs/a",
    ),
    "pattern": (("check", "--regex", "a(b", "t"), {}, "--regex:1:2: .*\n  a\\(b\n   \\^"),
    "pattern that nothing matches": (("check", "--regex", "[^\\s\\S]", "t"), {}, "--regex: no text matches"),
    "no choices": (("check", "--choices", "", "t"), {}, "--choices: there are no choices"),
    "undefined rule": (
        ("check", "--lark", "g.lark", "t"),
        {"g.lark": 'start: foo "x"\n'},
        'g.lark:1:8: .*foo.*\n  start: foo "x"\n         \\^',
    ),
    "lark that does not parse": (
        ("check", "--lark", "g.lark", "t"),
        {"g.lark": 'start: "x" |\n | %'},
        "g.lark:2:4: ",
    ),
    "gbnf that does not parse": (
        ("check", "--gbnf", "g.gbnf", "t"),
        {"g.gbnf": 'root ::= "x" {'},
        "g.gbnf:1:14: ",
    ),
    "start rule that is not there": (("check", "--lark", "json", "--start", "nothing", "t"), {}, "'nothing'"),
    "grammar of no name": (("check", "--lark", "jsom", "t"), {}, "jsom.*json"),
    "missing schema": (("check", "--schema", "no.json", "t"), {}, "schema no.json: No such file"),
    "missing grammar": (("check", "--lark", "no.lark", "t"), {}, "grammar no.lark: no such file"),
    "missing text": (("check", "--schema", "s.json", "no"), {}, "text no: No such file"),
    "folder for a file": (("check", "--schema", ".", "t"), {}, "schema .: Is a directory"),
    "stdin twice": (("check", "--schema", "-", "-"), {}, "cannot both be read from stdin"),
    "stdin twice, prompt": (
        ("generate", "--lark", "-", "--prompt", "-"),
        {},
        "cannot both be read from stdin",
    ),
    "unknown model": (
        ("generate", "--choices", "a", "--model", "no/such/model"),
        {},
        "no folder 'no/such/model'",
    ),
    "folder without a model": (("generate", "--choices", "a", "--model", "."), {}, "no config.json"),
    "unknown tokenizer": (
        ("mask", "--choices", "a", "--tokenizer", "no/such/one"),
        {},
        "no folder 'no/such/one'",
    ),
    "tokenizer that is none": (("mask", "--choices", "a", "--tokenizer", "t"), {}, "t "),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message_with_its_place(run: Run, tmp_path: Path, case: str) -> None:
    args, files, pattern = BAD[case]
    for name, text in {**GOOD, **files}.items():
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    result = run(*args)
    assert result.code == 2
    assert result.out == ""
    assert "Traceback" not in result.err
    assert result.err.count("structgen: error: ") == 1
    assert result.err.startswith("structgen: error: ")
    assert re.search(pattern, result.err), result.err


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("frobnicate",),
        ("check", "t"),
        ("check", "--regex", "a", "--choices", "b", "t"),
        ("check", "--schema", "s", "--whitespace", "lots", "t"),
        ("generate", "--choices", "a", "--temperature", "-1"),
        ("generate", "--choices", "a", "--temperature", "nan"),
        ("generate", "--choices", "a", "-n", "0"),
        ("explain", "--choices", "a"),
    ],
)
def test_wrong_use(run: Run, args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.code == 2
    assert "usage: structgen" in result.err


def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(name: str, what: str) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("structgen.cli.checking.read_bytes", interrupt)
    result = run("check", "--regex", "a", "-")
    assert (result.code, result.out, result.err) == (130, "", "structgen: interrupted\n")


def test_lax_says_what_is_left_out(run: Run) -> None:
    schema = '{"type": "array", "contains": {"type": "null"}, "maxItems": 100000, "frob": 1}'
    files = {"s.json": schema, "t": "[1, 2]"}
    result = run("check", "--schema", "s.json", "--lax", "t", files=files)
    assert result.code == 0
    assert "structgen: /contains constrains nothing here (" in result.err
    assert "structgen: /frob constrains nothing here (unknown keyword)" in result.err


@pytest.mark.parametrize(
    ("how", "text", "code"),
    [
        (("--whitespace", "compact"), '{"name":"a","age":1}', 0),
        (("--whitespace", "compact"), '{"name": "a","age":1}', 1),
        (("--whitespace", "dumps"), '{"name": "a", "age": 1}', 0),
        (("--whitespace", "2"), '{  "name":"a","age":1}', 0),
        (("--whitespace", "2"), '{   "name":"a","age":1}', 1),
        (("--property-order", "any"), '{"age":1,"name":"a"}', 0),
        (("--property-order", "schema"), '{"age":1,"name":"a"}', 1),
    ],
)
def test_options_of_a_schema(run: Run, how: tuple[str, ...], text: str, code: int) -> None:
    files = {"s.json": json.dumps(SCHEMA), "t": text}
    assert run("check", "--schema", "s.json", *how, "t", files=files).code == code


# ----------------------------------------------------------------------------------------------- pretty JSON


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            '{"a":[1.0e3,{}],"b":{"c":"x, [y]: \\"z\\\\"}}',
            '{\n  "a": [\n    1.0e3,\n    {}\n  ],\n  "b": {\n    "c": "x, [y]: \\"z\\\\"\n  }\n}',
        ),
        (" [ ]\n", "[]"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("not JSON", "not JSON"),
        ('{"a":1,"a":2}', '{\n  "a": 1,\n  "a": 2\n}'),
    ],
)
def test_pretty(text: str, shown: str) -> None:
    assert pretty(text) == shown


def test_pretty_is_json_with_an_indent() -> None:
    value = {"a": [1, 2.5, None, True, "é\n"], "b": {}, "c": [[], [{"d": []}]]}
    assert pretty(json.dumps(value, ensure_ascii=False)) == json.dumps(value, indent=2, ensure_ascii=False)
