"""Every figure of the marts against one that is worked out without them, wherever they are built.

The loads are those of the real loaders: before and after late changes, and of records that the tap
flattened. dbt runs from the start, then incrementally, then from the start again.
"""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from simulator.truth import truth
from simulator.world.changes import FRESH
from tests.dbt.process import Dbt, dbt_process
from tests.support.catalogs import discover, metadata
from tests.support.chain import PROJECT
from tests.support.clocks import FakeClock
from tests.support.runs import run_by
from tests.support.serving import serve, settings
from tests.warehouses import postgres
from tests.warehouses.duckdb import DuckDb
from tests.warehouses.figures import QUERIES, asked, figures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import World
    from tests.warehouses.warehouse import Warehouse

pytestmark = pytest.mark.end_to_end

AS_OF = datetime(2026, 6, 1, 13, tzinfo=UTC)
FLAT = {"flattening_enabled": True, "flattening_max_depth": 2}
DECIMALS = {"duckdb": "VARCHAR", "postgres": "numeric(38,9)"}
"""The types of columns of amounts; the only other number of target-duckdb is a double."""
LOADERS = PROJECT / ".meltano/loaders"


@dataclass(frozen=True)
class Sync:
    """The messages of a sync, and the figures that must come of them.

    Attributes:
        output: The tap's messages.
        expected: The figures.
        net_costs: The sum of `netCost` of all items of purchase orders.
    """

    output: str
    expected: dict[str, Any]
    net_costs: Decimal

    @property
    def has_map(self) -> bool:
        """Whether orders have their map of fields that the account chose."""
        schema = next(
            line
            for line in self.output.splitlines()
            if line.startswith('{"type":"SCHEMA","stream":"orders"')
        )
        return "businessOrderInfo" in json.loads(schema)["schema"]["properties"]


def _syncs(**flattening: Any) -> Iterator[Sync]:
    """Yield a first sync of everything, and one after all that may change has changed."""
    clock = FakeClock()
    catalog = discover()
    for stream in catalog["streams"]:
        metadata(stream)["selected"] = True
    state = None
    with serve(clock, orders=50, respelled=0.1) as simulator:
        for late in (False, True):
            if late:
                _change(simulator.world)
                clock.advance(minutes=10)
            config = settings(simulator, lookback_cycle_hours=0, **flattening)
            run = run_by(clock, config, state=state, catalog=catalog)
            assert run.status == 0, run.log
            state = run.state
            world = simulator.world
            costs = truth(world)["money"]["purchase_order_items.netCost"]
            yield Sync(run.output, figures(world, AS_OF), Decimal(costs))


def _change(world: World) -> None:
    changes = world.change(fraction=0.2, state_only=0.2, new=10)
    for number in changes.changed:
        world.receive(number)
    # A status has no date of its own: the lookback of `orders` finds those of the last weeks.
    for report in list(world.reports):
        if report.ordered > world.present() - FRESH:
            world.move_report(report.order_id)
    world.close_books()


@pytest.fixture(scope="module")
def syncs() -> list[Sync]:
    return [*_syncs()]


@pytest.fixture(scope="module")
def flattened() -> Sync:
    return next(_syncs(**FLAT))


@pytest.fixture(scope="module")
def dbt() -> Iterator[Dbt]:
    with dbt_process() as process:
        yield process


class Built:
    """A warehouse that is loaded by a loader itself, and dbt on it."""

    def __init__(self, kind: str, warehouse: Warehouse, folder: Path, dbt: Dbt) -> None:
        self.warehouse = warehouse
        self.kind = kind
        self._folder = folder
        self._dbt = dbt

    def load(self, sync: Sync, *, use_copy: bool = True) -> None:
        """Load what the tap wrote.

        Args:
            sync: What it wrote.
            use_copy: Whether target-postgres copies. It rounds columns of amounts when it does.
        """
        environment = self.warehouse.environment
        config = {"default_target_schema": "amazon", "add_metadata_columns": True} | (
            {"path": environment["TARGET_DUCKDB_PATH"]}
            if self.kind == "duckdb"
            else {
                "sqlalchemy_url": environment["TARGET_POSTGRES_SQLALCHEMY_URL"],
                "add_record_metadata": True,
                "validate_records": False,
                "use_copy": use_copy,
            }
        )
        path = self._folder / "loader.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        name = f"target-{self.kind}"
        done = subprocess.run(
            [str(LOADERS / name / "venv/bin" / name), "--config", str(path)],
            check=False,
            env={**os.environ, **environment, "PGTZ": "UTC", "TZ": "UTC"},
            input=sync.output,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout

    def dbt(self, *options: str) -> str:
        """Run dbt's models, and return what it printed."""
        return self._dbt.run(
            "run",
            *options,
            "--vars",
            json.dumps({"as_of": f"{AS_OF:%Y-%m-%d %H:%M:%S}"}),
            folder=self._folder,
            parsed=self._folder / "dbt",
            environment={**self.warehouse.environment, "DBT_TARGET": self.kind},
        )


@pytest.fixture(params=["duckdb", "postgres"])
def built(request: pytest.FixtureRequest, tmp_path: Path, dbt: Dbt) -> Iterator[Built]:
    with ExitStack() as stack:
        warehouse: Warehouse = (
            DuckDb(tmp_path / "warehouse.duckdb")
            if request.param == "duckdb"
            else stack.enter_context(postgres.database())
        )
        yield Built(request.param, warehouse, tmp_path, dbt)


def test_all_figures_equal_those_of_the_rows(syncs: list[Sync], built: Built) -> None:
    before, after = syncs
    assert len(QUERIES) >= 40
    changed = [name for name in QUERIES if before.expected[name] != after.expected[name]]
    assert len(changed) >= 40, "the changes have to show in the figures"

    built.load(before)
    built.dbt()
    _assert_equal(built, before)

    built.load(after)
    built.dbt()
    _assert_equal(built, after)

    built.dbt("--full-refresh")
    _assert_equal(built, after)


def test_all_figures_equal_those_of_rows_that_were_flattened(flattened: Sync, built: Built) -> None:
    built.load(flattened, use_copy=False)
    amount = built.warehouse.column("netCost__amount")
    assert built.warehouse.types("purchase_order_items")[amount] == DECIMALS[built.kind]
    costs = f"select sum(cast({amount} as decimal(38, 9))) from amazon.purchase_order_items"  # noqa: S608
    assert built.warehouse.one(costs) == flattened.net_costs

    log = built.dbt()
    # A tap that drops a map when it flattens leaves nothing to read, and dbt says so.
    dropped = {"spend by cost centre"} if "without its column businessOrderInfo" in log else set()
    assert bool(dropped) is not flattened.has_map
    _assert_equal(built, flattened, dropped)


def _assert_equal(
    built: Built, sync: Sync, dropped: frozenset[str] | set[str] = frozenset()
) -> None:
    found = asked(built.warehouse.query)
    assert found.keys() == sync.expected.keys()
    wrong = {
        name: (value, sync.expected[name])
        for name, value in found.items()
        if value != sync.expected[name] and name not in dropped
    }
    assert not wrong, "\n".join(f"{name}: {pair}" for name, pair in wrong.items())
