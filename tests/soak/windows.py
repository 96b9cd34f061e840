"""Windows that were asked for twice, by what the simulator saw, and the reasons."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator import Call

PAIRS = (
    ("createdAfter", "createdBefore"),
    ("changedAfter", "changedBefore"),
    ("updatedAfter", "updatedBefore"),
    ("orderStartDate", "orderEndDate"),
    ("feedStartDate", "feedEndDate"),
)
TOKENS = frozenset({"nextToken", "nextPageToken"})
SLACK = timedelta(seconds=2)
"""Windows that adjoin overlap by a second."""


RECENT = timedelta(days=2, hours=1)
"""The distance behind its bookmark that every sync reads again, from a full hour on."""

NARROW = timedelta(days=1, seconds=2)
"""Windows of the lookback, whose share of a few seconds is one day."""

REREAD_BY_FEED = ("getPurchaseOrders", "createdAfter")
"""The way in which orders are read again that the change feed names."""

BOOKMARKS: Mapping[str, tuple[str, ...]] = {
    "getPurchaseOrders": ("purchase_orders",),
    # The change feed follows the bookmark of purchase_orders.
    "getPurchaseOrdersStatus": ("purchase_orders", "purchase_order_statuses"),
    "GetShipmentDetails": ("vendor_shipments",),
    "getOrderReports": ("orders",),
    "getOrderLineItemReports": ("order_line_items",),
    "getShipmentReports": ("shipments",),
    "getShipmentLineItemReports": ("shipment_line_items",),
    "getTransactions": ("transactions",),
}
"""The streams that ask each operation for windows."""

_List = tuple[str, str, str]
_Window = tuple[datetime, datetime]


class Windows:
    """Counts the windows of one run after the other.

    Attributes:
        counts: `asked`, and of these: `by design` (read again within the lookback), `unfinished`
            (asked for by a run that did not live to bookmark them), `needless` (neither).
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._asked: defaultdict[_List, set[_Window]] = defaultdict(set)

    def enter(self, calls: Iterable[Call], bookmarks: Mapping[str, datetime]) -> None:
        """Enter what a run asked for.

        Args:
            calls: All of its requests.
            bookmarks: Where it began, by stream.
        """
        run: defaultdict[_List, set[_Window]] = defaultdict(set)
        for call in calls:
            if call.parameters.get("includeDetails") == "false":
                continue  # which numbers are the account's own is asked anew by every sync
            for first, last in PAIRS:
                if first in call.parameters and TOKENS.isdisjoint(call.parameters):
                    window = tuple(
                        datetime.fromisoformat(call.parameters[name]) for name in (first, last)
                    )
                    run[call.operation, first, call.parameters.get("region", "")].add(
                        (window[0], window[1])
                    )
        for name, windows in run.items():
            for window in windows:
                self.counts["asked"] += 1
                if any(_overlap(window, other) for other in self._asked[name]):
                    why = _why(window, _first(bookmarks, BOOKMARKS[name[0]]))
                    if why == "needless" and name[:2] == REREAD_BY_FEED:
                        why = "by design"
                    self.counts[why] += 1
        for name, windows in run.items():
            self._asked[name] |= windows


def _overlap(one: _Window, other: _Window) -> bool:
    return min(one[1], other[1]) - max(one[0], other[0]) > SLACK


def _first(bookmarks: Mapping[str, datetime], streams: tuple[str, ...]) -> datetime | None:
    """Return the earliest bookmark of some streams, None if one of them has none."""
    found = [bookmarks[stream] for stream in streams if stream in bookmarks]
    return min(found) if len(found) == len(streams) else None


def _why(window: _Window, bookmark: datetime | None) -> str:
    if bookmark is None or window[1] > bookmark:
        return "unfinished"
    by_design = window[1] - window[0] <= NARROW or window[0] >= bookmark - RECENT - SLACK
    return "by design" if by_design else "needless"
