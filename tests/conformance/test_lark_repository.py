"""Grammars of lark's own repository, its tests and examples: taken, and read as lark reads them.

A checkout lies in the folder that STRUCTGEN_LARK names; without it this test is skipped. Every string of
its Python files that lark makes a contextual LALR parser of counts as a grammar, and so does every
``.lark`` file; short strings of the same file are texts to try on it, most of which are what the tests
there parse. What is not taken, or reads a text otherwise, is listed with its reason in
``expected/lark_repository.json``.
"""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from lark import Lark
from lark.exceptions import LarkError

import structgen as sg

from .ratchet import BYTES, EXPECTED, RECORD

FOLDER = Path(os.environ.get("STRUCTGEN_LARK", "/nowhere"))
FILE = EXPECTED / "lark_repository.json"
LONGEST_TEXT, MOST_TEXTS = 60, 25

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="STRUCTGEN_LARK names no checkout of lark")


def strings(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return list(dict.fromkeys(found))


def grammars() -> Iterator[tuple[str, str, Path, list[str]]]:
    """(name, grammar, folder of its imports, texts to try)."""
    for folder in ("tests", "examples", "lark/grammars"):
        for path in sorted((FOLDER / folder).rglob("*")):
            name = path.relative_to(FOLDER).as_posix()
            if path.suffix == ".lark":
                yield name, path.read_text(encoding="utf-8"), path.parent, []
            elif path.suffix == ".py":
                found = strings(path)
                texts = [text for text in found if len(text) <= LONGEST_TEXT]
                for text in found:
                    if ":" in text:
                        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
                        yield f"{name} {digest}", text, path.parent, texts


def difference(theirs: Lark, ours: sg.CompiledGrammar, texts: list[str]) -> str:
    """The first text on which the verdicts differ, in words; or nothing."""
    for text in texts:
        try:
            data = text.encode()
            theirs.parse(text)
            accepted = True
        except LarkError:
            accepted = False
        except (UnicodeEncodeError, AttributeError, TypeError):
            continue  # No text, or a callback of the test is missing.
        matcher = ours.matcher()
        if (matcher.accept_bytes(data) and matcher.is_accepting()) != accepted:
            return f"{text!r} is {'accepted' if accepted else 'refused'} by lark alone"
    return ""


@pytest.mark.filterwarnings("ignore")
def test_larks_repository(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("lark").setLevel(logging.CRITICAL)
    draw = random.Random(7)
    found: dict[str, str] = {}
    taken = tried = 0
    for name, text, folder, texts in grammars():
        try:
            theirs = Lark(
                text,
                parser="lalr",
                lexer="contextual",
                import_paths=[str(folder)],
                source_path=str(folder / "text.lark"),
            )
        except Exception:  # Whatever lark raises: then it is no grammar, or none for this parser.
            continue
        try:
            ours = sg.compile(sg.Grammar.from_lark(text, base_path=folder), BYTES)
        except sg.StructgenError as error:
            found[name] = getattr(error, "message", str(error))
            continue
        taken += 1
        some = draw.sample(texts, min(len(texts), MOST_TEXTS))
        tried += len(some)
        if differs := difference(theirs, ours, some):
            found[name] = differs
    with capsys.disabled():
        print(f"\n{taken} grammars taken, {len(found)} listed, {tried} texts tried", end="")
    assert taken > 200
    if RECORD:
        FILE.write_text(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(FILE.read_text(encoding="utf-8"))
