"""Streams of the Selling Partner API: orders and shipments as a vendor sees them.

Sources: Amazon's "Vendor Retail Procurement Orders API v1" and "Vendor Retail Procurement
Shipments API v1".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from typing_extensions import override

from tap_amazon_business.api import operations
from tap_amazon_business.api.operations import Request
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.records import hoist
from tap_amazon_business.streams import probes
from tap_amazon_business.streams.coverage import filter_coverage
from tap_amazon_business.streams.filters import has_filter
from tap_amazon_business.streams.late_changes import LateChanges
from tap_amazon_business.streams.schemas import vendor as schemas
from tap_amazon_business.streams.sliced_sync import SLACK
from tap_amazon_business.streams.vendor_list import VendorListStream
from tap_amazon_business.sync.bookmark import moment_in
from tap_amazon_business.sync.course import NumberCourse
from tap_amazon_business.times import latest, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Record

    from tap_amazon_business.streams.base import AmazonStream, Row
    from tap_amazon_business.streams.children import ChildSync
    from tap_amazon_business.streams.probes import Probe
    from tap_amazon_business.sync.bookmark import Coverage


_CHANGE_DATES = (
    "purchaseOrderDate",
    "purchaseOrderChangedDate",
    "purchaseOrderStateChangedDate",
)


class PurchaseOrdersStream(VendorListStream):
    """Purchase orders, each once a sync: by creation date, by change date, and by change of state.

    changedAfter and changedBefore do not find orders that were never changed, so each window is
    listed by creation and by change. What no filter finds, such as a change of state, the change
    feed names (getPurchaseOrdersStatus), and the lookback finds later.
    """

    name = "purchase_orders"
    operation = operations.GET_PURCHASE_ORDERS
    primary_keys = ("purchaseOrderNumber",)
    replication_key = "lastChangedDate"
    changed_date = "lastChangedDate"
    dates = ("created", "changed")
    has_children = True
    examples = (operations.GET_PURCHASE_ORDERS, operations.GET_PURCHASE_ORDER)
    schema: ClassVar = schemas.PURCHASE_ORDERS

    @override
    def probes(self) -> list[Probe]:
        return probes.purchase_orders(self.settings, super().probes(), self.clock.now())

    @property
    @override
    def filters(self) -> Mapping[str, str]:
        return self.settings.purchase_order_filters

    @property
    @override
    def covers(self) -> Coverage:
        return {**super().covers, **filter_coverage(self.settings)}

    @property
    @override
    def emits_unchanged(self) -> bool:
        # Without the change feed, only the lookback shows cuts that have no date of change.
        bookmark = self.plan.resume.moment
        if not bookmark:
            return False
        return self._changes_until < bookmark - self.rolling.cycle - SLACK

    @property
    def _changes_until(self) -> datetime:
        """Return until when the change feed was read; in a first sync every row is up to date."""
        plan = self.plan
        until = moment_in(plan.resume.part, "changes_until", self.name, plan.now)
        return until or plan.resume.moment or plan.span.until

    @override
    def valid_rows(self, rows: Iterable[object]) -> Iterator[Row]:
        for row in super().valid_rows(rows):
            if self.shared.numbers and self._accepts(row):
                self.shared.numbers.add(str(row["purchaseOrderNumber"]))
            yield row

    @override
    def prepare(self) -> None:
        super().prepare()
        if self.shared.numbers and has_filter(self):
            self.shared.numbers.filter_by(lambda row: self._accepts(self.reshape(row)))

    def _accepts(self, row: Row) -> bool:
        return not has_filter(self) or self.passes_filter(self.record(row, copy=True))

    @override
    def sync_records(self, children: Sequence[ChildSync]) -> Iterator[Record]:
        if numbers := self.settings.purchase_order_numbers:
            sync = self.sync_of(children)
            course = self.track.follow(NumberCourse("purchase orders", self.clock, len(numbers)))
            with self.readers.read(numbers, self._order_or_warning) as prefetch:
                for done, (_, rows) in enumerate(prefetch, start=1):
                    # Amazon may return the same order for two spellings of a number.
                    yield from sync.emit(self.valid_rows(rows))
                    course.tell(done)
        elif self.anything_to_read():
            sync = self.sync_of(children, {"changes_until": rfc3339(self._changes_until)})
            yield from sync.records()
            if self.plan.resume.moment:
                # By number, an order comes whatever the filters say.
                order = None if self.filters else self._order
                yield from LateChanges(self, sync, self._changes_until, order).records()

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
        rows = self._order(number)
        if not rows:
            self.warn("there is no purchase order %s", number)
        return rows

    @override
    def reshape(self, row: Row) -> Row:
        order = hoist(row, "orderDetails")
        order["lastChangedDate"] = latest(map(order.get, _CHANGE_DATES))
        return order


class PurchaseOrderStatusesStream(VendorListStream):
    """The status of each purchase order's items; lastUpdatedDate may be missing.

    What it reads by update is the change feed of purchase_orders.
    """

    name = "purchase_order_statuses"
    operation = operations.GET_PURCHASE_ORDERS_STATUS
    primary_keys = ("purchaseOrderNumber",)
    replication_key = "lastUpdatedDate"
    changed_date = "lastUpdatedDate"
    dates = ("created", "updated")
    has_children = True
    schema: ClassVar = schemas.PURCHASE_ORDER_STATUSES

    @override
    def prepare(self) -> None:
        super().prepare()
        self.shared.feed.expect()

    @override
    def done(self) -> None:
        self.shared.feed.done()

    @override
    def valid_rows(self, rows: Iterable[object]) -> Iterator[Row]:
        found = list(super().valid_rows(rows))
        if since := self.plan.resume.moment:
            self.shared.feed.note(found, since - SLACK)
        return iter(found)

    @override
    def sync_records(self, children: Sequence[ChildSync]) -> Iterator[Record]:
        yield from super().sync_records(children)
        if since := self.plan.resume.moment:
            self.shared.feed.cover(since - SLACK, self.plan.span.until)


class VendorShipmentsStream(VendorListStream):
    """Shipments that the vendor announced; they have no date of change."""

    name = "vendor_shipments"
    operation = operations.GET_SHIPMENT_DETAILS
    primary_keys = ("vendorShipmentIdentifier",)
    replication_key = "shipmentCreateDate"
    by_vendor_code = False
    has_children = True
    schema: ClassVar = schemas.VENDOR_SHIPMENTS

    @property
    @override
    def lookback(self) -> timedelta:
        return timedelta(days=self.settings.shipment_lookback_days)

    @override
    def probes(self) -> list[Probe]:
        remark, witness = (
            "this account has no shipments in the API",
            probes.any_order(self.clock.now()),
        )
        return [replace(probe, not_found=remark, witness=witness) for probe in super().probes()]

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
        if not self.client.answers:
            try:
                self.client.get(probes.any_order(self.clock.now()))
            except RequestFailedError:
                return False
        return True


VENDOR_STREAMS: tuple[type[AmazonStream], ...] = (
    PurchaseOrdersStream,
    PurchaseOrderStatusesStream,
    VendorShipmentsStream,
)
