"""Whether a record says the same as the row it was made of, told without the tap's own code."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOISTED = ("orderDetails", "orderMetadata", "shipmentMetadata")
DROPPED = frozenset({"buyer.id"})
"""Fields that the simulator has and no schema: of a buyer, name and e-mail address are kept."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


def differences(row: Mapping[str, Any], record: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the paths where a record does not say what the row says.

    Fields that no model of Amazon's has are left out, as they are dropped by design.
    """
    for name, expected in _fields(row):
        if name.startswith("undocumented") or f"{path}{name}" in DROPPED:
            continue
        yield from _differ(expected, record.get(name), f"{path}{name}")


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
            yield from differences(expected, found, path + ".")
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
