"""The write lock, and reading ahead: windows in parallel, handed over whole and in order.

Amazon's pages of a window have to be requested one by one; windows are independent.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Results that may wait to be written, besides those that are being read: so the workers need not
# stop while the first one is still reading.
_SPARE = 2


class WriteLock:
    """The right to write messages and to call the SDK, handed on in the order of asking.

    The SDK is not made for threads. A stream keeps the lock while it builds and writes records, and
    releases it while it waits for pages. A plain lock would let the thread that releases it take it
    again immediately.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._holder: int | None = None

    def acquire(self, timeout: float = -1) -> bool:
        """Wait for the lock, at most so many seconds; return whether this thread has it."""
        own = threading.Lock()
        with self._lock:
            if self._holder is None:
                self._holder = threading.get_ident()
                return True
            own.acquire()
            self._waiting.append(own)
        if not own.acquire(timeout=timeout):
            with self._lock:
                if own in self._waiting:
                    self._waiting.remove(own)
                    return False
        self._holder = threading.get_ident()
        return True

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the lock for a while, if this thread has it."""
        if self._holder != threading.get_ident():
            yield
            return
        self.release()
        try:
            yield
        finally:
            self.acquire()

    def release(self) -> None:
        """Hand on the lock."""
        with self._lock:
            self._holder = None
            if self._waiting:
                # It is never free in between: another thread would overtake.
                self._holder = 0
                self._waiting.popleft().release()


class ReadBudget:
    """The write lock and the budget of results, shared by all streams that read one API.

    Each Prefetch may always have one result in flight, so that none waits for another for ever.
    What it has beyond is bounded over all of them: memory stays flat however many streams run.

    Args:
        workers: How many tasks a Prefetch reads in parallel.
        lock: The right to write, released while a thread waits for a result.
    """

    def __init__(self, workers: int, lock: WriteLock | None = None) -> None:
        self.workers = workers
        self.lock = lock or WriteLock()
        self.changed = threading.Condition()
        self._free = workers + _SPARE

    def read(
        self, tasks: Iterable[T], read: Callable[[T], R], *, most: int | None = None
    ) -> Prefetch[T, R]:
        """Return what reads tasks with all workers, or with so many at most."""
        return Prefetch(tasks, read, workers=min(self.workers, most or self.workers), budget=self)

    def reserve(self, in_flight: int) -> bool:
        """Reserve another result beside those of the same Prefetch; return whether there is one."""
        if not in_flight:
            return True
        if not self._free:
            return False
        self._free -= 1
        return True

    def release(self, in_flight: int) -> None:
        """Release one of so many results of a Prefetch."""
        self._free += in_flight > 1
        self.changed.notify_all()


class Prefetch(Generic[T, R]):
    """Reads tasks with a few workers, and yields each task with its result, in order.

    A worker takes a task when it starts to read it, so the tasks may depend on what was read until
    then. At most `workers` tasks are read in parallel, and few more results wait to be written. An
    error is raised after everything before it, and nothing is read after it.

    The workers are daemons: neither a signal nor an error waits for a request that is under way.
    """

    def __init__(
        self,
        tasks: Iterable[T],
        read: Callable[[T], R],
        *,
        workers: int,
        budget: ReadBudget | None = None,
    ) -> None:
        self._tasks = iter(tasks)
        self._read = read
        self._budget = budget or ReadBudget(workers)
        self._most = workers + _SPARE
        self._lock = threading.Lock()
        self._results: SimpleQueue[Future[tuple[T, R]] | None] = SimpleQueue()
        self._in_flight = 0
        self._stopped = False
        self._workers = [
            threading.Thread(target=self._work, name=f"prefetch-{number}", daemon=True)
            for number in range(workers)
        ]

    def __enter__(self) -> Self:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()
        with self._budget.changed:
            while self._in_flight:
                self._release()

    def __iter__(self) -> Iterator[tuple[T, R]]:
        """Yield each task with its result; the write lock is released meanwhile."""
        while True:
            with self._budget.lock.released():
                result = self._results.get()
                if result is None:
                    return
                outcome = result.result()
            yield outcome
            del outcome, result
            with self._budget.changed:
                self._release()

    def _work(self) -> None:
        while self._reserve():
            # The results are in the order in which the tasks were taken.
            with self._lock:
                if self._stopped:
                    self._results.put(None)
                    return
                result: Future[tuple[T, R]] = Future()
                try:
                    task = next(self._tasks)
                except StopIteration:
                    self._stop()
                    self._results.put(None)
                    return
                except BaseException as error:  # noqa: BLE001 (raised again by __iter__)
                    result.set_exception(error)
                    self._results.put(result)
                    self._stop()
                    return
                self._results.put(result)
            try:
                result.set_result((task, self._read(task)))
            except BaseException as error:  # noqa: BLE001 (raised again by __iter__)
                self._stop()
                result.set_exception(error)
            del task, result
        self._results.put(None)

    def _reserve(self) -> bool:
        """Wait until another result can be reserved; return False if everything has ended."""
        with self._budget.changed:
            while not self._stopped:
                if self._in_flight < self._most and self._budget.reserve(self._in_flight):
                    self._in_flight += 1
                    return True
                self._budget.changed.wait()
            return False

    def _release(self) -> None:
        if self._in_flight:
            self._budget.release(self._in_flight)
            self._in_flight -= 1

    def _stop(self) -> None:
        with self._budget.changed:
            self._stopped = True
            self._budget.changed.notify_all()
