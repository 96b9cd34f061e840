"""B. Order reports: the pace by number, and what each strategy costs in requests."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.server import UNLIMITED, serving
from benchmarks.tables import Cell, Row, Table, ratio
from benchmarks.tap import sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

BY_NUMBER = "getOrderReportsByPurchaseOrderNumber"
BY_DATE = "getOrderReports"
STREAMS = ("purchase_orders", "order_reports")
STRATEGIES = ("purchase_order", "order_date", "auto")

NEVER_WAIT = dict.fromkeys(("getPurchaseOrders", BY_NUMBER, BY_DATE), UNLIMITED)

RATE, BURST = 5.0, 10.0
"""The plan by which the pace is measured; the published half a request a second takes too long."""


@dataclass(frozen=True)
class Case:
    """An account, and what is asked of it.

    Attributes:
        name: What is particular about it.
        orders: Purchase orders.
        regions: Amazon Business regions.
        settings: Further settings of the tap.
        growth: Purchase orders added, with reports, ten times a second for two seconds.
        latency_ms: What a request takes at least.
        without_number: Orders that name no purchase order, per purchase order.
        strategies: What is measured.
    """

    name: str
    orders: int
    regions: str = "US"
    settings: dict[str, Any] = field(default_factory=dict)
    growth: int = 0
    latency_ms: int = 0
    without_number: float = 0.1
    strategies: tuple[str, ...] = STRATEGIES


FEW_PARENTS = {
    "po_item_state": "Cancelled",
    "purchase_order_state": "New",
    "ordering_vendor_codes": ["API01"],
}
"""About one order in two hundred: the others' reports are found by date all the same."""


def order_reports(bench: Bench) -> Iterator[Table]:
    """Yield the tables of pace and of strategies."""
    yield Table(
        "b_pace",
        "B1. Order reports by number, 5/s, burst 10 (announced by the simulator)",
        [_pace(bench, bench.size(300, 60))],
        ("target: at most 1.10 times the bucket's time, no 429",),
    )
    many = bench.size(10_000, 500)
    both = ("purchase_order", "order_date")
    yield Table(
        "b_strategies",
        "B2. Requests for order reports, by number and by order date, no limits",
        [
            *_strategies(bench, Case("every order named", many, without_number=0, strategies=both)),
            *_strategies(bench, Case("one region", many, strategies=both)),
            *_strategies(bench, Case("two regions", many, regions="US,CA", strategies=both)),
        ],
        (
            "target: by order date at least 60 times fewer",
            "by date, 100 reports come a page; in the last two cases a tenth name no order",
            "reports that name no purchase order, or another one, are found by number only: 4%",
        ),
    )
    yield Table(
        "b_auto",
        "B3. Requests for order reports with the strategy auto, no limits",
        [
            *_strategies(bench, Case("many parents, few orders", bench.size(3_000, 300))),
            *_strategies(
                bench,
                Case("few parents, very many orders", bench.size(40_000, 4_000), "US", FEW_PARENTS),
            ),
            *_strategies(
                bench,
                Case(
                    "both grow during the sync",
                    bench.size(3_000, 300),
                    growth=bench.size(100, 20),
                    latency_ms=20,
                ),
            ),
        ],
        (
            "target: auto at most twice the cheaper of the other two",
            "growing: orders are added for two seconds; a shorter sync sees fewer of their reports",
        ),
    )


def _pace(bench: Bench, orders: int) -> Row:
    bench.say(f"order reports of {orders:,} orders by number at {RATE:g}/s, 300 ms a request")
    folder = bench.folder("reports-pace")
    rates = {BY_NUMBER: {"rate": RATE, "burst": BURST}}
    with serving(folder, orders=orders, latency_ms=300, rates=rates) as server:
        done = sync(server, folder, streams=STREAMS, order_reports_strategy="purchase_order")
        traffic = server.traffic(BY_NUMBER)
    least = traffic.bucket_seconds(rate=RATE, burst=BURST)
    return {
        "orders": orders,
        "latency ms": 300,
        "requests": traffic.requests,
        "429s": traffic.refused,
        "seconds": round(traffic.seconds, 2),
        "bucket seconds": round(least, 2),
        "ratio": ratio(traffic.seconds, least),
        "orders found": done.messages.found("purchase_orders"),
        "reports found": done.messages.found("order_reports"),
        "remark": done.remark,
    }


def _strategies(bench: Bench, case: Case) -> Iterator[Row]:
    """Yield a row for each strategy; the last says how it compares with the others."""
    needed: dict[str, int] = {}
    for strategy in case.strategies:
        bench.say(f"order reports, {case.name}: {strategy}")
        row, requests = _strategy(bench, case, strategy)
        if requests is not None:
            needed[strategy] = requests
        yield {**row, **_comparison(strategy, needed)}


def _strategy(bench: Bench, case: Case, strategy: str) -> tuple[Row, int | None]:
    folder = bench.folder(f"reports-{case.name.replace(' ', '-')}-{strategy}")
    with serving(
        folder,
        orders=case.orders,
        regions=case.regions,
        latency_ms=case.latency_ms,
        without_number=case.without_number,
        limits=False,
    ) as server:
        growing = server.growing(orders=case.growth, every=0.1, times=20)
        with growing if case.growth else nullcontext():
            done = sync(
                server,
                folder,
                streams=STREAMS,
                order_reports_strategy=strategy,
                rate_limits=NEVER_WAIT,
                **case.settings,
            )
        number, date = server.traffic(BY_NUMBER).requests, server.traffic(BY_DATE).requests
    row: Row = {
        "case": case.name,
        "strategy": strategy,
        "parents": done.messages.found("purchase_orders"),
        "reports found": done.messages.found("order_reports"),
        "requests by number": number,
        "by date": date,
        "together": number + date,
        "seconds": round(done.seconds, 1),
        "remark": done.remark,
    }
    return row, None if done.status else number + date


def _comparison(strategy: str, needed: dict[str, int]) -> dict[str, Cell]:
    number, date = needed.get("purchase_order"), needed.get("order_date")
    own = needed.get(strategy)
    known = number is not None and date is not None and own is not None
    return {
        "times fewer than by number": ratio(number, own)
        if strategy == "order_date" and number and own
        else None,
        "times the cheaper": ratio(own, min(number, date))
        if strategy == "auto" and known and own and number and date
        else None,
    }
