"""Runs of the tap, as a user sees them: exit status, messages on stdout, lines on stderr."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.batches import batch_records
from tests.support.catalogs import select
from tests.support.leaks import leaks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clocks import FakeClock

__all__ = [
    "TAP",
    "Run",
    "TapAmazonBusiness",
    "captured",
    "command",
    "run_by",
    "run_tap",
    "select",
    "start",
]

Key = tuple[Any, ...]
Record = dict[str, Any]

# Each begins with its time; a message may be of several lines.
_ENTRIES = re.compile(r"(?m)^(?=\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)")
_DEBUG = re.compile(r"\S+ \S+ \| DEBUG ")

TAP = Path(sys.executable).parent / "tap-amazon-business"


@dataclass(frozen=True)
class Run:
    """The result of one run of the tap.

    Attributes:
        status: The exit status.
        output: Standard output.
        log: Standard error, without lines of level DEBUG.
    """

    status: int
    output: str
    log: str

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """All messages in their order; numbers with a point are `Decimal`."""
        lines = self.output.encode().splitlines()
        return [json.loads(line, parse_float=Decimal) for line in lines]

    @cached_property
    def _records(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for message in self.messages:
            if message["type"] == "RECORD":
                found.setdefault(message["stream"], []).append(message["record"])
        return found

    def records(self, stream: str) -> list[Record]:
        """Return the records of a stream in RECORD messages."""
        return [*self._records.get(stream, [])]

    def batched(self) -> dict[str, list[Record]]:
        """Return the records in the files of BATCH messages, by stream."""
        found: dict[str, list[Record]] = {}
        for message in self.messages:
            if message["type"] == "BATCH":
                found.setdefault(message["stream"], []).extend(batch_records(message))
        return found

    @cached_property
    def key_fields(self) -> dict[str, list[str]]:
        """The key fields of each stream, by its SCHEMA message."""
        return {m["stream"]: m["key_properties"] for m in self.messages if m["type"] == "SCHEMA"}

    def keys(self, stream: str) -> list[Key]:
        """Return the key of each record of a stream."""
        names = self.key_fields.get(stream, [])
        return [tuple(record[name] for name in names) for record in self.records(stream)]

    def by_key(self, stream: str) -> dict[Key, Record]:
        """Return the records of a stream by key."""
        return dict(zip(self.keys(stream), self.records(stream), strict=True))

    def numbers(self, stream: str = "purchase_orders") -> Counter[str]:
        """Count the records of a stream by purchase order number."""
        return Counter(record["purchaseOrderNumber"] for record in self.records(stream))

    @property
    def schemas(self) -> Counter[str]:
        """The number of SCHEMA messages by stream."""
        return Counter(m["stream"] for m in self.messages if m["type"] == "SCHEMA")

    @property
    def states(self) -> list[dict[str, Any]]:
        """The values of all STATE messages."""
        return [message["value"] for message in self.messages if message["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        """The value of the last STATE message."""
        return self.states[-1]

    def bookmark(self, stream: str = "purchase_orders") -> str:
        """Return the bookmark of a stream in the last state."""
        value: str = self.state["bookmarks"][stream]["replication_key_value"]
        return value


def run_tap(
    config: dict[str, Any],
    folder: Path,
    *arguments: str,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
) -> Run:
    """Run the tap in a process of its own, and search all that it prints for secrets."""
    parts = command(config, folder, *arguments, state=state, catalog=catalog)
    return run_command(*parts, environment=environment)


def run_command(*parts: str, environment: dict[str, str] | None = None) -> Run:
    """Run a command line in a process of its own, and search all that it prints for secrets."""
    done = subprocess.run(
        parts,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "TAP_AMAZON_BUSINESS_LOGLEVEL": "DEBUG", **(environment or {})},
    )
    _assert_nothing_leaked(done.stdout, done.stderr)
    return Run(done.returncode, done.stdout, _without_debug(done.stderr))


def command(
    config: dict[str, Any],
    folder: Path,
    *arguments: str,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
) -> list[str]:
    """Write the files that a run needs, and return its command."""
    parts = [str(TAP), "--config", _file(folder, "config", config)]
    if state is not None:
        parts += ["--state", _file(folder, "state", state)]
    if catalog is not None:
        parts += ["--catalog", _file(folder, "catalog", catalog)]
    return [*parts, *arguments]


def start(
    config: dict[str, Any],
    folder: Path,
    *,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
) -> subprocess.Popen[str]:
    """Begin a run in a process of its own, for tests that stop it or its loader."""
    return subprocess.Popen(
        command(config, folder, state=state, catalog=catalog),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _file(folder: Path, name: str, content: dict[str, Any]) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def run_by(
    clock: FakeClock,
    config: dict[str, Any],
    *,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
) -> Run:
    """Run the tap in this process, by an injected clock."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setLevel(logging.INFO)
    logger = logging.getLogger(TapAmazonBusiness.name)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)  # conftest.py searches all of it for secrets
    status = 0
    with captured() as output:
        try:
            TapAmazonBusiness(config=config, state=state, catalog=catalog, clock=clock).sync_all()
        except click.ClickException as error:
            status = error.exit_code
            log.write(f"Error: {error.message}\n")
        finally:
            logger.removeHandler(handler)
    written = output.getvalue().decode()
    _assert_nothing_leaked(written, log.getvalue())
    return Run(status, written, log.getvalue())


@contextmanager
def captured() -> Iterator[io.BytesIO]:
    """Collect what is written to standard output, byte by byte."""
    output = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(output, encoding="utf-8", write_through=True)) as text:
        yield output
        text.detach()


def _assert_nothing_leaked(output: str, log: str) -> None:
    """Assert that only records hold what is secret or personal."""
    # str.splitlines() would also end lines at characters that stand inside of records.
    printed = [line for line in output.split("\n") if not line.startswith('{"type":"RECORD"')]
    found = leaks("\n".join([*printed, log]))
    assert not found, f"leaked: {sorted(found)}"


def _without_debug(log: str) -> str:
    """Return what is logged by default of a log at level DEBUG."""
    return "".join(part for part in _ENTRIES.split(log) if not _DEBUG.match(part))
