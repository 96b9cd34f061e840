"""Any row becomes a valid record, digit for digit; what it cannot hold is handed over."""

from __future__ import annotations

import json
import logging
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from tap_amazon_business.api.responses import Action, judge
from tap_amazon_business.records.shaping import (
    Shaper,
    boolean,
    digits,
    integer,
    lift,
    text,
    writable,
)
from tap_amazon_business.tap import TapAmazonBusiness
from tests.unit.records.fields import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_amazon_business.streams.base import AmazonStream

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_utc_date_time(value: object) -> bool:
    """Check what the schema promises: RFC 3339, and UTC."""
    return value is None or (
        isinstance(value, str)
        and value.endswith("Z")
        and datetime.fromisoformat(value).utcoffset() == timedelta()
    )


# ---- rows of any kind ----------------------------------------------------------------------------

# Text that JSON can carry.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
amounts = st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,12})?([eE][+-]?[0-9])?", fullmatch=True)
dates = st.one_of(
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.timezones() | st.just(UTC)).map(datetime.isoformat),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.dates().map(str),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    amounts,
    dates,
    dates.map(lambda date: {"date": date}),
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def values(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Return values for a schema: mostly of its shape, sometimes of any other."""
    return _shaped(schema) | anything


def _shaped(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    kinds = schema["type"]
    if "object" in kinds:
        return _objects(schema)
    if "array" in kinds:
        return st.lists(values(schema["items"]), max_size=3)
    return scalars


def _objects(schema: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties = {name: values(part) for name, part in schema.get("properties", {}).items()}
    keys = {name: texts | properties.pop(name) for name in schema.get("required", ())}
    known = st.fixed_dictionaries(keys, optional=properties)
    unknown = st.dictionaries(texts, anything, max_size=2)
    return st.builds(lambda new, old: {**new, **old}, unknown, known)


def rows(schema: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return rows as Amazon nests them: fields are at the top, in a part, or missing."""
    row = _objects(schema)
    parts = st.sampled_from(["orderDetails", "orderMetadata", "shipmentMetadata"])
    return row | st.builds(
        lambda outer, part, inner: {**outer, part: inner}, row, parts, row | anything
    )


def sent(value: object) -> Any:
    """Send a value as JSON, and return what the tap reads."""
    return received(json.dumps(value))


def received(literal: str) -> Any:
    """Send a value as this JSON text, and return what the tap reads."""
    verdict = judge(200, {}, f'{{"payload":[{literal}]}}'.encode(), paging=False)
    assert verdict.action is Action.ACCEPT
    return verdict.body["payload"][0]


@pytest.fixture(scope="module", name="streams")
def shared_streams() -> dict[str, AmazonStream]:
    """Return the streams of one tap, for tests that do not look at its log."""
    return _streams()


def record_of(stream: AmazonStream, row: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a stream makes of a row, None if it skips the row."""
    return next(map(stream.record, stream.valid_rows([row])), None)


def _streams() -> dict[str, AmazonStream]:
    names = ("client_id", "client_secret", "refresh_token")
    config = {f"{api}_{name}": "x" for api in ("sp_api", "business_api") for name in names}
    return {stream.name: stream for stream in TapAmazonBusiness(config=config).discover_streams()}


@pytest.mark.parametrize("name", ["purchase_orders", "order_reports"])
@settings(max_examples=40)
@given(data=st.data())
def test_any_row_becomes_a_valid_record_or_is_skipped(
    streams: dict[str, AmazonStream], name: str, data: st.DataObject
) -> None:
    stream = streams[name]
    record = record_of(stream, sent(data.draw(rows(stream.schema))))
    if record is not None:
        Draft7Validator(stream.schema, format_checker=_FORMATS).validate(record)


# ---- shapes --------------------------------------------------------------------------------------

SHAPES: dict[str, Any] = {
    "properties": {
        **FIELDS,
        "part": {
            "type": ["object", "null"],
            "properties": {"inner": {"type": ["integer", "null"]}},
        },
        "parts": {
            "type": ["array", "null"],
            "items": {
                "type": "object",
                "properties": {"date": {"type": ["string", "null"], "format": "date-time"}},
            },
        },
    }
}


def shaped(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a row's record, and what it cannot hold."""
    rescued: dict[str, Any] = {}
    return Shaper(SHAPES)(row, rescued), rescued


def test_a_row_that_fits_is_unchanged() -> None:
    row = {
        "name": "a name",
        "count": 3,
        "flag": False,
        "date": "2026-05-01T10:00:00Z",
        "amount": "12.50",
        "tags": ["a", ""],
        "info": {"any key": "any value"},
        "part": {"inner": 0},
        "parts": [{"date": "2026-05-01T10:00:00Z"}, {}],
    }
    assert shaped(row) == (row, {})


def test_nulls_stay_null() -> None:
    row = dict.fromkeys(SHAPES["properties"])
    assert shaped(row) == (row, {})


def test_a_missing_field_stays_missing() -> None:
    assert shaped({"part": {}}) == ({"part": {}}, {})


@pytest.mark.parametrize(
    ("row", "rescued"),
    [
        ({"new": 1}, {"new": 1}),
        ({"new": None}, {"new": None}),
        ({"new": {"deep": [1]}}, {"new": {"deep": [1]}}),
        ({"part": {"new": {"deep": 1}}}, {"part.new": {"deep": 1}}),
        ({"parts": [{}, {"new": 1}]}, {"parts[1].new": 1}),
    ],
)
def test_an_unknown_field_is_rescued_with_its_path(
    row: dict[str, Any], rescued: dict[str, Any]
) -> None:
    record, found = shaped(row)
    assert "new" not in json.dumps(record)
    assert found == rescued


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "many"),
        ("count", 2**63),
        ("flag", "perhaps"),
        ("date", "soon"),
        ("date", {"date": "soon"}),
        ("amount", "cheap"),
        ("tags", "one"),
        ("info", ["a"]),
        ("part", "whole"),
    ],
)
def test_a_value_of_another_type_becomes_null_and_is_rescued(name: str, value: object) -> None:
    record, rescued = shaped({name: value})
    assert record == {name: None}
    assert rescued == {name: value}


