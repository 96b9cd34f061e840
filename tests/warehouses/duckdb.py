"""DuckDB for the tests: a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
from typing_extensions import override

from tests.warehouses.warehouse import Warehouse

if TYPE_CHECKING:
    from pathlib import Path


class DuckDb(Warehouse):
    """A file of DuckDB's, opened for as long as a query takes.

    Args:
        path: Where it is, or will be.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self.environment = {"TARGET_DUCKDB_PATH": self._path}

    @override
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self._path, read_only=True) as connection:
            connection.execute("use amazon")
            return connection.execute(sql).fetchall()

    @override
    def execute(self, sql: str) -> None:
        with duckdb.connect(self._path) as connection:
            connection.execute("use amazon")
            connection.execute(sql)

    @override
    def column(self, field: str) -> str:
        return field.lower()

    @override
    def types(self, table: str) -> dict[str, str]:
        return {name: kind for name, kind, *_ in self.query(f"describe {table}")}
