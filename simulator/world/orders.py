"""Purchase orders of the Vendor Orders API (model `Order`)."""

from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from simulator.encoding import encode
from simulator.times import DAY, Millis, to_text
from simulator.world.catalogue import Catalogue, party_alone
from simulator.world.plausible import delivery_of, line_of
from simulator.world.quirks import RowQuirks

STATES = ("New", "Acknowledged", "Closed")
UNKNOWN_STATE = "PartiallyClosed"

_TYPES = ("RegularOrder", "ConsignedOrder", "NewProductIntroduction", "RushOrder")
_PAYMENTS = ("Invoice", "Consignment", "CreditCard", "Prepaid")
_TERMS = ("ExWorks", "FreeCarrier", "FreeOnBoard", "DeliverDutyPaid")
_PARTIES = ("buyingParty", "sellingParty", "shipToParty", "billToParty")
_DATES = ("purchaseOrderDate", "purchaseOrderChangedDate", "purchaseOrderStateChangedDate")


@dataclass(frozen=True, slots=True)
class Order:
    """A purchase order, not written out.

    Attributes:
        number: purchaseOrderNumber.
        seed: Everything else in the row follows from this.
        created: purchaseOrderDate.
        changed: purchaseOrderChangedDate; none until the first change.
        state_changed: purchaseOrderStateChangedDate.
        state: purchaseOrderState.
        vendor_code: sellingParty.partyId.
        items: How many items it has.
        cancelled: Whether an item is cancelled (`poItemState=Cancelled` finds it).
        born: When it came into the world; nothing that follows from it is younger.
        revision: Changes so far; each changes every item's quantity.
        cut: When its last item was cut for the last time. No date of the order shows it.
        cuts: Cuts so far; each halves the last item's quantity, down to nothing.
        received: When goods were received for the last time. Only its status shows it.
        plausible: Whether what becomes of it is as a business would have it; see `plausible`.
        status_date: The purchaseOrderDate of its status, where that is another one.
    """

    number: str
    seed: int
    created: Millis
    changed: Millis | None
    state_changed: Millis
    state: str
    vendor_code: str
    items: int
    cancelled: bool
    born: Millis
    revision: int = 0
    cut: Millis | None = None
    cuts: int = 0
    received: Millis | None = None
    plausible: bool = False
    status_date: str | None = None

    @property
    def updated(self) -> Millis | None:
        """The lastUpdatedDate of its status; none until something happened to it."""
        touched = max(self.changed or 0, self.cut or 0, self.received or 0)
        if not touched and self.state_changed == self.created:
            return None
        return max(touched, self.state_changed)


@dataclass(frozen=True, slots=True)
class Oddities:
    """The oddities of one row, whatever its revision."""

    hidden_dates: tuple[str, ...]
    hides_state: bool

    @property
    def none(self) -> bool:
        """True if the row shows its state and all of its dates."""
        return not self.hidden_dates and not self.hides_state


