"""Streams of the Selling Partner API: orders and shipments as a vendor sees them.

Sources: Amazon's "Vendor Retail Procurement Orders API v1" and "Vendor Retail Procurement
Shipments API v1".
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from typing_extensions import override

from tap_amazon_business.api import operations
from tap_amazon_business.api.operations import Request
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.records import hoist
from tap_amazon_business.streams.children import ChildStream, with_children
from tap_amazon_business.streams.query import Query
from tap_amazon_business.streams.schemas import vendor as schemas
from tap_amazon_business.streams.sliced import SlicedStream
from tap_amazon_business.sync.prefetch import Prefetch
from tap_amazon_business.sync.windows import Window
from tap_amazon_business.times import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Record

    from tap_amazon_business.streams.base import AmazonStream, Row
    from tap_amazon_business.streams.children import ChildSync
    from tap_amazon_business.sync.bookmark import Coverage


class VendorListStream(SlicedStream):
    """A stream that the Selling Partner API lists by date.

    Attributes:
        dates: The dates that a window is listed by, as the API's parameters begin.
        by_vendor_code: Whether the operation takes orderingVendorCode.
    """

    dates: ClassVar[tuple[str, ...]] = ("created",)
    by_vendor_code: ClassVar[bool] = True

    @property
    @override
    def lookback(self) -> timedelta:
        return timedelta(days=self.settings.lookback_days)

    @property
    def filters(self) -> Mapping[str, str]:
        """Return further parameters of every request."""
        return {}

    @property
    @override
    def covers(self) -> Coverage:
        if not self.by_vendor_code:
            return {}
        codes = list(self.settings.ordering_vendor_codes)
        return {"ordering_vendor_codes": codes or None}

    @override
    def queries(self) -> Sequence[Query]:
        codes = self.settings.ordering_vendor_codes if self.by_vendor_code else ()
        return [self._query(date, code) for code in codes or (None,) for date in self.dates]

    def _query(self, date: str, code: str | None) -> Query:
        # Both bounds, always: some requests with one alone are refused. Never sortOrder: some
        # accounts refuse it, others ignore it.
        vendor_code = {} if code is None else {"orderingVendorCode": code}
        return Query(
            subject=date if code is None else f"vendor code {code}, {date}",
            after=f"{date}After",
            before=f"{date}Before",
            params={"limit": str(self.operation.page_size), **self.filters, **vendor_code},
            # Queries by other dates than the first lead to changes by themselves.
            rereads=date == self.dates[0],
        )


class PurchaseOrdersStream(VendorListStream):
    """Purchase orders, each once a sync: by creation date, by change date, and by change of state.

    changedAfter and changedBefore do not find orders that were never changed, and no filter covers
    a change of state: so each window is listed by creation and by change, and the created windows
    of the last weeks are read again.
    """

    name = "purchase_orders"
    operation = operations.GET_PURCHASE_ORDERS
    primary_keys = ("purchaseOrderNumber",)
    replication_key = "lastChangedDate"
    changed_date = "lastChangedDate"
    dates = ("created", "changed")
    schema: ClassVar = schemas.PURCHASE_ORDERS

    @property
    @override
    def filters(self) -> Mapping[str, str]:
        return self.settings.purchase_order_filters

    @override
    def sync_records(self, children: Sequence[ChildSync]) -> Iterator[Record]:
        if self.settings.purchase_order_numbers:
            return self._records_by_number(children)
        return super().sync_records(children)

    def _records_by_number(self, children: Sequence[ChildSync]) -> Iterator[Record]:
        numbers = self.settings.purchase_order_numbers
        self.info("reading %d purchase orders by number", len(numbers))
        workers = min(self.settings.max_parallel_requests, len(numbers))
        with Prefetch(numbers, self._order, workers=workers) as prefetch:
            seen: set[str] = set()
            for _, orders in prefetch:
                # Amazon may return the same order for two spellings of a number.
                new = [
                    row
                    for row in self.valid_rows(orders)
                    if str(row["purchaseOrderNumber"]) not in seen
                ]
                seen.update(str(row["purchaseOrderNumber"]) for row in new)
                yield from with_children(self, children, [self.record(row) for row in new])

    def _order(self, number: str) -> list[Row]:
        request = Request(
            operations.GET_PURCHASE_ORDER,
            subject=f"purchase order {number}",
            segment=quote(number, safe=""),
        )
        try:
            return [self.client.row(request)]
        except RequestFailedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            self.warn("there is no purchase order %s", number)
            return []

    @override
    def reshape(self, row: Row) -> Row:
        order = hoist(row, "orderDetails")
        dates = [
            moment
            for name in (
                "purchaseOrderDate",
                "purchaseOrderChangedDate",
                "purchaseOrderStateChangedDate",
            )
            if (moment := moment_of(order.get(name)))
        ]
        order["lastChangedDate"] = max(dates).isoformat() if dates else None
        return order


class PurchaseOrderItemsStream(ChildStream):
    """The items of the purchase orders that their parent reads; no request of its own."""

    name = "purchase_order_items"
    primary_keys = ("purchaseOrderNumber", "itemSequenceNumber")
    parent_stream_type = PurchaseOrdersStream
    parent_fields = ("purchaseOrderNumber", "items")
    schema: ClassVar = schemas.PURCHASE_ORDER_ITEMS

    @override
    def children(self, parents: Sequence[Row]) -> Iterator[Record]:
        for order in parents:
            number = {"purchaseOrderNumber": order["purchaseOrderNumber"]}
            seen: set[str] = set()
            for item in self.valid_rows({**item, **number} for item in order["items"] or ()):
                if (sequence_number := str(item["itemSequenceNumber"])) not in seen:
                    seen.add(sequence_number)
                    yield self.record(item)


class PurchaseOrderStatusesStream(VendorListStream):
    """The status of each purchase order's items; lastUpdatedDate may be missing."""

    name = "purchase_order_statuses"
    operation = operations.GET_PURCHASE_ORDERS_STATUS
    primary_keys = ("purchaseOrderNumber",)
    replication_key = "lastUpdatedDate"
    changed_date = "lastUpdatedDate"
    dates = ("created", "updated")
    schema: ClassVar = schemas.PURCHASE_ORDER_STATUSES


