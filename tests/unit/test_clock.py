"""The machine's clock: UTC, seconds that never go back, and sleep that sleeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tap_amazon_business.clock import SystemClock


def test_now_is_the_time_of_day_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta()


def test_monotonic_seconds_pass_at_least_as_long_as_a_sleep() -> None:
    clock = SystemClock()
    began = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() - began >= 0.001
