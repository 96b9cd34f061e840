"""Runs of the tap's command line against a simulator."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.process import Run, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.server import Server

TAP = Path(sys.executable).parent / "tap-amazon-business"


def sync(
    server: Server,
    folder: Path,
    *,
    streams: Sequence[str] = ("purchase_orders",),
    state: dict[str, Any] | None = None,
    **settings: Any,
) -> Run:
    """Sync some streams, and no others.

    Args:
        server: The simulator.
        folder: For the files that a run needs.
        streams: What is selected.
        state: Where the last sync ended; None to begin.
        **settings: Settings of the tap beside credentials and addresses.
    """
    command = _command(server, folder, streams, settings)
    if state is not None:
        command += ["--state", _file(folder, "state", state)]
    return run(command, folder / "tap.log")


def sync_to_file(server: Server, folder: Path, **settings: Any) -> Path:
    """Sync purchase orders from the beginning, and return the file of the messages."""
    output = folder / "output.jsonl"
    with output.open("wb") as lines:
        subprocess.run(
            _command(server, folder, ("purchase_orders",), settings),
            check=True,
            stdout=lines,
            stderr=subprocess.DEVNULL,
        )
    return output


def _command(
    server: Server, folder: Path, streams: Sequence[str], settings: dict[str, Any]
) -> list[str | Path]:
    config = _file(folder, "config", {**server.config, **settings})
    catalog = folder / "catalog.json"
    if not catalog.exists():
        plain = _file(folder, "plain", server.config)
        discovered = subprocess.run(
            [TAP, "--config", plain, "--discover"],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        catalog.write_bytes(discovered.stdout)
    chosen = _file(folder, "chosen", _select(json.loads(catalog.read_bytes()), streams))
    return [TAP, "--config", config, "--catalog", chosen]


def _select(catalog: dict[str, Any], streams: Sequence[str]) -> dict[str, Any]:
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
    return catalog


def _file(folder: Path, name: str, content: dict[str, Any]) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
