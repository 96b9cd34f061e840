"""Many accounts and long backfills: two Dagster assets per account, and one schedule.

`amazon_<account>_backfill` has a partition per slice of the backfill: a slice that failed is run
again by itself and resumes from its own bookmark. `amazon_<account>` is what runs every hour, and
resumes where the backfill ends. Never do two runs of one account overlap.
"""

# ruff: noqa: INP001
import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

ACCOUNTS = ("na", "eu")
"""As the plugins of meltano.yml are called: tap-amazon-business--na, target-duckdb--na."""

# The Selling Partner API reads 180 days back, Amazon Business two years.
BACKFILL_START = date.fromisoformat(os.environ.get("BACKFILL_START", "2026-01-01"))
BACKFILL_END = date.fromisoformat(os.environ.get("BACKFILL_END", "2026-06-01"))
SLICE_DAYS = int(os.environ.get("SLICE_DAYS", "30"))

# The tap reads nothing behind its start_date. Hourly runs begin as far behind the end of the
# backfill as order_lookback_days, so that they find late changes of orders it has brought.
LOOKBACK = timedelta(days=60)

MELTANO = os.environ.get("MELTANO", "meltano")
LOADER = os.environ.get("LOADER", "target-duckdb")
PROJECT = Path(os.environ.get("MELTANO_PROJECT_ROOT", Path(__file__).parent.parent / "accounts"))


def cut(start: date, end: date, days: int) -> list[tuple[date, date]]:
    """Cut [start, end) into adjoining slices of so many days, oldest first."""
    width = timedelta(days=days)
    starts = [start + width * number for number in range(-((start - end) // width))]
    return [(first, min(first + width, end)) for first in starts]


SLICES = {
    f"{start}_{end}": (start, end) for start, end in cut(BACKFILL_START, BACKFILL_END, SLICE_DAYS)
}

RETRIES = dg.RetryPolicy(
    max_retries=3,
    delay=float(os.environ.get("RETRY_SECONDS", "60")),
    backoff=dg.Backoff.EXPONENTIAL,
)


def assets_of(account: str) -> list[dg.AssetsDefinition]:
    """Return the backfill and the hourly sync of an account; both wait for the account's pool."""
    pool = f"amazon_{account}"

    @dg.asset(
        name=f"amazon_{account}_backfill",
        partitions_def=dg.StaticPartitionsDefinition(list(SLICES)),
        pool=pool,
        retry_policy=RETRIES,
    )
    def backfill(context: dg.AssetExecutionContext) -> None:
        start, end = SLICES[context.partition_key]
        sync(account, {"START_DATE": str(start), "END_DATE": str(end)}, context.partition_key)

    @dg.asset(name=f"amazon_{account}", pool=pool, retry_policy=RETRIES)
    def hourly() -> None:
        sync(account, {"START_DATE": str(BACKFILL_END - LOOKBACK)})

    return [backfill, hourly]


def sync(account: str, settings: dict[str, str], slice_name: str | None = None) -> None:
    """Run Meltano for an account; its log is what the step prints.

    Args:
        account: One of ACCOUNTS.
        settings: Settings of the tap for this run. Credentials are in the environment already,
            and stay there: command lines are logged.
        slice_name: Keeps a slice's state apart from that of other runs.

    Raises:
        dg.Failure: Meltano ended with an exit status other than 0.
    """
    tap = f"tap-amazon-business--{account}"
    suffix = ["--state-id-suffix", slice_name] if slice_name else []
    command = [MELTANO, "run", *suffix, tap, f"{LOADER}--{account}"]
    prefix = tap.upper().replace("-", "_")
    environment = os.environ | {f"{prefix}_{name}": value for name, value in settings.items()}
    with (
        locked(account) as lock,
        subprocess.Popen(command, cwd=PROJECT, env=environment, pass_fds=[lock]) as process,
    ):
        try:
            status = process.wait()
        except BaseException:
            # Dagster ends this step: its pool may be free only when Meltano has ended, too.
            process.terminate()
            raise
    if status:
        raise dg.Failure(f"{' '.join(command)} ended with exit status {status}")


@contextmanager
def locked(account: str) -> Iterator[int]:
    """Hold an account's lock: a second hold should a pool be set to more than one place.

    Meltano inherits it: if this process is killed and Meltano is not, the account stays locked.

    Raises:
        dg.Failure: A run of this account is under way on this machine.
    """
    with (PROJECT / ".meltano" / f"{account}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise dg.Failure(f"A run of account {account} is under way already") from None
        yield file.fileno()


ASSETS = [asset for account in ACCOUNTS for asset in assets_of(account)]
HOURLY = dg.define_asset_job("hourly", [f"amazon_{account}" for account in ACCOUNTS])
BACKFILL = dg.define_asset_job("backfill", [f"amazon_{account}_backfill" for account in ACCOUNTS])

defs = dg.Definitions(
    assets=ASSETS,
    jobs=[BACKFILL, HOURLY],
    # Steps are forked from a process that has imported Dagster: a second or two less for each.
    executor=dg.multiprocess_executor.configured({"start_method": {"forkserver": {}}}),
    schedules=[dg.ScheduleDefinition(job=HOURLY, cron_schedule="0 * * * *")],
)
