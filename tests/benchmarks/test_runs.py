"""A run outlives engines that crash or hang, keeps what it has, and goes on where it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cases import Case, raw_cases, suite
from benchmarks.engines import engines
from benchmarks.growing import SHAPES
from benchmarks.processes import ROOT, Process
from benchmarks.recordings import Unfinished
from benchmarks.run import plan
from benchmarks.words import Words, write_words
from structgen import Vocabulary
from structgen.cli import build_parser

CASE = Case("c", "regex", "a+", [[97]], [[98]])
SUITES = sorted(path.stem for path in (ROOT / "benchmarks" / "suites").glob("*.toml"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRUCTGEN_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def process(tmp_path: Path, script: str, limit: float = 10.0) -> Process:
    """An engine's process that runs ``script`` in place of the worker."""
    python = tmp_path / "python"
    python.write_text(f"#!{sys.executable}\n{script}\n")
    python.chmod(0o755)
    return Process(engines()["structgen"], str(python), tmp_path, tmp_path, time_limit=limit, memory_limit=0)


READY = "import json, os, sys\nprint(json.dumps({'version': '1'}), flush=True)\n"


def test_answers_come_in_order_and_output_does_not_disturb_them(tmp_path: Path) -> None:
    asked = process(
        tmp_path, READY + "for line in sys.stdin: print(json.dumps(len(json.loads(line))), flush=True)"
    )
    try:
        assert asked.ask(CASE) == asked.ask(CASE) == len(vars(CASE))
        assert asked.said == {"version": "1"}
    finally:
        asked.stop()


def test_a_crash_is_a_result_and_the_next_case_finds_a_new_process(tmp_path: Path) -> None:
    crash = process(
        tmp_path, READY + "sys.stdin.readline(); print('oh', file=sys.stderr, flush=True); os.abort()"
    )
    for _ in range(2):
        assert crash.ask(CASE) == {"error": "died (SIGABRT: oh)"}


def test_a_first_start_is_no_part_of_the_budget(tmp_path: Path) -> None:
    slow = "import time\ntime.sleep(1)\n" + READY + "for line in sys.stdin: print('{}', flush=True)"
    asked = process(tmp_path, slow)
    try:
        asked.ask(CASE)
        assert asked.spent < 0.5
        asked.stop()
        asked.ask(CASE)
        assert asked.spent >= 1
    finally:
        asked.stop()


def test_a_hang_is_a_result(tmp_path: Path) -> None:
    hung = process(tmp_path, READY + "import time\nfor line in sys.stdin: time.sleep(60)", limit=0.3)
    assert hung.ask(CASE) == {"error": "no answer in 0.3 s"}
    assert hung.spent >= 0.3


