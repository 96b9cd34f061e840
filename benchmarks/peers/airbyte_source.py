"""Reads purchase orders with airbyte-source-amazon-seller-partner, and writes Singer messages.

Runs in that connector's environment: nothing of this project is imported. Its end date is set to a
few minutes ago, as without one the connector asks up to now, which Amazon refuses.
"""

from __future__ import annotations

import argparse
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from airbyte_cdk.models import (
    AirbyteMessage,
    ConfiguredAirbyteCatalogSerializer,
    Type,
)
from source_amazon_seller_partner import SourceAmazonSellerPartner
from source_amazon_seller_partner.components import AmazonSPOauthAuthenticator

STREAM = "VendorOrders"
FRESHEST = timedelta(minutes=3)
"""The distance from now to which the connector is asked to read; Amazon refuses two minutes."""

CATALOG = {
    "streams": [
        {
            "stream": {
                "name": STREAM,
                "json_schema": {},
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
        }
    ]
}


def main() -> None:
    """Read the stream."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=argparse.FileType(), required=True)
    parser.add_argument("--days", type=int, required=True, help="how far back to read")
    chosen = parser.parse_args()
    tap = json.load(chosen.config)
    _point_at(tap["sp_api_url"], tap["lwa_url"])
    until = datetime.now(UTC) - FRESHEST
    config = {
        "aws_environment": "PRODUCTION",
        "region": "US",
        "account_type": "Vendor",
        "lwa_app_id": tap["sp_api_client_id"],
        "lwa_client_secret": tap["sp_api_client_secret"],
        "refresh_token": tap["sp_api_refresh_token"],
        "replication_start_date": _text(until - timedelta(days=chosen.days)),
        "replication_end_date": _text(until),
    }
    catalog = ConfiguredAirbyteCatalogSerializer.load(CATALOG)
    source = SourceAmazonSellerPartner(catalog=catalog, config=config, state=None)
    for message in source.read(logging.getLogger("airbyte"), config, catalog):
        _write(message)


def _point_at(url: str, lwa_url: str) -> None:
    """Replace the connector's two hosts by the simulator."""

    def settings(config: dict[str, Any]) -> dict[str, str]:  # noqa: ARG001 (the connector's)
        return {"endpoint": url, "marketplace_id": "ATVPDKIKX0DER"}

    def token_endpoint(self: object) -> str:  # noqa: ARG001 (the connector's)
        return f"{lwa_url}/auth/o2/token"

    SourceAmazonSellerPartner.get_aws_config_settings = staticmethod(settings)
    AmazonSPOauthAuthenticator.get_token_refresh_endpoint = token_endpoint


def _write(message: AirbyteMessage) -> None:
    if message.type is Type.RECORD:
        order = message.record.data
        print(json.dumps({"type": "RECORD", "stream": "purchase_orders", "record": order}))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main()
