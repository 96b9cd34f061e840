"""Date ranges of vendor operations."""

from datetime import UTC, datetime, timedelta

import pytest

from simulator import Options
from simulator.tests.support import ORDERS, Simulators, days_ago, error_of, window


@pytest.mark.parametrize("text", ["2026-05-2014:00:00", "2026-05-20", "yesterday", ""])
def test_refuses_an_invalid_date(simulators: Simulators, text: str) -> None:
    reply = simulators.start().get(ORDERS, createdAfter=text, createdBefore=days_ago(1).isoformat())
    assert error_of(reply) == (400, "InvalidInput")


@pytest.mark.parametrize(
    "text", ["2026-05-29T12:00:00", "2026-05-29T12:00:00Z", "2026-05-29T14:00:00.000+02:00"]
)
def test_date_without_an_offset_is_utc(simulators: Simulators, text: str) -> None:
    world = simulators.world(orders=0)
    number = world.add_order(created=datetime(2026, 5, 29, 12, 0, 1, tzinfo=UTC))
    client = simulators.start(world)
    rows = client.orders(createdAfter=text, createdBefore="2026-05-29T12:00:02Z")
    assert [row["purchaseOrderNumber"] for row in rows] == [number]


def test_accepts_just_under_seven_days_and_six_months(simulators: Simulators) -> None:
    client = simulators.start()
    first = days_ago(184) + timedelta(seconds=1)
    last = first + timedelta(days=7, seconds=-1)
    assert client.get(ORDERS, **window(first, last)).status_code == 200


def test_one_bound_and_sort_order_can_be_allowed(simulators: Simulators) -> None:
    client = simulators.start(options=Options(one_bound_fails=False, sort_order_fails=False))
    after = days_ago(3).isoformat()
    assert client.get(ORDERS, createdAfter=after, sortOrder="ASC").status_code == 200


def test_excludes_both_bounds(simulators: Simulators) -> None:
    world = simulators.world(orders=0)
    world.add_order(created=days_ago(3))
    inside = world.add_order(created=days_ago(2))
    world.add_order(created=days_ago(1))
    rows = simulators.start(world).orders(**window(days_ago(3), days_ago(1)))
    assert [row["purchaseOrderNumber"] for row in rows] == [inside]
