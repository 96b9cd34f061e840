"""Changes, and when a sync showed each."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

Key = tuple[str, ...]

KEYS: Mapping[str, tuple[str, ...]] = {
    "purchase_orders": ("purchaseOrderNumber",),
    "purchase_order_items": ("purchaseOrderNumber", "itemSequenceNumber"),
    "purchase_order_statuses": ("purchaseOrderNumber",),
    "order_reports": ("purchaseOrderNumber", "orderId"),
    "orders": ("orderId",),
    "order_line_items": ("orderId", "orderLineItemId"),
    "shipments": ("orderId", "shipmentId"),
    "shipment_line_items": ("orderId", "shipmentId", "orderLineItemId"),
    "transactions": ("transactionId",),
}
"""The streams whose rows are followed, and the fields of their keys."""


def content(stream: str, row: Mapping[str, Any]) -> Hashable:
    """Return what differs between two versions of a row, of the API's rows and of records."""
    match stream:
        case "purchase_orders":
            items = row.get("orderDetails", row)["items"] or ()
            return row.get("purchaseOrderState"), tuple(map(quantity, items))
        case "purchase_order_items":
            return quantity(row)
        case "purchase_order_statuses":
            date = row.get("lastUpdatedDate")
            ordered = tuple(quantity(item["orderedQuantity"]) for item in row["itemStatus"] or ())
            return date and datetime.fromisoformat(date), ordered
        case "order_reports" | "orders":
            return str(row["orderStatus"])
        case _:
            return None


def quantity(item: Mapping[str, Any]) -> int:
    """Return how many of an item are ordered."""
    return int(item["orderedQuantity"]["amount"])


@dataclass
class Change:
    """A change that a sync has to show.

    Attributes:
        kind: What happened.
        stream: Whose row differs.
        at: When, in seconds.
        version: Which version of the row it made.
        seen: When a sync began that showed it, or a later version; None until then.
    """

    kind: str
    stream: str
    at: float
    version: int
    seen: float | None = None


class Ledger:
    """Compares what changed with what syncs wrote.

    Attributes:
        changes: What changed.
        syncs: When each sync began.
        news: By stream, the records that showed something new.
    """

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.syncs: list[float] = []
        self.news: Counter[str] = Counter()
        self._versions: defaultdict[tuple[str, Key], list[Hashable]] = defaultdict(list)
        self._open: defaultdict[tuple[str, Key], list[Change]] = defaultdict(list)

    def expect(self, kind: str, stream: str, key: Key, value: Hashable, at: float) -> None:
        """Expect a row with this content from now on."""
        versions = self._versions[stream, key]
        versions.append(value)
        change = Change(kind, stream, at, len(versions) - 1)
        self.changes.append(change)
        self._open[stream, key].append(change)

    def begin(self, at: float) -> None:
        """Begin a sync."""
        self.syncs.append(at)

    def saw(self, stream: str, record: Mapping[str, Any]) -> None:
        """Take a record that the sync wrote."""
        if stream not in KEYS:
            return
        place = stream, tuple(str(record.get(name)) for name in KEYS[stream])
        waiting = self._open.get(place)
        if not waiting:
            return
        value = content(stream, record)
        seen = max(
            (n for n, known in enumerate(self._versions[place]) if known == value), default=-1
        )
        for change in waiting:
            if change.version <= seen:
                change.seen = self.syncs[-1]
        self._open[place] = [change for change in waiting if change.seen is None]
        self.news[stream] += len(self._open[place]) < len(waiting)

    def by_kind(self) -> Iterator[tuple[str, str, list[Change]]]:
        """Yield the changes by kind and stream, in the order in which they first happened."""
        found: dict[tuple[str, str], list[Change]] = {}
        for change in self.changes:
            found.setdefault((change.kind, change.stream), []).append(change)
        for (kind, stream), changes in sorted(found.items(), key=_rank):
            yield kind, stream, changes

    def late_syncs(self, change: Change) -> int:
        """Return in which sync after it a change was seen: 1 is the first."""
        assert change.seen is not None
        return bisect_left(self.syncs, change.seen) - bisect_left(self.syncs, change.at) + 1


KINDS = (
    "new order",
    "changed order",
    "state change",
    "cut",
    "late change",
    "undated cut",
    "receipt",
    "late order",
    "hidden order",
    "report of a new order",
    "report of a hidden order",
    "new report",
    "changed report",
    "late report",
)


def _rank(entry: tuple[tuple[str, str], object]) -> tuple[int, str, int]:
    (kind, stream), _ = entry
    plain = kind.partition(",")[0]
    return KINDS.index(plain), kind, list(KEYS).index(stream)
