"""Line items, shipments and their lines (Amazon Business Reporting API).

All of them follow from the order report they belong to: `OrderLineItemReport`,
`ShipmentReport` and `ShipmentLineItemReport` are numbered within their order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from simulator.encoding import encode
from simulator.errors import ApiError, invalid_input, invalid_request_parameter
from simulator.times import DAY, HOUR, Millis
from simulator.world.catalogue import Catalogue, amount
from simulator.world.plausible import SELLERS, goods, purchase_of
from simulator.world.quirks import RowQuirks
from simulator.world.reports import Report, ReportWriter, cents, charges_of, currency

SHIPMENT_STATUSES = ("SHIPPED", "PENDING_PAYMENT", "SHIPPING_SOON", "SHIPPED_PLANNED")
UNKNOWN_SHIPMENT_STATUS = "RETURNED_BY_DRONE"
DELIVERY_STATUSES = ("DELIVERED", "NOT_DELIVERED", "NOT_AVAILABLE")
RECEIVING_STATUSES = ("ALL_ITEMS_RECEIVED", "PARTIALLY_RECEIVED", "PENDING", "ITEMS_MISSING")


def line_count(report: Report) -> int:
    """Return how many line items an order has: one to four."""
    return 1 + report.seed % 4


def shipment_count(report: Report) -> int:
    """Return how many shipments an order has: none to three."""
    return len(purchase_of(report).shipments) if report.plausible else (report.seed >> 4) % 4


def packing(report: Report) -> Sequence[tuple[int, int]]:
    """Return which line is in which shipment, as (shipment, line); some lines are in two."""
    if report.plausible:
        plan = purchase_of(report).shipments
        return [(shipment, line) for shipment, lines in enumerate(plan) for line in lines]
    shipments = shipment_count(report)
    if not shipments:
        return ()
    placed = [(line % shipments, line) for line in range(line_count(report))]
    return [*placed, (1, 0)] if shipments > 1 else placed


@dataclass(frozen=True)
class ReportKind:
    """Rows that follow from an order report, and the operation that lists them by order date.

    Attributes:
        stream: The stream that they become.
        operation: Amazon's name of the operation.
        path: Its path.
        array: Where in the reply the rows stand.
        filters: Its parameters beyond dates, region and token.
        keys: The path of each key field after the order id.
        count: Returns how many rows an order has.
        write: Returns the JSON of one of them, by its number.
        bad_parameter: Makes the refusal of a parameter or page token.
    """

    stream: str
    operation: str
    path: str
    array: str
    filters: frozenset[str]
    keys: tuple[str, ...]
    count: Callable[[Report], int]
    write: Callable[[Report, int], bytes]
    bad_parameter: Callable[[str], ApiError] = invalid_input


class FulfilmentWriter:
    """Writes what belongs to an order as JSON."""

    def __init__(self, catalogue: Catalogue, quirks: RowQuirks, reports: ReportWriter) -> None:
        self._catalogue = catalogue
        self._quirks = quirks
        self._reports = reports

    def kinds(self) -> list[ReportKind]:
        """Return what is listed by order date besides the orders."""
        return [
            ReportKind(
                stream="order_line_items",
                operation="getOrderLineItemReports",
                path="orderLineItemReports",
                array="orderLineItemsReport",
                filters=frozenset({"orderIds"}),
                keys=("orderLineItemId",),
                count=line_count,
                write=self.line,
                bad_parameter=invalid_request_parameter,
            ),
            ReportKind(
                stream="shipments",
                operation="getShipmentReports",
                path="shipmentReports",
                array="shipmentsReport",
                filters=frozenset({"shipmentStatuses", "orderIds"}),
                keys=("shipmentMetadata.shipmentId",),
                count=shipment_count,
                write=self.shipment,
            ),
            ReportKind(
                stream="shipment_line_items",
                operation="getShipmentLineItemReports",
                path="shipmentLineItemReports",
                array="shipmentLineItemsReport",
                filters=frozenset({"orderIds", "purchaseOrderNumbers"}),
                keys=("shipmentMetadata.shipmentId", "orderLineItemId"),
                count=lambda report: len(packing(report)),
                write=self.shipment_line,
            ),
            # A new kind goes here.
        ]

    def status(self, report: Report, shipment: int) -> str:
        """Return the shipmentStatus of a shipment."""
        if report.plausible:
            return SHIPMENT_STATUSES[1 if purchase_of(report).stuck else 0]
        rng = Random(report.seed + 10 + shipment)
        unknown = rng.random() < self._quirks.unknown_value
        return UNKNOWN_SHIPMENT_STATUS if unknown else rng.choice(SHIPMENT_STATUSES)

    def line(self, report: Report, line: int) -> bytes:
        """Return an OrderLineItemReport."""
        rng = Random(report.seed + 20 + line)
        row = self._line_row(report, line, rng)
        row["unitPrice"] = self._money(report, rng)
        if report.plausible:
            bought = purchase_of(report).lines[line]
            row["unitPrice"] = self._cents(report, bought.price)
            row["seller"] = {"name": SELLERS[bought.seller][0], "primaryAddress": _address(rng)}
            return encode(row)
        if rng.random() < 0.4:
            row["taxExemption"] = {"applied": True, "type": "RESALE", "optOut": False}
        if rng.random() < 0.4:
            row["pricingProgram"] = {
                "name": "Business Savings",
                "discountAmount": self._money(report, rng),
            }
        if rng.random() < 0.4:
            row["sustainability"] = {
                "certificationCategory": "CLIMATE",
                "certificationTypes": ["Climate Pledge Friendly", "Blauer Engel"],
            }
        if rng.random() < 0.7:
            row["seller"] = self._seller(report, rng)
        return self._finish(row, ("taxExemption", "pricingProgram", "seller", "unitPrice"), rng)

    def shipment(self, report: Report, shipment: int) -> bytes:
        """Return a ShipmentReport."""
        rng = Random(report.seed + 30 + shipment)
        row = self._row(report)
        row["shipmentMetadata"] = self._shipment_metadata(report, shipment)
        row["shipmentStatus"] = self.status(report, shipment)
        row["charges"] = self._reports.charges(report, rng)
        if report.plausible:
            purchase = purchase_of(report)
            places = purchase.shipments[shipment]
            row["charges"] = charges_of(report, [purchase.lines[place] for place in places])
        row["shippingAddress"] = {
            "fullName": "Jörg Müller-Lüdenscheidt",
            **_address(rng),
        }
        if rng.random() < 0.8:
            row["deliveryInfo"] = {
                "expectedDeliveryDate": self._reports.date(report.ordered + 5 * DAY, rng),
                "status": rng.choice(DELIVERY_STATUSES),
            }
        return self._finish(row, ("deliveryInfo",), rng)

    def shipment_line(self, report: Report, place: int) -> bytes:
        """Return a ShipmentLineItemReport by its place in `packing`."""
        shipment, line = packing(report)[place]
        rng = Random(report.seed + 50 + place)
        row = self._line_row(report, line, rng)
        row["shipmentMetadata"] = self._shipment_metadata(report, shipment)
        row["carrierName"] = rng.choice(("UPS", "DHL", "Fracht & Söhne"))
        if report.plausible:
            return encode(row | self._receipt(report, shipment, line, rng))
        row["packages"] = [
            {"trackingId": f"1Z{rng.randrange(10**8):08d}", "packageId": str(number)}
            for number in range(rng.choice((0, 1, 2)))
        ]
        if rng.random() < 0.6:
            row["receivingInfo"] = {
                "customer": rng.choice(self._catalogue.people),
                "date": self._reports.date(self._later(report, 3 * DAY), rng),
                "status": rng.choice(RECEIVING_STATUSES),
                "quantity": rng.randrange(1, 9),
            }
        return self._finish(row, ("receivingInfo", "packages", "carrierName"), rng)

    def _row(self, report: Report) -> dict[str, Any]:
        row: dict[str, Any] = {"orderMetadata": self._reports.metadata(report)}
        if report.named is not None:
            row["purchaseOrderNumber"] = self._quirks.number(report.named, report.seed + 2)
        return row

    def _line_row(self, report: Report, line: int, rng: Random) -> dict[str, Any]:
        row = self._row(report)
        row["orderLineItemId"] = f"{report.order_id}-L{line + 1}"
        if report.named is not None and rng.random() < 0.7:
            row["purchaseOrderLineItemNumber"] = str(line + 1)
        row["productDetails"] = self._product(rng)
        row["charges"] = self._reports.charges(report, rng)
        row["quantity"] = rng.randrange(1, 50)
        if report.plausible:
            bought = purchase_of(report).lines[line]
            product = self._catalogue.decoded_products[bought.product]
            title, category, _ = goods(bought.product)
            row["productDetails"] |= {
                "asin": product["amazonProductIdentifier"],
                "title": title,
                "productCategory": category,
            }
            row |= {"charges": charges_of(report, [bought]), "quantity": bought.quantity}
        return row

    def _receipt(self, report: Report, shipment: int, line: int, rng: Random) -> dict[str, Any]:
        """Return when a line was received, if it was by now."""
        purchase = purchase_of(report)
        bought = purchase.lines[line]
        days = SELLERS[bought.seller][1] + shipment + rng.random() * 2
        arrives = report.ordered + int(days * DAY)
        if arrives > report.born or purchase.stuck:
            return {}
        info = {
            "customer": self._catalogue.people[purchase.buyer],
            "date": self._reports.date(arrives, rng),
            "status": "ALL_ITEMS_RECEIVED",
            "quantity": bought.quantity,
        }
        return {"receivingInfo": info}

    def _shipment_metadata(self, report: Report, shipment: int) -> dict[str, Any]:
        rng = Random(report.seed + 40 + shipment)
        moment = self._later(report, (shipment + 1) * 20 * HOUR)
        return {
            "shipmentDate": self._reports.date(moment, rng),
            "shipmentId": f"{report.order_id}-S{shipment + 1}",
        }

    def _later(self, report: Report, delay: Millis) -> Millis:
        return max(report.ordered, min(report.ordered + delay, report.born))

    def _money(self, report: Report, rng: Random) -> dict[str, Any]:
        return {
            "currencyCode": currency(report.region),
            "amount": amount(rng, self._quirks.odd_amount),
        }

    def _cents(self, report: Report, amount: int) -> dict[str, Any]:
        return {"currencyCode": currency(report.region), "amount": cents(amount)}

    def _product(self, rng: Random) -> dict[str, Any]:
        product = rng.choice(self._catalogue.decoded_products)
        details: dict[str, Any] = {
            "productCategory": "Office Product",
            "asin": product["amazonProductIdentifier"],
            "title": 'Ordner "Größe A4", 80 mm',
            "unspsc": {"code": f"{rng.randrange(10**8):08d}"},
            "productCondition": "New",
            "brandCode": "BRND",
            "brandName": "Brænd",
            "manufacturerName": "Hersteller GmbH",
        }
        if rng.random() < 0.3:
            details["serialNumbers"] = [f"SN{rng.randrange(10**6):06d}"]
        return details

    def _seller(self, report: Report, rng: Random) -> dict[str, Any]:
        seller: dict[str, Any] = {"name": "Händler & Co", "primaryAddress": _address(rng)}
        if rng.random() < 0.5:
            expires = self._reports.date(report.ordered + 365 * DAY, rng)
            seller["credentials"] = {
                "types": ["DIVERSITY"],
                "details": [
                    {
                        "certificateType": "SMALL_BUSINESS",
                        "certifyingAgenciesDetails": [
                            {"agencyName": "SBA", "certificateExpirationDate": expires}
                        ],
                    }
                ],
            }
        return seller

    def _finish(self, row: dict[str, Any], optional: Sequence[str], rng: Random) -> bytes:
        if rng.random() < self._quirks.null_object:
            row[rng.choice(optional)] = None
        if rng.random() < self._quirks.unknown_field:
            row["undocumentedField"] = {"undocumentedPart": 1}
        return encode(row)


def _address(rng: Random) -> dict[str, str]:
    address = {"addressLine1": "Main St 1", "city": "Springfield"}
    if rng.random() < 0.5:
        address |= {"addressLine2": "Floor 2", "stateOrRegion": "IL"}
    return address | {"postalCode": "62701", "countryCode": "US"}
