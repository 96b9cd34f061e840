"""The whole chain, as people run it: Meltano, the tap, a real loader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.mark.end_to_end
def test_the_demonstration_lands_every_row_and_then_the_changes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    tables = [
        line for line in lines if len(line) == 4 and line[0].startswith(("purchase_", "order_"))
    ]
    assert len(tables) >= 4
    assert all(rows == has for _, rows, has, _ in tables)
    first, second = tables[: len(tables) // 2], tables[len(tables) // 2 :]
    assert all(
        int(later[1]) > int(earlier[1]) for earlier, later in zip(first, second, strict=True)
    )
    assert "0 refused (429)" in done.stdout
    assert "lastChangedDate" in done.stdout
