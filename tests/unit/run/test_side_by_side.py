"""Streams side by side: each runs once, one at a time writes, and an error is never lost."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import pytest

from tap_amazon_business.run.side_by_side import side_by_side
from tap_amazon_business.sync.prefetch import WriteLock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_amazon_business.streams.base import AmazonStream

# Seconds after which something has stopped for ever. Nothing here takes long.
PATIENCE = 60
SOON = 0.001


class BrokenError(Exception):
    """An error that no stream expects."""


class Steps:
    """A stream that records which methods are called, and does something while it is synced."""

    def __init__(
        self, name: str, noted: list[str], sync: Callable[[], object] = lambda: None
    ) -> None:
        self.name = name
        self.ended = threading.Event()
        self._noted = noted
        self._sync = sync

    def prepare(self) -> None:
        self._noted.append(f"prepare {self.name}")

    def sync(self) -> None:
        self._noted.append(f"sync {self.name}")
        self._sync()

    def flush_bookmark(self) -> None:
        self._noted.append(f"flush {self.name}")

    def finalize_state_progress_markers(self) -> None:
        self._noted.append(f"finalize {self.name}")

    def done(self) -> None:
        self._noted.append(f"done {self.name}")
        self.ended.set()


def run(lock: WriteLock, *streams: Steps) -> None:
    side_by_side(cast("list[AmazonStream]", list(streams)), lock)


def wait_for_the_end_of(*streams: Steps) -> None:
    for stream in streams:
        assert stream.ended.wait(PATIENCE)


def fail() -> None:
    raise BrokenError


def of(name: str, noted: list[str]) -> list[str]:
    return [step.partition(" ")[0] for step in noted if step.endswith(f" {name}")]


def test_without_streams_there_is_nothing_to_do() -> None:
    run(WriteLock())


def test_every_stream_is_synced_once_and_learns_of_its_end() -> None:
    noted: list[str] = []
    streams = [Steps(name, noted) for name in "abc"]
    run(WriteLock(), *streams)
    wait_for_the_end_of(*streams)
    for name in "abc":
        assert of(name, noted) == ["prepare", "sync", "flush", "finalize", "done"]


def test_every_stream_is_ready_before_the_first_one_runs() -> None:
    noted: list[str] = []
    streams = [Steps(name, noted) for name in "abc"]
    run(WriteLock(), *streams)
    assert noted[:3] == ["prepare a", "prepare b", "prepare c"]


def test_a_stream_runs_while_another_one_releases_the_lock() -> None:
    lock, met = WriteLock(), threading.Event()

    def wait() -> None:
        with lock.released():
            assert met.wait(PATIENCE)

    run(lock, Steps("a", [], wait), Steps("b", [], met.set))


def test_one_stream_at_a_time_holds_the_lock() -> None:
    lock = WriteLock()
    inside: list[int] = []
    crowds: list[int] = []

    def work() -> None:
        for _ in range(50):
            inside.append(1)
            crowds.append(len(inside))
            inside.pop()
            with lock.released():
                pass

    run(lock, *(Steps(name, [], work) for name in "abc"))
    assert crowds == [1] * 150


def test_the_lock_is_free_after_the_last_stream() -> None:
    lock = WriteLock()
    run(lock, Steps("a", []), Steps("b", []))
    assert lock.acquire(timeout=PATIENCE)


# ---- errors that no stream expects ---------------------------------------------------------------


def test_an_unexpected_error_is_raised() -> None:
    with pytest.raises(BrokenError):
        run(WriteLock(), Steps("a", []), Steps("b", [], fail), Steps("c", []))


def test_an_error_of_ending_a_thread_is_raised() -> None:
    def end() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        run(WriteLock(), Steps("a", [], end))


def test_a_stream_that_fails_learns_of_its_end() -> None:
    noted: list[str] = []
    broken = Steps("a", noted, fail)
    with pytest.raises(BrokenError):
        run(WriteLock(), broken)
    wait_for_the_end_of(broken)
    assert of("a", noted) == ["prepare", "sync", "done"]


def test_no_stream_writes_after_an_unexpected_error() -> None:
    lock = WriteLock()
    failed = threading.Event()
    written: list[str] = []

    def write() -> None:
        with lock.released():
            assert failed.wait(PATIENCE)
        written.append("too late")

    def break_down() -> None:
        failed.set()
        raise BrokenError

    others = [Steps(name, [], write) for name in "ab"]
    with pytest.raises(BrokenError):
        run(lock, *others, Steps("c", [], break_down))
    assert not lock.acquire(timeout=SOON)
    assert written == []


def test_a_stream_that_waits_for_a_failed_one_resumes() -> None:
    lock = WriteLock()
    broken = Steps("a", [], fail)
    resumed = threading.Event()

    def wait() -> None:
        with suppress(AssertionError), lock.released():
            assert broken.ended.wait(PATIENCE)
            resumed.set()

    with pytest.raises(BrokenError):
        run(lock, Steps("b", [], wait), broken)
    assert resumed.wait(PATIENCE)
