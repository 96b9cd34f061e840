"""Rules of every stream: complete, typed, exact, incremental, and failing alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

from simulator.models import fields
from tests.soak.values import differences
from tests.support.catalogs import DECIMAL_FORMAT, discover, entry, select
from tests.support.clocks import FakeClock
from tests.support.runs import Run, run_by
from tests.support.serving import CHILDREN, NO_LIMITS, STREAMS, serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator import Stats

DATED = sorted({*STREAMS} - {*CHILDREN})
EVERYTHING = select(*STREAMS)
HOISTED = ("orderDetails", "orderMetadata", "shipmentMetadata")
"""Objects of Amazon's rows whose fields stand at the top level of records."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Synced:
    """A first sync of everything, and what was served."""

    run: Run
    rows: dict[str, dict[tuple[str, ...], Row]]
    stats: Stats


@pytest.fixture(scope="module")
def synced() -> Iterator[Synced]:
    clock = FakeClock()
    with serve(clock, orders=150, seed=1) as serving:
        run = run_by(clock, settings(serving), catalog=EVERYTHING)
        yield Synced(run, {name: serving.rows(name) for name in STREAMS}, serving.stats())


@pytest.mark.parametrize("stream", STREAMS)
def test_every_row_comes_exactly_once(synced: Synced, stream: str) -> None:
    assert synced.run.status == 0, synced.run.log
    assert len(synced.rows[stream]) >= 100
    assert sorted(synced.run.keys(stream)) == sorted(synced.rows[stream])


@pytest.mark.parametrize("stream", STREAMS)
def test_every_value_is_the_one_that_was_served(synced: Synced, stream: str) -> None:
    records = synced.run.by_key(stream)
    for key, row in synced.rows[stream].items():
        if stream == "order_reports":  # their records have the number that they are found by
            row = {**row, "purchaseOrderNumber": key[0]}  # noqa: PLW2901
        assert [*differences(row, records[key])] == [], key


def test_every_request_is_one_that_the_api_takes(synced: Synced) -> None:
    assert not synced.stats.malformed
    assert not synced.stats.unknown_parameters
    assert sorted(synced.stats.token_requests.values()) == [1, 1]


def test_there_is_one_schema_message_a_stream(synced: Synced) -> None:
    assert synced.run.schemas == dict.fromkeys(STREAMS, 1)


def test_every_record_is_valid_by_its_schema_message(synced: Synced) -> None:
    validators = {
        message["stream"]: Draft7Validator(message["schema"])
        for message in synced.run.messages
        if message["type"] == "SCHEMA"
    }
    for stream, validator in validators.items():
        for record in synced.run.records(stream):
            validator.validate(record)


def test_every_date_is_in_utc_with_a_z(synced: Synced) -> None:
    served = json.dumps([list(rows.values()) for rows in synced.rows.values()], default=str)
    assert "+02:00" in served
    assert '{"date": "' in served
    dates = {stream: list(_dates(synced.run.records(stream))) for stream in STREAMS}
    undated = {name for name, found in dates.items() if not found}
    assert undated == {"purchase_order_items", "vendor_shipment_items"}
    shape = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
    assert [date for found in dates.values() for date in found if not shape.fullmatch(date)] == []


def _dates(value: object) -> Iterator[str]:
    """Yield the date-times anywhere in a value; windows of two dates are left out."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _dates(part)
    elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) and "--" not in value:
        yield value


def test_state_and_log_stay_small(synced: Synced) -> None:
    (*_, state) = (m for m in synced.run.output.split("\n") if m.startswith('{"type":"STATE"'))
    assert len(state) < 935 * len(DATED)
    assert len(synced.run.log.splitlines()) < 200


def test_a_second_sync_is_incremental(clock: FakeClock) -> None:
    with serve(clock, orders=120) as serving:
        first = run_by(clock, settings(serving), catalog=EVERYTHING)
        clock.advance(days=1)
        serving.world.change(fraction=0.02, state_only=0.05, new=8)
        serving.reset_stats()
        second = run_by(clock, settings(serving), state=first.state, catalog=EVERYTHING)
        rows = {name: set(serving.rows(name)) for name in STREAMS}
        stats = serving.stats()
    for name in STREAMS:
        assert set(first.keys(name)) | set(second.keys(name)) == rows[name], name
        assert len(second.records(name)) < 0.7 * len(first.records(name)), name
    for name in DATED:
        assert first.bookmark(name) < second.bookmark(name), name
    assert not stats.malformed


@pytest.mark.parametrize(
    ("operation", "stream", "children"),
    [
        ("GetShipmentDetails", "vendor_shipments", {"vendor_shipment_items"}),
        ("getTransactions", "transactions", {"invoices", "invoice_payments"}),
        ("getOrderReports", "orders", set()),
    ],
)
def test_a_missing_role_fails_its_stream_alone(
    clock: FakeClock, operation: str, stream: str, children: set[str]
) -> None:
    options = replace(NO_LIMITS, lacking_roles=frozenset({operation}))
    with serve(clock, options, orders=30) as serving:
        run = run_by(clock, settings(serving), catalog=EVERYTHING)
        rows = {name: set(serving.rows(name)) for name in STREAMS}
    assert run.status == 1
    assert re.search(rf"{stream}: {operation} .*role '", run.log)
    assert "x-amzn-RequestId" in run.log
    assert re.search(rf"Failed: {stream}\b(?!,)", run.log)
    for name in {*STREAMS} - {stream} - children:
        assert set(run.keys(name)) == rows[name], name
    for name in {*DATED} - {stream}:
        assert run.bookmark(name)
    assert not run.records(stream)
    assert "replication_key_value" not in run.state["bookmarks"].get(stream, {})


@pytest.mark.parametrize("stream", sorted(fields()))
def test_the_schema_has_the_fields_of_amazon_s_model(stream: str) -> None:
    shape = fields()[stream]
    hoisted = {name: part for at in HOISTED for name, part in shape.get(at, {}).items()}
    plain = {name: part for name, part in shape.items() if name not in HOISTED}
    schema = entry(discover(), stream)["schema"]
    assert [*_missing({**plain, **hoisted}, schema, stream)] == []


def _missing(shape: Any, schema: Row | None, path: str) -> Iterator[str]:
    """Yield what a schema lacks of a shape, or has in another type."""
    if schema is None:
        yield path
    elif isinstance(shape, dict):
        for name, part in shape.items():
            yield from _missing(part, schema.get("properties", {}).get(name), f"{path}.{name}")
    elif isinstance(shape, list):
        yield from _missing(shape[0], schema.get("items"), f"{path}[]")
    elif shape == "map":
        if schema.get("additionalProperties") is False or "object" not in schema["type"]:
            yield f"{path}: no map"
    elif shape == "number":
        if schema.get("format") != DECIMAL_FORMAT:
            yield f"{path}: not exact"
    elif shape not in schema["type"]:
        yield f"{path}: no {shape}"
