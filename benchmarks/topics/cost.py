"""C and D. What the tap itself costs: CPU, start-up, memory."""

from __future__ import annotations

import json
import resource
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.bench import ITEMS
from benchmarks.messages import json_seconds
from benchmarks.process import run
from benchmarks.server import UNLIMITED, serving
from benchmarks.tables import Row, Table, ratio
from benchmarks.tap import TAP, sync, sync_to_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.bench import Bench

TRIES = 5
MOST_OF_JSON = 1.4
MOST_TO_COMPARE = 0.3
REPORTS = (
    "getOrderReports",
    "getOrderLineItemReports",
    "getShipmentReports",
    "getShipmentLineItemReports",
)


def cpu(bench: Bench) -> Iterator[Table]:
    """Yield the tables of CPU and start-up."""
    orders = bench.size(20_000, 2_000)
    yield Table(
        "c_cpu",
        "C1. CPU of the tap, orders of ten items, no limits, no latency",
        [_cost(bench, orders, quirks=quirks) for quirks in (False, True)],
        (
            "target: at most 0.20 CPU s per 1,000 orders, start-up included",
            f"target: without start-up, at most {MOST_OF_JSON} times what Python's own json needs",
            "to read and write the same records",
            f"compared: a second sync of the same orders, writing none; at most {MOST_TO_COMPARE}",
            "odd: more than half of the rows have unknown fields, or dates with offsets",
        ),
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


def _cost(bench: Bench, orders: int, *, quirks: bool) -> Row:
    done, traffic = bench.unlimited(orders, quirks=quirks)
    return {
        "orders": orders,
        "rows": "odd" if quirks else "as the models say",
        "orders found": done.messages.found("purchase_orders"),
        "requests": traffic.requests,
        "CPU s": round(done.cpu, 2),
        "CPU s per 1,000 orders": round(done.cpu / orders * 1000, 3),
        **_against_json(bench, orders, done.cpu, quirks=quirks),
        "wall s": round(done.seconds, 2),
        "orders a second": round(orders / done.seconds),
        "remark": done.remark,
    }


def _against_json(bench: Bench, orders: int, cpu: float, *, quirks: bool) -> Row:
    """Return what Python's own json needs for the same records, and how much more the tap does."""
    bench.say("the same records with json")
    folder = bench.folder("json")
    with serving(folder, orders=orders, items=ITEMS, limits=False, quirks=quirks) as server:
        output = sync_to_file(server, folder, rate_limits={"getPurchaseOrders": UNLIMITED})
        # Everything again, to be compared with the checksums of the first sync.
        compared = sync(
            server,
            folder,
            state=_last_state(output),
            lookback_cycle_hours=0,
            rate_limits={"getPurchaseOrders": UNLIMITED},
        )
    start_up = min(run((TAP, "--version"), folder / "log").cpu for _ in range(TRIES))
    spent = json_seconds(output)
    return {
        "json CPU s": round(spent, 2),
        "times json": ratio(cpu - start_up, spent),
        "compared, times json": ratio(compared.cpu - start_up, spent),
        "written again": compared.messages.records.total(),
    }


def _last_state(output: Path) -> dict[str, Any]:
    """Return the last state of an output."""
    with output.open("rb") as lines:
        *_, last = (line for line in lines if b'"STATE"' in line[:40])
    state: dict[str, Any] = json.loads(last)["value"]
    return state


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
    parents = bench.size(80_000, 2_000)
    bench.say(f"four streams of the orders of {parents:,} purchase orders")
    folder = bench.folder("four-streams")
    streams = ("orders", "order_line_items", "shipments", "shipment_line_items")
    with serving(folder, orders=parents, limits=False) as server:
        plans = dict.fromkeys(REPORTS, UNLIMITED)
        done = sync(server, folder, streams=streams, rate_limits=plans)
    rows.append(
        {
            "orders": f"{parents:,}: four streams, {done.messages.records.total():,} rows",
            "orders found": done.messages.found("orders"),
            "peak MB": round(done.peak_mb, 1),
            "CPU s per 1,000 orders": round(done.cpu / parents * 1000, 3),
            "wall s": round(done.seconds, 2),
            "remark": done.remark,
        }
    )
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    yield Table(
        "d_memory",
        "D. Peak memory of the tap, purchase orders of ten items",
        rows,
        (
            "target: flat, under 150 MB; a million rows in four streams under 200 MB",
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
