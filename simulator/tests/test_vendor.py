"""Vendor operations: purchase orders, statuses and shipments."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from simulator import Options
from simulator.tests.support import (
    NOW,
    ORDERS,
    SHIPMENTS,
    STATUSES,
    Client,
    Simulators,
    days_ago,
    error_of,
    window,
)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"limit": "0"}, id="limit 0"),
        pytest.param({"limit": "101"}, id="limit 101"),
        pytest.param({"limit": "many"}, id="limit is no number"),
        pytest.param({"createdAfter": days_ago(3).isoformat()}, id="one bound"),
        pytest.param({"changedBefore": days_ago(3).isoformat()}, id="one bound, changed"),
        pytest.param(window(days_ago(8), days_ago(1)), id="seven days"),
        pytest.param(window(days_ago(185), days_ago(183)), id="older than six months"),
        pytest.param(window(days_ago(1), NOW - timedelta(seconds=119)), id="too fresh"),
        pytest.param({"sortOrder": "ASC"}, id="sortOrder"),
        pytest.param({"purchaseOrderState": "Lost"}, id="unknown state"),
        pytest.param({"nextToken": "bm9uZQ=="}, id="unknown token"),
    ],
)
def test_refuses_invalid_input(simulators: Simulators, query: dict[str, str]) -> None:
    client = simulators.start()
    reply = client.get(ORDERS, **query)
    assert reply.status_code == 400
    expected = {"code": "InvalidInput", "message": "Invalid Input", "details": ""}
    assert reply.json() == {"errors": [expected]}


def test_created_windows_return_every_order_once(simulators: Simulators) -> None:
    client = simulators.start()
    numbers = Counter(row["purchaseOrderNumber"] for row in client.all_orders("created"))
    assert numbers == Counter(list(client.simulator.world.purchase_orders()))


def test_changed_windows_return_only_changed_orders(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(orders=300, changed=1 / 3))
    rows = client.all_orders("changed")
    assert len(rows) == 100
    assert all("purchaseOrderChangedDate" in row["orderDetails"] for row in rows)


def test_rows_are_unsorted(simulators: Simulators) -> None:
    rows = simulators.start(simulators.world(orders=600)).orders(
        **window(days_ago(7.9), days_ago(1))
    )
    dates = [row["orderDetails"]["purchaseOrderDate"] for row in rows]
    assert len(dates) > 20
    assert dates not in (sorted(dates), sorted(dates, reverse=True))


def test_finds_an_order_by_its_encoded_number(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(orders=1500))
    typed = [n for n in client.simulator.world.purchase_orders() if not n.isalnum()]
    assert {"100%25", "a/b c#d?e+f;g", "Größe 4/5"} <= set(typed)
    for number in typed:
        reply = client.get(f"{ORDERS}/{quote(number, safe='')}")
        assert reply.json()["payload"]["purchaseOrderNumber"] == number


def test_number_must_be_encoded_completely(simulators: Simulators) -> None:
    world = simulators.world(orders=0)
    world.add_order(created=days_ago(1), number="a/b")
    client = simulators.start(world)
    assert error_of(client.get(f"{ORDERS}/a/b")) == (404, "NotFound")
    assert error_of(client.get(f"{ORDERS}/a%252Fb")) == (404, "NotFound")
    assert client.get(f"{ORDERS}/a%2Fb").status_code == 200


def test_without_details_only_number_and_state_are_sent(simulators: Simulators) -> None:
    rows = simulators.start().orders(includeDetails="false")
    assert all(set(row) == {"purchaseOrderNumber", "purchaseOrderState"} for row in rows)


def test_status_without_an_update_has_no_update_date(simulators: Simulators) -> None:
    rows = simulators.start().simulator.rows("purchase_order_statuses").values()
    assert 0 < sum("lastUpdatedDate" not in row for row in rows) < len(rows) / 2


def test_shipment_pages_hold_at_most_fifty(simulators: Simulators) -> None:
    client = simulators.start()
    assert len(client.get(SHIPMENTS).json()["payload"]["shipments"]) == 50
    assert error_of(client.get(SHIPMENTS, limit=51)) == (400, "InvalidInput")


@pytest.mark.parametrize(
    ("family", "field"), [("created", "purchaseOrderDate"), ("updated", "lastUpdatedDate")]
)
def test_finds_statuses_by_either_date(simulators: Simulators, family: str, field: str) -> None:
    client = simulators.start()
    after, before = days_ago(6), days_ago(1)
    pages = client.pages(STATUSES, **window(after, before, family))
    found = {(row["purchaseOrderNumber"],): row for page in pages for row in page["ordersStatus"]}
    expected = {
        key: row
        for key, row in client.simulator.rows("purchase_order_statuses").items()
        if after.isoformat() < row.get(field, "") < before.isoformat()
    }
    assert expected
    assert found == expected


def shipments(client: Client, family: str) -> dict[str, dict[str, Any]]:
    """Return all shipments of adjoining windows, by identifier."""
    return {
        row["vendorShipmentIdentifier"]: row
        for start in range(0, 172, 4)
        for page in client.pages(
            SHIPMENTS, **window(days_ago(start + 4.0001), days_ago(start + 0.01), family)
        )
        for row in page["shipments"]
    }


def test_created_windows_return_every_shipment(simulators: Simulators) -> None:
    client = simulators.start()
    found = {(identifier,): row for identifier, row in shipments(client, "created").items()}
    assert found == client.simulator.rows("vendor_shipments")


def test_shipped_windows_return_only_shipped_ones(simulators: Simulators) -> None:
    client = simulators.start()
    shipped = shipments(client, "shipped")
    assert 0 < len(shipped) < len(client.simulator.rows("vendor_shipments"))
    assert all("shippedDate" in row["transportationDetails"] for row in shipped.values())


def test_shipments_can_be_missing_for_ever(simulators: Simulators) -> None:
    client = simulators.start(options=Options(limits=False, no_shipments=True))
    for _ in range(2):
        assert error_of(client.get(SHIPMENTS)) == (404, "ResourceNotFound")
    assert client.get(ORDERS).status_code == 200


# ---- what some accounts see ----------------------------------------------------------------------


def test_some_statuses_carry_another_date(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(other_status_dates=0.5))
    orders = client.simulator.rows("purchase_orders")
    kinds = Counter(
        difference(row["purchaseOrderDate"], orders[key]["orderDetails"]["purchaseOrderDate"])
        for key, row in client.simulator.rows("purchase_order_statuses").items()
    )
    assert set(kinds) == {"same", "day", "90 s", "months"}
    assert 70 < kinds["same"] < 130


def difference(text: str, own: str) -> str:
    """Return how far the date of a status is from its order's."""
    if len(text) == len("2026-01-01"):
        return "day" if own.startswith(text) else "another day"
    apart = datetime.fromisoformat(own) - datetime.fromisoformat(text)
    known = {timedelta(): "same", timedelta(seconds=90): "90 s", timedelta(days=84): "months"}
    return known.get(apart, str(apart))


