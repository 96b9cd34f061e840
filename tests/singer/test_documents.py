"""Files of the command line: configuration, state and catalog, good and bad."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import chain
from tests.support.catalogs import select
from tests.support.runs import TAP, Run, TapAmazonBusiness, command, run_command, run_tap
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulator import Simulator

HUSH = "a-secret-in-a-file"


# ---- bad files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--config", "--state", "--catalog"])
def test_a_bad_file_is_one_line_that_names_it(tidy: Simulator, tmp_path: Path, option: str) -> None:
    path = tmp_path / "bad-file"
    path.write_text(f'{{"name": "{HUSH}', encoding="utf-8")
    usable = [] if option == "--config" else command(settings(tidy), tmp_path)[1:]
    run = run_command(str(TAP), *usable, option, str(path))
    assert run.status == 1
    (line,) = run.log.splitlines()
    assert " | ERROR " in line
    assert f"| {option} {path}: " in line
    assert "not valid JSON" in line
    assert HUSH not in run.log
    assert not run.output


def test_a_file_that_holds_no_state_is_refused(tidy: Simulator, tmp_path: Path) -> None:
    run = run_tap(settings(tidy), tmp_path, state={"value": {"bookmarks": {}}})
    assert run.status == 1
    (line,) = run.log.splitlines()
    assert "state.json" in line
    assert "'bookmarks' is missing" in line


# ---- forms of a state --------------------------------------------------------------------------


def resume(serving: Simulator, folder: Path, state: dict[str, Any] | None) -> Run:
    """Sync purchase orders by a state that holds a bookmark of yesterday."""
    run = run_tap(
        settings(serving, lookback_days=0), folder, state=state, catalog=select("purchase_orders")
    )
    assert run.status == 0, run.log
    return run


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"singer_state": state},
        lambda state: {"type": "STATE", "value": state},
    ],
    ids=["plain", "Meltano's", "STATE message"],
)
def test_resumes_from_each_form_of_a_state(
    tmp_path: Path, wrapped: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    now = datetime.now(UTC)
    bookmark = {
        "replication_key": "lastChangedDate",
        "replication_key_value": (now - timedelta(days=1)).isoformat(),
    }
    state = wrapped({"bookmarks": {"purchase_orders": bookmark}})
    with serve(orders=0, quirks=False) as serving:
        serving.world.add_order(created=now - timedelta(days=20), number="OLD")
        serving.world.add_order(created=now - timedelta(hours=4), number="NEW")
        run = resume(serving, tmp_path, state)
    assert run.numbers() == {"NEW": 1}


def test_an_empty_state_file_holds_no_state(tidy: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_text("\n", encoding="utf-8")
    parts = command(settings(tidy), tmp_path, catalog=select("purchase_orders"))
    run = run_command(*parts, "--state", str(path))
    assert run.status == 0, run.log
    assert len(run.numbers()) == 30


# ---- the environment ---------------------------------------------------------------------------


def environment(config: dict[str, Any]) -> dict[str, str]:
    """Return settings as variables; those that are not given are empty."""
    empty = dict.fromkeys(TapAmazonBusiness.config_jsonschema["properties"], "")
    return chain.settings({**empty, **config})


def test_empty_variables_are_not_given(tidy: Simulator, tmp_path: Path) -> None:
    _, *catalog = command({}, tmp_path, catalog=select("purchase_orders"))[2:]
    variables = environment(settings(tidy))
    assert {"TAP_AMAZON_BUSINESS_LOOKBACK_DAYS", "TAP_AMAZON_BUSINESS_BATCH_CONFIG"} <= {*variables}
    run = run_command(str(TAP), "--config=ENV", *catalog, environment=variables)
    assert run.status == 0, run.log
    assert len(run.numbers()) == 30


@pytest.mark.parametrize(
    ("name", "value"), [("LOOKBACK_DAYS", "a-month"), ("RATE_LIMITS", "{getOrderReports")]
)
def test_a_malformed_variable_is_one_error_that_names_it(name: str, value: str) -> None:
    variable = f"TAP_AMAZON_BUSINESS_{name}"
    run = run_command(str(TAP), "--config=ENV", environment={variable: value})
    assert run.status == 1
    (*rest, line) = run.log.splitlines()
    assert " | ERROR " in line
    assert line.endswith(f" {variable}: the value is not of the type of {name.lower()}.")
    assert all(re.search(r"\| INFO +\|", other) for other in rest)


# ---- states of other programs ------------------------------------------------------------------


def test_a_state_may_begin_with_a_byte_order_mark(tidy: Simulator, tmp_path: Path) -> None:
    config = settings(tidy)
    parts = command(config, tmp_path, catalog=select("purchase_orders"))
    state = tmp_path / "state.json"
    state.write_text('{"bookmarks": {}}', encoding="utf-8-sig")
    assert run_command(*parts, "--state", str(state)).status == 0


def test_a_state_with_nan_is_refused(tidy: Simulator, tmp_path: Path) -> None:
    bookmark = {"replication_key": "lastChangedDate", "replication_key_value": math.nan}
    run = run_tap(settings(tidy), tmp_path, state={"bookmarks": {"purchase_orders": bookmark}})
    assert run.status == 1
    (line,) = run.log.splitlines()
    assert "the file is not valid JSON" in line
