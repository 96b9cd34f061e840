"""Whatever the schedule, everything within the lookback is read again once in a cycle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_amazon_business.sync.lookback import Lookback, due

NOW = datetime(2026, 6, 1, 12, 7, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
USUAL = Lookback(180 * DAY, 2 * DAY, DAY)


class Account:
    """Some moments of the past, and when each was read last."""

    def __init__(self, lookback: Lookback) -> None:
        self.lookback = lookback
        self.now = self.position = NOW
        self.read = {NOW - place * DAY / 3: NOW for place in range(1, 3 * 180)}
        self.longest = timedelta()
        self.spent = timedelta()

    def sync(self, gap: timedelta, *, killed_at: float = 1.0) -> None:
        """Read what is due; killed in the middle, only a part of each window is read."""
        self.now += gap
        for share in due(self.lookback, position=self.position, now=self.now):
            window = share.window
            end = window.start + killed_at * (window.end - window.start)
            for moment, read in self.read.items():
                if window.start <= moment < end:
                    self.longest = max(self.longest, self.now - read)
                    self.read[moment] = self.now
            self.spent += end - window.start
            self.position = share.position(end)
            if killed_at < 1:
                break
        else:
            self.position = self.now
        for moment in self.read:
            if moment >= self.lookback.end(self.now):  # read by every sync
                self.read[moment] = self.now

    @property
    def oldest_reading(self) -> timedelta:
        """How long ago the one that waits longest was read."""
        begin = self.lookback.begin(self.now)
        waiting = [self.now - read for moment, read in self.read.items() if moment >= begin]
        return max([self.longest, *waiting])


@pytest.mark.parametrize(
    ("gap", "days"),
    [(HOUR / 6, 178 / 144), (HOUR, 178 / 24), (6 * HOUR, 178 / 4), (DAY, 178), (7 * DAY, 178)],
    ids=["ten minutes", "an hour", "six hours", "a night", "a week"],
)
def test_the_cost_follows_the_schedule(gap: timedelta, days: float) -> None:
    account = Account(USUAL)
    syncs = max(3, min(150, 2 * DAY // gap))
    for _ in range(syncs):
        account.sync(gap)
    assert account.spent / syncs / DAY == pytest.approx(days, rel=0.02)
    assert account.oldest_reading <= max(gap, USUAL.cycle)


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.floats(0.1, 40).map(lambda hours: hours * HOUR), min_size=5, max_size=40),
    cycle=st.sampled_from([6, 24, 100]),
    length=st.sampled_from([3, 30, 180]),
)
def test_everything_is_read_within_a_cycle_and_a_sync(
    gaps: list[timedelta], cycle: int, length: int
) -> None:
    account = Account(Lookback(length * DAY, 2 * DAY, cycle * HOUR))
    for gap in gaps:
        account.sync(gap)
    assert account.oldest_reading <= cycle * HOUR + max(gaps)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.2, 5), st.floats(0, 1)), min_size=10, max_size=50))
def test_killed_in_the_middle_it_continues_at_the_position(
    syncs: list[tuple[float, float]],
) -> None:
    account = Account(USUAL)
    for hours, killed_at in syncs:
        account.sync(hours * HOUR, killed_at=killed_at)
    # What is due is made up for by one complete sync.
    account.sync(HOUR)
    account.longest = timedelta()
    assert account.oldest_reading <= USUAL.cycle + HOUR
    assert account.position == account.now


def test_without_a_cycle_every_sync_reads_all_of_it() -> None:
    every = Lookback(180 * DAY, 2 * DAY, timedelta())
    (share,) = due(every, position=NOW - HOUR, now=NOW)
    assert (share.window.start, share.window.end) == (NOW - 180 * DAY, NOW - 2 * DAY)


@pytest.mark.parametrize("days", [0, 1, 2])
def test_a_lookback_within_the_recent_days_is_nothing(days: int) -> None:
    assert due(Lookback(days * DAY, 2 * DAY, DAY), position=NOW - HOUR, now=NOW) == []


def test_a_position_ahead_of_the_clock_is_nothing_due() -> None:
    assert due(USUAL, position=NOW + HOUR, now=NOW) == []
