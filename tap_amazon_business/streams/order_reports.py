"""order_reports: the order reports of each purchase order, and the ways to find them."""

from __future__ import annotations

import math
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from typing_extensions import override

from tap_amazon_business.api.operations import GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER
from tap_amazon_business.records import hoist
from tap_amazon_business.streams.base import AmazonStream
from tap_amazon_business.streams.business import OrdersStream
from tap_amazon_business.streams.children import Child, ChildStream
from tap_amazon_business.streams.coverage import (
    filter_coverage,
    region_coverage,
    vendor_coverage,
)
from tap_amazon_business.streams.examples import example_rows
from tap_amazon_business.streams.probes import reports_by_number
from tap_amazon_business.streams.reports_by_number import ByNumber, RefusedNumbers
from tap_amazon_business.streams.schemas import business as schemas
from tap_amazon_business.streams.vendor import PurchaseOrdersStream
from tap_amazon_business.sync.course import NumberCourse
from tap_amazon_business.sync.seen import Seen
from tap_amazon_business.times import is_before, moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.settings import Settings
    from tap_amazon_business.streams.base import Row
    from tap_amazon_business.streams.children import Reader
    from tap_amazon_business.streams.probes import Probe
    from tap_amazon_business.streams.reports_by_number import Reports
    from tap_amazon_business.sync.bookmark import Coverage, ResumePoint

# A few days before a purchase order, for dates that are not exact.
_OLDER_THAN_ITS_ORDER = timedelta(days=7)


class OrderReportsStream(AmazonStream):
    """Order reports of the purchase order numbers in the settings."""

    name = "order_reports"
    primary_keys = ("purchaseOrderNumber", "orderId")
    schema: ClassVar = schemas.ORDER_REPORTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self._emitted = Seen()

    @override
    def probes(self) -> list[Probe]:
        return reports_by_number(self.settings.business_api_regions)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        if self.settings.sandbox:
            operation = GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER
            rows = self.valid_rows(example_rows(self.client, [operation]))
            yield from map(self.record, rows)
            return
        course = self.track.follow(NumberCourse("purchase orders", self.clock))
        by_number = ByNumber(self, course.tell)
        yield from self.records_of(by_number.reports(self.settings.purchase_order_numbers))
        if by_number.refused:
            self.fail_at_the_end(next(iter(by_number.refused.values())))

    def records_of(self, reports: Iterable[Reports]) -> Iterator[Record]:
        """Yield each report of a purchase order once a sync, under the order's own number."""
        for number, rows in reports:
            for row in self.valid_rows(_joined(row, number) for row in rows):
                if self._emitted.add((number, str(row["orderId"]))):
                    yield self.record(row)

    @override
    def reshape(self, row: Row) -> Row:
        return hoist(row, "orderMetadata")


class PurchaseOrderReportsStream(ChildStream, OrderReportsStream):
    """Order reports of the purchase orders that their parent reads.

    They come in two ways, each once in a sync. By number, as purchase_orders reads the orders; and
    from the lists by order date that `orders` reads, as far as they name one of these orders.
    """

    parent_stream_type = PurchaseOrdersStream
    parent_fields = ("purchaseOrderNumber", "purchaseOrderDate", "lastChangedDate")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self._refused = RefusedNumbers()
        # Whether every new or changed order is asked for by number.
        self.needs_past = self.settings.order_reports_strategy == "purchase_order"

    @override
    def probes(self) -> list[Probe]:
        by_lists = self.settings.order_reports_strategy == "order_date"
        return [] if by_lists else super().probes()

    @override
    def child_of(self, parent: AmazonStream) -> Child | None:
        if isinstance(parent, OrdersStream):
            return ListedReports(self, needs_past=not self.needs_past)
        return super().child_of(parent)

    @property
    @override
    def covers(self) -> Coverage:
        return region_coverage(self.settings) if self.needs_past else {}

    @property
    @override
    def bookmark_part(self) -> Mapping[str, Any]:
        return {"refused_numbers": marks} if (marks := self._refused.marks) else {}

    @override
    def wants_unchanged(self, parent: Row) -> bool:
        return str(parent["purchaseOrderNumber"]) in self._refused

    @contextmanager
    @override
    def reader(self, resume: ResumePoint) -> Iterator[Reader]:
        self._refused = RefusedNumbers(resume.part.get("refused_numbers"))
        by_number = ByNumber(self, self._purchase_orders.track.part)
        asked = Seen()

        def records(parents: Sequence[Row], since: datetime | None) -> Iterator[Record]:
            numbers = [
                str(order["purchaseOrderNumber"])
                for order in parents
                if self._asks_for(order, since)
            ]
            numbers = [number for number in numbers if asked.add(number)]
            yield from self.records_of(by_number.reports(numbers))
            self._refused.note(numbers, by_number.refused)

        yield records

    def _asks_for(self, order: Row, since: datetime | None) -> bool:
        """Tell whether an order is asked for by number: if it changed since then, or may be new."""
        if str(order["purchaseOrderNumber"]) in self._refused:
            return True
        # Rows of the overlap come in every sync, and so do rows that may have changed.
        old = since is not None and is_before(order["lastChangedDate"], since)
        if old and not self._leaves_the_recent_days(order):
            return False
        return self.needs_past or is_before(order["purchaseOrderDate"], self._listed_since)

    def _leaves_the_recent_days(self, order: Row) -> bool:
        """Tell whether the next sync does not begin as early as an order is dated.

        Nobody knows whether it was there at that date, or appeared later and was never asked for.
        """
        span, date = self._purchase_orders.plan.span, moment_of(order["purchaseOrderDate"])
        recent = self._purchase_orders.rolling.recent
        return date is not None and span.since <= date < span.until - recent

    @property
    def _listed_since(self) -> datetime:
        """Return since when the lists hold all reports: none is older than its order."""
        plan = self._orders.plan
        since = plan.span.since
        if plan.resume.moment:
            since = min(since, plan.now - self._orders.lookback)
        # A report of an older order may be listed, but nobody would know that the order is there.
        return max(since, self.shared.numbers.since) if self.shared.numbers else since

    @property
    def _purchase_orders(self) -> PurchaseOrdersStream:
        return cast("PurchaseOrdersStream", self._tap.streams[PurchaseOrdersStream.name])

    @property
    def _orders(self) -> OrdersStream:
        return cast("OrdersStream", self._tap.streams[OrdersStream.name])


