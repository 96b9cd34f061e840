"""Catalogs, as `--discover` writes them and users change them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tap_amazon_business.tap import TapAmazonBusiness

Catalog = dict[str, Any]

DECIMAL_FORMAT = "x-singer.decimal"
EXACT = {"format": DECIMAL_FORMAT, "precision": 38, "scale": 9}
"""The part that the schemas of all amounts of money share."""


def discover(config: dict[str, Any] | None = None) -> Catalog:
    """Return the catalog of a configuration; of all streams without one."""
    if config:
        tap = TapAmazonBusiness(config=config, validate_config=False)
        found: Catalog = tap.catalog_dict
        return found
    copied: Catalog = json.loads(_all_streams())
    return copied


@cache
def _all_streams() -> str:
    return json.dumps(TapAmazonBusiness(config={}, validate_config=False).catalog_dict)


def select(*streams: str, config: dict[str, Any] | None = None) -> Catalog:
    """Return a catalog, of a configuration if need be, of these streams alone, all selected.

    Most of a short sync would go to the catalog's other streams.
    """
    catalog = discover(config)
    chosen = [stream for stream in catalog["streams"] if stream["tap_stream_id"] in streams]
    for stream in chosen:
        metadata(stream)["selected"] = True
    return {**catalog, "streams": chosen}


def entry(catalog: Catalog, stream: str) -> dict[str, Any]:
    """Return a stream's entry in a catalog, to change it there."""
    found: dict[str, Any] = next(s for s in catalog["streams"] if s["tap_stream_id"] == stream)
    return found


def metadata(stream: dict[str, Any], *breadcrumb: str) -> dict[str, Any]:
    """Return the metadata of a stream's entry, or of a field in it."""
    found: dict[str, Any] = next(
        part["metadata"] for part in stream["metadata"] if part["breadcrumb"] == [*breadcrumb]
    )
    return found


def deselect(catalog: Catalog, *fields: str) -> Catalog:
    """Deselect the fields of these names, in whatever stream and at whatever depth."""
    for stream in catalog["streams"]:
        for part in stream["metadata"]:
            if part["breadcrumb"] and part["breadcrumb"][-1] in fields:
                part["metadata"]["selected"] = False
    return catalog
