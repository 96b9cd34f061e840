"""Rows stay JSON until they are needed; a few of their fields are read without decoding them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.records.decoding import FieldReader, Rows, json_of

ROWS = msgspec.json.Decoder(list[msgspec.Raw])

# Text that JSON can carry: half a surrogate pair is none.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def raw(content: bytes) -> Rows:
    """Return the rows of a page as they are read."""
    return Rows(ROWS.decode(content))


def nested(depth: int) -> Any:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


# ---- rows ----------------------------------------------------------------------------------------


def test_rows_are_decoded_each_time_they_are_needed() -> None:
    rows = raw(b'[{"a": 0.10}, 1, null, [1e400]]')
    once, again = list(rows), list(rows)
    assert once == again == [{"a": "0.10"}, 1, None, ["1e400"]]
    assert once[0] is not again[0]  # a record may lose fields when it is written
    assert rows[3] == ["1e400"]


def test_rows_know_how_many_they_are() -> None:
    assert [len(raw(b"[1, 2]")), len(Rows.of([])), len(Rows.of([{}]))] == [2, 0, 1]


def test_rows_keep_the_bytes_that_amazon_sent() -> None:
    rows = raw(rb'[{"b" : 1.50,"a":"\u00e9"},null]')
    assert [bytes(row) for row in rows.json()] == [rb'{"b" : 1.50,"a":"\u00e9"}', b"null"]


@given(st.lists(json_values, max_size=4))
def test_decoded_rows_come_back_as_they_were(values: list[Any]) -> None:
    assert list(Rows.of(values)) == values
    assert [json.loads(bytes(row)) for row in Rows.of(values).json()] == values
    assert list(raw(json.dumps(values).encode())) == values


@pytest.mark.parametrize(
    "value",
    [2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400, "\0", "\U0001f600", "x" * 100_000, "0.10"],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
)
def test_rows_keep_an_unusual_value(value: object) -> None:
    rows = Rows.of([{"value": value}] * 2)
    assert list(rows) == [{"value": value}] * 2
    assert [json.loads(bytes(row)) for row in rows.json()] == [{"value": value}] * 2


def test_rows_that_are_nested_too_deeply_for_msgspec_are_kept() -> None:
    assert len(list(Rows.of([nested(100_000)]))) == 1
    (found,) = Rows.of([nested(5_000)])
    depth = 0
    while found:
        depth, found = depth + 1, found[0]
    assert depth == 5_000


@given(json_values)
def test_the_json_of_a_row_holds_all_of_it(value: Any) -> None:
    assert json.loads(json_of(value)) == value


# ---- single fields -------------------------------------------------------------------------------

READ = FieldReader(("details", "date"), ("number",), ("details", "price"))


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (b'{"number": "1", "details": {"date": "2026", "price": 0.10}}', ["2026", "1", "0.10"]),
        (b'{"number": 1, "details": {"date": {"date": "2026"}}}', [{"date": "2026"}, 1, None]),
        (b"{}", [None, None, None]),
        (b'{"number": null, "details": null}', [None, None, None]),
        (b'{"number": "1", "details": "odd"}', [None, "1", None]),
        (b'{"number": "1", "details": [1]}', [None, "1", None]),
        (b'{"number": "1", "details": [{"date": "2026"}]}', [None, "1", None]),
        (b"null", [None, None, None]),
        (b'"text"', [None, None, None]),
        (b"[1, 2]", [None, None, None]),
    ],
)
def test_reads_fields_wherever_they_are(row: bytes, values: list[Any]) -> None:
    assert [*READ(row)] == values


objects = st.dictionaries(
    st.sampled_from(["number", "details", "date", "price", "other"]), json_values, max_size=4
)


@given(objects | st.builds(lambda row, part: {**row, "details": part}, objects, objects))
def test_fields_are_those_of_the_decoded_row(row: dict[str, Any]) -> None:
    part = row.get("details")
    inner = part if isinstance(part, dict) else {}
    assert [*READ(json.dumps(row).encode())] == [
        inner.get("date"),
        row.get("number"),
        inner.get("price"),
    ]


def test_a_row_that_cannot_be_decoded_has_no_fields() -> None:
    row = b'{"number": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert [*READ(row)] == [None, None, None]
