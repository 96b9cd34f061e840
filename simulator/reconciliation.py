"""The Amazon Business API's operations on invoices: POST requests that only read."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import msgspec

from simulator.encoding import encode
from simulator.errors import ApiError, invalid_request_parameter, not_found
from simulator.limits import Plan
from simulator.lwa import BUSINESS
from simulator.operations import Answer, Operation, Request
from simulator.options import Options
from simulator.world import World

PLAN = Plan(rate=2, burst=10)
MOST_ITEMS = 25
LONGEST_INVOICE_ID = 255
LONGEST_BODY = 64 * 1024
"""Bytes that getBatchInvoicePaymentDetails takes."""

_JSON = "application/json"
_LINE = ("orderId", "orderLineItemId", "shipmentId")


class ReconciliationApi:
    """Answers for order lines and invoices, in any order."""

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._options = options

    def operations(self) -> list[Operation]:
        """Return all operations."""
        return [
            _operation(
                "getInvoiceDetailsByOrderLineItems",
                "/reconciliation/2021-01-08/invoices",
                self.get_invoice_details,
            ),
            _operation(
                "getBatchInvoicePaymentDetails",
                "/reconciliation/2021-01-08/invoices/batch/paymentDetails",
                self.get_payment_details,
            ),
        ]

    def get_invoice_details(self, request: Request) -> Answer:
        """Answer with `{"invoiceDetailsByOrderLineItems": [...]}`; unknown lines have no row."""
        if request.content_type != _JSON:
            raise invalid_request_parameter("Content-Type")
        lines = _list(request, "orderLineItems")
        for line in lines:
            if not isinstance(line, dict) or not all(_is_id(line.get(name)) for name in _LINE):
                raise invalid_request_parameter("orderLineItems")
            self._refuse(line["orderLineItemId"])
        rng = Random(request.body)
        rows = []
        for line in rng.sample(lines, len(lines)):
            details = self._world.ledger.invoices((line[_LINE[0]], line[_LINE[1]], line[_LINE[2]]))
            if details is None:
                continue
            row: dict[str, Any] = {"orderLineItem": {name: line[name] for name in _LINE}}
            if details or rng.random() < 0.7:
                row["invoiceDetails"] = [msgspec.Raw(detail) for detail in details]
            elif rng.random() < 0.5:
                row["invoiceDetails"] = None
            rows.append(row)
        return Answer(encode({"invoiceDetailsByOrderLineItems": rows}), len(rows))

    def get_payment_details(self, request: Request) -> Answer:
        """Answer with `{"invoicePaymentDetailsResults": [...]}`; unknown invoices are errors."""
        if request.content_type != _JSON:
            raise ApiError(415, "UnsupportedMediaFormat", "The media type is not supported.")
        if len(request.body) > LONGEST_BODY:
            raise ApiError(413, "RequestTooLarge", "The request is too large.")
        ids = _list(request, "invoiceIds")
        for invoice_id in ids:
            if not _is_id(invoice_id) or len(invoice_id) > LONGEST_INVOICE_ID:
                raise invalid_request_parameter("invoiceIds")
            self._refuse(invoice_id)
        rows = [self._result(one) for one in Random(request.body).sample(ids, len(ids))]
        return Answer(encode({"invoicePaymentDetailsResults": rows}), len(rows))

    def _result(self, invoice_id: str) -> Mapping[str, Any]:
        payment = self._world.ledger.payment(invoice_id)
        if payment is None:
            error = {"code": "InvoiceNotFound", "message": "The invoice was not found."}
            return {"invoiceId": invoice_id, "resultType": "ERROR", "error": error}
        details = msgspec.Raw(payment)
        return {"invoiceId": invoice_id, "resultType": "SUCCESS", "paymentDetails": details}

    def _refuse(self, item: str) -> None:
        status = self._options.refused_items.get(item)
        if status is not None:
            raise not_found() if status == 404 else invalid_request_parameter()


def _operation(name: str, path: str, answer: Callable[[Request], Answer]) -> Operation:
    return Operation(
        name, path, BUSINESS, PLAN, frozenset(), answer, invalid_request_parameter, "POST"
    )


def _list(request: Request, name: str) -> Sequence[Any]:
    """Return the list in a request's body."""
    try:
        body = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid_request_parameter("the body") from None
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_ITEMS:
        raise invalid_request_parameter(name)
    return found


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(value)
