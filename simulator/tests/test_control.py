"""The control endpoints under /_simulator/."""

from simulator import Options, Plan
from simulator.tests.support import ORDERS, Simulators


def test_stats_count_requests_rows_and_statuses(simulators: Simulators) -> None:
    client = simulators.start()
    client.get(ORDERS, limit=1)
    operations = client.control("GET", "stats").json()["operations"]
    traffic = operations["getPurchaseOrders"]
    assert (traffic["requests"], traffic["by_status"], traffic["rows"]) == (1, {"200": 1}, 1)
    assert traffic["max_in_flight"] == 1


def test_change_changes_and_adds_orders(simulators: Simulators) -> None:
    client = simulators.start()
    reply = client.control("POST", "change", fraction=0.5, state_only=0, new=2)
    assert reply.json() == {"changed": 100, "state_only": 0, "new": 2}
    assert len(client.simulator.world.purchase_orders()) == 202


def test_revoke_invalidates_access_tokens(simulators: Simulators) -> None:
    client = simulators.start()
    client.control("POST", "revoke")
    assert client.get(ORDERS).status_code == 403


def test_reset_clears_the_counters(simulators: Simulators) -> None:
    client = simulators.start()
    client.get(ORDERS, limit=1)
    client.control("POST", "reset")
    assert client.simulator.stats().operations["getPurchaseOrders"].requests == 0


def test_reset_fills_the_buckets(simulators: Simulators) -> None:
    client = simulators.start(options=Options(rates={"getPurchaseOrders": Plan(rate=1, burst=1)}))
    assert [client.get(ORDERS).status_code for _ in range(2)] == [200, 429]
    client.control("POST", "reset")
    assert client.get(ORDERS).status_code == 200


def test_unknown_control_endpoint_is_not_found(simulators: Simulators) -> None:
    assert simulators.start().control("GET", "nothing").status_code == 404


def test_refuses_a_change_with_an_invalid_number(simulators: Simulators) -> None:
    assert simulators.start().control("POST", "change", new="many").status_code == 400
