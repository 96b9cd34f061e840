"""The fast path builds the same records as shaping field by field."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator import World
from tap_amazon_business.api.responses import judge
from tap_amazon_business.records.fast_path import Fitting, QuickShaper
from tap_amazon_business.records.shaping import Shaper
from tap_amazon_business.streams.schemas import business, vendor
from tests.unit.records.fields import FIELDS

SCHEMA: dict[str, Any] = {
    "properties": {
        **FIELDS,
        "part": {"type": ["object", "null"], "properties": {"inner": {"type": "integer"}}},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"date": {}}}},
        "own": {"description": "A schema that the user wrote."},
        "owns": {"type": "array"},
    }
}
FITS = Fitting(SCHEMA)

texts = st.text(max_size=5)
dates = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.from_regex(
        r"\A[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,10})?Z\n?\Z"
    ),
)
amounts = st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,5})?\n?")
whole = st.integers() | st.sampled_from([2**63, 2**63 - 1, -(2**63), -(2**63) - 1])
scalars = st.one_of(st.none(), st.booleans(), whole, st.floats(), texts, dates, amounts)
anything = st.recursive(
    scalars, lambda part: st.lists(part, max_size=2) | st.dictionaries(texts, part, max_size=2)
)
fields = {
    "name": texts,
    "count": whole,
    "flag": st.booleans(),
    "date": dates,
    "amount": amounts,
    "tags": st.lists(texts, max_size=2),
    "info": st.dictionaries(texts, texts | st.none(), max_size=2),
    "part": st.fixed_dictionaries({}, optional={"inner": whole, "other": whole}),
    "parts": st.lists(st.fixed_dictionaries({}, optional={"date": dates}), max_size=2),
    "own": anything,
    "owns": st.lists(anything, max_size=2),
    "unknown": anything,
}
rows = st.fixed_dictionaries(
    {}, optional={name: part | st.none() | anything for name, part in fields.items()}
)


def shaped(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a row's record, and what it cannot hold."""
    rescued: dict[str, Any] = {}
    return Shaper(SCHEMA)(row, rescued), rescued


@settings(max_examples=100)
@given(row=rows)
@example({"count": True})
@example({"count": 1.0})
@example({"flag": 1})
@example({"name": 1})
@example({"tags": ["a", None]})
@example({"owns": [None]})
@example({"date": "2026-02-29T00:00:00Z"})
@example({"date": "2026-01-01T00:00:00Z\n"})
@example({"date": "2026-01-01T24:00:00Z"})
@example({"amount": "1\n"})
@example({"info": {"a": 1}})
def test_what_fits_is_what_shaping_makes_of_it(row: dict[str, Any]) -> None:
    if FITS(row):
        record, rescued = shaped(row)
        assert (record, rescued) == (row, {})
        assert repr(record) == repr(row)  # True is not 1


def quickly(
    given_rows: list[dict[str, Any]],
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the records that one QuickShaper builds from rows, and what they cannot hold."""
    quick, found = QuickShaper(SCHEMA), []
    for row in given_rows:
        rescued: dict[str, Any] = {}
        found.append((quick(row, rescued), rescued))
    return found


def with_unknown(part: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return rows in which any object may have fields that the schema does not know."""
    return st.builds(_add, part, st.dictionaries(st.sampled_from("xyz"), scalars, max_size=1))


def _add(value: Any, unknown: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {**{name: _add(part, unknown) for name, part in value.items()}, **unknown}
    return [_add(part, unknown) for part in value] if isinstance(value, list) else value


@settings(max_examples=100)
@given(given_rows=st.lists(rows | with_unknown(rows), max_size=4))
@example([{"unknown": 1, "parts": [{"x": 1}]}, {"parts": [{"x": 1, "date": "no date"}, 1, None]}])
@example([{"part": {"x": 1}}, {"part": {"x": 1, "inner": 1}}, {"part": [1]}, {"part": None}])
@example([{"info": {"x": "a"}, "x": 1}, {"info": {"x": "a"}, "x": 1}])
def test_the_fast_path_builds_the_same_records_and_rescues_the_same_values(
    given_rows: list[dict[str, Any]],
) -> None:
    expected = [shaped(row) for row in given_rows]
    found = quickly(given_rows)
    assert repr([record for record, _ in found]) == repr([record for record, _ in expected])
    assert [sorted(map(repr, rescued.items())) for _, rescued in found] == [
        sorted(map(repr, rescued.items())) for _, rescued in expected
    ]


@given(st.lists(rows | with_unknown(rows), max_size=4))
def test_rows_stay_as_they_are(given_rows: list[dict[str, Any]]) -> None:
    before = deepcopy(given_rows)
    quickly(given_rows)
    assert repr(given_rows) == repr(before)


def test_an_unknown_field_is_rescued_from_each_row() -> None:
    odd = {"name": "a", "new": 1, "parts": [{"date": None, "new": 1}, {"new": {"a": 1}}]}
    record = {"name": "a", "parts": [{"date": None}, {}]}
    rescued = {"new": 1, "parts[0].new": 1, "parts[1].new": {"a": 1}}
    assert quickly([odd] * 3) == [(record, rescued)] * 3


def test_an_unknown_field_costs_no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[dict[str, Any]] = []
    shape = Shaper.__call__

    def look(shaper: Shaper, row: dict[str, Any], rescued: dict[str, Any]) -> dict[str, Any]:
        looks.append(row)
        return shape(shaper, row, rescued)

    monkeypatch.setattr(Shaper, "__call__", look)
    quickly([{"new": 1, "part": {"new": 1}, "parts": [{"new": 1}]}] * 5)
    assert len(looks) == 1


def test_any_number_of_unknown_fields_is_rescued() -> None:
    row = {"name": "a", **{f"new {n}": n for n in range(300)}}
    rescued = {f"new {n}": n for n in range(300)}
    assert quickly([row] * 2) == [({"name": "a"}, rescued)] * 2


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"name": "a", "count": 2**63 - 1, "flag": False},
        {"date": "2026-12-31T23:59:59Z"},
        {"date": "2026-01-01T00:00:00.123Z"},
        {"amount": "-12.50"},
        {"amount": "1E+2"},
        {"tags": [], "info": {"a": None}, "part": {"inner": None}, "parts": [{"date": None}]},
        {"name": None, "tags": None, "part": None},
        {"own": [1, None, {"a": 2.5}]},
    ],
)
def test_an_ordinary_row_fits(row: dict[str, Any]) -> None:
    assert FITS(row)


def test_a_nesting_without_end_does_not_fit() -> None:
    row: list[Any] = []
    for _ in range(100_000):
        row = [row]
    assert not FITS({"tags": row})


def test_nearly_all_rows_of_the_apis_fit() -> None:
    world = World(orders=200, items=3, quirks=False)
    for schema, encoded in (
        (vendor.PURCHASE_ORDER_STATUSES, world.status_rows),
        (vendor.VENDOR_SHIPMENTS, world.vendor_shipments.rows),
        (business.TRANSACTIONS, world.transactions.rows),
    ):
        answer = b'{"payload":[%b]}' % b",".join(encoded[place] for place in range(100))
        body = judge(200, {}, answer, paging=False).body
        assert sum(map(Fitting(schema), body["payload"])) > 90
