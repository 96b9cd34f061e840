"""The whole chain into Snowflake, for which fakesnow stands in: real tap, real target, its SQL."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tap_amazon_business.schemas import DECIMAL_FORMAT
from tests.chain import Chain, settings
from tests.simulator.truth import truth
from tests.warehouses import checks
from tests.warehouses.snowflake import Snowflake, project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.simulator import Simulator

pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("snowflake")]

SYNC = ("run", "tap-amazon-business", "target-snowflake")
COLUMNS = {
    "string": "VARCHAR(16777216)",
    "date-time": "TIMESTAMP_NTZ(9)",
    "integer": "NUMBER(38,0)",
    "boolean": "BOOLEAN",
    "object": "VARIANT",
    "array": "VARIANT",
    DECIMAL_FORMAT: "NUMBER(38,9)",
}


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[checks.Synced]:
    """Return a database after two syncs."""
    folder = tmp_path_factory.mktemp("snowflake")
    with checks.serve() as simulator, Snowflake(folder / "data") as warehouse:
        chain = chain_to(warehouse, simulator, folder)
        found = checks.sync_twice(warehouse, simulator, lambda: sync(chain, warehouse))
        warehouse.query(checks.views("snowflake"))
        yield found


def chain_to(warehouse: Snowflake, simulator: Simulator, folder: Path, **more: str) -> Chain:
    """Return a chain whose end is the database."""
    environment = {**warehouse.loader, **more}
    return Chain(folder, checks.complete(simulator), environment, project=project())


def sync(chain: Chain, warehouse: Snowflake, *options: str) -> str:
    """Run the whole chain and return its log."""
    warehouse.close()
    return chain.run(*SYNC, *options)


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
    assert synced.warehouse.types("purchase_order_lines")["NET_COST"] == COLUMNS[DECIMAL_FORMAT]
    items = "select sum(netCost:amount::number(38, 9)) from purchase_order_items"
    money = truth(synced.world)["money"]
    assert synced.warehouse.one(items) == Decimal(money["purchase_order_items.netCost"])


def test_columns_have_types_of_their_own(synced: checks.Synced) -> None:
    checks.assert_types(synced.warehouse, COLUMNS)


def test_times_are_utc(synced: checks.Synced) -> None:
    ordered = {report.order_id: report.ordered for report in synced.world.reports}
    found = synced.warehouse.query(
        "select orderId, date_part(epoch_millisecond, orderDate) from orders"
    )
    assert found
    assert all(milliseconds == ordered[order] for order, milliseconds in found)


def test_order_reports_join_their_purchase_orders(synced: checks.Synced) -> None:
    checks.assert_reports_join(synced.warehouse)


def test_amounts_are_exact_columns_where_objects_are_flattened(tmp_path: Path) -> None:
    flat = {"flattening_enabled": True, "flattening_max_depth": 1}
    with checks.serve(20) as simulator, Snowflake(tmp_path / "data") as warehouse:
        chain = chain_to(
            warehouse,
            simulator,
            tmp_path,
            **settings(flat),
            TAP_AMAZON_BUSINESS__SELECT='["purchase_order_items.*"]',
        )
        sync(chain, warehouse)
        assert warehouse.types("purchase_order_items")["NETCOST__AMOUNT"] == "NUMBER(38,9)"
        total = warehouse.one("select sum(netCost__amount) from purchase_order_items")
        assert total == Decimal(truth(simulator.world)["money"]["purchase_order_items.netCost"])


def test_nothing_is_lost_or_twice_after_a_kill(tmp_path: Path) -> None:
    stuck = checks.StuckAfter("getPurchaseOrders", 30)
    batches = {"TARGET_SNOWFLAKE_BATCH_SIZE_ROWS": "20", "MELTANO_CLI_LOG_FORMAT": "json"}
    with checks.serve(60, stuck) as simulator, Snowflake(tmp_path / "data") as warehouse:
        chain = chain_to(warehouse, simulator, tmp_path, **batches)
        running = chain.start(*SYNC)
        try:
            log = iter(running.stdout or ())
            stuck.wait_for(lambda: any(map(loaded_purchase_orders, log)))
        finally:
            chain.kill(running)
        landed = warehouse.one("select count(*) from purchase_orders")
        assert 0 < landed < len(simulator.world.orders)
        sync(chain_to(warehouse, simulator, tmp_path), warehouse, "--force")
        checks.assert_same(warehouse.rows(), checks.served(simulator.world))
        checks.assert_counts(warehouse, simulator.world)


def loaded_purchase_orders(line: str) -> bool:
    """Return whether a line of the log tells that a batch of purchase orders was loaded.

    A query cannot tell, as the loader has the database open.
    """
    return "batch_processing_time" in line and '"stream": "purchase_orders"' in line
