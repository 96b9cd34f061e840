"""Checks of the configuration, and the message for each problem."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft7Validator

from tap_amazon_business import times
from tap_amazon_business.api import hosts
from tap_amazon_business.api.operations import OPERATIONS
from tap_amazon_business.settings import BUSINESS_API, CREDENTIALS, SP_API, given

_URLS = ("sp_api_url", "business_api_url", "lwa_url")
_CONFIG_IN_MAPS = re.compile(r"""\bconfig\[\\?["'](\w+)\\?["']\]""")
_BLANK = re.compile(r"[\s\x00-\x1f]")
_SHORTEST_SALT = 16
_LONGEST_USER_AGENT = 500  # Amazon's limit


def problems(config: Mapping[str, Any], schema: Mapping[str, Any], now: datetime) -> list[str]:
    """Return what is wrong with a configuration; each message names its setting."""
    found = [*_misspelled(config, schema), *_mistyped(config, schema)]
    if found:
        return found
    values = given(config)
    return [
        *_credential_problems(values),
        *_region_problems(values),
        *_date_problems(values, now),
        *(
            f"{name}: {problem}"
            for name in _URLS
            if name in values and (problem := url_problem(values[name]))
        ),
        *(
            f"rate_limits: there is no operation '{operation}'{_meant(operation, OPERATIONS)}"
            for operation in values.get("rate_limits", {})
            if operation not in OPERATIONS
        ),
        *(
            f"rate_limits['{operation}']['rate']: must be a finite number"
            for operation, plan in values.get("rate_limits", {}).items()
            if not math.isfinite(plan["rate"])
        ),
        *_user_agent_problems(values.get("user_agent", "")),
        *_stream_map_problems(values),
        *_batch_problems(values.get("batch_config", {})),
        *_personal_data_problems(values),
    ]


def _misspelled(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    known = schema["properties"]
    for name in config:
        if name not in known:
            yield f"{name}: there is no such setting{_meant(name, known)}"


def _mistyped(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    for error in Draft7Validator(schema).iter_errors(_with_date_strings(given(config))):
        name = str(error.path[0]) if error.path else "configuration"
        secret = schema["properties"].get(name, {}).get("secret")
        where = "".join(f"[{part!r}]" for part in list(error.path)[1:])
        # A validator's message quotes the value, which must not be shown of a secret.
        yield f"{name}{where}: {'must be a string' if secret else error.message}"


def _with_date_strings(config: dict[str, Any]) -> dict[str, Any]:
    """Write out dates, which YAML brings as such."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in config.items()
    }


def _meant(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _credential_problems(values: Mapping[str, Any]) -> Iterator[str]:
    none = True
    for prefix in (SP_API, BUSINESS_API):
        names = [f"{prefix}_{name}" for name in CREDENTIALS]
        missing = [name for name in names if name not in values]
        none = none and missing == names
        if missing and missing != names:
            yield (
                f"{', '.join(missing)}: missing; {', '.join(names)} are needed together, "
                "all three or none"
            )
    if none:
        yield (
            "no credentials: set sp_api_client_id, sp_api_client_secret and sp_api_refresh_token "
            "for vendor purchase orders, or business_api_client_id, business_api_client_secret "
            "and business_api_refresh_token for Amazon Business, or both sets"
        )


def _region_problems(values: Mapping[str, Any]) -> Iterator[str]:
    region = values.get("sp_api_region", "NA")
    if region.upper() not in hosts.SP_API_REGIONS:
        yield (f"sp_api_region: unknown region '{region}'; one of {' '.join(hosts.SP_API_REGIONS)}")
    regions = [region.upper() for region in values.get("business_api_regions", ["US"])]
    if not regions:
        yield "business_api_regions: name at least one region"
    unknown = [region for region in regions if region not in hosts.BUSINESS_API_REGIONS]
    for region in unknown:
        hint = "; Amazon Business calls it UK" if region == "GB" else ""
        yield (
            f"business_api_regions: unknown region '{region}'{hint}; "
            f"one of {' '.join(hosts.BUSINESS_API_REGIONS)}"
        )
    if not unknown and len(asked := hosts.business_api_hosts(regions)) > 1:
        yield (
            f"business_api_regions: different hosts serve {' '.join(regions)} "
            f"({', '.join(asked)}), each with a refresh token of its own; use one tap per host "
            "(US CA MX; UK DE FR ES IT IN; JP AU)"
        )


def _date_problems(values: Mapping[str, Any], now: datetime) -> Iterator[str]:
    moments: dict[str, datetime] = {}
    for name in ("start_date", "end_date"):
        if name not in values:
            continue
        try:
            moments[name] = times.parse(values[name])
        except ValueError:
            yield f"{name}: '{values[name]}' is not a date-time such as 2026-01-31T00:00:00Z"
    start, end = moments.get("start_date"), moments.get("end_date")
    if start and end and end <= start:
        yield f"end_date: {end.isoformat()} is not after start_date {start.isoformat()}"
    if start and start > now:
        yield f"start_date: {start.isoformat()} is in the future"


def _stream_map_problems(values: Mapping[str, Any]) -> Iterator[str]:
    used = set(_CONFIG_IN_MAPS.findall(json.dumps(values.get("stream_maps", {}))))
    for name in sorted(used - (values.get("stream_map_config") or {}).keys()):
        yield f"stream_map_config: {name} is missing, which stream_maps uses as config['{name}']"


def _batch_problems(batch: Mapping[str, Any]) -> Iterator[str]:
    if not batch:
        return
    encoding = batch.get("encoding")
    if not encoding:
        yield 'batch_config[\'encoding\']: missing; set {"format": "jsonl", "compression": "gzip"}'
    elif (
        encoding.get("format", "jsonl") != "jsonl" or encoding.get("compression", "gzip") != "gzip"
    ):
        yield "batch_config['encoding']: the tap writes the format jsonl with the compression gzip"
    root = str((batch.get("storage") or {}).get("root") or "")
    if not root:
        yield "batch_config['storage']['root']: missing; name a folder such as file:///tmp/batches"
    elif "://" in root and not root.startswith("file://"):
        yield f"batch_config['storage']['root']: '{root}' is no folder of this machine"


def _personal_data_problems(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("personal_data") == "hash" and len(values.get("hash_salt", "")) < _SHORTEST_SALT:
        yield (
            f"hash_salt: personal_data: hash needs one of {_SHORTEST_SALT} characters or more, "
            "such as the output of: openssl rand -hex 32"
        )


def _user_agent_problems(user_agent: str) -> Iterator[str]:
    if len(user_agent) > _LONGEST_USER_AGENT:
        yield f"user_agent: longer than {_LONGEST_USER_AGENT} characters"
    if not user_agent.isascii() or not user_agent.isprintable():
        yield "user_agent: must be printable ASCII"


def url_problem(url: str) -> str | None:
    """Return why tokens must not be sent to this URL, None if they may.

    Only a loopback address may do without https: a network can read an access token that is sent
    in clear text.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in {"http", "https"} or not host or _BLANK.search(url):
        return "must be a URL such as https://host, without spaces or line breaks"
    if parts.username or parts.password:
        return "must not carry a user name or a password"
    if parts.query or parts.fragment:
        return "must not carry a query or a fragment"
    if parts.scheme == "http" and not hosts.is_loopback(host):
        return "must begin with https://; http is allowed only on a loopback address"
    return None
