"""Sliced streams: their queries, bookmarks and what they cover, and the plan of a sync."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tap_amazon_business.errors import TapError
from tap_amazon_business.streams.sliced import SlicedStream
from tap_amazon_business.sync.bookmark import BOOKMARK_FIELDS, ResumePoint
from tap_amazon_business.sync.lookback import Lookback
from tap_amazon_business.tap import TapAmazonBusiness
from tap_amazon_business.times import rfc3339
from tests.support.clocks import BEGINNING, FakeClock
from tests.support.runs import select

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
POSITION = datetime(2026, 5, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def stream(
    name: str = "purchase_orders",
    *selected: str,
    covers: dict[str, Any] | None = None,
    bookmark: dict[str, Any] | None = None,
    **config: Any,
) -> SlicedStream:
    """Return a stream with a bookmark that covers these parts.

    Args:
        name: The stream.
        *selected: The selected streams; the stream alone by default.
        covers: What the bookmark covers.
        bookmark: Further parts of the bookmark.
        **config: Settings.
    """
    state = {
        "replication_key": REPLICATION_KEYS[name],
        "replication_key_value": "2026-05-31T00:00:00Z",
        "covers": covers,
        **(bookmark or {}),
    }
    tap = TapAmazonBusiness(
        config={**CONFIG, **config},
        clock=FakeClock(),
        state={"bookmarks": {name: state}},
        catalog=select(*(selected or (name,)), config={**CONFIG, **config}),
    )
    found = tap.streams[name]
    assert isinstance(found, SlicedStream)
    return found


def bookmarked(found: SlicedStream) -> dict[str, Any]:
    """Return the part of the state that a stream writes."""
    output = io.StringIO()
    with redirect_stdout(output):
        found.advance_bookmark(END, POSITION)
    part: dict[str, Any] = json.loads(output.getvalue())["value"]["bookmarks"][found.name]
    return part


def written_coverage(found: SlicedStream) -> dict[str, Any]:
    covers: dict[str, Any] = bookmarked(found)["covers"]
    return covers


# ---- requests ------------------------------------------------------------------------------------


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


def test_only_the_query_by_creation_lists_every_row_of_a_window() -> None:
    by_change = {query.subject: query.by_change for query in stream().queries()}
    assert by_change == {"created": False, "changed": True}


# ---- coverage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPLICATION_KEYS)
def test_resumes_where_the_bookmark_covers_what_is_read(name: str) -> None:
    found = stream(name, covers=written_coverage(stream(name)))
    resume = found.plan.resume
    assert (resume.moment, resume.position, resume.not_covered) == (END, END, ())


@pytest.mark.parametrize(
    ("name", "before", "after", "missing"),
    [
        # More streams.
        (
            "purchase_orders",
            (["purchase_orders"], {}),
            (["purchase_orders", "purchase_order_items"], {}),
            ("purchase_order_items",),
        ),
        (
            "purchase_orders",
            (["purchase_order_items"], {}),
            (["purchase_orders", "purchase_order_items"], {}),
            ("purchase_orders",),
        ),
        ("orders", (["orders"], {}), (["order_reports"], {}), ("order_reports",)),
        # More of the account.
        (
            "purchase_orders",
            (["purchase_orders"], {"ordering_vendor_codes": ["A"]}),
            (["purchase_orders"], {"ordering_vendor_codes": ["A", "B"]}),
            ("B",),
        ),
        (
            "purchase_orders",
            (["purchase_orders"], {"ordering_vendor_codes": ["A"]}),
            (["purchase_orders"], {}),
            ("all ordering_vendor_codes",),
        ),
        (
            "purchase_orders",
            (["purchase_orders"], {"purchase_order_state": "New"}),
            (["purchase_orders"], {"purchase_order_state": "Closed"}),
            ("purchaseOrderState=Closed",),
        ),
        (
            "purchase_orders",
            (["order_reports"], {"order_reports_strategy": "purchase_order"}),
            (
                ["order_reports"],
                {"order_reports_strategy": "purchase_order", "business_api_regions": ["US", "CA"]},
            ),
            ("CA",),
        ),
        (
            "orders",
            (["orders"], {"business_api_regions": ["US"]}),
            (["orders"], {"business_api_regions": ["US", "CA"]}),
            ("CA",),
        ),
        # Another account.
        (
            "transactions",
            (["transactions"], {}),
            (["transactions"], {"business_api_regions": ["DE"]}),
            ("this host",),
        ),
    ],
)
def test_reads_everything_again_where_the_bookmark_covers_less(
    name: str,
    before: tuple[list[str], dict[str, Any]],
    after: tuple[list[str], dict[str, Any]],
    missing: tuple[str, ...],
) -> None:
    (selected, config), (selected_then, config_then) = after, before
    covers = written_coverage(stream(name, *selected_then, **config_then))
    found = stream(name, *selected, covers=covers, **config)
    assert found.plan.resume == ResumePoint(None, not_covered=missing)


@pytest.mark.parametrize("strategy", ["auto", "purchase_order"])
def test_order_reports_that_are_selected_later_need_all_purchase_orders(strategy: str) -> None:
    covers = written_coverage(stream("purchase_orders"))
    config: dict[str, Any] = {"order_reports_strategy": strategy}
    found = stream("purchase_orders", "order_reports", covers=covers, **config)
    assert found.plan.resume.moment is None
    assert "order_reports" in found.plan.resume.not_covered


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "purchase_orders",
            (["purchase_orders", "purchase_order_items"], {}),
            (["purchase_orders"], {}),
        ),
        (
            "purchase_orders",
            (["purchase_orders"], {}),
            (["purchase_orders"], {"ordering_vendor_codes": ["A"]}),
        ),
        (
            "purchase_orders",
            (["purchase_orders"], {}),
            (["purchase_orders"], {"purchase_order_state": "New"}),
        ),
        (
            "orders",
            (["orders"], {"business_api_regions": ["US", "CA"]}),
            (["orders"], {"business_api_regions": ["CA"]}),
        ),
        (
            "vendor_shipments",
            (["vendor_shipments"], {"ordering_vendor_codes": ["A"]}),
            (["vendor_shipments"], {}),
        ),
    ],
)
def test_resumes_where_less_is_read_than_the_bookmark_covers(
    name: str,
    before: tuple[list[str], dict[str, Any]],
    after: tuple[list[str], dict[str, Any]],
) -> None:
    (selected, config), (selected_then, config_then) = after, before
    covers = written_coverage(stream(name, *selected_then, **config_then))
    assert stream(name, *selected, covers=covers, **config).plan.resume.moment == END


def test_a_full_table_sync_ignores_the_bookmark() -> None:
    found = stream()
    found.forced_replication_method = "FULL_TABLE"
    assert found.plan.resume == ResumePoint(None)


# ---- bookmarks -----------------------------------------------------------------------------------


def test_a_bookmark_holds_all_that_the_next_sync_needs() -> None:
    part = bookmarked(stream("purchase_orders", "purchase_orders", "purchase_order_items"))
    covers = part.pop("covers")
    assert {len(covers.pop(name)) for name in ("host", "account")} == {6, 8}
    assert covers["streams"] == ["purchase_order_items", "purchase_orders"]
    assert list(part.pop("checksums")) == ["days", "hours"]
    assert part == {
        "replication_key": "lastChangedDate",
        "replication_key_value": "2026-05-31T00:00:00Z",
        "lookback_position": "2026-05-30T12:00:00Z",
    }


def test_every_bookmark_has_the_same_keys() -> None:
    part = bookmarked(stream())
    assert tuple(part) == BOOKMARK_FIELDS


def test_the_beginning_of_the_first_sync_stays_in_the_bookmark() -> None:
    before = {**written_coverage(stream()), "since": "2026-02-01T00:00:00Z"}
    found = stream(covers=before, start_date="2026-02-02")
    assert written_coverage(found)["since"] == "2026-02-01T00:00:00Z"


def test_a_first_sync_notes_where_it_begins() -> None:
    covers = written_coverage(stream(covers={"host": "another"}, start_date="2026-02-01"))
    assert covers["since"] == "2026-02-01T00:00:00Z"


def test_a_sync_begins_with_the_checksums_of_the_bookmark() -> None:
    found = stream(
        bookmark={"checksums": {"days": ["2026-05-01", "AAAB"], "hours": ["2026-05-29T00", ""]}}
    )
    assert found.plan.checksums.known == {datetime(2026, 5, 1, tzinfo=UTC): 1}


# ---- the plan ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("purchase_orders", "lookback_days"),
        ("purchase_order_statuses", "lookback_days"),
        ("vendor_shipments", "shipment_lookback_days"),
        ("orders", "order_lookback_days"),
        ("transactions", "order_lookback_days"),
    ],
)
def test_the_settings_say_how_far_back_rows_are_read_again(name: str, setting: str) -> None:
    config: dict[str, Any] = {setting: 17, "recent_days": 3, "lookback_cycle_hours": 5}
    days, hours = timedelta(days=1), timedelta(hours=1)
    assert stream(name, **config).rolling == Lookback(17 * days, 3 * days, 5 * hours)


@pytest.mark.parametrize(
    ("name", "overlap"), [("purchase_orders", timedelta(hours=1)), ("transactions", DAY)]
)
def test_without_recent_days_a_sync_begins_an_overlap_before_the_bookmark(
    name: str, overlap: timedelta
) -> None:
    moment = BEGINNING - timedelta(hours=1)
    found = stream(name, recent_days=0, bookmark={"replication_key_value": rfc3339(moment)})
    assert found.plan.span.since == moment - overlap


def test_a_sync_reads_from_the_recent_days_to_two_minutes_before_now() -> None:
    span = stream(recent_days=3).plan.span
    assert (span.since, span.until) == (END - 3 * DAY, BEGINNING - timedelta(minutes=2))


def test_a_sync_reads_the_share_of_the_lookback_that_is_due() -> None:
    found = stream(bookmark={"lookback_position": "2026-06-01T11:00:00Z"})
    assert found.plan.resume.position == BEGINNING - timedelta(hours=1)
    (share,) = found.plan.span.shares
    # A twenty-fourth of 178 days, in whole days.
    assert (share.window.end - share.window.start) / DAY in {7, 8}
    assert share.until == BEGINNING


def test_a_first_sync_has_no_lookback() -> None:
    found = stream(covers={"host": "another"})
    assert found.plan.span.shares == ()
    assert found.plan.span.since < BEGINNING - 178 * DAY


def test_a_plan_is_made_once() -> None:
    found = stream()
    plan = found.plan
    bookmarked(found)
    assert found.plan is plan


def test_a_stream_is_due_if_itself_or_a_child_is_selected() -> None:
    assert stream("purchase_orders", "purchase_orders").is_due
    assert stream("purchase_orders", "purchase_order_items").is_due
    assert not stream("purchase_orders", "orders").is_due
    assert stream("orders", "order_reports").is_due


def test_a_damaged_state_does_not_fail_before_the_stream_runs() -> None:
    found = stream(bookmark={"replication_key_value": "soon"})
    found.prepare()
    with pytest.raises(TapError, match="which is not a date-time"):
        _ = found.plan