@pytest.mark.parametrize("nothing", ["", {"date": None}, {"date": ""}])
def test_an_empty_value_is_nothing_to_rescue(nothing: object) -> None:
    assert shaped({"date": nothing}) == ({"date": None}, {})


def test_an_array_loses_items_of_another_type_to_the_rescued_values() -> None:
    record, rescued = shaped({"parts": [{"date": "2026-05-01"}, "odd", None]})
    assert record == {"parts": [{"date": "2026-05-01T00:00:00Z"}]}
    assert rescued == {"parts[1]": "odd"}


def test_a_rescued_number_keeps_all_its_digits() -> None:
    assert shaped({"count": 10**30, "new": [2**64]})[1] == {"count": 10**30, "new": [2**64]}


def nested(depth: int) -> Any:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def test_a_value_that_is_nested_too_deeply_is_named() -> None:
    assert shaped({"new": nested(100_000)}) == ({}, {"new": "(nested too deeply)"})


@given(anything)
def test_everything_else_is_rescued_as_it_is(value: Any) -> None:
    fits = json.loads(json.dumps(value))
    assert writable(fits) in (fits, json.dumps(fits))


def without_nul(value: str) -> str:
    """Return a text without the character that no database accepts."""
    return value.replace("\0", "")


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return every scalar, empty array and empty object of a value, by its path."""
    found: dict[str, Any] = {}
    if isinstance(value, dict) and value:
        for name, part in value.items():
            found |= leaves(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for at, part in enumerate(value):
            found |= leaves(part, f"{path}[{at}]")
    else:
        found[path] = value
    return found


def same(before: Any, afterwards: Any) -> bool:
    """Return whether a value of a record says what the row's said."""
    if before is None or before == afterwards:
        return True
    as_text = before if isinstance(before, str) else json.dumps(before)
    return str(afterwards).casefold() == as_text.casefold() or (
        isinstance(afterwards, int) and integer(before) == afterwards
    )


