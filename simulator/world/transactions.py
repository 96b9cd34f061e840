"""Transactions of the Amazon Business Reconciliation API, v2021-01-08."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from simulator.encoding import encode
from simulator.times import DAY, HOUR, Millis, to_text
from simulator.world.catalogue import Catalogue, amount
from simulator.world.fulfilment import line_count
from simulator.world.plausible import COST_CENTRES, Charge, goods, purchase_of
from simulator.world.quirks import RowQuirks
from simulator.world.reports import Report, cents, currency

TYPES = ("CHARGE", "REFUND", "OVERREFUND")
UNKNOWN_TYPE = "GOODWILL"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction, not written out.

    Attributes:
        identifier: transactionId.
        seed: Everything else in the row follows from this.
        report: The order it belongs to.
        fed: feedDate.
        charge: What it charges or refunds, where its order is plausible.
    """

    identifier: str
    seed: int
    report: Report
    fed: Millis
    charge: Charge | None = None


def invoice_number(transaction: Transaction) -> str:
    """Return the number of the invoice that a transaction is for."""
    return f"INV-{transaction.identifier}"


def transactions_of(report: Report) -> Iterator[Transaction]:
    """Yield the transactions of an order: none, one or two."""
    if report.plausible:
        for part, charge in enumerate(purchase_of(report).charges):
            if report.ordered + charge.after > report.born - HOUR:
                continue
            yield Transaction(
                identifier=f"{report.order_id}-T{part + 1}",
                seed=report.seed + part,
                report=report,
                fed=report.ordered + charge.after,
                charge=charge,
            )
        return
    rng = Random(report.seed + 4)
    for part in range(rng.choice((0, 1, 1, 2))):
        fed = report.ordered + HOUR + int(rng.random() * 3 * DAY)
        yield Transaction(
            identifier=f"{report.order_id}-T{part + 1}",
            seed=rng.getrandbits(62),
            report=report,
            fed=max(report.ordered, min(fed, report.born - HOUR)),
        )


