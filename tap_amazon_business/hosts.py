"""Which host answers for which region, and which URLs may replace one.

Sources: "SP-API endpoints" and "Amazon Business API endpoints" in Amazon's guides.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

LOGIN_WITH_AMAZON = "https://api.amazon.com"

SP_API_REGIONS = ("NA", "EU", "FE")

# Region code as Amazon Business spells it -> host. It is UK there, not GB.
BUSINESS_API_REGIONS = {
    "US": "na",
    "CA": "na",
    "MX": "na",
    "UK": "eu",
    "DE": "eu",
    "FR": "eu",
    "ES": "eu",
    "IT": "eu",
    "IN": "eu",
    "JP": "jp",
    "AU": "jp",
}


def sp_api_url(region: str, *, sandbox: bool = False) -> str:
    """Return the Selling Partner API's URL for NA, EU or FE."""
    return f"https://{'sandbox.' if sandbox else ''}sellingpartnerapi-{region.lower()}.amazon.com"


def business_api_hosts(regions: Iterable[str]) -> list[str]:
    """Return the host codes (na, eu, jp) that answer for these region codes, each once."""
    return list(dict.fromkeys(BUSINESS_API_REGIONS[region] for region in regions))


def business_api_url(region: str, *, sandbox: bool = False) -> str:
    """Return the Amazon Business API's URL for one of its region codes."""
    host = BUSINESS_API_REGIONS[region]
    return f"https://{'sandbox.' if sandbox else ''}{host}.business-api.amazon.com"


def url_problem(url: str) -> str | None:
    """Say why tokens must not be sent to this URL, or None where they may.

    https is demanded everywhere but on a loopback address: an access token sent in clear text
    over a network is a token given away.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in {"http", "https"} or not host:
        return "must be a URL such as https://host"
    if parts.username or parts.password:
        return "must not carry a user name or a password"
    if parts.query or parts.fragment:
        return "must not carry a query or a fragment"
    if parts.scheme == "http" and not _is_loopback(host):
        return "must begin with https://; http is accepted on a loopback address only"
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
