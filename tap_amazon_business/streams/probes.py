"""Probes of the connection check: one cheap request for each operation that a stream uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tap_amazon_business.api import operations
from tap_amazon_business.api.operations import Request
from tap_amazon_business.settings import Settings
from tap_amazon_business.streams.queries import Query, feed_queries, within_a_cycle
from tap_amazon_business.sync.windows import Window

_WEEK = timedelta(days=7)
# How close to now every operation may be asked.
_MARGIN = timedelta(minutes=2)


@dataclass(frozen=True)
class Probe:
    """A request whose answer shows whether an operation can be used.

    Attributes:
        request: The request. If its path needs a purchase order number, the check finds one.
        not_found: What a 404 means that is ok, "" if it needs no remark; None: it is an error.
        refused: What a sync does without the operation; "" if it fails.
        witness: What has to be answered for a 404 to be ok, unless another request of the API was.
    """

    request: Request
    not_found: str | None = None
    refused: str = ""
    witness: Request | None = None


def listed(operation: operations.Operation, queries: Iterable[Query], now: datetime) -> list[Probe]:
    """Return probes that list the last week, a row of it where an operation lets one choose."""
    window = Window(now - min(operation.longest_range, _WEEK), now - _MARGIN)
    requests = [query.request(operation, window) for query in queries]
    return [
        Probe(replace(request, params={**request.params, "limit": "1"}))
        if "limit" in request.params
        else Probe(request)
        for request in requests
    ]


def purchase_orders(settings: Settings, own: list[Probe], now: datetime) -> list[Probe]:
    """Return the probes of purchase_orders: its lists, its change feed, and orders by number."""
    by_number = Probe(Request(operations.GET_PURCHASE_ORDER), not_found="")
    if settings.purchase_order_numbers:
        return [by_number]
    later = f"changes of older orders arrive {within_a_cycle(settings)}"
    feed = [
        replace(probe, refused=later)
        for probe in listed(
            operations.GET_PURCHASE_ORDERS_STATUS,
            feed_queries(settings.ordering_vendor_codes),
            now,
        )
    ]
    # By number, Amazon applies no filters: then orders are not requested that way.
    orders = [] if settings.purchase_order_filters else [replace(by_number, refused=later)]
    return [*own, *feed, *orders]


def reports_by_number(regions: Iterable[str]) -> list[Probe]:
    """Return the probes of order reports by purchase order number."""
    operation = operations.GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER
    return [Probe(Request(operation, {"region": region}), not_found="") for region in regions]


def any_order(now: datetime) -> Request:
    """Return a cheap request that a vendor account always has an answer to."""
    query = Query("created", "createdAfter", "createdBefore", (), {"limit": "1"})
    (probe,) = listed(operations.GET_PURCHASE_ORDERS, [query], now)
    return probe.request
