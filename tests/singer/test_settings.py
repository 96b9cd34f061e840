"""Wrong settings, and hosts that fail: one message that names the setting or the request."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Reply, Simulator, World
from tests.support.runs import run_by, run_tap, select

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

PROJECT = Path(__file__).parent.parent.parent
SP = {
    f"sp_api_{name}": f"value-of-{name}" for name in ("client_id", "client_secret", "refresh_token")
}
BUSINESS = {name.replace("sp_api", "business_api"): value for name, value in SP.items()}


def test_names_wrong_settings_before_the_first_request(tmp_path: Path) -> None:
    run = run_tap({**SP, "strat_date": "2026-01-01", "lookback_days": "many"}, tmp_path)
    assert run.status == 1
    assert "strat_date: there is no such setting; did you mean start_date?" in run.log
    assert "lookback_days: 'many' is not of type 'integer'" in run.log
    assert "Traceback" not in run.log
    assert run.output == ""


def test_refuses_a_configuration_file_that_does_not_exist(tmp_path: Path) -> None:
    run = run_tap({}, tmp_path, "--config", str(tmp_path / "absent.json"))
    assert run.status != 0
    assert "absent.json" in run.log


@pytest.mark.parametrize(
    ("setting", "advice"),
    [
        ("sp_api_client_secret", "check sp_api_client_id and sp_api_client_secret"),
        ("sp_api_refresh_token", "check sp_api_refresh_token"),
    ],
)
def test_names_the_settings_of_refused_credentials(
    clock: FakeClock, tidy: Simulator, setting: str, advice: str
) -> None:
    config = tidy.config(**{setting: "a-wrong-secret"})
    run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status != 0
    assert advice in run.log
    assert "a-wrong-secret" not in run.log


def test_gives_up_on_a_dead_host_within_two_minutes(clock: FakeClock) -> None:
    with Simulator(World(orders=1)) as simulator:
        config = simulator.config()
    run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status != 0
    assert "issued no access token" in run.log
    assert "lwa_url" in run.log
    assert clock.monotonic() <= 1 + 2 + 4 + 8 + 16 + 32 + 60


def test_gives_up_on_a_failing_api_within_two_minutes(clock: FakeClock) -> None:
    with Simulator(World(orders=1, now=clock.now), monotonic=clock.monotonic) as simulator:
        simulator.fail_next("getPurchaseOrders", *[Reply(503)] * 100)
        run = run_by(
            clock, simulator.config(max_parallel_requests=1), catalog=select("purchase_orders")
        )
        assert simulator.stats().operations["getPurchaseOrders"].requests == 8
    assert run.status != 0
    assert re.search(r"getPurchaseOrders \(created .* to .*\) failed in 8 attempts", run.log)
    assert clock.monotonic() <= 1 + 2 + 4 + 8 + 16 + 32 + 60


def test_does_not_follow_a_redirect(clock: FakeClock, tidy: Simulator) -> None:
    tidy.fail_next(
        "getPurchaseOrders", *[Reply(307, {"Location": "https://127.0.0.1:1/elsewhere"})] * 50
    )
    run = run_by(clock, tidy.config(), catalog=select("purchase_orders"))
    assert run.status != 0
    assert "does not follow redirects" in run.log
    assert "elsewhere" not in run.log


def test_discovers_every_stream_without_settings(tmp_path: Path) -> None:
    run = run_tap({}, tmp_path, "--discover")
    names = {stream["tap_stream_id"] for stream in json.loads(run.output)["streams"]}
    assert {"purchase_orders", "order_reports"} <= names


def test_discovers_the_streams_of_one_credential_set_only(tmp_path: Path) -> None:
    def names(config: dict[str, Any]) -> set[str]:
        run = run_tap(config, tmp_path, "--discover")
        return {stream["tap_stream_id"] for stream in json.loads(run.output)["streams"]}

    vendor = names(SP)
    assert "order_reports" not in vendor
    assert "purchase_orders" in vendor
    business = names({**BUSINESS, "purchase_order_numbers": ["1"]})
    assert "purchase_orders" not in business
    assert "order_reports" in business


def test_accepts_the_sample_configuration(tmp_path: Path) -> None:
    sample = json.loads((PROJECT / "sample_config.json").read_text(encoding="utf-8"))
    run = run_tap(sample, tmp_path, "--test=schema")
    assert run.status == 0, run.log
