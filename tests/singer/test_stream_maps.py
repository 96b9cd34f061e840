"""stream_maps: the example in docs/ hides people and nothing else; maps of parents and children."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator
from singer_sdk.mapper import CustomStreamMap

from simulator.world.catalogue import Catalogue
from simulator.world.quirks import NO_ROW_QUIRKS
from tests.support.batches import batch_config
from tests.support.catalogs import select
from tests.support.chain import PROJECT
from tests.support.clocks import FakeClock
from tests.support.runs import Run, run_by, run_tap
from tests.support.serving import BUSINESS_ONLY, VENDOR_ONLY, serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Simulator

EXAMPLE = PROJECT / "docs" / "stream_maps.json"
SEED: Any = {"stream_map_config": {"hash_seed": "a secret of the user's own"}}
# Where people are named: stream and field, and where in the field.
PEOPLE = {
    ("orders", "buyingCustomer"): (),
    ("orders", "approverDetails"): ("lastOrderApproverCustomer",),
    ("order_reports", "buyingCustomer"): (),
    ("order_reports", "approverDetails"): ("lastOrderApproverCustomer",),
    ("shipments", "shippingAddress"): (),
    ("shipment_line_items", "receivingInfo"): ("customer",),
    ("transactions", "buyer"): (),
    ("transactions", "payer"): (),
}
NAMING = ("id", "name", "email", "fullName")

Record = dict[str, Any]
Records = dict[str, dict[tuple[str, ...], Record]]


def example() -> dict[str, Any]:
    """Return the settings of the example."""
    found: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Serve orders with all oddities."""
    with serve(FakeClock(), orders=40) as serving:
        yield serving


@pytest.fixture(scope="module")
def plain(simulator: Simulator) -> Run:
    """Sync everything as it is."""
    return run_by(FakeClock(), settings(simulator))


@pytest.fixture(scope="module")
def mapped(simulator: Simulator) -> Run:
    """Sync everything with the example of stream maps."""
    run = run_by(FakeClock(), settings(simulator, **example(), **SEED))
    assert run.status == 0, run.log
    return run


def by_key(run: Run) -> Records:
    return {stream: run.by_key(stream) for stream in run.key_fields}


def named(text: str) -> Counter[str]:
    """Return the names and e-mail addresses of people in a text, and how often each occurs."""
    texts = [value for person in Catalogue(0, NO_ROW_QUIRKS).people for value in person.values()]
    return +Counter(
        {shape: text.count(shape) for value in texts for shape in {value, json.dumps(value)[1:-1]}}
    )


def people(records: Records) -> dict[tuple[object, ...], Record]:
    """Return who is named in each record, without the fields that are of other things."""
    who: dict[tuple[object, ...], Record] = {}
    for (stream, field), path in PEOPLE.items():
        for key, record in records[stream].items():
            found = record.get(field)
            for part in path:
                found = (found or {}).get(part)
            if found:
                who[stream, key, field] = {name: found[name] for name in NAMING if name in found}
    return who


# ---- the example -------------------------------------------------------------------------------


def test_the_example_leaves_no_name_and_no_address(plain: Run, mapped: Run) -> None:
    assert named(plain.output)
    assert named(mapped.output + mapped.log) == Counter()


def test_the_example_makes_one_hash_of_each_name(plain: Run, mapped: Run) -> None:
    before, after = people(by_key(plain)), people(by_key(mapped))
    assert set(before) == set(after)
    hashes: dict[str, set[str]] = {}
    for place, person in before.items():
        for name, value in person.items():
            if value is None:
                assert after[place][name] is None
            else:
                hashes.setdefault(value, set()).add(after[place][name])
    assert len(hashes) > 5 + 4  # names, addresses, and an identifier for many of them
    assert all(len(values) == 1 for values in hashes.values())
    assert len(set.union(*hashes.values())) == len(hashes)
    assert {len(value) for values in hashes.values() for value in values} == {64}


def test_the_example_changes_nothing_else(plain: Run, mapped: Run) -> None:
    assert without_people(by_key(plain)) == without_people(by_key(mapped))


