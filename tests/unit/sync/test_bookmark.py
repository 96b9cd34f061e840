"""Where a sync resumes: what a bookmark covers, and states that cannot be used."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tap_amazon_business.errors import TapError
from tap_amazon_business.sync.bookmark import Coverage, ResumePoint, bookmark_state, resume_point

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
END = datetime(2026, 5, 31, 12, tzinfo=UTC)
KEY = "lastChangedDate"


def state(value: Any = "2026-05-31T12:00:00Z", **more: Any) -> dict[str, Any]:
    return {"replication_key": KEY, "replication_key_value": value, **more}


def resume(
    given: dict[str, Any], covers: Coverage | None = None, *, key: str | None = KEY
) -> ResumePoint:
    return resume_point(given, stream="orders", replication_key=key, covers=covers or {}, now=NOW)


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
    assert resume(state(value)) == ResumePoint(END)


def test_ignores_other_parts_of_the_state() -> None:
    assert resume(state(progress_markers={"a": 1}, unknown=[])) == ResumePoint(END)


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
        # More.
        ({"regions": ["US"]}, {"regions": ["US", "CA", "MX"]}, ("CA", "MX")),
        ({"regions": []}, {"regions": ["US"]}, ("US",)),
        ({}, {"regions": ["US"]}, ("US",)),
        ({"codes": ["A"]}, {"codes": None}, ("all codes",)),
        ({}, {"codes": None}, ("all codes",)),
        (
            {"children": ["a"], "regions": ["US"]},
            {"children": ["a", "b"], "regions": ["CA"]},
            ("b", "CA"),
        ),
    ],
)
def test_a_bookmark_is_used_while_it_covers_what_is_read(
    covered: dict[str, Any], covers: Coverage, added: tuple[str, ...]
) -> None:
    expected = ResumePoint(None, added) if added else ResumePoint(END)
    assert resume(state(covers=covered), covers) == expected


@pytest.mark.parametrize("covered", [{}, {"covers": None}, {"covers": "text"}, {"covers": ["a"]}])
def test_resumes_from_an_older_state_without_coverage(covered: dict[str, Any]) -> None:
    assert resume(state(**covered), {"children": ["a"]}) == ResumePoint(END)


@pytest.mark.parametrize("part", [5, True])
def test_a_damaged_coverage_does_not_crash(part: object) -> None:
    found = resume(state(covers={"children": part}), {"children": ["a"]})
    assert found == ResumePoint(None, ("a",))


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
    assert resume(state("2026-06-02T12:00:00Z")) == ResumePoint(NOW + timedelta(days=1))


# ---- writing -------------------------------------------------------------------------------------


def test_a_bookmark_is_written_with_its_coverage() -> None:
    covers: Coverage = {"children": ["a"], "codes": None}
    assert bookmark_state(KEY, END, covers) == state(covers=covers)


def test_a_bookmark_of_a_stream_that_cannot_grow_has_no_coverage() -> None:
    assert bookmark_state(KEY, END, {}) == state()


def test_a_written_bookmark_resumes_where_it_ends() -> None:
    covers: Coverage = {"children": ["a"], "codes": None}
    assert resume(bookmark_state(KEY, END, covers), covers) == ResumePoint(END)


def test_the_given_state_and_coverage_are_not_changed() -> None:
    given, covers = state(covers={"children": ["a"]}), {"children": ["a", "b"]}
    before = deepcopy((given, covers))
    resume(given, dict(covers))
    assert (given, covers) == before
