"""Which host serves which region.

Sources: "SP-API endpoints" and "Amazon Business API endpoints" in Amazon's guides.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

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
    """Return the host codes (na, eu, jp) that serve these region codes, each once."""
    return list(dict.fromkeys(BUSINESS_API_REGIONS[region] for region in regions))


def business_api_url(region: str, *, sandbox: bool = False) -> str:
    """Return the Amazon Business API's URL for one of its region codes."""
    host = BUSINESS_API_REGIONS[region]
    return f"https://{'sandbox.' if sandbox else ''}{host}.business-api.amazon.com"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine's loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
