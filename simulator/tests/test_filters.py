"""Filters of vendor operations besides their dates."""

import json

import pytest

from simulator.tests.support import SHIPMENTS, STATUSES, Simulators


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ({"purchaseOrderState": "Closed"}, "purchaseOrderState", "Closed"),
        ({"orderingVendorCode": "999US"}, "sellingParty", {"partyId": "999US"}),
    ],
)
def test_order_filter_selects_matching_orders(
    simulators: Simulators, query: dict[str, str], field: str, value: object
) -> None:
    rows = simulators.start().orders(**query)
    assert rows
    assert all({**row, **row["orderDetails"]}[field] == value for row in rows)


def test_filters_by_is_po_changed(simulators: Simulators) -> None:
    client = simulators.start()
    changed = client.orders(isPOChanged="true")
    unchanged = client.orders(isPOChanged="false")
    assert len(changed) == 67
    assert len(changed) + len(unchanged) == 200


def test_filters_by_cancelled_items(simulators: Simulators) -> None:
    rows = simulators.start().orders(poItemState="Cancelled")
    assert 0 < len(rows) < 40
    assert all(r["orderDetails"]["items"][0]["orderedQuantity"]["amount"] == 0 for r in rows)


@pytest.mark.parametrize(
    "query",
    [
        {"purchaseOrderStatus": "CLOSED"},
        {"itemConfirmationStatus": "REJECTED"},
        {"itemReceiveStatus": "RECEIVED"},
        {"shipToPartyId": "ABE2"},
        {"orderingVendorCode": "API01"},
        {"purchaseOrderNumber": "100%25"},
    ],
)
def test_status_filter_selects_matching_statuses(
    simulators: Simulators, query: dict[str, str]
) -> None:
    client = simulators.start(simulators.world(orders=300))
    found = [row for page in client.pages(STATUSES, **query) for row in page["ordersStatus"]]
    assert 0 < len(found) < 300
    assert all(f'"{value}"' in json.dumps(row) for row in found for value in query.values())


def test_shipment_filters_select_one_shipment(simulators: Simulators) -> None:
    client = simulators.start()
    ((one,), row), *_ = client.simulator.rows("vendor_shipments").items()
    query = {
        "vendorShipmentIdentifier": one,
        "currentShipmentStatus": row["currentShipmentStatus"],
        "buyerWarehouseCode": row["shipToParty"]["partyId"],
    }
    (page,) = client.pages(SHIPMENTS, **query)
    assert [r["vendorShipmentIdentifier"] for r in page["shipments"]] == [one]
