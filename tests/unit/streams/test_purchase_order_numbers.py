"""Which purchase order numbers are the account's own, by whatever spelling."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from tap_amazon_business.streams.purchase_order_numbers import PurchaseOrderNumbers

from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.settings import Settings
from tap_amazon_business.sync.prefetch import Readers
from tap_amazon_business.times import parse
from tests.support.clocks import BEGINNING, FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from tap_amazon_business.api.client import Client
    from tap_amazon_business.api.operations import Request

DAY = timedelta(days=1)


class Orders:
    """Serves purchase orders by their creation date, a page of two at a time."""

    def __init__(self, orders: Mapping[Any, datetime], *, broken: bool = False) -> None:
        self.requests: list[Request] = []
        self._orders = orders
        self._broken = broken

    def pages(self, request: Request) -> Iterator[list[Any]]:
        self.requests.append(request)
        if self._broken:
            raise RequestFailedError("broken")
        after, before = (parse(request.params[f"created{end}"]) for end in ("After", "Before"))
        rows: list[Any] = [
            {"purchaseOrderNumber": number}
            for number, date in self._orders.items()
            if after <= date <= before
        ]
        yield from (rows[place : place + 2] for place in range(0, len(rows), 2))


def numbers_of(orders: Orders, **config: Any) -> PurchaseOrderNumbers:
    return PurchaseOrderNumbers(
        cast("Client", orders),
        Readers(2),
        settings=Settings.from_config(config, "1"),
        clock=FakeClock(),
    )


def on_days(*numbers: Any) -> dict[Any, datetime]:
    return {number: BEGINNING - (place + 1) * 9 * DAY for place, number in enumerate(numbers)}


# ---- spelling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", ["PO-1", "po-1", "Po-1", " PO-1", "po-1\t"])
@pytest.mark.parametrize("reported", ["PO-1", "po-1", "pO-1", " PO-1 ", "po-1\n"])
def test_numbers_are_compared_without_case_and_spaces_and_returned_as_they_are(
    own: str, reported: str
) -> None:
    numbers = numbers_of(Orders({}))
    numbers.add(own)
    assert numbers.among([reported]) == {reported: own}


def test_a_listed_number_keeps_its_spelling_too() -> None:
    numbers = numbers_of(Orders(on_days("po-1", "PO-2", 3)))
    assert numbers.among(["PO-1", "po-2", "3"]) == {"PO-1": "po-1", "po-2": "PO-2", "3": "3"}


@pytest.mark.parametrize("other", ["", "PO", "PO-11", "P O-1", "PO_1"])
def test_another_number_is_none_of_the_account_s(other: str) -> None:
    numbers = numbers_of(Orders(on_days("PO-1")))
    assert numbers.among([other, "PO-1"]) == {"PO-1": "PO-1"}


# ---- listing -------------------------------------------------------------------------------------


def test_known_numbers_need_no_request() -> None:
    orders = Orders(on_days("1"))
    numbers = numbers_of(orders)
    numbers.add("1")
    assert numbers.among(["1"]) == {"1": "1"}
    assert numbers.among([]) == {}
    assert orders.requests == []


def test_all_numbers_are_listed_once_however_many_are_unknown() -> None:
    orders = Orders(on_days("1", "2"))
    numbers = numbers_of(orders)
    assert numbers.among(["1", "9"]) == {"1": "1"}
    requests = len(orders.requests)
    assert requests > 0
    assert numbers.among(["2", "8"]) == {"2": "2"}
    assert numbers.among(["9"]) == {}
    assert len(orders.requests) == requests


def test_numbers_are_known_once_they_are_counted() -> None:
    orders = Orders(on_days("1", "2", "3"))
    numbers = numbers_of(orders)
    assert numbers.count() == 3
    requests = len(orders.requests)
    assert numbers.among(["3", "4"]) == {"3": "3"}
    assert len(orders.requests) == requests


def test_a_list_of_the_youngest_orders_is_not_all() -> None:
    orders = Orders(on_days("1", "2", "3"))
    numbers = numbers_of(orders)
    assert set(numbers.listed(BEGINNING - 10 * DAY)) == {"1"}
    assert numbers.among(["2"]) == {"2": "2"}


def test_a_failed_list_is_asked_for_again() -> None:
    orders = Orders(on_days("1"), broken=True)
    numbers = numbers_of(orders)
    for _ in range(2):
        before = len(orders.requests)
        with pytest.raises(RequestFailedError):
            numbers.among(["1"])
        assert len(orders.requests) > before


def test_every_number_is_listed_once_although_windows_overlap() -> None:
    # Each window begins a second early, and every vendor code has a query of its own.
    numbers = numbers_of(Orders(on_days(*"123456789")), ordering_vendor_codes=["A", "B"])
    assert sorted(numbers.listed()) == [*"123456789"]


def test_rows_without_a_number_are_skipped() -> None:
    numbers = numbers_of(Orders(on_days("1", None, 2.5, ())))
    assert list(numbers.listed()) == ["1"]


@pytest.mark.parametrize(
    ("config", "since", "oldest"),
    [
        ({}, None, BEGINNING - 180 * DAY),
        ({}, BEGINNING - 10 * DAY, BEGINNING - 10 * DAY),
        ({"start_date": "2026-05-01"}, None, parse("2026-05-01")),
        ({"start_date": "2026-05-01"}, BEGINNING - 90 * DAY, parse("2026-05-01")),
        ({"start_date": "2026-05-01"}, BEGINNING - 9 * DAY, BEGINNING - 9 * DAY),
    ],
)
def test_lists_begin_where_the_settings_or_whoever_asks_say(
    config: dict[str, Any], since: datetime | None, oldest: datetime
) -> None:
    orders = Orders({})
    list(numbers_of(orders, **config).listed(since))
    first = min(parse(request.params["createdAfter"]) for request in orders.requests)
    assert abs(first - oldest) <= timedelta(seconds=1)


def test_lists_have_the_filters_of_the_settings_and_no_details() -> None:
    orders = Orders({})
    config = {
        "purchase_order_state": "New",
        "include_details": True,
        "ordering_vendor_codes": ["A"],
    }
    list(numbers_of(orders, **config).listed())
    for request in orders.requests:
        assert request.params["includeDetails"] == "false"
        assert request.params["purchaseOrderState"] == "New"
        assert request.params["orderingVendorCode"] == "A"
