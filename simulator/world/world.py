"""The data both APIs serve: drawn once by seed, and changed on demand."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from threading import RLock

from simulator.encoding import Row, decode
from simulator.times import Millis, Now, to_millis, utc_now
from simulator.world.catalogue import Catalogue
from simulator.world.changes import (
    CHANGE_AGE,
    FRESH,
    Changes,
    changed_order,
    latest,
    moved_order,
    moved_report,
)
from simulator.world.derived import Derived
from simulator.world.fulfilment import FulfilmentWriter
from simulator.world.generate import OrderGenerator, ReportGenerator
from simulator.world.orders import STATES, Order, OrderWriter
from simulator.world.quirks import NO_ROW_QUIRKS, RowQuirks
from simulator.world.reports import Report, ReportWriter
from simulator.world.rows import EncodedRows
from simulator.world.statuses import StatusWriter
from simulator.world.table import Table
from simulator.world.transactions import Transaction, TransactionWriter, transactions_of
from simulator.world.vendor_shipments import DATES as SHIPMENT_DATES
from simulator.world.vendor_shipments import Shipment, ShipmentWriter, shipments_of


class World:
    """Purchase orders of the past `span_days`, and the Amazon Business orders made of them.

    Args:
        orders: How many purchase orders.
        items: Items an order has on average.
        changed: Share of the orders that were changed once after they were created.
        span_days: Age of the oldest order.
        seed: The same seed and clock give the same world, byte by byte.
        quirks: Whether rows and pages are odd at all.
        regions: Amazon Business regions with orders; most are in the first.
        without_number: Amazon Business orders without a purchase order number, per purchase order.
        integers: Whether some purchase order numbers and order ids are JSON integers.
        now: The wall clock.
    """

    def __init__(
        self,
        *,
        orders: int = 3000,
        items: int = 3,
        changed: float = 1 / 3,
        span_days: float = 170,
        seed: int = 1,
        quirks: bool = True,
        regions: Sequence[str] = ("US", "CA"),
        without_number: float = 0.1,
        integers: bool = False,
        now: Now = utc_now,
    ) -> None:
        self.now = now
        self.seed = seed
        self.quirks = quirks
        self.regions = tuple(regions)
        self.lock = RLock()
        self._rng = Random(f"world {seed}")
        row_quirks = RowQuirks() if quirks else NO_ROW_QUIRKS
        if integers:
            row_quirks = replace(row_quirks, integer=0.5)
        self._draw_order = OrderGenerator(self._rng, items=items, quirks=row_quirks)
        self._draw_report = ReportGenerator(self._rng, regions=self.regions, quirks=row_quirks)
        catalogue = Catalogue(seed, row_quirks)
        present = self.present()
        self.orders: Table[Order] = Table(
            self._draw_order.past(
                orders, changed=round(orders * changed), now=present, span_days=span_days
            ),
            {
                "created": lambda order: order.created,
                "changed": lambda order: order.changed,
                "updated": lambda order: order.updated,
            },
        )
        self.reports: Table[Report] = Table(
            self._past_reports(round(orders * without_number), present, span_days),
            {"ordered": lambda report: report.ordered},
        )
        self._order_numbers = {order.number: place for place, order in enumerate(self.orders)}
        self._report_numbers: dict[str, list[int]] = {}
        for place, report in enumerate(self.reports):
            self._file_report(place, report)
        self._order_writer = OrderWriter(catalogue, row_quirks)
        report_writer = ReportWriter(catalogue, row_quirks)
        self.fulfilment = FulfilmentWriter(catalogue, row_quirks, report_writer)
        self.order_rows = EncodedRows(self.orders, self._order_writer.full)
        self.order_briefs = EncodedRows(self.orders, self._order_writer.brief)
        self.status_rows = EncodedRows(self.orders, StatusWriter(catalogue, row_quirks).full)
        self.report_rows = EncodedRows(self.reports, report_writer.full)
        self.vendor_shipments: Derived[Order, Shipment] = Derived(
            self.orders,
            shipments_of,
            {name: _shipment_date(name) for name in SHIPMENT_DATES},
            ShipmentWriter(catalogue, row_quirks).full,
        )
        self.transactions: Derived[Report, Transaction] = Derived(
            self.reports,
            transactions_of,
            {"fed": lambda transaction: transaction.fed},
            TransactionWriter(catalogue, row_quirks).full,
        )

    def present(self) -> Millis:
        """Return the wall clock's moment."""
        return to_millis(self.now())

    def find_order(self, number: str) -> int | None:
        """Return the place of a purchase order in `orders`."""
        return self._order_numbers.get(number)

    def find_reports(self, number: str) -> Sequence[int]:
        """Return the places in `reports` of what is found by a purchase order number."""
        return self._report_numbers.get(number, ())

    def each_order(self) -> Iterator[Row]:
        """Yield every purchase order as getPurchaseOrders sends it."""
        return (decode(self.order_rows[place]) for place in range(len(self.orders)))

    def each_order_report(self) -> Iterator[Row]:
        """Yield every order report that is found by a purchase order number."""
        return (
            decode(self.report_rows[place])
            for place, report in enumerate(self.reports)
            if report.asked is not None
        )

    def purchase_orders(self) -> dict[str, Row]:
        """Return every purchase order by number, as getPurchaseOrders sends it."""
        with self.lock:
            return {str(row["purchaseOrderNumber"]): row for row in self.each_order()}

    def order_reports(self, region: str | None = None) -> dict[tuple[str, str], Row]:
        """Return the order reports by the number they are found by and their order id.

        Args:
            region: Only those of one region.
        """
        with self.lock:
            return {
                (report.asked, report.order_id): decode(self.report_rows[place])
                for place, report in enumerate(self.reports)
                if report.asked is not None and region in {None, report.region}
            }

    def add_order(
        self,
        *,
        created: datetime,
        changed: datetime | None = None,
        state_changed: datetime | None = None,
        state: str = STATES[0],
        number: str | None = None,
        items: int | None = None,
        reports: int | None = None,
    ) -> str:
        """Add a purchase order with reports and return its number; what is not given is drawn."""
        with self.lock:
            order = self._draw_order.order(
                now=self.present(),
                created=to_millis(created),
                changed=None if changed is None else to_millis(changed),
                state_changed=None if state_changed is None else to_millis(state_changed),
                state=state,
                number=number,
                items=items,
            )
            self._add(order, reports)
            return order.number

    def change(self, *, fraction: float = 0.1, state_only: float = 0.05, new: int = 0) -> Changes:
        """Let something happen, two and a half minutes ago.

        Args:
            fraction: Share of all orders whose quantities and purchaseOrderChangedDate change.
            state_only: Share of the orders of the last 25 days of which only the state and
                purchaseOrderStateChangedDate change, a date that no filter covers.
            new: How many orders are added, with reports.
        """
        with self.lock:
            moment = self.present() - CHANGE_AGE
            places = [p for p, order in enumerate(self.orders) if latest(order) < moment]
            fresh = self.orders.between("created", moment - FRESH, moment)
            changed = sorted(self._rng.sample(places, round(fraction * len(places))))
            untouched = set(places).difference(changed)
            # A change that the row does not show cannot be noticed by anyone.
            able = [p for p in fresh if p in untouched and self._shows_all(p)]
            wanted = min(len(able), round(state_only * len(fresh)))
            moved = sorted(self._rng.sample(able, wanted))
            for place in changed:
                self.orders.replace(place, changed_order(self.orders[place], moment))
            for place in moved:
                self.orders.replace(place, moved_order(self.orders[place], moment))
            for place in set(changed).union(moved).intersection(fresh):
                self._move_reports(self.orders[place].number)
            added = [
                self._add(self._draw_order.order(now=self.present(), created=moment + offset), None)
                for offset in range(new)
            ]
            return Changes(self._numbers(changed), self._numbers(moved), self._numbers(added))

    def _past_reports(self, without_number: int, now: Millis, span_days: float) -> Iterator[Report]:
        for order in self.orders:
            yield from self._draw_report.for_order(order, now=now)
        yield from self._draw_report.without_number(without_number, now=now, span_days=span_days)

    def _add(self, order: Order, reports: int | None) -> int:
        if order.number in self._order_numbers:
            raise ValueError(f"there is an order {order.number!r} already")
        place = self.orders.add(order)
        self._order_numbers[order.number] = place
        self.vendor_shipments.add(order)
        drawn = self._draw_report.for_order(order, now=self.present(), count=reports)
        for report in list(drawn):
            self._file_report(self.reports.add(report), report)
            self.transactions.add(report)
        return place

    def _file_report(self, place: int, report: Report) -> None:
        if report.asked is not None:
            self._report_numbers.setdefault(report.asked, []).append(place)

    def _move_reports(self, number: str) -> None:
        for place in self.find_reports(number):
            self.reports.replace(place, moved_report(self.reports[place]))

    def _shows_all(self, place: int) -> bool:
        return self._order_writer.oddities(self.orders[place]).none

    def _numbers(self, places: Iterable[int]) -> list[str]:
        return [self.orders[place].number for place in places]


def _shipment_date(name: str) -> Callable[[Shipment], Millis | None]:
    return lambda shipment: shipment.dates.get(name)
