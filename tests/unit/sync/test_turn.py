"""The turn: one thread at a time holds it, and it is handed on in the order of asking."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from tap_amazon_business.sync.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Seconds after which something has stopped for ever. Nothing here takes long.
PATIENCE = 60
SOON = 0.001


class BrokenError(Exception):
    """What fails while the turn is given up."""


@contextmanager
def on_a_thread(act: Callable[[], object]) -> Iterator[None]:
    """Run something on a thread of its own, which has to end."""
    running = threading.Thread(target=act, daemon=True)
    running.start()
    yield
    running.join(PATIENCE)
    assert not running.is_alive()


def wait_for_askers(turn: Turn, count: int) -> None:
    until = time.monotonic() + PATIENCE
    while len(turn._waiting) != count:  # noqa: SLF001 (nothing else tells who has asked)
        assert time.monotonic() < until
        time.sleep(0)  # lets other threads run


def is_free(turn: Turn) -> bool:
    """Tell whether another thread gets the turn."""
    found: list[bool] = []

    def ask() -> None:
        found.append(turn.take(timeout=SOON))
        if found[0]:
            turn.give()

    with on_a_thread(ask):
        pass
    return found[0]


# ---- taking and handing on -----------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [-1, 0, SOON])
def test_a_turn_that_nobody_holds_comes_at_once(timeout: float) -> None:
    assert Turn().take(timeout=timeout)


def test_nobody_else_gets_a_turn_that_is_held() -> None:
    turn = Turn()
    turn.take()
    assert not is_free(turn)
    turn.give()
    assert is_free(turn)


def test_one_thread_at_a_time_holds_it() -> None:
    turn = Turn()
    inside: list[int] = []
    crowds: list[int] = []

    def work() -> None:
        for _ in range(100):
            turn.take()
            inside.append(1)
            time.sleep(0)  # lets other threads run
            crowds.append(len(inside))
            inside.pop()
            turn.give()

    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(on_a_thread(work))
    assert crowds == [1] * 400


def test_it_is_handed_on_in_the_order_of_asking() -> None:
    turn = Turn()
    turn.take()
    came: list[str] = []

    def ask(name: str) -> None:
        turn.take()
        came.append(name)
        turn.give()

    with ExitStack() as stack:
        for place, name in enumerate("abcde"):
            stack.enter_context(on_a_thread(lambda name=name: ask(name)))  # type: ignore[misc]
            wait_for_askers(turn, place + 1)
        turn.give()
    assert came == [*"abcde"]


def test_whoever_gives_it_up_does_not_overtake_those_who_wait() -> None:
    turn = Turn()
    turn.take()
    came: list[str] = []

    def ask() -> None:
        turn.take()
        came.append("waiting")
        turn.give()

    with on_a_thread(ask):
        wait_for_askers(turn, 1)
        with turn.given_up():
            pass  # asks again at once
        came.append("giving up")
        turn.give()
    assert came == ["waiting", "giving up"]


# ---- waiting for a while -------------------------------------------------------------------------


def test_a_wait_that_is_over_leaves_no_place_in_the_queue() -> None:
    turn = Turn()
    turn.take()
    came: list[bool] = []
    with on_a_thread(lambda: came.append(turn.take(timeout=SOON))):
        pass
    assert came == [False]
    turn.give()
    assert is_free(turn)  # it was not handed to the thread that left


def test_a_turn_comes_within_the_time_allowed() -> None:
    turn = Turn()
    turn.take()
    came: list[bool] = []
    with on_a_thread(lambda: came.append(turn.take(timeout=PATIENCE))):
        wait_for_askers(turn, 1)
        turn.give()
    assert came == [True]
    assert not is_free(turn)


# ---- giving up -----------------------------------------------------------------------------------


def test_another_thread_gets_what_is_given_up() -> None:
    turn = Turn()
    turn.take()
    with turn.given_up():
        assert is_free(turn)
    assert not is_free(turn)


def test_it_is_taken_again_after_an_error() -> None:
    turn = Turn()
    turn.take()
    with pytest.raises(BrokenError), turn.given_up():
        raise BrokenError
    assert not is_free(turn)


def test_giving_up_what_another_thread_holds_does_nothing() -> None:
    turn = Turn()
    turn.take()
    free: list[bool] = []

    def give_up() -> None:
        with turn.given_up():
            free.append(is_free(turn))

    with on_a_thread(give_up):
        pass
    assert free == [False]
    assert not is_free(turn)


def test_giving_up_what_nobody_holds_does_nothing() -> None:
    turn = Turn()
    with turn.given_up():
        assert is_free(turn)
    assert is_free(turn)


def test_giving_up_twice_gives_up_once() -> None:
    turn = Turn()
    turn.take()
    with turn.given_up(), turn.given_up():
        assert is_free(turn)
    assert not is_free(turn)
