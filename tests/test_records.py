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
    from collections.abc import Iterator, Mapping

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
        return _objects(schema.get("properties", {}))
    if "array" in kinds:
        return st.lists(values(schema["items"]), max_size=3)
    return scalars


def _objects(properties: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries(
        {}, optional={name: values(part) for name, part in properties.items()}
    )
    unknown = st.dictionaries(texts, anything, max_size=2)
    return st.builds(lambda new, old: {**new, **old}, unknown, known)


def rows(schema: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return rows as Amazon nests them: keys and all are at the top, in a part, or nowhere."""
    row = _objects(schema["properties"])
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


@pytest.fixture(scope="module")
def streams() -> dict[str, AmazonStream]:
    """Return the streams of a tap."""
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
    record = stream.record(sent(data.draw(rows(stream.schema))))
    if record is not None:
        Draft7Validator(stream.schema, format_checker=_FORMATS).validate(record)
