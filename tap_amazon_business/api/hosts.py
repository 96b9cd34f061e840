"""Which host serves which region.

Sources: "SP-API endpoints", "Vendor Central URLs", "Amazon Business API endpoints" and "Amazon
Business marketplace URLs" in Amazon's guides.
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

# Region of the Selling Partner API -> marketplace -> where its vendors sign in. BE, SA and ZA are
# not in Amazon's guide, as far as it was read; other clients have them so.
VENDOR_CENTRALS = {
    "NA": {
        "US": "vendorcentral.amazon.com",
        "CA": "vendorcentral.amazon.ca",
        "MX": "vendorcentral.amazon.com.mx",
        "BR": "vendorcentral.amazon.com.br",
    },
    "EU": {
        "UK": "vendorcentral.amazon.co.uk",
        "DE": "vendorcentral.amazon.de",
        "FR": "vendorcentral.amazon.fr",
        "ES": "vendorcentral.amazon.es",
        "IT": "vendorcentral.amazon.it",
        "NL": "vendorcentral.amazon.nl",
        "BE": "vendorcentral.amazon.com.be",
        "SE": "vendorcentral.amazon.se",
        "PL": "vendorcentral.amazon.pl",
        "TR": "vendorcentral.amazon.com.tr",
        "AE": "vendorcentral.amazon.me",
        "EG": "vendorcentral.amazon.me",
        "SA": "vendorcentral.amazon.me",
        "ZA": "vendorcentral.amazon.co.za",
        "IN": "www.vendorcentral.in",
    },
    "FE": {
        "JP": "vendorcentral.amazon.co.jp",
        "AU": "vendorcentral.amazon.com.au",
        "SG": "vendorcentral.amazon.com.sg",
    },
}

# Region code -> where the customers of Amazon Business sign in.
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
    """Return whether a host is this machine's loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
