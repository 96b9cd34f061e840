"""A clock that moves when somebody sleeps by it, or when it is told to."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

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
