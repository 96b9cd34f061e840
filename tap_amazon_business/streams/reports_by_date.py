"""Order reports read by order date, a hundred a page, and kept by purchase order number."""

from __future__ import annotations

import sqlite3
import threading
from functools import partial
from typing import TYPE_CHECKING, Self

import msgspec

from tap_amazon_business.ahead import ReadAhead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from tap_amazon_business.client import Row


class ReportsByDate:
    """What lists by order date hold, for looking up by purchase order number.

    The lists are read as far as they are allowed to cost, and go on from there when more is
    allowed. Rows are kept in a temporary database that the operating system may move to disk and
    that nobody else can open; it is gone when it is closed.

    Args:
        lists: The pages of each list of order reports.
        threads: How many lists are read at once.
    """

    def __init__(self, lists: Iterable[Iterator[list[Row]]], *, threads: int) -> None:
        self._open = list(lists)
        self._threads = threads
        self._spent = 0
        self._database = sqlite3.connect("")
        self._database.execute(
            "create table reports "
            "(number text, place integer, row blob, primary key (number, place)) without rowid"
        )
        self._places = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def complete(self, allowed: float) -> bool:
        """Read on until all lists are read, or `allowed` pages in all; tell whether all are.

        Raises:
            RequestFailedError: A page could not be had.
        """
        if self._open and allowed > self._spent:
            allowance = _Allowance(allowed - self._spent)
            ended: list[Iterator[list[Row]]] = []
            sources = [partial(allowance.spend, pages, ended) for pages in self._open]
            with ReadAhead(sources, threads=self._threads, hold=2 * self._threads) as ahead:
                for lists in ahead:
                    for rows in lists:
                        self._spent += 1
                        self._keep(rows)
            self._open = [pages for pages in self._open if pages not in ended]
        return not self._open

    def rows(self, number: str) -> list[Row]:
        """Return the rows that name a purchase order number, as they were listed."""
        found = self._database.execute(
            "select row from reports where number = ? order by place", (number,)
        )
        return [msgspec.json.decode(row) for (row,) in found]

    def _keep(self, rows: list[Row]) -> None:
        named = [row for row in rows if row.get("purchaseOrderNumber") is not None]
        first, self._places = self._places, self._places + len(named)
        self._database.executemany(
            "insert into reports values (?, ?, ?)",
            (
                (str(row["purchaseOrderNumber"]), place, msgspec.json.encode(row))
                for place, row in enumerate(named, start=first)
            ),
        )


class _Allowance:
    """A number of pages that several threads share."""

    def __init__(self, pages: float) -> None:
        self._left = pages
        self._lock = threading.Lock()

    def spend(
        self, pages: Iterator[list[Row]], ended: list[Iterator[list[Row]]]
    ) -> Iterator[list[Row]]:
        """Yield pages for as long as they are allowed; file the list under `ended` at its end."""
        while self._take(1):
            rows = next(pages, None)
            if rows is None:
                self._take(-1)
                ended.append(pages)
                return
            yield rows

    def _take(self, pages: int) -> bool:
        with self._lock:
            if self._left < pages:
                return False
            self._left -= pages
            return True
