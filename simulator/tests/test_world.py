"""The generated data, and how they change."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from simulator import Changes, World
from simulator.tests.support import NOW, ORDERS, Simulators, window
from simulator.times import DAY, to_millis
from simulator.truth import rows as rows_of


def test_same_seed_returns_the_same_bytes(simulators: Simulators) -> None:
    replies = [
        simulators.start(simulators.world(quirks=True)).get(ORDERS).content for _ in range(2)
    ]
    other = simulators.start(simulators.world(quirks=True, seed=2)).get(ORDERS).content
    assert replies[0] == replies[1] != other


def test_share_of_changed_orders_is_exact(simulators: Simulators) -> None:
    world = simulators.world(orders=300, changed=0.33)
    assert sum(order.changed is not None for order in world.orders) == 99


def test_orders_have_every_quirk(simulators: Simulators) -> None:
    rows = list(simulators.world(orders=3000, quirks=True).purchase_orders().values())
    details = [row["orderDetails"] for row in rows]
    items = [item for detail in details for item in detail["items"]]
    dates = [detail.get("purchaseOrderDate", "") for detail in details]
    assert any("purchaseOrderState" not in row for row in rows)
    assert any("undocumentedField" in row for row in rows)
    assert any("undocumentedItemField" in item for item in items)
    assert any(item["orderedQuantity"]["unitOfMeasure"] == "CASES" for item in items)
    assert any(item.get("listPrice", 0) is None for item in items)
    assert any(date.endswith("+02:00") for date in dates)
    assert any("." in date for date in dates)
    assert any(not any("Date" in name for name in detail) for detail in details)
    amounts = {item["netCost"]["amount"] for item in items}
    assert {"140", "0.1", "346.2700", "1234567890.123456789", "1E+2"} <= amounts


def test_order_without_dates_is_found_in_its_window(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(orders=600, quirks=True))
    orders = client.simulator.world.purchase_orders()
    undated = {
        number
        for number, row in orders.items()
        if not any("Date" in name for name in row["orderDetails"])
    }
    found = {row["purchaseOrderNumber"] for row in client.all_orders("created")}
    assert undated
    assert undated <= found


def test_order_reports_have_every_quirk(simulators: Simulators) -> None:
    reports = simulators.world(orders=3000, quirks=True).order_reports()
    dates = {type(row["orderMetadata"]["orderDate"]) for row in reports.values()}
    assert dates == {str, dict}
    assert any(row.get("purchaseOrderNumber") is None for row in reports.values())
    assert any(
        row.get("purchaseOrderNumber") not in {None, number} for (number, _), row in reports.items()
    )
    assert any(row.get("approverDetails", 0) is None for row in reports.values())


def test_the_last_days_hold_no_more_reports_than_others(simulators: Simulators) -> None:
    reports = simulators.world(orders=3000).reports
    days = Counter((to_millis(NOW) - report.ordered) // DAY for report in reports)
    usual = sum(days[day] for day in range(10, 60)) / 50
    assert days[0] + days[1] < 1.3 * 2 * usual


def test_changes_are_visible_at_once(simulators: Simulators) -> None:
    client = simulators.start()
    changes = client.simulator.world.change(fraction=0.1, state_only=0, new=3)
    hour = NOW - timedelta(hours=1), NOW - timedelta(minutes=2)
    changed = client.orders(**window(*hour, "changed"))
    created = client.orders(**window(*hour))
    assert {row["purchaseOrderNumber"] for row in changed} >= set(changes.changed)
    assert {row["purchaseOrderNumber"] for row in created} >= set(changes.new)


@dataclass(frozen=True)
class Changed:
    """A world that has changed, and its orders before and after."""

    world: World
    changes: Changes
    before: dict[str, dict[str, Any]]
    after: dict[str, dict[str, Any]]


@pytest.fixture
def changed(simulators: Simulators) -> Changed:
    """Change a tenth of 600 orders, the state alone of some others, and add seven."""
    world = simulators.world(orders=600, quirks=True)
    before = world.purchase_orders()
    simulators.clock.seconds += 600
    changes = world.change(fraction=0.1, state_only=0.2, new=7)
    return Changed(world, changes, before, world.purchase_orders())


def test_change_modifies_exactly_the_orders_it_names(changed: Changed) -> None:
    before, after, changes = changed.before, changed.after, changed.changes
    modified = {number for number in before if before[number] != after[number]}
    assert modified == {*changes.changed, *changes.state_only}
    assert len(changes.changed) == 60
    assert changes.state_only


def test_change_adds_exactly_the_orders_it_names(changed: Changed) -> None:
    assert set(changed.after) - set(changed.before) == set(changed.changes.new)
    assert len(changed.changes.new) == 7


def test_change_sets_the_date_of_change(changed: Changed) -> None:
    moment = (changed.world.now() - timedelta(seconds=150)).timestamp() * 1000
    places = [changed.world.find_order(number) for number in changed.changes.changed]
    assert {changed.world.orders[p].changed for p in places if p is not None} == {moment}
    assert None not in places


def test_change_of_state_alone_sets_only_its_own_date(changed: Changed) -> None:
    for number in changed.changes.state_only:
        old, new = (side[number]["orderDetails"] for side in (changed.before, changed.after))
        assert {name for name in new if old.get(name) != new[name]} == {
            "purchaseOrderStateChangedDate"
        }


# ---- rows as recorded accounts show them -------------------------------------------------------

Row = dict[str, Any]


@pytest.fixture
def status_items(simulators: Simulators) -> list[Row]:
    """Return the items of the statuses of 600 orders."""
    rows = rows_of(simulators.world(orders=600), "purchase_order_statuses").values()
    return [item for row in rows for item in row["itemStatus"]]


def quantity(item: Row, *path: str) -> int:
    """Return the amount of one of an item's quantities."""
    for name in path:
        item = item[name]
    amount = item["amount"]
    assert isinstance(amount, int)
    return amount


