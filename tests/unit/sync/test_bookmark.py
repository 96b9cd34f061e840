"""Where a sync resumes: what a bookmark covers, and states that cannot be used."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tap_amazon_business.errors import TapError
from tap_amazon_business.sync.bookmark import (
    Coverage,
    ResumePoint,
    bookmark_state,
    fingerprint,
    moment_in,
    resume_point,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
END = datetime(2026, 5, 31, 12, tzinfo=UTC)
KEY = "lastChangedDate"


def state(value: Any = "2026-05-31T12:00:00Z", **more: Any) -> dict[str, Any]:
    return {"replication_key": KEY, "replication_key_value": value, **more}


def resume(
    given: dict[str, Any], covers: Coverage | None = None, *, key: str | None = KEY
) -> ResumePoint:
    return resume_point(given, stream="orders", replication_key=key, covers=covers or {}, now=NOW)


def resumed(given: dict[str, Any], position: datetime = END) -> ResumePoint:
    """Return where a sync resumes with a state that it can use."""
    return ResumePoint(END, position, given)


def refusal(given: dict[str, Any], *, key: str | None = KEY) -> str:
    with pytest.raises(TapError) as caught:
        resume(given, key=key)
    return caught.value.message


# ---- where a sync resumes ------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"covers": {"children": ["a"]}}, state(None)])
def test_without_a_bookmark_everything_is_read(given: dict[str, Any]) -> None:
    assert resume(given, {"children": ["a"]}) == ResumePoint(None)


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


def test_resumes_at_the_position_in_the_lookback() -> None:
    given = state(lookback_position="2026-05-31T11:00:00Z")
    assert resume(given) == resumed(given, END - timedelta(hours=1))


def test_keeps_the_other_parts_of_the_state() -> None:
    given = state(changes_until="2026-05-31T10:00:00Z")
    found = resume(given)
    assert found == resumed(given)
    assert moment_in(found.part, "changes_until", "orders", NOW) == END - timedelta(hours=2)
    assert moment_in(found.part, "unknown", "orders", NOW) is None


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
        # What is not limited is left out.
        ({}, {"codes": None}, ()),
        ({}, {"codes": ["A"]}, ()),
        ({"host": "a"}, {"host": "a"}, ()),
        ({}, {"host": "a"}, ()),
        # More.
        ({"regions": ["US"]}, {"regions": ["US", "CA", "MX"]}, ("CA", "MX")),
        ({"regions": []}, {"regions": ["US"]}, ("US",)),
        ({"codes": ["A"]}, {"codes": None}, ("all codes",)),
        (
            {"streams": ["a"], "regions": ["US"]},
            {"streams": ["a", "b"], "regions": ["CA"]},
            ("b", "CA"),
        ),
        ({"host": "a"}, {"host": "b"}, ("this host",)),
    ],
)
def test_a_bookmark_is_used_while_it_covers_what_is_read(
    covered: dict[str, Any], covers: Coverage, added: tuple[str, ...]
) -> None:
    given = state(covers=covered)
    expected = ResumePoint(None, not_covered=added) if added else resumed(given)
    assert resume(given, covers) == expected


@pytest.mark.parametrize("covered", [{}, {"covers": None}, {"covers": "text"}, {"covers": ["a"]}])
def test_resumes_from_an_older_state_without_coverage(covered: dict[str, Any]) -> None:
    assert resume(state(**covered), {"children": ["a"]}) == resumed(state(**covered))


@pytest.mark.parametrize("part", [5, True])
def test_a_damaged_coverage_does_not_crash(part: object) -> None:
    found = resume(state(covers={"children": part}), {"children": ["a"]})
    assert found == ResumePoint(None, not_covered=("a",))


# ---- states that cannot be used ------------------------------------------------------------------


@pytest.mark.parametrize("key", ["orderDate", None])
def test_refuses_the_bookmark_of_another_replication_key(key: str | None) -> None:
    message = refusal(state(), key=key)
    assert f"The state of orders holds '{KEY}': '2026-05-31T12:00:00Z'" in message
    assert f"but its bookmark is '{key}'" in message
    assert "clear the stream's state" in message


def test_refuses_a_bookmark_without_a_replication_key() -> None:
    assert "holds None" in refusal({"replication_key_value": "2026-05-31T12:00:00Z"})


@pytest.mark.parametrize(
    "value", ["", "soon", "2026-02-30", "1969-12-31", 5, True, 0, [], {}, {"date": "2026-05-31"}]
)
def test_refuses_a_bookmark_that_is_not_a_date(value: object) -> None:
    message = refusal(state(value))
    assert f"{KEY!r}: {value!r}, which is not a date-time" in message
    assert "clear the stream's state" in message


def test_refuses_a_bookmark_in_the_future() -> None:
    message = refusal(state("2026-06-02T12:00:01Z"))
    assert "which lies in the future" in message
    assert "clear the stream's state" in message


def test_accepts_a_bookmark_of_a_clock_that_is_a_day_ahead() -> None:
    assert resume(state("2026-06-02T12:00:00Z")).moment == NOW + timedelta(days=1)


@pytest.mark.parametrize("value", ["soon", 5, "2026-06-03T00:00:00Z"])
@pytest.mark.parametrize("name", ["lookback_position", "changes_until"])
def test_refuses_a_damaged_moment_besides_the_bookmark(name: str, value: object) -> None:
    with pytest.raises(TapError) as caught:
        moment_in(state(**{name: value}), name, "orders", NOW)
    assert f"The state of orders holds '{name}': {value!r}" in caught.value.message


# ---- writing -------------------------------------------------------------------------------------


POSITION = END - timedelta(minutes=5)


def test_a_bookmark_is_written_with_its_position_and_coverage() -> None:
    covers: Coverage = {"streams": ["a"], "codes": None, "host": "x"}
    assert bookmark_state(KEY, END, POSITION, covers, {"changes_until": "then"}) == state(
        lookback_position="2026-05-31T11:55:00Z",
        changes_until="then",
        covers={"streams": ["a"], "host": "x"},
    )


def test_a_stream_without_a_lookback_has_no_position() -> None:
    assert bookmark_state(KEY, END, None, {}) == state(covers={})


def test_a_written_bookmark_resumes_where_it_ends() -> None:
    covers: Coverage = {"streams": ["a"], "codes": None, "host": "x"}
    written = bookmark_state(KEY, END, POSITION, covers)
    assert resume(written, covers) == resumed(written, POSITION)


def test_fingerprints_differ_where_their_parts_do() -> None:
    assert fingerprint("a", "b") == fingerprint("a", "b") != fingerprint("ab", "")
    assert len(fingerprint("https://api.example")) == 6


def test_the_given_state_and_coverage_are_not_changed() -> None:
    given, covers = state(covers={"children": ["a"]}), {"children": ["a", "b"]}
    before = deepcopy((given, covers))
    resume(given, dict(covers))
    assert (given, covers) == before
