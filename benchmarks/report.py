"""Tables in Markdown, made from a recording.

A figure counts where the engine's answers on that case were right. Engines are compared on the same cases: a
table holds those that every engine of it got right, a pair's ratios those that both did.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .measure import is_right

Record = dict[str, Any]
Figures = npt.NDArray[np.float64]

LISTED = 10  # wrong answers of an engine
QUANTILES = (50.0, 90.0, 99.0, 100.0)
MEASURES: dict[str, str] = {
    "compile": "compile",
    "schema to first mask": "first_mask",
    "document, from schema to last token": "document",
    "mask, cold": "cold_mask",
    "mask, warm": "warm_mask",
    "accept, cold": "cold_accept",
    "accept, warm": "warm_accept",
}
CORRECTNESS = (
    "cases",
    "refused at compile",
    "errors",
    "valid refused",
    "invalid accepted",
    "mask and accept differ",
    "right",
    "collections: number, longest µs",
    "waits taken off: number, ms",
)


def read_recording(path: Path) -> list[Record]:
    """The lines of a recording; the first is its header."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def figures(records: Sequence[Record], key: str) -> Figures:
    """All values of a measure, in µs."""
    values: list[int] = []
    for record in records:
        value = record.get(key, [])
        values.extend(value if isinstance(value, list) else [value])
    return np.array(values, np.float64) / 1000


def number(value: float) -> str:
    """Three digits, or all of them before the point."""
    if not np.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] + ["--:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(values: Figures) -> str:
    """Mean / p50 / p90 / p99 / max."""
    if not len(values):
        return "–"
    return " / ".join(number(v) for v in (values.mean(), *np.percentile(values, QUANTILES)))


def by_engine(records: Sequence[Record], mode: str) -> dict[str, dict[str, Record]]:
    """engine -> case -> record."""
    found: dict[str, dict[str, Record]] = {}
    for record in records:
        if record.get("mode") == mode:
            found.setdefault(record["engine"], {})[record["case"]] = record
    return found


def shared(engines: dict[str, dict[str, Record]], names: Sequence[str]) -> dict[str, list[Record]]:
    """The records of the cases that all of ``names`` got right."""
    cases = [
        case
        for case in engines[names[0]]
        if all(case in engines[n] and is_right(engines[n][case]) for n in names)
    ]
    return {n: [engines[n][case] for case in cases] for n in names}


def correctness(engines: dict[str, dict[str, Record]]) -> str:
    """What each engine answered wrongly."""
    rows = []
    for name, cases in engines.items():
        records = list(cases.values())
        taken = [r for r in records if not r.get("refused")]
        counts = (
            len(records),
            len(records) - len(taken),
            sum(bool(r.get("error")) for r in taken),
            sum(bool(r.get("valid_refused")) for r in taken),
            sum(bool(r.get("invalid_accepted")) for r in taken),
            sum(bool(r.get("disagree")) for r in taken),
            sum(is_right(r) for r in records),
        )
        pauses = [r["gc"] for r in records if "gc" in r]
        gc = f"{sum(p[0] for p in pauses)}, {number(max((p[1] for p in pauses), default=0) / 1000)}"
        waits = [r["waits"] for r in records if "waits" in r]
        waited = f"{sum(w[0] for w in waits)}, {number(sum(w[1] for w in waits) / 1e6)}"
        rows.append([name, *map(str, counts), gc, waited])
    return table(["engine", *CORRECTNESS], rows)


def wrong_answers(cases: dict[str, Record]) -> list[str]:
    """Case, instance and verdict of every wrong answer."""
    found = []
    for case, record in cases.items():
        if record.get("error"):
            found.append(f"{case}: {record['error']}")
        found += [f"{case}: valid {n}: {said}" for n, said in record.get("valid_refused", {}).items()]
        found += [f"{case}: invalid {n}: accepted" for n in record.get("invalid_accepted", ())]
    return found


def ratio_rows(ours: list[Record], theirs: list[Record]) -> list[list[str]]:
    """How the first engine's figures stand to the second's."""

    def against(a: Figures, b: Figures, how: Callable[[Figures], Any]) -> str:
        return f"{how(a) / how(b):.2f}" if len(a) and len(b) else "–"

    rows = []
    for label, key in MEASURES.items():
        a, b = figures(ours, key), figures(theirs, key)
        ways: list[Callable[[Figures], Any]] = [np.mean]
        ways += [lambda v, q=q: np.percentile(v, q) for q in QUANTILES]
        rows.append([label, *(against(a, b, way) for way in ways)])
    for walk in ("cold", "warm"):
        a = figures(ours, f"{walk}_mask").mean() + figures(ours, f"{walk}_accept").mean()
        b = figures(theirs, f"{walk}_mask").mean() + figures(theirs, f"{walk}_accept").mean()
        rows.append([f"mask + accept, {walk}", f"{a / b:.2f}", "", "", "", ""])
    return rows


def print_report(recording: Sequence[Record]) -> None:
    """Everything, to stdout."""
    head, records = recording[0], recording[1:]
    versions = ", ".join(f"{k} {v}" for k, v in head["versions"].items())
    print(f"# {head['suite']}: {head['n']} {head['select']} of {head['schemas']}, seed {head['seed']}\n")
    print(f"{head['date']}, structgen at {head['commit']}; {head['cpu']}, {head['cores']} cores,")
    print(f"load {head['load']} to {head.get('load_after')}; Python {head['python']}, {versions};")
    print(f"tokenizer {head['tokenizer']}, {head['vocabulary']:,} ids.")
    print("One thread, called from Python, garbage collector on. All times in µs.\n")
    for name, setting in head.get("settings", {}).items():
        print(f"- {name}: {setting}")
    for mode in dict.fromkeys(r["mode"] for r in records):
        engines = by_engine(records, mode)
        print(f"\n## {mode.capitalize()}\n\n{correctness(engines)}\n")
        for name, cases in engines.items():
            reasons = Counter(r["refused"].split(":")[0][:80] for r in cases.values() if r.get("refused"))
            if reasons:
                listed = "; ".join(f"{n} × {why}" for why, n in reasons.most_common(6))
                print(f"{name} refuses: {listed}\n")
            for wrong in wrong_answers(cases)[:LISTED]:
                print(f"- {name}, {wrong}")
        if mode == "alone":
            for name in engines:
                print_times(shared(engines, [name]))
            continue
        print_times(shared(engines, list(engines)))
        first = next(iter(engines))
        for other in list(engines)[1:]:
            pair = shared(engines, [first, other])
            if pair[first]:
                print(f"\n{first} ÷ {other}, on the {len(pair[first])} cases that both get right:\n")
                heads = [f"{first} ÷ {other}", "mean", "p50", "p90", "p99", "max"]
                print(table(heads, ratio_rows(pair[first], pair[other])))


def print_times(groups: dict[str, list[Record]]) -> None:
    """The table of times of several engines on the same cases."""
    names = list(groups)
    records = groups[names[0]]
    tokens = sum(len(r.get("cold_mask", [])) for r in records)
    right = f"{len(records)} cases that {' and '.join(names)} get right, {tokens:,} masks"
    print(f"\nµs, mean / p50 / p90 / p99 / max, on {right}:\n")
    rows = [[label, *(spread(figures(groups[n], key)) for n in names)] for label, key in MEASURES.items()]
    print(table(["", *names], rows))
