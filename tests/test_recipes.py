"""The recipes, as they are shipped: Meltano with several accounts, Dagster, and the container."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import TYPE_CHECKING

import duckdb
import pytest
import yaml

from simulator import Options, Plan, Reply, Simulator, World
from tap_amazon_business.api.operations import OPERATIONS
from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.chain import MELTANO, PROJECT, Chain, emitted, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECIPES = PROJECT / "examples"
DAGSTER = PROJECT / ".tools/dagster/bin"
DEFINITIONS = ("--python-file", str(RECIPES / "dagster/definitions.py"))

# Amazon's pace would make these tests minutes long; the tap follows what the simulator announces.
# The buckets are deeper than the tap knows: on a busy machine, requests close up on their way.
QUICK = Options(rates={name: Plan(rate=100, burst=50) for name in OPERATIONS})
ORDERS = {"na": 30, "eu": 20}
SECRETS = (b"sp-secret", b"sp-refresh", b"ab-secret", b"ab-refresh", b"Atza|")


@pytest.fixture
def accounts() -> Iterator[dict[str, Simulator]]:
    """Serve two accounts, whose purchase orders partly have the same numbers."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(Simulator(World(orders=orders, seed=orders), QUICK))
            for name, orders in ORDERS.items()
        }


@pytest.fixture
def chain(tmp_path: Path, accounts: dict[str, Simulator]) -> Chain:
    """Install the plugins of the recipe, which is copied as it is, and return its Meltano."""
    project = tmp_path / "accounts"
    project.mkdir()
    shutil.copy(RECIPES / "accounts/meltano.yml", project)
    # The recipe names the tap as it is released: here it means this checkout.
    override = tmp_path / "overrides.txt"
    override.write_text(f"tap-amazon-business @ {PROJECT.as_uri()}\n", encoding="utf-8")
    environment = {
        "PATH": f"{PROJECT / '.tools/uv/bin'}:{os.environ['PATH']}",
        "UV_OVERRIDE": str(override),
    }
    for account, simulator in accounts.items():
        config = simulator.config(order_reports_strategy="purchase_order")
        environment |= settings(config, f"TAP_AMAZON_BUSINESS__{account.upper()}")
    chain = Chain(tmp_path, {}, environment, project=project, name="prod")
    chain.environment.pop("PYTHONDONTWRITEBYTECODE", None)
    chain.run("install")
    return chain


def wrong(account: str, simulator: Simulator, project: Path) -> dict[str, str]:
    """Return the tables that do not hold exactly the rows of an account, and how they differ."""
    tap = TapAmazonBusiness(config=simulator.config())
    found = {}
    with duckdb.connect(str(project / f"{account}.duckdb"), read_only=True) as connection:
        for name, stream in tap.streams.items():
            keys = ", ".join(stream.primary_keys)
            landed = connection.execute(f"select {keys} from amazon_{account}.{name}").fetchall()  # noqa: S608
            truth = set(simulator.rows(name))
            if len(landed) != len(truth) or set(landed) != truth:
                found[name] = f"{len(landed)} rows of {len(truth)}: {truth ^ set(landed)}"
        states = connection.execute(
            f"select purchaseordernumber, purchaseorderstate from amazon_{account}.purchase_orders"  # noqa: S608
        ).fetchall()
    for (number,), row in simulator.rows("purchase_orders").items():
        if (number, row.get("purchaseOrderState")) not in states:
            found[number] = f"is not {row.get('purchaseOrderState')}"
    return found


def refused(simulator: Simulator) -> int:
    return sum(traffic.refused for traffic in simulator.stats().operations.values())


@pytest.mark.end_to_end
def test_all_accounts_land_apart_and_state_survives_the_system_database(
    accounts: dict[str, Simulator], chain: Chain, tmp_path: Path
) -> None:
    project = tmp_path / "accounts"
    chain.run("run", "all-accounts")
    assert {name: wrong(name, simulator, project) for name, simulator in accounts.items()} == {
        "na": {},
        "eu": {},
    }
    assert sorted(folder.name for folder in (project / "state").iterdir()) == [
        "prod:tap-amazon-business--eu-to-target-duckdb--eu",
        "prod:tap-amazon-business--na-to-target-duckdb--na",
    ]

    (tmp_path / "meltano.db").unlink()
    accounts["na"].world.change(fraction=0.1, state_only=0.1, new=3)
    brought = emitted(chain.run("run", "tap-amazon-business--na", "target-duckdb--na"))
    assert 3 < brought["purchase_orders"] < 15
    assert wrong("na", accounts["na"], project) == {}
    assert [refused(simulator) for simulator in accounts.values()] == [0, 0]


