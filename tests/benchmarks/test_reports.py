"""Texts quote recordings, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.measure import histogram
from benchmarks.readme import MARKED, README, section
from benchmarks.recordings import FOLDER, read_recording
from benchmarks.report import figures, maskbench, maskbench_passes, report
from benchmarks.results import RESULTS, text

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = sorted(p for p in FOLDER.glob("*.jsonl.gz") if not p.name.endswith("-loop.jsonl.gz"))


def test_readme_says_what_its_recording_says() -> None:
    marked = MARKED.search(README.read_text("utf-8"))
    assert marked is not None
    assert marked[2] == section(read_recording(ROOT / marked[1]))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_committed_recordings_can_be_reported(path: Path) -> None:
    assert path.stat().st_size < 2**20
    recording = read_recording(path)
    assert f"structgen at {recording[0]['commit']}" in report(recording)


def test_results_are_those_of_the_recordings() -> None:
    assert (RESULTS / "README.md").read_text("utf-8") == text()


def test_a_histogram_keeps_three_digits_and_every_figure() -> None:
    values = [1, 12, 123, 1234, 1236, 98765, 98765]
    kept = histogram(values)
    assert kept == {"v": [1, 12, 123, 1230, 1240, 98800], "n": [1, 1, 1, 1, 1, 2]}
    assert np.array_equal(
        figures([{"x": kept}, {"x": 5000}, {}], "x"),
        np.array([1, 12, 123, 1230, 1240, 98800, 98800, 5000]) / 1000,
    )


def right(**changed: object) -> dict[str, object]:
    found = {"compile": 5_000_000, "step": {"v": [1, 3], "n": [99, 1]}, "valid_refused": {}}
    return found | {"invalid_accepted": [], "refused_at_end": 0} | changed


def test_passing_as_maskbench_counts_it() -> None:
    assert maskbench_passes(right())
    assert maskbench_passes(right(valid_refused={"0": "the end is refused"}))
    assert not maskbench_passes(right(valid_refused={"0": "token 3 of 9 is refused"}))
    assert not maskbench_passes(right(refused_at_end=1))
    assert not maskbench_passes(right(invalid_accepted=[2]))
    assert not maskbench_passes({"refused": "no"})
    assert not maskbench_passes({"error": "died"})


def test_maskbench_percentiles_and_timeouts() -> None:
    written = maskbench({"a": {"1": right(), "2": {"error": "no answer in 9 s"}}})
    ttfm, tbm = written.splitlines()[2:4]
    assert ttfm.split(" | ")[6:9] == ["450,002,500", "5,000", "900,000,000"]
    assert tbm.split(" | ")[6:9] == ["1", "1", "1"]
    assert tbm.split(" | ")[12:14] == ["3", "3"]


def test_growth_and_the_loop_have_tables_of_their_own() -> None:
    from benchmarks.growth import growth_tables
    from benchmarks.loop import loop_report

    kept = {"v": [2000], "n": [3]}
    record = {"case": "enum 10", "engine": "a", "tokenizer": "t", "valid_refused": {}, "cold_mask": kept}
    wrong = record | {"case": "enum 100", "error": "died"}
    written = growth_tables([{"vocabulary": {"t": 9}, "engines": ["a"]}, record, wrong])
    assert "| mask, cold, p99, µs | 10 |" in written
    assert "| a | 2 |" in written

    head = {"tokens": 10, "model": "m", "cpu": "c", "date": "2026-01-01T00:00", "forced": [1, 4]}
    free = {"engine": "unconstrained", "batch": 2, "seconds": 2.0, "calls": []}
    ours = {"engine": "structgen", "batch": 2, "seconds": 2.5, "calls": [1e-6, 3e-6]}
    said = loop_report([head, free, ours, {"engine": "x", "error": "exit code 1"}])
    assert "| structgen | 2 | 8 | 1.250 | 2 | 2 | 3 |" in said
    assert "1 of 4 tokens (25 %) were forced" in said


def test_agreeing_with_what_is_published() -> None:
    from benchmarks.agree import compare

    records = [{"engine": "llguidance", "case": c} | right() for c in "ab"]
    records += [{"engine": "llguidance", "case": "c", "refused": "no"}, {"engine": "other", "case": "d"}]
    found = compare(records, {"b": "json_error", "c": "json_error"})
    assert found == {(True, True): ["a"], (True, False): [], (False, True): ["b"], (False, False): ["c"]}
