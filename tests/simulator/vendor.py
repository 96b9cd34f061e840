"""The Selling Partner API's vendor operations."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from tests.simulator.encoding import encode
from tests.simulator.errors import invalid_input, not_found
from tests.simulator.limits import Plan
from tests.simulator.lists import Lists
from tests.simulator.lwa import SELLING_PARTNER
from tests.simulator.operations import Answer, Operation, Request
from tests.simulator.options import NO_PAGE_QUIRKS, Options
from tests.simulator.ranges import DatePair, read_ranges
from tests.simulator.world import World
from tests.simulator.world.orders import STATES, Order
from tests.simulator.world.rows import EncodedRows
from tests.simulator.world.table import Table

R = TypeVar("R")

PLAN = Plan(rate=10, burst=10)
TOKEN = "nextToken"  # noqa: S105

ORDER_DATES = (
    DatePair("createdAfter", "createdBefore", "created"),
    DatePair("changedAfter", "changedBefore", "changed"),
)
LIST_PARAMETERS = frozenset({"limit", "sortOrder", TOKEN})
ORDER_PARAMETERS = LIST_PARAMETERS | {
    "createdAfter",
    "createdBefore",
    "changedAfter",
    "changedBefore",
    "includeDetails",
    "poItemState",
    "isPOChanged",
    "purchaseOrderState",
    "orderingVendorCode",
}
LONGEST_PAGE = 100


class VendorApi:
    """Answers vendor operations from the world."""

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._options = options
        self._lists = Lists(
            token=TOKEN,
            seed=world.seed,
            quirks=options.page_quirks if world.quirks else NO_PAGE_QUIRKS,
            empty_first=options.empty_pages,
        )

    def operations(self) -> list[Operation]:
        """Return all operations."""
        return [
            Operation(
                "getPurchaseOrders",
                "/vendor/orders/v1/purchaseOrders",
                SELLING_PARTNER,
                PLAN,
                ORDER_PARAMETERS,
                self.get_purchase_orders,
            ),
            Operation(
                "getPurchaseOrder",
                "/vendor/orders/v1/purchaseOrders/{purchaseOrderNumber}",
                SELLING_PARTNER,
                PLAN,
                frozenset(),
                self.get_purchase_order,
            ),
        ]

    def get_purchase_orders(self, request: Request) -> Answer:
        """Answer with `{"payload": {"pagination": {"nextToken"}, "orders": [...]}}`."""
        query = request.parameters
        details = one_of(query, "includeDetails", ("true", "false")) != "false"
        return self._list(
            request,
            "orders",
            self._world.orders,
            self._world.order_rows if details else self._world.order_briefs,
            dates=ORDER_DATES,
            longest_page=LONGEST_PAGE,
            matches=_order_filter(query),
        )

    def get_purchase_order(self, request: Request) -> Answer:
        """Answer with `{"payload": order}`."""
        place = self._world.find_order(request.argument)
        if place is None:
            raise not_found()
        return Answer(b'{"payload":%b}' % self._world.order_rows[place], 1)

    def _list(
        self,
        request: Request,
        name: str,
        table: Table[R],
        rows: EncodedRows[R],
        *,
        dates: Sequence[DatePair],
        longest_page: int,
        matches: Callable[[R], bool],
    ) -> Answer:
        """Answer a list request by the rules all vendor lists share.

        Args:
            request: The request.
            name: Where in the payload the rows stand.
            table: Where the rows are found; the first pair of `dates` bounds how far back.
            rows: The rows' JSON.
            dates: The pairs of bounds the operation knows.
            longest_page: The largest and default `limit`.
            matches: The other filters.
        """
        query = request.parameters
        if "sortOrder" in query and self._options.sort_order_fails:
            raise invalid_input()
        size = _limit(query, longest_page)
        now = self._world.present()
        ranges = read_ranges(query, dates, now=now, options=self._options)

        def select() -> list[int]:
            if not ranges:
                places = table.between(dates[0].index, now - self._options.history, now)
            else:
                first = ranges[0]
                places = table.between(first.index, first.after, first.before)
            if len(ranges) <= 1 and filters.isdisjoint(query):
                return places
            return [
                place
                for place in places
                if matches(table[place])
                and all(
                    (date := table.date(other.index, place)) is not None
                    and other.after < date < other.before
                    for other in ranges[1:]
                )
            ]

        def stray(rng: Random) -> int | None:
            place = rng.randrange(len(table)) if len(table) else None
            return place if place is not None and matches(table[place]) else None

        page = self._lists.page(request, select, size=size, stray=stray)
        body = b",".join([rows[place] for place in page.rows])
        if page.next_token is None:
            return Answer(b'{"payload":{"%b":[%b]}}' % (name.encode(), body), len(page.rows))
        pagination = encode({TOKEN: page.next_token})
        return Answer(
            b'{"payload":{"pagination":%b,"%b":[%b]}}' % (pagination, name.encode(), body),
            len(page.rows),
        )


def one_of(query: Mapping[str, str], name: str, values: Sequence[str]) -> str | None:
    """Return a parameter that takes only certain values, if it is there.

    Raises:
        ApiError: It has another value.
    """
    text = query.get(name)
    if text is not None and text not in values:
        raise invalid_input()
    return text


def _limit(query: Mapping[str, str], longest: int) -> int:
    text = query.get("limit", str(longest))
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= longest:
        raise invalid_input()
    return int(text)


def _order_filter(query: Mapping[str, str]) -> Callable[[Order], bool]:
    state = one_of(query, "purchaseOrderState", STATES)
    cancelled = one_of(query, "poItemState", ("Cancelled",)) is not None
    changed = one_of(query, "isPOChanged", ("true", "false"))
    vendor_code = query.get("orderingVendorCode")

    def matches(order: Order) -> bool:
        return (
            state in {None, order.state}
            and (order.cancelled or not cancelled)
            and changed in {None, "false" if order.changed is None else "true"}
            and vendor_code in {None, order.vendor_code}
        )

    return matches
