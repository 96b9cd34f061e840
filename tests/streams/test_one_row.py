"""A request, its response, and the record that follows, as they are: of both main operations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from simulator import Reply
from tests.support.runs import run_by, select
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

ORDER = """{
  "payload": {
    "orders": [{
      "purchaseOrderNumber": "2JK3S9VC",
      "purchaseOrderState": "Acknowledged",
      "orderDetails": {
        "purchaseOrderDate": "2026-05-30T23:30:00-02:00",
        "purchaseOrderChangedDate": "2026-05-31T08:00:00Z",
        "purchaseOrderType": "RushOrder",
        "sellingParty": {"partyId": "VEND1", "loyalty": "gold"},
        "items": [{
          "itemSequenceNumber": "1",
          "orderedQuantity": {"amount": 12, "unitOfMeasure": "Cases", "unitSize": "6"},
          "netCost": {"currencyCode": "EUR", "amount": 12.3400}
        }]
      }
    }]
  }
}"""

REPORT = """{
  "ordersReport": [{
    "orderMetadata": {"orderId": "113-1", "orderDate": "2026-05-30T10:00:00Z", "region": "US"},
    "purchaseOrderNumber": "PO 7",
    "orderStatus": "CLOSED",
    "charges": [{"type": "NET_TOTAL", "amount": {"currencyCode": "USD", "amount": "7.10"}}]
  }],
  "nextPageToken": null
}"""


def test_a_purchase_order(clock: FakeClock) -> None:
    with serve(clock, orders=0) as serving:
        serving.fail_next("getPurchaseOrders", Reply(200, body=ORDER.encode()))
        given = settings(serving, start_date="2026-05-30T00:00:00Z", max_parallel_requests=1)
        run = run_by(clock, given, catalog=select("purchase_orders"))
        first = serving.stats().calls[0]
    assert first.parameters == {
        "createdAfter": "2026-05-29T23:59:59Z",
        "createdBefore": "2026-05-30T06:00:00Z",
        "limit": "100",
    }
    assert filled(run.records("purchase_orders")) == [
        {
            "purchaseOrderNumber": "2JK3S9VC",
            "purchaseOrderState": "Acknowledged",
            "lastChangedDate": "2026-05-31T08:00:00Z",
            "purchaseOrderDate": "2026-05-31T01:30:00Z",
            "purchaseOrderChangedDate": "2026-05-31T08:00:00Z",
            "purchaseOrderType": "RushOrder",
            "sellingParty": {"partyId": "VEND1"},
            "items": [
                {
                    "itemSequenceNumber": "1",
                    "orderedQuantity": {"amount": 12, "unitOfMeasure": "Cases", "unitSize": 6},
                    "netCost": {"currencyCode": "EUR", "amount": "12.3400"},
                }
            ],
            "rescuedData": {"sellingParty.loyalty": "gold"},
        }
    ]


def test_an_order_report(clock: FakeClock) -> None:
    with serve(clock, orders=0, regions=("US",)) as serving:
        serving.fail_next("getOrderReportsByPurchaseOrderNumber", Reply(200, body=REPORT.encode()))
        given = settings(serving, purchase_order_numbers=["PO 7"])
        run = run_by(clock, given, catalog=select("order_reports"))
        (only,) = serving.stats().calls
    assert (only.argument, only.parameters) == ("PO 7", {"region": "US"})
    assert filled(run.records("order_reports")) == [
        {
            "purchaseOrderNumber": "PO 7",
            "orderId": "113-1",
            "orderDate": "2026-05-30T10:00:00Z",
            "region": "US",
            "orderStatus": "CLOSED",
            "charges": [
                {"type": "NET_TOTAL", "amount": {"currencyCode": "USD", "amount": "7.10"}},
            ],
        }
    ]


def filled(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records without the fields that are null."""
    found: list[dict[str, Any]] = json.loads(json.dumps(records))
    return [{name: value for name, value in row.items() if value is not None} for row in found]
