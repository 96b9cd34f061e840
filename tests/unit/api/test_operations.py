"""Operations: complete entries with Amazon's figures, and their requests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_amazon_business.api.operations import (
    GET_ORDER_REPORTS,
    GET_PURCHASE_ORDER,
    GET_PURCHASE_ORDERS,
    OPERATIONS,
    Operation,
    Request,
    UsagePlan,
)
from tap_amazon_business.streams.business import BUSINESS_STREAMS
from tap_amazon_business.streams.invoices import INVOICE_STREAMS
from tap_amazon_business.streams.order_reports import ListedOrderReportsStream
from tap_amazon_business.streams.sliced import SlicedStream
from tap_amazon_business.streams.vendor import VENDOR_STREAMS

if TYPE_CHECKING:
    from tap_amazon_business.streams.base import AmazonStream

STREAMS: tuple[type[AmazonStream], ...] = (
    *VENDOR_STREAMS,
    *BUSINESS_STREAMS,
    *INVOICE_STREAMS,
    ListedOrderReportsStream,
)
LISTED_STREAMS = [kind for kind in STREAMS if issubclass(kind, SlicedStream)]
LISTS = [
    operation
    for operation in OPERATIONS.values()
    if operation is not GET_PURCHASE_ORDER and operation.method == "GET"
]
REPORTS = "/reports/2025-06-09"

# Name: path, requests a second, burst, rows a page. As Amazon publishes them.
PUBLISHED: dict[str, tuple[str, float, int, int]] = {
    "getPurchaseOrders": ("/vendor/orders/v1/purchaseOrders", 10, 10, 100),
    "getPurchaseOrder": ("/vendor/orders/v1/purchaseOrders/{}", 10, 10, 100),
    "getPurchaseOrdersStatus": ("/vendor/orders/v1/purchaseOrdersStatus", 10, 10, 100),
    "GetShipmentDetails": ("/vendor/shipping/v1/shipments", 10, 10, 50),
    "getOrderReports": (f"{REPORTS}/orderReports", 0.5, 10, 100),
    "getOrderLineItemReports": (f"{REPORTS}/orderLineItemReports", 0.5, 10, 100),
    "getShipmentReports": (f"{REPORTS}/shipmentReports", 0.5, 10, 100),
    "getShipmentLineItemReports": (f"{REPORTS}/shipmentLineItemReports", 0.5, 10, 100),
    "getOrderReportsByPurchaseOrderNumber": (
        f"{REPORTS}/purchaseOrders/{{}}/orderReports",
        0.5,
        10,
        100,
    ),
    "getTransactions": ("/reconciliation/2021-01-08/transactions", 2, 10, 100),
    "getInvoiceDetailsByOrderLineItems": ("/reconciliation/2021-01-08/invoices", 2, 10, 25),
    "getBatchInvoicePaymentDetails": (
        "/reconciliation/2021-01-08/invoices/batch/paymentDetails",
        2,
        10,
        25,
    ),
}


# ---- the entries ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_entry_has_amazons_published_figures(name: str) -> None:
    operation, (path, rate, burst, page_size) = OPERATIONS[name], PUBLISHED[name]
    assert operation.name == name
    assert operation.path == path
    assert operation.plan == UsagePlan(rate, burst, fixed=False)
    assert operation.page_size == page_size


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
def test_an_entry_names_its_role_and_its_rows(operation: Operation) -> None:
    assert operation.role
    assert operation.rows


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.name)
def test_an_entry_of_a_list_names_its_page_token(operation: Operation) -> None:
    vendor = operation.path.startswith("/vendor/")
    assert operation.token_parameter == ("nextToken" if vendor else "nextPageToken")
    assert operation.envelope == ("payload" if vendor else None)


def test_only_the_operations_on_invoices_are_posted() -> None:
    posted = {name for name, operation in OPERATIONS.items() if operation.method != "GET"}
    assert posted == {"getInvoiceDetailsByOrderLineItems", "getBatchInvoicePaymentDetails"}


@pytest.mark.parametrize("stream", LISTED_STREAMS, ids=lambda stream: stream.name)
def test_the_operation_of_a_listed_stream_is_complete(stream: type[SlicedStream]) -> None:
    operation = stream.operation
    assert OPERATIONS[operation.name] is operation
    assert operation.token_parameter
    assert operation.reach < timedelta.max
    # Either the operation or the stream keeps a window within what Amazon takes.
    assert min(operation.longest_range, stream.widest_window) < timedelta.max


def test_a_request_of_a_vendor_list_stays_under_seven_days() -> None:
    for name in ("getPurchaseOrders", "getPurchaseOrdersStatus", "GetShipmentDetails"):
        # Every request begins a second before its window.
        assert OPERATIONS[name].longest_range + timedelta(seconds=1) < timedelta(days=7)


def test_a_request_of_a_report_list_stays_within_366_days() -> None:
    assert GET_ORDER_REPORTS.longest_range + timedelta(seconds=1) <= timedelta(days=366)


# ---- rows and page tokens ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "rows"),
    [
        ({"orders": [1, 2], "pagination": {"nextToken": "a"}}, [1, 2]),
        ({"orders": [1]}, [1]),
        ({"orders": []}, []),
        # Not what the operation returns.
        ({}, None),
        ({"orders": None}, None),
        ({"pagination": {"nextToken": "a"}}, None),
        ({"pagination": None, "orders": None}, None),
        ({"orders": {"a": 1}}, None),
        ({"orders": "text"}, None),
        ({"other": []}, None),
        ({"orders": [1], "pagination": "text"}, None),
        ({"orders": [1], "pagination": [1]}, None),
        (None, None),
        ([1], None),
        ("text", None),
    ],
)
def test_rows_within_an_envelope(payload: object, rows: list[Any] | None) -> None:
    found = GET_PURCHASE_ORDERS.rows_of({"payload": payload})
    assert (None if found is None else list(found)) == rows


def test_a_body_without_the_envelope_has_no_rows() -> None:
    assert GET_PURCHASE_ORDERS.rows_of({"orders": [1]}) is None


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ({"ordersReport": [1], "nextPageToken": "a"}, [1]),
        ({"ordersReport": []}, []),
        ({"ordersReport": None}, None),
        ({"ordersReport": {}}, None),
        ({"nextPageToken": "a"}, None),
        ({}, None),
        ({"payload": {"ordersReport": [1]}}, None),
    ],
)
def test_rows_at_the_top(body: dict[str, Any], rows: list[Any] | None) -> None:
    found = GET_ORDER_REPORTS.rows_of(body)
    assert (None if found is None else list(found)) == rows


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        (GET_PURCHASE_ORDERS, {"payload": {"orders": []}}, True),
        (GET_PURCHASE_ORDERS, {"payload": {}}, False),
        (GET_ORDER_REPORTS, {"ordersReport": []}, True),
        (GET_ORDER_REPORTS, {}, False),
        (GET_PURCHASE_ORDER, {"payload": {"purchaseOrderNumber": "1"}}, True),
        (GET_PURCHASE_ORDER, {"payload": {}}, False),
        (GET_PURCHASE_ORDER, {"payload": [1]}, False),
        (GET_PURCHASE_ORDER, {}, False),
    ],
)
def test_a_body_has_what_was_asked_for_or_not(
    operation: Operation, body: dict[str, Any], *, expected: bool
) -> None:
    assert operation.has_rows(body) is expected


TOKENS = [("a", "a"), (7, "7"), (None, None), ("", None), (0, None)]


@pytest.mark.parametrize(("token", "expected"), TOKENS)
def test_the_page_token_within_an_envelope(token: object, expected: str | None) -> None:
    body = {"payload": {"orders": [], "pagination": {"nextToken": token}}}
    assert GET_PURCHASE_ORDERS.page_token_of(body) == expected


@pytest.mark.parametrize("pagination", [{}, {"pagination": {}}, {"pagination": None}])
def test_no_page_token_within_an_envelope(pagination: dict[str, Any]) -> None:
    assert GET_PURCHASE_ORDERS.page_token_of({"payload": {"orders": [], **pagination}}) is None


@pytest.mark.parametrize(("token", "expected"), TOKENS)
def test_the_page_token_at_the_top(token: object, expected: str | None) -> None:
    body = {"ordersReport": [], "nextPageToken": token}
    assert GET_ORDER_REPORTS.page_token_of(body) == expected


def test_no_page_token_at_the_top() -> None:
    assert GET_ORDER_REPORTS.page_token_of({"ordersReport": []}) is None


# ---- requests ------------------------------------------------------------------------------------


def test_the_first_page_has_the_parameters_only() -> None:
    request = Request(GET_PURCHASE_ORDERS, {"limit": "100"})
    assert (request.path, request.query) == (
        "/vendor/orders/v1/purchaseOrders",
        {"limit": "100"},
    )


@pytest.mark.parametrize(
    ("operation", "name"),
    [(GET_PURCHASE_ORDERS, "nextToken"), (GET_ORDER_REPORTS, "nextPageToken")],
)
def test_the_next_page_has_the_same_parameters_and_the_token(
    operation: Operation, name: str
) -> None:
    request = Request(operation, {"limit": "100"}).page("a")
    assert request.query == {"limit": "100", name: "a"}


def test_the_page_after_the_next_has_only_its_own_token() -> None:
    request = Request(GET_PURCHASE_ORDERS, {"limit": "100"}).page("a").page("b")
    assert request.query == {"limit": "100", "nextToken": "b"}


def test_a_list_that_starts_over_has_no_token() -> None:
    request = Request(GET_PURCHASE_ORDERS, {"limit": "100"})
    assert request.page("a").page(None) == request


def test_the_segment_stands_in_the_path() -> None:
    request = Request(GET_PURCHASE_ORDER, segment="A%2F1")
    assert request.path == "/vendor/orders/v1/purchaseOrders/A%2F1"


def test_the_name_of_a_request_leaves_out_parameters_and_page_token() -> None:
    request = Request(GET_PURCHASE_ORDERS, {"limit": "100"}, "created in May").page("a-token")
    assert str(request) == "getPurchaseOrders (created in May)"


def test_the_name_of_a_request_shows_no_e_mail_address() -> None:
    request = Request(GET_PURCHASE_ORDER, subject="purchase order jane@example.com")
    assert str(request) == "getPurchaseOrder (purchase order (e-mail)"


# Looking for addresses in the whole of the text would take hours.
@pytest.mark.timeout(60)
def test_the_name_of_a_request_is_cut() -> None:
    assert len(str(Request(GET_PURCHASE_ORDER, subject="A" * 1_000_000))) < 300
