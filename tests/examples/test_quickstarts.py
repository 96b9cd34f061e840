"""The quickstarts: every block of a page, run in order, as it stands there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.chain import MELTANO, PROJECT, Chain
from tests.support.leaks import leaks
from tests.support.serving import serve, settings
from tests.warehouses import postgres, snowflake
from tests.warehouses.duckdb import DuckDb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from simulator import Simulator
    from tests.warehouses.warehouse import Warehouse

pytestmark = pytest.mark.end_to_end

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PAGES = ("duckdb", "postgres", "snowflake")
SHOWN = ("json", "dotenv", "text")
"""Kinds of blocks that are not run: credentials, and lines for cron."""


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the kinds and texts of a page's blocks."""
    text = (PROJECT / "docs" / f"quickstart-{page}.md").read_text(encoding="utf-8")
    return _BLOCK.findall(text)


def script(page: str) -> tuple[str, str, str]:
    """Return a page's commands until a look at the rows, its query, and the commands after it."""
    kinds = [kind for kind, _ in blocks(page) if kind not in SHOWN]
    (middle,) = [place for place, kind in enumerate(kinds) if kind == "sql"]
    texts = [text for kind, text in blocks(page) if kind not in SHOWN]
    return "".join(texts[:middle]), texts[middle], "".join(texts[middle + 1 :])


def run(commands: str, folder: Path, environment: dict[str, str]) -> str:
    """Run commands in a folder, and return what they printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=250,
        cwd=folder,
        env=environment,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def warehouse_of(page: str, folder: Path) -> AbstractContextManager[Warehouse]:
    if page == "postgres":
        return postgres.database()
    if page == "snowflake":
        return snowflake.database(folder / "data")
    return nullcontext(DuckDb(folder / "project/output/warehouse.duckdb"))


def copy_of(project: Path, folder: Path) -> Path:
    """Return a folder that looks like a clone, with a project's plugins in it."""
    clone = folder / "project"
    (clone / "docs").mkdir(parents=True)
    shutil.copy(project / "meltano.yml", clone)
    shutil.copy(PROJECT / "docs/stream_maps.json", clone / "docs")
    (clone / ".meltano").mkdir()
    for kind in ("extractors", "loaders"):
        # Meltano installs there what is not there yet.
        (project / ".meltano" / kind).mkdir(parents=True, exist_ok=True)
        (clone / ".meltano" / kind).symlink_to(
            project / ".meltano" / kind, target_is_directory=True
        )
    return clone


@pytest.fixture
def serving() -> Iterator[Simulator]:
    with serve(orders=30, quirks=False) as simulator:
        yield simulator


@pytest.mark.parametrize("page", _PAGES)
def test_a_page_leads_to_rows(page: str, serving: Simulator, tmp_path: Path) -> None:
    with warehouse_of(page, tmp_path) as warehouse:
        clone = copy_of(warehouse.project, tmp_path)
        loader = {**warehouse.environment}
        chain = Chain(tmp_path, settings(serving), loader, project=clone)
        chain.environment["PATH"] = f"{MELTANO.parent}:{chain.environment['PATH']}"
        first, query, second = script(page)

        said = run(first, clone, chain.environment)
        assert len(warehouse.query(query)) == 3
        number = warehouse.column("purchaseOrderNumber")
        count = f"select count(distinct {number}) from amazon.purchase_orders"  # noqa: S608
        assert warehouse.one(count) == 30
        fields = {column.strip('"').lower() for column in warehouse.types("order_reports")}
        assert "orderid" in fields
        assert "businessorderinfo" not in fields

        serving.world.change(fraction=0, state_only=0, new=2)
        warehouse.release()
        said += run(second, clone, chain.environment)
        assert warehouse.one(count) == 32
        buyers = f"select {warehouse.column('buyingCustomer')} from amazon.order_reports"  # noqa: S608
        assert not leaks(str(warehouse.query(buyers)))
    assert re.search(r'"replication_key": ?"lastChangedDate"', said)
    assert not leaks(said)


def test_without_meltano(serving: Simulator, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / "docs").mkdir(parents=True)
    shutil.copy(PROJECT / "docs/stream_maps.json", clone / "docs")
    (clone / "config.json").write_text(json.dumps(settings(serving)), encoding="utf-8")
    environment = {**Chain(tmp_path, {}).environment}
    environment["PATH"] = f"{PROJECT / '.venv/bin'}:{environment['PATH']}"
    texts = [text for kind, text in blocks("without-meltano") if kind == "sh"]

    said = run("".join(texts[:-1]), clone, environment)
    first = rows(clone, "purchase_orders")
    assert len(first) == 30
    assert not any("businessOrderInfo" in row for row in rows(clone, "order_reports"))
    assert {path.stem for path in (clone / "output").iterdir()} == {
        "purchase_orders",
        "order_reports",
    }
    assert not leaks((clone / "output/order_reports.jsonl").read_text(encoding="utf-8"))

    serving.world.change(fraction=0, state_only=0, new=2)
    said += run(texts[-1], clone, environment)
    assert len({row["purchaseOrderNumber"] for row in rows(clone, "purchase_orders")}) == 32
    assert json.loads(said.splitlines()[-1])["bookmarks"]["purchase_orders"]
    assert not leaks(said)


def rows(folder: Path, stream: str) -> list[dict[str, Any]]:
    """Return the records that the loader wrote."""
    lines = (folder / "output" / f"{stream}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("page", [*_PAGES, "without-meltano"])
def test_what_is_not_run_are_credentials_and_cron(page: str) -> None:
    assert {kind for kind, _ in blocks(page)} <= {"sh", "sql", *SHOWN}
    assert all("* * *" in text for kind, text in blocks(page) if kind == "text")
