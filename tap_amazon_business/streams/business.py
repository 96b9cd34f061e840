"""Streams of the Amazon Business API: what a business account ordered, received and paid.

Sources: Amazon's "Reporting API v2025-06-09" and "Reconciliation API v2021-01-08".
"""

from __future__ import annotations

import logging
import math
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from typing_extensions import override

from tap_amazon_business.ahead import ReadAhead
from tap_amazon_business.children import ChildStream, OrderPage
from tap_amazon_business.client import AmazonStream, BusinessStream, Reading, Row, SlicedStream
from tap_amazon_business.connection import Request
from tap_amazon_business.errors import RequestFailedError, scrub
from tap_amazon_business.records import hoist, moment_of
from tap_amazon_business.streams import business_schemas
from tap_amazon_business.streams.reports_by_date import ReportsByDate
from tap_amazon_business.streams.vendor import PurchaseOrdersStream
from tap_amazon_business.windows import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.windows import Slice, Window

_REPORTS = "/reports/2025-06-09"
# Dots alone mean another path, however they are encoded: every client and server resolves them.
_NOT_A_PATH_SEGMENT = frozenset({"", ".", ".."})
_REFUSED_NUMBERS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
# The API allows 366 days, and the overlap of two windows comes on top.
_LONGEST_LIST = timedelta(days=365)


class OrderDateStream(SlicedStream, BusinessStream):
    """A stream that the Reporting API lists by order date, region by region.

    The dates are those of the orders, for shipments too, and there is no updated-since filter:
    later changes are seen only by reading a window again, which emits it again.
    """

    # Two years can be read; a day less, as the last page of the oldest window is asked for later
    # than its first. The API allows windows of 366 days; with a quarter of a year a long backfill
    # can be resumed, and two years in one region still fit into the plan's burst.
    reading = Reading(width=timedelta(days=92), reach=timedelta(days=729))
    replication_key = "orderDate"

    @property
    @override
    def lookback(self) -> timedelta:
        return self.settings.order_lookback

    @override
    def requests(self, part: Slice) -> list[Request]:
        regions = self.settings.business_api_regions
        return [self.list_request(part.window, region) for region in regions]

    @classmethod
    def list_request(cls, window: Window, region: str) -> Request:
        """Return the request for what was ordered in a window, at most 366 days wide."""
        return Request(
            cls.operation,
            cls.path,
            {
                "orderStartDate": window.after,
                "orderEndDate": window.before,
                "region": region,
            },
            kind=f"region {region}, ordered",
            about=str(window),
            role=cls.role,
        )

    @property
    @override
    def covered(self) -> list[str]:
        return list(self.settings.business_api_regions)

    @override
    def reshape(self, row: Row) -> Row:
        return hoist(row, "orderMetadata", "shipmentMetadata")


class OrdersStream(OrderDateStream):
    """Every order of the account, whether it names a purchase order or not."""

    name = "orders"
    operation = "getOrderReports"
    path = _REPORTS + "/orderReports"
    rows_field = "ordersReport"
    primary_keys = ("orderId",)
    schema: ClassVar = business_schemas.ORDERS


