"""Changes of old rows, and rows that appear later than they are dated."""

from datetime import timedelta
from typing import Any

import pytest

from simulator import Options
from simulator.tests.support import (
    NOW,
    ORDERS,
    REPORTS,
    STATUSES,
    Client,
    Simulators,
    days_ago,
    order_dates,
    window,
)

OLD = days_ago(102)
HOUR = timedelta(hours=1)


@pytest.fixture
def client(simulators: Simulators) -> Client:
    """Serve one old order, named "OLD", with an order report."""
    world = simulators.world(orders=0, regions=("US",))
    client = simulators.start(world, Options(limits=False, token_lifetime=1e9))
    client.simulator.world.add_order(created=OLD, number="OLD", items=3, reports=1)
    simulators.clock.seconds += 600
    return client


def listed(client: Client, family: str) -> set[str]:
    """Return the numbers of the orders listed by created or changed date, over half a year."""
    return {row["purchaseOrderNumber"] for row in client.all_orders(family)}


def statuses(client: Client, family: str = "updated") -> dict[str, Any]:
    """Return the statuses of the last hours, by number."""
    now = client.simulator.world.now()
    bounds = window(now - 9 * HOUR, now - timedelta(minutes=2), family)
    pages = client.pages(STATUSES, **bounds)
    return {row["purchaseOrderNumber"]: row for page in pages for row in page["ordersStatus"]}


def order(client: Client) -> dict[str, Any]:
    row: dict[str, Any] = client.get(f"{ORDERS}/OLD").json()["payload"]
    return row


def amounts(row: dict[str, Any]) -> list[int]:
    return [item["orderedQuantity"]["amount"] for item in row["orderDetails"]["items"]]


def orders_by_date(client: Client) -> list[dict[str, Any]]:
    """Return the order reports of half a year."""
    dates = order_dates(days_ago(180), client.simulator.world.now())
    return client.business_rows(f"{REPORTS}/orderReports", "ordersReport", {"region": "US"} | dates)


# ---- orders --------------------------------------------------------------------------------------


def test_state_of_an_old_order_moves_its_own_date_and_the_status(
    client: Client, simulators: Simulators
) -> None:
    before = order(client)
    assert "OLD" not in statuses(client)
    client.simulator.world.move_state("OLD")
    moment = client.simulator.world.now().isoformat().replace("+00:00", "Z")
    simulators.clock.seconds += 600
    after = order(client)
    assert after["purchaseOrderState"] != before["purchaseOrderState"]
    assert after["orderDetails"] == {
        **before["orderDetails"],
        "purchaseOrderStateChangedDate": moment,
    }
    assert statuses(client)["OLD"]["lastUpdatedDate"] == moment
    assert "OLD" not in listed(client, "changed")


