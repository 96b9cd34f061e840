"""Totals of the quantities of an item's status: pure functions.

Source: Amazon's model `OrderItemStatus`, and recorded replies, which differ from what the model
suggests: the current quantity is net of cancellations, the item's own accepted quantity may count
what was accepted and cancelled later, and the latest change may come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tap_amazon_business.records.shaping import integer
from tap_amazon_business.times import moment_of

_UNCONFIRMED = "UNCONFIRMED"
_LAST = datetime.max.replace(tzinfo=UTC)


def totals(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the computed fields of an item's status, quantities in eaches.

    Args:
        item: An element of itemStatus, in any state of completeness.
    """
    ordered = _part(item, "orderedQuantity")
    received = _part(item, "receivingStatus")
    changes = _parts(ordered, "orderedQuantityDetails")
    current = eaches(ordered.get("orderedQuantity"))
    original = eaches(_earliest(changes).get("orderedQuantity"))
    unit = _part(ordered, "orderedQuantity")
    return {
        "originalQuantity": current if original is None else original,
        "currentQuantity": current,
        "cancelledQuantity": sum(eaches(one.get("cancelledQuantity")) or 0 for one in changes),
        "acceptedQuantity": _acknowledged(item, "acceptedQuantity"),
        "rejectedQuantity": _acknowledged(item, "rejectedQuantity"),
        "receivedQuantity": eaches(received.get("receivedQuantity")) or 0,
        "lastReceiveDate": received.get("lastReceiveDate"),
        "unitOfMeasure": unit.get("unitOfMeasure"),
        "unitSize": unit.get("unitSize"),
    }


def eaches(quantity: object) -> int | None:
    """Return a quantity in eaches, cases times their size; None if there is none."""
    if not isinstance(quantity, dict):
        return None
    amount = integer(quantity.get("amount"))
    if amount is None or not str(quantity.get("unitOfMeasure")).lower().startswith("case"):
        return amount
    size = integer(quantity.get("unitSize"))
    return amount * (1 if size is None else size)


def _acknowledged(item: Mapping[str, Any], name: str) -> int:
    """Return the sum of all confirmations; without any, what the item itself says."""
    status = _part(item, "acknowledgementStatus")
    if details := _parts(status, "acknowledgementStatusDetails"):
        return sum(eaches(one.get(name)) or 0 for one in details)
    if status.get("confirmationStatus") == _UNCONFIRMED:
        return 0
    return eaches(status.get(name)) or 0


def _earliest(changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the earliest change; one without a date only if there is no other."""
    return min(changes, key=lambda one: moment_of(one.get("updatedDate")) or _LAST, default={})


def _part(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _parts(value: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    parts = value.get(name)
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
