"""No secret, token or e-mail address is logged; and the search for them after every test works."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.chain import PROJECT
from tests.support.faults import ok
from tests.support.leaks import leaks
from tests.support.orders import LATELY, order, orders_page
from tests.support.runs import run_by, run_tap, select
from tests.support.serving import BY_DEFAULT, VENDOR_ONLY, serve, settings

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

    from simulator.faults import Serve
    from tests.support.clocks import FakeClock

LEAKS = {
    "log": "logging.getLogger('urllib3').debug('Atza|0123')",
    "error": "click.ClickException('getOrderReports: jane@buyer.example is unknown')",
    "errors handled": "pytest.raises(click.ClickException, fail, 'ab-secret')",
}

MODULE = """
import logging
import click
import pytest
from tests.conftest import nothing_leaks

def fail(message):
    raise click.ClickException(message)

def test_discreet():
    logging.getLogger('urllib3').debug('GET /vendor/orders/v1/purchaseOrders 200')
    click.ClickException('getOrderReports: status 403')
"""


NUMBER = "zoe@elsewhere.example"


# ---- what is logged ----------------------------------------------------------------------------
# After every run, conftest.py and `run_tap` search all that was logged, down to level DEBUG.


def test_a_number_that_is_an_address_is_written_and_not_logged(tmp_path: Path) -> None:
    with serve(orders=0, faults=[orders_page(order(NUMBER))]) as serving:
        run = run_tap(
            settings(serving),
            tmp_path,
            catalog=select("purchase_orders", "order_reports"),
        )
        asked = {call.argument for call in serving.stats().calls}
    assert run.status == 0, run.log
    assert run.numbers() == {NUMBER: 1}
    assert NUMBER in asked


def test_an_unknown_number_that_is_an_address_is_warned_of_without_it(clock: FakeClock) -> None:
    with serve(clock, orders=3) as serving:
        config = settings(serving, purchase_order_numbers=[NUMBER])
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 0
    assert "(e-mail)" in run.log


def test_the_warning_of_an_unknown_field_does_not_show_an_address_in_its_name(
    clock: FakeClock,
) -> None:
    row = {**order("A1"), NUMBER: 1}
    with serve(clock, orders=0, faults=[orders_page(row)]) as serving:
        run = run_by(clock, settings(serving, **LATELY), catalog=select("purchase_orders"))
    assert "are kept in rescuedData: (e-mail)\n" in run.log
    assert run.numbers() == {"A1": 1}


def test_a_request_id_that_repeats_the_access_token_is_logged_without_it(clock: FakeClock) -> None:
    class Repeats:
        """Refuses a request with its own access token for an id."""

        async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
            answer = await serve()
            answer.set_status(404)
            answer.headers["x-amzn-RequestId"] = request.headers["x-amz-access-token"]
            return answer

    with serve(clock, orders=3) as serving:
        serving.fail_next("getPurchaseOrders", Repeats())
        config = settings(serving, **VENDOR_ONLY, max_parallel_requests=1)
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "x-amzn-RequestId (access token)" in run.log


def test_a_sign_in_error_that_repeats_the_refresh_token_is_logged_without_it(
    clock: FakeClock,
) -> None:
    with serve(clock, orders=3, faults=[]) as serving:
        config = settings(serving, **VENDOR_ONLY)
        body = {"error": "bad " + config["sp_api_refresh_token"]}
        serving.fail_next("token", replace(ok(body), status=400))
        run = run_by(clock, config, catalog=select("purchase_orders"))
    assert run.status == 1
    assert "sp_api_refresh_token" in run.log
    assert "HTTP 400" in run.log


# ---- how much is logged ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the log of a sync of 300 orders, all streams, line by line."""
    with serve(orders=300) as serving:
        run = run_tap(settings(serving), tmp_path_factory.mktemp("many"))
    assert run.status == 0, run.log
    return run.log.splitlines()


def test_300_orders_are_at_most_30_lines_at_level_info(lines: list[str]) -> None:
    # The table is one of them, as a block. There are few lines to spare for more streams.
    assert len([line for line in lines if "| INFO " in line]) <= 2 + 2 * len(BY_DEFAULT) <= 30


def test_300_orders_are_at_most_30_lines_besides_those_for_programs(lines: list[str]) -> None:
    shown = [line for line in lines if "METRIC: " not in line and "| WARNING " not in line]
    assert len(shown) <= 30


def test_each_stream_has_two_metric_lines(lines: list[str]) -> None:
    found = Counter(re.findall(r'METRIC: .*"metric":"(\w+)".*"stream":"(\w+)"', "\n".join(lines)))
    assert found == {
        (metric, stream): 1 for metric in ("sync_duration", "record_count") for stream in BY_DEFAULT
    }


# ---- the search --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "Bearer Atza|0123",
        "access_token=Atza%7C0123",
        "jane.doe@buyer.example",
        "jane.doe%40company.org",
        "Jörg Müller-Lüdenscheidt",
        "sp-secret",
        "Atzr|ab-refresh",
        "Atzr%7Cab-refresh",
        "amzn1.application-oa2-client.sp",
    ],
)
def test_the_search_finds_tokens_secrets_and_addresses(said: str) -> None:
    assert leaks(f"... {said} ...")
    assert leaks("", [{"bookmarks": {said: {}}}])


def test_the_search_finds_nothing_else() -> None:
    assert not leaks("purchase_orders: 12 records", [{"bookmarks": {"orders": {}}}])


def test_a_test_that_logs_a_secret_fails(tmp_path: Path) -> None:
    tests = [f"def test_{n}():\n    {line}\n" for n, line in enumerate(LEAKS.values())]
    (tmp_path / "test_leaking.py").write_text(MODULE + "\n".join(tests), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "pyproject.toml", str(tmp_path)],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert f"{1 + len(LEAKS)} passed, {len(LEAKS)} errors" in done.stdout, done.stdout
