"""Reads ahead: several windows at a time, handed over whole and in order.

Amazon's pages of a window have to be requested one by one; windows are independent.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

T = TypeVar("T")
R = TypeVar("R")

# Results that may wait for their turn, besides those that are being read: so the workers need not
# stop while the first one is still reading.
_SPARE = 2


class Prefetch(Generic[T, R]):
    """Reads tasks with a few workers, and yields each task with its result, in order.

    A worker takes a task when it starts to read it, so the tasks may depend on what was read until
    then. At most `workers` tasks are read at a time, and few more results wait for their turn. An
    error is raised in its turn, after everything before it, and nothing is read after it.

    The workers are daemons: neither a signal nor an error waits for a request that is under way.

    Args:
        tasks: What to read. Only one worker at a time asks for the next one.
        read: Reads one task.
        workers: How many threads read.
    """

    def __init__(self, tasks: Iterable[T], read: Callable[[T], R], *, workers: int) -> None:
        self._tasks = iter(tasks)
        self._read = read
        self._lock = threading.Lock()
        self._room = threading.Semaphore(workers + _SPARE)
        self._results: SimpleQueue[Future[tuple[T, R]] | None] = SimpleQueue()
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
        self._stopped = True
        self._room.release(len(self._workers))

    def __iter__(self) -> Iterator[tuple[T, R]]:
        """Yield each task with its result."""
        while (result := self._results.get()) is not None:
            yield result.result()
            self._room.release()

    def _work(self) -> None:
        while True:
            self._room.acquire()
            # The results are in the order in which the tasks were taken.
            with self._lock:
                if self._stopped:
                    self._results.put(None)
                    return
                result: Future[tuple[T, R]] = Future()
                try:
                    task = next(self._tasks)
                except StopIteration:
                    self._stopped = True
                    self._results.put(None)
                    self._room.release(len(self._workers))
                    return
                except BaseException as error:  # noqa: BLE001 (raised again by __iter__)
                    self._stopped = True
                    result.set_exception(error)
                    self._results.put(result)
                    return
                self._results.put(result)
            try:
                result.set_result((task, self._read(task)))
            except BaseException as error:  # noqa: BLE001 (raised again by __iter__)
                self._stopped = True
                result.set_exception(error)


class Pages:
    """The pages of a window, until their turn comes.

    Windows are cut to a few pages, but the first windows of a busy account hold many, as nothing is
    known of it yet. So all but the first pages are kept as JSON, which takes a tenth of the memory
    and some CPU time: a week of 4,000 purchase orders of ten items takes about 10 MB.
    """

    _DECODED = 6

    def __init__(self) -> None:
        self._pages: list[list[Any] | bytes] = []

    def add(self, rows: list[Any]) -> None:
        """Add a page of rows."""
        self._pages.append(_packed(rows) if len(self._pages) >= self._DECODED else rows)

    def __iter__(self) -> Iterator[list[Any]]:
        """Yield the rows of each page."""
        for page in self._pages:
            yield msgspec.json.decode(page) if isinstance(page, bytes) else page


def _packed(rows: list[Any]) -> list[Any] | bytes:
    try:
        return msgspec.json.encode(rows)
    except (OverflowError, RecursionError):  # a number or a nesting that msgspec does not write
        return rows
