"""STATE: never before what it covers; old, damaged and foreign states; what is selected later."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batches import batch_config, batch_records
from tests.support.catalogs import select
from tests.support.faults import Fails, refusal
from tests.support.runs import Run, run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Simulator
    from tests.support.clocks import FakeClock

ALL = ("purchase_orders", "purchase_order_items", "order_reports")
BY_NUMBER = "getOrderReportsByPurchaseOrderNumber"


@pytest.fixture(params=[0, 37], ids=["records", "batches"])
def batched(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Return settings for messages, and for BATCH files of 37 records."""
    return {"batch_config": batch_config(tmp_path, request.param)} if request.param else {}


# ---- what a state covers -----------------------------------------------------------------------


def walk(run: Run) -> Iterator[tuple[str | None, Any]]:
    """Yield the stream and rows of each RECORD and BATCH message, and None with each state."""
    for message in run.messages:
        match message["type"]:
            case "RECORD":
                yield message["stream"], [message["record"]]
            case "BATCH":
                yield message["stream"], batch_records(message)
            case "STATE":
                yield None, message["value"]


def check(run: Run, serving: Simulator, *streams: str) -> int:
    """Assert that whatever a bookmark covers came before it, and once; return how many there were.

    Args:
        run: The run.
        serving: What was served.
        streams: Streams that the bookmark of purchase_orders covers.
    """
    created = {
        number: datetime.fromisoformat(row["orderDetails"]["purchaseOrderDate"])
        for (number,), row in serving.rows("purchase_orders").items()
    }
    wanted = {stream: set(serving.rows(stream)) for stream in streams}
    seen: dict[str, set[tuple[str, ...]]] = {stream: set() for stream in streams}
    bookmarks = 0
    for stream, value in walk(run):
        if stream in seen:
            for row in value:
                key = tuple(row[name] for name in run.key_fields[stream])
                assert key not in seen[stream], f"twice: {stream} {key}"
                seen[stream].add(key)
        elif stream is None:
            bookmark = value["bookmarks"].get("purchase_orders", {}).get("replication_key_value")
            if bookmark:
                bookmarks += 1
                moment = datetime.fromisoformat(bookmark)
                for name in streams:
                    due = {key for key in wanted[name] if created[key[0]] < moment}
                    assert not due - seen[name], f"{bookmark} before {name}"
    return bookmarks


# How many bookmarks there are at least: with BATCH, one a file of the stream that has the bookmark.
@pytest.mark.parametrize(("size", "least"), [(0, 20), (22, 3)], ids=["records", "batches"])
@pytest.mark.parametrize("streams", [ALL, ALL[1:], ALL[1:2], ALL[2:]], ids=" ".join)
def test_no_state_comes_before_what_it_covers(
    clock: FakeClock, size: int, least: int, streams: tuple[str, ...], tmp_path: Path
) -> None:
    extra = {"batch_config": batch_config(tmp_path, size)} if size else {}
    with serve(clock, orders=60, quirks=False) as serving:
        run = run_by(clock, settings(serving, **extra), catalog=select(*streams))
        assert run.status == 0, run.log
        assert check(run, serving, *streams) >= least


@pytest.mark.parametrize(("size", "least"), [(0, 20), (1, 20), (37, 2), (10_000, 1)])
def test_no_state_comes_before_what_it_covers_by_date(
    clock: FakeClock, size: int, least: int, tmp_path: Path
) -> None:
    extra = {"batch_config": batch_config(tmp_path, size)} if size else {}
    with serve(clock, orders=60, quirks=False) as serving:
        config = settings(serving, order_reports_strategy="auto", **extra)
        run = run_by(clock, config, catalog=select(*ALL))
        assert run.status == 0, run.log
        # By date, reports that name another number than their order's are not found.
        assert check(run, serving, *ALL[:2]) >= least


