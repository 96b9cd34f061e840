"""The bookmark of a stream: where a sync resumes, and what the bookmark covers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_amazon_business import times
from tap_amazon_business.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a stream's part of the state holds.
BOOKMARK_FIELDS = (
    "replication_key",
    "replication_key_value",
    "lookback_position",
    "changes_until",
    "refused_numbers",
    "covers",
)

_REMEDY = "correct it, or clear the stream's state to read everything again"

# A bookmark this far in the future comes from a clock that was wrong, not from two that differ.
_CLOCKS_DIFFER = timedelta(days=1)

# What a stream reads. Lists may grow, such as the selected streams and business_api_regions; None
# stands for all there is, and is left out of the state. Texts may change, such as the host.
Coverage = dict[str, list[str] | str | None]


@dataclass(frozen=True)
class ResumePoint:
    """Where a sync of a stream begins.

    Attributes:
        moment: The end of the last finished slice, None if everything is read.
        position: The position in the lookback; None together with the moment.
        part: What else the stream's part of the state holds; nothing without the moment.
        not_covered: What this sync reads and the bookmark does not cover. If there is any, the
            bookmark is of no use.
    """

    moment: datetime | None
    position: datetime | None = None
    part: Mapping[str, Any] = field(default_factory=dict)
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
    if state.get("replication_key") != replication_key:
        raise TapError(f"{found}, but its bookmark is '{replication_key}'; {_REMEDY}.")
    moment = _moment(value, found, now)
    if added := _not_covered(state.get("covers"), covers):
        return ResumePoint(None, not_covered=added)
    position = moment_in(state, "lookback_position", stream, now) or moment
    return ResumePoint(moment, position, dict(state))


def moment_in(state: Mapping[str, Any], name: str, stream: str, now: datetime) -> datetime | None:
    """Return a moment besides the bookmark in a stream's part of the state, None if it has none.

    Raises:
        TapError: The state is damaged.
    """
    value = state.get(name)
    if value is None:
        return None
    return _moment(value, f"The state of {stream} holds {name!r}: {value!r}", now)


def _moment(value: Any, found: str, now: datetime) -> datetime:  # noqa: ANN401 (whatever it holds)
    try:
        moment = times.parse(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise TapError(f"{found}, which is not a date-time; {_REMEDY}.") from error
    if moment > now + _CLOCKS_DIFFER:
        raise TapError(f"{found}, which lies in the future; {_REMEDY}.")
    return moment


def bookmark_state(
    replication_key: str | None,
    end: datetime,
    position: datetime | None,
    covers: Coverage,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a stream's part of the state.

    Args:
        replication_key: The stream's replication key.
        end: The end of the last finished slice.
        position: The position in the lookback, None without a lookback.
        covers: What the bookmark covers.
        more: What else the stream keeps.
    """
    return {
        "replication_key": replication_key,
        "replication_key_value": times.rfc3339(end),
        **({"lookback_position": times.rfc3339(position)} if position else {}),
        **(more or {}),
        "covers": {part: covered for part, covered in covers.items() if covered is not None},
    }


def fingerprint(*parts: object, length: int = 6) -> str:
    """Return a short text of hexadecimal digits that differs wherever the parts do."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:length]


def _not_covered(covered: object, covers: Coverage) -> tuple[str, ...]:
    """Return what is read now and was not read when the bookmark was written."""
    if not isinstance(covered, dict):
        return ()  # the state does not say
    added: list[str] = []
    for part, wanted in covers.items():
        if isinstance(wanted, str):
            if covered.get(part, wanted) != wanted:
                added.append(f"this {part}")
            continue
        known = covered.get(part)
        if known is None:
            continue
        if wanted is None:
            added.append(f"all {part}")
        else:
            added += [n for n in wanted if not (isinstance(known, list) and n in known)]
    return tuple(added)
