"""Children get a page of their parents once it is written, as it was before it was written."""

from __future__ import annotations

import io
import json
import signal
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest

from tap_amazon_business.errors import TapError
from tap_amazon_business.streams.children import ChildStream, ChildSync, with_children
from tap_amazon_business.streams.vendor import PurchaseOrdersStream
from tap_amazon_business.streams.vendor_items import PurchaseOrderItemsStream
from tap_amazon_business.sync.bookmark import ResumePoint
from tap_amazon_business.tap import TapAmazonBusiness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Record

    from tap_amazon_business.streams.base import AmazonStream, Row

CONFIG = {f"sp_api_{name}": "x" for name in ("client_id", "client_secret", "refresh_token")}


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Restore the signal handlers, which every tap sets."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Recorded:
    """The sync of a child that notes which parents it gets, and when."""

    def __init__(self, child: ChildStream, events: list[Any], error: str = "") -> None:
        self._events = events
        self._error = error
        self.sync = ChildSync(child, self._read)

    def _read(self, parents: Sequence[Row], since: datetime | None) -> Iterator[Record]:
        del since
        self._events.append([dict(parent) for parent in parents])
        if self._error:
            raise TapError(self._error)
        yield from ()


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


def taken(*numbers: str) -> list[Row]:
    """Return what a child that needs numbers and items takes of these orders."""
    return [
        {"purchaseOrderNumber": number, "items": [{"itemSequenceNumber": number}]}
        for number in numbers
    ]


def test_children_get_their_fields_of_a_page_after_its_records() -> None:
    parent, child = streams()
    events: list[Any] = []
    sync = Recorded(child, events).sync
    for record in with_children(parent, [sync], [order("1"), order("2")]):
        events.append(record["purchaseOrderNumber"])
        record.clear()  # as writing it may do
    assert events == ["1", "2", taken("1", "2")]


def test_children_do_not_get_parents_that_a_filter_removes() -> None:
    parent, child = streams(
        stream_maps={"purchase_orders": {"__filter__": "purchaseOrderNumber != '2'"}}
    )
    events: list[Any] = []
    sync = Recorded(child, events).sync
    list(with_children(parent, [sync], [order("1"), order("2")]))
    assert events == [taken("1")]


def test_children_that_want_them_get_unchanged_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    parent, child = streams()
    events: list[Any] = []
    sync = Recorded(child, events).sync
    unchanged = [order("2"), order("3")]
    assert list(with_children(parent, [sync], [order("1")], unchanged)) == [order("1")]
    monkeypatch.setattr(child, "wants_unchanged", lambda row: row["purchaseOrderNumber"] == "3")
    list(with_children(parent, [sync], [order("1")], unchanged))
    assert events == [taken("1"), taken("1", "3")]


def test_a_child_gets_no_empty_page() -> None:
    parent, child = streams()
    events: list[Any] = []
    assert list(with_children(parent, [Recorded(child, events).sync], [])) == []
    assert events == []


def test_a_failing_child_gets_no_further_pages_and_its_parent_continues() -> None:
    parent, child = streams()
    events: list[Any] = []
    sync = Recorded(child, events, error="broken").sync
    emitted = [
        record["purchaseOrderNumber"]
        for number in "12"
        for record in with_children(parent, [sync], [order(number)])
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
    resume = ResumePoint(None)
    with (
        redirect_stdout(text),
        child.syncing(resume, parent.track) as sync,
        child.syncing(resume, parent.track),
    ):
        for record in orders:
            list(with_children(parent, [sync], [record]))
        child.shared.flush()
    messages = [json.loads(line) for line in text.getvalue().splitlines()]
    assert [message["type"] for message in messages] == ["SCHEMA", "RECORD", "RECORD"]
    assert child.track.records == 2
