"""One loop for all retries: how often, how long in between, and what ends it."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from tap_amazon_business.api.retry import MAX_ATTEMPTS, TransientError, retry, waits

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

LOGGER = logging.getLogger("tests.unit.retry")


class BrokenError(Exception):
    """An error that is not transient."""


class Failing:
    """An attempt that fails in these ways before it succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.attempts = 0

    def __call__(self) -> str:
        self.attempts += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


def run(attempt: Failing, clock: FakeClock) -> str:
    return retry(attempt, subject="a request", clock=clock, logger=LOGGER)


def test_returns_the_result_of_the_first_attempt_without_waiting(clock: FakeClock) -> None:
    attempt = Failing()
    assert run(attempt, clock) == "done"
    assert (attempt.attempts, clock.slept) == (1, [])


def test_succeeds_at_the_last_attempt(clock: FakeClock) -> None:
    attempt = Failing(*[TransientError("busy")] * (MAX_ATTEMPTS - 1))
    assert run(attempt, clock) == "done"
    assert (attempt.attempts, len(clock.slept)) == (8, 7)


def test_raises_the_error_of_the_last_attempt_without_another_wait(clock: FakeClock) -> None:
    errors = [TransientError(f"problem {number}") for number in range(20)]
    attempt = Failing(*errors)
    with pytest.raises(TransientError) as caught:
        run(attempt, clock)
    assert caught.value is errors[7]
    assert (attempt.attempts, len(clock.slept)) == (8, 7)


def test_waits_at_most_two_minutes_in_all(clock: FakeClock) -> None:
    with pytest.raises(TransientError):
        run(Failing(*[TransientError("busy")] * MAX_ATTEMPTS), clock)
    assert sum(clock.slept) <= 1 + 2 + 4 + 8 + 16 + 32 + 60


def test_does_not_retry_any_other_error(clock: FakeClock) -> None:
    attempt = Failing(TransientError("busy"), BrokenError())
    with pytest.raises(BrokenError):
        run(attempt, clock)
    assert attempt.attempts == 2


def test_waits_at_least_as_long_as_the_server_asks(clock: FakeClock) -> None:
    run(Failing(TransientError("busy", retry_after=300)), clock)
    assert clock.slept == [300]


def test_waits_longer_than_the_server_asks_where_its_own_wait_is_longer(clock: FakeClock) -> None:
    run(Failing(*[TransientError("busy", retry_after=0.001)] * 7), clock)
    assert max(clock.slept) > 0.001


def test_logs_every_failed_attempt_with_the_wait_that_follows(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, LOGGER.name):
        run(Failing(TransientError("busy"), TransientError("gone")), clock)
    assert [record.getMessage() for record in caplog.records] == [
        f"a request: busy; attempt 1 of 8, retrying in {clock.slept[0]:.1f} s",
        f"a request: gone; attempt 2 of 8, retrying in {clock.slept[1]:.1f} s",
    ]


def test_waits_double_up_to_a_minute() -> None:
    longest = waits(jitter=lambda seconds: seconds)
    assert [*islice(longest, 9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_waits_are_random_up_to_the_longest() -> None:
    several = [tuple(islice(waits(), 7)) for _ in range(5)]
    assert len(set(several)) == 5
    for found in several:
        pairs = zip(found, (1, 2, 4, 8, 16, 32, 60), strict=True)
        assert all(0 <= wait <= most for wait, most in pairs)
