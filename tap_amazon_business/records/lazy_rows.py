"""Amazon's rows: kept as JSON, decoded when they are needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

# Numbers with a decimal point are kept as the text that Amazon sent: money never meets a float.
_ROW = msgspec.json.Decoder(float_hook=str)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])

# The names of objects on the way to a field of a row, and its own.
FieldPath = tuple[str, ...]


class Rows:
    """The rows of a page, decoded one by one when they are needed.

    Decoded rows take fifteen times the memory of their JSON, and CPU time to get it.

    Args:
        rows: The rows, each as JSON; decoded only where they cannot be written as such.
    """

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = list(rows)

    @classmethod
    def of(cls, values: list[Any]) -> Rows:
        """Return rows that are decoded already."""
        try:
            return cls(_ROWS.decode(msgspec.json.encode(values)))
        except (OverflowError, RecursionError):  # a number or a nesting that is beyond msgspec
            return cls(values)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, number: int) -> Any:  # noqa: ANN401 (any JSON)
        row = self._rows[number]
        return _ROW.decode(row) if type(row) is msgspec.Raw else row

    def json(self) -> Iterator[Any]:
        """Yield the bytes of each row's JSON, as Amazon sent them."""
        for row in self._rows:
            yield row if type(row) is msgspec.Raw else json_of(row)


def json_of(row: Any) -> bytes:  # noqa: ANN401 (any JSON)
    """Return the JSON of a decoded row."""
    try:
        return msgspec.json.encode(row)
    except (OverflowError, RecursionError):
        return json.dumps(row).encode()


class FieldReader:
    """Reads a few fields of each row, and skips the rest of its JSON undecoded."""

    def __init__(self, *paths: FieldPath) -> None:
        self._paths = paths
        wanted: dict[str, Any] = {}
        for path in paths:
            inner = wanted
            for name in path[:-1]:
                inner = inner.setdefault(name, {})
            inner[path[-1]] = None
        self._decoder = msgspec.json.Decoder(_struct(wanted), float_hook=str)
        self._values = attrgetter(*map(".".join, paths))

    def __call__(self, row: Any) -> Sequence[Any]:  # noqa: ANN401 (a row's JSON)
        """Return the value of each field, None for those that are missing."""
        try:
            values: Sequence[Any] = self._values(self._decoder.decode(row))
        except (msgspec.MsgspecError, RecursionError):
            # A part of it has another type than expected: rare, so it may be slow.
            decoded = _decoded(row)
            return [_value(decoded, path) for path in self._paths]
        return values if len(self._paths) > 1 else (values,)


def _struct(wanted: Mapping[str, Any]) -> type[msgspec.Struct]:
    inner = {name: _struct(of) for name, of in wanted.items() if of}
    return msgspec.defstruct(
        "Fields",
        [
            (name, inner.get(name, Any), inner[name]() if of else None)
            for name, of in wanted.items()
        ],
        gc=False,
        frozen=True,
    )


def _decoded(row: Any) -> Any:  # noqa: ANN401
    try:
        return _ROW.decode(row)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _value(found: Any, path: FieldPath) -> Any:  # noqa: ANN401
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
