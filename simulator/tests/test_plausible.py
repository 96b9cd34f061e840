"""The plausible world: its figures go together, and are those of a business."""

import re
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest

from simulator import World
from simulator.tests.support import Simulators
from simulator.truth import rows

NUMBER = re.compile("[A-Z0-9]{8}")


@pytest.fixture
def world(simulators: Simulators) -> World:
    return simulators.world(orders=400, plausible=True)


def _items(world: World) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (number, item["itemSequenceNumber"]): item
        for (number,), row in rows(world, "purchase_order_statuses").items()
        for item in row["itemStatus"]
    }


def test_numbers_have_eight_characters(world: World) -> None:
    assert all(NUMBER.fullmatch(order.number) for order in world.orders)


def test_most_of_what_is_ordered_is_received(world: World) -> None:
    closed = {order.number for order in world.orders if order.state == "Closed"}
    items = [item for (number, _), item in _items(world).items() if number in closed]
    ordered = sum(item["orderedQuantity"]["orderedQuantity"]["amount"] for item in items)
    received = sum(item["receivingStatus"]["receivedQuantity"]["amount"] for item in items)
    assert 0.85 < received / ordered < 0.97


def test_an_order_and_its_status_name_the_same_items(world: World) -> None:
    statuses = _items(world)
    for (number, line), item in rows(world, "purchase_order_items").items():
        status = statuses[number, line.lstrip("0")]
        quantity = item["orderedQuantity"]
        asked = quantity["amount"] * quantity["unitSize"]
        assert status["buyerProductIdentifier"] == item["amazonProductIdentifier"]
        assert status["netCost"] == item["netCost"]
        assert status["orderedQuantity"]["orderedQuantity"]["amount"] == asked


def test_what_is_received_was_shipped(world: World) -> None:
    shipped: Counter[tuple[str, str]] = Counter()
    for (_, number, line), item in rows(world, "vendor_shipment_items").items():
        shipped[number, line.lstrip("0")] += item["shippedQuantity"]["amount"]
    unchanged = {order.number for order in world.orders if not order.revision}
    for (number, line), item in _items(world).items():
        if number in unchanged:
            received = item["receivingStatus"]["receivedQuantity"]["amount"]
            assert received in {0, shipped[number, line]}


def test_the_charges_of_an_order_add_up(world: World) -> None:
    for row in rows(world, "orders").values():
        amounts = {one["type"]: Decimal(one["amount"]["amount"]) for one in row["charges"]}
        assert amounts["NET_TOTAL"] == sum(
            amounts[kind] for kind in ("SUBTOTAL", "SHIPPING_AND_HANDLING", "TAX")
        )


def test_few_lines_are_charged_another_amount_than_they_cost(world: World) -> None:
    charged: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows(world, "transactions").values():
        if row["transactionType"] == "CHARGE":
            for item in row["transactionLineItems"]:
                key = item["orderId"], item["orderLineItemId"]
                charged[key] += Decimal(item["totalAmount"]["amount"])
    lines = rows(world, "order_line_items")
    wrong = [key for key in charged if charged[key] != Decimal(_total(lines[key]))]
    assert 0 < len(wrong) < len(charged) * 0.05


def _total(row: dict[str, Any]) -> Any:
    return next(one["amount"]["amount"] for one in row["charges"] if one["type"] == "NET_TOTAL")


def test_large_orders_are_approved_by_the_director(world: World) -> None:
    approvers: defaultdict[bool, set[str]] = defaultdict(set)
    for row in rows(world, "orders").values():
        approved = (row.get("approverDetails") or {}).get("lastOrderApproverCustomer")
        if approved:
            total = sum(
                Decimal(one["amount"]["amount"])
                for one in row["charges"]
                if one["type"] in {"SUBTOTAL", "TAX"}
            )
            approvers[total > Decimal(900)].add(approved["name"])
    assert len(approvers[True]) == 1
    assert not approvers[True] & approvers[False]


def test_the_same_seed_makes_the_same_plans(simulators: Simulators) -> None:
    first, second = (
        rows(simulators.world(orders=30, plausible=True), "transactions") for _ in range(2)
    )
    assert first == second
    assert first
