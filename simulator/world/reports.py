"""Order reports of the Amazon Business Reporting API (model `OrderReport`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from simulator.encoding import encode
from simulator.times import Millis, to_text
from simulator.world.catalogue import Catalogue, amount
from simulator.world.plausible import COST_CENTRES, Bought, purchase_of
from simulator.world.quirks import RowQuirks

STATUSES = (
    "PENDING_APPROVAL",
    "PAYMENT_CONFIRMED",
    "PENDING_FULFILLMENT",
    "PENDING",
    "CLOSED",
    "CANCELLED",
)
UNKNOWN_STATUS = "AWAITING_DRONE"
CHARGES = ("SUBTOTAL", "SHIPPING_AND_HANDLING", "PROMOTION", "TAX", "NET_TOTAL")
CURRENCIES = {"US": "USD", "CA": "CAD", "MX": "MXN", "UK": "GBP", "IN": "INR", "JP": "JPY"}


@dataclass(frozen=True, slots=True)
class Report:
    """An Amazon Business order, not written out.

    Attributes:
        order_id: orderMetadata.orderId.
        seed: Everything else in the row follows from this.
        asked: The purchase order number it is found by; none where it belongs to none.
        named: The purchaseOrderNumber in the row, usually the same.
        ordered: orderMetadata.orderDate.
        region: The one region it is found in.
        status: orderStatus.
        born: When it came into the world; nothing that happened to it is younger.
        plausible: Whether it is as a business would have it; see `plausible`.
    """

    order_id: str
    seed: int
    asked: str | None
    named: str | None
    ordered: Millis
    region: str
    status: str
    born: Millis
    plausible: bool = False


def currency(region: str) -> str:
    """Return the currency of a region."""
    return CURRENCIES.get(region, "EUR")


class ReportWriter:
    """Writes order reports as JSON."""

    def __init__(self, catalogue: Catalogue, quirks: RowQuirks) -> None:
        self._catalogue = catalogue
        self._quirks = quirks

    def date(self, moment: Millis, rng: Random) -> str | dict[str, str]:
        """Return a date in one of the two shapes in use."""
        text = to_text(moment)
        return text if rng.random() < self._quirks.plain_date else {"date": text}

    def metadata(self, report: Report) -> dict[str, Any]:
        """Return the orderMetadata that all rows of an order share."""
        rng = Random(report.seed)
        metadata: dict[str, Any] = {
            "orderDate": self.date(report.ordered, rng),
            "orderId": self._quirks.number(report.order_id, report.seed),
        }
        if rng.random() < 0.95:
            metadata["region"] = report.region
        return metadata

    def charges(self, report: Report, rng: Random) -> list[dict[str, Any]]:
        """Return a list of charges; empty ones exist."""
        code = currency(report.region)
        kinds = rng.sample(CHARGES, rng.choice((0, 1, 3, 5, 5)))
        return [
            {
                "type": kind,
                "amount": {"currencyCode": code, "amount": amount(rng, self._quirks.odd_amount)},
            }
            for kind in kinds
        ]

    def full(self, report: Report) -> bytes:
        """Return the row."""
        return self._plausible(report) if report.plausible else self._random(report)

    def _random(self, report: Report) -> bytes:
        rng = Random(report.seed + 1)
        row: dict[str, Any] = {
            "orderMetadata": self.metadata(report),
            "charges": self.charges(report, rng),
            "orderStatus": report.status,
        }
        if report.named is not None:
            row["purchaseOrderNumber"] = self._quirks.number(report.named, report.seed + 1)
        if rng.random() < 0.9:
            row["buyingCustomer"] = rng.choice(self._catalogue.people)
        if rng.random() < 0.7:
            row["buyerGroup"] = rng.choice(self._catalogue.groups)
        if rng.random() < 0.6:
            row["businessOrderInfo"] = {
                "Cost center": f"CC-{rng.randrange(100)}",
                f"Ключ {rng.randrange(5)}": "",
            }
        if rng.random() < 0.5:
            row["approverDetails"] = {
                "lastOrderApproverCustomer": rng.choice(self._catalogue.people)
            }
        optional = ("businessOrderInfo", "approverDetails", "buyerGroup", "buyingCustomer")
        for name in optional:
            if rng.random() < self._quirks.null_object:
                row[name] = None
        if rng.random() < self._quirks.unknown_field:
            row["undocumentedField"] = 1
        if rng.random() < self._quirks.unknown_field:
            row["orderMetadata"]["undocumentedPart"] = None
        return encode(row)

    def _plausible(self, report: Report) -> bytes:
        purchase, people = purchase_of(report), self._catalogue.people
        cost_centre, group, _ = COST_CENTRES[purchase.centre]
        row: dict[str, Any] = {
            "orderMetadata": self.metadata(report) | {"region": report.region},
            "charges": charges_of(report, purchase.lines, shipping=purchase.shipping),
            "orderStatus": report.status,
            "buyingCustomer": people[purchase.buyer],
            "buyerGroup": {"name": group},
            "businessOrderInfo": {"Cost center": cost_centre},
        }
        if report.named is not None:
            row["purchaseOrderNumber"] = self._quirks.number(report.named, report.seed + 1)
        if purchase.approver is not None:
            approver = people[purchase.approver]
            row["approverDetails"] = {"lastOrderApproverCustomer": approver}
        return encode(row)


def charges_of(
    report: Report, lines: Sequence[Bought], *, shipping: int = 0
) -> list[dict[str, Any]]:
    """Return the charges of lines that were bought, which add up."""
    subtotal = sum(line.price * line.quantity for line in lines)
    tax = sum(line.tax() for line in lines)
    amounts = (subtotal, shipping, 0, tax, subtotal + shipping + tax)
    return [
        {
            "type": kind,
            "amount": {"currencyCode": currency(report.region), "amount": cents(amount)},
        }
        for kind, amount in zip(CHARGES, amounts, strict=True)
    ]


def cents(amount: int) -> Decimal:
    """Return an amount in cents as money."""
    return Decimal(amount).scaleb(-2)
