"""The data both APIs serve: drawn once by seed, and changed on demand."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from simulator.encoding import decode
from simulator.times import Millis, to_millis
from simulator.world.changes import (
    CHANGE_AGE,
    FRESH,
    Changes,
    changed_order,
    cut_order,
    cut_order_without_date,
    latest,
    moved_order,
    moved_report,
    received_order,
)
from simulator.world.contents import Contents
from simulator.world.orders import STATES, Order
from simulator.world.veils import Veil, Veils


class World(Contents):
    """The rows that both APIs serve, and all that may happen to them.

    `change` lets a share of it change immediately. The other methods change one order or report of
    any age, at this moment of the world's clock; with `appears`, no operation shows the change
    before that moment.
    """

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
        appears: datetime | None = None,
    ) -> str:
        """Add a purchase order with reports and return its number; what is not given is drawn.

        Until it `appears`, neither it nor anything that belongs to it can be seen.
        """
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
            self._add(order, reports, self._moment(appears))
            return order.number

    def add_report(
        self,
        number: str,
        *,
        ordered: datetime | None = None,
        named: str | None = None,
        appears: datetime | None = None,
    ) -> str:
        """Add an order report and return its order id.

        Args:
            number: The purchase order number it is found by.
            ordered: Its date; now if omitted.
            named: The number in its row; drawn if omitted, none if empty.
            appears: When it can be seen, with all that belongs to it; immediately if omitted.
        """
        with self.lock:
            self.settle()
            report = self._draw_report.report(
                ordered=self.present() if ordered is None else to_millis(ordered),
                asked=number,
                named=self._draw_report.name(number) if named is None else named or None,
                now=self.present(),
            )
            self._waiting.add(self._moment(appears), lambda: self._show_report(report))
            self.settle()
            return report.order_id

    def change_order(self, number: str, *, appears: datetime | None = None) -> None:
        """Change the quantities of an order, and its purchaseOrderChangedDate."""
        self._replace(number, changed_order, appears)

    def move_state(self, number: str, *, appears: datetime | None = None) -> None:
        """Change the state of an order, and its purchaseOrderStateChangedDate."""
        self._replace(number, moved_order, appears)

    def cut(self, number: str, *, dated: bool = True, appears: datetime | None = None) -> None:
        """Halve the last item of an order; none of the order's dates shows it.

        Args:
            number: The order's.
            dated: Whether the lastUpdatedDate of its status does.
            appears: When it can be seen.

        Raises:
            ValueError: There is no such order, or nothing is left of the item.
        """
        with self.lock:
            row = decode(self.order_rows[self._place(number)])
            if not row["orderDetails"]["items"][-1]["orderedQuantity"]["amount"]:
                raise ValueError(f"nothing is left of the last item of {number!r}")
            self._replace(number, cut_order if dated else cut_order_without_date, appears)

    def receive(self, number: str, *, appears: datetime | None = None) -> None:
        """Receive goods of an order; nothing but the lastUpdatedDate of its status changes."""
        self._replace(number, received_order, appears)

    def date_status(self, number: str, text: str) -> None:
        """Give the status of an order a purchaseOrderDate of its own; it is listed as before."""
        self._replace(number, lambda order, _: replace(order, status_date=text))

    def cancel_shipment(self, identifier: str) -> None:
        """Cancel a vendor's shipment: lists show it twice from now on, New and then Cancel.

        Raises:
            ValueError: There is no such shipment.
        """
        with self.lock:
            self.settle()
            table = self.vendor_shipments.table
            for place, shipment in enumerate(table):
                if shipment.identifier == identifier:
                    table.replace(place, replace(shipment, cancelled=self.present()))
                    return
            raise ValueError(f"there is no shipment {identifier!r}")

    def hide_orders(
        self, after: datetime, before: datetime, *, until: datetime | None = None
    ) -> None:
        """Hide the purchase orders of some days from all vendor operations, and their shipments.

        Args:
            after: The date of the first one.
            before: The date of the last one.
            until: When they can be seen again; None until `show_all`.
        """
        self._hide(self._vendor_veils, after, before, until)

    def hide_reports(
        self, after: datetime, before: datetime, *, until: datetime | None = None
    ) -> None:
        """Hide the orders of some days from all Amazon Business operations.

        Args:
            after: The order date of the first one.
            before: The order date of the last one.
            until: When they can be seen again; None until `show_all`.
        """
        self._hide(self._business_veils, after, before, until)

    def show_all(self) -> None:
        """Show what was hidden."""
        with self.lock:
            self._vendor_veils.lift()
            self._business_veils.lift()

    def move_report(self, order_id: str, *, appears: datetime | None = None) -> None:
        """Change the status of an order report; none of its dates changes.

        Raises:
            ValueError: There is no such report.
        """
        with self.lock:
            self.settle()
            place = self.find_report(order_id)
            if place is None:
                raise ValueError(f"there is no order report {order_id!r}")

            def move() -> None:
                self.reports.replace(place, moved_report(self.reports[place]))

            self._waiting.add(self._moment(appears), move)
            self.settle()

    def close_books(self) -> None:
        """Let invoices and payments come that were late; no transaction changes."""
        with self.lock:
            self.ledger.closed = True

    def change(self, *, fraction: float = 0.1, state_only: float = 0.05, new: int = 0) -> Changes:
        """Let something happen, two and a half minutes ago.

        Args:
            fraction: Share of all orders whose quantities and purchaseOrderChangedDate change.
            state_only: Share of the orders of the last 25 days of which only the state and
                purchaseOrderStateChangedDate change, a date that no filter covers.
            new: How many orders are added, with reports.
        """
        with self.lock:
            self.settle()
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
            added = []
            for offset in range(new):
                order = self._draw_order.order(now=self.present(), created=moment + offset)
                self._add(order, None, self.present())
                added.append(order.number)
            return Changes(self._numbers(changed), self._numbers(moved), added)

    def _add(self, order: Order, reports: int | None, appears: Millis) -> None:
        if order.number in self._taken:
            raise ValueError(f"there is an order {order.number!r} already")
        self._taken.add(order.number)
        drawn = list(self._draw_report.for_order(order, now=self.present(), count=reports))
        self._waiting.add(appears, lambda: self._show_order(order, drawn))
        self.settle()

    def _replace(
        self,
        number: str,
        changed: Callable[[Order, Millis], Order],
        appears: datetime | None = None,
    ) -> None:
        with self.lock:
            place, moment = self._place(number), self.present()

            def change() -> None:
                self.orders.replace(place, changed(self.orders[place], moment))

            self._waiting.add(self._moment(appears), change)
            self.settle()

    def _hide(
        self, veils: Veils, after: datetime, before: datetime, until: datetime | None
    ) -> None:
        with self.lock:
            end = None if until is None else to_millis(until)
            veils.add(Veil(to_millis(after), to_millis(before), end))

    def _place(self, number: str) -> int:
        self.settle()
        place = self.find_order(number)
        if place is None:
            raise ValueError(f"there is no order {number!r}")
        return place

    def _moment(self, appears: datetime | None) -> Millis:
        return self.present() if appears is None else to_millis(appears)

    def _move_reports(self, number: str) -> None:
        for place in self.find_reports(number):
            self.reports.replace(place, moved_report(self.reports[place]))

    def _numbers(self, places: Iterable[int]) -> list[str]:
        return [self.orders[place].number for place in places]
