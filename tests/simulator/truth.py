"""What a complete sync must bring: rows by stream, and sums of money to the last digit."""

from decimal import Context, Decimal, Inexact
from typing import Any

from typing_extensions import override

from tests.simulator.world import World


def truth(world: World) -> dict[str, dict[str, Any]]:
    """Return `{"rows": {stream: count}, "money": {"stream.field": decimal string}}`.

    Money is summed over all currencies: a check sum, not an amount.
    """
    with world.lock:
        orders, items, net, listed = 0, 0, Total(), Total()
        for order in world.each_order():
            orders += 1
            for item in order["orderDetails"]["items"]:
                items += 1
                net.add(item["netCost"]["amount"])
                if item.get("listPrice"):
                    listed.add(item["listPrice"]["amount"])
        reports, charges = 0, Total()
        for report in world.each_order_report():
            reports += 1
            for charge in report["charges"]:
                charges.add(charge["amount"]["amount"])
    return {
        "rows": {
            "purchase_orders": orders,
            "purchase_order_items": items,
            "order_reports": reports,
        },
        "money": {
            "purchase_order_items.netCost": str(net),
            "purchase_order_items.listPrice": str(listed),
            "order_reports.charges": str(charges),
        },
    }


class Total:
    """An exact sum; one that cannot be exact is an error."""

    _CONTEXT = Context(prec=80, traps=[Inexact])

    def __init__(self) -> None:
        self._sum = Decimal(0)

    @override
    def __str__(self) -> str:
        return f"{self._sum:f}"

    def add(self, amount: str | Decimal | int) -> None:
        """Add an amount."""
        self._sum = self._CONTEXT.add(self._sum, Decimal(amount))
