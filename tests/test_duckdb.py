"""The whole chain into DuckDB: `meltano run tap-amazon-business target-duckdb`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from typing_extensions import override

from tap_amazon_business.schemas import DECIMAL_FORMAT
from tests.chain import Chain
from tests.simulator.truth import truth
from tests.warehouses import checks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("duckdb")]

SYNC = ("run", "tap-amazon-business", "target-duckdb")
COLUMNS = {
    "string": "VARCHAR",
    "date-time": "TIMESTAMP",
    "integer": "HUGEINT",
    "boolean": "BOOLEAN",
    "object": "JSON",
    "array": "JSON",
    DECIMAL_FORMAT: "VARCHAR",  # this loader's only other number is a double
}


@dataclass(frozen=True)
class DuckDb(checks.Warehouse):
    """A file of DuckDB's."""

    path: Path

    @override
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("use amazon")
            return connection.execute(sql).fetchall()

    @override
    def column(self, field: str) -> str:
        return field.lower()

    @override
    def types(self, table: str) -> dict[str, str]:
        return {name: kind for name, kind, *_ in self.query(f"describe {table}")}


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[checks.Synced]:
    """Return a warehouse after two syncs."""
    folder = tmp_path_factory.mktemp("duckdb")
    warehouse = DuckDb(folder / "warehouse.duckdb")
    with checks.serve() as simulator:
        loader = {"TARGET_DUCKDB_PATH": str(warehouse.path)}
        chain = Chain(folder, checks.complete(simulator), loader)
        yield checks.sync_twice(warehouse, simulator, lambda: chain.run(*SYNC))


def test_every_row_lands_the_first_of_each_batch_too(synced: checks.Synced) -> None:
    # This is what fails with duckdb 1.3 or newer, and why meltano.yml pins it.
    checks.assert_same(synced.first, synced.first_served)


def test_a_second_run_updates_in_place_and_adds(synced: checks.Synced) -> None:
    checks.assert_same(synced.warehouse.rows(), checks.served(synced.world))
    checks.assert_counts(synced.warehouse, synced.world)


def test_money_sums_to_the_last_digit(synced: checks.Synced) -> None:
    money = truth(synced.world)["money"]
    for name in ("netCost", "listPrice"):
        total = synced.warehouse.one(
            f"select sum(({name} ->> 'amount')::decimal(38, 9)) from purchase_order_items"  # noqa: S608
        )
        assert total == Decimal(money[f"purchase_order_items.{name}"])
    charges = synced.warehouse.one(
        "select sum((charge ->> '$.amount.amount')::decimal(38, 9)) "
        "from (select unnest(from_json(charges, '[\"json\"]')) as charge from order_reports)"
    )
    assert charges == Decimal(money["order_reports.charges"])


def test_columns_have_types_of_their_own(synced: checks.Synced) -> None:
    checks.assert_types(synced.warehouse, COLUMNS)


def test_order_reports_join_their_purchase_orders(synced: checks.Synced) -> None:
    checks.assert_reports_join(synced.warehouse)