# Names without dots and brackets, so that paths are unambiguous; texts that JSON does not escape.
names = st.sampled_from(["a", "b", "name", "inner", "date", "new"])
simple = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text("aÄ1. ") | amounts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
# Dates are rewritten in UTC, and maps hold texts: tests of their own say so.
SIMPLE = {
    "properties": {n: s for n, s in SHAPES["properties"].items() if n not in {"info", "date"}}
}
simple_rows = st.dictionaries(names | st.sampled_from(list(SIMPLE["properties"])), simple)


def held(row: dict[str, Any], record: dict[str, Any], rescued: dict[str, Any]) -> bool:
    """Return whether each leaf of a row is in its record or among the rescued values."""
    kept = leaves(record)
    saved: dict[str, Any] = {}
    for path, value in rescued.items():
        saved |= leaves(value, path)
    texts_kept = {str(value).casefold() for value in kept.values()}
    for path, value in leaves(row).items():
        if value in (None, "", [], {}):
            continue
        if path in saved:
            assert saved[path] == value
        elif path in kept and same(value, kept[path]):
            continue
        else:
            # An array without its odd items has others at these places; a text holds all of them.
            shown = json.dumps(value, ensure_ascii=False).strip('"').casefold()
            assert any(shown in text_ for text_ in texts_kept), path
    return True


@settings(max_examples=100)
@given(simple_rows)
def test_no_value_is_lost(row: dict[str, Any]) -> None:
    row = sent(row)
    rescued: dict[str, Any] = {}
    record = Shaper(SIMPLE)(row, rescued)
    assert held(row, record, rescued)


@given(rows(SHAPES | {"type": ["object"]}))
def test_shaping_leaves_the_row_as_it_was_and_shares_nothing_with_it(row: dict[str, Any]) -> None:
    before = deepcopy(row)
    record, _ = shaped(row)
    assert row == before
    shared = _containers(record) & _containers({k: v for k, v in row.items() if k in record})
    assert not shared


def _containers(value: Any) -> set[int]:
    if not isinstance(value, (dict, list)):
        return set()
    parts = value.values() if isinstance(value, dict) else value
    return {id(value)}.union(*map(_containers, parts))


@given(st.dictionaries(texts, texts | st.none()))
def test_a_map_keeps_arbitrary_keys(info: dict[str, str | None]) -> None:
    kept = {without_nul(key): value and without_nul(value) for key, value in info.items()}
    assert shaped({"info": sent(info)}) == ({"info": kept}, {})


def test_a_map_holds_other_values_as_json_text() -> None:
    record, rescued = shaped({"info": {"a": 1, "b": [True, None], "c": {"d": "e"}}})
    assert record == {"info": {"a": "1", "b": "[true,null]", "c": '{"d":"e"}'}}
    assert rescued == {}


@given(texts)
def test_text_is_unchanged(value: str) -> None:
    assert shaped({"name": sent(value)}) == ({"name": without_nul(value)}, {})


@pytest.mark.parametrize("schema", [{}, {"type": "number"}, {"type": ["number", "null"]}])
def test_a_type_that_only_a_catalog_names_is_left_alone(
    schema: dict[str, Any],
) -> None:
    shaper, rescued = Shaper({"properties": {"own": schema}}), dict[str, Any]()
    assert shaper({"own": ["as", "is"]}, rescued) == {"own": ["as", "is"]}
    assert rescued == {}


def test_accepts_a_type_that_is_a_string() -> None:
    shaper = Shaper({"properties": {"date": {"type": "string", "format": "date-time"}}})
    assert shaper({"date": "2026-05-01"}, {}) == {"date": "2026-05-01T00:00:00Z"}


# ---- streams -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [{}, {"purchaseOrderNumber": None}, {"purchaseOrderNumber": []}])
def test_skips_a_row_without_its_key_and_warns(
    caplog: pytest.LogCaptureFixture, key: dict[str, Any]
) -> None:
    with caplog.at_level(logging.WARNING, TapAmazonBusiness.name):
        assert record_of(_streams()["purchase_orders"], key) is None
    assert "purchaseOrderNumber: a row without its key was skipped" in caplog.text


