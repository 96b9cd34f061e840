"""All ten streams: complete, typed, incremental, and open to the SDK's own tools."""

from __future__ import annotations

import gzip
import json
import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

from simulator import Options, Plan, Simulator, World
from tap_amazon_business.api.operations import OPERATIONS
from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.runs import Run, run_by, run_tap, select

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

SNAPSHOT = Path(__file__).parent / "snapshots" / "catalog.json"
STREAMS = (
    "order_line_items",
    "order_reports",
    "orders",
    "purchase_order_items",
    "purchase_order_statuses",
    "purchase_orders",
    "shipment_line_items",
    "shipments",
    "transactions",
    "vendor_shipments",
)
DATED = sorted({*STREAMS} - {"order_reports", "purchase_order_items"})
EXACT = {"format": "x-singer.decimal", "precision": 38, "scale": 9}
QUICK = {name: Plan(rate=1000, burst=1000) for name in OPERATIONS}


def serve(clock: FakeClock, options: Options | None = None, **world: Any) -> Simulator:
    """Return a simulator that lives by an injected clock."""
    return Simulator(World(now=clock.now, **world), options or Options(), monotonic=clock.monotonic)


def settings(serving: Simulator, **extra: Any) -> dict[str, Any]:
    """Return settings by which order_reports bring all that the simulator has."""
    return serving.config(**{"order_reports_strategy": "purchase_order", **extra})


def keys(run: Run, stream: str) -> list[tuple[str, ...]]:
    """Return the key of each record of a stream."""
    (schema,) = [m for m in run.messages if m["type"] == "SCHEMA" and m["stream"] == stream]
    return [tuple(r[name] for name in schema["key_properties"]) for r in run.records(stream)]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_stream_brings_every_row_exactly_once(clock: FakeClock, seed: int) -> None:
    with serve(clock, orders=250, seed=seed) as serving:
        run = run_by(clock, settings(serving))
        truth = {name: set(serving.rows(name)) for name in STREAMS}
        stats = serving.stats()
    assert run.status == 0, run.log
    for name in STREAMS:
        found = keys(run, name)
        assert len(found) == len(set(found)), name
        assert set(found) == truth[name], name
    assert all(traffic.refused == 0 for traffic in stats.operations.values())
    assert not stats.malformed
    assert not stats.unknown_parameters
    assert run.schemas == dict.fromkeys(STREAMS, 1)
    (*_, state) = (line for line in run.output.split("\n") if line.startswith('{"type":"STATE"'))
    assert len(state) < 1000


def test_every_record_is_valid_against_its_schema(clock: FakeClock) -> None:
    with serve(clock, orders=250) as serving:
        run = run_by(clock, settings(serving))
    validators = {
        m["stream"]: Draft7Validator(m["schema"]) for m in run.messages if m["type"] == "SCHEMA"
    }
    for message in run.messages:
        if message["type"] == "RECORD":
            validators[message["stream"]].validate(message["record"])


def test_dates_have_one_shape_wherever_they_occur(clock: FakeClock) -> None:
    with serve(clock, orders=250) as serving:
        run = run_by(clock, settings(serving))
        rows = [row for name in STREAMS for row in serving.rows(name).values()]
    assert '{"date": "' in json.dumps(rows, default=str)
    dated = [
        (message["stream"], value)
        for message in run.messages
        if message["type"] == "RECORD"
        for value in _dates(message["record"])
    ]
    assert {name for name, _ in dated} >= {"orders", "shipments", "transactions"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", v) for _, v in dated)


def _dates(value: Any) -> list[str]:
    """Return the date-times anywhere in a record; windows of two dates are left out."""
    if isinstance(value, dict):
        return [date for part in value.values() for date in _dates(part)]
    if isinstance(value, list):
        return [date for part in value for date in _dates(part)]
    looks = isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) and "--" not in value
    return [value] if looks else []


def test_a_second_sync_is_incremental_in_every_stream(clock: FakeClock) -> None:
    with serve(clock, orders=250) as serving:
        first = run_by(clock, settings(serving))
        clock.advance(days=1)
        serving.world.change(fraction=0.02, state_only=0.05, new=8)
        serving.reset_stats()
        second = run_by(clock, settings(serving), state=first.state)
        truth = {name: set(serving.rows(name)) for name in STREAMS}
        stats = serving.stats()
    for name in STREAMS:
        assert set(keys(first, name)) | set(keys(second, name)) == truth[name], name
        assert len(second.records(name)) < 0.7 * len(first.records(name)), name
    for name in DATED:
        assert first.bookmark(name) < second.bookmark(name), name
    assert not stats.malformed


