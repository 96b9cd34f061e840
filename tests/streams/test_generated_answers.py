"""Answers made at random from the field lists of the simulator: every record is valid, none lost.

All optional fields are there or not, lists hold any number of rows, and in odd answers there are
fields that no model has, and scalars of another type.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from jsonschema import Draft7Validator

from simulator.faults import body_of
from simulator.models import fields
from tap_amazon_business.records.shaping import DECIMAL_FORMAT
from tests.support.catalogs import select
from tests.support.runs import run_by
from tests.support.serving import STREAMS, serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator import Fault, Request
    from simulator.faults import Serve
    from tests.support.clocks import FakeClock
    from tests.support.runs import Run

Row = dict[str, Any]

ROWS = {
    "getPurchaseOrders": ("orders", "purchase_orders"),
    "getPurchaseOrder": ("payload", "purchase_orders"),
    "getPurchaseOrdersStatus": ("ordersStatus", "purchase_order_statuses"),
    "GetShipmentDetails": ("shipments", "vendor_shipments"),
    "getOrderReports": ("ordersReport", "orders"),
    "getOrderReportsByPurchaseOrderNumber": ("ordersReport", "order_reports"),
    "getOrderLineItemReports": ("orderLineItemsReport", "order_line_items"),
    "getShipmentReports": ("shipmentsReport", "shipments"),
    "getShipmentLineItemReports": ("shipmentLineItemsReport", "shipment_line_items"),
    "getTransactions": ("transactions", "transactions"),
    "getInvoiceDetailsByOrderLineItems": ("invoiceDetailsByOrderLineItems", "invoices"),
    "getBatchInvoicePaymentDetails": ("invoicePaymentDetailsResults", "invoice_payments"),
}
ORDER_LINE = ("orderId", "orderLineItemId", "shipmentId")
# Without these, a row is no row: its key, and what it is listed by.
ALWAYS = {
    *("purchaseOrderNumber", "itemSequenceNumber", "vendorShipmentIdentifier", "transactionId"),
    *("orderDetails", "orderMetadata", "shipmentMetadata", "paymentDetails", "invoiceId"),
    *("invoiceNumber", *ORDER_LINE),
}
MOST_ROWS = 4


class Generator:
    """Makes rows at random, the same ones of the same seed.

    Args:
        seed: The seed.
        odd: The share of odd fields.
        formats: By format, the names of fields that the tap reads in that format.

    Attributes:
        extras: The values of fields that no model has.
    """

    def __init__(self, seed: str, odd: float, formats: dict[str, set[str]]) -> None:
        self.extras: list[str] = []
        self._random = random.Random(seed)
        self._odd = odd
        self._formats = formats

    def row(self, shape: Row) -> Row:
        row: Row = {
            name: self._value(name, inner)
            for name, inner in shape.items()
            if name in ALWAYS or self._random.random() < 0.7
        }
        if self._random.random() < self._odd:
            self.extras.append(self._text())
            row["x" + self._text()] = self.extras[-1]
        return row

    def _value(self, name: str, shape: Any) -> Any:
        if isinstance(shape, dict):
            return self.row(shape)
        if isinstance(shape, list):
            return [self._value(name, shape[0]) for _ in range(self._random.randrange(4))]
        if name not in ALWAYS and self._random.random() < self._odd:
            return self._random.choice([None, True, 7, "", self._text()])
        if name in self._formats["date-time"]:
            return f"2026-05-{self._random.randint(10, 30)}T{self._random.randrange(24):02}:00:00Z"
        number = self._random.randint(-999_999, 999_999)
        return {
            "string": f"{number / 100:.2f}" if name in self._formats["decimal"] else self._text(),
            "integer": number,
            "number": number / 100,
            "boolean": number > 0,
            "map": {self._text(): self._text()},
        }[shape]

    def rows(self, shape: Row) -> list[Row]:
        return [self.row(shape) for _ in range(self._random.randint(0, MOST_ROWS))]

    def _text(self) -> str:
        return "".join(self._random.choices("abcdefghijklmnopqrstuvwxyz", k=10))


class Generated:
    """Puts rows made at random in the place of those of each answer; refusals stay what they are.

    Args:
        seed: The seed.
        odd: The share of odd fields.

    Attributes:
        extras: The values of fields that no model has.
    """

    def __init__(self, seed: int, odd: float) -> None:
        self.extras: set[str] = set()
        self._seed = seed
        self._odd = odd
        self._fields = fields()
        self._formats: dict[str, set[str]] = {"date-time": set(), "decimal": set()}

    def learn(self, schemas: dict[str, Any]) -> None:
        """Record the formats that the tap's schemas have."""
        for name, part in leaves(schemas):
            kind = "decimal" if part.get("format") == DECIMAL_FORMAT else part.get("format")
            self._formats.setdefault(str(kind), set()).add(name)

    def decide(self, request: Request) -> Fault | None:
        return _Answer(self, request) if request.operation in ROWS else None

    def fill(self, request: Request, body: Row) -> Row:
        """Return a body with rows of its own."""
        listed, stream = ROWS[request.operation]
        seed = f"{self._seed} {request.operation} {request.argument} {request.parameters}"
        generator = Generator(f"{seed} {request.body!r}", self._odd, self._formats)
        shape = self._fields[stream]
        if request.operation == "getPurchaseOrder":
            body[listed] = generator.row(shape)
        elif request.operation == "getInvoiceDetailsByOrderLineItems":
            details = {name: part for name, part in shape.items() if name not in ORDER_LINE}
            lines = json.loads(request.body)["orderLineItems"]
            body[listed] = [
                {"orderLineItem": line, "invoiceDetails": generator.rows(details)} for line in lines
            ]
        else:
            body.get("payload", body)[listed] = generator.rows(shape)
        self.extras.update(generator.extras)
        return body


