"""Automata that are kept on disk are those that were made, and a file that holds none is not believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from structgen.automata import ByteDFA
from structgen.cache import flush, write_kept
from structgen.frontends.json_schema import formats, kept, languages, number_texts
from structgen.frontends.json_schema.scalars import NumberSet
from structgen.limits import Limits
from structgen.regex import CharDFA


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path))
    monkeypatch.setenv("STRUCTGEN_CACHE_BYTES", str(1 << 30))
    monkeypatch.setattr(kept, "LONG", 0)
    return tmp_path


def forget() -> None:
    union = languages._any_of
    for made in (formats.language, languages.of_format, languages.text_of, union, number_texts.text_of):
        made.cache_clear()


def same(a: Any, b: Any) -> bool:
    arrays = [[one.trans, one.final, *_classes(one)] for one in (a, b)]
    return all(np.array_equal(x, y) and x.dtype == y.dtype for x, y in zip(*arrays, strict=True))


def _classes(one: Any) -> list[Any]:
    return [one.classes] if isinstance(one, ByteDFA) else [one.partition.starts, one.partition.class_of]


def test_what_is_kept_is_what_was_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    numbers = NumberSet(low=2, high=30, high_open=True)

    def read() -> list[Any]:
        lang = formats.language("ipv4", Limits())
        assert lang is not None
        other = formats.language("date", Limits())
        assert other is not None
        either = languages.any_of([lang, other])
        return [
            lang,
            languages.text_of(lang),
            number_texts.text_of(numbers, False),
            either,
            languages.text_of(either),
        ]

    first = read()
    assert flush(10)
    assert len(list((folder / "automata").rglob("*"))) >= 5
    forget()
    for one in (languages, number_texts):
        monkeypatch.setattr(one, "kept", _only_read)
    monkeypatch.setattr(formats, "kept", _only_read)
    again = read()
    assert all(map(same, first, again))
    assert first[2].digest == again[2].digest
    forget()


def _only_read(kind: Any, what: str, make: Any) -> Any:
    def fail() -> Any:
        raise AssertionError(f"{what} was not read")

    return kept.kept(kind, what, fail)


@pytest.mark.parametrize(
    "wrong",
    [
        {"trans": np.zeros((2, 1), np.int64)},
        {"trans": np.full((2, 1), 2, np.int32)},
        {"trans": np.full((2, 1), -1, np.int32)},
        {"trans": np.zeros(2, np.int32)},
        {"final": np.zeros(3, np.bool_)},
        {"classes": np.ones(256, np.uint8)},
        {"classes": np.zeros(255, np.uint8)},
        {"others": np.zeros(1, np.uint8)},
        {"digest": ""},
        {"digest": 7},
    ],
)
def test_what_is_no_automaton_is_made_anew(wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    dfa = ByteDFA(np.zeros(256, np.uint8), np.array([[0], [0]], np.int32), np.array([False, True]))
    with monkeypatch.context() as patch:
        patch.setattr(kept, "read_kept", lambda kind, name: names.append(name))
        assert kept.kept(ByteDFA, "x", lambda: dfa) is dfa
    assert flush(10)
    arrays = {"classes": dfa.classes, "trans": dfa.trans, "final": dfa.final}
    meta = {"digest": dfa.digest.hex()}
    assert write_kept(kept.KIND, names[0], meta, arrays)
    other = ByteDFA(dfa.classes, dfa.trans, dfa.final)
    assert kept.kept(ByteDFA, "x", lambda: other) is not other
    said = meta | {name: wrong[name] for name in meta if name in wrong}
    held = arrays | {name: wrong[name] for name in wrong if name not in meta}
    assert write_kept(kept.KIND, names[0], said, held)
    assert kept.kept(ByteDFA, "x", lambda: other) is other
    assert flush(10)


def test_kinds_are_told_apart() -> None:
    lang = CharDFA.lengths(1, 2)
    found = kept.kept(CharDFA, "y", lambda: lang)
    assert flush(10)
    assert found is lang
    assert same(kept.kept(CharDFA, "y", lambda: CharDFA.anything()), lang)
    text = languages.text_of(lang)
    assert kept.kept(ByteDFA, "y", lambda: text) is text
    assert flush(10)
