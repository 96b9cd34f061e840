"""Spans of time are read completely, once, and in windows that the APIs accept."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS
from tap_amazon_business.sync.checksums import DAY, HOUR, Grid, ceil, floor
from tap_amazon_business.sync.windows import Share, Slice, Slicer, Span, Window, plan
from tap_amazon_business.times import parse

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
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
def spans_to_read(draw: st.DrawFn) -> tuple[datetime, datetime]:
    """Draw a start and an end of whole seconds."""
    start = draw(moments).replace(microsecond=0)
    return start, start + timedelta(seconds=draw(st.integers(0, 200 * 24 * 3600)))


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


def slicer_of(
    span: Span,
    *,
    widest: timedelta = DAY,
    is_first: bool = False,
    is_known: Callable[[datetime], bool] = lambda _: False,
) -> Slicer:
    return Slicer(
        span,
        widest=widest,
        rows=400,
        is_first=is_first,
        is_known=is_known,
    )


def slices(span: Span, widest: timedelta, **rest: Any) -> list[Slice]:
    return list(slicer_of(span, widest=widest, **rest))


def span_of(since: datetime, until: datetime, *parts: Share, **rest: Any) -> Span:
    return Span(
        **{
            "since": since,
            "changes_since": since,
            "until": until,
            "grid": Grid(floor(until, HOUR)),
            "shares": parts,
            **rest,
        }
    )


def share(start: datetime, end: datetime) -> Share:
    """Return a part of the lookback that takes an hour of the cycle."""
    return Share(Window(start, end), NOW - HOUR, NOW)


# ---- request parameters --------------------------------------------------------------------------


def test_the_lower_bound_is_a_second_before_the_window() -> None:
    window = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    assert (window.after, window.before) == ("2026-04-30T23:59:59Z", "2026-05-02T00:00:00Z")


@given(spans_to_read())
@example((NOW, NOW + 20 * DAY))
def test_a_vendor_request_spans_less_than_seven_days(given_: tuple[datetime, datetime]) -> None:
    # Amazon refuses more than seven days, on some accounts also exactly seven.
    for part in slices(span_of(*given_), GET_PURCHASE_ORDERS.longest_range):
        assert parse(part.window.before) - parse(part.window.after) < 7 * DAY


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
    windows = [part.window for part in slices(replace(span, shares=()), max(width, HOUR))]
    assert any(parse(w.after) < moment < parse(w.before) for w in windows)


# ---- plan ----------------------------------------------------------------------------------------


def bounds(span: Span) -> tuple[datetime, datetime, datetime | None]:
    return span.since, span.until, span.unreadable


def test_a_first_sync_reads_as_far_back_as_the_api() -> None:
    assert bounds(planned()) == (OLDEST, LATEST, None)


def test_a_first_sync_begins_at_the_start_date() -> None:
    start = NOW - 10 * DAY
    assert bounds(planned(start=start)) == (start, LATEST, None)


def test_a_start_date_beyond_the_reach_is_moved_up_and_reported() -> None:
    start = NOW - REACH - DAY
    assert bounds(planned(start=start)) == (OLDEST, LATEST, start)


def test_a_bookmark_beyond_the_reach_is_moved_up_and_reported() -> None:
    bookmark = NOW - 200 * DAY
    assert bounds(planned(bookmark=bookmark)) == (OLDEST, LATEST, bookmark)


def test_a_start_date_within_the_reach_is_not_reported() -> None:
    assert planned(start=OLDEST).unreadable is None


def test_an_incremental_sync_begins_with_the_hour_of_the_recent_days() -> None:
    bookmark = NOW - DAY + HOUR / 2
    assert planned(bookmark=bookmark, recent=2 * DAY).since == floor(bookmark - 2 * DAY, HOUR)


def test_after_a_long_pause_it_begins_with_the_day_of_the_recent_days() -> None:
    bookmark = NOW - 9 * DAY
    assert planned(bookmark=bookmark, recent=2 * DAY).since == floor(bookmark - 2 * DAY, DAY)


def test_recent_days_beyond_the_reach_are_not_reported() -> None:
    assert bounds(planned(bookmark=OLDEST + HOUR / 2)) == (OLDEST, LATEST, None)


def test_a_first_sync_lists_everything_by_change_too() -> None:
    assert planned().changes_since == OLDEST


def test_an_incremental_sync_lists_changes_from_the_hour_of_the_bookmark_on() -> None:
    bookmark = NOW - DAY + HOUR / 2
    assert planned(bookmark=bookmark, recent=2 * DAY).changes_since == floor(bookmark, HOUR)


def test_a_first_sync_reads_nothing_again() -> None:
    assert planned(shares=[share(NOW - 9 * DAY, NOW - 8 * DAY)]).shares == ()


def windows_of(span: Span) -> list[Window]:
    return [part.window for part in span.shares]


def test_an_incremental_sync_reads_the_days_that_begin_in_the_shares() -> None:
    due = (share(NOW - 9 * DAY, NOW - 8 * DAY), share(NOW - 90 * DAY, NOW - 80 * DAY))
    assert windows_of(planned(bookmark=NOW - DAY, shares=due)) == [
        Window(MIDNIGHT - 8 * DAY, MIDNIGHT - 7 * DAY),
        Window(MIDNIGHT - 89 * DAY, MIDNIGHT - 79 * DAY),
    ]


def test_a_share_in_which_no_day_begins_is_left_out() -> None:
    due = share(MIDNIGHT - 9 * DAY + HOUR, MIDNIGHT - 9 * DAY + 2 * HOUR)
    assert planned(bookmark=NOW - DAY, shares=[due]).shares == ()


def test_a_share_ends_where_the_recent_days_begin() -> None:
    span = planned(bookmark=NOW - DAY, shares=[share(NOW - 3 * DAY, NOW)])
    assert windows_of(span) == [Window(MIDNIGHT - 2 * DAY, span.since)]
    assert NOW - HOUR < span.shares[0].until < NOW


def test_a_share_begins_at_the_start_date() -> None:
    start = MIDNIGHT - 20 * DAY
    due = share(MIDNIGHT - 30 * DAY, MIDNIGHT - 10 * DAY)
    (found,) = planned(bookmark=NOW - DAY, start=start, shares=[due]).shares
    assert found == Share(Window(start, MIDNIGHT - 10 * DAY), NOW - HOUR / 2, NOW)


def test_a_share_begins_with_the_first_whole_day_within_the_reach() -> None:
    span = planned(bookmark=NOW - DAY, shares=[share(NOW - 200 * DAY, MIDNIGHT - 90 * DAY)])
    assert windows_of(span) == [Window(ceil(OLDEST, DAY), MIDNIGHT - 90 * DAY)]


def test_a_share_ends_at_the_end_date() -> None:
    end = (NOW - 20 * DAY).replace(microsecond=0)
    due = share(MIDNIGHT - 30 * DAY, MIDNIGHT - 16 * DAY)
    span = planned(bookmark=NOW - 15 * DAY, end=end, shares=[due])
    assert windows_of(span) == [Window(MIDNIGHT - 30 * DAY, end)]


@pytest.mark.parametrize(
    "due",
    [
        share(NOW - 200 * DAY, NOW - 190 * DAY),
        share(NOW - 60 * DAY, NOW - 50 * DAY),
        share(NOW - HOUR, NOW),
    ],
    ids=["beyond the reach", "before the start date", "recent"],
)
def test_a_share_of_which_nothing_is_to_be_read_is_left_out(due: Share) -> None:
    assert planned(bookmark=NOW - DAY, start=NOW - 49 * DAY, shares=[due]).shares == ()


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
    assert min(span.since, span.changes_since) >= given_["start"]


@given(plans())
def test_leaves_no_gap_after_the_bookmark(given_: dict[str, Any]) -> None:
    assume(given_["bookmark"] is not None)
    span = plan(**given_)
    first = [
        given_["start"] or datetime.min.replace(tzinfo=UTC),
        # "As far back as the API reads" is rounded up to a whole second.
        given_["now"] - given_["reach"] + timedelta(seconds=1),
    ]
    assert span.since <= max([given_["bookmark"] - given_["recent"], *first])
    assert span.changes_since <= max([given_["bookmark"], *first])


@given(plans())
def test_what_is_compared_begins_with_a_bucket_or_where_nothing_older_is_read(
    given_: dict[str, Any],
) -> None:
    assume(given_["bookmark"] is not None)
    span = plan(**given_)
    first = plan(**{**given_, "bookmark": None}).since
    for start in (span.since, *(part.window.start for part in span.shares)):
        assert start in {span.grid.bucket(start), first}


@given(plans())
def test_what_is_new_lies_in_hours_after_a_short_pause(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    bookmark = given_["bookmark"]
    if bookmark and span.since < span.until and span.until - bookmark <= 25 * HOUR:
        assert span.grid.hours_from <= max(bookmark - given_["recent"], span.since)


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


@given(st.lists(st.integers(0, 30 * 24 * 60), min_size=2, max_size=5, unique=True))
def test_adjoining_shares_have_each_day_once(minutes: list[int]) -> None:
    moments_ = [MIDNIGHT + timedelta(minutes=number) for number in sorted(minutes)]
    days = [
        part.window for start, end in pairwise(moments_) if (part := share(start, end).in_days())
    ]
    whole = share(moments_[0], moments_[-1]).in_days()
    assert all(one.end == other.start for one, other in pairwise(days))
    ends = (days[0].start, days[-1].end) if days else None
    assert ends == (whole and (whole.window.start, whole.window.end))


# ---- slices --------------------------------------------------------------------------------------


def test_slices_of_the_lookback_come_first_with_their_positions() -> None:
    day = datetime(2026, 5, 1, tzinfo=UTC)
    turn = NOW - HOUR / 2
    span = span_of(
        day + 30 * DAY,
        day + 31.5 * DAY,
        Share(Window(day + 10 * DAY, day + 11.5 * DAY), NOW - HOUR, turn),
        Share(Window(day, day + DAY), turn, NOW),
        changes_since=day + 31 * DAY + HOUR,
    )
    found = slices(span, DAY)
    assert [(part.window, part.position, part.changes) for part in found] == [
        (Window(day + 10 * DAY, day + 11 * DAY), NOW - HOUR + HOUR / 3, None),
        (Window(day + 11 * DAY, day + 11.5 * DAY), turn, None),
        (Window(day, day + DAY), NOW, None),
        (Window(day + 30 * DAY, day + 31 * DAY), None, None),
        (
            Window(day + 31 * DAY, day + 31.5 * DAY),
            None,
            Window(day + 31 * DAY + HOUR, day + 31.5 * DAY),
        ),
    ]


@given(plans())
def test_slices_adjoin_within_each_share_and_within_what_is_new(given_: dict[str, Any]) -> None:
    span = plan(**given_)
    spans = windows_of(span)
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
        assert part.window.end <= span.since if part.share else part.window.start >= span.since


@given(plans(), st.booleans())
def test_all_that_is_new_is_listed_once_by_change(
    given_: dict[str, Any],
    is_first: bool,  # noqa: FBT001 (drawn by hypothesis)
) -> None:
    span = plan(**given_)
    assume(span.changes_since < span.until)
    changes = [part.changes for part in slices(span, 7 * DAY, is_first=is_first) if part.changes]
    assert (changes[0].start, changes[-1].end) == (span.changes_since, span.until)
    assert all(one.end == other.start for one, other in pairwise(changes))


def test_slices_narrow_where_rows_are_dense_and_widen_where_they_are_not() -> None:
    slicer = slicer_of(span_of(MIDNIGHT, MIDNIGHT + 60 * DAY), widest=7 * DAY)
    parts = iter(slicer)
    first = next(parts)
    slicer.observe("created", first.window, 2800, complete=True)
    slicer.observe("changed", first.window, 1400, complete=True)
    second = next(parts)
    slicer.observe("created", second.window, 0, complete=True)
    slicer.observe("changed", second.window, 200, complete=True)
    third = next(parts)
    assert [width_of(part.window) for part in (first, second, third)] == [7 * DAY, DAY, 2 * DAY]


def width_of(window: Window) -> timedelta:
    return window.end - window.start


def test_what_a_window_held_so_far_narrows_slices_and_never_widens_them() -> None:
    slicer = slicer_of(span_of(MIDNIGHT, MIDNIGHT + 60 * DAY), widest=7 * DAY)
    parts = iter(slicer)
    first = next(parts).window
    slicer.observe("created", first, 2800, complete=False)
    second = next(parts).window
    slicer.observe("created", second, 1, complete=False)
    third = next(parts).window
    assert [width_of(window) for window in (first, second, third)] == [7 * DAY, DAY, DAY]


counts = st.lists(st.integers(min_value=0, max_value=10**6), max_size=60)


@given(spans_to_read(), st.timedeltas(DAY, 30 * DAY), counts, st.booleans())
def test_slices_adjoin_and_stay_within_the_width_whatever_is_observed(
    given_: tuple[datetime, datetime],
    widest: timedelta,
    found: list[int],
    known: bool,  # noqa: FBT001 (drawn by hypothesis)
) -> None:
    start, end = given_
    slicer = slicer_of(span_of(start, end), widest=widest, is_known=lambda _: known)
    edge, rows = start, iter(found)
    # Narrow slices are many: the first sixty suffice.
    for part in islice(slicer, 60):
        assert part.window.start == edge
        assert timedelta() < width_of(part.window) <= widest
        edge = part.window.end
        slicer.observe("created", part.window, next(rows, 0), complete=True)
    assert edge <= end


@given(spans_to_read(), st.timedeltas(DAY, 30 * DAY), counts, st.sets(st.integers(0, 400)))
def test_no_slice_splits_a_bucket_whose_checksum_is_known(
    given_: tuple[datetime, datetime], widest: timedelta, found: list[int], unknown: set[int]
) -> None:
    start, end = given_
    grid = Grid(floor(end - 2 * DAY, HOUR))

    def is_known(bucket: datetime) -> bool:
        return (bucket - floor(start, DAY)) // HOUR not in unknown

    span = span_of(start, end, grid=grid)
    slicer, rows = slicer_of(span, widest=widest, is_known=is_known), iter(found)
    for part in islice(slicer, 60):
        stop = part.window.end
        bucket = grid.bucket(stop)
        assert stop in {bucket, end} or not is_known(bucket)
        slicer.observe("created", part.window, next(rows, 0), complete=True)


@given(spans_to_read(), counts, st.integers(0, 5))
def test_the_first_windows_are_narrow_and_grow_at_most_fourfold(
    given_: tuple[datetime, datetime], found: list[int], delay: int
) -> None:
    slicer = slicer_of(span_of(*given_), widest=30 * DAY, is_first=True)
    widest_complete, rows, open_ = timedelta(hours=1.5), iter(found), list[Window]()
    for part in islice(slicer, 60):
        assert width_of(part.window) <= 4 * widest_complete
        open_.append(part.window)
        if len(open_) > delay:
            window = open_.pop(0)
            slicer.observe("created", window, next(rows, 0), complete=True)
            widest_complete = max(widest_complete, width_of(window))


def test_an_empty_account_is_read_in_few_windows() -> None:
    slicer = slicer_of(span_of(OLDEST, LATEST), widest=7 * DAY, is_first=True)
    windows = []
    for part in slicer:
        windows.append(part.window)
        slicer.observe("created", part.window, 0, complete=True)
    assert len(windows) < REACH / (7 * DAY) + 8


def next_in_thread(parts: Any) -> tuple[threading.Thread, list[Slice]]:
    found: list[Slice] = []
    asking = threading.Thread(target=lambda: found.append(next(parts)), daemon=True)
    asking.start()
    return asking, found


def test_a_slice_that_may_be_wider_waits_for_the_windows_before_it() -> None:
    slicer = slicer_of(span_of(MIDNIGHT, MIDNIGHT + 60 * DAY), widest=7 * DAY, is_first=True)
    parts = iter(slicer)
    first = next(parts).window
    slicer.begin()
    asking, found = next_in_thread(parts)
    asking.join(0.05)
    assert not found
    slicer.observe("created", first, 0, complete=True)
    slicer.end()
    asking.join(60)
    assert [width_of(part.window) for part in found] == [DAY]


def test_a_window_that_failed_is_not_waited_for() -> None:
    slicer = slicer_of(span_of(MIDNIGHT, MIDNIGHT + 60 * DAY), widest=7 * DAY, is_first=True)
    parts = iter(slicer)
    next(parts)
    slicer.begin()
    slicer.end()
    asking, found = next_in_thread(parts)
    asking.join(60)
    assert [width_of(part.window) for part in found] == [6 * HOUR]


def test_slices_that_cannot_be_wider_are_cut_ahead() -> None:
    slicer = slicer_of(span_of(MIDNIGHT, MIDNIGHT + 60 * DAY), widest=7 * DAY)
    parts = iter(slicer)
    for _ in range(5):
        slicer.begin()
        asking, found = next_in_thread(parts)
        asking.join(60)
        assert [width_of(part.window) for part in found] == [7 * DAY]


def test_slices_end_at_full_hours() -> None:
    span = span_of(MIDNIGHT + 30 * timedelta(minutes=1), MIDNIGHT + 20 * DAY)
    first, second, *_ = slices(span, 7 * DAY - timedelta(minutes=1))
    assert first.window.end == MIDNIGHT + 7 * DAY
    assert second.window.end == MIDNIGHT + 14 * DAY - HOUR


def test_the_lookback_can_be_cut_into_days() -> None:
    due = share(MIDNIGHT - 20 * DAY, MIDNIGHT - 13 * DAY)
    slicer = slicer_of(span_of(MIDNIGHT, MIDNIGHT + 5 * DAY, due), widest=7 * DAY)
    parts = iter(slicer)
    whole = next(parts)
    slicer.split_days()
    days = list(slicer.split(whole))
    assert [width_of(part.window) for part in (whole, *days, *parts)] == [
        7 * DAY,
        *[DAY] * 7,
        5 * DAY,
    ]
    assert days[-1] == replace(whole, window=days[-1].window)


@given(spans_to_read(), st.timedeltas(DAY, 30 * DAY), counts, st.booleans())
def test_a_slice_with_too_many_rows_is_cut_again(
    given_: tuple[datetime, datetime],
    widest: timedelta,
    found: list[int],
    known: bool,  # noqa: FBT001 (drawn by hypothesis)
) -> None:
    span = span_of(*given_)
    slicer = slicer_of(span, widest=widest, is_known=lambda _: known)
    for part, rows in zip(slicer, found, strict=False):
        slicer.observe("created", part.window, rows, complete=False)
        single = known and span.grid.end(span.grid.bucket(part.window.start)) >= part.window.end
        if not slicer.is_too_large(part, rows):
            narrow = width_of(part.window) <= timedelta(minutes=10)
            assert rows < 1200 or single or narrow
            continue
        again = list(islice(slicer.split(part), 60))
        assert rows >= 1200
        assert (again[0].window.start, again[0].changes) == (
            part.window.start,
            Window(part.window.start, again[0].window.end),
        )
        assert all(one.window.end == other.window.start for one, other in pairwise(again))
        assert all(one.window.end <= part.window.end for one in again)
        assert again[0].window.end < part.window.end


def test_slices_never_become_narrower_than_ten_minutes() -> None:
    slicer = slicer_of(span_of(NOW, NOW + DAY))
    slicer.observe("created", Window(NOW, NOW + timedelta(seconds=1)), 10**9, complete=True)
    assert width_of(next(iter(slicer)).window) == timedelta(minutes=10)


def test_a_span_knows_how_much_it_holds() -> None:
    due = share(MIDNIGHT - 20 * DAY, MIDNIGHT - 15 * DAY)
    assert span_of(MIDNIGHT, MIDNIGHT + DAY, due).seconds == 6 * 24 * 3600


@pytest.mark.parametrize(
    ("seconds", "other"),
    [(-1.5, 0), (-1, 1), (-0.5, 1), (0, 0), (3599, 0), (3600, 1), (3601, 0)],
)
def test_a_row_on_the_edge_belongs_to_another_window(seconds: float, other: int) -> None:
    moment = MIDNIGHT + timedelta(seconds=seconds)
    assert Window(MIDNIGHT, MIDNIGHT + HOUR).is_just_outside(moment) == other


def test_a_window_can_be_halved() -> None:
    window = Window(MIDNIGHT, MIDNIGHT + DAY)
    assert window.halves() == (
        Window(MIDNIGHT, MIDNIGHT + DAY / 2),
        Window(MIDNIGHT + DAY / 2, MIDNIGHT + DAY),
    )


# ---- names ---------------------------------------------------------------------------------------


def test_the_name_of_a_window_is_its_own_bounds() -> None:
    window = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    assert str(window) == "2026-05-01T00:00:00Z to 2026-05-02T00:00:00Z"
