"""Requests are sent as fast as Amazon's usage plans allow, and no faster."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tap_amazon_business.api import limits
from tap_amazon_business.api.limits import Limiter, TokenBucket
from tap_amazon_business.api.operations import (
    GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER as REPORTS,
)
from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS as ORDERS
from tap_amazon_business.api.operations import Operation, UsagePlan
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from _typeshed import TraceFunction

PLAN = UsagePlan(rate=2, burst=10)
LARGEST_BURST = 20

plans = st.builds(
    UsagePlan,
    rate=st.floats(min_value=0.01, max_value=50),
    burst=st.integers(min_value=1, max_value=LARGEST_BURST),
)


class AmazonBucket:
    """Amazon's token bucket as its guide describes it: full rate, full burst, full at first."""

    def __init__(self, plan: UsagePlan) -> None:
        self._rate = plan.rate
        self._burst = plan.burst
        self._tokens = float(plan.burst)
        self._at = 0.0

    def allows(self, at: float) -> bool:
        self._earn(at)
        self._tokens -= 1
        return self._tokens >= -1e-6  # the rounding error of sums of floats

    def retune(self, at: float, rate: float) -> None:
        self._earn(at)
        self._rate = rate

    def _earn(self, at: float) -> None:
        self._tokens = min(self._burst, self._tokens + (at - self._at) * self._rate)
        self._at = at


