"""Every operation of Amazon's that the tap uses, as data.

Sources: the models vendorOrders.json and vendorShipments.json (v1) of the Selling Partner API;
"Reporting API v2025-06-09" and "Reconciliation API v2021-01-08" of the Amazon Business API; the
guides "Usage plans and rate limits" of both. A new stream begins with an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, partial
from typing import Any

from typing_extensions import override

from tap_amazon_business.records.decoding import PageDecoder, Rows
from tap_amazon_business.redaction import redact

_LONGEST_SUBJECT = 250


@dataclass(frozen=True)
class UsagePlan:
    """Usage plan of an operation: `rate` requests a second, `burst` of them without a pause.

    `fixed` marks a plan from the settings: Amazon's announcements may lower it, never raise it. So
    an account can be shared with another program.
    """

    rate: float
    burst: int
    fixed: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        name: Amazon's name.
        path: The path; `{}` is replaced by a purchase order number.
        rows: The field of the rows.
        role: The role that an application needs.
        plan: The usage plan that Amazon publishes.
        token_parameter: The parameter that carries the page token.
        token_alone: Whether a page may have to be requested with its token as the only parameter.
        envelope: The object around rows and pagination; None if they stand at the top.
        page_size: How many rows a page contains at most.
        longest_range: The widest range of dates to ask for.
        reach: How far back the operation reads.
        method: The HTTP method. Those that are posted only read, too, and take a JSON body.
        is_list: Whether `rows` is a list, and not the one object that was asked for.
    """

    name: str
    path: str
    rows: str
    role: str
    plan: UsagePlan
    token_parameter: str = ""
    token_alone: bool = False
    envelope: str | None = None
    page_size: int = 100
    longest_range: timedelta = timedelta.max
    reach: timedelta = timedelta.max
    method: str = "GET"
    is_list: bool = True

    @cached_property
    def decode_page(self) -> PageDecoder:
        """The decoder of its pages."""
        paging = "pagination" if self.envelope else self.token_parameter
        return PageDecoder(
            envelope=self.envelope, rows=self.rows, paging=paging, token=self.token_parameter
        )

    def rows_of(self, body: Mapping[str, Any]) -> Rows | None:
        """Return the rows of a response body, None if it contains no list of rows."""
        if self.envelope is None:
            return _rows(body.get(self.rows))
        payload = body.get(self.envelope)
        if not isinstance(payload, dict) or not isinstance(payload.get("pagination") or {}, dict):
            return None
        return _rows(payload.get(self.rows))

    def has_rows(self, body: Mapping[str, Any]) -> bool:
        """Return whether a response body contains what was requested; a list may be empty."""
        if self.is_list:
            return self.rows_of(body) is not None
        row = body.get(self.rows)
        return isinstance(row, dict) and bool(row)

    def page_token_of(self, body: Mapping[str, Any]) -> str | None:
        """Return the token of the next page, None on the last: absent, null and "" all end it."""
        parts = [body[self.envelope], body] if self.envelope else [body]
        # Amazon's models have the pagination beside the rows; it may lie beside the payload.
        holders = [holder for part in parts for holder in (part.get("pagination"), part)]
        tokens = (h.get(self.token_parameter) for h in holders if isinstance(h, dict))
        return next((str(token) for token in tokens if token), None)


@dataclass(frozen=True)
class Request:
    """One request of an operation.

    Attributes:
        operation: The operation.
        params: Query parameters, not encoded.
        subject: What is asked for; it names the request in messages.
        segment: What replaces `{}` in the operation's path, completely encoded.
        page_token: The token of the page, None on the first.
        token_alone: Whether the page token goes without the other parameters.
        body: What is posted, as JSON; None where nothing is.
    """

    operation: Operation
    params: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""
    segment: str = ""
    page_token: str | None = None
    token_alone: bool = False
    body: Mapping[str, Any] | None = None

    @property
    def path(self) -> str:
        """The path, completely encoded."""
        return self.operation.path.format(self.segment)

    @property
    def query(self) -> dict[str, str]:
        """All query parameters. A page token goes with the parameters of the first page."""
        if self.page_token is None:
            return dict(self.params)
        token = {self.operation.token_parameter: self.page_token}
        return token if self.token_alone else {**self.params, **token}

    def page(self, token: str | None, *, alone: bool = False) -> Request:
        """Return the request for another page of the same list."""
        return replace(self, page_token=token, token_alone=alone)

    @override
    def __str__(self) -> str:
        # Buyers type purchase order numbers as they like, e-mail addresses too.
        return redact(f"{self.operation.name} ({self.subject[:_LONGEST_SUBJECT]})")


