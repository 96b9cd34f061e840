"""The demonstration: `make demo` shows what lands in DuckDB, and makes a page of it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.chain import PROJECT
from tests.support.serving import STREAMS


@pytest.mark.end_to_end
def test_the_demonstration_lands_every_row_and_then_the_changes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo", "--orders", "60"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    table = re.compile(r"(\w+) +(\d+) +(\d+) +(\d+)")
    found = [match.groups() for match in map(table.fullmatch, done.stdout.splitlines()) if match]
    assert len(found) == 2 * len(STREAMS)  # after each of two runs
    assert all(rows == has for _, rows, has, _ in found)
    grown = {name: int(new) for name, _, _, new in found[10:]}
    assert grown["purchase_orders"] == 15
    # On a machine that runs other tests too, requests may close up and one be refused: the pace is
    # tested by an injected clock.
    assert len(re.findall(r"requests of \w+, \d+ refused", done.stdout)) >= 18
    assert "lastChangedDate" in done.stdout
    assert "Open output/demo/report.html in a browser." in done.stdout
    html = (PROJECT / "output/demo/report.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 4
    assert "No rows" not in html
