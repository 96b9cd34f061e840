"""The bookmark of a stream: where a sync resumes, and what the bookmark covers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tap_amazon_business import times
from tap_amazon_business.errors import TapError

# The fields of a stream's part of the state. Each key is in every STATE, null if there is nothing:
# Meltano merges the state of a failed run into the last complete one, key by key, so what was left
# out would live on.
BOOKMARK_FIELDS = (
    "replication_key",
    "replication_key_value",
    "lookback_position",
    "checksums",
    "covers",
)

_REMEDY = "correct it, or clear the stream's state to read everything again"

# A bookmark this far in the future comes from a clock that was wrong, not from two that differ.
_CLOCKS_DIFFER = timedelta(days=1)

# What one setting leads to in two syncs.
_SAME_MOMENT = timedelta(minutes=1)

# Where the first sync began, as a field of `covers`.
_SINCE = "since"

# What is not covered where a text changed, in words.
_CHANGED = {
    "account": "this account (the refresh token changed)",
    "business_account": "this business account (the refresh token changed)",
}

# What a stream reads. Lists may grow, such as the selected streams and business_api_regions; None
# means everything. Texts may change, such as the host; None means that it does not matter.
Coverage = dict[str, list[str] | str | None]


@dataclass(frozen=True)
class ResumePoint:
    """Where a sync of a stream begins.

    Attributes:
        moment: The end of the last finished slice, None if everything is read.
        position: The position in the lookback.
        checksums: The checksums in the bookmark; None together with the moment.
        since: Where the first sync began, if that is known.
        not_covered: What this sync reads and the bookmark does not cover. If there is any, the
            bookmark is of no use.
    """

    moment: datetime | None
    position: datetime | None = None
    checksums: object = None
    since: datetime | None = None
    not_covered: tuple[str, ...] = ()


def resume_point(
    state: Mapping[str, Any],
    *,
    stream: str,
    replication_key: str | None,
    covers: Coverage,
    since: datetime,
    now: datetime,
) -> ResumePoint:
    """Return where a sync resumes.

    Raises:
        TapError: The state belongs to another replication key, or is damaged.
    """
    value = state.get("replication_key_value")
    if value is None:
        return ResumePoint(None, _moment_in(state, "lookback_position", stream, now))
    found = f"The state of {stream} contains {state.get('replication_key')!r}: {value!r}"
    if state.get("replication_key") != replication_key:
        raise TapError(f"{found}, but its bookmark is '{replication_key}'; {_REMEDY}.")
    moment = _moment(value, found, now)
    covered = state.get("covers")
    covered = covered if isinstance(covered, dict) else {}
    began = _moment_in(covered, _SINCE, stream, now)
    not_covered = _not_covered(covered, covers)
    if began and since < began - _SAME_MOMENT:
        not_covered += (f"the time before {times.rfc3339(began)}",)
    if not_covered:
        return ResumePoint(None, not_covered=not_covered)
    position = _moment_in(state, "lookback_position", stream, now) or moment
    return ResumePoint(moment, position, state.get("checksums"), began)


def _moment_in(state: Mapping[str, Any], name: str, stream: str, now: datetime) -> datetime | None:
    value = state.get(name)
    if value is None:
        return None
    return _moment(value, f"The state of {stream} contains {name!r}: {value!r}", now)


def _moment(value: Any, found: str, now: datetime) -> datetime:  # noqa: ANN401 (any JSON)
    try:
        moment = times.parse(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise TapError(f"{found}, which is not a date-time; {_REMEDY}.") from error
    if moment > now + _CLOCKS_DIFFER:
        raise TapError(
            f"{found}, which is in the future of this machine's clock ({times.rfc3339(now)}); "
            f"correct the clock if it is behind. If it is right, the state is wrong: {_REMEDY}."
        )
    return moment


def bookmark_state(
    replication_key: str | None,
    end: datetime | None,
    *,
    position: datetime | None,
    checksums: Mapping[str, Any] | None,
    covers: Coverage,
    since: datetime | None,
) -> dict[str, Any]:
    """Return a stream's part of the state."""
    values = (
        replication_key,
        end and times.rfc3339(end),
        position and times.rfc3339(position),
        checksums,
        {**covers, _SINCE: since and times.rfc3339(since)},
    )
    return dict(zip(BOOKMARK_FIELDS, values, strict=True))


def fingerprint(*parts: object, length: int = 6) -> str:
    """Return a short text of hexadecimal digits that differs wherever the parts do."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:length]


def _not_covered(covered: Mapping[str, Any], covers: Coverage) -> tuple[str, ...]:
    """Return what is read now and was not read when the bookmark was written."""
    if not covered:
        return ()  # the state does not say
    added: list[str] = []
    for part, wanted in covers.items():
        known = covered.get(part)
        if part in covered and known is None:
            continue  # everything; or a child that was not selected, which is named anyway
        if isinstance(wanted, str):
            if known != wanted:
                added.append(_CHANGED.get(part, f"this {part}"))
        elif wanted is None:
            added += [f"all {part}"] if isinstance(known, list) else []
        elif known is not None:
            added += [n for n in wanted if not (isinstance(known, list) and n in known)]
    return tuple(added)
