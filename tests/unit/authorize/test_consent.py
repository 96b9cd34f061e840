"""Consent pages, and the code in the address that a browser shows afterwards."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator import Reply
from simulator.lwa import SELLING_PARTNER
from tap_amazon_business.api.auth import Credentials
from tap_amazon_business.api.hosts import BUSINESS_API_REGIONS, BUSINESS_SITES, SP_API_REGIONS
from tap_amazon_business.api.retry import Outage
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.authorize.consent import (
    business_page,
    code_in,
    exchange,
    vendor_page,
    vendor_regions,
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


@pytest.mark.parametrize(
    ("marketplace", "region", "host"),
    [
        ("US", "NA", "vendorcentral.amazon.com"),
        ("UK", "EU", "vendorcentral.amazon.co.uk"),
        ("IN", "EU", "www.vendorcentral.in"),
        ("JP", "FE", "vendorcentral.amazon.co.jp"),
    ],
)
def test_a_vendor_consents_at_the_vendor_central_of_the_marketplace(
    marketplace: str, region: str, host: str
) -> None:
    page = vendor_page(marketplace, "app", "s", redirect_uri=None, draft=True)
    assert page.startswith(f"https://{host}/apps/authorize/consent?")
    assert vendor_regions()[marketplace] == region


def test_every_marketplace_belongs_to_a_region_of_the_api() -> None:
    assert set(vendor_regions().values()) == set(SP_API_REGIONS)


def test_every_region_of_amazon_business_has_a_site() -> None:
    assert set(BUSINESS_SITES) == set(BUSINESS_API_REGIONS)


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


def test_tells_the_error_that_amazon_reports_and_nothing_else_of_it() -> None:
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
    return exchange(
        code_in(confirm(page, simulator.url), "s"),
        credentials,
        None,
        lwa_url=simulator.url,
        transport=Transport(user_agent="tests/1", connections=1, request_timeout=30),
        clock=clock,
        outage=Outage(clock),
        logger=logging.getLogger("tests.unit.consent"),
    )


def test_exchanges_a_code_while_login_with_amazon_stumbles(clock: FakeClock) -> None:
    with serve(clock, orders=1) as simulator:
        simulator.fail_next("token", Reply(503), Reply(200, body=b"{}"))
        assert traded(simulator, clock) == SELLING_PARTNER.refresh_token


def test_gives_up_after_eight_attempts(clock: FakeClock) -> None:
    with serve(clock, orders=1) as simulator:
        simulator.fail_next("token", *[Reply(503)] * 8)
        with pytest.raises(RequestFailedError, match="no refresh token in 8 attempts: HTTP 503"):
            traded(simulator, clock)
