"""APIs that are down: the sync ends soon, and logs each cause once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from simulator import Reply, Reset
from tests.support.clocks import IdleClock
from tests.support.faults import Fails, Refuses
from tests.support.runs import Run, run_by, select
from tests.support.serving import BY_DEFAULT, OPERATIONS, serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator import Fault, Faults, Request

LONGEST = 180
"""Seconds after which a sync without any answer has ended."""

VENDOR = OPERATIONS[:4]
BUSINESS = OPERATIONS[4:]
SYNCED = ("purchase_orders", "vendor_shipments", "orders", "transactions")


def sync(clock: IdleClock, faults: Iterable[Faults], *streams: str) -> Run:
    """Sync streams, by default two of each API."""
    with serve(clock, orders=60, faults=[*faults]) as serving:
        return run_by(clock, settings(serving), catalog=select(*(streams or SYNCED)))


@pytest.fixture(name="clock")
def idle_clock() -> IdleClock:
    """Return a clock on which the sleeps of threads overlap."""
    return IdleClock()


def down(operations: Iterable[str], fault: Fault) -> list[Faults]:
    return [Refuses(operation, fault) for operation in operations]


def lines(run: Run) -> list[str]:
    """Return the lines that are for people; METRIC lines are not."""
    return [line for line in run.log.splitlines() if "METRIC" not in line]


@pytest.mark.parametrize("fault", [Reply(503), Reset()], ids=["503", "reset"])
@pytest.mark.parametrize("operations", [OPERATIONS, ("token",)], ids=["APIs", "sign-in"])
def test_a_sync_without_any_answer_ends_soon(
    clock: IdleClock, operations: tuple[str, ...], fault: Fault
) -> None:
    run = sync(clock, down(operations, fault))
    assert run.status == 1
    assert clock.monotonic() <= LONGEST
    assert len(lines(run)) < 60
    (failed,) = re.findall(r"^Error: .* Failed: ([\w, ]+) \(", run.log, re.MULTILINE)
    assert {*failed.split(", ")} == {*SYNCED}
    assert "are complete" not in run.log


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "3600"}], ids=["", "with Retry-After"])
def test_a_lasting_429_ends_the_sync_soon(clock: IdleClock, headers: dict[str, str]) -> None:
    run = sync(clock, down(OPERATIONS, Reply(429, headers)))
    assert run.status == 1
    assert clock.monotonic() <= LONGEST
    assert len(lines(run)) < 100


def test_one_api_that_is_down_leaves_the_other_one_alone(clock: IdleClock) -> None:
    run = sync(clock, down(VENDOR, Reply(503)))
    assert run.status == 1
    assert clock.monotonic() <= LONGEST
    assert len(lines(run)) < 60
    assert run.records("orders")
    assert run.records("transactions")
    assert "The other streams are complete and bookmarked" in run.log


def test_the_cause_of_an_outage_is_logged_once_per_api(clock: IdleClock) -> None:
    run = sync(clock, down(OPERATIONS, Reply(503)))
    (*lines, _) = run.log.splitlines()  # the last one repeats the first error
    causes = [line for line in lines if re.search(r" failed in \d attempts: HTTP 503", line)]
    assert len(causes) == 2
    assert run.log.count("failed for the same reason") == len(SYNCED) - 2
    attempts = [line for line in lines if "attempt 1 of 8" in line]
    assert len(attempts) <= 4  # two operations of each API


class Blackout:
    """Lets some requests for purchase orders pass; from then on nothing answers."""

    def __init__(self, after: int, fault: Fault) -> None:
        self._fails = Fails("getPurchaseOrders", after, fault)
        self._fault: Fault | None = None

    def decide(self, request: Request) -> Fault | None:
        # When order_reports lists the numbers of all orders depends on threads.
        if "includeDetails" not in request.parameters:
            self._fault = self._fault or self._fails.decide(request)
        return self._fault


@pytest.mark.parametrize(
    "fault",
    [Reply(503), Reset(), Reply(429, {"Retry-After": "3600"})],
    ids=["503", "reset", "a long Retry-After"],
)
def test_an_outage_in_the_middle_ends_the_sync_soon(clock: IdleClock, fault: Fault) -> None:
    run = sync(clock, [Blackout(30, fault)], *BY_DEFAULT)
    assert run.status == 1
    assert clock.monotonic() <= LONGEST
    assert len(lines(run)) < 60
    assert "2026-01-01" < run.bookmark("purchase_orders") < "2026-06-01"
    assert run.records("orders")
    assert run.bookmark("order_line_items") == "2026-06-01T11:58:00Z"
