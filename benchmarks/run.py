"""Runs engines over the cases of a suite.

Every engine has a process of its own. *Interleaved*, they take turns case by case while the others wait, and
the order rotates: each finds processor caches that the others emptied, and a slow minute of the machine is a
slow minute for all. *Alone*, an engine runs through the cases by itself.

A case that an engine does not finish in time is a result. An engine that has used up its budget of time is
not asked any more: the report says how many cases it was asked.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .cases import load, suite
from .engines import engines
from .environments import NotInstalled, interpreter
from .processes import Process
from .recordings import Record, Unfinished, default_path, machine, write_recording
from .vocabularies import default_tokenizer, tokenizer_file, tokenizer_name
from .words import write_words

Say = Callable[[str], object]
LIBRARIES = ("numba", "numpy", "tokenizers")


def chosen_engines(named: str) -> list[str]:
    """Names out of ``a,b,c`` or ``all``; the first is the one that the others are compared with."""
    known = engines()
    names = list(known) if named == "all" else list(dict.fromkeys(n for n in named.split(",") if n))
    for name in names:
        if name not in known:
            raise ValueError(f"no engine {name!r}; there are {', '.join(known)}")
    return names


def pythons(names: list[str], say: Say) -> tuple[dict[str, str], dict[str, str]]:
    """Interpreters of the engines that could be installed, and why the others could not."""
    found, missing = {}, {}
    for name in names:
        try:
            found[name] = interpreter(engines()[name], say)
        except NotInstalled as problem:
            missing[name] = str(problem)
            say(f"{name} cannot be installed: {problem}")
    return found, missing


def header(options: argparse.Namespace, names: list[str], tokenizers: list[str]) -> Record:
    """What a recording says of how it was made."""
    described = suite(options.suite)
    of_schemas = described["source"] in ("schemas", "instances")
    return machine() | {
        "suite": options.suite,
        "engines": names,
        "tokenizers": [tokenizer_name(t) for t in tokenizers],
        "schemas": (options.schemas.name if options.schemas else "maskbench dev") if of_schemas else "",
        "select": options.select,
        "n": options.n,
        "seed": options.seed,
        "only": options.only,
        "growth": described["source"] == "growth",
        "mode": options.mode,
        "time_limit": options.time_limit,
        "memory_limit": options.memory_limit,
        "budget": options.budget,
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def plan(mode: str, names: list[str], cases: int) -> list[tuple[str, list[str], list[tuple[int, str]]]]:
    """(mode, engines, (case, engine) in their order) of each pass; a pass begins with new processes."""
    passes = []
    if mode != "alone" and len(names) > 1:
        turns = [names[i % len(names) :] + names[: i % len(names)] for i in range(cases)]
        passes.append(("interleaved", names, [(i, name) for i, turn in enumerate(turns) for name in turn]))
    alone = names if mode == "alone" or len(names) == 1 else names[:1] if mode == "both" else []
    passes += [("alone", [name], [(i, name) for i in range(cases)]) for name in alone]
    return passes


def run(options: argparse.Namespace) -> list[Record]:
    """Measure what the options say; the recording.

    Raises `KeyboardInterrupt` when it is stopped: what was measured is kept, and the same options go on.
    """
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    import structgen

    console = Console(stderr=True)
    names = chosen_engines(options.engines)
    tokenizers = options.tokenizer or suite(options.suite).get("tokenizers") or [default_tokenizer()]
    if isinstance(tokenizers, str):
        tokenizers = tokenizers.split(",")
    found, missing = pythons(names, console.log)
    files = {which: tokenizer_file(which, console.log) for which in tokenizers}
    unfinished = Unfinished(header(options, names, tokenizers), fresh=options.fresh)
    head = unfinished.head
    head["missing"] = missing
    done = {(r["tokenizer"], r["mode"], r["engine"], r["case"]) for r in unfinished.records}
    if done:
        console.log(f"going on after {len(done)} results of an earlier run ({unfinished.path.name})")
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with tempfile.TemporaryDirectory() as work, Progress(*columns, console=console) as progress:
        for which, file in files.items():
            vocabulary = structgen.Vocabulary.from_huggingface(str(file))
            words = Path(work) / "words"
            write_words(vocabulary, words)
            cases = load(options, file, vocabulary)
            if not cases:
                raise ValueError("no cases: is --only the id of one?")
            head.setdefault("vocabulary", {})[tokenizer_name(which)] = vocabulary.size
            for mode, asked, items in plan(options.mode, list(found), len(cases)):
                label = ", ".join(asked) if len(asked) < 3 else f"{len(asked)} engines"
                task = progress.add_task(
                    f"{options.suite}, {tokenizer_name(which)}, {label}", total=len(items)
                )
                processes = {
                    name: Process(
                        engines()[name],
                        found[name],
                        file,
                        words,
                        time_limit=max(options.time_limit, engines()[name].time_limit),
                        memory_limit=int(options.memory_limit * 2**30),
                        profile=options.memray,
                        environment={"STRUCTGEN_CACHE": str(Path(work) / "cache")},
                    )
                    for name in asked
                }
                try:
                    for at, name in items:
                        key = (tokenizer_name(which), mode, name, cases[at].id)
                        process = processes[name]
                        if key not in done and (not options.budget or process.spent < options.budget):
                            named = dict(zip(("tokenizer", "mode", "engine", "case"), key, strict=True))
                            result = process.ask(cases[at])
                            unfinished.tell(name, process.said)
                            unfinished.add(named | result)
                        progress.advance(task)
                finally:
                    for process in processes.values():
                        process.stop()
    head["load_after"] = round(os.getloadavg()[0], 2)
    return unfinished.finish()


def command(options: argparse.Namespace) -> int:
    """The command ``run``: measure, record, print."""
    from .report import print_report

    recording = run(options)
    if not options.no_record:
        path = options.record or default_path(recording[0])
        write_recording(path, recording)
        print(f"recorded in {path}", file=sys.stderr)
    print_report(recording)
    return 0
