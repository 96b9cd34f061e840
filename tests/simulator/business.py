"""The Amazon Business API's reporting operations."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.simulator.encoding import decode, encode
from tests.simulator.errors import invalid_input
from tests.simulator.limits import Plan
from tests.simulator.lists import Lists
from tests.simulator.lwa import BUSINESS
from tests.simulator.operations import Answer, Operation, Request
from tests.simulator.options import NO_PAGE_QUIRKS, Options
from tests.simulator.paging import Page
from tests.simulator.times import DAY
from tests.simulator.world import World

PLAN = Plan(rate=0.5, burst=10)
TOKEN = "nextPageToken"  # noqa: S105
REGIONS = ("US", "CA", "MX", "UK", "DE", "FR", "ES", "IT", "IN", "JP", "AU")
REACH = 730 * DAY
"""How far back orders are served: two years."""


class BusinessApi:
    """Answers reporting operations from the world, or from canned replies."""

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._options = options
        quirks = options.page_quirks if world.quirks else NO_PAGE_QUIRKS
        self._lists = Lists(
            token=TOKEN,
            seed=world.seed,
            # Empty pages that carry a token are known of the vendor lists only.
            quirks=replace(quirks, empty_page=0.0),
            empty_first=options.empty_pages,
        )
        self._last_pages = 0

    def operations(self) -> list[Operation]:
        """Return all operations."""
        return [
            Operation(
                "getOrderReportsByPurchaseOrderNumber",
                "/reports/2025-06-09/purchaseOrders/{purchaseOrderNumber}/orderReports",
                BUSINESS,
                PLAN,
                frozenset({"region", TOKEN}),
                self.get_order_reports_by_purchase_order_number,
            ),
        ]

    def get_order_reports_by_purchase_order_number(self, request: Request) -> Answer:
        """Answer with `{"ordersReport": [...], "nextPageToken": ..., "size": n}`."""
        region = _region(request.parameters)
        canned = self._options.canned_order_reports.get(request.argument)
        if canned is not None:
            return _canned(canned, request.parameters.get(TOKEN))
        oldest = self._world.present() - REACH

        def select() -> list[int]:
            reports = self._world.reports
            return [
                place
                for place in self._world.find_reports(request.argument)
                if reports[place].region == region and reports[place].ordered > oldest
            ]

        page = self._lists.page(request, select, size=self._options.page_size)
        rows = [self._world.report_rows[place] for place in page.rows]
        return self._answer("ordersReport", rows, page)

    def _answer(self, name: str, rows: Sequence[bytes], page: Page) -> Answer:
        token = b',"nextPageToken":%b' % encode(page.next_token)
        if page.next_token is None:
            # The last page has a null or nothing at all.
            self._last_pages += 1
            token = token if self._last_pages % 2 else b""
        body = b'{"%b":[%b]%b,"size":%d}' % (name.encode(), b",".join(rows), token, len(rows))
        return Answer(body, len(rows))


def _region(query: Mapping[str, str]) -> str:
    region = query.get("region")
    if region not in REGIONS:
        raise invalid_input("region")
    return region


def _canned(pages: Sequence[bytes], token: str | None) -> Answer:
    """Return the first page, or the one after the page that gave the token."""
    given = [None, *(decode(page).get(TOKEN) for page in pages[:-1])]
    if token not in given:
        raise invalid_input()
    body = pages[given.index(token)]
    return Answer(body, len(decode(body).get("ordersReport", ())))
