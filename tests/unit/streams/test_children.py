"""Children get a page of their parents once it is written, as it was before it was written."""

from __future__ import annotations

import io
import json
import signal
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from tap_amazon_business.errors import TapError
from tap_amazon_business.streams.children import Child, ChildStream, ChildSync, with_children
from tap_amazon_business.streams.vendor import PurchaseOrderItemsStream, PurchaseOrdersStream
from tap_amazon_business.sync.bookmark import ResumePoint
from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.catalogs import select
from tests.support.clocks import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


class OfRecords(Child):
    """A child of fields of its parent's records, that wants some unchanged parents."""

    parent_fields = ("purchaseOrderNumber", "items")

    def __init__(self, stream: AmazonStream, unchanged: tuple[str, ...] = ()) -> None:
        self._stream = stream
        self._unchanged = unchanged

    @property
    @override
    def stream(self) -> AmazonStream:
        return self._stream

    @override
    def wants_unchanged(self, parent: Row) -> bool:
        return parent["purchaseOrderNumber"] in self._unchanged


class OfRows(OfRecords):
    """A child of its parent's rows, whatever becomes of them."""

    takes_rows = True


def noting(child: Child, events: list[Any], error: str = "") -> ChildSync:
    """Return the sync of a child that notes which parents it gets, and when."""

    def read(parents: Sequence[Row]) -> Iterator[Record]:
        events.append([dict(parent) for parent in parents])
        if error:
            raise TapError(error)
        yield from ()

    with child.stream.get_record_counter() as counter:
        return ChildSync(child, read, counter)


def streams(*selected: str, **config: Any) -> tuple[AmazonStream, ChildStream]:
    """Return a parent and a child; of only these selected streams if there are any."""
    catalog = select(*selected, config=CONFIG) if selected else None
    tap = TapAmazonBusiness(config={**CONFIG, **config}, catalog=catalog)
    parent, child = tap.streams["purchase_orders"], tap.streams["purchase_order_items"]
    assert isinstance(parent, PurchaseOrdersStream)
    assert isinstance(child, PurchaseOrderItemsStream)
    return parent, child


def item(number: str) -> Row:
    return {"itemSequenceNumber": number}


def order(number: str) -> Record:
    return {"purchaseOrderNumber": number, "purchaseOrderState": "New", "items": [item(number)]}


def taken(*numbers: str) -> list[Row]:
    """Return what a child that needs numbers and items takes of these orders."""
    return [{"purchaseOrderNumber": number, "items": [item(number)]} for number in numbers]


# ---- the children's part of a page ---------------------------------------------------------------


def test_children_get_their_fields_of_a_page_after_its_records() -> None:
    parent, child = streams()
    events: list[Any] = []
    sync = noting(child, events)
    for record in with_children(parent, [sync], [order("1"), order("2")]):
        events.append(record["purchaseOrderNumber"])
        record.clear()  # as writing it may do
    assert events == ["1", "2", taken("1", "2")]


def test_children_of_rows_get_them_as_they_were_before_they_were_written() -> None:
    parent, child = streams()
    events: list[Any] = []
    sync = noting(OfRows(child, ("2",)), events)
    for record in with_children(parent, [sync], [order("1")], [order("2"), order("3")]):
        record["items"].clear()
        record.clear()
    assert events == [[order("1"), order("2")]]


def test_children_do_not_get_parents_that_a_filter_removes() -> None:
    parent, child = streams(
        stream_maps={"purchase_orders": {"__filter__": "purchaseOrderNumber != '2'"}}
    )
    events: list[Any] = []
    sync = noting(OfRecords(child, ("3",)), events)
    list(with_children(parent, [sync], [order("1"), order("2")], [order("3")]))
    assert events == [taken("1", "3")]


def test_a_filter_of_the_parent_is_none_of_its_rows() -> None:
    parent, child = streams(
        stream_maps={"purchase_orders": {"__filter__": "purchaseOrderNumber != '2'"}}
    )
    events: list[Any] = []
    list(with_children(parent, [noting(OfRows(child), events)], [order("1"), order("2")]))
    assert events == [[order("1"), order("2")]]


