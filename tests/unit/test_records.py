"""Whatever Amazon sends becomes a record that its schema allows, and loses no digit on the way."""

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

from tap_amazon_business.records import (
    Shaper,
    boolean,
    digits,
    hoist,
    integer,
    moment_of,
    text,
    utc,
)
from tap_amazon_business.responses import Action, judge
from tap_amazon_business.tap import TapAmazonBusiness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_amazon_business.client import AmazonStream

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_utc_date_time(value: object) -> bool:
    """Check what the schema promises and what targets parse: RFC 3339, and UTC."""
    return value is None or (
        isinstance(value, str)
        and value.endswith("Z")
        and datetime.fromisoformat(value).utcoffset() == timedelta()
    )


# ---- anything that a server may send -------------------------------------------------------------

# Text without what JSON cannot carry.
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
    """Return what may stand where a schema is: mostly the right shape, else anything at all."""
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
    """Return rows as Amazon nests them: keys and all are at the top, in a part, or nowhere."""
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
    """Return the streams of one tap, for tests that do not look at what it logs."""
    return _streams()


def record_of(stream: AmazonStream, row: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a stream makes of a row, None where it leaves it out."""
    return next(map(stream.record, stream.keyed([row])), None)


def _streams() -> dict[str, AmazonStream]:
    names = ("client_id", "client_secret", "refresh_token")
    config = {f"{api}_{name}": "x" for api in ("sp_api", "business_api") for name in names}
    return {stream.name: stream for stream in TapAmazonBusiness(config=config).discover_streams()}


@pytest.mark.parametrize("name", ["purchase_orders", "order_reports"])
@settings(deadline=None)
@given(data=st.data())
def test_any_row_becomes_a_valid_record_or_none(
    streams: dict[str, AmazonStream], name: str, data: st.DataObject
) -> None:
    stream = streams[name]
    record = record_of(stream, sent(data.draw(rows(stream.schema))))
    if record is not None:
        Draft7Validator(stream.schema, format_checker=_FORMATS).validate(record)


# ---- what a shaper does, and says ----------------------------------------------------------------

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
    """Return a row's record, and what was reported of it."""
    reports: list[tuple[str, str]] = []
    return Shaper(SHAPES, lambda *report: reports.append(report))(row), reports


def test_what_fits_stays_as_it_is_and_is_not_reported() -> None:
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


def test_what_is_missing_stays_missing() -> None:
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
def test_an_unknown_field_is_dropped_and_reported_by_its_path(
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
def test_what_cannot_be_made_to_fit_becomes_null_and_is_reported(
    name: str, value: object, expected: str
) -> None:
    record, [(path, problem)] = shaped({name: value})
    assert (record, path) == ({name: None}, name)
    assert re.fullmatch(rf"a value that is no (x-singer\.)?{expected} became null", problem)


def test_what_is_reported_never_quotes_the_value() -> None:
    # Values may be names or e-mail addresses, and reports are logged.
    row = {name: "jane@example.com" for name in SHAPES["properties"] if name != "name"}
    _, reports = shaped({**row, "parts": ["jane@example.com"], "info": {}})
    assert len(reports) == 7
    assert "jane" not in str(reports)


def test_what_does_not_fit_into_an_array_is_left_out_of_it() -> None:
    record, reports = shaped({"parts": [{"date": "2026-05-01"}, "odd", None]})
    assert record == {"parts": [{"date": "2026-05-01T00:00:00Z"}]}
    assert [path for path, _ in reports] == ["parts[]"]


def without_nul(value: str) -> str:
    """Return a text without the character that no database takes."""
    return value.replace("\0", "")


@given(st.dictionaries(texts, texts | st.none()))
def test_a_map_keeps_arbitrary_keys(info: dict[str, str | None]) -> None:
    kept = {without_nul(key): value and without_nul(value) for key, value in info.items()}
    assert shaped({"info": sent(info)}) == ({"info": kept}, [])


def test_what_is_no_text_in_a_map_is_written_out_as_json() -> None:
    record, reports = shaped({"info": {"a": 1, "b": [True, None], "c": {"d": "e"}}})
    assert record == {"info": {"a": "1", "b": "[true,null]", "c": '{"d":"e"}'}}
    assert reports == []


@given(texts)
def test_text_survives_as_it_is(value: str) -> None:
    assert shaped({"name": sent(value)}) == ({"name": without_nul(value)}, [])


def _nothing_to_report(path: str, problem: str) -> None:
    raise AssertionError((path, problem))


@pytest.mark.parametrize("schema", [{}, {"type": "number"}, {"type": ["number", "null"]}])
def test_what_a_catalog_asks_for_that_this_tap_never_emits_is_left_alone(
    schema: dict[str, Any],
) -> None:
    shaper = Shaper({"properties": {"own": schema}}, _nothing_to_report)
    assert shaper({"own": ["as", "is"]}) == {"own": ["as", "is"]}


def test_a_type_that_is_not_nullable_may_be_told_as_a_word() -> None:
    shaper = Shaper(
        {"properties": {"date": {"type": "string", "format": "date-time"}}}, _nothing_to_report
    )
    assert shaper({"date": "2026-05-01"}) == {"date": "2026-05-01T00:00:00Z"}


# ---- a stream's records --------------------------------------------------------------------------


def test_an_unknown_field_is_warned_of_once_however_many_rows_have_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = _streams()["purchase_orders"]
    with caplog.at_level(logging.WARNING, TapAmazonBusiness.name):
        for number in "123":
            record_of(stream, {"purchaseOrderNumber": number, "newField": "jane@example.com"})
    # Threads that an earlier test left behind may still have something to say.
    own = [record for record in caplog.records if record.name == stream.logger.name]
    (warning,) = [record.getMessage() for record in own]
    assert "purchase_orders: newField: the field is not in the schema" in warning


@pytest.mark.parametrize("row", [{}, {"purchaseOrderNumber": None}])
def test_a_row_without_its_key_is_left_out_and_warned_of(
    caplog: pytest.LogCaptureFixture, row: dict[str, Any]
) -> None:
    with caplog.at_level(logging.WARNING, TapAmazonBusiness.name):
        assert record_of(_streams()["purchase_orders"], row) is None
    assert "purchaseOrderNumber: a row without its key was left out" in caplog.text


def test_values_outside_a_documented_list_are_kept(streams: dict[str, AmazonStream]) -> None:
    row = {"purchaseOrderNumber": "1", "purchaseOrderState": "REOPENED"}
    assert record_of(streams["purchase_orders"], row) == row | {"lastChangedDate": None}


# ---- money ---------------------------------------------------------------------------------------


@given(amounts)
def test_every_digit_of_a_vendors_money_survives(
    streams: dict[str, AmazonStream], amount: str
) -> None:
    order = {"purchaseOrderNumber": "1", "items": [{"netCost": {"amount": amount}}]}
    record = record_of(streams["purchase_orders"], sent(order))
    assert record is not None
    assert record["items"] == [{"netCost": {"amount": amount}}]


# A whole zero has no sign in the tap's arithmetic; all else is kept to the letter.
@given(amounts.filter(lambda amount: amount != "-0"))
def test_every_digit_of_a_report_s_money_survives_though_it_is_sent_as_a_number(
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
def test_amounts_are_digits_or_nothing(value: object, expected: str | None) -> None:
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
        (False, None),
        ([5], None),
        (None, None),
    ],
)
def test_whole_numbers_are_read_from_numbers_and_text(value: object, expected: int | None) -> None:
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
def test_only_true_and_false_are_read_as_such(value: object, expected: bool | None) -> None:  # noqa: FBT001
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
def test_what_is_no_text_is_written_out_as_json(value: object, expected: str) -> None:
    assert text(value) == expected


# ---- dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z"),
        ({"date": "2026-05-01T10:00:00Z"}, "2026-05-01T10:00:00Z"),
        ({"date": "2026-05-01T10:00:00Z", "zone": "UTC"}, "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:00:00+02:00", "2026-05-01T08:00:00Z"),
        ({"date": "2026-05-01T10:00:00-05:30"}, "2026-05-01T15:30:00Z"),
        ("2026-05-01T10:00:00+00:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:00:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01 10:00:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01", "2026-05-01T00:00:00Z"),
        ("2026-05-01T10:00:00.5Z", "2026-05-01T10:00:00.5Z"),
        ("2026-05-01T10:00:00.123456789Z", "2026-05-01T10:00:00.123456789Z"),
        ("2026-05-01T10:00:00.25+02:00", "2026-05-01T08:00:00.250000Z"),
    ],
)
def test_dates_of_every_shape_come_out_in_utc(value: object, expected: str) -> None:
    assert utc(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "",
        "Z",
        "2026-02-30T10:00:00Z",
        "2026-05-01T25:00:00Z",
        "0001-01-01T00:00:00+14:00",  # in UTC, before there are any dates
        1767225600,
        True,
        [],
        ["2026-05-01"],
        {},
        {"date": None},
        {"date": {"date": "2026-05-01"}},
        {"day": "2026-05-01"},
        None,
    ],
)
def test_what_is_no_date_comes_out_as_none(value: object) -> None:
    assert utc(value) is None


