"""order_reports: the order reports that name a purchase order number, and two ways to find them.

By date, from the lists that `orders` reads; and by number, one request per purchase order and
region. Each is complete in itself. With the strategy `auto`, the second takes over in the same sync
where the first is refused.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from singer_sdk.helpers.types import Context, Record
from typing_extensions import override

from tap_amazon_business.api.operations import GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER, Request
from tap_amazon_business.errors import RequestFailedError, TapError
from tap_amazon_business.records.decoding import json_of
from tap_amazon_business.records.shaping import lift
from tap_amazon_business.settings import Settings
from tap_amazon_business.streams.base import AmazonStream, Row
from tap_amazon_business.streams.business import OrdersStream
from tap_amazon_business.streams.children import Child
from tap_amazon_business.streams.queries import Probe
from tap_amazon_business.streams.reports_by_number import (
    Fallback,
    Reports,
    ReportsByNumber,
    reports_by_number,
)
from tap_amazon_business.streams.schemas import business as schemas
from tap_amazon_business.streams.vendor import PurchaseOrdersStream
from tap_amazon_business.sync.seen import Seen

BY_NUMBER = "purchase_order"
BY_DATE = "order_date"
_AUTO = "auto"


class OrderReportsStream(AmazonStream):
    """Order reports of the purchase order numbers in the settings."""

    name = "order_reports"
    operation = GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER
    primary_keys = ("purchaseOrderNumber", "orderId")
    schema: ClassVar = schemas.ORDER_REPORTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self._emitted = Seen()

    @override
    def probes(self) -> list[Probe]:
        regions = self.settings.business_api_regions
        requests = (Request(self.operation, {"region": region}) for region in regions)
        return [Probe(request, not_found="") for request in requests]

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        numbers = self.settings.purchase_order_numbers
        refused: list[RequestFailedError] = []
        for done, reports in enumerate(reports_by_number(self, numbers, refused), start=1):
            self.progress.advance(done / len(numbers))
            yield from self.records_from([reports])
        if refused:
            self.fail_at_the_end(refused[0])

    def records_from(self, reports: Iterable[Reports]) -> Iterator[Record]:
        """Yield the reports of purchase orders under their numbers; identical ones once a sync."""
        for number, rows in reports:
            for row in self.valid_rows(_joined(row, number) for row in rows):
                if self._emitted.add(json_of(row)):
                    yield self.record(row)

    @override
    def reshape(self, row: Row) -> Row:
        return lift(row, "orderMetadata")


class _ChildReportsStream(OrderReportsStream, abc.ABC):
    """Order reports that parents lead to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the base)
        super().__init__(*args, **kwargs)
        self._fallback = Fallback()

    @property
    @abc.abstractmethod
    def strategies(self) -> frozenset[str]:
        """Return the ways that are possible."""

    @override
    def probes(self) -> list[Probe]:
        return super().probes() if BY_NUMBER in self.strategies else []

    @override
    def child_of(self, parent: AmazonStream) -> Child | None:
        fallback = self._fallback if len(self.strategies) > 1 else None
        if isinstance(parent, OrdersStream) and BY_DATE in self.strategies:
            return ListedReports(self, parent, fallback)
        if isinstance(parent, PurchaseOrdersStream) and BY_NUMBER in self.strategies:
            return ReportsByNumber(self, parent, fallback)
        return None


class PurchaseOrderReportsStream(_ChildReportsStream):
    """The order reports that name a purchase order number."""

    parent_stream_type = PurchaseOrdersStream

    @property
    @override
    def strategies(self) -> frozenset[str]:
        strategy = self.settings.order_reports_strategy
        return frozenset({BY_NUMBER, BY_DATE} if strategy == _AUTO else {strategy})


class ListedOrderReportsStream(_ChildReportsStream):
    """Order reports without vendor credentials, which know no purchase orders to ask for."""

    parent_stream_type = OrdersStream

    @property
    @override
    def strategies(self) -> frozenset[str]:
        return frozenset({BY_DATE})


def order_reports_stream(settings: Settings) -> type[AmazonStream] | None:
    """Return the class that is order_reports with these settings, None if none is possible."""
    if settings.purchase_order_numbers:
        return OrderReportsStream
    if settings.sp_api or not settings.business_api:
        return PurchaseOrderReportsStream
    if settings.order_reports_strategy != BY_NUMBER:
        return ListedOrderReportsStream
    return None


# ---- by date -------------------------------------------------------------------------------------


class ListedReports(Child):
    """order_reports as a child of orders: the listed reports that name a purchase order number."""

    def __init__(
        self, stream: OrderReportsStream, parent: OrdersStream, fallback: Fallback | None
    ) -> None:
        self._stream = stream
        self._parent = parent
        self._fallback = fallback

    @property
    @override
    def stream(self) -> OrderReportsStream:
        return self._stream

    @override
    def records_of(self, parents: Sequence[Row]) -> Iterator[Record]:
        named = ((str(row.get("purchaseOrderNumber") or ""), row) for row in parents)
        yield from self._stream.records_from(
            (number, [row]) for number, row in named if number.strip()
        )

    @property
    @override
    def alternative(self) -> str:
        return "order_reports are requested by number" if self._fallback else ""

    @override
    def fall_back(self, error: RequestFailedError) -> bool:
        if self._fallback is None:
            return False
        self._stream.warn(
            "the lists of orders cannot be read; requesting the reports of each purchase order by "
            "number. The reason: %s",
            error.message,
        )
        self._fallback.start(self._parent.plan.resume.moment)
        return True

    @override
    def parent_begins(self) -> None:
        if self._fallback:
            self._fallback.expect()

    @override
    def parent_ended(self, error: TapError | None) -> None:
        if self._fallback:
            self._fallback.end(error)


def _joined(row: object, number: str) -> object:
    """Return a row under the number that was asked for, so that it joins its purchase order."""
    if not isinstance(row, dict):
        return row
    reported = row.get("purchaseOrderNumber")
    same = reported is None or str(reported) == number
    own = {} if same else {"reportedPurchaseOrderNumber": reported}
    return {**row, **own, "purchaseOrderNumber": number}
