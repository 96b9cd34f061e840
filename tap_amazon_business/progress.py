"""How far a stream is, and what it waits for, in words. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_amazon_business.streams.base import AmazonStream
    from tap_amazon_business.sync.course import Place

# Below these many seconds, the time left is told in seconds, and in minutes: rounded to the next
# unit, it would be off by more than it is worth.
_FEW_SECONDS = 20
_MINUTES = 150
_HOURS = 150 * 60


@dataclass(frozen=True)
class Report:
    """How far one stream is.

    Attributes:
        stream: The stream.
        records: How many records it wrote so far.
        place: Where it is in what it reads, None as long as it reads nothing.
        rate: The rate of the usage plan that it mostly waits for, None if it does not.
        silent: Whether its API was asked, and has answered nothing since the report before.
    """

    stream: AmazonStream
    records: int
    place: Place | None
    rate: float | None
    silent: bool = False

    def text(self) -> str:
        """Return the report as one line that does not name the stream."""
        place = where(self.place) if self.place else ""
        left = f"about {self.left} left" if self.left else ""
        return ", ".join(filter(None, (place, f"{self.records:,} records", left, self.limit)))

    @property
    def left(self) -> str:
        """How long it still takes, in words; empty if nothing tells."""
        return duration(self.place.left) if self.place and self.place.left else ""

    @property
    def limit(self) -> str:
        """What it waits for, in words; empty if it does not."""
        return f"waiting for Amazon's limit ({self.rate:.3g} requests/s)" if self.rate else ""


def where(place: Place) -> str:
    """Return where a sync is in words."""
    share = f"({int(100 * place.share)} %)"
    if place.what:
        return f"{place.done:,} of {place.of:,} {place.what} {share}"
    return f"read {'again ' if place.again else ''}to {place.until:%Y-%m-%d} {share}"


def duration(seconds: float) -> str:
    """Return a time as people say it: 40 s, 3 min, 2.5 h."""
    if seconds < _FEW_SECONDS:
        return f"{max(round(seconds), 1)} s"
    if seconds < _MINUTES:
        return f"{round(seconds, -1):.0f} s"
    if seconds < _HOURS:
        return f"{seconds / 60:.0f} min"
    return f"{timedelta(seconds=seconds) / timedelta(hours=1):.1f} h"
