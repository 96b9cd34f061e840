"""The whole chain into PostgreSQL: `meltano run tap-amazon-business target-postgres`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tap_amazon_business.schemas import DECIMAL_FORMAT
from tests.chain import Chain, settings
from tests.simulator.truth import truth
from tests.warehouses import checks
from tests.warehouses.postgres import SCHEMA, Postgres, database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.simulator import Simulator

pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("postgres")]

SYNC = ("run", "tap-amazon-business", "target-postgres")
COLUMNS = {
    "string": "text",
    "date-time": "timestamp without time zone",
    "integer": "bigint",
    "boolean": "boolean",
    "object": "jsonb",
    "array": "jsonb[]",
    DECIMAL_FORMAT: "numeric(38,9)",
}


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[checks.Synced]:
    """Return a database after two syncs."""
    folder = tmp_path_factory.mktemp("postgres")
    with checks.serve() as simulator, database(folder) as warehouse:
        chain = chain_to(warehouse, simulator, folder)
        found = checks.sync_twice(warehouse, simulator, lambda: chain.run(*SYNC))
        warehouse.execute(checks.views("postgres"))
        yield found


def chain_to(warehouse: Postgres, simulator: Simulator, folder: Path, **more: str) -> Chain:
    """Return a chain whose end is the database."""
    loader = {"TARGET_POSTGRES_SQLALCHEMY_URL": warehouse.sqlalchemy_url}
    return Chain(folder, checks.complete(simulator), {**loader, **more})


def landed(warehouse: Postgres) -> int:
    """Return how many purchase orders there are."""
    if warehouse.one(f"select to_regclass('{SCHEMA}.purchase_orders')") is None:
        return 0
    count: int = warehouse.one("select count(*) from purchase_orders")
    return count


def test_every_row_lands_value_for_value(synced: checks.Synced) -> None:
    checks.assert_same(synced.first, synced.first_served)


def test_a_second_run_updates_in_place_and_adds(synced: checks.Synced) -> None:
    checks.assert_same(synced.warehouse.rows(), checks.served(synced.world))
    checks.assert_counts(synced.warehouse, synced.world)
    counts = synced.changes.counts()
    assert counts["changed"]
    assert counts["state_only"]
    assert synced.brought["purchase_orders"] < len(synced.first["purchase_orders"])


def test_money_sums_to_the_last_digit(synced: checks.Synced) -> None:
    checks.assert_money(synced.warehouse, synced.world)


def test_columns_have_types_of_their_own(synced: checks.Synced) -> None:
    checks.assert_types(synced.warehouse, COLUMNS)


def test_times_are_utc_though_the_database_s_are_not(synced: checks.Synced) -> None:
    assert synced.warehouse.one("show timezone") == "Asia/Kolkata"
    ordered = {report.order_id: report.ordered for report in synced.world.reports}
    found = synced.warehouse.query(
        'select "orderId", extract(epoch from "orderDate") * 1000 from orders'
    )
    assert found
    assert all(milliseconds == ordered[order] for order, milliseconds in found)


def test_order_reports_join_their_purchase_orders(synced: checks.Synced) -> None:
    checks.assert_reports_join(synced.warehouse)


def test_amounts_are_exact_columns_where_objects_are_flattened(tmp_path: Path) -> None:
    flat = {"flattening_enabled": True, "flattening_max_depth": 1}
    with checks.serve(20) as simulator, database(tmp_path) as warehouse:
        chain = chain_to(
            warehouse,
            simulator,
            tmp_path,
            **settings(flat),
            TAP_AMAZON_BUSINESS__SELECT='["purchase_order_items.*"]',
        )
        chain.run(*SYNC)
        assert warehouse.types("purchase_order_items")['"netCost__amount"'] == "numeric(38,9)"
        total = warehouse.one('select sum("netCost__amount") from purchase_order_items')
        assert total == Decimal(truth(simulator.world)["money"]["purchase_order_items.netCost"])


def test_nothing_is_lost_or_twice_after_a_kill(tmp_path: Path) -> None:
    stuck = checks.StuckAfter("getPurchaseOrders", 30)
    with checks.serve(60, stuck) as simulator, database(tmp_path) as warehouse:
        chain = chain_to(warehouse, simulator, tmp_path, TARGET_POSTGRES_BATCH_SIZE_ROWS="20")
        running = chain.start(*SYNC)
        try:
            stuck.wait_for(lambda: landed(warehouse) > 0)
        finally:
            chain.kill(running)
        assert 0 < landed(warehouse) < len(simulator.world.orders)
        chain.run(*SYNC, "--force")
        checks.assert_same(warehouse.rows(), checks.served(simulator.world))
        checks.assert_counts(warehouse, simulator.world)
