"""Spans of time, cut into windows that the APIs accept: no clock, no I/O."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from typing_extensions import override

from tap_amazon_business.sync.checksums import DAY, HOUR, Grid, ceil, floor
from tap_amazon_business.times import rfc3339

# Whether Amazon's bounds belong to a window is not documented ("after", "before"). If both were
# exclusive, a row dated exactly on a cut would be in neither window: so each request begins one
# second earlier. A row that then comes twice is recognised by a hash
# of its content.
_EDGE = timedelta(seconds=1)

# Narrower windows would cost more requests than they contain pages.
_NARROWEST = timedelta(minutes=10)

# How busy an account is shows only once a window is complete. So a first sync begins with a narrow
# window, and each is at most so many times as wide as the widest complete one. Where nothing was
# found, the next window may be the first of a busy season.
_FIRST = timedelta(hours=6)
_GROWTH = 4
_WIDEST_BLIND = timedelta(days=31)

# A slice with this many times the rows that were wanted is split: memory is limited. Its first part
# is this narrow, and the others grow.
_TOO_MANY = 3
_PARTS = 16

# After a longer pause, days are compared instead of hours.
_LONGEST_PAUSE = timedelta(hours=25)

_WIDEST_SECONDS = 1e10  # beyond all time that there is to read

# The first width in later syncs. A day with a checksum is never split: it has to fit into memory.
_LATER = timedelta(days=8)


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

    def is_just_outside(self, moment: datetime | None) -> bool:
        """Return whether a moment outside of the window may be in the answer to its request."""
        if moment is None:
            return False
        return self.start - _EDGE <= moment < self.start or moment == self.end

    @property
    def width(self) -> timedelta:
        """The time that it spans."""
        return self.end - self.start

    @property
    def seconds(self) -> float:
        """The seconds that it spans."""
        return self.width.total_seconds()

    def halves(self) -> tuple[Window, Window]:
        """Return the same time as two windows."""
        middle = self.start + self.width / 2
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
        done = (read_until - self.window.start) / self.window.width
        return self.after + done * (self.until - self.after)

    def in_days(self) -> Share | None:
        """Return the UTC days that begin in it, None if none does.

        Adjoining shares contain every day exactly once.
        """
        start, end = ceil(self.window.start, DAY), ceil(self.window.end, DAY)
        return replace(self, window=Window(start, end)) if start < end else None

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
        share: The share of the lookback that it belongs to, if it does.
        changes: The part of it that is also listed by change; None if no part is.
    """

    window: Window
    share: Share | None = None
    changes: Window | None = None

    @property
    def position(self) -> datetime | None:
        """The position in the lookback once it is read; None if it does not belong to it."""
        if self.share is None:
            return None
        # A day is read as a whole, so one that is not complete has to be due again.
        is_last = self.window.end == self.share.window.end
        done = self.window.end if is_last else floor(self.window.end, DAY)
        return self.share.position(max(done, self.share.window.start))


@dataclass(frozen=True)
class Span:
    """The time that one sync of a stream reads.

    Attributes:
        since: Where the continuous part begins: the recent days, followed by what is new.
        changes_since: From where on it is also listed by change.
        until: Where everything ends.
        grid: The buckets whose rows are compared.
        shares: The parts of the lookback to read first.
        unreadable: The start that the user or the bookmark asked for, if the API does not reach
            back that far.
    """

    since: datetime
    changes_since: datetime
    until: datetime
    grid: Grid
    shares: tuple[Share, ...] = ()
    unreadable: datetime | None = None

    @property
    def seconds(self) -> float:
        """The seconds that it covers, lookback included."""
        shares = sum(share.window.seconds for share in self.shares)
        return shares + Window(self.since, self.until).seconds


