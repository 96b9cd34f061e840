"""The comparison of a record with the row it was built from, without the tap's own code."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOISTED = ("orderDetails", "orderMetadata", "shipmentMetadata")
DROPPED = frozenset({"buyer.id"})
"""Fields that the simulator has and no schema: of a buyer, name and e-mail address are kept."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")


def differences(row: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths where a record does not say what the row says.

    Fields that no model of Amazon's has are rescued, whether as an object or as its JSON.
    """
    yield from _differences(row, record, "")
    kept = record.get("rescuedData") or {}
    rescued = json.loads(kept) if isinstance(kept, str) else kept
    for path, value in _undocumented(row, ""):
        yield from _differ(value, rescued.get(path), f"rescuedData.{path}")


def _differences(row: Mapping[str, Any], record: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, expected in _fields(row):
        if not name.startswith("undocumented") and f"{path}{name}" not in DROPPED:
            yield from _differ(expected, record.get(name), f"{path}{name}")


def _undocumented(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the path and value of each field that no model has."""
    if isinstance(value, dict):
        for name, part in _fields(value):
            here = f"{path}.{name}" if path else name
            if name.startswith("undocumented"):
                yield here, part
            else:
                yield from _undocumented(part, here)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _undocumented(part, f"{path}[{place}]")


def _fields(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if name in HOISTED and isinstance(value, dict):
            yield from value.items()
        else:
            yield name, value


def _differ(expected: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(expected, dict):
        if set(expected) == {"date"} and isinstance(found, str):
            yield from _differ(expected["date"], found, path)
        elif isinstance(found, dict):
            yield from _differences(expected, found, path + ".")
        else:
            yield path
    elif isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            yield path
        else:
            for place, (part, other) in enumerate(zip(expected, found, strict=True)):
                yield from _differ(part, other, f"{path}[{place}]")
    elif not _same(expected, found):
        yield path


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, bool) or expected is None:
        return expected is found
    if isinstance(found, dict) and "amount" in found:  # an amount that Amazon sends plain
        found = found["amount"]
    if isinstance(expected, str) and _MOMENT.fullmatch(expected):
        return isinstance(found, str) and _moment(expected) == _moment(found)
    if isinstance(expected, (int, Decimal)):
        return _number(found) == expected
    return bool(expected == found)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
