"""What counts as slower, on made figures: noise of a busy machine is not, a slower kernel is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.measure import KEPT, histogram
from benchmarks.regress import MEASURES, ROUNDS, SLOWER, Least, copy_of, slower

GROUPS = {"a": "json", "b": "json", "c": "longest"}


def figures(seed: int, slow: str = "", by: float = 1.0) -> Least:
    """Rounds of figures, each its true value and what a busy machine adds; one measure slower ``by``."""
    draw = random.Random(seed)
    found = Least()
    for number in range(ROUNDS):
        for pass_ in range(4):
            for case, true in (("a", 5e5), ("b", 2e6), ("c", 8e6)):
                visit: dict[str, object] = {}
                for measure in MEASURES:
                    factor = by if measure == slow else 1.0
                    value = int(true * factor * (1 + draw.expovariate(8)) * draw.uniform(0.99, 1.01))
                    visit[measure] = value if measure == "compile" else histogram([value // 2] * 2)
                found.see(number, pass_ == 0, case, visit)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_not_slower(seed: int) -> None:
    assert slower(figures(seed), figures(seed + 100), GROUPS, ROUNDS) == {}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed", range(5))
def test_a_third_more_is_slower(seed: int, measure: str) -> None:
    found = slower(figures(seed), figures(seed + 100, measure, 1.3), GROUPS, ROUNDS)
    assert (measure, "all") in found
    assert all(cell[0].startswith(measure) for cell in found)
    before, now = found[measure, "all"]
    assert now / before > SLOWER


def test_wrong_answers_have_no_times() -> None:
    with pytest.raises(ValueError, match="does not get this right"):
        Least().see(0, True, "a", {"compile": 1, "valid_refused": {"0": "token 1 of 2 is refused"}})


def test_measures_are_those_that_are_kept() -> None:
    assert set(KEPT) < set(MEASURES)


def test_a_commit_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTGEN_BENCH_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match="rev-parse"):
        copy_of("no-such-commit")