def test_a_status_that_changed_is_found(clock: FakeClock) -> None:
    with serve(clock, orders=200) as serving:
        first = run_by(clock, settings(serving), catalog=select("purchase_order_statuses"))
        clock.advance(hours=8)
        touched = serving.world.change(fraction=0.1, state_only=0, new=5)
        second = run_by(
            clock,
            settings(serving),
            state=first.state,
            catalog=select("purchase_order_statuses"),
        )
    assert {*touched.changed, *touched.new} <= set(second.numbers("purchase_order_statuses"))


def test_reports_by_order_date_are_read_again_within_the_lookback(clock: FakeClock) -> None:
    with serve(clock, orders=200, quirks=False) as serving:
        first = run_by(clock, settings(serving), catalog=select("orders"))
        clock.advance(hours=2)
        second = run_by(
            clock,
            settings(serving, order_lookback_days=10),
            state=first.state,
            catalog=select("orders"),
        )
    horizon = datetime.fromisoformat(first.bookmark("orders")) - timedelta(days=10)
    expected = {
        r["orderId"]
        for r in first.records("orders")
        if datetime.fromisoformat(r["orderDate"]) >= horizon
    }
    assert {r["orderId"] for r in second.records("orders")} == expected


def test_items_come_without_a_request_of_their_own_and_without_their_parent(
    clock: FakeClock,
) -> None:
    with serve(clock, orders=100) as serving:
        alone = run_by(clock, settings(serving), catalog=select("purchase_order_items"))
        requests = serving.stats().operations["getPurchaseOrders"].requests
        serving.reset_stats()
        both = run_by(
            clock,
            settings(serving),
            catalog=select("purchase_orders", "purchase_order_items"),
        )
        assert abs(serving.stats().operations["getPurchaseOrders"].requests - requests) <= 10
        truth = set(serving.rows("purchase_order_items"))
    assert set(keys(alone, "purchase_order_items")) == truth
    assert set(keys(both, "purchase_order_items")) == truth
    assert alone.schemas == {"purchase_order_items": 1}


@pytest.mark.parametrize("operation", ["GetShipmentDetails", "getTransactions", "getOrderReports"])
def test_a_missing_role_fails_one_stream_and_keeps_the_others(
    clock: FakeClock, operation: str
) -> None:
    stream = {
        "GetShipmentDetails": "vendor_shipments",
        "getTransactions": "transactions",
        "getOrderReports": "orders",
    }[operation]
    with serve(clock, Options(lacking_roles=frozenset({operation})), orders=60) as serving:
        run = run_by(clock, settings(serving))
        truth = {name: set(serving.rows(name)) for name in STREAMS}
    assert run.status != 0
    assert re.search(rf"{stream}: {operation} .*lacks the role '", run.log)
    assert "x-amzn-RequestId" in run.log
    assert f"Failed: {stream} " in run.log
    for name in {*STREAMS} - {stream}:
        assert set(keys(run, name)) == truth[name], name
    for name in {*DATED} - {stream}:
        assert run.bookmark(name)
    assert not run.records(stream)
    assert "replication_key_value" not in run.state["bookmarks"].get(stream, {})


