"""docs/schedulers.md: the script for cron and the queries run; the rest is well-formed."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.examples.quickstart import blocks

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = {block.mark: block.text for block in blocks("schedulers", "") if block.mark}
MELTANO = """#!/bin/sh
echo "$@"
echo "| ERROR    | tap-amazon-business  | The sync is incomplete. Failed: orders"
seq 30
exit {status}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project's folder with the script."""
    script = tmp_path / "sync.sh"
    script.write_text(BLOCKS["cron"], encoding="utf-8")
    script.chmod(0o755)
    return tmp_path


def sync(folder: Path, status: int) -> subprocess.CompletedProcess[str]:
    """Run the script from elsewhere, with a Meltano that ends with a status."""
    meltano = folder / "bin" / "meltano"
    meltano.parent.mkdir(exist_ok=True)
    meltano.write_text(MELTANO.format(status=status), encoding="utf-8")
    meltano.chmod(0o755)
    environment = {**os.environ, "PATH": f"{meltano.parent}:{os.environ['PATH']}"}
    return subprocess.run(
        [str(folder / "sync.sh")],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        cwd="/",
        env=environment,
    )


def logged(folder: Path) -> str:
    return "".join(log.read_text(encoding="utf-8") for log in folder.glob("run/20*.log"))


def test_cron_mails_nothing_of_a_complete_sync(folder: Path) -> None:
    for _ in range(2):
        done = sync(folder, 0)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert logged(folder).count("run tap-amazon-business target-postgres\n") == 2


def test_cron_mails_the_error_and_the_status_of_a_failed_sync(folder: Path) -> None:
    done = sync(folder, 3)
    assert done.returncode == 3
    assert "status 3" in done.stdout
    assert "Failed: orders" in done.stdout
    assert done.stdout.splitlines()[-1] == "30"
    assert "Failed: orders" in logged(folder)


def test_cron_skips_a_run_while_another_one_lasts(folder: Path) -> None:
    (folder / "run").mkdir()
    with (folder / "run" / "amazon.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = sync(folder, 3)
    assert (done.returncode, done.stdout) == (0, "")
    assert not logged(folder)


def states(**hours: float | None) -> dict[str, Any]:
    """Return a state as Meltano keeps it, with bookmarks so many hours ago."""
    now = datetime.now(UTC)
    bookmarks = {
        stream: {"replication_key_value": f"{now - timedelta(hours=ago):%Y-%m-%dT%H:%M:%SZ}"}
        if ago is not None
        else {}
        for stream, ago in hours.items()
    }
    return {"singer_state": {"bookmarks": bookmarks}}


def test_old_bookmarks_are_found_in_the_system_database() -> None:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table state (state_id, completed_state)")
        state = json.dumps(states(orders=3, shipments=1, invoices=None))
        database.execute("insert into state values ('dev:a-to-b', ?)", [state])
        found = database.execute(BLOCKS["sqlite"]).fetchall()
    assert [(state_id, stream) for state_id, stream, _ in found] == [("dev:a-to-b", "orders")]


def test_old_bookmarks_are_found_in_a_printed_state() -> None:
    _, _, command = BLOCKS["state"].partition(" | ")
    done = subprocess.run(
        ["bash", "-c", command],
        input=json.dumps(states(orders=3, shipments=1, invoices=None)),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["orders"]


def test_scripts_and_manifests_are_well_formed() -> None:
    for mark in ("airflow", "dlt"):
        ast.parse(BLOCKS[mark])
    job = yaml.safe_load(BLOCKS["kubernetes"])["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    workflow = yaml.safe_load(BLOCKS["github"])
    assert workflow["concurrency"]["cancel-in-progress"] is False
