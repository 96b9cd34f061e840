"""Which purchase order numbers are the account's own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS as _OPERATION
from tap_amazon_business.streams.query import vendor_queries
from tap_amazon_business.sync.seen import Seen
from tap_amazon_business.sync.windows import Slicer, Window, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

    from tap_amazon_business.api.client import Client
    from tap_amazon_business.clock import Clock
    from tap_amazon_business.settings import Settings
    from tap_amazon_business.streams.query import Query
    from tap_amazon_business.sync.prefetch import Readers
    from tap_amazon_business.sync.windows import Slice, Span

_MARGIN = timedelta(minutes=2)
_ROWS_PER_SLICE = 1_000


class PurchaseOrderNumbers:
    """The numbers of the purchase orders that the settings select.

    Those that purchase_orders has read are known. Where another one is looked for, all numbers are
    listed once, without the orders' details.

    Args:
        client: The client of the Selling Partner API.
        readers: What reads that API.
        settings: The settings.
        clock: The time.
    """

    def __init__(
        self, client: Client, readers: Readers, *, settings: Settings, clock: Clock
    ) -> None:
        self._client = client
        self._readers = readers
        self._settings = settings
        self._clock = clock
        self._known = Seen()
        self._spellings: dict[str, str] = {}  # of the numbers that are not written as usual
        self._complete = False
        self._accepts: Callable[[dict[str, Any]], bool] | None = None

    def filter_by(self, accepts: Callable[[dict[str, Any]], bool]) -> None:
        """Have a filter of the orders' rows decide whether their numbers count."""
        self._accepts = accepts

    @property
    def since(self) -> datetime:
        """Return since when orders are listed."""
        return self._plan(None).since

    def add(self, number: str) -> None:
        """Take note of a purchase order."""
        usual = _usual(number)
        self._known.add(usual)
        if usual != number:
            self._spellings[usual] = number

    def among(self, reported: Collection[str]) -> dict[str, str]:
        """Return which numbers of reports are the account's own, with their own spelling.

        Numbers are compared without regard to case and to spaces around them.

        Raises:
            RequestFailedError: Listing them failed.
        """
        if not self._complete and not all(_usual(number) in self._known for number in reported):
            for _ in self.listed():
                pass
        return {
            number: self._spellings.get(usual, usual)
            for number in reported
            if (usual := _usual(number)) in self._known
        }

    def count(self) -> int:
        """Return how many there are; raises RequestFailedError if listing them failed."""
        return sum(1 for _ in self.listed())

    def listed(self, since: datetime | None = None) -> Iterator[str]:
        """List all numbers, or those of the orders created since a moment, each once.

        Raises:
            RequestFailedError: A request failed.
        """
        listed = Seen()
        slicer = Slicer(
            self._plan(since),
            widest=_OPERATION.longest_range,
            rows=_ROWS_PER_SLICE,
        )

        def read(task: tuple[Slice, Query]) -> list[str]:
            part, query = task
            return self._read(query, part.window, slicer)

        tasks = ((part, query) for part in slicer for query in self._queries)
        with self._readers.read(tasks, read) as prefetch:
            for _, numbers in prefetch:
                for number in numbers:
                    self.add(number)
                    if listed.add(number):
                        yield number
        self._complete = self._complete or not since

    def _plan(self, since: datetime | None) -> Span:
        return plan(
            now=self._clock.now(),
            margin=_MARGIN,
            reach=_OPERATION.reach,
            start=max(filter(None, (since, self._settings.start_date)), default=None),
            end=None,
            bookmark=None,
            recent=timedelta(),
        )

    @property
    def _queries(self) -> list[Query]:
        # A filter may need the details.
        details = {} if self._accepts else {"includeDetails": "false"}
        return vendor_queries(
            _OPERATION,
            dates=("created",),
            params={**self._settings.purchase_order_filters, **details},
            vendor_codes=self._settings.ordering_vendor_codes,
        )

    def _read(self, query: Query, window: Window, slicer: Slicer) -> list[str]:
        numbers: list[str] = []
        for rows in self._client.pages(query.request(_OPERATION, window)):
            found = (
                row.get("purchaseOrderNumber")
                for row in rows
                if isinstance(row, dict) and (not self._accepts or self._accepts(row))
            )
            numbers += [str(number) for number in found if isinstance(number, (str, int))]
            slicer.observe(query.subject, window, len(numbers))
        return numbers


def _usual(number: str) -> str:
    return number.strip().upper()
