"""The SDK's and Meltano's own doors, from the command line: BATCH, stream maps, test runs."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft7Validator

from simulator import Options, Simulator, World
from simulator.world.catalogue import Catalogue
from simulator.world.quirks import NO_ROW_QUIRKS
from tap_amazon_business.api.operations import OPERATIONS
from tests.support.chain import PROJECT, Chain, ChainFailedError
from tests.support.runs import TAP, Run, run_tap, select

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAM_MAPS = PROJECT / "docs" / "stream_maps.json"
SEED: Any = {"stream_map_config": {"hash_seed": "a secret of the user's own"}}
UNLIMITED = {name: {"rate": 1000, "burst": 1000} for name in OPERATIONS}
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
NAMING = ("name", "email", "fullName")

Record = dict[str, Any]
Records = dict[str, dict[tuple[str, ...], Record]]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Serve orders with all oddities, as fast as they are asked for."""
    with Simulator(World(orders=60), Options(limits=False)) as serving:
        yield serving


def settings(simulator: Simulator, **extra: Any) -> dict[str, Any]:
    return simulator.config(
        **{"rate_limits": UNLIMITED, "order_reports_strategy": "purchase_order", **extra}
    )


@pytest.fixture(scope="module")
def plain(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Sync everything, by the tap's own settings alone."""
    run = run_tap(settings(simulator), tmp_path_factory.mktemp("plain"))
    assert run.status == 0, run.log
    return run


def keys(run: Run) -> dict[str, list[str]]:
    """Return the key fields of each stream."""
    return {m["stream"]: m["key_properties"] for m in run.messages if m["type"] == "SCHEMA"}


def by_key(run: Run) -> Records:
    """Return the records of each stream, as the order of independent ones is any."""
    return {
        stream: {tuple(r[name] for name in names): r for r in run.records(stream)}
        for stream, names in keys(run).items()
    }


# ---- BATCH -------------------------------------------------------------------------------------


def batches(folder: Path) -> dict[str, Any]:
    return {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{folder}"},
        "batch_size": 100,
    }


def run_in_batches(
    config: dict[str, Any], folder: Path, *arguments: str, catalog: dict[str, Any] | None = None
) -> tuple[Run, Records, str]:
    """Return a run, the records of its BATCH files, and the files' text."""
    files = folder / "files"
    files.mkdir()
    config = {**config, "batch_config": batches(files)}
    run = run_tap(config, folder, *arguments, catalog=catalog)
    assert run.status == 0, run.log
    found: Records = {stream: {} for stream in keys(run)}
    texts = []
    for message in run.messages:
        if message["type"] == "BATCH":
            names = keys(run)[message["stream"]]
            for path in message["manifest"]:
                text = gzip.decompress(Path(path.removeprefix("file://")).read_bytes()).decode()
                texts.append(text)
                for line in text.splitlines():
                    record = json.loads(line, parse_float=Decimal)
                    key = tuple(record[name] for name in names)
                    assert key not in found[message["stream"]]
                    found[message["stream"]][key] = record
    assert sum(map(len, found.values())) == sum(len(text.splitlines()) for text in texts)
    return run, found, "".join(texts)


def test_batches_hold_the_records_that_come_without_them(
    simulator: Simulator, plain: Run, tmp_path: Path
) -> None:
    run, found, _ = run_in_batches(settings(simulator), tmp_path)
    assert found == by_key(plain)
    assert run.schemas == plain.schemas
    assert not any(run.records(stream) for stream in run.schemas)
    assert set(run.state["bookmarks"]) == set(plain.state["bookmarks"])
    # A state that comes before its batch would lose it where the loader fails between the two.
    kinds = [message["type"] for message in run.messages]
    assert kinds[-1] == "STATE"
    assert "STATE" not in kinds[: kinds.index("BATCH")]


def test_what_is_deselected_is_not_in_batches(simulator: Simulator, tmp_path: Path) -> None:
    catalog = select("orders", "order_reports", "purchase_orders")
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"][-1:] in (["buyingCustomer"], ["approverDetails"]):
                entry["metadata"]["selected"] = False
    _, found, text = run_in_batches(settings(simulator), tmp_path, catalog=catalog)
    assert found["orders"]
    assert found["order_reports"]
    assert "buyingCustomer" not in text
    assert told(text) == Counter()


def test_stream_maps_apply_to_batches(simulator: Simulator, tmp_path: Path) -> None:
    _, found, text = run_in_batches(
        settings(simulator, **SEED), tmp_path, "--config", str(STREAM_MAPS)
    )
    assert all(found.values())
    assert told(text) == Counter()


@pytest.mark.parametrize(
    "maps", [{"copies": {"__source__": "orders"}}, {"orders": {"__alias__": "purchases"}}]
)
def test_streams_of_other_names_are_refused_in_batches(
    simulator: Simulator, tmp_path: Path, maps: dict[str, Any]
) -> None:
    config = settings(simulator, batch_config=batches(tmp_path), stream_maps=maps)
    run = run_tap(config, tmp_path, catalog=select("orders", "transactions"))
    assert run.status != 0
    assert "orders: stream_maps makes several streams of it, or gives it another name" in run.log
    assert run.bookmark("transactions")
    assert {m["stream"] for m in run.messages if m["type"] == "BATCH"} == {"transactions"}


# ---- stream maps -------------------------------------------------------------------------------


def told(text: str) -> Counter[str]:
    """Return the names and e-mail addresses of people in a text, and how often each occurs."""
    texts = [value for person in Catalogue(0, NO_ROW_QUIRKS).people for value in person.values()]
    return +Counter(
        {shape: text.count(shape) for value in texts for shape in {value, json.dumps(value)[1:-1]}}
    )


def people(records: Records) -> Iterator[tuple[Record, Record]]:
    """Yield who is named in each record, without the fields that are of other things."""
    for (stream, field), path in PEOPLE.items():
        for key, record in records[stream].items():
            found = record.get(field)
            for part in path:
                found = (found or {}).get(part)
            if found:
                yield {"at": (stream, key, field)}, {n: found[n] for n in NAMING if n in found}


def test_the_example_of_stream_maps_hashes_people_and_nothing_else(
    simulator: Simulator, plain: Run, tmp_path: Path
) -> None:
    run = run_tap(settings(simulator, **SEED), tmp_path, "--config", str(STREAM_MAPS))
    assert run.status == 0, run.log
    assert told(plain.output)
    assert told(run.output + run.log) == Counter()

    before, after = by_key(plain), by_key(run)
    named = [(at["at"], person) for at, person in people(before)]
    hashed = {at["at"]: person for at, person in people(after)}
    assert {at for at, _ in named} == set(hashed)
    pseudonyms: dict[str, set[str]] = {}
    for at, person in named:
        for name, value in person.items():
            if value is None:
                assert hashed[at][name] is None
            else:
                pseudonyms.setdefault(value, set()).add(hashed[at][name])
    assert len(pseudonyms) == 5 + 4
    assert all(len(values) == 1 for values in pseudonyms.values())
    assert len(set.union(*pseudonyms.values())) == len(pseudonyms)
    assert all(len(value) == 64 for values in pseudonyms.values() for value in values)

    assert without_people(before) == without_people(after)


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


def test_what_the_example_makes_is_valid_by_its_schema_messages(
    simulator: Simulator, plain: Run, tmp_path: Path
) -> None:
    run = run_tap(settings(simulator, **SEED), tmp_path, "--config", str(STREAM_MAPS))
    schemas = {m["stream"]: m["schema"] for m in run.messages if m["type"] == "SCHEMA"}
    known = {m["stream"]: m["schema"] for m in plain.messages if m["type"] == "SCHEMA"}
    assert {name: set(schema["properties"]) for name, schema in schemas.items()} == {
        name: set(schema["properties"]) for name, schema in known.items()
    }
    for name, schema in schemas.items():
        validator = Draft7Validator(schema)
        for record in run.records(name):
            validator.validate(record)


def test_the_example_does_for_one_credential_set_too(simulator: Simulator, tmp_path: Path) -> None:
    config = {n: v for n, v in settings(simulator, **SEED).items() if "business_api_" not in n}
    run = run_tap(config, tmp_path, "--config", str(STREAM_MAPS))
    assert run.status == 0, run.log
    assert "orders" not in run.schemas
    assert run.numbers()


def test_without_a_seed_the_example_hands_on_nobody(simulator: Simulator, tmp_path: Path) -> None:
    run = run_tap(settings(simulator), tmp_path, "--config", str(STREAM_MAPS))
    assert run.status != 0
    assert "hash_seed" in run.log
    assert told(run.output + run.log) == Counter()


# ---- test runs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--test", "--test=all", "--test=records"])
def test_a_test_run_brings_a_record_of_each_stream(
    simulator: Simulator, plain: Run, option: str, tmp_path: Path
) -> None:
    run = run_tap(settings(simulator), tmp_path, option)
    assert run.status == 0, run.log
    # The SDK breaks off a stream behind its first record, and with it the page of its children.
    children = {"purchase_order_items", "order_reports"}
    assert set(run.schemas) == set(plain.schemas)
    for stream in {*plain.schemas} - children:
        assert len(run.records(stream)) == 1, stream


@pytest.mark.parametrize("prefixes", [("sp_api",), ("sp_api", "business_api")])
def test_a_test_run_fails_with_refused_credentials(
    simulator: Simulator, prefixes: tuple[str, ...], tmp_path: Path
) -> None:
    wrong = {f"{prefix}_client_secret": "a-wrong-secret" for prefix in prefixes}
    run = run_tap(settings(simulator, **wrong), tmp_path, "--test")
    assert run.status != 0
    assert "check sp_api_client_id and sp_api_client_secret" in run.log
    assert "a-wrong-secret" not in run.log
    assert "Traceback" not in run.log


@pytest.mark.parametrize("option", ["--test", "--test=schema"])
def test_a_test_run_names_the_setting_that_is_wrong(
    simulator: Simulator, option: str, tmp_path: Path
) -> None:
    run = run_tap(settings(simulator, business_api_regions=["GB"]), tmp_path, option)
    assert run.status != 0
    assert "business_api_regions: unknown region 'GB'; Amazon Business calls it UK" in run.log
    assert "Traceback" not in run.log
    assert not run.output


def project(folder: Path) -> Path:
    """Make a Meltano project that runs the tap of this environment.

    `meltano config test` writes its files into the project, so that two of them at a time would
    disturb each other in one.
    """
    meltano = yaml.safe_load((PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = meltano["plugins"]["extractors"]
    del tap["pip_url"]
    tap["executable"] = str(TAP)
    meltano["plugins"] = {"extractors": [tap]}
    (folder / "meltano.yml").write_text(yaml.safe_dump(meltano), encoding="utf-8")
    return folder


@pytest.mark.end_to_end
def test_meltano_tests_the_settings(simulator: Simulator, tmp_path: Path) -> None:
    chain = Chain(tmp_path, settings(simulator), project=project(tmp_path))
    printed = chain.run("config", "test", "tap-amazon-business")
    assert "Plugin configuration is valid" in printed


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (
            {f"{prefix}_api_client_secret": "a-wrong-secret" for prefix in ("sp", "business")},
            "client_secret",
        ),
        ({"business_api_regions": ["GB"]}, "Amazon Business calls it UK"),
        ({"sp_api_refresh_token": ""}, "sp_api_refresh_token: missing"),
    ],
)
def test_meltano_says_what_is_wrong_with_the_settings(
    simulator: Simulator, wrong: dict[str, Any], named: str, tmp_path: Path
) -> None:
    chain = Chain(tmp_path, settings(simulator, **wrong), project=project(tmp_path))
    with pytest.raises(ChainFailedError) as failed:
        chain.run("config", "test", "tap-amazon-business")
    said = str(failed.value)
    assert "Plugin configuration is invalid" in said
    assert named in said
    assert "writeOnly" not in said, "the schema of all settings hides what is wrong"
    assert "a-wrong-secret" not in said
    assert "Traceback" not in said
