"""What must be in a warehouse after a sync, whatever loaded it."""

from __future__ import annotations

import abc
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event
from typing import TYPE_CHECKING, Any

from tap_amazon_business import schemas
from tap_amazon_business.limits import PUBLISHED_PLANS
from tap_amazon_business.tap import TapAmazonBusiness
from tests.chain import PROJECT, emitted
from tests.simulator import Hang, Options, Plan, Simulator, World
from tests.simulator.truth import rows, truth
from tests.soak.truth import STREAMS, Key
from tests.soak.values import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.simulator import Changes, Fault, Request

Rows = dict[str, dict[Key, dict[str, Any]]]
"""Rows by stream and key."""

_PATIENCE = 60.0
"""Seconds after which a loader that does nothing is taken for dead."""

QUICK = {name: Plan(rate=200, burst=20) for name in PUBLISHED_PLANS}


class Warehouse(abc.ABC):
    """A database with the tables of all streams, and how it is asked."""

    @abc.abstractmethod
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""

    @abc.abstractmethod
    def column(self, field: str) -> str:
        """Return the name that a field's column has in SQL."""

    @abc.abstractmethod
    def types(self, table: str) -> dict[str, str]:
        """Return the types of a table's columns, by `column(field)`."""

    def one(self, sql: str) -> Any:
        """Return the only value of a query's only row."""
        ((value,),) = self.query(sql)
        return value

    def rows(self) -> Rows:
        """Return the rows of all tables as the tap emitted them, by stream and key."""
        return {name: self._rows_of(name) for name in STREAMS}

    def _rows_of(self, stream: str) -> dict[Key, dict[str, Any]]:
        kinds = {field: kind_of(schema) for field, schema in fields_of(stream).items()}
        columns = ", ".join(map(self.column, kinds))
        found = {}
        for values in self.query(f"select {columns} from {stream}"):  # noqa: S608
            row = {
                field: _emitted(value, kind)
                for (field, kind), value in zip(kinds.items(), values, strict=True)
                if value is not None
            }
            key = tuple(row[name] for name in STREAMS[stream].key)
            assert key not in found, f"{stream} holds {key} twice"
            found[key] = row
        return found


def fields_of(stream: str) -> dict[str, dict[str, Any]]:
    """Return the JSON schemas of a stream's fields."""
    tap = TapAmazonBusiness(config={}, validate_config=False)
    fields: dict[str, dict[str, Any]] = tap.streams[stream].schema["properties"]
    return fields


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return what a column for a field's values has to hold: a JSON type or a format."""
    kinds = schema["type"]
    kind: str = kinds if isinstance(kinds, str) else next(k for k in kinds if k != "null")
    return str(schema.get("format", kind))


def _emitted(value: Any, kind: str) -> Any:
    match kind:
        case "date-time":
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC).isoformat()
        case "object" | "array":
            text = value if isinstance(value, str) else json.dumps(value)
            return json.loads(text, parse_float=Decimal)
        case schemas.DECIMAL_FORMAT if isinstance(value, Decimal):
            # A column of a fixed scale fills up with zeros.
            return f"{value.normalize():f}"
        case _:
            return value


def served(world: World) -> Rows:
    """Return what a simulator serves of a world at this moment, by stream and key."""
    found = {stream: rows(world, stream) for stream in STREAMS}
    # Under the number asked for, so that they join; what they name themselves stands beside it.
    for (number, _), row in found["order_reports"].items():
        reported = row.pop("purchaseOrderNumber", None)
        if reported not in {None, number}:
            row["reportedPurchaseOrderNumber"] = reported
        row["purchaseOrderNumber"] = number
    return found


def assert_same(found: Rows, expected: Rows) -> None:
    """Assert that rows of a warehouse are those that were served: each, value for value."""
    for stream, wanted in expected.items():
        assert set(found[stream]) == set(wanted), stream
        for key, row in wanted.items():
            told = [*differences(row, found[stream][key])]
            assert not told, f"{stream} {key}: {told}"