@pytest.mark.end_to_end
@pytest.mark.timeout(600)  # some twenty processes: long beside other tests on few cores
def test_dagster_backfills_two_accounts_side_by_side_and_never_one_twice(
    accounts: dict[str, Simulator], chain: Chain, tmp_path: Path
) -> None:
    project, home = tmp_path / "accounts", tmp_path / "dagster"
    home.mkdir()
    shutil.copy(RECIPES / "dagster/dagster.yaml", home)
    today = datetime.now(UTC).date()
    environment = chain.environment | {
        "DAGSTER_HOME": str(home),
        "MELTANO": str(MELTANO),
        "MELTANO_PROJECT_ROOT": str(project),
        "BACKFILL_START": str(today - timedelta(days=172)),
        "BACKFILL_END": str(today - timedelta(days=10)),
        "SLICE_DAYS": "90",
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
            timeout=550,
        ).stdout

    accounts["eu"].fail_next("getPurchaseOrders", Reply(400))
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
            dagster("python", str(PROJECT / "tests/support/recipes_history.py"), "3")
        )
    finally:
        daemon.terminate()
        daemon.wait()

    assert {name: wrong(name, simulator, project) for name, simulator in accounts.items()} == {
        "na": {},
        "eu": {},
    }
    assert [refused(simulator) for simulator in accounts.values()] == [0, 0]
    runs = {
        account: sorted((start, end) for asset, start, end in history if account in asset)
        for account in accounts
    }
    # Two slices and an hourly run; and one of the European ones failed and was tried again.
    assert {account: len(times) for account, times in runs.items()} == {"na": 3, "eu": 4}
    for times in runs.values():
        assert all(end <= start for (_, end), (start, _) in pairwise(times))
    assert any(
        start < other_end and other_start < end
        for (start, end), (other_start, other_end) in product(runs["na"], runs["eu"])
    )
    # What the failed attempt had brought was not read again from the slice's beginning.
    log = (home / "daemon.log").read_text(encoding="utf-8")
    begun = re.findall(rf"--eu (\w+): reading {environment['BACKFILL_START']}T", log)
    assert Counter(begun)["purchase_orders"] == 2
    assert Counter(begun)["orders"] == 1
    leaked = {
        secret
        for file in home.rglob("*")
        if file.is_file()
        for secret in SECRETS
        if secret in file.read_bytes()
    }
    assert leaked == set()


@pytest.mark.end_to_end
def test_slices_adjoin_and_an_account_is_locked_while_it_runs(tmp_path: Path) -> None:
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
    done = subprocess.run(
        [str(DAGSTER / "python"), "-c", code],
        cwd=RECIPES / "dagster",
        env=os.environ | {"MELTANO_PROJECT_ROOT": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        timeout=60,
    )
    slices, refused = json.loads(done.stdout)
    first, second = ["2026-01-01", "2026-01-31"], ["2026-01-31", "2026-03-02"]
    assert slices == [
        [first, second],
        [first, second, ["2026-03-02", "2026-03-03"]],
        [["2026-01-01", "2026-01-05"]],
        [],
    ]
    assert refused == ["A run of account na is under way already"]


@pytest.mark.end_to_end
def test_sigterm_to_meltano_alone_ends_all_and_loses_nothing(
    accounts: dict[str, Simulator], chain: Chain, tmp_path: Path
) -> None:
    run = ("run", "tap-amazon-business--na", "target-duckdb--na")
    with chain.start(*run) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "Beginning sync of 'purchase_orders'" in line:
                process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM, "".join(seen)
    # The output ended, so that nobody holds it any more: neither the tap nor the loader is left.
    chain.run(*run)
    assert wrong("na", accounts["na"], tmp_path / "accounts") == {}


def test_the_recipe_knows_every_setting_of_the_tap() -> None:
    def tap(path: Path) -> dict[str, object]:
        plugins = yaml.safe_load(path.read_text(encoding="utf-8"))["plugins"]
        found: dict[str, object] = next(
            plugin for plugin in plugins["extractors"] if plugin["name"] == "tap-amazon-business"
        )
        return {key: value for key, value in found.items() if key != "pip_url"}

    assert tap(RECIPES / "accounts/meltano.yml") == tap(PROJECT / "meltano.yml")


def test_the_image_has_the_versions_that_are_tested_and_no_root() -> None:
    image = (RECIPES / "container/Containerfile").read_text(encoding="utf-8")
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for name in ("uv", "meltano"):
        version = re.search(rf"^{name.upper()}_VERSION := (.+)$", makefile, re.MULTILINE)
        assert version is not None
        assert set(re.findall(rf"{name}(?:\[\w+\])?==([\d.]+)", image)) == {version[1]}
    steps = re.findall(r"^([A-Z]+) (.+)$", image, re.MULTILINE)
    assert steps.index(("USER", "meltano")) < steps.index(("RUN", "meltano install"))
    assert ("ENTRYPOINT", '["meltano"]') in steps
    assert not re.search(r"TOKEN|SECRET|PASSWORD", image)