@pytest.mark.parametrize(
    ("operation", "after", "least"),
    [
        ("getPurchaseOrders", 0, 0),
        ("getPurchaseOrders", 30, 2),
        (BY_NUMBER, 0, 0),
        (BY_NUMBER, 40, 1),
    ],
)
def test_no_state_covers_what_failed(
    clock: FakeClock, batched: dict[str, Any], operation: str, after: int, least: int
) -> None:
    failing = Fails(operation, after, refusal(403, "Unauthorized"))
    with serve(clock, orders=100, quirks=False, faults=[failing]) as serving:
        run = run_by(clock, settings(serving, **batched), catalog=select(*ALL))
        assert run.status == 1
        assert least <= check(run, serving, *ALL) < 26  # of 26 windows


def test_a_child_has_no_part_in_the_state_unless_it_is_asked_by_number(clock: FakeClock) -> None:
    with serve(clock, orders=10) as serving:
        run = run_by(clock, settings(serving), catalog=select(*ALL))
    assert set(run.state["bookmarks"]) == {"order_reports", "purchase_orders"}


def test_lists_that_fail_hold_up_their_own_bookmark(
    clock: FakeClock, batched: dict[str, Any]
) -> None:
    failing = Fails("getOrderReports", 0, refusal(403, "Unauthorized"))
    with serve(clock, orders=100, quirks=False, faults=[failing]) as serving:
        config = settings(serving, order_reports_strategy="order_date", **batched)
        run = run_by(clock, config, catalog=select(*ALL))
        assert run.status == 1
        assert check(run, serving, *ALL[:2]) >= 2
    assert "replication_key_value" not in run.state["bookmarks"].get("orders", {})


def test_vendor_codes_and_regions_are_covered_once_each(clock: FakeClock) -> None:
    with serve(clock, orders=100, quirks=False) as serving:
        rows = serving.rows("purchase_orders").values()
        codes = sorted({row["orderDetails"]["sellingParty"]["partyId"] for row in rows})
        assert len(codes) == len(serving.world.regions) == 2
        run = run_by(clock, settings(serving, ordering_vendor_codes=codes), catalog=select(*ALL))
        assert run.status == 0, run.log
        assert check(run, serving, *ALL) >= 20


@pytest.mark.parametrize("child", ALL[1:])
def test_reads_the_past_of_a_child_selected_later(clock: FakeClock, child: str) -> None:
    # As after an upgrade from a version, or with a catalog, that lacks the child.
    with serve(clock, orders=60, quirks=False) as serving:
        first = run_by(clock, settings(serving), catalog=select("purchase_orders"))
        second = run_by(
            clock, settings(serving), catalog=select("purchase_orders", child), state=first.state
        )
        expected = set(serving.rows(child))
    assert second.status == 0, second.log
    assert set(second.keys(child)) == expected
    assert re.search(rf"purchase_orders: .*bookmark.*\b{child}\b", second.log)


# ---- states of other shapes --------------------------------------------------------------------


