"""Streams of the Selling Partner API: orders and shipments as a vendor sees them.

Sources: Amazon's "Vendor Retail Procurement Orders API v1" and "Vendor Retail Procurement
Shipments API v1".
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from typing_extensions import override

from tap_amazon_business.ahead import ReadAhead
from tap_amazon_business.children import ChildStream, OrderPage
from tap_amazon_business.client import (
    AmazonStream,
    Reading,
    Row,
    SlicedStream,
    VendorStream,
    before,
)
from tap_amazon_business.connection import Request
from tap_amazon_business.errors import RequestFailedError, TapError, scrub
from tap_amazon_business.records import hoist, moment_of
from tap_amazon_business.streams import vendor_schemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.windows import Slice, Span


_VENDOR_CODE = "code:"


class VendorListStream(SlicedStream, VendorStream):
    """A stream that the Selling Partner API lists by date.

    Attributes:
        passes: The kinds of date that a slice is asked for by, as the API's parameters begin.
        by_vendor_code: Whether the operation takes orderingVendorCode.
    """

    # Ranges of more than seven days are refused, on some accounts also those of exactly seven; and
    # a window's overlap with the one before comes on top. Six months can be read.
    reading = Reading(width=timedelta(days=7) - timedelta(minutes=1), reach=timedelta(days=180))
    passes: ClassVar[tuple[str, ...]] = ("created",)
    by_vendor_code: ClassVar[bool] = True

    @property
    @override
    def lookback(self) -> timedelta:
        return self.settings.lookback

    @property
    def filters(self) -> Mapping[str, str]:
        """Return further parameters of every request."""
        return {}

    @property
    @override
    def covered(self) -> list[str] | None:
        return [f"{_VENDOR_CODE}{quote(code)}" for code in self._codes] or None

    @override
    def not_covered(self, covers: list[str]) -> list[str]:
        added = super().not_covered(covers)
        if not any(part.startswith(_VENDOR_CODE) for part in covers):  # it covers them all
            return [part for part in added if not part.startswith(_VENDOR_CODE)]
        return added if self._codes else [*added, f"{_VENDOR_CODE}*"]

    @property
    def _codes(self) -> Sequence[str]:
        return self.settings.ordering_vendor_codes if self.by_vendor_code else ()

    @override
    def requests(self, part: Slice) -> list[Request]:
        # What is read again is read by creation date: other dates lead to changes by themselves.
        passes = self.passes[:1] if part.reread else self.passes
        codes = self._codes or (None,)
        return [self._window(part, name, code) for code in codes for name in passes]

    def _window(self, part: Slice, name: str, code: str | None) -> Request:
        # Both bounds, always: one alone is refused now and then. Never sortOrder: some accounts
        # refuse it, others ignore it.
        params = {
            f"{name}After": part.window.after,
            f"{name}Before": part.window.before,
            "limit": str(self.reading.page_size),
            **self.filters,
        }
        if code is not None:
            params["orderingVendorCode"] = code
        kind = f"vendor code {code}, {name}" if code else name
        return self.request(kind, str(part.window), params)


# The fields of a purchase order that its children are made of.
_FOR_CHILDREN = ("purchaseOrderNumber", "purchaseOrderDate", "items")


class PurchaseOrdersStream(VendorListStream):
    """Purchase orders, each once a sync: by creation date, by change date, and by change of state.

    changedAfter and changedBefore do not find orders that were never changed, and no filter covers
    a change of state: so each slice has a created and a changed pass, and the created windows of
    the last weeks are read again.
    """

    name = "purchase_orders"
    operation = "getPurchaseOrders"
    path = "/vendor/orders/v1/purchaseOrders"
    rows_field = "orders"
    primary_keys = ("purchaseOrderNumber",)
    replication_key = "lastChangedDate"
    changed_date = "lastChangedDate"
    passes = ("created", "changed")
    schema: ClassVar = vendor_schemas.PURCHASE_ORDERS

    @property
    @override
    def lookback(self) -> timedelta:
        recheck = self.settings.order_reports_lookback if self._rechecks else timedelta()
        return max(super().lookback, recheck)

    @property
    @override
    def filters(self) -> Mapping[str, str]:
        return self.settings.purchase_order_filters

    @property
    @override
    def covered(self) -> list[str]:
        names = sorted(child.name for child in self._children)
        regions = self.settings.business_api_regions if self._rechecks else ()
        return [*(super().covered or ()), *names, *regions]

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        self._rechecked: set[str] = set()
        self._waiting = False
        self._require_fields()
        with ExitStack() as stack:
            for child in self._children:
                stack.enter_context(child.running())
            if self.settings.purchase_order_numbers:
                yield from self._records_by_number()
            else:
                yield from super().get_records(context)

    @override
    def page_records(self, rows: list[Row], part: Slice, span: Span) -> Iterator[Record]:
        emitted = list(self.fresh(rows, part, span))
        rechecked = list(self._recent(rows, span)) if part.reread and self._rechecks else []
        yield from self._with_children(emitted, rechecked)

    def _recent(self, rows: list[Row], span: Span) -> Iterator[Record]:
        """Yield the orders, read again and unchanged, whose reports are asked for again."""
        since = span.until - self.settings.order_reports_lookback
        for row in rows:
            number = row["purchaseOrderNumber"]
            if (
                (number,) not in self._seen
                and number not in self._rechecked
                and not before(row, "purchaseOrderDate", since)
            ):
                self._rechecked.add(number)
                yield self.record(row)

    def _records_by_number(self) -> Iterator[Record]:
        numbers = self.settings.purchase_order_numbers
        self.say("reading %d purchase orders by number", len(numbers))
        threads = min(self.connection.parallel, len(numbers))
        sources = [partial(self._order, number) for number in numbers]
        with ReadAhead(sources, threads=threads, hold=2 * threads) as ahead:
            seen: set[str] = set()
            for orders in ahead:
                # Amazon may answer two spellings of a number with the same order.
                new = [row for row in self.keyed(orders) if row["purchaseOrderNumber"] not in seen]
                seen.update(row["purchaseOrderNumber"] for row in new)
                yield from self._with_children([self.record(row) for row in new])

    def _order(self, number: str) -> list[Row]:
        request = Request(
            "getPurchaseOrder",
            f"{self.path}/{quote(number, safe='')}",
            kind="purchase order",
            about=number,
            role=self.role,
        )
        try:
            order = self.connection.get(request).get("payload")
        except RequestFailedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            self.say("there is no purchase order %s", scrub(number), level=logging.WARNING)
            return []
        if not isinstance(order, dict):
            raise RequestFailedError(
                f"{request} was answered with HTTP 200, but without a purchase order. Run the sync "
                "again; if it comes again, ask Amazon's support."
            )
        return [order]

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

    # ---- children ------------------------------------------------------------------------------

    @property
    def _children(self) -> list[ChildStream]:
        return [
            child
            for child in self.child_streams
            if isinstance(child, ChildStream) and child.selected
        ]

    @property
    def _rechecks(self) -> bool:
        return any(child.rechecks for child in self._children)

    def _with_children(
        self, emitted: list[Record], rechecked: Iterable[Record] = ()
    ) -> Iterator[Record]:
        """Yield the orders of a page; when they are written, have their children written."""
        page = OrderPage(self._for_children(emitted), self._for_children(rechecked))
        yield from emitted
        for child in self._children:
            child.sync_page(page)

    def _for_children(self, orders: Iterable[Record]) -> list[Record]:
        """Return what children need of the orders that a filter of stream_maps lets through."""
        # A catalog of the children alone has no map of their parent.
        maps = self._tap.mapper.stream_maps.get(self.name, ())
        return [
            {name: order.get(name) for name in _FOR_CHILDREN}
            for order in orders
            if not maps or maps[0].get_filter_result(order)
        ]

    def _require_fields(self) -> None:
        """Check that the catalog leaves in the schema what children are made of.

        Raises:
            TapError: It does not; deselected they may be, but not taken out.
        """
        lacking = [
            name for name in _FOR_CHILDREN if name not in self.effective_schema["properties"]
        ]
        if lacking and self._children:
            raise TapError(
                f"The catalog's schema of {self.name} lacks {', '.join(lacking)}, of which "
                f"{', '.join(child.name for child in self._children)} are made: make the catalog "
                "anew with --discover, and deselect fields by their metadata"
            )

    @override
    def finish(self, part: Slice) -> None:
        # A slice is finished when its children are out. Where a child failed, the orders whose
        # children are missing have to come again: the bookmark waits for them.
        failed = [child.name for child in self._children if child.failed]
        if not failed:
            super().finish(part)
        elif not self._waiting:
            self._waiting = True
            self.say(
                "the bookmark waits where %s failed, so that none of its records is left out; "
                "deselected, it lets the bookmark move, and everything is read again once it is "
                "selected",
                ", ".join(failed),
                level=logging.WARNING,
            )


class PurchaseOrderItemsStream(ChildStream, VendorStream):
    """The items of the purchase orders that their parent reads; no request of its own."""

    name = "purchase_order_items"
    operation = PurchaseOrdersStream.operation
    path = PurchaseOrdersStream.path
    rows_field = "items"
    primary_keys = ("purchaseOrderNumber", "itemSequenceNumber")
    parent_stream_type = PurchaseOrdersStream
    schema: ClassVar = vendor_schemas.PURCHASE_ORDER_ITEMS

    @override
    def children(self, page: OrderPage) -> Iterator[Record]:
        for order in page.emitted:
            number = {"purchaseOrderNumber": order["purchaseOrderNumber"]}
            seen: set[str] = set()
            for item in self.keyed({**item, **number} for item in order["items"] or ()):
                if item["itemSequenceNumber"] not in seen:
                    seen.add(item["itemSequenceNumber"])
                    yield self.record(item)


class PurchaseOrderStatusesStream(VendorListStream):
    """Where each purchase order's items stand; lastUpdatedDate may be missing."""

    name = "purchase_order_statuses"
    operation = "getPurchaseOrdersStatus"
    path = "/vendor/orders/v1/purchaseOrdersStatus"
    rows_field = "ordersStatus"
    primary_keys = ("purchaseOrderNumber",)
    replication_key = "lastUpdatedDate"
    changed_date = "lastUpdatedDate"
    passes = ("created", "updated")
    schema: ClassVar = vendor_schemas.PURCHASE_ORDER_STATUSES


class VendorShipmentsStream(VendorListStream):
    """Shipments that the vendor announced; without a date of change, recent ones come again."""

    name = "vendor_shipments"
    operation = "GetShipmentDetails"
    path = "/vendor/shipping/v1/shipments"
    rows_field = "shipments"
    primary_keys = ("vendorShipmentIdentifier",)
    replication_key = "shipmentCreateDate"
    reading = replace(VendorListStream.reading, page_size=50)
    by_vendor_code = False
    schema: ClassVar = vendor_schemas.VENDOR_SHIPMENTS


VENDOR_STREAMS: tuple[type[AmazonStream], ...] = (
    PurchaseOrdersStream,
    PurchaseOrderItemsStream,
    PurchaseOrderStatusesStream,
    VendorShipmentsStream,
)