def test_one_status_can_carry_another_date(simulators: Simulators) -> None:
    client = simulators.start()
    number = client.simulator.world.add_order(created=days_ago(3))
    client.simulator.world.date_status(number, "2026-01-07")
    pages = client.pages(STATUSES, **window(days_ago(4), days_ago(2)))
    rows = {row["purchaseOrderNumber"]: row for page in pages for row in page["ordersStatus"]}
    assert rows[number]["purchaseOrderDate"] == "2026-01-07"


def test_filters_can_be_ignored(simulators: Simulators) -> None:
    ignored = {
        "getPurchaseOrdersStatus": frozenset({"updatedAfter", "updatedBefore"}),
        "getPurchaseOrders": frozenset({"purchaseOrderState"}),
    }
    client = simulators.start(options=Options(limits=False, ignored_parameters=ignored))
    bounds = window(days_ago(0.1), days_ago(0.05), "updated")
    pages = client.pages(STATUSES, limit=30, **bounds)
    assert sum(len(page["ordersStatus"]) for page in pages) == 200
    assert {row["purchaseOrderState"] for row in client.orders(purchaseOrderState="New")} > {"New"}
    assert not client.simulator.stats().malformed


@pytest.mark.parametrize(("status", "code"), [(400, "InvalidInput"), (404, "NotFound")])
def test_an_order_beyond_the_reach_can_be_refused_by_number(
    simulators: Simulators, status: int, code: str
) -> None:
    client = simulators.start(options=Options(limits=False, old_orders=status))
    world = client.simulator.world
    old, new = (world.add_order(created=days_ago(days)) for days in (185, 183))
    world.cut(old)
    simulators.clock.seconds += 600
    bounds = window(days_ago(0.1), world.now() - timedelta(minutes=2), "updated")
    pages = client.pages(STATUSES, **bounds)
    assert old in {row["purchaseOrderNumber"] for page in pages for row in page["ordersStatus"]}
    assert error_of(client.get(f"{ORDERS}/{old}")) == (status, code)
    assert client.get(f"{ORDERS}/{new}").status_code == 200


def test_a_cancelled_shipment_is_listed_twice(simulators: Simulators) -> None:
    client = simulators.start()
    world = client.simulator.world
    (identifier,) = next(iter(client.simulator.rows("vendor_shipments")))
    world.cancel_shipment(identifier)
    simulators.clock.seconds += 600
    first, second = (
        row
        for start in range(0, 172, 4)
        for page in client.pages(SHIPMENTS, **window(days_ago(start + 4), days_ago(start)))
        for row in page["shipments"]
        if row["vendorShipmentIdentifier"] == identifier
    )
    assert (first["transactionType"], second["transactionType"]) == ("New", "Cancel")
    assert first["transactionDate"] < second["transactionDate"]
    assert first["shipmentCreateDate"] == second["shipmentCreateDate"]
    assert client.simulator.rows("vendor_shipments")[identifier,] == second
    with pytest.raises(ValueError, match="there is no shipment"):
        world.cancel_shipment("NONE")
