"""Snowflake for the tests: a database that fakesnow keeps in a file, asked by its own Python."""

from __future__ import annotations

import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from typing_extensions import override

from tests import chain
from tests.warehouses.checks import Warehouse

if TYPE_CHECKING:
    from types import TracebackType

PROJECT = chain.PROJECT / ".tools/fakesnow"
"""A Meltano project with the tap, and the loader on fakesnow."""

DATABASE = "WAREHOUSE"
SCHEMA = "AMAZON"
_ASK = PROJECT / ".meltano/loaders/target-snowflake/venv/bin/fakesnow-sql"


def project() -> Path:
    """Return the project, made of this one's meltano.yml with the loader on fakesnow in it."""
    made = yaml.safe_load((chain.PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = made["plugins"]["extractors"]
    (loader,) = (one for one in made["plugins"]["loaders"] if one["name"] == "target-snowflake")
    tap["pip_url"] = f"-e {chain.PROJECT}"
    loader["pip_url"] = f"-e {Path(__file__).parent / 'fakesnow_target'}"
    loader["executable"] = "target-snowflake-fakesnow"
    made["plugins"]["loaders"] = [loader]
    PROJECT.mkdir(parents=True, exist_ok=True)
    (PROJECT / "meltano.yml").write_text(yaml.safe_dump(made), encoding="utf-8")
    return PROJECT


class Snowflake(Warehouse):
    """A database on fakesnow.

    Only one process can have it open: the first query opens it, and `close` gives it to a loader.

    Args:
        folder: Where its file is, or will be.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = {"FAKESNOW_FOLDER": str(folder)}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def loader(self) -> dict[str, str]:
        """The loader's settings in the environment; nothing asks for an account on fakesnow."""
        account = {"ACCOUNT": "fakesnow", "USER": "fakesnow", "PASSWORD": "fakesnow"}
        names = {**account, "DATABASE": DATABASE, "DEFAULT_TARGET_SCHEMA": SCHEMA}
        return {**self._folder, **{f"TARGET_SNOWFLAKE_{key}": names[key] for key in names}}

    @override
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        process = self._process = self._process or self._open()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(sql) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, f"the error of this statement is on standard error: {sql}"
        rows = json.loads(answer, object_hook=lambda told: Decimal(told["decimal"]))
        return [tuple(row) for row in rows]

    @override
    def column(self, field: str) -> str:
        # The loader quotes names of mixed case, in a session that ignores the case of quoted names.
        return field.upper()

    @override
    def types(self, table: str) -> dict[str, str]:
        return {name: kind for name, kind, *_ in self.query(f"describe table {table}")}

    def close(self) -> None:
        """Let go of the database."""
        if self._process:
            self._process.communicate()
            self._process = None

    def _open(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(_ASK), DATABASE, SCHEMA],
            env={**os.environ, **self._folder},
            text=True,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
