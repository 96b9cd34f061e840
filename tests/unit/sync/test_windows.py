"""Spans of time are read whole, once, and in pieces that the APIs accept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tap_amazon_business.streams.vendor import PurchaseOrdersStream
from tap_amazon_business.windows import (
    OVERLAP,
    Slice,
    Slicer,
    Span,
    Window,
    cut,
    parse_moment,
    plan,
    rfc3339,
)

NOW = datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MARGIN, REACH = timedelta(minutes=2), 180 * DAY
# What the API reads from NOW: whole seconds, inside of its reach and clear of the margin.
OLDEST = (NOW - REACH).replace(microsecond=0) + timedelta(seconds=1)
LATEST = (NOW - MARGIN).replace(microsecond=0)

moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 (hypothesis wants them naive)
    max_value=datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
widths = st.timedeltas(min_value=timedelta(minutes=1), max_value=30 * DAY)


@st.composite
def cuts(draw: st.DrawFn) -> tuple[datetime, datetime, timedelta]:
    """Draw a span and a width that leaves the number of windows within bounds."""
    start, width = draw(moments), draw(widths)
    seconds = draw(st.floats(min_value=0, max_value=40)) * width.total_seconds()
    return start, start + timedelta(seconds=seconds), width


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a sync may find: settings, bookmark, and an API of any reach."""
    now = draw(moments)
    ago = st.timedeltas(min_value=timedelta(), max_value=1000 * DAY)
    past = st.none() | ago.map(lambda span: now - span)
    return {
        "now": now,
        "margin": draw(st.timedeltas(min_value=timedelta(), max_value=HOUR)),
        "reach": draw(st.timedeltas(min_value=DAY, max_value=730 * DAY)),
        "start": draw(past),
        "end": draw(past),
        "bookmark": draw(past),
        "overlap": draw(st.timedeltas(min_value=timedelta(), max_value=DAY)),
        "lookback": draw(st.timedeltas(min_value=timedelta(), max_value=200 * DAY)),
    }


def planned(**given_: Any) -> Span:
    return plan(
        **{
            "now": NOW,
            "margin": MARGIN,
            "reach": REACH,
            "start": None,
            "end": None,
            "bookmark": None,
            "overlap": HOUR,
            "lookback": 30 * DAY,
            **given_,
        }
    )


def cut_evenly(start: datetime, end: datetime, width: timedelta) -> list[Window]:
    return list(cut(start, end, lambda: width))


def slices(span: Span, width: timedelta) -> list[Slice]:
    return list(Slicer(span, widest=width, rows=400))


# ---- cut -----------------------------------------------------------------------------------------


@given(cuts())
def test_windows_begin_and_end_with_their_span(
    given_: tuple[datetime, datetime, timedelta],
) -> None:
    start, end, width = given_
    assume(start < end)
    windows = cut_evenly(start, end, width)
    assert (windows[0].start, windows[-1].end) == (start, end)


@given(cuts())
def test_every_window_begins_where_the_one_before_it_ends(
    given_: tuple[datetime, datetime, timedelta],
) -> None:
    windows = cut_evenly(*given_)
    assert all(earlier.end == later.start for earlier, later in pairwise(windows))


@given(cuts())
def test_no_window_is_empty_or_wider_than_the_width(
    given_: tuple[datetime, datetime, timedelta],
) -> None:
    for window in cut_evenly(*given_):
        assert timedelta() < window.end - window.start <= given_[2]


