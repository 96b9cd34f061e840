"""Problems of a configuration: one message each, which names the setting."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from tap_amazon_business.settings import SCHEMA
from tap_amazon_business.validation import problems
from tests.support.clocks import BEGINNING

KEYS = ("client_id", "client_secret", "refresh_token")
SP = {f"sp_api_{name}": f"value-of-{name}" for name in KEYS}
BUSINESS = {f"business_api_{name}": f"value-of-{name}" for name in KEYS}


def found(config: dict[str, Any]) -> list[str]:
    return problems(config, SCHEMA, BEGINNING)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, r"no credentials: set sp_api_client_id"),
        ({"sp_api_client_id": "x"}, r"sp_api_client_secret, sp_api_refresh_token: missing"),
        ({**SP, "sp_api_client_secret": ""}, r"sp_api_client_secret: missing"),
        ({**SP, "business_api_client_id": "x"}, r"business_api_client_secret.*missing"),
        ({**SP, "strat_date": "2026-01-01"}, r"strat_date: .*did you mean start_date\?"),
        ({**SP, "zzz": 1}, r"zzz: there is no such setting$"),
        ({**SP, "start_date": "2026-13-01"}, r"start_date: '2026-13-01' is not a date"),
        ({**SP, "start_date": "1969-12-31"}, r"start_date: '1969-12-31' is not a date"),
        (
            {**SP, "start_date": "2026-03-01", "end_date": "2026-02-01"},
            r"end_date: 2026-02-01.* is not after start_date",
        ),
        (
            {**SP, "start_date": "2026-03-01", "end_date": "2026-03-01"},
            r"end_date: 2026-03-01.* is not after start_date",
        ),
        ({**SP, "start_date": "2199-01-01"}, r"start_date: .* is in the future"),
        ({**SP, "sp_api_region": "US"}, r"sp_api_region: unknown region 'US'; one of NA EU FE"),
        (
            {**BUSINESS, "business_api_regions": ["XX"]},
            r"business_api_regions: unknown region 'XX'",
        ),
        ({**BUSINESS, "business_api_regions": ["GB"]}, r"'GB'; Amazon Business calls it UK"),
        ({**BUSINESS, "business_api_regions": ["US", "DE"]}, r"different hosts serve US DE"),
        ({**BUSINESS, "business_api_regions": []}, r"business_api_regions: name at least"),
        ({**SP, "sp_api_url": "http://example.com"}, r"sp_api_url: must begin with https"),
        ({**SP, "lwa_url": "http://10.0.0.1"}, r"lwa_url: must begin with https"),
        ({**SP, "lwa_url": "ftp://127.0.0.1"}, r"lwa_url: must be a URL"),
        ({**SP, "lwa_url": "https://"}, r"lwa_url: must be a URL"),
        ({**SP, "lwa_url": "https://host:port"}, r"lwa_url: is not a URL"),
        ({**SP, "lwa_url": "https://me:pass@host"}, r"lwa_url: must not carry a user name"),
        ({**SP, "lwa_url": "https://host?a=b"}, r"lwa_url: must not carry a query"),
        ({**SP, "max_parallel_requests": 0}, r"max_parallel_requests: 0 is less than"),
        ({**SP, "lookback_days": "many"}, r"lookback_days: 'many' is not of type"),
        (
            {**SP, "rate_limits": {"getPurchaseOrder_": {"rate": 1, "burst": 1}}},
            r"rate_limits: there is no operation 'getPurchaseOrder_'; did you mean \w+\?",
        ),
        ({**SP, "rate_limits": {"getPurchaseOrders": {"rate": 0, "burst": 1}}}, r"rate_limits\["),
        ({**SP, "order_reports_strategy": "guess"}, r"order_reports_strategy: 'guess' is not one"),
        ({**SP, "user_agent": "x" * 501}, r"user_agent: longer than 500"),
        ({**SP, "user_agent": "a\nb"}, r"user_agent: must be printable ASCII"),
        ({**SP, "user_agent": "tap ü"}, r"user_agent: must be printable ASCII"),
    ],
)
def test_names_the_setting_that_is_wrong(config: dict[str, Any], expected: str) -> None:
    (problem,) = found(config)
    assert re.search(expected, problem), problem


@pytest.mark.parametrize(
    "config",
    [
        SP,
        BUSINESS,
        {**SP, **BUSINESS},
        # Meltano passes an empty string for an empty variable.
        {**SP, **dict.fromkeys(BUSINESS, ""), "start_date": "", "lookback_days": None},
        {**SP, "start_date": "2026-01-01", "end_date": "2026-01-02T10:00:00+02:00"},
        # As YAML brings it.
        {**SP, "start_date": date(2026, 1, 1)},
        {**SP, "end_date": "2199-01-01"},
        {**SP, "sp_api_url": "http://localhost:1", "lwa_url": "http://127.0.0.1:1"},
        {**SP, "sp_api_url": "http://[::1]:1", "business_api_url": "https://host/path"},
        {**BUSINESS, "business_api_regions": ["UK", "DE", "UK"]},
        {**SP, "rate_limits": {"getPurchaseOrders": {"rate": 0.5, "burst": 1}}},
        {**SP, "user_agent": "x" * 500},
    ],
)
def test_accepts_what_is_right(config: dict[str, Any]) -> None:
    assert found(config) == []


def test_names_every_problem_of_one_kind() -> None:
    config = {**SP, "sp_api_url": "http://a", "lwa_url": "http://b", "user_agent": "ü"}
    assert [problem.partition(":")[0] for problem in found(config)] == [
        "sp_api_url",
        "lwa_url",
        "user_agent",
    ]


@pytest.mark.parametrize("value", [123454321, ["123454321"], {"a": "123454321"}])
def test_does_not_show_a_secret_of_the_wrong_type(value: object) -> None:
    config = {**SP, "sp_api_client_secret": value}
    assert found(config) == ["sp_api_client_secret: must be a string"]


def test_does_not_change_the_configuration() -> None:
    config = {**SP, "start_date": date(2026, 1, 1), "end_date": "", "business_api_regions": ["XX"]}
    before = deepcopy(config)
    found(config)
    assert config == before
