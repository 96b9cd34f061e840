"""Decodes the bodies of responses, and the rows in them.

Most pages are ordinary: their rows are left as JSON until they are needed. Everything else is
decoded as a whole.
"""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

# Numbers with a decimal point are kept as the text that Amazon sent: money never meets a float.
_ROW = msgspec.json.Decoder(float_hook=str)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])

# The names of objects on the way to a field of a row, and its own.
FieldPath = tuple[str, ...]

# Returns the JSON object in a body, None if there is none.
Decoder = Callable[[bytes], "dict[str, Any] | None"]

_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=str)

# A NUL character in JSON: an even number of backslashes before it, and then its escape.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

_PIECE = 1 << 14

_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


# ---- rows ----------------------------------------------------------------------------------------


class Rows:
    """The rows of a page, decoded one by one when they are needed.

    Decoded rows take fifteen times the memory of their JSON, and CPU time to get it.

    Args:
        rows: The rows, each as JSON; decoded only where they cannot be written as such.
    """

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = list(rows)

    @classmethod
    def of(cls, values: list[Any]) -> Rows:
        """Return rows that are decoded already."""
        try:
            return cls(_ROWS.decode(msgspec.json.encode(values)))
        except (OverflowError, RecursionError):  # a number or a nesting that is beyond msgspec
            return cls(values)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, number: int) -> Any:  # noqa: ANN401 (any JSON)
        row = self._rows[number]
        return _ROW.decode(row) if type(row) is msgspec.Raw else row

    def json(self) -> Iterator[Any]:
        """Yield the bytes of each row's JSON, as Amazon sent them."""
        for row in self._rows:
            yield row if type(row) is msgspec.Raw else json_of(row)


def json_of(row: Any) -> bytes:  # noqa: ANN401 (any JSON)
    """Return the JSON of a decoded row."""
    try:
        return msgspec.json.encode(row)
    except (OverflowError, RecursionError):
        return json.dumps(row).encode()


class FieldReader:
    """Reads a few fields of each row, and skips the rest of its JSON undecoded."""

    def __init__(self, *paths: FieldPath) -> None:
        self._paths = paths
        wanted: dict[str, Any] = {}
        for path in paths:
            inner = wanted
            for name in path[:-1]:
                inner = inner.setdefault(name, {})
            inner[path[-1]] = None
        self._decoder = msgspec.json.Decoder(_struct(wanted), float_hook=str)
        self._values = attrgetter(*map(".".join, paths))

    def __call__(self, row: Any) -> Sequence[Any]:  # noqa: ANN401 (a row's JSON)
        """Return the value of each field, None for those that are missing."""
        try:
            values: Sequence[Any] = self._values(self._decoder.decode(row))
        except (msgspec.MsgspecError, RecursionError):
            # A part of it has another type than expected: rare, so it may be slow.
            decoded = _decoded(row)
            return [_value(decoded, path) for path in self._paths]
        return values if len(self._paths) > 1 else (values,)


def _struct(wanted: Mapping[str, Any]) -> type[msgspec.Struct]:
    inner = {name: _struct(of) for name, of in wanted.items() if of}
    return msgspec.defstruct(
        "Fields",
        [
            (name, inner.get(name, Any), inner[name]() if of else None)
            for name, of in wanted.items()
        ],
        gc=False,
        frozen=True,
    )


def _decoded(row: Any) -> Any:  # noqa: ANN401
    try:
        return _ROW.decode(row)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _value(found: Any, path: FieldPath) -> Any:  # noqa: ANN401
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


# ---- bodies --------------------------------------------------------------------------------------


def decode(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object in a body, None if there is none."""
    content = _without_nul(content)
    try:
        body: dict[str, Any] | None = _DECODER.decode(content)
    except _UNDECODABLE:
        body = _decode_leniently(content)
    return body


class PageDecoder:
    """Decodes the pages of an operation; an ordinary one gets its rows as `Rows`.

    It may take an ordinary page for another, never the other way round: the body is the same.

    Args:
        envelope: The object around rows and pagination; None if they stand at the top.
        rows: The field of the rows.
        paging: The field of the pagination, or the page token.
        token: The field of the page token.
    """

    def __init__(self, *, envelope: str | None, rows: str, paging: str, token: str = "") -> None:
        self._envelope = envelope
        self._rows = rows
        self._paging = paging
        # Errors beside the rows have to be looked at, and so do page tokens elsewhere.
        odd = {"errors", "pagination", token} - {""}
        none = [(name, msgspec.UnsetType, msgspec.UNSET) for name in sorted(odd - {rows, paging})]
        found = dict[str, Any] | None if envelope else Any
        page = msgspec.defstruct(
            "Page",
            [("rows", list[msgspec.Raw]), ("paging", found, msgspec.UNSET), *none],
            rename={"rows": rows, "paging": paging},
        )
        if envelope:
            none = [(name, msgspec.UnsetType, msgspec.UNSET) for name in sorted(odd)]
            page = msgspec.defstruct("Body", [("page", page), *none], rename={"page": envelope})
        self._decoder = msgspec.json.Decoder[Any](page)

    def __call__(self, content: bytes) -> dict[str, Any] | None:
        """Return the JSON object in a body, None if there is none."""
        content = _without_nul(content)
        if not _is_utf8(content):  # which msgspec does not check in what stays JSON
            return decode(content)
        try:
            found = self._decoder.decode(content)
        except _UNDECODABLE:
            return decode(content)
        page = found.page if self._envelope else found
        body = {self._rows: Rows(page.rows)}
        if page.paging is not msgspec.UNSET:
            body[self._paging] = page.paging
        return {self._envelope: body} if self._envelope else body


def _without_nul(content: bytes) -> bytes:
    # No database accepts this character: one row would make every load fail. Looking for the one
    # byte is quick, and most bodies have no backslash.
    if b"\\" in content and b"\\u0000" in content:
        return _NUL.sub(rb"\1", content)
    return content


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    decoder, view = getincrementaldecoder("utf-8")(), memoryview(content)
    try:
        # As a whole, the text of a page would take up to four times its bytes for a moment.
        for start in range(0, len(view), _PIECE):
            decoder.decode(view[start : start + _PIECE])
    except UnicodeDecodeError:
        return False
    return True


def _decode_leniently(content: bytes) -> dict[str, Any] | None:
    """Decode JSON in which a string was cut within a character (half a surrogate pair).

    No page may be lost for it: the half becomes a question mark.
    """
    try:
        body = json.loads(content, parse_float=str)
        return _DECODER.decode(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError, msgspec.DecodeError):
        return None