@given(st.datetimes(timezones=st.timezones() | st.just(UTC), allow_imaginary=False))
def test_a_date_is_the_same_moment_before_and_after(moment: datetime) -> None:
    written = utc(moment.isoformat())
    # At the ends of the calendar some moments have no date in UTC.
    if written is not None:
        assert datetime.fromisoformat(written) == moment.astimezone(UTC)
        assert moment_of(moment.isoformat()) == moment.astimezone(UTC)


@given(dates)
def test_a_date_that_is_in_utc_already_is_not_touched_again(value: str) -> None:
    written = utc(value)
    assert utc(written) == written


def test_a_moment_without_an_offset_is_in_utc() -> None:
    assert moment_of("2026-05-01T10:00:00") == datetime(2026, 5, 1, 10, tzinfo=UTC)


# ---- hoisting ------------------------------------------------------------------------------------


def test_a_hoisted_object_gives_its_fields_to_the_row() -> None:
    row = {"number": "1", "details": {"state": "New", "items": []}}
    assert hoist(row, "details") == {"number": "1", "state": "New", "items": []}


def test_hoisting_leaves_the_row_itself_as_it_was() -> None:
    row = {"number": "1", "details": {"state": "New"}}
    hoist(row, "details")
    assert row == {"number": "1", "details": {"state": "New"}}


@pytest.mark.parametrize("row", [{"number": "1"}, {"number": "1", "details": None}])
def test_an_object_that_is_missing_or_null_hoists_nothing(row: dict[str, Any]) -> None:
    assert hoist(row, "details") == {"number": "1"}


@pytest.mark.parametrize("details", ["odd", [], 0, False])
def test_what_is_no_object_stays_where_it_is(details: object) -> None:
    assert hoist({"details": details}, "details") == {"details": details}
