"""Settings of odd values: accepted with the meaning that a user expects, or refused by name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runs import TapAmazonBusiness, run_by, run_tap, select
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from pathlib import Path

    from simulator import Simulator
    from tests.support.clocks import FakeClock


@pytest.mark.parametrize(
    "extra",
    [
        {"max_parallel_requests": 4.0},
        {"request_timeout": 60.0},
        {"lookback_days": 30.0},
        {"rate_limits": {"getPurchaseOrders": {"rate": 5, "burst": 5.0}}},
    ],
    ids=str,
)
def test_a_whole_number_may_be_written_with_a_point(
    clock: FakeClock, extra: dict[str, Any]
) -> None:
    with serve(clock, orders=3) as serving:
        run = run_by(clock, settings(serving, **extra), catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert len(run.numbers()) == 3


def test_a_rate_of_the_user_s_own_is_kept_to(clock: FakeClock) -> None:
    plans = {"getPurchaseOrders": {"rate": 5, "burst": 5.0}}
    with serve(clock, orders=3) as serving:
        config = settings(serving, rate_limits=plans, max_parallel_requests=1)
        run_by(clock, config, catalog=select("purchase_orders"))
        requests = serving.stats().operations["getPurchaseOrders"].requests
    assert requests > 50  # pages of half a year, by creation and by change
    assert clock.monotonic() == pytest.approx((requests - 5) / 5, rel=0.05)


def test_a_date_after_the_last_one_is_refused(clock: FakeClock) -> None:
    with serve(clock, orders=3) as serving:
        config = settings(serving, end_date="9999-12-31T23:59:59-12:00")
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "end_date: '9999-12-31T23:59:59-12:00'" in run.log
    assert not run.output


def test_a_start_date_may_be_written_as_a_week(clock: FakeClock) -> None:
    with serve(clock, orders=3) as serving:
        run = run_by(
            clock, settings(serving, start_date="2026-W20-1"), catalog=select("purchase_orders")
        )
        asked = [call.parameters.get("createdAfter", "9") for call in serving.stats().calls]
    assert run.status == 0, run.log
    assert min(asked) == "2026-05-10T23:59:59Z"


@pytest.mark.parametrize("rate", [math.nan, math.inf])
def test_a_rate_that_is_no_finite_number_is_refused(clock: FakeClock, rate: float) -> None:
    plans = {"getPurchaseOrders": {"rate": rate, "burst": 1}}
    with serve(clock, orders=3) as serving:
        config = settings(serving, rate_limits=plans)
        run = run_by(clock, config, catalog=select("purchase_orders"))
        calls = serving.stats().calls
    assert run.status == 1
    assert "rate_limits['getPurchaseOrders']['rate']: must be a finite number" in run.log
    assert not calls


@pytest.mark.parametrize("setting", ["ordering_vendor_codes", "purchase_order_numbers"])
def test_an_empty_entry_of_a_list_is_not_given(clock: FakeClock, setting: str) -> None:
    with serve(clock, orders=3) as serving:
        run = run_by(clock, settings(serving, **{setting: [""]}), catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert len(run.numbers()) == 3


@pytest.mark.parametrize("empty", ["", None], ids=["text", "null"])
def test_an_empty_setting_is_not_given(clock: FakeClock, empty: str | None) -> None:
    nothing = dict.fromkeys(TapAmazonBusiness.config_jsonschema["properties"], empty)
    with serve(clock, orders=3, regions=("US",)) as serving:
        run = run_by(clock, {**nothing, **settings(serving)}, catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert len(run.numbers()) == 3


def test_warns_of_a_variable_that_is_no_setting(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOOKBACK_DAY", "LOOKBACK_DAYS", "_LOAD_SCHEMA"):
        monkeypatch.setenv(f"TAP_AMAZON_BUSINESS_{name}", "3")
    monkeypatch.setenv("TAP_AMAZON_BUSINESS_LOGLEVEL", "DEBUG")
    with serve(clock, orders=3) as serving:
        run = run_by(clock, settings(serving), catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    warnings = [line for line in run.log.splitlines() if "there is no such setting" in line]
    assert [line.partition(":")[0] for line in warnings] == ["TAP_AMAZON_BUSINESS_LOOKBACK_DAY"]


def test_the_parts_that_meltano_makes_of_an_object_are_not_warned_of(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STREAM_MAPS_ORDERS_BUYINGCUSTOMER", "RATE_LIMITS_GETORDERREPORTS_RATE"):
        monkeypatch.setenv(f"TAP_AMAZON_BUSINESS_{name}", "3")
    with serve(clock, orders=3) as serving:
        run = run_by(clock, settings(serving), catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert "there is no such setting" not in run.log


def test_each_wrong_setting_is_logged_once_as_an_error(tidy: Simulator, tmp_path: Path) -> None:
    wrong = {"business_api_regions": ["GB"], "lwa_url": "https://host\n"}
    run = run_tap(settings(tidy, **wrong), tmp_path)
    assert run.status == 1
    errors = [line for line in run.log.splitlines() if "| INFO" not in line]
    assert [line.split("| ")[-1].split(":")[0] for line in errors] == [*wrong]
    assert all("| ERROR" in line for line in errors)


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ({"encoding": {"format": "parquet"}}, "the tap writes the format jsonl"),
        ({"encoding": {"format": "jsonl", "compression": "none"}}, "with the compression gzip"),
        ({"storage": {"root": "s3://bucket"}}, "'s3://bucket' is no folder of this machine"),
        ({"storage": {}}, "batch_config['storage']['root']: missing"),
        ({"encoding": None}, "batch_config['encoding']: missing"),
    ],
)
def test_a_batch_that_cannot_be_written_is_found_before_the_first_request(
    clock: FakeClock, batch: dict[str, Any], words: str
) -> None:
    usable = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": "file:///tmp"},
    }
    with serve(clock, orders=3) as serving:
        run = run_by(clock, settings(serving, batch_config={**usable, **batch}))
        assert not serving.stats().calls
    assert run.status == 1
    assert words in run.log


@pytest.mark.parametrize("region", ["na", "Na"])
def test_regions_may_be_in_lower_case(clock: FakeClock, region: str) -> None:
    with serve(clock, orders=3) as serving:
        config = settings(serving, sp_api_region=region, business_api_regions=["us"])
        run = run_by(clock, config, catalog=select("purchase_orders", "orders"))
    assert run.status == 0, run.log


def test_a_missing_hash_seed_is_found_before_the_first_request(clock: FakeClock) -> None:
    maps = {"orders": {"orderId": "sha256(config['hash_seed'] + record['orderId'])"}}
    with serve(clock, orders=3) as serving:
        run = run_by(clock, settings(serving, stream_maps=maps), catalog=select("orders"))
        stats = serving.stats()
    assert run.status == 1
    assert "stream_map_config: hash_seed is missing" in run.log
    assert not stats.calls
    assert not stats.token_requests


def test_an_end_date_before_the_bookmark_is_warned_of(clock: FakeClock) -> None:
    with serve(clock, orders=3) as serving:
        first = run_by(clock, settings(serving), catalog=select("purchase_orders"))
        config = settings(serving, end_date="2026-03-01T00:00:00Z")
        second = run_by(clock, config, state=first.state, catalog=select("purchase_orders"))
    assert second.status == 0
    assert (
        "purchase_orders: end_date 2026-03-01T00:00:00Z is not after the bookmark "
        "2026-06-01T11:58:00Z" in second.log
    )
    assert "--state-id-suffix" in second.log
    assert second.numbers() == {}
    assert second.state == first.state
