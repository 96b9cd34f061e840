"""Options of the server; `World` has those of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.limits import Plan
from simulator.times import DAY, MINUTE, Millis


@dataclass(frozen=True, kw_only=True)
class PageQuirks:
    """The frequency of odd pages, as a share of all pages (`stray_row`: of all lists)."""

    empty_page: float = 0.05
    repeated_row: float = 0.10
    stray_row: float = 0.05


NO_PAGE_QUIRKS = PageQuirks(empty_page=0, repeated_row=0, stray_row=0)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The rules of one simulator.

    Attributes:
        limits: Whether requests above the usage plan get 429.
        rates: Plans other than the published ones, by operation.
        announced_rates: Requests a second that `x-amzn-RateLimit-Limit` announces instead of
            the plan's. Without limits only these are announced.
        retry_after: Seconds in the `Retry-After` of every 429; Amazon documents none.
        latency: Seconds every request of both APIs takes at least.
        page_size: Rows a page of the Amazon Business operations.
        empty_pages: Begin every list with an empty page that carries a token.
        page_quirks: Odd pages; none where the world has no quirks.
        page_token_lifetime: Seconds of the simulator's clock that a page token lasts; None for
            any time.
        token_alone: Whether getTransactions refuses a page token that comes with other
            parameters. It always accepts the token as the only parameter.
        account: Which account this is: added to its refresh tokens.
        token_lifetime: Seconds an access token lasts.
        lwa_clock_ahead: Seconds that the `Date` header of Login with Amazon is ahead of the
            world's clock, which all other `Date` headers show.
        lacking_roles: Operations the applications have no role for: 403.
        missing_operations: Operations that are not there for these applications: 404.
        ignored_parameters: By operation, parameters that have no effect.
        one_bound_fails: Refuse `createdAfter` without `createdBefore` and the like.
        sort_order_fails: Refuse `sortOrder`, as happens to some accounts; others see it ignored.
        history: How far back vendor operations reach, in milliseconds (six months).
        longest_range: A vendor range this long or longer is refused.
        freshest_before: An upper bound must be at least this old.
        old_orders: The status (400 or 404) with which getPurchaseOrder refuses orders older than
            `history`; None to serve them.
        no_shipments: Answer every GetShipmentDetails with 404, as vendors without shipments
            see it.
        refused_numbers: By purchase order number, the status (400 or 404) with which
            getOrderReportsByPurchaseOrderNumber refuses it every time.
        none_is_not_found: Whether getOrderReportsByPurchaseOrderNumber answers 404 where it has
            no report of a number in a region, instead of an empty list.
        transactions_by_order_date: Whether the bounds of getTransactions are order dates, as
            Amazon's tutorial says, instead of feed dates, as its model says.
        refused_items: By orderLineItemId or invoice id, the status (400 or 404) with which every
            batch is refused that holds it.
        canned_order_reports: By purchase order number, raw JSON bodies that
            getOrderReportsByPurchaseOrderNumber answers; each one's token leads to the next.
        sandbox: Answer like Amazon's static sandbox: only requests with exactly the parameters of
            Amazon's examples, all others with 400.
        model: Amazon's swagger file with sandbox cases to answer from, instead of the world.
    """

    limits: bool = True
    rates: Mapping[str, Plan] = field(default_factory=dict)
    announced_rates: Mapping[str, float] = field(default_factory=dict)
    retry_after: float | None = None
    latency: float = 0.0
    page_size: int = 100
    empty_pages: bool = False
    page_quirks: PageQuirks = field(default_factory=PageQuirks)
    page_token_lifetime: float | None = None
    token_alone: bool = False
    account: str = ""
    token_lifetime: float = 3600.0
    lwa_clock_ahead: float = 0.0
    lacking_roles: frozenset[str] = frozenset()
    missing_operations: frozenset[str] = frozenset()
    ignored_parameters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    one_bound_fails: bool = True
    sort_order_fails: bool = True
    history: Millis = 184 * DAY
    longest_range: Millis = 7 * DAY
    freshest_before: Millis = 2 * MINUTE
    old_orders: int | None = None
    no_shipments: bool = False
    refused_numbers: Mapping[str, int] = field(default_factory=dict)
    none_is_not_found: bool = False
    transactions_by_order_date: bool = False
    refused_items: Mapping[str, int] = field(default_factory=dict)
    canned_order_reports: Mapping[str, Sequence[bytes | str]] = field(default_factory=dict)
    sandbox: bool = False
    model: Path | None = None
