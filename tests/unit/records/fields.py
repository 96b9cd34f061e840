"""Fields of each type that the tests of fast and slow shaping share."""

from __future__ import annotations

from typing import Any

FIELDS: dict[str, Any] = {
    "name": {"type": ["string", "null"]},
    "count": {"type": ["integer", "null"]},
    "flag": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date-time"},
    "amount": {"type": ["string", "null"], "format": "x-singer.decimal"},
    "tags": {"type": ["array", "null"], "items": {"type": ["string"]}},
    "info": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"]}},
}
