"""``python -m benchmarks results``: tables and plots of all committed recordings, in ``results/``."""

from __future__ import annotations

import argparse
from pathlib import Path

from .loop import loop_report
from .plots import draw
from .recordings import FOLDER, read_recording
from .report import report

RESULTS = Path(__file__).parent / "results"


def text() -> str:
    """What ``results/README.md`` says."""
    parts = [
        "What `python -m benchmarks results` makes of the recordings in `../recordings`, the newest first.\n"
    ]
    for path in sorted(FOLDER.glob("*.jsonl.gz"), reverse=True):
        recording = read_recording(path)
        if recording[0]["suite"] == "loop":
            written = f"# In `model.generate`\n\n{loop_report(recording)}\n"
        else:
            written = report(recording)
        images = [f"![{image}]({image})\n" for image in drawn(path)]
        parts.append(f"{written}\nFrom `{path.name}`.\n\n" + "\n".join(images))
    return "\n".join(parts)


def drawn(path: Path) -> list[str]:
    """The plots of a recording that are there, by name."""
    stem = path.name.removesuffix(".jsonl.gz")
    return sorted(image.name for image in RESULTS.glob(f"{stem}*.png"))


def command(options: argparse.Namespace) -> int:
    """The command ``results``."""
    RESULTS.mkdir(exist_ok=True)
    for old in RESULTS.glob("*.png"):
        old.unlink()
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        recording = read_recording(path)
        if recording[0]["suite"] != "loop":
            draw(recording, RESULTS, path.name.removesuffix(".jsonl.gz"))
    (RESULTS / "README.md").write_text(text(), "utf-8")
    return 0