class Witness(FakeClock):
    """Knows when each thread last asked for the time: a bucket does so when it gives a token.

    Threads that sleep by it sleep at the same time, and wake at the same moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.local()

    @override
    def monotonic(self) -> float:
        self._looked.at = super().monotonic()
        return self.last_look

    @override
    def sleep(self, seconds: float) -> None:
        left = self.last_look + seconds - super().monotonic()
        if left > 0:
            super().sleep(left)
        assert super().monotonic() < 3600  # else a bucket that lost count might never open

    @property
    def last_look(self) -> float:
        at: float = self._looked.at
        return at


@dataclass(frozen=True)
class Arrival:
    """A request some seconds after the one before, and its outcome."""

    after: float
    refused: bool
    retry_after: float


@dataclass(frozen=True)
class Announcement:
    """A rate that Amazon announces from here on."""

    rate: float


arrivals = st.builds(
    Arrival,
    # At once, about as fast as a plan allows, or after a pause.
    after=st.just(0.0)
    | st.floats(min_value=0, max_value=2)
    | st.floats(min_value=0, max_value=3600),
    refused=st.sampled_from([False, False, False, False, True]),
    retry_after=st.just(0.0) | st.floats(min_value=0, max_value=100),
)
announcements = st.builds(Announcement, st.floats(min_value=0.01, max_value=50))


def pace(bucket: TokenBucket, clock: FakeClock, requests: int = 40) -> float:
    """Return how many requests a second the bucket allows once its burst is used up."""
    for _ in range(LARGEST_BURST):
        bucket.acquire()
    began = clock.monotonic()
    for _ in range(requests):
        bucket.acquire()
    return requests / (clock.monotonic() - began)


# ---- no faster -----------------------------------------------------------------------------------


@given(plans, st.lists(arrivals, max_size=60))
def test_never_exceeds_amazons_bucket(plan: UsagePlan, requests: list[Arrival]) -> None:
    clock = FakeClock()
    bucket, amazon = TokenBucket(plan, clock), AmazonBucket(plan)
    for request in requests:
        clock.advance(seconds=request.after)
        bucket.acquire()
        assert amazon.allows(clock.monotonic())
        if request.refused:
            bucket.refused(request.retry_after)
        else:
            bucket.succeeded()


@given(plans, st.lists(arrivals | announcements, max_size=60))
def test_never_exceeds_amazons_bucket_at_an_announced_rate(
    plan: UsagePlan, events: list[Arrival | Announcement]
) -> None:
    clock = FakeClock()
    bucket, amazon = TokenBucket(plan, clock), AmazonBucket(plan)
    for event in events:
        if isinstance(event, Announcement):
            bucket.retune(event.rate)
            amazon.retune(clock.monotonic(), event.rate)
        else:
            clock.advance(seconds=event.after)
            bucket.acquire()
            assert amazon.allows(clock.monotonic())


@given(plans, st.lists(st.floats(min_value=0.01, max_value=100), min_size=1, max_size=5))
def test_never_exceeds_a_configured_plan(plan: UsagePlan, announced: list[float]) -> None:
    clock = FakeClock()
    own = UsagePlan(plan.rate, plan.burst, fixed=True)
    bucket, own_bucket = TokenBucket(own, clock), AmazonBucket(own)
    for rate in announced:
        for _ in range(10):
            bucket.acquire()
            assert own_bucket.allows(clock.monotonic())
        bucket.retune(rate)


@pytest.mark.usefixtures("interleaved")
def test_threads_together_never_exceed_amazons_bucket() -> None:
    clock = Witness()
    bucket, amazon = TokenBucket(PLAN, clock), AmazonBucket(PLAN)
    start = threading.Barrier(8)

    def work() -> list[float]:
        start.wait(timeout=30)
        times = []
        for _ in range(25):
            bucket.acquire()
            times.append(clock.last_look)
        return times

    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(work) for _ in range(8)]
        taken = sorted(at for thread in running for at in thread.result(timeout=60))
    assert all(amazon.allows(at) for at in taken)


@pytest.fixture
def interleaved() -> Iterator[None]:
    """Switch threads after every line of the limiter, so that a race shows."""

    def trace(frame: FrameType, event: str, argument: object) -> TraceFunction | None:
        del event, argument
        if frame.f_code.co_filename != limits.__file__:
            return None
        time.sleep(0)
        return trace

    threading.settrace(trace)
    yield
    threading.settrace(None)


# ---- hardly slower -------------------------------------------------------------------------------


@given(plans)
def test_uses_at_least_98_per_cent_of_a_plan(plan: UsagePlan) -> None:
    clock = FakeClock()
    assert pace(TokenBucket(plan, clock), clock, requests=200) >= 0.98 * plan.rate


@pytest.mark.parametrize(("burst", "at_once"), [(1, 1), (2, 1), (10, 9), (20, 19)])
def test_the_burst_less_one_request_needs_no_wait(burst: int, at_once: int) -> None:
    clock = FakeClock()
    bucket = TokenBucket(UsagePlan(rate=0.5, burst=burst), clock)
    for _ in range(at_once):
        bucket.acquire()
    assert clock.slept == []
    bucket.acquire()
    assert clock.slept != []


def test_a_bucket_is_full_again_after_a_pause(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    pace(bucket, clock)
    clock.advance(hours=1)
    clock.slept.clear()
    for _ in range(9):
        bucket.acquire()
    assert clock.slept == []


def test_waits_no_longer_than_one_token_takes(clock: FakeClock) -> None:
    bucket = TokenBucket(UsagePlan(rate=0.5, burst=1), clock)
    bucket.acquire()
    bucket.acquire()
    assert clock.monotonic() == pytest.approx(2 / 0.99)


# ---- announced rates -----------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.5, 20.0])
def test_follows_an_announced_rate_down_and_up(clock: FakeClock, rate: float) -> None:
    bucket = TokenBucket(PLAN, clock)
    bucket.retune(rate)
    assert 0.98 * rate <= pace(bucket, clock) <= rate


def test_an_announced_rate_leaves_earned_tokens_alone(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    pace(bucket, clock)
    clock.advance(seconds=1)
    bucket.retune(1000)
    clock.slept.clear()
    bucket.acquire()
    bucket.acquire()
    # A second earned almost two tokens, not the burst that it would earn at the new rate.
    assert clock.slept != []


@pytest.mark.parametrize(("announced", "expected"), [(100, 2), (0.5, 0.5)])
def test_an_announced_rate_lowers_a_configured_plan_and_never_raises_it(
    clock: FakeClock, announced: float, expected: float
) -> None:
    bucket = TokenBucket(UsagePlan(rate=2, burst=10, fixed=True), clock)
    bucket.retune(announced)
    assert 0.98 * expected <= pace(bucket, clock) <= expected


def test_a_lowered_configured_plan_returns_to_its_own_rate(clock: FakeClock) -> None:
    bucket = TokenBucket(UsagePlan(rate=2, burst=10, fixed=True), clock)
    bucket.retune(0.5)
    bucket.retune(100)
    assert 0.98 * 2 <= pace(bucket, clock) <= 2


@pytest.mark.parametrize("rate", [0.0, 1e-300, 0.0001])
def test_ignores_an_announced_rate_below_one_request_an_hour(clock: FakeClock, rate: float) -> None:
    bucket = TokenBucket(PLAN, clock)
    bucket.retune(rate)
    assert 0.98 * PLAN.rate <= pace(bucket, clock) <= PLAN.rate


def test_a_waiting_thread_notices_a_higher_rate() -> None:
    class Announcing(FakeClock):
        """While a thread sleeps, another one's response announces a higher rate."""

        @override
        def sleep(self, seconds: float) -> None:
            bucket.retune(10)
            super().sleep(seconds)

    clock = Announcing()
    bucket = TokenBucket(UsagePlan(10, 2), clock)
    bucket.retune(1 / 3600)
    bucket.acquire()
    bucket.acquire()
    assert clock.monotonic() < 120


