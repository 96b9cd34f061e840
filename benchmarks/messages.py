"""Reads what a tap writes: counts it, and takes the time that json needs for it."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class _Key(msgspec.Struct, rename="camel"):
    purchase_order_number: str | None = None
    order_id: str | None = None


class _Message(msgspec.Struct):
    type: str = ""
    stream: str = ""
    record: _Key = msgspec.field(default_factory=_Key)
    value: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


@dataclass
class Messages:
    """Singer messages, counted.

    Attributes:
        records: RECORD messages by stream.
        keys: The different keys among them, by stream.
        state_bytes: Length of the last state.
    """

    records: Counter[str] = field(default_factory=Counter)
    keys: dict[str, set[tuple[str | None, str | None]]] = field(default_factory=dict)
    state_bytes: int = 0

    def found(self, stream: str) -> int:
        """Return how many different rows of a stream there were."""
        return len(self.keys.get(stream, ()))


def count(lines: Iterable[bytes]) -> Messages:
    """Count the messages of an output; lines that are none, as of a logger, are passed over."""
    messages = Messages()
    decode = msgspec.json.Decoder(_Message).decode
    for line in lines:
        try:
            message = decode(line)
        except msgspec.DecodeError:
            continue
        if message.type == "RECORD":
            key = (message.record.purchase_order_number, message.record.order_id)
            messages.records[message.stream] += 1
            messages.keys.setdefault(message.stream, set()).add(key)
        elif message.type == "STATE":
            messages.state_bytes = len(bytes(message.value))
    return messages


def json_seconds(output: Path) -> float:
    """Return the CPU seconds in which json reads and writes the records of an output.

    A few at a time, as this process must stay small: see `process.Run.peak_mb`.
    """
    spent = 0.0
    with output.open("rb") as lines:
        records = (line for line in lines if b'"RECORD"' in line[:40])
        while some := list(islice(records, 500)):
            began = time.process_time()
            for line in some:
                json.dumps(json.loads(line))
            spent += time.process_time() - began
    return spent