def _rows(value: object) -> Rows | None:
    if isinstance(value, list):
        return Rows.of(value)
    return value if isinstance(value, Rows) else None


# Ranges of more than seven days are refused, on some accounts also those of exactly seven, and a
# window's overlap with the one before comes on top. Six months can be read, which may be 180 days
# sharp; a day less, as the last page of the oldest window is requested later than its first.
_vendor = partial(
    Operation,
    role="'Amazon Fulfillment' or 'Inventory and Order Tracking'",
    plan=UsagePlan(rate=10, burst=10),
    token_parameter="nextToken",  # noqa: S106 (a parameter's name)
    envelope="payload",
    longest_range=timedelta(days=7) - timedelta(minutes=1),
    reach=timedelta(days=179),
)

# Two years can be read; a day less, as the last page of the oldest window is requested later than
# its first.
_business = partial(
    Operation,
    token_parameter="nextPageToken",  # noqa: S106 (a parameter's name)
    reach=timedelta(days=729),
)
# Ranges may be 366 days long, and a window's overlap with the one before comes on top.
_reports = partial(
    _business,
    role="'Amazon Business Analytics'",
    plan=UsagePlan(rate=0.5, burst=10),
    longest_range=timedelta(days=365),
)
_reconciliation = partial(
    _business,
    role="'Business Purchase Reconciliation'",
    plan=UsagePlan(rate=2, burst=10),
)

_ORDERS = "/vendor/orders/v1"
_REPORTS = "/reports/2025-06-09"
_RECONCILIATION = "/reconciliation/2021-01-08"

GET_PURCHASE_ORDERS = _vendor("getPurchaseOrders", _ORDERS + "/purchaseOrders", "orders")
GET_PURCHASE_ORDER = _vendor(
    "getPurchaseOrder", _ORDERS + "/purchaseOrders/{}", "payload", envelope=None, is_list=False
)
GET_PURCHASE_ORDERS_STATUS = _vendor(
    "getPurchaseOrdersStatus", _ORDERS + "/purchaseOrdersStatus", "ordersStatus"
)
GET_SHIPMENT_DETAILS = _vendor(
    "GetShipmentDetails",
    "/vendor/shipping/v1/shipments",
    "shipments",
    role="'Amazon Fulfillment'",
    page_size=50,
)
GET_ORDER_REPORTS = _reports("getOrderReports", _REPORTS + "/orderReports", "ordersReport")
GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER = _reports(
    "getOrderReportsByPurchaseOrderNumber",
    _REPORTS + "/purchaseOrders/{}/orderReports",
    "ordersReport",
)
GET_ORDER_LINE_ITEM_REPORTS = _reports(
    "getOrderLineItemReports", _REPORTS + "/orderLineItemReports", "orderLineItemsReport"
)
GET_SHIPMENT_REPORTS = _reports(
    "getShipmentReports", _REPORTS + "/shipmentReports", "shipmentsReport"
)
GET_SHIPMENT_LINE_ITEM_REPORTS = _reports(
    "getShipmentLineItemReports", _REPORTS + "/shipmentLineItemReports", "shipmentLineItemsReport"
)
GET_TRANSACTIONS = _reconciliation(
    "getTransactions",
    _RECONCILIATION + "/transactions",
    "transactions",
    # Amazon's model wants the token alone, and yet requires both dates.
    token_alone=True,
)
# Without pages: a request asks for 25 things at most, and its rows come in any order.
_invoices = partial(_reconciliation, token_parameter="", page_size=25, method="POST")
GET_INVOICE_DETAILS = _invoices(
    "getInvoiceDetailsByOrderLineItems",
    _RECONCILIATION + "/invoices",
    "invoiceDetailsByOrderLineItems",
)
GET_INVOICE_PAYMENT_DETAILS = _invoices(
    "getBatchInvoicePaymentDetails",
    _RECONCILIATION + "/invoices/batch/paymentDetails",
    "invoicePaymentDetailsResults",
)

OPERATIONS: Mapping[str, Operation] = {
    value.name: value for value in [*globals().values()] if isinstance(value, Operation)
}
