"""orders, order_line_items, shipments, shipment_line_items: all listed by order date."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.catalogs import select
from tests.support.faults import Refuses, has_page_token, refusal
from tests.support.runs import run_by
from tests.support.serving import NO_LIMITS, serve, settings

if TYPE_CHECKING:
    from simulator import Request
    from tests.support.clocks import FakeClock

SHORT_PAGES = replace(NO_LIMITS, page_size=10)
STREAMS = ("orders", "order_line_items", "shipments", "shipment_line_items")


def test_changed_orders_within_the_lookback_come_again(clock: FakeClock) -> None:
    stream = "orders"
    with serve(clock, orders=0, quirks=False, regions=("US",)) as serving:
        old, young = (
            serving.world.add_report(
                serving.world.add_order(created=clock.now() - timedelta(days=age), reports=0),
                ordered=clock.now() - timedelta(days=age),
            )
            for age in (30, 10)
        )
        config = settings(serving, order_lookback_days=20, lookback_cycle_hours=0)
        first = run_by(clock, config, catalog=select(stream))
        clock.advance(hours=2)
        unchanged = run_by(clock, config, state=first.state, catalog=select(stream))
        for order_id in (old, young):
            serving.world.move_report(order_id)
        second = run_by(clock, config, state=unchanged.state, catalog=select(stream))
    assert {key[0] for key in first.keys(stream)} == {old, young}
    assert unchanged.keys(stream) == []
    assert {key[0] for key in second.keys(stream)} == {young}


def test_reads_the_past_of_a_region_added_later(clock: FakeClock) -> None:
    with serve(clock, orders=40) as serving:
        regions = list(serving.world.regions)
        assert len(regions) == 2
        config = settings(serving, business_api_regions=regions[:1])
        first = run_by(clock, config, catalog=select("orders"))
        second = run_by(clock, settings(serving), catalog=select("orders"), state=first.state)
        expected = set(serving.rows("orders"))
    assert set(first.keys("orders")) < expected
    assert set(second.keys("orders")) == expected
    assert regions[1] in second.log


@pytest.mark.parametrize("code", ["InvalidInput", "INVALID_REQUEST_PARAMETER"])
def test_a_next_page_that_is_refused_in_passing_is_requested_again(
    clock: FakeClock, code: str
) -> None:
    refused = Refuses("getOrderReports", refusal(400, code), has_page_token, times=3)
    with serve(clock, SHORT_PAGES, orders=40, quirks=False, faults=[refused]) as serving:
        config = settings(serving, max_parallel_requests=1)
        run = run_by(clock, config, catalog=select("orders"))
        expected = set(serving.rows("orders"))
    assert run.status == 0, run.log
    assert len(refused.met) == 3
    assert set(run.keys("orders")) == expected
    assert "page token" not in run.log


def test_a_window_whose_page_tokens_are_refused_is_halved(clock: FakeClock) -> None:
    def is_wide(request: Request) -> bool:
        start, end = (
            datetime.fromisoformat(request.parameters[name])
            for name in ("orderStartDate", "orderEndDate")
        )
        return has_page_token(request) and end - start > timedelta(days=50)

    refused = Refuses("getOrderReports", refusal(400, "INVALID_REQUEST_PARAMETER"), is_wide)
    with serve(clock, SHORT_PAGES, orders=40, quirks=False, faults=[refused]) as serving:
        run = run_by(clock, settings(serving), catalog=select("orders"))
        expected = set(serving.rows("orders"))
    assert run.status == 0, run.log
    assert refused.met
    assert sorted(run.keys("orders")) == sorted(expected)


def test_page_tokens_that_stay_refused_fail_their_stream_alone(clock: FakeClock) -> None:
    refused = Refuses("getOrderReports", refusal(400, "INVALID_REQUEST_PARAMETER"), has_page_token)
    with serve(clock, SHORT_PAGES, orders=400, quirks=False, faults=[refused]) as serving:
        run = run_by(clock, settings(serving), catalog=select("orders", "shipments"))
        expected = set(serving.rows("shipments"))
    assert run.status == 1
    assert "orders: getOrderReports" in run.log
    assert "the next page was refused 4 times" in run.log
    assert set(run.keys("shipments")) == expected