def test_the_catalog_is_the_one_that_was_agreed(tmp_path: Path) -> None:
    """A change of schema is a visible diff; UPDATE_SNAPSHOT=1 writes the new one."""
    found = run_tap({}, tmp_path, "--discover").output
    catalog = json.dumps(json.loads(found), indent=1, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(catalog, encoding="utf-8")
    assert catalog == SNAPSHOT.read_text(encoding="utf-8")


def test_every_field_has_a_description() -> None:
    def missing(schema: dict[str, Any], path: str) -> list[str]:
        found = []
        for name, field in schema.get("properties", {}).items():
            if not field.get("description"):
                found.append(f"{path}.{name}")
            found += missing(field, f"{path}.{name}")
            found += missing(field.get("items", {}), f"{path}.{name}[]")
        return found

    catalog = TapAmazonBusiness(config={}, validate_config=False).catalog_dict
    assert len(catalog["streams"]) == len(STREAMS)
    assert [m for s in catalog["streams"] for m in missing(s["schema"], s["stream"])] == []


def test_schema_test_writes_a_schema_per_stream(tidy: Simulator, tmp_path: Path) -> None:
    run = run_tap(tidy.config(), tmp_path, "--test=schema")
    assert run.status == 0
    assert run.schemas == dict.fromkeys(STREAMS, 1)


def test_single_fields_can_be_deselected(clock: FakeClock) -> None:
    catalog = select("purchase_orders", "order_reports")
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"][-1:] in (["buyingCustomer"], ["items"], ["address"]):
                entry["metadata"]["selected"] = False
    with serve(clock, Options(rates=QUICK), orders=60) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
    orders, reports = run.records("purchase_orders"), run.records("order_reports")
    assert orders
    assert reports
    assert not any("items" in order for order in orders)
    assert not any("address" in (order.get("shipToParty") or {}) for order in orders)
    assert any((order.get("shipToParty") or {}).get("partyId") for order in orders)
    assert not any("buyingCustomer" in report for report in reports)


def test_stream_maps_rename_hash_and_filter(clock: FakeClock) -> None:
    maps = {
        "order_reports": {
            "buyer": "md5((record.get('buyingCustomer') or {}).get('email') or '')",
            "buyingCustomer": None,
            "approverDetails": None,
        },
        "purchase_orders": {"__filter__": "record['purchaseOrderNumber'] > 'M'"},
    }
    with serve(clock, Options(rates=QUICK), orders=60) as serving:
        run = run_by(
            clock,
            settings(serving, stream_maps=maps),
            catalog=select("purchase_orders", "order_reports"),
        )
        wanted = {n for n in serving.world.purchase_orders() if n > "M"}
    assert "@" not in run.output
    assert set(run.numbers()) == wanted
    assert set(run.numbers("order_reports")) <= wanted
    assert any(len(r["buyer"]) == 32 for r in run.records("order_reports"))


@pytest.mark.parametrize("catalog", [None, select("transactions")], ids=["none", "given"])
def test_loaders_are_told_how_many_decimals_an_amount_has(
    clock: FakeClock, catalog: dict[str, Any] | None
) -> None:
    # Without precision and scale, Snowflake's makes whole numbers of them.
    with serve(clock, orders=5) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
    (schema,) = [
        message["schema"]["properties"]
        for message in run.messages
        if message["type"] == "SCHEMA" and message["stream"] == "transactions"
    ]
    assert EXACT.items() <= schema["shipTaxRate"].items()
    assert EXACT.items() <= schema["amount"]["properties"]["amount"].items()
    line = schema["transactionLineItems"]["items"]["properties"]
    assert EXACT.items() <= line["unitPrice"]["properties"]["amount"].items()


def test_flattening_makes_columns_of_amounts(clock: FakeClock) -> None:
    with serve(clock, orders=40) as serving:
        run = run_by(
            clock,
            settings(serving, flattening_enabled=True, flattening_max_depth=2),
            catalog=select("purchase_order_items"),
        )
    (schema,) = [m["schema"] for m in run.messages if m["type"] == "SCHEMA"]
    assert EXACT.items() <= schema["properties"]["netCost__amount"].items()
    assert any(r.get("netCost__amount") for r in run.records("purchase_order_items"))


def test_batches_hold_every_record(clock: FakeClock, tmp_path: Path) -> None:
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{tmp_path}"},
        "batch_size": 50,
    }
    with serve(clock, Options(rates=QUICK), orders=120) as serving:
        run = run_by(
            clock,
            settings(serving, batch_config=batches),
            catalog=select("purchase_orders", "order_reports", "purchase_order_items"),
        )
        truth = {n: set(serving.rows(n)) for n in ("purchase_orders", "order_reports")}
    found: dict[str, list[tuple[str, ...]]] = {}
    for message in run.messages:
        if message["type"] == "BATCH":
            for path in message["manifest"]:
                lines = gzip.decompress(Path(path.removeprefix("file://")).read_bytes())
                for line in lines.splitlines():
                    record = json.loads(line)
                    names = ("purchaseOrderNumber", "orderId")
                    key = tuple(record[name] for name in names if name in record)
                    found.setdefault(message["stream"], []).append(key)
    for name, expected in truth.items():
        assert sorted(found[name]) == sorted(expected)
    assert run.bookmark()
