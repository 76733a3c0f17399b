"""What only a process of its own can show: imports, time, signals, closed pipes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numpy", "numba", "torch", "transformers", "tokenizers", "lark", "rich", "huggingface_hub")


def structgen(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "structgen", *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def loaded_after(code: str) -> set[str]:
    """The heavy modules loaded after ``code`` has run."""
    script = f"""
import io, json, sys
sys.stdin = io.TextIOWrapper(io.BytesIO(b"a"))
try:
    {code}
except SystemExit:
    pass
print(json.dumps(list(sys.modules)))
"""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1])) & set(HEAVY)


@pytest.mark.parametrize(
    "code",
    [
        "import structgen",
        "import structgen.cli",
        "from structgen.cli import main; main(['--help'])",
        "from structgen.cli import main; main(['--version'])",
        "from structgen.cli import main; main(['generate', '--help'])",
        "from structgen.cli import main; main(['generate', '--choices'])",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    assert loaded_after(code) == set()


def test_check_needs_neither_torch_nor_a_tokenizer() -> None:
    loaded = loaded_after("from structgen.cli import main; main(['check', '--regex', 'a', '-'])")
    assert loaded.isdisjoint({"torch", "transformers", "tokenizers", "huggingface_hub", "rich"})


def test_help_answers_at_once() -> None:
    best = 9.0
    for _ in range(3):
        start = time.perf_counter()
        assert structgen("--help").returncode == 0
        best = min(best, time.perf_counter() - start)
    assert best < 0.3


def test_error_without_traceback() -> None:
    result = structgen("check", "--schema", "no.json", "-")
    assert result.returncode == 2
    assert result.stderr == "structgen: error: schema no.json: No such file or directory\n"


def test_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "structgen", "mask", "--regex", ".*", "--tokenizer", "bytes", "--ids"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(60) == 141
    process.stderr.close()
