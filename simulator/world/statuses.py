"""Statuses of purchase orders (Vendor Orders API, model `OrderStatus`)."""

from random import Random
from typing import Any

from simulator.encoding import decode, encode
from simulator.times import DAY, HOUR, SECOND, Millis, to_text
from simulator.world.catalogue import Catalogue, party_alone
from simulator.world.orders import Order
from simulator.world.plausible import delivery_of, line_of
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
            "purchaseOrderNumber": self._quirks.number(order.number, order.seed + 2),
            "purchaseOrderStatus": status_of(order),
            "purchaseOrderDate": order.status_date or self._date(order),
            "sellingParty": self._catalogue.sellers[order.vendor_code],
            "shipToParty": rng.choice(self._catalogue.buyers),
        }
        # Nothing drawn here depends on changes, so that the original quantities stay the same.
        if rng.random() >= self._quirks.missing_date and order.updated is not None:
            row["lastUpdatedDate"] = to_text(order.updated)
        if Random(order.seed + 7).random() < 0.7:
            row |= {name: party_alone(row[name]) for name in ("sellingParty", "shipToParty")}
        if rng.random() < self._quirks.unknown_field:
            row["undocumentedField"] = "x"
        if order.plausible:
            row["shipToParty"] = {"partyId": delivery_of(order).warehouse}
        item = self._plausible_item if order.plausible else self._item
        row["itemStatus"] = [item(order, sequence, rng) for sequence in range(1, order.items + 1)]
        return encode(row)

    def _date(self, order: Order) -> str:
        """Return the order's date, or one of the others that statuses carry."""
        rng = Random(order.seed + 11)
        if rng.random() >= self._quirks.other_status_date:
            return to_text(order.created)
        off = rng.choice((0, -90 * SECOND, -84 * DAY))
        return to_text(order.created + off) if off else to_text(order.created)[:10]

    def _item(self, order: Order, sequence: int, rng: Random) -> dict[str, Any]:
        quirks = self._quirks
        product = rng.choice(self._catalogue.decoded_products)
        original = rng.randrange(1, 50)
        confirmation = rng.choice(CONFIRMATIONS)
        receipt = rng.choice(RECEIPTS)
        asked = original + order.revision
        cancelled = self._cancelled(order, sequence, asked, rng)
        if sequence == order.items:
            cancelled = asked - ((asked - cancelled) >> order.cuts)
        net = asked - cancelled
        accepted = {"ACCEPTED": net, "PARTIALLY_ACCEPTED": net // 2}.get(confirmation, 0)
        # The total of an item may count what was accepted first and cancelled later.
        counted = accepted + cancelled if rng.random() < 0.5 and accepted else accepted
        received = {"RECEIVED": accepted, "PARTIALLY_RECEIVED": accepted // 2}.get(receipt, 0)
        if rng.random() < 0.2 and received:
            received = net + 1
        item: dict[str, Any] = {
            "itemSequenceNumber": str(sequence),
            "buyerProductIdentifier": product["amazonProductIdentifier"],
            "netCost": product["netCost"],
            "orderedQuantity": {
                "orderedQuantity": _eaches(net),
                "orderedQuantityDetails": _quantities(order, original, asked, cancelled),
            },
            "acknowledgementStatus": {
                "confirmationStatus": confirmation,
                "acceptedQuantity": _eaches(counted),
                "rejectedQuantity": _eaches(net - accepted),
            },
            "receivingStatus": {
                "receiveStatus": receipt,
                "receivedQuantity": _eaches(received),
            },
        }
        item |= {
            name: product[name]
            for name in ("vendorProductIdentifier", "listPrice")
            if name in product
        }
        silent = confirmation == "REJECTED" and rng.random() < 0.5
        if confirmation != "UNCONFIRMED" and not silent:
            item["acknowledgementStatus"]["acknowledgementStatusDetails"] = [
                {
                    "acknowledgementDate": to_text(_later(order, HOUR)),
                    "acceptedQuantity": _eaches(accepted),
                    "rejectedQuantity": _eaches(net - accepted),
                }
            ]
        if receipt != "NOT_RECEIVED" and rng.random() >= 0.1:
            # The one date that always has milliseconds.
            moment = _later(order, 3 * DAY)
            item["receivingStatus"]["lastReceiveDate"] = to_text(
                moment - moment % SECOND + rng.randrange(1, SECOND)
            )
        if rng.random() < quirks.unknown_value:
            item["acknowledgementStatus"]["confirmationStatus"] = UNKNOWN_CONFIRMATION
        if rng.random() < quirks.null_object:
            item[rng.choice(("acknowledgementStatus", "receivingStatus", "listPrice"))] = None
        if rng.random() < quirks.unknown_field:
            item["undocumentedPart"] = 1
        return item

    def _plausible_item(self, order: Order, sequence: int, _: Random) -> dict[str, Any]:
        """Return an item of which most is confirmed, and received once the order has arrived."""
        products = self._catalogue.decoded_products
        line, plan = line_of(order, sequence, len(products)), delivery_of(order)
        product = products[line.product]
        size = decode(b"{%b}" % self._catalogue.units[line.product])["unitSize"]
        asked = line.ordered + order.revision
        cancelled = int(line.cancels * asked)
        if order.cancelled and sequence == 1:
            cancelled = asked
        if sequence == order.items:
            cancelled = asked - ((asked - cancelled) >> order.cuts)
        net = asked - cancelled
        is_new = order.state == "New"
        accepted = 0 if is_new else net - int(line.refuses * net)
        refused = 0 if is_new else net - accepted
        arrived = plan.arrives <= order.born and not is_new
        received = accepted - int(line.lacks * accepted) if arrived else 0
        item: dict[str, Any] = {
            "itemSequenceNumber": str(sequence),
            "buyerProductIdentifier": product["amazonProductIdentifier"],
            "netCost": product["netCost"],
            "orderedQuantity": {
                "orderedQuantity": _eaches(net * size),
                "orderedQuantityDetails": _quantities(
                    order, line.ordered * size, asked * size, cancelled * size
                ),
            },
            "acknowledgementStatus": {
                "confirmationStatus": "UNCONFIRMED" if is_new else _confirmation(accepted, net),
                "acceptedQuantity": _eaches(accepted * size),
                "rejectedQuantity": _eaches(refused * size),
            },
            "receivingStatus": {
                "receiveStatus": RECEIPTS[0 if not received else 2 if received == accepted else 1],
                "receivedQuantity": _eaches(received * size),
            },
        }
        names = ("vendorProductIdentifier", "listPrice")
        item |= {name: product[name] for name in names if name in product}
        if not is_new:
            item["acknowledgementStatus"]["acknowledgementStatusDetails"] = [
                {
                    "acknowledgementDate": to_text(_later(order, 9 * HOUR)),
                    "acceptedQuantity": _eaches(accepted * size),
                    "rejectedQuantity": _eaches(refused * size),
                }
            ]
        if received:
            item["receivingStatus"]["lastReceiveDate"] = to_text(plan.arrives)
        return item

    def _cancelled(self, order: Order, sequence: int, asked: int, rng: Random) -> int:
        """Return how many of an item were cancelled; all of it where its order shows none."""
        share = rng.random() if rng.random() < 0.15 else 0
        part = int(share * asked)
        return asked if order.cancelled and sequence == 1 else part


def _confirmation(accepted: int, net: int) -> str:
    return CONFIRMATIONS[0 if accepted == net else 1 if accepted else 2]


def _eaches(quantity: int) -> dict[str, Any]:
    return {"amount": quantity, "unitOfMeasure": "Eaches", "unitSize": 1}


def _quantities(order: Order, original: int, asked: int, cancelled: int) -> list[dict[str, Any]]:
    """Return what was ordered at first, and then the latest change if there is one."""
    quantities = [
        {
            "updatedDate": to_text(order.created),
            "orderedQuantity": _eaches(original),
            "cancelledQuantity": _eaches(0),
        }
    ]
    if (asked, cancelled) != (original, 0):
        quantities.append(
            {
                "updatedDate": to_text(
                    max(order.changed or 0, order.cut or 0) or order.state_changed
                ),
                "orderedQuantity": _eaches(asked),
                "cancelledQuantity": _eaches(cancelled),
            }
        )
    return quantities


def _later(order: Order, delay: Millis) -> Millis:
    return max(order.created, min(order.created + delay, order.born))
