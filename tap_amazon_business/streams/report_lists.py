"""Lists of all order reports by order date, kept for looking them up by purchase order number."""

from __future__ import annotations

import math
import sqlite3
from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import msgspec

from tap_amazon_business.api.operations import GET_ORDER_REPORTS as _OPERATION
from tap_amazon_business.streams.business import order_date_query
from tap_amazon_business.sync.prefetch import Prefetch
from tap_amazon_business.sync.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tap_amazon_business.streams.base import AmazonStream, Row

# The newest week tells how dense the lists are; they are then cut to this many pages.
_FIRST = timedelta(days=7)
_PAGES_PER_LIST = 20
_SHORTEST = 3600.0  # seconds

# Each list costs a page, even if it is empty: so a list may hold a little more than is allowed.
_HASTE = 2
_FEW = 4

# Where pages are limited, a list of more than so many times the expected pages is given up, and
# read again when twice as many pages are allowed.
_SLACK = 2

# How close to now the operation may be asked.
_MARGIN = timedelta(minutes=2)


@dataclass(frozen=True)
class _List:
    """A list of a region's reports, and how many pages it is expected to hold."""

    window: Window
    region: str
    expected: float


class ReportLists:
    """The reports that getOrderReports lists by order date, kept by purchase order number.

    The lists are read newest first, as far as they are allowed to cost, and further when more is
    allowed. Each is read in one go, as page tokens expire. Rows are kept in a temporary database
    that the operating system may move to disk and that nobody else can open; closing it removes it.

    Args:
        stream: The stream that needs them.

    Attributes:
        until: Where the lists end.
    """

    def __init__(self, stream: AmazonStream) -> None:
        self.until = stream.clock.now() - _MARGIN
        self._stream = stream
        self._oldest = self.until - _OPERATION.reach
        self._next_end = self.until
        self._due: deque[_List] = deque()
        self._expected = 0.0  # pages of the lists that were begun
        self._surplus = 0.0  # pages that came beyond those; fewer are less than 0
        self._seconds = 0.0  # time and rows of the lists that were read so far
        self._rows = 0
        self._database = sqlite3.connect("")
        self._database.execute(
            "create table reports "
            "(number text, place integer, row blob, primary key (number, place)) without rowid"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def read(self, allowed: float = math.inf) -> bool:
        """Read on until the lists are complete, or as many pages in all; tell whether they are.

        Raises:
            RequestFailedError: A page failed.
        """
        workers = self._stream.settings.max_parallel_requests
        while not self._complete:
            before = self._expected
            affordable = self._affordable(allowed)
            with Prefetch(affordable, partial(self._pages, allowed), workers=workers) as lists:
                for part, (pages, spent) in lists:
                    self._surplus += spent - part.expected
                    if pages is None:
                        self._due.append(replace(part, expected=2 * spent))
                        continue
                    self._seconds += (part.window.end - part.window.start).total_seconds()
                    for page in pages:
                        self._keep(page)
            if self._expected == before:
                return False  # nothing more is affordable
        return True

    def rows(self, number: str) -> list[Row]:
        """Return the rows that name a purchase order number, as they were listed."""
        found = self._database.execute(
            "select row from reports where number = ? order by place", (number,)
        )
        return [msgspec.json.decode(row) for (row,) in found]

    @property
    def _complete(self) -> bool:
        return not self._due and self._next_end <= self._oldest

    @property
    def _spent(self) -> float:
        return self._expected + self._surplus

    def _affordable(self, allowed: float) -> Iterator[_List]:
        """Yield the lists that may be read now."""
        while not self._complete and self._spent < allowed:
            if not self._due:
                self._cut(allowed - self._spent)
            left = allowed - self._spent
            if self._due[0].expected > max(_HASTE * left, _FEW):
                return
            part = self._due.popleft()
            self._expected += part.expected
            yield part
            if not self._seconds and not self._due:
                return  # how dense the lists are shows when the first ones are read

    def _cut(self, allowed: float) -> None:
        """Cut the next window, of about as many pages as are allowed."""
        regions = self._stream.settings.business_api_regions
        width, pages = _FIRST, 1.0
        if self._seconds:
            most = min(max(_HASTE * allowed / len(regions), _FEW), _PAGES_PER_LIST)
            seconds_per_page = self._seconds / max(self._rows, 1) * _OPERATION.page_size
            width = timedelta(seconds=max(seconds_per_page * most, _SHORTEST))
            width = min(width, _OPERATION.longest_range)
            pages = max(1.0, width.total_seconds() / seconds_per_page)
        start = max(self._next_end - width, self._oldest)
        window = Window(start, self._next_end)
        self._next_end = start
        self._due.extend(_List(window, region, pages) for region in regions)

    def _pages(self, allowed: float, part: _List) -> tuple[list[list[Any]] | None, int]:
        """Return the pages of a list, and how many were read; none if it is far too long."""
        query = order_date_query(part.region)
        request = query.request(_OPERATION, part.window)
        most = math.inf if math.isinf(allowed) else max(_SLACK * part.expected, _SLACK)
        pages: list[list[Any]] = []
        for page in self._stream.client.pages(request):
            if len(pages) >= most:
                return None, len(pages) + 1
            pages.append(page)
        return pages, len(pages)

    def _keep(self, rows: list[Any]) -> None:
        named = [
            row
            for row in rows
            if isinstance(row, dict) and row.get("purchaseOrderNumber") is not None
        ]
        self._database.executemany(
            "insert into reports values (?, ?, ?)",
            (
                (str(row["purchaseOrderNumber"]), place, msgspec.json.encode(row))
                for place, row in enumerate(named, start=self._rows)
            ),
        )
        self._rows += len(rows)