def test_cut_of_an_old_order_moves_no_date_but_that_of_the_status(
    client: Client, simulators: Simulators
) -> None:
    before = order(client)
    client.simulator.world.cut("OLD")
    moment = client.simulator.world.now().isoformat().replace("+00:00", "Z")
    simulators.clock.seconds += 600
    after = order(client)
    assert amounts(after) == [*amounts(before)[:-1], amounts(before)[-1] // 2]
    for row in (before, after):
        del row["orderDetails"]["items"]
    assert after == before
    assert statuses(client)["OLD"]["lastUpdatedDate"] == moment
    assert "OLD" not in listed(client, "changed")


def test_cut_shows_in_the_status_as_cancelled(client: Client) -> None:
    def last_item() -> dict[str, Any]:
        rows = client.simulator.rows("purchase_order_statuses")
        quantity: dict[str, Any] = rows["OLD",]["itemStatus"][-1]["orderedQuantity"]
        return quantity

    before = last_item()
    client.simulator.world.cut("OLD")
    after = last_item()
    net = before["orderedQuantity"]["amount"] // 2
    asked = before["orderedQuantityDetails"][-1]["orderedQuantity"]["amount"]
    assert after["orderedQuantity"]["amount"] == net
    last = after["orderedQuantityDetails"][-1]
    assert last["cancelledQuantity"]["amount"] == asked - net
    assert after["orderedQuantityDetails"][0] == before["orderedQuantityDetails"][0]


def test_cuts_end_where_nothing_is_left(client: Client) -> None:
    while amounts(order(client))[-1]:
        client.simulator.world.cut("OLD")
    with pytest.raises(ValueError, match="nothing is left"):
        client.simulator.world.cut("OLD")


def test_cut_without_a_date_moves_none(client: Client) -> None:
    before, status = order(client), client.simulator.rows("purchase_order_statuses")["OLD",]
    client.simulator.world.cut("OLD", dated=False)
    after = order(client)
    assert amounts(after)[-1] == amounts(before)[-1] // 2
    later = client.simulator.rows("purchase_order_statuses")["OLD",]
    assert later["itemStatus"] != status["itemStatus"]
    for row in (before, after):
        del row["orderDetails"]["items"]
    for row in (status, later):
        del row["itemStatus"]
    assert (after, later) == (before, status)


@pytest.mark.parametrize("change", ["change_order", "move_state", "cut", "receive"])
def test_a_change_can_be_visible_later_than_it_is_dated(
    client: Client, simulators: Simulators, change: str
) -> None:
    world = client.simulator.world
    before = order(client), client.simulator.rows("purchase_order_statuses")
    moment = world.now().isoformat().replace("+00:00", "Z")
    getattr(world, change)("OLD", appears=world.now() + HOUR)
    simulators.clock.seconds += 3_599
    assert (order(client), client.simulator.rows("purchase_order_statuses")) == before
    assert "OLD" not in statuses(client)
    simulators.clock.seconds += 1
    assert statuses(client)["OLD"]["lastUpdatedDate"] == moment
    assert (order(client) == before[0]) == (change == "receive")


def test_receipt_moves_the_status_alone(client: Client, simulators: Simulators) -> None:
    before = order(client)
    client.simulator.world.receive("OLD")
    simulators.clock.seconds += 600
    assert order(client) == before
    assert "OLD" in statuses(client)


def test_change_of_an_old_order_is_listed_by_its_date(
    client: Client, simulators: Simulators
) -> None:
    before = amounts(order(client))
    client.simulator.world.change_order("OLD")
    simulators.clock.seconds += 600
    assert amounts(order(client)) != before
    assert "OLD" in listed(client, "changed")
    assert "OLD" in statuses(client)


def test_orders_that_are_not_there_cannot_change(client: Client) -> None:
    world = client.simulator.world
    for change in (world.change_order, world.move_state, world.cut, world.receive):
        with pytest.raises(ValueError, match="there is no order 'NONE'"):
            change("NONE")
    with pytest.raises(ValueError, match="there is no order report"):
        world.move_report("NONE")


# ---- order reports -------------------------------------------------------------------------------


def test_status_of_an_old_report_moves_no_date(client: Client) -> None:
    [before] = orders_by_date(client)
    client.simulator.world.move_report(before["orderMetadata"]["orderId"])
    [after] = orders_by_date(client)
    assert after.pop("orderStatus") != before.pop("orderStatus")
    assert after == before
    found = client.reports("OLD").json()["ordersReport"]
    assert [row["orderMetadata"] for row in found] == [before["orderMetadata"]]


def test_report_of_an_old_order_is_found_by_number_and_date(client: Client) -> None:
    world = client.simulator.world
    added = world.add_report("OLD", ordered=days_ago(1), named="OLD")
    found = client.reports("OLD").json()["ordersReport"]
    assert added in {row["orderMetadata"]["orderId"] for row in found}
    assert added in {row["orderMetadata"]["orderId"] for row in orders_by_date(client)}
    assert ("OLD", added) in world.order_reports()


@pytest.mark.parametrize(("named", "shown"), [("", None), ("ELSE", "ELSE"), ("old ", "old ")])
def test_report_names_the_number_that_it_is_given(
    client: Client, named: str, shown: str | None
) -> None:
    added = client.simulator.world.add_report("OLD", named=named)
    row = client.simulator.rows("orders")[added,]
    assert row.get("purchaseOrderNumber") == shown


def test_reports_can_spell_their_order_differently(simulators: Simulators) -> None:
    plain, other = (simulators.world(respelled=share) for share in (0, 0.5))
    spelled = [
        (number, row["purchaseOrderNumber"])
        for (number, _), row in other.order_reports().items()
        if row["purchaseOrderNumber"] != number
    ]
    assert 0.3 < len(spelled) / len(other.reports) < 0.6
    assert {text.strip().casefold() == number.casefold() for number, text in spelled} == {True}
    assert {text.strip() == text for _, text in spelled} == {True, False}
    assert plain.order_reports().keys() == other.order_reports().keys()
    assert all(row["purchaseOrderNumber"] == key[0] for key, row in plain.order_reports().items())


# ---- rows that appear late -----------------------------------------------------------------------


def test_order_is_nowhere_until_it_appears(client: Client, simulators: Simulators) -> None:
    world, clock = client.simulator.world, simulators.clock
    world.add_order(created=days_ago(3), number="LATE", reports=2, appears=world.now() + 5 * HOUR)

    def seen() -> list[bool]:
        return [
            client.get(f"{ORDERS}/LATE").status_code == 200,
            "LATE" in listed(client, "created"),
            "LATE" in world.purchase_orders(),
            ("LATE",) in client.simulator.rows("purchase_order_statuses"),
            bool(client.reports("LATE").json()["ordersReport"]),
            any(row["purchaseOrderNumber"] == "LATE" for row in orders_by_date(client)),
        ]

    clock.seconds += 5 * 3600 - 1
    assert not any(seen())
    clock.seconds += 1
    assert all(seen())


def test_report_is_nowhere_until_it_appears(client: Client, simulators: Simulators) -> None:
    world = client.simulator.world
    appears = world.now() + timedelta(minutes=90)
    late = world.add_report("OLD", named="OLD", appears=appears)

    def seen() -> list[bool]:
        return [
            ("OLD", late) in world.order_reports(),
            (late,) in client.simulator.rows("orders"),
            any(key[0] == late for key in client.simulator.rows("order_line_items")),
            len(client.reports("OLD").json()["ordersReport"]) == 2,
            len(orders_by_date(client)) == 2,
        ]

    assert not any(seen())
    with pytest.raises(ValueError, match="there is no order report"):
        world.move_report(late)
    simulators.clock.seconds += 90 * 60
    assert all(seen())
    world.move_report(late)


def test_change_of_a_report_can_be_visible_later(client: Client, simulators: Simulators) -> None:
    world = client.simulator.world
    ((_, order_id),) = before = world.order_reports()
    world.move_report(order_id, appears=world.now() + HOUR)
    simulators.clock.seconds += 3_599
    assert world.order_reports() == before
    simulators.clock.seconds += 1
    assert world.order_reports() != before


def test_late_row_keeps_its_own_date(client: Client, simulators: Simulators) -> None:
    world = client.simulator.world
    world.add_order(created=NOW, number="LATE", appears=world.now() + HOUR)
    simulators.clock.seconds += 2 * 3600
    details = world.purchase_orders()["LATE"]["orderDetails"]
    assert details["purchaseOrderDate"] == NOW.isoformat().replace("+00:00", "Z")


def test_number_of_a_late_order_is_taken(client: Client) -> None:
    world = client.simulator.world
    world.add_order(created=NOW, number="LATE", appears=world.now() + HOUR)
    with pytest.raises(ValueError, match="there is an order 'LATE' already"):
        world.add_order(created=NOW, number="LATE")


def test_truth_counts_what_has_appeared(client: Client, simulators: Simulators) -> None:
    world = client.simulator.world
    world.add_order(created=NOW, number="LATE", reports=1, appears=world.now() + HOUR)

    def counts() -> tuple[int, int]:
        rows = client.control("GET", "truth").json()["rows"]
        return rows["purchase_orders"], rows["order_reports"]

    assert counts() == (1, 1)
    simulators.clock.seconds += 3600
    assert counts() == (2, 2)