def test_the_map_for_invoices_leaves_no_name_and_no_number() -> None:
    page = (PROJECT / "docs" / "personal-data.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    clock, catalog = FakeClock(), select("invoices")
    with serve(clock, orders=40, regions=("JP",)) as serving:
        plain = run_by(clock, settings(serving), catalog=catalog)
        maps = {"stream_maps": json.loads(f"{{{snippet}}}"), **SEED}
        mapped = run_by(clock, settings(serving, **maps), catalog=catalog)
    assert named(plain.output)
    assert named(mapped.output) == Counter()
    for key, invoice in plain.by_key("invoices").items():
        address = mapped.by_key("invoices")[key]["billToAddress"]
        kept = {
            name: text
            for name, text in invoice["billToAddress"].items()
            if name not in {"fullName", "phoneNumber"}
        }
        assert kept.items() < address.items()
        assert {len(address[name]) for name in ("fullName", "phoneNumber")} == {64}


def without_people(records: Records) -> Records:
    """Return records without people's names and addresses; a field that is missing is null."""

    def strip(stream: str, record: Record) -> Record:
        stripped = dict(record)
        for (place, field), path in PEOPLE.items():
            if place == stream:
                stripped[field] = _strip(record.get(field), path)
        return stripped

    return {
        stream: {key: strip(stream, record) for key, record in found.items()}
        for stream, found in records.items()
    }


def _strip(value: Record | None, path: tuple[str, ...]) -> Record | None:
    if not value:
        return None
    if path:
        rest = {**value, path[0]: _strip(value.get(path[0]), path[1:])}
        return rest if any(rest.values()) else None
    return {name: part for name, part in value.items() if name not in NAMING}


def test_records_of_the_example_are_valid_by_their_schema_messages(plain: Run, mapped: Run) -> None:
    def schemas(run: Run) -> dict[str, dict[str, Any]]:
        return {m["stream"]: m["schema"] for m in run.messages if m["type"] == "SCHEMA"}

    assert {name: set(schema["properties"]) for name, schema in schemas(mapped).items()} == {
        name: set(schema["properties"]) for name, schema in schemas(plain).items()
    }
    for name, schema in schemas(mapped).items():
        validator = Draft7Validator(schema)
        for record in mapped.records(name):
            validator.validate(record)


def test_the_example_applies_to_batches(simulator: Simulator, mapped: Run, tmp_path: Path) -> None:
    config = settings(simulator, **example(), **SEED, batch_config=batch_config(tmp_path))
    run = run_by(FakeClock(), config)
    assert run.status == 0, run.log
    batched = run.batched()
    for stream, names in run.key_fields.items():
        found = {tuple(record[name] for name in names): record for record in batched[stream]}
        assert found == mapped.by_key(stream), stream


@pytest.mark.parametrize(
    ("one", "lacking"),
    [(VENDOR_ONLY, "orders"), (BUSINESS_ONLY, "purchase_orders")],
    ids=["vendor", "business"],
)
def test_the_example_may_map_streams_that_one_credential_set_lacks(
    simulator: Simulator, one: dict[str, Any], lacking: str
) -> None:
    auto = {"order_reports_strategy": "auto"}
    config = settings(simulator, **example(), **SEED, **one, **auto, start_date="2026-05-20")
    run = run_by(FakeClock(), config)
    assert run.status == 0, run.log
    assert lacking not in run.schemas
    assert run.schemas


def test_without_a_seed_the_example_brings_nobody(tmp_path: Path) -> None:
    # As a user gives it: a second file beside the configuration.
    with serve(orders=3) as serving:
        run = run_tap(settings(serving), tmp_path, "--config", str(EXAMPLE))
    assert run.status == 1
    assert "hash_seed" in run.log
    assert named(run.output + run.log) == Counter()


# ---- other maps --------------------------------------------------------------------------------


def test_maps_rename_hash_and_filter(clock: FakeClock) -> None:
    maps = {
        "order_reports": {
            "buyer": "md5((record.get('buyingCustomer') or {}).get('email') or '')",
            "buyingCustomer": None,
            "approverDetails": None,
        },
        "purchase_orders": {"__filter__": "record['purchaseOrderNumber'] > 'M'"},
    }
    with serve(clock, orders=40) as serving:
        run = run_by(
            clock,
            settings(serving, stream_maps=maps),
            catalog=select("purchase_orders", "order_reports"),
        )
        wanted = {number for number in serving.world.purchase_orders() if number > "M"}
    assert "@" not in run.output
    assert set(run.numbers()) == wanted
    assert len(run.numbers("order_reports")) > 0
    assert set(run.numbers("order_reports")) <= wanted
    assert {len(record["buyer"]) for record in run.records("order_reports")} == {32}


@pytest.mark.parametrize(
    "maps",
    [
        {"copies": {"__source__": "purchase_orders", "__filter__": "1 == 2"}},
        {"copies": {"__source__": "purchase_orders"}},
        {
            "purchase_orders": {
                "__alias__": "po",
                "__else__": "__NULL__",
                "purchaseOrderNumber": "purchaseOrderNumber",
            }
        },
        {"purchase_orders": {"purchaseOrderNumber": "'x' + purchaseOrderNumber"}},
        {"purchase_orders": {"items": "__NULL__"}},
    ],
    ids=["no copy", "copies", "alias", "other key", "no items"],
)
def test_maps_of_purchase_orders_leave_their_children_whole(
    clock: FakeClock, maps: dict[str, Any]
) -> None:
    with serve(clock, orders=30, quirks=False) as serving:
        run = run_by(
            clock,
            settings(serving, stream_maps=maps),
            catalog=select("purchase_orders", "purchase_order_items", "order_reports"),
        )
        items, reports = serving.rows("purchase_order_items"), serving.rows("order_reports")
    assert run.status == 0, run.log
    assert sorted(run.keys("purchase_order_items")) == sorted(items)
    assert sorted(run.keys("order_reports")) == sorted(reports)


# ---- expressions that fail, and streams that are removed ---------------------------------------


@pytest.mark.parametrize(
    "maps",
    [
        {"buyer": "record['buyingCustomer']['email'] + 1"},
        {"__filter__": "record['buyingCustomer']['email'] > 1"},
        {"buyer": "no_such_name"},
    ],
    ids=["field", "filter", "name"],
)
def test_an_expression_that_fails_on_a_record_ends_its_stream_alone(
    clock: FakeClock, maps: dict[str, str]
) -> None:
    with serve(clock, orders=20, quirks=False) as serving:
        config = settings(serving, stream_maps={"orders": maps})
        run = run_by(clock, config, catalog=select("orders", "shipments"))
    assert run.status == 1
    (line,) = [line for line in run.log.splitlines() if line.startswith("orders: stream_maps:")]
    assert "an expression for orders fails on a record (" in line
    assert "Traceback" not in run.log
    assert run.records("shipments")
    assert not run.records("orders")


@pytest.mark.parametrize("maps", [{"purchase_orders": None}, {"__else__": "__NULL__"}])
def test_children_of_a_stream_that_is_removed_are_complete(
    clock: FakeClock, maps: dict[str, Any]
) -> None:
    maps = {**maps, "purchase_order_items": {"__source__": "purchase_order_items"}}
    with serve(clock, orders=20, quirks=False) as serving:
        config = settings(serving, stream_maps=maps)
        run = run_by(clock, config, catalog=select("purchase_orders", "purchase_order_items"))
        expected = serving.rows("purchase_order_items")
    assert run.by_key("purchase_order_items").keys() == expected.keys()
    assert not run.records("purchase_orders")


def test_a_filter_under_a_wildcard_holds_for_children_too(clock: FakeClock) -> None:
    maps = {"purchase_orders*": {"__filter__": "purchaseOrderNumber < '4'"}}
    with serve(clock, orders=60, quirks=False) as serving:
        config = settings(serving, stream_maps=maps)
        run = run_by(clock, config, catalog=select("purchase_orders", "order_reports"))
    orders = {number for (number,) in run.keys("purchase_orders")}
    reports = {number for number, _ in run.keys("order_reports")}
    assert reports
    assert reports <= orders


@pytest.mark.parametrize(
    "maps", [{"x": "1 +"}, {"__filter__": "("}, {"__key_properties__": ["no_such_field"]}]
)
def test_a_stream_map_that_cannot_be_used_is_one_line(
    simulator: Simulator, tmp_path: Path, maps: dict[str, Any]
) -> None:
    config = settings(simulator, stream_maps={"purchase_orders": maps})
    run = run_tap(config, tmp_path, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "| stream_maps cannot be used: " in run.log.splitlines()[-1]
    assert "Traceback" not in run.log


def test_the_mapper_is_used_by_one_thread_at_a_time(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    inside = threading.Semaphore()
    real = CustomStreamMap.get_filter_result

    def get_filter_result(stream_map: CustomStreamMap, record: Record) -> bool:
        assert inside.acquire(blocking=False)
        threads.append(threading.current_thread().name)
        result = real(stream_map, record)
        inside.release()
        return result

    monkeypatch.setattr(CustomStreamMap, "get_filter_result", get_filter_result)
    maps = {"purchase_orders": {"__filter__": "purchaseOrderNumber > ''"}}
    run = run_by(FakeClock(), settings(simulator, stream_maps=maps))
    assert run.status == 0, run.log
    assert {*threads} == {"purchase_orders"}
