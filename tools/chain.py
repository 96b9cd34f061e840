"""The whole chain, as people run it: Meltano, the tap, a real loader."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

from tools import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MELTANO = PROJECT / ".tools/meltano/bin/meltano"
# A stream, its records, its requests, its retries, its bookmark.
_ROWS = re.compile(r"(\w+) +([\d,]+) +[\d,]+ +[\d,]+ +(?:-|\d{4}-\d\d-\d\dT)")


class ChainFailedError(RuntimeError):
    """A command of Meltano's ended with an exit status other than 0; holds what it printed."""


class Chain:
    """Meltano with a system database of its own, the tap's settings in its environment.

    Args:
        folder: Where the system database, with it the state, and run-time files are kept.
        config: Settings of the tap, as `simulator.config()` makes them.
        environment: Further variables, such as the loader's settings.
        project: A folder with a meltano.yml.
        name: The Meltano environment, the first part of state ids.
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
        *,
        project: Path = PROJECT,
        name: str = "dev",
    ) -> None:
        self._project = project
        self.environment = {
            **os.environ,
            **settings(config),
            "MELTANO_ENVIRONMENT": name,
            "MELTANO_DATABASE_URI": f"sqlite:///{folder / 'meltano.db'}",
            "MELTANO_SYS_DIR_ROOT": str(_system_folder(folder, project)),
            "MELTANO_CLI_LOG_LEVEL": "info",
            **(environment or {}),
        }

    def run(self, *arguments: str, timeout: float = 280) -> str:
        """Run a command of Meltano's, and return what it printed.

        Raises:
            ChainFailedError: It failed.
        """
        with self.start(*arguments) as process:
            try:
                output, _ = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            command = " ".join(arguments)
            raise ChainFailedError(f"meltano {command}: status {process.returncode}\n{output}")
        return output

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command of Meltano's in a process group of its own, so that all can be killed."""
        return subprocess.Popen(
            [str(MELTANO), *arguments],
            cwd=self._project,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def state(self, state_id: str) -> dict[str, Any]:
        """Return the state that Meltano keeps under an id."""
        printed = self.run("state", "get", state_id)
        line = next(line for line in printed.splitlines() if line.startswith("{"))
        state: dict[str, Any] = json.loads(line)
        return state


def _system_folder(folder: Path, project: Path) -> Path:
    """Return a folder for Meltano's run-time files, with the project's plugins in it.

    Runs of one plugin overwrite each other's files where they share that folder.
    """
    system = folder / "meltano"
    system.mkdir(exist_ok=True)
    for kind in ("extractors", "loaders", "utilities"):
        installed = project / ".meltano" / kind
        installed.mkdir(parents=True, exist_ok=True)
        link = system / kind
        if not link.exists():
            link.symlink_to(installed, target_is_directory=True)
    return system


def settings(config: Mapping[str, Any], prefix: str = "TAP_AMAZON_BUSINESS") -> dict[str, str]:
    """Return settings of the tap as environment variables, as Meltano reads them."""
    return {
        f"{prefix}_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in config.items()
    }


def emitted(log: str) -> dict[str, int]:
    """Return how many records of each stream a run brought, by the table at the end of its log."""
    return {name: int(count.replace(",", "")) for name, count in _ROWS.findall(log)}
