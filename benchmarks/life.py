"""Events of an account between syncs, by a seed and at any rate of orders."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from heapq import heappop, heappush
from random import Random
from typing import TYPE_CHECKING

from benchmarks.ledger import content, quantity
from simulator.encoding import decode
from simulator.times import DAY, to_text
from simulator.world.fulfilment import line_count, packing, shipment_count
from simulator.world.transactions import transactions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.inprocess import SharedClock
    from benchmarks.ledger import Ledger
    from simulator import World

A_DAY = 86_400.0
LATE_SHARE = 0.05
"""Share of new rows, changed orders and cuts that appear later than they are dated."""

LATE_SECONDS = (90 * 60.0, 6 * 3600.0)
HIDDEN_SHARE = 0.03
"""Share of new orders that Amazon hides at first."""

HIDDEN_SECONDS = (12 * 3600.0, 4.5 * A_DAY)
OLD_CHANGES = 20.4
"""Changes of state and cuts a day, at least: 143 a week."""

UNDATED_CHANGES = 7.0
"""Cuts a day, at least, that no date of any operation shows."""

ORDER_DAYS, CHANGED_DAYS, REPORT_DAYS = 150, 60, 45
TRIES = 50
ELSEWHERE = "naming another number"
NOWHERE = "naming none"
OTHER_DATE = "status of another date"

REPORTS_OF = {
    "new order": "report of a new order",
    "late order": "late report",
    "hidden order": "report of a hidden order",
}
"""Names of the reports of an order, by what the order is."""

_REPORTS_PER_ORDER = 1.6


class Life:
    """Changes a world as its clock moves on, and enters in a ledger what syncs have to show.

    Args:
        world: What is changed.
        clock: Its clock.
        ledger: What it enters them in.
        monthly: Purchase orders a month.
        seed: The same seed brings the same life, however often a sync is run.
    """

    def __init__(
        self, world: World, clock: SharedClock, ledger: Ledger, *, monthly: int, seed: int = 1
    ) -> None:
        self._world = world
        self._clock = clock
        self._ledger = ledger
        self._rng = Random(f"life {seed}")
        self._count = 0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        daily = monthly / 30
        scale = max(1.0, monthly / 3_500)
        old, undated = OLD_CHANGES * scale, UNDATED_CHANGES * scale
        for rate, happen in (
            (daily, self._new_order),
            (daily / 3, self._changed_order),
            (old * 2 / 3, self._state_change),
            (old / 3, self._cut),
            (undated, self._undated_cut),
            (daily, self._receipt),
            (daily / 5, self._new_report),
            (daily * _REPORTS_PER_ORDER, self._changed_report),
        ):
            self._repeat(rate / A_DAY, happen)

    def until(self, seconds: float) -> None:
        """Let everything happen until a moment of the clock."""
        while self._due[0][0] <= seconds:
            moment, _, happen = heappop(self._due)
            self._clock.reach(moment)
            happen()
        self._clock.reach(seconds)

    def _repeat(self, rate: float, happen: Callable[[], object]) -> None:
        rng = Random(self._rng.random())

        def again() -> None:
            happen()
            self._at(self._clock.monotonic() + rng.expovariate(rate), again)

        self._at(self._clock.monotonic() + rng.expovariate(rate), again)

    def _at(self, moment: float, happen: Callable[[], object]) -> None:
        self._count += 1
        heappush(self._due, (moment, self._count, happen))

    # ---- orders ----------------------------------------------------------------------------------

    def _new_order(self) -> None:
        now = self._clock.now()
        kind, wait = "late order", self._delay()
        if self._rng.random() < HIDDEN_SHARE:
            kind, wait = "hidden order", self._rng.uniform(*HIDDEN_SECONDS)
        if not wait:
            self._order_there("new order", self._world.add_order(created=now))
            return
        number = self._world.add_order(created=now, appears=now + timedelta(seconds=wait))
        self._at(self._clock.monotonic() + wait, lambda: self._order_there(kind, number))

    def _order_there(self, kind: str, number: str) -> None:
        self._world.settle()
        self._tell_order(kind, number)
        for place in self._world.find_reports(number):
            self._tell_report(REPORTS_OF[kind], place, new=True)

    def _changed_order(self) -> None:
        self._alter("changed order", CHANGED_DAYS, self._world.change_order)

    def _state_change(self) -> None:
        self._alter("state change", ORDER_DAYS, self._world.move_state)

    def _cut(self) -> None:
        self._alter("cut", ORDER_DAYS, self._world.cut)

    def _undated_cut(self) -> None:
        self._alter("undated cut", ORDER_DAYS, partial(self._world.cut, dated=False))

    def _receipt(self) -> None:
        place = self._order(CHANGED_DAYS)
        number = self._world.orders[place].number
        self._world.receive(number)
        self._tell_status("receipt", number, place)

    def _alter(self, kind: str, days: int, change: Callable[..., None]) -> None:
        """Change an order whose row shows it, perhaps some hours before it can be seen."""
        late = self._delay()
        for _ in range(TRIES):
            place = self._order(days)
            number = self._world.orders[place].number
            before = self._order_row(place)
            try:
                change(number, appears=self._clock.now() + timedelta(seconds=late))
            except ValueError:  # nothing is left to cut
                continue
            if late:
                moment = self._clock.monotonic() + late
                there = partial(self._change_there, "late change", number, before)
                self._at(moment, there)
                return
            if self._change_there(kind, number, before):
                return

    def _change_there(self, kind: str, number: str, before: dict[str, object]) -> bool:
        """Expect what became of an order; return whether its own row shows it."""
        self._world.settle()
        place = self._world.find_order(number)
        assert place is not None
        if content("purchase_orders", self._order_row(place)) == content("purchase_orders", before):
            # The order's own row hides it; its status need not.
            self._tell_status(kind, number, place)
            return False
        if kind in {"state change", "cut"} and self._dated_otherwise(place):
            kind = f"{kind}, {OTHER_DATE}"
        self._tell_order(kind, number, before=before)
        return True

    def _dated_otherwise(self, place: int) -> bool:
        """Return whether the status of an order carries another date than the order."""
        status = decode(self._world.status_rows[place])
        return bool(status["purchaseOrderDate"] != to_text(self._world.orders[place].created))

    def _tell_order(
        self, kind: str, number: str, *, before: dict[str, object] | None = None
    ) -> None:
        place = self._world.find_order(number)
        assert place is not None
        row = self._order_row(place)
        self._enter(kind, "purchase_orders", (number,), row)
        old = {} if before is None else dict(_items(before))
        for sequence, amount in _items(row):
            if old.get(sequence) != amount:
                self._expect(kind, "purchase_order_items", (number, sequence), amount)
        self._tell_status(kind, number, place)

    def _tell_status(self, kind: str, number: str, place: int) -> None:
        row = decode(self._world.status_rows[place])
        if kind in REPORTS_OF or "lastUpdatedDate" in row:
            self._enter(kind, "purchase_order_statuses", (number,), row)

    def _order(self, days: int) -> int:
        now = self._world.present()
        return self._rng.choice(self._world.orders.between("created", now - days * DAY, now))

    def _order_row(self, place: int) -> dict[str, object]:
        row: dict[str, object] = decode(self._world.order_rows[place])
        return row

    # ---- order reports ---------------------------------------------------------------------------

    def _new_report(self) -> None:
        number = self._world.orders[self._order(REPORT_DAYS)].number
        late = self._delay()
        if not late:
            self._report_there("new report", self._world.add_report(number))
            return
        appears = self._clock.now() + timedelta(seconds=late)
        order_id = self._world.add_report(number, appears=appears)
        moment = self._clock.monotonic() + late
        self._at(moment, lambda: self._report_there("late report", order_id))

    def _report_there(self, kind: str, order_id: str) -> None:
        self._world.settle()
        place = self._world.find_report(order_id)
        assert place is not None
        self._tell_report(kind, place, new=True)

    def _changed_report(self) -> None:
        now = self._world.present()
        places = self._world.reports.between("ordered", now - REPORT_DAYS * DAY, now)
        place = self._rng.choice(places)
        self._world.move_report(self._world.reports[place].order_id)
        self._tell_report("changed report", place, new=False)

    def _tell_report(self, kind: str, place: int, *, new: bool) -> None:
        report = self._world.reports[place]
        row = decode(self._world.report_rows[place])
        order = report.order_id
        if report.named is not None:
            own = kind if report.named == report.asked else f"{kind}, {ELSEWHERE}"
            self._enter(own, "order_reports", (report.named, order), row)
        elif report.asked is not None:
            # No list shows whose it is.
            self._enter(f"{kind}, {NOWHERE}", "order_reports", (report.asked, order), row)
        self._enter(kind, "orders", (order,), row)
        if not new:
            return
        lines = [f"{order}-L{line + 1}" for line in range(line_count(report))]
        boxes = [f"{order}-S{number + 1}" for number in range(shipment_count(report))]
        for stream, keys in (
            ("order_line_items", [(order, line) for line in lines]),
            ("shipments", [(order, box) for box in boxes]),
            (
                "shipment_line_items",
                [(order, boxes[box], lines[line]) for box, line in packing(report)],
            ),
            ("transactions", [(part.identifier,) for part in transactions_of(report)]),
        ):
            for key in keys:
                self._expect(kind, stream, key, None)

    # ---- entering --------------------------------------------------------------------------------

    def _delay(self) -> float:
        """Return how many seconds late a row appears; none for most."""
        late = self._rng.random() < LATE_SHARE
        return self._rng.uniform(*LATE_SECONDS) if late else 0.0

    def _enter(self, kind: str, stream: str, key: tuple[str, ...], row: dict[str, object]) -> None:
        self._expect(kind, stream, key, content(stream, row))

    def _expect(self, kind: str, stream: str, key: tuple[str, ...], value: object) -> None:
        self._ledger.expect(kind, stream, key, value, self._clock.monotonic())


def _items(row: dict[str, object]) -> Iterable[tuple[str, int]]:
    details = row["orderDetails"]
    assert isinstance(details, dict)
    return [(str(item["itemSequenceNumber"]), quantity(item)) for item in details["items"]]
