"""How a stream lists the rows of a window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS_STATUS, Operation, Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_amazon_business.sync.windows import Window


@dataclass(frozen=True)
class Query:
    """One way to list the rows of a window, such as by creation date; a window may need several.

    Attributes:
        subject: What the query asks by, for messages.
        after: The parameter for the window's start.
        before: The parameter for the window's end.
        params: The other parameters.
        rereads: Whether the query is also needed for windows that were read before.
    """

    subject: str
    after: str
    before: str
    params: Mapping[str, str] = field(default_factory=dict)
    rereads: bool = True

    def request(self, operation: Operation, window: Window) -> Request:
        """Return the request for the first page of a window."""
        params = {self.after: window.after, self.before: window.before, **self.params}
        return Request(operation, params, f"{self.subject} {window}")


def vendor_queries(
    operation: Operation,
    *,
    dates: Sequence[str],
    params: Mapping[str, str],
    vendor_codes: Sequence[str],
) -> list[Query]:
    """Return the queries of an operation of the Selling Partner API.

    Args:
        operation: The operation.
        dates: The dates that a window is listed by, as the API's parameters begin. Only the first
            one is needed for windows that were read before: the others lead to changes.
        params: Further parameters.
        vendor_codes: One query each; without any, a query for all.
    """
    codes = [(f"vendor code {c}, ", {"orderingVendorCode": c}) for c in vendor_codes] or [("", {})]
    # Both bounds, always: some requests with one alone are refused. Never sortOrder: some accounts
    # refuse it, others ignore it.
    return [
        Query(
            subject=name + date,
            after=f"{date}After",
            before=f"{date}Before",
            params={"limit": str(operation.page_size), **params, **code},
            rereads=date == dates[0],
        )
        for name, code in codes
        for date in dates
    ]


def feed_queries(vendor_codes: Sequence[str]) -> list[Query]:
    """Return the queries of getPurchaseOrdersStatus that list what changed: the change feed."""
    return vendor_queries(
        GET_PURCHASE_ORDERS_STATUS, dates=("updated",), params={}, vendor_codes=vendor_codes
    )
