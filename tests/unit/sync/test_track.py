"""How a stream's sync goes: for how long, how many records, and where it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tap_amazon_business.sync.course import NumberCourse, SpanCourse
from tap_amazon_business.sync.track import Track

from tap_amazon_business.sync.windows import Slice, Span, Window

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

SINCE = datetime(2026, 5, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=10)


def reading(track: Track, clock: FakeClock, days: int) -> None:
    """Have a sync read so many of ten days."""
    course = SpanCourse(Span(SINCE, UNTIL), {"created": True}, clock)
    course.finish(Slice(Window(SINCE, SINCE + timedelta(days=days))))
    track.follow(course)


def test_a_track_without_a_course_is_nowhere(clock: FakeClock) -> None:
    assert Track(clock).place() is None


def test_a_child_is_where_its_parent_is(clock: FakeClock) -> None:
    parent, child = Track(clock), Track(clock)
    with parent.running(), child.running(parent):
        reading(parent, clock, days=3)
        place = child.place()
    assert place is not None
    assert (place.share, place.until) == (0.3, SINCE + timedelta(days=3))


def test_a_child_of_two_parents_is_where_the_slower_one_is(clock: FakeClock) -> None:
    slow, fast, child = (Track(clock) for _ in range(3))
    reading(slow, clock, days=3)
    reading(fast, clock, days=6)
    shares = []
    with fast.running(), child.running(fast):
        with slow.running(), child.running(slow):
            shares.append(child.place())
        shares.append(child.place())
    assert [place and place.share for place in shares] == [0.3, 0.6]


def test_a_child_of_two_parents_runs_from_the_first_to_the_last(clock: FakeClock) -> None:
    child, parents = Track(clock), [Track(clock), Track(clock)]
    with child.running(parents[0]):
        clock.advance(seconds=2)
        with child.running(parents[1]):
            clock.advance(seconds=3)
        assert child.is_running
        clock.advance(seconds=4)
    assert (child.is_running, child.seconds) == (False, 9)


def test_a_part_of_what_is_written_counts(clock: FakeClock) -> None:
    track = Track(clock)
    course = NumberCourse("purchase orders", clock)
    track.follow(course)
    course.tell(0, 2)
    clock.advance(seconds=30)
    track.part(1, 2)
    place = track.place()
    assert place is not None
    assert place.left == 90  # a quarter took 30 seconds
