"""Checksums of what was read, by UTC day and hour: a bucket whose checksum differs has changed.

Dates lie: rows appear days late under their old dates, and change without any date that moves. So
rows that are read again are compared with what was read before, and the bookmark holds 24 bits of
each day and hour to compare them with. Cassandra, Dynamo and data-diff compare ranges in this way.

Pure functions and values: no clock, no I/O.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# Bytes of a checksum, and characters of it in the bookmark. Of 16.8 million changes, one is missed.
_BYTES = 3
_CHARACTERS = 4
_UNKNOWN = "." * _CHARACTERS
_MODULUS = 1 << 8 * _BYTES

# No state holds more buckets than this; a damaged one must not cost memory.
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
    """Cuts time into buckets: UTC days, and UTC hours from a midnight on.

    Attributes:
        hours_from: The midnight.
    """

    hours_from: datetime

    @classmethod
    def with_recent(cls, recent: datetime) -> Grid:
        """Return the grid whose hours begin at the midnight before a moment."""
        return cls(floor(recent, DAY))

    def bucket(self, moment: datetime) -> datetime:
        """Return the start of a moment's bucket."""
        return floor(moment, self._width(moment))

    def end(self, bucket: datetime) -> datetime:
        """Return the end of a bucket."""
        return bucket + self._width(bucket)

    def _width(self, moment: datetime) -> timedelta:
        return HOUR if moment >= self.hours_from else DAY


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
    """

    grid: Grid
    known: dict[datetime, int] = field(default_factory=dict)

    @classmethod
    def decode(cls, state: object, grid: Grid) -> Checksums:
        """Return the checksums that a bookmark holds; what cannot be read is unknown.

        Hours that lie in a day of the grid become that day, if all of them are known.
        """
        found = state if isinstance(state, dict) else {}
        checksums = cls(grid)
        for day, value in _decoded(found.get("days"), DAY):
            if day < grid.hours_from:
                checksums.known[day] = value
        hours: dict[datetime, list[int]] = {}
        for hour, value in _decoded(found.get("hours"), HOUR):
            hours.setdefault(grid.bucket(hour), []).append(value)
        for bucket, values in hours.items():
            if len(values) == (grid.end(bucket) - bucket) // HOUR:
                checksums.known[bucket] = sum(values) % _MODULUS
        return checksums

    def encode(self, since: datetime) -> dict[str, Any]:
        """Return the checksums as a bookmark holds them, without those of older buckets.

        `{"days": [first day, 4 characters a day], "hours": [first hour, 4 characters an hour]}`,
        with null where nothing is known.
        """
        recent = {b: value for b, value in self.known.items() if self.grid.end(b) > since}
        days = {b: value for b, value in recent.items() if b < self.grid.hours_from}
        hours = {b: value for b, value in recent.items() if b >= self.grid.hours_from}
        return {
            "days": _encoded(days, DAY, "%Y-%m-%d"),
            "hours": _encoded(hours, HOUR, "%Y-%m-%dT%H"),
        }


def _encoded(known: Mapping[datetime, int], width: timedelta, pattern: str) -> list[str] | None:
    if not known:
        return None
    first, last = min(known), max(known)
    buckets = (first + number * width for number in range((last - first) // width + 1))
    return [first.strftime(pattern), "".join(_text(known.get(bucket)) for bucket in buckets)]


def _text(value: int | None) -> str:
    return _UNKNOWN if value is None else b64encode(value.to_bytes(_BYTES, "big")).decode()


def _decoded(part: object, width: timedelta) -> list[tuple[datetime, int]]:
    try:
        first, text = part if isinstance(part, list) else ("", "")
        start = floor(datetime.fromisoformat(first).replace(tzinfo=UTC), width)
        pieces = (text[at : at + _CHARACTERS] for at in range(0, len(text), _CHARACTERS))
        return [
            (start + number * width, int.from_bytes(b64decode(piece, validate=True), "big"))
            for number, piece in enumerate(pieces)
            if piece != _UNKNOWN and number < _MOST_BUCKETS
        ]
    except (TypeError, ValueError, AttributeError, OverflowError):
        return []


class BucketRows:
    """The hashes of the rows of buckets while they are read, over all queries and windows."""

    def __init__(self) -> None:
        self._hashes: dict[datetime, set[int]] = {}

    def add(self, bucket: datetime, row_hash: int) -> None:
        """Add a row; one that is listed twice counts once."""
        hashes = self._hashes.get(bucket)
        if hashes is None:
            self._hashes[bucket] = {row_hash}
        else:
            hashes.add(row_hash)

    def take(self, bucket: datetime) -> set[int]:
        """Return the hashes of a bucket, and forget them."""
        return self._hashes.pop(bucket, set())
