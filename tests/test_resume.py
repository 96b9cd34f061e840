"""Killed and resumed: whatever the moment, the union of what came out is complete."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, Simulator, World
from tests.support.runs import command, run_by, select

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clocks import FakeClock


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


def test_sigterm_ends_the_tap_between_two_lines_and_not_as_if_all_were_well(tmp_path: Path) -> None:
    with Simulator(World(orders=2000), Options(limits=False)) as serving:
        process = _start(serving.config(), tmp_path, select("purchase_orders"))
        assert process.stdout is not None
        with process, process.stdout:
            lines = [process.stdout.readline() for _ in range(20)]
            process.send_signal(signal.SIGTERM)
            lines += process.stdout.readlines()
            log = process.stderr.read() if process.stderr else ""
    assert process.returncode == 128 + signal.SIGTERM
    assert "the sync is not complete" in log
    assert "Traceback" not in log
    assert all(json.loads(line) for line in lines)


def test_a_loader_that_died_ends_the_tap_with_a_plain_message(tmp_path: Path) -> None:
    with Simulator(World(orders=3000), Options(limits=False)) as serving:
        process = _start(serving.config(), tmp_path, select("purchase_orders"))
        assert process.stdout is not None
        assert process.stderr is not None
        with process, process.stderr:
            for _ in range(20):
                process.stdout.readline()
            process.stdout.close()
            log = process.stderr.read()
    assert process.returncode == 1
    assert "the loader has ended" in log
    assert "Traceback" not in log
    assert "Exception ignored" not in log


def _start(config: dict[str, Any], folder: Path, catalog: dict[str, Any]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(config, folder, catalog=catalog),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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


@pytest.mark.parametrize(
    "bookmark",
    [
        {"replication_key_value": "2026-05-20"},
        {"replication_key_value": "2026-05-20T02:00:00+02:00"},
        {
            "replication_key_value": "2026-05-20T00:00:00.000000Z",
            "starting_replication_value": "2026-05-01T00:00:00Z",
            "progress_markers": {
                "Note": "Progress is not resumable if interrupted.",
                "replication_key": "lastChangedDate",
                "replication_key_value": "2026-05-30T00:00:00Z",
            },
        },
    ],
    ids=["date", "offset", "markers"],
)
def test_a_state_of_an_older_version_is_gone_on_from(
    clock: FakeClock, bookmark: dict[str, Any]
) -> None:
    # As taps of singer-sdk write it that sync children one by one and keep marks of their progress.
    old = {
        "purchase_orders": {"replication_key": "lastChangedDate", **bookmark},
        "order_reports": {"partitions": [{"context": {"purchaseOrderNumber": "2JK3S9VC"}}]},
        "a_stream_of_old": {"replication_key": "id", "replication_key_value": 12},
    }
    world = World(orders=30, quirks=False, now=clock.now)
    with Simulator(world, Options(), monotonic=clock.monotonic) as serving:
        run = run_by(
            clock,
            serving.config(),
            state={"bookmarks": old},
            catalog=select("purchase_orders"),
        )
        asked = [call.parameters.get("changedAfter") for call in serving.stats().calls]
    assert run.status == 0, run.log
    # An hour before the bookmark, and a second, as what is asked for lies after this bound.
    assert min(filter(None, asked)) == "2026-05-19T22:59:59Z"
    assert run.bookmark() == "2026-06-01T11:58:00Z"
    assert run.state["bookmarks"]["a_stream_of_old"] == old["a_stream_of_old"]
