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
    business_coverage,
    credential_coverage,
    feed_queries,
)
from tap_amazon_business.streams.vendor import PurchaseOrdersStream
from tap_amazon_business.sync.windows import Window
from tap_amazon_business.tap import TapAmazonBusiness

SP_API = {f"sp_api_{name}": "x" for name in ("client_id", "client_secret", "refresh_token")}

if TYPE_CHECKING:
    pass


def test_coverage_names_the_account_by_its_token() -> None:
    mine, another = (Credentials("sp_api", "x", "x", token) for token in ("a token", "another"))
    assert credential_coverage(mine) == credential_coverage(mine) != credential_coverage(another)
    assert "a token" not in str(credential_coverage(mine))
    assert credential_coverage(None, "business_account") == {"business_account": None}


@pytest.mark.parametrize(
    ("config", "part", "expected"),
    [
        ({}, "ordering_vendor_codes", None),
        ({"ordering_vendor_codes": ["B", "A"]}, "ordering_vendor_codes", ["B", "A"]),
        ({}, "purchase_order_filters", None),
        (
            {"purchase_order_state": "New", "is_po_changed": False, "include_details": False},
            "purchase_order_filters",
            ["includeDetails=false&isPOChanged=false&purchaseOrderState=New"],
        ),
        # Details are Amazon's default.
        ({"include_details": True}, "purchase_order_filters", None),
    ],
)
def test_purchase_orders_cover_vendor_codes_and_filters(
    config: dict[str, Any], part: str, expected: object
) -> None:
    stream = TapAmazonBusiness(config=SP_API | config).streams["purchase_orders"]
    assert isinstance(stream, PurchaseOrdersStream)
    assert stream.covers[part] == expected


@pytest.mark.parametrize("regions", [["US"], ["UK", "DE"]])
def test_streams_of_amazon_business_cover_regions(regions: list[str]) -> None:
    settings = Settings.from_config({"business_api_regions": regions}, "1")
    expected = {"account": None, "business_api_regions": regions}
    assert business_coverage(settings) == expected


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
