"""The search for secrets that every test is followed by: it finds them wherever they are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.leaks import leaks

PROJECT = Path(__file__).parent.parent

TELLTALES = {
    "log": "logging.getLogger('urllib3').debug('Atza|0123')",
    "error": "RequestFailedError('getOrderReports: jane@buyer.example is unknown')",
    "errors handled": "pytest.raises(TapError, fail, 'ab-secret')",
}

MODULE = """
import logging
import pytest
from tap_amazon_business.errors import RequestFailedError, TapError
from tests.conftest import nothing_leaks

def fail(message):
    raise TapError(message)

def test_discreet():
    logging.getLogger('urllib3').debug('GET /vendor/orders/v1/purchaseOrders 200')
    RequestFailedError('getOrderReports: status 403')
"""


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
def test_it_knows_tokens_secrets_and_addresses(said: str) -> None:
    assert leaks(f"... {said} ...")
    assert leaks("", [{"bookmarks": {said: {}}}])


def test_it_knows_nothing_else() -> None:
    assert not leaks("purchase_orders: 12 records", [{"bookmarks": {"orders": {}}}])


def test_a_test_fails_that_tells(tmp_path: Path) -> None:
    tests = [f"def test_{n}():\n    {line}\n" for n, line in enumerate(TELLTALES.values())]
    (tmp_path / "test_telling.py").write_text(MODULE + "\n".join(tests), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "pyproject.toml", str(tmp_path)],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert f"{1 + len(TELLTALES)} passed, {len(TELLTALES)} errors" in done.stdout, done.stdout
