"""The right to write: one thread at a time holds it."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Turn:
    """The right to write messages and to touch the SDK, handed on in the order of asking.

    Nothing of the SDK is made for threads. A stream holds the turn while it makes and writes
    records, and gives it up while it waits for pages. A plain lock would let the thread that gives
    it up take it again at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._holder: int | None = None

    def take(self, timeout: float = -1) -> bool:
        """Wait for the turn, at most so many seconds; tell whether it came."""
        place = threading.Lock()
        with self._lock:
            if self._holder is None:
                self._holder = threading.get_ident()
                return True
            place.acquire()
            self._waiting.append(place)
        if not place.acquire(timeout=timeout):
            with self._lock:
                if place in self._waiting:
                    self._waiting.remove(place)
                    return False
        self._holder = threading.get_ident()
        return True

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Give up the turn for a while, if this thread holds it."""
        if self._holder != threading.get_ident():
            yield
            return
        self.give()
        try:
            yield
        finally:
            self.take()

    def give(self) -> None:
        """Hand on the turn."""
        with self._lock:
            self._holder = None
            if self._waiting:
                # It is never free in between: somebody else would overtake.
                self._holder = 0
                self._waiting.popleft().release()
