"""Rate limits."""

from simulator import Options, Plan
from simulator.tests.support import ORDERS, Simulators, error_of


def test_bucket_starts_full_and_refills(simulators: Simulators) -> None:
    plans = {"getPurchaseOrders": Plan(rate=2, burst=3)}
    client = simulators.start(options=Options(rates=plans))
    statuses = [client.get(ORDERS, limit=1).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    simulators.clock.seconds += 0.4
    refused = client.get(ORDERS, limit=1)
    assert error_of(refused) == (429, "QuotaExceeded")
    assert "x-amzn-RateLimit-Limit" not in refused.headers
    assert "Retry-After" not in refused.headers
    simulators.clock.seconds += 0.2
    assert client.get(ORDERS, limit=1).status_code == 200
    assert client.simulator.stats().operations["getPurchaseOrders"].refused == 2


def test_refused_requests_consume_tokens(simulators: Simulators) -> None:
    plans = {"getPurchaseOrders": Plan(rate=1, burst=2)}
    client = simulators.start(options=Options(rates=plans))
    assert client.get(ORDERS, limit=0).status_code == 400
    assert client.get(ORDERS, limit=0).status_code == 400
    assert client.get(ORDERS, limit=0).status_code == 429


def test_each_operation_has_its_own_bucket(simulators: Simulators) -> None:
    plans = {"getPurchaseOrders": Plan(rate=1, burst=1)}
    client = simulators.start(options=Options(rates=plans))
    assert [client.get(ORDERS).status_code for _ in range(2)] == [200, 429]
    assert client.reports("x").status_code == 200


def test_published_plans_apply_by_default(simulators: Simulators) -> None:
    client = simulators.start(options=Options())
    assert [client.reports("x").status_code for _ in range(11)] == [200] * 10 + [429]
    simulators.clock.seconds += 2
    assert [client.reports("x").status_code for _ in range(2)] == [200, 429]


def test_sends_a_configured_retry_after(simulators: Simulators) -> None:
    plans = {"getPurchaseOrders": Plan(rate=1, burst=0)}
    client = simulators.start(options=Options(rates=plans, retry_after=3))
    assert client.get(ORDERS).headers["Retry-After"] == "3"
