"""``structgen generate`` with a tiny model out of a folder, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from structgen.cli import main

from ..hosts.tiny import tiny

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "tags": {"type": "array", "items": {"enum": ["a", "ë"]}, "maxItems": 2},
    },
    "required": ["name", "tags"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    host = tiny()
    host.model.save_pretrained(folder)
    host.tokenizer.save_pretrained(folder)
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    return folder


def generate(folder: Path, *args: str) -> int:
    return main(["generate", "--model", str(folder), "--schema", str(folder / "schema.json"), *args])


def test_json_that_validates(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        generate(
            folder,
            "--prompt",
            "Who?",
            "--temperature",
            "1",
            "--seed",
            "3",
            "-n",
            "4",
            "--whitespace",
            "dumps",
        )
        == 0
    )
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert len(lines) == 4
    assert len(set(lines)) > 1
    for line in lines:
        jsonschema.validate(json.loads(line), SCHEMA)
    assert captured.err.count("tokens/s") == 4
    assert "prompt: " in captured.err


def test_one_seed_one_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for _ in range(2):
        assert generate(folder, "--temperature", "1", "--seed", "8", "--quiet") == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        texts.append(captured.out)
    assert texts[0] == texts[1]


def test_pretty_and_trace(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(folder, "--pretty", "--trace", "--whitespace", "compact", "-q") == 0
    captured = capsys.readouterr()
    value = json.loads(captured.out)
    jsonschema.validate(value, SCHEMA)
    assert captured.out == json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    lines = captured.err.splitlines()
    assert "'{'" in lines[0]
    assert "allowed   expected '{'" in lines[0]
    assert "<stop>" in lines[-1]
    assert "the end of the text" in lines[-1]


def test_tokens_run_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(folder, "--max-new-tokens", "4", "-q") == 3
    captured = capsys.readouterr()
    assert captured.out.startswith("{")
    assert "the text is not complete: 4 tokens were not enough" in captured.err


def test_text_goes_out_as_it_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from structgen.cli import generating

    pieces: list[str] = []
    monkeypatch.setattr(generating, "_print", pieces.append)
    assert main(["generate", "--model", str(folder), "--choices", "a somewhat longer text", "-q"]) == 0
    assert len(pieces) > 5
    assert "".join(pieces) == "a somewhat longer text"
