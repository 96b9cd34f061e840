"""Dates and times: parsed here, written here, always UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

# No date in these APIs is older, and arithmetic with dates has its limits.
_FIRST_YEAR = 1970

# Below these many seconds, a time is given in seconds, minutes and hours: rounded to the next unit,
# it would be off by too much.
_FEW_SECONDS = 20
_MINUTES = 150
_HOURS = 150 * 60
_DAYS = 47.5 * 3600

_UTC_DIGITS = len("2026-06-01T00:00:00Z")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def rfc3339(moment: datetime) -> str:
    """Format a moment for Amazon's parameters and the bookmark: whole seconds, with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(value: str | date) -> datetime:
    """Parse an ISO 8601 date or date-time of a setting or a state; without an offset it is UTC.

    Raises:
        ValueError: The text is neither, or the year is before 1970.
    """
    # YAML brings dates as such.
    moment = datetime.fromisoformat(value.strip() if isinstance(value, str) else value.isoformat())
    if moment.year < _FIRST_YEAR:
        raise ValueError(f"year {moment.year} is out of range")
    try:
        return _in_utc(moment)
    except OverflowError as error:
        raise ValueError(f"year {moment.year} is out of range") from error


def moment_of(value: object) -> datetime | None:
    """Return a date of one of Amazon's rows as a moment in UTC, None if it is not a date.

    Takes a string, with or without an offset (without one it is UTC), and the object
    `{"date": string}` of Amazon's models.
    """
    if isinstance(value, dict):
        value = value.get("date")
    if not isinstance(value, str):
        return None
    try:
        return _in_utc(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return None


def utc(value: object) -> str | None:
    """Return a date of one of Amazon's rows in UTC, RFC 3339 with a Z; None if it is not a date.

    Takes what `moment_of` takes.
    """
    if isinstance(value, dict):
        value = value.get("date")
    moment = moment_of(value)
    if moment is None:
        return None
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        return value  # with all the digits of its seconds
    return _text(moment)


def latest(values: Iterable[object]) -> str | None:
    """Return the latest date of one of Amazon's rows, as `utc` does; None if none is a date."""
    given = [value for value in values if value]
    texts = [value for value in given if isinstance(value, str) and len(value) == _UTC_DIGITS]
    if texts and len(texts) == len(given):
        # Texts of this form are in the order of their moments: only one has to be decoded.
        last = max(texts)
        if _RFC3339.fullmatch(last) and moment_of(last):
            return last
    dates = [(moment, value) for value in given if (moment := moment_of(value))]
    return utc(max(dates)[1]) if dates else None


def duration(seconds: float) -> str:
    """Return a time as people say it: 40 s, 3 min, 2.5 h, 2 days."""
    if seconds < _FEW_SECONDS:
        return f"{max(round(seconds), 1)} s"
    if seconds < _MINUTES:
        return f"{round(seconds, -1):.0f} s"
    if seconds < _HOURS:
        return f"{seconds / 60:.0f} min"
    span = timedelta(seconds=seconds)
    if seconds < _DAYS:
        return f"{span / timedelta(hours=1):.1f} h"
    return f"{span / timedelta(days=1):.0f} days"


def _text(moment: datetime) -> str:
    """Format a moment in UTC for records: with its fractions, and a Z."""
    return moment.isoformat().replace("+00:00", "Z")


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
