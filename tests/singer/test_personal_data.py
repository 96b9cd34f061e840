"""personal_data: no name and no address of a person is left, and all else stays as it was."""

from __future__ import annotations

import hmac
import json
from collections import Counter
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

from simulator.world.catalogue import Catalogue
from simulator.world.quirks import NO_ROW_QUIRKS
from tap_amazon_business.records.personal import PERSONAL, personal_paths
from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.batches import batch_config, batch_texts
from tests.support.catalogs import discover, select
from tests.support.clocks import FakeClock
from tests.support.runs import Run, run_by, run_tap
from tests.support.serving import STREAMS, serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Simulator

SALT = "a long secret of the user's own"
HASH: dict[str, Any] = {"personal_data": "hash", "hash_salt": SALT}
DROP: dict[str, Any] = {"personal_data": "drop"}

Values = dict[tuple[object, ...], Any]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Serve orders with all oddities, of a region whose invoices name people."""
    with serve(FakeClock(), orders=40, regions=("JP",)) as serving:
        yield serving


def sync(simulator: Simulator, **extra: Any) -> Run:
    run = run_by(FakeClock(), settings(simulator, **extra), catalog=select(*STREAMS))
    assert run.status == 0, run.log
    return run


@pytest.fixture(scope="module")
def kept(simulator: Simulator) -> Run:
    return sync(simulator)


@pytest.fixture(scope="module")
def hashed(simulator: Simulator) -> Run:
    return sync(simulator, **HASH)


@pytest.fixture(scope="module")
def dropped(simulator: Simulator) -> Run:
    return sync(simulator, **DROP)


def schemas() -> dict[str, dict[str, Any]]:
    streams = TapAmazonBusiness(config={}, validate_config=False).streams
    return {name: stream.schema for name, stream in streams.items()}


def named(text: str) -> Counter[str]:
    """Return the names and e-mail addresses of people in a text, and how often each occurs."""
    texts = [value for person in Catalogue(0, NO_ROW_QUIRKS).people for value in person.values()]
    return +Counter(
        {shape: text.count(shape) for value in texts for shape in {value, json.dumps(value)[1:-1]}}
    )


def split(run: Run) -> tuple[Values, Values]:
    """Return the personal values of all records, and all records without them."""
    personal: Values = {}
    rest: Values = {}
    for stream, schema in schemas().items():
        for key, record in deepcopy(run.by_key(stream)).items():
            for path in personal_paths(schema):
                holder: Any = record
                for name in path[:-1]:
                    holder = (holder or {}).get(name)
                if holder and path[-1] in holder:
                    personal[stream, key, path] = holder.pop(path[-1])
            record["rescuedData"] = sorted(record["rescuedData"] or ())  # only the paths stay
            rest[stream, key] = record
    return personal, rest


def test_no_person_is_left(kept: Run, hashed: Run, dropped: Run) -> None:
    assert sum(named(kept.output).values()) > 100
    for run in (hashed, dropped):
        assert named(run.output + run.log) == Counter()
        assert "@" not in run.output


def test_texts_become_hashes_or_null_and_nothing_else_changes(
    kept: Run, hashed: Run, dropped: Run
) -> None:
    before, rest = split(kept)
    hashes, rest_of_hashed = split(hashed)
    nulls, rest_of_dropped = split(dropped)
    assert rest == rest_of_hashed == rest_of_dropped
    assert {place[0] for place in before} >= {
        "invoices",
        "orders",
        "order_reports",
        "purchase_orders",
        "shipment_line_items",
        "shipments",
        "transactions",
        "vendor_shipments",
    }
    for place, value in before.items():
        expected = (
            hmac.new(SALT.encode(), value.encode(), "sha256").hexdigest()[:16] if value else value
        )
        assert hashes[place] == expected, place
        assert not nulls[place]


def test_records_are_valid_by_their_schema_messages(hashed: Run, dropped: Run) -> None:
    for run in (hashed, dropped):
        for message in run.messages:
            if message["type"] == "SCHEMA":
                validator = Draft7Validator(message["schema"])
                for record in run.records(message["stream"]):
                    validator.validate(record)


def test_batch_files_and_stream_maps_see_hashes_only(simulator: Simulator, tmp_path: Path) -> None:
    maps = {"orders": {"who": "(record.get('buyingCustomer') or {}).get('email')"}}
    run = sync(simulator, **HASH, batch_config=batch_config(tmp_path), stream_maps=maps)
    texts = [text for m in run.messages if m["type"] == "BATCH" for text in batch_texts(m)]
    assert named("".join(texts)) == Counter()
    orders = run.batched()["orders"]
    assert {len(order["who"]) for order in orders if order["who"]} == {16}


def test_flattened_records_have_hashes_only(simulator: Simulator) -> None:
    run = sync(simulator, **HASH, flattening_enabled=True, flattening_max_depth=3)
    assert named(run.output) == Counter()


def test_a_change_of_the_setting_writes_the_lookback_again(clock: FakeClock) -> None:
    def by_state(state: Any, **extra: Any) -> Run:
        config = settings(serving, lookback_cycle_hours=0, **extra)
        run = run_by(clock, config, catalog=select("orders", "order_reports"), state=state)
        assert run.status == 0, run.log
        return run

    with serve(clock, orders=20, quirks=False) as serving:
        first = by_state(None)
        again = by_state(first.states[-1])
        hashed = by_state(again.states[-1], **HASH)
        digits = by_state(hashed.states[-1], **HASH, hash_digits=12)
    assert named(first.output)
    assert not again.records("orders")
    assert hashed.records("orders")
    assert hashed.records("order_reports")
    assert len(digits.records("orders")) == len(hashed.records("orders"))
    assert named(hashed.output + digits.output) == Counter()


@pytest.mark.parametrize("salt", [{}, {"hash_salt": "short"}], ids=["none", "short"])
def test_hash_needs_a_salt(salt: dict[str, str], tmp_path: Path) -> None:
    with serve(orders=3) as serving:
        run = run_tap(settings(serving, personal_data="hash", **salt), tmp_path)
    assert run.status == 1
    assert "hash_salt: " in run.log
    assert named(run.output + run.log) == Counter()


def test_the_catalog_marks_personal_fields() -> None:
    marked = {
        (stream["tap_stream_id"], tuple(entry["breadcrumb"][1::2]))
        for stream in discover()["streams"]
        for entry in stream["metadata"]
        if entry["metadata"].get("personal-data")
    }
    assert marked == {
        (name, path) for name, schema in schemas().items() for path in personal_paths(schema)
    }
    assert ("orders", ("buyingCustomer", "email")) in marked


def test_fields_that_sound_personal_are_marked() -> None:
    sounding = ("email", "phone", "fullname", "addressline", "customer.name")
    unmarked = [
        f"{stream}.{path}"
        for stream, schema in schemas().items()
        for path, field in leaves(schema)
        if any(sound in path.lower() for sound in sounding)
        and not field.get(PERSONAL)
        and "seller.primaryAddress" not in path  # a company
    ]
    assert unmarked == []


def leaves(schema: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        path = f"{above}.{name}" if above else name
        inner = field.get("items", field)
        if "properties" in inner:
            yield from leaves(inner, path)
        else:
            yield path, field
