"""Schema fragments that the streams share.

Field names are Amazon's. Values that Amazon documents as enums are described, never enforced: new
ones appear without notice, and a record must not be refused for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

from singer_sdk import typing as th

from tap_amazon_business.records.personal import PERSONAL
from tap_amazon_business.records.shaping import DECIMAL_FORMAT

# An exact decimal as text: loaders that know the format make a numeric column of it, and text also
# survives where the amount stays inside JSON, where a number would be read as a float.
DECIMAL: dict[str, Any] = {"type": ["string", "null"], "format": DECIMAL_FORMAT}

# What else loaders need: without it, Snowflake's loader rounds decimals to whole numbers.
_PRECISION = {"precision": 38, "scale": 9}

# Without `properties`: then flattening, by the tap or by a loader, keeps a map as one JSON column.
_MAP: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": {"type": ["string", "null"]},
}

RESCUED = "rescuedData"
_RESCUED = th.Property(
    RESCUED,
    th.CustomType({"type": ["object", "null"]}),
    description=(
        "Values that fit no other column, as an object from path to value: new fields, and "
        "values of another type. Usually null; added by the tap."
    ),
)

Field = th.Property[Any]


def text(name: str, description: str) -> Field:
    """Return a text field."""
    return th.Property(name, th.StringType, description=description)


def date(name: str, description: str) -> Field:
    """Return a date-time field, UTC."""
    return th.Property(name, th.DateTimeType, description=description)


def count(name: str, description: str) -> Field:
    """Return a field of whole numbers."""
    return th.Property(name, th.IntegerType, description=description)


def flag(name: str, description: str) -> Field:
    """Return a field that is true or false."""
    return th.Property(name, th.BooleanType, description=description)


def decimal(name: str, description: str) -> Field:
    """Return a field of exact decimals, as text."""
    return th.Property(name, th.CustomType(DECIMAL), description=description)


def record(name: str, description: str) -> Callable[..., Field]:
    """Return what makes a field for an object, given the fields of the object."""
    return lambda *fields: th.Property(name, th.ObjectType(*fields), description=description)


def records(name: str, description: str) -> Callable[..., Field]:
    """Return what makes a field for an array of objects, given the fields of each."""
    items = th.ObjectType
    return lambda *fields: th.Property(name, th.ArrayType(items(*fields)), description=description)


def texts(name: str, description: str) -> Field:
    """Return a field for an array of texts."""
    return th.Property(name, th.ArrayType(th.StringType), description=description)


def mapping(name: str, description: str) -> Field:
    """Return a field for an object of arbitrary keys with text values."""
    return th.Property(name, th.CustomType(_MAP), description=description)


def money(name: str, description: str, *more: Field) -> Field:
    """Return a field for an amount and its currency."""
    return record(name, description)(
        text("currencyCode", "Currency, ISO 4217, three letters."),
        decimal("amount", "The amount, exact."),
        *more,
    )


def key(field: Field) -> Field:
    """Return a field as a part of a key: required, never null."""
    required = copy(field)
    required.optional = False
    return required


def personal(*fields: Field) -> Iterator[Field]:
    """Yield fields that identify a person; the setting `personal_data` hashes or drops them."""
    for field in map(copy, fields):
        field.wrapped = th.CustomType({**field.type_dict, PERSONAL: True})
        field.description = f"{field.description} Personal data."
        yield field


def schema(*fields: Field) -> dict[str, Any]:
    """Return the JSON schema of a stream with these fields, and the one for all others."""
    return th.PropertiesList(*fields, _RESCUED).to_dict()


def with_precision(part: Any) -> Any:  # noqa: ANN401 (a schema, or any part of one)
    """Return a schema in which every decimal has its precision and scale.

    The SDK's model of a catalog knows neither keyword and drops both, so they are added to what is
    written.
    """
    if isinstance(part, dict):
        precision = _PRECISION if part.get("format") == DECIMAL_FORMAT else {}
        return {name: with_precision(inner) for name, inner in part.items()} | precision
    return [with_precision(inner) for inner in part] if isinstance(part, list) else part


def without_descriptions(part: Any) -> Any:  # noqa: ANN401 (a schema, or any part of one)
    """Return a schema, or a part of one, without its descriptions."""
    if isinstance(part, dict):
        # A field may be called like this; then its value is a schema.
        names = (n for n in part if n != "description" or isinstance(part[n], dict))
        return {name: without_descriptions(part[name]) for name in sorted(names)}
    return [without_descriptions(inner) for inner in part] if isinstance(part, list) else part
