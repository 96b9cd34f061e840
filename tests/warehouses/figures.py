"""The figures of the marts, worked out anew from the simulator's rows, by docs/analytics.md alone.

`figures` does so in Python; `QUERIES` ask the marts for the figures of the same names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tests.warehouses.warehouse import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from simulator import World
    from tests.warehouses.warehouse import Rows

GRACE = timedelta(days=7)
SOON = timedelta(days=3)
TOLERANCE = Decimal("0.01")
NOTHING = Decimal(0)
PROMOTION = "PROMOTION"
CHARGES = {
    "subtotal": "SUBTOTAL",
    "shipping": "SHIPPING_AND_HANDLING",
    "promotion": PROMOTION,
    "tax": "TAX",
    "net_total": "NET_TOTAL",
}

Row = dict[str, Any]


def figures(world: World, as_of: datetime) -> dict[str, Any]:
    """Return every figure by name: a number, or numbers by what they are of."""
    books = Books(served(world), as_of)
    return {**_vendor(books), **_business(books)}


@dataclass(frozen=True)
class Books:
    """Facts of each order line, as a person would put them together from Amazon's replies.

    Attributes:
        rows: The rows that the APIs send, by stream and key.
        as_of: The moment that due and late refer to.
    """

    rows: Rows
    as_of: datetime

    # ---- vendor ----------------------------------------------------------------------------------

    @cached_property
    def lines(self) -> list[Row]:
        """The items of purchase orders."""
        shipped, announced, left = self._shipments()
        orders, statuses = self.rows["purchase_orders"], self.rows["purchase_order_statuses"]
        found = []
        for key in sorted(orders.keys() | statuses.keys()):
            order, status = orders.get(key, {}), statuses.get(key, {})
            details = order.get("orderDetails") or {}
            items = {_line(item): item for item in details.get("items") or ()}
            states = {_line(item): item for item in status.get("itemStatus") or ()}
            for line in sorted(items.keys() | states.keys()):
                item, state = items.get(line, {}), states.get(line, {})
                place = _key(key[0]), line
                found.append(
                    {
                        **_of_order(key[0], order, status),
                        **_of_item(item, state),
                        "has_status": line in states,
                        "shipped": shipped[place],
                        "announced": announced[place],
                        "left": left.get(place),
                    }
                )
        return [self._judged(line) for line in found]

    def _judged(self, line: Row) -> Row:
        still = line["now"] - line["rejected"] - line["received"]
        open_units = 0 if line["closed"] else max(min(still, line["now"]), 0)
        on_the_way = max(line["shipped"] - line["received"], 0)
        unshipped = max(open_units - on_the_way, 0)
        until = line["until"]
        fulfilled = line["last_received"]
        if line["window"] == "ship":
            fulfilled = line["left"] or line["last_received"]
        end = self.as_of if open_units else fulfilled
        late = None if until is None or end is None else max((end - until) // timedelta(days=1), 0)
        at_risk = unshipped > 0 and until is not None and self.as_of <= until <= self.as_of + SOON
        due = line["closed"] or (until is not None and until < self.as_of)
        return {
            **line,
            "open": open_units,
            "unshipped": unshipped,
            "days_late": late,
            "at_risk": at_risk,
            "due": due,
            "fulfilled": fulfilled,
        }

    def _shipments(self) -> tuple[Counter[Any], Counter[Any], dict[Any, datetime]]:
        shipped: Counter[Any] = Counter()
        announced: Counter[Any] = Counter()
        left: dict[Any, datetime] = {}
        for row in self.rows["vendor_shipments"].values():
            if row.get("transactionType") == "Cancel":
                continue
            transport = row.get("transportationDetails") or {}
            confirmed = row.get("shipmentConfirmDate")
            moment = _moment(
                confirmed or transport.get("shippedDate") or row.get("shipmentCreateDate")
            )
            gone = row.get("currentShipmentStatus") == "Shipped" or confirmed is not None
            for order in row.get("purchaseOrders") or ():
                for item in order["items"]:
                    place = _key(order["purchaseOrderNumber"]), _line(item)
                    announced[place] += _eaches(item["shippedQuantity"])
                    if gone:
                        shipped[place] += _eaches(item["shippedQuantity"])
                        if moment is not None:
                            left[place] = max(left.get(place, moment), moment)
        return shipped, announced, left

    # ---- business --------------------------------------------------------------------------------

    @cached_property
    def numbers(self) -> dict[str, str]:
        """The account's purchase orders by their numbers, as these are compared."""
        streams = ("purchase_orders", "purchase_order_statuses")
        numbers = {number for stream in streams for (number,) in self.rows[stream]}
        return {_key(number): number for number in sorted(numbers, reverse=True)}

    @cached_property
    def spend(self) -> dict[str, Row]:
        """The Amazon Business orders by their ids."""
        named: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self.rows["order_reports"].values():
            named[str(row["orderMetadata"]["orderId"])].append(row)
        return {
            str(order_id): self._order(row, named[str(order_id)])
            for (order_id,), row in self.rows["orders"].items()
        }

    def _order(self, row: Row, reports: list[Row]) -> Row:
        candidates = sorted(
            reports,
            key=lambda one: (
                _key(one["purchaseOrderNumber"]) not in self.numbers,
                one.get("reportedPurchaseOrderNumber") is not None,
                str(one["purchaseOrderNumber"]),
            ),
        )
        number = (
            candidates[0]["purchaseOrderNumber"] if candidates else row.get("purchaseOrderNumber")
        )
        number = None if number is None else str(number)
        status = {"CANCELLED": "cancelled", "PENDING_APPROVAL": "awaiting approval"}.get(
            row["orderStatus"], "placed"
        )
        approver = (row.get("approverDetails") or {}).get("lastOrderApproverCustomer") or {}
        amount = _amount(row["charges"])
        metadata = row["orderMetadata"]
        return {
            "number": None if number is None else self.numbers.get(_key(number), number.strip()),
            "is_ours": None if number is None else _key(number) in self.numbers,
            "status": status,
            "month": _moment(metadata.get("orderDate")),
            "currency": _currency(row["charges"]),
            "charges": _by_kind(row["charges"]),
            "amount": amount,
            "net": amount if status == "placed" else NOTHING,
            "approver": approver.get("email") or approver.get("name"),
            "cost_centre": (row.get("businessOrderInfo") or {}).get("Cost center"),
        }

    @cached_property
    def reconciled(self) -> list[Row]:
        """The order lines, with what was shipped, charged and invoiced of each."""
        shipped = self._shipped()
        charged = self._charged()
        invoiced = self._invoiced()
        lines = {tuple(map(str, key)): row for key, row in self.rows["order_line_items"].items()}
        found = []
        for key in sorted(lines.keys() | shipped.keys() | charged.keys()):
            line = lines.get(key, {})
            price = line.get("unitPrice") or {}
            charge = charged.get(key, _charge())
            ordered = _amount(line.get("charges") or ())
            if ordered is None and price:
                ordered = line["quantity"] * Decimal(price["amount"])
            found.append(
                {
                    "status": self.spend.get(key[0], {}).get("status"),
                    "currency": _currency(line.get("charges") or ())
                    or price.get("currencyCode")
                    or charge["currency"],
                    "quantity": line.get("quantity"),
                    "ordered": ordered,
                    "category": (line.get("productDetails") or {}).get("productCategory"),
                    **shipped.get(key, _shipment()),
                    **{f"charge_{name}": value for name, value in charge.items()},
                    "invoices": len(invoiced.get(key, {})),
                    "unpaid": any(invoiced.get(key, {}).values()),
                }
            )
        return [self._compared(line) for line in found]

    def _shipped(self) -> dict[Any, Row]:
        statuses = {
            tuple(map(str, key)): row.get("shipmentStatus")
            for key, row in self.rows["shipments"].items()
        }
        found: dict[Any, Row] = {}
        for key, row in self.rows["shipment_line_items"].items():
            order, shipment, line = map(str, key)
            entry = found.setdefault((order, line), _shipment())
            receipt = row.get("receivingInfo") or {}
            entry["announced"] += row["quantity"]
            entry["received"] += receipt.get("quantity", 0)
            if (statuses.get((order, shipment)) or "SHIPPED") != "SHIPPED":
                continue
            entry["shipped"] += row["quantity"]
            amount = _amount(row["charges"])
            if amount is not None:
                entry["shipped_amount"] = (entry["shipped_amount"] or NOTHING) + amount
            moment = _moment((row.get("shipmentMetadata") or {}).get("shipmentDate"))
            if moment is not None:
                entry["shipped_at"] = max(entry["shipped_at"] or moment, moment)
        return found

    def _charged(self) -> dict[Any, Row]:
        parties = _Parties()
        found: dict[Any, Row] = {}
        units: defaultdict[Any, Counter[str]] = defaultdict(Counter)
        for (identifier,), row in self.rows["transactions"].items():
            kind = row.get("transactionType")
            for one in row.get("associatedTransactionDetails") or ():
                parties.names(identifier, one["associatedTransactionId"])
            for item in row.get("transactionLineItems") or ():
                total = item["totalAmount"]
                amount = Decimal(total["amount"])
                if kind == "CHARGE" and not amount:
                    continue
                key = str(item["orderId"]), item["orderLineItemId"]
                entry = found.setdefault(key, _charge())
                entry["currency"] = min(entry["currency"] or "~", total["currencyCode"])
                entry["currencies"].add(total["currencyCode"])
                if kind == "CHARGE":
                    entry["amount"] += amount
                    entry["has"] = True
                    units[*key, item.get("shipmentId") or ""][identifier] += item["itemQuantity"]
                    moment = _moment(row.get("transactionDate"))
                    if moment is not None:
                        entry["at"] = max(entry["at"] or moment, moment)
                elif kind in {"REFUND", "OVERREFUND"}:
                    entry["refunded"] += abs(amount)
                    if item.get("refundReason") != "CUSTOMER_RETURN":
                        entry["without_return"] += abs(amount)
                else:
                    entry["other"] += amount
        for (order, line, _), quantities in units.items():
            found[order, line]["quantity"] += parties.count(quantities)
        return found

    def _invoiced(self) -> dict[Any, dict[str, bool]]:
        unpaid = {}
        for (number,), row in self.rows["invoice_payments"].items():
            payment = row["paymentDetails"]
            due = _moment(payment["dueDate"])
            settled = payment["status"] in {"Closed", "Payment Processing"}
            unpaid[number] = due is not None and due < self.as_of and not settled
        found: defaultdict[Any, dict[str, bool]] = defaultdict(dict)
        for (order, line, _, number), invoice in self.rows["invoices"].items():
            together = (invoice.get("consolidatedInvoiceDetails") or {}).get("invoiceNumber")
            found[str(order), line][number] = unpaid.get(number, unpaid.get(str(together), False))
        return found

    def _compared(self, line: Row) -> Row:
        settled = self.as_of - GRACE
        shipped, charged, amount = line["shipped"], line["charge_quantity"], line["charge_amount"]
        refunded, has_charge = line["charge_refunded"], line["charge_has"]
        part = shipped and line["quantity"] is not None and shipped < line["quantity"]
        expected = line["ordered"]
        if part and line["shipped_amount"] is not None:
            expected = line["shipped_amount"]
        at, shipped_at = line["charge_at"], line["shipped_at"]
        kinds = {
            "refunded, never charged": (refunded > 0 and not has_charge, refunded),
            "charged not shipped": (
                charged > shipped and amount > refunded and at is not None and at < settled,
                max(amount - refunded - (line["shipped_amount"] or NOTHING), NOTHING),
            ),
            "shipped not charged": (
                shipped > charged
                and expected != 0
                and shipped_at is not None
                and shipped_at < settled,
                None if expected is None else max(expected - amount, NOTHING),
            ),
            "amount differs": (
                has_charge and expected is not None and abs(amount - expected) > TOLERANCE,
                None if expected is None else abs(amount - expected),
            ),
            "refund without return": (
                line["charge_without_return"] > 0,
                line["charge_without_return"],
            ),
            "unpaid past due": (line["unpaid"], amount or expected),
        }
        mismatch = next((kind for kind, (applies, _) in kinds.items() if applies), None)
        if mismatch is not None:
            agreement = mismatch if mismatch == "refunded, never charged" else "differs"
        elif line["status"] == "cancelled" and not shipped and not has_charge:
            agreement = "cancelled"
        elif (shipped and (expected == 0 or (has_charge and charged == shipped))) or (
            has_charge and refunded >= amount
        ):
            agreement = "agrees"
        else:
            agreement = "not shipped or charged yet"
        return {
            **line,
            "expected": expected,
            "mismatch": mismatch,
            "agreement": agreement,
            "at_stake": None if mismatch is None else kinds[mismatch][1],
        }


