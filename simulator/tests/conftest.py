"""Fixtures of the simulator's tests."""

import logging
from collections.abc import Iterator

import pytest

from simulator.tests.support import Simulators


def pytest_configure() -> None:
    """Silence the log line that the web server writes for each request: it is slow."""
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


@pytest.fixture
def simulators() -> Iterator[Simulators]:
    """Start simulators on one clock, and stop them after the test."""
    with Simulators() as simulators:
        yield simulators
