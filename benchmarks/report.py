"""Tables in Markdown, made from a recording.

A time counts where the engine's answers on that case were right. Engines are compared on the same cases: a
table of several holds those that every one of them got right, a pair's ratios those that both did.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .engines import engines
from .measure import is_right
from .recordings import Record, read_recording

Figures = npt.NDArray[np.float64]
Cases = dict[str, Record]

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
    "asked",
    "refused at compile",
    "time-outs",
    "crashes, errors",
    "valid refused",
    "invalid accepted",
    "mask and accept differ",
    "right",
    "MB loaded",
    "MB at most",
)
PAIRED: tuple[tuple[str, str, Callable[[Figures], Any]], ...] = (
    ("first mask p50", "first_mask", np.median),
    ("first mask p99", "first_mask", lambda v: np.percentile(v, 99)),
    ("document p50", "document", np.median),
    ("document p99", "document", lambda v: np.percentile(v, 99)),
    ("cold mask mean", "cold_mask", np.mean),
    ("cold mask p99", "cold_mask", lambda v: np.percentile(v, 99)),
    ("warm mask p50", "warm_mask", np.median),
    ("warm mask p99", "warm_mask", lambda v: np.percentile(v, 99)),
)


def figures(records: Sequence[Record], key: str) -> Figures:
    """All values of a measure, in µs."""
    parts = []
    for record in records:
        value = record.get(key, 0)
        if isinstance(value, dict):
            parts.append(np.repeat(np.array(value["v"], np.float64), value["n"]))
        elif value:
            parts.append(np.array([value], np.float64))
    return np.concatenate(parts) / 1000 if parts else np.zeros(0)


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


def by_engine(records: Sequence[Record], mode: str) -> dict[str, Cases]:
    """engine -> case -> record; a case is its id, with the tokenizer where there are several."""
    several = len({r["tokenizer"] for r in records}) > 1
    found: dict[str, Cases] = {}
    for record in records:
        if record["mode"] == mode:
            case = f"{record['case']} ({record['tokenizer']})" if several else record["case"]
            found.setdefault(record["engine"], {})[case] = record
    return found


def shared(by: dict[str, Cases], names: Sequence[str]) -> dict[str, list[Record]]:
    """The records of the cases that all of ``names`` got right."""
    cases = [case for case in by[names[0]] if all(case in by[n] and is_right(by[n][case]) for n in names)]
    return {n: [by[n][case] for case in cases] for n in names}


def able(by: dict[str, Cases]) -> list[str]:
    """Engines that were asked all cases and got at least half right: these are compared side by side."""
    asked = max(map(len, by.values()))
    return [
        name for name, cases in by.items() if len(cases) == asked <= 2 * sum(map(is_right, cases.values()))
    ]


def answers(head: Record, by: dict[str, Cases]) -> str:
    """What each engine answered wrongly, and the memory it took."""
    rows = []
    for name, cases in by.items():
        records = list(cases.values())
        errors = [r["error"] for r in records if r.get("error")]
        late = sum(e.startswith("no answer") for e in errors)
        counts = (
            len(records),
            sum(bool(r.get("refused")) for r in records),
            late,
            len(errors) - late,
            sum(bool(r.get("valid_refused")) for r in records),
            sum(bool(r.get("invalid_accepted")) for r in records),
            sum(bool(r.get("disagree")) for r in records),
            sum(is_right(r) for r in records),
            head["said"].get(name, {}).get("loaded", 0) // 10**6,
            max((r.get("peak", 0) for r in records), default=0) // 10**6,
        )
        rows.append([name, *map(str, counts)])
    return table(["engine", *CORRECTNESS], rows)


def pauses(by: dict[str, Cases]) -> str:
    """Collections of garbage in the midst of figures, and waits for a processor that were taken off."""
    rows = []
    for name, cases in by.items():
        collected = [r["gc"] for r in cases.values() if "gc" in r]
        waited = [r["waits"] for r in cases.values() if "waits" in r]
        counts = (str(sum(c[0] for c in collected)), number(max((c[1] for c in collected), default=0) / 1000))
        taken_off = (str(sum(w[0] for w in waited)), number(sum(w[1] for w in waited) / 1e6))
        rows.append([name, *counts, *taken_off])
    return table(["engine", "collections", "the longest, µs", "waits taken off", "ms"], rows)


def complaints(by: dict[str, Cases]) -> str:
    """Why engines refuse, and their wrong answers one by one."""
    lines = []
    for name, cases in by.items():
        reasons = Counter(r["refused"].split(":")[0][:80] for r in cases.values() if r.get("refused"))
        if reasons:
            lines.append(
                f"{name} refuses: " + "; ".join(f"{n} × {why}" for why, n in reasons.most_common(6)) + "\n"
            )
        wrong = []
        for case, record in cases.items():
            if record.get("error"):
                wrong.append(f"{case}: {record['error']}")
            wrong += [f"{case}: valid {n}: {said}" for n, said in record.get("valid_refused", {}).items()]
            wrong += [f"{case}: invalid {n}: accepted" for n in record.get("invalid_accepted", ())]
        lines += [f"- {name}, {line}" for line in wrong[:LISTED]]
        if len(wrong) > LISTED:
            lines.append(f"- {name}, and {len(wrong) - LISTED} more like these")
    return "\n".join(lines)


def times(groups: dict[str, list[Record]]) -> str:
    """The times of several engines on the same cases."""
    names = list(groups)
    records = groups[names[0]]
    masks = len(figures(records, "cold_mask"))
    what = f"{len(records)} cases that {', '.join(names)} get right, {masks:,} masks"
    rows = [[label, *(spread(figures(groups[n], key)) for n in names)] for label, key in MEASURES.items()]
    return f"µs, mean / p50 / p90 / p99 / max, on {what}:\n\n" + table(["", *names], rows)


def own_times(by: dict[str, Cases]) -> str:
    """Each engine on the cases that it got right itself: for engines that few others can be compared with."""
    parts = []
    for label, key in MEASURES.items():
        rows = []
        for name, cases in by.items():
            right = [r for r in cases.values() if is_right(r)]
            values = figures(right, key)
            if len(values):
                spread_ = (values.mean(), *np.percentile(values, (50, 90, 99, 99.9, 100)))
                rows.append([name, str(len(right)), *map(number, spread_)])
        parts.append(table([f"{label}, µs", "cases", "mean", "p50", "p90", "p99", "p99.9", "max"], rows))
    return "\n\n".join(parts)


def ratios(by: dict[str, Cases]) -> str:
    """How the first engine's times stand to each other's, on the cases that both got right."""
    first, *others = by
    rows = []
    for other in others:
        pair = shared(by, [first, other])
        row = [other, str(len(pair[first]))]
        for _, key, how in PAIRED:
            ours, theirs = figures(pair[first], key), figures(pair[other], key)
            row.append(f"{how(ours) / how(theirs):.3g}" if len(ours) and len(theirs) else "–")
        rows.append(row)
    return table([f"{first} ÷", "cases", *(label for label, _, _ in PAIRED)], rows)


def maskbench(by: dict[str, Cases]) -> str:
    """The same run in MaskBench's own terms.

    TTFM is compile alone. TBM is mask + accept in whole µs, over all instances, valid and invalid, up to the
    first token that is refused. Whether a text may end is not asked: an invalid one that is refused only
    there counts as accepted, a valid one as well. The percentile p of n sorted values is number ``int(n * p /
    100)``. A case that ran out of time counts as 900 s.
    """

    def at(values: Sequence[int], p: float) -> str:
        return f"{values[min(int(len(values) * p / 100), len(values) - 1)]:,}" if values else "–"

    percentiles = (25, 50, 75, 90, 95, 99, 99.9, 100)
    rows = []
    for name, cases in by.items():
        records = list(cases.values())
        taken = [r for r in records if not r.get("refused") and not r.get("error")]
        late = sum(r.get("error", "").startswith("no answer") for r in records)
        compiled = sorted([r["compile"] // 1000 for r in taken] + [900_000_000] * late)
        steps = Counter[int]()
        for r in taken:
            steps.update(dict(zip(r["step"]["v"], r["step"]["n"], strict=True)))
        pooled = sorted(steps.elements())
        wrong = [r for r in taken if not maskbench_passes(r)]
        counts = [
            len(records),
            len(taken) - len(wrong),
            sum(bool(r.get("refused")) for r in records),
            len(wrong),
        ]
        mean = f"{sum(pooled) / len(pooled):,.0f}" if pooled else "–"
        ttfm = f"{sum(compiled) / len(compiled):,.0f}" if compiled else "–"
        rows.append([name, *map(str, counts), "TTFM", ttfm, *(at(compiled, p) for p in percentiles)])
        rows.append(["", "", "", "", "", "TBM", mean, *(at(pooled, p) for p in percentiles)])
    heads = [
        "engine",
        "schemas",
        "passing",
        "refused",
        "wrong",
        "µs",
        "avg",
        *(f"p{p:g}" for p in percentiles),
    ]
    return table(heads, rows)


def maskbench_passes(record: Record) -> bool:
    """Compiled, valid instances accepted, no invalid one: as MaskBench counts, without asking for the end."""
    if record.get("refused") or record.get("error"):
        return False
    refused = [said for said in record["valid_refused"].values() if said.startswith("token")]
    return not refused and not record["invalid_accepted"] and not record["refused_at_end"]


def introduction(head: Record) -> str:
    """What was measured, where and how."""
    versions = ", ".join(f"{name} {said['version']}" for name, said in head["said"].items() if said)
    libraries = ", ".join(f"{k} {v}" for k, v in head["libraries"].items())
    source = (
        f": {head['n']} {head['select']} of {head['schemas']}, seed {head['seed']}" if head["schemas"] else ""
    )
    sizes = ", ".join(f"{name} ({size:,} ids)" for name, size in head["vocabulary"].items())
    lines = [
        f"# {head['suite']}{source}\n",
        f"{head['date']}, structgen at {head['commit']}; {head['cpu']}, {head['cores']} cores,",
        f"load {head['load']} to {head['load_after']}; Python {head['python']}, {libraries};",
        f"{versions}; tokenizer {sizes}.",
        "Each engine in its own process, one thread, called from Python, garbage collector on.",
        f"Limits for an engine and case: {head['time_limit']:g} s, {head['memory_limit']:g} GiB of address",
        f"space; for an engine in all: {head['budget']:g} s."
        if head["budget"]
        else "space; for an engine in all: none.",
        "",
    ]
    about = {name: engine.about for name, engine in engines().items()}
    for name, said in head["said"].items():
        if said:
            lines.append(f"- {name}: {said['settings']}" + (f" ({about[name]})" if about.get(name) else ""))
    lines += [f"- {name}: not installed: {why}" for name, why in head["missing"].items()]
    return "\n".join(lines) + "\n"


def report(recording: Sequence[Record]) -> str:
    """Everything, as Markdown."""
    from .growth import growth_tables, is_growth

    head, records = recording[0], recording[1:]
    parts = [introduction(head)]
    if is_growth(head):
        for mode in dict.fromkeys(r["mode"] for r in records):
            by = by_engine(records, mode)
            parts.append(f"## {mode.capitalize()}\n\n{answers(head, by)}\n\n{complaints(by)}")
        return "\n\n".join([*parts, growth_tables(recording)]) + "\n"
    for mode in dict.fromkeys(r["mode"] for r in records):
        by = by_engine(records, mode)
        parts.append(f"## {mode.capitalize()}\n\n{answers(head, by)}\n\n{complaints(by)}")
        if able(by):
            parts.append(times(shared(by, able(by))))
        if len(by) > 1:
            parts.append(f"Pairwise, on the cases that both get right:\n\n{ratios(by)}")
            parts.append(f"Each on the cases that it gets right itself:\n\n{own_times(by)}")
        parts.append(pauses(by))
        if head["suite"] == "schemas":
            parts.append(f"In MaskBench's own terms:\n\n{maskbench(by)}")
    return "\n\n".join(parts) + "\n"


def print_report(recording: Sequence[Record]) -> None:
    """To stdout."""
    print(report(recording))


def command(options: argparse.Namespace) -> int:
    """The command ``report``."""
    print_report(read_recording(options.recording))
    return 0