class _Parties:
    """Transactions that name each other, directly or by others."""

    def __init__(self) -> None:
        self._named: defaultdict[str, set[str]] = defaultdict(set)

    def names(self, one: str, other: str) -> None:
        """Remember that a transaction names another one."""
        self._named[one].add(other)
        self._named[other].add(one)

    def count(self, quantities: Mapping[str, int]) -> int:
        """Return the sum of quantities, of those that name each other the largest alone."""
        left, total = set(quantities), 0
        while left:
            party = {min(left)}
            while more := {
                other for one in party for other in self._named[one] & left if other not in party
            }:
                party |= more
            total += max(quantities[one] for one in party)
            left -= party
        return total


def _shipment() -> Row:
    return {"announced": 0, "shipped": 0, "received": 0, "shipped_amount": None, "shipped_at": None}


def _charge() -> Row:
    return {
        "currency": None,
        "currencies": set(),
        "quantity": 0,
        "amount": NOTHING,
        "refunded": NOTHING,
        "without_return": NOTHING,
        "other": NOTHING,
        "has": False,
        "at": None,
    }


def _of_order(number: str, order: Row, status: Row) -> Row:
    details = order.get("orderDetails") or {}
    delivery, ship = details.get("deliveryWindow"), details.get("shipWindow")
    window = delivery or ship
    return {
        "number": number,
        "closed": order.get("purchaseOrderState") == "Closed"
        or status.get("purchaseOrderStatus") == "CLOSED",
        "date": _moment(details.get("purchaseOrderDate") or status.get("purchaseOrderDate")),
        "ship_to": _party(details, "shipToParty") or _party(status, "shipToParty"),
        "vendor_code": _party(details, "sellingParty") or _party(status, "sellingParty"),
        "window": "delivery" if delivery else "ship" if ship else None,
        "until": _moment(window.partition("--")[2]) if window else None,
    }


