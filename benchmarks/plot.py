"""Draws wall time against orders: `python -m benchmarks.plot FOLDER SVG`.

A process of its own, as a library for plots would show in the memory of what is measured.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

SOURCES = ("e_growth", "f_peers")


def draw(folder: Path, svg: Path) -> None:
    """Draw what the tables in a folder hold; without a date, so that equal data give equal files.

    Args:
        folder: Where the tables are, as JSON.
        svg: What is written.
    """
    rows = sorted(_rows(folder), key=lambda row: (row["program"], row["orders"]))
    mpl.rcParams |= {"svg.hashsalt": "bench", "svg.fonttype": "none"}
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for program, group in groupby(rows, key=lambda row: row["program"]):
        points = list(group)
        (line,) = axes.loglog(
            [row["orders"] for row in points], [row["wall s"] for row in points], marker="o"
        )
        line.set_label(program)
        for row in points:
            axes.annotate(
                _what_went_wrong(row),
                (row["orders"], row["wall s"]),
                xytext=(0, -12),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
    axes.set_xlabel("purchase orders in 170 days")
    axes.set_ylabel("wall time of a first sync, seconds")
    axes.set_title("Amazon's published usage plan, 50 ms a request", fontsize=10)
    axes.grid(visible=True, which="both", alpha=0.2)
    axes.margins(y=0.15)
    axes.legend(fontsize=8)
    svg.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(svg, metadata={"Date": None})


def _what_went_wrong(row: dict[str, Any]) -> str:
    share = row["orders found"] / row["orders"]
    return "failed" if row["remark"] else f"{share:.0%} found" if share < 1 else ""


def _rows(folder: Path) -> list[dict[str, Any]]:
    """Return all points; of a size that is in both tables, the last one."""
    points = {}
    for path in (folder / f"{name}.json" for name in SOURCES):
        if path.exists():
            for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
                if row["wall s"] is not None:
                    points[row["program"], row["orders"]] = row
    return list(points.values())


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
