"""Decodes the bodies of responses.

Most pages are ordinary: their rows are left as JSON until they are needed. Everything else is
decoded as a whole.
"""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any

import msgspec

from tap_amazon_business.records.lazy_rows import Rows

# Returns the JSON object in a body, None if there is none.
Decoder = Callable[[bytes], "dict[str, Any] | None"]

# Numbers with a decimal point are kept as the text that Amazon sent: money never meets a float.
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=str)

# A NUL character in JSON: an even number of backslashes before it, and then its escape.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

_PIECE = 1 << 14

_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


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