# ---- after a 429 ---------------------------------------------------------------------------------


def test_a_429_empties_the_bucket(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    bucket.refused()
    bucket.acquire()
    assert clock.monotonic() >= 1 / PLAN.rate


def test_a_429_slows_the_bucket_down(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    bucket.refused()
    assert pace(bucket, clock) <= 0.75 * PLAN.rate


def test_every_further_429_slows_it_down_more(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    bucket.refused()
    once = pace(bucket, clock)
    bucket.refused()
    assert pace(bucket, clock) <= 0.75 * once


def test_a_hundred_429s_leave_a_tenth_of_the_pace(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    for _ in range(100):
        bucket.refused()
    assert pace(bucket, clock) >= 0.09 * PLAN.rate


@pytest.mark.parametrize("retry_after", [0.5, 30, 900])
def test_retry_after_closes_the_bucket(clock: FakeClock, retry_after: float) -> None:
    bucket = TokenBucket(PLAN, clock)
    clock.advance(seconds=100)
    bucket.refused(retry_after)
    bucket.acquire()
    assert clock.monotonic() >= 100 + retry_after


def test_a_closed_bucket_opens_when_retry_after_has_passed(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    bucket.refused(30)
    bucket.acquire()
    assert clock.monotonic() == pytest.approx(30)


def test_a_shorter_retry_after_does_not_open_the_bucket_earlier(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    bucket.refused(30)
    bucket.refused(1)
    bucket.acquire()
    assert clock.monotonic() >= 30


def test_success_restores_the_full_pace(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    bucket.refused()
    for _ in range(50):
        bucket.succeeded()
    assert 0.98 * PLAN.rate <= pace(bucket, clock) <= PLAN.rate


def test_one_success_does_not_restore_the_full_pace(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    bucket.refused()
    bucket.succeeded()
    assert pace(bucket, clock) <= 0.75 * PLAN.rate


def test_success_never_raises_the_pace_above_the_plan(clock: FakeClock) -> None:
    bucket = TokenBucket(PLAN, clock)
    for _ in range(500):
        bucket.succeeded()
    assert pace(bucket, clock) <= PLAN.rate


# ---- one bucket per operation --------------------------------------------------------------------


@pytest.mark.usefixtures("interleaved")
def test_threads_share_the_bucket_of_an_operation() -> None:
    limiter, start = Limiter({}, FakeClock()), threading.Barrier(8)

    def bucket() -> TokenBucket:
        start.wait(timeout=30)
        return limiter.bucket(ORDERS)

    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(bucket) for _ in range(8)]
        assert len({id(thread.result(timeout=30)) for thread in running}) == 1


def test_operations_do_not_wait_for_each_other(clock: FakeClock) -> None:
    limiter = Limiter({}, clock)
    limiter.bucket(REPORTS).refused(900)
    limiter.bucket(ORDERS).acquire()
    assert clock.slept == []


@pytest.mark.parametrize("operation", [REPORTS, ORDERS], ids=lambda operation: operation.name)
def test_an_operation_has_its_configured_plan(clock: FakeClock, operation: Operation) -> None:
    own = {REPORTS.name: UsagePlan(3, 4), ORDERS.name: UsagePlan(7, 8)}
    rate = own[operation.name].rate
    bucket = Limiter(own, clock).bucket(operation)
    assert 0.98 * rate <= pace(bucket, clock) <= rate


@pytest.mark.parametrize("operation", [REPORTS, ORDERS], ids=lambda operation: operation.name)
def test_an_operation_without_a_configured_plan_has_amazons(
    clock: FakeClock, operation: Operation
) -> None:
    rate = operation.plan.rate
    bucket = Limiter({"another": UsagePlan(3, 4)}, clock).bucket(operation)
    assert 0.98 * rate <= pace(bucket, clock) <= rate