def test_what_does_not_start_is_a_result(tmp_path: Path) -> None:
    found = process(tmp_path, "raise SystemExit('no such library')").ask(CASE)
    assert found == {"error": "does not start: died (exit code 1: no such library)"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bound no address space")
def test_memory_is_bounded() -> None:
    script = "from benchmarks.worker import limit_memory; limit_memory(2 << 30); bytearray(3 << 30)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("MemoryError")


def test_a_stopped_run_goes_on(cache: Path) -> None:
    head = {"suite": "x", "date": "1", "load": 1.0}
    first = Unfinished(dict(head), fresh=False)
    first.tell("a", {"version": "1"})
    first.add({"case": 1})
    with first.path.open("a") as out:
        out.write('{"case": 2, "cold_ma')  # Killed in mid-line.
    again = Unfinished(head | {"date": "2", "load": 9.0}, fresh=False)
    assert again.records == [{"case": 1}]
    assert again.head["date"] == "1"
    assert again.head["said"] == {"a": {"version": "1"}}
    again.add({"case": 2})
    assert Unfinished(dict(head), fresh=False).finish()[1:] == [{"case": 1}, {"case": 2}]
    assert Unfinished(head | {"suite": "y"}, fresh=False).records == []
    assert not first.path.exists()


def test_engines_take_turns() -> None:
    ((mode, names, items),) = plan("interleaved", ["a", "b", "c"], 2)
    assert (mode, names) == ("interleaved", ["a", "b", "c"])
    assert items == [(0, "a"), (0, "b"), (0, "c"), (1, "b"), (1, "c"), (1, "a")]
    assert [p[:2] for p in plan("both", ["a", "b"], 1)] == [("interleaved", ["a", "b"]), ("alone", ["a"])]
    assert [p[:2] for p in plan("interleaved", ["a"], 1)] == [("alone", ["a"])]


def test_words_are_those_of_the_vocabulary(tmp_path: Path) -> None:
    vocabulary = Vocabulary([b"a", None, b"\xff\x00", b"bc"], stop_token_ids=(1,))
    write_words(vocabulary, tmp_path / "words")
    words = Words(tmp_path / "words")
    assert [words.bytes_of(i) for i in range(words.size)] == [b"a", None, b"\xff\x00", b"bc"]
    assert words.stop_token_ids == (1,)


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_is_well_formed(name: str) -> None:
    described = suite(name)
    if described["source"] in ("schemas", "instances", "grammars", "programs"):
        return
    options = build_options(name)
    cases = raw_cases(options)
    assert cases
    assert len({case.id for case in cases}) == len(cases)
    assert all(case.valid for case in cases)


def build_options(name: str) -> object:
    from benchmarks.__main__ import build_parser

    return build_parser().parse_args(["run", f"--suite={name}"])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 10, 37])
def test_texts_of_growth_are_what_they_are_said_to_be(shape: str, size: int) -> None:
    import jsonschema

    kind, text, valid, invalid = SHAPES[shape](size)
    validator = jsonschema.Draft202012Validator(json.loads(text))

    def holds(instance: str) -> bool:
        try:
            return bool(validator.is_valid(json.loads(instance)))
        except ValueError:
            return False

    assert kind in ("json", "json_schema")
    assert all(map(holds, valid))
    assert not any(map(holds, invalid))


def test_a_regex_suite_says_what_python_says() -> None:
    import re

    for case in raw_cases(build_options("regexes")):
        assert all(re.fullmatch(case.text, text) for text in case.valid), case.id
        assert not any(re.fullmatch(case.text, text) for text in case.invalid), case.id


def test_structgen_bench_is_a_command() -> None:
    assert build_parser().parse_args(["bench"]).run == "benching:bench"


@pytest.mark.skipif(os.name == "nt", reason="no schedstat there")
def test_the_worker_measures_an_engine(tmp_path: Path) -> None:
    """The whole way: process, adapter, walk, answers."""
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text(json.dumps(bytes_tokenizer()))
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "<end>"}')
    vocabulary = Vocabulary.from_huggingface(str(tokenizer))
    write_words(vocabulary, tmp_path / "words")
    asked = Process(
        engines()["structgen"], sys.executable, tokenizer, tmp_path / "words", time_limit=120, memory_limit=0
    )
    try:
        found = asked.ask(Case("c", "regex", "ab*", [vocabulary.encode(b"abb")], [vocabulary.encode(b"aba")]))
    finally:
        asked.stop()
    assert not found["valid_refused"]
    assert found["invalid_accepted"] == []
    assert sum(found["cold_mask"]["n"]) == sum(found["warm_mask"]["n"]) == 4
    assert sum(found["step"]["n"]) == 6
    assert found["document"] >= found["first_mask"] >= found["compile"] > 0
    assert asked.ask(Case("d", "regex", "(", [], []))["refused"]
    asked.stop()


def bytes_tokenizer() -> dict[str, object]:
    """A byte-level tokenizer without merges, in the form of the tokenizers library."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(["<end>"])
    return dict(json.loads(made.to_str()))
