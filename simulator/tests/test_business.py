"""Amazon Business: order reports by number, reports by date, and transactions."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from simulator import Options
from simulator.tests.support import (
    NOW,
    REPORTS,
    Client,
    Simulators,
    days_ago,
    error_of,
    order_dates,
)
from simulator.times import to_millis

BY_DATE = {
    "orders": ("orderReports", "ordersReport"),
    "order_line_items": ("orderLineItemReports", "orderLineItemsReport"),
    "shipments": ("shipmentReports", "shipmentsReport"),
    "shipment_line_items": ("shipmentLineItemReports", "shipmentLineItemsReport"),
}


def test_finds_order_reports_by_number_and_region(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(orders=60))
    world = client.simulator.world
    found = {
        (number, row["orderMetadata"]["orderId"]): row
        for number in world.purchase_orders()
        for region in world.regions
        for row in client.reports(number, region).json(parse_float=Decimal)["ordersReport"]
    }
    assert found == world.order_reports()


@pytest.mark.parametrize("region", ["GB", "us", ""])
def test_refuses_an_unknown_region(simulators: Simulators, region: str) -> None:
    assert error_of(simulators.start().reports("x", region)) == (400, "INVALID_REQUEST_PARAMETER")


def test_refuses_a_missing_region(simulators: Simulators) -> None:
    client = simulators.start()
    reply = client.get(f"{REPORTS}/purchaseOrders/x/orderReports", "business_api")
    assert error_of(reply) == (400, "INVALID_REQUEST_PARAMETER")


def test_unknown_number_returns_an_empty_list(simulators: Simulators) -> None:
    reply = simulators.start().reports("no such number").json()
    assert (reply["ordersReport"], reply["size"]) == ([], 0)


def test_omits_orders_older_than_two_years(simulators: Simulators) -> None:
    world = simulators.world(orders=0, regions=("US",))
    old = world.add_order(created=days_ago(740), reports=1)
    young = world.add_order(created=days_ago(720), reports=1)
    client = simulators.start(world)
    assert client.reports(old).json()["size"] == 0
    assert client.reports(young).json()["size"] == 1


def test_report_pages_hold_page_size_rows(simulators: Simulators) -> None:
    world = simulators.world(orders=0, regions=("US",))
    number = world.add_order(created=days_ago(9), reports=5)
    client = simulators.start(world, Options(limits=False, page_size=2))
    pages = [client.reports(number).json()]
    while token := pages[-1].get("nextPageToken"):
        pages.append(client.reports(number, nextPageToken=token).json())
    assert [page["size"] for page in pages] == [2, 2, 1]
    assert [len(page["ordersReport"]) for page in pages] == [2, 2, 1]


def test_last_report_page_has_a_null_token_or_none_by_turns(simulators: Simulators) -> None:
    client = simulators.start()
    pages = [client.reports("no such number").json() for _ in range(4)]
    assert ["nextPageToken" in page for page in pages] == [True, False, True, False]
    assert pages[0]["nextPageToken"] is None


def test_report_token_requires_the_same_number_and_region(simulators: Simulators) -> None:
    world = simulators.world(orders=0, regions=("US",))
    numbers = [world.add_order(created=days_ago(9), reports=5) for _ in range(2)]
    client = simulators.start(world, Options(limits=False, page_size=2))
    token = client.reports(numbers[0]).json()["nextPageToken"]
    assert error_of(client.reports(numbers[1], nextPageToken=token)) == (
        400,
        "INVALID_REQUEST_PARAMETER",
    )
    assert error_of(client.reports(numbers[0], "CA", nextPageToken=token)) == (
        400,
        "INVALID_REQUEST_PARAMETER",
    )
    assert client.reports(numbers[0], nextPageToken=token).status_code == 200


def test_money_keeps_every_digit(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(orders=2000, quirks=True))
    amounts = {
        str(charge["amount"]["amount"])
        for row in client.simulator.world.order_reports().values()
        for charge in row["charges"]
    }
    assert {"19.90", "1234567.89", "0.1", "12345678901234.5678", "7"} <= amounts


def test_canned_reports_are_paged_by_their_tokens(simulators: Simulators) -> None:
    pages = (
        b'{"ordersReport": [{"a": 1.10}], "nextPageToken": "123asda", "size": 1}',
        b'{"ordersReport": [], "nextPageToken": null, "size": 0}',
    )
    client = simulators.start(options=Options(limits=False, canned_order_reports={"P 1": pages}))
    assert client.reports("P 1").content == pages[0]
    assert client.reports("P 1", nextPageToken="123asda").content == pages[1]
    assert error_of(client.reports("P 1", nextPageToken="x")) == (400, "INVALID_REQUEST_PARAMETER")


@pytest.mark.parametrize("stream", BY_DATE)
def test_reports_by_date_return_every_row(simulators: Simulators, stream: str) -> None:
    client = simulators.start(simulators.world(orders=100))
    path, array = BY_DATE[stream]
    found: list[dict[str, Any]] = []
    for region in ("US", "CA"):
        query = {**order_dates(days_ago(360), NOW), "region": region}
        found += client.business_rows(f"{REPORTS}/{path}", array, query)
    expected = list(client.simulator.rows(stream).values())
    assert len(found) == len(expected)
    assert all(row in expected for row in found)


def test_reports_by_date_and_by_number_are_equal(simulators: Simulators) -> None:
    simulator = simulators.start().simulator
    by_id = simulator.rows("orders")
    by_number = simulator.rows("order_reports")
    assert len(by_id) == len(by_number) + 20
    assert all(by_id[order_id,] == row for (_, order_id), row in by_number.items())


def test_order_dates_include_the_start_and_exclude_the_end(simulators: Simulators) -> None:
    client = simulators.start()
    moments = sorted(r.ordered for r in client.simulator.world.reports if r.region == "US")
    start, end = (datetime.fromtimestamp(m / 1000, UTC) for m in (moments[10], moments[20]))
    query = {**order_dates(start, end), "region": "US"}
    assert len(client.business_rows(f"{REPORTS}/orderReports", "ordersReport", query)) == 10


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(order_dates(days_ago(367), days_ago(0)), id="more than 366 days"),
        pytest.param(order_dates(days_ago(3), days_ago(-1)), id="end in the future"),
        pytest.param(order_dates(days_ago(731), days_ago(700)), id="more than two years ago"),
        pytest.param(order_dates(days_ago(1), days_ago(2)), id="end before start"),
        pytest.param({"orderStartDate": days_ago(1).isoformat()}, id="no end"),
    ],
)
def test_refuses_an_invalid_range_of_order_dates(
    simulators: Simulators, query: dict[str, str]
) -> None:
    client = simulators.start()
    reply = client.get(f"{REPORTS}/orderReports", "business_api", region="US", **query)
    assert error_of(reply) == (400, "INVALID_REQUEST_PARAMETER")


def us_orders(**filters: str) -> dict[str, str]:
    """Return a query for all orders of one region."""
    return {**order_dates(days_ago(360), NOW), "region": "US", **filters}


def test_filters_reports_by_several_statuses(simulators: Simulators) -> None:
    query = us_orders(orderStatuses="CLOSED,CANCELLED")
    rows = simulators.start().business_rows(f"{REPORTS}/orderReports", "ordersReport", query)
    assert {row["orderStatus"] for row in rows} == {"CLOSED", "CANCELLED"}


def test_filters_lines_by_several_order_ids(simulators: Simulators) -> None:
    client = simulators.start()
    ids = {report.order_id for report in client.simulator.world.reports if report.region == "US"}
    wanted = sorted(ids)[:3]
    query = us_orders(orderIds=",".join(wanted))
    path, array = BY_DATE["order_line_items"]
    rows = client.business_rows(f"{REPORTS}/{path}", array, query)
    assert {row["orderMetadata"]["orderId"] for row in rows} == set(wanted)


def test_refuses_more_than_thirty_order_ids(simulators: Simulators) -> None:
    query = us_orders(orderIds=",".join(["x"] * 31))
    reply = simulators.start().get(f"{REPORTS}/orderLineItemReports", "business_api", **query)
    assert error_of(reply) == (400, "INVALID_REQUEST_PARAMETER")


ORDER_OPERATIONS = ("orderReports", "orderLineItemReports")
SHIPMENT_OPERATIONS = ("shipmentReports", "shipmentLineItemReports")


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"region": "GB"}, id="parameter"),
        pytest.param({"region": "US", "nextPageToken": "bm9uZQ=="}, id="page token"),
    ],
)
@pytest.mark.parametrize(
    ("path", "code"),
    [
        *((path, "INVALID_REQUEST_PARAMETER") for path in ORDER_OPERATIONS),
        *((path, "InvalidInput") for path in SHIPMENT_OPERATIONS),
    ],
)
def test_order_and_shipment_operations_have_different_codes_for_a_bad_parameter(
    simulators: Simulators, path: str, code: str, query: dict[str, str]
) -> None:
    dates = order_dates(days_ago(9), days_ago(1))
    reply = simulators.start().get(f"{REPORTS}/{path}", "business_api", **dates, **query)
    assert error_of(reply) == (400, code)


@pytest.mark.parametrize(
    ("status", "code"), [(400, "INVALID_REQUEST_PARAMETER"), (404, "NotFound")]
)
def test_refuses_a_single_number_every_time(simulators: Simulators, status: int, code: str) -> None:
    world = simulators.world(orders=0, regions=("US",))
    refused, other = (world.add_order(created=days_ago(9), reports=1) for _ in range(2))
    options = Options(limits=False, refused_numbers={refused: status})
    client = simulators.start(world, options)
    assert [error_of(client.reports(refused)) for _ in range(2)] == [(status, code)] * 2
    assert client.reports(other).json()["size"] == 1


def test_a_number_without_reports_can_be_not_found_region_by_region(
    simulators: Simulators,
) -> None:
    world = simulators.world(orders=0)
    number = world.add_order(created=days_ago(9), reports=1)
    home, other = sorted(world.regions, key=lambda region: not world.order_reports(region))
    client = simulators.start(world, Options(limits=False, none_is_not_found=True))
    assert client.reports(number, home).json()["size"] == 1
    assert error_of(client.reports(number, other)) == (404, "NotFound")
    assert error_of(client.reports("UNKNOWN", home)) == (404, "NotFound")


TRANSACTIONS = "/reconciliation/2021-01-08/transactions"


def test_finds_transactions_by_feed_date(simulators: Simulators) -> None:
    client = simulators.start()
    query = {"feedStartDate": days_ago(180).isoformat(), "feedEndDate": NOW.isoformat()}
    found = client.business_rows(TRANSACTIONS, "transactions", query)
    expected = client.simulator.rows("transactions")
    assert {(row["transactionId"],): row for row in found} == expected
    assert len(found) == len(expected)


def test_transactions_can_be_found_by_order_date(simulators: Simulators) -> None:
    options = Options(limits=False, transactions_by_order_date=True)
    client = simulators.start(options=options)
    ordered = {
        transaction.identifier: transaction.report.ordered
        for transaction in client.simulator.world.transactions.table
    }
    start, end = days_ago(90), days_ago(60)
    query = {"feedStartDate": start.isoformat(), "feedEndDate": end.isoformat()}
    found = client.business_rows(TRANSACTIONS, "transactions", query)
    expected = {name for name, date in ordered.items() if to_millis(start) <= date < to_millis(end)}
    assert {row["transactionId"] for row in found} == expected
    assert not expected >= {
        row["transactionId"]
        for row in client.simulator.rows("transactions").values()
        if start.isoformat() <= row["feedDate"] < end.isoformat()
    }


def test_transactions_require_feed_dates(simulators: Simulators) -> None:
    reply = simulators.start().get(TRANSACTIONS, "business_api")
    assert error_of(reply) == (400, "INVALID_REQUEST_PARAMETER")


FEED_DATES = {"feedStartDate": days_ago(180).isoformat(), "feedEndDate": NOW.isoformat()}


def first_token(client: Client) -> str:
    """Return the token of the second page of transactions."""
    token = client.get(TRANSACTIONS, "business_api", **FEED_DATES).json()["nextPageToken"]
    assert isinstance(token, str)
    return token


def test_transactions_take_a_page_token_with_the_other_parameters_or_alone(
    simulators: Simulators,
) -> None:
    client = simulators.start(options=Options(limits=False, page_size=20))
    token = first_token(client)
    pages = [
        client.get(TRANSACTIONS, "business_api", **query, nextPageToken=token)
        for query in (FEED_DATES, {})
    ]
    assert [page.status_code for page in pages] == [200, 200]
    assert pages[0].json()["transactions"] == pages[1].json()["transactions"]


def test_transactions_can_require_the_page_token_alone(simulators: Simulators) -> None:
    options = Options(limits=False, page_size=20, token_alone=True)
    client = simulators.start(options=options)
    token = first_token(client)
    both = client.get(TRANSACTIONS, "business_api", **FEED_DATES, nextPageToken=token)
    assert error_of(both) == (400, "INVALID_REQUEST_PARAMETER")
    assert client.get(TRANSACTIONS, "business_api", nextPageToken=token).status_code == 200
