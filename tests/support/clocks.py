"""A clock that moves when somebody sleeps by it, or when a test moves it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_amazon_business.clock import Clock, Ticks

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGINNING = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


class FakeClock(Clock):
    """Time for the tap and the simulator alike; sleeping takes none of the real one."""

    def __init__(self, beginning: datetime = BEGINNING) -> None:
        self._beginning = beginning
        self._seconds = 0.0
        self._lock = threading.Lock()
        self._ticks: list[FakeTicks] = []
        self.slept: list[float] = []

    @override
    def now(self) -> datetime:
        return self._beginning + timedelta(seconds=self._seconds)

    @override
    def monotonic(self) -> float:
        return self._seconds

    @override
    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._pass(seconds)

    def advance(self, **span: float) -> None:
        self._pass(timedelta(**span).total_seconds())

    @override
    def every(self, seconds: float) -> FakeTicks:
        """Return what ticks exactly on time: whoever moves the clock waits for each tick's work."""
        ticks = FakeTicks(self._seconds, seconds)
        with self._lock:
            self._ticks.append(ticks)
        return ticks

    def _pass(self, seconds: float) -> None:
        with self._lock:
            end = self._seconds + seconds
            while due := [ticks for ticks in self._ticks if ticks.next <= end]:
                first = min(due, key=lambda ticks: ticks.next)
                self._seconds = max(self._seconds, first.next)
                if not first.tick():
                    self._ticks.remove(first)
            self._seconds = end


class FakeTicks(Ticks):
    """Ticks of a `FakeClock`.

    Attributes:
        next: When the next one is due.
    """

    def __init__(self, now: float, seconds: float) -> None:
        super().__init__(seconds)
        self.next = now + seconds
        self._changed = threading.Condition()
        self._due = False
        self._ended = False

    @override
    def __iter__(self) -> Iterator[None]:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._due or self._ended)
                    if self._ended:
                        return
                yield
                with self._changed:
                    self._due = False
                    self._changed.notify_all()
        finally:
            self.stop()

    @override
    def stop(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def tick(self) -> bool:
        """Tick, and wait until the work is done; return whether there is more to come."""
        self.next += self._seconds
        with self._changed:
            self._due = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._due or self._ended)
            return not self._ended


class IdleClock(FakeClock):
    """A clock for threads: it moves on when all of them sleep, and their sleeps overlap.

    It takes them to be asleep when nobody has looked at it for a moment of real time. A thread that
    is slower than that only finds that it got later.
    """

    _QUIET = 0.03

    def __init__(self, beginning: datetime = BEGINNING) -> None:
        super().__init__(beginning)
        self._changed = threading.Condition()
        self._wakes: list[float] = []
        self._looks = 0

    @override
    def monotonic(self) -> float:
        self._looks += 1
        return super().monotonic()

    @override
    def sleep(self, seconds: float) -> None:
        with self._changed:
            wake = self._seconds + seconds
            self._wakes.append(wake)
            while self._seconds < wake:
                looks = self._looks
                notified = self._changed.wait(self._QUIET)
                if not notified and looks == self._looks and wake == min(self._wakes):
                    self._pass(wake - self._seconds)
            self._wakes.remove(wake)
            self._changed.notify_all()
