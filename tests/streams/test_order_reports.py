"""order_reports: the reports of every purchase order's number, joined to it, at Amazon's pace."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, Plan
from tests.support.catalogs import select
from tests.support.faults import Answers, Served, refusal
from tests.support.orders import LATELY, order, orders_page
from tests.support.runs import Run, run_by
from tests.support.serving import BUSINESS_ONLY, NO_LIMITS, serve, settings

if TYPE_CHECKING:
    from simulator import Simulator
    from tests.support.clocks import FakeClock

BY_NUMBER = "getOrderReportsByPurchaseOrderNumber"
BY_DATE = {"order_reports_strategy": "order_date"}
# Like Amazon's own example: two lists of one page each, five charges in all.
EXAMPLE = [
    b"""{"ordersReport": [{
      "orderMetadata": {"orderDate": {"date": "2025-05-01T10:00:00Z"},
                        "orderId": "112-1111111-1111111", "region": "US"},
      "purchaseOrderNumber": "PO-1", "orderStatus": "CLOSED",
      "charges": [{"type": "SUBTOTAL", "amount": {"currencyCode": "USD", "amount": 19.90}},
                  {"type": "TAX", "amount": {"currencyCode": "USD", "amount": 1.6417}},
                  {"type": "NET_TOTAL", "amount": {"currencyCode": "USD", "amount": 21.5417}}],
      "buyingCustomer": {"name": "A Buyer", "email": "buyer@example.com"},
      "buyerGroup": {"name": "Group"}, "businessOrderInfo": null, "approverDetails": null}],
     "nextPageToken": "123asda", "size": 1, "region": "US"}""",
    b"""{"ordersReport": [{
      "orderMetadata": {"orderDate": "2025-05-02T10:00:00Z", "orderId": "112-2222222-2222222"},
      "purchaseOrderNumber": "PO-1", "orderStatus": "PENDING",
      "charges": [{"type": "SUBTOTAL",
                   "amount": {"currencyCode": "USD", "amount": 12345678901234.5678}},
                  {"type": "NET_TOTAL", "amount": {"currencyCode": "USD", "amount": 7}}],
      "businessOrderInfo": null, "approverDetails": null}],
     "nextPageToken": null, "size": 1, "region": "US"}""",
]


def sync(clock: FakeClock, config: dict[str, Any], before: Run | None = None) -> Run:
    """Sync purchase orders and their reports, from where an earlier run ended."""
    return run_by(
        clock,
        config,
        state=before.state if before else None,
        catalog=select("purchase_orders", "order_reports"),
    )


def keys(run: Run) -> set[tuple[str, ...]]:
    return set(run.keys("order_reports"))


def named(serving: Simulator) -> set[tuple[str, ...]]:
    """Return the keys of the reports that name the number they are found by."""
    rows = serving.world.order_reports()
    return {key for key, row in rows.items() if row.get("purchaseOrderNumber") == key[0]}


# ---- records -----------------------------------------------------------------------------------


def test_two_pages_give_two_orders_with_their_five_charges(clock: FakeClock) -> None:
    options = replace(NO_LIMITS, canned_order_reports={"PO-1": EXAMPLE})
    with serve(clock, options, orders=0) as serving:
        only = {"purchase_order_numbers": ["PO-1"], "business_api_regions": ["US"]}
        run = sync(clock, settings(serving, **BUSINESS_ONLY, **only))
    first, second = run.records("order_reports")
    assert (first["orderId"], second["orderId"]) == ("112-1111111-1111111", "112-2222222-2222222")
    assert first["orderDate"] == "2025-05-01T10:00:00Z"
    assert second["orderDate"] == "2025-05-02T10:00:00Z"
    amounts = [c["amount"]["amount"] for r in (first, second) for c in r["charges"]]
    assert amounts == ["19.90", "1.6417", "21.5417", "12345678901234.5678", "7"]
    assert first["businessOrderInfo"] is None
    assert first["approverDetails"] is None


def test_every_record_joins_its_purchase_order(clock: FakeClock) -> None:
    with serve(clock, orders=100) as serving:
        run = sync(clock, settings(serving))
        rows = serving.world.order_reports()
    assert run.by_key("order_reports").keys() == rows.keys()
    assert {number for number, _ in rows} <= set(run.numbers())


def test_a_report_of_another_number_shows_it_beside_its_order_s(clock: FakeClock) -> None:
    with serve(clock, orders=300) as serving:
        run = sync(clock, settings(serving))
        rows = serving.world.order_reports()
    other = {
        key: row["purchaseOrderNumber"]
        for key, row in rows.items()
        if row.get("purchaseOrderNumber") not in {None, key[0]}
    }
    assert other
    reported = {
        key: record.get("reportedPurchaseOrderNumber")
        for key, record in run.by_key("order_reports").items()
    }
    assert {key: number for key, number in reported.items() if number} == other


@pytest.mark.parametrize("reported", [["x"], {"a": 1}], ids=str)
def test_a_reported_number_that_is_no_text_is_kept_as_json(
    clock: FakeClock, reported: object
) -> None:
    row = {"orderId": "1", "purchaseOrderNumber": reported}
    with serve(clock, orders=0, faults=[Answers(BY_NUMBER, {"ordersReport": [row]})]) as serving:
        config = settings(serving, purchase_order_numbers=["A1"])
        run = run_by(clock, config, catalog=select("order_reports"))
    assert run.keys("order_reports") == [("A1", "1")]
    (record,) = run.records("order_reports")
    assert json.loads(record["reportedPurchaseOrderNumber"]) == reported


def test_amounts_are_exact(clock: FakeClock) -> None:
    with serve(clock, orders=60) as serving:
        run = sync(clock, settings(serving))
        rows = serving.world.order_reports()
    for key, record in run.by_key("order_reports").items():
        expected = [Decimal(str(charge["amount"]["amount"])) for charge in rows[key]["charges"]]
        assert [Decimal(charge["amount"]["amount"]) for charge in record["charges"]] == expected


@pytest.mark.parametrize("parallel", [1, 16])
def test_the_records_do_not_depend_on_threads(clock: FakeClock, parallel: int) -> None:
    end = clock.now() - timedelta(hours=1)
    span = {"start_date": (end - timedelta(days=90)).isoformat(), "end_date": end.isoformat()}
    with serve(clock, orders=60) as serving:
        expected = sync(clock, settings(serving, **span))
        run = sync(clock, settings(serving, **span, max_parallel_requests=parallel))
    assert expected.records("order_reports")
    assert sorted(run.keys("order_reports")) == sorted(expected.keys("order_reports"))


# ---- by number ---------------------------------------------------------------------------------


def test_numbers_reach_the_api_as_buyers_typed_them(clock: FakeClock) -> None:
    numbers = [
        "PO 2024/07 #12", "50% off?", "100%25", "a/b c#d?e+f;g", "Größe 4/5", "A&B=C", "x\\y",
        "тест", "..%2F..", "'quoted\"", "tail ", " head", "a//b", "né|^`{}",
    ]  # fmt: skip
    with serve(clock, orders=0, quirks=False) as serving:
        for number in numbers:
            created = clock.now() - timedelta(days=3)
            serving.world.add_order(created=created, number=number, reports=2)
        run = sync(clock, settings(serving, **BUSINESS_ONLY, purchase_order_numbers=numbers))
        asked = {call.argument for call in serving.stats().calls}
    assert asked == set(numbers)
    assert run.numbers("order_reports") == dict.fromkeys(numbers, 2)


def test_numbers_that_no_path_can_carry_are_skipped_with_a_warning(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        for number in (".", "..", "PO-1"):
            created = clock.now() - timedelta(days=30)
            serving.world.add_order(created=created, number=number, reports=1)
        run = sync(clock, settings(serving))
        by_date = sync(clock, settings(serving, **BY_DATE))
    assert run.status == 0
    assert run.numbers() == {".": 1, "..": 1, "PO-1": 1}
    assert run.numbers("order_reports") == {"PO-1": 1}
    assert "'..'" in run.log
    assert by_date.numbers("order_reports") == {".": 1, "..": 1, "PO-1": 1}


def test_asks_every_region_for_every_number(clock: FakeClock) -> None:
    with serve(clock, orders=20, regions=("US", "CA", "MX")) as serving:
        sync(clock, settings(serving))
        calls = [
            (call.argument, call.parameters["region"])
            for call in serving.stats().calls
            if call.operation == BY_NUMBER
        ]
        numbers = serving.world.purchase_orders()
    assert sorted(calls) == sorted((n, region) for n in numbers for region in ("US", "CA", "MX"))


def test_follows_pages_until_there_is_no_token(clock: FakeClock) -> None:
    options = replace(NO_LIMITS, page_size=2)
    with serve(clock, options, orders=0, quirks=False, regions=("US",)) as serving:
        serving.world.add_order(created=clock.now() - timedelta(days=3), number="BIG", reports=9)
        run = sync(clock, settings(serving, **BUSINESS_ONLY, purchase_order_numbers=["BIG"]))
        assert serving.stats().operations[BY_NUMBER].requests == 5
    assert len(keys(run)) == 9


def test_only_new_and_changed_orders_are_asked_for_again(clock: FakeClock) -> None:
    with serve(clock, orders=40, quirks=False, regions=("US",)) as serving:
        first = sync(clock, settings(serving))
        clock.advance(hours=5)
        touched = serving.world.change(fraction=0.1, state_only=0, new=3)
        serving.reset_stats()
        second = sync(clock, settings(serving), first)
        asked = [c.argument for c in serving.stats().calls if c.operation == BY_NUMBER]
    # Those of the same hour, and those that are due, are asked for again, too.
    assert second.status == 0
    assert {*touched.changed, *touched.new} <= {*asked}
    assert len(asked) < 15


def test_an_order_that_appears_late_is_asked_for_by_number_too(clock: FakeClock) -> None:
    with serve(clock, orders=20, quirks=False) as serving:
        first = sync(clock, settings(serving))
        placed, appears = clock.now(), clock.now() + timedelta(hours=9)
        number = serving.world.add_order(created=placed, appears=appears, reports=0)
        # No list shows whose it is.
        report = serving.world.add_report(number, named="", appears=appears)
        clock.advance(hours=8)
        second = sync(clock, settings(serving), first)
        clock.advance(hours=2)
        third = sync(clock, settings(serving), second)
        clock.advance(hours=40)
        serving.reset_stats()
        fourth = sync(clock, settings(serving), third)
        clock.advance(hours=1)
        serving.reset_stats()
        fifth = sync(clock, settings(serving), fourth)
        asked = [c.argument for c in serving.stats().calls if c.operation == BY_NUMBER]
    assert number not in second.numbers()
    assert third.numbers()[number] == 1
    assert (number, report) in {*keys(third), *keys(fourth)}
    assert number not in {*fifth.numbers(), *asked}


def test_the_lookback_brings_changed_reports_without_orders_selected(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False, regions=("US",)) as serving:
        number = serving.world.add_order(created=clock.now() - timedelta(days=30), reports=1)
        first = sync(clock, settings(serving))
        ((_, order_id),) = keys(first)
        serving.world.move_report(order_id)
        clock.advance(days=1, hours=1)
        second = sync(clock, settings(serving), first)
    assert second.keys("order_reports") == [(number, order_id)]


# ---- pace --------------------------------------------------------------------------------------
# With one thread: sleeps of several add up on a shared clock, while requests are on their way.


def test_no_request_is_refused_at_the_published_rate(clock: FakeClock) -> None:
    with serve(clock, Options(), orders=60) as serving:
        run = sync(
            clock,
            serving.config(order_reports_strategy="purchase_order", max_parallel_requests=1),
        )
        traffic = serving.stats().operations[BY_NUMBER]
    assert run.status == 0, run.log
    assert traffic.requests == 120
    assert traffic.refused == 0
    assert clock.monotonic() > (120 - 10) / 0.5  # the burst, and then one every two seconds


def test_eight_hours_take_a_token_an_hour_and_lose_nothing(clock: FakeClock) -> None:
    options = Options(rates={BY_NUMBER: Plan(rate=0.025, burst=10)})
    with serve(clock, options, orders=360, quirks=False) as serving:
        run = sync(
            clock,
            serving.config(order_reports_strategy="purchase_order", max_parallel_requests=1),
        )
        stats = serving.stats()
        expected = set(serving.world.order_reports())
    hours = clock.monotonic() / 3600
    assert hours > 8 - 0.5
    assert run.status == 0, run.log
    assert keys(run) == expected
    assert stats.operations[BY_NUMBER].refused == 0
    assert stats.token_requests["business"] <= hours * 1.1 + 1
    assert not stats.malformed


# ---- selection ---------------------------------------------------------------------------------


def test_come_without_their_purchase_orders(clock: FakeClock) -> None:
    with serve(clock, orders=30) as serving:
        run = run_by(clock, settings(serving), catalog=select("order_reports"))
        expected = set(serving.world.order_reports())
    assert keys(run) == expected
    assert run.schemas == {"order_reports": 1}


def test_purchase_orders_alone_ask_for_no_reports(clock: FakeClock) -> None:
    with serve(clock, orders=30) as serving:
        run = run_by(clock, settings(serving), catalog=select("purchase_orders"))
        asked = serving.stats().operations[BY_NUMBER].requests
    assert run.schemas == {"purchase_orders": 1}
    assert len(run.numbers()) == 30
    assert asked == 0


# ---- failures ----------------------------------------------------------------------------------


def test_the_bookmark_waits_for_reports_that_fail(clock: FakeClock) -> None:
    options = replace(NO_LIMITS, lacking_roles=frozenset({BY_NUMBER}))
    with serve(clock, options, orders=40, quirks=False) as serving:
        run = sync(clock, settings(serving))
    assert run.status == 1
    assert len(run.numbers()) == 40
    assert "'Amazon Business Analytics'" in run.log
    assert "x-amzn-RequestId" in run.log
    assert re.search(r"Failed: .*order_reports", run.log)
    assert run.log.count("purchase_orders: order_reports failed: bookmark not advanced") == 1
    oldest = min(r["lastChangedDate"] for r in run.records("purchase_orders"))
    assert run.bookmark() <= oldest


def test_a_failing_report_keeps_the_windows_before_it(clock: FakeClock) -> None:
    with serve(clock, orders=60, quirks=False) as serving:
        whole = sync(clock, settings(serving))
        serving.fail_next(BY_NUMBER, *[Served()] * 60, *[refusal(403, "Unauthorized")] * 8)
        failed = sync(clock, settings(serving, max_parallel_requests=1))
        resumed = sync(clock, settings(serving), failed)
    assert failed.status == 1
    first = min(record["purchaseOrderDate"] for record in whole.records("purchase_orders"))
    assert first < failed.bookmark() < whole.bookmark()
    assert keys(failed) | keys(resumed) == keys(whole)


def test_a_number_that_is_refused_is_named_with_another_way(clock: FakeClock) -> None:
    options = replace(NO_LIMITS, refused_numbers={"A/1": 400})
    with serve(clock, options, orders=0, faults=[orders_page(order("A/1"))]) as serving:
        run = sync(clock, settings(serving, **LATELY))
    assert run.status == 0, run.log
    assert "A/1" in run.log
    assert re.search(r"order_reports_strategy .*order_date", run.log)


def test_numbers_that_are_all_refused_fail_the_stream(clock: FakeClock) -> None:
    numbers = [f"A{number}" for number in range(5)]
    options = replace(NO_LIMITS, refused_numbers=dict.fromkeys(numbers, 400))
    page = orders_page(*map(order, numbers))
    with serve(clock, options, orders=0, faults=[page]) as serving:
        run = sync(clock, settings(serving, **LATELY))
    assert run.status == 1
    assert "replication_key_value" not in run.state["bookmarks"].get("purchase_orders", {})


def test_one_refused_number_is_a_warning_and_is_asked_for_again(clock: FakeClock) -> None:
    numbers = ("A1", "B2", "C3", "D4")
    with serve(clock, orders=0, quirks=False) as serving:
        for number in numbers:
            serving.world.add_order(
                created=clock.now() - timedelta(days=30), number=number, reports=1
            )
        serving.fail_next(BY_NUMBER, refusal(400, "InvalidInput"))
        config = settings(serving, max_parallel_requests=1)
        run = sync(clock, config)
        (refused,) = {*numbers} - {*run.numbers("order_reports")}
        assert run.status == 0, run.log
        assert re.search(rf"order_reports: .*purchase order {refused}\b.* the next cycle", run.log)
        brought, state = dict[str, int](), run
        for _ in range(5):
            clock.advance(hours=5)
            state = sync(clock, config, state)
            brought |= state.numbers("order_reports")
    assert brought[refused]


# ---- by date -----------------------------------------------------------------------------------


def test_by_date_come_the_same_records_as_by_number(clock: FakeClock) -> None:
    with serve(clock, orders=150) as serving:
        by_number = sync(clock, settings(serving))
        serving.reset_stats()
        by_date = sync(clock, settings(serving, **BY_DATE))
        stats, listed_keys = serving.stats(), listed(serving)
        expected = named(serving)
    assert stats.operations[BY_NUMBER].requests == 0
    assert stats.operations["getOrderReports"].requests <= 60  # windows begin narrow
    assert not stats.malformed
    assert keys(by_date) == listed_keys
    records = by_date.by_key("order_reports"), by_number.by_key("order_reports")
    assert [records[0][key] for key in expected] == [records[1][key] for key in expected]


def test_by_date_an_order_that_appears_meanwhile_has_its_reports(clock: FakeClock) -> None:
    def add() -> None:
        created = clock.now() - timedelta(minutes=30)
        serving.world.add_order(created=created, number="LATE", reports=2)

    with serve(clock, orders=50, quirks=False, regions=("US",)) as serving:
        # After the first list is answered, and before the second one is asked for.
        serving.fail_next("getOrderReports", Served(), Served(add))
        run = sync(clock, settings(serving, **BY_DATE, max_parallel_requests=1))
    assert run.numbers()["LATE"] == 1
    assert run.numbers("order_reports")["LATE"] == 2


def listed(serving: Simulator) -> set[tuple[str, ...]]:
    """Return the keys of the reports that name a number, as the lists have them."""
    return {
        (row["purchaseOrderNumber"], row["orderMetadata"]["orderId"])
        for row in serving.rows("orders").values()
        if (row.get("purchaseOrderNumber") or "").strip()
    }


@pytest.mark.parametrize("credentials", [{}, BUSINESS_ONLY], ids=["both accounts", "business"])
def test_by_date_every_report_that_names_a_number_comes(
    clock: FakeClock, credentials: dict[str, str]
) -> None:
    with serve(clock, orders=80) as serving:
        number = min(serving.world.purchase_orders())
        serving.world.add_report(number, ordered=clock.now() - timedelta(days=3), named=" Other ")
        config = settings(serving, **credentials, order_reports_strategy="order_date")
        run = run_by(clock, config, catalog=select("order_reports", config=config))
        expected = listed(serving)
    assert sorted(run.keys("order_reports")) == sorted(expected)
    assert any(number == " Other " for number, _ in expected)
    assert run.bookmark("orders")


def test_by_date_a_second_sync_adds_what_is_new(clock: FakeClock) -> None:
    with serve(clock, orders=80, quirks=False) as serving:
        first = sync(clock, settings(serving, **BY_DATE))
        clock.advance(hours=4)
        touched = serving.world.change(fraction=0, state_only=0, new=10)
        second = sync(clock, settings(serving, **BY_DATE), first)
        expected = listed(serving)
    assert set(second.numbers()) >= set(touched.new)
    assert keys(first) | keys(second) == expected