@pytest.mark.parametrize("state", [{}, {"bookmarks": {}}], ids=str)
def test_an_empty_state_is_as_good_as_none(clock: FakeClock, state: dict[str, Any]) -> None:
    with serve(clock, orders=3) as serving:
        run = run_by(clock, settings(serving), state=state, catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert len(run.numbers()) == 3


@pytest.mark.parametrize(
    "bookmarks", [None, [], {"purchase_orders": None}, {"purchase_orders": "x"}], ids=str
)
def test_a_damaged_state_is_refused(clock: FakeClock, bookmarks: object) -> None:
    with serve(clock, orders=3) as serving:
        run = run_by(
            clock,
            settings(serving),
            state={"bookmarks": bookmarks},
            catalog=select("purchase_orders"),
        )
    assert run.status == 1
    assert "state" in run.log
    assert "'bookmarks'" in run.log
    assert not run.output


@pytest.mark.parametrize(
    ("bookmark", "named"),
    [
        ({"replication_key": "lastChangedDate", "replication_key_value": "soon"}, "'soon'"),
        ({"replication_key": "lastChangedDate", "replication_key_value": 12}, "12"),
        (
            {
                "replication_key": "lastChangedDate",
                "replication_key_value": "9999-12-31T23:59:59-12:00",
            },
            "'9999-12-31T23:59:59-12:00'",
        ),
        (
            {"replication_key": "changedAfter", "replication_key_value": "2026-05-01T00:00:00Z"},
            "'lastChangedDate'",
        ),
        ({"replication_key_value": "2026-05-20T00:00:00Z"}, "'lastChangedDate'"),
        (
            {"replication_key": "lastChangedDate", "replication_key_value": "2031-05-01T00:00:00Z"},
            "'2031-05-01T00:00:00Z'",
        ),
    ],
    ids=["word", "number", "past all dates", "other key", "no key", "future"],
)
def test_a_bookmark_that_makes_no_sense_fails_its_stream(
    clock: FakeClock, tidy: Simulator, bookmark: dict[str, Any], named: str
) -> None:
    state = {"bookmarks": {"purchase_orders": bookmark}}
    run = run_by(clock, settings(tidy), state=state, catalog=select("purchase_orders"))
    assert run.status == 1
    assert re.search(r"purchase_orders: .*\bstate\b", run.log)
    assert named in run.log
    assert not run.records("purchase_orders")
    assert run.state["bookmarks"]["purchase_orders"] == bookmark


@pytest.mark.parametrize(
    "bookmark",
    [
        {"replication_key_value": "2026-05-20"},
        {"replication_key_value": "2026-05-20T02:00:00+02:00"},
        {
            "replication_key_value": "2026-05-20T00:00:00.000000Z",
            "starting_replication_value": "2026-05-01T00:00:00Z",
            "progress_markers": {
                "Note": "Progress is not resumable if interrupted.",
                "replication_key": "lastChangedDate",
                "replication_key_value": "2026-05-30T00:00:00Z",
            },
        },
    ],
    ids=["date", "offset", "markers"],
)
def test_resumes_from_an_older_state(clock: FakeClock, bookmark: dict[str, Any]) -> None:
    # As taps of singer-sdk write it that sync children one by one and keep marks of their progress.
    old = {
        "purchase_orders": {"replication_key": "lastChangedDate", **bookmark},
        "order_reports": {"partitions": [{"context": {"purchaseOrderNumber": "2JK3S9VC"}}]},
        "a_stream_of_old": {"replication_key": "id", "replication_key_value": 12},
    }
    with serve(clock, orders=30, quirks=False) as serving:
        run = run_by(
            clock,
            settings(serving),
            state={"bookmarks": old},
            catalog=select("purchase_orders"),
        )
        calls = [call.parameters for call in serving.stats().calls]
    assert run.status == 0, run.log
    # A second earlier, since what is asked for lies after this bound.
    assert min(call["changedAfter"] for call in calls if "changedAfter" in call) == (
        "2026-05-19T23:59:59Z"
    )
    assert any(call.get("createdAfter") == "2026-05-17T23:59:59Z" for call in calls)
    assert run.bookmark() == "2026-06-01T11:58:00Z"
    assert run.state["bookmarks"]["a_stream_of_old"] == old["a_stream_of_old"]


def test_warns_of_a_state_of_another_tap(clock: FakeClock) -> None:
    state = {"bookmarks": {"customers": {"replication_key_value": 12}}}
    with serve(clock, orders=5) as serving:
        run = run_by(clock, settings(serving), state=state, catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert "(customers)" in run.log
    assert len(run.numbers()) == 5


def test_partitions_of_another_tap_reach_neither_records_nor_state(clock: FakeClock) -> None:
    mark = {"replication_key": "orderDate", "replication_key_value": "2026-05-01T00:00:00Z"}
    foreign = {**mark, "partitions": [{"context": {"marketplace": "US"}, **mark}]}
    with serve(clock, orders=30, quirks=False) as serving:
        config = settings(serving)
        plain = run_by(
            clock, config, state={"bookmarks": {"orders": mark}}, catalog=select("orders")
        )
        run = run_by(
            clock, config, state={"bookmarks": {"orders": foreign}}, catalog=select("orders")
        )
    assert plain.records("orders")
    assert run.records("orders") == plain.records("orders")
    assert run.state == plain.state
