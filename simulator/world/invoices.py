"""Invoices and their payments (Amazon Business Reconciliation API, v2021-01-08)."""

from random import Random
from typing import Any

from simulator.encoding import encode
from simulator.times import DAY, Millis, to_text
from simulator.world.catalogue import Catalogue, amount
from simulator.world.quirks import RowQuirks
from simulator.world.reports import Report, currency
from simulator.world.transactions import Transaction, invoice_number

PENDING = "Pending"
"""Stands in the place of a consolidated invoice's number until its document is ready."""

CLOSED = "Closed"
UNKNOWN_STATUS = "In Dispute"
FRESH: Millis = 25 * DAY
"""Only what was fed to the reconciliation within this time is not complete yet."""

_CONSOLIDATED = "CON-"


def consolidated_number(report: Report) -> str | None:
    """Return the number of an order's consolidated invoice; most orders have none."""
    return f"{_CONSOLIDATED}{report.order_id}" if report.seed % 5 < 2 else None


def order_of(invoice_id: str) -> str:
    """Return the order that an invoice or a consolidated invoice belongs to."""
    kind, _, rest = invoice_id.partition("-")
    return rest if kind + "-" == _CONSOLIDATED else rest.rpartition("-T")[0]


class InvoiceWriter:
    """Writes invoices and payments as JSON.

    What is late stays so until the books are closed: invoices without details, consolidated
    invoices without a number, payments that are not found, or not closed.
    """

    def __init__(self, catalogue: Catalogue, quirks: RowQuirks) -> None:
        self._catalogue = catalogue
        self._quirks = quirks

    def detail(self, transaction: Transaction, line: int, *, closed: bool) -> bytes | None:
        """Return an InvoiceDetail of an order's line, None if there is none yet.

        Args:
            transaction: What was invoiced.
            line: The line's place in its order.
            closed: Whether the books are closed.
        """
        if not closed and self._is_late(transaction, 1):
            return None
        rng = Random(transaction.seed + 10)
        row: dict[str, Any] = {
            "invoiceNumber": invoice_number(transaction),
            "invoiceDate": to_text(transaction.fed),
            "invoiceType": rng.choice(("STANDARD", "STANDARD", "CREDIT_MEMO")),
        }
        if consolidated := consolidated_number(transaction.report):
            pending = not closed and self._is_late(transaction, 2)
            row["consolidatedInvoiceDetails"] = {
                "invoiceNumber": PENDING if pending else consolidated
            }
        if transaction.report.region == "JP":
            row |= self._japanese(transaction, line, rng)
        if rng.random() < self._quirks.null_object:
            del row[rng.choice(("invoiceDate", "invoiceType"))]
        if rng.random() < self._quirks.unknown_field:
            row["undocumentedField"] = 1
        return encode(row)

    def payment(
        self, invoice_id: str, seed: int, fed: Millis, born: Millis, *, closed: bool
    ) -> bytes | None:
        """Return the paymentDetails of an invoice, None if they are not found yet.

        Args:
            invoice_id: The invoice.
            seed: Everything follows from this.
            fed: When its first transaction was fed to the reconciliation.
            born: When that came into the world.
            closed: Whether the books are closed.
        """
        rng = Random(f"{seed} {invoice_id}")
        fresh = fed > born - FRESH
        not_found, late = (rng.random() < self._quirks.late_invoice for _ in range(2))
        due = fed + 30 * DAY
        if abs(due - born) < 2 * DAY:
            due += 5 * DAY  # nothing becomes due while a test runs
        statuses = (CLOSED, "Past Due", "Issued") if due < born else ("Issued", CLOSED)
        status = rng.choice((*statuses, "Payment Processing"))
        if not self._quirks.random:
            overdue = due < born and rng.random() < 0.02
            status = "Past Due" if overdue else statuses[0]
        if rng.random() < self._quirks.unknown_value:
            status = UNKNOWN_STATUS
        if fresh and not closed and not_found:
            return None
        if fresh and closed and late:
            status = CLOSED
        return encode({"status": status, "dueDate": to_text(due)})

    def _is_late(self, transaction: Transaction, kind: int) -> bool:
        fresh = transaction.fed > transaction.report.born - FRESH
        return fresh and Random(transaction.seed + kind).random() < self._quirks.late_invoice

    def _japanese(self, transaction: Transaction, line: int, rng: Random) -> dict[str, Any]:
        """Return the fields that invoices have in Japan only."""
        code = currency(transaction.report.region)

        def money() -> dict[str, str]:
            return {"currencyCode": code, "amount": str(amount(rng, self._quirks.odd_amount))}

        def tax() -> dict[str, Any]:
            return {
                "rate": "0.10",
                "inclusiveTotal": money(),
                "exclusiveTotal": money(),
                "amount": money(),
            }

        line_id = f"{transaction.report.order_id}-L{line + 1}"
        return {
            "associatedInvoiceNumber": None,
            "associatedInvoiceDate": to_text(transaction.report.ordered),
            "invoiceIssuer": {"name": "合同会社", "registrationNumber": "T3040001028447"},
            "billToAddress": {
                "addressType": "DEFAULT",
                "fullName": rng.choice(self._catalogue.people)["name"],
                "phoneNumber": "0312345678",
                "companyName": "株式会社",
                "addressLine1": "目黒 1-8-1",
                "addressLine2": "Floor 2",
                "addressLine3": "Room 3",
                "city": "Tokyo",
                "stateOrRegion": "13",
                "postalCode": "153-0064",
                "countryCode": "JP",
            },
            "sellerInformation": {"name": "販売", "registrationNumber": "T3040001028448"},
            "orderDate": to_text(transaction.report.ordered),
            "currencyCode": code,
            "invoiceTotal": str(amount(rng, self._quirks.odd_amount)),
            "tax": [tax()],
            "transactionDataItems": [
                {
                    "taxRate": "0.10",
                    "unit": rng.randrange(1, 9),
                    "asin": rng.choice(self._catalogue.decoded_products)["amazonProductIdentifier"],
                    "title": "Ordner „Größe A4“",
                    "unitTaxInclusivePrice": money(),
                    "unitTaxExclusivePrice": money(),
                    "unitTaxAmount": money(),
                    "totalAmount": money(),
                    "discount": money(),
                    "apportionment": [
                        {
                            "orderLineItemId": line_id,
                            "lineNumber": line + 1,
                            "units": 1,
                            "unitPrice": money(),
                            "taxAmount": money(),
                        }
                    ],
                    "fees": [
                        {
                            "feeType": "SHIPPING",
                            "tax": tax(),
                            "discount": money(),
                            "apportionment": [
                                {
                                    "associatedOrderLineItemId": line_id,
                                    "units": 1,
                                    "unitTaxExclusiveFee": money(),
                                    "unitTaxAmount": money(),
                                }
                            ],
                        }
                    ],
                }
            ],
            "fees": [
                {
                    "feeType": "GIFTWRAPPING",
                    "tax": tax(),
                    "discount": money(),
                    "apportionment": [{"taxExclusiveFee": money(), "taxAmount": money()}],
                }
            ],
        }
