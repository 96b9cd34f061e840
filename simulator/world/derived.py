"""Rows that follow from other rows, drawn when somebody first asks for them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from simulator.world.rows import EncodedRows
from simulator.world.table import DateOf, Table

P = TypeVar("P")
R = TypeVar("R")


class Derived(Generic[P, R]):
    """A table of rows that follow from the rows of another table, and their JSON.

    Args:
        parents: What they follow from.
        derive: Returns the rows of one parent; the same ones every time.
        dates: The dates they are found by.
        write: Writes one as JSON.
        hidden: Returns whether one cannot be seen at the moment.
    """

    def __init__(
        self,
        parents: Table[P],
        derive: Callable[[P], Iterable[R]],
        dates: Mapping[str, DateOf[R]],
        write: Callable[[R], bytes],
        hidden: Callable[[R], bool],
    ) -> None:
        self._parents = parents
        self._derive = derive
        self._dates = dates
        self._write = write
        self._hidden = hidden
        self._table: Table[R] | None = None
        self._rows: EncodedRows[R] | None = None

    @property
    def table(self) -> Table[R]:
        """The rows."""
        if self._table is None:
            drawn = (row for parent in self._parents for row in self._derive(parent))
            self._table = Table(drawn, self._dates, self._hidden)
        return self._table

    @property
    def rows(self) -> EncodedRows[R]:
        """The rows' JSON."""
        if self._rows is None:
            self._rows = EncodedRows(self.table, self._write)
        return self._rows

    def add(self, parent: P) -> None:
        """Add the rows of a parent that has just been added."""
        if self._table is not None:
            for row in self._derive(parent):
                self._table.add(row)
