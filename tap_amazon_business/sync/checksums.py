"""Checksums of what was read, by UTC day and hour: a bucket whose checksum differs has changed.

Dates lie: rows appear days late under their old dates, and change without any date that moves. So
rows that are read again are compared with what was read before, and the bookmark keeps 24 bits of
each day and hour to compare them with. Cassandra, Dynamo and data-diff compare ranges in this way.

Pure functions and values: no clock, no I/O.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# Bytes of a checksum, and characters of it in the bookmark. Of 16.8 million changes, one is missed.
_BYTES = 3
_CHARACTERS = 4
_UNKNOWN = "." * _CHARACTERS
_MODULUS = 1 << 8 * _BYTES

# No state has more buckets than this; a damaged one must not cost memory.
_MOST_BUCKETS = 20_000


def row_hasher(salt: str) -> Callable[[Any], int]:
    """Return a function that hashes the bytes of a row to 64 bits.

    Args:
        salt: What shapes the records of the row: another shape makes every checksum differ.
    """
    seeded = hashlib.blake2b(key=hashlib.sha256(salt.encode()).digest(), digest_size=8)

    def hashed(row: Any) -> int:  # noqa: ANN401 (anything that has bytes)
        row_hash = seeded.copy()
        row_hash.update(row)
        return int.from_bytes(row_hash.digest(), "big")

    return hashed


def checksum(hashes: Iterable[int]) -> int:
    """Return the checksum of rows: the sum of the hashes of all distinct ones."""
    return sum(set(hashes)) % _MODULUS


@dataclass(frozen=True)
class Grid:
    """Cuts time into buckets: UTC days, and UTC hours from a moment on, which ends the last day.

    Attributes:
        hours_from: The moment, a full hour.
    """

    hours_from: datetime

    def bucket(self, moment: datetime) -> datetime:
        """Return the start of a moment's bucket."""
        return floor(moment, HOUR if moment >= self.hours_from else DAY)

    def end(self, bucket: datetime) -> datetime:
        """Return the end of a bucket."""
        if bucket >= self.hours_from:
            return bucket + HOUR
        return min(bucket + DAY, self.hours_from)


def floor(moment: datetime, width: timedelta) -> datetime:
    """Return the start of a moment's UTC day or hour."""
    whole = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return whole.replace(hour=0) if width == DAY else whole


def ceil(moment: datetime, width: timedelta) -> datetime:
    """Return the start of the first UTC day or hour that does not begin before a moment."""
    start = floor(moment, width)
    return start if start == moment else start + width


@dataclass
class Checksums:
    """The checksum of each bucket that was read completely; of all others it is unknown.

    Attributes:
        grid: The buckets.
        known: Checksums by the start of their bucket.
        by_day: Whether the last sync met rows that can only be compared in windows of one day.
    """

    grid: Grid
    known: dict[datetime, int] = field(default_factory=dict)
    by_day: bool = False

    def aged(self, hours_from: datetime) -> Checksums:
        """Return the checksums of the same rows, where hours before a moment belong to days.

        Sums add, so nothing has to be read for it. A day is known if all of its hours are.
        """
        before = self.grid.hours_from
        aged = Checksums(Grid(hours_from), by_day=self.by_day)
        # What another grid cuts otherwise is unknown.
        same = min(floor(before, DAY), floor(hours_from, DAY))
        for bucket, value in self.known.items():
            if bucket < same or bucket >= max(before, hours_from):
                aged.known[bucket] = value
        day = same
        while day < hours_from:
            total = self._sum(day, aged.grid.end(day))
            if total is not None:
                aged.known[day] = total
            day += DAY
        return aged

    def _sum(self, start: datetime, end: datetime) -> int | None:
        """Return the checksum of some time, None if one of its buckets is unknown."""
        total, bucket = 0, start
        while bucket < end:
            if bucket not in self.known:
                return None
            total, bucket = total + self.known[bucket], self.grid.end(bucket)
        return total % _MODULUS if bucket == end else None

    @classmethod
    def decode(cls, state: object, grid: Grid) -> Checksums:
        """Return the checksums in a bookmark, converted to other buckets; some may be unknown."""
        found = state if isinstance(state, dict) else {}
        days, (hours_from, hours) = (
            _decoded(found.get("days"), DAY)[1],
            _decoded(found.get("hours"), HOUR),
        )
        if hours_from is None:
            return cls(grid)
        by_day = found.get("by_day") is True
        return cls(Grid(hours_from), {**days, **hours}, by_day).aged(grid.hours_from)

    def encode(self, since: datetime, hours_from: datetime) -> dict[str, Any]:
        """Return the checksums in the form of the bookmark.

        `{"days": [first day, 4 characters a day], "hours": [first hour, 4 characters an hour],
        "by_day": true}`; the last day ends where the hours begin, and by_day is left out if false.

        Args:
            since: The start of the oldest bucket of interest.
            hours_from: Where the hours of interest begin.
        """
        aged = self.aged(hours_from)
        first_day = min((day for day in aged.known if day >= since), default=hours_from)
        days = {day: value for day, value in aged.known.items() if first_day <= day < hours_from}
        hours = {hour: value for hour, value in aged.known.items() if hour >= hours_from}
        return {
            "days": _encoded(first_day, days, DAY, "%Y-%m-%d"),
            "hours": _encoded(hours_from, hours, HOUR, "%Y-%m-%dT%H"),
            # It never becomes false again, so a merge with an older state does no harm.
            **({"by_day": True} if self.by_day else {}),
        }


def _encoded(
    first: datetime, known: Mapping[datetime, int], width: timedelta, pattern: str
) -> list[str]:
    last = max(known, default=first - width)
    buckets = (first + number * width for number in range((last - first) // width + 1))
    return [first.strftime(pattern), "".join(_text(known.get(bucket)) for bucket in buckets)]


def _text(value: int | None) -> str:
    return _UNKNOWN if value is None else b64encode(value.to_bytes(_BYTES, "big")).decode()


def _decoded(part: object, width: timedelta) -> tuple[datetime | None, dict[datetime, int]]:
    """Return the start of a part of a bookmark and its checksums; nothing if it is damaged."""
    try:
        first, text = part if isinstance(part, list) else ("", "")
        start = floor(datetime.fromisoformat(first).replace(tzinfo=UTC), width)
        pieces = [text[at : at + _CHARACTERS] for at in range(0, len(text), _CHARACTERS)]
        return start, {
            start + number * width: int.from_bytes(b64decode(piece, validate=True), "big")
            for number, piece in enumerate(pieces[:_MOST_BUCKETS])
            if piece != _UNKNOWN
        }
    except (TypeError, ValueError, AttributeError, OverflowError):
        return None, {}
