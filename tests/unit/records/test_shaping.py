"""Whatever Amazon sends becomes a record that is valid against its schema, digit for digit."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from tap_amazon_business.api.responses import Action, judge
from tap_amazon_business.records import (
    Shaper,
    boolean,
    digits,
    hoist,
    integer,
    text,
)
from tap_amazon_business.tap import TapAmazonBusiness

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
        "name": {"type": ["string", "null"]},
        "count": {"type": ["integer", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "date": {"type": ["string", "null"], "format": "date-time"},
        "amount": {"type": ["string", "null"], "format": "x-singer.decimal"},
        "tags": {"type": ["array", "null"], "items": {"type": ["string"]}},
        "info": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"]}},
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


def shaped(row: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return a row's record, and the reports on it."""
    reports: list[tuple[str, str]] = []
    return Shaper(SHAPES, lambda *report: reports.append(report))(row), reports


def test_a_row_that_fits_is_unchanged_and_not_reported() -> None:
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
    assert shaped(row) == (row, [])


def test_nulls_stay_null_and_are_not_reported() -> None:
    row = dict.fromkeys(SHAPES["properties"])
    assert shaped(row) == (row, [])


def test_a_missing_field_stays_missing() -> None:
    assert shaped({"part": {}}) == ({"part": {}}, [])


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"new": 1}, "new"),
        ({"new": None}, "new"),
        ({"part": {"new": {"deep": 1}}}, "part.new"),
        ({"parts": [{"new": 1}]}, "parts[].new"),
    ],
)
def test_an_unknown_field_is_dropped_and_reported_with_its_path(
    row: dict[str, Any], path: str
) -> None:
    record, reports = shaped(row)
    assert "new" not in json.dumps(record)
    assert reports == [(path, "the field is not in the schema and was dropped")]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("count", "many", "integer"),
        ("flag", "perhaps", "boolean"),
        ("date", "soon", "date-time"),
        ("amount", "cheap", "decimal"),
        ("tags", "one", "array"),
        ("info", [], "object"),
        ("part", "whole", "object"),
    ],
)
def test_a_value_of_the_wrong_type_becomes_null_and_is_reported(
    name: str, value: object, expected: str
) -> None:
    record, [(path, problem)] = shaped({name: value})
    assert (record, path) == ({name: None}, name)
    assert re.fullmatch(
        rf"a value that is not (an|of type) (x-singer\.)?{expected} became null", problem
    )


def test_a_report_never_quotes_the_value() -> None:
    # Reports are logged, and values may be names or e-mail addresses.
    row = {name: "jane@example.com" for name in SHAPES["properties"] if name != "name"}
    _, reports = shaped({**row, "parts": ["jane@example.com"], "info": {}})
    assert len(reports) == 7
    assert "jane" not in str(reports)


def test_an_array_drops_items_of_the_wrong_type() -> None:
    record, reports = shaped({"parts": [{"date": "2026-05-01"}, "odd", None]})
    assert record == {"parts": [{"date": "2026-05-01T00:00:00Z"}]}
    assert [path for path, _ in reports] == ["parts[]"]


def without_nul(value: str) -> str:
    """Return a text without the character that no database accepts."""
    return value.replace("\0", "")


@given(st.dictionaries(texts, texts | st.none()))
def test_a_map_keeps_arbitrary_keys(info: dict[str, str | None]) -> None:
    kept = {without_nul(key): value and without_nul(value) for key, value in info.items()}
    assert shaped({"info": sent(info)}) == ({"info": kept}, [])


def test_a_map_holds_other_values_as_json_text() -> None:
    record, reports = shaped({"info": {"a": 1, "b": [True, None], "c": {"d": "e"}}})
    assert record == {"info": {"a": "1", "b": "[true,null]", "c": '{"d":"e"}'}}
    assert reports == []


@given(texts)
def test_text_is_unchanged(value: str) -> None:
    assert shaped({"name": sent(value)}) == ({"name": without_nul(value)}, [])


def _nothing_to_report(path: str, problem: str) -> None:
    raise AssertionError((path, problem))


@pytest.mark.parametrize("schema", [{}, {"type": "number"}, {"type": ["number", "null"]}])
def test_a_type_that_only_a_catalog_names_is_left_alone(
    schema: dict[str, Any],
) -> None:
    shaper = Shaper({"properties": {"own": schema}}, _nothing_to_report)
    assert shaper({"own": ["as", "is"]}) == {"own": ["as", "is"]}


def test_accepts_a_type_that_is_a_string() -> None:
    shaper = Shaper(
        {"properties": {"date": {"type": "string", "format": "date-time"}}}, _nothing_to_report
    )
    assert shaper({"date": "2026-05-01"}) == {"date": "2026-05-01T00:00:00Z"}


# ---- streams -------------------------------------------------------------------------------------


def test_warns_once_of_an_unknown_field(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = _streams()["purchase_orders"]
    with caplog.at_level(logging.WARNING, TapAmazonBusiness.name):
        for number in "123":
            record_of(stream, {"purchaseOrderNumber": number, "newField": "jane@example.com"})
    # Threads of an earlier test may still log something.
    own = [record for record in caplog.records if record.name == stream.logger.name]
    (warning,) = [record.getMessage() for record in own]
    assert "purchase_orders: newField: the field is not in the schema" in warning


@pytest.mark.parametrize("key", [{}, {"purchaseOrderNumber": None}, {"purchaseOrderNumber": []}])
def test_skips_a_row_without_its_key_and_warns(
    caplog: pytest.LogCaptureFixture, key: dict[str, Any]
) -> None:
    with caplog.at_level(logging.WARNING, TapAmazonBusiness.name):
        assert record_of(_streams()["purchase_orders"], key) is None
    assert "purchaseOrderNumber: a row without its key was skipped" in caplog.text


def test_keeps_values_that_amazon_does_not_document(streams: dict[str, AmazonStream]) -> None:
    row = {"purchaseOrderNumber": "1", "purchaseOrderState": "REOPENED"}
    assert record_of(streams["purchase_orders"], row) == row | {"lastChangedDate": None}


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


# ---- hoisting ------------------------------------------------------------------------------------


def test_hoists_the_fields_of_an_object() -> None:
    row = {"number": "1", "details": {"state": "New", "items": []}}
    assert hoist(row, "details") == {"number": "1", "state": "New", "items": []}


def test_hoisting_does_not_change_the_given_row() -> None:
    row = {"number": "1", "details": {"state": "New"}}
    hoist(row, "details")
    assert row == {"number": "1", "details": {"state": "New"}}


@pytest.mark.parametrize("row", [{"number": "1"}, {"number": "1", "details": None}])
def test_hoists_nothing_from_a_missing_or_null_object(row: dict[str, Any]) -> None:
    assert hoist(row, "details") == {"number": "1"}


@pytest.mark.parametrize("details", ["odd", [], 0, False])
def test_leaves_a_value_that_is_not_an_object_in_its_place(details: object) -> None:
    assert hoist({"details": details}, "details") == {"details": details}


def test_the_last_of_several_hoisted_objects_wins() -> None:
    row = {"a": {"x": 1, "y": 1}, "b": {"y": 2}}
    assert hoist(row, "a", "b") == {"x": 1, "y": 2}
