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
from contextlib import redirect_stdout
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.leaks import leaks

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

# Each begins with its time; a message may be of several lines.
_ENTRIES = re.compile(r"(?m)^(?=\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)")
_DEBUG = re.compile(r"\S+ \S+ \| DEBUG ")

TAP = Path(sys.executable).parent / "tap-amazon-business"


@dataclass(frozen=True)
class Run:
    """What one run of the tap left behind."""

    status: int
    output: str
    log: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        lines = self.output.encode().splitlines()
        return [json.loads(line, parse_float=Decimal) for line in lines]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    def numbers(self, stream: str = "purchase_orders") -> Counter[str]:
        return Counter(record["purchaseOrderNumber"] for record in self.records(stream))

    @property
    def schemas(self) -> Counter[str]:
        return Counter(m["stream"] for m in self.messages if m["type"] == "SCHEMA")

    @property
    def states(self) -> list[dict[str, Any]]:
        return [message["value"] for message in self.messages if message["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    def bookmark(self, stream: str = "purchase_orders") -> str:
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
    """Run the command line in a process of its own, and search all that it tells for secrets."""
    done = subprocess.run(
        command(config, folder, *arguments, state=state, catalog=catalog),
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


def select(*streams: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a catalog, of a configuration if need be, in which only these streams are selected."""
    tap = TapAmazonBusiness(config=config or {}, validate_config=False)
    catalog: dict[str, Any] = tap.catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
    return catalog


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
    output, log = io.BytesIO(), io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setLevel(logging.INFO)
    logger = logging.getLogger(TapAmazonBusiness.name)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)  # conftest.py searches all of it for secrets
    status = 0
    text = io.TextIOWrapper(output, encoding="utf-8", write_through=True)
    try:
        with redirect_stdout(text):
            TapAmazonBusiness(config=config, state=state, catalog=catalog, clock=clock).sync_all()
    except click.ClickException as error:
        status = error.exit_code
        log.write(f"Error: {error.message}\n")
    finally:
        logger.removeHandler(handler)
    written = output.getvalue().decode()
    _assert_nothing_leaked(written, log.getvalue())
    return Run(status, written, log.getvalue())


def _assert_nothing_leaked(output: str, log: str) -> None:
    """Assert that only records hold what is secret or personal."""
    # str.splitlines() would also end lines at characters that stand inside of records.
    told = [line for line in output.split("\n") if not line.startswith('{"type":"RECORD"')]
    found = leaks("\n".join([*told, log]))
    assert not found, f"told: {sorted(found)}"


def _without_debug(log: str) -> str:
    """Return what is logged by default of a log at level DEBUG."""
    return "".join(part for part in _ENTRIES.split(log) if not _DEBUG.match(part))
