"""Purchase orders that a test makes up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.support.clocks import BEGINNING
from tests.support.faults import Answers

if TYPE_CHECKING:
    from collections.abc import Iterable

LATELY: dict[str, Any] = {"start_date": "2026-05-29T00:00:00Z"}
"""Settings by which a first sync on a `FakeClock` asks for one window only."""


def order(number: object, items: Iterable[object] = (), **details: object) -> dict[str, Any]:
    """Return a purchase order of the day before, as getPurchaseOrders sends it."""
    date = (BEGINNING - timedelta(days=1)).isoformat()
    return {
        "purchaseOrderNumber": number,
        "purchaseOrderState": "New",
        "orderDetails": {"purchaseOrderDate": date, "items": [*items], **details},
    }


def item(number: object = "1", **fields: object) -> dict[str, Any]:
    """Return an item of a purchase order."""
    return {"itemSequenceNumber": number, "isBackOrderAllowed": True, **fields}


def orders_page(*rows: object) -> Answers:
    """Answer every request for purchase orders with these rows."""
    return Answers("getPurchaseOrders", {"payload": {"orders": [*rows]}})
