"""Spans of time are read completely, once, and in windows that the APIs accept."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS
from tap_amazon_business.sync.windows import Share, Slice, Slicer, Span, Window, cut, plan
from tap_amazon_business.times import parse

NOW = datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MARGIN, REACH = timedelta(minutes=2), 180 * DAY
# What the API reads from NOW: whole seconds, within its reach and before the margin.
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
    """Draw a span and a width that cuts it into at most forty windows."""
    start, width = draw(moments), draw(widths)
    seconds = draw(st.floats(min_value=0, max_value=40)) * width.total_seconds()
    return start, start + timedelta(seconds=seconds), width


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the settings, the bookmark, and an API of any reach."""
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
        "recent": draw(st.timedeltas(min_value=timedelta(), max_value=5 * DAY)),
        "shares": draw(st.lists(shares(now), max_size=2)),
    }


@st.composite
def shares(draw: st.DrawFn, now: datetime) -> Share:
    """Draw a part of a lookback."""
    length = draw(st.timedeltas(min_value=HOUR, max_value=200 * DAY))
    start = now - length - draw(st.timedeltas(min_value=timedelta(), max_value=200 * DAY))
    spent = draw(st.timedeltas(min_value=timedelta(), max_value=DAY))
    return Share(Window(start, start + length), now - spent, now)


def planned(**given_: Any) -> Span:
    return plan(
        **{
            "now": NOW,
            "margin": MARGIN,
            "reach": REACH,
            "start": None,
            "end": None,
            "bookmark": None,
            "recent": HOUR,
            **given_,
        }
    )


