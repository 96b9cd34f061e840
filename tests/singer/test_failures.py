"""Answers that are no answers: what the tap tries again, refuses, and says."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Reply, Reset
from tests.support.clocks import IdleClock
from tests.support.faults import Answers, Fails, Refuses, Served, ok, refusal
from tests.support.orders import LATELY, order, orders_page
from tests.support.runs import Run, run_by, select
from tests.support.serving import BUSINESS_ONLY, VENDOR_ONLY, serve, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator import Fault, Faults
    from tests.support.clocks import FakeClock

LONGEST = 1 + 2 + 4 + 8 + 16 + 32 + 60
"""Seconds that a request waits at most, all its tries together."""


def sync(
    clock: FakeClock,
    *faults: Faults,
    streams: Sequence[str] = ("purchase_orders",),
    **extra: Any,
) -> Run:
    """Sync streams of no orders at all, with faults."""
    with serve(clock, orders=0, faults=faults) as serving:
        return run_by(clock, settings(serving, **LATELY, **extra), catalog=select(*streams))


def bookmarked(run: Run) -> bool:
    return "replication_key_value" in run.state["bookmarks"].get("purchase_orders", {})


# ---- sign-in -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": "Atza\u20ac", "expires_in": 3600},
        {"access_token": "ab\ncd", "expires_in": 3600},
        {"access_token": " ab ", "expires_in": 3600},
        {"access_token": ["x"], "expires_in": 3600},
        {"access_token": None},
    ],
    ids=str,
)
def test_a_sign_in_without_a_usable_token_is_tried_eight_times(
    clock: FakeClock, body: dict[str, Any]
) -> None:
    with serve(clock, orders=3) as serving:
        serving.fail_next("token", *[ok(body)] * 8)
        config = settings(serving, **VENDOR_ONLY, max_parallel_requests=1)
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "Login with Amazon" in run.log
    assert re.search(r"\b8\b", run.log)
    assert "lwa_url" in run.log
    assert not bookmarked(run)


@pytest.mark.parametrize("expires_in", [10**400, True, -1], ids=["endless", "true", "past"])
def test_a_token_is_used_whatever_its_lifetime(clock: FakeClock, expires_in: object) -> None:
    with serve(clock, orders=3) as serving:
        body = {"access_token": "not-a-token-of-the-simulator", "expires_in": expires_in}
        serving.fail_next("token", ok(body))
        config = settings(serving, **VENDOR_ONLY, max_parallel_requests=1)
        run = run_by(clock, config, catalog=select("purchase_orders"))
        calls = serving.stats().calls
    # The API refuses that token, and the next one is good.
    assert calls[0].status == 403
    assert {call.status for call in list(calls)[1:]} == {200}
    assert run.status == 0, run.log
    assert len(run.numbers()) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422])
def test_a_sign_in_that_is_refused_ends_at_once(clock: FakeClock, status: int) -> None:
    refused = Refuses("token", Reply(status))
    run = sync(clock, refused)
    assert run.status == 1
    assert f"HTTP {status}" in run.log
    assert len(refused.met) == 1
    assert clock.slept == []


def test_a_wrong_path_of_login_with_amazon_ends_at_once(clock: FakeClock) -> None:
    with serve(clock, orders=0) as serving:
        wrong = serving.url + "/login"
        run = run_by(clock, settings(serving, lwa_url=wrong), catalog=select("purchase_orders"))
    assert run.status == 1
    assert f"Login with Amazon at {wrong}/auth/o2/token refused the request: HTTP 404" in run.log
    assert "check lwa_url" in run.log
    assert clock.slept == []


@pytest.mark.parametrize("end", ["", "/", "/auth/o2/token", "/auth/o2/token/"])
def test_lwa_url_may_be_a_host_or_the_full_url(clock: FakeClock, end: str) -> None:
    with serve(clock, orders=3) as serving:
        config = settings(serving, lwa_url=serving.url + end)
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert len(run.numbers()) == 3


@pytest.mark.parametrize("fault", [Reply(429), Reply(500), Reply(503)], ids=["429", "500", "503"])
def test_a_sign_in_that_fails_in_passing_is_repeated(clock: FakeClock, fault: Fault) -> None:
    with serve(clock, orders=3) as serving:
        serving.fail_next("token", *[fault] * 3)
        run = run_by(clock, settings(serving), catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert len(run.numbers()) == 3


# ---- bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"\xef\xbb\xbf", b"[" * 100_000, b'{"a":' * 100_000], ids=["mark", "lists", "objects"]
)
def test_a_body_that_cannot_be_read_is_tried_again(clock: FakeClock, body: bytes) -> None:
    with serve(clock, orders=5) as serving:
        serving.fail_next("getPurchaseOrders", *[Reply(200, body=body)] * 3)
        config = settings(serving, max_parallel_requests=1)
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert len(re.findall(r"getPurchaseOrders .*\bof 8\b", run.log)) == 3
    assert len(run.numbers()) == 5


@pytest.mark.parametrize(
    "body",
    [
        b'{"payload": null}',
        b'{"payload": [1]}',
        b'{"payload": {"pagination": [1]}}',
        b'{"payload": {"orders": {}}}',
        b'{"payload": {"orders": ""}}',
        b'{"payload": {"purchaseOrders": [1]}}',
    ],
)
def test_an_answer_without_a_list_of_rows_fails_the_stream(clock: FakeClock, body: bytes) -> None:
    run = sync(clock, Answers("getPurchaseOrders", body))
    assert run.status == 1
    assert "getPurchaseOrders (" in run.log
    assert "HTTP 200" in run.log
    assert "'orders'" in run.log
    assert not bookmarked(run)


@pytest.mark.parametrize("payload", [{}, {"orders": None}], ids=str)
def test_an_answer_that_lacks_its_list_once_is_asked_for_again(
    clock: FakeClock, payload: object
) -> None:
    with serve(clock, orders=3) as serving:
        serving.fail_next("getPurchaseOrders", ok({"payload": payload}))
        run = run_by(clock, settings(serving), catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert "HTTP 200 without 'orders'; attempt 1 of 8" in run.log
    assert len(run.numbers()) == 3


@pytest.mark.parametrize(
    "body",
    [b'{"payload": null}', b'{"orders": []}', b'{"payload": [1]}', b'{"payload": "x"}'],
)
def test_an_order_by_number_that_is_no_object_fails_the_stream(
    clock: FakeClock, body: bytes
) -> None:
    run = sync(clock, Answers("getPurchaseOrder", body), purchase_order_numbers=["A1", "A2"])
    assert run.status == 1
    assert "getPurchaseOrder (purchase order A1)" in run.log
    assert "HTTP 200" in run.log


def test_skips_rows_that_are_not_objects_with_one_warning(clock: FakeClock) -> None:
    run = sync(clock, orders_page("A1", 7, None, order("A2")))
    assert run.status == 0, run.log
    assert run.numbers() == {"A2": 1}
    assert run.log.count("purchase_orders: a row: not an object, skipped") == 1


@pytest.mark.parametrize("number", [["x"], {"a": 1}, None], ids=str)
def test_a_row_without_a_usable_key_is_left_out_with_a_warning(
    clock: FakeClock, number: object
) -> None:
    run = sync(clock, orders_page(order(number), order("A2")))
    assert run.status == 0, run.log
    assert run.numbers() == {"A2": 1}
    assert run.log.count("purchase_orders: purchaseOrderNumber: ") == 1


def test_nul_characters_do_not_reach_the_loader(clock: FakeClock) -> None:
    run = sync(clock, orders_page(order("A1", purchaseOrderType="Regular\0Order")))
    (record,) = run.records("purchase_orders")
    assert record["purchaseOrderType"] == "RegularOrder"


def test_deep_nesting_where_text_belongs_is_kept_as_json(clock: FakeClock) -> None:
    deep = "[" * 500 + "]" * 500
    page = json.dumps({"payload": {"orders": [order("A1", purchaseOrderType="@@")]}})
    run = sync(clock, Answers("getPurchaseOrders", page.replace('"@@"', deep).encode()))
    (record,) = run.records("purchase_orders")
    assert record["purchaseOrderType"] == deep


def test_deep_nesting_beside_a_nul_character_is_kept_as_json(clock: FakeClock) -> None:
    deep = "[" * 500 + "]" * 500
    row = order("A\0 1", purchaseOrderType="@@")
    page = json.dumps({"payload": {"orders": [row]}})
    run = sync(clock, Answers("getPurchaseOrders", page.replace('"@@"', deep).encode()))
    assert run.status == 0, run.log
    (record,) = run.records("purchase_orders")
    assert record["purchaseOrderNumber"] == "A 1"
    assert record["purchaseOrderType"] == deep


@pytest.mark.parametrize(
    ("operation", "stream", "body"),
    [
        ("getOrderReports", "orders", {"ordersReport": [{"orderId": "1"}]}),
        ("getPurchaseOrders", "purchase_orders", {"payload": {"orders": [order("A1")]}}),
    ],
)
def test_rows_beside_an_error_are_kept_with_one_warning(
    clock: FakeClock, operation: str, stream: str, body: dict[str, Any]
) -> None:
    errors = [{"code": "PARTIAL_RESULT", "message": "Some data is missing."}]
    answers = Answers(operation, {**body, "errors": errors})
    run = sync(clock, answers, streams=(stream,))
    assert run.status == 0, run.log
    assert len(answers.asked) >= 2
    assert len(run.records(stream)) == 1
    assert run.log.count("data came with an error: HTTP 200 PARTIAL_RESULT") == 1


def test_an_error_without_rows_is_tried_eight_times(clock: FakeClock) -> None:
    body = {"ordersReport": [], "errors": [{"code": "INTERNAL", "message": "Try later."}]}
    answers = Answers("getOrderReports", body)
    run = sync(clock, answers, streams=("orders",), max_parallel_requests=1)
    assert run.status == 1
    assert len(answers.asked) == 8
    assert not run.records("orders")


def test_deep_nesting_in_reports_by_date_is_kept_like_any_unknown_field(
    clock: FakeClock,
) -> None:
    row = b'{"orderId":"1","purchaseOrderNumber":"A1","x":' + b"[" * 500 + b"]" * 500 + b"}"
    run = sync(
        clock,
        orders_page(order("A1")),
        Answers("getOrderReports", b'{"ordersReport":[' + row + b"]}"),
        streams=("purchase_orders", "order_reports"),
        order_reports_strategy="order_date",
    )
    assert run.status == 0, run.log
    assert run.keys("order_reports") == [("A1", "1")]
    assert (
        "order_reports: new fields, or values of another type, are kept in rescuedData: x"
        in run.log
    )
    (record,) = run.records("order_reports")
    assert json.dumps(record["rescuedData"]["x"]) == "[" * 500 + "]" * 500


@pytest.mark.parametrize(
    "token",
    [1, True, ["x"], {"a": 1}, 1.5, "\ud800", "a\0b", "x" * 5000],
    ids=lambda token: str(token)[:9].encode("ascii", "replace").decode(),
)
def test_a_page_token_of_another_type_makes_the_list_start_over(
    clock: FakeClock, token: object
) -> None:
    page = {"payload": {"orders": [], "pagination": {"nextToken": token}}}
    with serve(clock, orders=0, quirks=False) as serving:
        for day in (30, 31):
            serving.world.add_order(created=datetime.fromisoformat(f"2026-05-{day}T00:00:00Z"))
        serving.fail_next("getPurchaseOrders", ok(page))
        config = settings(serving, **LATELY, max_parallel_requests=1)
        run = run_by(clock, config, catalog=select("purchase_orders"))
        numbers = set(serving.world.purchase_orders())
    assert run.status == 0, run.log
    assert set(run.numbers()) == numbers
    assert "page token" in run.log


# ---- messages ----------------------------------------------------------------------------------


@pytest.mark.timeout(60)  # an expression that backtracks would take hours
def test_a_long_message_of_amazon_is_cut(clock: FakeClock) -> None:
    with serve(clock, orders=3) as serving:
        serving.fail_next("getPurchaseOrders", refusal(404, "NotFound", "x" * 100_000))
        config = settings(serving, max_parallel_requests=1)
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "x" * 200 in run.log
    assert "x" * 400 not in run.log


@pytest.mark.timeout(60)
def test_a_long_purchase_order_number_is_cut(clock: FakeClock) -> None:
    number = "A" * 5_000
    with serve(clock, orders=0) as serving:
        serving.fail_next("getPurchaseOrder", refusal(400, "InvalidInput"))
        config = settings(serving, purchase_order_numbers=[number])
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "purchase order AAAA" in run.log
    assert "A" * 400 not in run.log


@pytest.mark.parametrize(
    ("operation", "stream", "setting"),
    [
        ("getPurchaseOrders", "purchase_orders", "sp_api_region"),
        ("getOrderReports", "orders", "business_api_regions"),
    ],
)
def test_a_refused_access_names_the_role_and_the_region(
    clock: FakeClock, operation: str, stream: str, setting: str
) -> None:
    run = sync(clock, Refuses(operation, refusal(403, "Unauthorized")), streams=(stream,))
    assert run.status == 1
    assert re.search(rf"{stream}: {operation} .* lacks the role .* than {setting} says", run.log)


def test_control_characters_of_a_number_do_not_reach_the_log(clock: FakeClock) -> None:
    number = "A1\n2026-06-01 | ERROR | forged\x1b[31m\u2028"
    refused = Refuses("getOrderReportsByPurchaseOrderNumber", refusal(400, "InvalidInput"))
    run = sync(
        clock,
        orders_page(order(number), order("A2")),
        refused,
        streams=("purchase_orders", "order_reports"),
    )
    assert r"purchase order A1\n2026-06-01 | ERROR | forged\x1b[31m\u2028" in run.log
    assert not any(line.startswith("2026-06-01 | ERROR") for line in run.log.splitlines())
    assert "\x1b" not in run.log


# ---- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "announced",
    ["0", "-1", "nan", "inf", "1e-300", "0.0001", "abc", "", "0x10", "1_0", "0.5, 0.5"],
)
def test_an_announced_rate_that_is_none_is_ignored(clock: FakeClock, announced: str) -> None:
    with serve(clock, orders=5) as serving:
        headers = {"x-amzn-RateLimit-Limit": announced}
        serving.fail_next("getPurchaseOrders", Served(headers=headers))
        config = serving.config(max_parallel_requests=1, **VENDOR_ONLY)
        run = run_by(clock, config, catalog=select("purchase_orders"))
        requests = serving.stats().operations["getPurchaseOrders"].requests
    assert run.status == 0, run.log
    # Amazon publishes ten requests a second; the tap stays a hundredth below.
    assert max(clock.slept) == pytest.approx(0.101, abs=0.001)
    assert clock.monotonic() < requests * 0.102


def test_an_announced_rate_of_any_height_is_followed(clock: FakeClock) -> None:
    with serve(clock, orders=5) as serving:
        headers = {"x-amzn-RateLimit-Limit": "1e308"}
        serving.fail_next("getPurchaseOrders", Served(headers=headers))
        config = serving.config(max_parallel_requests=1, **VENDOR_ONLY)
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert clock.monotonic() < 0.01


@pytest.mark.parametrize(
    "after", ["Wed, 21 Oct 2026 07:28:00 GMT", "-5", "1e9", "NaN", "\u0663"], ids=ascii
)
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(
    clock: FakeClock, after: str
) -> None:
    run = sync_refused(clock, after)
    assert run.status == 0, run.log
    assert len(run.numbers()) == 5
    assert max(clock.slept) <= LONGEST


def test_a_retry_after_is_obeyed(clock: FakeClock) -> None:
    run = sync_refused(clock, "7")
    assert run.status == 0, run.log
    assert clock.slept.count(7) == 2
    assert max(clock.slept) == 7


@pytest.mark.parametrize("after", ["3600", "9" * 400], ids=["hour", "aeons"])
def test_a_sync_that_can_only_wait_ends(clock: FakeClock, after: str) -> None:
    run = sync_refused(clock, after)
    assert run.status == 1
    assert "the server asks to wait at least 900 s" in run.log
    assert clock.monotonic() <= 180


def test_a_lasting_429_names_what_shares_the_account(clock: FakeClock) -> None:
    refused = Refuses("getPurchaseOrders", refusal(429, "QuotaExceeded"))
    run = sync(clock, refused, max_parallel_requests=1)
    assert run.status == 1
    assert len(refused.met) == 8
    assert "Another program probably uses the same account" in run.log
    assert "rate_limits" in run.log


def sync_refused(clock: FakeClock, after: str) -> Run:
    """Sync orders, of which the first request is answered twice with 429."""
    with serve(clock, orders=5) as serving:
        serving.fail_next("getPurchaseOrders", *[Reply(429, {"Retry-After": after})] * 2)
        config = serving.config(max_parallel_requests=1, **VENDOR_ONLY)
        return run_by(clock, config, catalog=select("purchase_orders"))


# ---- outages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Reply(503), Reset()], ids=["503", "reset"])
@pytest.mark.parametrize("operation", ["getPurchaseOrders", "getOrderReportsByPurchaseOrderNumber"])
def test_an_outage_ends_the_sync_with_the_state_of_what_was_finished(
    operation: str, fault: Fault
) -> None:
    clock = IdleClock()  # streams wait side by side
    outage = Fails(operation, 30, fault)
    with serve(clock, orders=60, quirks=False, faults=[outage]) as serving:
        config = settings(serving, max_parallel_requests=1)
        catalog = select("purchase_orders", "order_reports")
        first = run_by(clock, config, catalog=catalog)
        took = clock.monotonic()
        outage.over = True
        second = run_by(clock, config, catalog=catalog, state=first.state)
        orders, reports = set(serving.world.purchase_orders()), set(serving.world.order_reports())
        dates = {
            number: datetime.fromisoformat(row["orderDetails"]["purchaseOrderDate"])
            for number, row in serving.world.purchase_orders().items()
        }
    assert first.status == 1
    assert re.search(rf"{operation} .*\b8\b", first.log)
    assert took <= LONGEST + 5
    bookmark = datetime.fromisoformat(first.bookmark())
    assert min(dates.values()) < bookmark < max(dates.values())
    done = {number for number, date in dates.items() if date < bookmark}
    assert done <= set(first.numbers())
    assert {key for key in reports if key[0] in done} <= set(first.keys("order_reports"))
    assert second.status == 0, second.log
    assert set(first.numbers()) | set(second.numbers()) == orders
    assert {*first.keys("order_reports"), *second.keys("order_reports")} == reports


def test_an_operation_that_is_down_leaves_the_other_streams_of_its_api_alone(
    clock: FakeClock,
) -> None:
    down = Fails("getOrderLineItemReports", 0, Reply(503))
    with serve(clock, faults=[down], orders=30) as serving:
        run = run_by(clock, settings(serving, **BUSINESS_ONLY))
        expected = {stream: set(serving.rows(stream)) for stream in ("orders", "shipments")}
    assert run.status == 1
    assert "Failed: order_line_items " in run.log
    assert {stream: set(run.keys(stream)) for stream in expected} == expected
