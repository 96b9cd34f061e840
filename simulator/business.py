"""The Amazon Business API's reporting and reconciliation operations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from simulator.encoding import decode, encode
from simulator.errors import invalid_input, invalid_request_parameter, not_found
from simulator.limits import Monotonic, Plan
from simulator.lists import Lists
from simulator.lwa import BUSINESS
from simulator.operations import Answer, Operation, Request
from simulator.options import NO_PAGE_QUIRKS, Options
from simulator.paging import Page
from simulator.times import DAY, Millis, parse_text
from simulator.world import World
from simulator.world.fulfilment import ReportKind
from simulator.world.reports import Report

REPORTING_PLAN = Plan(rate=0.5, burst=10)
RECONCILIATION_PLAN = Plan(rate=2, burst=10)
TOKEN = "nextPageToken"  # noqa: S105
REGIONS = ("US", "CA", "MX", "UK", "DE", "FR", "ES", "IT", "IN", "JP", "AU")
REACH: Millis = 730 * DAY
"""The age up to which orders are served: two years."""

LONGEST_RANGE: Millis = 366 * DAY
MOST_VALUES = 30
"""The most order ids or purchase order numbers that one request may name."""

PARTS = 16
"""Rows that follow from an order report are numbered `report * PARTS + part`."""


class BusinessApi:
    """Answers reporting operations from the world, or from canned replies."""

    def __init__(self, world: World, options: Options, monotonic: Monotonic) -> None:
        self._world = world
        self._options = options
        quirks = options.page_quirks if world.quirks else NO_PAGE_QUIRKS
        self._lists = Lists(
            token=TOKEN,
            seed=world.seed,
            # Empty pages that carry a token are known of the vendor lists only.
            quirks=replace(quirks, empty_page=0.0),
            options=options,
            monotonic=monotonic,
        )
        self._last_pages = 0

    def operations(self) -> list[Operation]:
        """Return all operations."""
        dated = frozenset({"orderStartDate", "orderEndDate", "region", TOKEN})
        return [
            Operation(
                "getOrderReportsByPurchaseOrderNumber",
                "/reports/2025-06-09/purchaseOrders/{purchaseOrderNumber}/orderReports",
                BUSINESS,
                REPORTING_PLAN,
                frozenset({"region", TOKEN}),
                self.get_order_reports_by_purchase_order_number,
                invalid_request_parameter,
            ),
            Operation(
                "getOrderReports",
                "/reports/2025-06-09/orderReports",
                BUSINESS,
                REPORTING_PLAN,
                dated | {"orderStatuses"},
                self._dated(
                    "ordersReport",
                    frozenset({"orderStatuses"}),
                    lambda _: 1,
                    lambda place, _: self._world.report_rows[place],
                ),
                invalid_request_parameter,
            ),
            *(
                Operation(
                    kind.operation,
                    f"/reports/2025-06-09/{kind.path}",
                    BUSINESS,
                    REPORTING_PLAN,
                    dated | kind.filters,
                    self._dated(kind.array, kind.filters, kind.count, self._written(kind)),
                    kind.bad_parameter,
                )
                for kind in self._world.fulfilment.kinds()
            ),
            Operation(
                "getTransactions",
                "/reconciliation/2021-01-08/transactions",
                BUSINESS,
                RECONCILIATION_PLAN,
                frozenset({"feedStartDate", "feedEndDate", TOKEN}),
                self.get_transactions,
                invalid_request_parameter,
            ),
        ]

    def get_order_reports_by_purchase_order_number(self, request: Request) -> Answer:
        """Answer with `{"ordersReport": [...], "nextPageToken": ..., "size": n}`."""
        region = _region(request.parameters)
        refused = self._options.refused_numbers.get(request.argument)
        if refused is not None:
            raise not_found() if refused == 404 else invalid_input("purchaseOrderNumber")
        canned = self._options.canned_order_reports.get(request.argument)
        if canned is not None:
            return _canned(canned, request.parameters.get(TOKEN))
        oldest = self._world.present() - REACH

        def select() -> list[int]:
            reports = self._world.reports
            return [
                place
                for place in self._world.find_reports(request.argument)
                if reports[place].region == region
                and reports[place].ordered > oldest
                and reports.shows(place)
            ]

        if self._options.none_is_not_found and not select():
            raise not_found()
        page = self._lists.page(request, select, size=self._options.page_size)
        rows = [self._world.report_rows[place] for place in page.rows]
        return self._answer("ordersReport", rows, page)

    def get_transactions(self, request: Request) -> Answer:
        """Answer with `{"transactions": [...], "nextPageToken": ...}`."""
        transactions = self._world.transactions
        token = request.parameters.get(TOKEN)
        if token is not None and len(request.parameters) == 1:
            page = self._lists.next_page(token)
        elif token is not None and self._options.token_alone:
            raise invalid_input()
        else:
            start, end = _span(request.parameters, "feedStartDate", "feedEndDate")

            index = "ordered" if self._options.transactions_by_order_date else "fed"

            def select() -> list[int]:
                return transactions.table.between(index, start - 1, end)

            page = self._lists.page(request, select, size=self._options.page_size)
        return self._answer(
            "transactions", [transactions.rows[p] for p in page.rows], page, sized=False
        )

    def _written(self, kind: ReportKind) -> Callable[[int, int], bytes]:
        return lambda place, part: kind.write(self._world.reports[place], part)

    def _dated(
        self,
        array: str,
        filters: frozenset[str],
        count: Callable[[Report], int],
        write: Callable[[int, int], bytes],
    ) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            """Answer with `{array: [...], "nextPageToken": ..., "size": n}`."""
            query = request.parameters
            region = _region(query)
            start, end = _span(query, "orderStartDate", "orderEndDate")
            now = self._world.present()
            if end > now or start < now - REACH or end - start > LONGEST_RANGE:
                raise invalid_input()
            passes = self._filter(query, filters)

            def select() -> list[int]:
                reports = self._world.reports
                return [
                    place * PARTS + part
                    for place in reports.between("ordered", start - 1, end)
                    if reports[place].region == region
                    for part in range(count(reports[place]))
                    if passes(reports[place], part)
                ]

            page = self._lists.page(request, select, size=self._options.page_size)
            rows = [write(*divmod(number, PARTS)) for number in page.rows]
            return self._answer(array, rows, page)

        return answer

    def _filter(
        self, query: Mapping[str, str], known: frozenset[str]
    ) -> Callable[[Report, int], bool]:
        wanted = {name: query[name].split(",") for name in known if name in query}
        for name in ("orderIds", "purchaseOrderNumbers"):
            if len(wanted.get(name, ())) > MOST_VALUES:
                raise invalid_input()

        def value(name: str, report: Report, part: int) -> str | None:
            match name:
                case "orderStatuses":
                    return report.status
                case "shipmentStatuses":
                    return self._world.fulfilment.status(report, part)
                case "orderIds":
                    return report.order_id
                case _:
                    return report.named

        def passes(report: Report, part: int) -> bool:
            return all(value(name, report, part) in values for name, values in wanted.items())

        return passes

    def _answer(
        self, name: str, rows: Sequence[bytes], page: Page, *, sized: bool = True
    ) -> Answer:
        token = b',"nextPageToken":%b' % encode(page.next_token)
        if page.next_token is None:
            # The last page has a null or nothing at all.
            self._last_pages += 1
            token = token if self._last_pages % 2 else b""
        size = b',"size":%d' % len(rows) if sized else b""
        body = b'{"%b":[%b]%b%b}' % (name.encode(), b",".join(rows), token, size)
        return Answer(body, len(rows))


def _region(query: Mapping[str, str]) -> str:
    region = query.get("region")
    if region not in REGIONS:
        raise invalid_input("region")
    return region


def _span(query: Mapping[str, str], first: str, last: str) -> tuple[Millis, Millis]:
    """Return the first moment of a range and the one after its last."""
    try:
        start, end = parse_text(query[first]), parse_text(query[last])
    except (KeyError, ValueError):
        raise invalid_input() from None
    if end < start:
        raise invalid_input()
    return start, end


def _canned(pages: Sequence[bytes | str], token: str | None) -> Answer:
    """Return the first page, or the one after the page that gave the token."""
    bodies = [page.encode() if isinstance(page, str) else page for page in pages]
    given = [None, *(decode(body).get(TOKEN) for body in bodies[:-1])]
    if token not in given:
        raise invalid_input()
    body = bodies[given.index(token)]
    return Answer(body, len(decode(body).get("ordersReport", ())))