def _of_item(item: Row, state: Row) -> Row:
    quantity = state.get("orderedQuantity") or {}
    details = sorted(
        quantity.get("orderedQuantityDetails") or (), key=lambda one: str(one["updatedDate"])
    )
    acknowledged = state.get("acknowledgementStatus") or {}
    answers = acknowledged.get("acknowledgementStatusDetails")
    unanswered = not acknowledged or acknowledged.get("confirmationStatus") == "UNCONFIRMED"
    receipt = state.get("receivingStatus") or {}
    cost = item.get("netCost") or state.get("netCost") or {}
    now = _eaches(quantity.get("orderedQuantity") or item.get("orderedQuantity"))

    def answer(name: str) -> int:
        if answers:
            return sum(_eaches(one.get(name)) for one in answers)
        return 0 if unanswered else _eaches(acknowledged.get(name))

    return {
        "first": _eaches(details[0]["orderedQuantity"]) if details else now,
        "now": now,
        "cancelled": sum(_eaches(one.get("cancelledQuantity")) for one in details),
        "confirmation": acknowledged.get("confirmationStatus"),
        "confirmed": answer("acceptedQuantity"),
        "rejected": answer("rejectedQuantity"),
        "received": _eaches(receipt.get("receivedQuantity")),
        "last_received": _moment(receipt.get("lastReceiveDate")),
        "cost": Decimal(cost["amount"]) if cost else None,
        "is_by_weight": "unitOfMeasure" in cost,
        "currency": cost.get("currencyCode"),
        "list_price": Decimal(item["listPrice"]["amount"]) if item.get("listPrice") else None,
    }


