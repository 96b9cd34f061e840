"""Builds records from most rows at the speed of C: those that are valid against the schema already.

Only the others have to be shaped field by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from tap_amazon_business.records.shaping import (
    DECIMAL_FORMAT,
    DECIMAL_PATTERN,
    EACH,
    Path,
    Place,
    Rescued,
    Shaper,
    kind_of,
    path_to,
    writable,
)

# A moment in UTC that exists, whatever the year. 29 February is left to the careful way.
_DATE_TIME = (
    r"\A[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z\Z"
)

_SCALARS: Mapping[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)],
    "date-time": Annotated[str, msgspec.Meta(pattern=_DATE_TIME)],
    DECIMAL_FORMAT: Annotated[str, msgspec.Meta(pattern=rf"\A{DECIMAL_PATTERN}\Z")],
}
_EMPTY_ARRAY = Annotated[list[Any], msgspec.Meta(max_length=0)]

# At most this many fields that no schema knows are remembered.
_MOST_UNKNOWN = 100


class QuickShaper:
    """Builds the same records as a Shaper; what is valid already is shared with the row.

    The row itself stays as it is: other streams are built from it. Amazon adds fields to every row
    without notice, so a field that the schema does not know is taken out of all later rows first.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._fits = Fitting(schema)
        self._shape = Shaper(schema, fitting=Fitting, unknown=self._remember)
        self._unknown: list[Path] = []

    def __call__(self, row: dict[str, Any], rescued: Rescued) -> dict[str, Any]:
        """Return the row as a record that is valid against the schema."""
        for path in self._unknown:
            row = _without(row, path, None, rescued)
        return dict(row) if self._fits(row) else self._shape(row, rescued)

    def _remember(self, path: Path) -> None:
        if len(self._unknown) < _MOST_UNKNOWN and path not in self._unknown:
            self._unknown.append(path)


def _without(value: Any, path: Path, place: Place, rescued: Rescued) -> Any:  # noqa: ANN401
    """Return a value without a field; only what contains the field is copied."""
    step, *rest = path
    if step == EACH:
        if not isinstance(value, list):
            return value
        return [_without(part, tuple(rest), (place, at), rescued) for at, part in enumerate(value)]
    if not isinstance(value, dict) or step not in value:
        return value
    if rest:
        return {**value, step: _without(value[step], tuple(rest), (place, step), rescued)}
    rescued[path_to((place, step))] = writable(value[step])
    return {name: part for name, part in value.items() if name != step}


class Fitting:
    """Checks rows against a JSON schema of objects, arrays, maps and scalars.

    It may refuse a row that fits, never accept one that does not: the tests compare it with the
    Shaper.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._type = _struct(schema["properties"])

    def __call__(self, row: dict[str, Any]) -> bool:
        """Return whether the row is valid against the schema, and has no other fields."""
        try:
            msgspec.convert(row, self._type)
        except (msgspec.ValidationError, RecursionError):
            return False
        return True


def _struct(properties: Mapping[str, Any]) -> type[msgspec.Struct]:
    names = {f"field_{place}": name for place, name in enumerate(properties)}
    return msgspec.defstruct(
        "Row",
        [(field, _kind(properties[name]) | None, None) for field, name in names.items()],
        rename=names,
        forbid_unknown_fields=True,
        gc=False,
    )


def _kind(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 (a type, or a union of types)
    kind = kind_of(schema)
    if kind == "object":
        parts = schema.get("properties")
        return _struct(parts) if parts else dict[str, str | None]
    if kind == "array":
        items = _kind(schema.get("items", {}))
        # Null is dropped from arrays, which is shaping.
        return _EMPTY_ARRAY if items is Any else list[items]  # type: ignore[valid-type]
    expected = schema.get("format", kind)
    # A catalog may contain a schema that the user wrote; its types are left to them.
    return _SCALARS.get(expected, _SCALARS.get(kind, Any))
