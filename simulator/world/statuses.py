"""Statuses of purchase orders (Vendor Orders API, model `OrderStatus`)."""

from random import Random
from typing import Any

from simulator.encoding import encode
from simulator.times import DAY, HOUR, Millis, to_text
from simulator.world.catalogue import Catalogue
from simulator.world.orders import Order
from simulator.world.quirks import RowQuirks

CONFIRMATIONS = ("ACCEPTED", "PARTIALLY_ACCEPTED", "REJECTED", "UNCONFIRMED")
RECEIPTS = ("NOT_RECEIVED", "PARTIALLY_RECEIVED", "RECEIVED")
STATUSES = ("OPEN", "CLOSED")
UNKNOWN_CONFIRMATION = "UNDER_REVIEW"


def status_of(order: Order) -> str:
    """Return the purchaseOrderStatus."""
    return STATUSES[order.state == "Closed"]


class StatusWriter:
    """Writes the statuses of purchase orders as JSON."""

    def __init__(self, catalogue: Catalogue, quirks: RowQuirks) -> None:
        self._catalogue = catalogue
        self._quirks = quirks

    def full(self, order: Order) -> bytes:
        """Return the row."""
        rng = Random(order.seed + 2)
        row: dict[str, Any] = {
            "purchaseOrderNumber": order.number,
            "purchaseOrderStatus": status_of(order),
            "purchaseOrderDate": to_text(order.created),
            "sellingParty": self._catalogue.sellers[order.vendor_code],
            "shipToParty": rng.choice(self._catalogue.buyers),
        }
        if order.updated is not None and rng.random() >= self._quirks.missing_date:
            row["lastUpdatedDate"] = to_text(order.updated)
        if rng.random() < self._quirks.unknown_field:
            row["undocumentedField"] = "x"
        row["itemStatus"] = [
            self._item(order, sequence, rng) for sequence in range(1, order.items + 1)
        ]
        return encode(row)

    def _item(self, order: Order, sequence: int, rng: Random) -> dict[str, Any]:
        quirks = self._quirks
        product = rng.choice(self._catalogue.decoded_products)
        ordered = rng.randrange(1, 50)
        confirmation = rng.choice(CONFIRMATIONS)
        receipt = rng.choice(RECEIPTS)
        accepted = {"ACCEPTED": ordered, "PARTIALLY_ACCEPTED": ordered // 2}.get(confirmation, 0)
        item: dict[str, Any] = {
            "itemSequenceNumber": str(sequence),
            "buyerProductIdentifier": product["amazonProductIdentifier"],
            "netCost": product["netCost"],
            "orderedQuantity": {
                "orderedQuantity": _eaches(ordered + order.revision),
                "orderedQuantityDetails": [
                    {
                        "updatedDate": to_text(order.changed or order.created),
                        "orderedQuantity": _eaches(ordered + order.revision),
                        "cancelledQuantity": _eaches(0),
                    }
                ],
            },
            "acknowledgementStatus": {
                "confirmationStatus": confirmation,
                "acceptedQuantity": _eaches(accepted),
                "rejectedQuantity": _eaches(ordered - accepted),
            },
            "receivingStatus": {
                "receiveStatus": receipt,
                "receivedQuantity": _eaches(accepted if receipt == "RECEIVED" else 0),
            },
        }
        item |= {
            name: product[name]
            for name in ("vendorProductIdentifier", "listPrice")
            if name in product
        }
        if confirmation != "UNCONFIRMED":
            item["acknowledgementStatus"]["acknowledgementStatusDetails"] = [
                {
                    "acknowledgementDate": _later(order, HOUR),
                    "acceptedQuantity": _eaches(accepted),
                    "rejectedQuantity": _eaches(ordered - accepted),
                }
            ]
        if receipt != "NOT_RECEIVED":
            item["receivingStatus"]["lastReceiveDate"] = _later(order, 3 * DAY)
        if rng.random() < quirks.unknown_value:
            item["acknowledgementStatus"]["confirmationStatus"] = UNKNOWN_CONFIRMATION
        if rng.random() < quirks.null_object:
            item[rng.choice(("acknowledgementStatus", "receivingStatus", "listPrice"))] = None
        if rng.random() < quirks.unknown_field:
            item["undocumentedPart"] = 1
        return item


def _eaches(quantity: int) -> dict[str, Any]:
    return {"amount": quantity, "unitOfMeasure": "Eaches", "unitSize": 1}


def _later(order: Order, delay: Millis) -> str:
    return to_text(max(order.created, min(order.created + delay, order.born)))
