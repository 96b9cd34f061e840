"""purchase_orders: every order once a sync, and a bookmark that passes nothing unread."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, PageQuirks
from simulator.models import write_sandbox
from simulator.options import NO_PAGE_QUIRKS
from tests.support.catalogs import select
from tests.support.faults import Answers, Served, refusal
from tests.support.orders import LATELY, order, orders_page
from tests.support.runs import Run, run_by
from tests.support.serving import NO_LIMITS, VENDOR_ONLY, serve, settings

if TYPE_CHECKING:
    from pathlib import Path

    from simulator import Request, Simulator
    from tests.support.clocks import FakeClock

MARGIN = timedelta(minutes=2)
"""The least distance from now of a request, and the age of the bookmark after a sync."""


def sync(
    clock: FakeClock,
    serving: Simulator,
    before: Run | None = None,
    *,
    streams: tuple[str, ...] = (),
    **extra: Any,
) -> Run:
    """Sync purchase orders, and perhaps other streams, from where an earlier run ended."""
    run = run_by(
        clock,
        settings(serving, **VENDOR_ONLY, **extra),
        state=before.state if before else None,
        catalog=select("purchase_orders", *streams),
    )
    assert run.status == 0, run.log
    return run


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


# ---- what comes --------------------------------------------------------------------------------


def test_finds_orders_that_never_changed(clock: FakeClock) -> None:
    with serve(clock, orders=60, changed=0, quirks=False) as serving:
        assert len(sync(clock, serving).numbers()) == 60


def test_last_changed_date_is_the_latest_of_the_three_dates(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        created = clock.now() - timedelta(days=10)
        serving.world.add_order(
            created=created,
            changed=created + timedelta(days=2),
            state_changed=created + timedelta(days=1),
        )
        (record,) = sync(clock, serving).records("purchase_orders")
    assert record["lastChangedDate"] == record["purchaseOrderChangedDate"]
    assert moment(record["lastChangedDate"]) == created + timedelta(days=2)


def test_empty_pages_with_a_token_do_not_end_a_list(clock: FakeClock) -> None:
    quirks = PageQuirks(empty_page=0.5)
    options = replace(NO_LIMITS, empty_pages=True, page_quirks=quirks)
    with serve(clock, options, orders=600, span_days=12) as serving:
        run = sync(clock, serving)
        assert set(run.numbers()) == set(serving.world.purchase_orders())


def test_a_row_dated_exactly_between_two_windows_comes_once(clock: FakeClock) -> None:
    start = clock.now() - timedelta(days=20)
    cut = start + timedelta(days=7) - timedelta(minutes=1)
    dates = [start, *(cut + timedelta(seconds=offset) for offset in (-1, 0, 1))]
    with serve(clock, orders=0, quirks=False) as serving:
        numbers = [serving.world.add_order(created=date) for date in dates]
        run = sync(clock, serving, start_date=start.isoformat())
    assert run.numbers() == dict.fromkeys(numbers, 1)


def test_a_number_sent_as_a_number_and_as_text_is_one_order(clock: FakeClock) -> None:
    with serve(clock, orders=0, faults=[orders_page(order(12), order("12"))]) as serving:
        assert set(sync(clock, serving, **LATELY).numbers()) == {"12"}


# ---- what is asked for -------------------------------------------------------------------------


def test_start_date_and_end_date_bound_what_is_read(clock: FakeClock) -> None:
    start, end = clock.now() - timedelta(days=60), clock.now() - timedelta(days=30)
    with serve(clock, orders=200, quirks=False, changed=0) as serving:
        run = sync(clock, serving, start_date=start.isoformat(), end_date=end.isoformat())
        expected = {
            number
            for number, row in serving.world.purchase_orders().items()
            if start <= moment(row["orderDetails"]["purchaseOrderDate"]) < end
        }
    assert 0 < len(expected) < 200
    assert set(run.numbers()) == expected
    assert moment(run.bookmark()) == end


def test_warns_of_a_start_date_before_the_api_s_reach(clock: FakeClock) -> None:
    with serve(clock, orders=30, quirks=False) as serving:
        run = sync(clock, serving, start_date="2024-01-01T00:00:00Z")
        stats = serving.stats()
    assert len(run.numbers()) == 30
    assert "179 days" in run.log
    assert "2024-01-01" in run.log
    assert not stats.malformed


def test_reads_each_vendor_code(clock: FakeClock) -> None:
    with serve(clock, orders=60, quirks=False) as serving:
        rows = serving.world.purchase_orders()
        codes = sorted({row["orderDetails"]["sellingParty"]["partyId"] for row in rows.values()})
        both = sync(clock, serving, ordering_vendor_codes=codes)
        one = sync(clock, serving, ordering_vendor_codes=codes[:1])
        asked = {call.parameters.get("orderingVendorCode") for call in serving.stats().calls}
    assert len(codes) == 2
    assert both.numbers() == dict.fromkeys(rows, 1)
    assert set(one.numbers()) == {
        number
        for number, row in rows.items()
        if row["orderDetails"]["sellingParty"]["partyId"] == codes[0]
    }
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
    clock: FakeClock, setting: str, value: Any, parameter: str, sent: str
) -> None:
    with serve(clock, orders=10, quirks=False) as serving:
        sync(clock, serving, **LATELY, **{setting: value})
        stats = serving.stats()
    assert {call.parameters[parameter] for call in stats.calls} == {sent}
    assert not stats.unknown_parameters


def test_without_details_records_hold_numbers_and_states_only(clock: FakeClock) -> None:
    with serve(clock, orders=30, quirks=False) as serving:
        run = sync(clock, serving, include_details=False)
    assert len(run.numbers()) == 30
    assert {"purchaseOrderNumber", "purchaseOrderState"} == {
        name
        for record in run.records("purchase_orders")
        for name, value in record.items()
        if value is not None
    }


# ---- by number ---------------------------------------------------------------------------------


def test_orders_by_number_leave_the_bookmark_where_it_is(clock: FakeClock) -> None:
    with serve(clock, orders=30) as serving:
        first = sync(clock, serving)
        wanted = sorted(serving.world.purchase_orders())[:5]
        run = sync(clock, serving, first, purchase_order_numbers=[*wanted, "NOT-THERE/1"])
    assert run.numbers() == dict.fromkeys(wanted, 1)
    assert run.bookmark() == first.bookmark()


def test_names_a_number_that_amazon_does_not_know(clock: FakeClock) -> None:
    with serve(clock, orders=3) as serving:
        run = sync(clock, serving, purchase_order_numbers=["NOT-THERE/1"])
    assert "NOT-THERE/1" in run.log
    assert run.numbers() == {}


def test_two_spellings_of_a_number_are_one_order(clock: FakeClock) -> None:
    answers = Answers("getPurchaseOrder", {"payload": order("A1")})
    with serve(clock, orders=0, faults=[answers]) as serving:
        run = sync(clock, serving, purchase_order_numbers=["A1", "a1"])
    assert sorted(request.argument for request in answers.asked) == ["A1", "a1"]
    assert run.numbers() == {"A1": 1}


# ---- from one sync to the next -----------------------------------------------------------------


def test_a_second_sync_brings_what_changed_and_what_is_new(clock: FakeClock) -> None:
    with serve(clock, orders=150) as serving:
        first = sync(clock, serving)
        clock.advance(hours=6)
        touched = serving.world.change(fraction=0.1, state_only=0.2, new=10)
        second = sync(clock, serving, first)
    expected = {*touched.changed, *touched.state_only, *touched.new}
    assert touched.state_only
    assert expected <= set(second.numbers())
    assert set(second.numbers().values()) == {1}
    # A bucket in which one row changed is written whole.
    assert len(second.numbers()) < 2 * len(expected)


FEED = "getPurchaseOrdersStatus"


@pytest.mark.parametrize("age", [5, 40, 150])
def test_the_next_sync_brings_a_change_of_state_and_a_cut(clock: FakeClock, age: int) -> None:
    with serve(clock, orders=80, quirks=False) as serving:
        created = clock.now() - timedelta(days=age)
        moved, cut = (serving.world.add_order(created=created, items=3) for _ in range(2))
        first = sync(clock, serving)
        clock.advance(hours=3)
        serving.world.move_state(moved)
        serving.world.cut(cut)
        clock.advance(minutes=10)
        second = sync(clock, serving, first)
        rows = serving.rows("purchase_orders")
    found = {r["purchaseOrderNumber"]: r for r in second.records("purchase_orders")}
    assert found[moved]["purchaseOrderState"] == rows[moved,]["purchaseOrderState"] != "New"
    quantities = [item["orderedQuantity"] for item in found[cut]["items"]]
    assert quantities == [item["orderedQuantity"] for item in rows[cut,]["orderDetails"]["items"]]


def test_without_the_change_feed_the_lookback_brings_every_change(clock: FakeClock) -> None:
    options = replace(NO_LIMITS, lacking_roles=frozenset({FEED}))
    with serve(clock, options, orders=0, quirks=False) as serving:
        created = clock.now() - timedelta(days=80)
        cut = serving.world.add_order(created=created, items=3)
        run = sync(clock, serving)
        clock.advance(days=2)
        run = sync(clock, serving, run)
        assert run.log.count("change feed unavailable") == 1
        serving.world.cut(cut)
        clock.advance(hours=1)
        brought = list[str]()
        for _ in range(6):
            run = sync(clock, serving, run)
            clock.advance(hours=5)
            brought += run.numbers()
    assert cut in brought


def test_of_many_orders_that_changed_the_feed_hurries_300(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        created = clock.now() - timedelta(days=100)
        numbers = [
            serving.world.add_order(created=created + timedelta(minutes=place))
            for place in range(310)
        ]
        run = sync(clock, serving)
        clock.advance(hours=1)
        for number in numbers:
            serving.world.move_state(number)
        clock.advance(hours=1)
        serving.reset_stats()
        run = sync(clock, serving, run)
        assert len(run.numbers()) == 300
        assert serving.stats().operations["getPurchaseOrder"].requests == 300
        assert run.log.count("10 beyond the 300 of one sync") == 1
        brought = set(run.numbers())
        for _ in range(5):
            clock.advance(hours=5)
            run = sync(clock, serving, run)
            brought |= set(run.numbers())
    assert brought == set(numbers)


def test_a_row_that_appears_late_comes(clock: FakeClock) -> None:
    with serve(clock, orders=20, quirks=False) as serving:
        first = sync(clock, serving)
        appears = clock.now() + timedelta(hours=9)
        number = serving.world.add_order(created=clock.now(), appears=appears)
        clock.advance(hours=8)
        second = sync(clock, serving, first)
        clock.advance(hours=2)
        third = sync(clock, serving, second)
    assert number not in second.numbers()
    assert third.numbers()[number] == 1


def test_filters_hold_for_orders_that_changed_late(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        created = clock.now() - timedelta(days=100)
        number = serving.world.add_order(created=created)
        first = sync(clock, serving, purchase_order_state="New")
        clock.advance(hours=1)
        serving.world.move_state(number)
        clock.advance(hours=1)
        second = sync(clock, serving, first, purchase_order_state="New")
    assert first.numbers() == {number: 1}
    assert second.numbers() == {}


def test_the_bookmark_of_a_quiet_account_moves(clock: FakeClock) -> None:
    with serve(clock, orders=0) as serving:
        first = sync(clock, serving)
        clock.advance(days=3)
        second = sync(clock, serving, first)
    assert moment(second.bookmark()) == clock.now() - MARGIN
    assert moment(second.bookmark()) - moment(first.bookmark()) == timedelta(days=3)


def test_a_row_from_the_future_does_not_move_the_bookmark(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        number = serving.world.add_order(
            created=clock.now() - timedelta(days=2), state_changed=clock.now() + timedelta(days=900)
        )
        run = sync(clock, serving)
    assert run.numbers() == {number: 1}
    assert moment(run.bookmark()) == clock.now() - MARGIN


def test_state_follows_every_window_and_only_moves_forward(clock: FakeClock) -> None:
    with serve(clock, orders=20, quirks=False) as serving:
        run = sync(clock, serving)
    bookmarks = [state["bookmarks"].get("purchase_orders") for state in run.states]
    marks = [bookmark["replication_key_value"] for bookmark in bookmarks if bookmark]
    assert len(marks) <= 35  # six months in windows of just under a week, the first ones narrower
    assert marks == sorted(set(marks))


@pytest.mark.parametrize("windows_done", [9, 25])
def test_resumes_after_the_last_finished_window(clock: FakeClock, windows_done: int) -> None:
    with serve(clock, orders=120, quirks=False) as serving:
        whole = sync(clock, serving)
        ends = [place for place, m in enumerate(whole.messages) if m["type"] == "STATE"]
        lines = whole.output.splitlines(keepends=True)[: ends[windows_done] + 1]
        cut_short = Run(1, "".join(lines), "")
        resumed = sync(clock, serving, cut_short)
    assert set(cut_short.numbers()) | set(resumed.numbers()) == set(whole.numbers())
    assert len(resumed.numbers()) < len(whole.numbers())


@pytest.mark.parametrize("stream", ["purchase_orders", "purchase_order_statuses"])
def test_reads_the_past_of_vendor_codes_added_later(clock: FakeClock, stream: str) -> None:
    with serve(clock, orders=80, quirks=False) as serving:
        orders = serving.rows("purchase_orders").values()
        codes = sorted({row["orderDetails"]["sellingParty"]["partyId"] for row in orders})
        assert len(codes) == 2

        def numbers(state: dict[str, Any] | None, codes: list[str]) -> tuple[int, dict[str, Any]]:
            config = settings(serving, ordering_vendor_codes=codes, lookback_days=0)
            run = run_by(clock, config, catalog=select(stream), state=state)
            assert run.status == 0, run.log
            return len(run.numbers(stream)), run.state

        one, state = numbers(None, codes[:1])
        assert 0 < one < 80
        assert numbers(state, codes)[0] == 80
        every, state = numbers(state, [])
        assert every == 80
        assert numbers(state, codes[1:])[0] < 40  # the bookmark covers it already


# ---- pages and tokens --------------------------------------------------------------------------


def test_a_page_token_that_stays_refused_makes_the_list_start_over(clock: FakeClock) -> None:
    refused = refusal(400, "InvalidInput", "Invalid Input")
    options = replace(NO_LIMITS, page_quirks=NO_PAGE_QUIRKS)
    with serve(clock, options, orders=250, span_days=0.2, quirks=False) as serving:
        start = (clock.now() - timedelta(hours=5)).isoformat()
        serving.fail_next("getPurchaseOrders", Served(), *[refused] * 4)
        run = sync(clock, serving, start_date=start, max_parallel_requests=1)
        calls = serving.stats().calls
    assert run.numbers() == dict.fromkeys(serving.world.purchase_orders(), 1)
    assert "page token" in run.log
    tokens = ["nextToken" in c.parameters for c in calls if c.operation == "getPurchaseOrders"]
    assert tokens[:7] == [False, True, True, True, True, False, True]


def test_page_tokens_that_lead_round_in_circles_fail_the_stream(clock: FakeClock) -> None:
    def lead_on(request: Request) -> object:
        token = {"A": "B"}.get(request.parameters.get("nextToken", ""), "A")
        return {"payload": {"orders": [order("A1")], "pagination": {"nextToken": token}}}

    answers = Answers("getPurchaseOrders", lead_on)
    with serve(clock, orders=0, faults=[answers]) as serving:
        config = settings(serving, max_parallel_requests=1, **LATELY)
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "getPurchaseOrders" in run.log
    assert "page tokens" in run.log
    assert len(answers.asked) == 3  # the first page, A and B


def test_an_access_token_refused_in_the_middle_is_renewed(clock: FakeClock) -> None:
    with serve(clock, orders=40) as serving:
        unauthorized = refusal(403, "Unauthorized", "expired")
        serving.fail_next("getPurchaseOrders", Served(), Served(), unauthorized)
        run = sync(clock, serving)
        stats = serving.stats()
    assert len(run.numbers()) == 40
    assert stats.token_requests == {"selling_partner": 2}


# ---- Amazon's sandbox --------------------------------------------------------------------------


def test_the_sandbox_s_answers_give_records(clock: FakeClock, tmp_path: Path) -> None:
    with serve(clock, Options(limits=False, model=write_sandbox(tmp_path)), orders=0) as serving:
        run = sync(clock, serving)
    assert run.numbers() == {f"SANDBOX{number}": 1 for number in (1, 2, 3, 4, 5)}
    orders = {record["purchaseOrderNumber"]: record for record in run.records("purchase_orders")}
    assert orders["SANDBOX2"]["items"][0]["orderedQuantity"]["unitOfMeasure"] == "CASES"
    amounts = [item["netCost"]["amount"] for item in orders["SANDBOX1"]["items"]]
    assert sum(map(Decimal, amounts)) == Decimal("200.15")
    assert orders["SANDBOX3"].get("items") is None


def test_the_sandbox_s_answer_by_number_gives_a_record(clock: FakeClock, tmp_path: Path) -> None:
    with serve(clock, Options(limits=False, model=write_sandbox(tmp_path)), orders=0) as serving:
        run = sync(clock, serving, purchase_order_numbers=["SANDBOX7"])
    (record,) = run.records("purchase_orders")
    assert record["purchaseOrderDate"] == "2019-02-01T00:00:00Z"