class VendorShipmentsStream(VendorListStream):
    """Shipments that the vendor announced; they have no date of change."""

    name = "vendor_shipments"
    operation = operations.GET_SHIPMENT_DETAILS
    primary_keys = ("vendorShipmentIdentifier",)
    replication_key = "shipmentCreateDate"
    by_vendor_code = False
    schema: ClassVar = schemas.VENDOR_SHIPMENTS

    @override
    def sync_records(self, children: Sequence[ChildSync]) -> Iterator[Record]:
        try:
            yield from super().sync_records(children)
        except RequestFailedError as error:
            if error.status != HTTPStatus.NOT_FOUND or not self._other_operations_work():
                raise
            # The bookmark stays put, so shipments that appear later are not missed.
            self.warn(
                "this account has no shipments in the API (%s). Vendors that do not send shipments "
                "through Amazon get this answer; deselect the stream to avoid this warning.",
                error.message,
            )

    def _other_operations_work(self) -> bool:
        """Tell whether the API answers at all: a wrong host returns 404, too."""
        if not self.client.answered:
            day = Window(self.clock.now() - timedelta(days=1), self.clock.now() - self.margin)
            request = Query("created", "createdAfter", "createdBefore", {"limit": "1"})
            try:
                self.client.get(request.request(operations.GET_PURCHASE_ORDERS, day))
            except RequestFailedError:
                return False
        return True


VENDOR_STREAMS: tuple[type[AmazonStream], ...] = (
    PurchaseOrdersStream,
    PurchaseOrderItemsStream,
    PurchaseOrderStatusesStream,
    VendorShipmentsStream,
)
