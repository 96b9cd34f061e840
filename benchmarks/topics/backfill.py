"""A. Vendor backfill: how near the tap comes to what the usage plan allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.server import SPAN_DAYS, serving
from benchmarks.tables import Row, Table, ratio
from benchmarks.tap import sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

OPERATION = "getPurchaseOrders"
RATE, BURST = 10.0, 10.0
"""Amazon's published plan: requests a second, and burst."""


def backfill(bench: Bench) -> Iterator[Table]:
    """Yield the table of backfills of a usual and of a dense account."""
    usual, dense = bench.size((3_000, 30_000), (1_000, 5_000))
    yield Table(
        "a_backfill",
        f"A. Vendor backfill over {SPAN_DAYS} days, published plan (10/s, burst 10)",
        [
            _measure(bench, orders, latency_ms)
            for orders, latency_ms in ((usual, 300), (usual, 50), (dense, 300))
        ],
        (
            "target: at most 1.10 times the bucket's time, no 429, every order found",
            "seconds: from the arrival of the first request to that of the last, in the simulator",
            "bucket seconds: (requests - burst) / rate, the least that the plan allows",
        ),
    )


def _measure(bench: Bench, orders: int, latency_ms: int) -> Row:
    bench.say(f"backfill of {orders:,} orders, {latency_ms} ms a request")
    folder = bench.folder(f"backfill-{orders}-{latency_ms}")
    with serving(folder, orders=orders, latency_ms=latency_ms) as server:
        done = sync(server, folder)
        traffic = server.traffic(OPERATION)
    least = traffic.bucket_seconds(rate=RATE, burst=BURST)
    return {
        "orders": orders,
        "latency ms": latency_ms,
        "requests": traffic.requests,
        "429s": traffic.refused,
        "seconds": round(traffic.seconds, 2),
        "bucket seconds": round(least, 2),
        "ratio": ratio(traffic.seconds, least),
        "orders found": done.messages.found("purchase_orders"),
        "remark": done.remark,
    }
