"""The result of a complete sync: the rows of every stream, their number, and sums of money."""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Context, Decimal, Inexact
from typing import Any

from typing_extensions import override

from simulator.encoding import Row, decode
from simulator.world import World
from simulator.world.fulfilment import ReportKind

Key = tuple[str, ...]
"""The values of a stream's key fields."""


def rows(world: World, stream: str) -> dict[Key, Row]:
    """Return the rows of a stream as the API sends them now, by key.

    Args:
        world: Where they are.
        stream: A key of `truth(world)["rows"]`.
    """
    with world.lock:
        world.settle()
        return dict(_readers(world)[stream](world))


def truth(world: World) -> dict[str, dict[str, Any]]:
    """Return `{"rows": {stream: count}, "money": {"stream.field": decimal string}}`.

    Money is summed over all currencies: a check sum, not an amount.
    """
    with world.lock:
        world.settle()
        return {"rows": _counts(world), "money": _money(world)}


def _counts(world: World) -> dict[str, int]:
    orders = [order for _, order in world.orders.visible()]
    reports = [report for _, report in world.reports.visible()]
    return {
        "purchase_orders": len(orders),
        "purchase_order_items": sum(order.items for order in orders),
        "purchase_order_statuses": len(orders),
        "vendor_shipments": sum(1 for _ in world.vendor_shipments.table.visible()),
        "order_reports": sum(report.asked is not None for report in reports),
        "orders": len(reports),
        **{kind.stream: sum(map(kind.count, reports)) for kind in world.fulfilment.kinds()},
        "transactions": sum(1 for _ in world.transactions.table.visible()),
        "invoices": len(dict(_invoices(world))),
        "invoice_payments": len(dict(_invoice_payments(world))),
        "purchase_order_status_items": sum(order.items for order in orders),
        "vendor_shipment_items": len(dict(_vendor_shipment_items(world))),
    }


def _money(world: World) -> dict[str, str]:
    net, listed, charges = Total(), Total(), Total()
    for order in world.each_order():
        for item in order["orderDetails"]["items"]:
            net.add(item["netCost"]["amount"])
            if item.get("listPrice"):
                listed.add(item["listPrice"]["amount"])
    for report in world.each_order_report():
        for charge in report["charges"]:
            charges.add(charge["amount"]["amount"])
    return {
        "purchase_order_items.netCost": str(net),
        "purchase_order_items.listPrice": str(listed),
        "order_reports.charges": str(charges),
    }


class Total:
    """An exact sum; raises an error where it would have to round."""

    def __init__(self) -> None:
        # Prices repeat: counting them first is much quicker than adding one by one.
        self._counts: Counter[str | Decimal | int] = Counter()

    @override
    def __str__(self) -> str:
        context = Context(prec=80, traps=[Inexact])
        total = Decimal(0)
        for amount, count in self._counts.items():
            total = context.add(total, context.multiply(Decimal(amount), Decimal(count)))
        return f"{total:f}"

    def add(self, amount: str | Decimal | int) -> None:
        """Add an amount."""
        self._counts[amount] += 1


_Pairs = Iterator[tuple[Key, Row]]


def _purchase_orders(world: World) -> _Pairs:
    return (((str(row["purchaseOrderNumber"]),), row) for row in world.each_order())


def _purchase_order_items(world: World) -> _Pairs:
    for row in world.each_order():
        for item in row["orderDetails"]["items"]:
            yield (str(row["purchaseOrderNumber"]), item["itemSequenceNumber"]), item


def _purchase_order_statuses(world: World) -> _Pairs:
    for place, order in world.orders.visible():
        yield (order.number,), decode(world.status_rows[place])


def _purchase_order_status_items(world: World) -> _Pairs:
    for (number,), row in _purchase_order_statuses(world):
        for item in row["itemStatus"]:
            yield (number, item["itemSequenceNumber"]), item


def _vendor_shipments(world: World) -> _Pairs:
    for place, shipment in world.vendor_shipments.table.visible():
        yield (shipment.identifier,), decode(world.vendor_shipments.rows[place])


def _vendor_shipment_items(world: World) -> _Pairs:
    for (shipment,), row in _vendor_shipments(world):
        for order in row["purchaseOrders"]:
            for item in order["items"]:
                number = order["purchaseOrderNumber"]
                yield (shipment, number, item["itemSequenceNumber"]), item


def _order_reports(world: World) -> _Pairs:
    return iter(world.order_reports().items())


def _orders(world: World) -> _Pairs:
    for place, report in world.reports.visible():
        yield (report.order_id,), decode(world.report_rows[place])


def _transactions(world: World) -> _Pairs:
    for place, transaction in world.transactions.table.visible():
        yield (transaction.identifier,), decode(world.transactions.rows[place])


def _invoices(world: World) -> _Pairs:
    return world.ledger.all_invoices()


def _invoice_payments(world: World) -> _Pairs:
    return world.ledger.all_payments()


def _of_kind(kind: ReportKind) -> Callable[[World], _Pairs]:
    def pairs(world: World) -> _Pairs:
        for _, report in world.reports.visible():
            for part in range(kind.count(report)):
                row = decode(kind.write(report, part))
                yield (report.order_id, *(_value(row, path) for path in kind.keys)), row

    return pairs


def _value(row: Row, path: str) -> str:
    found: Any = row
    for name in path.split("."):
        found = found[name]
    return str(found)


def _readers(world: World) -> dict[str, Callable[[World], _Pairs]]:
    return _READERS | {kind.stream: _of_kind(kind) for kind in world.fulfilment.kinds()}


_READERS: dict[str, Callable[[World], _Pairs]] = {
    "purchase_orders": _purchase_orders,
    "purchase_order_items": _purchase_order_items,
    "purchase_order_statuses": _purchase_order_statuses,
    "vendor_shipments": _vendor_shipments,
    "order_reports": _order_reports,
    "orders": _orders,
    "transactions": _transactions,
    "invoices": _invoices,
    "invoice_payments": _invoice_payments,
    "purchase_order_status_items": _purchase_order_status_items,
    "vendor_shipment_items": _vendor_shipment_items,
}
