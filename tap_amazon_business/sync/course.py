"""How far a sync is in what it reads, and how long the rest takes at the present pace.

The pace is measured where it is set. If a stream mostly waits for pages, that is where they are
read: a page after the other, several windows at a time. Otherwise it is where records are written
and children made of them. How much is left is told by how dense the windows read lately were.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from tap_amazon_business.clock import Stopwatch
from tap_amazon_business.sync.density import Amount, Density
from tap_amazon_business.sync.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_amazon_business.clock import Clock
    from tap_amazon_business.sync.windows import Slice, Span, Window

T = TypeVar("T")

# A stream that waits for pages this share of its time is as fast as they come.
_MOSTLY = 0.5


@dataclass(frozen=True)
class Place:
    """Where a sync is.

    Attributes:
        share: How much of it is done, from 0 to 1.
        until: The moment up to which everything is written, if it reads a span.
        again: Whether that moment lies in the lookback.
        what: What is asked for one by one; empty if it reads a span.
        done: How many of them were asked for.
        of: How many there are to ask for.
        left: How many seconds it still takes, None if nothing tells.
    """

    share: float
    until: datetime | None = None
    again: bool = False
    what: str = ""
    done: int = 0
    of: int = 0
    left: float | None = None


class Course(Protocol):
    """What a sync reads, and how far it is."""

    def part(self, done: int, of: int) -> None:
        """Take note that children were made of so many of the rows that are being written."""
        ...

    def place(self) -> Place:
        """Return where the sync is."""
        ...


class NumberCourse:
    """What is asked for one by one.

    Args:
        what: What is asked for, such as "purchase orders".
        clock: The time.
        of: How many there are, if that is known.
    """

    def __init__(self, what: str, clock: Clock, of: int = 0) -> None:
        self._what = what
        self._clock = clock
        self._of = of
        self._done = 0
        self._part = 0.0
        self._pace = Pace(clock.monotonic())
        self._lock = threading.Lock()

    def tell(self, done: int, of: int | None = None) -> None:
        """Take note that so many are done, and perhaps how many there are."""
        with self._lock:
            self._done, self._of, self._part = done, of or self._of, 0.0
            self._note()

    def part(self, done: int, of: int) -> None:
        """Take note that children were made of so many of the rows that are being written."""
        with self._lock:
            self._part = done / of
            self._note()

    def place(self) -> Place:
        """Return where the sync is."""
        with self._lock:
            pace = self._pace.per_second(self._clock.monotonic())
            return Place(
                share=self._done / self._of if self._of else 0.0,
                what=self._what,
                done=self._done,
                of=self._of,
                left=(self._of - self._position) / pace if pace else None,
            )

    @property
    def _position(self) -> float:
        return min(self._done + self._part, self._of)

    def _note(self) -> None:
        self._pace.note(self._clock.monotonic(), self._position)


class SpanCourse:
    """A span, read slice by slice.

    Args:
        span: What the sync reads.
        queries: What each slice is asked for, and whether slices of the lookback are, too.
        clock: The time.
    """

    def __init__(self, span: Span, queries: Mapping[Hashable, bool], clock: Clock) -> None:
        new = (span.until - span.since).total_seconds()
        shares = [share.window for share in span.shares]
        again = sum(window.seconds for window in shares)
        self._clock = clock
        self._lock = threading.Lock()
        self._idle = Stopwatch(clock)
        now = clock.monotonic()
        self._paces = {name: Pace(now) for name in ("idle", "pages", "rows")}
        self._queries = {
            query: Density(new + (again if rereads else 0)) for query, rereads in queries.items()
        }
        self._span = new + again
        self._finished = 0.0
        self._until = shares[0].start if shares else span.since
        self._again = bool(shares)
        self._read = Amount()
        self._written = 0
        self._page, self._part = 0, 0.0  # the rows of the page that is written, and its share

    def awaited(self, results: Iterable[T]) -> Iterator[T]:
        """Yield what was read, and measure how long it is waited for."""
        left = iter(results)
        while True:
            with self._idle:
                try:
                    result = next(left)
                except StopIteration:
                    return
            yield result

    # ---- what was read: for the threads that read ------------------------------------------------

    def read(self, query: Hashable, window: Window, rows: int) -> None:
        """Take note of a page of a window."""
        with self._lock:
            self._queries[query].read(window, rows)
            self._read.add(1, rows)
            self._note()

    def complete(self, query: Hashable, window: Window) -> None:
        """Take note that all pages of a window are read."""
        with self._lock:
            self._queries[query].complete(window)

    # ---- what was written: for the thread of the stream ------------------------------------------

    def begin_page(self, rows: int) -> None:
        """Take note that a page of so many rows comes next, and the one before is written."""
        with self._lock:
            self._written += self._page
            self._page, self._part = rows, 0.0
            self._note()

    def part(self, done: int, of: int) -> None:
        """Take note that children were made of so many of the rows that are being written."""
        with self._lock:
            self._part = done / of
            self._note()

    def finish(self, part: Slice) -> None:
        """Take note that all records of a slice are written."""
        self.begin_page(0)
        with self._lock:
            self._finished += part.window.seconds
            self._until, self._again = part.window.end, part.reread

    # ---- where that is ---------------------------------------------------------------------------

    def place(self) -> Place:
        """Return where the sync is."""
        with self._lock:
            share = min(self._finished / self._span, 1.0) if self._span else 1.0
            return Place(share, until=self._until, again=self._again, left=self._left())

    def _left(self) -> float | None:
        self._note()
        unread = [query.unread for query in self._queries.values()]
        if any(rest is None for rest in unread):
            return None
        now = self._clock.monotonic()
        if self._paces["idle"].per_second(now) >= _MOSTLY:
            left, pace = sum(rest.pages for rest in unread if rest), self._paces["pages"]
        else:
            rows = sum(rest.rows for rest in unread if rest)
            left, pace = self._read.rows - self._position + rows, self._paces["rows"]
        speed = pace.per_second(now)
        return left / speed if speed else None

    @property
    def _position(self) -> float:
        return self._written + self._page * self._part

    def _note(self) -> None:
        now = self._clock.monotonic()
        self._paces["idle"].note(now, self._idle.seconds)
        self._paces["pages"].note(now, self._read.pages)
        self._paces["rows"].note(now, self._position)
