"""Answers of odd shapes: nothing hangs, nothing is told, and there is no traceback."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, Reply, Simulator, World
from tap_amazon_business.connection import Request
from tap_amazon_business.limits import TokenBucket, UsagePlan
from tap_amazon_business.responses import judge
from tests.support.runs import run_by, run_tap, select

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

    from simulator.faults import Serve
    from tests.support.clocks import FakeClock

VENDOR_ONLY: dict[str, Any] = {
    f"business_api_{name}": "" for name in ("client_id", "client_secret", "refresh_token")
}


def serve(clock: FakeClock, **options: Any) -> Simulator:
    return Simulator(
        World(orders=5, quirks=False, now=clock.now),
        Options(limits=False, **options),
        monotonic=clock.monotonic,
    )


# ---- messages ----------------------------------------------------------------------------------


@pytest.mark.timeout(20)
def test_a_long_message_is_judged_at_once() -> None:
    body = json.dumps({"errors": [{"code": "InternalFailure", "message": "x" * 100_000}]}).encode()
    began = time.monotonic()
    judge(500, {}, body, paging=False)
    assert time.monotonic() - began < 2


@pytest.mark.timeout(20)
def test_a_long_purchase_order_number_is_named_at_once() -> None:
    began = time.monotonic()
    str(Request("x", "/", about="A" * 50_000))
    assert time.monotonic() - began < 2


# ---- sign-in -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        {"access_token": "Atza\u20ac", "expires_in": 3600},
        {"access_token": "ab\ncd", "expires_in": 3600},
        {"access_token": " ab ", "expires_in": 3600},
        {"access_token": "x", "expires_in": 10**400},
        {"access_token": "x", "expires_in": True},
        {"access_token": "x", "expires_in": -1},
        {"access_token": ["x"], "expires_in": 3600},
        {"access_token": None},
    ],
    ids=lambda r: str(r)[:50],
)
def test_odd_answers_to_sign_in_are_no_traceback(clock: FakeClock, reply: Any) -> None:
    with serve(clock) as serving:
        serving.fail_next("token", *[Reply(200, body=json.dumps(reply).encode())] * 20)
        run = run_by(clock, serving.config(**VENDOR_ONLY), catalog=select("purchase_orders"))
    assert run.status == 0 or "Login with Amazon" in run.log or "getPurchaseOrders" in run.log


def test_an_error_code_that_repeats_a_secret_is_not_told(clock: FakeClock) -> None:
    with serve(clock) as serving:
        config = serving.config(**VENDOR_ONLY)
        body = {"error": "bad " + config["sp_api_refresh_token"]}
        serving.fail_next("token", Reply(400, body=json.dumps(body).encode()))
        run_by(clock, config, catalog=select("purchase_orders"))


def test_a_request_id_that_repeats_the_token_is_not_told() -> None:
    verdict = judge(
        403,
        {"x-amzn-requestid": "Atza|123"},
        b"{}",
        paging=False,
        secret="Atza|123",  # noqa: S106
    )
    assert "Atza|123" not in verdict.problem


# ---- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "announced",
    ["0", "-1", "nan", "inf", "1e-300", "0.0001", "abc", "", "1e308", "0x10", "1_0", "0.5, 0.5"],
)
def test_a_rate_of_any_kind_stops_nothing(clock: FakeClock, announced: str) -> None:
    class Announce:
        async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
            del request
            answer = await serve()
            answer.headers["x-amzn-RateLimit-Limit"] = announced
            return answer

    with serve(clock) as serving:
        serving.fail_next("getPurchaseOrders", Announce())
        run = run_by(
            clock,
            serving.config(max_parallel_requests=1, **VENDOR_ONLY),
            catalog=select("purchase_orders"),
        )
    assert run.status == 0
    assert max(clock.slept, default=0) < 300, max(clock.slept)


def test_a_thread_that_waits_notices_a_higher_rate() -> None:
    class Clock:
        def __init__(self) -> None:
            self.time, self.slept = 0.0, threading.Event()
            self.longest = 0.0

        def now(self) -> Any: ...

        def monotonic(self) -> float:
            return self.time

        def sleep(self, seconds: float) -> None:
            self.longest = max(self.longest, seconds)
            bucket.retune(10)  # what another thread's answer announces meanwhile
            self.time += seconds

    clock = Clock()
    bucket = TokenBucket(UsagePlan(10, 2), clock)
    bucket.retune(1 / 3600)
    bucket.acquire()
    bucket.acquire()
    assert clock.time < 120


# ---- unexpected headers, bodies ----------------------------------------------------------------


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf", b"[" * 100_000, b'{"a":' * 100_000])
def test_bodies_that_cannot_be_read_are_tried_again(clock: FakeClock, body: bytes) -> None:
    with serve(clock) as serving:
        serving.fail_next("getPurchaseOrders", *[Reply(200, body=body)] * 3)
        run = run_by(clock, serving.config(**VENDOR_ONLY), catalog=select("purchase_orders"))
    assert run.status == 0, run.log


@pytest.mark.parametrize(
    "after", ["Wed, 21 Oct 2026 07:28:00 GMT", "-5", "1e9", "9" * 400, "NaN", "\u0663"]
)
def test_retry_after_of_any_kind(clock: FakeClock, after: str) -> None:
    with serve(clock) as serving:
        serving.fail_next(
            "getPurchaseOrders",
            Reply(429, {"Retry-After": after}),
            Reply(429, {"Retry-After": after}),
        )
        run = run_by(clock, serving.config(**VENDOR_ONLY), catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert max(clock.slept) <= 901


@pytest.mark.parametrize(
    "token",
    [1, True, ["x"], {"a": 1}, 1.5, "\ud800", "a\0b", "x" * 5000],
    ids=lambda t: str(t)[:9].encode("ascii", "replace").decode(),
)
def test_page_tokens_of_other_types(clock: FakeClock, token: Any) -> None:
    body = json.dumps({"payload": {"orders": [], "pagination": {"nextToken": token}}})
    with serve(clock) as serving:
        serving.fail_next("getPurchaseOrders", Reply(200, body=body.encode()))
        run_by(clock, serving.config(**VENDOR_ONLY), catalog=select("purchase_orders"))


def test_a_number_that_is_an_address_is_not_told(tmp_path: Path) -> None:
    number = {"purchaseOrderNumber": "zoe@elsewhere.example", "orderDetails": {}}
    reply = Reply(200, body=json.dumps({"payload": {"orders": [number]}}).encode())
    with Simulator(World(orders=0, quirks=False), Options(limits=False)) as serving:
        serving.fail_next("getPurchaseOrders", reply)
        run = run_tap(
            serving.config(order_reports_strategy="purchase_order"),
            tmp_path,
            catalog=select("purchase_orders", "order_reports"),
        )  # which searches what is logged at level DEBUG
    assert run.status == 0
    assert run.numbers() == {"zoe@elsewhere.example": 1}
