"""What bookmarks have to cover, by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_amazon_business.settings import Settings
    from tap_amazon_business.sync.bookmark import Coverage


def vendor_coverage(settings: Settings) -> Coverage:
    """Return the vendor codes whose orders are read."""
    return {"ordering_vendor_codes": list(settings.ordering_vendor_codes) or None}


def filter_coverage(settings: Settings) -> Coverage:
    """Return the filters of getPurchaseOrders: what they hide is not covered."""
    filters = dict(settings.purchase_order_filters.items())
    if filters.get("includeDetails") == "true":  # it is the default
        del filters["includeDetails"]
    text = "&".join(f"{name}={value}" for name, value in sorted(filters.items()))
    return {"purchase_order_filters": [text] if text else None}


def region_coverage(settings: Settings) -> Coverage:
    """Return the regions of Amazon Business that are read."""
    return {"business_api_regions": list(settings.business_api_regions)}
