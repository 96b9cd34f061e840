"""examples/accounts/generate.py: plugins and cron lines for many accounts."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import yaml

from tests.examples.warehouse import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path


def test_accounts_have_plugins_of_their_own_and_are_spread_over_the_hour(tmp_path: Path) -> None:
    lines = [f"a-{number},EU,DE FR" for number in range(120)]
    header = "name,sp_api_region,business_api_regions"
    (tmp_path / "accounts.csv").write_text("\n".join([header, "us,,", *lines]), encoding="utf-8")
    command = [sys.executable, str(EXAMPLES / "accounts/generate.py"), "accounts.csv", "--slots=3"]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=30)

    plugins = yaml.safe_load((tmp_path / "many.meltano.yml").read_text(encoding="utf-8"))["plugins"]
    assert len(plugins["extractors"]) == len(plugins["loaders"]) == 121
    assert plugins["extractors"][0] == {
        "name": "tap-amazon-business--us",
        "inherit_from": "tap-amazon-business",
        "config": {},
    }
    assert plugins["extractors"][1]["config"] == {
        "sp_api_region": "EU",
        "business_api_regions": ["DE", "FR"],
    }
    assert plugins["loaders"][1]["config"]["default_target_schema"] == "amazon_a_0"

    cron = (tmp_path / "crontab").read_text(encoding="utf-8").splitlines()
    assert max(Counter(line.split()[0] for line in cron).values()) == 3
    assert max(Counter(line.split("slot-")[1][0] for line in cron).values()) == 41
    assert len({line.split("run/")[1].split(".lock")[0] for line in cron}) == 121