def assert_counts(warehouse: Warehouse, world: World) -> None:
    """Assert that every table has as many rows as the world, and as many keys."""
    counts = truth(world)["rows"]
    for stream, feature in STREAMS.items():
        key = ", ".join(map(warehouse.column, feature.key))
        assert warehouse.one(f"select count(*) from {stream}") == counts[stream]  # noqa: S608
        distinct = f"select count(*) from (select distinct {key} from {stream}) as keys"  # noqa: S608
        assert warehouse.one(distinct) == counts[stream]


def assert_money(warehouse: Warehouse, world: World) -> None:
    """Assert that the views' sums are the world's, to the last digit."""
    money = truth(world)["money"]
    ((net, listed),) = warehouse.query(
        "select sum(net_cost), sum(list_price) from purchase_order_lines"
    )
    assert net == Decimal(money["purchase_order_items.netCost"])
    assert listed == Decimal(money["purchase_order_items.listPrice"])
    charges = warehouse.one("select sum(amount) from order_report_charges")
    assert charges == Decimal(money["order_reports.charges"])


def assert_reports_join(warehouse: Warehouse) -> None:
    """Assert that every order report finds its purchase order by number."""
    number = warehouse.column("purchaseOrderNumber")
    orphans = (
        "select count(*) from order_reports as report left join purchase_orders as purchase "  # noqa: S608
        f"on purchase.{number} = report.{number} where purchase.{number} is null"
    )
    assert warehouse.one("select count(*) from order_reports") > 0
    assert warehouse.one(orphans) == 0


def assert_types(warehouse: Warehouse, expected: Mapping[str, str]) -> None:
    """Assert the type of every column of every table.

    Args:
        warehouse: The warehouse.
        expected: The column type for each JSON type or format, as `kind_of` tells it.
    """
    kinds = set()
    for stream in STREAMS:
        types = warehouse.types(stream)
        for field, schema in fields_of(stream).items():
            kind = kind_of(schema)
            kinds.add(kind)
            assert types[warehouse.column(field)] == expected[kind], f"{stream}.{field}"
    assert kinds == {
        "array",
        "boolean",
        "date-time",
        "integer",
        "object",
        "string",
        schemas.DECIMAL_FORMAT,
    }


class StuckAfter:
    """Lets an operation answer some requests, and then none any more."""

    def __init__(self, operation: str, requests: int) -> None:
        self._operation = operation
        self._left = requests
        self._stuck = Event()

    def decide(self, request: Request) -> Fault | None:
        """Let one request hang, after the others."""
        if self._stuck.is_set() or request.operation != self._operation:
            return None
        self._left -= 1
        if self._left >= 0:
            return None
        self._stuck.set()
        return Hang()

    def wait_for(self, what: Callable[[], bool]) -> None:
        """Wait until a request hangs, and until what came before has had its effect."""
        assert self._stuck.wait(_PATIENCE)
        deadline = time.monotonic() + _PATIENCE
        while not what():
            assert time.monotonic() < deadline
            time.sleep(0.1)  # a loader is at work in a process of its own


def serve(orders: int = 60, *faults: StuckAfter) -> Simulator:
    """Return a simulator with all its oddities, which answers as fast as it can."""
    return Simulator(World(orders=orders), Options(rates=QUICK), faults=faults)


def complete(simulator: Simulator) -> dict[str, Any]:
    """Return settings by which the tap brings all that the simulator has."""
    # Reports that name another purchase order number than their own come by number only.
    return simulator.config(order_reports_strategy="purchase_order")


def views(dialect: str) -> str:
    """Return the SQL of the analytics views."""
    return (PROJECT / "analytics" / f"{dialect}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Synced:
    """A warehouse after two syncs, between which orders changed and others came.

    Attributes:
        warehouse: The warehouse.
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


def sync_twice(warehouse: Warehouse, simulator: Simulator, sync: Callable[[], str]) -> Synced:
    """Sync, let something happen, and sync again.

    Args:
        warehouse: Where the syncs lead.
        simulator: Where they come from.
        sync: Runs the whole chain and returns its log.
    """
    sync()
    first, first_served = warehouse.rows(), served(simulator.world)
    changes = simulator.world.change(fraction=0.05, state_only=0.1, new=15)
    brought = emitted(sync())
    return Synced(warehouse, first, first_served, simulator.world, changes, brought)
