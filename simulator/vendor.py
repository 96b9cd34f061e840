"""The Selling Partner API's vendor operations."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from simulator.encoding import encode
from simulator.errors import invalid_input, not_found, resource_not_found
from simulator.filters import (
    ORDER_FILTERS,
    SHIPMENT_FILTERS,
    STATUS_FILTERS,
    Matches,
    one_of,
    order_filter,
    shipment_filter,
    status_filter,
)
from simulator.limits import Monotonic, Plan
from simulator.lists import Lists
from simulator.lwa import SELLING_PARTNER
from simulator.operations import Answer, Operation, Request
from simulator.options import NO_PAGE_QUIRKS, Options
from simulator.ranges import DatePair, read_ranges
from simulator.world import World
from simulator.world.rows import EncodedRows
from simulator.world.table import Table

R = TypeVar("R")

PLAN = Plan(rate=10, burst=10)
TOKEN = "nextToken"  # noqa: S105

CREATED = DatePair("createdAfter", "createdBefore", "created")
ORDER_DATES = (CREATED, DatePair("changedAfter", "changedBefore", "changed"))
STATUS_DATES = (CREATED, DatePair("updatedAfter", "updatedBefore", "updated"))
SHIPMENT_DATES = (
    DatePair("createdAfter", "createdBefore", "shipmentCreateDate"),
    DatePair("shipmentConfirmedAfter", "shipmentConfirmedBefore", "shipmentConfirmDate"),
    DatePair("packageLabelCreatedAfter", "packageLabelCreatedBefore", "packageLabelCreateDate"),
    DatePair("shippedAfter", "shippedBefore", "shippedDate"),
    DatePair("estimatedDeliveryAfter", "estimatedDeliveryBefore", "estimatedDeliveryDate"),
    DatePair("shipmentDeliveryAfter", "shipmentDeliveryBefore", "shipmentDeliveryDate"),
    DatePair("requestedPickUpAfter", "requestedPickUpBefore", "requestedPickUp"),
    DatePair("scheduledPickUpAfter", "scheduledPickUpBefore", "scheduledPickUp"),
)
LONGEST_PAGE = 100
LONGEST_SHIPMENTS_PAGE = 50


class VendorApi:
    """Answers vendor operations from the world."""

    def __init__(self, world: World, options: Options, monotonic: Monotonic) -> None:
        self._world = world
        self._options = options
        self._lists = Lists(
            token=TOKEN,
            seed=world.seed,
            quirks=options.page_quirks if world.quirks else NO_PAGE_QUIRKS,
            options=options,
            monotonic=monotonic,
        )

    def operations(self) -> list[Operation]:
        """Return all operations."""
        return [
            _operation(
                "getPurchaseOrders",
                "/vendor/orders/v1/purchaseOrders",
                _list_parameters(ORDER_DATES, (*ORDER_FILTERS, "includeDetails")),
                self.get_purchase_orders,
            ),
            _operation(
                "getPurchaseOrder",
                "/vendor/orders/v1/purchaseOrders/{purchaseOrderNumber}",
                frozenset(),
                self.get_purchase_order,
            ),
            _operation(
                "getPurchaseOrdersStatus",
                "/vendor/orders/v1/purchaseOrdersStatus",
                _list_parameters(STATUS_DATES, STATUS_FILTERS),
                self.get_purchase_orders_status,
            ),
            _operation(
                "GetShipmentDetails",
                "/vendor/shipping/v1/shipments",
                _list_parameters(SHIPMENT_DATES, SHIPMENT_FILTERS),
                self.get_shipment_details,
            ),
        ]

    def get_purchase_orders(self, request: Request) -> Answer:
        """Answer with `{"payload": {"pagination": {"nextToken"}, "orders": [...]}}`."""
        details = one_of(request.parameters, "includeDetails", ("true", "false")) != "false"
        return self._list(
            request,
            "orders",
            self._world.orders,
            self._world.order_rows if details else self._world.order_briefs,
            dates=ORDER_DATES,
            longest_page=LONGEST_PAGE,
            matches=order_filter(self._world, request.parameters),
        )

    def get_purchase_order(self, request: Request) -> Answer:
        """Answer with `{"payload": order}`."""
        place = self._world.find_order(request.argument)
        if place is None or not self._world.orders.shows(place):
            raise not_found()
        oldest = self._world.present() - self._options.history
        status = self._options.old_orders
        if status is not None and self._world.orders[place].created < oldest:
            raise not_found() if status == 404 else invalid_input()
        return Answer(b'{"payload":%b}' % self._world.order_rows[place], 1)

    def get_purchase_orders_status(self, request: Request) -> Answer:
        """Answer with `{"payload": {"pagination": {"nextToken"}, "ordersStatus": [...]}}`."""
        return self._list(
            request,
            "ordersStatus",
            self._world.orders,
            self._world.status_rows,
            dates=STATUS_DATES,
            longest_page=LONGEST_PAGE,
            matches=status_filter(self._world, request.parameters),
        )

    def get_shipment_details(self, request: Request) -> Answer:
        """Answer with `{"payload": {"pagination": {"nextToken"}, "shipments": [...]}}`."""
        if self._options.no_shipments:
            raise resource_not_found()
        return self._list(
            request,
            "shipments",
            self._world.vendor_shipments.table,
            self._world.shipment_versions,
            dates=SHIPMENT_DATES,
            longest_page=LONGEST_SHIPMENTS_PAGE,
            matches=shipment_filter(self._world, request.parameters),
        )

    def _list(
        self,
        request: Request,
        name: str,
        table: Table[R],
        rows: EncodedRows[R],
        *,
        dates: Sequence[DatePair],
        longest_page: int,
        matches: Matches | None,
    ) -> Answer:
        """Answer a list request by the rules all vendor lists share.

        Args:
            request: The request.
            name: Where in the payload the rows stand.
            table: Where the rows are found; the first pair of `dates` bounds how far back.
            rows: The rows' JSON.
            dates: The pairs of bounds the operation knows.
            longest_page: The largest and default `limit`.
            matches: The other filters, if there are any.
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
            if len(ranges) <= 1 and matches is None:
                return places
            return [
                place
                for place in places
                if (matches is None or matches(place))
                and all(
                    (date := table.date(other.index, place)) is not None
                    and other.after < date < other.before
                    for other in ranges[1:]
                )
            ]

        def stray(rng: Random) -> int | None:
            place = rng.randrange(len(table)) if len(table) else None
            fits = place is not None and (matches is None or matches(place))
            return place if fits else None

        page = self._lists.page(request, select, size=size, stray=stray)
        body = b",".join([rows[place] for place in page.rows])
        if page.next_token is None:
            return Answer(b'{"payload":{"%b":[%b]}}' % (name.encode(), body), len(page.rows))
        pagination = encode({TOKEN: page.next_token})
        return Answer(
            b'{"payload":{"pagination":%b,"%b":[%b]}}' % (pagination, name.encode(), body),
            len(page.rows),
        )


def _limit(query: Mapping[str, str], longest: int) -> int:
    text = query.get("limit", str(longest))
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= longest:
        raise invalid_input()
    return int(text)


def _operation(
    name: str, path: str, parameters: frozenset[str], answer: Callable[[Request], Answer]
) -> Operation:
    return Operation(name, path, SELLING_PARTNER, PLAN, parameters, answer)


def _list_parameters(dates: Sequence[DatePair], filters: Sequence[str]) -> frozenset[str]:
    bounds = (bound for pair in dates for bound in (pair.after, pair.before))
    return frozenset({"limit", "sortOrder", TOKEN, *bounds, *filters})
