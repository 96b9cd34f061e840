"""Draws the world's orders and the Amazon Business orders that belong to them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random

from simulator.times import DAY, HOUR, MINUTE, SECOND, Millis
from simulator.world.catalogue import VENDOR_CODES
from simulator.world.numbers import order_numbers
from simulator.world.orders import STATES, UNKNOWN_STATE, Order
from simulator.world.plausible import delivery_of, is_in_season, purchase_of, state_of
from simulator.world.quirks import RowQuirks
from simulator.world.reports import STATUSES, UNKNOWN_STATUS, Report

NEWEST: Millis = 10 * MINUTE
"""Age of the youngest order."""

NEWEST_REPORT: Millis = 5 * MINUTE
"""Age of the youngest report of the past."""

_REPORT_COUNTS = (0, 1, 2, 3, 4, 12)
_REPORT_WEIGHTS = (16, 40, 25, 12, 6, 1)
_SEEDS = 1 << 62


class OrderGenerator:
    """Draws purchase orders."""

    def __init__(self, rng: Random, *, items: int, quirks: RowQuirks) -> None:
        self._rng = rng
        self._items = items
        self._quirks = quirks
        self._numbers = order_numbers(rng, digits=quirks.integer > 0, typed=quirks.random > 0)

    def past(self, count: int, *, changed: int, now: Millis, span_days: float) -> Iterator[Order]:
        """Yield orders of the past.

        Args:
            count: How many.
            changed: How many of them were changed once.
            now: The world's present.
            span_days: The age of the oldest.
        """
        was_changed = set(self._rng.sample(range(count), changed))
        span = int(span_days * DAY) - NEWEST
        for place in range(count):
            created = self._tidy(self._moment(now, span))
            state = self._state(created, now)
            if self._rng.random() < self._quirks.unknown_value / 4:
                state = UNKNOWN_STATE
            moved = created if state == STATES[0] else self._since(created, now)
            change = self._since(created, now) if place in was_changed else None
            order = self.order(
                now=now, created=created, changed=change, state_changed=moved, state=state
            )
            if order.plausible and state == STATES[2] and delivery_of(order).arrives > now:
                order = replace(order, state=STATES[1])
            yield order

    def order(
        self,
        *,
        now: Millis,
        created: Millis,
        changed: Millis | None = None,
        state_changed: Millis | None = None,
        state: str = STATES[0],
        number: str | None = None,
        items: int | None = None,
    ) -> Order:
        """Return an order; what is not given is drawn."""
        rng = self._rng
        drawn = rng.randint(1, 2 * self._items - 1)
        return Order(
            number=next(self._numbers) if number is None else number,
            seed=rng.randrange(_SEEDS),
            created=created,
            changed=changed,
            state_changed=created if state_changed is None else state_changed,
            state=state,
            vendor_code=VENDOR_CODES[rng.random() < 0.3],
            items=drawn if items is None else items,
            cancelled=rng.random() < (0.05 if self._quirks.random else 0.01),
            born=now,
            revision=0 if changed is None else 1,
            plausible=not self._quirks.random,
        )

    def _moment(self, now: Millis, span: Millis) -> Millis:
        while True:
            moment = now - NEWEST - int(self._rng.random() * span)
            if self._quirks.random or is_in_season(moment, self._rng):
                return moment

    def _state(self, created: Millis, now: Millis) -> str:
        if self._quirks.random:
            return self._rng.choice(STATES)
        return state_of(created, now, self._rng, STATES)

    def _since(self, moment: Millis, now: Millis) -> Millis:
        return moment + SECOND + int(self._rng.random() * (now - NEWEST // 2 - moment))

    def _tidy(self, moment: Millis) -> Millis:
        """Put some orders exactly on a second, a minute or midnight, where windows meet."""
        drawn = self._rng.random()
        if drawn < 0.01:
            return moment - moment % DAY
        if drawn < 0.05:
            return moment - moment % MINUTE
        return moment - moment % SECOND if drawn < 0.6 else moment


class ReportGenerator:
    """Draws the Amazon Business orders."""

    def __init__(self, rng: Random, *, regions: Sequence[str], quirks: RowQuirks) -> None:
        self._rng = rng
        self._regions = regions
        self._quirks = quirks
        self._count = 0

    def past(self, orders: Iterable[Order], *, now: Millis) -> Iterator[Report]:
        """Yield the reports that purchase orders of the past have by now.

        Reports follow their orders by days. The youngest orders have not all of theirs yet, so the
        last days hold no more reports than others.
        """
        for order in orders:
            for report in self._drawn(order, now=now):
                if report.ordered <= now - NEWEST_REPORT:
                    yield report

    def for_order(self, order: Order, *, now: Millis, count: int | None = None) -> Iterator[Report]:
        """Yield all reports of a purchase order, none dated later than now.

        Args:
            order: The purchase order.
            now: The world's present.
            count: How many; about 1.6 if omitted.
        """
        for report in self._drawn(order, now=now, count=count):
            ordered = max(order.created, min(report.ordered, now - NEWEST_REPORT))
            yield replace(report, ordered=ordered)

    def _drawn(self, order: Order, *, now: Millis, count: int | None = None) -> Iterator[Report]:
        """Yield reports that are dated up to five days after their order, perhaps after now."""
        if count is None:
            count = self._rng.choices(_REPORT_COUNTS, _REPORT_WEIGHTS)[0]
        for _ in range(count):
            named = self.name(order.number)
            delay = HOUR + int(self._rng.random() * 5 * DAY)
            yield self.report(
                ordered=order.created + delay, asked=order.number, named=named, now=now
            )

    def name(self, number: str) -> str | None:
        """Return what a report names where a purchase order number is due."""
        quirks, drawn = self._quirks, self._rng.random()
        other = quirks.no_number + quirks.other_number
        if drawn < quirks.no_number:
            return None
        if drawn < other:
            return f"REF {self._rng.randrange(10**6)}"
        if drawn < other + quirks.respelled:
            swapped = number.swapcase()
            return f" {number} " if drawn < other + quirks.respelled / 2 else swapped
        return number

    def without_number(self, count: int, *, now: Millis, span_days: float) -> Iterator[Report]:
        """Yield reports of orders that were made without a purchase order number."""
        for _ in range(count):
            age = NEWEST + int(self._rng.random() * (span_days * DAY - NEWEST))
            yield self.report(ordered=now - age, asked=None, named=None, now=now)

    def report(
        self, *, ordered: Millis, asked: str | None, named: str | None, now: Millis
    ) -> Report:
        """Return a report; what is not given is drawn."""
        rng = self._rng
        self._count += 1
        home = len(self._regions) == 1 or rng.random() < 0.8
        unknown = rng.random() < self._quirks.unknown_value
        order_id = f"{rng.randrange(100, 1000)}-{self._count:07d}-{rng.randrange(10**7):07d}"
        report = Report(
            order_id=order_id.replace("-", "") if self._quirks.integer else order_id,
            seed=rng.randrange(_SEEDS),
            asked=asked,
            named=named,
            ordered=ordered,
            region=self._regions[0] if home else rng.choice(self._regions[1:]),
            status=UNKNOWN_STATUS if unknown else rng.choice(STATUSES),
            born=now,
            plausible=not self._quirks.random,
        )
        return replace(report, status=purchase_of(report).status) if report.plausible else report
