"""Rows that are found by their dates."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from simulator.times import Millis

R = TypeVar("R")
DateOf = Callable[[R], Millis | None]
"""Reads one date of a row; a row without it is not found by it."""


class DateIndex:
    """Row numbers sorted by one date."""

    def __init__(self, entries: Iterable[tuple[Millis, int]]) -> None:
        self._entries = sorted(entries)

    def between(self, after: Millis, before: Millis) -> list[int]:
        """Return the numbers of the rows dated after the one and before the other moment."""
        low = bisect_right(self._entries, after, key=_date)
        high = bisect_left(self._entries, before, key=_date)
        return [number for _, number in self._entries[low:high]]

    def move(self, number: int, old: Millis | None, new: Millis | None) -> None:
        """Put a row to another date."""
        if old is not None:
            del self._entries[bisect_left(self._entries, (old, number))]
        if new is not None:
            insort(self._entries, (new, number))


def _date(entry: tuple[Millis, int]) -> Millis:
    return entry[0]


class Table(Generic[R]):
    """Rows by number, with an index for each of their dates.

    Args:
        rows: The first rows.
        dates: Reads the date of each index.
        hidden: Returns whether a row cannot be seen at the moment: no index finds it then.
    """

    def __init__(
        self,
        rows: Iterable[R],
        dates: Mapping[str, DateOf[R]],
        hidden: Callable[[R], bool] = lambda _: False,
    ) -> None:
        self._rows = list(rows)
        self._dates = dates
        self._hidden = hidden
        self._indexes = {
            name: DateIndex(
                (date, number)
                for number, row in enumerate(self._rows)
                if (date := date_of(row)) is not None
            )
            for name, date_of in dates.items()
        }

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows)

    def __getitem__(self, number: int) -> R:
        return self._rows[number]

    def date(self, index: str, number: int) -> Millis | None:
        """Return the date an index has for a row."""
        return self._dates[index](self._rows[number])

    def between(self, index: str, after: Millis, before: Millis) -> list[int]:
        """Return the numbers of the rows an index has between two moments, both excluded."""
        return [n for n in self._indexes[index].between(after, before) if self.shows(n)]

    def shows(self, number: int) -> bool:
        """Return whether a row can be seen at the moment."""
        return not self._hidden(self._rows[number])

    def visible(self) -> Iterator[tuple[int, R]]:
        """Yield each row that can be seen at the moment, with its number."""
        return ((n, row) for n, row in enumerate(self._rows) if not self._hidden(row))

    def add(self, row: R) -> int:
        """Append a row and return its number."""
        self._rows.append(row)
        number = len(self._rows) - 1
        for name, date_of in self._dates.items():
            self._indexes[name].move(number, None, date_of(row))
        return number

    def replace(self, number: int, row: R) -> None:
        """Put a changed row in the place of the old one."""
        old = self._rows[number]
        self._rows[number] = row
        for name, date_of in self._dates.items():
            if date_of(old) != date_of(row):
                self._indexes[name].move(number, date_of(old), date_of(row))
