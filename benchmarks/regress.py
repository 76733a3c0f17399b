"""Did a change make the engine slower? ``python -m benchmarks regress [COMMIT]``, before it is committed.

The working tree is compared with a commit: HEAD where files of structgen differ from it, the one before else.
Both measure the same cases (`suites/regression.toml`) in the same minutes, case by case in turn, in processes
of their own. Times of a busy machine are too long and never too short. So of the figures of a case the least
counts: every round starts new processes (memory lies elsewhere in each), and in each a case is measured
several times. Figures are then added up by measure and by group, and the two sums compared.

A sum is *slower* when it is so by more than `SLOWER` over all rounds, and by more than half of that in nearly
every round by itself. What is found slower is measured once more with new processes, and counts if it is
slower again.

The first pass of a round also builds tables of the vocabulary, the later ones find them; it is a measure by
itself.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cases import Case, load
from .engines import engines
from .environments import cache
from .measure import is_right
from .processes import ROOT, Process
from .report import number, table
from .vocabularies import default_tokenizer, tokenizer_file
from .words import write_words

SLOWER = 1.10
SLOWER_FIRST = 1.20  # of a measure with one figure a round
ROUNDS, PASSES = 5, 4
MOST_ODD = 1  # rounds that may disagree
MEASURES = ("compile", "cold_mask", "cold_accept", "warm_mask", "warm_accept")
WRONG = ("refused", "error", "valid_refused", "invalid_accepted")
Cell = tuple[str, str]  # measure, group
Sides = tuple[float, float]  # before, now; µs


@dataclass
class Least:
    """The least figure of each case in each round, in ns: (round, measure, case) -> ns."""

    figures: dict[tuple[int, str, str], float] = field(default_factory=dict)

    def see(self, number_: int, first: bool, case: str, found: dict[str, Any]) -> None:
        """Take the figures of one visit."""
        if not is_right(found):
            wrong = {k: found[k] for k in WRONG if found.get(k)}
            raise ValueError(f"{case}: structgen does not get this right, so its times say nothing: {wrong}")
        for measure in MEASURES:
            value = found[measure]
            total = (
                value
                if measure == "compile"
                else sum(v * n for v, n in zip(value["v"], value["n"], strict=True))
            )
            key = (number_, f"{measure}, first" if first else measure, case)
            self.figures[key] = min(self.figures.get(key, total), total)

    def sums(self, groups: dict[str, str], only: int | None = None) -> dict[Cell, float]:
        """The sum for each measure and group, in µs, of the least over all rounds or of one round."""
        least: dict[tuple[str, str], float] = {}
        for (number_, measure, case), value in self.figures.items():
            if only is None or number_ == only:
                least[measure, case] = min(least.get((measure, case), value), value)
        found: dict[Cell, float] = defaultdict(float)
        for (measure, case), value in least.items():
            found[measure, groups[case]] += value / 1000
            found[measure, "all"] += value / 1000
        return dict(found)


def slower(before: Least, now: Least, groups: dict[str, str], rounds: int) -> dict[Cell, Sides]:
    """The sums that grew, as the module says."""
    old, new = before.sums(groups), now.sums(groups)
    apart = [(before.sums(groups, i), now.sums(groups, i)) for i in range(rounds)]
    found = {}
    for cell, value in new.items():
        bound = SLOWER_FIRST if cell[0].endswith("first") else SLOWER
        odd = sum(b[cell] <= (1 + bound) / 2 * a[cell] for a, b in apart)
        if value > bound * old[cell] and odd <= MOST_ODD:
            found[cell] = (old[cell], value)
    return found


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise ValueError(f"git {' '.join(words)}: {done.stderr.decode().strip()}")
    return done.stdout


def previous() -> str:
    """The commit to compare with when none is named."""
    return "HEAD" if _git("status", "--porcelain", "--", "structgen").strip() else "HEAD~1"


def copy_of(commit: str) -> Path:
    """A folder with the files of a commit; it stays, so that numba's cache of its kernels stays true."""
    tree = _git("rev-parse", f"{commit}^{{tree}}").decode().strip()
    folder = cache() / "commits" / tree[:12]
    if not folder.exists():
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        with tarfile.open(fileobj=io.BytesIO(_git("archive", tree, "structgen", "grammars"))) as files:
            files.extractall(part, filter="data")
        part.rename(folder)
    return folder


def group_of(case: Case) -> str:
    """What part of the engine a case is about."""
    return case.lexing if case.kind == "lark" else case.kind


def measure(
    sides: Sequence[Path], tokenizer: Path, words: Path, cases: Sequence[Case], work: Path, tick: Any
) -> tuple[Least, Least]:
    """Both sides, case by case in turn."""
    found = (Least(), Least())
    for number_ in range(ROUNDS):
        processes = []
        for side, folder in enumerate(sides):
            environment = {"STRUCTGEN_CACHE": str(work / f"{number_}-{side}"), "PYTHONHASHSEED": str(number_)}
            processes.append(
                Process(
                    engines()["structgen"],
                    sys.executable,
                    tokenizer,
                    words,
                    time_limit=60,
                    memory_limit=0,
                    structgen=str(folder),
                    environment=environment,
                )
            )
        try:
            for pass_ in range(PASSES):
                for at, case in enumerate(cases):
                    for side in (0, 1) if (at + pass_ + number_) % 2 else (1, 0):
                        found[side].see(number_, pass_ == 0, case.id, processes[side].ask(case))
                    tick()
        finally:
            for process in processes:
                process.stop()
    return found


def regress(options: argparse.Namespace) -> int:
    """The command ``regress``; 1 if something became slower."""
    from rich.console import Console
    from rich.progress import Progress, TimeElapsedColumn

    import structgen

    commit = options.commit or previous()
    sides = (copy_of(commit), ROOT)
    tokenizer = tokenizer_file(default_tokenizer(), print)
    vocabulary = structgen.Vocabulary.from_huggingface(str(tokenizer))
    options.suite, options.only, options.n = "regression", None, 1000
    cases = load(options, tokenizer, vocabulary)
    groups = {case.id: group_of(case) for case in cases}
    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with tempfile.TemporaryDirectory() as work, Progress(*columns, console=console) as progress:
        words = Path(work) / "words"
        write_words(vocabulary, words)
        grown: dict[Cell, Sides] = {}
        for attempt in ("measuring", "measuring again"):
            task = progress.add_task(attempt, total=ROUNDS * PASSES * len(cases))
            folder = Path(work) / attempt
            before, now = measure(
                sides, tokenizer, words, cases, folder, lambda task=task: progress.advance(task)
            )
            again = slower(before, now, groups, ROUNDS)
            grown = again if attempt == "measuring" else {c: s for c, s in again.items() if c in grown}
            if not grown:
                break
    old, new = before.sums(groups), now.sums(groups)
    heads = ["measure, µs", "group", f"before ({commit})", "now", "ratio"]
    rows = []
    for cell in sorted(new):
        mark = " slower" if cell in grown else ""
        rows.append([*cell, number(old[cell]), number(new[cell]), f"{new[cell] / old[cell]:.3f}{mark}"])
    print(table(heads, rows))
    print(f"\n{'SLOWER: ' + '; '.join(map(', '.join, sorted(grown))) if grown else 'not slower'}")
    return 1 if grown else 0
