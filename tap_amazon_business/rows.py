"""Amazon's rows: kept as JSON, decoded when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Numbers with a decimal point are kept as the text that Amazon sent: money never meets a float.
_ROW = msgspec.json.Decoder(float_hook=str)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


class Rows:
    """The rows of a page, decoded one by one as they are iterated over.

    Decoded rows take fifteen times the memory of their JSON, and CPU time to get it.

    Args:
        rows: The rows, each as JSON; decoded only where they cannot be written as such.
    """

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = list(rows)

    @classmethod
    def of(cls, values: list[Any]) -> Rows:
        """Return rows that are decoded already."""
        rows = cls(values)
        json = rows.json()
        return rows if json is None else cls.from_json(json)

    @classmethod
    def from_json(cls, json: bytes) -> Rows:
        """Return the rows of a JSON array."""
        return cls(_ROWS.decode(json))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        for row in self._rows:
            yield _ROW.decode(row) if type(row) is msgspec.Raw else row

    @property
    def size(self) -> int:
        """How many bytes of JSON it keeps."""
        return sum(memoryview(row).nbytes for row in self._rows if type(row) is msgspec.Raw)

    def json(self) -> bytes | None:
        """Return the rows as a JSON array, None if one of them cannot be written as such."""
        try:
            return msgspec.json.encode(self._rows)
        except (OverflowError, RecursionError):  # a number or a nesting that is beyond msgspec
            return None
