"""Streams of the Amazon Business API: reports of the orders that a business account placed.

Source: Amazon's "Amazon Business Reporting API v2025-06-09".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from typing_extensions import override

from tap_amazon_business.ahead import ReadAhead
from tap_amazon_business.children import ChildStream, OrderPage
from tap_amazon_business.client import AmazonStream, BusinessStream, Row
from tap_amazon_business.records import hoist
from tap_amazon_business.schemas import (
    charges,
    customer,
    key,
    mapping,
    order_metadata,
    record,
    schema,
    text,
)
from tap_amazon_business.streams.vendor import PurchaseOrdersStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

_ORDER_REPORT_FIELDS = (
    text(
        "orderStatus",
        "PENDING_APPROVAL, PAYMENT_CONFIRMED, PENDING_FULFILLMENT, PENDING, CANCELLED or CLOSED.",
    ),
    charges(),
    customer("buyingCustomer", "Who bought: personal data."),
    record("buyerGroup", "The group that the buyer belongs to.", text("name", "Its name.")),
    mapping("businessOrderInfo", "The account's own fields of the order, under arbitrary keys."),
    record(
        "approverDetails",
        "Who approved the order.",
        customer("lastOrderApproverCustomer", "The last approver: personal data."),
    ),
)


class OrderReportsStream(BusinessStream):
    """Order reports of the purchase order numbers named in the settings."""

    name = "order_reports"
    operation = "getOrderReportsByPurchaseOrderNumber"
    path = "/reports/2025-06-09/purchaseOrders/{}/orderReports"
    rows_field = "ordersReport"
    primary_keys = ("purchaseOrderNumber", "orderId")
    schema: ClassVar = schema(
        key(
            text(
                "purchaseOrderNumber",
                "The purchase order number asked for; joins purchase_orders.",
            )
        ),
        *order_metadata(),
        text(
            "reportedPurchaseOrderNumber",
            "The purchase order number that the report itself names, where it is another one; "
            "added by the tap.",
        ),
        *_ORDER_REPORT_FIELDS,
    )

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
                    for row in rows:
                        report = self.record(_of_order(row, number))
                        if report is not None and report["orderId"] not in seen:
                            seen.add(report["orderId"])
                            yield report

    def _pages_of(self, number: str) -> Iterator[list[Row]]:
        # Buyers type purchase order numbers as they like, slashes and umlauts included.
        path = self.path.format(quote(number, safe=""))
        for region in self.settings.business_api_regions:
            about = f"purchase order {number}, region {region}"
            yield from self.pages(self.request(about, {"region": region}, path))

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


# order_reports is chosen by the tap: it depends on the settings where its orders come from.
BUSINESS_STREAMS: tuple[type[AmazonStream], ...] = ()
