"""The quickstarts: every block of a page, run in order, as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.examples.quickstart import blocks, clone, filled, names, run
from tests.support.chain import MELTANO, PROJECT, Chain
from tests.support.chain import settings as variables
from tests.support.leaks import leaks
from tests.support.serving import serve, settings
from tests.warehouses.duckdb import DuckDb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Simulator
    from tests.examples.quickstart import Block
    from tests.warehouses.warehouse import Warehouse

pytestmark = pytest.mark.end_to_end

PAGES = ("duckdb", "postgres", "snowflake")
"""The commands of all pages are the same, but for the loader. One of them is run as it stands;
tests/warehouses/ runs the queries of all, and test_add_to_your_project.py the other loaders."""

STREAMS = {"vendor": "purchase_orders", "business": "orders"}
"""The stream that the pages select of each account."""

UV = PROJECT / ".tools/uv/bin"


def with_plugins(folder: Path, project: Path) -> Path:
    """Return a clone that uses the plugins of a project: another test installs them."""
    made = clone(folder)
    shutil.copy(project / "meltano.yml", made)
    for kind in ("extractors", "loaders"):
        # Meltano installs there what is not there yet.
        installed = project / ".meltano" / kind
        installed.mkdir(parents=True, exist_ok=True)
        (made / ".meltano").mkdir(exist_ok=True)
        (made / ".meltano" / kind).symlink_to(installed, target_is_directory=True)
    return made


@pytest.fixture
def serving() -> Iterator[Simulator]:
    with serve(orders=30, quirks=False, regions=("US",)) as simulator:
        yield simulator


def expected(serving: Simulator) -> dict[str, int]:
    """Return the tables that a person with both accounts gets, and how many rows they have."""
    return {stream: len(serving.rows(stream)) for stream in STREAMS.values()}


def loaded(warehouse: Warehouse) -> dict[str, int]:
    """Return the tables of a warehouse, and how many rows they have."""
    named = "select lower(table_name) from information_schema.tables where lower(table_schema) = "
    tables = [name for (name,) in warehouse.query(f"{named}'amazon'")]
    return {name: warehouse.one(f"select count(*) from amazon.{name}") for name in tables}  # noqa: S608


def test_a_page_leads_to_rows(serving: Simulator, tmp_path: Path) -> None:
    steps = [block for block in blocks(PAGES[0]) if block.mark != "install"]
    asked = {n for block in steps if block.kind == "dotenv" for n in names(block)}
    last_look = max(place for place, block in enumerate(steps) if block.kind == "sql")
    warehouse = DuckDb(tmp_path / "clone/output/warehouse.duckdb")
    folder = with_plugins(tmp_path / "clone", warehouse.project)
    known = variables(settings(serving, sp_api_region="NA"))
    assert asked <= known.keys()
    # What the page asks for is in no other place than the file that it says to write.
    environment = Chain(tmp_path, {}, project=folder).environment
    environment |= {name: value for name, value in known.items() if name not in asked}
    environment["PATH"] = f"{MELTANO.parent}:{environment['PATH']}"

    said = ""
    before = expected(serving)
    for place, block in enumerate(steps):
        if block.kind == "dotenv":
            with (folder / ".env").open("a", encoding="utf-8") as file:
                file.write(filled(block, known))
        elif block.kind == "sql":
            assert len(warehouse.query(block.text)) == 3
        elif block.kind == "sh":
            said += run(block.text, folder, environment)
        if place == last_look:
            assert loaded(warehouse) == before
            serving.world.change(fraction=0, state_only=0, new=2)
    after = expected(serving)
    assert loaded(warehouse) == after
    assert all(after[stream] > before[stream] for stream in after)
    assert not {"buyergroup"} & columns(warehouse, "orders")
    buyers = f"select {warehouse.column('buyingCustomer')} from amazon.orders"  # noqa: S608
    assert not leaks(str(warehouse.query(buyers)))
    for operation in ("getPurchaseOrders", "getOrderReports"):
        assert re.search(rf"{operation} \(\w+\): ok", said)
    assert "replication_key_value" in said
    assert not leaks(said)


def columns(warehouse: Warehouse, table: str) -> set[str]:
    return {column.strip('"').lower() for column in warehouse.types(table)}


@pytest.mark.parametrize("page", PAGES[1:])
def test_the_commands_of_the_pages_differ_only_in_the_loader(page: str) -> None:
    def commands(of: str) -> list[Block]:
        return [
            block._replace(text=block.text.replace(f"target-{of}", "the loader"))
            for block in blocks(of)
            if block.kind == "sh" or (block.kind == "dotenv" and block.mark)
        ]

    assert commands(page) == commands(PAGES[0])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_for_what_the_loader_needs_by_meltano_yml(page: str) -> None:
    meltano = yaml.safe_load((PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    (loader,) = (one for one in meltano["plugins"]["loaders"] if one["name"] == f"target-{page}")
    prefix = f"TARGET_{page.upper()}_"
    asked = {
        name.removeprefix(prefix).lower()
        for block in blocks(page)
        for name in names(block)
        if name.startswith(prefix)
    }
    needed, *_ = loader.get("settings_group_validation", [[]])
    assert {*needed} <= asked <= {setting["name"] for setting in loader["settings"]}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which uv installs programs into a folder of their own."""
    folder = tmp_path_factory.mktemp("programs")
    found = {**os.environ, "UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder)}
    found.pop("PYTHONDONTWRITEBYTECODE", None)  # it makes each command slower
    return {**found, "PATH": f"{folder}:{UV}:{found['PATH']}"}


def test_a_page_installs_what_it_runs(programs: dict[str, str], tmp_path: Path) -> None:
    page = PAGES[0]
    (block,) = (block for block in blocks(page) if block.mark == "install")
    folder = clone(tmp_path / "clone")
    run(block.text, folder, programs)
    plugins = folder / ".meltano"
    assert (plugins / "extractors/tap-amazon-business/venv/bin/tap-amazon-business").exists()
    assert (plugins / f"loaders/target-{page}/venv/bin/target-{page}").exists()


def test_without_meltano(serving: Simulator, programs: dict[str, str], tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    (shown,) = [block.text for block in blocks("without-meltano") if block.kind == "json"]
    *first, last = [block.text for block in blocks("without-meltano") if block.kind == "sh"]
    given = settings(serving, sp_api_region="NA")
    assert json.loads(shown).keys() <= given.keys()
    (folder / "config.json").write_text(json.dumps(given), encoding="utf-8")

    said = run("".join(first), folder, programs)
    assert len(rows(folder, "purchase_orders")) == 30
    assert {path.stem for path in (folder / "output").glob("*.jsonl")} == set(STREAMS.values())
    assert not any("buyerGroup" in row for row in rows(folder, "orders"))
    assert not leaks((folder / "output/orders.jsonl").read_text(encoding="utf-8"))

    serving.world.change(fraction=0, state_only=0, new=2)
    said += run(last, folder, programs)
    assert len({row["purchaseOrderNumber"] for row in rows(folder, "purchase_orders")}) == 32
    assert json.loads(said.splitlines()[-1])["bookmarks"]["purchase_orders"]
    assert not leaks(said)


def rows(folder: Path, stream: str) -> list[dict[str, Any]]:
    """Return the records that the loader wrote."""
    lines = (folder / "output" / f"{stream}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("page", [*PAGES, "without-meltano"])
def test_what_is_not_run_are_lines_for_cron(page: str) -> None:
    kinds = {block.kind for block in blocks(page)}
    assert kinds <= {"sh", "sql", "json", "dotenv", "text"}
    assert {block.mark for block in blocks(page)} <= {"", "install", *STREAMS}
    assert all("* * *" in block.text for block in blocks(page) if block.kind == "text")
