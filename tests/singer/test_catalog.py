"""Catalogs: what `--discover` writes, selection, and catalogs that others changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.catalogs import deselect, discover, entry, metadata, select
from tests.support.runs import run_by
from tests.support.serving import STREAMS, serve, settings

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock


# ---- discovery ---------------------------------------------------------------------------------


def test_every_field_has_a_description() -> None:
    def missing(schema: dict[str, Any], path: str) -> list[str]:
        found = []
        for name, field in schema.get("properties", {}).items():
            if not field.get("description"):
                found.append(f"{path}.{name}")
            found += missing(field, f"{path}.{name}")
            found += missing(field.get("items", {}), f"{path}.{name}[]")
        return found

    streams = discover()["streams"]
    assert sorted(stream["tap_stream_id"] for stream in streams) == sorted(STREAMS)
    assert [m for stream in streams for m in missing(stream["schema"], stream["stream"])] == []


# ---- selection ---------------------------------------------------------------------------------


def test_single_fields_can_be_deselected(clock: FakeClock) -> None:
    catalog = select("purchase_orders", "order_reports")
    deselect(catalog, "buyingCustomer", "items", "address")
    with serve(clock, orders=40) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
    orders, reports = run.records("purchase_orders"), run.records("order_reports")
    assert not any("items" in order for order in orders)
    assert not any("address" in (order.get("shipToParty") or {}) for order in orders)
    assert any((order.get("shipToParty") or {}).get("partyId") for order in orders)
    assert not any("buyingCustomer" in report for report in reports)
    assert any(report.get("orderStatus") for report in reports)


def test_streams_that_are_not_selected_are_like_streams_that_the_catalog_lacks(
    clock: FakeClock,
) -> None:
    # A child without its parent; Meltano's catalogs have all streams.
    chosen = ("purchase_order_items", "order_reports")
    catalog = discover()
    for stream in catalog["streams"]:
        metadata(stream)["selected"] = stream["tap_stream_id"] in chosen
    with serve(clock, orders=20) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
        expected = run_by(clock, settings(serving), catalog=select(*chosen))
    assert run.schemas == expected.schemas == dict.fromkeys(chosen, 1)
    for stream in chosen:
        assert run.by_key(stream) == expected.by_key(stream)


def test_streams_of_a_newer_version_stay_out_where_the_catalog_lacks_them(
    clock: FakeClock,
) -> None:
    catalog = select("purchase_orders", "orders")
    with serve(clock, orders=20) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
    assert run.status == 0, run.log
    assert run.schemas == {"purchase_orders": 1, "orders": 1}


def test_unknown_streams_and_fields_of_a_catalog_are_ignored(clock: FakeClock) -> None:
    catalog = select("purchase_orders")
    changed = entry(catalog, "purchase_orders")
    changed["schema"]["properties"]["of_old"] = {"type": ["string", "null"]}
    changed["metadata"].append(
        {"breadcrumb": ["properties", "of_old"], "metadata": {"selected": True}}
    )
    catalog["streams"].append(
        {
            "tap_stream_id": "gone",
            "stream": "gone",
            "schema": {"type": "object", "properties": {"id": {"type": "string"}}},
            "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
        }
    )
    with serve(clock, orders=20) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
    assert run.status == 0, run.log
    assert len(run.numbers()) == 20
    assert run.schemas == {"purchase_orders": 1}


# ---- keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [[], None, "absent"])
@pytest.mark.parametrize("stream", ["purchase_orders", "orders"])
def test_a_catalog_without_keys_loses_no_rows(clock: FakeClock, keys: Any, stream: str) -> None:
    catalog = select(stream)
    changed = entry(catalog, stream)
    changed["key_properties"] = keys
    if keys == "absent":
        del changed["key_properties"]
    for part in changed["metadata"]:
        part["metadata"].pop("table-key-properties", None)
    with serve(clock, orders=15) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
        rows = serving.rows(stream)
    assert run.status == 0, run.log
    assert len(run.records(stream)) == len(rows) >= 15


def test_a_catalog_with_fewer_keys_loses_no_rows(clock: FakeClock) -> None:
    catalog = select("order_line_items")
    entry(catalog, "order_line_items")["key_properties"] = ["orderId"]
    with serve(clock, orders=20) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
        rows = serving.rows("order_line_items")
    assert run.status == 0, run.log
    assert len(run.records("order_line_items")) == len(rows)


def test_a_key_that_the_catalog_s_schema_lacks_is_kept_in_rescued_data(clock: FakeClock) -> None:
    catalog = select("purchase_orders")
    del entry(catalog, "purchase_orders")["schema"]["properties"]["purchaseOrderNumber"]
    with serve(clock, orders=10) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
    assert run.status == 0, run.log
    records = run.records("purchase_orders")
    assert len(records) == 10
    assert re.search(r"purchase_orders: .* kept in rescuedData: .*\bpurchaseOrderNumber\b", run.log)
    assert not any("purchaseOrderNumber" in record for record in records)
    assert all(record["rescuedData"]["purchaseOrderNumber"] for record in records)


# ---- replication -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("purchaseOrderDate", "purchaseOrderDate"),
        ("nonsense", "nonsense"),
        (None, "lastChangedDate"),
    ],
)
@pytest.mark.parametrize("method", ["INCREMENTAL", None])
def test_a_catalog_s_replication_key_names_the_bookmark_and_changes_nothing_else(
    clock: FakeClock, key: str | None, kept: str, method: str | None
) -> None:
    catalog = select("purchase_orders")
    entry(catalog, "purchase_orders").update(replication_key=key, replication_method=method)
    with serve(clock, orders=30, quirks=False) as serving:
        first = run_by(clock, settings(serving), catalog=catalog)
        clock.advance(hours=1)
        second = run_by(clock, settings(serving), catalog=catalog, state=first.state)
    assert len(first.numbers()) == 30
    assert len(second.numbers()) < 5
    bookmark = second.state["bookmarks"]["purchase_orders"]
    assert bookmark["replication_key"] == kept
    assert bookmark["replication_key_value"] == "2026-06-01T12:58:00Z"


@pytest.mark.parametrize("key", ["nonsense", None])
def test_a_full_table_reads_everything_and_keeps_no_bookmark(
    clock: FakeClock, key: str | None
) -> None:
    catalog = select("purchase_orders")
    changed = entry(catalog, "purchase_orders")
    changed.update(replication_key=key, replication_method="FULL_TABLE")
    with serve(clock, orders=30, quirks=False) as serving:
        first = run_by(clock, settings(serving), catalog=catalog)
        second = run_by(clock, settings(serving), catalog=catalog, state=first.state)
    assert len(first.numbers()) == len(second.numbers()) == 30
    assert second.state["bookmarks"] == {"purchase_orders": {}}


def test_a_catalog_without_a_replication_key_keeps_the_tap_s_own(clock: FakeClock) -> None:
    catalog = select("purchase_orders")
    del entry(catalog, "purchase_orders")["replication_key"]
    with serve(clock, orders=30) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
    assert run.status == 0, run.log
    assert len(run.numbers()) == 30
    assert run.state["bookmarks"]["purchase_orders"]["replication_key"] == "lastChangedDate"
