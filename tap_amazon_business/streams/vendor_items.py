"""The items of purchase orders, statuses and shipments: a row each, without a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_amazon_business.streams.children import ChildStream
from tap_amazon_business.streams.quantities import totals
from tap_amazon_business.streams.schemas import vendor as schemas
from tap_amazon_business.streams.vendor import (
    PurchaseOrdersStream,
    PurchaseOrderStatusesStream,
    VendorShipmentsStream,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Record

    from tap_amazon_business.streams.base import AmazonStream, Row


class PurchaseOrderItemsStream(ChildStream):
    """The items of the purchase orders that their parent reads; no request of its own."""

    name = "purchase_order_items"
    primary_keys = ("purchaseOrderNumber", "itemSequenceNumber")
    parent_stream_type = PurchaseOrdersStream
    parent_fields = ("purchaseOrderNumber", "items")
    schema: ClassVar = schemas.PURCHASE_ORDER_ITEMS

    @override
    def children(self, parents: Sequence[Row], since: datetime | None) -> Iterator[Record]:
        for order in parents:
            number = {"purchaseOrderNumber": order["purchaseOrderNumber"]}
            yield from self.records_once({**item, **number} for item in order["items"] or ())


class PurchaseOrderStatusItemsStream(ChildStream):
    """The status of each item of the purchase orders, with its quantities side by side."""

    name = "purchase_order_status_items"
    primary_keys = ("purchaseOrderNumber", "itemSequenceNumber")
    parent_stream_type = PurchaseOrderStatusesStream
    parent_fields = ("purchaseOrderNumber", "itemStatus")
    schema: ClassVar = schemas.PURCHASE_ORDER_STATUS_ITEMS

    @override
    def children(self, parents: Sequence[Row], since: datetime | None) -> Iterator[Record]:
        for status in parents:
            number = {"purchaseOrderNumber": status["purchaseOrderNumber"]}
            yield from self.records_once(
                {**item, **number, **totals(item)} for item in status["itemStatus"] or ()
            )


class VendorShipmentItemsStream(ChildStream):
    """The items of the vendor's shipments, by the purchase order that each is shipped for."""

    name = "vendor_shipment_items"
    primary_keys = ("vendorShipmentIdentifier", "purchaseOrderNumber", "itemSequenceNumber")
    parent_stream_type = VendorShipmentsStream
    parent_fields = ("vendorShipmentIdentifier", "purchaseOrders")
    schema: ClassVar = schemas.VENDOR_SHIPMENT_ITEMS

    @override
    def children(self, parents: Sequence[Row], since: datetime | None) -> Iterator[Record]:
        for shipment in parents:
            yield from self.records_once(
                {
                    **item,
                    "vendorShipmentIdentifier": shipment["vendorShipmentIdentifier"],
                    # Amazon's model does not require the number, but a key must be there.
                    "purchaseOrderNumber": order.get("purchaseOrderNumber") or "",
                }
                for order in shipment["purchaseOrders"] or ()
                for item in order.get("items") or ()
            )


ITEM_STREAMS: tuple[type[AmazonStream], ...] = (
    PurchaseOrderItemsStream,
    PurchaseOrderStatusItemsStream,
    VendorShipmentItemsStream,
)
