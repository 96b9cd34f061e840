"""Personal data of records: hashed, or dropped.

The schemas mark what is personal. A `PersonalData` is built once from a stream's schema, and only
looks at personal fields.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tap_amazon_business.records.shaping import kind_of, text
from tap_amazon_business.redaction import redact

if TYPE_CHECKING:
    # Returns what replaces a text.
    Replace = Callable[[str], str | None]

# The keyword of a JSON schema that marks a personal field.
PERSONAL = "x-personal"

_INDEX = re.compile(r"\[\d+\]")


def replacement(personal_data: str, salt: str, digits: int) -> Replace | None:
    """Return what replaces personal texts, None if they are kept.

    Args:
        personal_data: `keep`, `hash` or `drop`.
        salt: The key of the hashes.
        digits: How many hexadecimal digits a hash has.
    """
    if personal_data == "hash":
        key = salt.encode()
        return lambda value: hmac.digest(key, value.encode(errors="replace"), "sha256").hex()[
            :digits
        ]
    return _null if personal_data == "drop" else None


def _null(value: str) -> None:
    del value


class PersonalData:
    """Replaces the personal texts of a stream's records.

    Args:
        schema: The stream's schema, with its marks.
        replace: Returns what replaces a text.
    """

    def __init__(self, schema: Mapping[str, Any], replace: Replace) -> None:
        self._replace = replace
        self._fields = [
            (name, convert)
            for name, field in schema["properties"].items()
            if (convert := self._converter(field))
        ]
        self._harmless = set(_harmless(schema))

    def hide(self, record: dict[str, Any]) -> None:
        """Replace the personal texts of a record; objects within it are copied, not changed."""
        for name, convert in self._fields:
            if record.get(name) is not None:
                record[name] = convert(record[name])

    def hide_rescued(self, rescued: dict[str, Any]) -> dict[str, Any]:
        """Return values that fit no column without those that may be personal.

        An unknown field may contain anything, so only its path is kept, without e-mail addresses.
        Single values of known fields that are not personal, such as a quantity that is no number,
        stay.
        """
        return {
            redact(path): value if self._is_harmless(path, value) else self._whole(value)
            for path, value in rescued.items()
        }

    def _is_harmless(self, path: str, value: object) -> bool:
        known = _INDEX.sub("[]", path) in self._harmless
        return known and not isinstance(value, (dict, list))

    def _whole(self, value: Any) -> str | None:  # noqa: ANN401 (whatever the API sent)
        return self._replace(text(value)) if value not in (None, "") else value

    def _converter(self, schema: Mapping[str, Any]) -> Callable[[Any], Any] | None:
        """Return what replaces the personal texts of a field, None if it has none."""
        if schema.get(PERSONAL):
            return self._whole
        kind = kind_of(schema)
        if kind == "array":
            return self._each(schema.get("items", {}))
        if "properties" in schema:
            return self._within(schema["properties"])
        return self._addresses if "additionalProperties" in schema else None

    def _within(self, properties: Mapping[str, Any]) -> Callable[[Any], Any] | None:
        found = {name: self._converter(field) for name, field in properties.items()}
        fields = {name: convert for name, convert in found.items() if convert}
        if not fields:
            return None

        def convert(value: Any) -> Any:  # noqa: ANN401
            if not isinstance(value, dict):  # by a catalog with a schema of the user's own
                return self._whole(value)
            return {
                name: fields[name](part) if name in fields and part is not None else part
                for name, part in value.items()
            }

        return convert

    def _each(self, items: Mapping[str, Any]) -> Callable[[Any], Any] | None:
        convert = self._converter(items)
        if not convert:
            return None
        return lambda value: (
            [convert(part) for part in value] if isinstance(value, list) else self._whole(value)
        )

    def _addresses(self, value: Any) -> Any:  # noqa: ANN401
        """Replace the e-mail addresses in a map, whose keys and values are the account's own."""
        if not isinstance(value, dict):
            return self._whole(value)
        return {
            key: self._whole(part) if isinstance(part, str) and "@" in part else part
            for key, part in value.items()
        }


def personal_paths(schema: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the path of each personal field, with `[]` for the elements of an array."""
    return (path for path, field in _leaves(schema) if field.get(PERSONAL))


def _harmless(schema: Mapping[str, Any]) -> Iterator[str]:
    for path, field in _leaves(schema):
        if not field.get(PERSONAL) and kind_of(field) != "object":
            yield ".".join(path).replace(".[]", "[]")


def _leaves(
    schema: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if "items" in schema:
        yield from _leaves(schema["items"], (*path, "[]"))
    elif "properties" in schema:
        for name, field in schema["properties"].items():
            yield from _leaves(field, (*path, name))
    else:
        yield path, schema