class OrderReportsStream(BusinessStream):
    """Order reports of the purchase order numbers named in the settings."""

    name = "order_reports"
    operation = "getOrderReportsByPurchaseOrderNumber"
    path = _REPORTS + "/purchaseOrders/{}/orderReports"
    rows_field = "ordersReport"
    primary_keys = ("purchaseOrderNumber", "orderId")
    schema: ClassVar = business_schemas.ORDER_REPORTS

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        return self.reports_of(self.settings.purchase_order_numbers)

    def reports_of(self, numbers: Sequence[str]) -> Iterator[Record]:
        """Ask for the order reports of each of these numbers, and yield them in that order."""
        threads = min(self.connection.parallel, len(numbers))
        sources = [partial(self._pages_of, number) for number in numbers]
        with ReadAhead(sources, threads=threads, hold=2 * threads) as ahead:
            for number, pages in zip(numbers, ahead, strict=True):
                yield from self.of_order(number, chain.from_iterable(pages))

    def of_order(self, number: str, rows: Iterable[Row]) -> Iterator[Record]:
        """Yield the reports of a purchase order, each once, under the number asked for."""
        seen = set()
        for row in self.keyed(_joined(row, number) for row in rows):
            if row["orderId"] not in seen:
                seen.add(row["orderId"])
                yield self.record(row)

    def _pages_of(self, number: str) -> Iterator[list[Row]]:
        if number in _NOT_A_PATH_SEGMENT:
            problem = f"'{scrub(number)}' cannot be asked for by number, as no path can carry it"
            self.say("purchase order %s", problem, level=logging.WARNING)
            return
        # Buyers type purchase order numbers as they like, slashes and umlauts included.
        path = self.path.format(quote(number, safe=""))
        for region in self.settings.business_api_regions:
            kind = f"region {region}, purchase order"
            try:
                yield from self.pages(self.request(kind, number, {"region": region}, path))
            except RequestFailedError as error:
                if error.status not in _REFUSED_NUMBERS:
                    raise
                raise RequestFailedError(
                    f"{error.message} If it is this number alone that Amazon refuses, set "
                    "order_reports_strategy to order_date, which asks for no number.",
                    status=error.status,
                ) from error

    @override
    def reshape(self, row: Row) -> Row:
        return hoist(row, "orderMetadata")


class PurchaseOrderReportsStream(ChildStream, OrderReportsStream):
    """Order reports of the purchase orders that their parent reads, found the cheaper way.

    By number, an order costs a request per region; by date, a hundred reports cost one, whether
    their orders are wanted or not. Which is cheaper shows only at the end. So lists by date are
    read as long as they have cost no more than the orders so far would cost by number, and orders
    whose turn comes before the lists are complete are asked for by number: neither way can cost
    more than the other would have, so both together cost at most twice as much as the cheaper.
    """

    parent_stream_type = PurchaseOrdersStream
    rechecks = True

    @contextmanager
    @override
    def running(self) -> Iterator[None]:
        self._by_number = 0  # requests that all orders so far cost by number
        self._served: set[str] = set()
        self._listed_until = self.clock.now() - OrderDateStream.reading.margin
        lists = map(self.pages, self._lists(self._listed_until))
        by_date = ReportsByDate(lists, threads=self.connection.parallel)
        with by_date as self._by_date, super().running():
            yield

    @override
    def children(self, page: OrderPage) -> Iterator[Record]:
        # An order that is asked for again though unchanged may turn out to have changed later on.
        orders = [
            order
            for order in (*page.emitted, *page.rechecked)
            if order["purchaseOrderNumber"] not in self._served
        ]
        if not orders:
            return
        self._served.update(order["purchaseOrderNumber"] for order in orders)
        self._by_number += len(orders) * len(self.settings.business_api_regions)
        allowed = {"purchase_order": 0, "auto": self._by_number, "order_date": math.inf}
        if self._by_date.complete(allowed[self.settings.order_reports_strategy]):
            # Orders younger than the lists, or so young that they may have appeared late, may have
            # reports that the lists do not hold yet.
            since = self._listed_until - OrderDateStream.reading.overlap
            listed = [order for order in orders if not _dated_from(order, since)]
            orders = [order for order in orders if _dated_from(order, since)]
            for order in listed:
                number = order["purchaseOrderNumber"]
                yield from self.of_order(number, self._by_date.rows(number))
        yield from self.reports_of([order["purchaseOrderNumber"] for order in orders])

    def _lists(self, until: datetime) -> list[Request]:
        """Return the requests for all that the API lists by order date."""
        return [
            OrdersStream.list_request(window, region)
            for window in cut(until - OrderDateStream.reading.reach, until, lambda: _LONGEST_LIST)
            for region in self.settings.business_api_regions
        ]


def _dated_from(order: Mapping[str, Any], moment: datetime) -> bool:
    date = moment_of(order["purchaseOrderDate"])
    return date is not None and date >= moment


