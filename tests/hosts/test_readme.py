"""What README.md shows is so: its Python runs, and its keywords are those that are enforced or refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from structgen import Grammar, UnsupportedKeywordError
from structgen.frontends.json_schema.keywords import KEYWORDS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

REFUSED = [
    {"uniqueItems": True, "contains": {"type": "integer"}, "maxItems": 5},
    {"not": {"uniqueItems": True}, "contains": {"type": "integer"}},
    {"contains": {"type": "integer"}, "maxItems": 100_000},
]


def test_without_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    block = next(block for block in BLOCKS if "load_model" not in block)
    exec(block, {})
    written = capsys.readouterr().out.strip()
    assert written
    assert f"# {written}\n" in block


@pytest.mark.model
def test_with_the_default_model(capsys: pytest.CaptureFixture[str]) -> None:
    exec(next(block for block in BLOCKS if "load_model" in block), {})
    written = capsys.readouterr().out.strip()
    assert re.fullmatch(r"(Paris|Rome|Oslo), population [0-9]{1,3}( million|,[0-9]{3})", written)


def test_every_keyword_is_named() -> None:
    constraining = {keyword for keyword, (handler, _, _) in KEYWORDS.items() if handler is not None}
    section = README.partition("## What is enforced of JSON Schema")[2].partition("\n## ")[0]
    named = set(re.findall(r"[$\w]+", " ".join(re.findall(r"`([^`]+)`", section))))
    assert constraining - named == set()


@pytest.mark.parametrize("schema", REFUSED, ids=str)
def test_what_is_said_to_be_refused_is(schema: dict[str, object]) -> None:
    with pytest.raises(UnsupportedKeywordError):
        Grammar.from_json_schema(schema)
