"""The progress of streams: what is measured, how a line reads, and when lines come."""

from __future__ import annotations

import logging
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_amazon_business.run.progress import Report, StreamProgress, log_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_amazon_business.clock import Clock
    from tap_amazon_business.streams.base import AmazonStream
    from tests.support.clocks import FakeClock

LOGGER = logging.getLogger("tests.progress")
# Seconds after which something has stopped for ever.
PATIENCE = 60


def report(share: float | None, *, left: float | None = None, rate: float | None = None) -> Report:
    stream = cast("AmazonStream", SimpleNamespace(name="purchase_orders"))
    return Report(stream, records=12_800, requests=1_234, share=share, left=left, rate=rate)


# ---- lines ---------------------------------------------------------------------------------------


def test_a_report_is_one_line() -> None:
    assert report(0.439, left=180, rate=0.5).text() == (
        "43 % done, 12,800 records, 1,234 requests, about 3 min left, "
        "waiting for Amazon's limit (0.5 requests/s)"
    )


@pytest.mark.parametrize(
    ("share", "line"),
    [
        (None, "12,800 records, 1,234 requests"),
        (0, "0 % done, 12,800 records, 1,234 requests"),
        (1, "100 % done, 12,800 records, 1,234 requests"),
    ],
)
def test_a_report_leaves_out_what_is_unknown(share: float | None, line: str) -> None:
    assert report(share).text() == line


# ---- what is measured ----------------------------------------------------------------------------


def test_the_share_of_a_sync_is_unknown_at_first(clock: FakeClock) -> None:
    assert StreamProgress(clock).share is None


@pytest.mark.parametrize(("share", "expected"), [(0.3, 0.3), (1, 1), (1.2, 1)])
def test_the_share_of_a_sync_is_at_most_all(
    clock: FakeClock, share: float, expected: float
) -> None:
    progress = StreamProgress(clock)
    progress.advance(share)
    assert progress.share == expected


def test_the_share_of_a_child_is_its_parents(clock: FakeClock) -> None:
    parent, child = StreamProgress(clock), StreamProgress(clock)
    parent.advance(0.3)
    with parent.running(), child.running(parent):
        assert child.share == 0.3


def test_the_share_of_a_child_of_two_parents_is_that_of_the_slower_one(clock: FakeClock) -> None:
    slow, fast, child = (StreamProgress(clock) for _ in range(3))
    slow.advance(0.3)
    fast.advance(0.6)
    shares = []
    with fast.running(), child.running(fast):
        with slow.running(), child.running(slow):
            shares.append(child.share)
        shares.append(child.share)
    assert shares == [0.3, 0.6]


def test_a_child_of_two_parents_runs_from_the_first_to_the_last(clock: FakeClock) -> None:
    child, parents = StreamProgress(clock), [StreamProgress(clock), StreamProgress(clock)]
    with child.running(parents[0]):
        clock.advance(seconds=2)
        with child.running(parents[1]):
            clock.advance(seconds=3)
        assert child.is_running
        assert not child.has_ended
        clock.advance(seconds=4)
    assert (child.is_running, child.has_ended, child.seconds) == (False, True, 9)


def test_a_sync_that_fails_has_not_ended(clock: FakeClock) -> None:
    progress = StreamProgress(clock)
    assert not progress.has_ended
    with pytest.raises(ZeroDivisionError), progress.running():
        raise ZeroDivisionError
    assert not progress.has_ended
    assert not progress.is_running


# ---- when lines come -----------------------------------------------------------------------------


class Stream:
    """A stream that keeps the lines that are logged of it."""

    def __init__(self, clock: Clock) -> None:
        self.name = "purchase_orders"
        self.progress = StreamProgress(clock)
        self.traffic = SimpleNamespace(requests=0, waited=0.0, rate=None)
        self.client = SimpleNamespace(traffic=self.traffic, answers=0)
        self.lines: list[str] = []

    def info(self, message: str, *arguments: object) -> None:
        self.lines.append(message % arguments)


@pytest.fixture(name="stream")
def logged_stream(clock: FakeClock) -> Iterator[Stream]:
    """Return a stream that runs and whose progress is logged."""
    stream = Stream(clock)
    with log_progress(cast("Any", [stream]), clock, LOGGER), stream.progress.running():
        yield stream


def test_a_line_comes_every_thirty_seconds(stream: Stream, clock: FakeClock) -> None:
    for number in range(1, 4):
        stream.client.answers += 1
        clock.advance(seconds=29)
        assert len(stream.lines) == number - 1
        clock.advance(seconds=1)
        assert len(stream.lines) == number


def test_the_time_left_follows_the_pace_so_far(stream: Stream, clock: FakeClock) -> None:
    stream.client.answers = stream.traffic.requests = 1
    stream.progress.advance(0.25)
    clock.advance(seconds=30)
    assert stream.lines == ["25 % done, 0 records, 1 requests, about 90 s left"]


def test_a_stream_that_mostly_waits_for_a_limit_is_reported_so(
    stream: Stream, clock: FakeClock
) -> None:
    stream.client.answers = 1
    stream.traffic.rate = 0.5
    stream.traffic.waited = 14
    clock.advance(seconds=30)
    stream.traffic.waited += 16
    clock.advance(seconds=30)
    waiting = "waiting for Amazon's limit (0.5 requests/s)"
    assert [waiting in line for line in stream.lines] == [False, True]


def test_an_api_that_does_not_answer_has_no_lines(stream: Stream, clock: FakeClock) -> None:
    clock.advance(seconds=60)
    assert stream.lines == []
    stream.client.answers = 1
    clock.advance(seconds=30)
    assert len(stream.lines) == 1


def test_a_stream_that_does_not_run_has_no_lines(clock: FakeClock) -> None:
    stream = Stream(clock)
    stream.client.answers = 1
    with log_progress(cast("Any", [stream]), clock, LOGGER):
        clock.advance(seconds=60)
    assert stream.lines == []


class OneTick:
    """A tick, and no other one."""

    def __init__(self) -> None:
        self.stopped = threading.Event()

    def __iter__(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.stopped.set()


def test_no_line_comes_after_the_end(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    # A line that is being written when Python ends would crash it.
    ticks, logging_ = OneTick(), threading.Event()
    stream = Stream(clock)
    stream.client.answers = 1

    def slowly(message: str, *arguments: object) -> None:
        logging_.set()
        assert ticks.stopped.wait(PATIENCE)
        stream.lines.append(message % arguments)

    ticking = cast("Any", SimpleNamespace(every=lambda _: ticks))
    monkeypatch.setattr(stream, "info", slowly)
    with stream.progress.running(), log_progress(cast("Any", [stream]), ticking, LOGGER):
        assert logging_.wait(PATIENCE)
    assert len(stream.lines) == 1