def test_only_children_that_want_them_get_unchanged_parents() -> None:
    parent, child = streams()
    some: list[Any] = []
    none: list[Any] = []
    syncs = [noting(OfRecords(child, ("2",)), some), noting(child, none)]
    emitted = list(with_children(parent, syncs, [order("1")], [order("2"), order("3")]))
    assert [record["purchaseOrderNumber"] for record in emitted] == ["1"]
    assert (some, none) == ([taken("1", "2")], [taken("1")])


def test_a_child_gets_no_empty_page() -> None:
    parent, child = streams()
    events: list[Any] = []
    assert list(with_children(parent, [noting(child, events)], [])) == []
    assert list(with_children(parent, [noting(child, events)], [], [order("1")])) == []
    assert events == []


def test_rows_are_not_shaped_where_nobody_wants_records() -> None:
    parent, child = streams("purchase_order_items")
    odd = {**order("1"), "purchaseOrderChangedDate": "soon"}  # shaping would warn of it
    events: list[Any] = []
    assert list(with_children(parent, [noting(OfRows(child), events)], [odd])) == [odd]
    assert events == [[odd]]


# ---- failures ------------------------------------------------------------------------------------


def test_a_failing_child_gets_no_further_pages_and_its_parent_continues() -> None:
    parent, child = streams()
    events: list[Any] = []
    sync = noting(child, events, error="broken")
    emitted = [
        record["purchaseOrderNumber"]
        for number in "12"
        for record in with_children(parent, [sync], [order(number)])
    ]
    assert emitted == ["1", "2"]
    # Making the records begins with the first page, and ends with it.
    assert events == [taken("1")]
    assert child.failed
    assert not parent.failed


def test_a_failure_at_the_end_lets_all_pages_come() -> None:
    _, child = streams()
    child.announce = lambda: None  # type: ignore[method-assign]
    with child.syncing(ResumePoint(None)):
        child.fail_at_the_end(TapError("one was refused"))
        child.fail_at_the_end(TapError("another one, too"))
        failed = [child.failed]
    failed.append(child.failed)
    assert failed == [False, True]
    assert child.postponed is not None
    assert child.postponed.message == "one was refused"


# ---- what a child asks for -----------------------------------------------------------------------


def test_a_child_begins_where_the_settings_say() -> None:
    _, child = streams(start_date="2026-05-01")
    assert child.start(BEGINNING) == datetime(2026, 5, 1, tzinfo=UTC)
    assert streams()[1].start(BEGINNING) is None


def test_a_child_belongs_to_the_stream_of_its_parent_s_class() -> None:
    parent, child = streams()
    assert child.child_of(parent) is child
    assert child.child_of(child) is None


def test_a_child_names_the_parent_s_fields_that_a_catalog_lacks() -> None:
    _, child = streams()
    every: dict[str, Any] = {"properties": {"items": {}, "purchaseOrderNumber": {}}}
    child.require_parent_fields("purchase_orders", every)
    with pytest.raises(TapError, match="The catalog's schema of purchase_orders lacks items"):
        child.require_parent_fields("purchase_orders", {"properties": {"purchaseOrderNumber": {}}})


def test_a_child_announces_itself_once_and_counts_its_records() -> None:
    parent, child = streams()
    orders = [{**order(number), "items": [item("1"), item("1")]} for number in "12"]
    text = io.StringIO()
    with redirect_stdout(text):
        with child.syncing(ResumePoint(None)) as sync:
            for record in orders:
                list(with_children(parent, [sync], [record]))
        with child.syncing(ResumePoint(None)):
            pass
        child.shared.flush()  # what a parent does at its end
    messages = [json.loads(line) for line in text.getvalue().splitlines()]
    assert [message["type"] for message in messages] == ["SCHEMA", "RECORD", "RECORD"]
    assert child.total == 2
