"""A compiled grammar from a file is the one that was saved; and no other file is taken for one."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import structgen as sg
from structgen import saved
from structgen.cache import read_file, write_file
from structgen.grammar import Grammar
from structgen.ir import GrammarIR, Lit, Rep, Seq

from .engine.checking import masked
from .engine.strategies import (
    STOP_TOKEN_IDS,
    TOKENS,
    lexed,
    lexed_grammar,
    members,
    patterns,
    repetitions,
    sample,
)

LETTERS = sg.Vocabulary(list(TOKENS), stop_token_ids=STOP_TOKEN_IDS)
BYTES = sg.Vocabulary([*(bytes([b]) for b in range(256)), b'{"', b'": ', b"12", b"ab", None], (260,))
SCHEMA: Any = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8, "description": "é"},
        "tags": {"type": "array", "items": {"enum": ["x", 1, None]}, "maxItems": 3},
        "when": {"type": "string", "format": "date"},
        "next": {"$ref": "#"},
    },
    "required": ["name"],
    "patternProperties": {"^a+$": {"type": "integer"}},
}
LARK = 'start: (WORD | "if" WORD)+\nWORD: /[a-z]+/\nNUMBER.2: /[0-9]+/\n%ignore " "'


def same_along_walks(
    a: sg.CompiledGrammar, b: sg.CompiledGrammar, walks: int, steps: int, seed: int = 0
) -> None:
    size, draw = a.vocabulary.size, random.Random(0)
    for _ in range(walks):
        one, other = a.matcher(), b.matcher()
        for _ in range(steps):
            allowed = masked(one, size)
            assert (allowed == masked(other, size)).all(), one.text
            assert one.is_accepting() == other.is_accepting()
            written = [int(i) for i in np.flatnonzero(allowed) if i not in a.vocabulary.stop_token_ids]
            if not written:
                break
            token = draw.choice(written)
            assert one.accept_token(token)
            assert other.accept_token(token)


@pytest.mark.parametrize(
    "grammar",
    [
        Grammar.from_json_schema(SCHEMA),
        Grammar.from_json_schema({"not": {"type": "string"}, "uniqueItems": True}, strict=False),
        Grammar.from_lark(LARK),
        Grammar.from_lark(LARK, lexing="any"),
        Grammar.from_regex("(?:[a-f0-9]{2}:){5}[a-f0-9]{2}"),
        Grammar.from_choices(["yes", "no", "né"]),
        Grammar.from_gbnf('root ::= "a" root | [^b-z]{2,4}'),
    ],
    ids=lambda grammar: grammar.source,
)
def test_masks_are_equal_along_walks(grammar: Grammar, tmp_path: Path) -> None:
    c = sg.compile(grammar, BYTES)
    c.save(tmp_path / "g.sg")
    loaded = sg.CompiledGrammar.load(str(tmp_path / "g.sg"), BYTES)
    same_along_walks(c, loaded, 6, 30)
    assert str(loaded.grammar.report) == str(grammar.report)
    assert loaded.grammar.source == grammar.source
    assert loaded.limits == c.limits
    loaded.save(tmp_path / "again.sg")
    assert (tmp_path / "again.sg").read_bytes() == (tmp_path / "g.sg").read_bytes()


def test_masks_of_small_grammars_of_every_kind(tmp_path: Path) -> None:
    chosen = [*sample(members(), 30), *sample(repetitions(), 30), *sample(patterns(), 30)]
    chosen += [lexed_grammar(*g) for g in sample(lexed(), 30)]
    compared = 0
    for grammar in chosen:
        try:
            c = sg.compile(Grammar(grammar), LETTERS)
        except sg.GrammarError:
            continue
        c.save(tmp_path / "g.sg")
        same_along_walks(c, sg.CompiledGrammar.load(tmp_path / "g.sg", LETTERS), 2, 6)
        compared += 1
    assert compared > 90


def test_limits_are_saved_and_can_be_others(tmp_path: Path) -> None:
    limits = sg.Limits(max_heads=77, compile_seconds=2.5)
    sg.compile(Grammar.from_choices(["a"]), BYTES, limits).save(tmp_path / "g.sg")
    assert sg.CompiledGrammar.load(tmp_path / "g.sg", BYTES).limits == limits
    other = sg.Limits(max_heads=78)
    assert sg.CompiledGrammar.load(tmp_path / "g.sg", BYTES, limits=other).limits == other


def test_the_file_is_the_same_from_any_process(tmp_path: Path) -> None:
    code = (
        "import structgen as sg, sys, json\n"
        "from tests.test_saved import BYTES, SCHEMA\n"
        "sg.compile(sg.Grammar.from_json_schema(SCHEMA), BYTES).save(sys.argv[1])\n"
    )
    root = Path(__file__).resolve().parents[1]
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-c", code, tmp_path / name], cwd=root, check=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_nesting_is_no_matter(tmp_path: Path) -> None:
    body: Any = Lit(b"a")
    for _ in range(3000):
        body = Seq((body, Lit(b"b")))
    grammar = GrammarIR({"s": body}, "s")
    number = saved._Writer().write(grammar)
    assert number > 3000
    writer = saved._Writer()
    root = writer.write(grammar)
    assert isinstance(saved._read_nodes(writer.nodes, [])[root], GrammarIR)


def test_what_is_shared_is_written_once() -> None:
    body: Any = Rep(Lit(b"a"))
    for _ in range(200):
        body = Seq((body, body))
    writer = saved._Writer()
    writer.write(GrammarIR({"s": body}, "s"))
    assert len(writer.nodes) < 250


@pytest.fixture
def file(tmp_path: Path) -> Path:
    sg.compile(Grammar.from_json_schema({"type": "integer"}), BYTES).save(tmp_path / "g.sg")
    return tmp_path / "g.sg"


def test_a_damaged_file_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    assert len(whole) > 2000
    for position in [*range(200), *range(200, len(whole), 97)]:
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        file.write_bytes(damaged)
        with pytest.raises(sg.GrammarError, match=r"g\.sg.*compile the grammar again"):
            sg.CompiledGrammar.load(file, BYTES)
    for length in [*range(100), *range(100, len(whole), 211)]:
        file.write_bytes(whole[:length])
        with pytest.raises(sg.GrammarError, match="compile the grammar again"):
            sg.CompiledGrammar.load(file, BYTES)


def test_foreign_files_are_refused(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for content in (b"", b"PK\3\4" + bytes(500), b"\x80\4\x95" + bytes(90), b"{}"):
        other.write_bytes(content)
        with pytest.raises(sg.GrammarError, match="not a file of structgen"):
            sg.CompiledGrammar.load(other, BYTES)
    write_file(other, "0" * 64, {}, {"x": np.arange(3)})
    with pytest.raises(sg.GrammarError, match="something other than a compiled grammar"):
        sg.CompiledGrammar.load(other, BYTES)
    with pytest.raises(FileNotFoundError):
        sg.CompiledGrammar.load(tmp_path / "none", BYTES)
    content = read_file(file)
    write_file(other, content.key, content.meta | {"version": "0"}, content.arrays)
    with pytest.raises(sg.GrammarError, match="another version of structgen"):
        sg.CompiledGrammar.load(other, BYTES)


def test_another_vocabulary_is_refused(file: Path) -> None:
    bytes_ = [bytes([b]) for b in range(256)]
    for vocabulary in (LETTERS, sg.Vocabulary([*bytes_, b'{"', b'": ', b"12", b"ab", None], (259,))):
        with pytest.raises(sg.VocabularyError, match=r"another vocabulary, of 261 ids.*this one has \d+ ids"):
            sg.CompiledGrammar.load(file, vocabulary)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("a state that is not there", lambda meta, arrays: arrays["trans"].__setitem__(0, 10**6)),
        ("a state below zero", lambda meta, arrays: arrays["trans"].__setitem__(0, -1)),
        ("a class that is not there", lambda meta, arrays: arrays["classes"].__setitem__((0, 0), 200)),
        ("fewer ends than states", lambda meta, arrays: arrays.update(final=arrays["final"][:-1])),
        ("no automata", lambda meta, arrays: arrays.pop("trans")),
        ("a node after itself", lambda meta, arrays: meta["nodes"].insert(0, ["Pat", [5], ""])),
        ("a node before the first", lambda meta, arrays: meta["nodes"].insert(0, ["Pat", [-7], ""])),
        ("a class that is none of the form's", lambda meta, arrays: meta["nodes"].insert(0, ["Path", "x"])),
        ("another root", lambda meta, arrays: meta.update(root=0)),
        ("a limit that is none", lambda meta, arrays: meta["limits"].update(most=1)),
    ],
)
def test_what_a_sound_file_says_is_looked_at(name: str, change: Any, file: Path) -> None:
    """Files with the right checksum, which only a program can have written wrongly."""
    content = read_file(file)
    change(content.meta, content.arrays)
    write_file(file, content.key, content.meta, content.arrays)
    with pytest.raises(sg.GrammarError, match="holds no grammar"):
        sg.CompiledGrammar.load(file, BYTES)


def test_what_cannot_be_written_is_an_error_of_the_system(tmp_path: Path) -> None:
    c = sg.compile(Grammar.from_choices(["a"]), BYTES)
    with pytest.raises(OSError, match="No such file"):
        c.save(tmp_path / "none" / "g.sg")
    with pytest.raises(OSError, match=r"Is a directory|denied"):
        c.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == []
