"""vendor_shipments: what the vendor announced, read again as no date tells of changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.catalogs import select
from tests.support.runs import run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
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


def test_shipments_within_the_lookback_come_again(clock: FakeClock) -> None:
    with serve(clock, orders=60, quirks=False) as serving:
        first = run_by(clock, settings(serving), catalog=select(STREAM))
        config = settings(serving, lookback_days=10)
        second = run_by(clock, config, state=first.state, catalog=select(STREAM))
    horizon = datetime.fromisoformat(first.bookmark(STREAM)) - timedelta(days=10)
    expected = {
        key
        for key, record in first.by_key(STREAM).items()
        if datetime.fromisoformat(record["shipmentCreateDate"]) >= horizon
    }
    assert 0 < len(expected) < len(first.records(STREAM))
    assert set(second.keys(STREAM)) == expected