def _party(row: Row, name: str) -> str | None:
    return (row.get(name) or {}).get("partyId")


def _key(number: Any) -> str:
    return str(number).strip(" ").upper()


def _line(item: Row) -> str:
    return str(item["itemSequenceNumber"]).lstrip("0")


def _eaches(quantity: Row | None) -> int:
    if not quantity:
        return 0
    cases = quantity["unitOfMeasure"].lower().startswith("case")
    amount: int = quantity["amount"]
    return amount * quantity["unitSize"] if cases else amount


def _moment(value: Any) -> datetime | None:
    text = value["date"] if isinstance(value, dict) else value
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _by_kind(charges: Iterable[Row]) -> dict[str, Decimal]:
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in charges:
        found[one["type"]] += Decimal(one["amount"]["amount"])
    return found


def _currency(charges: Iterable[Row]) -> str | None:
    return next((one["amount"]["currencyCode"] for one in charges), None)


def _amount(charges: Iterable[Row]) -> Decimal | None:
    kinds = _by_kind(charges)
    if not kinds:
        return None
    if "NET_TOTAL" in kinds:
        return kinds["NET_TOTAL"]
    return sum((-abs(v) if kind == PROMOTION else v for kind, v in kinds.items()), NOTHING)


# ---- the figures ---------------------------------------------------------------------------------


