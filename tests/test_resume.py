"""Killed and resumed: whatever the moment, the union of what came out is complete."""

from __future__ import annotations

import json
import random
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.runs import command, run_by, select
from tests.simulator import Options, Simulator, World

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clocks import FakeClock


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_ten_moments_nothing_is_missing(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    keys: set[tuple[str, ...]] = set()
    state: dict[str, Any] | None = None
    with Simulator(World(orders=900, seed=seed), Options(limits=False)) as serving:
        config = serving.config(order_reports_strategy="purchase_order")
        config["rate_limits"] = {
            name: {"rate": 5000, "burst": 1000}
            for name in ("getPurchaseOrders", "getOrderReportsByPurchaseOrderNumber")
        }
        for _ in range(10):
            state = _run_and_kill(config, tmp_path, state, chance.randint(1, 700), keys)
        last = _run_and_kill(config, tmp_path, state, None, keys)
        world = serving.world
        orders = {("purchase_orders", number) for number in world.purchase_orders()}
        reports = {("order_reports", *key) for key in world.order_reports()}
    assert last is not None
    assert orders <= keys
    assert reports <= keys


def _run_and_kill(
    config: dict[str, Any],
    folder: Path,
    state: dict[str, Any] | None,
    lines: int | None,
    keys: set[tuple[str, ...]],
) -> dict[str, Any] | None:
    """Read that many lines of a run as a loader would, kill it, and return the last state."""
    process = subprocess.Popen(
        command(config, folder, state=state, catalog=select("purchase_orders", "order_reports")),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        for count, line in enumerate(process.stdout, start=1):
            message = json.loads(line)
            if message["type"] == "STATE":
                state = message["value"]
            elif message["type"] == "RECORD":
                record = message["record"]
                names = ("purchaseOrderNumber", "orderId")
                parts = (record[name] for name in names if name in record)
                keys.add((message["stream"], *parts))
            if count == lines:
                process.kill()
                return state
    assert process.returncode == 0
    return state


@pytest.mark.parametrize(
    ("bookmark", "expected"),
    [
        (
            {"replication_key": "lastChangedDate", "replication_key_value": "soon"},
            "not a date-time",
        ),
        ({"replication_key": "lastChangedDate", "replication_key_value": 12}, "not a date-time"),
        (
            {"replication_key": "changedAfter", "replication_key_value": "2026-05-01T00:00:00Z"},
            "but its bookmark is 'lastChangedDate'",
        ),
        (
            {"replication_key": "lastChangedDate", "replication_key_value": "2031-05-01T00:00:00Z"},
            "lies in the future",
        ),
    ],
)
def test_a_state_that_makes_no_sense_is_named(
    clock: FakeClock, tidy: Simulator, bookmark: dict[str, Any], expected: str
) -> None:
    state = {"bookmarks": {"purchase_orders": bookmark}}
    run = run_by(clock, tidy.config(), state=state, catalog=select("purchase_orders"))
    assert run.status != 0
    assert "The state of purchase_orders" in run.log
    assert expected in run.log
    assert not run.records("purchase_orders")
