"""Spans of time, cut into windows that the APIs accept. Pure functions: no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from typing_extensions import override

# Whether Amazon's bounds belong to a window is not documented ("after", "before"). Taken as
# exclusive at both ends, a row dated exactly on a cut would be in neither window: so a window is
# asked for from one second earlier. A row that then comes twice is recognised by its key.
OVERLAP = timedelta(seconds=1)


@dataclass(frozen=True)
class Window:
    """A span of time from start up to, not including, end (both UTC)."""

    start: datetime
    end: datetime

    @property
    def after(self) -> str:
        """The lower bound as a request parameter, RFC 3339."""
        return rfc3339(self.start - OVERLAP)

    @property
    def before(self) -> str:
        """The upper bound as a request parameter, RFC 3339."""
        return rfc3339(self.end)

    @override
    def __str__(self) -> str:
        return f"{rfc3339(self.start)} to {rfc3339(self.end)}"


@dataclass(frozen=True)
class Slice:
    """A window of a sync; `reread` where it lies behind the bookmark and was read before."""

    window: Window
    reread: bool = False


@dataclass(frozen=True)
class Span:
    """What one sync of a stream reads: [since, until) anew, and [reread_from, since) again.

    `unreadable` is where the sync would have begun, had the API reached back that far.
    """

    reread_from: datetime
    since: datetime
    until: datetime
    unreadable: datetime | None = None

    def slices(self, width: timedelta) -> list[Slice]:
        """Cut the span into slices no wider than `width`, oldest first."""
        return [
            *(Slice(window, reread=True) for window in cut(self.reread_from, self.since, width)),
            *(Slice(window) for window in cut(self.since, self.until, width)),
        ]


def cut(start: datetime, end: datetime, width: timedelta) -> list[Window]:
    """Cut [start, end) into adjoining windows no wider than `width`, oldest first."""
    edges = []
    edge = start
    while edge < end:
        edges.append(edge)
        edge += width
    return [Window(*pair) for pair in pairwise([*edges, end])] if edges else []


def plan(
    *,
    now: datetime,
    margin: timedelta,
    reach: timedelta,
    start: datetime | None,
    end: datetime | None,
    bookmark: datetime | None,
    overlap: timedelta,
    lookback: timedelta,
) -> Span:
    """Decide what a sync reads.

    Args:
        now: The time of day.
        margin: How close to now the API may be asked.
        reach: How far back the API reads.
        start: The user's start_date: nothing older is asked for.
        end: The user's end_date: nothing younger is asked for.
        bookmark: The end of the last finished slice, None in a first sync.
        overlap: How far behind the bookmark everything is read anew (rows may appear late).
        lookback: How far behind the bookmark rows are read again to find later changes.

    Returns:
        The span; since >= until where there is nothing to read.
    """
    oldest = (now - reach).replace(microsecond=0) + timedelta(seconds=1)
    until = min(now - margin, end or now).replace(microsecond=0)
    if bookmark is None:
        since = reread_from = start or oldest
    else:
        floor = [start] if start else []
        since = max([bookmark - overlap, *floor])
        reread_from = min(since, max([bookmark - lookback, *floor]))
    return Span(
        reread_from=max(reread_from, oldest),
        since=max(since, oldest),
        until=until,
        unreadable=since if since < oldest else None,
    )


def rfc3339(moment: datetime) -> str:
    """Format a moment as Amazon's parameters take it: UTC, whole seconds, with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(text: str) -> datetime:
    """Parse an ISO 8601 date or date-time into UTC; one without an offset is UTC already.

    Raises:
        ValueError: The text is neither.
    """
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
