"""The whole chain into Snowflake, for which fakesnow stands in: real tap, real loader, its SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest
from typing_extensions import override

from tests.support.catalogs import DECIMAL_FORMAT
from tests.warehouses import snowflake
from tests.warehouses.figures import asked, figures
from tests.warehouses.suite import WarehouseTests

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
