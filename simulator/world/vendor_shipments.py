"""Shipments of vendors (Vendor Shipments API, model `Shipment`)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from simulator.encoding import decode, encode
from simulator.times import DAY, HOUR, MINUTE, Millis, to_text
from simulator.world.catalogue import WAREHOUSES, Catalogue, party_details
from simulator.world.orders import Order
from simulator.world.plausible import delivery_of, line_of
from simulator.world.quirks import RowQuirks

STATUSES = ("Created", "TransportationRequested", "CarrierAssigned", "Shipped")
DATES = (
    "shipmentCreateDate",
    "shipmentConfirmDate",
    "packageLabelCreateDate",
    "shippedDate",
    "estimatedDeliveryDate",
    "shipmentDeliveryDate",
    "requestedPickUp",
    "scheduledPickUp",
)
"""The dates that getShipmentDetails can be asked by, by the name of the row's field."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment, not written out.

    Attributes:
        identifier: vendorShipmentIdentifier.
        seed: Everything else in the row follows from this.
        order: The purchase order it delivers.
        status: currentShipmentStatus.
        reference: buyerReferenceNumber.
        warehouse: shipToParty.partyId.
        dates: By the names in `DATES`; most shipments lack some.
        cancelled: When it was cancelled; lists show it as it was before, too.
    """

    identifier: str
    seed: int
    order: Order
    status: str
    reference: str
    warehouse: str
    dates: dict[str, Millis] = field(hash=False)
    cancelled: Millis | None = None


def shipments_of(order: Order) -> Iterator[Shipment]:
    """Yield the shipments of an order: none, one or two."""
    if order.plausible:
        yield from _plausible_shipments(order)
        return
    rng = Random(order.seed + 3)
    for part in range(rng.choice((0, 1, 1, 2))):
        created = order.created + MINUTE + int(rng.random() * 2 * DAY)
        if created > order.born - 5 * MINUTE:
            continue
        dates = {DATES[0]: created}
        for step, name in enumerate(DATES[1:], start=1):
            if rng.random() < 0.7:
                dates[name] = min(created + step * 5 * HOUR, order.born - 5 * MINUTE)
        yield Shipment(
            identifier=f"{order.seed % 10**11:011d}{part}",
            seed=rng.getrandbits(62),
            order=order,
            status=rng.choice(STATUSES),
            reference=f"{rng.randrange(10**7):07d}",
            warehouse=rng.choice(WAREHOUSES),
            dates=dates,
        )


def _plausible_shipments(order: Order) -> Iterator[Shipment]:
    """Yield the shipment of an order, once it is packed."""
    plan, now = delivery_of(order), order.born - 5 * MINUTE
    packed = max(order.created + DAY, plan.leaves - 18 * HOUR)
    if packed > now:
        return
    left = plan.leaves <= now
    moments = (packed, plan.leaves, packed, plan.leaves, plan.arrives, plan.arrives)
    known = (True, left, True, left, True, left and plan.arrives <= now)
    yield Shipment(
        identifier=f"{order.seed % 10**11:011d}0",
        seed=Random(order.seed + 3).getrandbits(62),
        order=order,
        status=STATUSES[3 if left else 0],
        reference=f"{order.seed % 10**7:07d}",
        warehouse=plan.warehouse,
        dates={
            name: moment
            for name, moment, happened in zip(DATES, moments, known, strict=False)
            if happened
        },
    )


class ShipmentWriter:
    """Writes vendors' shipments as JSON."""

    def __init__(self, catalogue: Catalogue, quirks: RowQuirks) -> None:
        self._catalogue = catalogue
        self._quirks = quirks

    def full(self, shipment: Shipment) -> bytes:
        """Return the row."""
        rng = Random(shipment.seed)
        quirks, order, created = self._quirks, shipment.order, shipment.dates[DATES[0]]
        texts = {name: to_text(moment) for name, moment in shipment.dates.items()}
        row: dict[str, Any] = {
            "vendorShipmentIdentifier": shipment.identifier,
            "transactionType": "New" if order.plausible else rng.choice(("New", "New", "Cancel")),
            "buyerReferenceNumber": shipment.reference,
            "transactionDate": texts[DATES[0]],
            "currentShipmentStatus": shipment.status,
            "currentshipmentStatusDate": texts[DATES[0]],
            "shipmentStatusDetails": [
                {"shipmentStatus": status, "shipmentStatusDate": to_text(created)}
                for status in STATUSES[: STATUSES.index(shipment.status) + 1]
            ],
            **{name: texts[name] for name in DATES[:3] if name in texts},
            "shipmentFreightTerm": rng.choice(("Collect", "Prepaid")),
            "sellingParty": _party(order.vendor_code, rng),
            "shipFromParty": _party("ABCD12", rng),
            "shipToParty": _party(shipment.warehouse, rng),
            "shipmentMeasurements": {
                "totalCartonCount": rng.randrange(1, 40),
                "totalPalletStackable": rng.randrange(5),
                "totalPalletNonStackable": 0,
                "shipmentWeight": {"unitOfMeasure": "Kg", "value": "120.450"},
                "shipmentVolume": {"unitOfMeasure": "CuFt", "value": "2.4"},
            },
            "collectFreightPickupDetails": {
                **{name: texts[name] for name in DATES[6:] if name in texts},
                "carrierAssignmentDate": texts[DATES[0]],
            },
            "purchaseOrders": [self._purchase_order(order, rng)],
            "containers": [self._container(order, number, rng) for number in (1, 2)],
            "transportationDetails": {
                "shipMode": rng.choice(("TruckLoad", "LessThanTruckLoad", "SmallParcel")),
                "transportationMode": rng.choice(("Road", "Air", "Ocean")),
                **{name: texts[name] for name in DATES[3:6] if name in texts},
                "carrierDetails": {
                    "name": "Fracht & Söhne",
                    "code": "FRSO",
                    "phone": "1234567890",
                    "email": "dispatch@carrier.example",
                    "shipmentReferenceNumber": f"TRACK{rng.randrange(1000):03d}",
                },
                "billOfLadingNumber": f"BOL{rng.randrange(10**6):06d}",
            },
        }
        if rng.random() < 0.3:
            row["importDetails"] = _import_details(created, rng)
        if rng.random() < quirks.null_object:
            row[rng.choice(("importDetails", "containers", "shipmentMeasurements"))] = None
        if rng.random() < quirks.unknown_value:
            row["currentShipmentStatus"] = "LostAtSea"
        if rng.random() < quirks.unknown_field:
            row["undocumentedField"] = [1, 2]
        if shipment.cancelled is not None:
            row |= {"transactionType": "Cancel", "transactionDate": to_text(shipment.cancelled)}
        return encode(row)

    def versions(self, shipment: Shipment) -> bytes:
        """Return the row, after the one from before it was cancelled if it was."""
        now = self.full(shipment)
        if shipment.cancelled is None:
            return now
        before = decode(self.full(replace(shipment, cancelled=None)))
        return encode({**before, "transactionType": "New"}) + b"," + now

    def _purchase_order(self, order: Order, rng: Random) -> dict[str, Any]:
        if order.plausible:
            return self._plausible_order(order)
        return {
            "purchaseOrderNumber": order.number,
            "purchaseOrderDate": to_text(order.created),
            "shipWindow": "08/25/2021 - 08/31/2021",
            "items": [
                {
                    "itemSequenceNumber": f"{number:03d}",
                    "vendorProductIdentifier": f"{rng.randrange(10**13):013d}",
                    "buyerProductIdentifier": self._asin(rng),
                    "shippedQuantity": _cases(rng.randrange(1, 100)),
                    "maximumRetailPrice": {
                        "currencyCode": "USD",
                        "amount": f"{rng.randrange(10**5) / 100:.2f}",
                    },
                }
                for number in range(1, min(order.items, 5) + 1)
            ],
        }

    def _plausible_order(self, order: Order) -> dict[str, Any]:
        """Return the items of an order that were confirmed, and did not get lost before."""
        products = self._catalogue.decoded_products
        items = []
        for sequence in range(1, order.items + 1):
            line = line_of(order, sequence, len(products))
            product = products[line.product]
            size = decode(b"{%b}" % self._catalogue.units[line.product])["unitSize"]
            net = line.ordered - int(line.cancels * line.ordered)
            accepted = net - int(line.refuses * net)
            sent = accepted - int(line.lacks * accepted)
            if (order.cancelled and sequence == 1) or not sent:
                continue
            items.append(
                {
                    "itemSequenceNumber": f"{sequence:03d}",
                    "buyerProductIdentifier": product["amazonProductIdentifier"],
                    "shippedQuantity": {
                        "amount": sent * size,
                        "unitOfMeasure": "Eaches",
                        "unitSize": 1,
                    },
                }
            )
        return {
            "purchaseOrderNumber": order.number,
            "purchaseOrderDate": to_text(order.created),
            "shipWindow": "08/25/2021 - 08/31/2021",
            "items": items,
        }

    def _container(self, order: Order, number: int, rng: Random) -> dict[str, Any]:
        born = to_text(order.created)
        return {
            "containerType": ("carton", "pallet")[number % 2],
            "containerSequenceNumber": f"{number:03d}",
            "containerIdentifiers": [
                {
                    "containerIdentificationType": "SSCC",
                    "containerIdentificationNumber": f"{rng.randrange(10**12):012d}",
                }
            ],
            "trackingNumber": f"TRACK{rng.randrange(1000):03d}",
            "dimensions": {"length": "12", "width": "12.50", "height": "8", "unitOfMeasure": "In"},
            "weight": {"unitOfMeasure": "Kg", "value": "10.5"},
            "tier": 2,
            "block": 2,
            "innerContainersDetails": {
                "containerCount": 1,
                "containerSequenceNumbers": [{"containerSequenceNumber": "002"}],
            },
            "packedItems": [
                {
                    "itemSequenceNumber": "001",
                    "buyerProductIdentifier": self._asin(rng),
                    "vendorProductIdentifier": f"{rng.randrange(10**13):013d}",
                    "packedQuantity": _cases(1),
                    "itemDetails": {
                        "purchaseOrderNumber": order.number,
                        "lotNumber": "L-7",
                        "expiry": {
                            "manufacturerDate": born,
                            "expiryDate": born,
                            "expiryAfterDuration": {"durationUnit": "Days", "durationValue": 90},
                        },
                    },
                }
            ],
        }

    def _asin(self, rng: Random) -> str:
        return str(rng.choice(self._catalogue.decoded_products)["amazonProductIdentifier"])


