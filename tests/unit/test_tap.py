"""The tap: which streams it has with which settings, and what it shares between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_amazon_business.errors import TapError
from tap_amazon_business.streams.business import BUSINESS_STREAMS
from tap_amazon_business.streams.invoices import INVOICE_STREAMS
from tap_amazon_business.streams.order_reports import (
    ListedOrderReportsStream,
    OrderReportsStream,
    PurchaseOrderReportsStream,
)
from tap_amazon_business.streams.vendor import VENDOR_STREAMS
from tap_amazon_business.tap import TapAmazonBusiness

if TYPE_CHECKING:
    from tap_amazon_business.streams.base import AmazonStream

KEYS = ("client_id", "client_secret", "refresh_token")
SP = {f"sp_api_{key}": "x" for key in KEYS}
BUSINESS = {f"business_api_{key}": "x" for key in KEYS}
VENDOR = {kind.name for kind in VENDOR_STREAMS}  # type: ignore[misc]
BUSINESS_ALONE = {kind.name for kind in (*BUSINESS_STREAMS, *INVOICE_STREAMS)}  # type: ignore[misc]
BOTH = VENDOR | BUSINESS_ALONE | {"order_reports"}


def streams(config: dict[str, Any]) -> dict[str, AmazonStream]:
    tap = TapAmazonBusiness(config=config, validate_config=False)
    return {stream.name: stream for stream in tap.discover_streams()}


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, BOTH),
        (SP, VENDOR),
        (BUSINESS, BOTH - VENDOR),
        ({**SP, **BUSINESS}, BOTH),
        ({**BUSINESS, "order_reports_strategy": "order_date"}, BOTH - VENDOR),
        ({**BUSINESS, "order_reports_strategy": "purchase_order"}, BUSINESS_ALONE),
        # Discovery does not fail because of wrong settings.
        ({**SP, "start_date": "soon"}, BOTH),
    ],
)
def test_the_credentials_decide_which_streams_there_are(
    config: dict[str, Any], names: set[str]
) -> None:
    assert streams(config).keys() == names


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({**SP, **BUSINESS}, PurchaseOrderReportsStream),
        ({}, PurchaseOrderReportsStream),
        (BUSINESS, ListedOrderReportsStream),
        ({**BUSINESS, "purchase_order_numbers": ["1"]}, OrderReportsStream),
        ({**SP, **BUSINESS, "purchase_order_numbers": ["1"]}, OrderReportsStream),
    ],
)
def test_the_settings_decide_how_order_reports_are_read(
    config: dict[str, Any], kind: type[AmazonStream]
) -> None:
    assert type(streams(config)["order_reports"]) is kind


def test_says_what_order_reports_by_purchase_order_need(caplog: pytest.LogCaptureFixture) -> None:
    streams({**BUSINESS, "order_reports_strategy": "purchase_order"})
    assert "order_reports with the strategy purchase_order needs purchase orders" in caplog.text


def test_each_stream_counts_its_own_requests() -> None:
    found = streams({**SP, **BUSINESS})
    assert len({id(stream.client.traffic) for stream in found.values()}) == len(found)


def test_wrong_settings_are_one_error() -> None:
    with pytest.raises(TapError) as caught:
        TapAmazonBusiness(config={**SP, "strat_date": "2026-01-01", "lookback_days": "many"})
    assert [line.partition(":")[0] for line in caught.value.message.splitlines()] == [
        "strat_date",
        "lookback_days",
    ]


def test_warns_of_a_state_of_another_tap(caplog: pytest.LogCaptureFixture) -> None:
    TapAmazonBusiness(config=SP, state={"bookmarks": {"others": {"a": 1}}})
    assert "The state belongs to streams that this tap does not have (others)" in caplog.text


@pytest.mark.parametrize("state", [{}, {"bookmarks": {}}, {"bookmarks": {"purchase_orders": {}}}])
def test_accepts_a_state_of_its_own(
    state: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    TapAmazonBusiness(config=SP, state=state)
    assert "The state belongs to streams" not in caplog.text
