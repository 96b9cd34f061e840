"""order_reports: the order reports of each purchase order, and the strategies that find them."""

from __future__ import annotations

import math
import sqlite3
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import quote

from typing_extensions import override

from tap_amazon_business.api import operations
from tap_amazon_business.api.operations import Request
from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError
from tap_amazon_business.records import hoist
from tap_amazon_business.streams.base import AmazonStream
from tap_amazon_business.streams.business import OrderDateStream
from tap_amazon_business.streams.children import ChildStream
from tap_amazon_business.streams.report_lists import ReportLists
from tap_amazon_business.streams.schemas import business as schemas
from tap_amazon_business.streams.vendor import PurchaseOrdersStream
from tap_amazon_business.sync.prefetch import Prefetch
from tap_amazon_business.times import is_before, moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.settings import Settings
    from tap_amazon_business.streams.base import Row
    from tap_amazon_business.streams.children import Reader
    from tap_amazon_business.sync.bookmark import Coverage

# Dots alone mean another path, however they are encoded: every client and server resolves them.
_NOT_A_PATH_SEGMENT = frozenset({"", ".", ".."})
_REFUSED_NUMBERS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})

# Reports of the youngest orders may not be listed yet.
_LISTED_LATE = timedelta(hours=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

# A purchase order number, and the rows of its reports.
Reports = tuple[str, list[dict[str, Any]]]


# ---- the stream ----------------------------------------------------------------------------------


class OrderReportsStream(AmazonStream):
    """Order reports of the purchase order numbers in the settings."""

    name = "order_reports"
    primary_keys = ("purchaseOrderNumber", "orderId")
    schema: ClassVar = schemas.ORDER_REPORTS

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        by_number = ByNumber(self)
        return self.records_of(by_number.reports(self.settings.purchase_order_numbers))

    def records_of(self, reports: Iterable[Reports]) -> Iterator[Record]:
        """Yield each report of a purchase order once, under the number that was asked for."""
        for number, rows in reports:
            seen = set()
            for row in self.valid_rows(_joined(row, number) for row in rows):
                if (order_id := str(row["orderId"])) not in seen:
                    seen.add(order_id)
                    yield self.record(row)

    @override
    def reshape(self, row: Row) -> Row:
        return hoist(row, "orderMetadata")


class PurchaseOrderReportsStream(ChildStream, OrderReportsStream):
    """Order reports of the purchase orders that their parent reads."""

    parent_stream_type = PurchaseOrdersStream
    parent_fields = ("purchaseOrderNumber", "purchaseOrderDate")

    @property
    @override
    def lookback(self) -> timedelta:
        return timedelta(days=self.settings.order_reports_lookback_days)

    @property
    @override
    def covers(self) -> Coverage:
        return {"business_api_regions": list(self.settings.business_api_regions)}

    @override
    def wants_unchanged(self, parent: Row, until: datetime) -> bool:
        return not is_before(parent.get("purchaseOrderDate"), until - self.lookback)

    @contextmanager
    @override
    def reader(self) -> Iterator[Reader]:
        with ExitStack() as stack:
            strategy = _STRATEGIES[self.settings.order_reports_strategy](self, stack)
            yield partial(self._children, strategy, set())

    def _children(
        self, strategy: Strategy, served: set[str], parents: Sequence[Row]
    ) -> Iterator[Record]:
        # An order that is asked for again although unchanged may later turn out to have changed.
        orders = {
            order["purchaseOrderNumber"]: order
            for order in parents
            if order["purchaseOrderNumber"] not in served
        }
        served.update(orders)
        if orders:
            yield from self.records_of(strategy.reports(orders))


class ListedOrderReportsStream(OrderDateStream):
    """Order reports without vendor credentials: of all orders that name a purchase order."""

    name = OrderReportsStream.name
    operation = operations.GET_ORDER_REPORTS
    primary_keys = OrderReportsStream.primary_keys
    schema: ClassVar = schemas.ORDER_REPORTS

    @override
    def valid_rows(self, rows: Iterable[object]) -> Iterator[Row]:
        return super().valid_rows(
            row
            for row in rows
            if not isinstance(row, dict) or row.get("purchaseOrderNumber") is not None
        )


def order_reports_stream(settings: Settings) -> type[AmazonStream] | None:
    """Return the class that is order_reports with these settings, None if none is possible."""
    if settings.purchase_order_numbers:
        return OrderReportsStream
    if settings.sp_api or not settings.business_api:
        return PurchaseOrderReportsStream
    if settings.order_reports_strategy != "purchase_order":
        return ListedOrderReportsStream
    return None


def _joined(row: object, number: str) -> object:
    """Return a row under the number that was asked for, so that it joins its purchase order."""
    if not isinstance(row, dict):
        return row
    reported = row.get("purchaseOrderNumber")
    same = reported is None or str(reported) == number
    own = {} if same else {"reportedPurchaseOrderNumber": reported}
    return {**row, **own, "purchaseOrderNumber": number}


# ---- the strategies ------------------------------------------------------------------------------


class Strategy(Protocol):
    """A way to find the order reports of purchase orders."""

    def reports(self, orders: Mapping[str, Row]) -> Iterator[Reports]:
        """Yield each purchase order number with the rows of its reports.

        Args:
            orders: The purchase orders by number, each with its number and date.

        Raises:
            RequestFailedError: A request failed.
        """
        ...


class ByNumber:
    """Requests each number in each region."""

    def __init__(self, stream: AmazonStream) -> None:
        self._stream = stream

    def reports(self, orders: Iterable[str]) -> Iterator[Reports]:
        """Yield each purchase order number with the rows of its reports."""
        numbers = list(orders)
        refused: list[RequestFailedError] = []
        workers = min(self._stream.settings.max_parallel_requests, len(numbers))
        with Prefetch(numbers, self._read, workers=workers) as prefetch:
            for number, rows in prefetch:
                if isinstance(rows, RequestFailedError):
                    refused.append(rows)
                else:
                    yield number, rows
        if len(refused) == len(numbers) > 1:
            raise refused[0]  # it is not the number
        for error in refused:
            self._stream.warn("%s Its order reports are missing until a later sync.", error.message)
            self._stream.fail_at_the_end(error)

    def _read(self, number: str) -> list[Any] | RequestFailedError:
        if number in _NOT_A_PATH_SEGMENT:
            self._stream.warn(
                "purchase order '%s' cannot be requested by number: no URL path can hold it", number
            )
            return []
        try:
            return [
                row
                for region in self._stream.settings.business_api_regions
                for page in self._stream.client.pages(self._request(number, region))
                for row in page
            ]
        except RequestFailedError as error:
            if error.status not in _REFUSED_NUMBERS:
                raise
            return RequestFailedError(
                f"{error.message} If Amazon refuses only this number, set order_reports_strategy "
                "to order_date, which sends no numbers.",
                status=error.status,
            )

    def _request(self, number: str, region: str) -> Request:
        return Request(
            operations.GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER,
            {"region": region},
            f"region {region}, purchase order {number}",
            # Buyers type purchase order numbers as they like, slashes and umlauts included.
            segment=quote(number, safe=""),
        )


class ByDate:
    """Looks purchase orders up in lists of all orders, a hundred a request.

    The lists may cost so many pages for each order so far; until they are complete, orders go by
    number. If an order is worth what it costs by number, both ways together cost at most about
    twice as much as the cheaper one, which shows only at the end.

    Args:
        lists: The lists.
        by_number: The other way.
        warn: Gets a warning if the lists fail.
        pages_per_order: How many pages of the lists an order is worth.
    """

    def __init__(
        self,
        lists: ReportLists,
        by_number: ByNumber,
        *,
        warn: Callable[[str, object], None],
        pages_per_order: float = math.inf,
    ) -> None:
        self._lists = lists
        self._by_number = by_number
        self._warn = warn
        self._pages_per_order = pages_per_order
        self._allowed = 0.0
        self._usable = True

    def reports(self, orders: Mapping[str, Row]) -> Iterator[Reports]:
        """Yield each purchase order number with the rows of its reports."""
        listed: dict[str, list[Row]] = {}
        if self._usable:
            try:
                listed = self._listed(orders)
            except (PageTokenRefusedError, sqlite3.Error) as error:
                self._usable = False
                self._warn("the lists by order date failed (%s): requesting by number", error)
        yield from listed.items()
        if others := [number for number in orders if number not in listed]:
            yield from self._by_number.reports(others)

    def _listed(self, orders: Mapping[str, Row]) -> dict[str, list[Row]]:
        """Return the rows of the orders that the lists answer for."""
        self._allowed += len(orders) * self._pages_per_order
        if not self._lists.read(self._allowed):
            return {}
        # Younger orders may have reports that the lists do not hold yet.
        until = self._lists.until - _LISTED_LATE
        return {
            number: self._lists.rows(number)
            for number, order in orders.items()
            if (moment_of(order["purchaseOrderDate"]) or _LONG_AGO) < until
        }


_STRATEGIES: Mapping[str, Callable[[AmazonStream, ExitStack], Strategy]] = {
    "purchase_order": lambda stream, _: ByNumber(stream),
    "order_date": lambda stream, stack: ByDate(
        stack.enter_context(ReportLists(stream)), ByNumber(stream), warn=stream.warn
    ),
    "auto": lambda stream, stack: ByDate(
        stack.enter_context(ReportLists(stream)),
        ByNumber(stream),
        warn=stream.warn,
        pages_per_order=len(stream.settings.business_api_regions),
    ),
}
