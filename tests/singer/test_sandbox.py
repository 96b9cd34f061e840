"""Syncs in Amazon's sandbox: its examples, and nothing that a later sync would go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator import Options
from tap_amazon_business.api.sandbox import EXAMPLES
from tests.support.faults import Refuses, refusal
from tests.support.runs import run_by, select
from tests.support.serving import (
    BUSINESS_ONLY,
    BY_DEFAULT,
    CHILDREN,
    OPERATION_OF,
    OPERATIONS,
    VENDOR_ONLY,
    serve,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator import Simulator
    from tests.support.clocks import FakeClock

STRICT = Options(limits=False, sandbox=True)
EXPECTED = {
    "purchase_orders": ["EXAMPLE1", "EXAMPLE2"],
    "purchase_order_statuses": ["EXAMPLE4"],
    "vendor_shipments": ["EXAMPLE5"],
    "transactions": ["EXAMPLE7"],
}


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[Simulator]:
    """Serve what Amazon's static sandbox answers."""
    with serve(clock, STRICT, orders=0) as simulator:
        yield simulator


def test_every_stream_emits_its_example(clock: FakeClock, sandbox: Simulator) -> None:
    run = run_by(clock, settings(sandbox, sandbox=True))
    assert run.status == 0, run.log
    assert run.schemas == dict.fromkeys(BY_DEFAULT, 1)
    without = {stream for stream in BY_DEFAULT if not run.records(stream)}
    assert {OPERATION_OF.get(stream) for stream in without}.isdisjoint(EXAMPLES)
    keys = {stream: sorted(str(key[0]) for key in run.keys(stream)) for stream in EXPECTED}
    assert keys == EXPECTED


def test_each_example_is_asked_for_once(clock: FakeClock, sandbox: Simulator) -> None:
    run_by(clock, settings(sandbox, sandbox=True))
    stats = sandbox.stats()
    # A single order is requested only if the change feed names it.
    asked = {name: stats.operations[name].requests for name in OPERATIONS}
    assert asked == {n: int(n in EXAMPLES and n != "getPurchaseOrder") for n in OPERATIONS}
    assert stats.malformed == {}


def test_the_items_of_an_example_are_records_of_their_own(
    clock: FakeClock, sandbox: Simulator
) -> None:
    run = run_by(clock, settings(sandbox, sandbox=True), catalog=select("purchase_order_items"))
    items = run.records("purchase_order_items")
    assert {item["purchaseOrderNumber"] for item in items} == {*EXPECTED["purchase_orders"]}
    assert {item["netCost"]["amount"] for item in items} == {"7.25"}


@pytest.mark.parametrize(
    "config",
    [
        VENDOR_ONLY,
        BUSINESS_ONLY,
        {"purchase_order_numbers": ["A", "B"]},
        {"ordering_vendor_codes": ["X1", "X2"], "purchase_order_state": "New"},
        {"order_reports_strategy": "order_date"},
        {"business_api_regions": ["DE", "FR"]},
        {"start_date": "2026-05-01", "end_date": "2026-05-02"},
    ],
    ids=lambda config: next(iter(config)),
)
def test_other_settings_change_no_example(
    clock: FakeClock, sandbox: Simulator, config: dict[str, object]
) -> None:
    run = run_by(clock, settings(sandbox, **{"sandbox": True, **config}))
    assert run.status == 0, run.log
    counts = {s: len(run.records(s)) for s in run.schemas}
    assert {n for s, n in counts.items() if OPERATION_OF.get(s, "") in EXAMPLES} <= {1, 2}
    assert sandbox.stats().malformed == {}


def test_says_once_that_these_are_examples(clock: FakeClock, sandbox: Simulator) -> None:
    run = run_by(clock, settings(sandbox, sandbox=True))
    shown = [row for row in run.log.splitlines() if "examples" in row]
    assert len(shown) == 1
    assert "The sandbox returns Amazon's examples, not data of this account" in shown[0]


def test_a_sync_outside_of_the_sandbox_says_nothing_of_examples(
    clock: FakeClock,
) -> None:
    with serve(clock, orders=3) as serving:
        assert "example" not in run_by(clock, settings(serving)).log


def test_there_is_no_state(clock: FakeClock, sandbox: Simulator) -> None:
    assert run_by(clock, settings(sandbox, sandbox=True)).states == []


def test_the_state_of_another_sync_stays_as_it_is(clock: FakeClock, sandbox: Simulator) -> None:
    with serve(clock, orders=3) as serving:
        state = run_by(clock, settings(serving)).state
    bookmarks = {stream: part for stream, part in state["bookmarks"].items() if part}
    run = run_by(clock, settings(sandbox, sandbox=True), state={"bookmarks": bookmarks})
    # Those of the children are their parents', but what was asked for by number has its own.
    assert bookmarks.keys() == {*BY_DEFAULT} - {*CHILDREN} | {"order_reports"}
    assert run.states == [{"bookmarks": bookmarks}]
    assert len(run.records("purchase_orders")) == 2


def test_an_example_that_is_refused_fails_its_stream_alone(clock: FakeClock) -> None:
    refusing = Refuses("getTransactions", refusal(400, "InvalidInput"))
    with serve(clock, STRICT, orders=0, faults=[refusing]) as sandbox:
        run = run_by(clock, settings(sandbox, sandbox=True))
    assert run.status == 1
    assert "Failed: transactions" in run.log
    assert "getTransactions (sandbox) was refused: HTTP 400 InvalidInput" in run.log
    assert run.records("orders")
