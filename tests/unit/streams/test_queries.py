"""The queries by which streams list rows, and what bookmarks have to cover by the settings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tap_amazon_business.api.auth import Credentials
from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS, Request
from tap_amazon_business.settings import Settings
from tap_amazon_business.streams.queries import (
    Query,
    credential_coverage,
    feed_queries,
    filter_coverage,
    region_coverage,
    vendor_coverage,
)
from tap_amazon_business.sync.windows import Window

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


def test_coverage_names_the_account_by_its_token() -> None:
    mine, another = (Credentials("sp_api", "x", "x", token) for token in ("a", "b"))
    assert credential_coverage(mine) == credential_coverage(mine) != credential_coverage(another)
    assert credential_coverage(None, "business_account") == {"business_account": None}


def test_a_query_names_window_and_parameters() -> None:
    query = Query("created", "createdAfter", "createdBefore", ("date",), {"limit": "100"})
    window = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    assert query.request(GET_PURCHASE_ORDERS, window) == Request(
        GET_PURCHASE_ORDERS,
        {
            "createdAfter": "2026-04-30T23:59:59Z",
            "createdBefore": "2026-05-02T00:00:00Z",
            "limit": "100",
        },
        "created 2026-05-01T00:00:00Z to 2026-05-02T00:00:00Z",
    )


@pytest.mark.parametrize("codes", [[], ["A", "B"]])
def test_the_change_feed_asks_by_update_date_for_each_vendor_code(codes: list[str]) -> None:
    found = feed_queries(codes)
    assert [query.params.get("orderingVendorCode") for query in found] == (codes or [None])  # type: ignore[list-item]
    assert {(query.after, query.by_change) for query in found} == {("updatedAfter", True)}
