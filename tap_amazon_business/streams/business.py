"""Streams of the Amazon Business API: what a business account ordered, received and paid.

Sources: Amazon's "Reporting API v2025-06-09" and "Reconciliation API v2021-01-08".
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from typing_extensions import override

from tap_amazon_business.ahead import ReadAhead
from tap_amazon_business.children import ChildStream, OrderPage
from tap_amazon_business.client import AmazonStream, BusinessStream, Reading, Row, SlicedStream
from tap_amazon_business.records import hoist
from tap_amazon_business.streams import business_schemas
from tap_amazon_business.streams.vendor import PurchaseOrdersStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.connection import Request
    from tap_amazon_business.windows import Slice

_REPORTS = "/reports/2025-06-09"


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
        """Yield the order reports of these purchase order numbers, each once per number."""
        threads = min(self.connection.parallel, len(numbers))
        sources = [partial(self._pages_of, number) for number in numbers]
        with ReadAhead(sources, threads=threads, hold=2 * threads) as ahead:
            for number, pages in zip(numbers, ahead, strict=True):
                seen = set()
                for rows in pages:
                    for row in self.keyed(_of_order(row, number) for row in rows):
                        if row["orderId"] not in seen:
                            seen.add(row["orderId"])
                            yield self.record(row)

    def _pages_of(self, number: str) -> Iterator[list[Row]]:
        # Buyers type purchase order numbers as they like, slashes and umlauts included.
        path = self.path.format(quote(number, safe=""))
        for region in self.settings.business_api_regions:
            kind = f"region {region}, purchase order"
            yield from self.pages(self.request(kind, number, {"region": region}, path))

    @override
    def reshape(self, row: Row) -> Row:
        return hoist(row, "orderMetadata")


class PurchaseOrderReportsStream(ChildStream, OrderReportsStream):
    """Order reports of the purchase orders that their parent reads."""

    parent_stream_type = PurchaseOrdersStream
    rechecks = True

    @override
    def children(self, page: OrderPage) -> Iterator[Record]:
        return self.reports_of(page.numbers)


def _of_order(row: Row, number: str) -> Row:
    """Return the row under the number that was asked for, so that it joins its parent."""
    reported = row.get("purchaseOrderNumber")
    own = {} if reported in {None, number} else {"reportedPurchaseOrderNumber": reported}
    return {**row, **own, "purchaseOrderNumber": number}


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
        window = {"orderStartDate": part.window.after, "orderEndDate": part.window.before}
        return [
            self.request(
                f"region {region}, ordered", str(part.window), {**window, "region": region}
            )
            for region in self.settings.business_api_regions
        ]

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
