"""Commands of dbt in one process, which imports dbt once: dbt's Python runs this.

Reads a JSON object a line, `arguments`, `folder` and `environment`, and answers with another one,
`succeeded` and `log`.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stdout
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner


def run(arguments: list[str], folder: str, environment: dict[str, str]) -> dict[str, Any]:
    """Run a command, and return whether it succeeded and what it printed."""
    os.environ.update(environment)
    os.chdir(folder)
    log = io.StringIO()
    with redirect_stdout(log):
        done = dbtRunner().invoke(["--no-use-colors", *arguments])
    # A process of its own would let go of the file.
    DuckDBConnectionManager.close_all_connections()
    return {"succeeded": done.success, "log": f"{log.getvalue()}{done.exception or ''}"}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)
