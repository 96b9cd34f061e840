"""Which host serves which region.

Sources: "SP-API endpoints", "Vendor Central URLs", "Amazon Business API endpoints" and "Amazon
Business marketplace URLs" in Amazon's guides.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

LOGIN_WITH_AMAZON = "https://api.amazon.com"


def _by_place(**places: str) -> dict[str, str]:
    return {place: name for name, codes in places.items() for place in codes.split()}


SP_API_REGIONS = ("NA", "EU", "FE")

# Marketplace of a vendor -> region of the Selling Partner API. BE, SA and ZA are not in Amazon's
# guide, as far as it was read; other clients have them so.
MARKETPLACES = _by_place(
    NA="US CA MX BR", EU="UK DE FR ES IT NL BE SE PL TR AE EG SA ZA IN", FE="JP AU SG"
)

# Region code as Amazon Business spells it -> host. It is UK there, not GB.
BUSINESS_API_REGIONS = _by_place(na="US CA MX", eu="UK DE FR ES IT IN", jp="JP AU")

# Where Amazon's domain does not end like the place's code.
_DOMAINS = {
    "US": "com",
    "UK": "co.uk",
    "ZA": "co.za",
    "JP": "co.jp",
    **{place: f"com.{place.lower()}" for place in ("MX", "BR", "BE", "TR", "AU", "SG")},
}
_VENDOR_CENTRALS = {"IN": "www.vendorcentral.in"} | dict.fromkeys(
    ("AE", "EG", "SA"), "vendorcentral.amazon.me"
)


def vendor_central(marketplace: str) -> str:
    """Return the host where the vendors of a marketplace sign in."""
    return _VENDOR_CENTRALS.get(marketplace, f"vendorcentral.amazon.{_domain(marketplace)}")


def business_site(region: str) -> str:
    """Return the host where the customers of Amazon Business sign in, for one of its regions."""
    return f"www.amazon.{_domain(region)}"


def _domain(place: str) -> str:
    return _DOMAINS.get(place, place.lower())


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
