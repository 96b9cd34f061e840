"""Runs that end before their time: killed, stopped, or left by their loader."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.catalogs import select
from tests.support.runs import command, start
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator import Simulator

STREAMS = ("purchase_orders", "order_reports")
KEY = ("purchaseOrderNumber", "orderId")


@pytest.fixture(scope="module")
def large() -> Iterator[Simulator]:
    """Serve more than the pipe between tap and loader can hold."""
    with serve(orders=1500, items=1, quirks=False) as serving:
        yield serving


def test_killed_again_and_again_nothing_is_missing(tmp_path: Path) -> None:
    chance = random.Random(1)
    keys: set[tuple[str, ...]] = set()
    state: dict[str, Any] | None = None
    with serve(orders=150, items=1) as serving:
        for lines in [*(chance.randint(1, 250) for _ in range(5)), None]:
            process = start(settings(serving), tmp_path, state=state, catalog=select(*STREAMS))
            state = read(process, lines, keys) or state
        world = serving.world
        expected = {
            *(("purchase_orders", number) for number in world.purchase_orders()),
            *(("order_reports", *key) for key in world.order_reports()),
        }
    assert keys == expected


def read(
    process: subprocess.Popen[str], lines: int | None, keys: set[tuple[str, ...]]
) -> dict[str, Any] | None:
    """Read that many lines of a run as a loader would, kill it, and return the last state."""
    state: dict[str, Any] | None = None
    assert process.stdout is not None
    with process:
        for count, line in enumerate(process.stdout, start=1):
            message = json.loads(line)
            if message["type"] == "STATE":
                state = message["value"]
            elif message["type"] == "RECORD":
                record = message["record"]
                keys.add((message["stream"], *(record[name] for name in KEY if name in record)))
            if count == lines:
                process.kill()
                return state
        _, log = process.communicate()
    assert process.returncode == 0, log
    return state


def test_sigterm_ends_the_tap_between_two_lines_with_a_status_of_its_own(
    large: Simulator, tmp_path: Path
) -> None:
    process = start(settings(large), tmp_path, catalog=select("purchase_orders"))
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        lines = [process.stdout.readline() for _ in range(20)]
        process.send_signal(signal.SIGTERM)
        lines += process.stdout.readlines()
        log = process.stderr.read()
    assert process.returncode == 128 + signal.SIGTERM
    assert "the sync is incomplete" in log
    assert "Traceback" not in log
    assert all(line.endswith("\n") and json.loads(line) for line in lines)


def test_a_loader_that_died_ends_the_tap_with_a_plain_message(
    large: Simulator, tmp_path: Path
) -> None:
    process = start(settings(large), tmp_path, catalog=select("purchase_orders"))
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        for _ in range(20):
            process.stdout.readline()
        process.stdout.close()
        log = process.stderr.read()
    assert process.returncode == 1
    assert "loader" in log
    assert "Traceback" not in log
    assert "Exception ignored" not in log


def test_a_full_disk_ends_the_tap_with_a_plain_message(large: Simulator, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(settings(large), tmp_path, catalog=select("purchase_orders")),
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert "Cannot write the tap's output: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
