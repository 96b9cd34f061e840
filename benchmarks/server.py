"""The simulator in a process of its own, so that its CPU and memory are not the tap's."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Event, Thread
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNLIMITED = {"rate": 1_000_000, "burst": 1_000_000}
"""A usage plan, as the tap's setting `rate_limits` takes it, with which it never waits."""

SPAN_DAYS = 170
"""Age of the oldest order, in days."""


@dataclass(frozen=True)
class Traffic:
    """The requests of an operation, as the simulator saw them.

    Attributes:
        requests: How many requests arrived.
        refused: How many of them got 429.
        seconds: From the arrival of the first to that of the last.
    """

    requests: int
    refused: int
    seconds: float

    def bucket_seconds(self, *, rate: float, burst: float) -> float:
        """Return the least time in which the usage plan lets so many requests pass."""
        return max(0.0, (self.requests - burst) / rate)


class Server:
    """A simulator that runs.

    Args:
        url: Where it serves.
        config: The tap's settings for it.
    """

    def __init__(self, url: str, config: dict[str, Any]) -> None:
        self.config = config
        self._address = urlsplit(url).netloc

    def traffic(self, *operations: str) -> Traffic:
        """Return what was asked of some operations together; of all where none is named."""
        stats = self._ask("GET", "stats")["operations"]
        asked = [
            traffic
            for name, traffic in stats.items()
            if traffic["requests"] and name in (operations or stats)
        ]
        first = min((traffic["first"] for traffic in asked), default=0.0)
        last = max((traffic["last"] for traffic in asked), default=0.0)
        return Traffic(
            requests=sum(traffic["requests"] for traffic in asked),
            refused=sum(traffic["refused"] for traffic in asked),
            seconds=last - first,
        )

    def reset(self) -> None:
        """Set the counters to zero and fill the buckets."""
        self._ask("POST", "reset")

    @contextmanager
    def growing(self, *, orders: int, every: float, times: int) -> Iterator[None]:
        """Add purchase orders, with reports, for as long as the block runs.

        Args:
            orders: How many in parallel.
            every: Seconds between two additions.
            times: The most additions.
        """
        over = Event()

        def grow() -> None:
            for _ in range(times):
                if over.wait(every):
                    return
                self._ask("POST", "change", fraction=0, state_only=0, new=orders)

        thread = Thread(target=grow)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _ask(self, method: str, door: str, **query: float) -> dict[str, Any]:
        connection = HTTPConnection(self._address, timeout=60)
        try:
            connection.request(method, f"/_simulator/{door}?{urlencode(query)}")
            reply = connection.getresponse()
            body: dict[str, Any] = json.load(reply)
        finally:
            connection.close()
        if reply.status != 200:
            raise RuntimeError(f"the simulator answers {reply.status} to {door}: {body}")
        return body


@contextmanager
def serving(
    folder: Path,
    *,
    orders: int,
    items: int = 3,
    latency_ms: float = 0,
    limits: bool = True,
    rates: dict[str, dict[str, float]] | None = None,
    regions: str = "US",
    without_number: float = 0.1,
    quirks: bool = True,
    module: str = "simulator",
) -> Iterator[Server]:
    """Start a simulator and stop it afterwards.

    Args:
        folder: For its files.
        orders: Purchase orders; a third was changed once.
        items: Items an order has on average.
        latency_ms: What every request takes at least.
        limits: Whether it holds requests against usage plans.
        rates: Plans other than the published ones, by operation.
        regions: Amazon Business regions with orders, comma-joined.
        without_number: Amazon Business orders of no purchase order, per purchase order.
        quirks: Whether rows may be odd, such as with fields that no model knows.
        module: What is run.
    """
    config = folder / "simulator.json"
    options: dict[str, object] = {
        "orders": orders,
        "items": items,
        "span-days": SPAN_DAYS,
        "latency-ms": latency_ms,
        "rates": json.dumps(rates or {}),
        "regions": regions,
        "without-number": without_number,
        "write-config": config,
    }
    command = [
        *(sys.executable, "-m", module),
        *(part for name, value in options.items() for part in (f"--{name}", str(value))),
        *(() if limits else ("--no-limits",)),
        *(("--quirks",) if quirks else ()),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        with cast("IO[str]", process.stdout) as output:
            url = output.readline().removeprefix("listening on ").strip()
        if not url:
            raise RuntimeError("the simulator did not start")
        yield Server(url, json.loads(config.read_text(encoding="utf-8")))
    finally:
        process.terminate()
        process.wait()
