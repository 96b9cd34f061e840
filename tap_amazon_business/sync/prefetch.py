"""Reads ahead: several windows at a time, handed over whole and in order.

Amazon's pages of a window have to be requested one by one; windows are independent.
"""

from __future__ import annotations

import threading
import zlib
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from io import SEEK_END
from queue import SimpleQueue
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Generic, Self, TypeVar

from tap_amazon_business.rows import Rows
from tap_amazon_business.sync.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

T = TypeVar("T")
R = TypeVar("R")

# Results that may wait for their turn, besides those that are being read: so the workers need not
# stop while the first one is still reading.
_SPARE = 2

# Bytes of pages, and of compressed pages, that a window keeps in memory.
_MOST_PLAIN = 1 << 22
_MOST_PACKED = 1 << 21


class Readers:
    """What all that reads one API at the same time shares: the turn, and room for results.

    Each Prefetch may always have one result in flight, so that none waits for another for ever.
    What it has beyond is bounded over all of them: memory stays flat however many streams run.

    Args:
        workers: How many tasks a Prefetch reads at a time.
        turn: The right to write, given up by whoever waits for a result.
    """

    def __init__(self, workers: int, turn: Turn | None = None) -> None:
        self.workers = workers
        self.turn = turn or Turn()
        self.changed = threading.Condition()
        self._room = workers + _SPARE

    def read(self, tasks: Iterable[T], read: Callable[[T], R]) -> Prefetch[T, R]:
        """Return what reads tasks with all workers."""
        return Prefetch(tasks, read, workers=self.workers, readers=self)

    def take(self, flying: int) -> bool:
        """Make room for another result beside those of the same Prefetch; tell whether there is."""
        if not flying:
            return True
        if not self._room:
            return False
        self._room -= 1
        return True

    def give(self, flying: int) -> None:
        """Free the room of one of so many results of a Prefetch."""
        self._room += flying > 1
        self.changed.notify_all()


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
        readers: What it shares with others.
    """

    def __init__(
        self,
        tasks: Iterable[T],
        read: Callable[[T], R],
        *,
        workers: int,
        readers: Readers | None = None,
    ) -> None:
        self._tasks = iter(tasks)
        self._read = read
        self._readers = readers or Readers(workers)
        self._most = workers + _SPARE
        self._lock = threading.Lock()
        self._results: SimpleQueue[Future[tuple[T, R]] | None] = SimpleQueue()
        self._flying = 0
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
        with self._readers.changed:
            while self._flying:
                self._land()

    def __iter__(self) -> Iterator[tuple[T, R]]:
        """Yield each task with its result; whoever waits for one gives up the turn."""
        while True:
            with self._readers.turn.given_up():
                result = self._results.get()
                if result is None:
                    return
                outcome = result.result()
            yield outcome
            del outcome, result
            with self._readers.changed:
                self._land()

    def _work(self) -> None:
        while self._take_off():
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

    def _take_off(self) -> bool:
        """Wait for room for another result; tell whether there is any, or everything is over."""
        with self._readers.changed:
            while not self._stopped:
                if self._flying < self._most and self._readers.take(self._flying):
                    self._flying += 1
                    return True
                self._readers.changed.wait()
            return False

    def _land(self) -> None:
        if self._flying:
            self._readers.give(self._flying)
            self._flying -= 1

    def _stop(self) -> None:
        with self._readers.changed:
            self._stopped = True
            self._readers.changed.notify_all()


class Pages:
    """The pages of a window, until their turn comes.

    Windows are cut to a few pages, but the first windows of a busy account hold many, as nothing is
    known of it yet. So all but the first pages are compressed; and what is more than a few
    megabytes then, waits in a temporary file that has no name, as long as the disk has room.
    """

    def __init__(self) -> None:
        self._pages: deque[Rows | bytes | _Place] = deque()
        self._plain = 0
        self._packed = 0
        self._file: IO[bytes] | None = None

    def __del__(self) -> None:
        if self._file:
            self._file.close()

    def add(self, rows: Rows) -> None:
        """Add a page of rows."""
        plain = self._plain + rows.size <= _MOST_PLAIN
        json = None if plain else rows.json()
        if json is None:
            self._plain += rows.size
            self._pages.append(rows)
        else:
            self._pages.append(self._placed(zlib.compress(json, level=1)))

    def __iter__(self) -> Iterator[Rows]:
        """Yield the rows of each page, once."""
        while self._pages:
            page = self._pages.popleft()
            if isinstance(page, Rows):
                yield page
            else:
                packed = page if isinstance(page, bytes) else page.read()
                yield Rows.from_json(zlib.decompress(packed))

    def _placed(self, packed: bytes) -> bytes | _Place:
        if self._packed + len(packed) > _MOST_PACKED:
            with suppress(OSError):
                # Without a buffer, a disk that is full is noticed at once.
                self._file = self._file or TemporaryFile(buffering=0)  # noqa: SIM115
                place = _Place(self._file, self._file.seek(0, SEEK_END), len(packed))
                if self._file.write(packed) == len(packed):
                    return place
        self._packed += len(packed)
        return packed


@dataclass(frozen=True)
class _Place:
    """Where a page stands in a file."""

    file: IO[bytes]
    offset: int
    size: int

    def read(self) -> bytes:
        self.file.seek(self.offset)
        return self.file.read(self.size)
