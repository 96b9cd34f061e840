"""Rows come back as they were kept: plain, compressed, and from a temporary file."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

import msgspec

from tap_amazon_business.records import packed_rows
from tap_amazon_business.records.lazy_rows import Rows
from tap_amazon_business.records.packed_rows import PackedRows

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

PAGES = 12


def pages() -> list[list[dict[str, Any]]]:
    """Return pages of a megabyte each that do not compress well."""
    text = random.Random(7)
    return [
        [{"number": number, "text": text.randbytes(10_000).hex()} for number in range(50)]
        for _ in range(PAGES)
    ]


def kept(content: list[list[dict[str, Any]]]) -> list[Callable[[], Rows]]:
    packed = PackedRows()
    return [packed.keep(Rows.of(page), len(msgspec.json.encode(page))) for page in content]


def test_rows_come_back_as_they_were_kept() -> None:
    content = pages()
    opened = kept(content)
    assert [list(page()) for page in opened] == content
    assert [list(page()) for page in reversed(opened)] == content[::-1]


def test_rows_that_msgspec_cannot_write_come_back() -> None:
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    opened = PackedRows().keep(Rows.of([deep]), 1 << 30)
    assert opened()[0] is deep


def test_a_disk_that_is_full_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(packed_rows, "TemporaryFile", full)
    content = pages()
    assert [list(page()) for page in kept(content)] == content
