"""Invoices and their payments, asked for by what transactions name.

Source: Amazon's "Reconciliation API v2021-01-08". Nothing lists them, and none has a date of
change. What is not complete yet (no details, a number that is pending, a payment that is not
closed) is asked for again when the lookback reads its transaction again.
"""

from __future__ import annotations

import abc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar, cast

from singer_sdk.helpers.types import Record
from typing_extensions import override

from tap_amazon_business.api import operations
from tap_amazon_business.api.operations import Operation, Request
from tap_amazon_business.api.sandbox import example
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.streams.base import AmazonStream, Row
from tap_amazon_business.streams.business import TransactionsStream
from tap_amazon_business.streams.children import ChildStream
from tap_amazon_business.streams.queries import Probe
from tap_amazon_business.streams.schemas import business as schemas
from tap_amazon_business.sync.seen import Seen

T = TypeVar("T")

_ORDER_LINE = ("orderId", "orderLineItemId", "shipmentId")

# The numbers of invoices that have none yet.
_NO_NUMBER = frozenset({"", "Pending"})

_LONGEST_INVOICE_ID = 255

# One thing that Amazon does not accept makes it refuse the whole batch.
_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})

# The rows of a batch, and the refusals of what has none.
_Answer = tuple[list[Any], list[RequestFailedError]]


class LookupStream(ChildStream, abc.ABC):
    """A stream that asks for what transactions name: each thing once a sync."""

    operation: ClassVar[Operation]
    parent_stream_type = TransactionsStream
    selected_by_default = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self._asked = Seen()

    @abc.abstractmethod
    def wanted(self, transactions: Sequence[Row]) -> Iterable[Any]:
        """Yield what a page of transactions names, in any order, repeated or not."""

    @abc.abstractmethod
    def request(self, batch: Sequence[Any]) -> Request:
        """Return the request for a batch."""

    @override
    def probes(self) -> list[Probe]:
        # What there is to ask for is unknown here; that something is not found is an answer, too.
        return [Probe(example(self.operation), not_found="")]

    @abc.abstractmethod
    def records_from(self, rows: Iterable[Any]) -> Iterator[Record]:
        """Yield the records of rows, as far as they are complete."""

    @override
    def wants(self, bucket: datetime | None, *, changed: bool) -> bool:
        # Whether the transaction changed or not: what it names may have. Recent ones are new still.
        return True

    @override
    def records_of(self, parents: Sequence[Row]) -> Iterator[Record]:
        wanted = [one for one in self.wanted(parents) if self._asked.add(one)]
        yield from self.records_from(rows_in_batches(self, self.operation, wanted, self.request))


class InvoicesStream(LookupStream):
    """The invoices of the order lines that transactions name."""

    name = "invoices"
    operation = operations.GET_INVOICE_DETAILS
    primary_keys = (*_ORDER_LINE, "invoiceNumber")
    schema: ClassVar = schemas.INVOICES

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self.numbers: list[str] = []

    @override
    def wanted(self, transactions: Sequence[Row]) -> Iterable[Any]:
        for transaction in transactions:
            lines = transaction.get("transactionLineItems")
            for line in lines if isinstance(lines, list) else ():
                # What is not shipped has no invoice, and a request needs all three.
                if isinstance(line, dict) and all(line.get(name) for name in _ORDER_LINE):
                    yield tuple(str(line[name]) for name in _ORDER_LINE)

    @override
    def request(self, batch: Sequence[Any]) -> Request:
        lines = [dict(zip(_ORDER_LINE, line, strict=True)) for line in batch]
        subject = f"{len(batch)} order lines from {batch[0][1]} of order {batch[0][0]}"
        return Request(self.operation, subject=subject, body={"orderLineItems": lines})

    @override
    def records_from(self, rows: Iterable[Any]) -> Iterator[Record]:
        self.numbers.clear()
        for row in rows:
            for invoice in self.records_once(_invoices(row)):
                consolidated = invoice.get("consolidatedInvoiceDetails") or {}
                self.numbers += filter(
                    None, (invoice["invoiceNumber"], consolidated.get("invoiceNumber"))
                )
                if invoice["invoiceNumber"] not in _NO_NUMBER:
                    yield invoice