def _cases(quantity: int) -> dict[str, Any]:
    return {
        "amount": quantity,
        "unitOfMeasure": "Cases",
        "unitSize": 6,
        "totalWeight": {"amount": "182.30", "unitOfMeasure": "POUNDS"},
    }


def _party(code: str, rng: Random) -> dict[str, Any]:
    """Return a party; in this model tax numbers are a list."""
    details = party_details("Entrepôt nº 1", rng)
    if rng.random() < 0.5:
        return {"partyId": code}
    return {
        "partyId": code,
        "address": details["address"],
        "taxRegistrationDetails": [details["taxInfo"]],
    }


def _import_details(created: Millis, rng: Random) -> dict[str, Any]:
    return {
        "methodOfPayment": rng.choice(("PaidByBuyer", "PrepaidBySeller")),
        "sealNumber": f"{rng.randrange(10**10):010d}",
        "route": {
            "stops": [
                {
                    "functionCode": code,
                    "locationIdentification": {
                        "type": "Port",
                        "locationCode": "SEGOT",
                        "countryCode": "SE",
                    },
                    "arrivalTime": to_text(created + DAY),
                    "departureTime": to_text(created + 2 * DAY),
                }
                for code in ("PortOfLoading", "PortOfDischarge")
            ]
        },
        "importContainers": "1-40'",
        "billableWeight": {"unitOfMeasure": "G", "value": "10"},
        "estimatedShipByDate": to_text(created + DAY),
        "handlingInstructions": "Fragile",
    }
