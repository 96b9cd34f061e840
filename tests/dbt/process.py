"""A process that runs commands of dbt one by one: most take less time than starting dbt."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.chain import PROJECT
from tools.dbt import DBT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMMANDS = Path(__file__).with_name("commands.py")


class Dbt:
    """Runs commands of dbt on the models of this project.

    Args:
        process: A process of `commands.py`.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self,
        *arguments: str,
        folder: Path,
        parsed: Path,
        environment: Mapping[str, str],
        fails: bool = False,
    ) -> str:
        """Run a command, and return what it printed.

        Args:
            *arguments: The command, and its options.
            folder: Where it runs.
            parsed: Where dbt keeps what it parsed; it parses again where variables differ.
            environment: Further variables of the environment.
            fails: Whether it should.
        """
        job = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": {
                "DBT_PROJECT_DIR": str(PROJECT / "dbt"),
                "DBT_PROFILES_DIR": str(PROJECT / "dbt"),
                "DBT_TARGET_PATH": str(parsed),
                "DBT_LOG_PATH": str(parsed),
                **environment,
            },
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        log: str = answer["log"]
        assert answer["succeeded"] is not fails, log
        return log


@contextmanager
def dbt_process() -> Iterator[Dbt]:
    """Start a process for commands of dbt, and end it afterwards."""
    with subprocess.Popen(
        [str(DBT.with_name("python")), str(COMMANDS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield Dbt(process)
        process.communicate()
