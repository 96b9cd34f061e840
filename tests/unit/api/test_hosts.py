"""Hosts: every region has one, in production and in the sandbox."""

from __future__ import annotations

import pytest

from tap_amazon_business.api.hosts import (
    BUSINESS_API_REGIONS,
    LOGIN_WITH_AMAZON,
    SP_API_REGIONS,
    business_api_hosts,
    business_api_url,
    sp_api_url,
)

SP_API = {
    "NA": "https://sellingpartnerapi-na.amazon.com",
    "EU": "https://sellingpartnerapi-eu.amazon.com",
    "FE": "https://sellingpartnerapi-fe.amazon.com",
}
BUSINESS_API = {
    "https://na.business-api.amazon.com": ("US", "CA", "MX"),
    "https://eu.business-api.amazon.com": ("UK", "DE", "FR", "ES", "IT", "IN"),
    "https://jp.business-api.amazon.com": ("JP", "AU"),
}


def sandbox(url: str) -> str:
    return url.replace("https://", "https://sandbox.")


def test_login_with_amazon_has_one_host() -> None:
    assert LOGIN_WITH_AMAZON == "https://api.amazon.com"


def test_every_region_of_the_selling_partner_api_has_a_host() -> None:
    assert {region: sp_api_url(region) for region in SP_API_REGIONS} == SP_API


def test_every_region_of_the_selling_partner_api_has_a_sandbox() -> None:
    found = {region: sp_api_url(region, sandbox=True) for region in SP_API_REGIONS}
    assert found == {region: sandbox(url) for region, url in SP_API.items()}


@pytest.mark.parametrize("is_sandbox", [False, True])
def test_every_region_of_the_business_api_has_a_host(*, is_sandbox: bool) -> None:
    expected = {
        region: sandbox(url) if is_sandbox else url
        for url, regions in BUSINESS_API.items()
        for region in regions
    }
    found = {
        region: business_api_url(region, sandbox=is_sandbox) for region in BUSINESS_API_REGIONS
    }
    assert found == expected


@pytest.mark.parametrize(
    ("regions", "hosts"),
    [
        ([], []),
        (["US"], ["na"]),
        (["DE", "UK", "DE"], ["eu"]),
        (["JP", "US", "AU"], ["jp", "na"]),
    ],
)
def test_names_each_host_of_some_regions_once(regions: list[str], hosts: list[str]) -> None:
    assert business_api_hosts(regions) == hosts
