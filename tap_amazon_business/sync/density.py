"""How dense the windows of a query are, and so how much may be left to read. Pure functions."""

from __future__ import annotations

from bisect import insort
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tap_amazon_business.sync.windows import Window

# The share of what was read whose density tells how dense the rest is.
_LATELY = 1 / 6

# Of a window that holds more than was expected, this share of what was read may follow.
_AT_LEAST = 1 / 6


class Amount:
    """Pages and rows of some seconds."""

    def __init__(self, pages: float = 0, rows: float = 0, seconds: float = 0) -> None:
        self.pages = pages
        self.rows = rows
        self.seconds = seconds

    def add(self, pages: float, rows: float) -> None:
        """Add pages and rows of the same time."""
        self.pages += pages
        self.rows += rows

    def take(self, other: Amount) -> None:
        """Add those of another time, and that time."""
        self.add(other.pages, other.rows)
        self.seconds += other.seconds

    def of(self, seconds: float) -> Amount:
        """Return what as dense a time of so many seconds holds."""
        share = seconds / self.seconds
        return Amount(share * self.pages, share * self.rows, seconds)


class Density:
    """What one query of all windows returned, and may return of the rest.

    Args:
        seconds: How much there is to read.
    """

    def __init__(self, seconds: float) -> None:
        self._ahead = seconds  # of windows that nobody reads yet
        self._done = 0.0
        self._flying: dict[Window, Amount] = {}
        self._complete: list[
            tuple[datetime, Amount]
        ] = []  # by date: they are complete in any order

    def read(self, window: Window, rows: int) -> None:
        """Take note of a page of a window."""
        if window not in self._flying:
            self._flying[window] = Amount(seconds=window.seconds)
            self._ahead = max(self._ahead - window.seconds, 0.0)
        self._flying[window].add(1, rows)

    def complete(self, window: Window) -> None:
        """Take note that all pages of a window are read."""
        found = self._flying.pop(window, None) or Amount(seconds=window.seconds)
        self._done += found.seconds
        insort(self._complete, (window.start, found), key=itemgetter(0))

    @property
    def unread(self) -> Amount | None:
        """What is expected of the rest, None if nothing tells."""
        if not self._complete:
            return None if self._ahead or self._flying else Amount()
        rest = self._density().of(self._ahead)
        for window, part in self._flying.items():
            whole = self._near(window).of(part.seconds)
            # Nobody knows how many pages follow, but at least one does.
            pages = max(whole.pages - part.pages, _AT_LEAST * part.pages)
            rest.add(pages, max(whole.rows - part.rows, _AT_LEAST * part.rows))
        return rest

    def _near(self, window: Window) -> Amount:
        return min(self._complete, key=lambda done: abs(done[0] - window.start))[1]

    def _density(self) -> Amount:
        density = Amount()
        for _, part in reversed(self._complete):
            density.take(part)
            if density.seconds >= self._done * _LATELY:
                break
        # A later window that is not complete and holds more than was expected already is news.
        last = self._complete[-1][0]
        for window, part in self._flying.items():
            more = part.pages * density.seconds > density.pages * part.seconds
            if more and window.start > last:
                density.take(part)
        return density
