"""The whole chain into DuckDB: `meltano run tap-amazon-business target-duckdb`.

That the first row of a batch lands is what fails with duckdb 1.3 or newer, and why meltano.yml pins
it.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, ClassVar

import pytest
from typing_extensions import override

from tests.support.catalogs import DECIMAL_FORMAT
from tests.warehouses.duckdb import DuckDb
from tests.warehouses.suite import KillTests

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

pytestmark = pytest.mark.end_to_end


class TestDuckDb(KillTests):
    loader = "target-duckdb"
    models = "dbt-duckdb"
    types: ClassVar = {
        "string": "VARCHAR",
        "date-time": "TIMESTAMP",
        "integer": "HUGEINT",
        "boolean": "BOOLEAN",
        "object": "JSON",
        "array": "JSON",
        DECIMAL_FORMAT: "VARCHAR",  # this loader's only other number is a double
    }
    milliseconds = "epoch_ms({})"
    loaded = r"Loading \d+ rows into .+purchase_orders"

    @classmethod
    @override
    def opened(cls, folder: Path) -> AbstractContextManager[DuckDb]:
        return nullcontext(DuckDb(folder / "warehouse.duckdb"))