def test_ordered_quantity_is_net_and_its_first_detail_the_original(
    simulators: Simulators,
) -> None:
    world = simulators.world(orders=0)
    number = world.add_order(created=NOW - timedelta(days=3), items=3)
    before = rows_of(world, "purchase_order_statuses")[number,]["itemStatus"]
    world.change(fraction=1, state_only=0)
    after = rows_of(world, "purchase_order_statuses")[number,]["itemStatus"]
    for old, new in zip(before, after, strict=True):
        first, last = (new["orderedQuantity"]["orderedQuantityDetails"][i] for i in (0, -1))
        assert first == old["orderedQuantity"]["orderedQuantityDetails"][0]
        assert quantity(last, "orderedQuantity") == quantity(first, "orderedQuantity") + 1


def test_net_quantity_is_ordered_less_cancelled(status_items: list[Row]) -> None:
    cancelled = 0
    for item in status_items:
        last = item["orderedQuantity"]["orderedQuantityDetails"][-1]
        gone = quantity(last, "cancelledQuantity")
        net = quantity(item, "orderedQuantity", "orderedQuantity")
        assert net == quantity(last, "orderedQuantity") - gone
        cancelled += gone > 0
    assert 0 < cancelled < len(status_items)


def test_items_cancelled_completely_stay_with_zero(simulators: Simulators) -> None:
    world = simulators.world(orders=600)
    cancelled = {(order.number,) for order in world.orders if order.cancelled}
    statuses = rows_of(world, "purchase_order_statuses")
    items = [statuses[key]["itemStatus"][0] for key in cancelled]
    assert {quantity(item, "orderedQuantity", "orderedQuantity") for item in items} == {0}


