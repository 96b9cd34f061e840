"""Checksums: any difference shows, order and repetition do not, and hours add up to days."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.sync.checksums import (
    DAY,
    HOUR,
    Checksums,
    Grid,
    ceil,
    checksum,
    floor,
    row_hasher,
)

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
NOON = MIDNIGHT + 12 * HOUR
HASH = row_hasher("salt")

rows = st.binary(min_size=1, max_size=12)
some_rows = st.lists(rows, max_size=8)
# Rows of a week by the hour of their own date.
weeks = st.dictionaries(st.integers(0, 7 * 24 - 1), st.lists(rows, min_size=1, max_size=3))
hours_of_a_week = st.integers(0, 7 * 24)


def sum_of(rows_: list[bytes], salt: str = "salt") -> int:
    return checksum(map(row_hasher(salt), rows_))


def after(hours: int) -> datetime:
    return MIDNIGHT + hours * HOUR


def read(week: dict[int, list[bytes]], hours_from: datetime) -> Checksums:
    """Return the checksums of a week that was read completely, with a grid of its own."""
    grid = Grid(hours_from)
    found: defaultdict[datetime, set[int]] = defaultdict(set)
    for hour, listed in week.items():
        found[grid.bucket(after(hour))] |= {HASH(b"%d %b" % (hour, row)) for row in listed}
    checksums, bucket = Checksums(grid), MIDNIGHT
    while bucket < MIDNIGHT + 7 * DAY:
        checksums.known[bucket] = checksum(found[bucket])
        bucket = grid.end(bucket)
    return checksums


# ---- rows ----------------------------------------------------------------------------------------


@given(some_rows, st.randoms())
def test_the_order_of_rows_does_not_matter(listed: list[bytes], random: Any) -> None:
    shuffled = list(listed)
    random.shuffle(shuffled)
    assert sum_of(shuffled) == sum_of(listed)


@given(some_rows)
def test_a_row_that_is_listed_twice_counts_once(listed: list[bytes]) -> None:
    assert sum_of(listed * 2) == sum_of(listed)


@given(some_rows, rows)
def test_an_added_or_removed_row_makes_a_difference(listed: list[bytes], row: bytes) -> None:
    without = [other for other in listed if other != row]
    assert sum_of([*without, row]) != sum_of(without)


@given(some_rows, rows, rows)
def test_an_altered_row_makes_a_difference(
    listed: list[bytes], before: bytes, afterwards: bytes
) -> None:
    others = [other for other in listed if other not in {before, afterwards}]
    same = sum_of([*others, before]) == sum_of([*others, afterwards])
    assert same is (before == afterwards)


@given(st.lists(rows, min_size=1, max_size=8), st.text(max_size=5), st.text(max_size=5))
def test_another_salt_makes_a_difference(listed: list[bytes], one: str, other: str) -> None:
    assert (sum_of(listed, one) == sum_of(listed, other)) is (one == other)


def test_no_rows_have_a_checksum_too() -> None:
    assert sum_of([]) == 0


def test_a_hash_has_64_bits_and_is_the_same_in_every_process() -> None:
    assert HASH(b"{}") == row_hasher("salt")(memoryview(b"{}")) == 14_141_178_512_962_765_340
    assert HASH(b"{}") < 2**64


# ---- buckets -------------------------------------------------------------------------------------


def test_buckets_are_days_and_then_hours() -> None:
    grid = Grid(NOON)
    assert grid.bucket(MIDNIGHT - HOUR / 2) == MIDNIGHT - DAY
    assert grid.end(MIDNIGHT - DAY) == MIDNIGHT
    assert grid.bucket(NOON + 1.5 * HOUR) == NOON + HOUR
    assert grid.end(NOON + HOUR) == NOON + 2 * HOUR


def test_the_last_day_ends_where_the_hours_begin() -> None:
    grid = Grid(NOON)
    assert grid.bucket(NOON - HOUR / 2) == MIDNIGHT
    assert grid.end(MIDNIGHT) == NOON


def test_days_and_hours_are_those_of_utc() -> None:
    elsewhere = datetime.fromisoformat("2026-06-01T01:30:00+02:00")
    assert Grid(NOON).bucket(elsewhere) == MIDNIGHT - DAY


@given(hours_of_a_week, st.floats(0, 7 * 24, exclude_max=True))
def test_every_moment_lies_in_its_bucket(hours_from: int, hours: float) -> None:
    grid, moment = Grid(after(hours_from)), MIDNIGHT + hours * HOUR
    bucket = grid.bucket(moment)
    assert bucket <= moment < grid.end(bucket)
    assert grid.bucket(bucket) == bucket


@pytest.mark.parametrize(
    ("moment", "width", "start", "next_start"),
    [
        (MIDNIGHT, DAY, MIDNIGHT, MIDNIGHT),
        (MIDNIGHT + timedelta(seconds=1), DAY, MIDNIGHT, MIDNIGHT + DAY),
        (NOON + HOUR / 2, HOUR, NOON, NOON + HOUR),
        (NOON, HOUR, NOON, NOON),
    ],
)
def test_moments_are_rounded_to_days_and_hours(
    moment: datetime, width: timedelta, start: datetime, next_start: datetime
) -> None:
    assert (floor(moment, width), ceil(moment, width)) == (start, next_start)


# ---- hours that become days ----------------------------------------------------------------------


@given(weeks, hours_of_a_week, hours_of_a_week)
def test_hours_add_up_to_days_without_being_read_again(
    week: dict[int, list[bytes]], one: int, other: int
) -> None:
    earlier, later = map(after, sorted((one, other)))
    assert read(week, earlier).aged(later) == read(week, later)


@given(weeks, hours_of_a_week, hours_of_a_week, st.integers(0, 7 * 24 - 1))
def test_a_day_of_which_an_hour_is_unknown_is_unknown(
    week: dict[int, list[bytes]], one: int, other: int, missing: int
) -> None:
    earlier, later = map(after, sorted((one, other)))
    before, complete = read(week, earlier), read(week, later)
    before.known.pop(before.grid.bucket(after(missing)))
    complete.known.pop(complete.grid.bucket(after(missing)))
    assert before.aged(later) == complete


@given(weeks, hours_of_a_week, hours_of_a_week)
def test_a_day_that_becomes_hours_is_unknown_and_never_wrong(
    week: dict[int, list[bytes]], one: int, other: int
) -> None:
    earlier, later = map(after, sorted((one, other)))
    found, right = read(week, later).aged(earlier), read(week, earlier)
    assert found.known.items() <= right.known.items()
    unknown = right.known.keys() - found.known.keys()
    assert all(floor(earlier, DAY) <= bucket < later for bucket in unknown)


# ---- in the bookmark -----------------------------------------------------------------------------

SINCE = MIDNIGHT - 999 * DAY


def encoded(checksums: Checksums, since: datetime = SINCE) -> Any:
    """Return checksums as a state holds them after it was stored and read as JSON."""
    return json.loads(json.dumps(checksums.encode(since, checksums.grid.hours_from)))


@given(weeks, hours_of_a_week, st.sets(st.integers(0, 7 * 24 - 1)))
def test_what_is_written_is_read(
    week: dict[int, list[bytes]], hours_from: int, unknown: set[int]
) -> None:
    checksums = read(week, after(hours_from))
    for hour in unknown:
        checksums.known.pop(checksums.grid.bucket(after(hour)), None)
    assert Checksums.decode(encoded(checksums), checksums.grid) == checksums


@given(weeks, hours_of_a_week, hours_of_a_week)
def test_a_later_sync_reads_hours_as_days(
    week: dict[int, list[bytes]], one: int, other: int
) -> None:
    earlier, later = map(after, sorted((one, other)))
    assert Checksums.decode(encoded(read(week, earlier)), Grid(later)) == read(week, later)


def test_each_bucket_takes_four_characters() -> None:
    checksums = Checksums(
        Grid(NOON), {MIDNIGHT - 2 * DAY: 0, MIDNIGHT: 2**24 - 1, NOON: 1, NOON + 2 * HOUR: 2}
    )
    assert encoded(checksums) == {
        "days": ["2026-05-30", "AAAA....////"],
        "hours": ["2026-06-01T12", "AAAB....AAAC"],
    }


def test_nothing_known_is_written_without_buckets() -> None:
    assert encoded(Checksums(Grid(NOON))) == {
        "days": ["2026-06-01", ""],
        "hours": ["2026-06-01T12", ""],
    }


@pytest.mark.parametrize("by_day", [False, True])
def test_whether_days_are_read_one_by_one_is_kept(by_day: bool) -> None:  # noqa: FBT001
    written = encoded(Checksums(Grid(NOON), by_day=by_day))
    assert Checksums.decode(written, Grid(NOON + HOUR)).by_day is by_day


def test_days_that_the_lookback_has_left_are_not_written() -> None:
    checksums = Checksums(Grid(NOON), {MIDNIGHT - number * DAY: number for number in range(5)})
    written = Checksums.decode(encoded(checksums, MIDNIGHT - 2 * DAY), checksums.grid)
    assert set(written.known) == {MIDNIGHT - number * DAY for number in range(3)}


def test_two_years_of_days_and_a_month_of_hours_take_little_room() -> None:
    known = {MIDNIGHT - number * DAY: number for number in range(728)}
    known |= {NOON + number * HOUR: number for number in range(30 * 24)}
    assert len(json.dumps(encoded(Checksums(Grid(NOON), known)))) < 4 * (728 + 720) + 100


@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        "text",
        5,
        {},
        {"days": None, "hours": None},
        {"days": "text", "hours": "text"},
        {"days": [], "hours": []},
        {"days": [1, 2], "hours": [1, 2]},
        {"days": ["soon", "AAAA"], "hours": ["soon", "AAAA"]},
        {"days": ["2026-05-30", 5], "hours": ["2026-06-01T12", 5]},
        {"days": ["2026-05-30", "A!AA"], "hours": ["2026-06-01T12", "A!AA"]},
        {"days": ["2026-05-30", "AAA"], "hours": ["2026-06-01T12", "AAA"]},
        {"days": ["2026-05-30", "ÄÄÄÄ"], "hours": ["2026-06-01T12", "ÄÄÄÄ"]},
        {"days": ["9999-12-31", "AAAA" * 9], "hours": ["9999-12-31T23", "AAAA" * 9]},
        {"days": ["2026-05-30", ["A"]], "hours": {"a": "b"}},
    ],
    ids=str,
)
def test_what_is_malformed_is_unknown(state: object) -> None:
    assert Checksums.decode(state, Grid(NOON)) == Checksums(Grid(NOON))


@pytest.mark.parametrize("damaged", ["days", "hours"])
def test_a_malformed_part_never_leads_to_wrong_checksums(damaged: str) -> None:
    checksums = read({hour: [b"a"] for hour in range(7 * 24)}, NOON)
    state = {**encoded(checksums), damaged: ["soon", ""]}
    assert Checksums.decode(state, Grid(NOON)).known.items() <= checksums.known.items()


@given(st.text("AB./=", max_size=30), st.text("AB./=", max_size=30))
def test_any_text_can_be_read(days: str, hours: str) -> None:
    state = {"days": ["2026-05-30", days], "hours": ["2026-06-01T12", hours]}
    found = Checksums.decode(state, Grid(NOON))
    assert all(0 <= value < 2**24 for value in found.known.values())


def test_a_damaged_state_costs_no_memory() -> None:
    state = {"days": ["1970-01-01", "AAAA" * 10**6], "hours": ["2026-06-01T12", "AAAA" * 10**6]}
    assert len(Checksums.decode(state, Grid(NOON)).known) <= 40_000
