"""Tests of every warehouse: the simulator, the real tap, a real loader, and SQL."""

from __future__ import annotations

import abc
import re
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, ClassVar

import pytest

from simulator import Hang
from simulator.truth import truth
from tests.examples.quickstart import blocks
from tests.soak.truth import STREAMS
from tests.support.catalogs import DECIMAL_FORMAT
from tests.support.chain import Chain, emitted
from tests.support.serving import serve, settings
from tests.warehouses.marts import MartTests
from tests.warehouses.warehouse import assert_same, fields_of, kind_of, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from simulator import Changes, Fault, Request, Simulator, World
    from tests.warehouses.warehouse import Rows, Warehouse

_KINDS = {"array", "boolean", "date-time", "integer", "object", "string", DECIMAL_FORMAT}


def chain_to(warehouse: Warehouse, simulator: Simulator, folder: Path, **more: str) -> Chain:
    """Return a chain that brings all that the simulator has to a warehouse, in every run."""
    # Elsewhere, another run of dbt would overwrite what this one has parsed.
    parsed = {f"DBT_{name}_PATH": str(folder / "dbt") for name in ("TARGET", "LOG")}
    return Chain(
        folder,
        # A run that follows immediately reads next to nothing of the lookback by default.
        settings(simulator, lookback_cycle_hours=0),
        # The machine is elsewhere, and the loaders' settings have to make up for that.
        {**parsed, "TZ": "America/New_York", **warehouse.environment, **more},
        project=warehouse.project,
    )


@dataclass(frozen=True)
class Synced:
    """A warehouse after two syncs, between which orders changed and others came.

    Attributes:
        warehouse: The warehouse, with the tables of dbt's models in it.
        first: What it held after the first sync.
        first_served: What was served then.
        world: What was served at the second, and still is.
        changes: What happened in between.
        brought: How many records of each stream the second sync brought.
    """

    warehouse: Warehouse
    first: Rows
    first_served: Rows
    world: World
    changes: Changes
    brought: Mapping[str, int]