def _sums(
    rows: Iterable[Row], by: Callable[[Row], Any], value: Callable[[Row], Any]
) -> dict[Any, Any]:
    """Return sums of what is known, by something; those of nothing are left out."""
    found: dict[Any, Any] = {}
    for row in rows:
        amount = value(row)
        if amount is not None and by(row) is not None:
            found[by(row)] = found.get(by(row), 0) + amount
    return {key: total for key, total in found.items() if total}


def _worth(name: str) -> Callable[[Row], Any]:
    def value(line: Row) -> Any:
        known = line["cost"] is not None and not line["is_by_weight"]
        return line[name] * line["cost"] if known else None

    return value


def _vendor(books: Books) -> dict[str, Any]:
    lines = books.lines
    found: dict[str, Any] = {
        "lines": len(lines),
        **{
            f"units {name}": sum(line[name] for line in lines)
            for name in (
                *("first", "now", "cancelled", "confirmed", "rejected", "announced", "shipped"),
                *("received", "open", "unshipped"),
            )
        },
        **{
            f"value {name}": _sums(lines, lambda line: line["currency"], _worth(name))
            for name in ("first", "now", "confirmed", "received", "open")
        },
        "net cost": sum(line["cost"] or 0 for line in lines),
        "list price": sum(line["list_price"] or 0 for line in lines),
        "lines closed": sum(line["closed"] for line in lines),
        "lines due": sum(line["due"] for line in lines),
        "lines late": sum(bool(line["days_late"]) for line in lines),
        "days late": sum(line["days_late"] or 0 for line in lines),
        "lines without days late": sum(line["days_late"] is None for line in lines),
        "lines at risk": sum(line["at_risk"] for line in lines),
    }
    still = [line for line in lines if line["open"]]
    found |= {
        "orders open": len({(line["number"], line["currency"]) for line in still}),
        "lines open": len(still),
        "lines open unconfirmed": sum(line["confirmation"] == "UNCONFIRMED" for line in still),
        "orders at risk": len(
            {(line["number"], line["currency"]) for line in still if line["at_risk"]}
        ),
        "value overdue": _sums(
            (line for line in still if line["days_late"]),
            lambda line: line["currency"],
            _worth("open"),
        ),
    }
    counted = [line for line in lines if line["has_status"]]
    sums = {
        "confirmed of ordered": lambda line: min(line["confirmed"], line["first"]),
        "units due": lambda line: line["now"] if line["due"] else 0,
        "units filled": lambda line: (
            max(min(line["received"], line["now"]), 0) if line["due"] else 0
        ),
        "units timed": lambda line: line["received"] if _timed(line) else 0,
        "units on time": lambda line: (
            line["received"] if _timed(line) and line["fulfilled"] <= line["until"] else 0
        ),
        "lines due and promised": lambda line: int(_promised(line)),
        "lines on time in full": lambda line: int(
            _promised(line)
            and line["fulfilled"] is not None
            and line["fulfilled"] <= line["until"]
            and line["received"] >= line["now"]
        ),
    }
    found |= {name: _sums(counted, _week, value) for name, value in sums.items()}
    return found


