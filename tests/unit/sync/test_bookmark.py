"""Resuming: what a bookmark covers, and states that cannot be used."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tap_amazon_business.errors import TapError
from tap_amazon_business.sync.bookmark import (
    BOOKMARK_FIELDS,
    Coverage,
    ResumePoint,
    bookmark_state,
    fingerprint,
    resume_point,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
END = datetime(2026, 5, 31, 12, tzinfo=UTC)
POSITION = datetime(2026, 5, 30, tzinfo=UTC)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "lastChangedDate"
CHECKSUMS = {"days": ["2026-05-30", "AAAB"], "hours": ["2026-05-31T00", "AAAC"]}


def state(value: Any = "2026-05-31T12:00:00Z", **more: Any) -> dict[str, Any]:
    return {"replication_key": KEY, "replication_key_value": value, **more}


def resume(
    given: dict[str, Any],
    covers: Coverage | None = None,
    *,
    key: str | None = KEY,
    since: datetime = SINCE,
) -> ResumePoint:
    return resume_point(
        given, stream="orders", replication_key=key, covers=covers or {}, since=since, now=NOW
    )


def resumed(
    given: dict[str, Any], moment: datetime = END, position: datetime | None = None
) -> ResumePoint:
    """Return where a sync resumes with a state that says nothing about the first sync."""
    return ResumePoint(moment, position or moment, given.get("checksums"))


def refusal(given: dict[str, Any], *, key: str | None = KEY) -> str:
    with pytest.raises(TapError) as caught:
        resume(given, key=key)
    return caught.value.message


# ---- where a sync resumes ------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"covers": {"streams": ["a"]}}, state(None)])
def test_without_a_bookmark_everything_is_read(given: dict[str, Any]) -> None:
    assert resume(given, {"streams": ["a"]}) == ResumePoint(None)


@pytest.mark.parametrize(
    "value",
    [
        "2026-05-31T12:00:00Z",
        "2026-05-31T14:00:00+02:00",
        "2026-05-31T12:00:00",
        "2026-05-31 12:00",
    ],
)
def test_resumes_at_the_bookmark(value: str) -> None:
    assert resume(state(value)) == resumed(state(value))


def test_ignores_other_parts_of_the_state() -> None:
    given = state(progress_markers={"a": 1}, unknown=[])
    assert resume(given) == resumed(given)


def test_resumes_at_the_position_in_the_lookback() -> None:
    given = state(lookback_position="2026-05-30T00:00:00Z")
    assert resume(given) == resumed(given, position=POSITION)


@pytest.mark.parametrize("position", [{}, {"lookback_position": None}])
def test_without_a_position_the_lookback_was_read_up_to_the_bookmark(
    position: dict[str, Any],
) -> None:
    assert resume(state(**position)).position == END


def test_resumes_with_the_checksums_of_what_was_read() -> None:
    assert resume(state(checksums=CHECKSUMS)).checksums == CHECKSUMS


def test_without_a_bookmark_the_position_of_an_interrupted_cycle_is_kept() -> None:
    given = state(None, lookback_position="2026-05-30T00:00:00Z")
    assert resume(given) == ResumePoint(None, POSITION)


def test_nothing_of_a_bookmark_is_used_where_everything_is_read() -> None:
    given = state(
        covers={"regions": ["US"]}, checksums=CHECKSUMS, lookback_position="2026-05-30T00:00:00Z"
    )
    assert resume(given, {"regions": ["CA"]}) == ResumePoint(None, not_covered=("CA",))


# ---- where the first sync began ------------------------------------------------------------------


def began(moment: str | None) -> dict[str, Any]:
    return state(covers={"since": moment})


@pytest.mark.parametrize("since", [SINCE, SINCE - timedelta(minutes=1), END])
def test_resumes_where_the_first_sync_began_as_early(since: datetime) -> None:
    found = resume(began("2026-01-01T00:00:00Z"), since=since)
    assert (found.moment, found.since) == (END, SINCE)


def test_an_earlier_start_has_its_past_read() -> None:
    found = resume(began("2026-01-01T00:00:00Z"), since=SINCE - timedelta(minutes=2))
    assert found == ResumePoint(None, not_covered=("the time before 2026-01-01T00:00:00Z",))


@pytest.mark.parametrize("covers", [{}, {"since": None}])
def test_resumes_where_the_beginning_is_unknown(covers: dict[str, Any]) -> None:
    found = resume(state(covers=covers), since=datetime(2020, 1, 1, tzinfo=UTC))
    assert (found.moment, found.since) == (END, None)


# ---- coverage ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("covered", "covers", "added"),
    [
        # The same, or less.
        ({"regions": ["US"]}, {"regions": ["US"]}, ()),
        ({"regions": ["US", "CA"]}, {"regions": ["CA", "US"]}, ()),
        ({"regions": ["US", "CA"]}, {"regions": ["CA"]}, ()),
        ({"regions": ["US"]}, {"regions": []}, ()),
        ({"regions": ["US"]}, {}, ()),
        ({"codes": None}, {"codes": None}, ()),
        ({"codes": None}, {"codes": ["A"]}, ()),
        # What is left out stands for all there is.
        ({}, {"codes": None}, ()),
        ({}, {"codes": ["A"]}, ()),
        ({}, {"regions": ["US"], "host": "a"}, ()),
        # Texts have to be the same.
        ({"host": "a"}, {"host": "a"}, ()),
        ({"host": "a"}, {}, ()),
        ({"host": "a"}, {"host": "b"}, ("this host",)),
        # More.
        ({"regions": ["US"]}, {"regions": ["US", "CA", "MX"]}, ("CA", "MX")),
        ({"regions": []}, {"regions": ["US"]}, ("US",)),
        ({"codes": ["A"]}, {"codes": None}, ("all codes",)),
        (
            {"streams": ["a"], "regions": ["US"], "host": "a"},
            {"host": "b", "streams": ["a", "b"], "regions": ["CA"]},
            ("this host", "b", "CA"),
        ),
    ],
)
def test_a_bookmark_is_used_while_it_covers_what_is_read(
    covered: dict[str, Any], covers: Coverage, added: tuple[str, ...]
) -> None:
    given = state(covers=covered)
    expected = ResumePoint(None, not_covered=added) if added else resumed(given)
    assert resume(given, covers) == expected


@pytest.mark.parametrize("covered", [{}, {"covers": None}, {"covers": "text"}, {"covers": ["a"]}])
def test_resumes_from_a_state_without_coverage(covered: dict[str, Any]) -> None:
    assert resume(state(**covered), {"streams": ["a"]}) == resumed(state(**covered))


@pytest.mark.parametrize("part", [5, True, "a", {"a": 1}])
def test_a_damaged_coverage_covers_nothing(part: object) -> None:
    found = resume(state(covers={"streams": part}), {"streams": ["a"]})
    assert found == ResumePoint(None, not_covered=("a",))


# ---- states that cannot be used ------------------------------------------------------------------


@pytest.mark.parametrize("key", ["orderDate", None])
def test_refuses_the_bookmark_of_another_replication_key(key: str | None) -> None:
    message = refusal(state(), key=key)
    assert f"The state of orders contains '{KEY}': '2026-05-31T12:00:00Z'" in message
    assert f"but its bookmark is '{key}'" in message
    assert "clear the stream's state" in message


def test_refuses_a_bookmark_without_a_replication_key() -> None:
    assert "contains None" in refusal({"replication_key_value": "2026-05-31T12:00:00Z"})


@pytest.mark.parametrize(
    "value", ["", "soon", "2026-02-30", "1969-12-31", 5, True, 0, [], {}, {"date": "2026-05-31"}]
)
def test_refuses_a_bookmark_that_is_not_a_date(value: object) -> None:
    message = refusal(state(value))
    assert f"{KEY!r}: {value!r}, which is not a date-time" in message
    assert "clear the stream's state" in message


def test_refuses_a_bookmark_in_the_future() -> None:
    message = refusal(state("2026-06-02T12:00:01Z"))
    assert "which is in the future" in message
    assert "clear the stream's state" in message


def test_accepts_a_bookmark_of_a_clock_that_is_a_day_ahead() -> None:
    given = state("2026-06-02T12:00:00Z")
    assert resume(given) == resumed(given, NOW + timedelta(days=1))


@pytest.mark.parametrize("value", ["soon", 5, [], "2026-06-02T12:00:01Z"])
def test_refuses_a_damaged_position(value: object) -> None:
    message = refusal(state(lookback_position=value))
    assert f"The state of orders contains 'lookback_position': {value!r}" in message
    assert "clear the stream's state" in message


@pytest.mark.parametrize("value", ["soon", 5, [], "2026-06-02T12:00:01Z"])
def test_refuses_a_damaged_beginning(value: object) -> None:
    message = refusal(state(covers={"since": value}))
    assert f"The state of orders contains 'since': {value!r}" in message


# ---- writing -------------------------------------------------------------------------------------


def written(
    position: datetime | None = POSITION,
    covers: Coverage | None = None,
    *,
    end: datetime | None = END,
    since: datetime | None = SINCE,
) -> dict[str, Any]:
    return bookmark_state(
        KEY, end, position=position, checksums=CHECKSUMS, covers=covers or {}, since=since
    )


def test_a_bookmark_is_written_with_all_that_the_next_sync_needs() -> None:
    assert written(covers={"streams": ["a"], "host": "b"}) == {
        "replication_key": KEY,
        "replication_key_value": "2026-05-31T12:00:00Z",
        "lookback_position": "2026-05-30T00:00:00Z",
        "checksums": CHECKSUMS,
        "covers": {"streams": ["a"], "host": "b", "since": "2026-01-01T00:00:00Z"},
    }


def test_every_key_is_written_and_null_where_there_is_nothing() -> None:
    # Meltano merges the state of a failed run into the last complete one, key by key.
    found = bookmark_state(
        None, None, position=None, checksums=None, covers={"codes": None}, since=None
    )
    assert tuple(found) == BOOKMARK_FIELDS
    assert found == {**dict.fromkeys(BOOKMARK_FIELDS), "covers": {"codes": None, "since": None}}


@pytest.mark.parametrize("position", [None, POSITION])
def test_a_written_bookmark_resumes_where_it_ends(position: datetime | None) -> None:
    covers: Coverage = {"streams": ["a"], "codes": None, "host": "b"}
    expected = ResumePoint(END, position or END, CHECKSUMS, SINCE)
    assert resume(written(position, covers), covers) == expected


def test_a_bookmark_of_all_covers_less_and_not_the_other_way_round() -> None:
    all_codes: Coverage = {"codes": None}
    one_code: Coverage = {"codes": ["A"]}
    assert resume(written(covers=all_codes), one_code).moment == END
    found = resume(written(covers=one_code), all_codes)
    assert found == ResumePoint(None, not_covered=("all codes",))


def test_a_bookmark_covers_the_account_of_its_token_only() -> None:
    mine: Coverage = {"account": fingerprint("a token")}
    another: Coverage = {"account": fingerprint("another token")}
    assert resume(written(covers=mine), mine).moment == END
    found = resume(written(covers=mine), another)
    assert found == ResumePoint(None, not_covered=("this account (the refresh token changed)",))


def test_a_fingerprint_is_short_and_differs_where_its_parts_do() -> None:
    parts = [("a",), ("b",), ("a", "b"), ("ab",), (1,), ("1",), ()]
    found = [fingerprint(*part) for part in parts]
    assert len(set(found)) == len(parts)
    assert {len(text) for text in found} == {6}
    assert found == [fingerprint(*part) for part in parts]


def test_the_given_state_and_coverage_are_not_changed() -> None:
    given, covers = state(covers={"streams": ["a"]}), {"streams": ["a", "b"]}
    before = deepcopy((given, covers))
    resume(given, dict(covers))
    assert (given, covers) == before
