"""The rolling lookback: which part of the past a sync reads again. Pure functions.

A position runs through the lookback from its old end to its young end, once in each cycle, and
starts again. It is a moment: the time up to which the lookback has been read. Where in the cycle
that moment lies is where in the lookback the position is. So a sync reads what the position passes
between that moment and now, however long that is: the cost follows the schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tap_amazon_business.sync.windows import Share, Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = timedelta()


@dataclass(frozen=True)
class Lookback:
    """Extent and cycle of the lookback.

    Attributes:
        length: How far behind now it begins.
        recent: How far behind now it ends: younger rows are read by every sync.
        cycle: Within this time all of it is read once; 0 if every sync reads all of it.
    """

    length: timedelta
    recent: timedelta
    cycle: timedelta

    def begin(self, moment: datetime) -> datetime:
        """Return where the lookback begins at a moment."""
        return moment - max(self.length, self.recent)

    def end(self, moment: datetime) -> datetime:
        """Return where the lookback ends at a moment."""
        return moment - self.recent

    def place(self, moment: datetime) -> datetime:
        """Return the place in the lookback that belongs to a moment."""
        share = ((moment - _EPOCH) % self.cycle) / self.cycle
        return self.begin(moment) + share * (self.end(moment) - self.begin(moment))


def due(lookback: Lookback, *, position: datetime, now: datetime) -> list[Share]:
    """Return the parts of the lookback that are due, in the order of reading."""
    begin, end = lookback.begin(now), lookback.end(now)
    if lookback.cycle == _NOTHING:
        return _share(begin, end, position, now)
    position = max(min(position, now), now - lookback.cycle)
    place = max(lookback.place(position), begin)
    turn = now - (now - _EPOCH) % lookback.cycle  # when the position last began anew
    if position >= turn:
        return _share(place, lookback.place(now), position, now)
    # After a whole cycle, the end of the second part is the beginning of the first. Its last
    # position is the one that belongs there, so that a sync that dies in it skips nothing.
    first = _share(place, end, position, turn)
    second = _share(begin, lookback.place(now), turn, now)
    return first + [part for share in second if (part := share.within(begin, place))]


def _share(start: datetime, end: datetime, after: datetime, until: datetime) -> list[Share]:
    return [Share(Window(start, end), after, until)] if start < end else []
