"""The tap's settings: their schema, and the values that the tap works with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from typing import Any

from singer_sdk import typing as th

from tap_amazon_business import times
from tap_amazon_business.api import hosts
from tap_amazon_business.api.auth import Credentials
from tap_amazon_business.api.operations import UsagePlan

SP_API = "sp_api"
BUSINESS_API = "business_api"

_EMPTY = (None, "")

CREDENTIALS = ("client_id", "client_secret", "refresh_token")

_LOOPBACK = "https, or http on a loopback address"


def _setting(kind: Any, name: str, description: str, **more: Any) -> th.Property[Any]:  # noqa: ANN401
    return th.Property(name, kind, description=description, **more)


_string = partial(_setting, th.StringType)
_strings = partial(_setting, th.ArrayType(th.StringType))
_boolean = partial(_setting, th.BooleanType)
_date_time = partial(_setting, th.DateTimeType)
_secret = partial(_setting, th.StringType, secret=True)


def _integer(name: str, description: str, *, most: int, least: int = 0, default: int) -> Any:  # noqa: ANN401
    return _setting(th.IntegerType(minimum=least, maximum=most), name, description, default=default)


SCHEMA: dict[str, Any] = th.PropertiesList(
    _secret(
        "sp_api_client_id",
        "Client id (LWA credentials) of the Selling Partner API application. The vendor streams "
        "need this and the next two settings: set all three or none.",
    ),
    _secret(
        "sp_api_client_secret",
        "Client secret of the Selling Partner API application. It expires after 180 days.",
    ),
    _secret(
        "sp_api_refresh_token",
        "Refresh token of the vendor account for the Selling Partner API application.",
    ),
    _string(
        "sp_api_region",
        "Region of the vendor account: NA, EU or FE (Far East).",
        default="NA",
    ),
    _secret(
        "business_api_client_id",
        "Client id of the Amazon Business application. The Amazon Business streams need this and "
        "the next two settings: set all three or none.",
    ),
    _secret("business_api_client_secret", "Client secret of the Amazon Business application."),
    _secret(
        "business_api_refresh_token",
        "Refresh token of the business account for the Amazon Business application. Each host "
        "(US CA MX; UK DE FR ES IT IN; JP AU) needs its own.",
    ),
    _strings(
        "business_api_regions",
        "Region codes to read: US CA MX, or UK DE FR ES IT IN, or JP AU. One host must "
        "serve all of them; use a second tap for another host.",
        default=["US"],
    ),
    _date_time(
        "start_date", "Where the first sync begins (UTC). Default: as far back as the API reads."
    ),
    _date_time("end_date", "Where every sync ends (UTC), for bounded backfills. Default: now."),
    _integer(
        "lookback_days",
        "How many days back purchase orders and their statuses are read again and compared with "
        "the last reading, a share in each sync, to find changes that no date shows.",
        most=180,
        default=180,
    ),
    _integer(
        "shipment_lookback_days",
        "How many days back vendor_shipments is read again and compared with the last reading, a "
        "share in each sync.",
        most=180,
        default=30,
    ),
    _integer(
        "order_lookback_days",
        "How many days back streams by order date, order_reports and transactions are read again "
        "and compared with the last reading, a share in each sync; and how far back invoices and "
        "invoice_payments are requested again.",
        most=728,
        default=60,
    ),
    _integer(
        "recent_days",
        "How many days before the bookmark every sync reads again and compares: rows may appear "
        "late, or change soon.",
        most=30,
        default=2,
    ),
    _integer(
        "lookback_cycle_hours",
        "Within this time, everything within the lookback is read again and compared once; each "
        "sync reads the share that is due since the last one. 0: every sync reads all of it.",
        most=744,
        default=24,
    ),
    _strings(
        "ordering_vendor_codes",
        "Read only purchase orders of these vendor codes, one query per code. Default: all.",
    ),
    _string(
        "purchase_order_state",
        "Read only purchase orders in this state: New, Acknowledged or Closed.",
    ),
    _string("po_item_state", "Cancelled: read only purchase orders with cancelled items."),
    _boolean(
        "is_po_changed",
        "Read only purchase orders that were changed (true) or never changed (false).",
    ),
    _boolean(
        "include_details",
        "false: read only purchase order numbers and states. Amazon's default is true.",
    ),
    _strings(
        "purchase_order_numbers",
        "Read exactly these purchase orders, by number instead of by date. order_reports then "
        "needs no vendor credentials, and no bookmark moves.",
    ),
    _string(
        "order_reports_strategy",
        "How to find order_reports. order_date: from the lists of all orders, a hundred a page: "
        "every report that names a purchase order number. purchase_order: one request per purchase "
        "order number and region, which also finds reports that name another number or none. auto: "
        "order_date; purchase_order where Amazon refuses the lists.",
        default="auto",
        allowed_values=["purchase_order", "order_date", "auto"],
    ),
    _string(
        "personal_data",
        "What becomes of the fields that identify people, in every stream: keep, hash (the same "
        "text has the same hash; needs hash_salt) or drop (null in their place).",
        default="keep",
        allowed_values=["keep", "hash", "drop"],
    ),
    _secret(
        "hash_salt",
        "The key of the hashes: a secret text of your own, of at least 16 characters. Without it, "
        "names could be guessed. A new one changes all hashes.",
    ),
    _integer(
        "hash_digits",
        "How many hexadecimal digits a hash has.",
        least=8,
        most=64,
        default=16,
    ),
    _integer(
        "max_parallel_requests",
        "How many requests each stream sends in parallel.",
        least=1,
        most=16,
        default=4,
    ),
    _setting(
        th.ObjectType(
            additional_properties=th.ObjectType(
                th.Property("rate", th.NumberType(exclusive_minimum=0), required=True),
                th.Property("burst", th.IntegerType(minimum=1), required=True),
                additional_properties=False,
            ),
        ),
        "rate_limits",
        "Operation -> {rate, burst} (requests a second, burst of requests), for an account with a "
        "plan of its own or one shared with another program. Amazon's x-amzn-RateLimit-Limit "
        "header can lower these limits, never raise them.",
    ),
    _integer(
        "request_timeout",
        "Seconds to wait for a response before retrying a request.",
        least=1,
        most=600,
        default=60,
    ),
    _boolean("sandbox", "Use Amazon's sandbox: it returns examples, not data.", default=False),
    _string("sp_api_url", f"Replaces the Selling Partner API's host; {_LOOPBACK}."),
    _string("business_api_url", f"Replaces the Amazon Business API's host; {_LOOPBACK}."),
    _string("lwa_url", f"Replaces the host of Login with Amazon; {_LOOPBACK}."),
    _string(
        "user_agent",
        "The user-agent header. Default: tap-amazon-business/version (Language=Python/x.y).",
    ),
).to_dict()


@dataclass(frozen=True)
class Settings:
    """Checked settings. What a setting is called is what it is called here."""

    sp_api: Credentials | None
    business_api: Credentials | None
    sp_api_region: str
    sp_api_url: str
    business_api_url: str
    lwa_url: str
    business_api_regions: tuple[str, ...]
    start_date: datetime | None
    end_date: datetime | None
    lookback_days: int
    shipment_lookback_days: int
    order_lookback_days: int
    recent_days: int
    lookback_cycle_hours: int
    ordering_vendor_codes: tuple[str, ...]
    purchase_order_filters: Mapping[str, str]
    purchase_order_numbers: tuple[str, ...]
    order_reports_strategy: str
    personal_data: str
    hash_salt: str
    hash_digits: int
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
        region = values["sp_api_region"].upper()
        regions = tuple(dict.fromkeys(map(str.upper, values["business_api_regions"])))
        sandbox = values["sandbox"]
        same = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        changed = dict[str, Any](
            sp_api=_credentials(values, SP_API),
            business_api=_credentials(values, BUSINESS_API),
            sp_api_region=region,
            sp_api_url=values.get("sp_api_url") or hosts.sp_api_url(region, sandbox=sandbox),
            business_api_url=values.get("business_api_url")
            or hosts.business_api_url(regions[0], sandbox=sandbox),
            lwa_url=values.get("lwa_url") or hosts.LOGIN_WITH_AMAZON,
            business_api_regions=regions,
            start_date=_moment(values, "start_date"),
            end_date=_moment(values, "end_date"),
            ordering_vendor_codes=tuple(dict.fromkeys(values.get("ordering_vendor_codes", ()))),
            purchase_order_filters=_filters(values),
            purchase_order_numbers=tuple(dict.fromkeys(values.get("purchase_order_numbers", ()))),
            hash_salt=values.get("hash_salt", ""),
            hash_digits=int(values["hash_digits"]),
            rate_limits=_plans(values.get("rate_limits", {})),
            max_parallel_requests=int(values["max_parallel_requests"]),
            user_agent=values.get("user_agent") or _default_user_agent(version),
        )
        return cls(**{**same, **changed})


def given(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not set: Meltano passes an empty string for an empty variable."""
    found = {}
    for name, value in config.items():
        rest = [part for part in value if part not in _EMPTY] if isinstance(value, list) else value
        if rest not in _EMPTY and (rest or not value):
            found[name] = rest
    return found


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
