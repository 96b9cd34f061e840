"""Runs that end before their time: stopped, or left by their loader.

tests/soak/test_soak.py has those that are killed and resumed.
"""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.catalogs import select
from tests.support.runs import command, start
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator import Simulator


@pytest.fixture(scope="module")
def large() -> Iterator[Simulator]:
    """Serve more than the pipe between tap and loader can hold."""
    with serve(orders=1500, items=1, quirks=False) as serving:
        yield serving


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
