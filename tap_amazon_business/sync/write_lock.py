"""The write lock: one thread at a time may write."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class WriteLock:
    """The right to write messages and to call the SDK, handed on in the order of asking.

    The SDK is not made for threads. A stream keeps the lock while it builds and writes records, and
    releases it while it waits for pages. A plain lock would let the thread that releases it take it
    again immediately.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._holder: int | None = None

    def acquire(self, timeout: float = -1) -> bool:
        """Wait for the lock, at most so many seconds; return whether this thread has it."""
        own = threading.Lock()
        with self._lock:
            if self._holder is None:
                self._holder = threading.get_ident()
                return True
            own.acquire()
            self._waiting.append(own)
        if not own.acquire(timeout=timeout):
            with self._lock:
                if own in self._waiting:
                    self._waiting.remove(own)
                    return False
        self._holder = threading.get_ident()
        return True

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the lock for a while, if this thread has it."""
        if self._holder != threading.get_ident():
            yield
            return
        self.release()
        try:
            yield
        finally:
            self.acquire()

    def release(self) -> None:
        """Hand on the lock."""
        with self._lock:
            self._holder = None
            if self._waiting:
                # It is never free in between: another thread would overtake.
                self._holder = 0
                self._waiting.popleft().release()
