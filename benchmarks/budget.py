"""One sync against a budget: `python -m benchmarks.budget FOLDER` prints its figures as JSON.

A process of its own, because what it starts never counts as smaller than itself: see `Run.peak_mb`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.bench import ITEMS
from benchmarks.messages import json_seconds
from benchmarks.process import run
from benchmarks.server import UNLIMITED, serving
from benchmarks.tap import TAP, sync, sync_to_file

ORDERS = 5_000
TRIES = 2


def measured(folder: Path) -> dict[str, float]:
    """Return what a sync of a few thousand purchase orders costs.

    Least CPU of some tries on both sides: what else runs on the machine only adds to it.

    Args:
        folder: For the files that a run needs.
    """
    limits = {"getPurchaseOrders": UNLIMITED}
    with serving(folder, orders=ORDERS, items=ITEMS, limits=False) as server:
        syncs = [sync(server, folder, rate_limits=limits) for _ in range(TRIES)]
        output = sync_to_file(server, folder, rate_limits=limits)
    start_up = min(run((TAP, "--version"), folder / "log").cpu for _ in range(TRIES))
    spent = min(json_seconds(output) for _ in range(TRIES))
    return {
        "orders": min(done.messages.found("purchase_orders") for done in syncs),
        "json_cpu": spent,
        "times_json": (min(done.cpu for done in syncs) - start_up) / spent,
        "peak_mb": max(done.peak_mb for done in syncs),
    }


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
