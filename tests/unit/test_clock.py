"""The machine's clock: UTC, seconds that never go back, and sleep that sleeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tap_amazon_business.clock import Clock, Stopwatch

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock


def test_now_is_the_time_of_day_in_utc() -> None:
    before = datetime.now(UTC)
    now = Clock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta()


def test_monotonic_seconds_pass_at_least_as_long_as_a_sleep() -> None:
    clock = Clock()
    began = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() - began >= 0.001


def test_ticks_come_round_until_they_are_stopped() -> None:
    ticks = Clock().every(0.001)
    for number, _ in enumerate(ticks):
        if number == 2:
            ticks.stop()
    assert number == 2


def test_stopped_ticks_do_not_come_however_long_they_would_take() -> None:
    ticks = Clock().every(3600)
    ticks.stop()
    assert list(ticks) == []


def test_a_stopwatch_measures_while_anybody_is_inside(clock: FakeClock) -> None:
    stopwatch = Stopwatch(clock)
    clock.advance(seconds=1)
    with stopwatch:
        clock.advance(seconds=2)
        with stopwatch:
            clock.advance(seconds=3)
        assert (stopwatch.is_running, stopwatch.seconds) == (True, 5)
    clock.advance(seconds=4)
    assert (stopwatch.is_running, stopwatch.seconds) == (False, 5)
