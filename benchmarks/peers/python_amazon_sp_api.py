"""Reads purchase orders with python-amazon-sp-api, and writes them as Singer messages.

Runs in that library's environment: nothing of this project is imported. Its rate limiting is left
as it comes: load_all_pages sleeps two seconds before each further page, nothing else waits.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sp_api.api import VendorOrders
from sp_api.auth import AccessTokenClient
from sp_api.util import load_all_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = timedelta(days=7) - timedelta(minutes=1)
"""The widest window that Amazon reads."""

FRESHEST = timedelta(minutes=3)
"""The distance from now at which the last window ends; Amazon refuses two minutes."""


def main() -> None:
    """Read every window by creation date, then every window by change date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=argparse.FileType(), required=True)
    parser.add_argument("--days", type=int, required=True, help="how far back to read")
    chosen = parser.parse_args()
    config = json.load(chosen.config)
    client = _client(config)
    every_page = load_all_pages(next_token_param="nextToken")  # noqa: S106 (a parameter's name)
    pages = every_page(client.get_purchase_orders)
    for dates in ("created", "changed"):
        for start, end in _windows(chosen.days):
            bounds = {f"{dates}After": start.isoformat(), f"{dates}Before": end.isoformat()}
            for page in pages(**bounds):
                for order in page.payload.get("orders", ()):
                    _write(order)


def _client(config: dict[str, str]) -> VendorOrders:
    """Return the library's client, its two hosts replaced by the simulator."""
    lwa = urlsplit(config["lwa_url"])
    AccessTokenClient.scheme, AccessTokenClient.host = f"{lwa.scheme}://", lwa.netloc
    client = VendorOrders(
        refresh_token=config["sp_api_refresh_token"],
        credentials={
            "lwa_app_id": config["sp_api_client_id"],
            "lwa_client_secret": config["sp_api_client_secret"],
        },
    )
    client.endpoint = config["sp_api_url"]
    return client


def _windows(days: int) -> Iterator[tuple[datetime, datetime]]:
    """Yield adjoining windows up to now, oldest first."""
    until = datetime.now(UTC).replace(microsecond=0) - FRESHEST
    start = until - timedelta(days=days)
    while start < until:
        end = min(start + WIDTH, until)
        yield start, end
        start = end


def _write(order: dict[str, Any]) -> None:
    message = {"type": "RECORD", "stream": "purchase_orders", "record": order}
    print(json.dumps(message))


if __name__ == "__main__":
    main()
