"""What changed of which purchase orders: the change feed, and the way to read them again.

No filter of getPurchaseOrders finds a change of state, nor an item that is cut without a date of
change. getPurchaseOrdersStatus names both, however old the order is.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_amazon_business.sync.windows import Window
from tap_amazon_business.times import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_amazon_business.sync.turn import Turn

# Purchase order numbers, each with its order's date if that is known.
Changes = dict[str, "datetime | None"]

_EDGE = timedelta(seconds=1)


class ChangeFeed:
    """The changes that purchase_order_statuses reads, for purchase_orders: so they are read once.

    Args:
        turn: The right to write, given up by whoever waits.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._changes: Changes = {}
        self._span: tuple[datetime, datetime] | None = None
        self._expected = False
        self._done = threading.Event()

    def expect(self) -> None:
        """Announce that purchase_order_statuses is going to be read."""
        self._expected = True

    def note(self, rows: Iterable[Mapping[str, Any]], since: datetime) -> None:
        """Take note of the orders whose status was updated since then, or does not tell when."""
        for row in rows:
            updated = moment_of(row.get("lastUpdatedDate"))
            if not updated or updated >= since:
                self._changes[str(row["purchaseOrderNumber"])] = order_date(row)

    def cover(self, since: datetime, until: datetime) -> None:
        """Announce that all changes of a span were noted."""
        self._span = since, until

    def done(self) -> None:
        """Announce the end of purchase_order_statuses, however it ended."""
        self._done.set()

    def changes(self, since: datetime) -> tuple[Changes, datetime] | None:
        """Wait for purchase_order_statuses; return what changed since then, and until when.

        Returns None if it does not tell.
        """
        if not self._expected:
            return None
        with self._turn.given_up():
            self._done.wait()
        if self._span is None or self._span[0] > since:
            return None
        return self._changes, self._span[1]


def order_date(row: Mapping[str, Any]) -> datetime | None:
    """Return the date of the order that a status belongs to."""
    return moment_of(row.get("purchaseOrderDate"))


@dataclass(frozen=True)
class Rereading:
    """How to read orders again at the least cost.

    Attributes:
        windows: Windows to list by creation date.
        numbers: Numbers to ask for one by one.
    """

    windows: list[Window]
    numbers: list[str]

    def __iter__(self) -> Iterator[Window | str]:
        """Yield everything that there is to read."""
        yield from self.windows
        yield from self.numbers


def cheapest(
    changes: Mapping[str, datetime | None],
    *,
    pages: Callable[[Window], float],
    longest: timedelta,
    by_number: bool = True,
) -> Rereading:
    """Return how to read orders again: neighbours by windows, the others one by one.

    Args:
        changes: The orders' numbers and dates.
        pages: Tells how many pages a window is expected to hold.
        longest: The longest window.
        by_number: Whether orders can be asked for by number.
    """
    dated = sorted((date, number) for number, date in changes.items() if date)
    groups: list[list[tuple[datetime, str]]] = []
    for date, number in dated:
        group = groups[-1] if groups else []
        near = bool(group) and pages(Window(group[-1][0], date + _EDGE)) < 1
        if near and date + _EDGE - group[0][0] <= longest:
            group.append((date, number))
        else:
            groups.append([(date, number)])
    windows: list[Window] = []
    numbers = [number for number, date in changes.items() if not date] if by_number else []
    for group in groups:
        window = Window(group[0][0], group[-1][0] + _EDGE)
        if not by_number or (len(group) > 1 and math.ceil(pages(window)) < len(group)):
            windows.append(window)
        else:
            numbers += [number for _, number in group]
    return Rereading(windows, numbers)
