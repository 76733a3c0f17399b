"""What grows with what: tables of a recording in which sizes differ (`benchmarks.growing`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .growing import SHAPES
from .measure import is_right
from .recordings import Record
from .report import figures, number, table

# label: measure, statistic
CURVES = {
    "schema to first mask": ("first_mask", 50),
    "mask, cold, p99": ("cold_mask", 99),
    "mask, warm, p50": ("warm_mask", 50),
    "mask, warm, p99": ("warm_mask", 99),
    "accept, warm, p50": ("warm_accept", 50),
}
Curve = dict[int, float]  # size -> µs


def is_growth(head: Record) -> bool:
    """Whether a recording is of a suite of growth."""
    return bool(head.get("growth"))


def curves(recording: Sequence[Record], shape: str, label: str) -> dict[str, Curve]:
    """engine -> its curve; the size is the vocabulary's where there are several, and else the case's."""
    head, records = recording[0], recording[1:]
    key, percentile = CURVES[label]
    found: dict[str, Curve] = {name: {} for name in head["engines"]}
    for record in records:
        name, _, size = record["case"].rpartition(" ")
        values = figures([record], key) if is_right(record) else np.zeros(0)
        if name == shape and len(values):
            at = head["vocabulary"][record["tokenizer"]] if len(head["vocabulary"]) > 1 else int(size)
            found[record["engine"]][at] = float(np.percentile(values, percentile))
    return {name: curve for name, curve in found.items() if curve}


def shapes(recording: Sequence[Record]) -> list[str]:
    """The shapes that a recording holds."""
    named = {record["case"].rpartition(" ")[0] for record in recording[1:]}
    return [name for name in SHAPES if name in named]


def growth_tables(recording: Sequence[Record]) -> str:
    """One table for each shape and measure, in µs; a dash is a case without right answers."""
    head = recording[0]
    parts = []
    for shape in shapes(recording):
        described = (SHAPES[shape].__doc__ or "").strip()
        if len(head["vocabulary"]) > 1:
            size = next(r["case"] for r in recording[1:] if r["case"].startswith(shape + " ")).split()[-1]
            described = f"`n` = {size}, by vocabulary. " + described
        parts.append(f"### {shape}\n\n{described}")
        for label in CURVES:
            found = curves(recording, shape, label)
            sizes = sorted({size for curve in found.values() for size in curve})
            rows = [
                [name, *(number(curve[s]) if s in curve else "–" for s in sizes)]
                for name, curve in found.items()
            ]
            parts.append(table([f"{label}, µs", *(f"{s:,}" for s in sizes)], rows))
    return "\n\n".join(parts)