def test_accepted_quantity_may_include_what_was_cancelled(status_items: list[Row]) -> None:
    extras = set()
    for item in status_items:
        said = item["acknowledgementStatus"]
        for detail in said.get("acknowledgementStatusDetails", ()):
            extra = quantity(said, "acceptedQuantity") - quantity(detail, "acceptedQuantity")
            last = item["orderedQuantity"]["orderedQuantityDetails"][-1]
            assert extra in {0, quantity(last, "cancelledQuantity")}
            extras.add(extra > 0)
    assert extras == {True, False}


def test_some_rejected_items_lack_details(status_items: list[Row]) -> None:
    said = [item["acknowledgementStatus"] for item in status_items]
    rejected = [part for part in said if part["confirmationStatus"] == "REJECTED"]
    lacking = ["acknowledgementStatusDetails" not in part for part in rejected]
    assert 0 < sum(lacking) < len(lacking)


def test_some_received_items_lack_a_date_and_all_dates_have_milliseconds(
    status_items: list[Row],
) -> None:
    parts = [item["receivingStatus"] for item in status_items]
    received = [part for part in parts if part["receiveStatus"] == "RECEIVED"]
    dates = [part["lastReceiveDate"] for part in received if "lastReceiveDate" in part]
    assert 0 < len(dates) < len(received)
    assert all(re.search(r"\.\d{3}Z$", date) for date in dates)


def test_some_items_are_received_above_what_is_ordered(status_items: list[Row]) -> None:
    above = [
        quantity(item, "receivingStatus", "receivedQuantity")
        > quantity(item, "orderedQuantity", "orderedQuantity")
        for item in status_items
    ]
    assert 0 < sum(above) < len(above) / 2


def test_some_orders_have_a_delivery_window_alone_and_parties_without_details(
    simulators: Simulators,
) -> None:
    rows = simulators.world(orders=200).purchase_orders().values()
    recorded = [row["orderDetails"] for row in rows if "shipWindow" not in row["orderDetails"]]
    assert 0 < len(recorded) < 200
    for details in recorded:
        assert details["deliveryWindow"]
        parties = ("buyingParty", "sellingParty", "shipToParty", "billToParty")
        assert all(list(details[name]) == ["partyId"] for name in parties)


def test_some_prices_have_no_trailing_zeros(simulators: Simulators) -> None:
    rows = simulators.world(orders=600).purchase_orders().values()
    amounts = {item["netCost"]["amount"] for row in rows for item in row["orderDetails"]["items"]}
    assert any(re.fullmatch(r"\d+\.\d", amount) for amount in amounts)
    assert any(re.fullmatch(r"\d+\.\d0", amount) for amount in amounts)


def test_transactions_have_the_fields_of_recorded_ones(simulators: Simulators) -> None:
    rows = rows_of(simulators.world(orders=200), "transactions").values()
    assert {row["transactionType"] for row in rows} == {"CHARGE", "REFUND", "OVERREFUND"}
    assert all(row["chargeIdentifier"] and row["invoiceNumber"] for row in rows)
    assert all(row["buyer"]["id"] and row["payer"]["id"] for row in rows)
    numbers = {line["purchaseOrderNumber"] for row in rows for line in row["transactionLineItems"]}
    assert "" in numbers
    assert None not in numbers


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("purchase_orders", "purchaseOrderNumber"),
        ("purchase_order_statuses", "purchaseOrderNumber"),
        ("orders", "purchaseOrderNumber"),
        ("orders", "orderMetadata.orderId"),
        ("order_line_items", "orderMetadata.orderId"),
        ("shipments", "purchaseOrderNumber"),
    ],
)
def test_numbers_can_be_integers(simulators: Simulators, stream: str, path: str) -> None:
    world = simulators.world(orders=100, integers=True)
    kinds = set()
    for key, row in rows_of(world, stream).items():
        value: Any = row
        for name in path.split("."):
            value = value.get(name)
        kinds.add(type(value))
        if path.endswith("orderId"):
            assert str(value) == key[0]
    assert {int, str} <= kinds
