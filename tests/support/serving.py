"""Simulators for tests, and settings that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator import Options, Simulator, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator import Faults
    from tests.support.clocks import FakeClock

OPERATIONS = (
    "getPurchaseOrders",
    "getPurchaseOrder",
    "getPurchaseOrdersStatus",
    "GetShipmentDetails",
    "getOrderReports",
    "getOrderReportsByPurchaseOrderNumber",
    "getOrderLineItemReports",
    "getShipmentReports",
    "getShipmentLineItemReports",
    "getTransactions",
)
POSTED = ("getInvoiceDetailsByOrderLineItems", "getBatchInvoicePaymentDetails")
"""The operations of streams that are not selected by default."""

STREAMS = (
    "invoice_payments",
    "invoices",
    "order_line_items",
    "order_reports",
    "orders",
    "purchase_order_items",
    "purchase_order_status_items",
    "purchase_order_statuses",
    "purchase_orders",
    "shipment_line_items",
    "shipments",
    "transactions",
    "vendor_shipment_items",
    "vendor_shipments",
)
NOT_BY_DEFAULT = ("invoice_payments", "invoices")
BY_DEFAULT = tuple(stream for stream in STREAMS if stream not in NOT_BY_DEFAULT)
CHILDREN = (
    *NOT_BY_DEFAULT,
    "order_reports",
    "purchase_order_items",
    "purchase_order_status_items",
    "vendor_shipment_items",
)
"""Streams that their parents' syncs sync."""

NO_LIMITS = Options(limits=False)
"""Rules of a simulator that never answers 429; use `replace` to add others."""

FAST_PLANS = {name: {"rate": 1000, "burst": 1000} for name in (*OPERATIONS, *POSTED)}
"""The setting `rate_limits` by which the tap waits for nothing."""

_CREDENTIALS = ("client_id", "client_secret", "refresh_token")
VENDOR_ONLY: dict[str, Any] = {f"business_api_{name}": "" for name in _CREDENTIALS}
BUSINESS_ONLY: dict[str, Any] = {f"sp_api_{name}": "" for name in _CREDENTIALS}


def serve(
    clock: FakeClock | None = None,
    options: Options = NO_LIMITS,
    *,
    faults: Sequence[Faults] = (),
    **world: Any,
) -> Simulator:
    """Return a simulator without limits, to be used as a context manager.

    Its figures are drawn one by one, so that there is more of everything that is rare.

    Args:
        clock: The clock it shares with the tap; the real one by default.
        options: Other rules.
        faults: Policies for what goes wrong.
        **world: Arguments of its `World`.
    """
    world = {"plausible": False, **world}
    if clock is None:
        return Simulator(World(**world), options, faults=faults)
    return Simulator(
        World(now=clock.now, **world), options, monotonic=clock.monotonic, faults=faults
    )


def settings(serving: Simulator, **extra: Any) -> dict[str, Any]:
    """Return settings by which the tap waits for nothing and misses nothing.

    Order reports that name another purchase order than their own are found by number only.

    Args:
        serving: The simulator.
        **extra: Further settings, or others in the place of these.
    """
    return serving.config(
        **{"rate_limits": FAST_PLANS, "order_reports_strategy": "purchase_order", **extra}
    )
