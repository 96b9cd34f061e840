"""The write lock: one thread at a time holds it, and it is handed on in the order of asking."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from tap_amazon_business.sync.prefetch import WriteLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Seconds after which something has stopped for ever. Nothing here takes long.
PATIENCE = 60
SOON = 0.001


class BrokenError(Exception):
    """An error while the lock is released."""


@contextmanager
def on_a_thread(act: Callable[[], object]) -> Iterator[None]:
    """Run something on a thread of its own, which has to end."""
    running = threading.Thread(target=act, daemon=True)
    running.start()
    yield
    running.join(PATIENCE)
    assert not running.is_alive()


def wait_for_askers(lock: WriteLock, count: int) -> None:
    until = time.monotonic() + PATIENCE
    while len(lock._waiting) != count:  # noqa: SLF001 (nothing else shows who has asked)
        assert time.monotonic() < until
        time.sleep(0)  # lets other threads run


def is_free(lock: WriteLock) -> bool:
    """Return whether another thread gets the lock."""
    found: list[bool] = []

    def ask() -> None:
        found.append(lock.acquire(timeout=SOON))
        if found[0]:
            lock.release()

    with on_a_thread(ask):
        pass
    return found[0]


# ---- acquiring and handing on --------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [-1, 0, SOON])
def test_acquires_a_free_lock_immediately(timeout: float) -> None:
    assert WriteLock().acquire(timeout=timeout)


def test_no_other_thread_gets_a_lock_that_is_held() -> None:
    lock = WriteLock()
    lock.acquire()
    assert not is_free(lock)
    lock.release()
    assert is_free(lock)


def test_one_thread_at_a_time_holds_it() -> None:
    lock = WriteLock()
    inside: list[int] = []
    crowds: list[int] = []

    def work() -> None:
        for _ in range(100):
            lock.acquire()
            inside.append(1)
            time.sleep(0)  # lets other threads run
            crowds.append(len(inside))
            inside.pop()
            lock.release()

    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(on_a_thread(work))
    assert crowds == [1] * 400


def test_it_is_handed_on_in_the_order_of_asking() -> None:
    lock = WriteLock()
    lock.acquire()
    came: list[str] = []

    def ask(name: str) -> None:
        lock.acquire()
        came.append(name)
        lock.release()

    with ExitStack() as stack:
        for place, name in enumerate("abcde"):
            stack.enter_context(on_a_thread(lambda name=name: ask(name)))  # type: ignore[misc]
            wait_for_askers(lock, place + 1)
        lock.release()
    assert came == [*"abcde"]


def test_a_thread_that_releases_it_does_not_overtake_those_that_wait() -> None:
    lock = WriteLock()
    lock.acquire()
    came: list[str] = []

    def ask() -> None:
        lock.acquire()
        came.append("waiting")
        lock.release()

    with on_a_thread(ask):
        wait_for_askers(lock, 1)
        with lock.released():
            pass  # acquires it again immediately
        came.append("releasing")
        lock.release()
    assert came == ["waiting", "releasing"]


# ---- timeouts ------------------------------------------------------------------------------------


def test_a_wait_that_timed_out_leaves_the_queue() -> None:
    lock = WriteLock()
    lock.acquire()
    came: list[bool] = []
    with on_a_thread(lambda: came.append(lock.acquire(timeout=SOON))):
        pass
    assert came == [False]
    lock.release()
    assert is_free(lock)  # it was not handed to the thread that left


def test_a_lock_is_acquired_within_the_timeout() -> None:
    lock = WriteLock()
    lock.acquire()
    came: list[bool] = []
    with on_a_thread(lambda: came.append(lock.acquire(timeout=PATIENCE))):
        wait_for_askers(lock, 1)
        lock.release()
    assert came == [True]
    assert not is_free(lock)


# ---- releasing -----------------------------------------------------------------------------------


def test_another_thread_gets_a_released_lock() -> None:
    lock = WriteLock()
    lock.acquire()
    with lock.released():
        assert is_free(lock)
    assert not is_free(lock)


def test_it_is_acquired_again_after_an_error() -> None:
    lock = WriteLock()
    lock.acquire()
    with pytest.raises(BrokenError), lock.released():
        raise BrokenError
    assert not is_free(lock)


def test_releasing_what_another_thread_holds_does_nothing() -> None:
    lock = WriteLock()
    lock.acquire()
    free: list[bool] = []

    def release() -> None:
        with lock.released():
            free.append(is_free(lock))

    with on_a_thread(release):
        pass
    assert free == [False]
    assert not is_free(lock)


def test_releasing_a_free_lock_does_nothing() -> None:
    lock = WriteLock()
    with lock.released():
        assert is_free(lock)
    assert is_free(lock)


def test_releasing_twice_releases_once() -> None:
    lock = WriteLock()
    lock.acquire()
    with lock.released(), lock.released():
        assert is_free(lock)
    assert not is_free(lock)
