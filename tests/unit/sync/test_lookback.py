"""All whole days of the lookback are read again once a cycle, whatever the schedule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tap_amazon_business.sync.checksums import ceil
from tap_amazon_business.sync.lookback import Lookback, due
from tap_amazon_business.sync.windows import Share, Slice, Slicer, Span, Window, plan

NOW = datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOTHING = timedelta()
LOOKBACK = Lookback(length=60 * DAY, recent=2 * DAY, cycle=DAY)
# Each request begins a second earlier than its window; no position has to be as exact.
ROUNDING = timedelta(seconds=1)

moments = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 (hypothesis wants them naive)
    max_value=datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
lookbacks = st.builds(
    Lookback,
    length=st.timedeltas(min_value=NOTHING, max_value=728 * DAY),
    recent=st.timedeltas(min_value=HOUR, max_value=30 * DAY),
    cycle=st.timedeltas(min_value=HOUR, max_value=31 * DAY),
)
gaps = st.sampled_from([10 * MINUTE, HOUR, 9 * HOUR, DAY, 7 * DAY]) | st.timedeltas(
    min_value=MINUTE, max_value=10 * DAY
)


def width(shares: list[Share]) -> timedelta:
    return sum((share.window.end - share.window.start for share in shares), NOTHING)


def contains(shares: list[Share], moment: datetime) -> bool:
    return any(share.window.start <= moment < share.window.end for share in shares)


# ---- one sync ------------------------------------------------------------------------------------


def test_an_hourly_sync_reads_a_twenty_fourth() -> None:
    (share,) = due(LOOKBACK, position=NOW - HOUR, now=NOW)
    assert share.window.end - share.window.start == pytest.approx(58 * DAY / 24 + HOUR, abs=MINUTE)


def test_a_nightly_sync_reads_everything() -> None:
    shares = due(LOOKBACK, position=NOW - DAY, now=NOW)
    assert width(shares) == 58 * DAY


def test_a_sync_at_the_beginning_of_the_cycle_reads_everything_in_one_part() -> None:
    (share,) = due(LOOKBACK, position=MIDNIGHT - DAY, now=MIDNIGHT)
    assert share.window == Window(MIDNIGHT - 60 * DAY, MIDNIGHT - 2 * DAY)


def test_a_cycle_of_zero_reads_everything_in_every_sync() -> None:
    lookback = replace(LOOKBACK, cycle=NOTHING)
    window = Window(NOW - 60 * DAY, NOW - 2 * DAY)
    assert due(lookback, position=NOW - MINUTE, now=NOW) == [Share(window, NOW - MINUTE, NOW)]


@pytest.mark.parametrize("cycle", [NOTHING, DAY])
@pytest.mark.parametrize("length", [NOTHING, DAY, 2 * DAY])
def test_a_lookback_within_the_recent_days_reads_nothing(
    length: timedelta, cycle: timedelta
) -> None:
    lookback = Lookback(length=length, recent=2 * DAY, cycle=cycle)
    assert due(lookback, position=NOW - 9 * DAY, now=NOW) == []


@pytest.mark.parametrize("ahead", [NOTHING, MINUTE, DAY])
def test_nothing_is_due_twice_at_a_moment_or_where_a_clock_was_ahead(ahead: timedelta) -> None:
    assert due(LOOKBACK, position=NOW + ahead, now=NOW) == []


@given(lookbacks, moments, gaps)
def test_no_sync_reads_more_than_the_whole_lookback_once(
    lookback: Lookback, now: datetime, gap: timedelta
) -> None:
    shares = due(lookback, position=now - gap, now=now)
    assert width(shares) <= lookback.end(now) - lookback.begin(now)
    windows = sorted((share.window.start, share.window.end) for share in shares)
    assert all(end <= start for (_, end), (start, _) in pairwise(windows))


@given(lookbacks, moments, st.floats(min_value=0, max_value=1))
def test_a_sync_costs_what_the_time_since_the_last_one_is_worth(
    lookback: Lookback, now: datetime, part: float
) -> None:
    elapsed = lookback.cycle * part
    length = lookback.end(now) - lookback.begin(now)
    # What the lookback moves on in this time comes on top.
    assert width(due(lookback, position=now - elapsed, now=now)) <= (
        length * part + elapsed + ROUNDING
    )


@given(lookbacks, moments, gaps)
def test_everything_due_lies_within_the_lookback(
    lookback: Lookback, now: datetime, gap: timedelta
) -> None:
    for share in due(lookback, position=now - gap, now=now):
        assert lookback.begin(now) <= share.window.start < share.window.end <= lookback.end(now)


@given(lookbacks, moments, gaps)
def test_parts_are_read_in_the_order_of_their_positions(
    lookback: Lookback, now: datetime, gap: timedelta
) -> None:
    shares = due(lookback, position=now - gap, now=now)
    positions = [moment for share in shares for moment in (share.after, share.until)]
    assert positions == sorted(positions)
    assert all(now - gap <= moment <= now for moment in positions)


# ---- a sync that dies ----------------------------------------------------------------------------


@given(
    lookback=lookbacks,
    now=moments,
    gap=gaps,
    place=st.integers(min_value=0, max_value=1),
    part=st.floats(min_value=0, max_value=1),
    pause=gaps,
)
@example(lookback=LOOKBACK, now=NOW, gap=DAY, place=1, part=0.9, pause=MINUTE)
def test_a_sync_that_dies_continues_without_skipping_anything(
    *,
    lookback: Lookback,
    now: datetime,
    gap: timedelta,
    place: int,
    part: float,
    pause: timedelta,
) -> None:
    shares = due(lookback, position=now - gap, now=now)
    assume(place < len(shares))
    share = shares[place]
    read_until = share.window.start + part * (share.window.end - share.window.start)
    assume(read_until < share.window.end)
    later = due(lookback, position=share.position(read_until), now=now + pause)
    begin = lookback.begin(now + pause)
    unread = [
        Window(read_until, share.window.end),
        *(other.window for other in shares[place + 1 :]),
    ]
    for window in unread:
        start, end = max(window.start, begin) + ROUNDING, window.end - ROUNDING
        if start < end:
            assert contains(later, start)
            assert contains(later, end)


@given(lookbacks, moments, gaps, st.floats(min_value=0, max_value=1))
def test_a_position_lies_between_those_before_and_after_the_part(
    lookback: Lookback, now: datetime, gap: timedelta, part: float
) -> None:
    for share in due(lookback, position=now - gap, now=now):
        middle = share.window.start + part * (share.window.end - share.window.start)
        assert share.after <= share.position(middle) <= share.until
        assert share.position(share.window.start) == share.after
        assert share.position(share.window.end) == share.until


def lookback_slices(span: Span, widest: timedelta, *, known: bool) -> list[Slice]:
    slicer = Slicer(
        span,
        widest=widest,
        rows=400,
        is_first=False,
        is_known=lambda _: known,
    )
    return [part for part in slicer if part.position]


def planned(lookback: Lookback, now: datetime, bookmark: datetime, position: datetime) -> Span:
    return plan(
        now=now,
        margin=NOTHING,
        reach=10_000 * DAY,
        start=None,
        end=None,
        bookmark=bookmark,
        recent=lookback.recent,
        shares=due(lookback, position=position, now=now),
    )


@pytest.mark.parametrize("known", [True, False], ids=["whole days", "parts of days"])
@settings(max_examples=60)
@given(
    lookback=lookbacks,
    now=moments,
    gap=gaps,
    widest=st.timedeltas(min_value=6 * HOUR, max_value=7 * DAY),
    after=st.integers(min_value=0, max_value=40),
    pause=gaps,
)
def test_no_day_is_skipped_after_a_kill_in_the_middle(
    *,
    known: bool,
    lookback: Lookback,
    now: datetime,
    gap: timedelta,
    widest: timedelta,
    after: int,
    pause: timedelta,
) -> None:
    assume(pause < lookback.cycle)
    bookmark = (now - gap).replace(microsecond=0)
    parts = lookback_slices(planned(lookback, now, bookmark, bookmark), widest, known=known)
    assume(after < len(parts))
    position = cast("datetime", parts[after - 1].position) if after else bookmark
    later = planned(lookback, now + pause, bookmark, position.replace(microsecond=0))
    oldest = ceil(lookback.begin(now + pause), DAY)
    for part in parts[after:]:
        for moment in (part.window.start, part.window.end - ROUNDING):
            if moment >= oldest:
                assert moment >= later.since or contains(list(later.shares), moment)


# ---- many syncs ----------------------------------------------------------------------------------


@dataclass
class Account:
    """Rows of every few hours, each with the time when a sync read it last."""

    lookback: Lookback
    now: datetime
    every: timedelta = 7 * HOUR
    read: dict[datetime, datetime] = field(default_factory=dict)
    position: datetime = field(init=False)
    bookmark: datetime = field(init=False)

    def __post_init__(self) -> None:
        row = self.lookback.begin(self.now)
        while row < self.now:
            self.read[row] = self.now
            row += self.every
        self.position = self.bookmark = self.now

    def sync(
        self, gap: timedelta, widest: timedelta, dies_after: int | None = None, *, known: bool
    ) -> None:
        """Sync after a while; die after so many slices of the lookback.

        Args:
            gap: The time since the last sync.
            widest: The widest slice.
            dies_after: How many slices are read, all of them by default.
            known: Whether the checksums of all buckets are known.
        """
        before, self.now = self.now, self.now + gap
        row = max(self.read, default=before)
        while (row := row + self.every) < self.now:
            self.read[row] = row  # it is new
        span = plan(
            now=self.now,
            margin=NOTHING,
            reach=10_000 * DAY,
            start=None,
            end=None,
            bookmark=self.bookmark,
            recent=self.lookback.recent,
            shares=due(self.lookback, position=self.position, now=self.now),
        )
        slicer = Slicer(
            span,
            widest=widest,
            rows=400,
            is_first=False,
            is_known=lambda _: known,
        )
        for place, part in enumerate(part for part in slicer if part.position):
            if place == dies_after:
                return
            self._read(part.window.start, part.window.end)
            # The state holds whole seconds.
            self.position = cast("datetime", part.position).replace(microsecond=0)
        self._read(span.since, self.now)
        self.position = self.bookmark = self.now

    def _read(self, start: datetime, end: datetime) -> None:
        for row in self.read:
            if start <= row < end:
                self.read[row] = self.now

    def oldest_reading(self) -> timedelta:
        """Return how long ago the row of a whole day that waits longest was read last."""
        begin = ceil(self.lookback.begin(self.now), DAY)
        return max(self.now - read for row, read in self.read.items() if row >= begin)


ACCOUNTS: dict[str, Any] = {
    "length": st.timedeltas(min_value=3 * DAY, max_value=60 * DAY),
    "recent": st.timedeltas(min_value=HOUR, max_value=3 * DAY),
    "cycle": st.sampled_from([HOUR, DAY, 7 * DAY])
    | st.timedeltas(min_value=HOUR, max_value=9 * DAY),
}


@pytest.mark.parametrize(
    ("gap", "syncs"),
    [(10 * MINUTE, 320), (HOUR, 80), (DAY, 12), (7 * DAY, 6)],
    ids=["ten minutes", "hour", "night", "week"],
)
@pytest.mark.parametrize("cycle", [NOTHING, HOUR, DAY, 7 * DAY], ids=str)
def test_a_regular_schedule_reads_every_row_once_a_cycle(
    gap: timedelta, syncs: int, cycle: timedelta
) -> None:
    account = Account(Lookback(length=20 * DAY, recent=DAY, cycle=cycle), NOW)
    for _ in range(syncs):
        account.sync(gap, widest=DAY, known=True)
        assert account.oldest_reading() <= cycle


@settings(max_examples=60)
@given(
    st.builds(Lookback, **ACCOUNTS),
    moments,
    st.lists(st.tuples(gaps, st.none() | st.integers(0, 12)), max_size=25),
    st.timedeltas(min_value=6 * HOUR, max_value=7 * DAY),
    st.booleans(),
)
@example(LOOKBACK, NOW, [(DAY, None), (DAY, 8), (HOUR, None)], 7 * DAY, True)
def test_after_a_complete_sync_every_row_was_read_within_the_cycle(
    lookback: Lookback,
    beginning: datetime,
    syncs: list[tuple[timedelta, int | None]],
    widest: timedelta,
    known: bool,  # noqa: FBT001 (drawn by hypothesis)
) -> None:
    # So, until the end of the next complete sync, nothing is older than a cycle and the gap.
    account = Account(lookback, beginning)
    for gap, dies_after in [*syncs, (HOUR, None)]:
        bookmark = account.bookmark
        account.sync(gap, widest, dies_after, known=known)
        if account.bookmark > bookmark:  # it was complete
            assert account.oldest_reading() <= lookback.cycle


def test_many_syncs_cost_as_much_as_one_of_the_same_time() -> None:
    position, read = MIDNIGHT, NOTHING
    for number in range(1, 145):
        now = MIDNIGHT + number * 10 * MINUTE
        read += width(due(LOOKBACK, position=position, now=now))
        position = now
    assert read == pytest.approx(58 * DAY + DAY, rel=0.001)
