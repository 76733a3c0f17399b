"""The structural tags in ``examples/``: what they take, what they refuse, and what can be read of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import structgen as sg

FOLDER = Path(__file__).resolve().parents[1] / "examples"
VOCABULARY = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))

# name, texts that are taken, texts that are not, and what is captured of the first
TEXTS: dict[str, tuple[list[str], list[str], dict[str, str]]] = {
    "calls": (
        [
            "Of 1400, 400 (or [Calculator(400 / 1400) → 0.29] of them) came by [Date(2024-02-29)].",
            "[sic] (no call)",
        ],
        ["[Calculator(400 /) → 1]", "[Calculator(1) → x]", "[Calculator(1)]", "[Date(2023-02-29)]", "[Date("],
        {"sum": "400 / 1400", "result": "0.29", "date": "2024-02-29"},
    ),
    "citations": (
        ["So it says [doc3-12], and so does [doc1-3].", "Nobody says so [1]."],
        ["[doc3-1]", "[doc4-1]", "[doc", "as [doc3-12"],
        {},
    ),
    "reasoning": (
        [
            '<think>\nThe capital? {"city": 1}</think>\n{"city": "Oslo", "certain": true}',
            '<think></think>\n{"certain": false, "city": ""}',
        ],
        [
            '{"city": "Oslo", "certain": true}',
            "<think>Oslo</think>\n",
            '<think></think>{"city": "Oslo"}',
            "<think>",
        ],
        {"thoughts": '\nThe capital? {"city": 1}', "answer": '{"city": "Oslo", "certain": true}'},
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_structural_tags(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    compiled = sg.compile(sg.Grammar.from_structural_tag(text), VOCABULARY)
    taken, refused, captured = TEXTS[name]
    for tried in (*taken, *refused):
        matcher = compiled.matcher()
        whole = matcher.accept_bytes(tried.encode()) and matcher.is_accepting()
        assert whole == (tried in taken), tried
    matcher = compiled.matcher()
    assert matcher.accept_bytes(taken[0].encode())
    assert matcher.captures() == {name: [text.encode()] for name, text in captured.items()}


def test_every_example_is_tried() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*TEXTS, "character"}
