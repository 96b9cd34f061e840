"""Simulators for tests, and settings that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator import Options, Simulator, World
from tap_amazon_business.api import operations
from tap_amazon_business.streams.business import BUSINESS_STREAMS
from tap_amazon_business.streams.invoices import INVOICE_STREAMS
from tap_amazon_business.streams.order_reports import PurchaseOrderReportsStream
from tap_amazon_business.streams.vendor import VENDOR_STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator import Faults
    from tap_amazon_business.streams.base import AmazonStream
    from tests.support.clocks import FakeClock

_KINDS: tuple[type[AmazonStream], ...] = (
    *VENDOR_STREAMS,
    *BUSINESS_STREAMS,
    *INVOICE_STREAMS,
    PurchaseOrderReportsStream,
)
_STREAMS: dict[str, type[AmazonStream]] = {kind.name: kind for kind in _KINDS}  # type: ignore[misc]
STREAMS = tuple(sorted(_STREAMS))
NOT_BY_DEFAULT = tuple(name for name in STREAMS if not _STREAMS[name].selected_by_default)
BY_DEFAULT = tuple(name for name in STREAMS if _STREAMS[name].selected_by_default)
CHILDREN = tuple(name for name in STREAMS if _STREAMS[name].parent_stream_type)
"""Streams that their parents' syncs sync."""

OPERATION_OF: dict[str, str] = {
    name: kind.operation.name for name, kind in _STREAMS.items() if hasattr(kind, "operation")
}
"""The operation of each stream that has one."""

OPERATIONS = tuple(name for name, kind in operations.OPERATIONS.items() if kind.method == "GET")
POSTED = tuple(name for name, kind in operations.OPERATIONS.items() if kind.method == "POST")
"""The operations of streams that are not selected by default."""

NO_LIMITS = Options(limits=False)
"""Rules of a simulator that never answers 429; use `replace` to add others."""

FAST_PLANS = {name: {"rate": 1000, "burst": 1000} for name in (*OPERATIONS, *POSTED)}
"""The setting `rate_limits` by which the tap waits for nothing."""

_CREDENTIALS = ("client_id", "client_secret", "refresh_token")
VENDOR_ONLY: dict[str, Any] = {f"business_api_{name}": "" for name in _CREDENTIALS}
BUSINESS_ONLY: dict[str, Any] = {f"sp_api_{name}": "" for name in _CREDENTIALS}


def serve(
    clock: FakeClock | None = None,
    options: Options = NO_LIMITS,
    *,
    faults: Sequence[Faults] = (),
    **world: Any,
) -> Simulator:
    """Return a simulator without limits, to be used as a context manager.

    Its figures are drawn one by one, so that there is more of everything that is rare.

    Args:
        clock: The clock it shares with the tap; the real one by default.
        options: Other rules.
        faults: Policies for what goes wrong.
        **world: Arguments of its `World`.
    """
    world = {"plausible": False, **world}
    if clock is None:
        return Simulator(World(**world), options, faults=faults)
    return Simulator(
        World(now=clock.now, **world), options, monotonic=clock.monotonic, faults=faults
    )


def settings(serving: Simulator, **extra: Any) -> dict[str, Any]:
    """Return settings by which the tap waits for nothing and misses nothing.

    Order reports that name another purchase order than their own are found by number only.

    Args:
        serving: The simulator.
        **extra: Further settings, or others in the place of these.
    """
    return serving.config(
        **{"rate_limits": FAST_PLANS, "order_reports_strategy": "purchase_order", **extra}
    )
