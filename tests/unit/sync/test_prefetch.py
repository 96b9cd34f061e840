"""Sources are read ahead on threads, handed on in order, and left alone when nobody wants them."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from itertools import chain, count, islice
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tap_amazon_business.ahead import ReadAhead

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

T = TypeVar("T")

# How long a thread may take that has nothing left to wait for; what stands still would stand
# still for good.
PATIENCE = 20
pytestmark = pytest.mark.timeout(120)

lengths = st.lists(st.integers(min_value=0, max_value=6), max_size=8)
threads_at_once = st.integers(min_value=1, max_value=5)
holds = st.integers(min_value=1, max_value=4)
# Where something stands still, looking for the smallest example of it takes too long.
quick_to_fail = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


class BrokenError(Exception):
    """What a source fails with."""


class Gauge:
    """Counts up and down from any thread, and remembers the most there ever was."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value = 0
        self.peak = 0

    def add(self, number: int) -> None:
        with self._changed:
            self._value += number
            self.peak = max(self.peak, self._value)
            self._changed.notify_all()

    def wait_until(self, value: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._value >= value, PATIENCE)


def source(number: int, length: int) -> Callable[[], Iterable[tuple[int, int]]]:
    """Return a source of so many items, which tell where they come from."""
    return lambda: ((number, index) for index in range(length))


def failing(*items: str) -> Callable[[], Iterator[str]]:
    """Return a source that fails after these items."""

    def run() -> Iterator[str]:
        yield from items
        raise BrokenError

    return run


def endless() -> Iterable[int]:
    return count()


