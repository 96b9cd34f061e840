"""Dates of every shape become UTC; what is not a date becomes nothing, or an error in a setting."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.times import duration, latest, moment_of, parse, rfc3339, utc

moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 (hypothesis wants them naive)
    max_value=datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
dates = st.one_of(
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.timezones() | st.just(UTC)).map(datetime.isoformat),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.dates().map(str),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]),
)


# ---- settings and states -------------------------------------------------------------------------


@given(moments)
def test_a_moment_in_whole_seconds_survives_writing_and_parsing(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert parse(rfc3339(moment)) == moment


def test_writes_whole_seconds_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    moment = datetime(2026, 5, 1, 10, 0, 0, 999_999, tzinfo=zone)
    assert rfc3339(moment) == "2026-05-01T08:00:00Z"


@given(moments, st.integers(min_value=-14 * 60, max_value=14 * 60))
def test_parses_any_offset(moment: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    local = (moment + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()
    assert parse(f"{local}{sign}{hours:02}:{rest:02}") == moment


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T10:00:00", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        ("2026-05-01T10:00:00Z", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        (" 2026-05-01T10:00:00.5+02:00\n", datetime(2026, 5, 1, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("1970-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
        # As YAML brings them.
        (date(2026, 5, 1), datetime(2026, 5, 1, tzinfo=UTC)),
        (datetime(2026, 5, 1, 10, tzinfo=UTC), datetime(2026, 5, 1, 10, tzinfo=UTC)),
    ],
)
def test_parses_dates_as_utc(value: str | date, expected: datetime) -> None:
    moment = parse(value)
    assert (moment, moment.utcoffset()) == (expected, timedelta())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-02-30",
        "20-01-01",
        "1969-12-31",
        "0001-01-01T00:00:00+14:00",  # in UTC, before the first date
        "9999-12-31T23:59:59-12:00",  # in UTC, after the last date
    ],
)
def test_refuses_what_is_not_a_date(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever the reason)
        parse(text)


# ---- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z"),
        ({"date": "2026-05-01T10:00:00Z"}, "2026-05-01T10:00:00Z"),
        ({"date": "2026-05-01T10:00:00Z", "zone": "UTC"}, "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:00:00+02:00", "2026-05-01T08:00:00Z"),
        ({"date": "2026-05-01T10:00:00-05:30"}, "2026-05-01T15:30:00Z"),
        ("2026-05-01T10:00:00+00:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:00:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01 10:00:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01", "2026-05-01T00:00:00Z"),
        ("2026-05-01T10:00:00.5Z", "2026-05-01T10:00:00.5Z"),
        ("2026-05-01T10:00:00.123456789Z", "2026-05-01T10:00:00.123456789Z"),
        ("2026-05-01T10:00:00.25+02:00", "2026-05-01T08:00:00.250000Z"),
    ],
)
def test_a_date_of_any_shape_becomes_utc(value: object, expected: str) -> None:
    assert utc(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "",
        "Z",
        "2026-02-30T10:00:00Z",
        "2026-05-01T25:00:00Z",
        "0001-01-01T00:00:00+14:00",  # in UTC, before the first date
        1767225600,
        True,
        [],
        ["2026-05-01"],
        {},
        {"date": None},
        {"day": "2026-05-01"},
        None,
    ],
)
def test_what_is_not_a_date_becomes_none(value: object) -> None:
    assert utc(value) is None


@given(st.datetimes(timezones=st.timezones() | st.just(UTC), allow_imaginary=False))
def test_a_date_in_utc_is_the_same_moment(moment: datetime) -> None:
    written = utc(moment.isoformat())
    # At the ends of the calendar some moments have no date in UTC.
    if written is not None:
        assert datetime.fromisoformat(written) == moment.astimezone(UTC)
        assert moment_of(moment.isoformat()) == moment.astimezone(UTC)


@given(dates)
def test_a_date_in_utc_is_unchanged(value: str) -> None:
    written = utc(value)
    assert utc(written) == written


@pytest.mark.parametrize("value", ["2026-05-01T10:00:00", {"date": "2026-05-01T10:00:00"}])
def test_a_moment_without_an_offset_is_in_utc(value: object) -> None:
    assert moment_of(value) == datetime(2026, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["soon", "", None, 5, {"date": "soon"}, {"date": 5}, {}, "2026-02-30"]
)
def test_a_value_that_is_not_a_date_is_no_moment(value: object) -> None:
    assert moment_of(value) is None


# ---- the latest date -----------------------------------------------------------------------------


@given(st.lists(dates | st.text(max_size=3) | st.none(), max_size=4))
def test_the_latest_date_is_written_as_any_other(values: list[str | None]) -> None:
    known = [moment for value in values if (moment := moment_of(value))]
    found = latest(values)
    assert moment_of(found) == max(known, default=None)
    assert found in {None, *map(utc, values)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([None, "no date", 7, {"date": None}], None),
        (["2026-05-01T10:00:00.100Z", "2026-05-01T10:00:00Z"], "2026-05-01T10:00:00.100Z"),
        (["2026-05-01T10:00:00Z", "2026-05-01T13:00:00+02:00"], "2026-05-01T11:00:00Z"),
        (["2026-05-01T10:00:00Z"] * 2, "2026-05-01T10:00:00Z"),
    ],
)
def test_the_latest_of_some_dates(values: list[object], expected: str | None) -> None:
    assert latest(values) == expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (7.4, "7 s"),
        (44, "40 s"),
        (149, "150 s"),
        (151, "3 min"),
        (3_600, "60 min"),
        (9_000, "2.5 h"),
        (172_800, "2 days"),
    ],
)
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_rounding_a_duration_changes_it_by_less_than_a_fifth() -> None:
    for seconds in range(1, 20_000):
        number, unit = duration(seconds).split()
        rounded = float(number) * {"s": 1, "min": 60, "h": 3600}[unit]
        assert abs(rounded - seconds) <= seconds / 5, seconds
