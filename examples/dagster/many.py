"""Many accounts: an asset with a partition per account, and a run per partition.

The accounts are those of accounts.csv, whose plugins generate.py writes. Use this file or
definitions.py for an account, not both.
"""

# ruff: noqa: INP001
import csv
from collections.abc import Iterator

import dagster as dg
from definitions import PROJECT, RETRIES, sync

SLOTS = 12
"""An hour has so many slots; the accounts are spread over them."""

with (PROJECT / "accounts.csv").open(newline="", encoding="utf-8") as file:
    ACCOUNTS = [row["name"] for row in csv.DictReader(file)]


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(ACCOUNTS), retry_policy=RETRIES)
def amazon(context: dg.AssetExecutionContext) -> None:
    """Sync one account."""
    sync(context.partition_key, {})


JOB = dg.define_asset_job("accounts", [amazon])


@dg.schedule(job=JOB, cron_schedule=f"*/{60 // SLOTS} * * * *")
def spread(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """Start the accounts of this slot, except those whose last run has not ended."""
    slot = context.scheduled_execution_time.minute * SLOTS // 60
    for account in ACCOUNTS[slot::SLOTS]:
        if not active(context.instance, account):
            yield dg.RunRequest(partition_key=account)


def active(instance: dg.DagsterInstance, account: str) -> bool:
    """Return whether a run of an account is queued or running."""
    statuses = [status for status in dg.DagsterRunStatus if status not in ENDED]
    wanted = dg.RunsFilter(tags={"dagster/partition": account}, statuses=statuses)
    return bool(instance.get_runs(wanted, limit=1))


ENDED = {
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
}

defs = dg.Definitions(
    assets=[amazon], jobs=[JOB], schedules=[spread], executor=dg.in_process_executor
)
