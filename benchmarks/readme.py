"""README's table of times, made from a recording: ``python -m benchmarks readme RECORDING``.

Between two marks in README.md stands what `section` makes of the recording that the first mark names, and
nothing else. A test makes it again and compares.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from pathlib import Path

import numpy as np

from .measure import is_right
from .recordings import FOLDER, Record, read_recording
from .report import MEASURES, able, by_engine, figures, number, shared, table

README = Path(__file__).resolve().parents[1] / "README.md"
MARKED = re.compile(r"<!-- made by: python -m benchmarks readme (\S+) -->\n(.*?)<!-- end -->\n", re.DOTALL)
ROWS = (
    "schema to first mask",
    "document, from schema to last token",
    "mask, cold",
    "mask, warm",
    "accept, warm",
)
NAMED = {"mask, cold": "mask, first walk over a document", "mask, warm": "mask, second walk"} | {
    "accept, warm": "accept a token, second walk"
}


def section(recording: list[Record]) -> str:
    """What README says of a recording of schemas."""
    head, records = recording[0], recording[1:]
    by = by_engine(records, "interleaved")
    names = able(by)
    groups = shared(by, names)
    cases = len(groups[names[0]])
    asked = max(len(found) for found in by.values())
    masks = len(figures(groups[names[0]], "cold_mask"))
    rows = []
    for label in ROWS:
        values = [figures(groups[name], MEASURES[label]) for name in names]
        cells = [" / ".join(map(number, (v.mean(), np.median(v), np.percentile(v, 99)))) for v in values]
        rows.append([NAMED.get(label, label), *cells])
    for label, count in (
        ("all answers right", is_right),
        ("refused, as not supported", lambda r: bool(r.get("refused"))),
        ("a valid text refused", lambda r: bool(r.get("valid_refused"))),
        ("an invalid text accepted", lambda r: bool(r.get("invalid_accepted"))),
        ("crashed, or out of time", lambda r: bool(r.get("error"))),
    ):
        rows.append([f"schemas: {label}", *(str(sum(map(count, by[name].values()))) for name in names)])
    heads = ["", *(f"{name} {head['said'][name]['version']}" for name in names)]
    vocabulary = ", ".join(f"{name}'s {size:,} tokens" for name, size in head["vocabulary"].items())
    said = (
        f"{asked} {head['select']} schemas of MaskBench, {vocabulary}; {head['cpu']}, {head['cores']} cores, "
        f"{head['date'][:10]}. Each engine has a process and one thread; they take turns schema by schema. "
        f"Times are of the {cases} schemas that all of these get right ({masks:,} masks), in µs, mean / "
        f"median / 99th percentile."
    )
    return f"{textwrap.fill(said, 118)}\n\n{table(heads, rows)}\n"


def command(options: argparse.Namespace) -> int:
    """The command ``readme``: put the section of a recording into README."""
    text = README.read_text("utf-8")
    if not MARKED.search(text):
        print("README.md has no marks", file=sys.stderr)
        return 2
    made = section(read_recording(options.recording))
    marked = (
        f"<!-- made by: python -m benchmarks readme {_named(options.recording)} -->\n{made}<!-- end -->\n"
    )
    README.write_text(MARKED.sub(lambda _: marked, text), "utf-8")
    return 0


def _named(recording: Path) -> str:
    if recording.resolve().parent != FOLDER.resolve():
        raise ValueError(
            f"README names recordings of benchmarks/recordings alone, and {recording} is not there"
        )
    return f"benchmarks/recordings/{recording.name}"
