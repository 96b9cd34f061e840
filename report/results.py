"""Results of the queries: asked of a file of DuckDB's, as text and as CSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from report.questions import Query

MOST_ROWS = 10
"""Rows that a table shows; the CSV file has all of them."""

_NUMBERS = (int, float, Decimal)
_NOTHING = "–"  # noqa: RUF001 (a dash, as in print)
_HASHED = re.compile("[0-9a-f]{64}")
_SHOWN_OF_HASH = 8
# Columns that say something about others, and are shown with them.
_CURRENCY, _IS_OVER = "currency", "is_over"
# A spreadsheet would take these for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Result:
    """What a query returned.

    Attributes:
        columns: Names of the columns.
        rows: The rows; amounts are exact.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def shown(self) -> list[str]:
        """The names of the columns that a table has."""
        with_amounts = any(self._is_amount(name) for name in self.columns)
        hidden = {_IS_OVER, _CURRENCY} if with_amounts else {_IS_OVER}
        return [name for name in self.columns if name not in hidden]

    @property
    def headings(self) -> list[str]:
        """The names of the columns in words."""
        return [name.replace("_", " ") for name in self.shown]

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers."""
        return [self._is_numeric(name) for name in self.shown]

    @property
    def cells(self) -> list[list[str]]:
        """The first rows as text; amounts with their currency, periods that are not over marked."""
        return [
            [self.text(record, name) for name in self.shown] for record in self.records(MOST_ROWS)
        ]

    @property
    def more(self) -> int:
        """How many rows a table leaves out."""
        return max(len(self.rows) - MOST_ROWS, 0)

    def records(self, most: int | None = None) -> list[dict[str, Any]]:
        """Return the rows by the columns' names.

        Args:
            most: How many; all of them if omitted.
        """
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows[:most]]

    def text(self, record: dict[str, Any], name: str) -> str:
        """Return a value of a row as people read it."""
        value = record[name]
        words = text(value, name)
        if value is not None and self._is_amount(name) and record.get(_CURRENCY):
            return f"{words} {record[_CURRENCY]}"
        if isinstance(value, date) and record.get(_IS_OVER) is False:
            return f"{words}, so far"
        return words

    def csv(self) -> str:
        """Return all rows and columns as CSV."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow([_plain(value) for value in row])
        return file.getvalue()

    def _is_numeric(self, name: str) -> bool:
        place = self.columns.index(name)
        return any(isinstance(row[place], _NUMBERS) for row in self.rows)

    def _is_amount(self, name: str) -> bool:
        place = self.columns.index(name)
        return any(isinstance(row[place], Decimal) for row in self.rows) and not name.endswith(
            ("_rate", "_share", "_days")
        )


def has_rows(connection: duckdb.DuckDBPyConnection, source: str) -> bool:
    """Return whether a table exists and has rows.

    Args:
        connection: The warehouse.
        source: The table in the schema `analytics`, perhaps with a condition.
    """
    try:
        return bool(connection.execute(f"select 1 from analytics.{source} limit 1").fetchall())  # noqa: S608
    except duckdb.CatalogException:
        return False


def ask(connection: duckdb.DuckDBPyConnection, query: Query) -> Result:
    """Return the result of a query."""
    answer = connection.execute(query.sql)
    columns = tuple(column[0] for column in answer.description or ())
    return Result(columns, tuple(answer.fetchall()))


def text(value: Any, column: str) -> str:
    """Return a value as people read it: shares in percent, amounts with two decimals or more."""
    match value:
        case None:
            shown = _NOTHING
        case Decimal() | float() if column.endswith(("_rate", "_share")):
            shown = f"{value:.1%}"
        case Decimal() | float() if column.endswith("_days"):
            shown = f"{value:.1f}"
        case Decimal():
            cents = value.quantize(Decimal("0.01"))
            shown = f"{cents if cents == value else value.normalize():,f}"
        case int():
            shown = f"{value:,}"
        case datetime():
            shown = f"{day(value)} {value:%H:%M} UTC"
        case date():
            shown = f"{value:%b %Y}" if column == "month" else day(value)
        case str() if _HASHED.fullmatch(value):
            shown = f"{value[:_SHOWN_OF_HASH]}…"
        case _:
            shown = str(value)
    return shown


def day(value: date) -> str:
    """Return a date that is read alike everywhere."""
    return f"{value.day} {value:%b %Y}"


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    shown = "" if value is None else str(value)
    return f"'{shown}" if isinstance(value, str) and shown.startswith(_FORMULA) else shown