@given(cuts())
def test_a_span_is_cut_into_as_few_windows_as_can_be(
    given_: tuple[datetime, datetime, timedelta],
) -> None:
    start, end, width = given_
    assert len(cut_evenly(start, end, width)) == -((start - end) // width)


@given(cuts(), st.floats(min_value=0, max_value=1, exclude_max=True))
def test_every_moment_of_a_span_lies_in_exactly_one_window(
    given_: tuple[datetime, datetime, timedelta], share: float
) -> None:
    start, end, width = given_
    moment = start + (end - start) * share
    assume(moment < end)
    assert sum(window.start <= moment < window.end for window in cut_evenly(start, end, width)) == 1


@given(moments, st.timedeltas(min_value=timedelta(), max_value=DAY), widths)
def test_a_span_that_ends_before_it_begins_has_no_windows(
    start: datetime, back: timedelta, width: timedelta
) -> None:
    assert cut_evenly(start, start - back, width) == []


# ---- what is asked of the API --------------------------------------------------------------------


def test_a_window_is_asked_for_from_a_second_before_its_start() -> None:
    window = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    assert (window.after, window.before) == ("2026-04-30T23:59:59Z", "2026-05-02T00:00:00Z")


@given(cuts())
@example((NOW, NOW + 20 * DAY, 7 * DAY))
def test_vendor_requests_always_ask_for_less_than_seven_days(
    given_: tuple[datetime, datetime, timedelta],
) -> None:
    # Seven days are refused, exactly seven on some accounts only; the overlap is part of it.
    start, end, _ = given_
    for window in cut_evenly(start, end, PurchaseOrdersStream.reading.width):
        assert parse_moment(window.before) - parse_moment(window.after) < 7 * DAY


@given(plans(), widths, st.floats(min_value=0, max_value=1, exclude_max=True))
def test_every_moment_of_a_sync_is_asked_for_even_if_amazon_excludes_both_bounds(
    given_: dict[str, Any], width: timedelta, share: float
) -> None:
    span = plan(**given_)
    assume(span.since < span.until)
    # Whether the bounds belong to a window is not documented: here the worse case.
    width = max(width, (span.until - span.reread_from) / 40)
    moment = span.since + (span.until - span.since) * share
    assume(moment < span.until)
    windows = [part.window for part in slices(span, width) if not part.reread]
    assert any(parse_moment(w.after) < moment < parse_moment(w.before) for w in windows)


# ---- plan ----------------------------------------------------------------------------------------


def test_a_first_sync_reads_as_far_back_as_the_api_does() -> None:
    assert planned() == Span(reread_from=OLDEST, since=OLDEST, until=LATEST)


def test_a_first_sync_begins_at_the_start_date() -> None:
    start = NOW - 10 * DAY
    assert planned(start=start) == Span(reread_from=start, since=start, until=LATEST)


def test_a_start_date_that_the_api_cannot_read_is_moved_up_and_told() -> None:
    start = NOW - REACH - DAY
    assert planned(start=start) == Span(OLDEST, OLDEST, LATEST, unreadable=start)


def test_a_bookmark_that_the_api_cannot_read_is_moved_up_and_told() -> None:
    span = planned(bookmark=NOW - 200 * DAY)
    assert span == Span(OLDEST, OLDEST, LATEST, unreadable=NOW - 200 * DAY - HOUR)


def test_a_start_date_that_the_api_can_read_is_not_told() -> None:
    assert planned(start=OLDEST).unreadable is None


def test_an_incremental_sync_begins_an_overlap_before_the_bookmark() -> None:
    assert planned(bookmark=NOW - DAY).since == NOW - DAY - HOUR


def test_an_incremental_sync_reads_the_lookback_again() -> None:
    assert planned(bookmark=NOW - DAY).reread_from == NOW - 31 * DAY


def test_an_incremental_sync_reads_nothing_again_from_before_the_start_date() -> None:
    span = planned(bookmark=NOW - DAY, start=NOW - 20 * DAY)
    assert span.reread_from == NOW - 20 * DAY


def test_an_incremental_sync_reads_nothing_anew_from_before_the_start_date() -> None:
    start = NOW - DAY - HOUR / 2
    assert planned(bookmark=NOW - DAY, start=start).since == start


def test_an_incremental_sync_reads_nothing_again_that_the_api_cannot_read() -> None:
    span = planned(bookmark=NOW - 170 * DAY)
    assert (span.reread_from, span.unreadable) == (OLDEST, None)


@pytest.mark.parametrize("lookback", [timedelta(), HOUR / 2, HOUR])
def test_a_lookback_within_the_overlap_reads_nothing_again(lookback: timedelta) -> None:
    span = planned(bookmark=NOW - DAY, lookback=lookback)
    assert span.reread_from == span.since == NOW - DAY - HOUR


def test_a_sync_ends_at_the_end_date() -> None:
    end = datetime(2026, 3, 1, tzinfo=UTC)
    assert planned(end=end).until == end


def test_an_end_date_within_the_margin_gives_way_to_it() -> None:
    assert planned(end=NOW - MARGIN / 2).until == LATEST


def test_there_is_nothing_to_read_where_the_start_lies_within_the_margin() -> None:
    span = planned(start=NOW - MARGIN / 2)
    assert span.since >= span.until


def test_there_is_nothing_to_read_where_the_bookmark_is_past_the_end_date() -> None:
    span = planned(bookmark=NOW - DAY, end=NOW - 20 * DAY)
    assert span.since >= span.until


def test_there_is_nothing_to_read_where_the_end_date_is_older_than_the_api_reads() -> None:
    span = planned(end=NOW - REACH - DAY)
    assert span.since >= span.until


@given(plans())
def test_a_sync_never_reads_past_the_end_date_nor_into_the_margin(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    assert span.until <= given_["now"] - given_["margin"]
    assert given_["end"] is None or span.until <= given_["end"]


@given(plans())
def test_a_sync_never_reads_what_the_api_does_not(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    assert given_["now"] - given_["reach"] <= span.reread_from <= span.since


@given(plans())
def test_a_sync_never_reads_from_before_the_start_date(given_: dict[str, Any]) -> None:
    assume(given_["start"] is not None)
    assert plan(**given_).reread_from >= given_["start"]


@given(plans())
def test_nothing_between_the_bookmark_and_the_new_part_is_left_out(given_: dict[str, Any]) -> None:
    assume(given_["bookmark"] is not None)
    span = plan(**given_)
    allowed = [
        given_["bookmark"] - given_["overlap"],
        given_["start"] or datetime.min.replace(tzinfo=UTC),
        # "As far back as the API reads" is rounded up to a whole second.
        given_["now"] - given_["reach"] + timedelta(seconds=1),
    ]
    assert span.since <= max(allowed)


# ---- slices --------------------------------------------------------------------------------------


def test_slices_come_oldest_first_and_know_what_was_read_before() -> None:
    day = datetime(2026, 5, 1, tzinfo=UTC)
    span = Span(reread_from=day, since=day + 1.5 * DAY, until=day + 3 * DAY)
    assert slices(span, DAY) == [
        Slice(Window(day, day + DAY), reread=True),
        Slice(Window(day + DAY, day + 1.5 * DAY), reread=True),
        Slice(Window(day + 1.5 * DAY, day + 2.5 * DAY)),
        Slice(Window(day + 2.5 * DAY, day + 3 * DAY)),
    ]


@given(plans())
def test_slices_adjoin_from_the_first_moment_read_again_to_the_last_new_one(
    given_: dict[str, Any],
) -> None:
    span = plan(**given_)
    assume(span.since < span.until)
    windows = [part.window for part in slices(span, 7 * DAY)]
    assert (windows[0].start, windows[-1].end) == (span.reread_from, span.until)
    assert all(earlier.end == later.start for earlier, later in pairwise(windows))


@given(plans())
def test_what_is_read_again_lies_before_what_is_new(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    for part in slices(span, 7 * DAY):
        assert part.reread == (part.window.end <= span.since)
        assert part.reread or part.window.start >= span.since


def test_slices_are_narrower_where_rows_are_dense_and_grow_again_where_they_are_not() -> None:
    slicer = Slicer(Span(NOW, NOW, NOW + 60 * DAY), widest=7 * DAY, rows=400)
    parts = iter(slicer)
    first = next(parts)
    slicer.observe("created", first.window, 2800)
    slicer.observe("changed", first.window, 1400)
    second = next(parts)
    slicer.observe("created", second.window, 0)
    slicer.observe("changed", second.window, 200)
    third = next(parts)
    widths = [part.window.end - part.window.start for part in (first, second, third)]
    assert widths == [7 * DAY, DAY, 2 * DAY]


@given(cuts(), st.lists(st.integers(min_value=0, max_value=10**6), max_size=40))
def test_whatever_is_observed_slices_adjoin_and_none_is_wider_than_allowed(
    given_: tuple[datetime, datetime, timedelta], found: list[int]
) -> None:
    start, end, width = given_
    slicer = Slicer(Span(start, start, end), widest=max(width, HOUR), rows=400)
    edge, rows = start, iter(found)
    # Slices may become as narrow as they get: not every one of them is looked at.
    for part in islice(slicer, 60):
        assert part.window.start == edge
        assert timedelta() < part.window.end - part.window.start <= max(width, HOUR)
        edge = part.window.end
        slicer.observe("created", part.window, next(rows, 0))
    assert edge <= end


def test_the_densest_account_is_not_cut_to_nothing() -> None:
    slicer = Slicer(Span(NOW, NOW, NOW + DAY), widest=DAY, rows=400)
    slicer.observe("created", Window(NOW, NOW + timedelta(seconds=1)), 10**9)
    window = next(iter(slicer)).window
    assert window.end - window.start >= timedelta(minutes=1)


# ---- moments as text -----------------------------------------------------------------------------


@given(moments)
def test_a_moment_of_whole_seconds_survives_being_written_and_read(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert parse_moment(rfc3339(moment)) == moment


@given(moments, st.integers(min_value=-14 * 60, max_value=14 * 60))
def test_a_moment_is_the_same_whatever_offset_it_is_written_with(
    moment: datetime, minutes: int
) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    local = (moment + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()
    assert parse_moment(f"{local}{sign}{hours:02}:{rest:02}") == moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T10:00:00", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        ("2026-05-01T10:00:00Z", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        (" 2026-05-01T10:00:00.5+02:00\n", datetime(2026, 5, 1, 8, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_dates_are_read_as_utc(text: str, expected: datetime) -> None:
    moment = parse_moment(text)
    assert (moment, moment.utcoffset()) == (expected, timedelta())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-02-30",
        "20-01-01",
        "0001-01-01T00:00:00+14:00",  # in UTC, before there are any dates
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever the reason)
        parse_moment(text)


def test_a_window_is_named_by_its_own_bounds_not_by_those_asked_for() -> None:
    window = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    assert str(window) == "2026-05-01T00:00:00Z to 2026-05-02T00:00:00Z"


def test_the_overlap_of_two_windows_is_a_second() -> None:
    earlier, later = cut_evenly(NOW, NOW + 2 * DAY, DAY)
    assert parse_moment(earlier.before) - parse_moment(later.after) == OVERLAP
