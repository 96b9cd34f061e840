"""BATCH: the files hold the same records as messages would, and no STATE comes before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batches import batch_config, batch_texts
from tests.support.catalogs import deselect, select
from tests.support.clocks import FakeClock
from tests.support.leaks import leaks
from tests.support.runs import Run, run_by, run_tap
from tests.support.serving import STREAMS, serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Simulator


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Serve orders with all oddities."""
    with serve(FakeClock(), orders=40) as serving:
        yield serving


def sync(clock: FakeClock, simulator: Simulator, folder: Path, *streams: str, **extra: Any) -> Run:
    """Sync into BATCH files."""
    config = settings(simulator, batch_config=batch_config(folder), **extra)
    return run_by(clock, config, catalog=select(*(streams or STREAMS)))


def texts(run: Run) -> str:
    """Return the text of all BATCH files."""
    found = (batch_texts(m) for m in run.messages if m["type"] == "BATCH")
    return "".join(text for part in found for text in part)


def test_batches_hold_the_records_that_come_without_them(
    clock: FakeClock, simulator: Simulator, tmp_path: Path
) -> None:
    plain = run_by(clock, settings(simulator), catalog=select(*STREAMS))
    run = sync(clock, simulator, tmp_path)
    assert run.status == 0, run.log
    batched = run.batched()
    for stream, names in run.key_fields.items():
        found = {tuple(record[name] for name in names): record for record in batched[stream]}
        assert len(found) == len(batched[stream]), stream
        assert found == plain.by_key(stream), stream
        assert not run.records(stream)
    assert run.schemas == plain.schemas
    assert set(run.state["bookmarks"]) == set(plain.state["bookmarks"])


def test_no_state_comes_before_the_first_batch_and_one_comes_last(
    clock: FakeClock, simulator: Simulator, tmp_path: Path
) -> None:
    run = sync(clock, simulator, tmp_path, "orders")
    kinds = [message["type"] for message in run.messages]
    assert "BATCH" in kinds
    assert "STATE" not in kinds[: kinds.index("BATCH")]
    assert kinds[-1] == "STATE"


def test_deselected_fields_are_not_in_batches(
    clock: FakeClock, simulator: Simulator, tmp_path: Path
) -> None:
    catalog = select("orders", "order_reports", "purchase_orders")
    deselect(catalog, "buyingCustomer", "approverDetails")
    config = settings(simulator, batch_config=batch_config(tmp_path))
    run = run_by(clock, config, catalog=catalog)
    assert run.batched()["orders"]
    assert run.batched()["order_reports"]
    assert "buyingCustomer" not in texts(run)
    assert "approverDetails" not in texts(run)
    assert not leaks(texts(run))


def test_children_come_in_batches_without_their_parent(
    clock: FakeClock, simulator: Simulator, tmp_path: Path
) -> None:
    run = sync(clock, simulator, tmp_path, "purchase_order_items")
    items = run.batched()
    assert set(items) == {"purchase_order_items"}
    assert len(items["purchase_order_items"]) == len(simulator.rows("purchase_order_items"))
    assert run.bookmark() == "2026-06-01T11:58:00Z"


def test_children_without_their_parent_have_states_on_the_way(tmp_path: Path) -> None:
    counts = []
    for extra in ({}, {"batch_config": batch_config(tmp_path, size=10)}):
        clock = FakeClock()
        with serve(clock, orders=60, quirks=False) as serving:
            run = run_by(clock, settings(serving, **extra), catalog=select("purchase_order_items"))
        counts.append(len(run.states))
    assert counts[0] == counts[1] > 20


@pytest.mark.parametrize(
    "maps",
    [{"copies": {"__source__": "orders"}}, {"orders": {"__alias__": "purchases"}}],
    ids=["copy", "alias"],
)
def test_streams_of_other_names_are_refused_in_batches(
    clock: FakeClock, simulator: Simulator, tmp_path: Path, maps: dict[str, Any]
) -> None:
    run = sync(clock, simulator, tmp_path, "orders", "transactions", stream_maps=maps)
    assert run.status == 1
    assert "orders: stream_maps" in run.log
    assert "batch_config" in run.log
    assert run.bookmark("transactions")
    assert {m["stream"] for m in run.messages if m["type"] == "BATCH"} == {"transactions"}


def test_a_folder_that_cannot_be_written_ends_the_tap_with_a_plain_message(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a-file"
    file.touch()
    with serve(orders=5) as serving:
        config = settings(serving, batch_config=batch_config(file / "batches"))
        run = run_tap(config, tmp_path, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "Cannot write the tap's output: Not a directory." in run.log
    assert "Traceback" not in run.log
