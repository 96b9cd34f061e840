"""Streams of the Selling Partner API: purchase orders as a vendor sees them.

Source: Amazon's "Vendor Retail Procurement Orders API v1" and its model vendorOrders.json.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from typing_extensions import override

from tap_amazon_business.ahead import ReadAhead
from tap_amazon_business.children import ChildStream, OrderPage
from tap_amazon_business.client import AmazonStream, Row, SlicedStream, VendorStream
from tap_amazon_business.connection import Request
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.records import hoist, moment_of
from tap_amazon_business.schemas import (
    Field,
    date,
    flag,
    key,
    party,
    quantity,
    record,
    records,
    schema,
    text,
    vendor_money,
)
from tap_amazon_business.windows import Slice, Span, plan, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

# The API refuses ranges of seven days and, on some accounts, of exactly seven days; the overlap of
# two windows comes on top of this.
_SLICE = timedelta(days=7) - timedelta(minutes=1)
# "Data retrieval can only go back six months."
_REACH = timedelta(days=180)
# A sister API refuses bounds less than two minutes old.
_MARGIN = timedelta(minutes=2)
# Rows may appear some time after the date that they carry.
_OVERLAP = timedelta(hours=1)

_ITEM_FIELDS = (
    text("amazonProductIdentifier", "ASIN of the item."),
    text("vendorProductIdentifier", "The vendor's own identifier of the item."),
    quantity("orderedQuantity", "Quantity ordered."),
    flag("isBackOrderAllowed", "Whether a backorder may be confirmed for the item."),
    vendor_money("netCost", "Net cost per each or per unit of weight."),
    vendor_money("listPrice", "List price per each or per unit of weight."),
)


def _sequence_number() -> Field:
    return text("itemSequenceNumber", "Number of the item on the purchase order, from 1.")


class PurchaseOrdersStream(SlicedStream, VendorStream):
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
    slice_width = _SLICE
    schema: ClassVar = schema(
        key(text("purchaseOrderNumber", "Number of the purchase order.")),
        text("purchaseOrderState", "New, Acknowledged or Closed."),
        date(
            "lastChangedDate",
            "The latest of purchaseOrderDate, purchaseOrderChangedDate and "
            "purchaseOrderStateChangedDate; added by the tap.",
        ),
        date("purchaseOrderDate", "When the order was placed."),
        date(
            "purchaseOrderChangedDate",
            "When Amazon last changed the order (quantity, place, dates); missing until then.",
        ),
        date("purchaseOrderStateChangedDate", "When purchaseOrderState changed last."),
        text(
            "purchaseOrderType",
            "RegularOrder, ConsignedOrder, NewProductIntroduction or RushOrder.",
        ),
        record(
            "importDetails",
            "Details of an import order.",
            text(
                "methodOfPayment",
                "Method of payment of the shipment: PaidByBuyer, CollectOnDelivery, "
                "DefinedByBuyerAndSeller, FOBPortOfCall, PrepaidBySeller or PaidBySeller.",
            ),
            text("internationalCommercialTerms", "Incoterms, such as FreeOnBoard or ExWorks."),
            text("portOfDelivery", "Port of delivery, where the terms are FreeOnBoard."),
            text("importContainers", "Kinds and numbers of containers, comma-separated."),
            text("shippingInstructions", "Special instructions for the shipment."),
        ),
        text("dealCode", "Number of the promotion or deal."),
        text("paymentMethod", "Invoice, Consignment, CreditCard or Prepaid."),
        party("buyingParty", "Who buys."),
        party("sellingParty", "Who sells: the vendor."),
        party("shipToParty", "Where the goods go."),
        party("billToParty", "Who is billed."),
        text("shipWindow", "When to ship: start--end, ISO 8601."),
        text("deliveryWindow", "When to deliver: start--end, ISO 8601."),
        records("items", "The items of the order.", _sequence_number(), *_ITEM_FIELDS),
    )

    # ---- what is asked -------------------------------------------------------------------------

    @override
    def span(self) -> Span:
        lookback = max(
            self.settings.lookback,
            self.settings.order_reports_lookback if self._rechecks else timedelta(),
        )
        span = plan(
            now=self.clock.now(),
            margin=_MARGIN,
            reach=_REACH,
            start=self.settings.start_date,
            end=self.settings.end_date,
            bookmark=self.bookmark(),
            overlap=_OVERLAP,
            lookback=lookback,
        )
        if span.unreadable:
            self.say(
                "%s reaches back %d days only: reading from %s instead of %s",
                self.operation,
                _REACH.days,
                rfc3339(span.since),
                rfc3339(span.unreadable),
                level=logging.WARNING,
            )
        return span

    @override
    def requests(self, part: Slice) -> list[Request]:
        passes = ["created"] if part.reread else ["created", "changed"]
        codes = self.settings.ordering_vendor_codes or (None,)
        return [self._window(part, name, code) for code in codes for name in passes]

    def _window(self, part: Slice, name: str, code: str | None) -> Request:
        # Both bounds, always: one alone is refused now and then. Never sortOrder: some accounts
        # refuse it, others ignore it.
        params = {
            f"{name}After": part.window.after,
            f"{name}Before": part.window.before,
            "limit": "100",
            **self.settings.purchase_order_filters,
        }
        if code is not None:
            params["orderingVendorCode"] = code
        about = f"{name} {part.window}" + (f", vendor code {code}" if code else "")
        return self.request(about, params)

    # ---- what comes ----------------------------------------------------------------------------

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        self._emitted: set[str] = set()
        self._asked_again: set[str] = set()
        with ExitStack() as stack:
            for child in self._children:
                stack.enter_context(child.running())
            if self.settings.purchase_order_numbers:
                yield from self._records_by_number()
            else:
                yield from super().get_records(context)

    @override
    def page_records(self, rows: list[Row], part: Slice, span: Span) -> Iterator[Record]:
        recent = span.until - self.settings.order_reports_lookback
        emitted, rechecked = [], []
        for order in filter(None, map(self.record, rows)):
            number = order["purchaseOrderNumber"]
            if number in self._emitted:
                continue
            if not part.reread or _unknown_or_after(order.get("lastChangedDate"), span.since):
                self._emitted.add(number)
                emitted.append(order)
            elif number not in self._asked_again and _unknown_or_after(
                order.get("purchaseOrderDate"), recent
            ):
                self._asked_again.add(number)
                rechecked.append(order)
        yield from self._with_children(emitted, rechecked)

    def _with_children(
        self, emitted: list[Record], rechecked: list[Record] | None = None
    ) -> Iterator[Record]:
        """Yield the orders of a page; when they are written, have their children written."""
        wanted = self.stream_maps[0].get_filter_result
        page = OrderPage(
            emitted=[
                {name: order.get(name) for name in ("purchaseOrderNumber", "items")}
                for order in emitted
                if wanted(order)
            ],
            rechecked=[order["purchaseOrderNumber"] for order in rechecked or () if wanted(order)],
        )
        yield from emitted
        for child in self._children:
            child.sync_page(page)

    def _records_by_number(self) -> Iterator[Record]:
        numbers = self.settings.purchase_order_numbers
        self.say("reading %d purchase orders by number", len(numbers))
        threads = min(self.connection.parallel, len(numbers))
        sources = [partial(self._order, number) for number in numbers]
        with ReadAhead(sources, threads=threads, hold=2 * threads) as ahead:
            for orders in ahead:
                yield from self._with_children(list(filter(None, map(self.record, orders))))

    def _order(self, number: str) -> list[Row]:
        request = Request(
            "getPurchaseOrder",
            f"{self.path}/{quote(number, safe='')}",
            about=f"purchase order {number}",
            role=self.role,
        )
        try:
            return [self.connection.get(request)["payload"]]
        except RequestFailedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            self.say("there is no purchase order %s", number, level=logging.WARNING)
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

    @override
    def finish(self, part: Slice) -> None:
        # A slice is finished when its children are out. Where a child failed, the orders whose
        # children are missing have to come again: the bookmark waits for them.
        if not any(child.failed for child in self._children):
            super().finish(part)


def _unknown_or_after(value: object, moment: datetime) -> bool:
    found = moment_of(value)
    return found is None or found >= moment


VENDOR_STREAMS: tuple[type[AmazonStream], ...] = (PurchaseOrdersStream,)
