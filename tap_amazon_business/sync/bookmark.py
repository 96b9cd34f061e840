"""The bookmark of a stream: where a sync resumes, and what the bookmark covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_amazon_business import times
from tap_amazon_business.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a stream's part of the state holds.
BOOKMARK_FIELDS = ("replication_key", "replication_key_value", "covers")

# A bookmark this far in the future comes from a clock that was wrong, not from two that differ.
_CLOCKS_DIFFER = timedelta(days=1)

# What a stream reads, in parts that may grow: its selected children, and settings such as
# business_api_regions. None stands for all there is.
Coverage = dict[str, list[str] | None]


@dataclass(frozen=True)
class ResumePoint:
    """Where a sync of a stream begins.

    Attributes:
        moment: The end of the last finished slice, None if everything is read.
        not_covered: What this sync reads and the bookmark does not cover. If there is any, the
            bookmark is of no use.
    """

    moment: datetime | None
    not_covered: tuple[str, ...] = ()


def resume_point(
    state: Mapping[str, Any],
    *,
    stream: str,
    replication_key: str | None,
    covers: Coverage,
    now: datetime,
) -> ResumePoint:
    """Return where a sync resumes.

    Args:
        state: The stream's part of the state.
        stream: The stream's name.
        replication_key: The stream's replication key.
        covers: What this sync reads, in parts that may grow.
        now: The time of day.

    Raises:
        TapError: The state belongs to another replication key, or is damaged.
    """
    value = state.get("replication_key_value")
    if value is None:
        return ResumePoint(None)
    found = f"The state of {stream} holds {state.get('replication_key')!r}: {value!r}"
    remedy = "correct it, or clear the stream's state to read everything again"
    if state.get("replication_key") != replication_key:
        raise TapError(f"{found}, but its bookmark is '{replication_key}'; {remedy}.")
    try:
        moment = times.parse(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise TapError(f"{found}, which is not a date-time; {remedy}.") from error
    if moment > now + _CLOCKS_DIFFER:
        raise TapError(f"{found}, which lies in the future; {remedy}.")
    if added := _not_covered(state.get("covers"), covers):
        return ResumePoint(None, added)
    return ResumePoint(moment)


def bookmark_state(replication_key: str | None, end: datetime, covers: Coverage) -> dict[str, Any]:
    """Return a stream's part of the state: its bookmark, and what that covers."""
    state: dict[str, Any] = {
        "replication_key": replication_key,
        "replication_key_value": times.rfc3339(end),
    }
    return {**state, "covers": covers} if covers else state


def _not_covered(covered: object, covers: Coverage) -> tuple[str, ...]:
    """Return what is read now and was not read when the bookmark was written."""
    if not isinstance(covered, dict):
        return ()  # the state does not say
    added: list[str] = []
    for part, wanted in covers.items():
        known = covered.get(part, [])
        if known is None:
            continue
        if wanted is None:
            added.append(f"all {part}")
        else:
            added += [n for n in wanted if not (isinstance(known, list) and n in known)]
    return tuple(added)
