"""Bad input: one message that names the setting or the request, and no traceback."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Reply, Simulator, World
from tap_amazon_business.tap import TapAmazonBusiness
from tests.support.runs import run_by, run_tap, select

if TYPE_CHECKING:
    from tests.support.clocks import FakeClock

PROJECT = Path(__file__).parent.parent
SP = {
    f"sp_api_{name}": f"value-of-{name}" for name in ("client_id", "client_secret", "refresh_token")
}
BUSINESS = {name.replace("sp_api", "business_api"): value for name, value in SP.items()}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, r"no credentials: set sp_api_client_id"),
        ({"sp_api_client_id": "x"}, r"sp_api_client_secret, sp_api_refresh_token: missing"),
        ({**SP, "sp_api_client_secret": ""}, r"sp_api_client_secret: missing"),
        ({**SP, "business_api_client_id": "x"}, r"business_api_client_secret.*missing"),
        ({**SP, "strat_date": "2026-01-01"}, r"strat_date: .*did you mean start_date\?"),
        ({**SP, "start_date": "2026-13-01"}, r"start_date: '2026-13-01' is not a date"),
        (
            {**SP, "start_date": "2026-03-01", "end_date": "2026-02-01"},
            r"end_date: 2026-02-01.* is not after start_date",
        ),
        ({**SP, "start_date": "2199-01-01"}, r"start_date: .* lies in the future"),
        ({**SP, "sp_api_region": "US"}, r"sp_api_region: 'US' is not one of"),
        (
            {**BUSINESS, "business_api_regions": ["XX"]},
            r"business_api_regions: unknown region 'XX'",
        ),
        ({**BUSINESS, "business_api_regions": ["GB"]}, r"'GB'; Amazon Business calls it UK"),
        ({**BUSINESS, "business_api_regions": ["US", "DE"]}, r"US DE are answered by different"),
        ({**BUSINESS, "business_api_regions": []}, r"business_api_regions: must name at least"),
        ({**SP, "sp_api_url": "http://example.com"}, r"sp_api_url: must begin with https"),
        ({**SP, "lwa_url": "http://10.0.0.1"}, r"lwa_url: must begin with https"),
        ({**SP, "lwa_url": "ftp://127.0.0.1"}, r"lwa_url: must be a URL"),
        ({**SP, "lwa_url": "https://me:pass@host"}, r"lwa_url: must not carry a user name"),
        ({**SP, "max_parallel_requests": 0}, r"max_parallel_requests: 0 is less than"),
        ({**SP, "lookback_days": "many"}, r"lookback_days: 'many' is not of type"),
        (
            {**SP, "rate_limits": {"getPurchaseOrder_": {"rate": 1, "burst": 1}}},
            r"getPurchaseOrder\?",
        ),
        ({**SP, "rate_limits": {"getPurchaseOrders": {"rate": 0, "burst": 1}}}, r"rate_limits\["),
        ({**SP, "order_reports_strategy": "guess"}, r"order_reports_strategy: 'guess' is not one"),
        ({**SP, "user_agent": "x" * 501}, r"user_agent: longer than 500"),
    ],
)
def test_bad_settings_are_named_before_the_first_request(
    config: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    run = run_tap(config, tmp_path)
    assert run.status != 0
    assert re.search(expected, run.log), run.log
    assert "Traceback" not in run.log
    assert not run.output


def test_a_secret_of_the_wrong_type_is_not_shown(tmp_path: Path) -> None:
    run = run_tap({**SP, "sp_api_client_secret": 123454321}, tmp_path)
    assert run.status != 0
    assert "sp_api_client_secret: must be a text" in run.log
    assert "123454321" not in run.log


def test_a_configuration_that_is_no_json_is_refused(tmp_path: Path) -> None:
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
def test_refused_credentials_are_named(
    tidy: Simulator, setting: str, advice: str, tmp_path: Path
) -> None:
    catalog = select("purchase_orders")
    run = run_tap(tidy.config(**{setting: "a-wrong-secret"}), tmp_path, catalog=catalog)
    assert run.status != 0
    assert advice in run.log
    assert "a-wrong-secret" not in run.log
    assert "Traceback" not in run.log


def test_a_dead_host_ends_the_sync_within_the_bound(clock: FakeClock) -> None:
    with Simulator(World(orders=1)) as simulator:
        config = simulator.config()
    run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status != 0
    assert "gave no access token" in run.log
    assert "lwa_url" in run.log
    assert clock.monotonic() <= 1 + 2 + 4 + 8 + 16 + 32 + 60


def test_an_api_that_is_down_ends_the_sync_within_the_bound(clock: FakeClock) -> None:
    with Simulator(World(orders=1, now=clock.now), monotonic=clock.monotonic) as simulator:
        simulator.fail_next("getPurchaseOrders", *[Reply(503)] * 100)
        run = run_by(
            clock, simulator.config(max_parallel_requests=1), catalog=select("purchase_orders")
        )
        assert simulator.stats().operations["getPurchaseOrders"].requests == 8
    assert run.status != 0
    assert re.search(r"getPurchaseOrders \(created .* to .*\) did not succeed in 8 tries", run.log)
    assert clock.monotonic() <= 1 + 2 + 4 + 8 + 16 + 32 + 60


def test_a_redirect_is_not_followed(tidy: Simulator, tmp_path: Path) -> None:
    tidy.fail_next(
        "getPurchaseOrders", *[Reply(307, {"Location": "https://127.0.0.1:1/elsewhere"})] * 50
    )
    run = run_tap(tidy.config(), tmp_path, catalog=select("purchase_orders"))
    assert run.status != 0
    assert "Redirects are not followed" in run.log
    assert "elsewhere" not in run.log


def test_discovery_without_settings_shows_every_stream(tmp_path: Path) -> None:
    run = run_tap({}, tmp_path, "--discover")
    names = {stream["tap_stream_id"] for stream in json.loads(run.output)["streams"]}
    assert {"purchase_orders", "order_reports"} <= names


def test_discovery_with_one_credential_set_shows_its_streams_only(tmp_path: Path) -> None:
    def names(config: dict[str, Any]) -> set[str]:
        run = run_tap(config, tmp_path, "--discover")
        return {stream["tap_stream_id"] for stream in json.loads(run.output)["streams"]}

    assert "order_reports" not in names(SP)
    assert "purchase_orders" in names(SP)
    assert "purchase_orders" not in names({**BUSINESS, "purchase_order_numbers": ["1"]})
    assert "order_reports" in names({**BUSINESS, "purchase_order_numbers": ["1"]})


def test_the_sample_configuration_has_every_setting_and_is_accepted(tmp_path: Path) -> None:
    sample = json.loads((PROJECT / "sample_config.json").read_text(encoding="utf-8"))
    run = run_tap(sample, tmp_path, "--test=schema")
    assert run.status == 0, run.log
    sdk = ("stream_map", "flattening", "faker", "batch", "emit_activate")
    own = TapAmazonBusiness.config_jsonschema["properties"]
    assert set(sample) == {name for name in own if not name.startswith(sdk)}
