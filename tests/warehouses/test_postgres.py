"""The whole chain into PostgreSQL: `meltano run tap-amazon-business target-postgres`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from typing_extensions import override

from tests.support.catalogs import DECIMAL_FORMAT
from tests.warehouses import postgres
from tests.warehouses.suite import KillTests, Synced

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.warehouses.postgres import Postgres

pytestmark = pytest.mark.end_to_end


class TestPostgres(KillTests):
    loader = "target-postgres"
    models = "dbt-postgres"
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
        del folder  # see postgres.database
        return postgres.database()

    def test_the_database_is_in_another_time_zone(self, synced: Synced) -> None:
        assert synced.warehouse.one("show timezone") == "Asia/Kolkata"
