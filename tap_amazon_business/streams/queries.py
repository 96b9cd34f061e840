"""How streams ask: queries that list a window, probes of the connection check, coverage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tap_amazon_business.api.auth import Credentials
from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS_STATUS, Operation, Request
from tap_amazon_business.records.decoding import FieldPath
from tap_amazon_business.settings import Settings
from tap_amazon_business.sync.bookmark import Coverage, fingerprint
from tap_amazon_business.sync.windows import Window


@dataclass(frozen=True)
class Query:
    """One way to list the rows of a window, such as by creation date; a window may need several.

    Attributes:
        subject: What the query asks by, for messages.
        after: The parameter for the window's start.
        before: The parameter for the window's end.
        date: The field of a row that it is listed by.
        params: The other parameters.
        by_change: Whether it lists changed rows. All others list every row of a window: theirs are
            compared with what was read before.
        expected: The values that a filter asks for, by the path of the field. Amazon ignores some
            filters for some accounts.
    """

    subject: str
    after: str
    before: str
    date: FieldPath
    params: Mapping[str, str] = field(default_factory=dict)
    by_change: bool = False
    expected: Mapping[FieldPath, str] = field(default_factory=dict)

    def request(self, operation: Operation, window: Window) -> Request:
        """Return the request for the first page of a window."""
        params = {self.after: window.after, self.before: window.before, **self.params}
        return Request(operation, params, f"{self.subject} {window}")


def vendor_queries(
    operation: Operation,
    *,
    dates: Mapping[str, FieldPath],
    params: Mapping[str, str],
    vendor_codes: Sequence[str],
    vendor_code: FieldPath = ("sellingParty", "partyId"),
    expected: Mapping[FieldPath, str] | None = None,
) -> list[Query]:
    """Return the queries of an operation of the Selling Partner API.

    Args:
        operation: The operation.
        dates: The dates that a window is listed by, as the API's parameters begin, each with its
            field. All but `created` lead to changes.
        params: Further parameters.
        vendor_codes: One query each; without any, a query for all.
        vendor_code: The field of a row's vendor code.
        expected: The values that `params` asks for, by the path of the field.
    """
    # Both bounds, always: some requests with one alone are refused. Never sortOrder: some accounts
    # refuse it, others ignore it.
    return [
        Query(
            subject=f"vendor code {code}, {date}" if code else date,
            after=f"{date}After",
            before=f"{date}Before",
            date=path,
            params={
                "limit": str(operation.page_size),
                **params,
                **({"orderingVendorCode": code} if code else {}),
            },
            by_change=date != "created",
            expected={**(expected or {}), **({vendor_code: code} if code else {})},
        )
        for code in vendor_codes or [""]
        for date, path in dates.items()
    ]


def feed_queries(vendor_codes: Sequence[str]) -> list[Query]:
    """Return the queries of the change feed: getPurchaseOrdersStatus by update date."""
    return vendor_queries(
        GET_PURCHASE_ORDERS_STATUS,
        dates={"updated": ("lastUpdatedDate",)},
        params={},
        vendor_codes=vendor_codes,
    )


def within_a_cycle(settings: Settings) -> str:
    """Return when the lookback finds a change, in words."""
    hours = settings.lookback_cycle_hours
    return f"within {hours} hours" if hours else "with the next sync"


# ---- what the connection check asks --------------------------------------------------------------

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


def probes_of(operation: Operation, queries: Iterable[Query], now: datetime) -> list[Probe]:
    """Return probes that list the last week, a row of it where an operation lets one choose."""
    window = Window(now - min(operation.longest_range, _WEEK), now - _MARGIN)
    requests = (query.request(operation, window) for query in queries)
    return [
        Probe(replace(one, params={n: "1" if n == "limit" else v for n, v in one.params.items()}))
        for one in requests
    ]


# ---- what a bookmark covers ----------------------------------------------------------------------


def credential_coverage(credentials: Credentials | None, name: str = "account") -> Coverage:
    """Return whose rows are read, by the refresh token: it cannot be guessed from 32 bits."""
    return {name: fingerprint(credentials.refresh_token, length=8) if credentials else None}


def business_coverage(settings: Settings, name: str = "account") -> Coverage:
    """Return whose rows of Amazon Business are read, and from which regions."""
    account = credential_coverage(settings.business_api, name)
    return {**account, "business_api_regions": list(settings.business_api_regions)}
