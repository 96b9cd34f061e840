"""From Amazon's rows to records that are valid against their schema.

A `Shaper` is made once from a stream's JSON schema. It brings every date to UTC, keeps the digits
of every amount, and drops what the schema does not know, saying so once per field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tap_amazon_business.times import utc

# The format of an exact decimal in a string. Loaders that know it create a numeric column.
DECIMAL_FORMAT = "x-singer.decimal"

# Makes a value fit, or returns None if that is impossible.
Convert = Callable[[Any], Any]
# Takes a field's path and the problem with it; called for every occurrence.
Report = Callable[[str, str], None]
# Where a field stands in a row: names of fields, and EACH for all parts of an array.
Path = tuple[str, ...]
EACH = "[]"
# Tells whether an object is valid as it is.
Fits = Callable[[dict[str, Any]], bool]

# A decimal as Amazon's models describe it. Some loaders cannot read more than that.
DECIMAL_PATTERN = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?"
_DECIMAL = re.compile(DECIMAL_PATTERN)

# Whole numbers that fit into 64 bits, and how long one may be written.
_INTEGER_LIMIT = 2**63
_LONGEST_INTEGER = 40


class Shaper:
    """Shapes rows by a JSON schema of objects, arrays, maps and scalars.

    Args:
        schema: The stream's schema.
        report: Called with a field's path and the reason, whenever a value is dropped.
        fitting: Returns what tells whether an object is valid against a schema. Valid objects
            within a row are not copied then; without it, the record shares nothing with the row.
        unknown: Called with the path of each field that the schema does not know.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        report: Report,
        *,
        fitting: Callable[[Mapping[str, Any]], Fits] | None = None,
        unknown: Callable[[Path], None] | None = None,
    ) -> None:
        self._report = report
        self._fitting = fitting
        self._unknown = unknown
        self._convert = self._object(schema["properties"], ())

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row as a record that is valid against the schema."""
        record: dict[str, Any] = self._convert(row)
        return record

    def _converter(self, schema: Mapping[str, Any], path: Path) -> Convert:
        kind = kind_of(schema)
        if kind == "object":
            return self._part(schema, path) if schema.get("properties") else self._map(path)
        if kind == "array":
            return self._array(schema.get("items", {}), path)
        expected = schema.get("format", kind)
        scalar = _SCALARS.get(expected, _SCALARS.get(kind))
        # A catalog may hold a schema that the user wrote; leave its types to them.
        return self._scalar(scalar, path, expected) if scalar else _unchanged

    def _scalar(self, scalar: Convert, path: Path, expected: str) -> Convert:
        def convert(value: Any) -> Any:  # noqa: ANN401 (whatever the API sent)
            if value is None:
                return None
            converted = scalar(value)
            if converted is None:
                self._report(_text(path), f"a value that is not of type {expected} became null")
            return converted

        return convert

    def _part(self, schema: Mapping[str, Any], path: Path) -> Convert:
        shape = self._object(schema["properties"], path)
        if not self._fitting:
            return shape
        fits = self._fitting(schema)
        return lambda value: value if isinstance(value, dict) and fits(value) else shape(value)

    def _object(self, properties: Mapping[str, Any], path: Path) -> Convert:
        # Most values have the right type already; checking that saves a call.
        fields = {
            name: (_fitting_type(schema), self._converter(schema, (*path, name)))
            for name, schema in properties.items()
        }

        def convert(value: Any) -> dict[str, Any] | None:  # noqa: ANN401
            if not isinstance(value, dict):
                if value is not None:
                    self._report(_text(path), "a value that is not an object became null")
                return None
            record = {}
            for name, part in value.items():
                try:
                    fitting, field = fields[name]
                except KeyError:
                    self._drop((*path, name))
                    continue
                record[name] = part if type(part) is fitting or part is None else field(part)
            return record

        return convert

    def _drop(self, path: Path) -> None:
        self._report(_text(path), "the field is not in the schema and was dropped")
        if self._unknown:
            self._unknown(path)

    def _map(self, path: Path) -> Convert:
        def convert(value: Any) -> dict[str, str | None] | None:  # noqa: ANN401
            if isinstance(value, dict):
                return {key: None if part is None else text(part) for key, part in value.items()}
            if value is not None:
                self._report(_text(path), "a value that is not an object became null")
            return None

        return convert

    def _array(self, items: Mapping[str, Any], path: Path) -> Convert:
        item = self._converter(items, (*path, EACH))

        def convert(value: Any) -> list[Any] | None:  # noqa: ANN401
            if isinstance(value, list):
                return [part for part in map(item, value) if part is not None]
            if value is not None:
                self._report(_text(path), "a value that is not an array became null")
            return None

        return convert


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a schema's values besides null, "" if it names none."""
    kinds = schema.get("type", ())
    return kinds if isinstance(kinds, str) else next((k for k in kinds if k != "null"), "")


def hoist(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the row with the fields of these objects at its top level."""
    flat = dict(row)
    for name in names:
        inner = flat.get(name)
        if inner is None or isinstance(inner, dict):
            flat.pop(name, None)
            flat.update(inner or {})
    return flat


def digits(value: object) -> str | None:
    """Return an amount as a string with exactly the digits sent; None if it is no amount."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    amount = str(value)
    return amount if _DECIMAL.fullmatch(amount) else None


def integer(value: object) -> int | None:
    """Return a whole number; None if the value is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -_INTEGER_LIMIT <= value < _INTEGER_LIMIT else None
    amount = digits(value)
    number = Decimal(amount) if amount is not None and len(amount) <= _LONGEST_INTEGER else None
    if number is None or abs(number) >= _INTEGER_LIMIT or number != number.to_integral_value():
        return None
    return int(number)


def boolean(value: object) -> bool | None:
    """Return true or false; None if the value is neither."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def text(value: object) -> str:
    """Return a string as it is, and anything else as JSON, so that nothing is lost."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _text(path: Path) -> str:
    return ".".join(path).replace(f".{EACH}", EACH)


def _fitting_type(schema: Mapping[str, Any]) -> type | None:
    """Return the type whose values fit a schema as they are, None if each needs a look."""
    if "format" in schema:
        return None
    kinds = schema.get("type", ())
    return next((_TYPES[kind] for kind in kinds if kind in _TYPES), None)


def _unchanged(value: object) -> object:
    return value


# Not whole numbers: they may be too large for any column.
_TYPES: Mapping[str, type] = {"string": str, "boolean": bool}

_SCALARS: Mapping[str, Convert] = {
    "string": text,
    "integer": integer,
    "boolean": boolean,
    "date-time": utc,
    DECIMAL_FORMAT: digits,
}
