"""A page is the same whether its rows are decoded immediately or when they are needed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.records.decoding import PageDecoder, Rows, decode

NESTED = PageDecoder(envelope="payload", rows="orders", paging="pagination")
FLAT = PageDecoder(envelope=None, rows="ordersReport", paging="nextPageToken")
WITHOUT_PAGES = PageDecoder(envelope=None, rows="invoices", paging="")


def whole(body: Any) -> Any:
    """Return a body with its rows decoded."""
    if isinstance(body, Rows):
        return list(body)
    return {name: whole(part) for name, part in body.items()} if isinstance(body, dict) else body


def rows_of(body: dict[str, Any] | None) -> Any:
    assert body is not None
    return body["payload"].get("orders")


texts = st.text(max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
lists = st.lists(values, max_size=3) | values
tokens = st.none() | texts | st.integers()


def bodies(*, envelope: bool) -> st.SearchStrategy[Any]:
    """Return bodies of the shape of a page, with whatever may be beside its rows."""
    rows, paging = ("orders", "pagination") if envelope else ("ordersReport", "nextPageToken")
    found = st.none() | st.fixed_dictionaries({}, optional={"nextToken": tokens}) | values
    optional = {paging: found if envelope else tokens, "errors": values}
    page = st.fixed_dictionaries({rows: lists}, optional=optional)
    if not envelope:
        return page
    return st.fixed_dictionaries({"payload": page | values}, optional={"errors": values})


@given(body=bodies(envelope=True))
def test_a_page_in_an_envelope_is_the_same_either_way(body: Any) -> None:
    content = json.dumps(body).encode()
    assert whole(NESTED(content)) == decode(content)


@given(body=bodies(envelope=False))
def test_a_page_at_the_top_is_the_same_either_way(body: Any) -> None:
    content = json.dumps(body).encode()
    assert whole(FLAT(content)) == decode(content)


@given(st.binary(max_size=40))
def test_whatever_else_arrives_is_the_same_either_way(content: bytes) -> None:
    assert whole(NESTED(content)) == decode(content)
    assert whole(FLAT(content)) == decode(content)


ROW = '{"purchaseOrderNumber": "1", "price": 0.10, "title": "%s"}'


@pytest.mark.parametrize("title", ["", "é", r"\u00e9 \" \\ \/", r"\ud83d\ude00"])
def test_an_ordinary_page_keeps_its_rows_as_json(title: str) -> None:
    content = ('{"payload": {"orders": [%s], "pagination": null}}' % (ROW % title)).encode()
    body = NESTED(content)
    assert isinstance(rows_of(body), Rows)
    assert whole(body) == decode(content)


@pytest.mark.parametrize(
    "content",
    [
        b'{"payload": {"orders": []}, "errors": null}',
        b'{"payload": {"orders": [1]}, "errors": [{"code": "Partial"}]}',
        b'{"payload": {"orders": [1], "errors": []}}',
        b'{"payload": {"orders": [1], "pagination": "text"}}',
        b'{"payload": {"orders": null}}',
        b'{"payload": {}}',
        b'{"payload": null}',
        b'{"orders": [1]}',
        (ROW % r"cut \ud83d").join(['{"payload": {"orders": [', "]}}"]).encode(),
    ],
)
def test_what_is_not_ordinary_is_decoded_at_once(content: bytes) -> None:
    body = decode(content)
    assert body is not None
    assert NESTED(content) == body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'{"payload": {"orders": [{"a": "\xff"}]}}',
        b'{"payload": {"orders": [{"a": "\n"}]}}',
        b'{"payload": {"orders": [{"a": 01}]}}',
        b'{"payload": {"orders": [{"a": 1]}}',
        b'{"payload": {"orders": ' + b"[" * 100_000,
        b'{"payload": {"orders": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    ],
    ids=lambda content: str(content)[:50],
)
def test_what_is_no_json_object_has_no_body(content: bytes) -> None:
    assert decode(content) is None
    assert NESTED(content) is None


def test_removes_nul_characters_of_rows_that_stay_json() -> None:
    body = NESTED(rb'{"payload": {"orders": [{"a\u0000b": "c\u0000", "d": "\\u0000"}]}}')
    assert isinstance(rows_of(body), Rows)
    assert list(rows_of(body)) == [{"ab": "c", "d": r"\u0000"}]


def test_an_operation_without_pages_has_rows_as_well() -> None:
    body = WITHOUT_PAGES(b'{"invoices": [{"amount": 1.50}]}')
    assert body is not None
    assert list(body["invoices"]) == [{"amount": "1.50"}]
