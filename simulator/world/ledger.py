"""The invoices of each order line, and their payments."""

from collections.abc import Iterator
from typing import Any, Protocol

from simulator.encoding import Row, decode
from simulator.world.catalogue import Catalogue
from simulator.world.derived import Derived
from simulator.world.fulfilment import line_count, shipment_count
from simulator.world.invoices import PENDING, InvoiceWriter, consolidated_number, order_of
from simulator.world.quirks import RowQuirks
from simulator.world.reports import Report
from simulator.world.transactions import Transaction, invoice_number, transactions_of

Line = tuple[str, str, str]
"""orderId, orderLineItemId, shipmentId."""


class Orders(Protocol):
    """The place of the orders."""

    transactions: Derived[Report, Transaction]

    def report_of(self, order_id: str) -> Report | None:
        """Return an order by its id."""


class Ledger:
    """Finds invoices and payments.

    Args:
        orders: A list of the orders.
        catalogue: What rows are put together from.
        quirks: How often rows are odd.

    Attributes:
        closed: Whether what was late has come.
    """

    def __init__(self, orders: Orders, catalogue: Catalogue, quirks: RowQuirks) -> None:
        self.closed = False
        self._orders = orders
        self._writer = InvoiceWriter(catalogue, quirks)

    def invoices(self, line: Line) -> list[bytes] | None:
        """Return the InvoiceDetails of an order's line, None if there is no such line."""
        order_id, line_id, shipment_id = line
        report = self._orders.report_of(order_id)
        place = _place(line_id, order_id)
        if report is None or place is None or not 0 <= place < line_count(report):
            return None
        if shipment_id not in {f"{order_id}-S{shipment + 1}" for shipment in _invoiced(report)}:
            return None
        details = (
            self._writer.detail(transaction, place, closed=self.closed)
            for transaction in transactions_of(report)
            if _has(transaction, place, shipment_id)
        )
        return [detail for detail in details if detail is not None]

    def payment(self, invoice_id: str) -> bytes | None:
        """Return the paymentDetails of an invoice, None if they are not found."""
        report = self._orders.report_of(order_of(invoice_id))
        if report is None:
            return None
        transactions = list(transactions_of(report))
        known = [one for one in transactions if invoice_number(one) == invoice_id]
        if invoice_id == consolidated_number(report):
            known = transactions
        if not known:
            return None
        fed = min(one.fed for one in known)
        return self._writer.payment(invoice_id, report.seed, fed, report.born, closed=self.closed)

    def all_invoices(self) -> Iterator[tuple[tuple[str, ...], Row]]:
        """Yield each row of the stream `invoices` with its key."""
        for line in self._lines():
            for detail in self.invoices(line) or ():
                row = {
                    **dict(zip(("orderId", "orderLineItemId", "shipmentId"), line, strict=True)),
                    **decode(detail),
                }
                yield (*line, row["invoiceNumber"]), row

    def all_payments(self) -> Iterator[tuple[tuple[str, ...], Row]]:
        """Yield each row of the stream `invoice_payments` with its key."""
        numbers = {row.get("invoiceNumber") for row in self._transactions()}
        for _, invoice in self.all_invoices():
            numbers.add(invoice["invoiceNumber"])
            numbers.add((invoice.get("consolidatedInvoiceDetails") or {}).get("invoiceNumber"))
        for number in sorted({str(number) for number in numbers if number} - {PENDING}):
            if payment := self.payment(number):
                result: Row = {
                    "invoiceId": number,
                    "resultType": "SUCCESS",
                    "paymentDetails": decode(payment),
                }
                yield (number,), result

    def _lines(self) -> list[Line]:
        """Return the order lines that transactions name."""
        lines: set[Line] = {
            (str(item["orderId"]), item["orderLineItemId"], item["shipmentId"])
            for row in self._transactions()
            for item in row["transactionLineItems"]
            if item["shipmentId"]
        }
        return sorted(lines)

    def _transactions(self) -> Iterator[dict[str, Any]]:
        table, rows = self._orders.transactions.table, self._orders.transactions.rows
        return (decode(rows[place]) for place in range(len(table)))


def _invoiced(report: Report) -> range:
    """Return the shipments that may have invoices: the first alone, or all if it is plausible."""
    return range(shipment_count(report) if report.plausible else 1)


def _has(transaction: Transaction, line: int, shipment_id: str) -> bool:
    charge = transaction.charge
    return charge is None or (
        shipment_id.endswith(f"-S{charge.shipment + 1}")
        and line in {place for place, *_ in charge.lines}
    )


def _place(line_id: str, order_id: str) -> int | None:
    number = line_id.removeprefix(f"{order_id}-L")
    return int(number) - 1 if number.isascii() and number.isdigit() else None
