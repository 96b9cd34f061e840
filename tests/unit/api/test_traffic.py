"""The requests of a stream, counted: sent, retries, and the seconds of waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tap_amazon_business.api.traffic import Traffic

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock


def test_counts_requests_and_the_retries_among_them(clock: FakeClock) -> None:
    traffic = Traffic(clock)
    traffic.sent(again=False)
    traffic.sent(again=True)
    assert (traffic.requests, traffic.retries) == (2, 1)


def test_counts_requests_of_many_threads(clock: FakeClock) -> None:
    traffic = Traffic(clock)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: traffic.sent(again=number % 2 == 0), range(2_000)))
    assert (traffic.requests, traffic.retries) == (2_000, 1_000)


def test_requests_that_wait_at_once_wait_once(clock: FakeClock) -> None:
    traffic = Traffic(clock)
    with traffic.waiting(10):
        clock.advance(seconds=2)
        with traffic.waiting(10):
            clock.advance(seconds=3)
        clock.advance(seconds=4)
    clock.advance(seconds=5)
    assert (traffic.waited, traffic.rate) == (9, 10)


def test_a_wait_that_goes_on_counts_already(clock: FakeClock) -> None:
    traffic = Traffic(clock)
    with traffic.waiting(10):
        clock.advance(seconds=2)
        assert traffic.waited == 2
