"""The display of progress on a terminal, as somebody sees it who runs the tap by hand."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.runs import command, run_tap, select
from tests.support.serving import VENDOR_ONLY, settings

if TYPE_CHECKING:
    from pathlib import Path

    from simulator import Simulator

MOVES = re.compile(rb"\x1b\[\d*[AK]")
COLOURS = re.compile(rb"\x1b\[[\d;]*3\d[\d;]*m")


def on_a_terminal(parts: list[str], *, records_too: bool = False, **environment: str) -> bytes:
    """Run a command whose standard error is a terminal, and return what the terminal gets."""
    leader, follower = pty.openpty()
    got: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(leader, 1 << 16):
                got.append(piece)
        except OSError:  # the terminal is closed
            return

    reader = threading.Thread(target=read)
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        parts,
        stdout=follower if records_too else subprocess.DEVNULL,
        stderr=follower,
        env={**inherited, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    ) as process:
        os.close(follower)
        reader.start()
        assert process.wait(timeout=120) == 0
    reader.join()
    os.close(leader)
    return b"".join(got)


@pytest.fixture
def parts(tidy: Simulator, tmp_path: Path) -> list[str]:
    """Return the command of a sync."""
    return command(settings(tidy, **VENDOR_ONLY), tmp_path, catalog=select("purchase_orders"))


def test_a_terminal_gets_a_display_and_whole_lines(parts: list[str]) -> None:
    got = on_a_terminal(parts)
    assert MOVES.search(got)
    assert re.search(rb"Sync summary:\r\nstream +records +requests .*\r\n", got)
    assert b"\x1b[?25l" not in got  # the cursor is never hidden


def test_no_color_leaves_the_colours_out(parts: list[str]) -> None:
    got = on_a_terminal(parts, NO_COLOR="1")
    assert MOVES.search(got)
    assert not COLOURS.search(got)


def test_records_on_the_same_terminal_are_not_torn(parts: list[str]) -> None:
    assert b"\x1b" not in on_a_terminal(parts, records_too=True)


def test_no_escape_code_where_there_is_no_terminal(tidy: Simulator, tmp_path: Path) -> None:
    config = settings(tidy, **VENDOR_ONLY)
    run = run_tap(config, tmp_path, environment={"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"})
    assert run.status == 0
    assert "\x1b" not in run.log + run.output
