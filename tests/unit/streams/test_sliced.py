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

ALL: dict[str, Any] = {"children": [], "ordering_vendor_codes": None}


def test_resumes_where_the_bookmark_covers_what_is_read() -> None:
    assert stream(covers=ALL).resume_point() == ResumePoint(END)


@pytest.mark.parametrize(
    ("name", "selected", "config", "covers", "missing"),
    [
        ("purchase_orders", ["purchase_order_items"], {}, ALL, ("purchase_order_items",)),
        (
            "purchase_orders",
            [],
            {},
            {"children": [], "ordering_vendor_codes": ["A"]},
            ("all ordering_vendor_codes",),
        ),
        (
            "purchase_orders",
            ["order_reports"],
            {"business_api_regions": ["US", "CA"]},
            {**ALL, "children": ["order_reports"], "business_api_regions": ["US"]},
            ("CA",),
        ),
        (
            "orders",
            [],
            {"business_api_regions": ["US", "CA"]},
            {"business_api_regions": ["US"]},
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
    assert found.resume_point() == ResumePoint(None, missing)


def test_a_full_table_sync_ignores_the_bookmark() -> None:
    found = stream(covers=ALL)
    found.forced_replication_method = "FULL_TABLE"
    assert found.resume_point() == ResumePoint(None)


# ---- spans ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selected", "days"), [([], 10), (["purchase_order_items"], 10), (["order_reports"], 20)]
)
def test_looks_back_as_far_as_the_stream_or_a_selected_child_wants(
    selected: list[str], days: int
) -> None:
    found = stream("purchase_orders", *selected, lookback_days=10, order_reports_lookback_days=20)
    assert found.span(END).reread_from == END - timedelta(days=days)


def test_a_span_ends_two_minutes_before_now() -> None:
    assert stream().span(END).until == BEGINNING - timedelta(minutes=2)
