"""How far a sync is, and how long the rest takes: a model of readers and of a usage plan."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
from tap_amazon_business.sync.course import NumberCourse, SpanCourse

from tap_amazon_business.sync.windows import Share, Slice, Slicer, Span, Window
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

# How many rows there are at a share of the span, relative to other times.
Density = Callable[[float], float]

SINCE = datetime(2024, 6, 1, tzinfo=UTC)
UNTIL = datetime(2026, 6, 1, tzinfo=UTC)
SPAN = Span(SINCE, UNTIL)
DAY = timedelta(days=1)
EVERY = 30.0
STEPS = 2_000


@dataclass(frozen=True)
class Account:
    """An account and its usage plan.

    Attributes:
        density: How many rows there are, relative to other times.
        rows: How many rows there are in all.
        queries: The share of the rows that each query finds.
        rate: Requests a second.
        burst: How many requests may come at once.
        latency: Seconds until a page is there.
        page: Rows on a page.
        pages_per_slice: How many pages a slice should hold.
        widest: The widest window.
        per_row: Seconds that the children of a row take.
    """

    density: Density
    rows: float
    queries: tuple[float, ...] = (1.0,)
    rate: float = 0.5
    burst: int = 10
    latency: float = 2.0
    page: int = 50
    pages_per_slice: int = 10
    widest: timedelta = timedelta(days=92)
    per_row: float = 0.0


class Model:
    """One sync of an account: four readers ahead of one writer, second by second.

    Attributes:
        samples: The seconds left as they were told every half minute, by the time.
    """

    def __init__(self, account: Account, span: Span = SPAN, workers: int = 4) -> None:
        self.account = account
        self.clock = FakeClock()
        self.samples: list[tuple[float, float | None]] = []
        names = [f"query {number}" for number in range(len(account.queries))]
        self.course = SpanCourse(span, dict.fromkeys(names, True), self.clock)
        self._slicer = Slicer(
            span, widest=account.widest, rows=account.pages_per_slice * account.page
        )
        self._shares = dict(zip(names, account.queries, strict=True))
        self._tasks = ((part, name) for part in self._slicer for name in names)
        self._last = names[-1]
        self._events: list[tuple[float, int]] = []
        self._running: dict[int, _Window] = {}
        self._idle = list(range(workers))
        self._flying: deque[_Window] = deque()
        self._most = workers + 2
        self._tokens = float(account.burst)
        self._token_at = 0.0
        densities = [account.density((step + 0.5) / STEPS) for step in range(STEPS)]
        whole = sum(densities)
        self._older = [0.0, *(account.rows * part / whole for part in accumulate(densities))]

    def run(self) -> float:
        """Sync; return how many seconds it took."""
        self._start()
        for window in self.course.awaited(self._results()):
            for rows in window.pages:
                self.course.begin_page(rows)
                for row in range(rows if self.account.per_row else 0):
                    self._pass_until(self.clock.monotonic() + self.account.per_row)
                    self.course.part(row + 1, rows)
            if window.query == self._last:
                self.course.finish(window.part)
            self._flying.popleft()
            self._start()
        return self.clock.monotonic()

    def _rows(self, window: Window, query: str) -> int:
        begin, end = (
            round(self._before(at) * self._shares[query]) for at in (window.start, window.end)
        )
        return end - begin

    def _before(self, moment: datetime) -> float:
        """Return how many rows are older than a moment."""
        place, rest = divmod((moment - SINCE) / (UNTIL - SINCE) * STEPS, 1)
        older = self._older[int(place)]
        return older + rest * (self._older[min(int(place) + 1, STEPS)] - older)

    def _start(self) -> None:
        """Let idle readers take the next windows."""
        while self._idle and len(self._flying) < self._most:
            part, query = next(self._tasks, (None, ""))
            if part is None:
                return
            rows, page = self._rows(part.window, query), self.account.page
            sizes = [page] * (rows // page) + ([rows % page] if rows % page or not rows else [])
            window = _Window(part, query, sizes)
            self._flying.append(window)
            reader = self._idle.pop()
            self._running[reader] = window
            self._request(reader, self.clock.monotonic())

    def _request(self, reader: int, now: float) -> None:
        account = self.account
        self._tokens = min(account.burst, self._tokens + (now - self._token_at) * account.rate)
        self._token_at = now
        self._tokens -= 1
        wait = max(-self._tokens / account.rate, 0.0)
        heapq.heappush(self._events, (now + wait + account.latency, reader))

    def _event(self) -> None:
        """Let the next page come."""
        at, reader = heapq.heappop(self._events)
        self._move(at)
        window = self._running[reader]
        window.read += 1
        rows = window.pages[window.read - 1]
        self.course.read(window.query, window.part.window, rows)
        self._slicer.observe(window.query, window.part.window, sum(window.pages[: window.read]))
        if window.read < len(window.pages):
            self._request(reader, at)
            return
        self.course.complete(window.query, window.part.window)
        self._idle.append(reader)
        self._start()

    def _results(self) -> Iterator[_Window]:
        while self._flying:
            window = self._flying[0]
            while window.read < len(window.pages):
                self._event()
            yield window

    def _pass_until(self, moment: float) -> None:
        while self._events and self._events[0][0] <= moment:
            self._event()
        self._move(moment)

    def _move(self, moment: float) -> None:
        while (mark := EVERY * (len(self.samples) + 1)) <= moment:
            self.clock.advance(seconds=max(mark - self.clock.monotonic(), 0))
            self.samples.append((mark, self.course.place().left))
        self.clock.advance(seconds=max(moment - self.clock.monotonic(), 0))


class _Window:
    def __init__(self, part: Slice, query: str, pages: list[int]) -> None:
        self.part = part
        self.query = query
        self.pages = pages
        self.read = 0


def even(_: float) -> float:
    return 1.0


def growing(share: float) -> float:
    return 1 + share


def shrinking(share: float) -> float:
    return 1.5 - share / 2


def weekly(share: float) -> float:
    """Return the density of an account that rests at weekends."""
    return 0.1 if (share * 730) % 7 >= 5 else 1.0


def seasonal(share: float) -> float:
    """Return the density of an account with a busy time in each of its two years."""
    return 1 + 0.2 * math.cos(4 * math.pi * share)


def bursty(share: float) -> float:
    """Return the density of an account that ordered twenty times as much in one week."""
    return 20.0 if 0.3 < share < 0.31 else 1.0


BUSINESS = partial(Account, rows=7_500)
VENDOR = partial(
    Account, rate=10, latency=0.4, page=100, pages_per_slice=4, widest=timedelta(days=7)
)
PLANS: dict[str, Callable[[Density], Account]] = {
    "half a request a second": BUSINESS,
    "three regions": partial(BUSINESS, queries=(0.7, 0.29, 0.01)),
    "ten requests a second": partial(VENDOR, rows=290_000, queries=(0.9, 0.4)),
    "slow children": partial(VENDOR, rows=150, queries=(0.9, 0.1), per_row=2.0),
    "children of many rows": partial(VENDOR, rows=15_000, queries=(0.9, 0.1), per_row=0.02),
}
DENSITIES: tuple[Density, ...] = (even, growing, shrinking, weekly, seasonal, bursty)
ACCOUNTS = {
    f"{density.__name__}, {name}": plan(density)
    for density in DENSITIES
    for name, plan in PLANS.items()
}


@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=ACCOUNTS)
def test_the_time_left_is_right_within_a_third_over_the_second_half(account: Account) -> None:
    model = Model(account)
    took = model.run()
    late = [(took - at, left) for at, left in model.samples if at >= took / 2]
    assert 240 < took < 560
    # Nobody plans by less than ten seconds.
    off = {true: left for true, left in late if abs((left or 0) - true) > max(true / 3, 10)}
    assert off == {}


def test_a_span_is_done_as_far_as_its_slices_are_written(clock: FakeClock) -> None:
    again = Share(Window(SINCE - 5 * DAY, SINCE - 3 * DAY), SINCE, UNTIL)
    span = Span(SINCE, SINCE + 6 * DAY, shares=(again,))
    course = SpanCourse(span, {"created": True, "changed": False}, clock)
    places = [course.place()]
    course.finish(Slice(again.window, position=UNTIL))
    places.append(course.place())
    course.finish(Slice(Window(SINCE, SINCE + 3 * DAY)))
    places.append(course.place())
    assert [(place.share, place.until, place.again) for place in places] == [
        (0, SINCE - 5 * DAY, True),
        (0.25, SINCE - 3 * DAY, True),
        (0.625, SINCE + 3 * DAY, False),
    ]


def test_nothing_tells_the_time_left_before_each_query_had_an_answer(clock: FakeClock) -> None:
    window = Window(SINCE, SINCE + DAY)
    course = SpanCourse(SPAN, {"created": True, "changed": True}, clock)
    clock.advance(seconds=1)
    course.read("created", window, 10)
    course.complete("created", window)
    course.begin_page(10)
    course.part(5, 10)
    assert course.place().left is None
    course.read("changed", window, 10)
    course.complete("changed", window)
    assert course.place().left


def test_numbers_are_done_as_they_are_asked_for(clock: FakeClock) -> None:
    course = NumberCourse("purchase orders", clock)
    assert (course.place().share, course.place().left) == (0, None)
    for done in range(1, 4):
        clock.advance(seconds=2)
        course.tell(done, 12)
    place = course.place()
    assert (place.share, place.done, place.of, place.left) == (0.25, 3, 12, 18)
