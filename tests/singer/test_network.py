"""Connections that fail: each failure names its reason, and what to check."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from simulator import EndlessHead, Hang, Reply
from tests.support.runs import Run, run_by, select
from tests.support.serving import VENDOR_ONLY, serve, settings
from tests.support.sockets import RefusingProxy, TlsServer, Trickle, closed_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Fault, Simulator
    from tests.support.clocks import FakeClock

HUSH = "a-word-of-the-proxy"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies of the machine that runs the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serving(clock: FakeClock) -> Iterator[Simulator]:
    """Serve a few orders by the injected clock."""
    with serve(clock, orders=30) as simulator:
        yield simulator


def sync(clock: FakeClock, serving: Simulator, **extra: object) -> Run:
    """Sync purchase orders, one request at a time."""
    config = settings(serving, **VENDOR_ONLY, max_parallel_requests=1, **extra)
    return run_by(clock, config, catalog=select("purchase_orders"))


# ---- no connection -----------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["lwa_url", "sp_api_url"])
def test_a_host_name_that_is_not_found_is_named(
    clock: FakeClock, serving: Simulator, setting: str
) -> None:
    run = sync(clock, serving, **{setting: "https://no-such-host.invalid"})
    assert run.status == 1
    assert "no response: the host name no-such-host.invalid was not found" in run.log
    assert setting in run.log


@pytest.mark.parametrize("setting", ["lwa_url", "sp_api_url"])
def test_a_host_that_refuses_connections_is_named(
    clock: FakeClock, serving: Simulator, setting: str
) -> None:
    with closed_port() as address:
        run = sync(clock, serving, **{setting: f"http://{address}"})
    assert run.status == 1
    assert "no response: 127.0.0.1 refused the connection" in run.log
    assert setting in run.log


@pytest.mark.parametrize("setting", ["lwa_url", "sp_api_url"])
def test_an_untrusted_certificate_ends_the_sync_at_once(
    clock: FakeClock, serving: Simulator, tmp_path: Path, setting: str
) -> None:
    with TlsServer(tmp_path) as server:
        run = sync(clock, serving, **{setting: server.url})
    assert run.status == 1
    assert "The certificate of 127.0.0.1 is not trusted" in run.log
    assert "REQUESTS_CA_BUNDLE" in run.log
    assert server.handshakes == 1
    assert clock.slept == []


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["no file", "no certificate"])
def test_certificate_authorities_that_cannot_be_read_end_the_sync(
    clock: FakeClock,
    serving: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
) -> None:
    bundle = tmp_path / "authorities.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with TlsServer(tmp_path) as server:
        run = sync(clock, serving, lwa_url=server.url)
    assert run.status == 1
    assert "The file of trusted certificates cannot be read, or contains none; set REQ" in run.log
    assert "output" not in run.log
    assert clock.slept == []


# ---- proxies -----------------------------------------------------------------------------------


def test_a_proxy_that_does_not_work_is_named_without_its_credentials(
    clock: FakeClock,
    serving: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closed_port() as address:
        monkeypatch.setenv("https_proxy", f"http://user:{HUSH}@{address}")
        run = sync(clock, serving, lwa_url="https://api.invalid")
    assert run.status == 1
    assert f"no response: the proxy {address} does not work" in run.log
    assert HUSH not in run.log + caplog.text


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden"])
def test_a_proxy_that_refuses_ends_the_sync_and_is_named_with_its_status(
    clock: FakeClock, serving: Simulator, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    with RefusingProxy(status) as proxy:
        monkeypatch.setenv("https_proxy", f"http://user:{HUSH}@{proxy.address}")
        run = sync(clock, serving, lwa_url="https://api.invalid")
    assert run.status == 1
    words = f"The proxy {proxy.address} refused a connection to api.invalid with HTTP {status[:3]};"
    assert words in run.log
    assert HUSH not in run.log
    assert proxy.asked == 1
    assert clock.slept == []


def test_a_proxy_in_trouble_is_asked_again(
    clock: FakeClock, serving: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RefusingProxy("502 Bad Gateway") as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        run = sync(clock, serving, lwa_url="https://api.invalid")
    assert "refused a connection to api.invalid with HTTP 502; attempt 1 of 8" in run.log
    assert proxy.asked == 8


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_sees_requests_to_a_loopback_address(
    clock: FakeClock, serving: Simulator, monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    url = serving.url.replace("127.0.0.1", host)
    with closed_port() as address:
        monkeypatch.setenv(variable, f"http://{address}")
        run = sync(clock, serving, lwa_url=url, sp_api_url=url)
    assert run.status == 0, run.log
    assert len(run.numbers()) == 30


# ---- no complete answer ------------------------------------------------------------------------


@pytest.mark.timeout(60)  # as the requests would otherwise take minutes
@pytest.mark.parametrize("operation", ["token", "getPurchaseOrders"])
@pytest.mark.parametrize(
    "fault",
    [
        Hang(),
        Trickle(),
        EndlessHead(b"HTTP/1.1 2"),
        EndlessHead(),
        EndlessHead(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silent", "slow body", "slow status line", "slow headers", "endless 100 Continue"],
)
def test_an_answer_that_takes_too_long_is_requested_again(
    clock: FakeClock, serving: Simulator, operation: str, fault: Fault
) -> None:
    serving.fail_next(operation, fault)
    run = sync(clock, serving, request_timeout=1)
    assert run.status == 0, run.log
    assert run.log.count("no response: 127.0.0.1 did not respond in time; attempt 1 of 8") == 1
    assert len(run.numbers()) == 30


def test_a_gzip_bomb_fails_its_stream_before_it_fills_the_memory(
    clock: FakeClock, serving: Simulator
) -> None:
    bomb = gzip.compress(b" " * (80 << 20), compresslevel=6)
    serving.fail_next("getPurchaseOrders", Reply(200, {"Content-Encoding": "gzip"}, bomb))
    tracemalloc.start()
    try:
        run = sync(clock, serving)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert run.status == 1
    assert "127.0.0.1 sent a response of more than 64 MB" in run.log
    assert peak < 75 << 20
