"""The clock, passed in wherever time matters."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_CLOCKS_DIFFER = timedelta(minutes=1)


class Clock(Protocol):
    """A clock; tests pass one that does not wait."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)


class BoundedClock:
    """A clock whose time of day is never ahead of what a server says.

    A clock that is hours ahead would move bookmarks past rows that do not exist yet.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta()

    def bound(self, server_time: datetime) -> timedelta:
        """Take a server's time of day; return how far this clock is ahead of it, if that is news.

        Less than a minute is nothing to report: the server's time has no fractions, and travels.
        """
        known, self._ahead = self._ahead, max(self._clock.now() - server_time, timedelta())
        news = self._ahead > _CLOCKS_DIFFER and abs(self._ahead - known) > _CLOCKS_DIFFER
        return self._ahead if news else timedelta()

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return self._clock.now() - self._ahead

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        self._clock.sleep(seconds)