class Slicer:
    """Cuts a span into slices, narrower where rows turn out to be dense.

    Pages of a window have to be requested one by one, but windows are independent. With slices of a
    few pages, several can be read in parallel without many pages waiting to be written, and the
    bookmark advances often, however busy the account.

    Args:
        span: What the sync reads.
        widest: How wide a slice may be.
        rows: How many rows a slice should contain.
        is_first: Whether nothing was read before.
        is_known: Whether the checksum of a bucket is known: no slice splits it.
    """

    def __init__(
        self,
        span: Span,
        *,
        widest: timedelta,
        rows: int,
        is_first: bool,
        is_known: Callable[[datetime], bool],
    ) -> None:
        self._span = span
        self._widest = self._widest_lookback = widest
        self._rows = rows
        self._is_known = is_known
        self._most = _FIRST if is_first else _LATER
        self._seconds_per_row: dict[Hashable, float] = {}
        self._complete = threading.Condition()
        self._in_flight = 0

    def __iter__(self) -> Iterator[Slice]:
        """Yield the slices: the lookback, then the recent days and what is new, oldest first.

        Each is as wide as the density observed so far allows. As long as the width may grow, the
        next one is cut when all windows before it are complete.
        """
        for share in self._span.shares:
            yield from self._slices(share.window, share)
        yield from self._slices(Window(self._span.since, self._span.until))

    def split(self, part: Slice) -> Iterator[Slice]:
        """Yield narrower slices of a slice, by the density observed since it was cut."""
        return self._slices(part.window, part.share, most=part.window.width / _TOO_MANY)

    def is_too_large(self, part: Slice, rows: int) -> bool:
        """Return whether a slice contains so many rows that it has to be split, and can be."""
        stop = self._stop(part.window.start, part.window.width / _TOO_MANY)
        return rows >= _TOO_MANY * self._rows and stop < part.window.end

    def shrink(self, part: Slice) -> None:
        """Let slices grow again from a small part of one that is too large."""
        with self._complete:
            self._most = min(self._most, part.window.width / _PARTS)

    def split_days(self) -> None:
        """Cut the lookback into single days from now on."""
        self._widest_lookback = min(self._widest_lookback, DAY)

    def observe(self, query: Hashable, window: Window, rows: int, *, complete: bool) -> None:
        """Record how many rows one query of a window returned, so far at least."""
        # An empty window counts as one row, so that slices grow again when an account goes quiet.
        seconds_per_row = window.seconds / max(rows, 1)
        if complete:
            wider = _GROWTH * window.width
            with self._complete:
                self._most = max(self._most, wider if rows else min(wider, _WIDEST_BLIND))
        else:
            seconds_per_row = min(seconds_per_row, self._seconds_per_row.get(query, math.inf))
        self._seconds_per_row[query] = seconds_per_row

    def begin(self) -> None:
        """Record that a window of a slice is going to be read."""
        with self._complete:
            self._in_flight += 1

    def end(self) -> None:
        """Record that the reading of a window has ended, whether it failed or not."""
        with self._complete:
            self._in_flight -= 1
            self._complete.notify_all()

    def _slices(
        self, whole: Window, share: Share | None = None, most: timedelta = timedelta.max
    ) -> Iterator[Slice]:
        """Cut a window into adjoining slices, oldest first."""
        start = whole.start
        while start < whole.end:
            widest = min(self._widest_lookback if share else self._widest, most)
            with self._complete:
                while self._in_flight and min(self._dense(), widest) > self._most:
                    self._complete.wait()
            window = Window(start, min(self._stop(start, widest), whole.end))
            changed = max(start, self._span.changes_since)
            listed = not share and changed < window.end
            yield Slice(window, share, Window(changed, window.end) if listed else None)
            start = window.end

    def _stop(self, start: datetime, widest: timedelta) -> datetime:
        """Return the end of a slice."""
        width = min(self._dense(), self._most, widest)
        stop = start + max(timedelta(seconds=int(width.total_seconds())), _NARROWEST)
        stop = _full_hour(start, stop)
        bucket = self._span.grid.bucket(stop)
        if bucket == stop or not self._is_known(bucket):
            return stop
        return bucket if bucket > start else self._span.grid.end(bucket)

    def _dense(self) -> timedelta:
        """Return the width of as many rows as wanted."""
        densest = min(self._seconds_per_row.copy().values(), default=math.inf) * self._rows
        return timedelta(seconds=densest) if densest < _WIDEST_SECONDS else timedelta.max


def _full_hour(start: datetime, stop: datetime) -> datetime:
    """Return the last full hour up to a stop; the stop itself, if there is none."""
    hour = floor(stop, HOUR)
    return hour if hour > start else stop


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
        now: The present, in UTC.
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
    # The hours of the last sync are compared as hours, unless it is too long ago.
    young = bookmark if bookmark and until - bookmark <= _LONGEST_PAUSE else until
    grid = Grid(floor(min(young, until) - recent, HOUR))
    first = max(start or oldest, oldest)
    if bookmark is None:
        return Span(
            since=first,
            changes_since=first,
            until=until,
            grid=grid,
            unreadable=start if start and start < oldest else None,
        )
    since = max(grid.bucket(bookmark - recent), first)
    # The oldest day that the API reads is cut off: its rows cannot be compared.
    floor_ = max(start or oldest, ceil(oldest, DAY))
    days = (share.in_days() for share in shares)
    readable = (share.within(floor_, min(since, until)) for share in days if share)
    return Span(
        since=since,
        changes_since=max(grid.bucket(bookmark), first),
        until=until,
        grid=grid,
        shares=tuple(share for share in readable if share),
        # The recent days may lie beyond the reach; that loses nothing.
        unreadable=bookmark if bookmark < oldest else None,
    )
