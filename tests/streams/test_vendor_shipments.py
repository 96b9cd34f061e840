"""vendor_shipments: what the vendor announced, read again as no date shows changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.catalogs import select
from tests.support.faults import Answers, Refuses, refusal
from tests.support.runs import run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from simulator import Request
    from tests.support.clocks import FakeClock

STREAM = "vendor_shipments"


def test_windows_are_shorter_than_seven_days_with_pages_of_fifty(clock: FakeClock) -> None:
    with serve(clock, orders=20) as serving:
        run = run_by(clock, settings(serving, start_date="2026-05-01"), catalog=select(STREAM))
        stats = serving.stats()
    assert run.status == 0, run.log
    assert stats.calls
    for call in stats.calls:
        after, before = (
            datetime.fromisoformat(call.parameters[name])
            for name in ("createdAfter", "createdBefore")
        )
        assert before - after < timedelta(days=7)
        assert call.parameters["limit"] == "50"
    assert not stats.malformed


def test_shipments_within_the_lookback_come_again_if_they_changed(clock: FakeClock) -> None:
    rows = [
        {"vendorShipmentIdentifier": f"S{age}", "shipmentCreateDate": f"2026-05-{age}T10:00:00Z"}
        for age in (10, 25, 26)
    ]

    def within(request: Request) -> object:
        after, before = (request.parameters[name] for name in ("createdAfter", "createdBefore"))
        listed = [row for row in rows if after < row["shipmentCreateDate"] < before]
        return {"payload": {"shipments": listed}}

    faults = [Answers("GetShipmentDetails", within)]
    with serve(clock, orders=0, faults=faults) as serving:
        config = settings(serving, shipment_lookback_days=10, lookback_cycle_hours=0)
        first = run_by(clock, config, catalog=select(STREAM))
        again = run_by(clock, config, state=first.state, catalog=select(STREAM))
        for row in rows[:2]:
            row["currentShipmentStatus"] = "Shipped"
        second = run_by(clock, config, state=first.state, catalog=select(STREAM))
    assert first.keys(STREAM) == [("S10",), ("S25",), ("S26",)]
    assert again.keys(STREAM) == []
    assert second.keys(STREAM) == [("S25",)]  # the other one is older than the lookback


# ---- accounts without shipments ----------------------------------------------------------------

NOT_FOUND = refusal(404, "ResourceNotFound")


@pytest.mark.parametrize("streams", [(STREAM,), ("purchase_orders", STREAM)], ids=" ".join)
def test_an_account_without_shipments_is_warned_of(
    clock: FakeClock, streams: tuple[str, ...]
) -> None:
    faults = [Refuses("GetShipmentDetails", NOT_FOUND)]
    with serve(clock, orders=5, faults=faults) as serving:
        run = run_by(clock, settings(serving), catalog=select(*streams))
    assert run.status == 0, run.log
    assert run.log.count(f"{STREAM}: this account has no shipments in the API") == 1
    assert not run.state["bookmarks"].get(STREAM)


def test_shipments_that_appear_later_are_read_from_the_start(clock: FakeClock) -> None:
    faults = Refuses("GetShipmentDetails", NOT_FOUND, times=16)
    with serve(clock, orders=30, quirks=False, faults=[faults]) as serving:
        config = settings(serving, max_parallel_requests=1)
        first = run_by(clock, config, catalog=select(STREAM))
        faults.met.extend(faults.met * 16)
        second = run_by(clock, config, state=first.state, catalog=select(STREAM))
        expected = set(serving.rows(STREAM))
    assert first.records(STREAM) == []
    assert set(second.keys(STREAM)) == expected


def test_an_api_without_any_operation_fails_the_stream(clock: FakeClock) -> None:
    faults = [Refuses(name, NOT_FOUND) for name in ("GetShipmentDetails", "getPurchaseOrders")]
    with serve(clock, orders=5, faults=faults) as serving:
        run = run_by(clock, settings(serving), catalog=select(STREAM))
    assert run.status == 1
    assert f"{STREAM}: GetShipmentDetails" in run.log
    assert "HTTP 404 ResourceNotFound" in run.log
