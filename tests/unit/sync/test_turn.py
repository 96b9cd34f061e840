"""One thread at a time holds the turn, in the order of asking."""

from __future__ import annotations

import threading

from tap_amazon_business.sync.turn import Turn


def waiting(turn: Turn, count: int) -> None:
    """Wait until so many threads wait for the turn."""
    while len(turn._waiting) < count:  # noqa: SLF001 (nothing else tells)
        threading.Event().wait(0.001)


def test_the_turn_is_handed_on_in_the_order_of_asking() -> None:
    turn, order = Turn(), list[int]()
    turn.take()

    def run(number: int) -> None:
        turn.take()
        order.append(number)
        turn.give()

    threads = [threading.Thread(target=run, args=[number]) for number in range(5)]
    for count, thread in enumerate(threads, start=1):
        thread.start()
        waiting(turn, count)
    assert order == []
    turn.give()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_gives_it_up_gets_it_back_after_the_others() -> None:
    turn, order = Turn(), list[str]()
    turn.take()

    def run() -> None:
        turn.take()
        order.append("other")
        turn.give()

    thread = threading.Thread(target=run)
    thread.start()
    waiting(turn, 1)
    with turn.given_up():
        thread.join()
    order.append("first")
    assert order == ["other", "first"]


def test_nothing_is_given_up_that_is_not_held() -> None:
    turn = Turn()
    turn.take()
    done = threading.Event()

    def run() -> None:
        with turn.given_up():
            done.set()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done.is_set()
    assert not threading.Thread(target=turn.take).is_alive()
    with turn.given_up():
        pass  # this thread still holds it


def test_waiting_for_it_may_end() -> None:
    turn, came = Turn(), list[bool]()
    turn.take()
    thread = threading.Thread(target=lambda: came.append(turn.take(timeout=0.01)))
    thread.start()
    thread.join()
    assert came == [False]
    turn.give()
    assert turn.take(timeout=0.01)