def test_keeps_values_that_amazon_does_not_document(streams: dict[str, AmazonStream]) -> None:
    row = {"purchaseOrderNumber": "1", "purchaseOrderState": "REOPENED"}
    computed = {"lastChangedDate": None, "rescuedData": None}
    assert record_of(streams["purchase_orders"], row) == row | computed


# ---- money ---------------------------------------------------------------------------------------


@given(amounts)
def test_keeps_every_digit_of_an_amount_sent_as_text(
    streams: dict[str, AmazonStream], amount: str
) -> None:
    order = {"purchaseOrderNumber": "1", "items": [{"netCost": {"amount": amount}}]}
    record = record_of(streams["purchase_orders"], sent(order))
    assert record is not None
    assert record["items"] == [{"netCost": {"amount": amount}}]


# A whole zero loses its sign; everything else is kept to the letter.
@given(amounts.filter(lambda amount: amount != "-0"))
def test_keeps_every_digit_of_an_amount_sent_as_a_number(
    streams: dict[str, AmazonStream], amount: str
) -> None:
    keys = '"purchaseOrderNumber": "1", "orderMetadata": {"orderId": "2"}'
    report = received(f'{{{keys}, "charges": [{{"amount": {{"amount": {amount}}}}}]}}')
    record = record_of(streams["order_reports"], report)
    assert record is not None
    assert record["charges"] == [{"amount": {"amount": amount}}]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12.50", "12.50"),
        ("0.000", "0.000"),
        ("-3", "-3"),
        ("1E+3", "1E+3"),
        (12, "12"),
        (10**30, "1" + "0" * 30),
        (True, None),
        ("", None),
        ("free", None),
        ("1,234.50", None),
        ("1_234.50", None),
        ("١٢", None),
        ("NaN", None),
        ("Infinity", None),
        ([1], None),
        ({"amount": 1}, None),
        (None, None),
    ],
)
def test_an_amount_is_its_digits_or_null(value: object, expected: str | None) -> None:
    assert digits(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (-5, -5),
        ("5", 5),
        ("5.0", 5),
        ("5.5", None),
        ("5e1", 50),
        ("five", None),
        ("", None),
        ("NaN", None),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (-(2**63), -(2**63)),
        ("9223372036854775808", None),
        ("1e9999", None),
        ("0" * 41, None),
        (False, None),
        ([5], None),
        (None, None),
    ],
)
def test_reads_whole_numbers_from_numbers_and_text(value: object, expected: int | None) -> None:
    found = integer(value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("FALSE", False),
        ("yes", None),
        ("", None),
        (1, None),
        (0, None),
        ([], None),
        (None, None),
    ],
)
def test_reads_only_true_and_false_as_booleans(value: object, expected: bool | None) -> None:  # noqa: FBT001
    assert boolean(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("Ärger", "Ärger"),
        (12, "12"),
        (True, "true"),
        (["ä", 1], '["ä",1]'),
        ({"a": None}, '{"a":null}'),
    ],
)
def test_other_values_become_json_text(value: object, expected: str) -> None:
    assert text(value) == expected


# ---- lifting -------------------------------------------------------------------------------------


def test_lifts_the_fields_of_an_object() -> None:
    row = {"number": "1", "details": {"state": "New", "items": []}}
    assert lift(row, "details") == {"number": "1", "state": "New", "items": []}


def test_lifting_does_not_change_the_given_row() -> None:
    row = {"number": "1", "details": {"state": "New"}}
    lift(row, "details")
    assert row == {"number": "1", "details": {"state": "New"}}


@pytest.mark.parametrize("row", [{"number": "1"}, {"number": "1", "details": None}])
def test_lifts_nothing_from_a_missing_or_null_object(row: dict[str, Any]) -> None:
    assert lift(row, "details") == {"number": "1"}


@pytest.mark.parametrize("details", ["odd", [], 0, False])
def test_leaves_a_value_that_is_not_an_object_in_its_place(details: object) -> None:
    assert lift({"details": details}, "details") == {"details": details}


def test_the_last_of_several_lifted_objects_wins() -> None:
    row = {"a": {"x": 1, "y": 1}, "b": {"y": 2}}
    assert lift(row, "a", "b") == {"x": 1, "y": 2}
