"""From Amazon's rows to records that are valid against their schema.

A `Shaper` is built once from a stream's JSON schema. It brings every date to UTC and keeps the
digits of every amount. What the schema does not know, and what does not fit its type, it hands over
with the path to it, so that nothing is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tap_amazon_business.times import utc

# The format of an exact decimal in a string. Loaders that know it create a numeric column.
DECIMAL_FORMAT = "x-singer.decimal"

# Where a value is in a row, from the inside out: its name or index, and where its object is.
Place = tuple["Place", str | int] | None
# Values of a row that do not fit its record, by their paths, such as `items[0].netCost.amount`.
Rescued = dict[str, Any]
# Makes a value fit, given where it is; adds it to the rescued ones if that is impossible.
Convert = Callable[[Any, Place, Rescued], Any]
# Makes a scalar fit, or returns None if that is impossible.
ConvertScalar = Callable[[Any], Any]
# Names of fields, and EACH for all elements of an array.
Path = tuple[str, ...]
EACH = "[]"
# Returns whether an object is valid as it is.
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
        fitting: Returns what checks whether an object is valid against a schema. Valid objects
            within a row are not copied then; without it, the record shares nothing with the row.
        unknown: Called with the path of each field that the schema does not know.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        *,
        fitting: Callable[[Mapping[str, Any]], Fits] | None = None,
        unknown: Callable[[Path], None] | None = None,
    ) -> None:
        self._fitting = fitting
        self._unknown = unknown
        self._convert = self._object(schema["properties"], ())

    def __call__(self, row: dict[str, Any], rescued: Rescued) -> dict[str, Any]:
        """Return the row as a record that is valid against the schema.

        Args:
            row: The row.
            rescued: Gets every value that does not fit the record.
        """
        record: dict[str, Any] = self._convert(row, None, rescued)
        return record

    def _converter(self, schema: Mapping[str, Any], path: Path) -> Convert:
        kind = kind_of(schema)
        if kind == "object":
            return self._part(schema, path) if schema.get("properties") else _map
        if kind == "array":
            return self._array(schema.get("items", {}), path)
        scalar = _SCALARS.get(schema.get("format", kind), _SCALARS.get(kind))
        # A catalog may contain a schema that the user wrote; leave its types to them.
        return _scalar(scalar) if scalar else _unchanged

    def _part(self, schema: Mapping[str, Any], path: Path) -> Convert:
        shape = self._object(schema["properties"], path)
        if not self._fitting:
            return shape
        fits = self._fitting(schema)

        def convert(value: Any, place: Place, rescued: Rescued) -> Any:  # noqa: ANN401
            fitting = isinstance(value, dict) and fits(value)
            return value if fitting else shape(value, place, rescued)

        return convert

    def _object(self, properties: Mapping[str, Any], path: Path) -> Convert:
        # Most values have the right type already; checking that saves a call.
        fields = {
            name: (_fitting_type(schema), self._converter(schema, (*path, name)))
            for name, schema in properties.items()
        }

        def convert(value: Any, place: Place, rescued: Rescued) -> dict[str, Any] | None:  # noqa: ANN401
            if not isinstance(value, dict):
                _rescue(value, place, rescued)
                return None
            record = {}
            for name, part in value.items():
                try:
                    fitting, field = fields[name]
                except KeyError:
                    rescued[path_to((place, name))] = writable(part)
                    if self._unknown:
                        self._unknown((*path, name))
                    continue
                record[name] = (
                    part
                    if type(part) is fitting or part is None
                    else field(part, (place, name), rescued)
                )
            return record

        return convert

    def _array(self, items: Mapping[str, Any], path: Path) -> Convert:
        item = self._converter(items, (*path, EACH))

        def convert(value: Any, place: Place, rescued: Rescued) -> list[Any] | None:  # noqa: ANN401
            if not isinstance(value, list):
                _rescue(value, place, rescued)
                return None
            found = (item(part, (place, at), rescued) for at, part in enumerate(value))
            return [part for part in found if part is not None]

        return convert


def path_to(place: Place) -> str:
    """Return where a value is in a row as text, such as `items[0].netCost.amount`."""
    steps = list(_steps(place))[::-1]
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)[1:]


def _steps(place: Place) -> Iterator[str | int]:
    while place:
        place, step = place
        yield step


def _rescue(value: Any, place: Place, rescued: Rescued) -> None:  # noqa: ANN401
    # An empty text and an empty date stand for nothing.
    if value not in _NOTHING:
        rescued[path_to(place)] = writable(value)


def _scalar(scalar: ConvertScalar) -> Convert:
    def convert(value: Any, place: Place, rescued: Rescued) -> Any:  # noqa: ANN401
        converted = None if value is None else scalar(value)
        if converted is None:
            _rescue(value, place, rescued)
        return converted

    return convert


def _map(value: Any, place: Place, rescued: Rescued) -> dict[str, str | None] | None:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: None if part is None else text(part) for key, part in value.items()}
    _rescue(value, place, rescued)
    return None


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a schema's values besides null, "" if it names none."""
    kinds = schema.get("type", ())
    return kinds if isinstance(kinds, str) else next((k for k in kinds if k != "null"), "")


def lift(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
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


def _fitting_type(schema: Mapping[str, Any]) -> type | None:
    """Return the type whose values fit a schema as they are, None if each needs a look."""
    if "format" in schema:
        return None
    kinds = schema.get("type", ())
    return next((_TYPES[kind] for kind in kinds if kind in _TYPES), None)


def writable(value: Any) -> Any:  # noqa: ANN401
    """Return a value as it is, or as text if a number or its nesting is beyond every column."""
    if type(value) is str:
        return value
    try:
        msgspec.json.encode(value)
    except (OverflowError, RecursionError):
        return _as_text(value)
    return value


def _as_text(value: Any) -> str:  # noqa: ANN401
    try:
        return json.dumps(value)
    except RecursionError:
        return "(nested too deeply)"


def _unchanged(value: Any, place: Place, rescued: Rescued) -> Any:  # noqa: ANN401
    del place, rescued
    return value


_NOTHING: tuple[Any, ...] = (None, "", {"date": None}, {"date": ""})


# Not whole numbers: they may be too large for any column.
_TYPES: Mapping[str, type] = {"string": str, "boolean": bool}

_SCALARS: Mapping[str, ConvertScalar] = {
    "string": text,
    "integer": integer,
    "boolean": boolean,
    "date-time": utc,
    DECIMAL_FORMAT: digits,
}
