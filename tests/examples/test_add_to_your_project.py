"""docs/add-to-your-project.md: every block, in an empty folder, for each of two loaders."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from tests.examples.quickstart import blocks, clone, filled, run
from tests.support.chain import MELTANO, PROJECT
from tests.support.chain import settings as variables
from tests.support.leaks import leaks
from tests.support.serving import serve, settings
from tests.warehouses import postgres
from tests.warehouses.duckdb import DuckDb

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.warehouses.warehouse import Warehouse

pytestmark = pytest.mark.end_to_end

STREAMS = {
    "purchase_orders": ("orderDetails", "purchaseOrderDate"),
    "orders": ("orderMetadata", "orderDate"),
}
"""The streams that the page selects, and where Amazon's rows have a date."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a git repository with the files of this project."""
    folder = clone(tmp_path_factory.mktemp("repository"))
    identity = "-c user.name=Test -c user.email=test@localhost"
    commands = f"git init -q . && git add --all && git {identity} commit -q -m Test"
    run(commands, folder, os.environ)
    return folder.as_uri()


def warehouse_of(loader: str, folder: Path) -> AbstractContextManager[Warehouse]:
    if loader == "postgres":
        return postgres.database()
    return nullcontext(DuckDb(folder / "warehouse/output/warehouse.duckdb"))


@pytest.mark.timeout(1800)  # it installs, and runs some twelve commands: long on a busy machine
@pytest.mark.parametrize("loader", ["postgres", "duckdb"])
def test_an_empty_folder_becomes_a_project_with_rows(
    loader: str, repository: str, tmp_path: Path
) -> None:
    others = ("MELTANO_", "TAP_", "TARGET_", "PGTZ", "PYTHONDONTWRITEBYTECODE")
    environment = {n: text for n, text in os.environ.items() if not n.startswith(others)}
    environment["PATH"] = f"{MELTANO.parent}:{PROJECT / '.tools/uv/bin'}:{os.environ['PATH']}"
    environment["MELTANO_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    environment["REPOSITORY"] = repository
    environment["TZ"] = "America/New_York"
    folder, said = tmp_path, ""
    with (
        serve(orders=20, quirks=False, regions=("US",)) as serving,
        warehouse_of(loader, tmp_path) as warehouse,
    ):
        known = {**variables(settings(serving)), **warehouse.environment}
        for block in blocks("add-to-your-project", ""):
            if block.mark not in {"", loader}:
                continue
            if block.kind == "dotenv":
                with (folder / ".env").open("a", encoding="utf-8") as file:
                    file.write(filled(block, known))
            else:
                said += run(block.text, folder, environment)
            if "meltano init" in block.text:
                folder = tmp_path / "warehouse"
                # Where the simulator is takes the place of Amazon's own addresses.
                rest = {
                    name: text for name, text in known.items() if name.endswith(("_URL", "_LIMITS"))
                }
                environment |= {n: t for n, t in rest.items() if n.startswith("TAP_")}
        for stream, (part, date) in STREAMS.items():
            query = f"select {warehouse.column(date)} from amazon.{stream}"  # noqa: S608
            loaded = [f"{moment:%Y-%m-%dT%H:%M:%S}" for (moment,) in warehouse.query(query)]
            dates = [plain(row[part][date]) for row in serving.rows(stream).values()]
            assert sorted(loaded) == sorted(text[: len("2026-01-01T00:00:00")] for text in dates)
    assert not leaks(said)


def plain(date: str | dict[str, str]) -> str:
    return date["date"] if isinstance(date, dict) else date
