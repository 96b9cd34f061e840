"""Peers: other readers of vendor purchase orders, each in an environment of its own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import Run, run
from benchmarks.server import SPAN_DAYS

PEERS = Path(__file__).parent / "peers"


class NotInstallableError(Exception):
    """A peer's environment could not be made."""


@dataclass(frozen=True)
class Peer:
    """A peer, as it is measured.

    Attributes:
        name: Its package, and the name of the file that pins its environment.
        driver: The script that runs it.
        python: The versions of Python that it supports.
        simulator: The module it is served by.
    """

    name: str
    driver: str
    python: str
    simulator: str = "simulator"

    @property
    def requirements(self) -> Path:
        """The file that pins its environment."""
        return PEERS / f"{self.name}.txt"

    @property
    def version(self) -> str:
        """The pinned version."""
        lines = self.requirements.read_text(encoding="utf-8").splitlines()
        return next(line for line in lines if line.startswith(f"{self.name}==")).split("==")[1]

    def prepare(self, uv: Path, environments: Path) -> Path:
        """Make its environment unless there is one, and return its Python.

        Raises:
            NotInstallableError: There is no fitting Python, or a package does not install.
        """
        environment = environments / self.name
        python = environment / "bin" / "python"
        stamp = environment / ".installed"
        wanted = self.requirements.read_text(encoding="utf-8")
        if not (stamp.exists() and stamp.read_text(encoding="utf-8") == wanted):
            _uv(uv, "venv", "--clear", "--python", self.python, environment)
            _uv(uv, "pip", "install", "--python", python, "--requirements", self.requirements)
            stamp.write_text(wanted, encoding="utf-8")
        return python

    def read(self, python: Path, folder: Path) -> Run:
        """Read all purchase orders of the simulator that wrote its configuration to a folder."""
        config = ("--config", folder / "simulator.json")
        command = (python, PEERS / self.driver, *config, "--days", str(SPAN_DAYS))
        return run(command, folder / "peer.log")


def _uv(uv: Path, *arguments: str | Path) -> None:
    done = subprocess.run([uv, *arguments, "--quiet"], check=False, capture_output=True, text=True)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise NotInstallableError(lines[0] if lines else f"uv {arguments[0]} failed")


SP_API = Peer("python-amazon-sp-api", "python_amazon_sp_api.py", ">=3.11")
AIRBYTE = Peer(
    "airbyte-source-amazon-seller-partner",
    "airbyte_source.py",
    ">=3.10,<3.12",
    simulator="benchmarks.lenient",
)
