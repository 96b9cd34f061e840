"""Keeps the pages of a window small until they are written.

Windows are cut to a few pages, but where an account was quiet for long and is busy suddenly, one
window holds many. So all but the first pages are compressed. What is more than half a megabyte then
waits in a temporary file without a name, as long as the disk has room.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from io import SEEK_END
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import msgspec

from tap_amazon_business.records.lazy_rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

# Bytes of pages, and of compressed pages, that a window keeps in memory.
_MOST_PLAIN = 1 << 21
_MOST_PACKED = 1 << 19


class PackedRows:
    """The rows of the pages of one window."""

    def __init__(self) -> None:
        self._plain = 0
        self._packed = 0
        self._file: IO[bytes] | None = None

    def __del__(self) -> None:
        if self._file:
            self._file.close()

    def keep(self, rows: Rows, size: int) -> Callable[[], Rows]:
        """Keep the rows of a page, and return what returns them.

        Args:
            rows: The rows.
            size: The bytes of their JSON.
        """
        json = None if self._plain + size <= _MOST_PLAIN else rows.as_array()
        if json is None:
            self._plain += size
            return lambda: rows
        packed = zlib.compress(json, level=1)
        if self._packed + len(packed) > _MOST_PACKED:
            with suppress(OSError):
                return self._in_file(packed)
        self._packed += len(packed)
        return lambda: _unpacked(packed)

    def _in_file(self, packed: bytes) -> Callable[[], Rows]:
        file = self._opened()
        offset = file.seek(0, SEEK_END)
        if file.write(packed) != len(packed):
            raise OSError
        return lambda: self._read(offset, len(packed))

    def _read(self, offset: int, size: int) -> Rows:
        file = self._opened()
        file.seek(offset)
        return _unpacked(file.read(size))

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            # Without a buffer, a disk that is full is noticed immediately.
            self._file = TemporaryFile(buffering=0)  # noqa: SIM115
        return self._file


def _unpacked(packed: bytes) -> Rows:
    return Rows(msgspec.json.decode(zlib.decompress(packed), type=list[msgspec.Raw]))
