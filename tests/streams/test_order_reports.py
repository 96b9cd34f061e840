"""order_reports: the reports of every order's number, joined to it, at Amazon's pace."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, Plan, Reply, Simulator, World
from tests.support.faults import Served
from tests.support.runs import Run, run_by, select

if TYPE_CHECKING:
    from aiohttp import web

    from simulator.faults import Serve
    from tests.support.clocks import FakeClock

# As Amazon publishes it: two lists of one page each, five charges in all.
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
FAST = {"getOrderReportsByPurchaseOrderNumber": Plan(rate=2000, burst=200)}
BUSINESS_ONLY: dict[str, Any] = {
    f"sp_api_{name}": "" for name in ("client_id", "client_secret", "refresh_token")
}


def serve(clock: FakeClock, options: Options | None = None, **world: Any) -> Simulator:
    """Return a simulator that lives by an injected clock."""
    return Simulator(
        World(now=clock.now, **world), options or Options(rates=FAST), monotonic=clock.monotonic
    )


def sync(clock: FakeClock, config: dict[str, Any], before: Run | None = None) -> Run:
    """Sync purchase orders and their reports, from where an earlier run ended."""
    return run_by(
        clock,
        {"order_reports_strategy": "purchase_order", **config},
        state=before.state if before else None,
        catalog=select("purchase_orders", "order_reports"),
    )


def test_the_published_example_gives_two_orders_with_their_five_charges(clock: FakeClock) -> None:
    options = Options(canned_order_reports={"PO-1": EXAMPLE})
    with serve(clock, options, orders=0) as serving:
        config = serving.config(
            **BUSINESS_ONLY, purchase_order_numbers=["PO-1"], business_api_regions=["US"]
        )
        run = sync(clock, config)
    first, second = run.records("order_reports")
    assert (first["orderId"], second["orderId"]) == ("112-1111111-1111111", "112-2222222-2222222")
    assert first["orderDate"] == "2025-05-01T10:00:00Z"
    assert second["orderDate"] == "2025-05-02T10:00:00Z"
    amounts = [c["amount"]["amount"] for r in (first, second) for c in r["charges"]]
    assert amounts == ["19.90", "1.6417", "21.5417", "12345678901234.5678", "7"]
    assert first["businessOrderInfo"] is None
    assert first["approverDetails"] is None
    assert run.status == 0


def test_numbers_reach_the_api_as_buyers_typed_them(clock: FakeClock) -> None:
    numbers = [
        "PO 2024/07 #12", "50% off?", "100%25", "a/b c#d?e+f;g", "Größe 4/5", "A&B=C", "x\\y",
        "тест", "..%2F..", "'quoted\"", "tail ", " head", "a//b", "né|^`{}",
    ]  # fmt: skip
    with serve(clock, orders=0, quirks=False) as serving:
        for number in numbers:
            serving.world.add_order(
                created=clock.now() - timedelta(days=3), number=number, reports=2
            )
        config = serving.config(**BUSINESS_ONLY, purchase_order_numbers=numbers)
        run = sync(clock, config)
        asked = {call.argument for call in serving.stats().calls}
    assert asked == set(numbers)
    assert run.numbers("order_reports") == dict.fromkeys(numbers, 2)


def test_numbers_that_no_path_can_carry_do_not_keep_the_others_from_being_read(
    clock: FakeClock,
) -> None:
    with serve(clock, orders=0, quirks=False) as serving:
        for number in (".", "..", "PO-1"):
            serving.world.add_order(
                created=clock.now() - timedelta(days=3), number=number, reports=1
            )
        run = sync(clock, serving.config())
        by_date = sync(clock, serving.config(order_reports_strategy="order_date"))
    assert run.status == 0
    assert run.numbers() == {".": 1, "..": 1, "PO-1": 1}
    assert run.numbers("order_reports") == {"PO-1": 1}
    assert "cannot be asked for by number" in run.log
    assert by_date.numbers("order_reports") == {".": 1, "..": 1, "PO-1": 1}


def test_every_record_joins_its_purchase_order(clock: FakeClock) -> None:
    with serve(clock, orders=400) as serving:
        run = sync(clock, serving.config())
        truth = serving.world.order_reports()
    numbers = set(run.numbers())
    reports = {(r["purchaseOrderNumber"], r["orderId"]): r for r in run.records("order_reports")}
    assert reports.keys() == truth.keys()
    assert {number for number, _ in reports} <= numbers
    renamed = {
        key: row["purchaseOrderNumber"]
        for key, row in truth.items()
        if row.get("purchaseOrderNumber") not in {None, key[0]}
    }
    assert renamed
    assert {
        key: r["reportedPurchaseOrderNumber"]
        for key, r in reports.items()
        if r.get("reportedPurchaseOrderNumber")
    } == renamed


def test_amounts_are_exact(clock: FakeClock) -> None:
    with serve(clock, orders=300) as serving:
        run = sync(clock, serving.config())
        truth = serving.world.order_reports()
    for record in run.records("order_reports"):
        row = truth[record["purchaseOrderNumber"], record["orderId"]]
        expected = [Decimal(str(charge["amount"]["amount"])) for charge in row["charges"]]
        assert [Decimal(charge["amount"]["amount"]) for charge in record["charges"]] == expected


def test_each_region_is_asked_for_each_number(clock: FakeClock) -> None:
    with serve(clock, orders=20, regions=("US", "CA", "MX")) as serving:
        sync(clock, serving.config())
        calls = [
            (call.argument, call.parameters["region"])
            for call in serving.stats().calls
            if call.operation == "getOrderReportsByPurchaseOrderNumber"
        ]
        numbers = serving.world.purchase_orders()
    assert sorted(calls) == sorted((n, region) for n in numbers for region in ("US", "CA", "MX"))


def test_pages_are_followed_until_there_is_no_token(clock: FakeClock) -> None:
    options = Options(rates=FAST, page_size=2)
    with serve(clock, options, orders=0, quirks=False, regions=("US",)) as serving:
        serving.world.add_order(created=clock.now() - timedelta(days=3), number="BIG", reports=9)
        run = sync(clock, serving.config(**BUSINESS_ONLY, purchase_order_numbers=["BIG"]))
        assert serving.stats().operations["getOrderReportsByPurchaseOrderNumber"].requests == 5
    assert len({r["orderId"] for r in run.records("order_reports")}) == 9


def test_at_the_published_rate_no_request_is_refused(clock: FakeClock) -> None:
    with serve(clock, Options(), orders=120) as serving:
        run = sync(clock, serving.config(max_parallel_requests=8))
        stats = serving.stats()
    traffic = stats.operations["getOrderReportsByPurchaseOrderNumber"]
    assert run.status == 0
    assert traffic.requests == 240
    assert traffic.refused == 0


def test_eight_hours_take_a_token_an_hour_and_lose_nothing(clock: FakeClock) -> None:
    slow = {"getOrderReportsByPurchaseOrderNumber": Plan(rate=0.025, burst=10)}
    with serve(clock, Options(rates=slow), orders=360, quirks=False) as serving:
        # Sleeps of several threads would add up on this clock, and a token expire on its way.
        run = sync(clock, serving.config(max_parallel_requests=1))
        stats = serving.stats()
        expected = set(serving.world.order_reports())
    hours = clock.monotonic() / 3600
    assert hours > 8 - 0.5
    assert run.status == 0
    assert _keys(run) == expected
    assert stats.operations["getOrderReportsByPurchaseOrderNumber"].refused == 0
    assert stats.token_requests["business"] <= hours * 1.1 + 1
    assert not stats.malformed


def test_recent_orders_are_asked_again_though_they_did_not_change(clock: FakeClock) -> None:
    with serve(clock, orders=0, quirks=False, regions=("US",)) as serving:
        young = serving.world.add_order(created=clock.now() - timedelta(days=10), reports=1)
        serving.world.add_order(created=clock.now() - timedelta(days=40), reports=1)
        first = sync(clock, serving.config())
        clock.advance(hours=5)
        config = serving.config(lookback_days=0, order_reports_lookback_days=20)
        second = sync(clock, config, first)
        none = sync(clock, {**config, "order_reports_lookback_days": 0}, first)
    assert len(first.records("order_reports")) == 2
    assert second.numbers("order_reports") == {young: 1}
    assert second.numbers() == {}
    assert none.numbers("order_reports") == {}


def test_order_reports_alone_leave_their_parents_out(clock: FakeClock) -> None:
    with serve(clock, orders=30) as serving:
        run = run_by(
            clock,
            serving.config(order_reports_strategy="purchase_order"),
            catalog=select("order_reports"),
        )
        truth = serving.world.order_reports()
    assert len(run.records("order_reports")) == len(truth)
    assert run.schemas == {"order_reports": 1}


def test_purchase_orders_alone_ask_for_no_reports(clock: FakeClock) -> None:
    with serve(clock, orders=30) as serving:
        run = run_by(clock, serving.config(), catalog=select("purchase_orders"))
        asked = serving.stats().operations["getOrderReportsByPurchaseOrderNumber"].requests
    assert run.schemas == {"purchase_orders": 1}
    assert len(run.numbers()) == 30
    assert asked == 0


def test_the_bookmark_waits_where_reports_could_not_be_read(clock: FakeClock) -> None:
    options = Options(rates=FAST, lacking_roles=frozenset({"getOrderReportsByPurchaseOrderNumber"}))
    with serve(clock, options, orders=40, quirks=False) as serving:
        run = sync(clock, serving.config())
    assert run.status != 0
    assert len(run.numbers()) == 40
    assert "'Amazon Business Analytics'" in run.log
    assert "x-amzn-RequestId" in run.log
    assert "Failed: order_reports" in run.log
    assert run.log.count("the bookmark waits where order_reports failed") == 1
    oldest = min(r["lastChangedDate"] for r in run.records("purchase_orders"))
    assert run.bookmark() <= oldest


def test_a_failing_report_does_not_lose_the_slices_before_it(clock: FakeClock) -> None:
    with serve(clock, orders=100, quirks=False) as serving:
        whole = sync(clock, serving.config())
        serving.fail_next("getOrderReportsByPurchaseOrderNumber", *[Served()] * 100, Reply(400))
        failed = sync(clock, serving.config(max_parallel_requests=1))
        resumed = sync(clock, serving.config(), failed)
    assert failed.status != 0
    assert failed.bookmark() < whole.bookmark()
    reports = _keys(failed) | _keys(resumed)
    assert reports == _keys(whole)


def named(serving: Simulator) -> set[tuple[str, str]]:
    """Return the keys of the reports that name the number they are found by."""
    return {
        key
        for key, row in serving.world.order_reports().items()
        if row.get("purchaseOrderNumber") == key[0]
    }


def test_by_date_come_the_very_same_records_as_by_number(clock: FakeClock) -> None:
    with serve(clock, orders=400) as serving:
        by_number = sync(clock, serving.config())
        serving.reset_stats()
        by_date = sync(clock, serving.config(order_reports_strategy="order_date"))
        stats = serving.stats()
        expected = named(serving)
    assert stats.operations["getOrderReportsByPurchaseOrderNumber"].requests == 0
    assert stats.operations["getOrderReports"].requests <= 20
    assert not stats.malformed
    found = {(r["purchaseOrderNumber"], r["orderId"]): r for r in by_date.records("order_reports")}
    known = {
        (r["purchaseOrderNumber"], r["orderId"]): r for r in by_number.records("order_reports")
    }
    assert len(by_date.records("order_reports")) == len(expected)
    assert found == {key: record for key, record in known.items() if key in expected}


def test_an_order_that_appears_while_lists_are_read_is_not_left_without_its_reports(
    clock: FakeClock,
) -> None:
    class Late:
        """Adds an order when the first list is asked for, but after it was answered."""

        async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
            del request
            answer = await serve()
            serving.world.add_order(
                created=clock.now() - timedelta(minutes=30), number="LATE", reports=2
            )
            return answer

    with serve(clock, orders=50, quirks=False, regions=("US",)) as serving:
        serving.fail_next("getOrderReports", Served(), Late())
        run = sync(
            clock, serving.config(order_reports_strategy="order_date", max_parallel_requests=1)
        )
    assert run.numbers()["LATE"] == 1
    assert run.numbers("order_reports")["LATE"] == 2


def test_by_date_only_the_parents_reports_are_emitted(clock: FakeClock) -> None:
    start = (clock.now() - timedelta(days=30)).isoformat()
    with serve(clock, orders=300, quirks=False) as serving:
        run = sync(clock, serving.config(order_reports_strategy="order_date", start_date=start))
        expected = named(serving)
    assert 0 < len(run.numbers()) < 150
    assert _keys(run) == {key for key in expected if key[0] in run.numbers()}


def test_a_sync_by_date_resumes_like_any_other(clock: FakeClock) -> None:
    config = {"order_reports_strategy": "order_date"}
    with serve(clock, orders=200, quirks=False) as serving:
        first = sync(clock, serving.config(**config))
        clock.advance(hours=4)
        touched = serving.world.change(fraction=0, state_only=0, new=10)
        second = sync(clock, serving.config(**config), first)
        expected = named(serving)
    assert set(second.numbers()) >= set(touched.new)
    assert _keys(first) | _keys(second) == expected


@pytest.mark.parametrize(
    ("orders", "extra"),
    [(400, 0), (30, 0), (4, 0), (3, 2500), (60, 4000)],
    ids=["many parents", "few parents", "next to none", "very many orders", "more orders"],
)
def test_auto_costs_at_most_twice_the_cheaper_way(
    clock: FakeClock, orders: int, extra: int
) -> None:
    def requests(strategy: str) -> int:
        serving.reset_stats()
        run = sync(clock, serving.config(order_reports_strategy=strategy))
        assert run.status == 0
        assert _keys(run) >= expected
        operations = serving.stats().operations
        return (
            operations["getOrderReports"].requests
            + operations["getOrderReportsByPurchaseOrderNumber"].requests
        )

    with serve(clock, orders=orders, quirks=False) as serving:
        for _ in range(extra // 500):  # orders of purchase orders too old for the vendor API
            created = clock.now() - timedelta(days=300)
            serving.world.add_order(created=created, reports=500)
        recent = {
            number
            for number, row in serving.world.purchase_orders().items()
            if datetime.fromisoformat(row["orderDetails"]["purchaseOrderDate"])
            > clock.now() - timedelta(days=179)
        }
        expected = {key for key in named(serving) if key[0] in recent}
        cheaper = min(requests("purchase_order"), requests("order_date"))
        assert requests("auto") <= 2 * cheaper


def test_without_vendor_credentials_every_order_that_names_a_number_comes(
    clock: FakeClock,
) -> None:
    with serve(clock, orders=150) as serving:
        config = {**serving.config(**BUSINESS_ONLY), "order_reports_strategy": "auto"}
        first = run_by(clock, config, catalog=select("order_reports", config=config))
        rows = serving.rows("orders").values()
        expected = {
            (row["purchaseOrderNumber"], row["orderMetadata"]["orderId"])
            for row in rows
            if row.get("purchaseOrderNumber") is not None
        }
    assert len(first.records("order_reports")) == len(expected)
    assert _keys(first) == expected
    assert first.bookmark("order_reports")


@pytest.mark.parametrize("parallel", [1, 16])
def test_the_order_of_records_does_not_depend_on_threads(clock: FakeClock, parallel: int) -> None:
    end = clock.now() - timedelta(hours=1)
    span = {"start_date": (end - timedelta(days=90)).isoformat(), "end_date": end.isoformat()}
    with serve(clock, orders=60) as serving:
        expected = sync(clock, serving.config(**span))
        run = sync(clock, serving.config(**span, max_parallel_requests=parallel))
    assert expected.records("order_reports")
    assert [r["orderId"] for r in run.records("order_reports")] == [
        r["orderId"] for r in expected.records("order_reports")
    ]


def _by_key(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    return {(r["purchaseOrderNumber"], r["orderId"]): r for r in run.records("order_reports")}


def _keys(run: Run) -> set[tuple[str, str]]:
    return set(_by_key(run))
