"""Scripted faults and fault policies."""

import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event

import pytest
import requests

from simulator import Cut, Fault, Hang, Reply, Request, Reset, Simulator, Trickle, WithErrors
from simulator.mishaps import BLANK_LISTS, Kind, draw
from simulator.tests.support import (
    NO_LIMITS,
    ORDERS,
    TIMEOUT,
    Client,
    Simulators,
    days_ago,
    error_of,
)


def test_sends_scripted_replies_unaltered_and_in_order(simulators: Simulators) -> None:
    client = simulators.start()
    html = {"Content-Type": "text/html"}
    client.simulator.fail_next(
        "getPurchaseOrders",
        Reply(503, html, b"<html>"),
        Reply(200, body=b'{"payload": {"ord'),
        Reply(500),
    )
    assert client.get(ORDERS).text == "<html>"
    assert client.get(ORDERS).text == '{"payload": {"ord'
    assert client.get(ORDERS).content == b""
    assert client.get(ORDERS).status_code == 200
    assert client.simulator.stats().faults == 3


@pytest.mark.parametrize("fault", [Reset(), Hang(seconds=0), Cut()])
def test_drops_the_connection(simulators: Simulators, fault: Reset | Hang | Cut) -> None:
    client = simulators.start()
    client.simulator.fail_next("getPurchaseOrders", fault)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get(ORDERS)
    assert client.get(ORDERS).status_code == 200
    assert client.simulator.stats().operations["getPurchaseOrders"].by_status == {0: 1, 200: 1}


def test_policy_decides_on_every_request(simulators: Simulators) -> None:
    class EverySecondPage:
        def decide(self, request: Request) -> Fault | None:
            return Reply(400) if "nextToken" in request.parameters else None

    client = simulators.start(simulators.world(), NO_LIMITS, EverySecondPage())
    token = client.get(ORDERS).json()["payload"]["pagination"]["nextToken"]
    assert client.get(ORDERS, nextToken=token).status_code == 400


class Silence:
    """Lets every request hang, and notes that one has arrived."""

    def __init__(self) -> None:
        self.arrived = Event()

    def decide(self, request: Request) -> Fault | None:
        if request.operation != "getPurchaseOrders":
            return None  # signing in
        self.arrived.set()
        return Hang()


def test_stops_while_a_request_hangs(simulators: Simulators) -> None:
    silence = Silence()
    with ThreadPoolExecutor(1) as pool:
        with Simulator(simulators.world(), NO_LIMITS, faults=[silence]) as simulator:
            hanging = pool.submit(Client(simulator).get, ORDERS)
            assert silence.arrived.wait(TIMEOUT)
        with pytest.raises(requests.ConnectionError):
            hanging.result()


def test_trickles_the_proper_body(simulators: Simulators) -> None:
    client = simulators.start()
    whole = client.get(ORDERS)
    client.simulator.fail_next("getPurchaseOrders", Trickle(seconds=0.2, every=0.02))
    slow = client.get(ORDERS)
    assert slow.json()["payload"]["orders"] == whole.json()["payload"]["orders"]


def test_trickle_outlasts_its_seconds(simulators: Simulators) -> None:
    client = simulators.start()
    client.simulator.fail_next("getPurchaseOrders", Trickle(seconds=0.3, every=0.02))
    began = time.monotonic()
    client.get(ORDERS)
    assert time.monotonic() - began >= 0.3


def test_errors_can_come_with_rows(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(orders=0, regions=("US",)))
    number = client.simulator.world.add_order(created=days_ago(9), reports=2)
    for operation in ("getPurchaseOrders", "getOrderReportsByPurchaseOrderNumber"):
        client.simulator.fail_next(operation, WithErrors("Throttled"))
    orders, reports = client.get(ORDERS), client.reports(number)
    assert error_of(orders) == error_of(reports) == (200, "Throttled")
    assert len(orders.json()["payload"]["orders"]) == 1
    assert len(reports.json()["ordersReport"]) == 2


def test_errors_are_left_out_where_there_are_no_rows(simulators: Simulators) -> None:
    client = simulators.start()
    client.simulator.fail_next("getOrderReportsByPurchaseOrderNumber", WithErrors())
    assert "errors" not in client.reports("no such number").json()


def test_blank_lists_have_no_rows(simulators: Simulators) -> None:
    client = simulators.start()
    bodies = set()
    for seed in range(40):
        blank = draw(Kind.BLANK, Random(seed), stall=0, revoke=lambda: None)
        client.simulator.fail_next("getPurchaseOrders", blank)
        reply = client.get(ORDERS)
        assert reply.status_code == 200
        bodies.add(reply.content)
    assert bodies == set(BLANK_LISTS)
