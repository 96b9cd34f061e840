"""orders, order_line_items, shipments, shipment_line_items: all listed by order date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.catalogs import select
from tests.support.runs import run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

STREAMS = ("orders", "order_line_items", "shipments", "shipment_line_items")


@pytest.mark.parametrize("stream", STREAMS)
def test_rows_of_orders_within_the_lookback_come_again(clock: FakeClock, stream: str) -> None:
    with serve(clock, orders=40, quirks=False) as serving:
        first = run_by(clock, settings(serving), catalog=select(stream))
        clock.advance(hours=2)
        config = settings(serving, order_lookback_days=20)
        second = run_by(clock, config, state=first.state, catalog=select(stream))
    horizon = datetime.fromisoformat(first.bookmark(stream)) - timedelta(days=20)
    expected = {
        key
        for key, record in first.by_key(stream).items()
        if datetime.fromisoformat(record["orderDate"]) >= horizon
    }
    assert 0 < len(expected) < len(first.records(stream))
    assert set(second.keys(stream)) == expected


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
