"""Changes of orders after they were created."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from simulator.times import DAY, SECOND, Millis
from simulator.world.orders import STATES, Order
from simulator.world.reports import STATUSES, Report

FRESH: Millis = 25 * DAY
"""Only orders younger than this change their state, or have their reports change."""

CHANGE_AGE: Millis = 150 * SECOND
"""The age of changes: long enough for a sync of this moment to ask for them."""


@dataclass(frozen=True)
class Changes:
    """The changes of one call of `World.change`: purchase order numbers, class by class."""

    changed: Sequence[str]
    state_only: Sequence[str]
    new: Sequence[str]

    def counts(self) -> dict[str, int]:
        """Return how many there are of each class."""
        return {
            "changed": len(self.changed),
            "state_only": len(self.state_only),
            "new": len(self.new),
        }


def latest(order: Order) -> Millis:
    """Return the latest of an order's dates."""
    return max(order.created, order.updated or 0)


def changed_order(order: Order, moment: Millis) -> Order:
    """Return an order with other quantities, changed at a moment."""
    return replace(order, changed=moment, revision=order.revision + 1)


def moved_order(order: Order, moment: Millis) -> Order:
    """Return an order whose state, and nothing else, changed at a moment."""
    state = _after(order.state, STATES)
    if order.plausible and state == STATES[0]:
        state = STATES[1]  # opened again, not new
    return replace(order, state=state, state_changed=moment)


def cut_order(order: Order, moment: Millis) -> Order:
    """Return an order with half as many of its last item; only its status dates that."""
    return replace(order, cut=moment, cuts=order.cuts + 1)


def cut_order_without_date(order: Order, moment: Millis) -> Order:
    """Return an order with half as many of its last item, which no operation dates."""
    del moment
    return replace(order, cuts=order.cuts + 1)


def received_order(order: Order, moment: Millis) -> Order:
    """Return an order of which goods were received; its own row stays as it is."""
    return replace(order, received=moment)


def moved_report(report: Report) -> Report:
    """Return a report with another status; none of its dates changes."""
    return replace(report, status=_after(report.status, STATUSES))


def _after(value: str, values: Sequence[str]) -> str:
    """Return what follows a value, in a circle; an undocumented one is followed by the first."""
    return values[(values.index(value) + 1) % len(values)] if value in values else values[0]
