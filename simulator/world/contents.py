"""The contents of both APIs: orders and reports, found by number and date, and what follows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from random import Random
from threading import RLock

from simulator.encoding import Row, decode
from simulator.times import Millis, Now, to_millis, utc_now
from simulator.world.catalogue import Catalogue
from simulator.world.derived import Derived
from simulator.world.fulfilment import FulfilmentWriter
from simulator.world.generate import OrderGenerator, ReportGenerator
from simulator.world.ledger import Ledger
from simulator.world.orders import Order, OrderWriter
from simulator.world.quirks import NO_ROW_QUIRKS, RowQuirks
from simulator.world.reports import Report, ReportWriter
from simulator.world.rows import EncodedRows
from simulator.world.statuses import StatusWriter
from simulator.world.table import Table
from simulator.world.transactions import Transaction, TransactionWriter, transactions_of
from simulator.world.veils import Veils
from simulator.world.vendor_shipments import DATES as SHIPMENT_DATES
from simulator.world.vendor_shipments import Shipment, ShipmentWriter, shipments_of
from simulator.world.waiting import Waiting


class Contents:
    """Purchase orders of the past `span_days`, and the Amazon Business orders for them.

    Rows that appear later wait outside of the tables until `settle`; hidden ones are in them.

    Args:
        orders: How many purchase orders.
        items: Items an order has on average.
        changed: Share of the orders that were changed once after they were created.
        span_days: Age of the oldest order.
        seed: The same seed and clock give the same world, byte by byte.
        quirks: Whether rows and pages are odd at all.
        plausible: Whether figures and dates go together as those of a business do, instead of being
            drawn one by one; by default where there are no quirks.
        regions: Amazon Business regions with orders; most are in the first.
        without_number: Amazon Business orders without a purchase order number, per purchase order.
        integers: Whether some purchase order numbers and order ids are JSON integers.
        respelled: Share of the reports that name their purchase order in another case, or with
            spaces around.
        other_status_dates: Share of the statuses whose purchaseOrderDate is not their order's: a
            day alone, 90 seconds off, or months off.
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
        plausible: bool | None = None,
        regions: Sequence[str] = ("US", "CA"),
        without_number: float = 0.1,
        integers: bool = False,
        respelled: float = 0.0,
        other_status_dates: float = 0.0,
        now: Now = utc_now,
    ) -> None:
        self.now = now
        self.seed = seed
        self.quirks = quirks
        self.regions = tuple(regions)
        self.lock = RLock()
        self._rng = Random(f"world {seed}")
        row_quirks = replace(
            RowQuirks() if quirks else NO_ROW_QUIRKS,
            respelled=respelled,
            other_status_date=other_status_dates,
            random=float(quirks if plausible is None else not plausible),
        )
        if integers:
            row_quirks = replace(row_quirks, integer=0.5)
        self._draw_order = OrderGenerator(self._rng, items=items, quirks=row_quirks)
        self._draw_report = ReportGenerator(self._rng, regions=self.regions, quirks=row_quirks)
        catalogue = Catalogue(seed, row_quirks)
        present = self.present()
        self._vendor_veils, self._business_veils = Veils(), Veils()
        self.orders: Table[Order] = Table(
            self._draw_order.past(
                orders, changed=round(orders * changed), now=present, span_days=span_days
            ),
            {
                "created": lambda order: order.created,
                "changed": lambda order: order.changed,
                "updated": lambda order: order.updated,
            },
            lambda order: self._vendor_veils.hide(order.created),
        )
        self.reports: Table[Report] = Table(
            self._past_reports(round(orders * without_number), present, span_days),
            {"ordered": lambda report: report.ordered},
            lambda report: self._business_veils.hide(report.ordered),
        )
        self._order_numbers = {order.number: place for place, order in enumerate(self.orders)}
        self._taken = set(self._order_numbers)
        self._waiting = Waiting()
        self._report_ids: dict[str, int] = {}
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
        self._shipment_writer = ShipmentWriter(catalogue, row_quirks)
        self.vendor_shipments: Derived[Order, Shipment] = Derived(
            self.orders,
            shipments_of,
            {name: _shipment_date(name) for name in SHIPMENT_DATES},
            self._shipment_writer.full,
            lambda shipment: self._vendor_veils.hide(shipment.order.created),
        )
        self.transactions: Derived[Report, Transaction] = Derived(
            self.reports,
            transactions_of,
            {
                "fed": lambda transaction: transaction.fed,
                "ordered": lambda transaction: transaction.report.ordered,
            },
            TransactionWriter(catalogue, row_quirks).full,
            lambda transaction: self._business_veils.hide(transaction.report.ordered),
        )
        self.ledger = Ledger(self, catalogue, row_quirks)

    def present(self) -> Millis:
        """Return the wall clock's moment."""
        return to_millis(self.now())

    @cached_property
    def shipment_versions(self) -> EncodedRows[Shipment]:
        """The rows of a vendor's shipment in a list: a cancelled one twice, New and then Cancel."""
        return EncodedRows(self.vendor_shipments.table, self._shipment_writer.versions)

    def settle(self) -> None:
        """Let the rows appear whose moment has come, as every request does first."""
        with self.lock:
            now = self.present()
            self._waiting.settle(now)
            self._vendor_veils.settle(now)
            self._business_veils.settle(now)

    def find_order(self, number: str) -> int | None:
        """Return the place of a purchase order in `orders`."""
        return self._order_numbers.get(number)

    def find_report(self, order_id: str) -> int | None:
        """Return the place of an order report in `reports`."""
        return self._report_ids.get(order_id)

    def report_of(self, order_id: str) -> Report | None:
        """Return an order report by its order id, unless it is hidden."""
        place = self.find_report(order_id)
        return self.reports[place] if place is not None and self.reports.shows(place) else None

    def find_reports(self, number: str) -> Sequence[int]:
        """Return the places in `reports` of what is found by a purchase order number."""
        return self._report_numbers.get(number, ())

    def each_order(self) -> Iterator[Row]:
        """Yield every purchase order as getPurchaseOrders sends it."""
        return (decode(self.order_rows[place]) for place, _ in self.orders.visible())

    def each_order_report(self) -> Iterator[Row]:
        """Yield every order report that is found by a purchase order number."""
        return (
            decode(self.report_rows[place])
            for place, report in self.reports.visible()
            if report.asked is not None
        )

    def purchase_orders(self) -> dict[str, Row]:
        """Return every purchase order by number, as getPurchaseOrders sends it now."""
        with self.lock:
            self.settle()
            return {str(row["purchaseOrderNumber"]): row for row in self.each_order()}

    def order_reports(self, region: str | None = None) -> dict[tuple[str, str], Row]:
        """Return the order reports by the number they are found by and their order id.

        Args:
            region: Only those of one region.
        """
        with self.lock:
            self.settle()
            return {
                (report.asked, report.order_id): decode(self.report_rows[place])
                for place, report in self.reports.visible()
                if report.asked is not None and region in {None, report.region}
            }

    def _past_reports(self, without_number: int, now: Millis, span_days: float) -> Iterator[Report]:
        yield from self._draw_report.past(self.orders, now=now)
        yield from self._draw_report.without_number(without_number, now=now, span_days=span_days)

    def _show_order(self, order: Order, reports: Iterable[Report]) -> int:
        place = self.orders.add(order)
        self._order_numbers[order.number] = place
        self.vendor_shipments.add(order)
        for report in reports:
            self._show_report(report)
        return place

    def _show_report(self, report: Report) -> None:
        self._file_report(self.reports.add(report), report)
        self.transactions.add(report)

    def _file_report(self, place: int, report: Report) -> None:
        self._report_ids[report.order_id] = place
        if report.asked is not None:
            self._report_numbers.setdefault(report.asked, []).append(place)

    def _shows_all(self, place: int) -> bool:
        return self._order_writer.oddities(self.orders[place]).none


def _shipment_date(name: str) -> Callable[[Shipment], Millis | None]:
    return lambda shipment: shipment.dates.get(name)
