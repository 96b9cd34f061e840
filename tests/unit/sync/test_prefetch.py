"""Tasks are read ahead by a few workers; results come whole and in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack
from itertools import count, islice
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tap_amazon_business.sync.prefetch import Prefetch, ReadBudget, WriteLock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

T = TypeVar("T")

# Seconds after which something has stopped for ever. Nothing here takes long.
PATIENCE = 60
pytestmark = pytest.mark.timeout(180)
# Results that may wait besides those that are being read.
SPARE = 2

tasks_at_all = st.integers(min_value=0, max_value=12)
workers_at_once = st.integers(min_value=1, max_value=5)
# Where something hangs, shrinking the example would take too long.
no_shrinking = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


class BrokenError(Exception):
    """The error of reading."""


class Gauge:
    """Counts up and down from any thread, and remembers the highest count."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value = 0
        self.peak = 0

    @property
    def value(self) -> int:
        with self._changed:
            return self._value

    def add(self, number: int) -> None:
        with self._changed:
            self._value += number
            self.peak = max(self.peak, self._value)
            self._changed.notify_all()

    def wait_until(self, value: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._value >= value, PATIENCE)


def double(number: int) -> int:
    return 2 * number


def fail(number: int) -> int:
    raise BrokenError(number)


def in_time(act: Callable[[], T]) -> T:
    """Call a function on a thread, and fail where it hangs."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(act())
        except BaseException as error:  # noqa: BLE001 (raised again by result())
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done.result(PATIENCE)


def read_all(
    tasks: Iterable[int], read: Callable[[int], T], *, workers: int = 2
) -> list[tuple[int, T]]:
    def run() -> list[tuple[int, T]]:
        with Prefetch(tasks, read, workers=workers) as prefetch:
            return list(prefetch)

    return in_time(run)


def own_workers(prefetch: Prefetch[Any, Any]) -> list[threading.Thread]:
    return list(prefetch._workers)  # noqa: SLF001 (threads of other tests may still be ending)


def assert_ended(threads: Iterable[threading.Thread]) -> None:
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


# ---- order ---------------------------------------------------------------------------------------


@no_shrinking
@given(tasks_at_all, workers_at_once)
def test_every_task_comes_once_and_in_order(tasks: int, workers: int) -> None:
    expected = [(number, 2 * number) for number in range(tasks)]
    assert read_all(range(tasks), double, workers=workers) == expected


@no_shrinking
@given(st.permutations(range(5)))
def test_results_come_in_the_order_of_the_tasks_whichever_is_read_first(
    finishing: list[int],
) -> None:
    finished = [threading.Event() for _ in finishing]

    def read(number: int) -> int:
        if place := finishing.index(number):
            assert finished[finishing[place - 1]].wait(PATIENCE)
        finished[number].set()
        return -number

    expected = [(number, -number) for number in range(5)]
    assert read_all(range(5), read, workers=5) == expected


@pytest.mark.parametrize("workers", [1, 4])
def test_without_tasks_there_are_no_results(workers: int) -> None:
    assert read_all([], double, workers=workers) == []


def test_a_result_comes_before_later_tasks_are_read() -> None:
    received = threading.Event()

    def read(number: int) -> int:
        assert number == 0 or received.wait(PATIENCE)
        return number

    with Prefetch(range(2), read, workers=2) as prefetch:
        results = iter(prefetch)
        assert next(results) == (0, 0)
        received.set()
        assert next(results) == (1, 1)


def test_none_is_a_result_like_any_other() -> None:
    assert read_all(range(3), lambda _: None) == [(0, None), (1, None), (2, None)]


# ---- taking tasks --------------------------------------------------------------------------------


def test_a_worker_takes_a_task_only_when_it_starts_to_read_it() -> None:
    taken, read_so_far, may_end = Gauge(), Gauge(), threading.Event()

    def tasks() -> Iterator[int]:
        for number in range(10):
            taken.add(1)
            yield number

    def read(number: int) -> int:
        read_so_far.add(1)
        assert may_end.wait(PATIENCE)
        return number

    with Prefetch(tasks(), read, workers=3) as prefetch:
        read_so_far.wait_until(3)
        assert taken.value == 3
        may_end.set()
        assert len(list(prefetch)) == 10


def test_later_tasks_may_depend_on_what_was_read_before() -> None:
    seen: list[int] = []

    def tasks() -> Iterator[int]:
        for _ in range(5):
            yield len(seen)

    def read(number: int) -> int:
        seen.append(number)
        return number

    assert read_all(tasks(), read, workers=1) == [(number, number) for number in range(5)]


def test_only_one_worker_at_a_time_asks_for_a_task() -> None:
    asking = Gauge()

    def tasks() -> Iterator[int]:
        for number in range(200):
            asking.add(1)
            time.sleep(0)  # lets other threads run
            asking.add(-1)
            yield number

    assert len(read_all(tasks(), double, workers=5)) == 200
    assert asking.peak == 1


# ---- how many in parallel ------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_tasks_are_read_at_once_as_there_are_workers(workers: int) -> None:
    reading, together = Gauge(), threading.Barrier(workers)

    def read(number: int) -> int:
        reading.add(1)
        together.wait(PATIENCE)
        reading.add(-1)
        return number

    assert len(read_all(range(12), read, workers=workers)) == 12
    assert reading.peak <= workers


@pytest.mark.parametrize("workers", [1, 3])
def test_only_a_few_results_wait_to_be_handed_over(workers: int) -> None:
    ahead = Gauge()

    def read(number: int) -> int:
        ahead.add(1)
        return number

    with Prefetch(range(100), read, workers=workers) as prefetch:
        for number, _ in prefetch:
            if number < 90:  # towards the end nothing is left to read ahead
                ahead.wait_until(workers + SPARE)
            ahead.add(-1)
    assert ahead.peak == workers + SPARE


def test_workers_read_on_while_the_first_result_takes_its_time() -> None:
    others = Gauge()

    def read(number: int) -> int:
        if number == 0:
            others.wait_until(1 + SPARE)
        else:
            others.add(1)
        return number

    assert len(read_all(range(10), read, workers=2)) == 10


# ---- errors --------------------------------------------------------------------------------------


def test_an_error_comes_in_its_turn_although_it_happened_first() -> None:
    failed = threading.Event()

    def read(number: int) -> int:
        if number == 1:
            failed.set()
            raise BrokenError
        assert failed.wait(PATIENCE)
        return number

    with Prefetch(range(2), read, workers=2) as prefetch:
        results = iter(prefetch)
        assert next(results) == (0, 0)
        with pytest.raises(BrokenError):
            next(results)


def test_no_task_is_read_after_an_error() -> None:
    begun: list[int] = []

    def read(number: int) -> int:
        begun.append(number)
        raise BrokenError

    with Prefetch(count(), read, workers=1) as prefetch:
        assert_ended(own_workers(prefetch))  # although nothing is consumed yet
        with pytest.raises(BrokenError):
            next(iter(prefetch))
    assert begun == [0]


class BrokenOnce:
    """Tasks that fail at the second one, and would continue."""

    def __init__(self) -> None:
        self.asked = 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.asked += 1
        if self.asked == 2:
            raise BrokenError
        return self.asked


def test_no_task_is_taken_after_an_error_of_the_tasks() -> None:
    tasks = BrokenOnce()
    with Prefetch(tasks, double, workers=2) as prefetch:
        assert_ended(own_workers(prefetch))  # although nothing is consumed yet
    assert tasks.asked == 2


@pytest.mark.parametrize("workers", [1, 4])
def test_an_error_of_the_tasks_comes_after_the_results_before_it(workers: int) -> None:
    def tasks() -> Iterator[int]:
        yield from range(2)
        raise BrokenError

    with Prefetch(tasks(), double, workers=workers) as prefetch:
        results = iter(prefetch)
        assert [next(results), next(results)] == [(0, 0), (1, 2)]
        with pytest.raises(BrokenError):
            next(results)


@no_shrinking
@given(tasks_at_all, st.integers(min_value=0, max_value=12), workers_at_once)
def test_an_error_never_hangs(tasks: int, broken: int, workers: int) -> None:
    def read(number: int) -> int:
        if number == broken:
            raise BrokenError
        return number

    if broken < tasks:
        with pytest.raises(BrokenError):
            read_all(range(tasks), read, workers=workers)
    else:
        assert len(read_all(range(tasks), read, workers=workers)) == tasks


# ---- the end -------------------------------------------------------------------------------------


def test_workers_end_when_everything_is_read() -> None:
    with Prefetch(range(5), double, workers=3) as prefetch:
        assert len(list(prefetch)) == 5
    assert_ended(own_workers(prefetch))


def test_workers_end_when_the_consumer_leaves_early() -> None:
    with Prefetch(count(), double, workers=4) as prefetch:
        assert [number for number, _ in islice(prefetch, 10)] == [*range(10)]
    assert_ended(own_workers(prefetch))


def test_workers_end_when_the_consumer_fails() -> None:
    prefetch = Prefetch(count(), double, workers=4)

    def consume() -> None:
        with prefetch as results:
            next(iter(results))
            raise BrokenError

    with pytest.raises(BrokenError):
        consume()
    assert_ended(own_workers(prefetch))


def test_workers_end_when_a_generator_around_them_is_closed() -> None:
    prefetch = Prefetch(count(), double, workers=4)

    def consume() -> Generator[int, None, None]:
        with prefetch as results:
            for number, _ in results:
                yield number

    # As the SDK ends a sync that stops after some records.
    consuming = consume()
    assert next(consuming) == 0
    consuming.close()
    assert_ended(own_workers(prefetch))


def test_workers_end_when_no_result_is_read() -> None:
    with Prefetch(count(), double, workers=4) as prefetch:
        pass
    assert_ended(own_workers(prefetch))


@pytest.mark.parametrize("workers", [1, 4])
def test_workers_end_after_an_error(workers: int) -> None:
    def read(number: int) -> int:
        if number == 3:
            raise BrokenError
        return number

    prefetch = Prefetch(count(), read, workers=workers)

    def consume() -> None:
        with prefetch as results:
            list(results)

    with pytest.raises(BrokenError):
        consume()
    assert_ended(own_workers(prefetch))


def test_no_task_is_taken_once_the_consumer_has_left() -> None:
    begun = Gauge()

    def read(number: int) -> int:
        begun.add(1)
        return number

    with Prefetch(count(), read, workers=1) as prefetch:
        next(iter(prefetch))
        begun.wait_until(1 + SPARE)  # there is no room for more
    assert_ended(own_workers(prefetch))
    assert begun.peak == 1 + SPARE


@no_shrinking
@given(tasks_at_all, workers_at_once, st.integers(min_value=0, max_value=12))
def test_workers_end_wherever_the_consumer_leaves(tasks: int, workers: int, wanted: int) -> None:
    def read() -> tuple[list[int], list[threading.Thread]]:
        with Prefetch(range(tasks), double, workers=workers) as prefetch:
            return [number for number, _ in islice(prefetch, wanted)], own_workers(prefetch)

    got, running = in_time(read)
    assert got == [*range(tasks)][:wanted]
    assert_ended(running)


# ---- several at a time ---------------------------------------------------------------------------


class Counted:
    """Reads numbers, and counts those that are read and not handed over yet."""

    def __init__(self) -> None:
        self.ahead = Gauge()

    def read(self, number: int) -> int:
        self.ahead.add(1)
        return number

    def consume(self, prefetch: Prefetch[int, int], most: int) -> None:
        for number, _ in prefetch:
            self.ahead.add(-1)
            if number == most:
                break


def consumed(prefetch: Prefetch[int, int]) -> list[int]:
    return in_time(lambda: [number for number, _ in prefetch])


def test_each_prefetch_gets_a_result_although_others_use_up_the_budget() -> None:
    budget, greedy = ReadBudget(2), Counted()
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(budget.read(count(), greedy.read))
        greedy.ahead.wait_until(3 + 2 + SPARE)  # there is no room for more
        with budget.read(range(20), double) as modest:
            assert consumed(modest) == [*range(20)]


def test_a_prefetch_within_another_one_gets_results() -> None:
    budget = ReadBudget(1)
    found: list[int] = []
    with budget.read(range(5), double) as outer:
        for number, _ in outer:
            with budget.read(range(number), double) as inner:
                found += consumed(inner)
    assert found == [number for most in range(5) for number in range(most)]


@pytest.mark.parametrize("together", [2, 5])
def test_what_is_beyond_one_result_each_is_bounded_over_all(together: int) -> None:
    budget, counted = ReadBudget(3), Counted()
    most = together + 3 + SPARE
    with ExitStack() as stack:
        all_of_them = [
            stack.enter_context(budget.read(count(), counted.read)) for _ in range(together)
        ]
        counted.ahead.wait_until(most)
        consumers = [
            threading.Thread(target=counted.consume, args=[prefetch, 50], daemon=True)
            for prefetch in all_of_them
        ]
        for consumer in consumers:
            consumer.start()
        assert_ended(consumers)
    assert counted.ahead.peak == most


@pytest.mark.parametrize("wanted", [0, 1, 3])
def test_the_budget_is_free_after_the_end(wanted: int) -> None:
    budget = ReadBudget(2)
    for _ in range(10):
        full = Counted()
        with budget.read(count(), full.read) as left_early:
            full.ahead.wait_until(2 + SPARE)
            assert len([*islice(left_early, wanted)]) == wanted
        with budget.read(range(5), double) as complete:
            assert consumed(complete) == [*range(5)]
    counted = Counted()
    with budget.read(count(), counted.read), budget.read(count(), counted.read):
        counted.ahead.wait_until(2 + 2 + SPARE)


def test_the_budget_is_free_after_an_error() -> None:
    budget, counted = ReadBudget(2), Counted()

    for _ in range(10):
        with pytest.raises(BrokenError), budget.read(count(), fail) as failing:
            consumed(failing)
    with budget.read(count(), counted.read), budget.read(count(), counted.read):
        counted.ahead.wait_until(2 + 2 + SPARE)


# ---- the write lock ------------------------------------------------------------------------------


def taken_elsewhere(lock: WriteLock) -> bool:
    """Return whether another thread gets the lock."""

    def ask() -> bool:
        if came := lock.acquire(timeout=0.001):
            lock.release()
        return came

    return in_time(ask)


def test_the_write_lock_is_released_while_a_thread_waits_for_a_result() -> None:
    lock = WriteLock()
    budget = ReadBudget(1, lock)
    written: list[str] = []

    def read(number: int) -> int:
        lock.acquire()  # it would wait for ever if the consumer kept it
        written.append(f"read {number}")
        lock.release()
        return number

    def consume() -> None:
        lock.acquire()
        with budget.read(range(3), read) as prefetch:
            for number, _ in prefetch:
                assert not taken_elsewhere(lock)
                written.append(f"got {number}")
        lock.release()

    in_time(consume)
    assert [line for line in written if line.startswith("got")] == ["got 0", "got 1", "got 2"]
    assert len(written) == 6
    assert taken_elsewhere(lock)


def test_the_write_lock_is_held_again_when_an_error_comes() -> None:
    lock = WriteLock()

    def consume() -> bool:
        lock.acquire()
        with pytest.raises(BrokenError), ReadBudget(1, lock).read(range(3), fail) as prefetch:
            list(prefetch)
        return taken_elsewhere(lock)

    assert not in_time(consume)


# ---- a process that has to end -------------------------------------------------------------------

ENDLESS = """
import signal, sys, threading
from tap_amazon_business.sync.prefetch import Prefetch

def read(number):
    if number == 0:
        return number
    threading.Event().wait()  # a response that never comes

signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
with Prefetch(range(100), read, workers=4) as prefetch:
    for number, result in prefetch:
        print("first", flush=True)
        {then}
"""


@pytest.mark.parametrize(
    ("then", "status"),
    [("pass", 128 + signal.SIGTERM), ("sys.exit(3)", 3), ("raise BrokenPipeError", 1)],
    ids=["SIGTERM", "exit", "no consumer"],
)
def test_a_process_ends_although_workers_still_read(then: str, status: int) -> None:
    command = [sys.executable, "-c", ENDLESS.format(then=then)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "first\n"
            process.send_signal(signal.SIGTERM) if then == "pass" else None
            assert process.wait(PATIENCE) == status
        finally:
            process.kill()
