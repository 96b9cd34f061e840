"""The whole chain into PostgreSQL: `meltano run tap-amazon-business target-postgres`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from typing_extensions import override

from tap_amazon_business.records import DECIMAL_FORMAT
from tests.warehouses import postgres
from tests.warehouses.suite import Synced, WarehouseTests

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.warehouses.postgres import Postgres

pytestmark = pytest.mark.end_to_end


class TestPostgres(WarehouseTests):
    loader = "target-postgres"
    dialect = "postgres"
    types: ClassVar = {
        "string": "text",
        "date-time": "timestamp without time zone",
        "integer": "bigint",
        "boolean": "boolean",
        "object": "jsonb",
        "array": "jsonb[]",
        DECIMAL_FORMAT: "numeric(38,9)",
    }
    milliseconds = "extract(epoch from {}) * 1000"

    @classmethod
    @override
    def opened(cls, folder: Path) -> AbstractContextManager[Postgres]:
        return postgres.database(folder)

    def test_the_time_zone_of_the_database_is_another(self, synced: Synced) -> None:
        assert synced.warehouse.one("show timezone") == "Asia/Kolkata"
