"""The tap's settings: their schema, and the values that the tap works with."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_amazon_business import times
from tap_amazon_business.api import hosts
from tap_amazon_business.api.auth import Credentials
from tap_amazon_business.api.operations import UsagePlan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SP_API = "sp_api"
BUSINESS_API = "business_api"

CREDENTIALS = ("client_id", "client_secret", "refresh_token")


def _secret(name: str, description: str) -> th.Property[Any]:
    return th.Property(name, th.StringType, secret=True, description=description)


SCHEMA: dict[str, Any] = th.PropertiesList(
    _secret(
        "sp_api_client_id",
        "Client id of the Selling Partner API application (LWA credentials). Needed with the two "
        "that follow for the vendor streams: all three or none.",
    ),
    _secret(
        "sp_api_client_secret",
        "Client secret of the Selling Partner API application; expires after 180 days.",
    ),
    _secret(
        "sp_api_refresh_token",
        "Refresh token that the vendor account gave the Selling Partner API application.",
    ),
    th.Property(
        "sp_api_region",
        th.StringType,
        default="NA",
        allowed_values=list(hosts.SP_API_REGIONS),
        description="Region of the vendor account: NA, EU or FE (Far East).",
    ),
    _secret(
        "business_api_client_id",
        "Client id of the Amazon Business application. Needed with the two that follow for the "
        "Amazon Business streams: all three or none.",
    ),
    _secret("business_api_client_secret", "Client secret of the Amazon Business application."),
    _secret(
        "business_api_refresh_token",
        "Refresh token that the business account gave the Amazon Business application; each host "
        "(US CA MX; UK DE FR ES IT IN; JP AU) needs one of its own.",
    ),
    th.Property(
        "business_api_regions",
        th.ArrayType(th.StringType),
        default=["US"],
        description=(
            "Region codes to ask for, one by one: US CA MX, or UK DE FR ES IT IN, or JP AU. All "
            "must be answered by one host; use a second tap for another."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        description="Where the first sync begins (UTC). Default: as far back as the API reads.",
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        description="Where every sync ends (UTC), for bounded backfills. Default: now.",
    ),
    th.Property(
        "lookback_days",
        th.IntegerType(minimum=0, maximum=180),
        default=30,
        description=(
            "How many days behind the bookmark purchase orders are read again by creation date, "
            "to find changes of state, which no filter covers."
        ),
    ),
    th.Property(
        "order_reports_lookback_days",
        th.IntegerType(minimum=0, maximum=180),
        default=30,
        description=(
            "order_reports are asked for again for purchase orders created in these last days, "
            "changed or not."
        ),
    ),
    th.Property(
        "order_lookback_days",
        th.IntegerType(minimum=0, maximum=730),
        default=60,
        description="How many days behind the bookmark streams read by order date begin again.",
    ),
    th.Property(
        "ordering_vendor_codes",
        th.ArrayType(th.StringType),
        description="Read purchase orders of these vendor codes only, one pass per code.",
    ),
    th.Property(
        "purchase_order_state",
        th.StringType,
        description="Read purchase orders in this state only: New, Acknowledged or Closed.",
    ),
    th.Property(
        "po_item_state",
        th.StringType,
        description="Cancelled: read purchase orders with cancelled items only.",
    ),
    th.Property(
        "is_po_changed",
        th.BooleanType,
        description="Read only purchase orders that were (true) or were not (false) changed.",
    ),
    th.Property(
        "include_details",
        th.BooleanType,
        description="false: read purchase order numbers and states only. Amazon's default: true.",
    ),
    th.Property(
        "purchase_order_numbers",
        th.ArrayType(th.StringType),
        description=(
            "Read exactly these purchase orders, by number, instead of by date; order_reports "
            "then needs no vendor credentials, and no bookmark moves."
        ),
    ),
    th.Property(
        "order_reports_strategy",
        th.StringType,
        default="auto",
        allowed_values=["purchase_order", "order_date", "auto"],
        description=(
            "How order_reports are found. purchase_order: one request for each purchase order "
            "number and region. order_date: all of the last two years, a hundred a page, matched "
            "by the number that they name. auto: the cheaper of the two, as far as can be known."
        ),
    ),
    th.Property(
        "max_parallel_requests",
        th.IntegerType(minimum=1, maximum=16),
        default=4,
        description="How many requests may be under way at once, per API.",
    ),
    th.Property(
        "rate_limits",
        th.ObjectType(
            additional_properties=th.ObjectType(
                th.Property("rate", th.NumberType(exclusive_minimum=0), required=True),
                th.Property("burst", th.IntegerType(minimum=1), required=True),
                additional_properties=False,
            ),
        ),
        description=(
            "Operation -> {rate, burst} (requests a second, requests at once), where an account "
            "has a plan of its own or is shared with another program. Amazon's x-amzn-RateLimit-"
            "Limit header lowers these further, never raises them."
        ),
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=600),
        default=60,
        description="Seconds to wait for an answer before a request is tried again.",
    ),
    th.Property(
        "sandbox",
        th.BooleanType,
        default=False,
        description="Use Amazon's sandbox hosts, which answer with examples.",
    ),
    th.Property(
        "sp_api_url",
        th.StringType,
        description="Replaces the Selling Partner API's host; https, or http on loopback.",
    ),
    th.Property(
        "business_api_url",
        th.StringType,
        description="Replaces the Amazon Business API's host; https, or http on loopback.",
    ),
    th.Property(
        "lwa_url",
        th.StringType,
        description="Replaces the host of Login with Amazon; https, or http on loopback.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        description="The user-agent header. Default: tap-amazon-business/version (Language=Python/x.y).",  # noqa: E501
    ),
).to_dict()


@dataclass(frozen=True)
class Settings:
    """Checked settings. What a setting is called is what it is called here."""

    sp_api: Credentials | None
    business_api: Credentials | None
    sp_api_url: str
    business_api_url: str
    lwa_url: str
    business_api_regions: tuple[str, ...]
    start_date: datetime | None
    end_date: datetime | None
    lookback_days: int
    order_reports_lookback_days: int
    order_lookback_days: int
    ordering_vendor_codes: tuple[str, ...]
    purchase_order_filters: Mapping[str, str]
    purchase_order_numbers: tuple[str, ...]
    order_reports_strategy: str
    rate_limits: Mapping[str, UsagePlan]
    max_parallel_requests: int
    request_timeout: int
    sandbox: bool
    user_agent: str

    @classmethod
    def from_config(cls, config: Mapping[str, Any], version: str) -> Settings:
        """Return the settings of a configuration without problems."""
        values = {
            name: field["default"]
            for name, field in SCHEMA["properties"].items()
            if "default" in field
        } | given(config)
        regions = tuple(dict.fromkeys(values["business_api_regions"]))
        sandbox = values["sandbox"]
        return cls(
            sp_api=_credentials(values, SP_API),
            business_api=_credentials(values, BUSINESS_API),
            sp_api_url=values.get("sp_api_url")
            or hosts.sp_api_url(values["sp_api_region"], sandbox=sandbox),
            business_api_url=values.get("business_api_url")
            or hosts.business_api_url(regions[0], sandbox=sandbox),
            lwa_url=values.get("lwa_url") or hosts.LOGIN_WITH_AMAZON,
            business_api_regions=regions,
            start_date=_moment(values, "start_date"),
            end_date=_moment(values, "end_date"),
            lookback_days=values["lookback_days"],
            order_reports_lookback_days=values["order_reports_lookback_days"],
            order_lookback_days=values["order_lookback_days"],
            ordering_vendor_codes=tuple(dict.fromkeys(values.get("ordering_vendor_codes", ()))),
            purchase_order_filters=_filters(values),
            purchase_order_numbers=tuple(dict.fromkeys(values.get("purchase_order_numbers", ()))),
            order_reports_strategy=values["order_reports_strategy"],
            rate_limits=_plans(values.get("rate_limits", {})),
            max_parallel_requests=int(values["max_parallel_requests"]),
            request_timeout=values["request_timeout"],
            sandbox=sandbox,
            user_agent=values.get("user_agent") or _default_user_agent(version),
        )


def given(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not set: Meltano passes an empty string for an empty variable."""
    return {name: value for name, value in config.items() if value not in (None, "")}


def _moment(values: Mapping[str, Any], name: str) -> datetime | None:
    return times.parse(values[name]) if name in values else None


def _credentials(values: Mapping[str, Any], prefix: str) -> Credentials | None:
    if f"{prefix}_client_id" not in values:
        return None
    return Credentials(prefix, *(values[f"{prefix}_{name}"] for name in CREDENTIALS))


def _filters(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the filters of getPurchaseOrders by Amazon's names of the parameters."""
    parameters = {
        "purchaseOrderState": "purchase_order_state",
        "poItemState": "po_item_state",
        "isPOChanged": "is_po_changed",
        "includeDetails": "include_details",
    }
    return {
        parameter: str(values[name]).lower() if isinstance(values[name], bool) else values[name]
        for parameter, name in parameters.items()
        if name in values
    }


def _plans(own: Mapping[str, Mapping[str, Any]]) -> dict[str, UsagePlan]:
    return {
        operation: UsagePlan(float(plan["rate"]), plan["burst"], fixed=True)
        for operation, plan in own.items()
    }


def _default_user_agent(version: str) -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"tap-amazon-business/{version} (Language=Python/{python})"
