"""The generated data, and how they change."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from simulator import Changes, World
from simulator.tests.support import NOW, ORDERS, Simulators, window


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
