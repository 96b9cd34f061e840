"""The tap as a whole, on any Python: `make newer-python` runs this on another one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from simulator import Options, Simulator, World, published_plans
from simulator.truth import truth
from tests.support.runs import run_tap, select

if TYPE_CHECKING:
    from pathlib import Path

UNLIMITED = {name: {"rate": 1000, "burst": 1000} for name in published_plans()}


def test_syncs_every_row_of_every_stream(tmp_path: Path) -> None:
    with Simulator(World(orders=60), Options(limits=False)) as simulator:
        config = simulator.config(rate_limits=UNLIMITED, order_reports_strategy="purchase_order")
        rows = truth(simulator.world)["rows"]
        run = run_tap(config, tmp_path, catalog=select(*rows))
    discovered = json.loads(run_tap({}, tmp_path, "--discover").output)["streams"]
    assert {stream["tap_stream_id"] for stream in discovered} == rows.keys()
    assert run.status == 0, run.log
    assert {stream: len(run.records(stream)) for stream in run.schemas} == rows
