"""Results: rows under a title, printed and kept as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Cell = str | float | int | None
Row = dict[str, Cell]


@dataclass(frozen=True)
class Table:
    """One topic's measurements.

    Attributes:
        name: The name of its file.
        title: What was measured, and under which conditions.
        rows: By column; the columns' names give the units.
        notes: What is to be known of it; targets first.
    """

    name: str
    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())

    def text(self) -> str:
        """Return it as Markdown, without columns that are empty."""
        names = [
            name for name in self.rows[0] if any(row[name] not in {None, ""} for row in self.rows)
        ]
        body = tabulate(
            [{name: _shown(row[name]) for name in names} for row in self.rows],
            headers="keys",
            tablefmt="github",
            disable_numparse=True,
            colalign=["left" if self._is_text(name) else "right" for name in names],
        )
        notes = "".join(f"- {note}\n" for note in self.notes)
        return f"### {self.title}\n\n{body}\n\n{notes}"

    def write(self, folder: Path) -> None:
        """Write it as JSON."""
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def _is_text(self, name: str) -> bool:
        return any(isinstance(row[name], str) for row in self.rows)


def ratio(part: float, whole: float) -> float | None:
    """Return a quotient, none where there is nothing to divide by."""
    return round(part / whole, 3) if whole else None


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.3f}" if cell < 10 else f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
