"""Verdicts on disk: found again, by what they depend on, and done without when a file is not sound."""

from __future__ import annotations

from pathlib import Path

import pytest

import structgen as sg
from structgen.cache import flush, read_file, write_file
from structgen.engine import kept_verdicts
from structgen.engine import layout as L
from structgen.rules import forbidden, viability

BYTES = sg.Vocabulary([*(bytes([b]) for b in range(256)), None], (256,))
GOOD = 'start: (WORD | "if" WORD)+\nWORD: /[a-z]+/\nNEVER: /[a-z]+/\n%ignore " "\n%forbid NEVER\n'
UNPROVED = 'start: A (B | "c")\nA: /a+/\nB: /a/\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own, in which every verdict is kept."""
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path))
    monkeypatch.delenv("STRUCTGEN_CACHE_BYTES")
    monkeypatch.setattr(kept_verdicts, "LONG", -1.0)
    return tmp_path / kept_verdicts.KIND


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is found out anew, one entry each."""
    asked: list[str] = []
    for module, name in ((forbidden, "check_forbidden"), (viability, "certify")):
        monkeypatch.setattr(module, name, _noted(getattr(module, name), name, asked))
    return asked


def _noted(function, name, asked):  # type: ignore[no-untyped-def]
    def noted(*arguments):  # type: ignore[no-untyped-def]
        asked.append(name)
        return function(*arguments)

    return noted


def proved(text: str) -> bool:
    """What is said of a grammar, and is then on disk."""
    arena = sg.compile(sg.Grammar.from_lark(text), BYTES)._arena
    assert flush()
    return int(arena.g[L.H_ASK]) == 1


@pytest.mark.parametrize(("text", "wanted"), [(GOOD, True), (UNPROVED, False)])
def test_found_again(folder: Path, asked: list[str], text: str, wanted: bool) -> None:
    assert proved(text) == wanted
    assert asked == ["check_forbidden", "certify"]
    assert proved(text) == wanted
    assert len(asked) == 2


def test_names_do_not_matter(folder: Path, asked: list[str]) -> None:
    assert proved(GOOD)
    assert proved(GOOD.replace("WORD", "WORE").replace("start:", "start: begin\nbegin:"))
    assert proved(GOOD.replace("WORD", "WORE"))
    assert len(asked) == 4  # A rule more is another grammar.


def test_another_grammar(folder: Path, asked: list[str]) -> None:
    others = (
        GOOD,
        GOOD.replace("WORD)+", "WORD)*"),
        GOOD.replace("WORD:", "WORD.1:"),
        GOOD.replace("%forbid NEVER", ""),
        GOOD.replace('%ignore " "', '%ignore "  "'),
        GOOD.replace("[a-z]", "[a-y]"),
    )
    for text in others:
        proved(text)
    assert len(asked) == 2 * len(others)
    assert len(list(folder.iterdir())) == len(others)


def test_errors_are_not_kept(folder: Path) -> None:
    for _ in range(2):
        with pytest.raises(sg.GrammarError, match="must match"):
            proved('start: "if" "f"\nNEVER: /if[a-z]g/\n%forbid NEVER\n')
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["bit", "cut", "key", "meaning", "empty"])
def test_damaged(folder: Path, asked: list[str], damage: str) -> None:
    proved(GOOD)
    (path,) = folder.iterdir()
    data = bytearray(path.read_bytes())
    if damage == "bit":
        data[-1] ^= 1
        path.write_bytes(data)
    elif damage == "cut":
        path.write_bytes(data[:-1])
    elif damage == "key":
        write_file(path, "0" * 64, {"proved": False}, {})
    elif damage == "meaning":
        write_file(path, read_file(path).key, {"proved": 0}, {})
    else:
        path.write_bytes(b"")
    assert proved(GOOD)
    assert len(asked) == 4
    assert read_file(path).meta == {"proved": True}