def _joined(row: Row, number: str) -> Row:
    """Return the row under the number that was asked for, so that it joins its parent."""
    reported = row.get("purchaseOrderNumber")
    own = {} if reported in (None, number) else {"reportedPurchaseOrderNumber": reported}
    return {**row, **own, "purchaseOrderNumber": number}


class NamedOrderReportsStream(OrderDateStream):
    """Order reports without purchase orders to belong to: of all orders that name one."""

    name = "order_reports"
    operation = OrdersStream.operation
    path = OrdersStream.path
    rows_field = OrdersStream.rows_field
    primary_keys = OrderReportsStream.primary_keys
    schema: ClassVar = business_schemas.ORDER_REPORTS

    @override
    def keyed(self, rows: Iterable[Row]) -> Iterator[Row]:
        return super().keyed(row for row in rows if row.get("purchaseOrderNumber") is not None)


class OrderLineItemsStream(OrderDateStream):
    """The lines of the orders."""

    name = "order_line_items"
    operation = "getOrderLineItemReports"
    path = _REPORTS + "/orderLineItemReports"
    rows_field = "orderLineItemsReport"
    primary_keys = ("orderId", "orderLineItemId")
    schema: ClassVar = business_schemas.ORDER_LINE_ITEMS


class ShipmentsStream(OrderDateStream):
    """The shipments of the orders."""

    name = "shipments"
    operation = "getShipmentReports"
    path = _REPORTS + "/shipmentReports"
    rows_field = "shipmentsReport"
    primary_keys = ("orderId", "shipmentId")
    schema: ClassVar = business_schemas.SHIPMENTS


class ShipmentLineItemsStream(OrderDateStream):
    """The lines of the shipments."""

    name = "shipment_line_items"
    operation = "getShipmentLineItemReports"
    path = _REPORTS + "/shipmentLineItemReports"
    rows_field = "shipmentLineItemsReport"
    primary_keys = ("orderId", "shipmentId", "orderLineItemId")
    schema: ClassVar = business_schemas.SHIPMENT_LINE_ITEMS


class TransactionsStream(SlicedStream, BusinessStream):
    """Payments and refunds, as the reconciliation feed brings them."""

    name = "transactions"
    operation = "getTransactions"
    path = "/reconciliation/2021-01-08/transactions"
    role = "'Business Purchase Reconciliation'"
    rows_field = "transactions"
    primary_keys = ("transactionId",)
    replication_key = "feedDate"
    reading = Reading(
        width=timedelta(days=30), reach=timedelta(days=729), overlap=timedelta(days=1)
    )
    schema: ClassVar = business_schemas.TRANSACTIONS

    @property
    @override
    def lookback(self) -> timedelta:
        return self.reading.overlap

    @override
    def requests(self, part: Slice) -> list[Request]:
        window = {"feedStartDate": part.window.after, "feedEndDate": part.window.before}
        return [self.request("fed", str(part.window), window)]

    @override
    def reshape(self, row: Row) -> Row:
        # Amazon's model has amounts as objects with a currency; plain amounts are kept, too.
        lines = row.get("transactionLineItems")
        return {
            **_with_amounts(row, ("amount",)),
            "transactionLineItems": [
                _with_amounts(line, business_schemas.TRANSACTION_LINE_AMOUNTS)
                for line in lines
                if isinstance(line, dict)
            ]
            if isinstance(lines, list)
            else lines,
        }


def _with_amounts(row: Row, names: Iterable[str]) -> dict[str, Any]:
    plain = {name: {"amount": row[name]} for name in names if isinstance(row.get(name), (str, int))}
    return {**row, **plain}


# order_reports is chosen by the tap: it depends on the settings where its orders come from.
BUSINESS_STREAMS: tuple[type[AmazonStream], ...] = (
    OrdersStream,
    OrderLineItemsStream,
    ShipmentsStream,
    ShipmentLineItemsStream,
    TransactionsStream,
)
