"""Writes Singer messages with msgspec, five times as fast as the SDK's default writer."""

from __future__ import annotations

import os
import sys

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.encoding.simple import Message
from typing_extensions import override

# Bytes. Each write hands the interpreter to the threads that read ahead: few large writes saved a
# seventh of the time.
_ENOUGH = 1 << 18


class Writer(MsgSpecWriter):
    """Writes to standard output in blocks, and completes a block with every STATE message.

    Until then records may wait: a loader cannot confirm them before it sees the state that covers
    them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[bytes] = []
        self._size = 0
        self._writing = False
        self._status: int | None = None

    @override
    def write_message(self, message: Message) -> None:
        """Write a message as a line of JSON."""
        line = bytes(self.format_message(message))  # the SDK writes each one to the same buffer
        self._lines.append(line)
        self._size += len(line)
        if self._size >= _ENOUGH or not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Write out everything that waits."""
        self._writing = True
        lines = b"".join(self._lines)
        binary = getattr(sys.stdout, "buffer", None)
        if binary is None:  # the output was redirected to a text buffer
            sys.stdout.write(lines.decode())
        else:
            # With PYTHONUNBUFFERED, a signal can cut a write short.
            rest = memoryview(lines)
            while rest:
                rest = rest[binary.write(rest) :]
        self._clear()
        sys.stdout.flush()
        self._writing = False
        if self._status is not None:
            sys.exit(self._status)

    def stop(self, status: int) -> None:
        """End the process with this status, once no line is half written.

        For signal handlers, which may run during a write.
        """
        if not self._writing:
            sys.exit(status)
        self._status = status

    def abandon(self) -> None:
        """Discard everything that waits, as nothing reads it any more."""
        self._clear()
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (its descriptor is what is needed)
            os.dup2(nowhere.fileno(), sys.stdout.fileno())

    def _clear(self) -> None:
        self._lines.clear()
        self._size = 0
