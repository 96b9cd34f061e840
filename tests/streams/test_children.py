"""Streams of the items of other streams' rows: a child needs no request of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.catalogs import select
from tests.support.runs import run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock


@pytest.mark.parametrize(
    ("parent", "child", "operation"),
    [
        ("purchase_orders", "purchase_order_items", "getPurchaseOrders"),
        ("purchase_order_statuses", "purchase_order_status_items", "getPurchaseOrdersStatus"),
        ("vendor_shipments", "vendor_shipment_items", "GetShipmentDetails"),
    ],
)
def test_a_child_comes_without_a_request_of_its_own(
    clock: FakeClock, parent: str, child: str, operation: str
) -> None:
    def requests(*streams: str) -> int:
        serving.reset_stats()
        run = run_by(clock, settings(serving, max_parallel_requests=1), catalog=select(*streams))
        assert set(run.keys(child)) == set(serving.rows(child))
        assert run.schemas == dict.fromkeys(streams, 1)
        return serving.stats().operations[operation].requests

    with serve(clock, orders=40, quirks=False) as serving:
        assert requests(child) == requests(parent, child)
