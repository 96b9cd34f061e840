"""The budget of a sync: CPU beside what json needs for the same records, and peak memory.

Both bounds are about twice what is measured (1.5 times json, 70 MB), since a machine that is busy
spends more CPU on threads than on json. `make bench` measures more exactly.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def test_a_sync_of_a_few_thousand_orders_stays_within_its_budget(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.budget", str(tmp_path)],
        check=True,
        stdout=subprocess.PIPE,
        timeout=280,
        cwd=PROJECT,
    )
    found = json.loads(done.stdout)
    assert found["orders"] == 2_000
    assert found["times_json"] < 3.2
    assert found["peak_mb"] < 130
