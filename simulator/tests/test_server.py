"""Rules that all operations share: headers, roles, counters, paths."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests
from aiohttp import web

from simulator import Fault, Options, Reply, Request, Simulator, Trickle
from simulator.faults import Serve
from simulator.mishaps import Truncated
from simulator.tests.support import (
    NO_LIMITS,
    NOW,
    ORDERS,
    STATUSES,
    TIMEOUT,
    Simulators,
    error_of,
)


@pytest.mark.parametrize("agent", ["", "x" * 501])
def test_refuses_a_missing_or_long_user_agent(simulators: Simulators, agent: str) -> None:
    client = simulators.start()
    headers = {"x-amz-access-token": client.tokens["sp_api"], "User-Agent": agent}
    reply = client.http.get(client.simulator.url + ORDERS, headers=headers, timeout=TIMEOUT)
    assert reply.status_code == 400


def test_missing_role_is_refused_like_a_bad_token(simulators: Simulators) -> None:
    client = simulators.start(options=Options(lacking_roles=frozenset({"getPurchaseOrders"})))
    reply = client.get(ORDERS)
    assert error_of(reply) == (403, "Unauthorized")
    assert "role" in reply.json()["errors"][0]["details"]


def test_missing_operation_is_not_found(simulators: Simulators) -> None:
    client = simulators.start(options=Options(missing_operations=frozenset({"getPurchaseOrders"})))
    assert error_of(client.get(ORDERS)) == (404, "NotFound")
    assert client.get(STATUSES).status_code == 200


def test_ignores_and_counts_unknown_parameters(simulators: Simulators) -> None:
    client = simulators.start()
    assert client.get(ORDERS, created_after="x", Limit="3").status_code == 200
    assert client.simulator.stats().unknown_parameters == {
        ("getPurchaseOrders", "created_after"): 1,
        ("getPurchaseOrders", "Limit"): 1,
    }


def test_counts_malformed_requests_by_operation_and_code(simulators: Simulators) -> None:
    client = simulators.start()
    client.get(ORDERS, limit=0)
    client.get("/no/such/path")
    assert client.simulator.stats().malformed == {
        ("getPurchaseOrders", 400, "InvalidInput"): 1,
        ("unknown", 404, "NotFound"): 1,
    }


def test_replies_have_a_request_id_and_a_rate(simulators: Simulators) -> None:
    headers = simulators.start(options=Options()).get(ORDERS).headers
    assert headers["x-amzn-RequestId"]
    assert headers["x-amzn-RateLimit-Limit"] == "10.0"


def test_announces_a_configured_rate(simulators: Simulators) -> None:
    client = simulators.start(options=Options(announced_rates={"getPurchaseOrders": 2.5}))
    assert client.get(ORDERS).headers["x-amzn-RateLimit-Limit"] == "2.5"


class Together:
    """Holds requests back until so many have arrived; answers them then."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._complete = asyncio.Event()

    def decide(self, request: Request) -> Fault | None:
        if request.operation != "getPurchaseOrders":
            return None  # signing in
        self._missing -= 1
        if self._missing == 0:
            self._complete.set()
        return self

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        del request
        await self._complete.wait()
        return await serve()


def test_counts_requests_in_flight(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(), NO_LIMITS, Together(3))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: client.get(ORDERS, limit=1), range(3)))
    traffic = client.simulator.stats().operations["getPurchaseOrders"]
    assert (traffic.requests, traffic.in_flight, traffic.max_in_flight) == (3, 0, 3)


def test_port_in_use_is_an_error(simulators: Simulators) -> None:
    port = int(simulators.start().simulator.url.rpartition(":")[2])
    world = simulators.world()
    with pytest.raises(OSError, match="in use"), Simulator(world, port=port):
        pytest.fail("two simulators listen on one port")


def date_of(reply: requests.Response) -> datetime:
    return parsedate_to_datetime(reply.headers["Date"])


def test_date_header_shows_the_world_time(simulators: Simulators) -> None:
    client = simulators.start()
    simulators.clock.seconds = 90
    expected = NOW + timedelta(seconds=90)
    assert date_of(client.get(ORDERS)) == expected
    assert date_of(client.get("/no/such/path")) == expected
    assert date_of(client.post_token(client.form("sp_api"))) == expected


@pytest.mark.parametrize("fault", [Reply(503), Truncated(0.5), Trickle(seconds=0)])
def test_date_header_of_a_fault_shows_the_world_time(simulators: Simulators, fault: Fault) -> None:
    client = simulators.start()
    client.simulator.fail_next("getPurchaseOrders", fault)
    assert date_of(client.get(ORDERS)) == NOW


@pytest.mark.parametrize("ahead", [7200, -7200])
def test_date_header_of_login_with_amazon_can_differ(simulators: Simulators, ahead: int) -> None:
    client = simulators.start(options=Options(lwa_clock_ahead=ahead))
    assert date_of(client.post_token(client.form("sp_api"))) == NOW + timedelta(seconds=ahead)
    assert date_of(client.get(ORDERS)) == NOW
