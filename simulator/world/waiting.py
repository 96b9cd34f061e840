"""Rows that have their dates already, and appear only later."""

from collections.abc import Callable
from heapq import heappop, heappush

from simulator.times import Millis


class Waiting:
    """Events at moments to come."""

    def __init__(self) -> None:
        self._entries: list[tuple[Millis, int, Callable[[], object]]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, moment: Millis, appear: Callable[[], object]) -> None:
        """Have something appear at a moment."""
        self._count += 1
        heappush(self._entries, (moment, self._count, appear))

    def settle(self, now: Millis) -> None:
        """Let appear whose moment has come, in the order of the moments."""
        while self._entries and self._entries[0][0] <= now:
            heappop(self._entries)[2]()
