"""Every change is found, whatever the dates say, and unchanged rows are not written again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.catalogs import deselect, select
from tests.support.faults import Answers
from tests.support.serving import BY_DEFAULT, NO_LIMITS, serve
from tests.support.syncs import Syncs, last, warnings

if TYPE_CHECKING:
    from simulator import Request, Simulator
    from tests.support.clocks import FakeClock

ORDERS, STATUSES = "purchase_orders", "purchase_order_statuses"
FEED = "getPurchaseOrdersStatus"


def aged(clock: FakeClock, serving: Simulator, *days: float, **traits: Any) -> list[str]:
    """Add an order of each age, and return their numbers."""
    now, add = clock.now(), serving.world.add_order
    return [add(created=now - timedelta(days=age), items=2, **traits) for age in days]


def quantities(row: dict[str, Any]) -> list[Any]:
    items = row.get("orderDetails", row)["items"]
    return [item["orderedQuantity"]["amount"] for item in items]


def cut(serving: Simulator, numbers: list[str], **how: Any) -> list[str]:
    """Cut those orders of which something is left to cut, and return their numbers."""
    rows = serving.rows(ORDERS)
    able = [number for number in numbers if quantities(rows[number,])[-1]]
    for number in able:
        serving.world.cut(number, **how)
    return able


def outdated(serving: Simulator, found: dict[Any, Any], numbers: list[str]) -> list[str]:
    """Return the orders that were not written as they are now."""
    rows = serving.rows(ORDERS)
    return [
        number
        for number in numbers
        if (number,) not in found or quantities(found[number,]) != quantities(rows[number,])
    ]


# ---- changes -------------------------------------------------------------------------------------

AGES = (1.5, 3, 5, 8, 20, 40, 80, 120, 150, 170)


@pytest.mark.parametrize("hours", [1.5, 10])
def test_a_cut_that_is_visible_later_than_it_is_dated_comes_within_a_cycle(
    clock: FakeClock, hours: float
) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        numbers = aged(clock, serving, *AGES)
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        syncs.after(1)
        numbers = cut(serving, numbers, appears=clock.now() + timedelta(hours=hours))
        # The feed is asked just before the change can be seen.
        runs = [syncs.after(hours - 0.1), *syncs.cycle()]
        assert outdated(serving, last(runs, ORDERS), numbers) == []


@pytest.mark.parametrize("stream", [ORDERS, STATUSES])
def test_a_cut_without_any_date_comes_within_a_cycle(clock: FakeClock, stream: str) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        numbers = aged(clock, serving, *AGES)
        syncs = Syncs(clock, serving, stream)
        syncs.sync()
        syncs.after(30)
        numbers = cut(serving, numbers, dated=False)
        found = last(syncs.cycle(), stream)
        assert {(number,) for number in numbers} == found.keys()


@pytest.mark.parametrize("text", ["day", "90 s off", "months off"])
def test_a_status_of_another_date_names_its_order_all_the_same(clock: FakeClock, text: str) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        ages = [5 + place * 2.7 for place in range(60)]
        numbers = aged(clock, serving, *ages)
        for number, age in zip(numbers, ages, strict=True):
            created = clock.now() - timedelta(days=age)
            dates = {
                "day": created.strftime("%Y-%m-%d"),
                "90 s off": (created - timedelta(seconds=90)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "months off": "2026-02-02T00:00:00Z",
            }
            serving.world.date_status(number, dates[text])
        syncs = Syncs(clock, serving, ORDERS, lookback_cycle_hours=744)
        syncs.sync()
        syncs.after(1)
        changed = cut(serving, numbers)
        run = syncs.after(1)
        assert len(changed) > 50
        assert outdated(serving, last([run], ORDERS), changed) == []


@pytest.mark.parametrize(
    "date", ["2026-05-20", "2026-05-20T09:28:30Z", "2026-03-02T00:00:00Z"], ids=str
)
def test_neighbours_come_in_the_next_sync_whatever_date_their_statuses_carry(
    clock: FakeClock, date: str
) -> None:
    state = ["Acknowledged"]

    def order(number: int) -> dict[str, Any]:
        quantity = {"amount": 1, "unitOfMeasure": "Eaches", "unitSize": 1}
        return {
            "purchaseOrderNumber": f"7TESTA0{number}",
            "purchaseOrderState": state[0],
            "orderDetails": {
                "purchaseOrderDate": f"2026-05-20T09:3{number}:00Z",
                "items": [{"itemSequenceNumber": "1", "orderedQuantity": quantity}],
            },
        }

    def listed(request: Request) -> object:
        after, before = (request.parameters[f"created{end}"] for end in ("After", "Before"))
        rows = [order(1), order(2)]
        kept = [r for r in rows if after < r["orderDetails"]["purchaseOrderDate"] < before]
        return {"payload": {"orders": kept}}

    def named(request: Request) -> object:
        rows = [
            {
                "purchaseOrderNumber": f"7TESTA0{number}",
                "purchaseOrderDate": date,
                "lastUpdatedDate": "2026-06-01T12:30:00Z",
            }
            for number in (1, 2)
        ]
        after, before = (request.parameters.get(f"updated{end}", "") for end in ("After", "Before"))
        return {
            "payload": {"ordersStatus": rows if after < "2026-06-01T12:30:00Z" < before else []}
        }

    faults = [
        Answers(
            "getPurchaseOrders", lambda r: listed(r) if "createdAfter" in r.parameters else NONE
        ),
        Answers("getPurchaseOrder", lambda r: {"payload": order(int(r.argument[-1]))}),
        Answers(FEED, named),
    ]
    with serve(clock, orders=0, faults=faults) as serving:
        syncs = Syncs(clock, serving, ORDERS, lookback_cycle_hours=744)
        assert syncs.sync().numbers() == {"7TESTA01": 1, "7TESTA02": 1}
        state[0] = "Closed"
        run = syncs.after(1)
    states = [(r["purchaseOrderNumber"], r["purchaseOrderState"]) for r in run.records(ORDERS)]
    assert sorted(states) == [("7TESTA01", "Closed"), ("7TESTA02", "Closed")]


NONE: dict[str, Any] = {"payload": {"orders": []}}


@pytest.mark.parametrize("streams", [(ORDERS,), (STATUSES,), ("vendor_shipments",)], ids=str)
def test_orders_hidden_for_days_come_within_a_cycle(
    clock: FakeClock, streams: tuple[str, ...]
) -> None:
    with serve(clock, orders=120, span_days=12, quirks=False) as serving:
        now = clock.now()
        serving.world.hide_orders(now - timedelta(days=4.5), now)
        syncs = Syncs(clock, serving, *streams)
        runs = [syncs.sync()]
        before = len(last(runs, *streams))
        serving.world.show_all()
        runs += syncs.cycle()
        expected = serving.rows(*streams)
    assert 0 < before < len(expected) - 20
    assert last(runs, *streams).keys() == expected.keys()


@pytest.mark.parametrize("stream", ["orders", "order_reports", "transactions"])
def test_reports_hidden_for_days_come_within_a_cycle(clock: FakeClock, stream: str) -> None:
    with serve(clock, orders=60, span_days=12, quirks=False) as serving:
        now = clock.now()
        serving.world.hide_reports(now - timedelta(days=4.5), now)
        syncs = Syncs(clock, serving, stream)
        runs = [syncs.sync()]
        before = len(last(runs, stream))
        serving.world.show_all()
        runs += syncs.cycle()
        expected = serving.rows(stream)
    assert 0 < before < len(expected)
    assert last(runs, stream).keys() == expected.keys()


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("ages", [(190, 200), (190, 190.01)], ids=["apart", "neighbours"])
def test_orders_beyond_the_reach_hide_no_change_of_younger_ones(
    clock: FakeClock, status: int, ages: tuple[float, ...]
) -> None:
    options = replace(NO_LIMITS, old_orders=status)
    with serve(clock, options, orders=0, quirks=False) as serving:
        old = aged(clock, serving, *ages)
        young = aged(clock, serving, *AGES)
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        clock.advance(hours=1)
        cut(serving, old)
        changed = cut(serving, young)
        runs = [syncs.after(1), syncs.after(1)]
        assert outdated(serving, last(runs, ORDERS), changed) == []


def test_more_changes_than_are_asked_for_by_number_come_within_a_cycle(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        ages = [5 + place / 2 for place in range(330)]
        numbers = [
            serving.world.add_order(created=clock.now() - timedelta(days=age), items=1, reports=0)
            for age in ages
        ]
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        clock.advance(hours=1)
        for number in numbers:
            serving.world.move_state(number)
        serving.reset_stats()
        runs = [syncs.after(1)]
        asked = serving.stats().operations["getPurchaseOrder"].requests
        runs += syncs.cycle()
        rows = serving.rows(ORDERS)
    found = last(runs, ORDERS)
    assert asked <= 300
    assert [key for key in rows if key not in found] == []


def test_without_the_change_feed_every_change_comes_within_a_cycle(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    options = replace(NO_LIMITS, missing_operations=frozenset({FEED}))
    with serve(clock, options, orders=0, quirks=False) as serving:
        numbers = aged(clock, serving, *AGES)
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        changed = cut(serving, numbers)
        caplog.clear()
        runs = [syncs.after(1)]
        assert len(warnings(caplog)) == 1
        runs += syncs.cycle()
        assert outdated(serving, last(runs, ORDERS), changed) == []


@pytest.mark.parametrize("named", ["feed dates", "order dates"])
def test_transactions_that_are_fed_late_come_within_a_cycle(clock: FakeClock, named: str) -> None:
    options = replace(NO_LIMITS, transactions_by_order_date=named == "order dates")
    with serve(clock, options, orders=0, quirks=False) as serving:
        (number,) = aged(clock, serving, 70, reports=0)
        syncs = Syncs(clock, serving, "transactions")
        runs = [syncs.sync()]
        appears = clock.now() + timedelta(hours=3)
        for age in range(1, 50, 2):
            ordered = clock.now() - timedelta(days=age)
            serving.world.add_report(number, ordered=ordered, appears=appears)
        runs += [syncs.after(4), *syncs.cycle()]
        expected = serving.rows("transactions")
    assert len(expected) > 15
    assert last(runs, "transactions").keys() == expected.keys()


@pytest.mark.parametrize("stream", ["orders", "order_line_items", "shipments"])
def test_a_report_that_changes_without_a_date_comes_within_a_cycle(
    clock: FakeClock, stream: str
) -> None:
    with serve(clock, orders=40, span_days=50, quirks=False, regions=("US",)) as serving:
        syncs = Syncs(clock, serving, stream, "orders")
        syncs.sync()
        moved = [order_id for (order_id,) in list(serving.rows("orders"))[::7]]
        for order_id in moved:
            serving.world.move_report(order_id)
        runs = syncs.cycle()
        rows = serving.rows("orders")
    found = last(runs, "orders")
    assert {key: found[key]["orderStatus"] for key in found if key[0] in moved} == {
        (order_id,): rows[order_id,]["orderStatus"] for order_id in moved
    }


# ---- what is not written -------------------------------------------------------------------------


def test_an_account_where_nothing_changes_writes_nothing(clock: FakeClock) -> None:
    with serve(clock, orders=150, span_days=60, quirks=False) as serving:
        clock.advance(hours=12)
        syncs = Syncs(clock, serving, *BY_DEFAULT)
        syncs.sync()
        syncs.after(2)
        runs = [syncs.after(1), *syncs.cycle()]
    assert [m for run in runs for m in run.messages if m["type"] == "RECORD"] == []


def test_a_change_that_two_syncs_list_is_written_once(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        (number,) = aged(clock, serving, 1)
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        syncs.after(1 / 6)
        serving.world.cut(number)
        runs = [syncs.after(1 / 3), syncs.after(1 / 4), syncs.after(1)]
    assert [run.keys(ORDERS) for run in runs] == [[(number,)], [], []]


def test_only_the_days_in_which_something_changed_are_written(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        ages = [age + part / 10 for age in range(6, 60, 3) for part in range(3)]
        numbers = aged(clock, serving, *ages)
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        syncs.after(30)
        changed = cut(serving, numbers[3::20], dated=False)
        found = last(syncs.cycle(), ORDERS)
    assert len(changed) >= 2
    assert {(number,) for number in changed} <= found.keys()
    assert len(found) <= 3 * len(changed)


def test_an_hourly_sync_asks_for_little(clock: FakeClock) -> None:
    with serve(clock, orders=150, quirks=False) as serving:
        syncs = Syncs(clock, serving, ORDERS, "order_reports")
        syncs.sync()
        syncs.after(2)
        serving.world.change(fraction=0.02, state_only=0.02, new=3)
        serving.reset_stats()
        syncs.after(1)
        calls = serving.stats().calls
    assert [call for call in calls if "includeDetails" in call.parameters] == []
    assert len(calls) < 40


@pytest.mark.parametrize(("without_date", "lowest", "most"), [(0, 20, 40), (20, 150, 200)])
def test_the_lookback_is_listed_day_by_day_only_where_dates_are_missing(
    clock: FakeClock, without_date: int, lowest: int, most: int
) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        numbers = aged(clock, serving, *(7 + age / 5 for age in range(200)))
        for number in numbers[:without_date]:
            serving.world.date_status(number, "soon")
        syncs = Syncs(clock, serving, STATUSES)
        syncs.sync()
        syncs.after(24)
        serving.reset_stats()
        run = syncs.after(24)
        windows = {
            tuple(call.parameters[name] for name in ("createdAfter", "createdBefore"))
            for call in serving.stats().calls
            if "createdAfter" in call.parameters
        }
    assert run.keys(STATUSES) == []
    assert lowest < len(windows) < most
    # What the last sync learned is not tried again.
    longest = max(
        datetime.fromisoformat(end) - datetime.fromisoformat(start) for start, end in windows
    )
    assert (longest > timedelta(days=4)) == (not without_date)


# ---- what shapes records -------------------------------------------------------------------------


def test_a_field_selected_later_is_written_for_the_whole_lookback_within_a_cycle(
    clock: FakeClock,
) -> None:
    with serve(clock, orders=60, quirks=False) as serving:
        syncs = Syncs(clock, serving, catalog=deselect(select(ORDERS), "purchaseOrderType"))
        first = syncs.sync()
        assert not any("purchaseOrderType" in record for record in first.records(ORDERS))
        found = last(
            [syncs.sync(catalog=select(ORDERS)), *syncs.cycle(catalog=select(ORDERS))], ORDERS
        )
        expected = serving.rows(ORDERS)
    assert found.keys() == expected.keys()
    assert all(record["purchaseOrderType"] for record in found.values())


def test_a_stream_map_added_later_is_applied_to_the_whole_lookback_within_a_cycle(
    clock: FakeClock,
) -> None:
    maps: dict[str, Any] = {"stream_maps": {ORDERS: {"source": "'amazon'"}}}
    with serve(clock, orders=60, quirks=False) as serving:
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        found = last([syncs.sync(**maps), *syncs.cycle(**maps)], ORDERS)
        expected = serving.rows(ORDERS)
    assert found.keys() == expected.keys()
    assert {record["source"] for record in found.values()} == {"amazon"}
