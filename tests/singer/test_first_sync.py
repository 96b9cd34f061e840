"""First syncs of large accounts: a STATE comes soon, and what is killed gets on."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.faults import Answers, Fails, Refuses, refusal
from tests.support.runs import run_by, select
from tests.support.serving import FAST_PLANS, serve
from tests.support.syncs import Syncs

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator import Fault, Faults, Request
    from tests.support.clocks import FakeClock

A_DAY = 1_000
"""Orders a day of the accounts here."""

BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
APART = timedelta(days=1) / A_DAY


def numbered(request: Request, first: str, last: str, size: int, token: str) -> tuple[range, bool]:
    """Return the numbers of the orders on the page that was requested, and whether it is the last.

    The orders of a large account, evenly spread: the nth is dated n * 86.4 seconds after the first.
    """
    start, end = (datetime.fromisoformat(request.parameters[name]) for name in (first, last))
    low = max((start - BEGINNING) // APART + 1, int(request.parameters.get(token, 0)))
    high = -((BEGINNING - end) // APART)  # rounded up
    return range(low, min(high, low + size)), high <= low + size


def purchase_orders(request: Request) -> object:
    """Answer getPurchaseOrders; no order was ever changed."""
    if "createdAfter" not in request.parameters:
        return {"payload": {"orders": []}}
    page, ends = numbered(request, "createdAfter", "createdBefore", 100, "nextToken")
    rows = [
        {
            "purchaseOrderNumber": f"A{number}",
            "orderDetails": {"purchaseOrderDate": _date(number), "items": []},
        }
        for number in page
    ]
    pagination = {} if ends else {"pagination": {"nextToken": str(page.stop)}}
    return {"payload": {**pagination, "orders": rows}}


def order_reports(request: Request) -> object:
    """Answer getOrderReports."""
    page, ends = numbered(request, "orderStartDate", "orderEndDate", 100, "nextPageToken")
    rows = [
        {"orderMetadata": {"orderId": str(number), "orderDate": _date(number)}} for number in page
    ]
    return {"ordersReport": rows, "nextPageToken": None if ends else str(page.stop)}


def _date(number: int) -> str:
    return (BEGINNING + APART * number).strftime("%Y-%m-%dT%H:%M:%SZ")


LARGE: dict[str, tuple[str, Callable[[Request], object]]] = {
    "purchase_orders": ("getPurchaseOrders", purchase_orders),
    "orders": ("getOrderReports", order_reports),
}


@pytest.mark.parametrize("stream", LARGE)
def test_the_first_state_comes_within_fifty_requests_of_an_operation(
    clock: FakeClock, stream: str
) -> None:
    operation, answer = LARGE[stream]
    killed = Fails(operation, 50, refusal(400, "InvalidInput"))
    regions: dict[str, Any] = {"business_api_regions": ["US"]}
    with serve(clock, orders=0, faults=[killed, Answers(operation, answer)]) as serving:
        run = Syncs(clock, serving, stream, **regions).sync(status=1)
    assert run.state["bookmarks"][stream].get("replication_key_value")
    assert run.records(stream)


class Budget:
    """Refuses an operation for good after some requests, until it is renewed."""

    def __init__(self, operation: str, requests: int) -> None:
        self._operation = operation
        self._requests = requests
        self._left = 0

    def renew(self) -> None:
        self._left = self._requests

    def decide(self, request: Request) -> Fault | None:
        if request.operation != self._operation:
            return None
        self._left -= 1
        return refusal(400, "InvalidInput") if self._left < 0 else None


@pytest.mark.parametrize("stream", LARGE)
def test_a_first_sync_that_is_killed_again_and_again_finishes(
    clock: FakeClock, stream: str
) -> None:
    operation, answer = LARGE[stream]
    settings: dict[str, Any] = {
        "business_api_regions": ["US"],
        "start_date": "2026-05-02T12:00:00Z",
    }
    # Less than Amazon's rate allows in two hours, and in seven minutes of getOrderReports.
    budget = Budget(operation, 200)
    keys = set[tuple[Any, ...]]()
    statuses = list[int]()
    with serve(clock, orders=0, faults=[budget, Answers(operation, answer)]) as serving:
        config = serving.config(rate_limits=FAST_PLANS, **settings)
        state: dict[str, Any] | None = None
        while len(statuses) < 6 and 0 not in statuses:
            budget.renew()
            run = run_by(clock, config, state=state, catalog=select(stream))
            statuses.append(run.status)
            keys |= set(run.keys(stream))
            state = run.state
    assert statuses[-1] == 0
    # Thirty days, but for the last minutes.
    assert 29_990 <= len(keys) <= 30_001


def test_a_season_after_quiet_years_is_read_in_narrow_windows(clock: FakeClock) -> None:
    operation, answer = LARGE["orders"]
    season = datetime(2026, 4, 20, tzinfo=UTC)

    def seasonal(request: Request) -> object:
        end = datetime.fromisoformat(request.parameters["orderEndDate"])
        return answer(request) if end > season else {"ordersReport": []}

    with serve(clock, orders=0, faults=[Answers(operation, seasonal)]) as serving:
        # With several requests at a time, how many are sent in vain depends on the threads.
        config: dict[str, Any] = {"business_api_regions": ["US"], "max_parallel_requests": 1}
        run = Syncs(clock, serving, "orders", **config).sync()
        calls, operations = serving.stats().calls, serving.stats().operations
    assert operations[operation].max_in_flight == 1
    lists = [call.parameters for call in calls if call.operation == operation]
    pages = Counter((one["orderStartDate"], one["orderEndDate"]) for one in lists)
    # A window of years is given up after 80 pages, and read in parts.
    assert 20 < max(pages.values()) <= 81
    assert len(run.keys("orders")) == len(set(run.keys("orders")))
    assert sum(pages.values()) < 1.5 * len(run.keys("orders")) / 100 + 60


# ---- what fails sends nothing more -------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "streams"),
    [
        ("getPurchaseOrders", ("purchase_orders", "purchase_order_items", "order_reports")),
        ("getPurchaseOrdersStatus", ("purchase_orders", "purchase_order_statuses")),
        ("GetShipmentDetails", ("vendor_shipments", "vendor_shipment_items")),
        ("getOrderReports", ("purchase_orders", "order_reports", "orders")),
        ("getOrderLineItemReports", ("order_line_items",)),
        ("getTransactions", ("transactions",)),
    ],
)
@pytest.mark.parametrize("after", [0, 5])
def test_a_stream_that_fails_sends_nothing_more(
    clock: FakeClock, operation: str, streams: tuple[str, ...], after: int
) -> None:
    failing = Fails(operation, after, refusal(413, "RequestTooLarge"))
    settings: dict[str, Any] = {
        "order_reports_strategy": "purchase_order",
        "business_api_regions": ["US"],
    }
    with serve(clock, orders=60, items=1, quirks=False, faults=[failing]) as serving:
        Syncs(clock, serving, *streams, **settings).sync(status=1)
        requests = serving.stats().operations[operation].requests
    # What was on its way when the first one was refused is answered; one more request shows whether
    # Amazon refuses the oldest days alone.
    assert requests <= after + 5


def changed(request: Request) -> bool:
    return "changedAfter" in request.parameters


def of_canada(request: Request) -> bool:
    return request.parameters["region"] == "CA"


@pytest.mark.parametrize(
    ("stream", "refused"), [("purchase_orders", changed), ("orders", of_canada)]
)
def test_where_one_query_is_refused_the_others_are_not_read_to_their_end(
    clock: FakeClock, stream: str, refused: Callable[[Request], bool]
) -> None:
    operation, answer = LARGE[stream]
    faults: list[Faults] = [
        Refuses(operation, refusal(403, "Unauthorized"), refused),
        Fails(operation, 300, refusal(403, "Unauthorized")),  # a test has to end
        Answers(operation, answer),
    ]
    with serve(clock, orders=0, faults=faults) as serving:
        Syncs(clock, serving, stream).sync(status=1)
        calls = [call for call in serving.stats().calls if call.operation == operation]
    last = [place for place, call in enumerate(calls) if call.status == 403][-1]
    assert len(calls) - last <= 2 * 4


def test_numbers_are_not_asked_for_once_their_stream_has_failed(clock: FakeClock) -> None:
    operation = "getOrderReportsByPurchaseOrderNumber"
    failing = Fails(operation, 20, refusal(403, "Unauthorized"))
    settings: dict[str, Any] = {"order_reports_strategy": "purchase_order"}
    with serve(clock, orders=300, items=1, quirks=False, faults=[failing]) as serving:
        syncs = Syncs(clock, serving, "purchase_orders", "order_reports", **settings)
        syncs.sync(status=1)
        requests = serving.stats().operations[operation].requests
    # Each of four threads asks four times, and once more each with a new access token.
    assert requests <= 20 + 4 * 4 * 2
