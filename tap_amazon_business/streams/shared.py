"""What the streams of one tap share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_amazon_business.clock import Clock
    from tap_amazon_business.errors import TapError
    from tap_amazon_business.settings import Settings
    from tap_amazon_business.streams.change_feed import ChangeFeed
    from tap_amazon_business.streams.purchase_order_numbers import PurchaseOrderNumbers


@dataclass(frozen=True)
class Shared:
    """What the streams of one tap share.

    Attributes:
        settings: The checked settings.
        clock: The time.
        numbers: The account's own purchase order numbers; None without vendor credentials.
        feed: What changed of which purchase orders.
        on_failure: Called when a stream fails and the others continue.
        flush: Passes on the messages written so far.
    """

    settings: Settings
    clock: Clock
    numbers: PurchaseOrderNumbers | None
    feed: ChangeFeed
    on_failure: Callable[[str, TapError], None]
    flush: Callable[[], None]
