"""Python's grammar against Python: the standard library, a corpus of programs, and mutations of these.

``ast.parse`` of the interpreter that runs the tests decides. The grammar covers 3.13; where the interpreter
is older its verdict on what is new since is not asked for: mutations keep away from f-strings.
"""

from __future__ import annotations

import ast
import gzip
import json
import os
import random
import re
import tokenize
import warnings
from itertools import product
from pathlib import Path

import pytest

import structgen as sg
from structgen.frontends.library import find_grammar

SHARED = Path(os.environ.get("STRUCTGEN_SHARED", Path(__file__).resolve().parents[2] / "shared"))
PROGRAMS = SHARED / "code" / "python.jsonl.gz"
FILES = 1_000_000 if os.environ.get("STRUCTGEN_EXHAUSTIVE") == "1" else 40
MUTATIONS = 1000 if os.environ.get("STRUCTGEN_EXHAUSTIVE") == "1" else 300


@pytest.fixture(scope="module")
def compiled() -> sg.CompiledGrammar:
    path = find_grammar("python")
    grammar = sg.Grammar.from_lark(path.read_text(encoding="utf-8"), base_path=path.parent)
    return sg.compile(grammar, sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,)))


def accepts(compiled: sg.CompiledGrammar, text: str) -> bool:
    matcher = compiled.matcher()
    return matcher.accept_bytes(text.encode()) and matcher.is_accepting()


def parses(text: str | bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def test_the_standard_library(compiled: sg.CompiledGrammar) -> None:
    files = sorted(Path(os.__file__).parent.rglob("*.py"))
    files = [path for path in files if "site-packages" not in path.parts]
    refused, read = [], 0
    for path in random.Random(0).sample(files, min(FILES, len(files))):
        data = path.read_bytes()
        if parses(data):
            with tokenize.open(path) as file:  # Which knows of byte order marks and declared encodings.
                text = file.read()
            read += 1
            refused += [] if accepts(compiled, text) else [path.name]
    assert refused == []
    assert read > 0.9 * min(FILES, len(files))


@pytest.mark.parametrize("before", ["", "x", "x\n", "if x:\n  y\n", "(x\n"])
def test_ends_of_lines(compiled: sg.CompiledGrammar, before: str) -> None:
    """Line breaks, blanks, comments and joined lines in any order."""
    pieces = ("\\\n", "\n", " ", "#\n", "z")
    ends = ("".join(end) for n in range(5) for end in product(pieces, repeat=n))
    differ = [text for end in ends if accepts(compiled, text := before + end) != parses(text)]
    # The grammar wants a line break, and Python none, at the end of an empty line that is joined to blanks.
    assert [text for text in differ if not re.search(r"(^|\n) +(\\\n *)+\Z", text)] == []
    assert not any(accepts(compiled, text) for text in differ)


@pytest.fixture(scope="module")
def programs() -> list[str]:
    if not PROGRAMS.is_file():
        pytest.skip(f"{PROGRAMS} is missing; STRUCTGEN_SHARED names the folder that holds code/")
    with gzip.open(PROGRAMS, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


def test_programs(compiled: sg.CompiledGrammar, programs: list[str]) -> None:
    assert [text for text in programs if accepts(compiled, text) != parses(text)] == []


def test_mutated_programs(compiled: sg.CompiledGrammar, programs: list[str]) -> None:
    plain = [text for text in programs if not re.search(r"""\b[fF][rR]?["']""", text)]
    draw = random.Random(1)
    verdicts = []
    differ = []
    for _ in range(MUTATIONS):
        text = mutated(draw.choice(plain), draw)
        wanted = parses(text)
        verdicts.append(wanted)
        if accepts(compiled, text) != wanted:
            differ.append(text)
    assert differ == []
    assert 0.2 < sum(verdicts) / MUTATIONS < 0.9


def mutated(text: str, draw: random.Random) -> str:
    """Something is left out, put in, moved, or a line is pushed in or out."""
    signs = [
        *"()[]{}:,=.'\"#@*-+ \n\t0a",
        "if ",
        "else:",
        "  ",
        "\n    ",
        "def ",
        "in ",
        "lambda ",
        "==",
        "not ",
    ]
    start = draw.randrange(len(text))
    end = start + draw.choice((1, 1, 2, 4, 9))
    kind = draw.randrange(4)
    if kind == 0:
        return text[:start] + text[end:]
    if kind == 1:
        return text[:start] + draw.choice(signs) + text[start:]
    if kind == 2:
        return text[:start] + text[end : end + 8] + text[start:]
    lines = text.split("\n")
    at = draw.randrange(len(lines))
    blanks = draw.choice((1, 2, 4))
    lines[at] = lines[at][blanks:] if lines[at].startswith(" " * blanks) else " " * blanks + lines[at]
    return "\n".join(lines)