def in_time(act: Callable[[], T]) -> T:
    """Do something, and fail where it stands still."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(act())
        except BaseException as error:  # noqa: BLE001 (raised by whoever asks for the result)
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done.result(PATIENCE)


def read_all(
    sources: Sequence[Callable[[], Iterable[T]]], *, threads: int = 2, hold: int = 4
) -> list[list[T]]:
    def read() -> list[list[T]]:
        with ReadAhead(sources, threads=threads, hold=hold) as ahead:
            return [list(items) for items in ahead]

    return in_time(read)


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead-")]


def assert_ended(threads: Iterable[threading.Thread]) -> None:
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


# ---- order ---------------------------------------------------------------------------------------


@quick_to_fail
@given(lengths, threads_at_once, holds)
def test_everything_comes_once_and_in_order_and_nothing_stands_still(
    lengths: list[int], threads: int, hold: int
) -> None:
    sources = [source(number, length) for number, length in enumerate(lengths)]
    assert read_all(sources, threads=threads, hold=hold) == [list(run()) for run in sources]


@quick_to_fail
@given(st.permutations(range(5)))
def test_the_order_is_kept_whatever_finishes_first(finishing: list[int]) -> None:
    finished = [threading.Event() for _ in finishing]

    def run(number: int) -> Iterator[int]:
        yield number
        place = finishing.index(number)
        if place:
            assert finished[finishing[place - 1]].wait(PATIENCE)
        yield -number
        finished[number].set()

    sources = [lambda number=number: run(number) for number in range(5)]
    expected = [[number, -number] for number in range(5)]
    assert read_all(sources, threads=5, hold=10) == expected


def test_items_are_handed_on_before_their_source_has_ended() -> None:
    handed_on = threading.Event()

    def run() -> Iterator[str]:
        yield "first"
        assert handed_on.wait(PATIENCE)
        yield "second"

    with ReadAhead([run], threads=1, hold=4) as ahead:
        items = next(iter(ahead))
        assert next(items) == "first"
        handed_on.set()
        assert next(items) == "second"


def test_sources_without_items_keep_their_place() -> None:
    sources = [source(0, 0), source(1, 1), source(2, 0), source(3, 1), source(4, 0)]
    assert read_all(sources) == [[], [(1, 0)], [], [(3, 0)], []]


@pytest.mark.parametrize("threads", [1, 4])
def test_without_sources_there_is_nothing(threads: int) -> None:
    assert read_all([], threads=threads) == []


# ---- errors --------------------------------------------------------------------------------------


def test_an_error_comes_after_all_that_its_source_and_those_before_it_have_yielded() -> None:
    failed = threading.Event()

    def last() -> Iterator[str]:
        yield "third"
        failed.set()
        raise BrokenError

    def first() -> Iterator[str]:
        # The error is there before anything else is.
        assert failed.wait(PATIENCE)
        yield "first"
        yield "second"

    seen: list[str] = []

    def consume() -> None:
        with ReadAhead([first, last], threads=2, hold=4) as ahead:
            for items in ahead:
                seen.extend(items)

    with pytest.raises(BrokenError):
        consume()
    assert seen == ["first", "second", "third"]


def test_a_source_that_fails_before_its_first_item_fails_in_its_turn() -> None:
    with ReadAhead([lambda: ["first"], failing()], threads=2, hold=4) as ahead:
        sequences = iter(ahead)
        assert list(next(sequences)) == ["first"]
        with pytest.raises(BrokenError):
            list(next(sequences))


def test_a_source_that_cannot_even_be_called_fails_in_its_turn() -> None:
    def broken() -> Iterator[str]:
        raise BrokenError

    with pytest.raises(BrokenError):
        read_all([lambda: ["first"], broken])


@pytest.mark.parametrize("threads", [1, 4])
def test_a_list_of_sources_that_breaks_off_fails_after_the_sources_before_it(threads: int) -> None:
    def sources() -> Iterator[Callable[[], Iterable[tuple[int, int]]]]:
        yield source(0, 2)
        yield source(1, 1)
        raise BrokenError

    with ReadAhead(sources(), threads=threads, hold=4) as ahead:
        sequences = iter(ahead)
        assert list(next(sequences)) == [(0, 0), (0, 1)]
        assert list(next(sequences)) == [(1, 0)]
        with pytest.raises(BrokenError):
            list(next(sequences))


def test_no_source_is_begun_behind_an_error() -> None:
    begun = Gauge()

    def run() -> Iterator[str]:
        begun.add(1)
        yield "item"

    with ReadAhead([failing("first"), *[run] * 9], threads=1, hold=20) as ahead:
        running = readers()
        assert_ended(running)  # there is room for everything, and nothing is consumed yet
        assert next(next(iter(ahead))) == "first"
    assert begun.peak == 0


@quick_to_fail
@given(lengths, st.integers(min_value=0, max_value=6), threads_at_once, holds)
def test_an_error_never_makes_anything_stand_still(
    lengths: list[int], before: int, threads: int, hold: int
) -> None:
    sources: list[Callable[[], Iterable[object]]] = [
        source(number, length) for number, length in enumerate(lengths)
    ]
    sources.insert(len(sources) // 2, failing(*"x" * before))
    with pytest.raises(BrokenError):
        read_all(sources, threads=threads, hold=hold)


# ---- how much at once ----------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_sources_run_at_once_as_there_are_threads(threads: int) -> None:
    running, together = Gauge(), threading.Barrier(threads)

    def run() -> Iterator[int]:
        running.add(1)
        together.wait(PATIENCE)
        yield 0
        running.add(-1)

    assert read_all([run] * 12, threads=threads, hold=12) == [[0]] * 12
    assert running.peak == threads


def test_one_thread_reads_ahead_as_much_as_may_be_held_and_one_item_in_hand() -> None:
    ahead_of_consumer = Gauge()

    def run() -> Iterator[int]:
        for item in range(200):
            ahead_of_consumer.add(1)
            yield item

    with ReadAhead([run], threads=1, hold=5) as ahead:
        items = next(iter(ahead))
        for _ in range(100):
            # The thread has gone as far as it may: five held, and one that it cannot put down.
            ahead_of_consumer.wait_until(5 + 1)
            ahead_of_consumer.add(-1)
            next(items)
    assert ahead_of_consumer.peak == 5 + 1


def test_many_threads_hold_no_more_than_told_one_item_and_what_each_has_in_hand() -> None:
    ahead_of_consumer = Gauge()

    def run() -> Iterator[int]:
        for item in range(20):
            ahead_of_consumer.add(1)
            yield item

    with ReadAhead([run] * 20, threads=3, hold=5) as ahead:
        for number, items in enumerate(ahead):
            while True:
                if number < 18:  # towards the end there is nothing left to read ahead
                    ahead_of_consumer.wait_until(5)
                ahead_of_consumer.add(-1)
                if next(items, None) is None:
                    ahead_of_consumer.add(1)
                    break
    assert ahead_of_consumer.peak <= 5 + 1 + 3


def test_no_source_is_begun_before_there_is_room_for_what_it_reads() -> None:
    ahead_of_consumer = Gauge()

    def run() -> Iterator[str]:
        ahead_of_consumer.add(1)
        yield "item"

    with ReadAhead([run] * 100, threads=1, hold=3) as ahead:
        for number, items in enumerate(ahead):
            if number < 90:  # towards the end there is nothing left to read ahead
                ahead_of_consumer.wait_until(3)
            ahead_of_consumer.add(-1)
            assert list(items) == ["item"]
    assert ahead_of_consumer.peak == 3


def test_a_slow_source_is_not_kept_waiting_by_those_that_are_ahead_of_it() -> None:
    # What is held is full of the second source's items when the first begins to yield.
    full = Gauge()

    def slow() -> Iterator[int]:
        full.wait_until(3)
        yield from range(10)

    def quick() -> Iterator[int]:
        for item in range(10):
            full.add(1)
            yield item

    assert read_all([slow, quick], threads=2, hold=2) == [[*range(10)]] * 2


# ---- the end -------------------------------------------------------------------------------------


def test_threads_end_when_everything_is_read() -> None:
    with ReadAhead([source(0, 3)] * 5, threads=3, hold=4) as ahead:
        running = readers()
        assert [len(list(items)) for items in ahead] == [3] * 5
    assert_ended(running)


def test_threads_end_when_the_consumer_leaves_early() -> None:
    with ReadAhead([endless] * 8, threads=4, hold=3) as ahead:
        running = readers()
        items = next(iter(ahead))
        assert [next(items) for _ in range(10)] == [*range(10)]
    assert len(running) >= 4  # another test's last one may be about to end
    assert_ended(running)


def test_threads_end_when_the_consumer_fails() -> None:
    running: list[threading.Thread] = []

    def consume() -> None:
        with ReadAhead([endless] * 8, threads=4, hold=3) as ahead:
            running.extend(readers())
            next(next(iter(ahead)))
            raise BrokenError

    with pytest.raises(BrokenError):
        consume()
    assert_ended(running)


def test_threads_end_when_a_generator_around_them_is_closed() -> None:
    running: list[threading.Thread] = []

    def consume() -> Generator[int, None, None]:
        with ReadAhead([endless] * 8, threads=4, hold=3) as ahead:
            running.extend(readers())
            for items in ahead:
                yield from items

    consuming = consume()
    assert next(consuming) == 0
    # So a sync ends that is told to stop after some records.
    consuming.close()
    assert_ended(running)


def test_threads_end_when_a_source_fails() -> None:
    running: list[threading.Thread] = []

    def consume() -> None:
        with ReadAhead([failing(), *[endless] * 8], threads=4, hold=3) as ahead:
            running.extend(readers())
            for items in ahead:
                list(items)

    with pytest.raises(BrokenError):
        consume()
    assert_ended(running)


def test_threads_end_when_nobody_ever_reads() -> None:
    with ReadAhead([endless] * 8, threads=4, hold=3):
        running = readers()
    assert_ended(running)


def test_no_source_is_begun_once_the_consumer_has_left() -> None:
    begun = Gauge()

    def run() -> Iterator[str]:
        begun.add(1)
        yield "item"

    with ReadAhead([run] * 100, threads=1, hold=3) as ahead:
        running = readers()
        assert next(next(iter(ahead))) == "item"
        begun.wait_until(1 + 3)  # one is used up, three are held: there is no room for more
    assert_ended(running)
    assert begun.peak == 1 + 3


@quick_to_fail
@given(lengths, threads_at_once, holds, st.integers(min_value=0, max_value=12))
def test_threads_end_wherever_the_consumer_leaves(
    lengths: list[int], threads: int, hold: int, wanted: int
) -> None:
    sources = [source(number, length) for number, length in enumerate(lengths)]

    def read() -> tuple[list[tuple[int, int]], list[threading.Thread]]:
        with ReadAhead(sources, threads=threads, hold=hold) as ahead:
            everything = chain.from_iterable(ahead)
            return [*islice(everything, wanted)], readers()

    got, running = in_time(read)
    assert got == [item for run in sources for item in run()][:wanted]
    assert_ended(running)
