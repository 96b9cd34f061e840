"""Streams of the Selling Partner API: orders and shipments as a vendor sees them.

Sources: Amazon's "Vendor Retail Procurement Orders API v1" and "Vendor Retail Procurement
Shipments API v1".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

from singer_sdk.helpers.types import Record
from typing_extensions import override

from tap_amazon_business.api import operations
from tap_amazon_business.api.operations import Request
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.records.decoding import FieldPath
from tap_amazon_business.records.shaping import lift
from tap_amazon_business.streams.base import AmazonStream, Row
from tap_amazon_business.streams.change_feed import ChangeFeed
from tap_amazon_business.streams.children import ChildStream
from tap_amazon_business.streams.quantities import totals
from tap_amazon_business.streams.queries import (
    Probe,
    Query,
    credential_coverage,
    feed_queries,
    probes_of,
    vendor_queries,
    within_a_cycle,
)
from tap_amazon_business.streams.schemas import vendor as schemas
from tap_amazon_business.streams.sliced import SlicedStream
from tap_amazon_business.streams.sliced_sync import SlicedSync
from tap_amazon_business.sync.bookmark import Coverage
from tap_amazon_business.sync.checksums import DAY
from tap_amazon_business.times import latest

# The filter that asks for the value of the field of its name.
_STATE = "purchaseOrderState"

_CHANGE_DATES = (
    "purchaseOrderDate",
    "purchaseOrderChangedDate",
    "purchaseOrderStateChangedDate",
)


class VendorListStream(SlicedStream):
    """A stream that the Selling Partner API lists by date.

    Attributes:
        dates: The dates that a window is listed by, as the API's parameters begin, each with the
            field of it.
        by_vendor_code: Whether the operation takes orderingVendorCode.
        vendor_code: The field of a row's vendor code.
    """

    dates: ClassVar[Mapping[str, FieldPath]]
    lookback_setting = "lookback_days"
    by_vendor_code: ClassVar[bool] = True
    vendor_code: ClassVar[FieldPath] = ("sellingParty", "partyId")

    @property
    def filters(self) -> Mapping[str, str]:
        """Return further parameters of every request."""
        return {}

    @property
    @override
    def covers(self) -> Coverage:
        codes = list(self.settings.ordering_vendor_codes) or None
        account = credential_coverage(self.settings.sp_api)
        return {**account, "ordering_vendor_codes": codes} if self.by_vendor_code else account

    @override
    def queries(self) -> Sequence[Query]:
        return vendor_queries(
            self.operation,
            dates=self.dates,
            params=self.filters,
            vendor_codes=self.settings.ordering_vendor_codes if self.by_vendor_code else (),
            vendor_code=self.vendor_code,
            expected={(n,): value for n, value in self.filters.items() if n == _STATE},
        )


class PurchaseOrdersStream(VendorListStream):
    """The purchase orders that Amazon places with the vendor.

    changedAfter and changedBefore do not find orders that were never changed, so what is new is
    listed by creation and by change. The change feed names what no filter finds, such as a change
    of state; the lookback finds everything else.
    """

    name = "purchase_orders"
    operation = operations.GET_PURCHASE_ORDERS
    primary_keys = ("purchaseOrderNumber",)
    replication_key = "lastChangedDate"
    dates: ClassVar = {
        "created": ("orderDetails", "purchaseOrderDate"),
        "changed": ("orderDetails", "purchaseOrderChangedDate"),
    }
    vendor_code = ("orderDetails", "sellingParty", "partyId")
    has_children = True
    schema: ClassVar = schemas.PURCHASE_ORDERS

    @override
    def probes(self) -> list[Probe]:
        by_number = Probe(Request(operations.GET_PURCHASE_ORDER), not_found="")
        if self.settings.purchase_order_numbers:
            return [by_number]
        feed = probes_of(
            operations.GET_PURCHASE_ORDERS_STATUS,
            feed_queries(self.settings.ordering_vendor_codes),
            self.clock.now(),
        )
        # By number, Amazon applies no filters: then orders are not requested that way.
        sooner = feed if self.filters else [*feed, by_number]
        later = f"changes of older orders arrive {within_a_cycle(self.settings)}"
        return [*super().probes(), *(replace(probe, refused=later) for probe in sooner)]

    @property
    @override
    def filters(self) -> Mapping[str, str]:
        return self.settings.purchase_order_filters

    @property
    @override
    def covers(self) -> Coverage:
        filters = {**self.filters}
        if filters.get("includeDetails") == "true":  # it is the default
            del filters["includeDetails"]
        hidden = "&".join(f"{name}={value}" for name, value in sorted(filters.items()))
        return {
            **super().covers,
            "purchase_order_filters": [hidden] if hidden else None,
            # For order_reports by number, if it is selected.
            "business_account": None,
            "business_api_regions": [],
        }

    @override
    def sync_records(self) -> Iterator[Record]:
        if numbers := self.settings.purchase_order_numbers:
            sync = SlicedSync(self)
            with self.budget.read(numbers, self._order_or_warning) as prefetch:
                for done, (_, rows) in enumerate(prefetch, start=1):
                    # Amazon may return the same order for two spellings of a number.
                    yield from sync.emit(self.valid_rows(rows))
                    self.progress.advance(done / len(numbers))
        elif self.anything_to_read():
            # The time of the last sync. If that was cut off, the bookmark may be months older; what
            # the feed named meanwhile is left to the lookback.
            since, reach = self.plan.resume.position, self.operation.reach
            # By number, Amazon applies no filters.
            if since is None or self.filters:
                yield from SlicedSync(self).records()
                return
            oldest = self.plan.now - reach + DAY
            feed = ChangeFeed(self, max(since, oldest), self.plan.span.until)
            named = feed.names()
            sync = SlicedSync(self, named=named)
            yield from sync.records()
            for rows in feed.orders(named, self._order):
                yield from sync.emit(self.valid_rows(rows))

    def _order(self, number: str) -> list[Row]:
        """Return the row of a purchase order, none if there is no such order.

        Raises:
            RequestFailedError: The request failed.
        """
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
            return []

    def _order_or_warning(self, number: str) -> list[Row]:
        try:
            rows = self._order(number)
        except RequestFailedError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
            self.warn("%s Reading the other purchase orders.", error.message)
            self.fail_at_the_end(error)
            return []
        if not rows:
            self.warn("there is no purchase order %s", number)
        return rows

    @override
    def reshape(self, row: Row) -> Row:
        order = lift(row, "orderDetails")
        order["lastChangedDate"] = latest(map(order.get, _CHANGE_DATES))
        return order


class PurchaseOrderStatusesStream(VendorListStream):
    """The status of each purchase order, with its items in the array itemStatus.

    lastUpdatedDate may be missing.
    """

    name = "purchase_order_statuses"
    operation = operations.GET_PURCHASE_ORDERS_STATUS
    primary_keys = ("purchaseOrderNumber",)
    replication_key = "lastUpdatedDate"
    dates: ClassVar = {"created": ("purchaseOrderDate",), "updated": ("lastUpdatedDate",)}
    has_children = True
    schema: ClassVar = schemas.PURCHASE_ORDER_STATUSES


class VendorShipmentsStream(VendorListStream):
    """Shipments that the vendor announced; they have no date of change."""

    name = "vendor_shipments"
    operation = operations.GET_SHIPMENT_DETAILS
    primary_keys = ("vendorShipmentIdentifier",)
    replication_key = "shipmentCreateDate"
    dates: ClassVar = {"created": ("shipmentCreateDate",)}
    lookback_setting = "shipment_lookback_days"
    by_vendor_code = False
    has_children = True
    schema: ClassVar = schemas.VENDOR_SHIPMENTS

    @override
    def probes(self) -> list[Probe]:
        remark = "this account has no shipments in the API"
        witness = _any_order(self.clock.now())
        return [replace(probe, not_found=remark, witness=witness) for probe in super().probes()]

    @override
    def sync_records(self) -> Iterator[Record]:
        try:
            yield from super().sync_records()
        except RequestFailedError as error:
            if error.status != HTTPStatus.NOT_FOUND or not self._other_operations_work():
                raise
            # The bookmark is not advanced, so shipments that appear later are not missed.
            self.warn(
                "this account has no shipments in the API (%s). Vendors that do not send shipments "
                "through Amazon get this answer; deselect the stream to avoid this warning.",
                error.message,
            )

    def _other_operations_work(self) -> bool:
        """Return whether the API answers other requests: a wrong host returns 404, too."""
        if not self.client.answers:
            try:
                self.client.get(_any_order(self.clock.now()))
            except RequestFailedError:
                return False
        return True


def _any_order(now: datetime) -> Request:
    """Return a cheap request that a vendor account always has an answer to."""
    query = Query("created", "createdAfter", "createdBefore", (), {"limit": "1"})
    (probe,) = probes_of(operations.GET_PURCHASE_ORDERS, [query], now)
    return probe.request


# ---- items: a row each, without a request --------------------------------------------------------


def _objects(value: Any) -> Iterator[Row]:  # noqa: ANN401 (any JSON)
    return (part for part in (value if isinstance(value, list) else ()) if isinstance(part, dict))


class PurchaseOrderItemsStream(ChildStream):
    """The items of the purchase orders that their parent reads."""

    name = "purchase_order_items"
    primary_keys = ("purchaseOrderNumber", "itemSequenceNumber")
    parent_stream_type = PurchaseOrdersStream
    schema: ClassVar = schemas.PURCHASE_ORDER_ITEMS

    @override
    def records_of(self, parents: Sequence[Row]) -> Iterator[Record]:
        for order in parents:
            number = {"purchaseOrderNumber": order["purchaseOrderNumber"]}
            yield from self.records_once(
                {**item, **number} for item in _objects(order.get("items"))
            )


class PurchaseOrderStatusItemsStream(ChildStream):
    """The status of each item of the purchase orders, with its quantities in columns."""

    name = "purchase_order_status_items"
    primary_keys = ("purchaseOrderNumber", "itemSequenceNumber")
    parent_stream_type = PurchaseOrderStatusesStream
    schema: ClassVar = schemas.PURCHASE_ORDER_STATUS_ITEMS

    @override
    def records_of(self, parents: Sequence[Row]) -> Iterator[Record]:
        for status in parents:
            number = {"purchaseOrderNumber": status["purchaseOrderNumber"]}
            yield from self.records_once(
                {**item, **number, **totals(item)} for item in _objects(status.get("itemStatus"))
            )


class VendorShipmentItemsStream(ChildStream):
    """The items of the vendor's shipments, by the purchase order that each is shipped for."""

    name = "vendor_shipment_items"
    primary_keys = ("vendorShipmentIdentifier", "purchaseOrderNumber", "itemSequenceNumber")
    keys_that_may_be_empty = frozenset({"purchaseOrderNumber"})
    parent_stream_type = VendorShipmentsStream
    schema: ClassVar = schemas.VENDOR_SHIPMENT_ITEMS

    @override
    def records_of(self, parents: Sequence[Row]) -> Iterator[Record]:
        for shipment in parents:
            yield from self.records_once(
                {
                    **item,
                    "vendorShipmentIdentifier": shipment["vendorShipmentIdentifier"],
                    # Amazon's model does not require the number, but a key must be there.
                    "purchaseOrderNumber": order.get("purchaseOrderNumber") or "",
                }
                for order in _objects(shipment.get("purchaseOrders"))
                for item in _objects(order.get("items"))
            )


VENDOR_STREAMS: tuple[type[AmazonStream], ...] = (
    PurchaseOrdersStream,
    PurchaseOrderStatusesStream,
    VendorShipmentsStream,
    PurchaseOrderItemsStream,
    PurchaseOrderStatusItemsStream,
    VendorShipmentItemsStream,
)