def _timed(line: Row) -> bool:
    known = line["until"] is not None and line["fulfilled"] is not None
    return bool(line["received"] > 0 and known)


def _promised(line: Row) -> bool:
    return bool(line["due"] and line["now"] > 0 and line["until"] is not None)


def _week(line: Row) -> str:
    if line["date"] is None:
        return "none"
    date = line["date"].date()
    return str(date - timedelta(days=date.weekday()))


def _business(books: Books) -> dict[str, Any]:
    orders, lines = list(books.spend.values()), books.reconciled
    reports = books.rows["order_reports"].values()
    placed = [order for order in orders if order["status"] == "placed"]
    found: dict[str, Any] = {
        "orders by status": dict(Counter(order["status"] for order in orders)),
        "order amount": _sums(orders, _currency_of, lambda order: order["amount"]),
        "net amount": _sums(orders, _currency_of, lambda order: order["net"]),
        **{
            f"charge {name}": _sums(orders, _currency_of, _charged_as(kind))
            for name, kind in CHARGES.items()
        },
        **{
            f"spend {status}": _sums(
                (order for order in orders if order["status"] == status),
                _currency_of,
                lambda order: order["amount"],
            )
            for status in ("awaiting approval", "cancelled")
        },
        "spend by month": _sums(
            placed,
            lambda o: o["currency"] and o["month"] and (f"{o['month']:%Y-%m-01}", o["currency"]),
            lambda order: order["amount"],
        ),
        "spend by approver": _sums(placed, _with_currency("approver"), lambda o: o["amount"]),
        "spend by cost centre": _sums(placed, _with_currency("cost_centre"), lambda o: o["amount"]),
        "orders by purchase order": dict(
            Counter(_key(order["number"]) for order in orders if order["number"])
        ),
        "orders that name a purchase order": dict(Counter(str(o["is_ours"]) for o in orders)),
        "reports by match": dict(
            Counter(
                "a purchase order of the account"
                if _key(report["purchaseOrderNumber"]) in books.numbers
                else "no purchase order of the account"
                for report in reports
            )
        ),
        "order lines": len(lines),
        **{
            f"pieces {name}": sum(line[name] or 0 for line in lines)
            for name in ("quantity", "announced", "shipped", "received", "charge_quantity")
        },
        **{
            f"amount {name}": _sums(lines, _currency_of, itemgetter(name))
            for name in (
                *("ordered", "shipped_amount", "expected", "charge_amount", "charge_refunded"),
                *("charge_without_return", "charge_other", "at_stake"),
            )
        },
        "lines by mismatch": dict(Counter(str(line["mismatch"]) for line in lines)),
        "lines by agreement": dict(Counter(line["agreement"] for line in lines)),
        "at stake by mismatch": _sums(
            lines,
            lambda line: line["mismatch"] and (line["mismatch"], line["currency"]),
            lambda line: line["at_stake"],
        ),
        "spend by category": _sums(
            (line for line in lines if line["status"] == "placed"),
            _with_currency("category"),
            lambda line: line["ordered"],
        ),
        "invoices": sum(line["invoices"] for line in lines),
        "lines unpaid": sum(line["unpaid"] for line in lines),
    }
    return found


