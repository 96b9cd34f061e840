"""The change feed, and the cheapest way to read again what it names."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.streams.change_feed import ChangeFeed, Rereading, cheapest
from tap_amazon_business.sync.turn import Turn
from tap_amazon_business.sync.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_amazon_business.streams.change_feed import Changes

# Seconds after which something has stopped for ever. Nothing here takes long.
PATIENCE = 60
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY
MAY = datetime(2026, 5, 1, tzinfo=UTC)
SINCE, UNTIL = MAY + 20 * DAY, MAY + 21 * DAY


def status(
    number: object,
    updated: str | None = "2026-05-21T12:00:00Z",
    ordered: str = "2026-05-01T00:00:00Z",
) -> dict[str, Any]:
    return {
        "purchaseOrderNumber": number,
        "purchaseOrderDate": ordered,
        "lastUpdatedDate": updated,
    }


def feed() -> ChangeFeed:
    """Return the feed of purchase_order_statuses that is going to be read."""
    found = ChangeFeed(Turn())
    found.expect()
    return found


# ---- the feed ------------------------------------------------------------------------------------


def test_a_feed_that_nobody_reads_does_not_tell() -> None:
    assert ChangeFeed(Turn()).changes(SINCE) is None


def test_a_complete_feed_tells_what_changed_and_until_when() -> None:
    found = feed()
    found.note([status("1"), status("2", ordered="unknown")], SINCE)
    found.cover(SINCE, UNTIL)
    found.done()
    assert found.changes(SINCE) == ({"1": MAY, "2": None}, UNTIL)


@pytest.mark.parametrize("updated", ["soon", "", None])
def test_a_status_that_does_not_tell_when_it_changed_is_a_change(updated: str | None) -> None:
    found = feed()
    found.note([status("1", updated)], SINCE)
    found.cover(SINCE, UNTIL)
    found.done()
    assert found.changes(SINCE) == ({"1": MAY}, UNTIL)


def test_a_status_that_was_not_updated_since_then_is_no_change() -> None:
    found = feed()
    found.note([status("1", "2026-05-20T23:59:59Z"), status("2", "2026-05-21T00:00:00Z")], SINCE)
    found.cover(SINCE, UNTIL)
    found.done()
    assert found.changes(SINCE) == ({"2": MAY}, UNTIL)


@pytest.mark.parametrize(
    ("since", "tells"), [(SINCE - SECOND, False), (SINCE, True), (SINCE + DAY, True)]
)
def test_a_feed_tells_only_since_when_it_was_read(since: datetime, *, tells: bool) -> None:
    found = feed()
    found.cover(SINCE, UNTIL)
    found.done()
    assert (found.changes(since) is not None) is tells


def test_a_feed_that_ended_early_does_not_tell() -> None:
    found = feed()
    found.note([status("1")], SINCE)
    found.done()
    assert found.changes(SINCE) is None


def test_whoever_asks_waits_for_the_end_and_gives_up_the_turn() -> None:
    turn = Turn()
    found = ChangeFeed(turn)
    found.expect()
    turn.take()

    def read() -> None:
        turn.take()  # it would wait for ever if whoever asks kept it
        found.note([status("1")], SINCE)
        found.cover(SINCE, UNTIL)
        turn.give()
        found.done()

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    assert found.changes(SINCE) == ({"1": MAY}, UNTIL)
    reading.join(PATIENCE)
    # It has the turn again.
    asked: list[bool] = []
    asking = threading.Thread(target=lambda: asked.append(turn.take(timeout=0.001)), daemon=True)
    asking.start()
    asking.join(PATIENCE)
    assert asked == [False]


def test_a_feed_may_be_asked_more_than_once() -> None:
    found = feed()
    found.cover(SINCE, UNTIL)
    found.done()
    assert found.changes(SINCE) == found.changes(SINCE) == ({}, UNTIL)


# ---- the cheapest way ----------------------------------------------------------------------------


def pages_a_day(pages: float) -> Callable[[Window], float]:
    """Return how many pages a window holds where every day holds so many."""
    return lambda window: (window.end - window.start) / DAY * pages


def on_days(*days: float) -> Changes:
    return {str(number): MAY + day * DAY for number, day in enumerate(days)}


def test_nothing_changed_is_nothing_to_read() -> None:
    found = cheapest({}, pages=pages_a_day(1), longest=WEEK)
    assert found == Rereading([], [])
    assert list(found) == []


def test_a_single_order_is_asked_for_by_number() -> None:
    assert cheapest(on_days(0), pages=pages_a_day(0.01), longest=WEEK) == Rereading([], ["0"])


def test_neighbours_are_read_by_a_window_from_the_first_to_the_last() -> None:
    found = cheapest(on_days(2, 0, 1), pages=pages_a_day(0.1), longest=WEEK)
    assert found == Rereading([Window(MAY, MAY + 2 * DAY + SECOND)], [])


def test_neighbours_on_as_many_pages_are_asked_for_by_number() -> None:
    # A window of two orders that takes two pages is not cheaper than two numbers.
    found = cheapest(on_days(0, 1), pages=pages_a_day(0.9999), longest=WEEK)
    assert found == Rereading([Window(MAY, MAY + DAY + SECOND)], [])
    found = cheapest(on_days(0, 1), pages=pages_a_day(1), longest=WEEK)
    assert found == Rereading([], ["0", "1"])


def test_orders_that_are_pages_apart_are_no_neighbours() -> None:
    found = cheapest(on_days(0, 0.1, 5, 5.1, 9), pages=pages_a_day(1), longest=WEEK)
    assert found == Rereading(
        [
            Window(MAY, MAY + 0.1 * DAY + SECOND),
            Window(MAY + 5 * DAY, MAY + 5.1 * DAY + SECOND),
        ],
        ["4"],
    )


def test_no_window_is_longer_than_the_longest() -> None:
    found = cheapest(on_days(0, 3, 6, 9, 12), pages=pages_a_day(0.01), longest=WEEK)
    assert found == Rereading(
        [Window(MAY, MAY + 6 * DAY + SECOND), Window(MAY + 9 * DAY, MAY + 12 * DAY + SECOND)], []
    )


def test_an_order_of_an_unknown_date_is_asked_for_by_number() -> None:
    changes: Changes = {"unknown": None, **on_days(0, 1)}
    found = cheapest(changes, pages=pages_a_day(0.1), longest=WEEK)
    assert found == Rereading([Window(MAY, MAY + DAY + SECOND)], ["unknown"])


def test_without_numbers_everything_that_has_a_date_is_read_by_windows() -> None:
    changes: Changes = {"unknown": None, **on_days(0, 20)}
    found = cheapest(changes, pages=pages_a_day(1), longest=WEEK, by_number=False)
    assert found == Rereading(
        [Window(MAY, MAY + SECOND), Window(MAY + 20 * DAY, MAY + 20 * DAY + SECOND)], []
    )


def test_windows_are_read_before_numbers() -> None:
    found = cheapest(on_days(9, 0, 0.1), pages=pages_a_day(1), longest=WEEK)
    assert list(found) == [Window(MAY, MAY + 0.1 * DAY + SECOND), "0"]


changes_of_a_year = st.dictionaries(
    st.text("0123456789", min_size=1, max_size=4),
    st.none() | st.integers(0, 365 * 24 * 60).map(lambda minutes: MAY + minutes * HOUR / 60),
    max_size=30,
)


@given(changes_of_a_year, st.floats(0.001, 50))
def test_every_order_is_read_in_exactly_one_way(changes: Changes, density: float) -> None:
    found = cheapest(changes, pages=pages_a_day(density), longest=WEEK)
    for number, date in changes.items():
        windows = [w for w in found.windows if date and w.start <= date < w.end]
        assert len(windows) + found.numbers.count(number) == 1
    assert len(found.numbers) == len(set(found.numbers))
    assert all(window.end - window.start <= WEEK for window in found.windows)


@given(changes_of_a_year, st.floats(0.001, 50))
def test_no_way_costs_more_than_by_number(changes: Changes, density: float) -> None:
    pages = pages_a_day(density)
    found = cheapest(changes, pages=pages, longest=WEEK)
    assert len(found.numbers) + sum(max(pages(w), 1) for w in found.windows) <= len(changes)
