"""stream_maps of parents and children."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.catalogs import select
from tests.support.runs import run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock


def test_maps_rename_hash_and_filter(clock: FakeClock) -> None:
    maps = {
        "order_reports": {
            "buyer": "md5((record.get('buyingCustomer') or {}).get('email') or '')",
            "buyingCustomer": None,
            "approverDetails": None,
        },
        "purchase_orders": {"__filter__": "record['purchaseOrderNumber'] > 'M'"},
    }
    with serve(clock, orders=40) as serving:
        run = run_by(
            clock,
            settings(serving, stream_maps=maps),
            catalog=select("purchase_orders", "order_reports"),
        )
        wanted = {number for number in serving.world.purchase_orders() if number > "M"}
    assert "@" not in run.output
    assert set(run.numbers()) == wanted
    assert len(run.numbers("order_reports")) > 0
    assert set(run.numbers("order_reports")) <= wanted
    assert {len(record["buyer"]) for record in run.records("order_reports")} == {32}


@pytest.mark.parametrize(
    "maps",
    [
        {"copies": {"__source__": "purchase_orders", "__filter__": "1 == 2"}},
        {"copies": {"__source__": "purchase_orders"}},
        {
            "purchase_orders": {
                "__alias__": "po",
                "__else__": "__NULL__",
                "purchaseOrderNumber": "purchaseOrderNumber",
            }
        },
        {"purchase_orders": {"purchaseOrderNumber": "'x' + purchaseOrderNumber"}},
        {"purchase_orders": {"items": "__NULL__"}},
    ],
    ids=["no copy", "copies", "alias", "other key", "no items"],
)
def test_maps_of_purchase_orders_leave_their_children_whole(
    clock: FakeClock, maps: dict[str, Any]
) -> None:
    with serve(clock, orders=30, quirks=False) as serving:
        run = run_by(
            clock,
            settings(serving, stream_maps=maps),
            catalog=select("purchase_orders", "purchase_order_items", "order_reports"),
        )
        items, reports = serving.rows("purchase_order_items"), serving.rows("order_reports")
    assert run.status == 0, run.log
    assert sorted(run.keys("purchase_order_items")) == sorted(items)
    assert sorted(run.keys("order_reports")) == sorted(reports)
