"""The example with several accounts, run by Meltano."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
import yaml

from simulator import Hang
from tests.examples.warehouse import EXAMPLES, differences, refused
from tests.support.chain import PROJECT, Chain, emitted

if TYPE_CHECKING:
    from pathlib import Path

    from simulator import Simulator


@pytest.mark.end_to_end
def test_accounts_load_apart_and_resume_without_the_system_database(
    accounts: dict[str, Simulator], chain: Chain, project: Path, tmp_path: Path
) -> None:
    chain.run("run", "all-accounts")
    assert {
        name: differences(name, simulator, project) for name, simulator in accounts.items()
    } == {
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
    assert differences("na", accounts["na"], project) == {}
    assert [refused(simulator) for simulator in accounts.values()] == [0, 0]


@pytest.mark.end_to_end
def test_sigterm_to_meltano_stops_the_run_and_loses_nothing(
    accounts: dict[str, Simulator], chain: Chain, project: Path
) -> None:
    run = ("run", "tap-amazon-business--na", "target-duckdb--na")
    accounts["na"].fail_next("getPurchaseOrders", Hang())
    with chain.start(*run) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "target-duckdb--na Schema" in line:  # the loader has begun, and the sync cannot end
                process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM, "".join(seen)
    # The output has ended: no process holds it any more, neither the tap nor the loader.
    chain.run(*run)
    assert differences("na", accounts["na"], project) == {}


def test_example_defines_the_tap_as_this_project_does() -> None:
    def tap(path: Path) -> dict[str, object]:
        plugins = yaml.safe_load(path.read_text(encoding="utf-8"))["plugins"]
        found: dict[str, object] = next(
            plugin for plugin in plugins["extractors"] if plugin["name"] == "tap-amazon-business"
        )
        return {key: value for key, value in found.items() if key != "pip_url"}

    assert tap(EXAMPLES / "accounts/meltano.yml") == tap(PROJECT / "meltano.yml")
