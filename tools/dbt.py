"""dbt on a file of DuckDB's, without Meltano."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from tools import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

DBT = PROJECT / ".tools/dbt/bin/dbt"


def run_dbt(warehouse: Path, parsed: Path, *arguments: str, **variables: Any) -> None:
    """Run a command of dbt.

    Args:
        warehouse: The file.
        parsed: Where dbt keeps what it parsed; it parses again where variables differ.
        *arguments: The command, and its options.
        **variables: Those of the package.

    Raises:
        RuntimeError: It failed.
    """
    done = subprocess.run(
        [DBT, "--no-use-colors", *arguments, "--vars", json.dumps(variables)],
        cwd=warehouse.parent,
        env={
            **os.environ,
            "DBT_PROJECT_DIR": str(PROJECT / "dbt"),
            "DBT_PROFILES_DIR": str(PROJECT / "dbt"),
            "DBT_TARGET_PATH": str(parsed),
            "DBT_LOG_PATH": str(parsed),
            "TARGET_DUCKDB_PATH": warehouse.name,
        },
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(done.stdout)
