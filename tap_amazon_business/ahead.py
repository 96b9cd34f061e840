"""Reading ahead in order: many sequences at once, handed on one after the other.

Amazon's pages within a window have to be asked for one by one, windows are independent. Threads
read several windows at a time; whoever consumes sees them in the order in which they were given.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

T = TypeVar("T")


class _Sequence(Generic[T]):
    """What was read of one sequence and not yet handed on."""

    def __init__(self) -> None:
        self.items: deque[T] = deque()
        self.ended = False
        self.error: BaseException | None = None


class ReadAhead(Generic[T]):
    """Runs sources on threads and hands on what they yield, source after source.

    At most `hold` items are held at a time, and one more where the source whose turn it is has
    none: so nothing can stand still. A source's error is raised in its turn, after all that came
    before it.

    Args:
        sources: Each is called on a thread and yields its items.
        threads: How many run at once.
        hold: How many items may wait before the threads pause.
    """

    def __init__(
        self, sources: Iterable[Callable[[], Iterable[T]]], *, threads: int, hold: int
    ) -> None:
        self._sources = iter(sources)
        self._hold = hold
        self._changed = threading.Condition()
        self._sequences: deque[_Sequence[T]] = deque()
        self._running = 0
        self._held = 0
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"read-ahead-{index}", daemon=True)
            for index in range(threads)
        ]

    def __enter__(self) -> Self:
        self._running = len(self._threads)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Iterator[T]]:
        """Yield one iterator per source, in order; each is to be used up before the next."""
        while (sequence := self._next_sequence()) is not None:
            yield self._items(sequence)

    def _next_sequence(self) -> _Sequence[T] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._sequences or not self._running)
            return self._sequences[0] if self._sequences else None

    def _items(self, sequence: _Sequence[T]) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: sequence.items or sequence.ended)
                if not sequence.items:
                    break
                item = sequence.items.popleft()
                self._held -= 1
                self._changed.notify_all()
            yield item
        with self._changed:
            self._sequences.popleft()
            self._changed.notify_all()
        if sequence.error is not None:
            raise sequence.error

    def _work(self) -> None:
        while (task := self._begin()) is not None:
            source, sequence = task
            try:
                for item in source():
                    if not self._put(sequence, item):
                        return
            except BaseException as error:  # noqa: BLE001 (raised again where it is consumed)
                sequence.error = error
            with self._changed:
                sequence.ended = True
                if sequence.error is not None:
                    self._sources = iter(())  # nobody will come to what lies behind an error
                self._changed.notify_all()

    def _begin(self) -> tuple[Callable[[], Iterable[T]], _Sequence[T]] | None:
        """Take the next source, when there is room for what it reads; None when all are taken."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or not self._sequences or self._held < self._hold
            )
            sequence: _Sequence[T] = _Sequence()
            try:
                source = None if self._stopped else next(self._sources, None)
            except BaseException as error:  # noqa: BLE001 (raised again where it is consumed)
                source, sequence.ended, sequence.error = None, True, error
            if source is None:
                self._running -= 1
            if source is not None or sequence.ended:
                self._sequences.append(sequence)
            self._changed.notify_all()
            return None if source is None else (source, sequence)

    def _put(self, sequence: _Sequence[T], item: T) -> bool:
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or self._held < self._hold or self._awaited(sequence)
            )
            if self._stopped:
                return False
            sequence.items.append(item)
            self._held += 1
            self._changed.notify_all()
            return True

    def _awaited(self, sequence: _Sequence[T]) -> bool:
        return sequence is self._sequences[0] and not sequence.items
