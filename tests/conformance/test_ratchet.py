"""The ratchet itself: worse fails, better asks to be recorded, what is recorded holds from then on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from . import ratchet
from .ratchet import PASS, TOO_LOOSE, TOO_STRICT, UNSUPPORTED, hold, outcome, verdicts

BEFORE = {
    ("a", "x"): PASS,
    ("a", "y"): TOO_STRICT,
    ("b", "x"): UNSUPPORTED,
    ("b", "y"): UNSUPPORTED,
    ("c",): PASS,
}


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ratchet, "EXPECTED", tmp_path)
    monkeypatch.setattr(ratchet, "RECORD", True)
    hold("suite", BEFORE)
    monkeypatch.setattr(ratchet, "RECORD", False)
    return tmp_path / "suite.json"


def test_what_is_recorded_holds(recorded: Path) -> None:
    assert json.loads(recorded.read_text()) == {"a": {"y": TOO_STRICT}, "b": UNSUPPORTED}
    hold("suite", BEFORE)


@pytest.mark.parametrize("key", [("a", "x"), ("a", "y"), ("b", "x"), ("c",)])
def test_worse_fails_even_when_recording(
    recorded: Path, key: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = recorded.read_text()
    for record in (False, True):
        monkeypatch.setattr(ratchet, "RECORD", record)
        with pytest.raises(AssertionError, match="1 became worse"):
            hold("suite", {**BEFORE, key: TOO_LOOSE})
    assert recorded.read_text() == text


def test_better_asks_to_be_recorded(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    better = {**BEFORE, ("b", "y"): PASS}
    with pytest.raises(AssertionError, match="STRUCTGEN_RECORD=1"):
        hold("suite", better)
    monkeypatch.setattr(ratchet, "RECORD", True)
    hold("suite", better)
    monkeypatch.setattr(ratchet, "RECORD", False)
    assert json.loads(recorded.read_text()) == {"a": {"y": TOO_STRICT}, "b": {"x": UNSUPPORTED}}
    with pytest.raises(AssertionError, match="became worse"):
        hold("suite", BEFORE)


def test_outcomes_of_values() -> None:
    accepts = verdicts({"type": "integer"}, json.dumps)
    assert outcome(accepts, 1, True) == PASS
    assert outcome(accepts, 1, False) == TOO_LOOSE
    assert outcome(accepts, "1", True) == TOO_STRICT
    assert outcome(verdicts(False, json.dumps), 1, False) == PASS
    assert outcome(verdicts({"type": "nonsense"}, json.dumps), 1, True) == UNSUPPORTED
