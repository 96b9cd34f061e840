"""Counter of the requests of one stream."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_amazon_business.clock import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_amazon_business.clock import Clock


class Traffic:
    """Counts requests from any number of threads; those that sign in do not count.

    Attributes:
        requests: How many requests were sent, retries included.
        retries: How many of them repeated one that was not accepted.
        rate: The rate that a request waited for last, in requests a second; None if none did.
    """

    def __init__(self, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._waits = Stopwatch(clock)
        self.requests = 0
        self.retries = 0
        self.rate: float | None = None

    def sent(self, *, again: bool) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            self.retries += again

    @contextmanager
    def waiting(self, rate: float) -> Iterator[None]:
        """Measure a wait for a usage plan of so many requests a second."""
        self.rate = rate
        with self._waits:
            yield

    @property
    def waited(self) -> float:
        """The seconds in which at least one request waited for Amazon's usage plan."""
        return self._waits.seconds
