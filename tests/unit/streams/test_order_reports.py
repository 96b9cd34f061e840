"""The choice between asking by number and by date; requests are the simulator's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_amazon_business.streams.order_reports import ByDate, ByNumber
from tests.support.clocks import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_amazon_business.streams.report_lists import ReportLists

    from tap_amazon_business.streams.order_reports import Reports


class Lists:
    """Lists that are complete for a price in pages."""

    def __init__(self, price: float = 0) -> None:
        self.until = BEGINNING
        self.allowed: list[float] = []
        self._price = price

    def read(self, allowed: float = float("inf")) -> bool:
        self.allowed.append(allowed)
        return allowed >= self._price

    def rows(self, number: str) -> list[Any]:
        del number
        return [{"found": "by date"}]


class Numbers:
    """Reports by number, without requests."""

    def reports(self, orders: Iterable[str]) -> Iterator[Reports]:
        for number in orders:
            yield number, [{"found": "by number"}]


def order(number: str, date: object = "2026-05-01T00:00:00Z") -> dict[str, Any]:
    return {"purchaseOrderNumber": number, "purchaseOrderDate": date}


def orders(*found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["purchaseOrderNumber"]: one for one in found}


def no_warning(message: str, reason: object) -> None:
    pytest.fail(message % reason)


def by_date(lists: Lists) -> ByDate:
    return ByDate(cast("ReportLists", lists), cast("ByNumber", Numbers()), warn=no_warning)


def auto_of(lists: Lists, *, regions: int) -> ByDate:
    return ByDate(
        cast("ReportLists", lists),
        cast("ByNumber", Numbers()),
        warn=no_warning,
        pages_per_order=regions,
    )


def test_by_date_reads_the_lists_completely() -> None:
    lists = Lists()
    list(by_date(lists).reports(orders(order("1"))))
    assert lists.allowed == [float("inf")]


@pytest.mark.parametrize(
    ("date", "way"),
    [
        (BEGINNING - timedelta(hours=1, seconds=1), "by date"),
        (BEGINNING - timedelta(hours=1), "by number"),
        (BEGINNING, "by number"),
        (datetime(2020, 1, 1, tzinfo=UTC), "by date"),
        (None, "by date"),
    ],
)
def test_by_date_asks_for_the_youngest_orders_by_number(date: datetime | None, way: str) -> None:
    found = by_date(Lists()).reports(orders(order("1", date and date.isoformat())))
    assert list(found) == [("1", [{"found": way}])]


def test_every_order_comes_once_whichever_way() -> None:
    young = BEGINNING.isoformat()
    given = orders(order("1"), order("2", young), order("3"), order("4", young))
    found = by_date(Lists()).reports(given)
    assert sorted(number for number, _ in found) == ["1", "2", "3", "4"]


def test_auto_allows_the_lists_what_the_orders_so_far_would_cost_by_number() -> None:
    lists = Lists(price=1_000)
    auto = auto_of(lists, regions=3)
    for count in (1, 2, 5):
        list(auto.reports(orders(*(order(str(number)) for number in range(count)))))
    assert lists.allowed == [3, 9, 24]


def test_auto_asks_by_number_until_the_lists_are_complete() -> None:
    auto = auto_of(Lists(price=3), regions=1)
    found = [list(auto.reports(orders(order(number)))) for number in "1234"]
    assert found == [
        [("1", [{"found": "by number"}])],
        [("2", [{"found": "by number"}])],
        [("3", [{"found": "by date"}])],
        [("4", [{"found": "by date"}])],
    ]
