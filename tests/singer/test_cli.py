"""The command line: discovery, test runs, and what Meltano makes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.singer.fields import COMMAND, SNAPSHOT, fields
from tests.support.chain import PROJECT, Chain, ChainFailedError
from tests.support.runs import TAP, run_tap
from tests.support.serving import STREAMS, serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Simulator

WRONG = "a-wrong-secret"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with serve(orders=20) as serving:
        yield serving


# ---- discovery ---------------------------------------------------------------------------------


def test_the_catalog_is_the_one_that_was_agreed(tmp_path: Path) -> None:
    found = [*fields(json.loads(run_tap({}, tmp_path, "--discover").output))]
    agreed = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    assert found == agreed, f"a change that is meant is written by: {COMMAND}"


# ---- test runs ---------------------------------------------------------------------------------


def test_a_test_of_schemas_writes_one_for_each_stream(simulator: Simulator, tmp_path: Path) -> None:
    run = run_tap(settings(simulator), tmp_path, "--test=schema")
    assert run.status == 0, run.log
    assert run.schemas == dict.fromkeys(STREAMS, 1)


@pytest.mark.parametrize("option", ["--test", "--test=schema"])
def test_a_test_run_names_the_setting_that_is_wrong(
    simulator: Simulator, option: str, tmp_path: Path
) -> None:
    run = run_tap(settings(simulator, business_api_regions=["GB"]), tmp_path, option)
    assert run.status == 1
    assert "business_api_regions" in run.log
    assert "'GB'" in run.log
    assert "UK" in run.log
    assert "Traceback" not in run.log
    assert not run.output


# ---- Meltano -----------------------------------------------------------------------------------


def project(folder: Path) -> Path:
    """Make a Meltano project that runs the tap of this environment.

    `meltano config test` writes its files into the project, so that two of them at a time would
    disturb each other in one.
    """
    meltano = yaml.safe_load((PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = meltano["plugins"]["extractors"]
    del tap["pip_url"]
    tap["executable"] = str(TAP)
    meltano["plugins"] = {"extractors": [tap]}
    (folder / "meltano.yml").write_text(yaml.safe_dump(meltano), encoding="utf-8")
    return folder


@pytest.mark.end_to_end
def test_meltano_prints_the_connection_check_and_passes_on_its_status(
    simulator: Simulator, tmp_path: Path
) -> None:
    chain = Chain(tmp_path, settings(simulator), project=project(tmp_path))
    printed = chain.run("invoke", "tap-amazon-business", "--test")
    assert "getPurchaseOrders (NA): ok, " in printed
    refused = settings(simulator, sp_api_client_secret=WRONG)
    chain = Chain(tmp_path, refused, project=project(tmp_path))
    with pytest.raises(ChainFailedError, match="status 1"):
        chain.run("invoke", "tap-amazon-business", "--test")


@pytest.mark.end_to_end
def test_meltano_accepts_the_settings(simulator: Simulator, tmp_path: Path) -> None:
    chain = Chain(tmp_path, settings(simulator), project=project(tmp_path))
    printed = chain.run("config", "test", "tap-amazon-business")
    assert "Plugin configuration is valid" in printed


# The other settings are tested without Meltano, by test_config.py and test_validation.py.
@pytest.mark.end_to_end
def test_meltano_shows_which_setting_is_wrong(simulator: Simulator, tmp_path: Path) -> None:
    wrong = {f"{prefix}_api_client_secret": WRONG for prefix in ("sp", "business")}
    chain = Chain(tmp_path, settings(simulator, **wrong), project=project(tmp_path))
    with pytest.raises(ChainFailedError) as failed:
        chain.run("config", "test", "tap-amazon-business")
    said = str(failed.value)
    assert "Plugin configuration is invalid" in said
    assert "client_secret" in said
    assert "writeOnly" not in said, "the schema of all settings hides what is wrong"
    assert WRONG not in said
    assert "Traceback" not in said
