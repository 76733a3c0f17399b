"""Plots of a recording: cumulative distributions on a logarithmic axis, and curves of growth."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .growth import CURVES, curves, is_growth, shapes
from .recordings import Record, read_recording
from .report import able, by_engine, figures, shared

DISTRIBUTIONS = {
    "schema to first mask": "first_mask",
    "document, from schema to last token": "document",
    "mask, first walk": "cold_mask",
    "mask, second walk": "warm_mask",
}
POINTS = 400  # of a curve


def draw(recording: Sequence[Record], folder: Path, name: str = "") -> list[Path]:
    """Write the plots of a recording into a folder; their paths. ``name``: by default the suite's."""
    folder.mkdir(parents=True, exist_ok=True)
    name = name or recording[0]["suite"]
    if is_growth(recording[0]):
        return _growth(recording, folder, name)
    made = _distributions(recording, folder, name)
    return [made] if made else []


def _axes(columns: int, rows: int) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot.subplots(
        rows, columns, figsize=(5 * columns, 3.6 * rows), squeeze=False, layout="constrained"
    )


def _save(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot

    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    return path


def _distributions(recording: Sequence[Record], folder: Path, name: str) -> Path | None:
    by = by_engine(recording[1:], "interleaved")
    names = able(by) if by else []
    if not names:
        return None
    groups = shared(by, names)
    figure, axes = _axes(2, 2)
    for axis, (label, key) in zip(axes.flat, DISTRIBUTIONS.items(), strict=True):
        for engine in names:
            values = figures(groups[engine], key)
            if len(values):
                share = np.linspace(0, 100, POINTS)
                values = np.percentile(values, share, method="inverted_cdf")
                axis.step(values, share, where="post", label=engine)
        axis.set(xscale="log", xlabel="µs", ylabel="% of all", title=label)
        axis.grid(alpha=0.3)
    axes.flat[0].legend(fontsize="small")
    return _save(figure, folder / f"{name}.png")


def _growth(recording: Sequence[Record], folder: Path, name: str) -> list[Path]:
    made = []
    several = len(recording[0]["vocabulary"]) > 1
    named = shapes(recording)
    for label in CURVES:
        columns = min(len(named), 4)
        figure, axes = _axes(columns, -(-len(named) // columns))
        for axis in axes.flat[len(named) :]:
            axis.set_axis_off()
        for axis, shape in zip(axes.flat, named, strict=False):
            for engine, curve in curves(recording, shape, label).items():
                axis.plot([*curve], [*curve.values()], marker="o", markersize=3, label=engine)
            axis.set(xscale="log", yscale="log", title=shape, ylabel="µs")
            axis.set_xlabel("ids of the vocabulary" if several else "n")
            axis.grid(alpha=0.3)
        axes.flat[0].legend(fontsize="small")
        figure.suptitle(label)
        file = label.replace(", ", "-").replace(" ", "-")
        made.append(_save(figure, folder / f"{name}-{file}.png"))
    return made


def command(options: argparse.Namespace) -> int:
    """The command ``plot``."""
    for path in draw(read_recording(options.recording), options.folder):
        print(path)
    return 0
