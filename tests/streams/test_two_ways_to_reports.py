"""order_reports by number and from the lists: each way is complete in itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Cut, Reply, published_plans
from tests.support.catalogs import entry, metadata, select
from tests.support.clocks import BEGINNING
from tests.support.faults import Refuses, ok, refusal
from tests.support.runs import run_by
from tests.support.serving import FAST_PLANS, NO_LIMITS, serve
from tests.support.syncs import Syncs, last, warnings

if TYPE_CHECKING:
    from simulator import Options, Simulator
    from tests.support.clocks import FakeClock

MAIN = ("purchase_orders", "order_reports")
BY_NUMBER = "getOrderReportsByPurchaseOrderNumber"
LISTS = "getOrderReports"
MISSION = frozenset({"getPurchaseOrders", BY_NUMBER})
BY_PURCHASE_ORDER: dict[str, Any] = {"order_reports_strategy": "purchase_order"}


def only_the_mission(status: int) -> Options:
    """Return rules by which only two operations answer, and all others are refused."""
    others = frozenset(published_plans()) - MISSION
    if status == 404:
        return replace(NO_LIMITS, missing_operations=others)
    return replace(NO_LIMITS, lacking_roles=others)


def asked(serving: Simulator) -> list[str | None]:
    """Return the numbers that reports were asked for by."""
    return [call.argument for call in serving.stats().calls if call.operation == BY_NUMBER]


# ---- the lists are refused -----------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("quirks", [True, False], ids=["odd", "plain"])
def test_the_main_job_needs_two_operations(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, status: int, *, quirks: bool
) -> None:
    with serve(clock, only_the_mission(status), orders=60, quirks=quirks) as serving:
        config = serving.config(rate_limits=FAST_PLANS)
        run = run_by(clock, config, catalog=select(*MAIN))
        orders, reports = serving.rows("purchase_orders"), serving.rows("order_reports")
    assert run.status == 0, run.log
    assert run.by_key("purchase_orders").keys() == orders.keys()
    ids = {record["orderId"] for record in run.records("order_reports")}
    assert ids == {order_id for _, order_id in reports}
    assert len(warnings(caplog, "order_reports", LISTS)) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_changes_arrive_with_two_operations_within_a_cycle(clock: FakeClock, status: int) -> None:
    with serve(clock, only_the_mission(status), orders=30, span_days=50, quirks=False) as serving:
        syncs = Syncs(clock, serving, *MAIN)
        syncs.sync()
        syncs.after(1)
        moved = list(serving.rows("order_reports"))[::5]
        for _, order_id in moved:
            serving.world.move_report(order_id)
        number = next(iter(serving.rows("purchase_orders")))[0]
        added = serving.world.add_report(number, ordered=clock.now() - timedelta(days=1))
        found = last(syncs.cycle(), "order_reports")
        rows = serving.rows("order_reports")
    assert {key: found[key]["orderStatus"] for key in moved if key in found} == {
        key: rows[key]["orderStatus"] for key in moved
    }
    assert (number, added) in found


def test_what_else_is_selected_fails_alone(clock: FakeClock) -> None:
    with serve(clock, only_the_mission(403), orders=30, quirks=False) as serving:
        config = serving.config(rate_limits=FAST_PLANS)
        run = run_by(clock, config, catalog=select(*MAIN, "shipments", "transactions"))
        reports = serving.rows("order_reports")
    assert run.status == 1
    assert run.by_key("order_reports").keys() == reports.keys()
    assert run.bookmark("purchase_orders") == "2026-06-01T11:58:00Z"


@pytest.mark.parametrize(
    "fault",
    [
        refusal(400, "INVALID_REQUEST_PARAMETER"),
        refusal(403, "Unauthorized"),
        refusal(404, "NotFound"),
        Reply(500),
    ],
    ids=["400", "403", "404", "500"],
)
def test_where_the_lists_fail_auto_asks_by_number_in_the_same_sync(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, fault: Reply
) -> None:
    faults = [Refuses(LISTS, fault)]
    with serve(clock, orders=30, quirks=False, faults=faults) as serving:
        config = serving.config(rate_limits=FAST_PLANS)
        run = run_by(clock, config, catalog=select(*MAIN))
        reports = serving.rows("order_reports")
    assert run.status == 0, run.log
    assert run.by_key("order_reports").keys() == reports.keys()
    assert len(warnings(caplog, "order_reports", LISTS)) == 1


def test_where_the_lists_answer_nothing_is_asked_by_number(clock: FakeClock) -> None:
    with serve(clock, orders=30, quirks=False) as serving:
        syncs = Syncs(clock, serving, *MAIN)
        syncs.sync()
        syncs.after(1)
        assert asked(serving) == []


# ---- from the lists ------------------------------------------------------------------------------


def test_lists_give_every_report_that_names_a_number_as_it_was_reported(clock: FakeClock) -> None:
    with serve(clock, orders=60, respelled=0.3) as serving:
        number = next(iter(serving.rows("purchase_orders")))[0]
        for named in ("NO PURCHASE ORDER", f" {number.lower()} ", "  "):
            serving.world.add_report(number, ordered=clock.now() - timedelta(days=3), named=named)
        config = serving.config(rate_limits=FAST_PLANS, order_reports_strategy="order_date")
        run = run_by(clock, config, catalog=select("order_reports"))
        expected = {
            (str(row["purchaseOrderNumber"]), order_id)
            for (order_id,), row in serving.rows("orders").items()
            if (row.get("purchaseOrderNumber") or "").strip()
        }
    assert run.status == 0, run.log
    assert set(run.keys("order_reports")) == expected
    names = {name for name, _ in expected}
    assert {"NO PURCHASE ORDER", f" {number.lower()} "} <= names


# ---- by number -----------------------------------------------------------------------------------

NOT_FOUND = Reply(
    404,
    body=b'{"errors": [{"code": "NotFound", "message": "The specified resource does not exist."}]}',
)


@pytest.mark.parametrize("none", ["CA", "US"])
def test_not_found_means_that_a_region_has_no_reports_of_a_number(
    clock: FakeClock, none: str
) -> None:
    report = {
        "orderMetadata": {"orderId": "114-0000000-0000001", "orderDate": "2026-05-20T00:00:00Z"},
        "orderStatus": "CLOSED",
        "charges": [],
    }
    faults = [
        Refuses(BY_NUMBER, NOT_FOUND, lambda request: request.parameters["region"] == none),
        Refuses(BY_NUMBER, ok({"ordersReport": [report], "size": 1})),
    ]
    with serve(clock, orders=0, quirks=False, faults=faults) as serving:
        serving.world.add_order(
            created=clock.now() - timedelta(days=9), number="7TESTA01", reports=0
        )
        run = Syncs(clock, serving, *MAIN, **BY_PURCHASE_ORDER).sync()
    assert run.keys("order_reports") == [("7TESTA01", "114-0000000-0000001")]
    assert run.bookmark() == "2026-06-01T11:58:00Z"


def test_every_number_without_reports_may_be_not_found(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    options = replace(NO_LIMITS, none_is_not_found=True)
    with serve(clock, options, orders=60, quirks=False) as serving:
        run = Syncs(clock, serving, *MAIN, **BY_PURCHASE_ORDER).sync()
        expected = serving.rows("order_reports")
    assert 0 < len({number for number, _ in expected}) < 60
    assert run.by_key("order_reports").keys() == expected.keys()
    assert warnings(caplog, BY_NUMBER) == []


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_not_found_that_breaks_off_is_requested_again(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, share: float
) -> None:
    options = replace(NO_LIMITS, none_is_not_found=True)
    regions: dict[str, Any] = {"business_api_regions": ["US"]}
    with serve(clock, options, orders=0, quirks=False) as serving:
        created = clock.now() - timedelta(days=5)
        serving.world.add_order(created=created, number="A1", reports=0)
        serving.fail_next(BY_NUMBER, Cut(share))
        Syncs(clock, serving, *MAIN, **BY_PURCHASE_ORDER, **regions).sync()
        assert asked(serving) == ["A1", "A1"]
    assert warnings(caplog, "refused") == []


def test_any_share_of_refused_numbers_is_a_warning(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    numbers = [f"A{number}" for number in range(60)]
    options = replace(NO_LIMITS, refused_numbers=dict.fromkeys(numbers[::2], 400))
    with serve(clock, options, orders=0, quirks=False) as serving:
        for number in numbers:
            created = clock.now() - timedelta(days=30)
            serving.world.add_order(created=created, number=number, reports=1)
        run = Syncs(clock, serving, *MAIN, **BY_PURCHASE_ORDER).sync()
    assert {*run.numbers("order_reports")} == {*numbers[1::2]}
    assert run.bookmark() == "2026-06-01T11:58:00Z"
    assert warnings(caplog, "order_reports", "refused")


def test_a_refused_number_has_its_turn_in_the_next_cycle(clock: FakeClock) -> None:
    refused = Refuses(
        BY_NUMBER,
        refusal(400, "INVALID_REQUEST_PARAMETER"),
        lambda request: request.argument == "B2" and clock.now() == BEGINNING,
    )
    with serve(clock, orders=0, quirks=False, faults=[refused]) as serving:
        for number in ("A1", "B2", "C3"):
            created = clock.now() - timedelta(days=30)
            serving.world.add_order(created=created, number=number, reports=1)
        syncs = Syncs(clock, serving, *MAIN, **BY_PURCHASE_ORDER)
        assert set(syncs.sync().numbers("order_reports")) == {"A1", "C3"}
        assert "refused_numbers" not in str(syncs.state)
        found = last(syncs.cycle(), "order_reports")
    assert {number for number, _ in found} >= {"B2"}


def test_a_sibling_selected_later_asks_for_no_numbers_again(clock: FakeClock) -> None:
    with serve(clock, orders=60, quirks=False) as serving:
        syncs = Syncs(clock, serving, *MAIN, **BY_PURCHASE_ORDER)
        syncs.sync()
        serving.reset_stats()
        run = syncs.after(1, catalog=select(*MAIN, "purchase_order_items"))
        requests = len(asked(serving))
        expected = serving.rows("purchase_order_items")
    assert run.by_key("purchase_order_items").keys() == expected.keys()
    assert requests <= 12  # of 120


def test_a_full_table_asks_for_no_numbers_again(clock: FakeClock) -> None:
    catalog: dict[str, Any] = select(*MAIN)
    orders = entry(catalog, "purchase_orders")
    orders["replication_method"] = "FULL_TABLE"
    metadata(orders)["forced-replication-method"] = "FULL_TABLE"
    with serve(clock, orders=60, quirks=False) as serving:
        syncs = Syncs(clock, serving, *MAIN, **BY_PURCHASE_ORDER)
        syncs.sync()
        serving.reset_stats()
        run = syncs.after(1, catalog=catalog)
        requests = len(asked(serving))
    assert len(run.numbers()) == 60
    assert requests <= 12  # of 120
