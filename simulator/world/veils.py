"""Rows that are there and cannot be seen, as Amazon hides them for days now and then."""

from dataclasses import dataclass

from simulator.times import Millis


@dataclass(frozen=True)
class Veil:
    """A span of dates whose rows cannot be seen.

    Attributes:
        first: The first date.
        last: The last date.
        until: When they can be seen again; None until `Veils.lift`.
    """

    first: Millis
    last: Millis
    until: Millis | None


class Veils:
    """The veils over the rows of one API."""

    def __init__(self) -> None:
        self._veils: list[Veil] = []

    def add(self, veil: Veil) -> None:
        """Hide the rows of a span."""
        self._veils.append(veil)

    def lift(self) -> None:
        """Show all rows again."""
        self._veils.clear()

    def settle(self, now: Millis) -> None:
        """Lift the veils whose time is over."""
        self._veils = [veil for veil in self._veils if veil.until is None or now < veil.until]

    def hide(self, date: Millis) -> bool:
        """Return whether a row of this date is hidden."""
        return any(veil.first <= date <= veil.last for veil in self._veils)
