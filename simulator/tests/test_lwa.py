"""Login with Amazon: token requests, and what an access token is good for."""

import pytest

from simulator import Options, Reply
from simulator.tests.support import ORDERS, Simulators, error_of


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"client_id": "x"}, 401, "invalid_client"),
        ({"client_secret": "x"}, 401, "invalid_client"),
        ({"refresh_token": "x"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"refresh_token": ""}, 400, "invalid_request"),
    ],
)
def test_refuses_a_wrong_token_request(
    simulators: Simulators, wrong: dict[str, str], status: int, code: str
) -> None:
    client = simulators.start()
    reply = client.post_token({**client.form("sp_api"), **wrong})
    assert (reply.status_code, reply.json()["error"]) == (status, code)


def test_counts_token_requests_by_application(simulators: Simulators) -> None:
    client = simulators.start()
    client.sign_in("business_api")
    client.post_token({"client_id": "x"})
    counted = client.simulator.stats().token_requests
    assert counted == {"selling_partner": 1, "business": 2, "unknown": 1}


def test_access_token_expires(simulators: Simulators) -> None:
    client = simulators.start(options=Options(token_lifetime=60))
    simulators.clock.seconds = 59
    assert client.get(ORDERS).status_code == 200
    simulators.clock.seconds = 60
    assert error_of(client.get(ORDERS)) == (403, "Unauthorized")


def test_revoked_token_is_refused_and_a_new_one_accepted(simulators: Simulators) -> None:
    client = simulators.start()
    client.simulator.revoke_tokens()
    assert error_of(client.get(ORDERS)) == (403, "Unauthorized")
    client.tokens["sp_api"] = client.sign_in("sp_api")
    assert client.get(ORDERS).status_code == 200


def test_token_is_valid_for_one_api_only(simulators: Simulators) -> None:
    client = simulators.start()
    assert error_of(client.get(ORDERS, "business_api")) == (403, "Unauthorized")


def test_refuses_a_request_without_a_token(simulators: Simulators) -> None:
    client = simulators.start()
    client.tokens["sp_api"] = ""
    assert error_of(client.get(ORDERS)) == (403, "Unauthorized")


def test_token_endpoint_can_fail(simulators: Simulators) -> None:
    client = simulators.start()
    client.simulator.fail_next("token", Reply(503))
    assert client.post_token(client.form("sp_api")).status_code == 503
    assert client.post_token(client.form("sp_api")).status_code == 200
