"""Sliced streams: the requests of a window, and what a bookmark has to cover."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS, Request
from tap_amazon_business.streams.query import Query
from tap_amazon_business.streams.sliced import SlicedStream
from tap_amazon_business.sync.bookmark import ResumePoint
from tap_amazon_business.sync.windows import Window
from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.clocks import BEGINNING, FakeClock
from tests.support.runs import select

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = ("client_id", "client_secret", "refresh_token")
CONFIG: dict[str, Any] = {f"{api}_{key}": "x" for api in ("sp_api", "business_api") for key in KEYS}
REPLICATION_KEYS = {
    "purchase_orders": "lastChangedDate",
    "purchase_order_statuses": "lastUpdatedDate",
    "vendor_shipments": "shipmentCreateDate",
    "orders": "orderDate",
    "transactions": "feedDate",
}
END = datetime(2026, 5, 31, tzinfo=UTC)


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Restore the signal handlers, which every tap sets."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def stream(
    name: str = "purchase_orders",
    *selected: str,
    covers: dict[str, Any] | None = None,
    **config: Any,
) -> SlicedStream:
    """Return a stream with a bookmark that covers these parts."""
    bookmark = {
        "replication_key": REPLICATION_KEYS[name],
        "replication_key_value": "2026-05-31T00:00:00Z",
        "covers": covers,
    }
    tap = TapAmazonBusiness(
        config={**CONFIG, **config},
        clock=FakeClock(),
        state={"bookmarks": {name: bookmark}},
        catalog=select(name, *selected, config={**CONFIG, **config}),
    )
    found = tap.streams[name]
    assert isinstance(found, SlicedStream)
    return found


# ---- requests ------------------------------------------------------------------------------------


def test_a_query_names_window_and_parameters() -> None:
    query = Query("created", "createdAfter", "createdBefore", {"limit": "100"})
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


@pytest.mark.parametrize(
    ("name", "config", "subjects"),
    [
        ("purchase_orders", {}, ["created", "changed"]),
        (
            "purchase_orders",
            {"ordering_vendor_codes": ["A", "B"]},
            [
                "vendor code A, created",
                "vendor code A, changed",
                "vendor code B, created",
                "vendor code B, changed",
            ],
        ),
        ("purchase_order_statuses", {}, ["created", "updated"]),
        ("vendor_shipments", {"ordering_vendor_codes": ["A"]}, ["created"]),
        (
            "orders",
            {"business_api_regions": ["US", "CA"]},
            ["region US, ordered", "region CA, ordered"],
        ),
        ("transactions", {}, ["fed"]),
    ],
)
def test_a_window_needs_these_queries(
    name: str, config: dict[str, Any], subjects: list[str]
) -> None:
    assert [query.subject for query in stream(name, **config).queries()] == subjects


def test_only_queries_by_the_first_date_read_windows_again() -> None:
    rereads = {query.subject: query.rereads for query in stream().queries()}
    assert rereads == {"created": True, "changed": False}


# ---- coverage ------------------------------------------------------------------------------------

ALL: dict[str, Any] = {"streams": ["purchase_orders"]}


def test_resumes_where_the_bookmark_covers_what_is_read() -> None:
    assert stream(covers=ALL).plan.resume.moment == END


@pytest.mark.parametrize(
    ("name", "selected", "config", "covers", "missing"),
    [
        ("purchase_orders", ["purchase_order_items"], {}, ALL, ("purchase_order_items",)),
        (
            "purchase_orders",
            [],
            {},
            {**ALL, "ordering_vendor_codes": ["A"]},
            ("all ordering_vendor_codes",),
        ),
        (
            "purchase_orders",
            ["order_reports"],
            {"order_reports_strategy": "purchase_order", "business_api_regions": ["US", "CA"]},
            {"streams": ["order_reports", "purchase_orders"], "business_api_regions": ["US"]},
            ("CA",),
        ),
        ("purchase_orders", [], {}, {"streams": ["purchase_order_items"]}, ("purchase_orders",)),
        ("purchase_orders", [], {}, {**ALL, "host": "another"}, ("this host",)),
        (
            "purchase_orders",
            [],
            {},
            {**ALL, "purchase_order_filters": ["purchaseOrderState=New"]},
            ("all purchase_order_filters",),
        ),
        (
            "orders",
            ["order_reports"],
            {},
            {"streams": ["orders"], "business_api_regions": ["US"]},
            ("order_reports",),
        ),
        (
            "orders",
            [],
            {"business_api_regions": ["US", "CA"]},
            {"streams": ["orders"], "business_api_regions": ["US"]},
            ("CA",),
        ),
    ],
)
def test_reads_everything_again_where_the_bookmark_covers_less(
    name: str,
    selected: list[str],
    config: dict[str, Any],
    covers: dict[str, Any],
    missing: tuple[str, ...],
) -> None:
    found = stream(name, *selected, covers=covers, **config)
    assert found.plan.resume == ResumePoint(None, not_covered=missing)


def test_a_full_table_sync_ignores_the_bookmark() -> None:
    found = stream(covers=ALL)
    found.forced_replication_method = "FULL_TABLE"
    assert found.plan.resume == ResumePoint(None)


# ---- spans ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "config", "days"),
    [
        ("purchase_orders", {"lookback_days": 100}, 100),
        ("purchase_order_statuses", {}, 180),
        ("vendor_shipments", {"shipment_lookback_days": 20}, 20),
        ("orders", {"order_lookback_days": 90}, 90),
        ("transactions", {}, 0),
    ],
)
def test_looks_back_as_far_as_its_setting_says(
    name: str, config: dict[str, Any], days: int
) -> None:
    covers = {"streams": [name]} if name in {"purchase_orders", "orders"} else {}
    found = stream(name, covers=covers, lookback_cycle_hours=0, **config)
    shares = found.plan.span.shares
    starts = [share.window.start for share in shares]
    oldest = BEGINNING - timedelta(days=180) + timedelta(seconds=1)
    expected = max(BEGINNING - timedelta(days=days), oldest) if name != "orders" else None
    assert starts == ([expected or BEGINNING - timedelta(days=days)] if days else [])


@pytest.mark.parametrize(("days", "hours"), [(0, 1), (1, 24), (5, 120)])
def test_begins_the_recent_days_before_the_bookmark(days: int, hours: int) -> None:
    found = stream(covers=ALL, recent_days=days)
    assert found.plan.span.since == END - timedelta(hours=hours)


def test_a_span_ends_two_minutes_before_now() -> None:
    assert stream().plan.span.until == BEGINNING - timedelta(minutes=2)
