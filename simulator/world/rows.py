"""Encoded rows, kept while there is room."""

from collections.abc import Callable
from typing import Generic, TypeVar

from simulator.world.table import Table

R = TypeVar("R")

BUDGET = 192 * 1024 * 1024
"""Bytes of encoded rows one kind of row may occupy."""


class EncodedRows(Generic[R]):
    """The JSON of a table's rows, written when first asked for."""

    def __init__(self, table: Table[R], write: Callable[[R], bytes]) -> None:
        self._table = table
        self._write = write
        self._kept: dict[int, tuple[R, bytes]] = {}
        self._size = 0

    def __getitem__(self, number: int) -> bytes:
        row = self._table[number]
        kept = self._kept.get(number)
        # Rows are immutable and replaced when they change: identity shows whether one did.
        if kept is not None and kept[0] is row:
            return kept[1]
        body = self._write(row)
        if self._size < BUDGET:
            self._kept[number] = (row, body)
            self._size += len(body)
        return body
