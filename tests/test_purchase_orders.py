"""purchase_orders: every order, once a sync, and a bookmark that never lies."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, PageQuirks, Plan, Reply, Simulator, World
from tap_amazon_business.times import rfc3339
from tests.support.faults import Served
from tests.support.runs import Run, run_by, run_tap, select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clocks import FakeClock

MODELS = Path(
    os.environ.get("AMAZON_MODELS", Path(__file__).parent.parent.parent / "shared" / "models")
)
FAST = {"getOrderReportsByPurchaseOrderNumber": Plan(rate=2000, burst=200)}
VENDOR_ONLY: dict[str, Any] = {
    f"business_api_{name}": "" for name in ("client_id", "client_secret", "refresh_token")
}


@contextmanager
def simulator(
    clock: FakeClock, *, options: Options | None = None, **world: Any
) -> Iterator[Simulator]:
    """Serve a world that lives by an injected clock."""
    with Simulator(
        World(now=clock.now, **world), options or Options(rates=FAST), monotonic=clock.monotonic
    ) as serving:
        yield serving


def sync(serving: Simulator, clock: FakeClock, before: Run | None = None, **settings: Any) -> Run:
    """Sync purchase orders alone, from where an earlier run ended."""
    config = serving.config(**{**VENDOR_ONLY, **settings})
    state = before.state if before else None
    return run_by(clock, config, state=state, catalog=select("purchase_orders"))


def test_every_order_and_every_report_comes_exactly_once(tmp_path: Path) -> None:
    with Simulator(World(orders=3000), Options(rates=FAST)) as serving:
        catalog = select("purchase_orders", "order_reports")
        config = serving.config(rate_limits=_own_plan(), order_reports_strategy="purchase_order")
        run = run_tap(config, tmp_path, catalog=catalog)
        stats = serving.stats()
        orders, reports = serving.world.purchase_orders(), serving.world.order_reports()
    assert run.status == 0
    assert run.numbers() == dict.fromkeys(orders, 1)
    found = [(r["purchaseOrderNumber"], r["orderId"]) for r in run.records("order_reports")]
    assert sorted(found) == sorted(reports)
    assert {
        name: traffic.refused for name, traffic in stats.operations.items() if traffic.refused
    } == {}
    assert not stats.malformed
    assert not stats.unknown_parameters
    assert sorted(stats.token_requests.values()) == [1, 1]
    assert len(str(run.state)) < 1000
    assert len(run.log.splitlines()) < 200
    assert run.schemas == {"purchase_orders": 1, "order_reports": 1}


def test_orders_never_changed_are_found(clock: FakeClock) -> None:
    with simulator(clock, orders=200, changed=0, quirks=False) as serving:
        assert len(sync(serving, clock).records("purchase_orders")) == 200


def test_the_digits_of_every_amount_survive(clock: FakeClock) -> None:
    with simulator(clock, orders=150) as serving:
        records = {
            r["purchaseOrderNumber"]: r for r in sync(serving, clock).records("purchase_orders")
        }
        rows = serving.world.purchase_orders()
    for number, row in rows.items():
        items = (row.get("orderDetails") or {}).get("items") or []
        expected = [((i.get("netCost") or {}).get("amount")) for i in items]
        got = [((i.get("netCost") or {}).get("amount")) for i in records[number].get("items") or []]
        assert got == expected


def test_every_date_is_utc_with_a_z(clock: FakeClock) -> None:
    with simulator(clock, orders=300) as serving:
        records = sync(serving, clock).records("purchase_orders")
        rows = serving.world.purchase_orders()
    assert any("+02:00" in str(row) for row in rows.values())
    dates = [
        record[name]
        for record in records
        for name in record
        if name.endswith("Date") and record[name] is not None
    ]
    assert len(dates) > 600
    assert all(date.endswith("Z") and datetime.fromisoformat(date) for date in dates)


def test_last_changed_date_is_the_latest_of_the_three(clock: FakeClock) -> None:
    with simulator(clock, orders=0, quirks=False) as serving:
        created = clock.now() - timedelta(days=10)
        number = serving.world.add_order(
            created=created,
            changed=created + timedelta(days=2),
            state_changed=created + timedelta(days=1),
        )
        (record,) = sync(serving, clock).records("purchase_orders")
    assert record["purchaseOrderNumber"] == number
    assert record["lastChangedDate"] == record["purchaseOrderChangedDate"]


def test_a_second_sync_brings_what_changed_and_what_is_new(clock: FakeClock) -> None:
    with simulator(clock, orders=400) as serving:
        first = sync(serving, clock)
        clock.advance(hours=6)
        touched = serving.world.change(fraction=0.1, state_only=0.2, new=20)
        second = sync(serving, clock, first)
    expected = {*touched.changed, *touched.state_only, *touched.new}
    assert touched.state_only
    assert expected <= set(second.numbers())
    assert set(second.numbers().values()) == {1}
    others = set(second.numbers()) - expected
    # Rows without any date cannot be told from changed ones; they are not left out.
    undated = {
        r["purchaseOrderNumber"]
        for r in second.records("purchase_orders")
        if r.get("lastChangedDate") is None
    }
    recent = {
        r["purchaseOrderNumber"]
        for r in first.records("purchase_orders")
        if r.get("lastChangedDate")
        and datetime.fromisoformat(r["lastChangedDate"])
        >= datetime.fromisoformat(first.bookmark()) - timedelta(hours=1)
    }
    assert others <= undated | recent


def test_a_change_of_state_is_found_within_the_lookback_only(clock: FakeClock) -> None:
    with simulator(clock, orders=0, quirks=False) as serving:
        number = serving.world.add_order(created=clock.now() - timedelta(days=5))
        first = sync(serving, clock)
        clock.advance(hours=3)
        serving.world.change(fraction=0, state_only=1)
        assert sync(serving, clock, first).numbers() == {number: 1}
        assert sync(serving, clock, first, lookback_days=2).numbers() == {}


def test_the_bookmark_of_a_quiet_account_moves(clock: FakeClock) -> None:
    with simulator(clock, orders=0) as serving:
        first = sync(serving, clock)
        clock.advance(days=3)
        now = clock.now()
        second = sync(serving, clock, first)
    assert second.bookmark() == rfc3339(now - timedelta(minutes=2)) > first.bookmark()


def test_the_bookmark_is_two_minutes_old_and_no_odd_date_moves_it(clock: FakeClock) -> None:
    with simulator(clock, orders=0, quirks=False) as serving:
        serving.world.add_order(
            created=clock.now() - timedelta(days=2), state_changed=clock.now() + timedelta(days=900)
        )
        now = clock.now()
        run = sync(serving, clock)
    assert run.records("purchase_orders")
    assert run.bookmark() == rfc3339(now - timedelta(minutes=2))


def test_state_follows_every_finished_slice_and_only_moves_forward(clock: FakeClock) -> None:
    with simulator(clock, orders=50, quirks=False) as serving:
        run = sync(serving, clock)
    marks = [
        state["bookmarks"]["purchase_orders"]["replication_key_value"]
        for state in run.states
        if state["bookmarks"].get("purchase_orders")
    ]
    assert len(marks) == 26  # six months in slices of just under a week
    assert marks == sorted(set(marks))


@pytest.mark.parametrize("slices_done", [1, 7, 20])
def test_a_sync_that_died_goes_on_behind_its_last_finished_slice(
    clock: FakeClock, slices_done: int
) -> None:
    with simulator(clock, orders=300, quirks=False) as serving:
        run = sync(serving, clock)
        cut = [i for i, m in enumerate(run.messages) if m["type"] == "STATE"][slices_done]
        emitted = {
            m["record"]["purchaseOrderNumber"] for m in run.messages[:cut] if m["type"] == "RECORD"
        }
        state = run.messages[cut]["value"]
        config = serving.config(**VENDOR_ONLY)
        resumed = run_by(clock, config, state=state, catalog=select("purchase_orders"))
        assert emitted | set(resumed.numbers()) == set(serving.world.purchase_orders())


def test_start_date_and_end_date_bound_what_is_read(clock: FakeClock) -> None:
    start, end = clock.now() - timedelta(days=60), clock.now() - timedelta(days=30)
    with simulator(clock, orders=600, quirks=False, changed=0) as serving:
        run = sync(serving, clock, start_date=start.isoformat(), end_date=end.isoformat())
        expected = {
            number
            for number, row in serving.world.purchase_orders().items()
            if start <= datetime.fromisoformat(row["orderDetails"]["purchaseOrderDate"]) < end
        }
    assert expected
    assert set(run.numbers()) == expected
    assert datetime.fromisoformat(run.bookmark()) == end


def test_a_start_that_the_api_does_not_reach_is_moved_up_and_said(clock: FakeClock) -> None:
    with simulator(clock, orders=100) as serving:
        run = sync(serving, clock, start_date="2024-01-01T00:00:00Z")
        stats = serving.stats()
    assert run.status == 0
    assert len(run.numbers()) == 100
    assert "reaches back 180 days only" in run.log
    assert not stats.malformed


def test_a_row_dated_exactly_on_a_cut_between_slices_is_found(clock: FakeClock) -> None:
    start = clock.now() - timedelta(days=20)
    cut = start + timedelta(days=7) - timedelta(minutes=1)
    with simulator(clock, orders=0, quirks=False) as serving:
        numbers = {
            serving.world.add_order(created=cut + timedelta(seconds=offset))
            for offset in (-1, 0, 1)
        } | {serving.world.add_order(created=start)}
        run = sync(serving, clock, start_date=start.isoformat())
    assert set(run.numbers()) == numbers


def test_empty_pages_that_carry_a_token_do_not_end_a_list(clock: FakeClock) -> None:
    options = Options(rates=FAST, empty_pages=True, page_quirks=PageQuirks(empty_page=0.5))
    with simulator(clock, options=options, orders=1500) as serving:
        assert len(sync(serving, clock).numbers()) == 1500


def test_one_pass_per_vendor_code(clock: FakeClock) -> None:
    with simulator(clock, orders=100, quirks=False) as serving:
        rows = serving.world.purchase_orders()
        codes = sorted({r["orderDetails"]["sellingParty"]["partyId"] for r in rows.values()})
        both = sync(serving, clock, ordering_vendor_codes=codes)
        one = sync(serving, clock, ordering_vendor_codes=codes[:1])
        asked = {call.parameters.get("orderingVendorCode") for call in serving.stats().calls}
    assert len(codes) == 2
    assert len(both.numbers()) == 100
    assert 0 < len(one.numbers()) < 100
    assert asked == set(codes)


@pytest.mark.parametrize(
    ("setting", "value", "parameter", "sent"),
    [
        ("purchase_order_state", "New", "purchaseOrderState", "New"),
        ("po_item_state", "Cancelled", "poItemState", "Cancelled"),
        ("is_po_changed", True, "isPOChanged", "true"),
        ("include_details", False, "includeDetails", "false"),
    ],
)
def test_filters_reach_the_api(
    clock: FakeClock, setting: str, value: object, parameter: str, sent: str
) -> None:
    with simulator(clock, orders=60, quirks=False) as serving:
        settings: dict[str, Any] = {setting: value}
        run = sync(serving, clock, **settings)
        stats = serving.stats()
    assert run.status == 0
    assert {call.parameters[parameter] for call in stats.calls} == {sent}
    assert not stats.unknown_parameters


def test_without_details_numbers_and_states_come(clock: FakeClock) -> None:
    with simulator(clock, orders=60, quirks=False) as serving:
        run = sync(serving, clock, include_details=False)
    assert len(run.numbers()) == 60
    assert {"purchaseOrderNumber", "purchaseOrderState"} == {
        name
        for r in run.records("purchase_orders")
        for name, value in r.items()
        if value is not None
    }


def test_orders_by_number_leave_the_bookmark_where_it_is(clock: FakeClock) -> None:
    with simulator(clock, orders=50) as serving:
        first = sync(serving, clock)
        wanted = sorted(serving.world.purchase_orders())[:5]
        run = sync(serving, clock, first, purchase_order_numbers=[*wanted, "NOT-THERE/1"])
    assert run.status == 0
    assert run.numbers() == dict.fromkeys(wanted, 1)
    assert "there is no purchase order NOT-THERE/1" in run.log
    assert run.bookmark() == first.bookmark()


def test_a_page_token_that_expires_begins_its_list_again(clock: FakeClock) -> None:
    refused = Reply(400, body=b'{"errors":[{"code":"InvalidInput","message":"Invalid Input"}]}')
    options = Options(rates=FAST, page_quirks=PageQuirks(empty_page=0, repeated_row=0, stray_row=0))
    with simulator(clock, options=options, orders=250, span_days=6, quirks=False) as serving:
        start = (clock.now() - timedelta(days=6, hours=12)).isoformat()
        serving.fail_next("getPurchaseOrders", Served(), refused, refused, refused, refused)
        run = sync(serving, clock, start_date=start, max_parallel_requests=1)
    assert run.status == 0
    assert len(run.numbers()) == 250
    assert set(run.numbers().values()) == {1}
    assert "its list is begun again" in run.log


def test_tokens_revoked_in_the_middle_are_renewed(clock: FakeClock) -> None:
    with simulator(clock, orders=100) as serving:
        run_before = sync(serving, clock)
        serving.revoke_tokens()
        unauthorized = Reply(403, body=b'{"errors":[{"code":"Unauthorized","message":"expired"}]}')
        serving.fail_next("getPurchaseOrders", Served(), Served(), unauthorized)
        run = sync(serving, clock)
    assert run_before.status == run.status == 0
    assert len(run.numbers()) == 100


def test_the_sandbox_replies_that_amazon_publishes_give_records(
    clock: FakeClock, tmp_path: Path
) -> None:
    model = tmp_path / "model.json"
    model.write_text(_MODEL, encoding="utf-8")
    run = _sync_model(clock, model)
    assert run.numbers() == {"2JK3S9VC": 1, "3TRD2IAB": 1}


@pytest.mark.parametrize(
    "model", sorted(MODELS.glob("vendorOrders.json")), ids=lambda path: path.name
)
def test_the_published_model_itself_gives_its_orders(clock: FakeClock, model: Path) -> None:
    run = _sync_model(clock, model)
    orders = {r["purchaseOrderNumber"]: r for r in run.records("purchase_orders")}
    assert {"2JK3S9VC", "3TRD2IAB", "2JK3S9XY", "3TRD2ABC"} <= set(orders)
    assert set(run.numbers().values()) == {1}
    assert orders["3TRD2IAB"]["items"][0]["orderedQuantity"]["unitOfMeasure"] == "CASES"
    amounts = [item["netCost"]["amount"] for item in orders["2JK3S9VC"]["items"]]
    assert sum(map(Decimal, amounts)) == Decimal("988.45")


def _sync_model(clock: FakeClock, model: Path) -> Run:
    with simulator(clock, options=Options(model=model), orders=0) as serving:
        run = sync(serving, clock)
    assert run.status == 0, run.log
    return run


def _own_plan() -> dict[str, Any]:
    return {name: {"rate": plan.rate, "burst": plan.burst} for name, plan in FAST.items()}


_MODEL = """{"paths": {"/vendor/orders/v1/purchaseOrders": {"get": {
 "operationId": "getPurchaseOrders", "responses": {"200": {"x-amzn-api-sandbox": {"static": [
  {"request": {"parameters": {"createdAfter": {"value": "2019-08-20T14:00:00"},
                              "createdBefore": {"value": "2019-09-21T00:00:00"}}},
   "response": {"payload": {"pagination": {"nextToken": "MDAwMDAwMDAwMQ=="},
    "orders": [{"purchaseOrderNumber": "2JK3S9VC", "purchaseOrderState": "New"}]}}},
  {"request": {"parameters": {"createdAfter": {"value": "2019-08-20T14:00:00"},
                              "nextToken": {"value": "MDAwMDAwMDAwMQ=="}}},
   "response": {"payload": {"orders": [{"purchaseOrderNumber": "3TRD2IAB"}]}}}]}}}}},
 "/vendor/orders/v1/purchaseOrders/{purchaseOrderNumber}": {"get": {
  "operationId": "getPurchaseOrder",
  "responses": {"200": {"x-amzn-api-sandbox": {"static": []}}}}}}, "definitions": {}}"""
