"""Runs engines over cases, in a process that may die.

Interleaved, all engines share one process and take turns case by case, so each meets the caches that the
others emptied; the order rotates. Alone, each engine has a process of its own. A process that crashes or
hangs is a result for the engine and case it was at, and another one goes on after it.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.metadata
import json
import multiprocessing
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .cases import Case, load, tokenizer_file
from .engines import ENGINES, create, version_of

ONE_THREAD = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
STARTING = 600.0  # seconds for a process to import, load and warm up

WARM_UP = Case(
    "warm-up",
    "json_schema",
    '{"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}, "b": {"type": "array",'
    ' "items": {"type": "number"}}}, "required": ["a"], "additionalProperties": false}',
)


Plan = list[tuple[int, str]]  # case number, engine


def _work(pipe: Connection, names: list[str], tokenizer: str, cases: list[Case], plan: Plan) -> None:
    """The process that measures: says what it begins, and what it found."""
    import structgen

    from .measure import visit

    vocabulary = structgen.Vocabulary.from_huggingface(tokenizer)
    adapters = {name: create(name, tokenizer, vocabulary) for name in names}
    for adapter in adapters.values():
        visit(adapter, WARM_UP)  # what an engine imports on first use is not charged to the first case
    pipe.send(("ready", {name: adapter.settings for name, adapter in adapters.items()}))
    for at, name in plan:
        pipe.send(("begin", None))
        pipe.send(("end", visit(adapters[name], cases[at])))
    pipe.close()


def measure(
    names: list[str], tokenizer: str, cases: list[Case], plan: Plan, limit: float, settings: dict[str, str]
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(case number, engine, what was found) for each item of the plan, whatever happens to the process."""
    context = multiprocessing.get_context("spawn")
    done = 0
    while done < len(plan):
        here, there = context.Pipe(duplex=False)
        arguments = (there, names, tokenizer, cases, plan[done:])
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        there.close()
        ready = False
        try:
            while done < len(plan):
                if not here.poll(limit if ready else STARTING):
                    raise TimeoutError
                said, what = here.recv()
                if said == "ready":
                    settings.update(what)
                    ready = True
                elif said == "end":
                    yield *plan[done], what
                    done += 1
            process.join(10)
        except (EOFError, TimeoutError) as problem:
            process.kill()
            process.join()
            if not ready:
                raise ValueError(f"{', '.join(names)}: the process did not start; see above") from problem
            hung = isinstance(problem, TimeoutError)
            how = f"no answer in {limit:g} s" if hung else f"died ({process.exitcode})"
            yield *plan[done], {"error": how, "valid": 0, "invalid": 0}
            done += 1
        finally:
            process.kill()
            here.close()


def cpu_model() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def commit() -> str:
    """The repository's commit, with a mark when files differ from it."""

    def git(*words: str) -> str:
        here = Path(__file__).parent
        done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    dirty = git("status", "--porcelain", "--untracked-files=no", "--", "../structgen")
    return git("rev-parse", "--short", "HEAD") + (" and changes" if dirty else "")


def header(options: argparse.Namespace, names: list[str], vocabulary: Any) -> dict[str, Any]:
    """What a recording says of where it was made."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.platform(),
        "versions": {n: version_of(n) for n in names}
        | {n: importlib.metadata.version(n) for n in ("numba", "numpy", "tokenizers")},
        "tokenizer": options.tokenizer.stem if options.tokenizer.is_dir() else options.tokenizer.parent.name,
        "vocabulary": vocabulary.size,
        "suite": options.suite,
        "schemas": options.schemas.name if options.schemas else "maskbench dev",
        "select": options.select,
        "n": options.n,
        "seed": options.seed,
    }


def rounded(ns: int) -> int:
    """Three significant digits: recordings stay small."""
    drop = max(len(str(ns)) - 3, 0)
    return round(ns, -drop)


def engine(options: argparse.Namespace) -> int:
    """The command ``engine``."""
    for name in ONE_THREAD:
        os.environ[name] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    import structgen

    from .report import print_report

    names = list(dict.fromkeys(n for n in f"{options.engines},{options.peers}".split(",") if n))
    for name in names:
        if name not in ENGINES:
            raise ValueError(f"no engine {name!r}; there are {', '.join(ENGINES)}")
    tokenizer = str(tokenizer_file(options.tokenizer))
    vocabulary = structgen.Vocabulary.from_huggingface(tokenizer)
    cases = load(options, vocabulary)
    if not cases:
        raise ValueError("no cases: is --only the id of one?")
    recording: list[dict[str, Any]] = [header(options, names, vocabulary)]
    settings: dict[str, str] = {}
    runs = []
    if options.mode in ("both", "interleaved") and len(names) > 1:
        turns = [names[i % len(names) :] + names[: i % len(names)] for i in range(len(cases))]
        runs.append(("interleaved", names, [(i, name) for i, turn in enumerate(turns) for name in turn]))
    if options.mode in ("both", "alone") or len(names) == 1:
        alone = names if options.mode == "alone" else ["structgen"] if "structgen" in names else []
        runs += [("alone", [name], [(i, name) for i in range(len(cases))]) for name in alone]
    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    # Interrupted, it reports what is there.
    with Progress(*columns, console=console) as progress, suppress(KeyboardInterrupt):
        for mode, engines, plan in runs:
            task = progress.add_task(f"{mode}: {', '.join(engines)}"[:32], total=len(plan))
            for at, name, found in measure(engines, tokenizer, cases, plan, options.time_limit, settings):
                for key, value in found.items():
                    if key.startswith(("cold", "warm")):
                        found[key] = [rounded(ns) for ns in value]
                recording.append({"case": cases[at].id, "engine": name, "mode": mode, **found})
                progress.advance(task)
    recording[0]["settings"] = settings
    recording[0]["load_after"] = round(os.getloadavg()[0], 2)
    if not options.no_record:
        path = options.record or Path(__file__).parent / "recordings" / _name(recording[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8") as out:
            out.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in recording)
        print(f"recorded in {path}", file=sys.stderr)
    print_report(recording)
    return 0


def _name(head: dict[str, Any]) -> str:
    stamp = head["date"][:16].replace(":", "").replace("-", "")
    return f"{stamp}-{head['suite']}-{head['select']}{head['n']}-{head['tokenizer']}.jsonl.gz"
