"""The whole chain into files: `meltano run tap-amazon-business target-jsonl`."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.soak.truth import STREAMS, Key
from tests.support.chain import Chain, emitted
from tests.support.serving import serve, settings
from tests.warehouses.warehouse import Rows, assert_same, served

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.end_to_end


def read(folder: Path, stream: str) -> list[dict[str, Any]]:
    """Return the records of a stream, in the order in which they came."""
    lines = (folder / f"{stream}.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line, parse_float=Decimal) for line in lines if line]


def test_every_row_lands_and_then_the_changed_and_the_new_ones(tmp_path: Path) -> None:
    with serve(orders=60) as simulator:
        loader = {
            "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
            "TARGET_JSONL_DO_TIMESTAMP_FILE": "false",
        }
        # A run that follows immediately reads next to nothing of the lookback by default.
        chain = Chain(tmp_path, settings(simulator, lookback_cycle_hours=0), loader)
        chain.run("run", "tap-amazon-business", "target-jsonl")
        lines = {stream: len(read(tmp_path, stream)) for stream in STREAMS}
        assert lines == {stream: len(rows) for stream, rows in served(simulator.world).items()}
        simulator.world.change(fraction=0.05, state_only=0.1, new=15)
        brought = emitted(chain.run("run", "tap-amazon-business", "target-jsonl"))
        expected = served(simulator.world)
    latest: Rows = {}
    for stream, feature in STREAMS.items():
        records = read(tmp_path, stream)
        # This loader appends: what comes again is there again, the latest last.
        assert len(records) == lines[stream] + brought[stream]
        added = Counter(_key(record, feature.key) for record in records[lines[stream] :])
        assert set(added.values()) <= {1}
        latest[stream] = {_key(record, feature.key): record for record in records}
    assert_same(latest, expected)


def _key(record: dict[str, Any], names: tuple[str, ...]) -> Key:
    return tuple(record[name] for name in names)
