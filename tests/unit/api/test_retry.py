"""One loop for all retries: how often, how long in between, and what ends it."""

from __future__ import annotations

import logging
from itertools import islice

import pytest
from typing_extensions import override

from tap_amazon_business.api.retry import MAX_ATTEMPTS, Outage, Retrier, TransientError, waits
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
    return Retrier(Outage(clock), clock, LOGGER).run(attempt, "a request")


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
    run(Failing(TransientError("busy", retry_after=100)), clock)
    assert sum(clock.slept) == 100


def test_logs_a_long_wait_every_30_seconds(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run(Failing(TransientError("busy", retry_after=100)), clock)
    assert [line for line in caplog.messages if "waiting" in line] == [
        f"a request: waiting {left} s more, as the server asks (Retry-After)"
        for left in (70, 40, 10)
    ]


def test_does_not_wait_for_long_where_nothing_else_is_answered(clock: FakeClock) -> None:
    attempt = Failing(TransientError("busy", retry_after=900))
    with pytest.raises(TransientError) as caught:
        run(attempt, clock)
    assert caught.value.problem == "busy; the server asks to wait at least 900 s"
    assert clock.monotonic() <= 120


def test_waits_as_long_as_the_server_asks_while_others_are_answered(clock: FakeClock) -> None:
    outage = Outage(clock)

    class Answered(FakeClock):
        @override
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            outage.answered()

    slow = Answered()
    attempt = Failing(TransientError("busy", retry_after=900))
    Retrier(outage, slow, LOGGER).run(attempt, "a request")
    assert slow.monotonic() == 900


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


# ---- outages -------------------------------------------------------------------------------------


class Down:
    """An attempt that takes so many seconds to find that a host does not answer."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self.attempts = 0

    def __call__(self) -> str:
        self.attempts += 1
        self._clock.sleep(self._seconds)
        raise TransientError("no response", outage=True, seconds=self._seconds)


def test_gives_up_once_nothing_has_answered_for_two_minutes(clock: FakeClock) -> None:
    down = Down(clock, 60)
    with pytest.raises(TransientError):
        Retrier(Outage(clock), clock, LOGGER).run(down, "a request")
    assert down.attempts == 2
    assert clock.monotonic() < 180


def test_an_outage_that_is_known_costs_the_next_request_one_attempt(clock: FakeClock) -> None:
    outage = Outage(clock)
    for attempts in (2, 1):
        down = Down(clock, 60)
        with pytest.raises(TransientError):
            Retrier(outage, clock, LOGGER).run(down, "a request")
        assert down.attempts == attempts


def test_an_answer_ends_an_outage(clock: FakeClock) -> None:
    outage = Outage(clock)
    with pytest.raises(TransientError):
        Retrier(outage, clock, LOGGER).run(Down(clock, 60), "a request")
    outage.answered()
    down = Down(clock, 60)
    with pytest.raises(TransientError):
        Retrier(outage, clock, LOGGER).run(down, "a request")
    assert down.attempts == 2


def test_a_busy_host_is_no_outage(clock: FakeClock) -> None:
    attempt = Failing(*[TransientError("busy")] * 5)
    assert run(attempt, clock) == "done"


def test_logs_a_common_problem_of_other_requests_only_now_and_then(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    outage = Outage(clock)
    for subject in ("first", "second", "third"):
        attempt = Failing(TransientError("no response", outage=True))
        calm = FakeClock()
        Retrier(outage, calm, LOGGER).run(attempt, subject)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.args and record.args[0] for record in warnings] == ["first"]  # type: ignore[index]


def test_an_operation_that_fails_with_a_response_has_three_attempts_in_an_outage(
    clock: FakeClock,
) -> None:
    outage = Outage(clock)
    outage.given_up(0)
    attempt = Failing(*[TransientError("HTTP 503", status=503, outage=True)] * 9)
    with pytest.raises(TransientError):
        Retrier(outage, clock, LOGGER).run(attempt, "a request")
    assert attempt.attempts == 3
