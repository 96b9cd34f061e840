"""The whole chain into Snowflake, for which fakesnow stands in: real tap, real loader, its SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import pytest
from typing_extensions import override

from simulator.truth import truth
from tests.examples.quickstart import blocks, names
from tests.support.catalogs import DECIMAL_FORMAT
from tests.support.chain import settings as variables
from tests.support.serving import serve
from tests.warehouses import snowflake
from tests.warehouses.figures import asked, figures
from tests.warehouses.suite import WarehouseTests, chain_to

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.support.chain import Chain
    from tests.warehouses.snowflake import Snowflake
    from tests.warehouses.suite import Synced
    from tests.warehouses.warehouse import Warehouse

pytestmark = pytest.mark.end_to_end

AS_OF = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)


class TestSnowflake(WarehouseTests):
    loader = "target-snowflake"
    models = "dbt-snowflake"
    types: ClassVar = {
        "string": "VARCHAR(16777216)",
        "date-time": "TIMESTAMP_NTZ(9)",
        "integer": "NUMBER(38,0)",
        "boolean": "BOOLEAN",
        "object": "VARIANT",
        "array": "VARIANT",
        DECIMAL_FORMAT: "NUMBER(38,9)",
    }
    milliseconds = "date_part(epoch_millisecond, {})"

    @classmethod
    @override
    def opened(cls, folder: Path) -> AbstractContextManager[Snowflake]:
        return snowflake.database(folder / "data")

    @classmethod
    @override
    def model(cls, chain: Chain, warehouse: Warehouse, command: str) -> str:
        log = cls.sync(chain, warehouse)
        if command == "build":
            assert isinstance(warehouse, snowflake.Snowflake)
            warehouse.build(AS_OF)
        return log

    def test_all_figures_equal_those_of_the_rows(self, synced: Synced) -> None:
        expected = figures(synced.world, AS_OF)
        found = asked(synced.warehouse.query)
        wrong = {
            name: (value, expected[name])
            for name, value in found.items()
            if value != expected[name]
        }
        assert not wrong

    def test_the_quickstart_asks_for_settings_of_the_loader(self, synced: Synced) -> None:
        asked = {name for block in blocks("snowflake") for name in names(block)}
        of_loader = {name for name in asked if name.startswith("TARGET_")}
        assert of_loader - synced.warehouse.environment.keys() == {
            f"TARGET_SNOWFLAKE_{name}" for name in ("PRIVATE_KEY_PATH", "ROLE", "WAREHOUSE")
        }

    # tests/warehouses/test_figures.py does so for the other loaders.
    def test_amounts_are_columns_where_objects_are_flattened(self, tmp_path: Path) -> None:
        flat = variables({"flattening_enabled": True, "flattening_max_depth": 1})
        selected = {"TAP_AMAZON_BUSINESS__SELECT": '["purchase_order_items.*"]'}
        with serve(orders=20) as simulator, snowflake.database(tmp_path / "data") as warehouse:
            self.sync(chain_to(warehouse, simulator, tmp_path, **flat, **selected), warehouse)
            amount = warehouse.column("netCost__amount")
            assert warehouse.types("purchase_order_items")[amount] == self.types[DECIMAL_FORMAT]
            total = warehouse.one(
                f"select sum(cast({amount} as decimal(38, 9))) from purchase_order_items"  # noqa: S608
            )
            assert total == Decimal(truth(simulator.world)["money"]["purchase_order_items.netCost"])
