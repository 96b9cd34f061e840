"""Consent pages, and the code in the address that a browser shows afterwards."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator import Reply
from simulator.lwa import SELLING_PARTNER
from tap_amazon_business.api.auth import Credentials, TokenEndpoint
from tap_amazon_business.api.hosts import BUSINESS_API_REGIONS, MARKETPLACES
from tap_amazon_business.api.retry import Outage, Retrier
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.authorize import (
    business_page,
    code_in,
    exchange,
    vendor_page,
)
from tap_amazon_business.errors import RequestFailedError, TapError
from tests.support.consent import confirm
from tests.support.serving import serve

if TYPE_CHECKING:
    from simulator import Simulator
    from tests.support.clocks import FakeClock

REDIRECT = "https://example.com/done?x=1"


def parameters(page: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(page).query).items()}


# ---- pages ---------------------------------------------------------------------------------------


VENDOR_CENTRALS = {
    "US NA": "vendorcentral.amazon.com",
    "CA NA": "vendorcentral.amazon.ca",
    "MX NA": "vendorcentral.amazon.com.mx",
    "BR NA": "vendorcentral.amazon.com.br",
    "UK EU": "vendorcentral.amazon.co.uk",
    "DE EU": "vendorcentral.amazon.de",
    "FR EU": "vendorcentral.amazon.fr",
    "ES EU": "vendorcentral.amazon.es",
    "IT EU": "vendorcentral.amazon.it",
    "NL EU": "vendorcentral.amazon.nl",
    "BE EU": "vendorcentral.amazon.com.be",
    "SE EU": "vendorcentral.amazon.se",
    "PL EU": "vendorcentral.amazon.pl",
    "TR EU": "vendorcentral.amazon.com.tr",
    "AE EU": "vendorcentral.amazon.me",
    "EG EU": "vendorcentral.amazon.me",
    "SA EU": "vendorcentral.amazon.me",
    "ZA EU": "vendorcentral.amazon.co.za",
    "IN EU": "www.vendorcentral.in",
    "JP FE": "vendorcentral.amazon.co.jp",
    "AU FE": "vendorcentral.amazon.com.au",
    "SG FE": "vendorcentral.amazon.com.sg",
}
BUSINESS_SITES = {
    "US": "www.amazon.com",
    "CA": "www.amazon.ca",
    "MX": "www.amazon.com.mx",
    "UK": "www.amazon.co.uk",
    "DE": "www.amazon.de",
    "FR": "www.amazon.fr",
    "ES": "www.amazon.es",
    "IT": "www.amazon.it",
    "IN": "www.amazon.in",
    "JP": "www.amazon.co.jp",
    "AU": "www.amazon.com.au",
}


def test_a_vendor_consents_at_the_vendor_central_of_the_marketplace() -> None:
    found = {
        f"{marketplace} {region}": urlsplit(
            vendor_page(marketplace, "app", "s", redirect_uri=None, draft=True)
        )
        for marketplace, region in MARKETPLACES.items()
    }
    assert {name: page.hostname for name, page in found.items()} == VENDOR_CENTRALS
    assert {page.path for page in found.values()} == {"/apps/authorize/consent"}


def test_an_administrator_consents_at_the_site_of_the_region() -> None:
    pages = {region: business_page(region, "app", "s", REDIRECT) for region in BUSINESS_API_REGIONS}
    assert {region: urlsplit(page).hostname for region, page in pages.items()} == BUSINESS_SITES


def test_only_a_draft_is_a_beta() -> None:
    draft, published = (
        parameters(vendor_page("DE", "app", "s t", redirect_uri=None, draft=draft))
        for draft in (True, False)
    )
    assert draft == {"application_id": "app", "state": "s t", "version": "beta"}
    assert published == {"application_id": "app", "state": "s t"}


def test_the_redirect_uri_is_encoded() -> None:
    vendor = vendor_page("DE", "app", "s", redirect_uri=REDIRECT, draft=False)
    business = business_page("DE", "app", "s", REDIRECT)
    assert parameters(vendor)["redirect_uri"] == REDIRECT
    assert parameters(business) == {
        "state": "s",
        "redirect_uri": REDIRECT,
        "applicationId": "app",
    }
    assert business.startswith("https://www.amazon.de/b2b/abws/oauth?")


# ---- codes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "https://example.com/?state=s&selling_partner_id=A1&spapi_oauth_code=RHmX~1",
        "https://example.com/?x=1&code=RHmX~1&state=s",
        " RHmX~1 ",
    ],
)
def test_finds_the_code(answer: str) -> None:
    assert code_in(answer, "s") == "RHmX~1"


@pytest.mark.parametrize("state", ["", "&state=", "&state=other", "&state=s%C3%BC"])
def test_refuses_the_answer_to_another_page(state: str) -> None:
    with pytest.raises(TapError, match="state in this address is not the one"):
        code_in(f"https://example.com/?code=RHmX{state}", "s")


@pytest.mark.parametrize("answer", ["https://example.com/?state=s", "https://example.com", "a b"])
def test_says_that_there_is_no_code(answer: str) -> None:
    with pytest.raises(TapError, match="no code in this address"):
        code_in(answer, "s")


def test_shows_the_error_that_amazon_reports_and_nothing_else() -> None:
    denied = "error=access_denied&error_description=jane%40example.com&state=s"
    with pytest.raises(TapError, match=r"^Amazon gave no code: access_denied\.") as caught:
        code_in(f"https://example.com/?{denied}", "s")
    assert "jane" not in caught.value.message


# ---- exchange ------------------------------------------------------------------------------------


def traded(simulator: Simulator, clock: FakeClock) -> str:
    """Consent, and exchange the code."""
    page = vendor_page("US", SELLING_PARTNER.application_id, "s", redirect_uri=None, draft=True)
    credentials = Credentials(
        "sp_api", SELLING_PARTNER.client_id, SELLING_PARTNER.client_secret, ""
    )
    endpoint = TokenEndpoint(
        simulator.url,
        credentials,
        Transport(user_agent="tests/1", connections=1, request_timeout=30),
        Retrier(Outage(clock), clock, logging.getLogger("tests.unit.consent")),
    )
    return exchange(code_in(confirm(page, simulator.url), "s"), None, endpoint)


def test_exchanges_a_code_while_login_with_amazon_stumbles(clock: FakeClock) -> None:
    with serve(clock, orders=1) as simulator:
        simulator.fail_next("token", Reply(503), Reply(200, body=b"{}"))
        assert traded(simulator, clock) == SELLING_PARTNER.refresh_token


def test_gives_up_after_eight_attempts(clock: FakeClock) -> None:
    with serve(clock, orders=1) as simulator:
        simulator.fail_next("token", *[Reply(503)] * 8)
        with pytest.raises(
            RequestFailedError, match=r"no refresh token for .* in 8 attempts: HTTP 503"
        ):
            traded(simulator, clock)
