"""E and F. Cost as work grows, and two peers on the same work.

Both are measured under the published plan at 50 ms a request, with orders of ten items of which a
third was changed once, so that all of it fits in one plot.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.bench import ITEMS
from benchmarks.environments import AIRBYTE, SP_API, NotInstallableError, Peer
from benchmarks.server import serving
from benchmarks.tables import Row, Table, ratio
from benchmarks.tap import sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from benchmarks.bench import Bench

LATENCY_MS = 50
OPERATION = "getPurchaseOrders"
OWN = "tap-amazon-business"
COMPARED = 3_000
"""Orders with which the peers are compared."""

PEER_SIZES = ((SP_API, 10), (SP_API, 100), (SP_API, 1_000), (AIRBYTE, 100), (AIRBYTE, 1_000))
AT_ONCE = 3
"""Runs of peers side by side where only the plot needs them: they sleep most of the time."""


def growth(bench: Bench) -> Iterator[Table]:
    """Yield the table of cost against orders."""
    sizes = bench.size((10, 100, 1_000, 10_000, 100_000), (10, 100, 1_000))
    rows = [_tap(bench, orders) for orders in sizes]
    notes = [
        "published plan, 50 ms a request, orders of ten items, a third of them changed once",
        "windows alone make about 52 requests: 26 of a week, by creation and by change",
    ]
    if not bench.quick:
        rows += _peers(bench, PEER_SIZES, at_once=AT_ONCE)
        notes.append(
            "peers up to 1,000 orders here (3,000 in F), side by side, as they mostly sleep"
        )
    yield Table("e_growth", "E. Cost as work grows", rows, notes)


def comparison(bench: Bench) -> Iterator[Table]:
    """Yield the table of the tap and its peers."""
    rows = [
        _tap(bench, COMPARED),
        *_peers(bench, [(peer, COMPARED) for peer in (SP_API, AIRBYTE)], at_once=2),
    ]
    own = float(rows[0]["wall s"] or 0)
    yield Table(
        "f_peers",
        f"F. The tap and two peers, {COMPARED:,} orders",
        [{**row, "times the tap's time": ratio(float(row["wall s"] or 0), own)} for row in rows],
        (
            "published plan, 50 ms a request, orders of ten items, a third of them changed once",
            f"{SP_API.name}: windows of just under seven days, by creation, then by change",
            "its load_all_pages sleeps two seconds before each further page",
            f"{AIRBYTE.name}: VendorOrders, set to end three minutes ago",
            "it is allowed windows of exactly seven days, without which it fails",
            "the two peers ran side by side, as they mostly sleep",
        ),
    )


def _tap(bench: Bench, orders: int) -> Row:
    bench.say(f"{OWN}, {orders:,} orders, {LATENCY_MS} ms a request")
    folder = bench.folder(f"growth-{orders}")
    with serving(folder, orders=orders, items=ITEMS, latency_ms=LATENCY_MS) as server:
        done = sync(server, folder)
        traffic = server.traffic(OPERATION)
    return {
        "program": OWN,
        "orders": orders,
        "orders found": done.messages.found("purchase_orders"),
        "requests": traffic.requests,
        "429s": traffic.refused,
        "wall s": round(done.seconds, 1),
        "CPU s": round(done.cpu, 2),
        "state bytes": done.messages.state_bytes,
        "remark": done.remark,
    }


def _peers(bench: Bench, work: Iterable[tuple[Peer, int]], *, at_once: int) -> list[Row]:
    work = list(work)
    # One after the other: two at a time could make the same environment.
    pythons = {peer: _prepare(bench, peer) for peer in dict.fromkeys(peer for peer, _ in work)}
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda task: _peer(bench, task[0], task[1], pythons[task[0]]), work))


def _prepare(bench: Bench, peer: Peer) -> Path | str:
    """Return a peer's Python, or why there is none."""
    bench.say(f"environment of {peer.name}")
    try:
        return peer.prepare(bench.uv, bench.environments)
    except NotInstallableError as error:
        return f"does not install here: {error}"


def _peer(bench: Bench, peer: Peer, orders: int, python: Path | str) -> Row:
    row: Row = {"program": f"{peer.name} {peer.version}", "orders": orders}
    if isinstance(python, str):
        missing = dict.fromkeys(("orders found", "requests", "429s", "wall s", "CPU s"))
        return {**row, **missing, "state bytes": None, "remark": python}
    bench.say(f"{peer.name}, {orders:,} orders")
    folder = bench.folder(f"{peer.name}-{orders}")
    with serving(
        folder, orders=orders, items=ITEMS, latency_ms=LATENCY_MS, module=peer.simulator
    ) as server:
        done = peer.read(python, folder)
        traffic = server.traffic(OPERATION)
    return {
        **row,
        "orders found": done.messages.found("purchase_orders"),
        "requests": traffic.requests,
        "429s": traffic.refused,
        "wall s": round(done.seconds, 1),
        "CPU s": round(done.cpu, 2),
        "state bytes": None,
        "remark": done.remark,
    }
