"""Snowflake for the tests: a database that fakesnow keeps in a file, asked by its own Python."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from typing_extensions import override

from tests.support.chain import PROJECT
from tests.warehouses.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

DATABASE = "WAREHOUSE"
SCHEMA = "AMAZON"

_PROJECT = PROJECT / ".tools/fakesnow"
_BIN = _PROJECT / ".meltano/loaders/target-snowflake/venv/bin"


def _project() -> Path:
    """Return a Meltano project built from this one's, with the loader on fakesnow in it."""
    made = yaml.safe_load((PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = made["plugins"]["extractors"]
    (loader,) = (one for one in made["plugins"]["loaders"] if one["name"] == "target-snowflake")
    tap["pip_url"] = f"-e {PROJECT}"
    loader["pip_url"] = f"-e {Path(__file__).parent / 'fakesnow_target'}"
    loader["executable"] = "target-snowflake-fakesnow"
    made["plugins"]["loaders"] = [loader]
    _PROJECT.mkdir(parents=True, exist_ok=True)
    (_PROJECT / "meltano.yml").write_text(yaml.safe_dump(made), encoding="utf-8")
    return _PROJECT


class Snowflake(Warehouse):
    """A database on fakesnow.

    Only one process can have it open: the first query opens it, and `release` gives it to a loader.

    Args:
        folder: Where its file is, or will be.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        # Nothing asks for an account on fakesnow.
        account = {"ACCOUNT": "fakesnow", "USER": "fakesnow", "PASSWORD": "fakesnow"}
        names = {**account, "DATABASE": DATABASE, "DEFAULT_TARGET_SCHEMA": SCHEMA}
        loader = {f"TARGET_SNOWFLAKE_{name}": value for name, value in names.items()}
        models = {
            "DBT_TARGET": "snowflake",
            "DBT_PROJECT_DIR": str(PROJECT / "dbt"),
            "DBT_PROFILES_DIR": str(PROJECT / "dbt"),
            "DBT_TARGET_PATH": str(folder / "dbt"),
            "DBT_LOG_PATH": str(folder / "dbt"),
            "PYTHONWARNINGS": "ignore",
        }
        self.environment = {"FAKESNOW_FOLDER": str(folder), **loader, **models}
        self.project = _project()
        self._process: subprocess.Popen[str] | None = None

    @override
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        process = self._process = self._process or self._open()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(sql) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, f"the error of this statement is on standard error: {sql}"
        rows = json.loads(answer, object_hook=lambda value: Decimal(value["decimal"]))
        return [tuple(row) for row in rows]

    @override
    def execute(self, sql: str) -> None:
        self.query(sql)

    @override
    def column(self, field: str) -> str:
        # The loader quotes names of mixed case, in a session that ignores the case of quoted names.
        return field.upper()

    @override
    def types(self, table: str) -> dict[str, str]:
        return {name: kind for name, kind, *_ in self.query(f"describe table {table}")}

    def build(self, as_of: datetime) -> None:
        """Run the dbt models as of a moment.

        fakesnow has no temporary tables with the name of a schema, which incremental models need.
        """
        self.release()
        subprocess.run(
            [
                *(str(_BIN / "fakesnow-dbt"), "--quiet", "run", "--full-refresh", "--threads", "1"),
                *("--vars", json.dumps({"as_of": f"{as_of:%Y-%m-%d %H:%M:%S}"})),
            ],
            cwd=PROJECT,
            env={**os.environ, **self.environment},
            check=True,
            timeout=240,
        )

    @override
    def release(self) -> None:
        if self._process:
            self._process.communicate()
            self._process = None

    def _open(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(_BIN / "fakesnow-sql"), DATABASE, SCHEMA],
            env={**os.environ, **self.environment},
            text=True,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )


@contextmanager
def database(folder: Path) -> Iterator[Snowflake]:
    """Make a database that nobody has open afterwards, in a folder."""
    warehouse = Snowflake(folder)
    try:
        yield warehouse
    finally:
        warehouse.release()
