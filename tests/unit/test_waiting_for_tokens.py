"""A thread that waits for a token of a bucket, while another thread's answer changes its rate."""

from __future__ import annotations

from typing_extensions import override

from tap_amazon_business.limits import TokenBucket, UsagePlan
from tests.support.clocks import FakeClock


def test_a_waiting_thread_notices_a_higher_rate() -> None:
    class Clock(FakeClock):
        @override
        def sleep(self, seconds: float) -> None:
            bucket.retune(10)  # what another thread's answer announces meanwhile
            super().sleep(seconds)

    clock = Clock()
    bucket = TokenBucket(UsagePlan(10, 2), clock)
    bucket.retune(1 / 3600)
    bucket.acquire()
    bucket.acquire()
    assert clock.monotonic() < 120
