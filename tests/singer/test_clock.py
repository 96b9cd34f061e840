"""A machine whose clock is wrong: Amazon's clock decides what is read."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from simulator import Simulator, World
from tests.support.faults import Refuses, Served
from tests.support.runs import Run, run_by, select
from tests.support.serving import NO_LIMITS, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

AHEAD = timedelta(hours=5)
MARGIN = timedelta(minutes=2)


def serve_behind(clock: FakeClock, ahead: timedelta) -> Simulator:
    """Serve by a clock that the tap's is ahead of; Login with Amazon sends its time."""

    def now() -> datetime:
        return clock.now() - ahead

    date = {"Date": format_datetime(now(), usegmt=True)}
    dated = Refuses("token", Served(headers=date))
    return Simulator(
        World(orders=40, quirks=False, now=now),
        NO_LIMITS,
        monotonic=clock.monotonic,
        faults=[dated],
    )


def sync(clock: FakeClock, serving: Simulator, *streams: str, **extra: object) -> Run:
    run = run_by(clock, settings(serving, **extra), catalog=select(*streams))
    assert run.status == 0, run.log
    return run


def test_a_clock_that_is_ahead_is_warned_of_once(clock: FakeClock) -> None:
    with serve_behind(clock, AHEAD) as serving:
        run = sync(clock, serving, "purchase_orders")
    assert run.log.count("This machine's clock is 5.0 h ahead of Amazon's") == 1


@pytest.mark.parametrize("stream", ["purchase_orders", "orders", "transactions"])
def test_a_bookmark_goes_by_amazon_s_clock(clock: FakeClock, stream: str) -> None:
    with serve_behind(clock, AHEAD) as serving:
        run = sync(clock, serving, stream)
    assert datetime.fromisoformat(run.bookmark(stream)) == clock.now() - AHEAD - MARGIN


def test_lists_by_date_go_by_amazon_s_clock(clock: FakeClock) -> None:
    with serve_behind(clock, AHEAD) as serving:
        sync(
            clock, serving, "purchase_orders", "order_reports", order_reports_strategy="order_date"
        )
        ends = [call.parameters.get("orderEndDate") for call in serving.stats().calls]
    latest = max(filter(None, ends))
    assert datetime.fromisoformat(latest) == clock.now() - AHEAD - MARGIN


def test_a_clock_that_is_less_than_a_minute_ahead_is_not_warned_of(clock: FakeClock) -> None:
    ahead = timedelta(seconds=50)
    with serve_behind(clock, ahead) as serving:
        run = sync(clock, serving, "purchase_orders")
    assert "clock" not in run.log
    assert datetime.fromisoformat(run.bookmark()) == clock.now() - ahead - MARGIN


def test_a_clock_that_is_behind_is_trusted(clock: FakeClock) -> None:
    with serve_behind(clock, -AHEAD) as serving:
        run = sync(clock, serving, "purchase_orders")
    assert run.log.count("This machine's clock is 5.0 h behind Amazon's") == 1
    assert datetime.fromisoformat(run.bookmark()) == clock.now() - MARGIN


def test_a_bookmark_after_a_clock_that_is_behind_names_the_clock(clock: FakeClock) -> None:
    with serve_behind(clock, timedelta()) as serving:
        state = sync(clock, serving, "purchase_orders").state
    clock.advance(days=-2)
    with serve_behind(clock, timedelta(days=-2)) as serving:
        run = run_by(clock, settings(serving), state=state, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "clock is 2 days behind Amazon's" in run.log
    assert "correct the clock if it is behind" in run.log


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        "Fri, 31 Dec 2026 23:59:59 -9999999999999",
    ],
)
def test_a_date_that_no_clock_shows_is_ignored(clock: FakeClock, date: str) -> None:
    dated = Refuses("token", Served(headers={"Date": date}))
    with Simulator(
        World(orders=40, quirks=False, now=clock.now),
        NO_LIMITS,
        monotonic=clock.monotonic,
        faults=[dated],
    ) as serving:
        run = sync(clock, serving, "purchase_orders")
    assert "clock" not in run.log
