"""Writes the agreed catalog, snapshots/catalog.txt: `.venv/bin/python -m tests.singer.fields`.

A line a field: stream, path, type, format, and whether it is a key.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.catalogs import discover

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.catalogs import Catalog

SNAPSHOT = Path(__file__).parent / "snapshots" / "catalog.txt"
COMMAND = ".venv/bin/python -m tests.singer.fields"


def fields(catalog: Catalog) -> Iterator[str]:
    """Yield a line for each stream of a catalog, and for each of its fields."""
    for stream in sorted(catalog["streams"], key=lambda stream: str(stream["tap_stream_id"])):
        name, keys = stream["tap_stream_id"], stream["key_properties"]
        by_default = next(
            part["metadata"]["selected-by-default"]
            for part in stream["metadata"]
            if not part["breadcrumb"]
        )
        method = stream.get("replication_method")
        yield f"{name}: {method} by {stream.get('replication_key')}, selected {by_default}"
        for path, schema in _parts(stream["schema"], ""):
            ends = (schema.get("format", ""), "key" if path in keys else "")
            yield " ".join(filter(None, (name, path, _types(schema), *ends)))


def _parts(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, part in schema.get("properties", {}).items():
        yield f"{path}{name}", part
        yield from _parts(part, f"{path}{name}.")
    if "items" in schema:
        yield from _parts(schema["items"], f"{path.removesuffix('.')}[].")


def _types(schema: dict[str, Any]) -> str:
    """Return the types of a field's values, and those of the values of an array or a map."""
    kind = schema.get("type", "any")
    types = kind if isinstance(kind, str) else "|".join(kind)
    inner = schema.get("items", schema.get("additionalProperties"))
    return f"{types}<{_types(inner)}>" if isinstance(inner, dict) else types


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(fields(discover())) + "\n", encoding="utf-8")
