"""Plans of a plausible business: what a vendor delivers, and what a buyer orders and pays.

The writers ask for these plans where an order or report is `plausible`. A plan follows from the
seed alone, so that later changes of an order leave the rest of it as it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from simulator.times import DAY, HOUR, Millis

if TYPE_CHECKING:
    from simulator.world.orders import Order
    from simulator.world.reports import Report

# ---- what is traded ------------------------------------------------------------------------------

CURRENCIES = ("USD", "CAD", "EUR")
_WAREHOUSE_CURRENCIES = {"YYZ4": "CAD", "DUS2": "EUR"}
_WAREHOUSES = {"ABE2": 24, "BFI4": 22, "DUS2": 12, "ONT8": 28, "YYZ4": 14}
_ON_TIME = {"ABE2": 0.97, "BFI4": 0.93, "DUS2": 0.86, "ONT8": 0.95, "YYZ4": 0.76}

# Category, and what is sold in it with its least and highest price in cents.
_GOODS = (
    ("Office Product", (("Copy paper A4, 5 reams", 2100, 3200), ("Ring binders, 10", 1400, 2600))),
    ("Office Product", (("Whiteboard markers, 12", 900, 1600), ("Label printer tape", 1200, 2400))),
    ("Personal Computer", (("USB-C dock", 8900, 18900), ("27 inch monitor", 17900, 32900))),
    ("Personal Computer", (("Wireless keyboard", 3900, 7900), ("Headset", 4900, 12900))),
    ("Kitchen", (("Coffee beans, 6 kg", 6500, 9800), ("Paper cups, 1,000", 3900, 5900))),
    ("Tools & Hardware", (("Cordless drill", 9900, 17900), ("Nitrile gloves, 100", 900, 1900))),
    ("Furniture", (("Office chair", 12900, 28900), ("Desk lamp, LED", 2900, 5900))),
)
SELLERS = (
    ("Northwind Supplies", 2),
    ("Händler & Co", 3),
    ("Brightline Office", 4),
    ("Kessel Trading", 8),
)
"""Who sells, and the days that an order takes to arrive."""

# Each with the group that orders for it, and its share of the orders.
COST_CENTRES = (
    ("CC-100 Facilities", "Facilities", 30),
    ("CC-210 Research", "R&D", 22),
    ("CC-220 Laboratory", "R&D", 10),
    ("CC-300 IT", "IT / Hardware", 26),
    ("CC-400 Munich", "Büro München", 12),
)
# Who approves for a group, as places in the catalogue's people. The director approves large orders.
_APPROVERS = {"Facilities": 1, "R&D": 3, "IT / Hardware": 0, "Büro München": 1}
_DIRECTOR = 2
_NEEDS_APPROVAL = Decimal(150)
_NEEDS_DIRECTOR = Decimal(900)

_SEASON = (0.75, 0.8, 0.95, 1.0, 1.05, 0.95, 0.8, 0.75, 1.05, 1.1, 1.3, 1.4)
_WEEKEND = 0.35


def is_in_season(moment: Millis, rng: Random) -> bool:
    """Return whether an order drawn at a moment is kept: fewer are in winter and at weekends."""
    date = datetime.fromtimestamp(moment / 1000, UTC)
    share = _SEASON[date.month - 1] * (_WEEKEND if date.weekday() > 4 else 1)
    return rng.random() < share / max(_SEASON)


def goods(number: int) -> tuple[str, str, int]:
    """Return title, category and price in cents of a product."""
    rng = Random(f"goods {number}")
    category, kinds = _GOODS[number % len(_GOODS)]
    title, least, most = kinds[number // len(_GOODS) % len(kinds)]
    return title, category, rng.randrange(least, most, 10) + 9


def currency_of(number: int) -> str:
    """Return the currency that a product is bought in."""
    return CURRENCIES[number % len(CURRENCIES)]


# ---- a purchase order ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Delivery:
    """The course of a purchase order.

    Attributes:
        warehouse: Where it goes.
        currency: What it is paid in.
        promised: Start and end of the window in which it is promised.
        leaves: When the goods leave.
        arrives: When they arrive, perhaps after the world's present.
    """

    warehouse: str
    currency: str
    promised: tuple[Millis, Millis]
    leaves: Millis
    arrives: Millis


def delivery_of(order: "Order") -> Delivery:
    """Return what becomes of a purchase order."""
    rng = Random(f"delivery {order.seed}")
    warehouse = rng.choices(tuple(_WAREHOUSES), tuple(_WAREHOUSES.values()))[0]
    start = order.created + 3 * DAY
    start -= start % DAY
    end = start + 8 * DAY
    if rng.random() < _ON_TIME[warehouse]:
        arrives = start + int(rng.random() * (end - start))
    else:
        arrives = end + int((0.3 + rng.random() ** 2 * 12) * DAY)
    if rng.random() < 0.04:
        arrives += int(rng.random() * 90 * DAY)  # lost, and found again
    leaves = max(order.created + 6 * HOUR, arrives - int((1.5 + rng.random() * 2) * DAY))
    currency = _WAREHOUSE_CURRENCIES.get(warehouse, "USD")
    return Delivery(warehouse, currency, (start, end), leaves, arrives)


def state_of(order_created: Millis, now: Millis, rng: Random, states: Sequence[str]) -> str:
    """Return the state of an order of an age: new, acknowledged, and closed in the end."""
    days = (now - order_created) / DAY
    if days < 1:
        return states[0]
    return states[2] if days > 16 and rng.random() < 0.96 else states[1]


@dataclass(frozen=True)
class Line:
    """The course of a line of a purchase order, in the unit that it is ordered in.

    Attributes:
        product: Its place in the catalogue.
        ordered: What is ordered at first.
        refuses: Share that the vendor does not confirm.
        cancels: Share that is cancelled.
        lacks: Share of what is confirmed that never arrives.
    """

    product: int
    ordered: int
    refuses: float
    cancels: float
    lacks: float


def line_of(order: "Order", sequence: int, products: int) -> Line:
    """Return what becomes of a line; `products` is how many there are."""
    rng = Random(f"line {order.seed} {sequence}")
    place = CURRENCIES.index(delivery_of(order).currency)
    product = rng.randrange(products // len(CURRENCIES)) * len(CURRENCIES) + place
    ordered = rng.choice((4, 6, 8, 10, 12, 12, 20, 24, 24, 36, 48))
    refuses, cancels, lacks = (rng.random() for _ in range(3))
    return Line(
        product=product,
        ordered=ordered,
        refuses=1.0 if refuses < 0.015 else 0.5 if refuses < 0.05 else 0.0,
        cancels=0.25 if cancels < 0.04 else 0.0,
        lacks=0.4 if lacks < 0.08 else 1.0 if lacks < 0.1 else 0.0,
    )


# ---- an Amazon Business order --------------------------------------------------------------------


@dataclass(frozen=True)
class Bought:
    """A line of an Amazon Business order; amounts in cents.

    Attributes:
        product: Its place in the catalogue.
        quantity: How many.
        price: The price of one.
        seller: Its place in `SELLERS`.
    """

    product: int
    quantity: int
    price: int
    seller: int

    def net(self, quantity: int | None = None) -> int:
        """Return what some of it cost with tax, all of it if omitted."""
        cost = self.price * (self.quantity if quantity is None else quantity)
        return cost + self.tax(quantity)

    def tax(self, quantity: int | None = None) -> int:
        """Return the tax on some of it, at 8 per cent."""
        return self.price * (self.quantity if quantity is None else quantity) * 8 // 100


@dataclass(frozen=True)
class Charge:
    """A transaction of an Amazon Business order.

    Attributes:
        kind: CHARGE or REFUND.
        shipment: The shipment that it is for, from 0.
        lines: The order's lines with the quantity and the amount in cents of each.
        after: How long after the order.
        instrument: paymentInstrumentType.
        names: Parts of the identifiers of the transactions that it is associated with.
        reason: refundReason.
    """

    kind: str
    shipment: int
    lines: tuple[tuple[int, int, int], ...]
    after: Millis
    instrument: str = "Visa"
    names: tuple[int, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class Purchase:
    """An Amazon Business order.

    Attributes:
        status: orderStatus.
        centre: The cost centre, its place in `COST_CENTRES`.
        buyer: Who orders, and who approves, as places in the catalogue's people.
        approver: None where no approval is needed.
        lines: What is bought.
        shipping: Cost of shipping, in cents.
        shipments: The lines of each shipment.
        stuck: Whether the shipments are charged and never leave.
        charges: The transactions.
    """

    status: str
    centre: int
    buyer: int
    approver: int | None
    lines: tuple[Bought, ...]
    shipping: int
    shipments: tuple[tuple[int, ...], ...]
    stuck: bool
    charges: tuple[Charge, ...]


def purchase_of(report: "Report") -> Purchase:
    """Return the order behind a report."""
    rng = Random(f"purchase {report.seed}")
    age = report.born - report.ordered
    centre = rng.choices(range(len(COST_CENTRES)), [weight for *_, weight in COST_CENTRES])[0]
    lines = tuple(_bought(rng) for _ in range(1 + report.seed % 4))
    cancelled = rng.random() < 0.04
    waits = age < 9 * DAY and rng.random() < 0.4
    total = Decimal(sum(line.net() for line in lines)).scaleb(-2)
    approver = None
    if total > _NEEDS_APPROVAL:
        approver = _DIRECTOR if total > _NEEDS_DIRECTOR else _APPROVERS[COST_CENTRES[centre][1]]
    shipments: tuple[tuple[int, ...], ...] = ()
    sent = not cancelled and not waits and age > 2 * DAY
    if sent:
        places = tuple(range(len(lines)))
        split = len(lines) > 1 and rng.random() < 0.2
        shipments = (places[:1], places[1:]) if split else (places,)
    stuck = sent and rng.random() < 0.008
    status = (
        "CANCELLED"
        if cancelled
        else "PENDING_APPROVAL"
        if waits and approver is not None
        else "CLOSED"
        if age > 8 * DAY
        else "PENDING_FULFILLMENT"
    )
    return Purchase(
        status=status,
        centre=centre,
        buyer=rng.randrange(5),
        approver=None if status == "PENDING_APPROVAL" else approver,
        lines=lines,
        shipping=0 if total > 35 else 599,
        shipments=shipments,
        stuck=stuck,
        charges=tuple(_charges(lines, shipments, age, rng)),
    )


def _bought(rng: Random) -> Bought:
    product = rng.randrange(0, 60)
    seller = rng.choices(range(len(SELLERS)), (5, 4, 3, 1))[0]
    quantity = rng.choice((1, 1, 1, 2, 2, 3, 4, 5, 6, 10))
    return Bought(product, quantity, goods(product)[2], seller)


def _charges(
    lines: Sequence[Bought],
    shipments: Sequence[Sequence[int]],
    age: Millis,
    rng: Random,
) -> Iterator[Charge]:
    """Yield the transactions of an order; a few of them are in dispute."""
    count = 0
    for shipment, places in enumerate(shipments):
        after = (shipment + 1) * 20 * HOUR + 2 * HOUR
        drawn = rng.random()
        if drawn < 0.008:
            continue  # shipped, never charged
        # A price that rose between order and charge.
        dearer = 104 if drawn < 0.024 else 100
        charged = tuple(
            (place, lines[place].quantity, lines[place].net() * dearer // 100) for place in places
        )
        if rng.random() < 0.03:
            half = tuple((place, quantity, amount // 3) for place, quantity, amount in charged)
            rest = tuple(
                (place, quantity, amount - amount // 3) for place, quantity, amount in charged
            )
            yield Charge("CHARGE", shipment, half, after, "Gift Card", names=(count + 1,))
            yield Charge("CHARGE", shipment, rest, after, names=(count,))
            count += 2
        else:
            yield Charge("CHARGE", shipment, charged, after)
            count += 1
        drawn = rng.random()
        if drawn < 0.04 and age > 14 * DAY:
            place, quantity, amount = charged[0]
            reason = "CUSTOMER_RETURN" if drawn < 0.032 else "PRICE_ADJUSTMENT"
            back = (place, 1, -(amount // quantity))
            yield Charge("REFUND", shipment, (back,), after + 9 * DAY, reason=reason)
            count += 1
