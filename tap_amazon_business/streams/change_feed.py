"""The change feed of purchase orders: it hurries changes that the lookback would find later.

No filter of getPurchaseOrders finds a change of state, nor an item that is cut without a date of
change. getPurchaseOrdersStatus by update date names both, however old the order is. If the feed
misses a change, or fails, nothing is lost: the lookback compares every order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS_STATUS, Request
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.records.decoding import FieldReader
from tap_amazon_business.streams.base import AmazonStream, Row
from tap_amazon_business.streams.queries import feed_queries, within_a_cycle
from tap_amazon_business.sync.windows import Window
from tap_amazon_business.times import moment_of

# Clocks differ, and Amazon may list a change late.
_SLACK = timedelta(hours=1)

# Lists contain a row of another date now and then; more than so many mean that it is ignored.
STRAY_ROWS = 10

# Orders that a sync asks for by number.
_MOST_ORDERS = 300


class ChangeFeed:
    """The purchase orders that changed, as getPurchaseOrdersStatus names them."""

    def __init__(self, stream: AmazonStream, since: datetime, until: datetime) -> None:
        self._stream = stream
        self._window = Window(since - _SLACK, until)
        self._later = within_a_cycle(stream.settings)

    def names(self) -> set[str]:
        """Return the numbers of the orders that changed; none, after a warning, if that fails.

        Raises:
            RequestFailedError: The whole API does not work.
        """
        stream, numbers = self._stream, set[str]()
        try:
            with stream.budget.read(self._requests(), self._read) as prefetch:
                for _, named in prefetch:
                    numbers |= named
        except RequestFailedError as error:
            if stream.client.failure:
                raise
            stream.warn(
                "change feed unavailable; changes of older orders arrive %s. The reason: %s",
                self._later,
                error.message,
            )
        return numbers

    def orders(self, named: set[str], order: Callable[[str], list[Row]]) -> Iterator[list[Row]]:
        """Yield the rows of orders by their numbers, as far as Amazon returns them.

        Raises:
            RequestFailedError: The whole API does not work.
        """
        stream, errors, missing = self._stream, list[RequestFailedError](), 0

        def read(number: str) -> list[Row] | RequestFailedError:
            try:
                return order(number)
            except RequestFailedError as error:
                return error

        numbers = sorted(named)[:_MOST_ORDERS]
        if numbers:
            stream.info("orders that the change feed names, to be read by number: %d", len(numbers))
        with stream.budget.read(numbers, read) as prefetch:
            for _, rows in prefetch:
                if not isinstance(rows, RequestFailedError):
                    missing += not rows
                    yield rows
                elif stream.client.failure:
                    raise rows
                else:
                    errors.append(rows)
        left = len(named) - len(numbers)
        if errors or missing or left:
            stream.warn(
                "%d older orders changed, %d of them were not read (%d not found, %d refused, %d "
                "beyond the %d of one sync). The lookback finds their changes %s.%s",
                len(named),
                missing + len(errors) + left,
                missing,
                len(errors),
                left,
                _MOST_ORDERS,
                self._later,
                f" The first error was: {errors[0].message}" if errors else "",
            )

    def _requests(self) -> Iterator[Request]:
        operation, window = GET_PURCHASE_ORDERS_STATUS, self._window
        start = window.start
        while start < window.end:
            stop = min(start + operation.longest_range, window.end)
            for query in feed_queries(self._stream.settings.ordering_vendor_codes):
                yield query.request(operation, Window(start, stop))
            start = stop

    def _read(self, request: Request) -> set[str]:
        """Return the numbers of one list; a row of another date is no change.

        Where most rows are of another date, Amazon ignores the dates that it is asked for, and rows
        without a date are no changes, either.
        """
        fields = FieldReader(("purchaseOrderNumber",), ("lastUpdatedDate",))
        changed, undated, others = set[str](), set[str](), 0
        for page in self._stream.client.pages(request):
            for number, updated in map(fields, page.json()):
                moment = moment_of(updated)
                if not number:
                    continue
                if moment is None:
                    undated.add(str(number))
                elif moment >= self._window.start - _SLACK:
                    changed.add(str(number))
                else:
                    others += 1
        return changed if others > max(len(changed), STRAY_ROWS) else changed | undated
