"""A warehouse: what is in it, and what should be."""

from __future__ import annotations

import abc
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from simulator.truth import rows
from tests.soak.truth import STREAMS, Key
from tests.soak.values import differences
from tests.support.catalogs import DECIMAL_FORMAT, discover, entry
from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from simulator import World

Rows = dict[str, dict[Key, dict[str, Any]]]
"""Rows by stream and key."""


class Warehouse(abc.ABC):
    """A database with the tables of the streams, and how it is loaded and asked.

    Attributes:
        environment: The loader's settings as environment variables.
        project: The Meltano project that has the loader.
    """

    environment: Mapping[str, str]
    project: Path = PROJECT

    @abc.abstractmethod
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""

    @abc.abstractmethod
    def execute(self, sql: str) -> None:
        """Run statements that return nothing."""

    @abc.abstractmethod
    def column(self, field: str) -> str:
        """Return the name that a field's column has in SQL."""

    @abc.abstractmethod
    def types(self, table: str) -> dict[str, str]:
        """Return the types of a table's columns, by `column(field)`."""

    def release(self) -> None:  # noqa: B027 (most have nothing to let go of)
        """Let go of the database, where only one process can have it open."""

    def one(self, sql: str) -> Any:
        """Return the only value of a query's only row."""
        ((value,),) = self.query(sql)
        return value

    def rows(self, streams: Iterable[str] = STREAMS) -> Rows:
        """Return the rows of tables as the tap emitted them, by stream and key."""
        return {name: self._rows_of(name) for name in streams}

    def _rows_of(self, stream: str) -> dict[Key, dict[str, Any]]:
        kinds = {field: kind_of(schema) for field, schema in fields_of(stream).items()}
        columns = ", ".join(map(self.column, kinds))
        found = {}
        for values in self.query(f"select {columns} from {stream}"):  # noqa: S608
            row = {
                field: _emitted(value, kind)
                for (field, kind), value in zip(kinds.items(), values, strict=True)
                if value is not None
            }
            key = tuple(row[name] for name in STREAMS[stream].key)
            assert key not in found, f"{stream} holds {key} twice"
            found[key] = row
        return found


def fields_of(stream: str) -> dict[str, dict[str, Any]]:
    """Return the JSON schemas of a stream's fields."""
    fields: dict[str, dict[str, Any]] = entry(discover(), stream)["schema"]["properties"]
    return fields


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return what a column for a field's values has to hold: a JSON type or a format."""
    kinds = schema["type"]
    kind: str = kinds if isinstance(kinds, str) else next(k for k in kinds if k != "null")
    return str(schema.get("format", kind))


def _emitted(value: Any, kind: str) -> Any:
    match kind:
        case "date-time":
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC).isoformat()
        case "object" | "array":
            text = value if isinstance(value, str) else json.dumps(value)
            return json.loads(text, parse_float=Decimal)
        case _ if kind == DECIMAL_FORMAT and isinstance(value, Decimal):
            # A column of a fixed scale fills up with zeros.
            return f"{value.normalize():f}"
        case _:
            return value


def served(world: World, streams: Iterable[str] = STREAMS) -> Rows:
    """Return what a simulator serves of a world at this moment, by stream and key."""
    found = {stream: rows(world, stream) for stream in streams}
    # Under the number asked for, so that they join; what they name themselves stands beside it.
    for (number, _), row in found.get("order_reports", {}).items():
        reported = row.pop("purchaseOrderNumber", None)
        if reported not in {None, number}:
            row["reportedPurchaseOrderNumber"] = reported
        row["purchaseOrderNumber"] = number
    return found


def assert_same(found: Rows, expected: Rows) -> None:
    """Assert that rows of a warehouse are those that were served: each, value for value."""
    for stream, wanted in expected.items():
        assert set(found[stream]) == set(wanted), stream
        for key, row in wanted.items():
            wrong = [*differences(row, found[stream][key])]
            assert not wrong, f"{stream} {key}: {wrong}"
