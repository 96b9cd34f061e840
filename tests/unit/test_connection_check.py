"""Tasks side by side: what they return, how they fail, and when nobody waits for them any more."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tap_amazon_business.connection_check import run_at_once
from tap_amazon_business.errors import RequestFailedError
from tests.support.checks import HeldClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_amazon_business.connection_check import Answer

LATE = "no answer within 7 s. Ask for slow."


@pytest.fixture(name="clock")
def held_clock() -> Iterator[HeldClock]:
    clock = HeldClock()
    yield clock
    clock.let_pass()


def run(clock: HeldClock, **tasks: Callable[[], dict[str, int] | None]) -> dict[str, Answer]:
    return run_at_once(tasks, clock=clock, late="Ask for {}.".format)


def test_returns_what_each_task_returns(clock: HeldClock) -> None:
    assert run(clock, a=lambda: {"x": 1}, b=lambda: None) == {"a": {"x": 1}, "b": None}


def test_tasks_run_at_the_same_time(clock: HeldClock) -> None:
    both = threading.Barrier(2)

    def meet() -> None:
        both.wait(timeout=60)

    assert run(clock, a=meet, b=meet) == {"a": None, "b": None}


def test_returns_a_failed_request_as_it_is(clock: HeldClock) -> None:
    failure = RequestFailedError("refused", status=403)

    def fail() -> None:
        raise failure

    assert run(clock, a=fail, b=lambda: None) == {"a": failure, "b": None}


def test_raises_what_no_request_raises(clock: HeldClock) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(clock, a=fail)


def test_a_task_that_takes_too_long_is_left_behind(clock: HeldClock) -> None:
    never = threading.Event()

    def wait() -> None:
        clock.let_pass()
        never.wait()

    (answer,) = run(clock, slow=wait).values()
    never.set()
    assert isinstance(answer, RequestFailedError)
    assert answer.message == LATE
    assert clock.slept == [7]


def test_without_tasks_nobody_waits(clock: HeldClock) -> None:
    assert run(clock) == {}
