"""What bookmarks have to cover: a value of each setting, None where nothing is limited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_amazon_business.settings import Settings
from tap_amazon_business.streams.coverage import (
    filter_coverage,
    region_coverage,
    vendor_coverage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_amazon_business.sync.bookmark import Coverage


@pytest.mark.parametrize(
    ("coverage", "config", "expected"),
    [
        (vendor_coverage, {}, {"ordering_vendor_codes": None}),
        (
            vendor_coverage,
            {"ordering_vendor_codes": ["B", "A"]},
            {"ordering_vendor_codes": ["B", "A"]},
        ),
        (region_coverage, {}, {"business_api_regions": ["US"]}),
        (
            region_coverage,
            {"business_api_regions": ["UK", "DE"]},
            {"business_api_regions": ["UK", "DE"]},
        ),
        (filter_coverage, {}, {"purchase_order_filters": None}),
        (
            filter_coverage,
            {"purchase_order_state": "New", "is_po_changed": False, "include_details": False},
            {
                "purchase_order_filters": [
                    "includeDetails=false&isPOChanged=false&purchaseOrderState=New"
                ]
            },
        ),
        # Details are Amazon's default.
        (filter_coverage, {"include_details": True}, {"purchase_order_filters": None}),
    ],
)
def test_coverage(
    coverage: Callable[[Settings], Coverage], config: dict[str, Any], expected: Coverage
) -> None:
    assert coverage(Settings.from_config(config, "1")) == expected