def starts(span: Span) -> list[datetime]:
    return [share.window.start for share in span.shares]


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
def test_a_span_has_as_few_windows_as_possible(
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


# ---- request parameters --------------------------------------------------------------------------


def test_the_lower_bound_is_a_second_before_the_window() -> None:
    window = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    assert (window.after, window.before) == ("2026-04-30T23:59:59Z", "2026-05-02T00:00:00Z")


@given(cuts())
@example((NOW, NOW + 20 * DAY, 7 * DAY))
def test_a_vendor_request_spans_less_than_seven_days(
    given_: tuple[datetime, datetime, timedelta],
) -> None:
    # Amazon refuses more than seven days, on some accounts also exactly seven.
    start, end, _ = given_
    for window in cut_evenly(start, end, GET_PURCHASE_ORDERS.longest_range):
        assert parse(window.before) - parse(window.after) < 7 * DAY


@given(plans(), widths, st.floats(min_value=0, max_value=1, exclude_max=True))
def test_requests_cover_every_moment_even_if_amazon_excludes_both_bounds(
    given_: dict[str, Any], width: timedelta, share: float
) -> None:
    span = plan(**given_)
    assume(span.since < span.until)
    # Amazon does not document whether the bounds are inclusive: this is the worse case.
    width = max(width, (span.until - span.since) / 40)
    moment = span.since + (span.until - span.since) * share
    assume(moment < span.until)
    windows = [part.window for part in slices(span, width) if not part.reread]
    assert any(parse(w.after) < moment < parse(w.before) for w in windows)


# ---- plan ----------------------------------------------------------------------------------------


def test_a_first_sync_reads_as_far_back_as_the_api() -> None:
    assert planned() == Span(since=OLDEST, until=LATEST)


def test_a_first_sync_begins_at_the_start_date() -> None:
    start = NOW - 10 * DAY
    assert planned(start=start) == Span(since=start, until=LATEST)


def test_a_start_date_beyond_the_reach_is_moved_up_and_reported() -> None:
    start = NOW - REACH - DAY
    assert planned(start=start) == Span(OLDEST, LATEST, unreadable=start)


def test_a_bookmark_beyond_the_reach_is_moved_up_and_reported() -> None:
    span = planned(bookmark=NOW - 200 * DAY)
    assert span == Span(OLDEST, LATEST, unreadable=NOW - 200 * DAY)


def test_a_start_date_within_the_reach_is_not_reported() -> None:
    assert planned(start=OLDEST).unreadable is None


def test_an_incremental_sync_begins_an_overlap_before_the_bookmark() -> None:
    assert planned(bookmark=NOW - DAY).since == NOW - DAY - HOUR


WEEK = Share(Window(NOW - 30 * DAY, NOW - 23 * DAY), NOW - 7 * HOUR, NOW)


def test_an_incremental_sync_rereads_its_share_of_the_lookback() -> None:
    assert planned(bookmark=NOW - DAY, shares=[WEEK]).shares == (WEEK,)


def test_a_first_sync_rereads_nothing() -> None:
    assert planned(shares=[WEEK]).shares == ()


def test_an_incremental_sync_rereads_nothing_before_the_start_date() -> None:
    (share,) = planned(bookmark=NOW - DAY, start=NOW - 25 * DAY, shares=[WEEK]).shares
    assert share == Share(Window(NOW - 25 * DAY, NOW - 23 * DAY), NOW - 2 * HOUR, NOW)


def test_an_incremental_sync_rereads_nothing_that_it_reads_anyway() -> None:
    (share,) = planned(bookmark=NOW - 26 * DAY, shares=[WEEK]).shares
    assert share.window == Window(NOW - 30 * DAY, NOW - 26 * DAY - HOUR)


def test_an_incremental_sync_reads_nothing_new_before_the_start_date() -> None:
    start = NOW - DAY - HOUR / 2
    assert planned(bookmark=NOW - DAY, start=start).since == start


def test_an_incremental_sync_rereads_nothing_beyond_the_reach() -> None:
    old = Share(Window(NOW - 190 * DAY, NOW - 170 * DAY), NOW - DAY, NOW)
    (share,) = planned(bookmark=NOW - DAY, shares=[old]).shares
    assert share.window == Window(OLDEST, NOW - 170 * DAY)


def test_an_overlap_beyond_the_reach_is_not_reported() -> None:
    span = planned(bookmark=NOW - REACH + HOUR, recent=DAY)
    assert (span.since, span.unreadable) == (OLDEST, None)


def test_a_sync_ends_at_the_end_date() -> None:
    end = datetime(2026, 3, 1, tzinfo=UTC)
    assert planned(end=end).until == end


def test_an_end_date_within_the_margin_is_moved_back() -> None:
    assert planned(end=NOW - MARGIN / 2).until == LATEST


def test_a_start_within_the_margin_leaves_nothing_to_read() -> None:
    span = planned(start=NOW - MARGIN / 2)
    assert span.since >= span.until


def test_a_bookmark_past_the_end_date_leaves_nothing_to_read() -> None:
    span = planned(bookmark=NOW - DAY, end=NOW - 20 * DAY)
    assert span.since >= span.until


def test_an_end_date_beyond_the_reach_leaves_nothing_to_read() -> None:
    span = planned(end=NOW - REACH - DAY)
    assert span.since >= span.until


@given(plans())
def test_never_reads_past_the_end_date_or_into_the_margin(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    assert span.until <= given_["now"] - given_["margin"]
    assert given_["end"] is None or span.until <= given_["end"]


@given(plans())
def test_never_reads_beyond_the_reach(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    assert given_["now"] - given_["reach"] <= span.since
    for share in span.shares:
        assert given_["now"] - given_["reach"] <= share.window.start < share.window.end
        assert share.window.end <= span.since


@given(plans())
def test_never_reads_before_the_start_date(given_: dict[str, Any]) -> None:
    assume(given_["start"] is not None)
    span = plan(**given_)
    assert all(part >= given_["start"] for part in (span.since, *starts(span)))


@given(plans())
def test_leaves_no_gap_after_the_bookmark(given_: dict[str, Any]) -> None:
    assume(given_["bookmark"] is not None)
    span = plan(**given_)
    allowed = [
        given_["bookmark"] - given_["recent"],
        given_["start"] or datetime.min.replace(tzinfo=UTC),
        # "As far back as the API reads" is rounded up to a whole second.
        given_["now"] - given_["reach"] + timedelta(seconds=1),
    ]
    assert span.since <= max(allowed)


# ---- slices --------------------------------------------------------------------------------------


def test_slices_of_the_lookback_come_first_with_the_position_after_them() -> None:
    day = datetime(2026, 5, 1, tzinfo=UTC)
    share = Share(Window(day, day + 1.5 * DAY), NOW - 3 * HOUR, NOW)
    span = Span(since=day + 20 * DAY, until=day + 21.5 * DAY, shares=(share,))
    assert slices(span, DAY) == [
        Slice(Window(day, day + DAY), NOW - HOUR),
        Slice(Window(day + DAY, day + 1.5 * DAY), NOW),
        Slice(Window(day + 20 * DAY, day + 21 * DAY)),
        Slice(Window(day + 21 * DAY, day + 21.5 * DAY)),
    ]


@given(plans())
def test_slices_adjoin_from_the_beginning_to_the_end(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    assume(span.since < span.until)
    windows = [part.window for part in slices(span, 7 * DAY) if not part.reread]
    assert (windows[0].start, windows[-1].end) == (span.since, span.until)
    assert all(earlier.end == later.start for earlier, later in pairwise(windows))


@given(plans())
def test_the_position_only_moves_forward(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    for share in span.shares:
        positions = [
            part.position
            for part in slices(Span(span.until, span.until, (share,)), 7 * DAY)
            if part.position
        ]
        assert positions == sorted(positions)
        assert positions[-1] == share.until


def test_slices_narrow_where_rows_are_dense_and_widen_where_they_are_not() -> None:
    slicer = Slicer(Span(NOW, NOW + 60 * DAY), widest=7 * DAY, rows=400)
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
def test_slices_adjoin_and_stay_within_the_width_whatever_is_observed(
    given_: tuple[datetime, datetime, timedelta], found: list[int]
) -> None:
    start, end, width = given_
    slicer = Slicer(Span(start, end), widest=max(width, HOUR), rows=400)
    edge, rows = start, iter(found)
    # Narrow slices are many: the first sixty suffice.
    for part in islice(slicer, 60):
        assert part.window.start == edge
        assert timedelta() < part.window.end - part.window.start <= max(width, HOUR)
        edge = part.window.end
        slicer.observe("created", part.window, next(rows, 0))
    assert edge <= end


def test_slices_never_become_narrower_than_ten_minutes() -> None:
    slicer = Slicer(Span(NOW, NOW + DAY), widest=DAY, rows=400)
    slicer.observe("created", Window(NOW, NOW + timedelta(seconds=1)), 10**9)
    window = next(iter(slicer)).window
    assert window.end - window.start == timedelta(minutes=10)


def test_tells_how_many_rows_a_window_may_hold() -> None:
    slicer = Slicer(Span(NOW, NOW + DAY), widest=DAY, rows=400)
    hour = Window(NOW, NOW + HOUR)
    assert slicer.expected_rows("created", hour) == math.inf
    slicer.observe("created", Window(NOW, NOW + DAY), 240)
    assert slicer.expected_rows("created", hour) == 10


# ---- names ---------------------------------------------------------------------------------------


def test_the_name_of_a_window_is_its_own_bounds() -> None:
    window = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    assert str(window) == "2026-05-01T00:00:00Z to 2026-05-02T00:00:00Z"
