"""order_reports: which reports are listed, and which orders are asked for by number."""

from __future__ import annotations

import threading
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.streams.order_reports import ListedReports, OrderReportsStream
from tap_amazon_business.streams.reports_by_number import Fallback, ReportsByNumber
from tap_amazon_business.streams.vendor import PurchaseOrdersStream
from tap_amazon_business.sync.bookmark import BOOKMARK_FIELDS
from tap_amazon_business.sync.checksums import floor
from tap_amazon_business.tap import TapAmazonBusiness
from tap_amazon_business.times import rfc3339
from tests.support.catalogs import select
from tests.support.clocks import BEGINNING, FakeClock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tap_amazon_business.api.operations import Request
    from tap_amazon_business.streams.base import Row
    from tap_amazon_business.streams.business import OrdersStream
    from tap_amazon_business.streams.children import Child

KEYS = ("client_id", "client_secret", "refresh_token")
SP: dict[str, Any] = {f"sp_api_{key}": "x" for key in KEYS}
BUSINESS: dict[str, Any] = {f"business_api_{key}": "x" for key in KEYS}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BY_NUMBER: dict[str, Any] = {"order_reports_strategy": "purchase_order"}
BY_DATE: dict[str, Any] = {"order_reports_strategy": "order_date"}


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
    (child,) = cast("OrdersStream", tap_of(config).streams["orders"]).children
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
    found = pairs(reports_of(SP | BUSINESS).records_from(reports))
    assert found == [("1", "a", None), ("1", "b", "one"), ("1", "c", None)]


def test_identical_reports_of_an_order_come_once_a_sync() -> None:
    stream = reports_of(SP | BUSINESS)
    reports = [("1", [report("a"), report("a")]), ("2", [report("a")]), ("1", [report("a")])]
    assert pairs(stream.records_from(reports)) == [("1", "a", None), ("2", "a", None)]
    assert pairs(stream.records_from(reports)) == []


def test_what_is_no_report_is_skipped() -> None:
    rows: list[Any] = ["text", None, {}, report("a")]
    assert pairs(reports_of(SP | BUSINESS).records_from([("1", rows)])) == [("1", "a", None)]


# ---- listed reports ------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [BUSINESS, SP | BUSINESS, SP | BUSINESS | BY_DATE])
def test_every_listed_report_that_names_a_number_is_one(config: dict[str, Any]) -> None:
    rows = [report("a", "PO-1"), report("b", 7), report("c"), report("d", ""), report("e", " ")]
    assert pairs(listed_of(config).records_of(rows)) == [("PO-1", "a", None), ("7", "b", None)]


def children_of(config: dict[str, Any], parent: str) -> list[type[Child]]:
    found = cast("OrdersStream", tap_of(config).streams[parent]).children
    return [type(child) for child in found]


@pytest.mark.parametrize(
    ("config", "by_date", "by_number"),
    [
        (SP | BUSINESS, [ListedReports], [ReportsByNumber]),
        (SP | BUSINESS | BY_DATE, [ListedReports], []),
        (SP | BUSINESS | BY_NUMBER, [], [ReportsByNumber]),
    ],
)
def test_the_strategy_decides_which_parents_lead_to_reports(
    config: dict[str, Any], by_date: list[type[Child]], by_number: list[type[Child]]
) -> None:
    assert children_of(config, "orders") == by_date
    assert children_of(config, "purchase_orders") == by_number


# ---- the fallback --------------------------------------------------------------------------------

REFUSAL = RequestFailedError("Refused.", status=HTTPStatus.FORBIDDEN)


def test_only_the_strategy_auto_has_another_way(caplog: pytest.LogCaptureFixture) -> None:
    assert not listed_of(SP | BUSINESS | BY_DATE).fall_back(REFUSAL)
    assert not listed_of(BUSINESS).fall_back(REFUSAL)
    assert "by number instead" not in caplog.text
    assert listed_of(SP | BUSINESS).fall_back(REFUSAL)
    assert "requesting the reports of each purchase order by number" in caplog.text


