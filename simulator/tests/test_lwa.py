"""Login with Amazon: token requests, and what an access token is good for."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from simulator import Options, Reply
from simulator.lwa import APPLICATIONS, BUSINESS, SELLING_PARTNER, Application
from simulator.tests.support import ORDERS, TIMEOUT, Client, Simulators, error_of

VENDOR_PAGE = ("/apps/authorize/consent", "application_id", "spapi_oauth_code")
BUSINESS_PAGE = ("/b2b/abws/oauth", "applicationId", "code")
PAGES = {SELLING_PARTNER.name: VENDOR_PAGE, BUSINESS.name: BUSINESS_PAGE}


def consent(client: Client, application: Application, **query: str) -> tuple[int, str, str]:
    """Confirm an access; return the status, the state, and the code."""
    path, id_name, code_name = PAGES[application.name]
    query = {id_name: application.application_id, "state": "s", **query}
    reply = client.http.get(
        f"{client.simulator.url}{path}?{urlencode(query)}", allow_redirects=False, timeout=TIMEOUT
    )
    given = parse_qs(urlsplit(reply.headers.get("Location", "")).query)
    state, code = (given.get(name, [""])[0] for name in ("state", code_name))
    return reply.status_code, state, code


def code_form(application: Application, code: str, **more: str) -> dict[str, str]:
    """Return the fields of a request that exchanges a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        **more,
    }


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


# ---- authorization codes -------------------------------------------------------------------------


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda part: part.name)
def test_consent_gives_a_code_for_a_refresh_token(
    simulators: Simulators, application: Application
) -> None:
    client = simulators.start()
    status, state, code = consent(client, application, redirect_uri=application.redirect_uri)
    assert (status, state) == (302, "s")
    form = code_form(application, code, redirect_uri=application.redirect_uri)
    assert client.post_token(form).json()["refresh_token"] == application.refresh_token


@pytest.mark.parametrize(
    "wrong", [{"application_id": "other"}, {"redirect_uri": "https://other.example.com"}]
)
def test_a_consent_page_refuses_what_is_not_registered(
    simulators: Simulators, wrong: dict[str, str]
) -> None:
    assert consent(simulators.start(), SELLING_PARTNER, **wrong)[0] == 400


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"code": "x"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"redirect_uri": SELLING_PARTNER.redirect_uri}, "invalid_grant"),
        (
            {"client_id": BUSINESS.client_id, "client_secret": BUSINESS.client_secret},
            "invalid_grant",
        ),
    ],
)
def test_refuses_a_wrong_exchange(simulators: Simulators, wrong: dict[str, str], code: str) -> None:
    client = simulators.start()
    given = consent(client, SELLING_PARTNER)[2]
    reply = client.post_token({**code_form(SELLING_PARTNER, given), **wrong})
    assert reply.json()["error"] == code


def test_a_code_works_once(simulators: Simulators) -> None:
    client = simulators.start()
    form = code_form(SELLING_PARTNER, consent(client, SELLING_PARTNER)[2])
    assert [client.post_token(form).status_code for _ in range(2)] == [200, 400]


def test_a_code_expires_after_five_minutes(simulators: Simulators) -> None:
    client = simulators.start()
    first, second = (consent(client, SELLING_PARTNER)[2] for _ in range(2))
    simulators.clock.seconds = 299
    assert client.post_token(code_form(SELLING_PARTNER, first)).status_code == 200
    simulators.clock.seconds = 300
    assert client.post_token(code_form(SELLING_PARTNER, second)).status_code == 400


def test_another_account_has_other_refresh_tokens(simulators: Simulators) -> None:
    client = simulators.start(options=Options(account="-2"))
    form = client.form("sp_api")
    assert form["refresh_token"] == "Atzr|sp-refresh-2"  # noqa: S105
    assert client.post_token(form).json()["refresh_token"] == form["refresh_token"]
    other = client.post_token({**form, "refresh_token": "Atzr|sp-refresh"})
    assert (other.status_code, other.json()["error"]) == (400, "invalid_grant")