class TransactionWriter:
    """Writes transactions as JSON."""

    def __init__(self, catalogue: Catalogue, quirks: RowQuirks) -> None:
        self._catalogue = catalogue
        self._quirks = quirks

    def full(self, transaction: Transaction) -> bytes:
        """Return the row."""
        rng = Random(transaction.seed)
        quirks, report = self._quirks, transaction.report
        code = currency(report.region)
        row: dict[str, Any] = {
            "marketplaceId": "ATVPDKIKX0DER",
            "transactionDate": to_text(report.ordered),
            "feedDate": to_text(transaction.fed),
            "transactionType": rng.choice(TYPES),
            "transactionId": transaction.identifier,
            "chargeIdentifier": f"C{rng.randrange(10**9):09d}",
            "shipTaxRate": "0.0875",
            "giftWrapTaxRate": "0",
            "legalEntityName": "Käufer AG",
            "purchasingCustomerGroupName": rng.choice(self._catalogue.groups)["name"],
            "invoiceNumber": invoice_number(transaction),
            "amount": self._money(code, rng),
            "paymentInstrumentType": "Visa",
            "paymentInstrumentLast4Digits": f"{rng.randrange(10**4):04d}",
            "buyer": self._customer(rng),
            "payer": self._customer(rng),
            "associatedTransactionDetails": [
                {"associatedTransactionId": f"{report.order_id}-T0"},
            ][: rng.randrange(2)],
            "transactionLineItems": [
                self._line(transaction, line, rng) for line in range(line_count(report))
            ],
        }
        if transaction.charge is not None:
            row |= self._plausible(transaction, transaction.charge, row["transactionLineItems"])
        for name in list(row):
            kept = name in {"transactionId", "feedDate", "transactionLineItems"}
            if not kept and rng.random() < quirks.null_object:
                row[name] = None
            elif not kept and rng.random() < quirks.null_object:
                del row[name]
        if rng.random() < quirks.unknown_value:
            row["transactionType"] = UNKNOWN_TYPE
        if rng.random() < quirks.unknown_field:
            row["undocumentedField"] = True
        if row.get("invoiceNumber") and rng.random() < quirks.null_object:
            row["invoiceNumber"] = rng.choice(("", "Pending"))
        return encode(row)

    def _plausible(
        self, transaction: Transaction, charge: Charge, drawn: list[dict[str, Any]]
    ) -> dict[str, Any]:
        report, code = transaction.report, currency(transaction.report.region)
        purchase = purchase_of(report)

        def money(whole: int) -> dict[str, str]:
            return {"currencyCode": code, "amount": str(cents(whole))}

        items = []
        for place, quantity, charged in charge.lines:
            bought = purchase.lines[place]
            net = bought.net(quantity)
            product = self._catalogue.decoded_products[bought.product]
            zero = dict.fromkeys(("regulatoryFee", "giftWrappingCharge", "discount"), money(0))
            taxed = charged * bought.tax(quantity) // net
            items.append(
                drawn[place]
                | zero
                | {
                    "refundReason": charge.reason,
                    "totalAmount": money(charged),
                    "principalAmount": money(charged - taxed),
                    "shippingCharge": money(0),
                    "tax": money(taxed),
                    # The price rises with what is charged; half of a payment has the whole price.
                    "unitPrice": money(bought.price * (104 if charged > net else 100) // 100),
                    "itemQuantity": quantity,
                    "shipmentId": f"{report.order_id}-S{charge.shipment + 1}",
                    "asin": product["amazonProductIdentifier"],
                    "productTitle": goods(bought.product)[0],
                    "businessOrderInfo": {"Cost center": COST_CENTRES[purchase.centre][0]},
                }
            )
        names = [f"{report.order_id}-T{place + 1}" for place in charge.names]
        return {
            "transactionDate": to_text(transaction.fed),
            "transactionType": charge.kind,
            "amount": money(sum(charged for *_, charged in charge.lines)),
            "paymentInstrumentType": charge.instrument,
            "purchasingCustomerGroupName": COST_CENTRES[purchase.centre][1],
            "associatedTransactionDetails": [{"associatedTransactionId": one} for one in names],
            "transactionLineItems": items,
        }

    def _customer(self, rng: Random) -> dict[str, str]:
        return {
            "id": f"amzn1.account.A{rng.randrange(10**6):06d}",
            **rng.choice(self._catalogue.people),
        }

    def _line(self, transaction: Transaction, line: int, rng: Random) -> dict[str, Any]:
        report = transaction.report
        code = currency(report.region)
        return {
            "refundReason": rng.choice((None, "CUSTOMER_RETURN")),
            "totalAmount": self._money(code, rng),
            "principalAmount": self._money(code, rng),
            "shippingCharge": self._money(code, rng),
            "regulatoryFee": self._money(code, rng),
            "giftWrappingCharge": self._money(code, rng),
            "discount": self._money(code, rng),
            "tax": self._money(code, rng),
            "unitPrice": self._money(code, rng),
            "taxRate": "0.0875",
            "orderId": self._quirks.number(report.order_id, transaction.seed),
            "unspsc": f"{rng.randrange(10**8):08d}",
            "orderLineItemId": f"{report.order_id}-L{line + 1}",
            "purchaseOrderNumber": self._quirks.number(report.named or "", transaction.seed),
            "purchaseOrderLineItemId": str(line + 1),
            "asin": rng.choice(self._catalogue.decoded_products)["amazonProductIdentifier"],
            "productTitle": "Ordner „Größe A4“",
            "itemQuantity": rng.randrange(1, 9),
            "shipmentId": None if self._unshipped(rng) else f"{report.order_id}-S1",
            "shipmentDate": to_text(report.ordered),
            "merchantLegalName": "Händler & Co",
            "budgetId": f"B-{rng.randrange(9)}",
            "businessOrderInfo": {"Cost center": "CC-1"},
        }

    def _unshipped(self, rng: Random) -> bool:
        return rng.random() < self._quirks.null_object

    def _money(self, code: str, rng: Random) -> dict[str, str]:
        return {"currencyCode": code, "amount": str(amount(rng, self._quirks.odd_amount))}