def test_the_fallback_waits_for_the_end_of_the_lists() -> None:
    fallback = Fallback()
    fallback.expect()
    waiting = threading.Thread(target=fallback.wait, daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    fallback.end(None)
    waiting.join(60)
    assert not waiting.is_alive()
    assert not fallback.is_active


def test_the_fallback_does_not_wait_for_lists_that_are_not_read_in_parallel() -> None:
    # The SDK's dry run syncs one stream after the other.
    fallback = Fallback()
    fallback.wait()
    assert not fallback.is_active


def test_the_fallback_takes_over_where_the_lists_fail() -> None:
    fallback = Fallback()
    fallback.start(BEGINNING)
    fallback.end(REFUSAL)
    fallback.wait()
    assert (fallback.is_active, fallback.listed_until) == (True, BEGINNING)


def test_an_error_of_the_lists_that_leaves_no_other_way_is_raised() -> None:
    fallback = Fallback()
    fallback.end(REFUSAL)
    with pytest.raises(RequestFailedError, match="Refused"):
        fallback.wait()


# ---- by number -----------------------------------------------------------------------------------


class Amazon:
    """Serves one report of every purchase order, but of those that it refuses."""

    def __init__(self, refused: Collection[str] = (), url: str = "") -> None:
        self.url = url
        self.asked: list[str] = []
        self.refused = refused

    def pages(self, request: Request) -> Iterator[list[Any]]:
        number = str(request.segment)
        self.asked.append(number)
        if number in self.refused:
            raise RequestFailedError(f"{number} was refused.", status=HTTPStatus.BAD_REQUEST)
        yield [report(f"report of {number}")]


class Asking:
    """A sync of order_reports as a child of purchase_orders.

    Args:
        refused: Numbers that Amazon refuses.
        hours: How many hours ago the last sync of purchase_orders was; None if this is the first.
        asked: How many hours ago the last sync of order_reports was; None if this is the first.
        listed: Whether the lists have the reports, as far as they can be read.
        **config: Settings.
    """

    def __init__(
        self,
        *,
        refused: Collection[str] = (),
        hours: float | None = 1,
        asked: float | None = 1,
        listed: bool = False,
        **config: Any,
    ) -> None:
        strategy = {"order_reports_strategy": "auto"} if listed else BY_NUMBER
        given = {**SP, **BUSINESS, "max_parallel_requests": 1, **strategy, **config}
        tap = tap_of(given, state={"bookmarks": self._bookmarks(given, hours, asked)})
        parent, stream = tap.streams["purchase_orders"], cast("Any", tap.streams["order_reports"])
        self.stream: OrderReportsStream = stream
        assert isinstance(parent, PurchaseOrdersStream)
        (child,) = parent.children
        assert isinstance(child, ReportsByNumber)
        self.child = child
        self.plan = parent.plan
        self.amazon = Amazon(refused, stream.client.url)
        stream.client = self.amazon

    @staticmethod
    def _bookmarks(
        config: dict[str, Any], hours: float | None, asked: float | None
    ) -> dict[str, Any]:
        streams = tap_of(config).streams
        parent = streams["purchase_orders"]
        assert isinstance(parent, PurchaseOrdersStream)
        (child,) = parent.children
        found: dict[str, Any] = {}
        if hours is not None:
            moment = rfc3339(BEGINNING - hours * HOUR)
            found["purchase_orders"] = {
                "replication_key": "lastChangedDate",
                "replication_key_value": moment,
                "lookback_position": moment,
                "covers": parent.plan.covers,
            }
        if asked is not None:
            moment = rfc3339(BEGINNING - asked * HOUR)
            part = child.own_bookmark(None, BEGINNING)
            found["order_reports"] = {
                **(part or {}),
                "replication_key_value": moment,
                "lookback_position": moment,
            }
        return found

    def sync(self, *pages: Sequence[Row]) -> list[str]:
        """Return the numbers that are asked for."""
        for page in pages:
            list(self.child.records_of(page))
        return self.amazon.asked

    def wanted_days(self, *, changed: bool = False) -> list[int]:
        """Return how many days ago the orders were made that are asked for."""
        midnight = floor(BEGINNING, DAY)
        return [
            days
            for days in range(1, 179)
            if self.child.wants(midnight - days * DAY, changed=changed)
        ]


def order(number: str) -> Row:
    return {"purchaseOrderNumber": number}


def test_by_number_every_new_and_changed_order_is_asked_for() -> None:
    asking = Asking(hours=1)
    assert asking.wanted_days(changed=True) == list(range(1, 179))
    assert asking.sync([order("1"), order("2")], [order("3")]) == ["1", "2", "3"]


def test_an_order_is_asked_for_once_a_sync() -> None:
    assert Asking().sync([order("1"), order("1")], [order("1")]) == ["1"]


def test_a_first_sync_asks_for_every_order() -> None:
    assert Asking(hours=None, asked=None).wanted_days(changed=True) == list(range(1, 179))


def test_an_hourly_sync_asks_for_a_share_of_the_unchanged_orders() -> None:
    assert 1 <= len(Asking(order_lookback_days=178).wanted_days()) <= 9


def test_a_nightly_sync_asks_for_all_orders_of_the_lookback() -> None:
    found = Asking(hours=24, asked=24, order_lookback_days=60).wanted_days()
    assert found == list(range(1, 60))


def test_unchanged_orders_beyond_the_lookback_of_reports_are_not_asked_for() -> None:
    assert max(Asking(hours=24, asked=24, order_lookback_days=10).wanted_days()) < 10


def test_orders_that_were_never_asked_for_are_all_asked_for() -> None:
    assert Asking(hours=1, asked=None).wanted_days() == list(range(1, 179))


def test_a_parent_that_reads_everything_again_asks_only_for_what_is_due() -> None:
    found = Asking(hours=None, asked=1).wanted_days(changed=True)
    assert 1 <= len(found) <= 12


def test_a_parent_that_reads_everything_again_leaves_out_nothing_that_is_due() -> None:
    found = Asking(hours=None, asked=24, order_lookback_days=60).wanted_days(changed=True)
    assert found == list(range(1, 60))


def test_as_long_as_there_are_lists_no_number_is_asked_for() -> None:
    asking = Asking(listed=True)
    assert asking.sync([order("1")]) == []


def test_numbers_are_asked_for_once_the_lists_have_failed() -> None:
    asking = Asking(listed=True)
    stream = cast("Any", asking.stream)
    asking.sync([order("1")])
    stream._fallback.start(None)  # noqa: SLF001 (what listed reports call)
    stream._fallback.end(REFUSAL)  # noqa: SLF001
    # As long as a number waits, the bookmark does not say that it was asked for.
    part = asking.child.own_bookmark(BEGINNING, BEGINNING)
    assert part is not None
    assert part["replication_key_value"] == rfc3339(BEGINNING - HOUR)
    assert asking.sync([order("2")]) == ["1", "2"]
    part = asking.child.own_bookmark(BEGINNING, BEGINNING)
    assert part is not None
    assert part["replication_key_value"] == rfc3339(BEGINNING)
    list(asking.child.remaining())
    assert asking.amazon.asked == ["1", "2"]


def test_a_refused_number_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert Asking(refused={"2"}).sync([order("1"), order("2")]) == ["1", "2"]
    assert "its order reports are missing until the next cycle retries it" in caplog.text


def test_where_every_number_is_refused_it_is_not_the_number() -> None:
    with pytest.raises(RequestFailedError, match="was refused"):
        Asking(refused={"1", "2"}).sync([order("1"), order("2")])


def test_the_bookmark_of_purchase_orders_covers_the_regions_that_are_asked() -> None:
    asking = Asking(business_api_regions=["US", "CA"])
    assert asking.plan.covers["business_api_regions"] == ["US", "CA"]
    assert asking.plan.covers["business_account"] == asking.child.covers["business_account"]


def test_what_was_asked_for_has_a_bookmark_of_its_own() -> None:
    part = Asking().child.own_bookmark(BEGINNING, BEGINNING)
    assert part is not None
    assert tuple(part) == BOOKMARK_FIELDS
    assert part["replication_key_value"] == part["lookback_position"] == rfc3339(BEGINNING)


def test_lists_leave_the_bookmark_of_numbers_where_it_is() -> None:
    part = Asking(listed=True).child.own_bookmark(BEGINNING, BEGINNING)
    assert part is not None
    assert part["replication_key_value"] == rfc3339(BEGINNING - HOUR)
