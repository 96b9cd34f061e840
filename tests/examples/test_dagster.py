"""The example for Dagster, run by its daemon."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import TYPE_CHECKING

import pytest

from simulator import Reply
from tests.examples.warehouse import EXAMPLES, differences, refused
from tests.support.chain import MELTANO, PROJECT, Chain

if TYPE_CHECKING:
    from pathlib import Path

    from simulator import Simulator

DAGSTER = PROJECT / ".tools/dagster/bin"
DEFINITIONS = ("--python-file", str(EXAMPLES / "dagster/definitions.py"))
SECRETS = (b"sp-secret", b"sp-refresh", b"ab-secret", b"ab-refresh", b"Atza|")


@pytest.mark.end_to_end
@pytest.mark.timeout(1800)  # some twenty processes: long on a busy machine
def test_backfills_accounts_side_by_side_but_never_one_twice(
    accounts: dict[str, Simulator], chain: Chain, project: Path, tmp_path: Path
) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(EXAMPLES / "dagster/dagster.yaml", home)
    today = datetime.now(UTC).date()
    environment = chain.environment | {
        "DAGSTER_HOME": str(home),
        "MELTANO": str(MELTANO),
        "MELTANO_PROJECT_ROOT": str(project),
        "BACKFILL_START": str(today - timedelta(days=172)),
        "BACKFILL_END": str(today - timedelta(days=10)),
        "SLICE_DAYS": "170",
        "RETRY_SECONDS": "0",
    }

    def dagster(*command: str) -> str:
        return subprocess.run(
            [str(DAGSTER / command[0]), *command[1:]],
            cwd=home,
            env=environment,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            timeout=1700,
        ).stdout

    # Of one stream only: purchase orders are listed for their numbers, too.
    accounts["eu"].fail_next("getPurchaseOrdersStatus", Reply(400))
    job = ("--job", "backfill", "--all", "ALL", "--noprompt")
    dagster("dagster", "job", "backfill", *DEFINITIONS, *job)
    dagster("dagster", "job", "launch", *DEFINITIONS, "--job", "hourly")
    with (home / "daemon.log").open("w") as output:
        daemon = subprocess.Popen(
            [str(DAGSTER / "dagster-daemon"), "run", *DEFINITIONS],
            cwd=home,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        history = json.loads(
            dagster("python", str(PROJECT / "tests/examples/dagster_history.py"), "2")
        )
    finally:
        daemon.terminate()
        daemon.wait()

    assert {
        name: differences(name, simulator, project) for name, simulator in accounts.items()
    } == {
        "na": {},
        "eu": {},
    }
    assert [refused(simulator) for simulator in accounts.values()] == [0, 0]
    runs = {
        account: sorted((start, end) for asset, start, end, _ in history if account in asset)
        for account in accounts
    }
    # A slice and an hourly run; one of the European ones failed and was retried.
    outcomes = {
        account: Counter(succeeded for asset, _, _, succeeded in history if account in asset)
        for account in accounts
    }
    assert {account: found[True] for account, found in outcomes.items()} == {"na": 2, "eu": 2}
    assert outcomes["eu"][False]
    for times in runs.values():
        assert all(end <= start for (_, end), (start, _) in pairwise(times))
    assert any(
        start < other_end and other_start < end
        for (start, end), (other_start, other_end) in product(runs["na"], runs["eu"])
    )
    # The retry resumed: only the stream that had failed began once more without a bookmark.
    log = (home / "daemon.log").read_text(encoding="utf-8")
    tables = re.findall(r"--eu Sync summary:\n((?:\w+ .*\n)+)", log)
    begun = Counter(re.findall(r"^(\w+)(?: +[\d,]+){3} +- ", "".join(tables), re.MULTILINE))
    assert begun["purchase_order_statuses"] == begun["orders"] + 1
    leaked = {
        secret
        for file in home.rglob("*")
        if file.is_file()
        for secret in SECRETS
        if secret in file.read_bytes()
    }
    assert leaked == set()


@pytest.mark.end_to_end
def test_slices_adjoin_and_a_running_account_is_locked(tmp_path: Path) -> None:
    code = """
import json
from datetime import date

from dagster import Failure
from definitions import cut, locked

slices = [cut(date(2026, 1, 1), date(2026, *end), 30) for end in ((3, 2), (3, 3), (1, 5), (1, 1))]
refused = []
with locked("na"), locked("eu"):
    try:
        with locked("na"):
            pass
    except Failure as error:
        refused.append(error.description)
with locked("na"):
    print(json.dumps([slices, refused], default=str))
"""
    (tmp_path / ".meltano").mkdir()
    slices, refused = json.loads(output_of(code, tmp_path))
    first, second = ["2026-01-01", "2026-01-31"], ["2026-01-31", "2026-03-02"]
    assert slices == [
        [first, second],
        [first, second, ["2026-03-02", "2026-03-03"]],
        [["2026-01-01", "2026-01-05"]],
        [],
    ]
    assert refused == ["A run of account na is under way already"]


@pytest.mark.end_to_end
def test_many_accounts_are_spread_over_the_hour_and_an_active_one_is_left_out(
    tmp_path: Path,
) -> None:
    code = """
import json
from datetime import UTC, datetime

import dagster as dg
from many import spread

tags = {"dagster/partition": "a-7"}
run = dg.DagsterRun(job_name="accounts", status=dg.DagsterRunStatus.STARTED, tags=tags)
started = []
with dg.instance_for_test() as instance:
    instance.add_run(run)
    for minute in range(0, 60, 5):
        context = dg.build_schedule_context(instance, datetime(2026, 1, 1, 9, minute, tzinfo=UTC))
        started.append([request.partition_key for request in spread(context)])
print(json.dumps(started))
"""
    names = [f"a-{number}" for number in range(30)]
    (tmp_path / "accounts.csv").write_text("\n".join(["name", *names]), encoding="utf-8")
    started = json.loads(output_of(code, tmp_path))
    assert sorted(name for slot in started for name in slot) == sorted({*names} - {"a-7"})
    assert max(len(slot) for slot in started) == 3


def output_of(code: str, project: Path) -> str:
    """Return what a program prints that imports the example, run by Dagster's Python."""
    return subprocess.run(
        [str(DAGSTER / "python"), "-c", code],
        cwd=EXAMPLES / "dagster",
        env=os.environ | {"MELTANO_PROJECT_ROOT": str(project), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        timeout=60,
    ).stdout
