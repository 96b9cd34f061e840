"""How one stream's sync goes: whether it runs or has ended, how long, how many records, how far."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from tap_amazon_business.clock import Stopwatch
from tap_amazon_business.sync.course import Course

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_amazon_business.clock import Clock
    from tap_amazon_business.sync.course import Place

C = TypeVar("C", bound=Course)


class Track:
    """How a stream's sync goes. Its own threads move it, and any may look.

    Attributes:
        records: How many records were made so far, with those that a stream map removes.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._time = Stopwatch(clock)
        self._course: Course | None = None
        self._leaders: tuple[Track, ...] = ()
        self._begun = self._ended = 0
        self.records = 0

    @contextmanager
    def running(self, *leaders: Track) -> Iterator[None]:
        """Measure a sync; a child, which may have two parents, is where its parent is."""
        self._leaders += leaders
        self._begun += 1
        with self._time:
            yield
        self._ended += 1

    @property
    def has_ended(self) -> bool:
        """Whether it was synced to the end: no error, of a parent's for example, cut it off."""
        return 0 < self._begun == self._ended

    @property
    def is_running(self) -> bool:
        """Whether the stream is synced."""
        return self._time.is_running

    @property
    def seconds(self) -> float:
        """For how many seconds it has been synced."""
        return self._time.seconds

    def count(self) -> None:
        """Count a record that is written."""
        self.records += 1

    def follow(self, course: C) -> C:
        """Follow what the sync reads next, and return it."""
        self._course = course
        return course

    def part(self, done: int, of: int) -> None:
        """Take note that a child made records of so many of the rows that are being written."""
        if self._course:
            self._course.part(done, of)

    def place(self) -> Place | None:
        """Return where the sync is; None as long as it reads nothing."""
        if self._course:
            return self._course.place()
        leaders = [leader.place() for leader in self._leaders if leader.is_running]
        return min(
            (place for place in leaders if place), key=lambda place: place.share, default=None
        )
