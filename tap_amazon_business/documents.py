"""Reads configuration, state and catalog files, with errors that name the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tap_amazon_business.errors import TapError


def read(option: str, path: str) -> dict[str, Any]:
    """Read the JSON object in the file that a command-line option names.

    Raises:
        TapError: The file cannot be read, or holds no JSON object.
    """
    return _parse(_text(option, path), f"{option} {path}")


def read_state(path: str) -> dict[str, Any]:
    """Read a state: Singer's, a STATE message, or what `meltano state get` prints.

    An empty file holds no state.

    Raises:
        TapError: The file cannot be read, or holds none of these.
    """
    name = f"--state {path}"
    text = _text("--state", path)
    document = _parse(text, name) if text.strip() else {}
    if document.get("type") == "STATE":
        document = document.get("value") or {}
    while isinstance(inner := document.get("singer_state"), dict):
        document = inner
    if document and "bookmarks" not in document:
        raise TapError(
            f"{name}: the file holds no Singer state: 'bookmarks' is missing. Correct it, or leave "
            "it out to read everything."
        )
    return document


def bookmarks(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what a state holds of each stream.

    Raises:
        TapError: The state is damaged.
    """
    found: Any = state.get("bookmarks", {})
    if not isinstance(found, dict) or not all(isinstance(part, dict) for part in found.values()):
        raise TapError(
            "The state is damaged: 'bookmarks' must be an object that holds an object per stream. "
            "Correct it, or clear it to read everything again."
        )
    return dict(found)


def _text(option: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise TapError(f"{option} {path}: cannot read the file: {reason}.") from error


def _parse(text: str, name: str) -> dict[str, Any]:
    """Parse a JSON object. No error shows its content, which may be secret.

    Raises:
        TapError: The text is no JSON object.
    """
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise TapError(f"{name}: the file is not valid JSON{where}.") from error
    if not isinstance(document, dict):
        raise TapError(f"{name}: the file must hold a JSON object.")
    return document


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python's decoder takes and JSON does not have."""
    raise ValueError(name)
