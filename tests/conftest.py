"""What all tests share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

import pytest

from simulator import Options, Simulator, World
from tap_amazon_business.errors import TapError
from tests.support.clocks import FakeClock
from tests.support.leaks import leaks

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure() -> None:
    """Leave out what the simulator logs of each request: it is not the tap's, and slow."""
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def nothing_leaks(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Search the log at level DEBUG, and the text of every error, raised or not, for secrets."""
    errors: list[str] = []
    make = TapError.__init__

    def remember(error: TapError, message: str) -> None:
        errors.append(message)
        make(error, message)

    monkeypatch.setattr(TapError, "__init__", remember)
    yield
    said = [text for phase in ("setup", "call") for text in _formatted(caplog, phase)]
    found = leaks("\n".join([*errors, *said]))
    assert not found, f"told: {sorted(found)}"


def _formatted(caplog: pytest.LogCaptureFixture, phase: Literal["setup", "call"]) -> list[str]:
    return [caplog.handler.format(record) for record in caplog.get_records(phase)]


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that the tap and a simulator may share."""
    return FakeClock()


@pytest.fixture(scope="module")
def tidy() -> Iterator[Simulator]:
    """Serve a few orders without oddities or limits, for tests that change nothing."""
    with Simulator(World(orders=30, quirks=False), Options(limits=False)) as simulator:
        yield simulator
