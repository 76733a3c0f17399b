"""Recordings: what was measured, as lines of JSON.

The first line is a header (date, versions, commit, machine, what was run and how), every other one is an
engine on a case. Finished ones are gzipped, and those that a text quotes are committed under ``recordings/``.
A run that is under way writes to the cache folder, line by line, under a name made from all that decides its
figures; so the same command, given again, goes on where it was.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .environments import cache

Record = dict[str, Any]

FOLDER = Path(__file__).parent / "recordings"
ROOT = Path(__file__).resolve().parents[1]


def read_recording(path: Path) -> list[Record]:
    """The lines of a finished recording; the first is its header."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write_recording(path: Path, lines: list[Record]) -> None:
    """A finished recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def default_path(head: Record) -> Path:
    """Where a recording goes that nobody has named."""
    stamp = head["date"][:16].replace(":", "").replace("-", "")
    what = f"{head['select']}{head['n']}" if head["schemas"] else "all"
    return FOLDER / f"{stamp}-{head['suite']}-{what}-{'-'.join(head['tokenizers'])[:40]}.jsonl.gz"


class Unfinished:
    """The lines of a run that is under way."""

    def __init__(self, head: Record, *, fresh: bool) -> None:
        decisive = {k: v for k, v in head.items() if k not in ("date", "load")}
        digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]
        self.path = cache() / "runs" / f"{digest}.jsonl"
        self.path.parent.mkdir(exist_ok=True)
        if fresh:
            self.path.unlink(missing_ok=True)
        self.head, self.records = head, list[Record]()
        if self.path.exists():
            lines = self.path.read_text("utf-8").split("\n")[:-1]  # the last one may have been cut off
            if lines:
                self.head, *self.records = map(json.loads, lines)
        whole = "".join(json.dumps(line) + "\n" for line in (self.head, *self.records))
        self.path.write_text(whole, "utf-8")
        said = [r for r in self.records if "said" in r]
        self.head["said"] = {r["engine"]: r["said"] for r in said}
        self.records = [r for r in self.records if "said" not in r]

    def _write(self, line: Record) -> None:
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

    def tell(self, engine: str, said: Record) -> None:
        """What an engine said of itself when it started: settings, version, memory."""
        if self.head["said"].get(engine) != said:
            self.head["said"][engine] = said
            self._write({"engine": engine, "said": said})

    def add(self, record: Record) -> None:
        """One more result, on disk when this returns."""
        self.records.append(record)
        self._write(record)

    def finish(self) -> list[Record]:
        """All lines; the file is gone."""
        self.path.unlink(missing_ok=True)
        return [self.head, *self.records]


def cpu_model() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def commit() -> str:
    """The repository's commit; where structgen's files differ from it, also a digest of how."""
    changes = _git("diff", "HEAD", "--", "structgen")
    mark = f"+{hashlib.sha256(changes.encode()).hexdigest()[:8]}" if changes else ""
    return _git("rev-parse", "--short", "HEAD") + mark


def machine() -> Record:
    """Where and when."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": round(os.getloadavg()[0], 2),
        "commit": commit(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
