"""How far a stream is, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from tap_amazon_business.progress import Report, duration, where
from tap_amazon_business.sync.course import Place

if TYPE_CHECKING:
    from tap_amazon_business.streams.base import AmazonStream

UNTIL = datetime(2026, 7, 14, 12, tzinfo=UTC)


def report(place: Place | None, rate: float | None = None) -> Report:
    stream = cast("AmazonStream", SimpleNamespace(name="purchase_orders"))
    return Report(stream, 12_800, place, rate)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place(0.439, UNTIL), "read to 2026-07-14 (43 %)"),
        (Place(1, UNTIL), "read to 2026-07-14 (100 %)"),
        (Place(0.1, UNTIL, again=True), "read again to 2026-07-14 (10 %)"),
        (
            Place(0.5, what="purchase orders", done=1_200, of=2_400),
            "1,200 of 2,400 purchase orders (50 %)",
        ),
    ],
)
def test_tells_where_a_sync_is(place: Place, words: str) -> None:
    assert where(place) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (7.4, "7 s"),
        (44, "40 s"),
        (149, "150 s"),
        (151, "3 min"),
        (3_600, "60 min"),
        (9_000, "2.5 h"),
    ],
)
def test_tells_how_long_something_takes(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_rounding_takes_less_than_a_fifth() -> None:
    for seconds in range(1, 20_000):
        number, unit = duration(seconds).split()
        told = float(number) * {"s": 1, "min": 60, "h": 3600}[unit]
        assert abs(told - seconds) <= seconds / 5, seconds


def test_a_report_is_one_line() -> None:
    place = Place(0.43, UNTIL, left=180)
    assert report(place, rate=10).text() == (
        "read to 2026-07-14 (43 %), 12,800 records, about 3 min left, "
        "waiting for Amazon's limit (10 requests/s)"
    )


def test_a_report_leaves_out_what_nobody_knows() -> None:
    assert report(None).text() == "12,800 records"
    assert report(Place(0, UNTIL)).text() == "read to 2026-07-14 (0 %), 12,800 records"
