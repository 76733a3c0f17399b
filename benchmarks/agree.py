"""Does llguidance pass here what it passes at home? ``python -m benchmarks agree RECORDING``.

Its repository holds the verdict of its own MaskBench runner on every schema. ``published/llguidance.json``
has those of the schemas in ``maskbench/dev.jsonl.gz``. They are compared with a recording, schema by schema,
by MaskBench's rule.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .recordings import Record, read_recording
from .report import maskbench_passes, table

PUBLISHED = Path(__file__).parent / "published" / "llguidance.json"


def compare(records: list[Record], not_passing: dict[str, str]) -> dict[tuple[bool, bool], list[str]]:
    """(passes at home, passes here) -> the schemas for which that is so."""
    found: dict[tuple[bool, bool], list[str]] = {(a, b): [] for a in (True, False) for b in (True, False)}
    for record in records:
        if record["engine"] == "llguidance":
            found[record["case"] not in not_passing, maskbench_passes(record)].append(record["case"])
    return found


def command(options: argparse.Namespace) -> int:
    """The command ``agree``; 1 if the two counts differ by more than one schema in a thousand."""
    head, *records = read_recording(options.recording)
    published = json.loads(PUBLISHED.read_text("utf-8"))
    found = compare(records, published["not_passing"])
    asked = sum(map(len, found.values()))
    home = len(found[True, True]) + len(found[True, False])
    here = len(found[True, True]) + len(found[False, True])
    print(f"{published['source']}; here: llguidance {head['said']['llguidance']['version']}\n")
    print(table(["schemas", "pass at home", "pass here"], [[str(asked), str(home), str(here)]]))
    print(f"\npass at home alone: {', '.join(found[True, False]) or 'none'}")
    print(f"pass here alone: {', '.join(found[False, True]) or 'none'}")
    return 1 if abs(home - here) * 1000 > asked else 0
