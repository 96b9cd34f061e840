"""Schemas: keys, names and formats that loaders rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_amazon_business.records.shaping import DECIMAL_FORMAT
from tap_amazon_business.streams.business import BUSINESS_STREAMS
from tap_amazon_business.streams.invoices import INVOICE_STREAMS
from tap_amazon_business.streams.order_reports import ListedOrderReportsStream, OrderReportsStream
from tap_amazon_business.streams.schemas.fields import DECIMAL, with_precision
from tap_amazon_business.streams.sliced import SlicedStream
from tap_amazon_business.streams.vendor import VENDOR_STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_amazon_business.streams.base import AmazonStream

STREAMS: tuple[type[AmazonStream], ...] = (
    *VENDOR_STREAMS,
    *BUSINESS_STREAMS,
    *INVOICE_STREAMS,
    OrderReportsStream,
    ListedOrderReportsStream,
)
SLICED = [stream for stream in STREAMS if issubclass(stream, SlicedStream)]
all_streams = pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)


def schema_of(stream: type[AmazonStream]) -> dict[str, Any]:
    found: dict[str, Any] = stream.schema  # type: ignore[assignment]
    return found


def keys_of(stream: type[AmazonStream]) -> set[str]:
    keys: tuple[str, ...] = stream.primary_keys  # type: ignore[assignment]
    return set(keys)


def fields(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field of a schema with its path."""
    for name, inner in part.get("properties", {}).items():
        yield f"{path}{name}", inner
        yield from fields(inner, f"{path}{name}.")
    if "items" in part:
        yield from fields(part["items"], path)


@all_streams
def test_the_keys_are_required_and_never_null(stream: type[AmazonStream]) -> None:
    schema = schema_of(stream)
    assert set(schema["required"]) == keys_of(stream)
    assert [key for key in keys_of(stream) if "null" in schema["properties"][key]["type"]] == []


@all_streams
def test_every_other_field_may_be_null(stream: type[AmazonStream]) -> None:
    parts = fields(schema_of(stream))
    optional = {path: part for path, part in parts if path not in keys_of(stream)}
    assert [path for path, part in optional.items() if "null" not in part["type"]] == []


@all_streams
def test_every_field_has_a_description(stream: type[AmazonStream]) -> None:
    assert [path for path, part in fields(schema_of(stream)) if not part.get("description")] == []


@all_streams
def test_no_field_is_a_float_or_an_enum(stream: type[AmazonStream]) -> None:
    for path, part in fields(schema_of(stream)):
        assert "number" not in part["type"], path
        assert "enum" not in part, path


@all_streams
def test_every_amount_is_an_exact_decimal(stream: type[AmazonStream]) -> None:
    # Of quantities, too: a currency beside it shows money.
    amounts = [
        part["properties"]["amount"]
        for _, part in fields(schema_of(stream))
        if {"amount", "currencyCode"} <= part.get("properties", {}).keys()
    ]
    assert all(amount["format"] == DECIMAL_FORMAT for amount in amounts)


@pytest.mark.parametrize("stream", SLICED, ids=lambda stream: stream.__name__)
def test_the_replication_key_is_a_date(stream: type[AmazonStream]) -> None:
    assert schema_of(stream)["properties"][stream.replication_key]["format"] == "date-time"


def test_every_decimal_of_a_schema_gets_its_precision() -> None:
    decimal = {**DECIMAL, "precision": 38, "scale": 9}
    schema = {"a": DECIMAL, "b": [{"c": DECIMAL}], "d": {"type": "string", "format": "date-time"}}
    assert with_precision(schema) == {
        "a": decimal,
        "b": [{"c": decimal}],
        "d": {"type": "string", "format": "date-time"},
    }


def test_the_given_schema_is_not_changed() -> None:
    schema = {"a": dict(DECIMAL)}
    with_precision(schema)
    assert schema == {"a": DECIMAL}