class ListedOrderReportsStream(ChildStream, OrderReportsStream):
    """Order reports without vendor credentials: of all orders that name a purchase order."""

    parent_stream_type = OrdersStream

    @override
    def probes(self) -> list[Probe]:
        return []

    @override
    def child_of(self, parent: AmazonStream) -> Child | None:
        return ListedReports(self) if isinstance(parent, OrdersStream) else None


class ListedReports(Child):
    """order_reports as a child of orders: the listed reports that name a purchase order.

    Args:
        stream: The stream.
        needs_past: Whether the lists have to reach back to the oldest purchase order.
    """

    takes_rows = True

    def __init__(self, stream: OrderReportsStream, *, needs_past: bool = True) -> None:
        self._stream = stream
        self._settings = stream.settings
        self._numbers = stream.shared.numbers
        self.needs_past = needs_past

    @property
    @override
    def stream(self) -> OrderReportsStream:
        return self._stream

    @property
    @override
    def covers(self) -> Coverage:
        if not self._numbers or not self.needs_past:
            return {}
        return {**vendor_coverage(self._settings), **filter_coverage(self._settings)}

    @override
    def start(self, now: datetime) -> datetime | None:
        if not self.needs_past:
            return now - timedelta(days=max(self._settings.recent_days, 1))
        if not self._numbers:
            return self._settings.start_date
        oldest = self._settings.start_date or now - PurchaseOrdersStream.operation.reach
        return oldest - _OLDER_THAN_ITS_ORDER

    @override
    def most_pages(self) -> float:
        if not self._numbers or self._settings.order_reports_strategy != "auto":
            return math.inf
        return self._numbers.count() * len(self._settings.business_api_regions)

    @override
    def children(self, parents: Sequence[Row], since: datetime | None) -> Iterator[Record]:
        named = {
            number for row in parents if (number := _named(row)) is not None and number.strip()
        }
        own = self._numbers.among(named) if self._numbers else {number: number for number in named}
        reports = ((own[str(_named(row))], [row]) for row in parents if _named(row) in own)
        yield from self._stream.records_of(reports)

    @override
    def without_pages(self, since: datetime, tell: Callable[[int, int], None]) -> Iterator[Record]:
        if self._numbers:
            by_number = ByNumber(self._stream, tell)
            numbers = list(self._numbers.listed(since - _OLDER_THAN_ITS_ORDER))
            yield from self._stream.records_of(by_number.reports(numbers))


def order_reports_stream(settings: Settings) -> type[AmazonStream] | None:
    """Return the class that is order_reports with these settings, None if none is possible."""
    # In the sandbox, numbers of purchase orders lead to nothing.
    if settings.purchase_order_numbers or settings.sandbox:
        return OrderReportsStream
    if settings.sp_api or not settings.business_api:
        return PurchaseOrderReportsStream
    if settings.order_reports_strategy != "purchase_order":
        return ListedOrderReportsStream
    return None


def _named(row: Row) -> str | None:
    number = row.get("purchaseOrderNumber")
    return None if number is None else str(number)


def _joined(row: object, number: str) -> object:
    """Return a row under the order's own number, so that it joins its purchase order."""
    if not isinstance(row, dict):
        return row
    reported = row.get("purchaseOrderNumber")
    same = reported is None or str(reported) == number
    own = {} if same else {"reportedPurchaseOrderNumber": reported}
    return {**row, **own, "purchaseOrderNumber": number}
