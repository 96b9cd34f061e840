"""Settings of odd values: accepted with the meaning that a user expects, or refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runs import run_by, select
from tests.support.serving import serve, settings

if TYPE_CHECKING:
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
    assert requests == 52
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


@pytest.mark.xfail(reason="a rate that is no number is taken for one without a limit")
def test_a_rate_that_is_no_number_is_refused(clock: FakeClock) -> None:
    plans = {"getPurchaseOrders": {"rate": float("nan"), "burst": 1}}
    with serve(clock, orders=3) as serving:
        config = settings(serving, rate_limits=plans)
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "rate_limits" in run.log


@pytest.mark.xfail(reason="an empty entry is taken for a code or a number")
@pytest.mark.parametrize("setting", ["ordering_vendor_codes", "purchase_order_numbers"])
def test_an_empty_entry_of_a_list_is_as_good_as_none(clock: FakeClock, setting: str) -> None:
    with serve(clock, orders=3) as serving:
        run = run_by(clock, settings(serving, **{setting: [""]}), catalog=select("purchase_orders"))
    assert run.status == 0, run.log
    assert len(run.numbers()) == 3
