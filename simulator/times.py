"""Moments as whole milliseconds since 1970 UTC, and the texts both APIs write and read."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache

Now = Callable[[], datetime]
"""A wall clock: returns an aware datetime."""

Millis = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR

_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)


def utc_now() -> datetime:
    """Return the present moment by the real clock."""
    return datetime.now(UTC)


def to_millis(moment: datetime) -> Millis:
    """Return an aware datetime as milliseconds, rounded down."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def to_datetime(moment: Millis) -> datetime:
    """Return milliseconds as an aware datetime in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)


def to_text(moment: Millis, *, offset_hours: int = 0) -> str:
    """Return an RFC 3339 text; `Z` without an offset, milliseconds only where there are any.

    Args:
        moment: What to write.
        offset_hours: Written as `+02:00` and the like; the moment stays the same.
    """
    seconds, fraction = divmod(moment + offset_hours * HOUR, SECOND)
    days, rest = divmod(seconds, DAY // SECOND)
    text = f"{_date_text(days)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    if fraction:
        text = f"{text}.{fraction:03}"
    return f"{text}{offset_hours:+03}:00" if offset_hours else f"{text}Z"


@cache
def _date_text(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


def parse_text(text: str) -> Millis:
    """Read an RFC 3339 date-time; one without an offset is UTC, as in Amazon's own samples.

    Raises:
        ValueError: It is not a date-time.
    """
    if not _DATE_TIME.fullmatch(text):
        raise ValueError(f"not an RFC 3339 date-time: {text!r}")
    moment = datetime.fromisoformat(text)
    return to_millis(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
