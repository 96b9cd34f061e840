"""Every figure of the marts against one that is worked out without them, wherever they are built.

The loads are those of the real loaders: before and after late changes, with records as they are and
flattened by the tap. dbt runs from the start, then incrementally, then from the start again.
"""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from simulator.world.changes import FRESH
from tests.support.catalogs import discover, metadata
from tests.support.chain import PROJECT
from tests.support.clocks import FakeClock
from tests.support.runs import run_by
from tests.support.serving import serve, settings
from tests.warehouses import postgres
from tests.warehouses.duckdb import DuckDb
from tests.warehouses.figures import QUERIES, asked, figures
from tools.dbt import DBT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import World
    from tests.warehouses.warehouse import Warehouse

pytestmark = pytest.mark.end_to_end

AS_OF = datetime(2026, 6, 1, 13, tzinfo=UTC)
FLAT = {"flattening_enabled": True, "flattening_max_depth": 2}
LOADERS = PROJECT / ".meltano/loaders"


@dataclass(frozen=True)
class Sync:
    """What the tap wrote, and what the figures must be when it is loaded.

    Attributes:
        output: The tap's messages.
        expected: The figures.
        flattened: Whether the tap flattened the records.
    """

    output: str
    expected: dict[str, Any]
    flattened: bool

    @property
    def has_map(self) -> bool:
        """Whether orders have their map of fields that the account chose."""
        schema = next(
            line
            for line in self.output.splitlines()
            if line.startswith('{"type":"SCHEMA","stream":"orders"')
        )
        return "businessOrderInfo" in json.loads(schema)["schema"]["properties"]


def _sync_twice(**flattening: Any) -> list[Sync]:
    """Return a first sync of everything, and one after all that may change has changed."""
    clock = FakeClock()
    catalog = discover()
    for stream in catalog["streams"]:
        metadata(stream)["selected"] = True
    found, state = [], None
    with serve(clock, orders=50, respelled=0.1) as simulator:
        for late in (False, True):
            if late:
                _change(simulator.world)
                clock.advance(minutes=10)
            config = settings(simulator, lookback_cycle_hours=0, **flattening)
            run = run_by(clock, config, state=state, catalog=catalog)
            assert run.status == 0, run.log
            state = run.state
            found.append(Sync(run.output, figures(simulator.world, AS_OF), bool(flattening)))
    return found


def _change(world: World) -> None:
    changes = world.change(fraction=0.2, state_only=0.2, new=10)
    for number in changes.changed:
        world.receive(number)
    # A status has no date of its own: the lookback of `orders` finds those of the last weeks.
    for report in list(world.reports):
        if report.ordered > world.present() - FRESH:
            world.move_report(report.order_id)
    world.close_books()


@pytest.fixture(scope="module", params=[{}, FLAT], ids=["nested", "flattened"])
def syncs(request: pytest.FixtureRequest) -> list[Sync]:
    return _sync_twice(**request.param)


class Built:
    """A warehouse that is loaded by a loader itself, and dbt on it."""

    def __init__(self, kind: str, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self._kind = kind
        self._folder = folder

    def load(self, sync: Sync) -> None:
        """Load what the tap wrote."""
        environment = self.warehouse.environment
        config = {"default_target_schema": "amazon", "add_metadata_columns": True} | (
            {"path": environment["TARGET_DUCKDB_PATH"]}
            if self._kind == "duckdb"
            else {
                "sqlalchemy_url": environment["TARGET_POSTGRES_SQLALCHEMY_URL"],
                "add_record_metadata": True,
                "validate_records": False,
                "use_copy": True,
            }
        )
        path = self._folder / "loader.json"
        path.write_text(_json(config), encoding="utf-8")
        name = f"target-{self._kind}"
        self._run(str(LOADERS / name / "venv/bin" / name), "--config", str(path), text=sync.output)

    def dbt(self, *arguments: str) -> str:
        """Run a command of dbt's."""
        variables = _json({"as_of": f"{AS_OF:%Y-%m-%d %H:%M:%S}"})
        return self._run(str(DBT), "--no-use-colors", *arguments, "--vars", variables)

    def _run(self, *command: str, text: str = "") -> str:
        done = subprocess.run(
            command,
            check=False,
            env={
                **os.environ,
                **self.warehouse.environment,
                "DBT_PROJECT_DIR": str(PROJECT / "dbt"),
                "DBT_PROFILES_DIR": str(PROJECT / "dbt"),
                "DBT_TARGET": self._kind,
                "DBT_TARGET_PATH": str(self._folder / "dbt"),
                "DBT_LOG_PATH": str(self._folder / "dbt"),
                "PGTZ": "UTC",
                "TZ": "UTC",
            },
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value)


@pytest.fixture(params=["duckdb", "postgres"])
def built(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Built]:
    with ExitStack() as stack:
        warehouse: Warehouse = (
            DuckDb(tmp_path / "warehouse.duckdb")
            if request.param == "duckdb"
            else stack.enter_context(postgres.database())
        )
        yield Built(request.param, warehouse, tmp_path)


def test_all_figures_equal_those_of_the_rows(syncs: list[Sync], built: Built) -> None:
    before, after = syncs
    assert len(QUERIES) >= 40
    changed = [name for name in QUERIES if before.expected[name] != after.expected[name]]
    assert len(changed) >= 40, "the changes have to show in the figures"

    built.load(before)
    log = built.dbt("run" if before.flattened else "build")
    assert " ERROR=0 " in log
    # A tap that drops a map when it flattens leaves nothing to read, and dbt says so.
    dropped = {"spend by cost centre"} if "without its column businessOrderInfo" in log else set()
    assert bool(dropped) is not before.has_map
    _assert_equal(built, before, dropped)

    built.load(after)
    built.dbt("run")
    _assert_equal(built, after, dropped)

    if not before.flattened:
        built.dbt("run", "--full-refresh")
        _assert_equal(built, after, dropped)


def _assert_equal(built: Built, sync: Sync, dropped: set[str]) -> None:
    found = asked(built.warehouse.query)
    assert found.keys() == sync.expected.keys()
    wrong = {
        name: (value, sync.expected[name])
        for name, value in found.items()
        if value != sync.expected[name] and name not in dropped
    }
    assert not wrong, "\n".join(f"{name}: {pair}" for name, pair in wrong.items())
