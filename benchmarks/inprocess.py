"""The tap in this process, on a clock that it shares with the simulator and that never waits."""

from __future__ import annotations

import gc
import io
import logging
import threading
import time
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
import msgspec
from typing_extensions import override

from benchmarks.server import UNLIMITED
from simulator import published_plans
from tap_amazon_business.clock import Clock
from tap_amazon_business.tap import TapAmazonBusiness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from simulator import Simulator

BEGINNING = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


class SharedClock(Clock):
    """A clock that moves when the tap sleeps by it, or when it is moved."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._lock = threading.Lock()

    @override
    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._seconds)

    @override
    def monotonic(self) -> float:
        return self._seconds

    @override
    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds

    def reach(self, seconds: float) -> None:
        """Let the time pass until so many seconds after the beginning, if that is to come."""
        with self._lock:
            self._seconds = max(self._seconds, seconds)


class _Message(msgspec.Struct):
    type: str
    stream: str = ""
    record: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    value: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    key_properties: list[str] = msgspec.field(default_factory=list)


@dataclass
class Sync:
    """The result of one sync.

    Attributes:
        rows: RECORD messages by stream.
        repeated: Those whose key had been written before in this sync.
        requests: By operation.
        state: The last state.
        seconds: How long it took on this machine.
        error: Why it failed, if it did.
    """

    rows: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    requests: Mapping[str, int] = field(default_factory=dict)
    state: dict[str, Any] | None = None
    seconds: float = 0.0
    error: str = ""


class _Output(io.RawIOBase):
    """Reads Singer messages as they are written."""

    def __init__(self, sync: Sync, take: Callable[[str, dict[str, Any]], None] | None) -> None:
        super().__init__()
        self._sync = sync
        self._take = take
        self._rest = b""
        self._decode = msgspec.json.Decoder(_Message).decode
        self._fields: dict[str, list[str]] = {}
        self._keys: set[tuple[str, ...]] = set()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Any, /) -> int:
        *lines, self._rest = (self._rest + bytes(data)).split(b"\n")
        for line in lines:
            self._read(self._decode(line))
        return len(data)

    def _read(self, message: _Message) -> None:
        match message.type:
            case "SCHEMA":
                self._fields[message.stream] = message.key_properties
            case "STATE":
                self._sync.state = msgspec.json.decode(message.value)
            case "RECORD":
                self._sync.rows[message.stream] += 1
                if self._take is not None:
                    record = msgspec.json.decode(message.record)
                    self._count(message.stream, record)
                    self._take(message.stream, record)

    def _count(self, stream: str, record: dict[str, Any]) -> None:
        key = (stream, *(str(record.get(name)) for name in self._fields[stream]))
        self._sync.repeated[stream] += key in self._keys
        self._keys.add(key)


def sync(
    simulator: Simulator,
    clock: SharedClock,
    state: dict[str, Any] | None,
    take: Callable[[str, dict[str, Any]], None] | None = None,
) -> Sync:
    """Sync all streams with the default settings, without any limit of requests.

    Args:
        simulator: What to read; nothing else asks it meanwhile.
        clock: Its clock, too.
        state: Where the last sync ended.
        take: Called for each record. Without it, records are counted only.
    """
    done = Sync(state=state)
    simulator.reset_stats()
    rates = dict.fromkeys(published_plans(), UNLIMITED)
    output = io.TextIOWrapper(_Output(done, take), encoding="utf-8", write_through=True)  # type: ignore[type-var]
    started = time.monotonic()
    with redirect_stdout(output):
        try:
            config = simulator.config(rate_limits=rates)
            TapAmazonBusiness(config=config, state=state, clock=clock).sync_all()
        except click.ClickException as error:
            done.error = error.message
    done.seconds = time.monotonic() - started
    gc.unfreeze()  # the tap freezes what is there for a process that ends with its sync
    operations = simulator.stats().operations
    done.requests = {name: traffic.requests for name, traffic in operations.items()}
    return done


def quiet(log: Path) -> None:
    """Log warnings only, of the tap, the SDK and the simulator's server, to a file."""
    for name in (TapAmazonBusiness.name, "singer_sdk", "aiohttp.access"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.addHandler(logging.FileHandler(log, encoding="utf-8"))
        logger.propagate = False
