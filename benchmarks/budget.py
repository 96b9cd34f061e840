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

ORDERS = 2_000
TRIES = 3


def measured(folder: Path) -> dict[str, float]:
    """Return what a sync of a few thousand purchase orders costs.

    What else runs on the machine makes CPU dearer, now more and now less: so start-up, sync and
    json are measured one after the other, and the try counts in which the sync cost least.

    Args:
        folder: For the files that a run needs.
    """
    limits = {"getPurchaseOrders": UNLIMITED}
    ratios, syncs = [], []
    with serving(folder, orders=ORDERS, items=ITEMS, limits=False) as server:
        output = sync_to_file(server, folder, rate_limits=limits)
        for _ in range(TRIES):
            start_up = run((TAP, "--version"), folder / "log").cpu
            syncs.append(sync(server, folder, rate_limits=limits))
            ratios.append((syncs[-1].cpu - start_up) / json_seconds(output))
    return {
        "orders": min(done.messages.found("purchase_orders") for done in syncs),
        "times_json": min(ratios),
        "peak_mb": max(done.peak_mb for done in syncs),
    }


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