class WarehouseTests(MartTests, abc.ABC):
    """Tests of a chain through `meltano run`; a subclass says where it leads.

    Attributes:
        loader: The plugin that loads.
        models: The plugin that runs the models of dbt.
        types: A column's type for each JSON type or format.
        milliseconds: SQL that makes milliseconds since 1970 of a column.
    """

    loader: ClassVar[str]
    models: ClassVar[str]
    types: ClassVar[Mapping[str, str]]
    milliseconds: ClassVar[str]

    @classmethod
    @abc.abstractmethod
    def opened(cls, folder: Path) -> AbstractContextManager[Warehouse]:
        """Make a warehouse that is gone afterwards, with its files in a folder."""

    @pytest.fixture(scope="class")
    @classmethod
    def synced(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
        """Return a warehouse after two syncs."""
        folder = tmp_path_factory.mktemp(cls.loader)
        with serve(orders=60) as simulator, cls.opened(folder) as warehouse:
            chain = chain_to(warehouse, simulator, folder)
            cls.sync(chain, warehouse)
            first, first_served = warehouse.rows(), served(simulator.world)
            changes = simulator.world.change(fraction=0.05, state_only=0.1, new=15)
            brought = emitted(cls.model(chain, warehouse, "build"))
            yield Synced(warehouse, first, first_served, simulator.world, changes, brought)

    @classmethod
    def sync(cls, chain: Chain, warehouse: Warehouse, *options: str) -> str:
        """Run the whole chain, and return its log."""
        warehouse.release()
        return chain.run("run", *options, "tap-amazon-business", cls.loader)

    @classmethod
    def model(cls, chain: Chain, warehouse: Warehouse, command: str) -> str:
        """Run the whole chain and a command of dbt's after it, and return their log."""
        warehouse.release()
        return chain.run("run", "tap-amazon-business", cls.loader, f"{cls.models}:{command}")

    def test_every_row_lands_value_for_value(self, synced: Synced) -> None:
        assert_same(synced.first, synced.first_served)

    def test_a_second_run_updates_in_place_and_adds(self, synced: Synced) -> None:
        assert_same(synced.warehouse.rows(), served(synced.world))
        assert all(synced.changes.counts().values())
        assert synced.brought["purchase_orders"] < len(synced.first["purchase_orders"])

    def test_counts_match_the_api_and_keys_are_unique(self, synced: Synced) -> None:
        counts = truth(synced.world)["rows"]
        for stream, feature in STREAMS.items():
            key = ", ".join(map(synced.warehouse.column, feature.key))
            distinct = f"(select distinct {key} from {stream}) as keys"  # noqa: S608
            for table in (stream, distinct):
                assert synced.warehouse.one(f"select count(*) from {table}") == counts[stream]  # noqa: S608

    def test_columns_have_the_types_of_their_fields(self, synced: Synced) -> None:
        kinds = set()
        for stream in STREAMS:
            types = synced.warehouse.types(stream)
            for field, schema in fields_of(stream).items():
                kind = kind_of(schema)
                kinds.add(kind)
                column = synced.warehouse.column(field)
                assert types[column] == self.types[kind], f"{stream}.{field}"
        assert kinds == _KINDS

    def test_times_are_utc(self, synced: Synced) -> None:
        ordered = {report.order_id: report.ordered for report in synced.world.reports}
        order, date = map(synced.warehouse.column, ("orderId", "orderDate"))
        milliseconds = self.milliseconds.format(date)
        found = synced.warehouse.query(f"select {order}, {milliseconds} from orders")  # noqa: S608
        assert found
        assert all(moment == ordered[number] for number, moment in found)

    def test_order_reports_join_their_purchase_orders(self, synced: Synced) -> None:
        number = synced.warehouse.column("purchaseOrderNumber")
        orphans = (
            "select count(*) from order_reports as report "  # noqa: S608
            "left join purchase_orders as purchase "
            f"on purchase.{number} = report.{number} where purchase.{number} is null"
        )
        assert synced.warehouse.one("select count(*) from order_reports") > 0
        assert synced.warehouse.one(orphans) == 0

    def test_the_queries_of_the_quickstart_show_rows(self, synced: Synced) -> None:
        queries = [one for one in blocks(self.loader.removeprefix("target-")) if one.kind == "sql"]
        assert [query.mark for query in queries] == ["vendor", "business"]
        assert [len(synced.warehouse.query(query.text)) for query in queries] == [3, 3]


class KillTests(WarehouseTests, abc.ABC):
    """Tests of a real database: with what is in it after a kill.

    Attributes:
        loaded: A line of the log that reports a batch of purchase orders; when the second one is
            seen, the first is in the database.
    """

    # A metric of the SDK, in Meltano's log of JSON.
    loaded: ClassVar[str] = r'batch_processing_time.+"stream": "purchase_orders"'

    def test_nothing_is_lost_or_twice_after_a_kill(self, tmp_path: Path) -> None:
        streams = ("purchase_orders", "purchase_order_items", "order_reports")
        batch = f"{self.loader.upper().replace('-', '_')}_BATCH_SIZE_ROWS"
        few = {
            "TAP_AMAZON_BUSINESS__SELECT": str([f"{name}.*" for name in streams]).replace("'", '"'),
            batch: "15",
            "MELTANO_CLI_LOG_FORMAT": "json",
        }
        stuck = _Stuck(after=40)
        with serve(orders=60, faults=[stuck]) as simulator, self.opened(tmp_path) as warehouse:
            chain = chain_to(warehouse, simulator, tmp_path, **few)
            running = chain.start("run", "tap-amazon-business", self.loader)
            try:
                assert running.stdout
                batches = (line for line in running.stdout if re.search(self.loaded, line))
                assert next(batches) != next(batches)
                assert stuck.wait()
            finally:
                chain.kill(running)
            landed = warehouse.one("select count(*) from purchase_orders")
            assert 0 < landed < len(simulator.world.orders)
            chain.environment.pop(batch)
            self.sync(chain, warehouse, "--force")
            assert_same(warehouse.rows(streams), served(simulator.world, streams))


class _Stuck:
    """Lets some requests for purchase orders be answered, and leaves the next one without answer.

    Requests for their numbers alone do not count: how many there are depends on the threads.
    """

    def __init__(self, after: int) -> None:
        self._left = after
        self._stuck = Event()

    def decide(self, request: Request) -> Fault | None:
        if self._stuck.is_set() or request.operation != "getPurchaseOrders":
            return None
        if request.parameters.get("includeDetails") == "false":
            return None
        self._left -= 1
        if self._left >= 0:
            return None
        self._stuck.set()
        return Hang()

    def wait(self) -> bool:
        """Wait until that is so."""
        return self._stuck.wait(60)
