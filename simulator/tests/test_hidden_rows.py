"""Rows that are hidden for days, and then shown under their old dates."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from simulator.encoding import Row
from simulator.tests.support import (
    ORDERS,
    REPORTS,
    SHIPMENTS,
    STATUSES,
    Client,
    Simulators,
    days_ago,
    error_of,
    order_dates,
    window,
)

SPAN = (days_ago(4.5), days_ago(0))


@pytest.fixture
def client(simulators: Simulators) -> Client:
    """Serve three weeks of orders."""
    return simulators.start(simulators.world(span_days=21))


def listed(client: Client) -> dict[str, int]:
    """Return how many rows of six days each list shows."""
    bounds = window(days_ago(6), days_ago(0.01))
    dates = {"region": "US"} | order_dates(days_ago(6), days_ago(0.01))
    feed = {"feedStartDate": dates["orderStartDate"], "feedEndDate": dates["orderEndDate"]}
    transactions = "/reconciliation/2021-01-08/transactions"
    return {
        "orders": len(client.orders(**bounds)),
        "statuses": sum(len(page["ordersStatus"]) for page in client.pages(STATUSES, **bounds)),
        "shipments": sum(len(page["shipments"]) for page in client.pages(SHIPMENTS, **bounds)),
        "reports": len(client.business_rows(f"{REPORTS}/orderReports", "ordersReport", dates)),
        "transactions": len(client.business_rows(transactions, "transactions", feed)),
    }


def test_hidden_orders_are_in_no_vendor_operation(client: Client) -> None:
    before = listed(client)
    client.simulator.world.hide_orders(*SPAN)
    after = listed(client)
    for name in ("orders", "statuses", "shipments"):
        assert 0 < after[name] < before[name], name
    for name in ("reports", "transactions"):
        assert after[name] == before[name] > 0, name


def test_hidden_reports_are_in_no_business_operation(client: Client) -> None:
    before = listed(client)
    client.simulator.world.hide_reports(*SPAN)
    after = listed(client)
    for name in ("reports", "transactions"):
        assert 0 < after[name] < before[name], name
    assert after["orders"] == before["orders"]


def test_hidden_rows_are_not_found_by_number(client: Client) -> None:
    world = client.simulator.world
    number = world.add_order(created=days_ago(2), reports=1)
    (key,) = (key for key in world.order_reports() if key[0] == number)
    regions = client.simulator.world.regions

    def reports() -> list[dict[str, Any]]:
        pages = [client.reports(number, region).json() for region in regions]
        return [row for page in pages for row in page["ordersReport"]]

    assert len(reports()) == 1
    world.hide_orders(*SPAN)
    world.hide_reports(*SPAN)
    assert error_of(client.get(f"{ORDERS}/{number}")) == (404, "NotFound")
    assert reports() == []
    assert (number,) not in client.simulator.rows("purchase_orders")
    assert key not in client.simulator.rows("order_reports")


@pytest.mark.parametrize("until", [None, days_ago(-1)], ids=["on demand", "later"])
def test_rows_are_shown_again_as_they_were(
    client: Client, simulators: Simulators, until: Any
) -> None:
    world = client.simulator.world
    before = rows(client)
    for hide in (world.hide_orders, world.hide_reports):
        hide(*SPAN, until=until)
    assert rows(client) != before
    simulators.clock.seconds += timedelta(days=1).total_seconds()
    if until is None:
        assert rows(client) != before
        world.show_all()
    assert rows(client) == before


def rows(client: Client) -> list[Mapping[tuple[str, ...], Row]]:
    """Return the rows of every stream."""
    read: Callable[[str], Mapping[tuple[str, ...], Row]] = client.simulator.rows
    return [read(stream) for stream in client.control("GET", "truth").json()["rows"]]


def test_the_number_of_rows_counts_visible_ones(client: Client) -> None:
    client.simulator.world.hide_orders(*SPAN)
    client.simulator.world.hide_reports(*SPAN)
    for stream, count in client.control("GET", "truth").json()["rows"].items():
        assert count == len(client.simulator.rows(stream)), stream
