"""Streams of the Amazon Business API: what a business account ordered, received and paid.

Sources: Amazon's "Reporting API v2025-06-09" and "Reconciliation API v2021-01-08".
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_amazon_business.api import operations
from tap_amazon_business.errors import PageTokenRefusedError
from tap_amazon_business.records import hoist
from tap_amazon_business.streams.coverage import region_coverage
from tap_amazon_business.streams.query import Query
from tap_amazon_business.streams.schemas import business as schemas
from tap_amazon_business.streams.sliced import SlicedStream
from tap_amazon_business.sync.course import NumberCourse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Record

    from tap_amazon_business.streams.base import AmazonStream, Row
    from tap_amazon_business.streams.children import ChildSync
    from tap_amazon_business.sync.bookmark import Coverage


def order_date_query(region: str) -> Query:
    """Return the query by order date; a region without orders returns an empty list."""
    return Query(f"region {region}, ordered", "orderStartDate", "orderEndDate", {"region": region})


class OrderDateStream(SlicedStream):
    """A stream that the Reporting API lists by order date, region by region.

    The dates are those of the orders, for shipments too, and there is no updated-since filter:
    only reading a window again shows later changes, so all of it is emitted again.
    """

    replication_key = "orderDate"
    # The API allows a year. A long backfill should resume sooner, and two years of one region still
    # fit into the plan's burst.
    widest_window = timedelta(days=92)
    # The last page of a slice is half empty, and a page costs two seconds.
    pages_per_slice = 20

    @property
    @override
    def lookback(self) -> timedelta:
        return timedelta(days=self.settings.order_lookback_days)

    @property
    @override
    def covers(self) -> Coverage:
        return region_coverage(self.settings)

    @override
    def queries(self) -> Sequence[Query]:
        return [order_date_query(region) for region in self.settings.business_api_regions]

    @override
    def reshape(self, row: Row) -> Row:
        return hoist(row, "orderMetadata", "shipmentMetadata")


class OrdersStream(OrderDateStream):
    """Every order of the account, whether it names a purchase order or not."""

    name = "orders"
    operation = operations.GET_ORDER_REPORTS
    primary_keys = ("orderId",)
    has_children = True
    schema: ClassVar = schemas.ORDERS

    @override
    def sync_records(self, children: Sequence[ChildSync]) -> Iterator[Record]:
        if not self.anything_to_read():
            return
        plan, sync = self.plan, self.sync_of(children)
        # Lists that no user wants are worth what the children cost without them.
        most = math.inf
        if not self.selected and not plan.resume.moment:
            most = max((child.child.most_pages() for child in children), default=math.inf)
        try:
            for record in sync.records():
                yield record
                if sync.pages > most:
                    break
            else:
                return
        except PageTokenRefusedError:
            self._write_without_pages(children)
            raise
        self.info("the lists by order date are longer than the requests by number would be")
        self._write_without_pages(children)
        sync.skip_to(plan.span.until)

    def _write_without_pages(self, children: Sequence[ChildSync]) -> None:
        course = self.track.follow(NumberCourse("purchase orders", self.clock))
        for child in children:
            child.write(child.child.without_pages(self.plan.span.since, course.tell))


class OrderLineItemsStream(OrderDateStream):
    """The lines of the orders."""

    name = "order_line_items"
    operation = operations.GET_ORDER_LINE_ITEM_REPORTS
    primary_keys = ("orderId", "orderLineItemId")
    schema: ClassVar = schemas.ORDER_LINE_ITEMS


class ShipmentsStream(OrderDateStream):
    """The shipments of the orders."""

    name = "shipments"
    operation = operations.GET_SHIPMENT_REPORTS
    primary_keys = ("orderId", "shipmentId")
    schema: ClassVar = schemas.SHIPMENTS


class ShipmentLineItemsStream(OrderDateStream):
    """The lines of the shipments."""

    name = "shipment_line_items"
    operation = operations.GET_SHIPMENT_LINE_ITEM_REPORTS
    primary_keys = ("orderId", "shipmentId", "orderLineItemId")
    schema: ClassVar = schemas.SHIPMENT_LINE_ITEMS


class TransactionsStream(SlicedStream):
    """Payments and refunds, as the reconciliation feed lists them.

    Every sync reads the overlap; older transactions do not change. But what their children ask for
    does: then the lookback reads them again, and passes them on without emitting them.
    """

    name = "transactions"
    operation = operations.GET_TRANSACTIONS
    primary_keys = ("transactionId",)
    replication_key = "feedDate"
    changed_date = "feedDate"
    has_children = True
    widest_window = timedelta(days=30)
    overlap = timedelta(days=1)
    schema: ClassVar = schemas.TRANSACTIONS

    @property
    @override
    def lookback(self) -> timedelta:
        return timedelta(days=self.settings.order_lookback_days if self.selected_children else 0)

    @override
    def queries(self) -> Sequence[Query]:
        return [Query("fed", "feedStartDate", "feedEndDate")]

    @override
    def reshape(self, row: Row) -> Row:
        # Amazon's model has amounts as objects with a currency; plain amounts are kept, too.
        lines = row.get("transactionLineItems")
        return {
            **_with_amounts(row, ("amount",)),
            "transactionLineItems": [
                _with_amounts(line, schemas.TRANSACTION_LINE_AMOUNTS)
                for line in lines
                if isinstance(line, dict)
            ]
            if isinstance(lines, list)
            else lines,
        }


def _with_amounts(row: Row, names: Iterable[str]) -> dict[str, Any]:
    plain = {name: {"amount": row[name]} for name in names if isinstance(row.get(name), (str, int))}
    return {**row, **plain}


# order_reports is not here: which of its classes is right depends on the settings.
BUSINESS_STREAMS: tuple[type[AmazonStream], ...] = (
    OrdersStream,
    OrderLineItemsStream,
    ShipmentsStream,
    ShipmentLineItemsStream,
    TransactionsStream,
)
