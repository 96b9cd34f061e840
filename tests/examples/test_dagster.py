"""The example for Dagster, in Dagster's own environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from simulator import Reply
from tests.examples.warehouse import EXAMPLES, differences, refused
from tests.support.chain import MELTANO, PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simulator import Simulator
    from tests.support.chain import Chain

DAGSTER = PROJECT / ".tools/dagster/bin"
SECRETS = (b"sp-secret", b"sp-refresh", b"ab-secret", b"ab-refresh", b"Atza|")


@pytest.mark.end_to_end
@pytest.mark.timeout(900)  # three runs of Meltano: long on a busy machine
def test_a_slice_that_failed_resumes_and_the_hourly_run_goes_on_where_it_ends(
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
    code = """
import dagster as dg
from definitions import SLICES, defs

with dg.DagsterInstance.get() as instance:
    for job, asset, partition in (
        ("backfill", "amazon_eu_backfill", *SLICES),
        ("hourly", "amazon_eu", None),
    ):
        result = defs.resolve_job_def(job).execute_in_process(
            asset_selection=[dg.AssetKey(asset)], partition_key=partition, instance=instance
        )
        kinds = [event.event_type_value for event in result.all_events]
        print(f"ATTEMPTS {asset}", kinds.count("STEP_RESTARTED"), kinds.count("STEP_SUCCESS"))
"""
    # Of one stream only: purchase orders are listed for their numbers, too.
    accounts["eu"].fail_next("getPurchaseOrdersStatus", Reply(400))
    done = ran(code, project, environment)
    assert re.findall("^ATTEMPTS (.+)", done.stdout, re.MULTILINE) == [
        "amazon_eu_backfill 1 1",
        "amazon_eu 0 1",
    ]
    assert differences("eu", accounts["eu"], project) == {}
    assert refused(accounts["eu"]) == 0
    # The retry resumed: only the stream that had failed began once more without a bookmark.
    tables = re.findall(r"Sync summary:\n((?:\w+ .*\n)+)", done.stderr)
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
    slices, refused = json.loads(ran(code, tmp_path).stdout)
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
    started = json.loads(ran(code, tmp_path).stdout)
    assert sorted(name for slot in started for name in slot) == sorted({*names} - {"a-7"})
    assert max(len(slot) for slot in started) == 3


def ran(
    code: str, project: Path, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """Run a program that imports the example by Dagster's Python."""
    return subprocess.run(
        [str(DAGSTER / "python"), "-c", code],
        cwd=EXAMPLES / "dagster",
        env={
            **environment,
            "MELTANO_PROJECT_ROOT": str(project),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        check=True,
        text=True,
        capture_output=True,
        timeout=900,
    )
