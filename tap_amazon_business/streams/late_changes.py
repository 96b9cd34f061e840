"""Late changes of purchase orders: what the change feed names is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_amazon_business.api import operations
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.streams.change_feed import cheapest, order_date
from tap_amazon_business.streams.query import feed_queries
from tap_amazon_business.streams.sliced_sync import SLACK
from tap_amazon_business.sync.course import NumberCourse
from tap_amazon_business.sync.windows import Window, cut
from tap_amazon_business.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Record

    from tap_amazon_business.api.operations import Request
    from tap_amazon_business.streams.base import Row
    from tap_amazon_business.streams.change_feed import Changes
    from tap_amazon_business.streams.sliced import SlicedStream
    from tap_amazon_business.streams.sliced_sync import SlicedSync


class LateChanges:
    """The orders that changed, as the change feed names them, and that a sync did not emit.

    Args:
        stream: The stream.
        sync: Its sync, which has emitted everything else.
        changes_until: Until when changes were read before.
        order: Reads an order by number; None if an order must pass filters.
    """

    def __init__(
        self,
        stream: SlicedStream,
        sync: SlicedSync,
        changes_until: datetime,
        order: Callable[[str], list[Row]] | None,
    ) -> None:
        self._stream = stream
        self._sync = sync
        self._since = changes_until - SLACK
        self._order = order
        self._queries = [query for query in stream.queries() if query.rereads]

    def records(self) -> Iterator[Record]:
        """Yield the records, and note in the bookmark until when changes are read."""
        stream = self._stream
        try:
            changes, until = stream.shared.feed.changes(self._since) or self._changes()
        except RequestFailedError as error:
            if stream.client.failure:
                raise
            stream.warn(
                "cannot tell which older orders changed (%s). Until it can, every order of the "
                "lookback is emitted as it is read again: a change comes within %d hours, if the "
                "order is not older than lookback_days.",
                error.message,
                stream.settings.lookback_cycle_hours,
            )
            return
        due = {number: date for number, date in changes.items() if self._is_due(number, date)}
        if due:
            stream.info("reading %d older orders that changed", len(due))
        yield from self._reread(due)
        if self._sync.complete:
            self._sync.keep({"changes_until": rfc3339(until)})

    def _is_due(self, number: str, date: datetime | None) -> bool:
        oldest = self._stream.settings.start_date
        return not self._sync.has_emitted(number) and not (date and oldest and date < oldest)

    def _reread(self, due: Changes) -> Iterator[Record]:
        stream = self._stream

        def read(task: Window | str) -> list[Row]:
            if isinstance(task, str):
                return self._order(task) if self._order else []
            requests = [query.request(stream.operation, task) for query in self._queries]
            rows = (row for r in requests for page in stream.client.pages(r) for row in page)
            return [
                row
                for row in rows
                if isinstance(row, dict) and str(row.get("purchaseOrderNumber")) in due
            ]

        tasks = cheapest(
            due,
            pages=self._pages,
            longest=stream.operation.longest_range,
            by_number=self._order is not None,
        )
        course = stream.track.follow(NumberCourse("late changes", stream.clock, len([*tasks])))
        with stream.readers.read(tasks, read) as prefetch:
            for done, (_, rows) in enumerate(prefetch, start=1):
                yield from self._sync.emit(stream.valid_rows(rows), self._since)
                course.tell(done)

    def _pages(self, window: Window) -> float:
        slicer = self._sync.slicer
        rows = sum(slicer.expected_rows(query.subject, window) for query in self._queries)
        return rows / self._stream.operation.page_size

    def _changes(self) -> tuple[Changes, datetime]:
        """Read the change feed."""
        stream, until = self._stream, self._stream.plan.span.until
        operation = operations.GET_PURCHASE_ORDERS_STATUS
        queries = feed_queries(stream.settings.ordering_vendor_codes)
        windows = cut(self._since, until, lambda: operation.longest_range)

        def read(request: Request) -> Changes:
            rows = (row for page in stream.client.pages(request) for row in page)
            return {
                str(row.get("purchaseOrderNumber")): order_date(row)
                for row in rows
                if isinstance(row, dict)
            }

        changes: Changes = {}
        requests = (query.request(operation, window) for window in windows for query in queries)
        with stream.readers.read(requests, read) as prefetch:
            for _, named in prefetch:
                changes |= named
        return changes, until
