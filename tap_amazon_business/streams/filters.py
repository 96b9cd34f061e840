"""The filter of a stream map, for those who need to know what it lets through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from singer_sdk import Stream, Tap
    from singer_sdk.helpers.types import Record


def has_filter(stream: Stream) -> bool:
    """Tell whether a stream map filters a stream."""
    maps = stream.config.get("stream_maps") or {}
    return "__filter__" in (maps.get(stream.name) or {})


def passes_filter(tap: Tap, stream: str, record: Record) -> bool:
    """Tell whether the filter of a stream's map lets a record through."""
    # A catalog of the children alone has no stream map of their parent.
    maps = tap.mapper.stream_maps.get(stream, ())
    return not maps or bool(maps[0].get_filter_result(record))
