"""The common part of all topics: the size of a run, and a place for its files."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from benchmarks.server import UNLIMITED, serving
from benchmarks.tap import sync

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.process import Run
    from benchmarks.server import Traffic

T = TypeVar("T")

ITEMS = 10
"""Items an order has on average where CPU and memory are measured."""


@dataclass
class Bench:
    """One run of the benchmarks.

    Attributes:
        quick: Whether everything is smaller, and peers are left out.
        files: Where configurations, catalogs and logs are kept.
        environments: Where the peers' environments are.
        uv: The command that makes them.
        monthly: Purchase orders a month of the accounts of topic G; none: its own choice.
        schedules: Its schedules, by name; none: its own choice.
        syncs: The most syncs of a schedule; 0: its own choice.
    """

    quick: bool
    files: Path
    environments: Path
    uv: Path
    monthly: tuple[int, ...] = ()
    schedules: tuple[str, ...] = ()
    syncs: int = 0
    _unlimited: dict[tuple[int, bool], tuple[Run, Traffic]] = field(default_factory=dict)

    def size(self, full: T, quick: T) -> T:
        """Return what is fitting for this run."""
        return quick if self.quick else full

    def folder(self, name: str) -> Path:
        """Return a new folder."""
        path = self.files / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def say(self, what: str) -> None:
        """Print what is being measured."""
        print(f"... {what}", flush=True)

    def unlimited(self, orders: int, *, quirks: bool = True) -> tuple[Run, Traffic]:
        """Return a sync of purchase orders of ten items, without limits or latency.

        It is done once for all topics that need it.

        Args:
            orders: How many there are.
            quirks: Whether some are odd.
        """
        known = orders, quirks
        if known not in self._unlimited:
            self.say(f"{orders:,} orders without limits or latency")
            folder = self.folder(f"unlimited-{orders}")
            with serving(folder, orders=orders, items=ITEMS, limits=False, quirks=quirks) as server:
                done = sync(server, folder, rate_limits={"getPurchaseOrders": UNLIMITED})
                self._unlimited[known] = (done, server.traffic("getPurchaseOrders"))
        return self._unlimited[known]
