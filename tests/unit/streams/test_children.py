"""Children get a page of their parents once it is written, as it was before it was written."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tap_amazon_business.errors import TapError
from tap_amazon_business.streams.children import ChildStream, with_children
from tap_amazon_business.streams.vendor import PurchaseOrderItemsStream, PurchaseOrdersStream
from tap_amazon_business.tap import TapAmazonBusiness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest
    from singer_sdk.helpers.types import Record

    from tap_amazon_business.streams.base import AmazonStream, Row
    from tap_amazon_business.streams.children import ListedRow

BUCKET = datetime(2026, 5, 1, tzinfo=UTC)
CONFIG = {f"sp_api_{name}": "x" for name in ("client_id", "client_secret", "refresh_token")}


def record_parents(child: ChildStream, events: list[Any], error: str = "") -> None:
    """Have a child note which parents it gets, and when."""

    def records_of(parents: Sequence[Row]) -> Iterator[Record]:
        events.append([dict(parent) for parent in parents])
        if error:
            raise TapError(error)
        yield from ()

    child.records_of = records_of  # type: ignore[method-assign]


def streams(**config: Any) -> tuple[AmazonStream, ChildStream]:
    tap = TapAmazonBusiness(config={**CONFIG, **config})
    parent, child = tap.streams["purchase_orders"], tap.streams["purchase_order_items"]
    assert isinstance(parent, PurchaseOrdersStream)
    assert isinstance(child, PurchaseOrderItemsStream)
    return parent, child


def order(number: str) -> Record:
    return {
        "purchaseOrderNumber": number,
        "purchaseOrderState": "New",
        "items": [{"itemSequenceNumber": number}],
    }


def listed(*numbers: str, changed: bool = True) -> list[ListedRow]:
    """Return orders as a parent lists them."""
    return [(order(number), BUCKET, changed) for number in numbers]


def taken(*numbers: str) -> list[Row]:
    return [order(number) for number in numbers]


def test_children_get_a_page_once_its_records_are_written() -> None:
    parent, child = streams()
    events: list[Any] = []
    record_parents(child, events)
    for record in with_children(parent, [child], listed("1", "2")):
        events.append(record["purchaseOrderNumber"])
        record.clear()  # as writing it may do
    assert events == ["1", "2", taken("1", "2")]


def test_children_do_not_get_parents_that_a_filter_removes() -> None:
    parent, child = streams(
        stream_maps={"purchase_orders": {"__filter__": "purchaseOrderNumber != '2'"}}
    )
    events: list[Any] = []
    record_parents(child, events)
    list(with_children(parent, [child], listed("1", "2")))
    assert events == [taken("1")]


def test_unchanged_parents_are_not_emitted_and_go_to_children_that_want_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parent, child = streams()
    events: list[Any] = []
    record_parents(child, events)
    page = [*listed("1"), *listed("2", changed=False)]
    numbers = [row["purchaseOrderNumber"] for row in with_children(parent, [child], page)]
    assert numbers == ["1"]
    assert not child.wants(BUCKET, changed=False)
    asked: list[tuple[datetime | None, bool]] = []

    def wants(bucket: datetime | None, *, changed: bool) -> bool:
        asked.append((bucket, changed))
        return True

    monkeypatch.setattr(child, "wants", wants)
    assert child.wants(BUCKET, changed=False)
    numbers = [row["purchaseOrderNumber"] for row in with_children(parent, [child], page)]
    assert numbers == ["1"]
    assert asked == [(BUCKET, False), (BUCKET, True), (BUCKET, False)]
    assert events == [taken("1"), taken("1", "2")]


def test_children_get_parents_with_the_fields_that_are_deselected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parent, child = streams()
    monkeypatch.setattr(parent, "all_selected", False)
    events: list[Any] = []
    record_parents(child, events)
    for record in with_children(parent, [child], listed("1")):
        record["items"].clear()  # as writing it may do
    assert events == [taken("1")]


def test_a_child_gets_no_empty_page() -> None:
    parent, child = streams()
    events: list[Any] = []
    record_parents(child, events)
    assert list(with_children(parent, [child], [])) == []
    assert events == []


def test_a_failing_child_gets_no_further_pages_and_its_parent_continues() -> None:
    parent, child = streams()
    events: list[Any] = []
    record_parents(child, events, error="broken")
    emitted = [
        record["purchaseOrderNumber"]
        for number in "12"
        for record in with_children(parent, [child], listed(number))
    ]
    assert emitted == ["1", "2"]
    assert events == [taken("1")]
    assert child.failed
    assert not parent.failed


def test_a_child_announces_itself_once_and_counts_its_records() -> None:
    parent, child = streams()
    item = {"itemSequenceNumber": "1"}
    orders = [{**order(number), "items": [item, item]} for number in "12"]
    text = io.StringIO()
    with (
        redirect_stdout(text),
        child.syncing(parent.progress),
        child.syncing(parent.progress),
    ):
        for row in orders:
            list(with_children(parent, [child], [(row, BUCKET, True)]))
        child.shared.flush()
    messages = [json.loads(line) for line in text.getvalue().splitlines()]
    assert [message["type"] for message in messages] == ["SCHEMA", "RECORD", "RECORD"]
    assert child.progress.records == 2


def test_a_child_that_failed_asks_for_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    parent, child = streams()
    closed: list[bool] = []
    monkeypatch.setattr(child.client, "close", lambda: closed.append(True))
    record_parents(child, [], error="broken")
    list(with_children(parent, [child], listed("1")))
    assert closed == [True]
    assert child.failure
