"""The base of the streams that the Selling Partner API lists by date."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_amazon_business.streams.coverage import vendor_coverage
from tap_amazon_business.streams.query import Query, vendor_queries
from tap_amazon_business.streams.sliced import SlicedStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        return vendor_coverage(self.settings) if self.by_vendor_code else {}

    @override
    def queries(self) -> Sequence[Query]:
        return vendor_queries(
            self.operation,
            dates=self.dates,
            params=self.filters,
            vendor_codes=self.settings.ordering_vendor_codes if self.by_vendor_code else (),
        )