class _Answer:
    def __init__(self, policy: Generated, request: Request) -> None:
        self._policy = policy
        self._request = request

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        del request
        whole = await serve()
        if whole.status != 200:
            return whole
        body = self._policy.fill(self._request, json.loads(body_of(whole)))
        return web.Response(headers=whole.headers, body=json.dumps(body).encode())


def leaves(schema: Any) -> Iterator[tuple[str, Row]]:
    """Yield the fields of schemas, each with its name."""
    for name, part in schema.get("properties", {}).items():
        yield name, part
        yield name, part.get("items", {})
        yield from leaves(part)
        yield from leaves(part.get("items", {}))


def sync(clock: FakeClock, policy: Generated) -> Run:
    """Sync everything of a few weeks; assert that Amazon's rules hold for each request."""
    for stream in select(*STREAMS)["streams"]:
        policy.learn(stream["schema"])
    with serve(clock, orders=60, quirks=False, faults=[policy]) as serving:
        config = settings(serving, start_date="2026-05-10", order_reports_strategy="auto")
        run = run_by(clock, config, catalog=select(*STREAMS))
        stats = serving.stats()
    assert run.status == 0, run.log
    assert not stats.unknown_parameters
    assert not stats.malformed
    return run


def records(run: Run) -> Iterator[tuple[str, Row]]:
    for message in run.messages:
        if message["type"] == "RECORD":
            yield message["stream"], message["record"]


@pytest.mark.end_to_end
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("odd", [0, 0.05], ids=["as modelled", "odd"])
def test_records_of_generated_answers_are_valid_and_complete(
    clock: FakeClock, seed: int, odd: float
) -> None:
    policy = Generated(seed, odd)
    run = sync(clock, policy)
    validators = {
        message["stream"]: Draft7Validator(message["schema"])
        for message in run.messages
        if message["type"] == "SCHEMA"
    }
    written = set()
    for stream, record in records(run):
        written.add(stream)
        error = next(validators[stream].iter_errors(record), None)
        assert error is None, f"{stream}: {error}"
        if not odd:
            assert record["rescuedData"] is None, stream
    assert written == {*STREAMS}
    assert bool(policy.extras) == bool(odd)
    lost = [value for value in policy.extras if value not in run.output]
    assert lost == []
