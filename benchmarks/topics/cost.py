"""C and D. What the tap itself costs: CPU, start-up, memory."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING

from benchmarks.process import run
from benchmarks.tables import Row, Table
from benchmarks.tap import TAP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.bench import Bench

TRIES = 5


def cpu(bench: Bench) -> Iterator[Table]:
    """Yield the tables of CPU and start-up."""
    orders = bench.size(20_000, 2_000)
    done, traffic = bench.unlimited(orders)
    yield Table(
        "c_cpu",
        "C1. CPU of the tap, orders of ten items, no limits, no latency",
        [
            {
                "orders": orders,
                "orders found": done.messages.found("purchase_orders"),
                "requests": traffic.requests,
                "CPU s": round(done.cpu, 2),
                "CPU s per 1,000 orders": round(done.cpu / orders * 1000, 3),
                "wall s": round(done.seconds, 2),
                "orders a second": round(orders / done.seconds),
                "remark": done.remark,
            }
        ],
        ("target: at most 0.20 CPU s per 1,000 orders, start-up included",),
    )
    bench.say("start-up")
    folder = bench.folder("start-up")
    yield Table(
        "c_start_up",
        f"C2. Start-up, best of {TRIES}",
        [
            _start_up(folder, "tap-amazon-business --version", (TAP, "--version")),
            _start_up(folder, "import singer_sdk", (sys.executable, "-c", "import singer_sdk")),
        ],
    )


def memory(bench: Bench) -> Iterator[Table]:
    """Yield the table of peak memory."""
    sizes = bench.size((5_000, 20_000, 100_000), (1_000, 5_000))
    rows: list[Row] = []
    for orders in sizes:
        done, _ = bench.unlimited(orders)
        rows.append(
            {
                "orders": orders,
                "orders found": done.messages.found("purchase_orders"),
                "peak MB": round(done.peak_mb, 1),
                "CPU s per 1,000 orders": round(done.cpu / orders * 1000, 3),
                "wall s": round(done.seconds, 2),
                "remark": done.remark,
            }
        )
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    yield Table(
        "d_memory",
        "D. Peak memory of the tap, orders of ten items",
        rows,
        (
            "target: flat, under 150 MB",
            f"less than the {own:.0f} MB of the benchmark's own process would not show here",
        ),
    )


def _start_up(folder: Path, name: str, command: Sequence[str | Path]) -> Row:
    runs = [run(command, folder / "log") for _ in range(TRIES)]
    return {
        "command": name,
        "wall s": round(min(done.seconds for done in runs), 2),
        "CPU s": round(min(done.cpu for done in runs), 2),
        "peak MB": round(min(done.peak_mb for done in runs), 1),
    }
