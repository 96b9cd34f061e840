"""Faults of all kinds lose nothing and leak nothing; and the soak would notice if they did."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Call, Request
from simulator.chaos import MOST, MOST_AT_SIGN_IN, MOST_REFUSED_PAGES, Chaos
from simulator.mishaps import Kind
from tests.soak.kills import run_kills
from tests.soak.ledger import Ledger
from tests.soak.seed import run_seed
from tests.soak.truth import STREAMS
from tests.soak.values import differences
from tests.soak.windows import Windows
from tests.support.catalogs import select
from tests.support.runs import run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulator import Simulator
    from tests.support.clocks import FakeClock


def test_faults_of_all_kinds_lose_nothing_and_leak_nothing() -> None:
    result = run_seed(4, orders=60)
    assert result.problems == []
    assert result.leaked == {}
    assert result.compared > 1000
    assert len(result.met) > 8
    assert not result.repeated


def test_killed_and_resumed_under_faults_nothing_is_missing() -> None:
    result = run_kills(5, kills=3, orders=40)
    assert result.problems == []
    assert result.leaked == {}
    assert result.windows["asked"] > result.windows["unfinished"]


# ---- faults ------------------------------------------------------------------------------------


def requests() -> list[Request]:
    """Return requests of many lists, first pages and later ones."""
    found = [Request("token", "", {})]
    for number in range(60):
        window = {"createdAfter": f"2026-01-{number % 28 + 1:02}", "limit": str(number)}
        found.append(Request("getPurchaseOrders", "", window))
        found += [
            Request("getPurchaseOrders", "", {**window, "nextToken": f"{number}.{page}"})
            for page in range(2)
        ]
        found.append(Request("getOrderReportsByPurchaseOrderNumber", str(number), {}))
    return found


def met(chaos: Chaos, request: Request) -> list[Kind]:
    """Return what a request meets until it is answered."""
    kinds: list[Kind] = []
    while (fault := chaos.decide(request)).kind is not None:
        kinds.append(fault.kind)
        fault.ended(503)
    fault.ended(200)
    return kinds


def test_faults_depend_on_the_seed_and_not_on_the_order_of_requests() -> None:
    def all_met(seed: int, order: Callable[[list[Request]], Sequence[Request]]) -> dict[str, Any]:
        weights: dict[Kind, float] = {
            kind: 1.0 for kind in Kind if kind not in {Kind.REVOKED, Kind.STALL}
        }
        chaos = Chaos(seed, rate=0.5, weights=weights)
        return {str(request): met(chaos, request) for request in order(requests())}

    def mixed(given: list[Request]) -> list[Request]:
        # Later pages come after earlier ones of the same list, as with any client.
        lists = random.Random(1).sample(range(0, 240, 4), 60)
        return [given[0], *(given[1 + place + part] for place in lists for part in range(4))]

    first = all_met(1, list)
    assert first == all_met(1, mixed)
    assert first != all_met(2, list)
    assert sum(map(len, first.values())) > 100


@pytest.mark.parametrize("seed", range(5))
def test_no_request_meets_more_faults_than_a_client_must_survive(seed: int) -> None:
    chaos = Chaos(seed, rate=1)
    found = {str(request): met(chaos, request) for request in requests()}
    for name, kinds in found.items():
        assert 0 <= len(kinds) <= MOST
        assert kinds.count(Kind.PAGE) <= MOST_REFUSED_PAGES
        assert kinds.count(Kind.AUTH) + kinds.count(Kind.REVOKED) <= 1
        assert Kind.PAGE not in kinds or "nextToken" in name
        assert Kind.FINAL not in kinds
    assert len(found[str(requests()[0])]) <= MOST_AT_SIGN_IN
    assert max(map(len, found.values())) == MOST
    assert chaos.met[Kind.STALL] <= 2
    assert {Kind.PAGE, Kind.AUTH, Kind.RESET, Kind.HTML} <= chaos.met.keys()


def test_tokens_are_not_revoked_where_a_request_would_meet_a_second_refusal() -> None:
    chaos = Chaos(1, rate=1, weights={Kind.REVOKED: 1})
    revoked = chaos.decide(requests()[1])
    assert revoked.kind is Kind.REVOKED
    revoked.ended(403)
    others = [chaos.decide(request).kind for request in requests()[2:]]
    assert set(others) == {None}


# ---- what the soak notices ---------------------------------------------------------------------


@pytest.fixture
def synced(clock: FakeClock) -> tuple[Simulator, list[dict[str, Any]]]:
    """Return a simulator, and the messages of a complete sync of it."""
    with serve(clock, orders=12, items=1) as serving:
        run = run_by(clock, settings(serving), catalog=select(*STREAMS))
    return serving, run.messages


def entered(serving: Simulator, messages: list[dict[str, Any]]) -> tuple[Ledger, list[str]]:
    """Return a ledger of a sync, and all that it has to say."""
    ledger = Ledger(serving, listed=False)
    ledger.begin()
    ledger.read(messages)
    return ledger, [*ledger.problems, *ledger.settle()]


def test_the_ledger_finds_nothing_wrong_with_a_complete_sync(
    synced: tuple[Simulator, list[dict[str, Any]]],
) -> None:
    ledger, problems = entered(*synced)
    assert problems == []
    assert not +ledger.repeated


def test_the_ledger_notices_every_missing_or_repeated_row(
    synced: tuple[Simulator, list[dict[str, Any]]],
) -> None:
    serving, messages = synced
    records = ((n, message) for n, message in enumerate(messages) if message["type"] == "RECORD")
    places = {message["stream"]: place for place, message in records}  # the last of each
    assert places.keys() == STREAMS.keys()
    for stream, place in places.items():
        _, problems = entered(serving, messages[:place] + messages[place + 1 :])
        assert [problem for problem in problems if problem.startswith(f"lost: {stream} ")]
        ledger, problems = entered(serving, messages[: place + 1] + messages[place:])
        assert problems == []
        assert ledger.repeated[stream] == 1


def test_the_ledger_notices_a_bookmark_that_goes_back(
    synced: tuple[Simulator, list[dict[str, Any]]],
) -> None:
    serving, messages = synced
    states = [message for message in messages if message["type"] == "STATE"]
    _, problems = entered(serving, [*messages, states[0]])
    # A stream that the earlier state does not name has not moved.
    assert [problem for problem in problems if problem.startswith("back: ")]


@pytest.mark.parametrize(
    ("row", "record", "expected"),
    [
        ({"a": "1.10"}, {"a": "1.10"}, []),
        ({"a": "1.10"}, {"a": "1.1"}, ["a"]),
        ({"a": 1}, {"a": "1"}, []),
        ({"a": "2026-01-01T02:00:00+02:00"}, {"a": "2026-01-01T00:00:00Z"}, []),
        ({"a": "2026-01-01"}, {"a": "2026-01-01T00:00:00Z"}, []),
        ({"a": {"date": "2026-01-01T00:00:00Z"}}, {"a": "2026-01-01T00:00:01Z"}, ["a"]),
        ({"orderDetails": {"b": None}}, {"b": None}, []),
        ({"orderDetails": {"b": 1}}, {}, ["b"]),
        ({"a": [{"b": True}]}, {"a": [{"b": False}]}, ["a[0].b"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a"]),
        ({"undocumentedField": 1}, {}, ["rescuedData.undocumentedField"]),
        ({"undocumentedField": 1}, {"rescuedData": {"undocumentedField": 1}}, []),
        (
            {"items": [{"undocumentedPart": 1}]},
            {"items": [{}], "rescuedData": '{"items[0].undocumentedPart": 1}'},
            [],
        ),
    ],
)
def test_values_are_compared_by_what_they_mean(
    row: dict[str, Any], record: dict[str, Any], expected: list[str]
) -> None:
    assert list(differences(row, record)) == expected


def test_windows_read_twice_are_distinguished() -> None:
    windows = Windows()
    bookmark = datetime(2026, 5, 1, tzinfo=UTC)

    def ask(first: timedelta, last: timedelta, **bookmarks: datetime) -> None:
        names = ("changedAfter", "changedBefore")
        bounds = (bookmark + first, bookmark + last)
        parameters = {n: b.isoformat() for n, b in zip(names, bounds, strict=True)}
        call = Call("getPurchaseOrders", "", parameters, status=200, at=0)
        windows.enter([call], bookmarks)

    ask(timedelta(days=-60), timedelta(days=2))
    ask(timedelta(days=-2), timedelta(days=-1), purchase_orders=bookmark)
    ask(timedelta(days=-50), timedelta(days=-40), purchase_orders=bookmark)
    ask(timedelta(days=0), timedelta(days=1), purchase_orders=bookmark)
    ask(timedelta(days=2), timedelta(days=3), purchase_orders=bookmark)
    assert windows.counts == Counter({"asked": 5, "by design": 1, "needless": 1, "unfinished": 1})