class InvoicePaymentsStream(LookupStream):
    """When invoices are due, and whether they are paid.

    Asked for are the invoices that transactions name, and those that `invoices` finds.
    """

    name = "invoice_payments"
    operation = operations.GET_INVOICE_PAYMENT_DETAILS
    primary_keys = ("invoiceId",)
    follows_siblings = True
    schema: ClassVar = schemas.INVOICE_PAYMENTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self._failed: Counter[str] = Counter()

    @override
    def wanted(self, transactions: Sequence[Row]) -> Iterable[Any]:
        invoices = cast("InvoicesStream", self._tap.streams[InvoicesStream.name])
        for number in (*(one.get("invoiceNumber") for one in transactions), *invoices.numbers):
            if isinstance(number, str | int):
                text = str(number)
                if text not in _NO_NUMBER and len(text) <= _LONGEST_INVOICE_ID:
                    yield text

    @override
    def request(self, batch: Sequence[Any]) -> Request:
        subject = f"{len(batch)} invoices from {batch[0]}"
        return Request(self.operation, subject=subject, body={"invoiceIds": list(batch)})

    @override
    def remaining(self) -> Iterator[Record]:
        for code, count in self._failed.items():
            self.warn(
                "invoices without payment details: %d (%s); later syncs retry them", count, code
            )
        return iter(())

    @override
    def records_from(self, rows: Iterable[Any]) -> Iterator[Record]:
        for row in self.valid_rows(rows):
            if isinstance(row.get("paymentDetails"), dict):
                yield self.record(row)
            else:
                # A record without details would take the place of one that has them.
                self._failed[_code(row)] += 1


def rows_in_batches(
    stream: AmazonStream,
    operation: Operation,
    wanted: Sequence[T],
    request: Callable[[Sequence[T]], Request],
) -> Iterator[Any]:
    """Yield the rows of all batches, in any order.

    A batch that is refused is halved until the thing at fault is alone: a warning names it, and
    the rest continues.

    Raises:
        RequestFailedError: A request failed, or everything in a full batch was refused.
    """
    most = operation.page_size
    batches = [wanted[start : start + most] for start in range(0, len(wanted), most)]

    def read(batch: Sequence[T]) -> _Answer:
        try:
            return [row for page in stream.client.pages(request(batch)) for row in page], []
        except RequestFailedError as error:
            if error.status not in _REFUSALS:
                raise
            if len(batch) == 1:
                return [], [error]
        middle = len(batch) // 2
        (first, refused), (second, also) = read(batch[:middle]), read(batch[middle:])
        return first + second, refused + also

    with stream.budget.read(batches, read) as prefetch:
        for _, (rows, refused) in prefetch:
            if len(refused) == most:
                raise refused[0]  # it is not what was asked for
            for error in refused:
                stream.warn("%s Skipped; a later sync retries it.", error.message)
            yield from rows


def _invoices(row: object) -> Iterator[object]:
    """Yield the invoices of an order line's row, each with the line; none without details."""
    if not isinstance(row, dict):
        yield row
        return
    line, details = row.get("orderLineItem"), row.get("invoiceDetails")
    named = line if isinstance(line, dict) else {}
    for detail in details if isinstance(details, list) else ():
        yield {**named, **detail} if isinstance(detail, dict) else detail


def _code(row: Mapping[str, Any]) -> str:
    error = row.get("error")
    return str((error if isinstance(error, dict) else {}).get("code") or row.get("resultType"))


INVOICE_STREAMS: tuple[type[AmazonStream], ...] = (InvoicesStream, InvoicePaymentsStream)
