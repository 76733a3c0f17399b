"""``python -m benchmarks``: set up what is missing, run every suite of a plan, write one report.

A suite whose data are not on this machine is left out, with the reason; an engine that cannot be installed is
named in the report. Every suite is a recording of its own, so a run that was stopped goes on with the suite
it was at.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from .cases import NoData
from .environments import cache
from .plots import draw
from .processes import ROOT
from .recordings import commit, read_recording, write_recording
from .report import report
from .run import chosen_engines, pythons, run
from .vocabularies import NoTokenizer, default_tokenizer, tokenizer_file

PLANS = Path(__file__).parent / "plans.toml"
UNDER_WAY = "under-way"  # a file in the folder of a report that is not finished


def setup(options: argparse.Namespace) -> int:
    """The command ``setup``: environments and a tokenizer, and nothing else."""
    names = chosen_engines(options.engines)

    def say(what: object) -> None:
        print(what, file=sys.stderr, flush=True)

    found, missing = pythons(names, say)
    for name, python in found.items():
        print(f"{name}: {python}")
    print(f"tokenizer: {tokenizer_file(default_tokenizer(), say)}")
    return 1 if missing else 0


def _begin(folder: Path, *, fresh: bool) -> None:
    """Suites that a stopped run of the same code has finished are kept; else all begins anew."""
    what = commit() + "\n" + PLANS.read_text("utf-8")
    mark = folder / UNDER_WAY
    if fresh or not mark.exists() or mark.read_text("utf-8") != what:
        for old in folder.glob("*.jsonl.gz"):
            old.unlink()
    mark.write_text(what, "utf-8")


def _prepare(plan: list[dict[str, Any]]) -> None:
    """Make the environments; meanwhile structgen's kernels are compiled, which has a processor to itself."""
    names = [name for described in plan for name in chosen_engines(described["engines"])]
    warming = subprocess.Popen(
        [sys.executable, "-c", "import structgen; structgen.warmup()"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        pythons(list(dict.fromkeys(names)), lambda what: print(what, file=sys.stderr, flush=True))
    finally:
        warming.wait()


def everything(options: argparse.Namespace) -> int:
    """No command: a whole plan. Returns 1 if a suite had to be left out."""
    from .__main__ import build_parser

    begun = time.monotonic()
    name = "small" if options.small else "whole"
    folder = options.out or cache() / "reports" / name
    folder.mkdir(parents=True, exist_ok=True)
    _begin(folder, fresh=options.fresh)
    parts, left_out = [], []
    plan = tomllib.loads(PLANS.read_text("utf-8"))[name]
    _prepare(plan)
    for described in plan:
        words = [f"--{key.replace('_', '-')}={value}" for key, value in described.items()]
        if options.schemas:
            words.append(f"--schemas={options.schemas}")
        settings = build_parser().parse_args(["run", *words])
        kept = folder / f"{described['suite']}.jsonl.gz"
        try:
            recording = read_recording(kept) if kept.exists() else run(settings)
        except (NoData, NoTokenizer) as problem:
            left_out.append(f"- {described['suite']}: {problem}")
            print(f"{described['suite']} is left out: {problem}", file=sys.stderr)
            continue
        write_recording(kept, recording)
        images = draw(recording, folder)
        parts.append(report(recording) + "".join(f"\n![{image.stem}]({image.name})\n" for image in images))
    text = "\n\n".join(parts)
    if left_out:
        text += "\n\n# Left out\n\n" + "\n".join(left_out) + "\n"
    (folder / "report.md").write_text(text, "utf-8")
    (folder / UNDER_WAY).unlink()
    print(text)
    minutes = (time.monotonic() - begun) / 60
    print(f"{minutes:.0f} min; report and recordings are in {folder}", file=sys.stderr)
    return 1 if left_out else 0
