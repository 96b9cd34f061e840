"""Tables that the examples loaded, compared with the rows of the simulators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from simulator import Simulator

EXAMPLES = PROJECT / "examples"


def differences(account: str, simulator: Simulator, project: Path) -> dict[str, str]:
    """Return the tables that do not hold exactly the rows of an account, and what is wrong."""
    tap = TapAmazonBusiness(config=simulator.config())
    found = {}
    with duckdb.connect(str(project / f"{account}.duckdb"), read_only=True) as connection:
        for name, stream in tap.streams.items():
            keys = ", ".join(stream.primary_keys)
            landed = connection.execute(f"select {keys} from amazon_{account}.{name}").fetchall()  # noqa: S608
            truth = set(simulator.rows(name))
            if len(landed) != len(truth) or set(landed) != truth:
                found[name] = f"{len(landed)} rows of {len(truth)}: {truth ^ set(landed)}"
        states = connection.execute(
            f"select purchaseordernumber, purchaseorderstate from amazon_{account}.purchase_orders"  # noqa: S608
        ).fetchall()
    for (number,), row in simulator.rows("purchase_orders").items():
        if (number, row.get("purchaseOrderState")) not in states:
            found[number] = f"is not {row.get('purchaseOrderState')}"
    return found


def refused(simulator: Simulator) -> int:
    """Return how many requests were refused with 429."""
    return sum(traffic.refused for traffic in simulator.stats().operations.values())