class OrderWriter:
    """Writes purchase orders as JSON."""

    def __init__(self, catalogue: Catalogue, quirks: RowQuirks) -> None:
        self._catalogue = catalogue
        self._quirks = quirks

    def oddities(self, order: Order) -> Oddities:
        """Return what an order does not show."""
        return self._oddities(Random(order.seed))

    def brief(self, order: Order) -> bytes:
        """Return the row as `includeDetails=false` gives it."""
        return encode(self._top(order, self.oddities(order)))

    def full(self, order: Order) -> bytes:
        """Return the row with its details."""
        rng = Random(order.seed)
        oddities = self._oddities(rng)
        row = self._top(order, oddities)
        row["orderDetails"] = {**self._dates(order, oddities, rng), **self._details(order, rng)}
        if rng.random() < self._quirks.unknown_field:
            row["undocumentedField"] = ["x", {"y": 1}]
        row["orderDetails"]["items"] = msgspec.Raw(self._items(order, rng))
        return encode(row)

    def _oddities(self, rng: Random) -> Oddities:
        hidden: tuple[str, ...] = ()
        if rng.random() < self._quirks.no_dates:
            hidden = _DATES
        elif rng.random() < self._quirks.missing_date:
            hidden = (rng.choice(_DATES),)
        return Oddities(hidden, rng.random() < self._quirks.no_state)

    def _top(self, order: Order, oddities: Oddities) -> dict[str, Any]:
        row: dict[str, Any] = {"purchaseOrderNumber": self._quirks.number(order.number, order.seed)}
        if not oddities.hides_state:
            row["purchaseOrderState"] = order.state
        return row

    def _dates(self, order: Order, oddities: Oddities, rng: Random) -> dict[str, str]:
        offset = rng.choice((2, -5, 9)) if rng.random() < self._quirks.offset else 0
        moments = (order.created, order.changed, order.state_changed)
        return {
            name: to_text(moment, offset_hours=offset)
            for name, moment in zip(_DATES, moments, strict=True)
            if moment is not None and name not in oddities.hidden_dates
        }

    def _details(self, order: Order, rng: Random) -> dict[str, Any]:
        quirks, buyers = self._quirks, self._catalogue.buyers
        buyer = rng.choice(buyers)
        details: dict[str, Any] = {
            "purchaseOrderType": rng.choice(_TYPES),
            "paymentMethod": rng.choice(_PAYMENTS),
            "buyingParty": buyer,
            "sellingParty": self._catalogue.sellers[order.vendor_code],
            "shipToParty": rng.choice(buyers),
            "billToParty": buyer,
            "shipWindow": _interval(order.created + DAY, 6),
        }
        if rng.random() < quirks.unknown_value:
            details["purchaseOrderType"] = "STANDING_ORDER"
        if rng.random() < 0.3:
            details["deliveryWindow"] = _interval(order.created + 3 * DAY, 8)
        if Random(order.seed + 7).random() < 0.4:
            # What recorded accounts show: parties without details, and one window alone.
            del details["shipWindow"]
            details["deliveryWindow"] = _interval(order.created + 3 * DAY, 8)
            details |= {name: party_alone(details[name]) for name in _PARTIES}
        if order.plausible:
            # One window, so that everybody means the same by late.
            plan = delivery_of(order)
            to = msgspec.Raw(encode({"partyId": plan.warehouse}))
            details |= {"purchaseOrderType": "RegularOrder", "shipToParty": to}
            details.pop("shipWindow", None)
            details["deliveryWindow"] = _interval(plan.promised[0], 8)
        if rng.random() < 0.2:
            details["dealCode"] = f"DEAL-{rng.randrange(1000)}"
        if rng.random() < 0.15:
            details["importDetails"] = {
                "methodOfPayment": "PrepaidBySeller",
                "internationalCommercialTerms": rng.choice(_TERMS),
                "portOfDelivery": "Göteborg",
                "importContainers": "2-20'HC,1-45'",
                "shippingInstructions": "Pallets preferred;\nfloor-loaded if need be",
            }
        if rng.random() < quirks.null_object:
            details[rng.choice(("importDetails", "billToParty", "shipToParty"))] = None
        if rng.random() < quirks.unknown_field:
            details["undocumentedDetail"] = {"undocumentedPart": True}
        return details

    def _items(self, order: Order, rng: Random) -> bytes:
        products, units = self._catalogue.products, self._catalogue.units
        form = b'{"itemSequenceNumber":"%d","orderedQuantity":{"amount":%d,%b},%b}'
        if rng.random() < 0.1:
            form = form.replace(b"%d", b"%05d", 1)
        parts = []
        for sequence in range(1, order.items + 1):
            bits = rng.getrandbits(32)
            chosen = bits % len(products)
            gone = order.cancelled and sequence == 1
            quantity = 0 if gone else 1 + ((bits >> 16) + order.revision) % 120
            if order.plausible:
                line = line_of(order, sequence, len(products))
                asked = line.ordered + order.revision
                chosen = line.product
                quantity = 0 if gone else asked - int(line.cancels * asked)
            if sequence == order.items:
                quantity >>= order.cuts
            parts.append(form % (sequence, quantity, units[chosen], products[chosen]))
        return b"[" + b",".join(parts) + b"]"


def _interval(start: Millis, days: int) -> str:
    """Return Amazon's DateTimeInterval: two date-times with two hyphens between them."""
    start -= start % DAY
    return f"{to_text(start)}--{to_text(start + days * DAY)}"
