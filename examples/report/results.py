"""Results of the queries: asked of a file of DuckDB's, and as text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from examples.report.questions import Query

_NUMBERS = (int, float, Decimal)
_NOTHING = "–"  # noqa: RUF001 (a dash, as in print)


@dataclass(frozen=True)
class Result:
    """What a query returned.

    Attributes:
        columns: Names of the columns.
        rows: The rows; amounts are exact.
        exists: Whether the warehouse has the table that was asked.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    exists: bool = True

    @property
    def headings(self) -> list[str]:
        """The names of the columns in words."""
        return [name.replace("_", " ") for name in self.columns]

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers."""
        return [
            any(isinstance(row[place], _NUMBERS) for row in self.rows)
            for place in range(len(self.columns))
        ]

    @property
    def cells(self) -> list[list[str]]:
        """The rows as text."""
        return [
            [text(value, name) for name, value in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]

    def records(self) -> list[dict[str, Any]]:
        """Return the rows by the columns' names."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def ask(connection: duckdb.DuckDBPyConnection, query: Query) -> Result:
    """Return the result of a query; a table that does not exist has no rows."""
    try:
        answer = connection.execute(query.sql)
    except duckdb.CatalogException:
        return Result((), (), exists=False)
    columns = tuple(column[0] for column in answer.description or ())
    return Result(columns, tuple(answer.fetchall()))


def text(value: Any, column: str) -> str:
    """Return a value as people read it: rates in percent, amounts with two decimals or more."""
    match value:
        case None:
            return _NOTHING
        case Decimal() | float() if column.endswith("_rate"):
            return f"{value:.1%}"
        case Decimal():
            cents = value.quantize(Decimal("0.01"))
            return f"{cents if cents == value else value.normalize():,f}"
        case int():
            return f"{value:,}"
        case date():
            return f"{value:%Y-%m}" if column == "month" else value.isoformat()
        case _:
            return str(value)
