"""Spans of time are read completely, once, and in windows that the APIs accept."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest
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
def shares(draw: st.DrawFn, now: datetime = NOW) -> Share:
    """Draw a part of the lookback."""
    ago = st.timedeltas(min_value=timedelta(), max_value=200 * DAY)
    wide = st.timedeltas(min_value=timedelta(seconds=1), max_value=200 * DAY)
    start, after = now - draw(ago), now - draw(ago)
    return Share(Window(start, start + draw(wide)), after, after + draw(wide))


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
        "recent": draw(st.timedeltas(min_value=timedelta(), max_value=3 * DAY)),
        "shares": draw(st.lists(shares(now), max_size=2)),
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
            "recent": HOUR,
            **given_,
        }
    )


def share(start: datetime, end: datetime) -> Share:
    """Return a part of the lookback that takes an hour of the cycle."""
    return Share(Window(start, end), NOW - HOUR, NOW)


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
    windows = [part.window for part in slices(replace(span, shares=()), width)]
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


def test_an_incremental_sync_begins_before_the_bookmark() -> None:
    assert planned(bookmark=NOW - DAY).since == NOW - DAY - HOUR


def test_an_overlap_beyond_the_reach_is_not_reported() -> None:
    span = planned(bookmark=OLDEST + HOUR / 2)
    assert span == Span(OLDEST, LATEST)


def test_a_first_sync_reads_nothing_again() -> None:
    assert planned(shares=[share(NOW - 9 * DAY, NOW - 8 * DAY)]).shares == ()


def test_an_incremental_sync_reads_the_shares_of_the_lookback() -> None:
    due = (share(NOW - 9 * DAY, NOW - 8 * DAY), share(NOW - 90 * DAY, NOW - 80 * DAY))
    assert planned(bookmark=NOW - DAY, shares=due).shares == due


def test_a_share_ends_where_the_recent_days_begin() -> None:
    (found,) = planned(bookmark=NOW - DAY, shares=[share(NOW - 2 * DAY, NOW)]).shares
    assert found.window == Window(NOW - 2 * DAY, NOW - DAY - HOUR)
    assert NOW - HOUR < found.until < NOW


def test_a_share_begins_at_the_start_date() -> None:
    start = NOW - 20 * DAY
    (found,) = planned(
        bookmark=NOW - DAY, start=start, shares=[share(NOW - 30 * DAY, NOW - 10 * DAY)]
    ).shares
    assert found == Share(Window(start, NOW - 10 * DAY), NOW - HOUR / 2, NOW)


def test_a_share_begins_within_the_reach() -> None:
    (found,) = planned(bookmark=NOW - DAY, shares=[share(NOW - 200 * DAY, NOW - 90 * DAY)]).shares
    assert found.window == Window(OLDEST, NOW - 90 * DAY)


def test_a_share_ends_at_the_end_date() -> None:
    end = NOW - 20 * DAY
    span = planned(bookmark=NOW - 15 * DAY, end=end, shares=[share(NOW - 30 * DAY, NOW - 16 * DAY)])
    assert [part.window for part in span.shares] == [
        Window(NOW - 30 * DAY, end.replace(microsecond=0))
    ]


@pytest.mark.parametrize(
    "due",
    [
        share(NOW - 200 * DAY, NOW - 190 * DAY),
        share(NOW - 60 * DAY, NOW - 50 * DAY),
        share(NOW - DAY, NOW),
    ],
    ids=["beyond the reach", "before the start date", "recent"],
)
def test_a_share_of_which_nothing_is_to_be_read_is_left_out(due: Share) -> None:
    assert planned(bookmark=NOW - DAY, start=NOW - 50 * DAY, shares=[due]).shares == ()


def test_an_incremental_sync_reads_nothing_new_before_the_start_date() -> None:
    start = NOW - DAY - HOUR / 2
    assert planned(bookmark=NOW - DAY, start=start).since == start


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
    starts = [part.window.start for part in span.shares]
    assert given_["now"] - given_["reach"] <= min([*starts, span.since])


@given(plans())
def test_never_reads_before_the_start_date(given_: dict[str, Any]) -> None:
    assume(given_["start"] is not None)
    span = plan(**given_)
    assert all(part.window.start >= given_["start"] for part in span.shares)
    assert span.since >= given_["start"]


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


# ---- shares of the lookback ----------------------------------------------------------------------


@given(shares(), shares())
def test_a_part_of_a_share_has_the_positions_that_the_share_has_there(
    due: Share, other: Share
) -> None:
    part = due.within(other.window.start, other.window.end)
    start = max(due.window.start, other.window.start)
    end = min(due.window.end, other.window.end)
    if start >= end:
        assert part is None
    else:
        assert part == Share(Window(start, end), due.position(start), due.position(end))
        assert due.after <= part.after <= part.until <= due.until


@given(shares(), st.floats(0, 1), st.floats(0, 1))
def test_positions_follow_the_order_of_reading(due: Share, one: float, other: float) -> None:
    width = due.window.end - due.window.start
    earlier, later = (due.window.start + width * share for share in sorted((one, other)))
    assert due.after <= due.position(earlier) <= due.position(later) <= due.until


def test_a_share_that_lies_within_is_taken_whole() -> None:
    due = share(NOW - 9 * DAY, NOW - 8 * DAY)
    assert due.within(NOW - 10 * DAY, NOW) == due


# ---- slices --------------------------------------------------------------------------------------


def test_slices_of_the_lookback_come_first_with_their_positions() -> None:
    day = datetime(2026, 5, 1, tzinfo=UTC)
    turn = NOW - HOUR / 2
    span = Span(
        since=day + 30 * DAY,
        until=day + 31.5 * DAY,
        shares=(
            Share(Window(day + 10 * DAY, day + 11.5 * DAY), NOW - HOUR, turn),
            Share(Window(day, day + DAY), turn, NOW),
        ),
    )
    assert slices(span, DAY) == [
        Slice(Window(day + 10 * DAY, day + 11 * DAY), NOW - HOUR + HOUR / 3),
        Slice(Window(day + 11 * DAY, day + 11.5 * DAY), turn),
        Slice(Window(day, day + DAY), NOW),
        Slice(Window(day + 30 * DAY, day + 31 * DAY)),
        Slice(Window(day + 31 * DAY, day + 31.5 * DAY)),
    ]
    assert [part.reread for part in slices(span, DAY)] == [True] * 3 + [False] * 2


@given(plans())
def test_slices_adjoin_within_each_share_and_within_what_is_new(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    spans = [part.window for part in span.shares]
    if span.since < span.until:
        spans.append(Window(span.since, span.until))
    windows = iter(slices(span, 7 * DAY))
    for whole in spans:
        edge = whole.start
        while edge < whole.end:
            window = next(windows).window
            assert window.start == edge
            edge = window.end
        assert edge == whole.end
    assert list(windows) == []


@given(plans())
def test_slices_read_again_lie_before_what_is_new(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    for part in slices(span, 7 * DAY):
        assert part.window.end <= span.since if part.reread else part.window.start >= span.since


def test_what_is_expected_follows_what_was_observed() -> None:
    slicer = Slicer(Span(NOW, NOW), widest=DAY, rows=400)
    assert slicer.expected_rows("created", Window(NOW, NOW + DAY)) == math.inf
    slicer.observe("created", Window(NOW, NOW + DAY), 48)
    assert slicer.expected_rows("created", Window(NOW, NOW + HOUR)) == pytest.approx(2)
    assert slicer.expected_rows("changed", Window(NOW, NOW + HOUR)) == math.inf


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


# ---- names ---------------------------------------------------------------------------------------


def test_the_name_of_a_window_is_its_own_bounds() -> None:
    window = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    assert str(window) == "2026-05-01T00:00:00Z to 2026-05-02T00:00:00Z"
