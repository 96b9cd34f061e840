"""H. All streams side by side, against what the slowest operation needs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.server import Traffic, serving
from benchmarks.tables import Row, Table, ratio
from benchmarks.tap import sync
from simulator import published_plans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench
    from simulator import Plan

STREAMS = (
    "purchase_orders",
    "purchase_order_items",
    "purchase_order_statuses",
    "vendor_shipments",
    "order_reports",
    "orders",
    "order_line_items",
    "shipments",
    "shipment_line_items",
    "transactions",
)
FASTER = 5
"""The factor by which all plans are faster than Amazon's, so that this takes minutes."""

LATENCY_MS = 60
MOST = 1.15
MOST_PAGES = 1.2


def together(bench: Bench) -> Iterator[Table]:
    """Yield the table of all streams of an account, and of one that has a list in common."""
    orders = bench.size(4_000, 1_000)
    plans = published_plans()
    yield Table(
        "h_together",
        f"H. Ten streams of {orders:,} purchase orders side by side, plans {FASTER} times Amazon's",
        [
            _measure(bench, orders, plans, "all ten streams", STREAMS),
            _measure(bench, orders, plans, "orders", ("orders",)),
            _measure(
                bench,
                orders,
                plans,
                "orders and order_reports",
                ("orders", "purchase_orders", "order_reports"),
            ),
        ],
        (
            f"target: ten streams within {MOST} times the slowest operation's own time, no 429",
            f"target: orders and order_reports within {MOST_PAGES} times the requests of orders",
            "own time: (requests - burst) / rate of the slowest operation",
            "one after the other: the sum of that over all operations",
        ),
    )


def _measure(
    bench: Bench, orders: int, plans: Mapping[str, Plan], name: str, streams: tuple[str, ...]
) -> Row:
    bench.say(f"{name} of {orders:,} purchase orders")
    folder = bench.folder(f"together-{name.replace(' ', '-')}")
    rates: dict[str, dict[str, float]] = {
        operation: {"rate": plan.rate * FASTER, "burst": plan.burst}
        for operation, plan in plans.items()
    }
    with serving(folder, orders=orders, latency_ms=LATENCY_MS, rates=rates) as server:
        done = sync(server, folder, streams=streams, rate_limits=rates)
        every = {operation: server.traffic(operation) for operation in rates}
        total = server.traffic()
    own = {operation: _own(traffic, rates[operation]) for operation, traffic in every.items()}
    slowest = max(own, key=lambda operation: own[operation])
    reports = every["getOrderReports"].requests
    by_number = every["getOrderReportsByPurchaseOrderNumber"].requests
    return {
        "streams": name,
        "requests": total.requests,
        "429s": total.refused,
        "seconds": round(total.seconds, 1),
        "slowest": slowest,
        "its own seconds": round(own[slowest], 1),
        "ratio": ratio(total.seconds, own[slowest]),
        "one after the other": round(sum(own.values()), 1),
        "getOrderReports and by number": reports + by_number,
        "peak MB": round(done.peak_mb, 1),
        "remark": done.remark,
    }


def _own(traffic: Traffic, plan: Mapping[str, float]) -> float:
    return traffic.bucket_seconds(rate=plan["rate"], burst=plan["burst"])
