"""Spans of time, cut into windows that the APIs accept. Pure functions: no clock, no I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_amazon_business.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence
    from datetime import datetime

# Whether Amazon's bounds belong to a window is not documented ("after", "before"). If both were
# exclusive, a row dated exactly on a cut would be in neither window: so each request begins one
# second earlier. A row that then comes twice is recognised by its key.
_EDGE = timedelta(seconds=1)

# Narrower windows would cost more requests than they hold pages.
_NARROWEST = timedelta(minutes=10)


@dataclass(frozen=True)
class Window:
    """A span of time from start up to, not including, end (both UTC)."""

    start: datetime
    end: datetime

    @property
    def after(self) -> str:
        """The lower bound as a request parameter, RFC 3339."""
        return rfc3339(self.start - _EDGE)

    @property
    def before(self) -> str:
        """The upper bound as a request parameter, RFC 3339."""
        return rfc3339(self.end)

    @property
    def seconds(self) -> float:
        """How many seconds it spans."""
        return (self.end - self.start).total_seconds()

    def halves(self) -> tuple[Window, Window]:
        """Return the same time as two windows."""
        middle = self.start + (self.end - self.start) / 2
        return Window(self.start, middle), Window(middle, self.end)

    @override
    def __str__(self) -> str:
        return f"{rfc3339(self.start)} to {rfc3339(self.end)}"


@dataclass(frozen=True)
class Share:
    """A part of the rolling lookback that is due.

    Attributes:
        window: What to read.
        after: The position in the lookback before it.
        until: The position once all of it is read.
    """

    window: Window
    after: datetime
    until: datetime

    def position(self, read_until: datetime) -> datetime:
        """Return the position once the window is read up to a moment."""
        done = (read_until - self.window.start) / (self.window.end - self.window.start)
        return self.after + done * (self.until - self.after)

    def within(self, start: datetime, end: datetime) -> Share | None:
        """Return the part that lies between two moments, None if there is none."""
        start, end = max(start, self.window.start), min(end, self.window.end)
        if start >= end:
            return None
        return Share(Window(start, end), self.position(start), self.position(end))


@dataclass(frozen=True)
class Slice:
    """A window of a sync.

    Attributes:
        window: The window.
        position: If it belongs to the lookback: the position once it is read.
    """

    window: Window
    position: datetime | None = None

    @property
    def reread(self) -> bool:
        """Whether it belongs to the lookback, and was read before."""
        return self.position is not None


@dataclass(frozen=True)
class Span:
    """What one sync of a stream reads: its share of the lookback, and [since, until).

    `unreadable` is the start that the user or the bookmark asked for, if the API does not reach
    back that far.
    """

    since: datetime
    until: datetime
    shares: tuple[Share, ...] = ()
    unreadable: datetime | None = None


class Slicer:
    """Cuts a span into slices, narrower where rows turn out to be dense.

    Pages of a window have to be requested one by one, but windows are independent. With slices of a
    few pages, several can be read at once without many pages waiting for their turn, and the
    bookmark advances often, however busy the account.

    Args:
        span: What the sync reads.
        widest: How wide a slice may be.
        rows: How many rows a slice should hold.
    """

    def __init__(self, span: Span, *, widest: timedelta, rows: int) -> None:
        self._span = span
        self._widest = widest
        self._rows = rows
        self._seconds_per_row: dict[Hashable, float] = {}

    def __iter__(self) -> Iterator[Slice]:
        """Yield the slices: the lookback, then what is new, oldest first.

        Each is as wide as the density observed so far allows.
        """
        for share in self._span.shares:
            for window in cut(share.window.start, share.window.end, self._width):
                yield Slice(window, share.position(window.end))
        for window in cut(self._span.since, self._span.until, self._width):
            yield Slice(window)

    def observe(self, query: Hashable, window: Window, rows: int) -> None:
        """Record how many rows one query of a window returned, so far at least."""
        # An empty window counts as one row, so that slices grow again when an account goes quiet.
        self._seconds_per_row[query] = window.seconds / max(rows, 1)

    def expected_rows(self, query: Hashable, window: Window) -> float:
        """Return how many rows a query of a window may return, infinitely many if nothing tells."""
        seconds_per_row = self._seconds_per_row.get(query)
        return window.seconds / seconds_per_row if seconds_per_row else math.inf

    def _width(self) -> timedelta:
        densest = min(self._seconds_per_row.copy().values(), default=math.inf)
        seconds = min(densest * self._rows, self._widest.total_seconds())
        return max(timedelta(seconds=int(seconds)), _NARROWEST)


def cut(start: datetime, end: datetime, width: Callable[[], timedelta]) -> Iterator[Window]:
    """Cut [start, end) into adjoining windows, oldest first; each asks for its own width."""
    while start < end:
        stop = min(start + width(), end)
        yield Window(start, stop)
        start = stop


def plan(
    *,
    now: datetime,
    margin: timedelta,
    reach: timedelta,
    start: datetime | None,
    end: datetime | None,
    bookmark: datetime | None,
    recent: timedelta,
    shares: Sequence[Share] = (),
) -> Span:
    """Decide what a sync reads.

    Args:
        now: The time of day.
        margin: How close to now the API may be asked.
        reach: How far back the API reads.
        start: The user's start_date: nothing older is read.
        end: The user's end_date: nothing younger is read.
        bookmark: The end of the last finished slice, None in a first sync.
        recent: How far behind the bookmark to begin: rows may appear late, or change soon.
        shares: The parts of the lookback that are due.

    Returns:
        The span; since >= until if there is nothing to read.
    """
    oldest = (now - reach).replace(microsecond=0) + timedelta(seconds=1)
    until = min(now - margin, end or now).replace(microsecond=0)
    if bookmark is None:
        return Span(
            since=max(start or oldest, oldest),
            until=until,
            unreadable=start if start and start < oldest else None,
        )
    since = max([bookmark - recent, *([start] if start else [])])
    floor = max(start or oldest, oldest)
    readable = [share.within(floor, min(since, until)) for share in shares]
    return Span(
        since=max(since, oldest),
        until=until,
        shares=tuple(share for share in readable if share),
        # The overlap may lie beyond the reach; that loses nothing.
        unreadable=bookmark if bookmark < oldest else None,
    )
