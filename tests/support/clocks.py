"""A clock that moves when somebody sleeps by it, or when it is told to."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from typing_extensions import override

BEGINNING = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """Time for the tap and the simulator alike; sleeping takes none of the real one."""

    def __init__(self, beginning: datetime = BEGINNING) -> None:
        self._beginning = beginning
        self._seconds = 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._beginning + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._seconds += seconds

    def advance(self, **span: float) -> None:
        with self._lock:
            self._seconds += timedelta(**span).total_seconds()


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
                told = self._changed.wait(self._QUIET)
                if not told and looks == self._looks and wake == min(self._wakes):
                    self._seconds = wake
            self._wakes.remove(wake)
            self._changed.notify_all()
