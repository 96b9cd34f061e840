"""Rows are decoded when they are iterated over, however often that is."""

from __future__ import annotations

from typing import Any

from tap_amazon_business.rows import Rows


def test_rows_of_json_are_decoded_each_time() -> None:
    rows = Rows.from_json(b'[{"a": 0.10}, 1, null, [1e400]]')
    once, again = list(rows), list(rows)
    assert once == again == [{"a": "0.10"}, 1, None, ["1e400"]]
    assert once[0] is not again[0]  # whoever writes a record may remove fields from it


def test_rows_tell_how_many_they_are() -> None:
    assert [len(Rows.from_json(b"[1, 2]")), len(Rows.of([])), len(Rows.of([{}]))] == [2, 0, 1]


def test_decoded_rows_become_json() -> None:
    rows = Rows.of([{"a": "é"}, None])
    assert rows.json() == '[{"a":"é"},null]'.encode()
    assert rows.size == len('{"a":"é"}null'.encode())


def test_rows_that_are_nested_too_deeply_have_no_json() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    rows = Rows.of([nested])
    assert rows.json() is None
    assert len(list(rows)) == 1
