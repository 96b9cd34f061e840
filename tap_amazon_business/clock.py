"""The clock, passed in wherever time matters."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Self

from typing_extensions import override

_CLOCKS_DIFFER = timedelta(minutes=1)


class Ticks:
    """Ticks every so many seconds; one that comes late delays those after it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._stopped = threading.Event()

    def __iter__(self) -> Iterator[None]:
        """Wait for each tick."""
        while not self._stopped.wait(self._seconds):
            yield

    def stop(self) -> None:
        """Let no more ticks come, and end the wait for the next one."""
        self._stopped.set()


class Clock:
    """The machine's own clock; tests pass one that does not wait."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)

    def every(self, seconds: float) -> Ticks:
        """Return what ticks every so many seconds from now on."""
        return Ticks(seconds)


class BoundedClock(Clock):
    """A clock whose time of day is never ahead of what a server says.

    A clock that is hours ahead would move bookmarks past rows that do not exist yet.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta()

    def bound(self, server_time: datetime) -> timedelta:
        """Take a server's time of day; return how far this clock is ahead of it, if that is news.

        The time is negative where the clock is behind, by which it is not changed. Less than a
        minute is nothing to report: the server's time has no fractions, and travels.
        """
        known, self._ahead = self._ahead, self._clock.now() - server_time
        news = abs(self._ahead) > _CLOCKS_DIFFER and abs(self._ahead - known) > _CLOCKS_DIFFER
        return self._ahead if news else timedelta()

    @override
    def now(self) -> datetime:
        return self._clock.now() - max(self._ahead, timedelta())

    @override
    def monotonic(self) -> float:
        return self._clock.monotonic()

    @override
    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    @override
    def every(self, seconds: float) -> Ticks:
        return self._clock.every(seconds)


class Stopwatch:
    """Measures for how long at least one thread is inside: `with stopwatch: ...`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._inside = 0
        self._since = 0.0
        self._measured = 0.0

    def __enter__(self) -> Self:
        with self._lock:
            if not self._inside:
                self._since = self._clock.monotonic()
            self._inside += 1
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._measured += self._clock.monotonic() - self._since

    @property
    def is_running(self) -> bool:
        """Whether a thread is inside."""
        return self._inside > 0

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        with self._lock:
            running = self._clock.monotonic() - self._since if self._inside else 0.0
            return self._measured + running
