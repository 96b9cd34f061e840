"""order_reports: which orders are asked for by number, and which listed reports belong to them."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.streams.order_reports import (
    ListedReports,
    OrderReportsStream,
    PurchaseOrderReportsStream,
)
from tap_amazon_business.sync.bookmark import ResumePoint
from tap_amazon_business.tap import TapAmazonBusiness
from tap_amazon_business.times import parse, rfc3339
from tests.support.catalogs import select
from tests.support.clocks import BEGINNING, FakeClock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tap_amazon_business.api.client import Client
    from tap_amazon_business.api.operations import Request
    from tap_amazon_business.streams.base import Row

KEYS = ("client_id", "client_secret", "refresh_token")
SP: dict[str, Any] = {f"sp_api_{key}": "x" for key in KEYS}
BUSINESS: dict[str, Any] = {f"business_api_{key}": "x" for key in KEYS}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BY_NUMBER: dict[str, Any] = {"order_reports_strategy": "purchase_order"}
BY_DATE: dict[str, Any] = {"order_reports_strategy": "order_date"}
RESUME = ResumePoint(BEGINNING - HOUR, BEGINNING - HOUR)


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Restore the signal handlers, which every tap sets."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def tap_of(
    config: dict[str, Any], *selected: str, state: dict[str, Any] | None = None
) -> TapAmazonBusiness:
    return TapAmazonBusiness(
        config=config,
        clock=FakeClock(),
        state=state,
        catalog=select(*(selected or ("order_reports",)), config=config),
    )


def reports_of(config: dict[str, Any], **rest: Any) -> OrderReportsStream:
    found = tap_of(config, **rest).streams["order_reports"]
    assert isinstance(found, OrderReportsStream)
    return found


def listed_of(config: dict[str, Any]) -> ListedReports:
    """Return order_reports as a child of orders."""
    (child,) = cast("Any", tap_of(config).streams["orders"]).selected_children
    assert isinstance(child, ListedReports)
    return child


def pairs(records: Iterator[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [
        (
            record["purchaseOrderNumber"],
            record["orderId"],
            record.get("reportedPurchaseOrderNumber"),
        )
        for record in records
    ]


def report(order_id: str, number: object = None) -> Row:
    return {"orderId": order_id, "purchaseOrderNumber": number}


# ---- records -------------------------------------------------------------------------------------


def test_a_report_stands_under_its_order_s_own_number() -> None:
    reports = [("1", [report("a", "1"), report("b", "one"), report("c")])]
    found = pairs(reports_of(SP | BUSINESS).records_of(reports))
    assert found == [("1", "a", None), ("1", "b", "one"), ("1", "c", None)]


def test_a_report_of_an_order_comes_once_a_sync() -> None:
    stream = reports_of(SP | BUSINESS)
    reports = [("1", [report("a"), report("a")]), ("2", [report("a")]), ("1", [report("a")])]
    assert pairs(stream.records_of(reports)) == [("1", "a", None), ("2", "a", None)]
    assert pairs(stream.records_of(reports)) == []


def test_what_is_no_report_is_skipped() -> None:
    rows: list[Any] = ["text", None, {}, report("a")]
    assert pairs(reports_of(SP | BUSINESS).records_of([("1", rows)])) == [("1", "a", None)]


# ---- listed reports ------------------------------------------------------------------------------


def test_listed_reports_belong_to_the_account_s_orders_by_any_spelling() -> None:
    child = listed_of(SP | BUSINESS)
    numbers = child.stream.shared.numbers
    assert numbers is not None
    numbers.add("po-1")
    rows = [report("a", "po-1"), report("b", " PO-1"), report("c"), report("d", " ")]
    assert pairs(child.children(rows, None)) == [
        ("po-1", "a", None),
        ("po-1", "b", " PO-1"),
    ]


def test_without_vendor_credentials_every_report_that_names_an_order_is_one() -> None:
    rows = [report("a", "PO-1"), report("b", 7), report("c"), report("d", "")]
    found = pairs(listed_of(BUSINESS).children(rows, None))
    assert found == [("PO-1", "a", None), ("7", "b", None)]


@pytest.mark.parametrize(
    ("config", "start"),
    [
        # Every new or changed order is asked for by number: the lists show later changes.
        (SP | BUSINESS | BY_NUMBER, BEGINNING - 2 * DAY),
        (SP | BUSINESS | BY_NUMBER | {"recent_days": 0}, BEGINNING - DAY),
        # No report is much older than its order.
        (SP | BUSINESS, BEGINNING - (180 + 7) * DAY),
        (SP | BUSINESS | {"start_date": "2026-05-08"}, parse("2026-05-01")),
        # Without vendor credentials there are no orders to begin with.
        (BUSINESS, None),
        (BUSINESS | {"start_date": "2026-05-08"}, parse("2026-05-08")),
    ],
)
def test_lists_for_order_reports_alone_begin_with_the_oldest_order(
    config: dict[str, Any], start: object
) -> None:
    found = listed_of(config).start(BEGINNING)
    assert found == start


@pytest.mark.parametrize(
    ("config", "covers"),
    [
        (SP | BUSINESS, {"ordering_vendor_codes": ["A"], "purchase_order_filters": None}),
        (SP | BUSINESS | BY_NUMBER, {}),
        (BUSINESS, {}),
    ],
)
def test_lists_cover_the_orders_whose_reports_they_hold(
    config: dict[str, Any], covers: dict[str, Any]
) -> None:
    assert listed_of(config | {"ordering_vendor_codes": ["A"]}).covers == covers


@pytest.mark.parametrize("config", [BUSINESS, SP | BUSINESS | BY_DATE, SP | BUSINESS | BY_NUMBER])
def test_lists_are_read_to_the_end_unless_the_strategy_may_change(config: dict[str, Any]) -> None:
    assert listed_of(config).most_pages() == float("inf")


# ---- by number -----------------------------------------------------------------------------------


class Amazon:
    """Serves one report of every purchase order, but of those that it refuses."""

    def __init__(self, refused: Collection[str] = ()) -> None:
        self.asked: list[str] = []
        self.refused = refused

    def pages(self, request: Request) -> Iterator[list[Any]]:
        number = str(request.segment)
        self.asked.append(number)
        if number in self.refused:
            raise RequestFailedError(f"{number} was refused.", status=HTTPStatus.BAD_REQUEST)
        yield [report(f"report of {number}")]


class Asking:
    """A sync of order_reports as a child of purchase_orders."""

    def __init__(
        self,
        *,
        refused: Collection[str] = (),
        resume: ResumePoint = RESUME,
        **config: Any,
    ) -> None:
        given = {**SP, **BUSINESS, "max_parallel_requests": 1, **config}
        state = {
            "replication_key": "orderDate",
            "replication_key_value": rfc3339(BEGINNING - HOUR),
        }
        stream = reports_of(given, state={"bookmarks": {"orders": state}})
        assert isinstance(stream, PurchaseOrderReportsStream)
        self.stream = stream
        self.amazon = Amazon(refused)
        stream.client = cast("Client", self.amazon)
        self._resume = resume

    def sync(self, *pages: Sequence[Row]) -> list[str]:
        """Return the numbers that are asked for."""
        moment = self._resume.moment
        with self.stream.reader(self._resume) as read:
            for page in pages:
                list(read(page, moment - HOUR if moment else None))
        return self.amazon.asked


def order(number: str, *, ordered: timedelta = HOUR, changed: timedelta = HOUR) -> Row:
    """Return an order that was ordered and changed so long ago."""
    return {
        "purchaseOrderNumber": number,
        "purchaseOrderDate": rfc3339(BEGINNING - ordered),
        "lastChangedDate": rfc3339(BEGINNING - changed),
    }


def test_by_number_every_new_and_changed_order_is_asked_for() -> None:
    pages = [[order("1"), order("2", ordered=90 * DAY)], [order("3", changed=2 * HOUR)]]
    assert Asking(**BY_NUMBER).sync(*pages) == ["1", "2", "3"]


def test_orders_of_the_overlap_are_not_asked_for_again() -> None:
    pages = [[order("1", changed=2 * HOUR + timedelta(seconds=1)), order("2")]]
    assert Asking(**BY_NUMBER).sync(*pages) == ["2"]


def test_a_first_sync_asks_for_every_order() -> None:
    pages = [[order("1", changed=90 * DAY), order("2")]]
    assert Asking(resume=ResumePoint(None), **BY_NUMBER).sync(*pages) == ["1", "2"]


def test_an_order_is_asked_for_once_a_sync() -> None:
    assert Asking(**BY_NUMBER).sync([order("1"), order("1")], [order("1")]) == ["1"]


@pytest.mark.parametrize("strategy", ["auto", "order_date"])
def test_by_date_only_orders_older_than_the_lists_are_asked_for(strategy: str) -> None:
    pages = [[order("1"), order("2", ordered=59 * DAY), order("3", ordered=61 * DAY)]]
    asking = Asking(order_reports_strategy=strategy, order_lookback_days=60)
    assert asking.sync(*pages) == ["3"]


def test_refused_numbers_are_kept_in_mind_and_asked_for_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asking = Asking(refused={"2"}, **BY_NUMBER)
    asking.sync([order("1"), order("2")])
    assert list(asking.stream.bookmark_part) == ["refused_numbers"]
    assert "Its order reports are missing until a later sync." in caplog.text

    later = Asking(
        resume=ResumePoint(BEGINNING, BEGINNING, asking.stream.bookmark_part), **BY_NUMBER
    )
    old = order("2", ordered=90 * DAY, changed=90 * DAY)
    with later.stream.reader(ResumePoint(BEGINNING, BEGINNING, asking.stream.bookmark_part)) as _:
        assert later.stream.wants_unchanged(old)
        assert not later.stream.wants_unchanged(order("1"))
    assert later.sync([old]) == ["2"]
    assert later.stream.bookmark_part == {}


@pytest.mark.parametrize("kept", [None, "2", 5, {"2": 1}, ["2"]])
def test_a_damaged_list_of_refused_numbers_is_none(kept: object) -> None:
    resume = ResumePoint(BEGINNING, BEGINNING, {"refused_numbers": kept})
    assert Asking(resume=resume, **BY_NUMBER).sync([order("2", changed=90 * DAY)]) == []


def test_refused_numbers_take_little_room_in_the_state_however_long_they_are() -> None:
    numbers = [f"{number:04}" + "x" * 100 for number in range(24)]
    asking = Asking(refused=set(numbers), **BY_NUMBER)
    asking.sync([*map(order, numbers), order("fine")])
    assert len(json.dumps(asking.stream.bookmark_part)) < 250


def test_more_refused_numbers_than_the_state_has_room_for_fail_the_stream() -> None:
    numbers = [f"{number:04}" for number in range(25)]
    asking = Asking(refused=set(numbers), **BY_NUMBER)
    with pytest.raises(RequestFailedError, match="was refused"):
        asking.sync([*map(order, numbers), order("fine")])


def test_where_every_number_is_refused_it_is_not_the_number() -> None:
    with pytest.raises(RequestFailedError, match="was refused"):
        Asking(refused={"1", "2"}, **BY_NUMBER).sync([order("1"), order("2")])


@pytest.mark.parametrize(
    ("config", "covers"),
    [(BY_NUMBER, {"business_api_regions": ["US", "CA"]}), (BY_DATE, {}), ({}, {})],
)
def test_the_bookmark_of_purchase_orders_covers_the_regions_that_are_asked(
    config: dict[str, Any], covers: dict[str, Any]
) -> None:
    found = reports_of(SP | BUSINESS | {"business_api_regions": ["US", "CA"]} | config)
    assert isinstance(found, PurchaseOrderReportsStream)
    assert found.covers == covers
    assert found.needs_past is bool(covers)
