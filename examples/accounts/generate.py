"""Writes plugins and cron lines for many accounts: `python3 generate.py accounts.csv`.

The file has a line per account: its name, `sp_api_region`, and `business_api_regions` with spaces
between them; either may be empty. Credentials stay in the environment, as for the two accounts of
meltano.yml. It writes `many.meltano.yml`, which meltano.yml includes, and `crontab`.
"""

# ruff: noqa: INP001
from __future__ import annotations

import argparse
import csv
from pathlib import Path

TAP, LOADER = "tap-amazon-business", "target-duckdb"

_PLUGINS = """\
plugins:
  extractors:{taps}
  loaders:{loaders}
"""
_ACCOUNT = """
  - name: {tap}--{name}
    inherit_from: {tap}
    config:{settings}"""
_LOADER = """
  - name: {loader}--{name}
    inherit_from: {loader}
    env:
      TZ: UTC
    config:
      path: {name}.duckdb
      default_target_schema: amazon_{schema}"""
# One run of an account at a time, or none; and as many runs in parallel as there are slots: the
# others wait for theirs. Half an interval later it is better to skip a run than to start it.
_CRON = (
    "{minute} * * * * cd {folder} && flock --nonblock run/{name}.lock "
    "flock --timeout 1800 run/slot-{slot}.lock "
    "meltano run {tap}--{name} {loader}--{name} >> run/{name}.log 2>&1 "
    "|| echo {name}: status $?\n"
)


def plugins(accounts: list[dict[str, str]]) -> str:
    """Return a tap and a loader per account."""
    return _PLUGINS.format(
        taps="".join(
            _ACCOUNT.format(tap=TAP, name=account["name"], settings=_settings(account))
            for account in accounts
        ),
        loaders="".join(
            _LOADER.format(
                loader=LOADER, name=account["name"], schema=account["name"].replace("-", "_")
            )
            for account in accounts
        ),
    )


def _settings(account: dict[str, str]) -> str:
    region, regions = account["sp_api_region"], account["business_api_regions"].split()
    lines = [f"sp_api_region: {region}"] if region else []
    lines += [f"business_api_regions: [{', '.join(regions)}]"] if regions else []
    return "".join(f"\n      {line}" for line in lines) or " {}"


def crontab(accounts: list[dict[str, str]], folder: Path, slots: int) -> str:
    """Return an hourly line per account, spread over the hour."""
    return "".join(
        _CRON.format(
            minute=number * 60 // len(accounts),
            folder=folder,
            name=account["name"],
            slot=number % slots,
            tap=TAP,
            loader=LOADER,
        )
        for number, account in enumerate(accounts)
    )


def main() -> None:
    """Write both files into the current folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("accounts", type=Path)
    parser.add_argument("--slots", type=int, default=2, help="how many runs in parallel")
    chosen = parser.parse_args()
    with chosen.accounts.open(newline="", encoding="utf-8") as file:
        accounts = list(csv.DictReader(file))
    folder = Path.cwd()
    (folder / "run").mkdir(exist_ok=True)
    (folder / "many.meltano.yml").write_text(plugins(accounts), encoding="utf-8")
    (folder / "crontab").write_text(crontab(accounts, folder, chosen.slots), encoding="utf-8")


if __name__ == "__main__":
    main()