def _charged_as(kind: str) -> Callable[[Row], Any]:
    return lambda order: order["charges"].get(kind)


def _currency_of(row: Row) -> str | None:
    currency: str | None = row["currency"]
    return currency


def _with_currency(name: str) -> Callable[[Row], Any]:
    return lambda row: row["currency"] and row[name] and (row[name], row["currency"])


# ---- what the marts say --------------------------------------------------------------------------

_LINES = "from analytics.purchase_order_lines"
_ORDERS = "from analytics.open_purchase_orders"
_SPEND = "from analytics.order_spend"
_MONTHS = "from analytics.spend_by_month"
_RECONCILED = "from analytics.purchase_reconciliation"


def _by(columns: str, amount: str, source: str) -> str:
    return f"select {columns}, {amount} {source} group by {columns}"


def _week_sum(column: str) -> str:
    return _by(
        "coalesce(cast(week as varchar), 'none')",
        f"sum({column})",
        "from analytics.vendor_scorecard",
    )


QUERIES: Mapping[str, str] = {
    "lines": f"select count(*) {_LINES}",
    "units first": f"select sum(ordered_first) {_LINES}",
    "units now": f"select sum(ordered_now) {_LINES}",
    "units cancelled": f"select sum(cancelled_quantity) {_LINES}",
    "units confirmed": f"select sum(confirmed_quantity) {_LINES}",
    "units rejected": f"select sum(rejected_quantity) {_LINES}",
    "units announced": f"select sum(announced_quantity) {_LINES}",
    "units shipped": f"select sum(shipped_quantity) {_LINES}",
    "units received": f"select sum(received_quantity) {_LINES}",
    "units open": f"select sum(open_quantity) {_ORDERS}",
    "units unshipped": f"select sum(unshipped_quantity) {_ORDERS}",
    "value first": _by("currency", "sum(ordered_first_value)", _LINES),
    "value now": _by("currency", "sum(ordered_now_value)", _LINES),
    "value confirmed": _by("currency", "sum(confirmed_value)", _LINES),
    "value received": _by("currency", "sum(received_value)", _LINES),
    "value open": _by("currency", "sum(open_value)", _ORDERS),
    "net cost": f"select sum(net_cost) {_LINES}",
    "list price": f"select sum(list_price) {_LINES}",
    "lines closed": f"select count(*) {_LINES} where is_closed",
    "lines due": f"select count(*) {_LINES} where is_due",
    "lines late": f"select count(*) {_LINES} where days_late > 0",
    "days late": f"select sum(days_late) {_LINES}",
    "lines without days late": f"select count(*) {_LINES} where days_late is null",
    "lines at risk": f"select count(*) {_LINES} where is_at_risk",
    "orders open": f"select count(*) {_ORDERS}",
    "lines open": f"select sum(open_lines) {_ORDERS}",
    "lines open unconfirmed": f"select sum(unconfirmed_lines) {_ORDERS}",
    "orders at risk": f"select count(*) {_ORDERS} where is_at_risk",
    "value overdue": _by("currency", "sum(overdue_value)", _ORDERS),
    "confirmed of ordered": _week_sum("confirmed_of_ordered"),
    "units due": _week_sum("due_quantity"),
    "units filled": _week_sum("filled_quantity"),
    "units timed": _week_sum("timed_quantity"),
    "units on time": _week_sum("on_time_quantity"),
    "lines due and promised": _week_sum("due_lines"),
    "lines on time in full": _week_sum("on_time_in_full_lines"),
    "orders by status": _by("spend_status", "count(*)", _SPEND),
    "order amount": _by("currency", "sum(order_amount)", _SPEND),
    "net amount": _by("currency", "sum(net_amount)", _SPEND),
    **{f"charge {name}": _by("currency", f"sum({name})", _SPEND) for name in CHARGES},
    "spend awaiting approval": _by("currency", "sum(awaiting_approval_amount)", _MONTHS),
    "spend cancelled": _by("currency", "sum(cancelled_amount)", _MONTHS),
    "spend by month": _by("cast(order_month as varchar), currency", "sum(net_amount)", _MONTHS),
    "spend by approver": _by("approver, currency", "sum(net_amount)", _MONTHS),
    "spend by cost centre": _by("cost_centre, currency", "sum(net_amount)", _MONTHS),
    "orders by purchase order": _by(
        "upper(purchase_order_number)", "sum(orders)", "from analytics.spend_by_purchase_order"
    ),
    "orders that name a purchase order": _by(
        "case is_purchase_order when true then 'True' when false then 'False' else 'None' end",
        "count(*)",
        _SPEND,
    ),
    "reports by match": _by("names", "sum(order_reports)", "from analytics.order_report_matches"),
    "order lines": f"select count(*) {_RECONCILED}",
    "pieces quantity": f"select sum(ordered_quantity) {_RECONCILED}",
    "pieces announced": f"select sum(announced_quantity) {_RECONCILED}",
    "pieces shipped": f"select sum(shipped_quantity) {_RECONCILED}",
    "pieces received": f"select sum(received_quantity) {_RECONCILED}",
    "pieces charge_quantity": f"select sum(charged_quantity) {_RECONCILED}",
    "amount ordered": _by("currency", "sum(ordered_amount)", _RECONCILED),
    "amount shipped_amount": _by("currency", "sum(shipped_amount)", _RECONCILED),
    "amount expected": _by("currency", "sum(expected_amount)", _RECONCILED),
    "amount charge_amount": _by("currency", "sum(charged_amount)", _RECONCILED),
    "amount charge_refunded": _by("currency", "sum(refunded_amount)", _RECONCILED),
    "amount charge_without_return": _by("currency", "sum(refunded_without_return)", _RECONCILED),
    "amount charge_other": _by("currency", "sum(other_amount)", _RECONCILED),
    "amount at_stake": _by("currency", "sum(at_stake)", _RECONCILED),
    "lines by mismatch": _by("coalesce(mismatch, 'None')", "count(*)", _RECONCILED),
    "lines by agreement": _by("agreement", "count(*)", _RECONCILED),
    "at stake by mismatch": _by("mismatch, currency", "sum(at_stake)", _RECONCILED),
    "spend by category": _by(
        "category, currency", "sum(ordered_amount)", f"{_RECONCILED} where spend_status = 'placed'"
    ),
    "invoices": f"select sum(invoices) {_RECONCILED}",
    "lines unpaid": f"select count(*) {_RECONCILED} where is_unpaid_past_due",
}


def asked(query: Callable[[str], list[tuple[Any, ...]]]) -> dict[str, Any]:
    """Return what the marts say of every figure."""
    return {name: _figure(query(sql)) for name, sql in QUERIES.items()}


def _figure(rows: list[tuple[Any, ...]]) -> Any:
    if len(rows) == 1 and len(rows[0]) == 1:
        return rows[0][0] or 0
    return {
        (key[0] if len(key) == 1 else tuple(key)): value
        for *key, value in rows
        if value and None not in key
    }
