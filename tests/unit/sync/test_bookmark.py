"""Where a sync resumes: what a bookmark covers, and states that cannot be used."""

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
    moment_in,
    resume_point,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
END = datetime(2026, 5, 31, 12, tzinfo=UTC)
POSITION = datetime(2026, 5, 30, tzinfo=UTC)
KEY = "lastChangedDate"


def state(value: Any = "2026-05-31T12:00:00Z", **more: Any) -> dict[str, Any]:
    return {"replication_key": KEY, "replication_key_value": value, **more}


def resume(
    given: dict[str, Any], covers: Coverage | None = None, *, key: str | None = KEY
) -> ResumePoint:
    return resume_point(given, stream="orders", replication_key=key, covers=covers or {}, now=NOW)


def resumed(
    given: dict[str, Any], moment: datetime = END, position: datetime | None = None
) -> ResumePoint:
    """Return where a sync resumes with the whole of a state."""
    return ResumePoint(moment, position or moment, given)


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


def test_hands_on_what_else_the_state_holds() -> None:
    given = state(changes_until="2026-05-31T11:00:00Z", refused_numbers=["1"])
    part = resume(given).part
    assert part["refused_numbers"] == ["1"]
    until = moment_in(part, "changes_until", "orders", NOW)
    assert until == datetime(2026, 5, 31, 11, tzinfo=UTC)
    assert moment_in(part, "another", "orders", NOW) is None


def test_hands_on_nothing_where_everything_is_read() -> None:
    given = state(covers={"regions": ["US"]}, refused_numbers=["1"], lookback_position=POSITION)
    assert resume(given, {"regions": ["CA"]}) == ResumePoint(None, not_covered=("CA",))


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
    given = state("2026-06-02T12:00:00Z")
    assert resume(given) == resumed(given, NOW + timedelta(days=1))


@pytest.mark.parametrize("value", ["soon", 5, [], "2026-06-02T12:00:01Z"])
def test_refuses_a_damaged_position(value: object) -> None:
    message = refusal(state(lookback_position=value))
    assert f"The state of orders holds 'lookback_position': {value!r}" in message
    assert "clear the stream's state" in message


@pytest.mark.parametrize("value", ["soon", 5, [], "2026-06-02T12:00:01Z"])
def test_refuses_another_damaged_moment(value: object) -> None:
    with pytest.raises(TapError, match="'changes_until'"):
        moment_in(state(changes_until=value), "changes_until", "orders", NOW)


# ---- writing -------------------------------------------------------------------------------------


def test_a_bookmark_is_written_with_its_position_and_its_coverage() -> None:
    covers: Coverage = {"streams": ["a"], "host": "b"}
    assert bookmark_state(KEY, END, POSITION, covers) == {
        "replication_key": KEY,
        "replication_key_value": "2026-05-31T12:00:00Z",
        "lookback_position": "2026-05-30T00:00:00Z",
        "covers": {"streams": ["a"], "host": "b"},
    }


def test_what_is_not_limited_is_left_out() -> None:
    covers: Coverage = {"codes": None, "regions": []}
    assert bookmark_state(KEY, END, None, covers) == state(covers={"regions": []})


def test_a_bookmark_keeps_what_the_stream_adds() -> None:
    more = {"changes_until": "2026-05-31T11:00:00Z"}
    assert bookmark_state(KEY, END, None, {}, more) == state(covers={}, **more)


def test_everything_that_is_written_is_known_as_part_of_a_bookmark() -> None:
    more = {"changes_until": "", "refused_numbers": []}
    assert tuple(bookmark_state(KEY, END, POSITION, {}, more)) == BOOKMARK_FIELDS


@pytest.mark.parametrize("position", [None, POSITION])
def test_a_written_bookmark_resumes_where_it_ends(position: datetime | None) -> None:
    covers: Coverage = {"streams": ["a"], "codes": None, "host": "b"}
    written = bookmark_state(KEY, END, position, covers)
    assert resume(written, covers) == resumed(written, position=position)


def test_a_bookmark_of_all_covers_less_and_not_the_other_way_round() -> None:
    all_codes: Coverage = {"codes": None}
    one_code: Coverage = {"codes": ["A"]}
    assert resume(bookmark_state(KEY, END, None, all_codes), one_code).moment == END
    found = resume(bookmark_state(KEY, END, None, one_code), all_codes)
    assert found == ResumePoint(None, not_covered=("all codes",))


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
