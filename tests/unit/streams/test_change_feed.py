"""The change feed names orders that changed; whatever fails in it is a warning and no loss."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.records.decoding import Rows
from tap_amazon_business.settings import Settings
from tap_amazon_business.streams.change_feed import ChangeFeed
from tap_amazon_business.sync.prefetch import ReadBudget
from tap_amazon_business.times import parse, rfc3339
from tests.support.clocks import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_amazon_business.api.operations import Request
    from tap_amazon_business.streams.base import AmazonStream, Row

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE = BEGINNING - DAY


class Stream:
    """A stream whose API has these statuses, or fails; it keeps what is logged of it."""

    def __init__(
        self, *pages: list[Row], error: RequestFailedError | None = None, **config: Any
    ) -> None:
        self.settings = Settings.from_config(config, "1")
        self.budget = ReadBudget(2)
        self.client = SimpleNamespace(pages=self._pages, failure=None)
        self.requests: list[Request] = []
        self.warnings: list[str] = []
        self._served = pages
        self._error = error

    def _pages(self, request: Request) -> Iterator[Rows]:
        self.requests.append(request)
        if self._error:
            raise self._error
        yield from map(Rows.of, self._served)

    def info(self, message: str, *arguments: object) -> None:
        """Ignore what is no warning."""

    def warn(self, message: str, *arguments: object) -> None:
        self.warnings.append(message % arguments)

    def feed(self, since: Any = SINCE) -> ChangeFeed:
        return ChangeFeed(cast("AmazonStream", self), since, BEGINNING)


def status(number: object, updated: object = rfc3339(BEGINNING - HOUR)) -> Row:
    return {"purchaseOrderNumber": number, "lastUpdatedDate": updated}


def refusal(status_: int = 403) -> RequestFailedError:
    return RequestFailedError("It was refused.", status=status_)


# ---- names ---------------------------------------------------------------------------------------


def test_names_the_orders_of_all_pages() -> None:
    stream = Stream([status("1"), status("2")], [status("2"), status("3")])
    assert stream.feed().names() == {"1", "2", "3"}
    assert stream.warnings == []


@pytest.mark.parametrize("updated", ["soon", "", None, 5])
def test_a_status_without_a_date_is_a_change(updated: object) -> None:
    assert Stream([status("1", updated)]).feed().names() == {"1"}


def test_a_status_of_another_date_is_no_change() -> None:
    rows = [status("old", rfc3339(SINCE - 3 * HOUR)), status("new", rfc3339(SINCE - HOUR))]
    assert Stream(rows).feed().names() == {"new"}


def test_a_status_without_a_number_names_nothing() -> None:
    assert Stream([status(None), status(""), {}, status("1")]).feed().names() == {"1"}


def test_asks_from_an_hour_before_the_bookmark_in_ranges_that_amazon_accepts() -> None:
    stream = Stream(ordering_vendor_codes=["A", "B"])
    stream.feed(BEGINNING - 10 * DAY).names()
    ranges = sorted(
        (parse(request.params["updatedAfter"]), parse(request.params["updatedBefore"]))
        for request in stream.requests
        if request.params["orderingVendorCode"] == "A"
    )
    assert len(stream.requests) == 2 * len(ranges) == 4
    assert ranges[0][0] <= BEGINNING - 10 * DAY - HOUR
    assert ranges[0][1] >= ranges[1][0]
    assert ranges[1][1] == BEGINNING
    assert all(end - start < 7 * DAY for start, end in ranges)


@pytest.mark.parametrize("status_", [400, 403, 404, 500])
def test_a_feed_that_fails_names_nothing_after_one_warning(status_: int) -> None:
    stream = Stream(error=refusal(status_))
    assert stream.feed(BEGINNING - 20 * DAY).names() == set()
    (warning,) = stream.warnings
    assert warning == (
        "change feed unavailable; changes of older orders arrive within 24 hours. "
        "The reason: It was refused."
    )


def test_a_failure_of_the_whole_api_is_raised() -> None:
    stream = Stream(error=refusal())
    stream.client.failure = refusal()
    with pytest.raises(RequestFailedError):
        stream.feed().names()


# ---- orders --------------------------------------------------------------------------------------


def orders(
    stream: Stream, named: set[str], found: Mapping[str, list[Row] | RequestFailedError]
) -> list[list[Row]]:
    def order(number: str) -> list[Row]:
        rows = found.get(number, [{"number": number}])
        if isinstance(rows, RequestFailedError):
            raise rows
        return rows

    return list(stream.feed().orders(named, order))


def test_reads_the_named_orders() -> None:
    stream = Stream()
    assert orders(stream, {"2", "1"}, {}) == [[{"number": "1"}], [{"number": "2"}]]
    assert stream.warnings == []


def test_nothing_named_is_nothing_to_read() -> None:
    stream = Stream()
    assert orders(stream, set(), {}) == []
    assert stream.warnings == []


def test_orders_that_are_missing_or_refused_are_one_warning() -> None:
    stream = Stream()
    found = orders(stream, {"1", "2", "3", "4"}, {"2": [], "3": refusal(), "4": refusal()})
    assert [rows for rows in found if rows] == [[{"number": "1"}]]
    (warning,) = stream.warnings
    assert warning == (
        "4 older orders changed, 3 of them were not read (1 not found, 2 refused, 0 beyond the 300 "
        "of one sync). The lookback finds their changes within 24 hours. The first error was: It "
        "was refused."
    )


def test_a_sync_reads_300_orders_at_most() -> None:
    stream = Stream()
    assert len(orders(stream, {str(number) for number in range(305)}, {})) == 300
    (warning,) = stream.warnings
    assert "305 older orders changed, 5 of them were not read" in warning
    assert "5 beyond the 300 of one sync" in warning


def test_a_failure_of_the_whole_api_ends_the_reading_of_orders() -> None:
    stream = Stream()
    stream.client.failure = refusal()
    with pytest.raises(RequestFailedError):
        orders(stream, {"1"}, {"1": refusal()})
