"""BATCH messages: the setting that asks for them, and what is in their files."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def batch_config(folder: Path, size: int = 100) -> dict[str, Any]:
    """Return the setting `batch_config` for files in a folder."""
    return {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{folder}"},
        "batch_size": size,
    }


def batch_texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text of each file of a BATCH message."""
    for path in message["manifest"]:
        yield gzip.decompress(Path(path.removeprefix("file://")).read_bytes()).decode()


def batch_records(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the records in the files of a BATCH message."""
    return [
        json.loads(line, parse_float=Decimal)
        for text in batch_texts(message)
        for line in text.splitlines()
    ]
