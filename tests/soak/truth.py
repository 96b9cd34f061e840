"""Rows that must come, and the bookmarks by which they must have come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.times import Millis, to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from simulator import Simulator, World

Key = tuple[str, ...]


@dataclass(frozen=True)
class Feature:
    """A promise of the tap about a stream.

    Attributes:
        key: The fields of the key.
        bookmark: The stream whose bookmark covers it.
        late: Whether a row may come after the bookmark has passed it, with the lookback.
    """

    key: tuple[str, ...]
    bookmark: str
    late: bool = False


STREAMS: Mapping[str, Feature] = {
    "purchase_orders": Feature(("purchaseOrderNumber",), "purchase_orders"),
    "purchase_order_items": Feature(
        ("purchaseOrderNumber", "itemSequenceNumber"), "purchase_orders"
    ),
    "purchase_order_statuses": Feature(("purchaseOrderNumber",), "purchase_order_statuses"),
    "purchase_order_status_items": Feature(
        ("purchaseOrderNumber", "itemSequenceNumber"), "purchase_order_statuses"
    ),
    "vendor_shipments": Feature(("vendorShipmentIdentifier",), "vendor_shipments"),
    "vendor_shipment_items": Feature(
        ("vendorShipmentIdentifier", "purchaseOrderNumber", "itemSequenceNumber"),
        "vendor_shipments",
    ),
    "order_reports": Feature(("purchaseOrderNumber", "orderId"), "purchase_orders"),
    "orders": Feature(("orderId",), "orders"),
    "order_line_items": Feature(("orderId", "orderLineItemId"), "order_line_items"),
    "shipments": Feature(("orderId", "shipmentId"), "shipments"),
    "shipment_line_items": Feature(
        ("orderId", "shipmentId", "orderLineItemId"), "shipment_line_items"
    ),
    "transactions": Feature(("transactionId",), "transactions"),
    "invoices": Feature(
        ("orderId", "orderLineItemId", "shipmentId", "invoiceNumber"), "transactions", late=True
    ),
    "invoice_payments": Feature(("invoiceId",), "transactions", late=True),
}


Rows = dict[Key, dict[str, Any]]


def truth(serving: Simulator, *, listed: bool) -> dict[str, Rows]:
    """Return the rows that must have come, by stream and key.

    Args:
        serving: The simulator.
        listed: Whether order reports come from the lists, by the number that they name.
    """
    rows = {name: serving.rows(name) for name in STREAMS}
    if listed:
        rows["order_reports"] = listed_reports(rows["orders"])
    return rows


def listed_reports(orders: Rows) -> Rows:
    """Return the order reports that name a number, by that number."""
    return {
        (str(row["purchaseOrderNumber"]), order_id): row
        for (order_id,), row in orders.items()
        if str(row.get("purchaseOrderNumber") or "").strip()
    }


def dates(world: World, stream: str, *, listed: bool) -> Callable[[Key], datetime]:
    """Return the date that a row of a stream is listed by, by its key.

    Args:
        world: Where the rows are.
        stream: The stream.
        listed: Whether order reports come from the lists.
    """
    with world.lock:
        created = {order.number: order.created for order in world.orders}
        ordered = {report.order_id: report.ordered for report in world.reports}
        found: dict[str, Millis]
        match stream:
            case "vendor_shipments" | "vendor_shipment_items":
                table = world.vendor_shipments.table
                found = {s.identifier: s.dates["shipmentCreateDate"] for s in table}
            case "transactions":
                found = {t.identifier: t.fed for t in world.transactions.table}
            case (
                "purchase_orders"
                | "purchase_order_items"
                | "purchase_order_statuses"
                | "purchase_order_status_items"
            ):
                found = created
            case "order_reports" if listed:
                return lambda key: to_datetime(ordered[key[1]])
            case "order_reports":
                # A report may be younger than its purchase order, and cannot come before.
                return lambda key: to_datetime(max(created[key[0]], ordered[key[1]]))
            case _:
                found = ordered
    return lambda key: to_datetime(found[key[0]])
