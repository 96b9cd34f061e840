"""Streams of the Amazon Business API: what a business account ordered, received and paid.

Sources: Amazon's "Reporting API v2025-06-09" and "Reconciliation API v2021-01-08".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from singer_sdk.helpers.types import Record
from typing_extensions import override

from tap_amazon_business.api import operations
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.records.shaping import lift
from tap_amazon_business.streams.base import AmazonStream, Row
from tap_amazon_business.streams.queries import (
    Probe,
    Query,
    business_coverage,
    credential_coverage,
)
from tap_amazon_business.streams.schemas import business as schemas
from tap_amazon_business.streams.sliced import SlicedStream
from tap_amazon_business.sync.bookmark import Coverage


class OrderDateStream(SlicedStream):
    """A stream that the Reporting API lists by order date, region by region.

    The dates are those of the orders, for shipments too, and there is no updated-since filter:
    only comparing what is read again shows later changes.
    """

    replication_key = "orderDate"
    lookback_setting = "order_lookback_days"
    # The API allows a year. A long backfill should resume sooner.
    widest_window = timedelta(days=92)
    # The last page of a slice is half empty, and a page costs two seconds.
    pages_per_slice = 20
    # More would not be faster at Amazon's rate, and the first of them would be complete later.
    most_windows = 3

    @property
    @override
    def covers(self) -> Coverage:
        return business_coverage(self.settings)

    @override
    def queries(self) -> Sequence[Query]:
        # A region without orders returns an empty list.
        path = ("orderMetadata", "orderDate")
        return [
            Query(f"region {r}, ordered", "orderStartDate", "orderEndDate", path, {"region": r})
            for r in self.settings.business_api_regions
        ]

    @override
    def reshape(self, row: Row) -> Row:
        return lift(row, "orderMetadata", "shipmentMetadata")


class OrdersStream(OrderDateStream):
    """Every order of the account, whether it names a purchase order or not."""

    name = "orders"
    operation = operations.GET_ORDER_REPORTS
    primary_keys = ("orderId",)
    has_children = True
    schema: ClassVar = schemas.ORDERS

    @override
    def probes(self) -> list[Probe]:
        others = () if self.selected else (child.alternative for child in self.children)
        alternative = next(filter(None, others), "")
        return [replace(probe, refused=alternative) for probe in super().probes()]

    @override
    def sync_records(self) -> Iterator[Record]:
        try:
            yield from super().sync_records()
        except RequestFailedError as error:
            if self.client.failure or not any(c.fall_back(error) for c in self.children):
                raise
            if self.selected:
                self.fail_at_the_end(error)

    @override
    def advance_bookmark(self, end: datetime | None, position: datetime) -> None:
        # In a run by number, order_reports does not get what is listed here: a bookmark that covers
        # both would skip it, and one that does not would have the next sync read everything again.
        covered = self.bookmark.get("covers")
        streams = covered.get("streams") if isinstance(covered, dict) else None
        if not self.settings.purchase_order_numbers or "order_reports" not in (streams or ()):
            super().advance_bookmark(end, position)


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

    Amazon's model filters by the feed date, Amazon's tutorial calls both bounds order dates: with
    the latter, transactions appear days behind the bookmark, and the lookback finds them.
    """

    name = "transactions"
    operation = operations.GET_TRANSACTIONS
    primary_keys = ("transactionId",)
    replication_key = "feedDate"
    lookback_setting = "order_lookback_days"
    has_children = True
    widest_window = timedelta(days=30)
    overlap = timedelta(days=1)
    schema: ClassVar = schemas.TRANSACTIONS

    @property
    @override
    def covers(self) -> Coverage:
        return credential_coverage(self.settings.business_api)

    @override
    def queries(self) -> Sequence[Query]:
        return [Query("fed", "feedStartDate", "feedEndDate", ("feedDate",))]

    @override
    def reshape(self, row: Row) -> Row:
        # Amazon's model has amounts as objects with a currency; plain amounts are kept, too.
        lines = row.get("transactionLineItems")
        return {
            **_with_amounts(row, ("amount",)),
            "transactionLineItems": [
                _with_amounts(line, schemas.TRANSACTION_LINE_AMOUNTS)
                if isinstance(line, dict)
                else line
                for line in lines
            ]
            if isinstance(lines, list)
            else lines,
        }


def _with_amounts(row: Row, names: Iterable[str]) -> dict[str, Any]:
    plain = {name: {"amount": row[name]} for name in names if isinstance(row.get(name), (str, int))}
    return {**row, **plain}


# order_reports is not here: whether it is possible depends on the settings.
BUSINESS_STREAMS: tuple[type[AmazonStream], ...] = (
    OrdersStream,
    OrderLineItemsStream,
    ShipmentsStream,
    ShipmentLineItemsStream,
    TransactionsStream,
)
