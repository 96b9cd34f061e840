"""The requests that Amazon's static sandbox answers: each operation's example, as data.

The sandbox compares all parameters and bodies with those of its examples, and refuses anything else
with 400.

Sources: `x-amzn-api-sandbox` in Amazon's models vendorOrders.json (v1), "Reporting API v2025-06-09"
and "Reconciliation API v2021-01-08"; for GetShipmentDetails `x-amazon-spds-sandbox-behaviors` in
vendorShipments.json (v1), the older mark of such examples.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from typing_extensions import override

from tap_amazon_business.api import operations
from tap_amazon_business.api.client import Api, Client
from tap_amazon_business.api.operations import Operation, Request
from tap_amazon_business.errors import RequestFailedError

REGION = "sandbox"
"""The name of the region in messages."""

_US = {"region": "US"}
_APRIL = {"orderStartDate": "2025-04-01T00:00:00Z", "orderEndDate": "2025-04-30T00:00:00Z"}
_ORDER = {"orderIds": "112-3456789-0123456"}
_LINES = [
    {"orderId": order, "orderLineItemId": line, "shipmentId": shipment}
    for order, line, shipment in (
        ("503-0807783-5846230", "6172301145805", "Dps13nXXc"),
        ("250-9059274-9386231", "6172160940605", "DZms0yvhc"),
    )
]

_request = partial(Request, subject=REGION)

_NONE = "{} (sandbox) was skipped: Amazon's models contain no example of it."

EXAMPLES: Mapping[str, Request] = {
    request.operation.name: request
    for request in (
        _request(
            operations.GET_PURCHASE_ORDERS,
            {"changedAfter": "2020-05-25T13:00:00", "changedBefore": "2020-05-27T13:00:00"},
        ),
        _request(operations.GET_PURCHASE_ORDER, segment="4Z32PABC"),
        _request(
            operations.GET_PURCHASE_ORDERS_STATUS,
            {
                "createdAfter": "2020-08-17T14:00:00",
                "createdBefore": "2020-08-18T00:00:00",
                "limit": "1",
            },
        ),
        _request(operations.GET_SHIPMENT_DETAILS, {"vendorShipmentIdentifier": "12345678"}),
        _request(
            operations.GET_ORDER_REPORTS,
            {
                "orderStartDate": "2025-01-15T10:30:00Z",
                "orderEndDate": "2025-02-15T10:30:00Z",
                "orderStatuses": "CLOSED",
                **_US,
            },
        ),
        _request(
            operations.GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER,
            _US,
            segment="PO-12345",
        ),
        _request(operations.GET_ORDER_LINE_ITEM_REPORTS, {**_APRIL, **_ORDER, **_US}),
        _request(
            operations.GET_SHIPMENT_REPORTS,
            {**_APRIL, **_ORDER, **_US, "shipmentStatuses": "SHIPPED"},
        ),
        _request(operations.GET_SHIPMENT_LINE_ITEM_REPORTS, {**_APRIL, **_ORDER, **_US}),
        _request(
            operations.GET_TRANSACTIONS,
            {"feedStartDate": "2020-07-09T00:00:00Z", "feedEndDate": "2020-08-01T00:00:00Z"},
        ),
        _request(operations.GET_INVOICE_DETAILS, body={"orderLineItems": _LINES}),
        _request(
            operations.GET_INVOICE_PAYMENT_DETAILS,
            body={"invoiceIds": ["JP218PV8HMOI", "1XQX-T4VG-9939"]},
        ),
    )
}


def example(operation: Operation) -> Request:
    """Return the request of an operation that the sandbox answers.

    Raises:
        RequestFailedError: None is known.
    """
    if operation.name not in EXAMPLES:
        raise RequestFailedError(_NONE.format(operation.name))
    return EXAMPLES[operation.name]


class SandboxClient(Client):
    """A client in place of the client: it sends each operation's example, once."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self._lock = threading.Lock()
        self._bodies: dict[str, dict[str, Any]] = {}

    @override
    def get_once(self, request: Request) -> dict[str, Any]:
        return super().get_once(example(request.operation))

    @override
    def get(self, request: Request) -> dict[str, Any]:
        # Whatever is asked for is answered by the example: only one request may have its rows.
        operation = request.operation
        none: dict[str, Any] = {operation.rows: []}
        empty = {operation.envelope: none} if operation.envelope else none
        with self._lock:
            if operation.name in self._bodies:
                return empty if operation.is_list else self._bodies[operation.name]
            body = empty
            if operation.name in EXAMPLES:
                body = super().get(EXAMPLES[operation.name])
            else:
                self._logger.warning(_NONE.format(operation.name))
            self._bodies[operation.name] = body
            return body
