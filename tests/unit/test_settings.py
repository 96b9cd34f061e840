"""The settings' schema, and the values that the tap works with."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from tap_amazon_business.api.auth import Credentials
from tap_amazon_business.api.operations import UsagePlan
from tap_amazon_business.settings import SCHEMA, Settings, given

KEYS = ("client_id", "client_secret", "refresh_token")


def settings(**config: Any) -> Settings:
    return Settings.from_config(config, "1.2.3")


def test_credentials_and_the_salt_are_marked_secret_and_nothing_else_is() -> None:
    secret = {name for name, field in SCHEMA["properties"].items() if field.get("secret")}
    credentials = {f"{api}_{key}" for api in ("sp_api", "business_api") for key in KEYS}
    assert secret == credentials | {"hash_salt"}


def test_every_setting_has_a_description() -> None:
    assert all(field.get("description") for field in SCHEMA["properties"].values())


def test_defaults() -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert settings() == Settings(
        sp_api=None,
        business_api=None,
        sp_api_region="NA",
        sp_api_url="https://sellingpartnerapi-na.amazon.com",
        business_api_url="https://na.business-api.amazon.com",
        lwa_url="https://api.amazon.com",
        business_api_regions=("US",),
        start_date=None,
        end_date=None,
        lookback_days=180,
        shipment_lookback_days=30,
        order_lookback_days=60,
        recent_days=2,
        lookback_cycle_hours=24,
        ordering_vendor_codes=(),
        purchase_order_filters={},
        purchase_order_numbers=(),
        order_reports_strategy="auto",
        personal_data="keep",
        hash_salt="",
        hash_digits=16,
        rate_limits={},
        max_parallel_requests=4,
        request_timeout=60,
        sandbox=False,
        user_agent=f"tap-amazon-business/1.2.3 (Language=Python/{python})",
    )


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_value_is_not_set(empty: object) -> None:
    assert given({"a": empty, "b": 0, "c": False, "d": []}) == {"b": 0, "c": False, "d": []}
    names = ("start_date", "lookback_days", "user_agent", "lwa_url", "sandbox", "sp_api_client_id")
    assert settings(**dict.fromkeys(names, empty)) == settings()


@pytest.mark.parametrize("prefix", ["sp_api", "business_api"])
def test_credentials_carry_the_prefix_of_their_settings(prefix: str) -> None:
    found = settings(**{f"{prefix}_{key}": key for key in KEYS})
    expected = Credentials(prefix, *KEYS)
    other = {"sp_api": "business_api", "business_api": "sp_api"}[prefix]
    assert (getattr(found, prefix), getattr(found, other)) == (expected, None)


def test_dates_are_in_utc() -> None:
    found = settings(start_date="2026-05-01", end_date="2026-05-02T10:00:00+02:00")
    assert found.start_date == datetime(2026, 5, 1, tzinfo=UTC)
    assert found.end_date == datetime(2026, 5, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("config", "sp_api", "business_api"),
    [
        ({"sp_api_region": "EU", "business_api_regions": ["DE"]}, "-eu.", "/eu."),
        ({"sandbox": True}, "/sandbox.sellingpartnerapi-na.", "/sandbox.na."),
        ({"sp_api_url": "https://a", "business_api_url": "https://b"}, "https://a", "https://b"),
    ],
)
def test_hosts_follow_regions_sandbox_and_urls(
    config: dict[str, Any], sp_api: str, business_api: str
) -> None:
    found = settings(**config)
    assert sp_api in found.sp_api_url
    assert business_api in found.business_api_url


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("business_api_regions", ["UK", "DE", "UK"], ("UK", "DE")),
        ("ordering_vendor_codes", ["B", "A", "B"], ("B", "A")),
        ("purchase_order_numbers", ["2", "1", "2"], ("2", "1")),
    ],
)
def test_a_list_has_each_value_once_in_its_order(
    name: str, value: list[str], expected: tuple[str, ...]
) -> None:
    assert getattr(settings(**{name: value}), name) == expected


@pytest.mark.parametrize(
    ("config", "filters"),
    [
        ({"purchase_order_state": "New"}, {"purchaseOrderState": "New"}),
        ({"po_item_state": "Cancelled"}, {"poItemState": "Cancelled"}),
        ({"is_po_changed": True}, {"isPOChanged": "true"}),
        ({"include_details": False}, {"includeDetails": "false"}),
    ],
)
def test_filters_have_amazons_names(config: dict[str, Any], filters: dict[str, str]) -> None:
    assert settings(**config).purchase_order_filters == filters


def test_a_configured_plan_is_fixed() -> None:
    limits = {"getPurchaseOrders": {"rate": 2, "burst": 5}}
    assert settings(rate_limits=limits).rate_limits == {
        "getPurchaseOrders": UsagePlan(2.0, 5, fixed=True)
    }


def test_a_whole_number_may_be_written_with_a_decimal_point() -> None:
    workers = settings(max_parallel_requests=8.0).max_parallel_requests
    assert (workers, type(workers)) == (8, int)


def test_no_secret_is_part_of_the_text_of_the_settings() -> None:
    found = settings(**{f"sp_api_{key}": f"hidden-{key}" for key in KEYS})
    assert "hidden" not in f"{found!r} {found}"
