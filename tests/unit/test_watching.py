"""Progress is told while streams run, and no longer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tap_amazon_business.watching import watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_amazon_business.progress import Report

# Seconds after which something has stopped for ever.
PATIENCE = 60


class OneTick:
    """A tick, and no other one."""

    def __init__(self) -> None:
        self.stopped = threading.Event()

    def __iter__(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.stopped.set()


def test_nothing_is_told_after_the_end() -> None:
    ticks, telling = OneTick(), threading.Event()
    told: list[Sequence[Report]] = []

    def slowly(reports: Sequence[Report]) -> None:
        telling.set()
        assert ticks.stopped.wait(PATIENCE)
        told.append(reports)

    with watched([], slowly, ticks):
        assert telling.wait(PATIENCE)
    assert told == [[]]
